"""Font programs inside a PDF, opened so that their glyphs can be drawn into a program without faults."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fontTools import agl
from fontTools.cffLib import CFFFontSet
from fontTools.encodings.MacRoman import MacRoman
from fontTools.encodings.StandardEncoding import StandardEncoding
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.t1Lib import T1Font
from fontTools.ttLib import TTFont
from pikepdf import Dictionary, Stream

_MOST_BYTES = 40_000_000
_ZEROS = b"0" * 64
NOTDEF = ".notdef"


@dataclass
class Program:
    """One embedded program. Measures are in thousandths of the em.

    ``glyphs`` draws by glyph name, ``order`` gives the name of a place, ``encoding`` is the built-in one.
    """

    name: str
    scale: float
    glyphs: Mapping[str, Any]
    order: tuple[str, ...]
    encoding: Mapping[int, str] = field(default_factory=dict)
    cid_keyed: bool = False
    tables: TTFont | None = None

    def width(self, glyph: str) -> float:
        """Advance of a glyph."""
        return float(getattr(self.glyphs[glyph], "width", 0) or 0) * self.scale

    def outline(self, glyph: str) -> DecomposingRecordingPen:
        """Its outline in the program's own units."""
        pen = DecomposingRecordingPen(self.glyphs)
        self.glyphs[glyph].draw(pen)
        return pen

    def by_name(self, name: str) -> str | None:
        """A glyph by the name that an encoding gives it."""
        return name if name in self.glyphs and name != NOTDEF else None

    def by_code(self, code: int, name: str, symbolic: bool) -> str | None:
        """The glyph of a TrueType program for a code (ISO 32000-1, 9.6.6.4); ``name`` may be empty."""
        tables = self.tables
        if tables is None or "cmap" not in tables:
            return self.by_name(name)
        cmap = tables["cmap"]
        maps = {(table.platformID, table.platEncID): table.cmap for table in cmap.tables}
        unicode_map = maps.get((3, 1)) or maps.get((0, 3)) or maps.get((0, 1)) or {}
        symbol, mac = maps.get((3, 0), {}), maps.get((1, 0), {})
        by_code = [symbol.get(prefix + code) for prefix in (0xF000, 0, 0xF100, 0xF200)] + [mac.get(code)]
        text = agl.toUnicode(name) if name else ""
        by_name = [
            unicode_map.get(ord(text)) if len(text) == 1 else None,
            mac.get(_MAC_CODES[name]) if name in _MAC_CODES else None,
            self.by_name(name),
        ]
        ways = [*by_code, *by_name] if symbolic or not name else [*by_name, *by_code]
        return next((glyph for glyph in ways if glyph and glyph != NOTDEF and glyph in self.glyphs), None)


_MAC_CODES = {name: code for code, name in reversed(list(enumerate(MacRoman)))}


def opened(descriptor: Any) -> Program | None:
    """The program that a font descriptor points to; None when it has none that can be read.

    Raises whatever the reader of the format makes of a broken program.
    """
    if not isinstance(descriptor, Dictionary):
        return None
    for key in ("/FontFile2", "/FontFile3", "/FontFile"):
        stream = descriptor.get(key)
        if isinstance(stream, Stream):
            data = stream.read_bytes()
            if len(data) > _MOST_BYTES:
                return None
            if data[:4] in (b"\0\1\0\0", b"true", b"OTTO", b"ttcf"):
                return _sfnt(data)
            return _type1(data) if key == "/FontFile" and data[:1] != b"\1" else _cff(data)
    return None


def _sfnt(data: bytes) -> Program | None:
    font = TTFont(io.BytesIO(data), lazy=True, fontNumber=0)
    if "CFF " in font and "glyf" not in font:
        return _cff(font.getTableData("CFF "))
    if "post" in font:
        # Subsets often carry a broken table of names, and glyphs are found by their place anyway.
        try:
            font.getGlyphOrder()
        except Exception:
            del font["post"]
    order = font.getGlyphOrder()
    return Program(
        name="",
        scale=1000 / (int(font["head"].unitsPerEm) or 1000),
        glyphs=font.getGlyphSet(),
        order=tuple(order),
        tables=font,
    )


def _cff(data: bytes) -> Program:
    fonts = CFFFontSet()
    fonts.decompile(io.BytesIO(data), None, isCFF2=False)
    top = fonts[0]
    order = tuple(top.getGlyphOrder())
    matrix = getattr(top, "FontMatrix", [0.001])
    encoding: dict[int, str] = {}
    if not hasattr(top, "ROS"):
        told = top.Encoding
        names = StandardEncoding if isinstance(told, str) else told
        encoding = {code: name for code, name in enumerate(names) if name != NOTDEF}
    strings = top.CharStrings
    glyphs = {}
    for name in order:
        glyphs[name] = _CffGlyph(strings, name)
    return Program(
        name="",
        scale=1000 * float(matrix[0] or 0.001),
        glyphs=glyphs,
        order=order,
        encoding=encoding,
        cid_keyed=hasattr(top, "ROS"),
    )


@dataclass(slots=True)
class _CffGlyph:
    """A charstring knows its width only after it was drawn."""

    strings: Any
    name: str

    @property
    def width(self) -> float:
        glyph = self.strings[self.name]
        if getattr(glyph, "width", None) is None:
            glyph.draw(DecomposingRecordingPen({}))
        return float(glyph.width)

    def draw(self, pen: Any) -> None:
        self.strings[self.name].draw(pen)


def _type1(data: bytes) -> Program:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "font"
        # Many programs leave out the zeros at the end, by which fontTools finds the encrypted part.
        path.write_bytes(data if _ZEROS in data else data + (b"\n" + _ZEROS) * 8 + b"\ncleartomark\n")
        font = T1Font(path, kind="OTHER")
        font.parse()
    glyphs = font.getGlyphSet()
    told = font.font.get("Encoding", ())
    names = StandardEncoding if told == "StandardEncoding" or isinstance(told, str) else told
    matrix = font.font.get("FontMatrix", [0.001])
    return Program(
        name="",
        scale=1000 * float(matrix[0] or 0.001),
        glyphs=glyphs,
        order=tuple(glyphs),
        encoding={code: name for code, name in enumerate(names) if name != NOTDEF},
    )
