"""The last way to get a PDF into a dossier: every page as a picture, with its text lying invisibly behind."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageChops

from casefile.errors import BadInput
from casefile.formats.pdf import pdf_archival, pdf_layer, pdf_text

_DPI = 200
_LONGEST = 5000
_QUALITY = 85
_COLOURLESS = 12


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
        font = pdf_layer.blank_font(pdf)
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
                Contents=pdf.make_stream(drawing + b"\n" + pdf_layer.drawing(_runs(words), "F0")),
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


def _runs(words: Iterable[pdf_text.Word]) -> Iterable[pdf_layer.Run]:
    for word in words:
        left, bottom, right, top = word.box
        if right > left:
            yield pdf_layer.Run(word.text, (left, bottom), (right, bottom), top - bottom)
