"""Binds finished PDF/A files into one: numbers, bookmarks, links, labels, frame, in a single pass.

qpdf joins the pages without reading their streams; these are copied from file to file while the one save
runs, so that memory stays flat however thick the volume is.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

from casefile.errors import BadInput
from casefile.formats import pdf_prepare
from casefile.formats.pdf_frame import Frame, frame
from casefile.formats.pdf_stamp import Corner, Digits, Stamper

_REFERENCE = re.compile(rb"(\d+) (\d+) R")
_OF_OBJECTS = ("/Metadata", "/StructParents", "/StructParent", "/PieceInfo")
_OF_PAGES = ("/Tabs", "/AA", "/PresSteps", "/B", "/Thumb")
_PLAIN_ID = b"<31415926535897932384626433832795>"
"""What qpdf writes as file identifier when it is not to read all of its output once more."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A file to bind.

    ``numbers`` has an entry for each page, None where none is stamped; empty, no page of it bears a number.
    ``corners`` says for each page where; empty, all stand in the corner of the volume.
    """

    path: Path
    pages: int
    numbers: tuple[int | None, ...] = ()
    corners: tuple[Corner, ...] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    """A bookmark: sheet index from 0."""

    title: str
    sheet: int
    children: tuple[Heading, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A place to click: box in points on one sheet, the sheet that it leads to."""

    sheet: int
    box: tuple[float, float, float, float]
    target: int


@dataclass(frozen=True, slots=True)
class Label:
    """From ``sheet`` on pages are called ``prefix`` and, when ``counted``, a number from 1."""

    sheet: int
    prefix: str
    counted: bool


@dataclass(frozen=True, slots=True)
class Volume:
    """Everything that one bound file is made of. ``identifier`` is 16 bytes that name this very content."""

    pieces: Sequence[Piece]
    headings: Sequence[Heading]
    links: Sequence[Link]
    labels: Sequence[Label]
    frame: Frame
    corner: Corner
    identifier: bytes
    layers: bool = False
    spot_colours_clash: bool = False


def write(volume: Volume, digits: Digits, target: Path) -> None:
    """Write the bound file.

    Raises:
        BadInput: BIND-JOIN when a piece can't be joined, BIND-PAGES when pages got lost or appeared.
    """
    try:
        with _joined([piece.path for piece in volume.pieces]) as pdf:
            pages = [page.obj for page in pdf.pages]
            expected = sum(piece.pages for piece in volume.pieces)
            if len(pages) != expected:
                raise BadInput("BIND-PAGES", subject=target.name, expected=expected, found=len(pages))
            _clean(pdf, pages)
            if volume.spot_colours_clash:
                pdf_prepare.renamed_apart(pdf)
            _deduplicate(pdf)
            _stamp(pdf, pages, volume, digits)
            _outline(pdf, pages, volume.headings)
            _link(pdf, pages, volume.links)
            _label(pdf, volume.labels)
            if volume.layers:
                _layers(pdf)
            frame(pdf, volume.frame)
            _save(pdf, target)
        _identify(target, volume.identifier)
    except (pikepdf.PdfError, pikepdf.JobUsageError, RuntimeError) as error:
        raise BadInput("BIND-JOIN", subject=target.name, reason=error) from None


def page_count(path: Path) -> int:
    """Pages of a file as it stands on disk.

    Raises:
        BadInput: BIND-PART-UNREADABLE.
    """
    try:
        with pikepdf.open(path) as pdf:
            return len(pdf.pages)
    except pikepdf.PdfError as error:
        raise BadInput("BIND-PART-UNREADABLE", subject=path.name, reason=error) from None


def _joined(paths: Sequence[Path]) -> pikepdf.Pdf:
    ranges = [word for path in paths for word in (str(path), "1-z")]
    # Every page of every part comes along, so there is nothing unreferenced to look for in shared resources.
    options = ["--empty", "--remove-unreferenced-resources=no"]
    return pikepdf.Job(["pikepdf", *options, "--pages", *ranges, "--", "unused.pdf"]).create_pdf()


def _clean(pdf: pikepdf.Pdf, pages: Sequence[Any]) -> None:
    # Metadata of pictures and marks of a structure that is gone break rules of the whole (ISO 19005-2).
    for one in pdf.objects:
        if isinstance(one, Dictionary | Stream):
            for key in _OF_OBJECTS:
                if key in one:
                    del one[key]
    for page in pages:
        for key in _OF_PAGES:
            if key in page:
                del page[key]
        for annotation in page.get("/Annots", Array()).as_list():
            if "/StructParent" in annotation:
                del annotation["/StructParent"]


def _deduplicate(pdf: pikepdf.Pdf) -> None:
    """Let equal streams (profiles, fonts, letterheads) stand once."""
    # Streams of different lengths differ, and so do those whose samples differ: what is left is read whole
    # and compared by digest.
    by_length = _grouped(
        (one for one in pdf.objects if isinstance(one, Stream)), lambda one: one.get("/Length")
    )
    alike = _grouped(by_length, _sample)
    twins: dict[tuple[int, int], Any] = {}
    first: dict[tuple[bytes, bytes], Any] = {}
    for one in alike:
        kept = first.setdefault(
            (_entries(one), hashlib.sha1(one.read_raw_bytes(), usedforsecurity=False).digest()), one
        )
        if kept.objgen != one.objgen:
            twins[one.objgen] = kept
    if twins:
        _redirect(pdf, twins)


def _grouped(streams: Iterable[Any], key: Callable[[Any], Any]) -> list[Any]:
    groups: defaultdict[Any, list[Any]] = defaultdict(list)
    for one in streams:
        groups[key(one)].append(one)
    return [one for group in groups.values() if len(group) > 1 for one in group]


