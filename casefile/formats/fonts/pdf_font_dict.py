"""What the dictionary of a font says: widths, encoding, meaning of codes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pikepdf
from fontTools import agl
from fontTools.encodings.MacRoman import MacRoman
from fontTools.encodings.StandardEncoding import StandardEncoding
from pikepdf import Array, Dictionary, Name

from casefile.formats.fonts import cmaps

WIDEST = 20_000
"""No glyph may be wider, in thousandths of the em."""

_SIMPLE = ("/Type1", "/MMType1", "/TrueType")
_ODD = (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, IndexError)


def is_simple(font: Any) -> bool:
    """True when one byte shows one glyph, and that out of a font program."""
    return str(font.get("/Subtype")) in _SIMPLE


def cmap(font: Any) -> cmaps.CMap | None:
    """The table that cuts strings of a composite font into codes and maps these to glyph numbers."""
    told = font.get("/Encoding")
    if not isinstance(told, pikepdf.Stream):
        return cmaps.predefined(str(told).lstrip("/"))
    table = cmaps.embedded(told.read_bytes())
    used = told.get("/UseCMap")
    if isinstance(used, pikepdf.Name) and not table.spaces:
        return cmaps.predefined(str(used).lstrip("/")) or table
    return table


def widths(font: Any) -> dict[int, float]:
    """Width of each code of a simple font; empty when the file leaves them to the reader."""
    told = font.get("/Widths")
    if not isinstance(told, Array):
        return {}
    first = int(font.get("/FirstChar", 0))
    found = {}
    for code, width in enumerate(list(told)[:256], first):
        if 0 <= code < 256:
            found[code] = min(max(float(width), 0.0), WIDEST)
    return found if any(found.values()) else {}


def missing_width(font: Any) -> float:
    """Width of the codes of a simple font that have none of their own."""
    descriptor = font.get("/FontDescriptor")
    found = descriptor.get("/MissingWidth", 0) if isinstance(descriptor, Dictionary) else 0
    return min(max(float(found), 0.0), WIDEST)


_WIN_ANSI = {
    code: agl.UV2AGL.get(ord(bytes((code,)).decode("cp1252", "ignore") or "\u2022"), "bullet")
    for code in range(32, 256)
} | {0xA0: "space", 0xAD: "hyphen", 0x7F: "bullet"}
_BASES: Mapping[str, Mapping[int, str]] = {
    "/WinAnsiEncoding": _WIN_ANSI,
    "/MacRomanEncoding": dict(enumerate(MacRoman)) | {0xCA: "space"},
    "/StandardEncoding": dict(enumerate(StandardEncoding)),
}


def encoding(font: Any, own: Mapping[int, str] = MappingProxyType({})) -> dict[int, str]:
    """The glyph name of each code of a simple font (ISO 32000-1, 9.6.6); ``own`` is that of the program."""
    told = font.get("/Encoding")
    base = told.get("/BaseEncoding") if isinstance(told, Dictionary) else told
    if str(base) in _BASES:
        names = dict(_BASES[str(base)])
    elif own:
        names = dict(own)
    elif font.get("/Subtype") == Name.TrueType:
        names = dict(_WIN_ANSI)
    else:
        names = dict(_BASES["/StandardEncoding"])
    names = {code: name for code, name in names.items() if name != ".notdef"}
    differences = told.get("/Differences") if isinstance(told, Dictionary) else None
    code = 0
    for item in differences if isinstance(differences, Array) else ():
        if isinstance(item, pikepdf.Name):
            if 0 <= code < 256:
                names[code] = str(item).lstrip("/")
            code += 1
        else:
            code = int(item)
    return names


def texts(font: Any) -> dict[bytes, str]:
    """What the file says that a code means; empty when it says nothing."""
    stream = font.get("/ToUnicode")
    if not isinstance(stream, pikepdf.Stream):
        return {}
    try:
        parsed = cmaps.embedded(stream.read_bytes())
    except _ODD:
        return {}
    return {code: text.decode("utf-16-be", "ignore") for code, text in parsed.texts.items()}


def wide_widths(below: Any) -> tuple[dict[int, float], float]:
    """Widths by glyph number, and that of all others (ISO 32000-1, 9.7.4.3)."""
    default = float(below.get("/DW", 1000))
    found: dict[int, float] = {}
    items = list(below.get("/W", Array()))
    at = 0
    while at + 1 < len(items):
        first, second = int(items[at]), items[at + 1]
        if isinstance(second, Array):
            found |= {first + step: float(width) for step, width in enumerate(second)}
            at += 2
        elif at + 2 < len(items):
            found |= dict.fromkeys(range(first, min(int(second), 0xFFFF) + 1), float(items[at + 2]))
            at += 3
        else:
            break
    return found, default
