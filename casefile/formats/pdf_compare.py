"""How far two PDFs look apart, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

from casefile.formats import pdf_text

_DPI = 50
_LONGEST = 900
_FOREIGN_SIZE = 255.0
_CLEARLY_OTHER = 64
_PAPER = 250


@dataclass(frozen=True, slots=True)
class Difference:
    """``mean`` is the worst mean grey difference of a page, 0 to 255; ``share`` of clearly other pixels.

    ``pages`` counts the pages that were compared: all of them, up to the cap. ``blank`` are the numbers of
    those that show nothing.
    """

    mean: float
    share: float
    pages: int
    blank: tuple[int, ...]


def compare(one: Path, other: Path, *, most: int, password: str | None = None) -> Difference:
    """Compare the first ``most`` pages; ``password`` opens ``one``.

    Raises:
        BadInput: when either can't be read.
    """
    mean = share = 0.0
    blank = []
    with pdf_text.opened(one, password) as before, pdf_text.opened(other) as after:
        pages = min(len(before), len(after), most)
        for index in range(pages):
            result = after.picture(index, dpi=_DPI, longest=_LONGEST, grey=True)
            found = difference(before.picture(index, dpi=_DPI, longest=_LONGEST, grey=True), result)
            mean, share = max(mean, found[0]), max(share, found[1])
            if not any(result.histogram()[:_PAPER]):
                blank.append(index + 1)
    return Difference(round(mean, 3), round(share, 4), pages, tuple(blank))


def difference(one: Image.Image, other: Image.Image) -> tuple[float, float]:
    """Mean grey difference and share of clearly other pixels of two pages; 255 when the sizes differ."""
    if abs(one.width - other.width) > 2 or abs(one.height - other.height) > 2:
        return _FOREIGN_SIZE, 1.0
    size = (min(one.width, other.width), min(one.height, other.height))
    distance = ImageChops.difference(one.crop((0, 0, *size)), other.crop((0, 0, *size)))
    clearly = sum(distance.histogram()[_CLEARLY_OTHER + 1 :])
    return float(ImageStat.Stat(distance).mean[0]), clearly / max(1, size[0] * size[1])
