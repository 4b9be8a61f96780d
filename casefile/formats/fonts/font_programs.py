"""Font programs that are written into a PDF, with the dictionaries around them."""

from __future__ import annotations

import enum
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pikepdf
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.boundsPen import ControlBoundsPen
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from pikepdf import Array, Dictionary, Name

TAG = "CASEFL+"
"""Before the name of every font that is written here."""

SAFE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._]{0,30}")
"""Names of glyphs that every reader takes."""


class Source(Protocol):
    """Where outlines come from."""

    @property
    def scale(self) -> float:
        """Thousandths of the em for one of its units."""

    def width(self, glyph: str) -> float:
        """Advance of a glyph in thousandths of the em."""

    def outline(self, glyph: str) -> DecomposingRecordingPen:
        """A glyph in units of the source."""


Drawn = tuple[Source | None, str, float]
"""A glyph to be drawn: where from, its name there, and the width of its place; None draws nothing."""


class Fit(enum.Enum):
    """What becomes of a glyph whose own width is not that of its place.

    ``PRESSED``: a wider one is pressed together. ``CENTRED``: and a narrower one stands in the middle.
    """

    AS_IT_IS = enum.auto()
    PRESSED = enum.auto()
    CENTRED = enum.auto()


@dataclass(slots=True)
class Glyphs:
    """Glyphs of a font that is being made: by name, the source, its glyph and the width to fill."""

    made: dict[str, Drawn] = field(default_factory=dict)

    def add(self, name: str, source: Source | None, glyph: str, width: float) -> str:
        """Add one; the answer is its name, which is another when that one is taken by another glyph."""
        entry = (source, glyph, round(width))
        number = 0
        free = name
        while self.made.setdefault(free, entry) != entry:
            number += 1
            free = f"{name}.{number}"
        return free


def _fitted(source: Source, glyph: str, width: float, fit: Fit) -> tuple[float, float]:
    """Horizontal scale and shift, in thousandths of the em, that put a glyph into its place."""
    natural = source.width(glyph)
    if fit is Fit.AS_IT_IS or width <= 0 or natural <= 0 or abs(width - natural) <= 1:
        return 1.0, 0.0
    if width < natural:
        return width / natural, 0.0
    return 1.0, (width - natural) / 2 if fit is Fit.CENTRED else 0.0


def compact(name: str, glyphs: Mapping[str, Drawn], fit: Fit) -> bytes:
    """A bare CFF table, which bears no date."""
    drawn = {}
    order = [".notdef", *(one for one in glyphs if one != ".notdef")]
    for one in order:
        source, glyph, width = glyphs.get(one, (None, "", 0))
        pen = T2CharStringPen(round(width), None)
        if source is not None:
            scale, shift = _fitted(source, glyph, width, fit)
            place = (source.scale * scale, 0, 0, source.scale, shift, 0)
            source.outline(glyph).replay(TransformPen(pen, place))
        drawn[one] = pen.getCharString()
    builder = FontBuilder(1000, isTTF=False)
    builder.setupGlyphOrder(order)
    builder.setupCFF(TAG + name, {"FullName": name}, drawn, {})
    table = builder.font["CFF "]
    data: bytes = table.compile(builder.font)
    return data


def outlines(name: str, glyphs: Mapping[int, Drawn], fit: Fit) -> tuple[bytes, dict[int, int]]:
    """A TrueType font and the place in it of each glyph number."""
    order, shapes, metrics, places = [".notdef"], {}, {}, {}
    shapes[".notdef"] = TTGlyphPen(None).glyph()
    metrics[".notdef"] = (1000, 0)
    for cid, (source, glyph, width) in sorted(glyphs.items()):
        own = f"cid{cid:05d}"
        pen = TTGlyphPen(None)
        left = 0.0
        if source is not None:
            scale, shift = _fitted(source, glyph, width, fit)
            record = source.outline(glyph)
            place = (source.scale * scale, 0, 0, source.scale, shift, 0)
            record.replay(TransformPen(Cu2QuPen(pen, 1.0), place))
            bounds = ControlBoundsPen(None)
            record.replay(TransformPen(bounds, place))
            left = bounds.bounds[0] if bounds.bounds else 0.0
        shapes[own] = pen.glyph()
        metrics[own] = (round(width), round(left))
        places[cid] = len(order)
        order.append(own)
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap({})
    builder.setupGlyf(shapes)
    builder.setupHorizontalMetrics(metrics)
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable({"familyName": name, "styleName": "Regular", "psName": TAG + name})
    builder.setupOS2()
    builder.setupPost(keepGlyphNames=False)
    builder.updateHead(created=0, modified=0)
    # fontTools writes the time of day into the head table unless told not to.
    builder.font.recalcTimestamp = False
    out = io.BytesIO()
    builder.save(out)
    return out.getvalue(), places