def _entries(stream: Any) -> bytes:
    return b" ".join(
        key.encode() + (value.unparse() if isinstance(value, pikepdf.Object) else repr(value).encode())
        for key, value in sorted(stream.stream_dict.items())
        if key != "/Length"
    )


def _sample(stream: Any) -> tuple[int, bytes, bytes]:
    raw = stream.read_raw_bytes()
    return len(raw), raw[len(raw) // 2 :][:64], raw[-64:]


def _redirect(pdf: pikepdf.Pdf, twins: dict[tuple[int, int], Any]) -> None:
    for one in pdf.objects:
        body = one.stream_dict if isinstance(one, Stream) else one
        if not isinstance(body, Dictionary | Array):
            continue
        references = _REFERENCE.findall(body.unparse(resolved=True))
        if any((int(number), int(generation)) in twins for number, generation in references):
            _redirect_in(body, twins, 0)


def _redirect_in(body: Any, twins: dict[tuple[int, int], Any], depth: int) -> None:
    if depth > 30:
        return
    keys = range(len(body)) if isinstance(body, Array) else list(body.keys())
    for key in keys:
        value = body[key]
        if isinstance(value, Dictionary | Array | Stream):
            if value.is_indirect:
                if value.objgen in twins:
                    body[key] = twins[value.objgen]
            else:
                _redirect_in(value, twins, depth + 1)


def _stamp(pdf: pikepdf.Pdf, pages: Sequence[Any], volume: Volume, digits: Digits) -> None:
    stamper = Stamper(pdf, digits)
    sheet = 0
    for piece in volume.pieces:
        corners = piece.corners or (volume.corner,) * piece.pages
        if piece.numbers:
            for page, number, corner in zip(
                pages[sheet : sheet + piece.pages], piece.numbers, corners, strict=True
            ):
                if number is not None:
                    stamper.stamp(page, number, corner)
        sheet += piece.pages


def _save(pdf: pikepdf.Pdf, target: Path) -> None:
    with warnings.catch_warnings():
        # Fields were flattened part by part; a widget that belongs to no form is only a picture.
        warnings.simplefilter("ignore", pikepdf.PageCopyWarning)
        pdf.save(
            target,
            static_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            compress_streams=True,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
            recompress_flate=False,
            force_version="1.7",
        )


def _outline(pdf: pikepdf.Pdf, pages: Sequence[Any], headings: Sequence[Heading]) -> None:
    # Written out by hand: the library's outline object takes longer than everything else here together.
    def level(items: Sequence[Heading], parent: Any) -> int:
        made = [
            pdf.make_indirect(
                Dictionary(Title=item.title, Parent=parent, Dest=Array([pages[item.sheet], Name.Fit]))
            )
            for item in items
        ]
        shown = len(made)
        for before, after in pairwise(made):
            before.Next, after.Prev = after, before
        for item, one in zip(items, made, strict=True):
            if item.children:
                inner = level(item.children, one)
                # The volume opens to its items; what lies within an item stays closed.
                opened = parent.get("/Type") == Name.Outlines
                one.Count = inner if opened else -inner
                shown += inner if opened else 0
        parent.First, parent.Last = made[0], made[-1]
        return shown

    if headings:
        root = pdf.make_indirect(Dictionary(Type=Name.Outlines))
        root.Count = level(headings, root)
        pdf.Root.Outlines = root


def _link(pdf: pikepdf.Pdf, pages: Sequence[Any], links: Sequence[Link]) -> None:
    on_sheet: defaultdict[int, list[Any]] = defaultdict(list)
    for link in links:
        on_sheet[link.sheet].append(
            pdf.make_indirect(
                Dictionary(
                    Type=Name.Annot, Subtype=Name.Link, Rect=Array([round(n, 2) for n in link.box]), F=4,
                    Border=Array([0, 0, 0]), Dest=Array([pages[link.target], Name.Fit]),
                )
            )
        )  # fmt: skip
    for sheet, made in on_sheet.items():
        pages[sheet].Annots = Array([*pages[sheet].get("/Annots", Array()).as_list(), *made])


def _label(pdf: pikepdf.Pdf, labels: Sequence[Label]) -> None:
    numbers = Array()
    for label in labels:
        style = Dictionary()
        if label.prefix:
            style.P = pikepdf.String(label.prefix)
        if label.counted:
            style.S = Name.D
        numbers.append(label.sheet)
        numbers.append(style)
    pdf.Root.PageLabels = Dictionary(Nums=numbers)


def _layers(pdf: pikepdf.Pdf) -> None:
    groups = [one for one in pdf.objects if isinstance(one, Dictionary) and one.get("/Type") == Name.OCG]
    hidden = [group for group in groups if pdf_prepare.HIDDEN_LAYER in group]
    for group in hidden:
        del group[pdf_prepare.HIDDEN_LAYER]
    if groups:
        pdf.Root.OCProperties = Dictionary(
            OCGs=Array(groups), D=Dictionary(Name="Layers", Order=Array(groups), OFF=Array(hidden))
        )


def _identify(path: Path, identifier: bytes) -> None:
    # The identifier names content and inputs; had qpdf to find one, it would read the whole output again.
    ours = b"<" + identifier.hex().encode() + b">"
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(max(size - 64, 0))
        found = re.search(rb"startxref\s+(\d+)", file.read())
        start = int(found[1]) if found else 0
        file.seek(start)
        head = file.read(4096)
        if head.count(_PLAIN_ID) != 2:
            raise BadInput("BIND-JOIN", subject=path.name, reason="file identifier")
        file.seek(start)
        file.write(head.replace(_PLAIN_ID, ours))
