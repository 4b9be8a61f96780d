"""What a file says of itself: time and place of a photograph, author of a document, sender of a mail.

Anybody may write anything there. Values are made plain and short and are never trusted; what can't be read
is left out, since nothing of it decides anything.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pikepdf

from casefile.errors import CasefileError
from casefile.formats.identify import exif, kinds, pronom, properties
from casefile.formats.office import mail
from casefile.formats.pdf import pdf_archival
from casefile.model.terms import FactKey

Fact = tuple[FactKey, str]

LONGEST = 300
"""Characters of a value."""

_PICTURES = frozenset({
    kinds.JPEG, kinds.PNG, kinds.TIFF, kinds.GIF, kinds.BMP, kinds.WEBP, kinds.HEIC, kinds.HEIF, kinds.AVIF,
    kinds.JP2, kinds.J2K,
})  # fmt: skip
_OLE = frozenset({kinds.DOC, kinds.XLS, kinds.PPT, kinds.WPS, kinds.ET, kinds.DPS})
_PDF_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:([+-])(\d\d)'?(\d\d)?'?|(Z).*)?\s*")
_PDF_KEYS = (
    ("/Title", FactKey.TITLE),
    ("/Author", FactKey.AUTHOR),
    ("/Creator", FactKey.APPLICATION),
    ("/Producer", FactKey.PRODUCER),
)


def read(path: Path, kind: str, head: bytes, password: str = "") -> tuple[tuple[Fact, ...], str]:
    """The facts, in the order of their keys, and the PDF/A flavour that a PDF claims."""
    found: list[Fact] = []
    flavour = ""
    try:
        if kind == kinds.PDF:
            pairs, flavour = _pdf(path, head, password)
            found += pairs
        elif kind in _PICTURES:
            found += exif.read(path)
        elif kind in kinds.OOXML or kind == kinds.XLSB:
            found += properties.of_package(path)
        elif kind in (kinds.ODT, kinds.ODS, kinds.ODP):
            found += properties.of_open_document(path)
        elif kind in _OLE:
            found += properties.of_compound(path)
        elif kind == kinds.EML:
            found += _mail(path)
    except (MemoryError, RecursionError):
        raise
    except Exception:
        # Readers fail on hostile files in ways that nobody lists; a file without facts is no finding.
        found = []
    clean = {key: plain(value) for key, value in reversed(found)}
    return tuple((key, clean[key]) for key in FactKey if clean.get(key)), flavour


def plain(value: str) -> str:
    """One line of printable characters, not too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in value[: LONGEST * 4]).split())
    return line[:LONGEST]


def _pdf(path: Path, head: bytes, password: str) -> tuple[list[Fact], str]:
    found: list[Fact] = []
    version = pronom.pdf_version(head)
    try:
        pdf = pdf_archival.opened(path, password)
    except CasefileError:
        return [(FactKey.FORMAT_VERSION, version)], ""
    with pdf:
        flavour = pdf_archival.claimed(pdf)
        claim = f"（PDF/A-{flavour}）" if flavour else ""
        found += [(FactKey.FORMAT_VERSION, f"{pdf.pdf_version}{claim}"), (FactKey.PAGES, str(len(pdf.pages)))]
        info = pdf.trailer.get("/Info")
        if isinstance(info, pikepdf.Dictionary):
            for name, key in _PDF_KEYS:
                value = info.get(name)
                if isinstance(value, pikepdf.String):
                    found.append((key, str(value)))
            for name, key in (("/CreationDate", FactKey.CREATED), ("/ModDate", FactKey.MODIFIED)):
                value = info.get(name)
                if isinstance(value, pikepdf.String):
                    found.append((key, pdf_moment(str(value))))
        return found, flavour


def pdf_moment(text: str) -> str:
    """A PDF date (ISO 32000-1, 7.9.4) in ISO 8601; empty when it is none."""
    found = _PDF_DATE.fullmatch(text[:40])
    if found is None:
        return ""
    year, month, day, hour, minute, second, sign, hours, minutes, utc = found.groups()
    zone: dt.tzinfo | None = dt.UTC if utc else None
    try:
        if sign:
            offset = dt.timedelta(hours=int(hours), minutes=int(minutes or 0))
            zone = dt.timezone(-offset if sign == "-" else offset)
        moment = dt.datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
            tzinfo=zone,
        )  # fmt: skip
    except ValueError:
        return ""
    return moment.isoformat(timespec="seconds")


def _mail(path: Path) -> Iterator[Fact]:
    told = mail.read(path)
    yield FactKey.MAIL_FROM, told.sender
    yield FactKey.MAIL_TO, "；".join(filter(None, (told.recipients, told.copies)))
    yield FactKey.MAIL_DATE, told.sent_at or told.date
    yield FactKey.MAIL_SUBJECT, told.subject
    yield FactKey.MESSAGE_ID, told.message_id
    if told.attachments:
        yield FactKey.MEMBERS, str(len(told.attachments))