def _descriptor(pdf: pikepdf.Pdf, name: str, flags: int) -> Any:
    return pdf.make_indirect(
        Dictionary(
            Type=Name.FontDescriptor,
            FontName=Name("/" + TAG + name),
            Flags=flags,
            FontBBox=Array([-300, -300, 1300, 1100]),
            ItalicAngle=0,
            Ascent=880,
            Descent=-120,
            CapHeight=730,
            StemV=80,
        )
    )


def write_simple(
    pdf: pikepdf.Pdf,
    font: Any,
    program: bytes,
    name: str,
    used: Mapping[int, str],
    widths: Mapping[int, float],
    *,
    symbolic: bool,
) -> None:
    """Turn ``font`` into one whose codes are the glyphs ``used`` of a program from :func:`compact`."""
    descriptor = _descriptor(pdf, name, 4 if symbolic else 32)
    descriptor.FontFile3 = pdf.make_stream(program, Subtype=Name.Type1C)
    for key in ("/FontDescriptor", "/Widths", "/FirstChar", "/LastChar", "/Encoding", "/Name"):
        if key in font:
            del font[key]
    first, last = min(widths, default=0), max(widths, default=0)
    font.Type = Name.Font
    font.Subtype = Name.Type1
    font.BaseFont = descriptor.FontName
    font.FirstChar, font.LastChar = first, last
    font.Widths = Array([number(widths.get(code, 0)) for code in range(first, last + 1)])
    differences: list[Any] = []
    for code in sorted(used):
        if code - 1 not in used:
            differences.append(code)
        differences.append(Name("/" + used[code]))
    font.Encoding = Dictionary(Type=Name.Encoding, Differences=Array(differences))
    font.FontDescriptor = descriptor


def write_wide(
    pdf: pikepdf.Pdf,
    font: Any,
    program: bytes,
    name: str,
    places: Mapping[int, int],
    collection: tuple[str, int],
) -> None:
    """Turn the descendant of ``font`` into one with a program from :func:`outlines`."""
    below = font.DescendantFonts[0]
    descriptor = _descriptor(pdf, name, 4)
    descriptor.FontFile2 = pdf.make_stream(program, Length1=len(program))
    table = bytearray(2 * (max(places) + 1))
    for cid, place in places.items():
        table[2 * cid : 2 * cid + 2] = place.to_bytes(2, "big")
    below.Type, below.Subtype = Name.Font, Name.CIDFontType2
    below.CIDToGIDMap = pdf.make_stream(bytes(table))
    below.FontDescriptor = descriptor
    below.BaseFont = font.BaseFont = descriptor.FontName
    ordering, supplement = collection
    below.CIDSystemInfo = Dictionary(
        Registry=pikepdf.String("Adobe"), Ordering=pikepdf.String(ordering), Supplement=supplement
    )


def number(width: float) -> int | float:
    """A width as it is written."""
    return int(width) if float(width).is_integer() else round(float(width), 3)


def unicode_map(meaning: Mapping[int, str]) -> bytes:
    """A ToUnicode table for glyph numbers that are two-byte codes."""
    lines = [
        f"<{cid:04X}> <{char.encode('utf-16-be').hex().upper()}>"
        for cid, char in sorted(meaning.items())
        if char
    ]
    blocks = [lines[at : at + 100] for at in range(0, len(lines), 100)]
    body = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        f"{body}\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
    ).encode()


def code_map(pdf: pikepdf.Pdf, codes: Mapping[bytes, int]) -> Any:
    """A CMap that maps these codes to these glyph numbers."""
    lengths = sorted({len(code) for code in codes})
    spaces = "\n".join(f"<{'00' * size}> <{'FF' * size}>" for size in lengths)
    lines = [f"<{code.hex().upper()}> {cid}" for code, cid in sorted(codes.items())]
    blocks = [lines[at : at + 100] for at in range(0, len(lines), 100)]
    body = "\n".join(f"{len(b)} begincidchar\n" + "\n".join(b) + "\nendcidchar" for b in blocks)
    text = (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo 3 dict dup begin /Registry (Adobe) def /Ordering (Identity) def "
        "/Supplement 0 def end def\n"
        "/CMapName /CASEFL-Codes def\n/CMapVersion 1 def\n/CMapType 1 def\n/WMode 0 def\n"
        f"{len(lengths)} begincodespacerange\n{spaces}\nendcodespacerange\n"
        f"{body}\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
    )
    return pdf.make_stream(
        text.encode(),
        Type=Name.CMap,
        CMapName=Name("/CASEFL-Codes"),
        WMode=0,
        CIDSystemInfo=Dictionary(
            Registry=pikepdf.String("Adobe"), Ordering=pikepdf.String("Identity"), Supplement=0
        ),
    )
