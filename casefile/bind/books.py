"""Where a volume that is too thick or too large for one book is cut (分册): pure, no files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from casefile.model.document import Part


@dataclass(frozen=True, slots=True)
class Limits:
    """What one book holds at most; None where it doesn't matter. Pages are those of the parts, blank ones
    too: they take room on the shelf.
    """

    pages: int | None = None
    size: int | None = None

    def exceeded(self, pages: int, size: int) -> bool:
        """Whether a book of ``pages`` pages and ``size`` bytes is too much."""
        too_thick = self.pages is not None and pages > self.pages
        too_large = self.size is not None and size > self.size
        return too_thick or too_large


def divide(
    parts: Sequence[Part], behind: Collection[str], limits: Limits, size: Callable[[Part], int]
) -> tuple[tuple[Part, ...], ...]:
    """The books of a volume, in order.

    A book ends where the next document with all that belongs to it wouldn't fit any more. ``behind`` holds
    the ids of the parts that belong to the one before, such as a service receipt. What belongs together is
    parted only when it is too much for any book; a single part never is, however large.
    """
    books: list[list[Part]] = [[]]
    pages = total = 0
    for group in _groups(parts, behind):
        sizes = [size(part) for part in group]
        thick = pages + sum(part.pages for part in group)
        if books[-1] and limits.exceeded(thick, total + sum(sizes)):
            books.append([])
            pages = total = 0
        for part, own in zip(group, sizes, strict=True):
            if books[-1] and limits.exceeded(pages + part.pages, total + own):
                books.append([])
                pages = total = 0
            books[-1].append(part)
            pages, total = pages + part.pages, total + own
    return tuple(tuple(book) for book in books)


def oversize(part: Part, limits: Limits, size: int) -> bool:
    """Whether a part alone is more than a book should hold."""
    return limits.exceeded(part.pages, size)


def _groups(parts: Sequence[Part], behind: Collection[str]) -> list[list[Part]]:
    groups: list[list[Part]] = []
    for part in parts:
        if part.id in behind and groups:
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups
