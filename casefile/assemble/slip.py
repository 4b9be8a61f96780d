"""The sheet on top of a document from outside (外来件登记单): where it came from, and what it proves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from casefile import catalogue
from casefile.context import Context, write_whole
from casefile.formats import typst, written
from casefile.formats.office import words
from casefile.model.case import Case
from casefile.model.document import Evidence, Part

_TEMPLATE = "slip"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one document from outside; what is not is left to be written by hand.

    ``provider`` handed it in, ``issuer`` made it. ``dated`` is the date that it bears. ``compared`` says that
    the copy was held against the original (与原件核对无异).
    """

    type_name: str
    case_no: str
    case_title: str
    entry_no: str = ""
    provider: str = ""
    issuer: str = ""
    doc_no: str = ""
    dated: dt.date | None = None
    received_on: dt.date | None = None
    received_by: str = ""
    copies: int | None = None
    pages: int | None = None
    form: Literal["", "original", "copy"] = ""
    compared: bool = False
    proves: str = ""
    sha256: str = ""
    note: str = ""


def slip(entries: Sequence[Entry], on: dt.date, context: Context) -> bytes:
    """One sheet for each entry, as PDF/A-3b; the same entries give the same bytes.

    ``on`` dates the file: a day of the case, never today's.

    Raises:
        ValueError: when there is no entry.
        BadInput: BIND-GLYPH names a character that no font has; BIND-CONTROL one that can't be printed.
    """
    if not entries:
        raise ValueError("entries")
    data = {
        "bureau": context.config.bureau.name,
        "date": [on.year, on.month, on.day],
        "entries": [_told(entry) for entry in entries],
    }
    return typst.typesetter(context).set(_TEMPLATE, data).pdf


def slips(case: Case, evidence: Sequence[Evidence], parts: Sequence[Part], context: Context) -> Path | None:
    """Write a sheet for each piece of evidence that is a document from outside; None when there is none."""
    types = catalogue.load().types
    pages = {part.id: part.pages for part in parts}
    entries = [
        Entry(
            type_name=types[item.type_id].name,
            case_no=case.case_no,
            case_title=case.title,
            provider=item.source,
            received_on=_day(item.collected_at),
            received_by=item.collected_by,
            pages=pages.get(item.id),
            proves=item.proves,
            sha256=item.sha256,
            note=item.note,
        )
        for item in evidence
        if item.type_id in types and types[item.type_id].made == "outside"
    ]
    if not entries:
        return None
    last = max((e.received_on for e in entries if e.received_on), default=context.now().date())
    target = context.workspace.case(case.case_no).documents / "外来件登记单.pdf"
    write_whole(target, slip(entries, last, context))
    return target


def _day(text: str) -> dt.date | None:
    day = written.date(text)
    if day is None:
        moment = written.moment(text)
        return moment.date() if moment else None
    return day


def _told(entry: Entry) -> dict[str, str | bool]:
    return {one.name: _written(one.name, getattr(entry, one.name)) for one in fields(entry)}


def _written(name: str, value: object) -> str | bool:
    match value:
        case bool():
            return value
        case None:
            return words.date_cn(None) if name in ("dated", "received_on") else ""
        case dt.date():
            return words.date_cn(value)
        case int():
            return f"{value}{'份' if name == 'copies' else '页'}"
    return str(value).strip()
