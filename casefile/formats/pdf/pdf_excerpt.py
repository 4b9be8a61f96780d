"""A bound file reduced to some of its pages: as they are drawn, stamped numbers and all.

What belongs to the whole file (form, signatures, attachments, names, page labels) stays behind; links and
bookmarks come along where they lead to a page that does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name

_OF_THE_FILE = (
    "/AcroForm", "/AF", "/DSS", "/Names", "/Dests", "/PageLabels", "/Outlines", "/PageMode", "/OpenAction",
    "/Perms", "/Extensions", "/StructTreeRoot", "/MarkInfo", "/ViewerPreferences",
)  # fmt: skip
_DEEPEST = 6
_MOST = 5000


@dataclass(frozen=True, slots=True)
class Mark:
    """A bookmark: page index from 0 in the excerpt."""

    title: str
    page: int
    children: tuple[Mark, ...] = ()


def reduce(pdf: pikepdf.Pdf, sheets: Sequence[int]) -> tuple[Mark, ...]:
    """Leave only the pages ``sheets`` in ``pdf``; returns what bookmarks within items lead to them."""
    pages = [page.obj for page in pdf.pages]
    kept = {pages[sheet].objgen: place for place, sheet in enumerate(sheets)}
    marks = tuple(_marks(pdf, kept))
    wanted = set(sheets)
    for sheet in reversed(range(len(pages))):
        if sheet not in wanted:
            del pdf.pages[sheet]
    for key in _OF_THE_FILE:
        if key in pdf.Root:
            del pdf.Root[key]
    for page in pdf.pages:
        _only_inside(page.obj, kept)
    return marks


def outline(pdf: pikepdf.Pdf, marks: Sequence[Mark]) -> None:
    """Hang bookmarks into ``pdf``."""

    def item(mark: Mark) -> Any:
        made = pikepdf.OutlineItem(mark.title, mark.page, "Fit")
        made.children.extend(item(child) for child in mark.children)
        return made

    with pdf.open_outline() as made:
        made.root.extend(item(mark) for mark in marks)


def _only_inside(page: Any, kept: dict[tuple[int, int], int]) -> None:
    """Take links away that lead to a page which is not here, and fields of a form that isn't either."""
    found = page.get("/Annots")
    if found is None:
        return
    staying = [
        one for one in found.as_list() if one.get("/Subtype") != Name.Widget and _leads_inside(one, kept)
    ]
    if staying:
        page.Annots = Array(staying)
    else:
        del page["/Annots"]


def _leads_inside(annotation: Any, kept: dict[tuple[int, int], int]) -> bool:
    target = _page_of(annotation)
    return target is None or target in kept


def _page_of(holder: Any) -> tuple[int, int] | None:
    """The page to which a link or a bookmark of a bound file leads; None when it leads to none."""
    place = holder.get("/Dest")
    action = holder.get("/A")
    if place is None and isinstance(action, Dictionary) and action.get("/S") == Name.GoTo:
        place = action.get("/D")
    if isinstance(place, Array) and len(place) and isinstance(place[0], Dictionary):
        found: tuple[int, int] = place[0].objgen
        return found
    return None


def _marks(pdf: pikepdf.Pdf, kept: dict[tuple[int, int], int]) -> Iterator[Mark]:
    """Bookmarks within items: below the volume (level 0) and its items (level 1)."""
    root = pdf.Root.get("/Outlines")
    left = [_MOST]

    def level(parent: Any, depth: int) -> Iterator[Mark]:
        item = parent.get("/First")
        while item is not None and depth <= _DEEPEST and left[0] > 0:
            left[0] -= 1
            children = tuple(level(item, depth + 1))
            page = kept.get(_page_of(item) or (0, 0))
            if depth >= 2 and page is not None:
                yield Mark(str(item.get("/Title", "")), page, children)
            else:
                yield from children
            item = item.get("/Next")

    if isinstance(root, Dictionary):
        yield from level(root, 0)
