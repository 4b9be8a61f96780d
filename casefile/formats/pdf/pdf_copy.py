"""A plain copy of some pages of a signed volume (PDF/A-2b): no attachment, no signature, a note in front.

Seals and signatures stay as pictures of themselves. Stamped numbers, page labels, links and bookmarks are
those of the volume, as far as they lead to a page of the copy.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

from casefile.errors import BadInput
from casefile.formats.pdf import pdf_excerpt

_UPWARD = ("/Parent", "/P", "/Popup", "/Dest", "/A", "/D", "/IRT")
_NESTED = (Dictionary, Array, Stream)
_NOTE = "说明-"
_FAILURES = (OSError, pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page of a volume: the label under which a viewer shows it, and its streams with their bytes."""

    label: str
    streams: frozenset[tuple[tuple[int, int], int]]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the note: box in points on one of its pages, page index from 0 to which it leads."""

    sheet: int
    box: tuple[float, float, float, float]
    target: int


@dataclass(frozen=True, slots=True)
class Copy:
    """What a copy is made of: ``note`` is a PDF, ``sheets`` and the places of headings count from 0.

    Headings and rows count pages of the copy, its note first.
    """

    title: str
    sheets: Sequence[int]
    labels: Sequence[str]
    note: bytes
    rows: Sequence[Row]
    headings: Sequence[tuple[str, int]]


def leaves(source: Path) -> tuple[Leaf, ...]:
    """Every page of a volume.

    Raises:
        BadInput: BIND-PART-UNREADABLE.
    """
    try:
        with pikepdf.open(source) as pdf:
            return tuple(Leaf(page.label, frozenset(_streams(page.obj))) for page in pdf.pages)
    except _FAILURES as error:
        raise BadInput("BIND-PART-UNREADABLE", subject=source.name, reason=error) from None


def write(source: Path, plan: Copy, target: Path) -> None:
    """Write the plan.

    Raises:
        BadInput: BIND-PART-UNREADABLE.
    """
    try:
        with pikepdf.open(source) as pdf, pikepdf.open(BytesIO(plan.note)) as note:
            pages = [page.obj for page in pdf.pages]
            for sheet in plan.sheets:
                _drawn(pdf, pages[sheet])
            inner = pdf_excerpt.reduce(pdf, plan.sheets)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", pikepdf.PageCopyWarning)
                for place, page in enumerate(note.pages):
                    pdf.pages.insert(place, page)
            front = len(note.pages)
            _outline(pdf, plan, inner, front)
            _link(pdf, plan.rows)
            _label(pdf, front, plan.labels)
            _frame(pdf, plan.title)
            pdf.save(
                target,
                deterministic_id=True,
                object_stream_mode=pikepdf.ObjectStreamMode.generate,
                force_version="1.7",
            )
    except _FAILURES as error:
        raise BadInput("BIND-PART-UNREADABLE", subject=source.name, reason=error) from None


def _streams(page: Any) -> Iterator[tuple[tuple[int, int], int]]:
    seen: set[tuple[int, int]] = set()
    waiting: list[Any] = [page]
    while waiting:
        one = waiting.pop()
        if one.is_indirect:
            if one.objgen in seen:
                continue
            seen.add(one.objgen)
        if isinstance(one, Stream):
            yield one.objgen, int(one.stream_dict.get("/Length", 0))
        inner = (
            list(one.as_list())
            if isinstance(one, Array)
            else [value for key, value in one.items() if key not in _UPWARD]
        )
        waiting += [value for value in inner if isinstance(value, _NESTED)]


def _drawn(pdf: pikepdf.Pdf, page: Any) -> None:
    """Draw the look of each signature onto its page: the field itself can't come along."""
    for widget in page.get("/Annots", Array()).as_list():
        look = widget.get("/AP", Dictionary()).get("/N") if widget.get("/Subtype") == Name.Widget else None
        if isinstance(look, Stream):
            _draw(pdf, page, look, [float(n) for n in widget.Rect.as_list()])


def _draw(pdf: pikepdf.Pdf, page: Any, look: Any, rect: Sequence[float]) -> None:
    a, b, c, d = (float(n) for n in look.get("/BBox", Array([0, 0, 1, 1])).as_list())
    # Any two opposite corners may be given, and some writers begin at the top.
    box = min(a, c), min(b, d), max(a, c), max(b, d)
    wide, high = box[2] - box[0], box[3] - box[1]
    if not wide or not high or rect[2] <= rect[0] or rect[3] <= rect[1]:
        return  # a signature that nobody is to see
    across, up = (rect[2] - rect[0]) / wide, (rect[3] - rect[1]) / high
    place = f"{across:.5f} 0 0 {up:.5f} {rect[0] - box[0] * across:.3f} {rect[1] - box[1] * up:.3f}"
    # Other pages may share these dictionaries; a name by chance would give other bytes every time.
    own = copy.copy(page.get("/Resources", Dictionary()))
    there = copy.copy(own.get("/XObject", Dictionary()))
    name = f"/CasefileSeal{len(there)}"
    there[name] = look
    own["/XObject"] = there
    page.Resources = own
    before = page.get("/Contents", Array())
    streams = before.as_list() if isinstance(before, Array) else [before]
    drawn = f"\nQ q {place} cm {name} Do Q"
    page.Contents = Array([pdf.make_stream(b"q "), *streams, pdf.make_stream(drawn.encode())])


def _outline(pdf: pikepdf.Pdf, plan: Copy, inner: Sequence[pdf_excerpt.Mark], front: int) -> None:
    shifted = [_shifted(mark, front) for mark in inner]
    starts = [place for _, place in plan.headings]
    ends = [*starts[1:], front + len(plan.sheets)]
    marks = [
        pdf_excerpt.Mark(title, start, tuple(mark for mark in shifted if start <= mark.page < end))
        for (title, start), end in zip(plan.headings, ends, strict=True)
    ]
    pdf_excerpt.outline(pdf, marks)
    pdf.Root.PageMode = Name.UseOutlines


def _shifted(mark: pdf_excerpt.Mark, by: int) -> pdf_excerpt.Mark:
    return pdf_excerpt.Mark(mark.title, mark.page + by, tuple(_shifted(one, by) for one in mark.children))


def _link(pdf: pikepdf.Pdf, rows: Sequence[Row]) -> None:
    for row in rows:
        page = pdf.pages[row.sheet].obj
        made = pdf.make_indirect(
            Dictionary(
                Type=Name.Annot, Subtype=Name.Link, Rect=Array(list(row.box)), F=4, Border=Array([0, 0, 0]),
                Dest=Array([pdf.pages[row.target].obj, Name.Fit]),
            )
        )  # fmt: skip
        page.Annots = Array([*page.get("/Annots", Array()).as_list(), made])


def _label(pdf: pikepdf.Pdf, front: int, labels: Sequence[str]) -> None:
    numbers = Array([0, Dictionary(P=pikepdf.String(_NOTE), S=Name.D)])
    for place, (before, label) in enumerate(pairwise(["", *labels]), front):
        if label.isdecimal() and before.isdecimal() and int(label) == int(before) + 1:
            continue
        style = Dictionary(S=Name.D, St=int(label)) if label.isdecimal() else Dictionary(P=label)
        numbers.append(place)
        numbers.append(style)
    pdf.Root.PageLabels = Dictionary(Nums=numbers)


def _frame(pdf: pikepdf.Pdf, title: str) -> None:
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
        metadata["pdfaid:part"] = "2"
        metadata["dc:title"] = title
    pdf.docinfo["/Title"] = title
    pdf.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
