"""Page numbers of a volume (页号): pure arithmetic.

Numbers run from 1 to the last page without gap or repetition, through all books of the volume; cover,
catalogue and remark sheet bear none, nor does a page on which nothing is to be seen. A number depends on the
parts only, so the catalogue is set once, with final numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casefile.model.document import Part
from casefile.model.dossier import PageRange, Placement, unnumbered


@dataclass(frozen=True, slots=True)
class Leaves:
    """How the sheets of one book lie.

    ``double_sided``: each item begins on a front, that is, on an even index. ``divider`` is the id of the
    part in front of which a divider (隔页) lies; empty when there is none.
    """

    double_sided: bool = False
    divider: str = ""

    def front(self, sheet: int) -> int:
        """The first sheet from ``sheet`` on at which something may begin."""
        return sheet + sheet % 2 if self.double_sided else sheet


def paginate(
    parts: Sequence[Part],
    front: int = 0,
    leaves: Leaves | None = None,
    *,
    after: Placement | None = None,
) -> tuple[Placement, ...]:
    """Give every part its sequence number, its stamped pages and its place behind ``front`` sheets.

    ``after`` is the last placement of the book before: sequence and numbers run on from there.
    """
    leaves = leaves or Leaves()
    placements = []
    seq, last = (after.seq, after.pages.last) if after else (0, 0)
    end = front
    for part in parts:
        seq += 1
        pages = PageRange(last + 1, last + part.pages - len(unnumbered(part)))
        first = leaves.front(end)
        if part.id == leaves.divider:
            first = leaves.front(first + 1)
        placements.append(Placement(seq, part, pages, first, first - end))
        last = pages.last
        end = first + part.pages
    return tuple(placements)


def end_of(placements: Sequence[Placement]) -> int:
    """The sheet right behind the last item."""
    return placements[-1].first_sheet + placements[-1].part.pages
