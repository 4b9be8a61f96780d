"""Text that lies on a page without being seen, so that a picture of text can be searched and copied."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pikepdf
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from pikepdf import Array, Dictionary, Name

from casefile.formats.pdf import pdf_archival

_FONT_UNITS = 1000
_ADVANCE = 500


@dataclass(frozen=True, slots=True)
class Run:
    """A run of text: where it starts and ends, and its height; in points of the unturned page."""

    text: str
    start: tuple[float, float]
    end: tuple[float, float]
    height: float


def drawing(runs: Iterable[Run], font: str) -> bytes:
    """The operators that lay the runs on a page whose resources know ``font``; empty without text."""
    out = [b"BT 3 Tr 0 Tc 0 Tw 0 Ts"]
    for run in runs:
        # A lone surrogate or U+FFFE has no place in a ToUnicode map.
        text = "".join(c for c in run.text if ord(c) < 0xFFFE and not 0xD800 <= ord(c) < 0xE000 and c != "\0")
        across, up = run.end[0] - run.start[0], run.end[1] - run.start[1]
        length = math.hypot(across, up)
        if not text or not 0 < run.height <= pdf_archival.LARGEST_SIDE or length <= 0:
            continue
        natural = len(text) * run.height * _ADVANCE / _FONT_UNITS
        stretch = min(max(100 * length / natural, 1), 1000)
        cosine, sine = across / length, up / length
        codes = text.encode("utf-16-be").hex()
        out.append(
            f"/{font} {run.height:.2f} Tf {stretch:.1f} Tz "
            f"{cosine:.5g} {sine:.5g} {-sine:.5g} {cosine:.5g} {run.start[0]:.2f} {run.start[1]:.2f} Tm "
            f"<{codes}> Tj".encode()
        )
    out.append(b"ET")
    return b"\n".join(out) if len(out) > 2 else b""


def blank_font(pdf: pikepdf.Pdf) -> Any:
    """A font for all of Unicode's first plane in which every character is empty."""
    unicode_map = b"""/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
1 beginbfrange
<0000> <FFFF> <0000>
endbfrange
endcmap
CMapName currentdict /CMap defineresource pop
end
end"""
    program = _blank_font_program()
    descriptor = pdf.make_indirect(
        Dictionary(
            Type=Name.FontDescriptor,
            FontName=Name("/CASEFL+Blank"),
            Flags=5,
            FontBBox=Array([0, 0, _ADVANCE, _FONT_UNITS]),
            ItalicAngle=0,
            Ascent=_FONT_UNITS,
            Descent=0,
            CapHeight=_FONT_UNITS,
            StemV=80,
            FontFile2=pdf.make_stream(program, Length1=len(program)),
        )
    )
    descendant = pdf.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.CIDFontType2,
            BaseFont=Name("/CASEFL+Blank"),
            CIDSystemInfo=Dictionary(
                Registry=pikepdf.String("Adobe"), Ordering=pikepdf.String("Identity"), Supplement=0
            ),
            FontDescriptor=descriptor,
            DW=_ADVANCE,
            CIDToGIDMap=pdf.make_stream(b"\x00\x01" * 65536),
        )
    )
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            BaseFont=Name("/CASEFL+Blank"),
            Encoding=Name("/Identity-H"),
            DescendantFonts=Array([descendant]),
            ToUnicode=pdf.make_stream(unicode_map),
        )
    )


@cache
def _blank_font_program() -> bytes:
    builder = FontBuilder(_FONT_UNITS, isTTF=True)
    builder.setupGlyphOrder([".notdef", "blank"])
    builder.setupCharacterMap({0x20: "blank"})
    empty = TTGlyphPen(None).glyph()
    # PDFium leaves out text without extent, so the glyph has a height: a stroke there and back, of no area.
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((_ADVANCE, _FONT_UNITS))
    pen.closePath()
    builder.setupGlyf({".notdef": empty, "blank": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (_ADVANCE, 0), "blank": (_ADVANCE, 0)})
    builder.setupHorizontalHeader(ascent=_FONT_UNITS, descent=0)
    builder.setupNameTable({"familyName": "Blank", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost(isFixedPitch=1)
    builder.updateHead(created=0, modified=0)
    # fontTools writes the time of day into the head table unless told not to.
    builder.font.recalcTimestamp = False
    out = io.BytesIO()
    builder.save(out)
    return out.getvalue()
