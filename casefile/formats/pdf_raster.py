"""The last way to get a PDF into a dossier: every page as a picture, with its text lying invisibly behind."""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pikepdf
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageChops

from casefile.errors import BadInput
from casefile.formats import pdf_archival, pdf_text

_DPI = 200
_LONGEST = 5000
_QUALITY = 85
_COLOURLESS = 12
_FONT_UNITS = 1000
_ADVANCE = 500


def rasterise(source: Path, target: Path, *, most: int, password: str = "") -> None:
    """Draw the pages of ``source`` into ``target``, a PDF/A-3b.

    Raises:
        BadInput: PDF-LOCKED, PDF-UNREADABLE, PDF-NO-PAGES, PDF-PAGE-SIZE; PDF-TOO-LONG above ``most`` pages.
    """
    with pdf_text.opened(source, password or None) as reader, pikepdf.new() as pdf:
        if not len(reader):
            raise BadInput("PDF-NO-PAGES", subject=source.name)
        if len(reader) > most:
            raise BadInput("PDF-TOO-LONG", subject=source.name, pages=len(reader), most=most)
        font = _blank_font(pdf)
        for index in range(len(reader)):
            width, height = reader.size(index)
            sides = (width, height)
            if not (min(sides) >= pdf_archival.SMALLEST_SIDE and max(sides) <= pdf_archival.LARGEST_SIDE):
                raise BadInput("PDF-PAGE-SIZE", subject=source.name, page=index + 1)
            image = _image(pdf, reader.picture(index, dpi=_DPI, longest=_LONGEST))
            drawing = f"q {width:.3f} 0 0 {height:.3f} 0 0 cm /Im0 Do Q".encode()
            # The boxes of the text are those of the unturned page, so a turned one goes without.
            words = reader.words(index) if reader.rotation(index) == 0 else ()
            page = Dictionary(
                Type=Name.Page,
                MediaBox=Array([0, 0, round(width, 3), round(height, 3)]),
                Contents=pdf.make_stream(drawing + _layer(words)),
                Resources=Dictionary(XObject=Dictionary(Im0=image), Font=Dictionary(F0=font)),
            )
            pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
        pdf_archival.save_archival(pdf, target)


def _image(pdf: pikepdf.Pdf, page: Image.Image) -> Any:
    red, green, blue = page.split()
    spread = max(_largest(ImageChops.difference(red, green)), _largest(ImageChops.difference(green, blue)))
    colourless = spread < _COLOURLESS
    out = io.BytesIO()
    (green if colourless else page).save(out, "JPEG", quality=_QUALITY, optimize=False)
    return pdf.make_stream(
        out.getvalue(),
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=page.width,
        Height=page.height,
        BitsPerComponent=8,
        ColorSpace=Name.DeviceGray if colourless else Name.DeviceRGB,
        Filter=Name.DCTDecode,
    )


def _largest(channel: Image.Image) -> int:
    histogram = channel.histogram()
    return max(level for level, count in enumerate(histogram) if count)


def _layer(words: Iterable[pdf_text.Word]) -> bytes:
    out = [b"\nBT 3 Tr"]
    for word in words:
        left, bottom, right, top = word.box
        # A lone surrogate or U+FFFE has no place in a ToUnicode map.
        text = "".join(
            c for c in word.text if ord(c) < 0xFFFE and not 0xD800 <= ord(c) < 0xE000 and c != "\0"
        )
        size = top - bottom
        if not text or size <= 0 or right <= left or size > pdf_archival.LARGEST_SIDE:
            continue
        natural = len(text) * size * _ADVANCE / _FONT_UNITS
        stretch = min(max(100 * (right - left) / natural, 1), 1000)
        codes = text.encode("utf-16-be").hex()
        out.append(
            f"/F0 {size:.2f} Tf {stretch:.1f} Tz 1 0 0 1 {left:.2f} {bottom:.2f} Tm <{codes}> Tj".encode()
        )
    out.append(b"ET")
    return b"\n".join(out) if len(out) > 2 else b""


def _blank_font(pdf: pikepdf.Pdf) -> Any:
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
    builder.setupGlyf({".notdef": empty, "blank": empty})
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
