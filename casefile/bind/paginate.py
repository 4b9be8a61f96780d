"""Page numbers of a volume (页号): pure arithmetic.

Numbers run from 1 to the last page without gap or repetition; cover, catalogue and remark sheet bear none.
A number depends on the parts only, so the catalogue is set once, with final numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

from casefile.model.document import Part
from casefile.model.dossier import PageRange, Placement


def paginate(parts: Sequence[Part], front: int = 0) -> tuple[Placement, ...]:
    """Give every part its sequence number, its stamped pages and its place behind ``front`` sheets."""
    placements = []
    last = 0
    for seq, part in enumerate(parts, 1):
        pages = PageRange(last + 1, last + part.pages)
        placements.append(Placement(seq, part, pages, front + last))
        last = pages.last
    return tuple(placements)
