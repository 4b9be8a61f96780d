"""Which sheets a bound file is made of, one by one: pure, no files.

Bookmarks, labels, links, stamps and every list of contents are read off one layout, so they can't disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from casefile.bind.paginate import Leaves, end_of, paginate
from casefile.formats.pdf import pdf_volume as pdf
from casefile.formats.pdf.pdf_stamp import Corner
from casefile.model.document import Part
from casefile.model.dossier import Placement
from casefile.model.terms import Volume

COVER, CATALOGUE, REMARK = "封面", "目录-", "备考"
DIVIDER, EMPTY = "隔页", "空白"
"""What a viewer calls the pages that bear no number: a divider, a blank page."""

_BACK: Mapping[Corner, Corner] = {"top_right": "top_left", "bottom_right": "bottom_left"}
"""Where a number goes on the back of a leaf: to the outer edge there too."""
_OTHER_EDGE: Mapping[Corner, Corner] = {
    "top_right": "bottom_right",
    "bottom_right": "top_right",
    "bottom_center": "bottom_right",
    "top_left": "bottom_left",
    "bottom_left": "top_left",
}
"""Where it goes when it would lie on text or a picture."""


@dataclass(frozen=True, slots=True)
class Book:
    """One file of a volume (册), before its front matter is set: ``number`` from 1 to ``of``.

    ``after`` is the last placement of the book before.
    """

    volume: Volume
    number: int
    of: int
    parts: tuple[Part, ...]
    after: Placement | None = None
    leaves: Leaves = field(default_factory=Leaves)

    def placements(self, front: int = 0) -> tuple[Placement, ...]:
        """Its items behind ``front`` sheets; their numbers don't depend on how many there are."""
        return paginate(self.parts, front, self.leaves, after=self.after)

    @property
    def name(self) -> str:
        """File name without suffix."""
        return self.volume.value if self.of == 1 else f"{self.volume.value}-{self.number}"


@dataclass(frozen=True, slots=True)
class Layout:
    """All sheets of a book. Counts of the pages of its front matter; all places are indices from 0."""

    leaves: Leaves
    cover: int
    rows: int
    remark: int
    placements: tuple[Placement, ...]

    @classmethod
    def of(cls, book: Book, cover: int, rows: int, remark: int) -> Layout:
        """Lay out a book whose front matter is that long."""
        at = book.leaves.front(cover)
        return cls(book.leaves, cover, rows, remark, book.placements(book.leaves.front(at + rows)))

    @property
    def catalogue_at(self) -> int:
        """Where the catalogue begins."""
        return self.leaves.front(self.cover)

    @property
    def remark_at(self) -> int:
        """Where the remark sheet begins."""
        return self.leaves.front(end_of(self.placements))

    @property
    def sheets(self) -> int:
        """How many there are."""
        return self.remark_at + self.remark

    @property
    def divider_at(self) -> int | None:
        """Where the divider lies, if there is one."""
        found = (one for one in self.placements if one.part.id == self.leaves.divider)
        return next((self.leaves.front(one.first_sheet - one.before) for one in found), None)

    def corners(self, one: Placement, corner: Corner) -> tuple[Corner, ...]:
        """For each page of a part the corner of its number: another one where that would lie on something.

        Where no corner is free, as on a photograph that fills the page, it stays where it always stands.
        """
        taken = {page: corners.split() for page, corners in one.part.crowded}
        places = []
        for page, sheet in enumerate(range(one.first_sheet, one.first_sheet + one.part.pages), 1):
            usual = [corner, _OTHER_EDGE[corner]]
            if self.leaves.double_sided and sheet % 2:
                usual = [_BACK.get(place, place) for place in usual]
            places.append(next((place for place in usual if place not in taken.get(page, ())), usual[0]))
        return tuple(places)

    def labels(self) -> list[pdf.Label]:
        """What a viewer calls each page: the number where one is stamped."""
        labels: list[pdf.Label] = []
        before: tuple[str, int | None] | None = None
        for sheet, (prefix, number) in enumerate(self._names()):
            follows = None if number is None else number - 1
            if before != (prefix, follows):
                labels.append(pdf.Label(sheet, prefix, number is not None, number or 1))
            before = (prefix, number)
        return labels

    def pieces(self, own: Mapping[str, Path], items: Sequence[pdf.Piece]) -> list[pdf.Piece]:
        """The files to join. ``own`` are the system pages by label, ``items`` those of the placements."""
        laid: list[pdf.Piece] = []
        at = 0

        def lay(piece: pdf.Piece, place: int) -> None:
            nonlocal at
            laid.extend(pdf.Piece(own[EMPTY], 1) for _ in range(at, place))
            laid.append(piece)
            at = place + piece.pages

        lay(pdf.Piece(own[COVER], self.cover), 0)
        lay(pdf.Piece(own[CATALOGUE], self.rows), self.catalogue_at)
        for one, piece in zip(self.placements, items, strict=True):
            if one.part.id == self.leaves.divider and self.divider_at is not None:
                lay(pdf.Piece(own[DIVIDER], 1), self.divider_at)
            lay(piece, one.first_sheet)
        lay(pdf.Piece(own[REMARK], self.remark), self.remark_at)
        return laid

    def has_empty_sheets(self) -> bool:
        """Whether the binding puts in empty pages, so that what follows begins on a front."""
        own = self.cover + self.rows + self.remark + (self.divider_at is not None)
        return self.sheets > own + sum(one.part.pages for one in self.placements)

    def _names(self) -> list[tuple[str, int | None]]:
        names: list[tuple[str, int | None]] = [(EMPTY, None)] * self.sheets
        for at, name in self._named():
            names[at] = name
        return names

    def _named(self) -> Iterator[tuple[int, tuple[str, int | None]]]:
        for at, prefix, count in (
            (0, COVER, self.cover),
            (self.remark_at, REMARK, self.remark),
        ):
            for page in range(count):
                yield at + page, (prefix, page + 1 if count > 1 else None)
        for page in range(self.rows):
            yield self.catalogue_at + page, (CATALOGUE, page + 1)
        if self.divider_at is not None:
            yield self.divider_at, (DIVIDER, None)
        for one in self.placements:
            for sheet, number in enumerate(one.numbers, one.first_sheet):
                if number is not None:
                    yield sheet, ("", number)
