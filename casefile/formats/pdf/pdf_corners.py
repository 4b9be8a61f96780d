"""In which corners of finished pages a page number would lie on text or on a picture."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from PIL import Image

from casefile.formats.pdf import pdf_stamp, pdf_text
from casefile.formats.pdf.pdf_stamp import Corner

_DPI, _LONGEST = 50, 900
_FIGURES = 20.0
"""Room for a number of four figures, in points."""
_MARGIN = 2.0
_SHADES = 64
"""Grey levels between paper and ink; a plain sky or the shade of a scan has fewer."""
_DARK = 128
_PAGES = 200
"""Of a longer part the first are looked at; on the others a number keeps its usual corner."""


def crowded(path: Path) -> tuple[tuple[int, str], ...]:
    """Pages, from 1, on which corners are taken, with the names of these corners.

    Raises:
        BadInput: when the file can't be read.
    """
    found = []
    with pdf_text.opened(path) as reader:
        for index in range(min(len(reader), _PAGES)):
            picture = reader.picture(index, dpi=_DPI, longest=_LONGEST, grey=True)
            wide, high = reader.size(index)
            taken = [corner for corner in get_args(Corner) if _taken(picture, wide, high, corner)]
            if taken:
                found.append((index + 1, " ".join(taken)))
    return tuple(found)


def _taken(picture: Image.Image, wide: float, high: float, corner: Corner) -> bool:
    across, up = pdf_stamp.place(wide, high, _FIGURES, corner)
    left, right = across - _MARGIN, across + _FIGURES + _MARGIN
    top, bottom = high - up - pdf_stamp.SIZE, high - up + _MARGIN
    scale = picture.width / wide
    box = (int(left * scale), int(top * scale), round(right * scale) + 1, round(bottom * scale) + 1)
    darkest, lightest = picture.crop(
        (max(box[0], 0), max(box[1], 0), min(box[2], picture.width), min(box[3], picture.height))
    ).getextrema()
    assert isinstance(darkest, int | float) and isinstance(lightest, int | float)
    return lightest - darkest > _SHADES or lightest < _DARK
