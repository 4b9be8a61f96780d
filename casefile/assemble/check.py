"""Data is checked before it is filled in: what no font draws or no file may hold is named with its field."""

from __future__ import annotations

import datetime as dt
import itertools
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from casefile.assemble import derive
from casefile.formats.office import words
from casefile.model.catalogue import DocumentType, Field
from casefile.model.finding import Finding
from casefile.tools.fonts import Fonts

_BODY = "仿宋"
_YEN, _WIDE_YEN = "¥", "￥"


def clean(value: Any) -> Any:
    """The value with every text in NFC, one kind of line end, and ¥ for ￥.

    The free 仿宋 draws ￥ (U+FFE5) as a dollar sign while the text behind it says ￥.
    """
    if isinstance(value, str):
        text = value.replace("\r\n", "\n").replace("\r", "\n").replace(_WIDE_YEN, _YEN)
        return unicodedata.normalize("NFC", text)
    if isinstance(value, Mapping):
        return {name: clean(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return tuple(clean(inner) for inner in value)
    return value


def complaints(
    values: Mapping[str, Any], fields: Sequence[Field], document: str, fonts: Fonts, longest: int
) -> Iterator[Finding]:
    """All that is wrong with the cleaned values of one document, each by its Chinese name."""
    for field in fields:
        for place, text in _texts(values.get(field.name), field, field.zh):
            yield from _complaints(text, place, document, fonts, longest)


def _complaints(text: str, field: str, document: str, fonts: Fonts, longest: int) -> Iterator[Finding]:
    subject = f"{document}：{field}"
    if len(text) > longest:
        params = {"field": field, "length": str(len(text)), "limit": str(longest)}
        yield Finding("DATA-LONG", subject=subject, params=params)
        text = text[:longest]
    bad = dict.fromkeys(c for c in text if _refused(c))
    for char in bad:
        params = {"field": field, "code_point": f"U+{ord(char):04X}"}
        yield Finding("DATA-CHARACTER", subject=subject, params=params)
    for glyph in fonts.missing("".join(c for c in text if c not in bad), _BODY):
        params = {"field": field, "char": glyph.char, "code_point": glyph.code_point}
        yield Finding("DATA-PRIVATE" if glyph.private else "DATA-GLYPH", subject=subject, params=params)


def _texts(value: Any, field: Field, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        columns = {column.name: column for column in field.columns}
        for name, inner in value.items():
            column = columns.get(name)
            yield from _texts(inner, column or field, f"{place}·{column.zh if column else name}")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value, 1):
            yield from _texts(inner, field, f"{place}第{number}项")


def _refused(char: str) -> bool:
    """Controls, surrogates and noncharacters: XML has no place for them, and tools drop them in silence."""
    if char in "\n\t":
        return False
    code = ord(char)
    return unicodedata.category(char) in {"Cc", "Cs"} or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def contradictions(
    kind: DocumentType, values: Mapping[str, Any], fields: Sequence[Field], document: str
) -> Iterator[Finding]:
    """Values of one document that can't both be true: dates out of order, an amount beside its product."""
    zh = {f.name: f.zh for f in fields}
    for chain in kind.order:
        known = [(name, values.get(name)) for name in chain]
        said = [(name, day) for name, day in known if isinstance(day, dt.date)]
        for (first, early), (second, late) in itertools.pairwise(said):
            if _before(late, early):
                params = {
                    "document": document,
                    "field": zh[second],
                    "date": words.plain(values[second]),
                    "other": zh[first],
                    "other_date": words.plain(values[first]),
                }
                yield Finding("DATA-ORDER", subject=f"{document}：{zh[second]}", params=params)
    for one in fields:
        if one.kind == "id_no":
            yield from _card(str(values.get(one.name) or ""), values, zh, document)
        for number, row in enumerate(_rows(values.get(one.name)), 1):
            for column in one.columns:
                right = derive.product_of(column, row)
                stated = row.get(column.name)
                if right is not None and stated is not None and right != stated:
                    place = f"{one.zh}第{number}项·{column.zh}"
                    params = {"field": place, "stated": words.money(stated), "product": words.money(right)}
                    yield Finding("DATA-PRODUCT", subject=f"{document}：{place}", params=params)


def _card(number: str, values: Mapping[str, Any], zh: Mapping[str, str], document: str) -> Iterator[Finding]:
    """Birth date and sex stand in an ID number (GB 11643-1999): what is said beside it must agree."""
    holder = words.card_holder(number)
    if holder is None:
        return
    born, sex = values.get("birth_date"), values.get("gender")
    for name, stated, told in (("birth_date", born, holder.born), ("gender", sex, holder.sex)):
        if stated is not None and stated != told and name in zh:
            params = {"field": zh[name], "stated": words.plain(stated), "told": words.plain(told)}
            yield Finding("DATA-ID-DIFFERS", subject=f"{document}：{zh[name]}", params=params)


def _rows(value: Any) -> Sequence[Mapping[str, Any]]:
    rows = value if isinstance(value, list | tuple) else (value,)
    return [row for row in rows if isinstance(row, Mapping)]


def _before(one: dt.date, other: dt.date) -> bool:
    """By the hour where both tell it, else by the day: an order may be given on the day of discovery."""
    if isinstance(one, dt.datetime) and isinstance(other, dt.datetime):
        return one.replace(tzinfo=None) < other.replace(tzinfo=None)
    return _plain_day(one) < _plain_day(other)


def _plain_day(value: dt.date) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value
