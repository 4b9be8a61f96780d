"""Data is checked before it is filled in: what no font draws or no file may hold is named with its field."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from casefile.model.catalogue import Field
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
