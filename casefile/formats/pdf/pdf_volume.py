"""Binds finished PDF/A files into one: numbers, bookmarks, links, labels, tags, frame, in a single pass.

No part is parsed here: its slab says what to write, and the raw bytes of its streams go from file to file.
Memory stays flat and time grows with the pages, however thick the volume is.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pikepdf

from casefile.errors import BadInput
from casefile.formats.pdf import pdf_slab, pdf_stamp
from casefile.formats.pdf.pdf_frame import Frame, frame
from casefile.formats.pdf.pdf_slab import OUTER, WIDTH, Slab
from casefile.formats.pdf.pdf_stamp import Corner, Digits
from casefile.formats.pdf.pdf_writer import Writer

_BRANCH = 64
"""Pages under one node of the page tree."""
_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class Piece:
    """A file to bind.

    ``numbers`` has an entry for each page, None where none is stamped; empty, no page of it bears a number.
    ``corners`` says for each page where; empty, all stand in the corner of the volume. ``slab`` is where it
    was laid out, if it was.
    """

    path: Path
    pages: int
    numbers: tuple[int | None, ...] = ()
    corners: tuple[Corner, ...] = ()
    slab: Path | None = None


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
    """From ``sheet`` on pages are called ``prefix`` and, when ``counted``, a number from ``start`` on."""

    sheet: int
    prefix: str
    counted: bool
    start: int = 1


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


def write(volume: Volume, digits: Digits, target: Path, step: Callable[[], None] = lambda: None) -> str:
    """Write the bound file; gives its SHA-256. ``step`` is called when a piece is done.

    Raises:
        BadInput: BIND-PAGES when pages got lost or appeared, BIND-PART-MISSING, BIND-PART-CHANGED when a file
            is shorter than it was, BIND-OBJECTS when there is more than a PDF/A can hold, BIND-JOIN.
    """
    with Writer(target) as out:
        assembly = _Assembly(volume, digits, out)
        for piece in volume.pieces:
            assembly.add(piece)
            step()
        return assembly.finish()


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


class _Assembly:
    """One volume on its way to disk."""

    def __init__(self, volume: Volume, digits: Digits, out: Writer) -> None:
        self._volume = volume
        self._digits = digits
        self._out = out
        self._first_seen: dict[str, tuple[int, tuple[tuple[Path, int, int], ...]]] = {}
        self._looks: dict[str, str] = {}
        self._sheets: list[int] = []
        """Object number of the page on each sheet."""
        self._branches: list[int] = []
        self._layers: list[int] = []
        self._hidden: list[int] = []
        self._trees: list[int] = []
        self._leaves: list[tuple[int, int]] = []
        self._keys = 0
        self._links: defaultdict[int, list[tuple[int, Link]]] = defaultdict(list)
        for link in volume.links:
            self._links[link.sheet].append((out.reserve(), link))
        self._document = out.reserve()
        self._tags = out.reserve()
        self._open = out.reserve()
        out.stream(self._open, b"<< ", b"q ")
        self._begin()

    def _begin(self) -> None:
        """Write what all pages share and the frame; keep the catalog open."""
        with pikepdf.new() as pdf:
            del pdf.Root["/Pages"]
            frame(pdf, self._volume.frame)
            slab = pdf_slab.cut_own(
                pdf,
                {
                    "root": pdf.Root,
                    "info": pdf.trailer.Info,
                    "font": pdf_stamp.embedded(pdf, self._digits),
                    "veil": pdf_stamp.veil(pdf),
                },
            )
        out = self._out
        first = out.reserve(len(slab.starts) - 1)
        text = _filled(slab, [b"null"] * OUTER + _references(first, len(slab.starts) - 1))
        self._root, self._info, font, veil = (
            first + slab.named[name] for name in ("root", "info", "font", "veil")
        )
        self._lent = _reference(font), _reference(veil)
        for local in range(slab.members):
            one = bytes(text[slab.starts[local] : slab.starts[local + 1] - 1])
            if first + local == self._root:
                self._catalog = one
            else:
                out.small(first + local, one)
        for local, raw in enumerate(slab.streams, slab.members):
            entries = text[slab.starts[local] : slab.starts[local + 1] - 3]
            out.stream(first + local, entries, slab.data[raw.offset : raw.offset + raw.length])

    def add(self, piece: Piece) -> None:
        """Write the pages of a piece."""
        slab = pdf_slab.read(piece.slab) if piece.slab is not None else None
        if slab is None:
            slab = pdf_slab.cut_file(piece.path)
        if len(slab.pages) != piece.pages:
            raise BadInput("BIND-PAGES", subject=piece.path.name, expected=piece.pages, found=len(slab.pages))
        out = self._out
        small = slab.members + len(slab.pages)
        first = out.reserve(small)
        streams = list(self._numbered(slab, piece.path))
        table = [
            _reference(self._document),
            *self._lent,
            *_references(first, small),
            *(_reference(number) for number, _ in streams),
            *(b"%-*d" % (WIDTH, self._keys + key) for key in range(slab.keys)),
            *(self._spot(name, drawn) for name, drawn in slab.spots),
        ]
        text = _filled(slab, table)
        self._pages(piece, slab, first, table, text)
        self._streams(piece.path, slab, small, streams, text)
        self._layers += [first + layer for layer in slab.layers]
        self._hidden += [first + layer for layer in slab.hidden]
        if slab.tree >= 0:
            self._trees.append(first + slab.tree)
            self._leaves.append((first + slab.leaf, self._keys))
            self._keys += slab.keys

    def _numbered(self, slab: Slab, path: Path) -> Iterator[tuple[int, bool]]:
        """A number for each stream, and whether it is new: what is in the volume already is used again."""
        for raw in slab.streams:
            if not raw.alike:
                yield self._out.reserve(), True
                continue
            places = tuple(
                (path, inner.offset, inner.length)
                for inner in (slab.streams[one] for one in raw.within)
                if raw.sampled and inner.length > pdf_slab.WHOLE
            )
            known = self._first_seen.get(raw.alike)
            if known is None:
                number = self._out.reserve()
                self._first_seen[raw.alike] = number, places
                yield number, True
            elif all(map(_equal, known[1], places)):
                yield known[0], False
            else:
                yield self._out.reserve(), True

    def _spot(self, name: str, drawn: str) -> bytes:
        # ISO 19005-2 clause 6.2.4.4: one name, one look. The first that comes keeps the name.
        kept = self._looks.setdefault(name, drawn) == drawn
        shown = name if kept else f"{name}.{drawn[:6]}"
        return shown.ljust(len(name) + 7).encode("ascii")

    def _pages(self, piece: Piece, slab: Slab, first: int, table: list[bytes], text: memoryview) -> None:
        out, starts = self._out, slab.starts
        corners = piece.corners or (self._volume.corner,) * piece.pages
        numbers = piece.numbers or (None,) * piece.pages
        out.members(first, starts[: slab.looks + 1], text)
        if slab.members > slab.looks:
            out.members(first + slab.looks, starts[slab.looks : slab.members + 1], text)
        for place, (page, number, corner) in enumerate(
            zip(slab.pages, numbers, corners, strict=True), slab.members
        ):
            sheet = len(self._sheets)
            self._sheets.append(first + place)
            if sheet % _BRANCH == 0:
                self._branches.append(out.reserve())
            entries = [b"<< /Parent %d 0 R" % self._branches[-1]]
            contents = [table[OUTER + one].rstrip() for one in page.contents]
            if number is not None:
                stamp = out.reserve()
                out.stream(
                    stamp,
                    b"<< ",
                    pdf_stamp.drawn(
                        number, self._digits, corner, page.box, page.turn, (page.font, page.veil)
                    ),
                )
                contents = [b"%d 0 R" % self._open, *contents, b"%d 0 R" % stamp]
            if contents:
                entries.append(b"/Contents [ %s ]" % b" ".join(contents))
            annotations = [table[OUTER + one].rstrip() for one in page.annotations]
            annotations += [b"%d 0 R" % number for number, _ in self._links[sheet]]
            if annotations:
                entries.append(b"/Annots [ %s ]" % b" ".join(annotations))
            if page.key >= 0:
                entries.append(b"/StructParents %d" % (self._keys + page.key))
            own = bytes(text[starts[place] : starts[place + 1] - 1])
            out.small(first + place, b"%s %s" % (b" ".join(entries), own.removeprefix(b"<<")))

    def _streams(
        self, path: Path, slab: Slab, small: int, numbers: Sequence[tuple[int, bool]], text: memoryview
    ) -> None:
        try:
            source = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise BadInput(
                "BIND-PART-MISSING", subject=path.name, file=path.name, reason=error.strerror
            ) from None
        try:
            for local, (raw, (number, new)) in enumerate(zip(slab.streams, numbers, strict=True), small):
                if not new:
                    continue
                entries = text[slab.starts[local] : slab.starts[local + 1] - 3]
                if not raw.outside:
                    self._out.stream(number, entries, slab.data[raw.offset : raw.offset + raw.length])
                elif not self._out.copied(number, entries, raw.length, source, raw.offset):
                    raise BadInput("BIND-PART-CHANGED", subject=path.name, file=path.name)
        finally:
            os.close(source)

    def finish(self) -> str:
        """Write what stands around the pages; gives the digest of the file."""
        out = self._out
        for sheet, links in self._links.items():
            del sheet
            for number, link in links:
                box = " ".join(f"{round(n, 2):g}" for n in link.box)
                out.small(
                    number,
                    f"<< /Type /Annot /Subtype /Link /Rect [ {box} ] /F 4 /Border [ 0 0 0 ] "
                    f"/Dest [ {self._sheets[link.target]} 0 R /Fit ] >>".encode(),
                )
        entries = [b"/Pages %d 0 R" % self._page_tree(), b"/PageLabels << /Nums [ %s ] >>" % self._labels()]
        if self._volume.headings:
            entries.append(b"/Outlines %d 0 R" % self._outline())
        if self._layers:
            ones, hidden = _list(self._layers), _list(self._hidden)
            entries.append(
                b"/OCProperties << /OCGs %s /D << /Name (Layers) /Order %s /OFF %s >> >>"
                % (ones, ones, hidden)
            )
        if self._trees:
            entries.append(b"/StructTreeRoot %d 0 R /MarkInfo << /Marked true >>" % self._tags)
        self._structure()
        out.small(self._root, self._catalog.removesuffix(b">>") + b" ".join(entries) + b" >>")
        ours = b"<%s>" % self._volume.identifier.hex().encode()
        return out.finish(b"/Root %d 0 R /Info %d 0 R /ID [ %s %s ]" % (self._root, self._info, ours, ours))

    def _page_tree(self) -> int:
        out = self._out
        level = [
            (number, self._sheets[at * _BRANCH : (at + 1) * _BRANCH], 0)
            for at, number in enumerate(self._branches)
        ]
        counts = [len(kids) for _, kids, _ in level]
        nodes = [(number, kids, count) for (number, kids, _), count in zip(level, counts, strict=True)]
        while True:
            if len(nodes) == 1:
                number, kids, count = nodes[0]
                out.small(number, b"<< /Type /Pages /Count %d /Kids %s >>" % (count, _list(kids)))
                return number
            above = []
            for at in range(0, len(nodes), _BRANCH):
                group = nodes[at : at + _BRANCH]
                parent = out.reserve()
                for number, kids, count in group:
                    out.small(
                        number,
                        b"<< /Type /Pages /Parent %d 0 R /Count %d /Kids %s >>"
                        % (parent, count, _list(kids)),
                    )
                above.append((parent, [number for number, _, _ in group], sum(n for _, _, n in group)))
            nodes = above

    def _structure(self) -> None:
        out = self._out
        if not self._trees:
            out.small(self._document, b"null")
            out.small(self._tags, b"null")
            return
        out.small(
            self._document,
            b"<< /Type /StructElem /S /Document /P %d 0 R /K %s >>" % (self._tags, _list(self._trees)),
        )
        out.small(
            self._tags,
            b"<< /Type /StructTreeRoot /K [ %d 0 R ] /ParentTree << /Kids %s >> /ParentTreeNextKey %d >>"
            % (self._document, _list([leaf for leaf, _ in self._leaves]), self._keys),
        )

    def _labels(self) -> bytes:
        found = []
        for label in self._volume.labels:
            prefix = b"/P %s " % _text(label.prefix) if label.prefix else b""
            style = b"/S /D " if label.counted else b""
            style += b"/St %d " % label.start if label.counted and label.start > 1 else b""
            found.append(b"%d << %s%s>>" % (label.sheet, prefix, style))
        return b" ".join(found)

    def _outline(self) -> int:
        root = self._out.reserve()
        numbers, shown = self._level(self._volume.headings, root, opened=True)
        self._out.small(
            root,
            b"<< /Type /Outlines /First %d 0 R /Last %d 0 R /Count %d >>" % (numbers[0], numbers[-1], shown),
        )
        return root

    def _level(self, items: Sequence[Heading], parent: int, *, opened: bool) -> tuple[range, int]:
        first = self._out.reserve(len(items))
        numbers = range(first, first + len(items))
        shown = len(items)
        for number, item in zip(numbers, items, strict=True):
            entries = [
                b"<< /Title %s /Parent %d 0 R /Dest [ %d 0 R /Fit ]"
                % (_text(item.title), parent, self._sheets[item.sheet])
            ]
            if number > first:
                entries.append(b"/Prev %d 0 R" % (number - 1))
            if number < numbers[-1]:
                entries.append(b"/Next %d 0 R" % (number + 1))
            if item.children:
                inner, count = self._level(item.children, number, opened=False)
                # The volume opens to its items; what lies within an item stays closed.
                entries.append(
                    b"/First %d 0 R /Last %d 0 R /Count %d"
                    % (inner[0], inner[-1], count if opened else -count)
                )
                shown += count if opened else 0
            self._out.small(number, b"%s >>" % b" ".join(entries))
        return numbers, shown


def _filled(slab: Slab, table: Sequence[bytes]) -> memoryview:
    """The text of a slab with its gaps filled; every gap is as wide as what fills it."""
    pieces = slab.text.split(pdf_slab.GAP)
    pieces[1::2] = map(table.__getitem__, map(int, pieces[1::2]))
    return memoryview(b"".join(pieces))


def _reference(number: int) -> bytes:
    return (b"%d 0 R" % number).ljust(WIDTH)


def _references(first: int, count: int) -> list[bytes]:
    return [(b"%d 0 R       " % number)[:WIDTH] for number in range(first, first + count)]


def _list(numbers: Sequence[int]) -> bytes:
    return b"[ %s ]" % b" ".join([b"%d 0 R" % number for number in numbers])


def _text(words: str) -> bytes:
    """A text string in hexadecimal: nothing in it can be taken for syntax."""
    if words.isascii() and words.isprintable():
        return b"<%s>" % words.encode().hex().encode()
    return b"<feff%s>" % words.encode("utf-16-be", "replace").hex().encode()


def _equal(one: tuple[Path, int, int], other: tuple[Path, int, int]) -> bool:
    if one[2] != other[2]:
        return False
    if one == other:
        return True
    try:
        with one[0].open("rb", buffering=0) as a, other[0].open("rb", buffering=0) as b:
            for done in range(0, one[2], _STEP):
                size = min(_STEP, one[2] - done)
                if os.pread(a.fileno(), size, one[1] + done) != os.pread(b.fileno(), size, other[1] + done):
                    return False
    except OSError:
        return False
    return True
