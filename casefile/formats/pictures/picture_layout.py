"""Where a picture stands on its sheet: A4 in the direction of the picture, in the middle, upright.

A scan keeps its own size; anything else is as large as it is sharp. A long picture, such as a chat taken as
one screenshot, goes over several sheets: fitted to one it would be a strip that nobody can read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

A4 = (210 / 25.4 * 72, 297 / 25.4 * 72)
MARGIN = 12 / 25.4 * 72
"""Free on all four sides, so that the page number stamped in the corner stands on white."""

OVERLAP = 12 / 25.4 * 72
"""What two sheets of a long picture share, so that a line of text cut on one is whole on the other."""

_FEWEST_DOTS = 100
_SCANNED = 150
_MOST_DOTS = 10_000
_LONG = 3.0
_READABLE = 0.7
_HOLDS_TEXT = 36.0
_MOST_SHEETS = 200

Box = tuple[float, float, float, float]
"""Left, bottom, width, height in points."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page: its size, the box of the whole picture and the part of the page in which it shows.

    Only of a long picture does ``picture`` reach beyond ``window``.
    """

    size: tuple[float, float]
    picture: Box
    window: Box


def sheets(width: int, height: int, dpi: tuple[float, float] | None) -> tuple[Sheet, ...]:
    """The pages of a picture of so many pixels, seen upright; ``dpi`` when the file tells any."""
    page = (max(A4), min(A4)) if width > height else (min(A4), max(A4))
    room = (page[0] - 2 * MARGIN, page[1] - 2 * MARGIN)
    known = dpi is not None and min(dpi) >= _SCANNED and max(dpi) <= _MOST_DOTS
    across, down = dpi if known and dpi is not None else (_FEWEST_DOTS, _FEWEST_DOTS)
    size = (width * 72 / across, height * 72 / down)
    wide = min(1.0, room[0] / size[0])
    whole = min(wide, room[1] / size[1])
    if size[0] * wide >= _HOLDS_TEXT and size[1] > _LONG * size[0] and whole < _READABLE * wide:
        cut = _cut(page, size[0] * wide, size[1] * wide)
        if cut:
            return cut
    shown = (size[0] * whole, size[1] * whole)
    box = ((page[0] - shown[0]) / 2, (page[1] - shown[1]) / 2, *shown)
    return (Sheet(page, box, box),)


def _cut(page: tuple[float, float], width: float, height: float) -> tuple[Sheet, ...]:
    room = page[1] - 2 * MARGIN
    step = room - OVERLAP
    count = math.ceil((height - OVERLAP) / step)
    if count > _MOST_SHEETS:
        return ()
    left, top = (page[0] - width) / 2, page[1] - MARGIN
    cut = []
    for number in range(count):
        above = number * step
        shown = min(room, height - above)
        cut.append(
            Sheet(page, (left, top + above - height, width, height), (left, top - shown, width, shown))
        )
    return tuple(cut)


def matrix(box: Box, orientation: int) -> tuple[float, float, float, float, float, float]:
    """The PDF matrix that draws an image into ``box`` as its EXIF ``orientation`` (1 to 8) means it.

    JEITA CP-3451, tag 274: which side of the scene the first row and the first column of pixels are.
    """
    x, y, w, h = box
    return {
        1: (w, 0, 0, h, x, y),
        2: (-w, 0, 0, h, x + w, y),
        3: (-w, 0, 0, -h, x + w, y + h),
        4: (w, 0, 0, -h, x, y + h),
        5: (0, -h, -w, 0, x + w, y + h),
        6: (0, -h, w, 0, x, y + h),
        7: (0, h, w, 0, x, y),
        8: (0, h, -w, 0, x + w, y),
    }[orientation]
