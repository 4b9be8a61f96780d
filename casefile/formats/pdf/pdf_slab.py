"""A part laid out so that binding it is copying: objects as text with gaps for numbers, streams by place.

Parsing a PDF takes far longer than writing one. So a part is parsed once, when it is first met, and what
a volume needs of it is kept: the text of its small objects, in which every reference is a gap of fixed width;
where in the part's file the raw bytes of every large stream lie, or the bytes themselves; its pages with what
stamping must know. Numbers change from volume to volume, offsets within the text never do.
"""

from __future__ import annotations

import copy
import hashlib
import json
import mmap
import os
import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream
from pikepdf._core import unparse  # the one function that writes scalars, too

from casefile.errors import BadInput
from casefile.formats.pdf import pdf_prepare, pdf_stamp, pdf_tags
from casefile.formats.pdf.pdf_prepare import Bookmark
from casefile.formats.pdf.pdf_tags import Tags

WIDTH = 11
"""Of a gap for a reference: ``8388607 0 R``, the largest that PDF/A allows (ISO 19005-2, 6.1.13)."""
GAP = b"\x01"
"""Stands on both sides of the number of a gap; no unparsed object holds it."""
DOCUMENT, FONT, VEIL = range(3)
"""Gaps for what the volume brings: the root of its tags, the font and the graphics state of page numbers."""
OUTER = 3

_WITHIN = 16_384
"""Streams up to this size stand in the slab itself: reading them one by one would cost more."""
WHOLE = 65_536
"""Larger streams are told apart by samples, and compared byte by byte only where the samples agree."""
_STEP = 1 << 20
_MAGIC = b"casefile slab 1\n"
_TOKEN = re.compile(
    rb"\((?:[^()\\]|\\.)*\)|<[0-9a-fA-F]*>|(\d+) (\d+) R\b|/Casefile\.([0-9a-f]{16})\.(\w+)", re.DOTALL
)
_OF_OBJECTS = ("/Metadata", "/PieceInfo")
_OF_PAGES = (
    "/Parent",
    "/AA",
    "/PresSteps",
    "/B",
    "/Thumb",
    "/Metadata",
    "/PieceInfo",
    "/Contents",
    "/Annots",
)
_APART = re.compile(rb"/Type /(?:OCG|Page|Pages|Catalog)\b")
_ELSEWHERE = (Name.Page, Name.Pages, Name.Catalog)

Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a slab. Numbers of objects are local, from 0; ``key`` is that of its tags, -1 without."""

    box: tuple[float, float, float, float]
    turn: int
    font: str
    veil: str
    contents: tuple[int, ...]
    annotations: tuple[int, ...]
    key: int


@dataclass(frozen=True, slots=True)
class Raw:
    """The bytes of a stream: ``offset`` in the part's file, or in the slab's own bytes.

    ``alike`` is equal where two streams may be one and the same, empty where they must not; ``within`` are
    the streams that it draws on, itself last. When ``sampled``, their bytes have to be compared.
    """

    length: int
    outside: bool
    offset: int
    alike: str
    within: tuple[int, ...]
    sampled: bool


@dataclass(frozen=True, slots=True)
class Slab:
    """Local numbers: members (small objects), then pages, then streams.

    ``text`` has an entry for each, which begins at ``starts``; ``looks`` members are needed to show pages,
    the others are tags. Gaps count what the volume brings, then objects, then ``keys`` of tags, then
    ``spots`` (spot colours: name and digest of how it is drawn). ``data`` are the bytes of small streams.
    """

    text: bytes
    starts: Sequence[int]
    members: int
    looks: int
    pages: tuple[Page, ...]
    streams: tuple[Raw, ...]
    keys: int
    spots: tuple[tuple[str, str], ...]
    layers: tuple[int, ...]
    hidden: tuple[int, ...]
    bookmarks: tuple[Bookmark, ...]
    tags: Tags
    tree: int
    leaf: int
    named: Mapping[str, int]
    data: bytes | memoryview = field(repr=False, default=b"")


def cut(source: Path, digest: str) -> Slab:
    """Make the slab of a part; ``digest`` is what the part claims to be.

    Raises:
        BadInput: BIND-PART-UNREADABLE or BIND-PART-LOCKED.
    """
    try:
        with pikepdf.open(source) as pdf, source.open("rb") as file:
            pages = [page.obj for page in pdf.pages]
            cutter = _Cutter(pdf, pages, digest)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                return cutter.part(whole)
    except pikepdf.PasswordError:
        raise BadInput("BIND-PART-LOCKED", subject=source.name) from None
    except (
        OSError,
        pikepdf.PdfError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
    ) as error:
        raise BadInput("BIND-PART-UNREADABLE", subject=source.name, reason=error) from None


def keep(source: Path, digest: str, target: Path) -> tuple[Slab, int]:
    """Make the slab of a part and keep it in ``target``; how many bytes it takes there.

    Raises:
        BadInput: what :func:`cut` raises.
    """
    slab = cut(source, digest)
    kept = packed(slab)
    # Not synced, as it can be made again: it bears its own digest, which tells whether it is whole.
    beside = target.with_suffix(f".{os.getpid()}.part")
    try:
        beside.write_bytes(kept)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return slab, len(kept)


def cut_file(source: Path) -> Slab:
    """Make the slab of a file that makes no claim."""
    with source.open("rb") as data:
        return cut(source, hashlib.file_digest(data, "sha256").hexdigest())


def read(path: Path) -> Slab | None:
    """The slab kept in a file, or None when it is not there, whole and unchanged."""
    try:
        with path.open("rb") as file:
            return unpacked(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def cut_own(pdf: pikepdf.Pdf, named: Mapping[str, Any]) -> Slab:
    """The slab of objects without pages; ``named`` are found again in :attr:`Slab.named`."""
    return _Cutter(pdf, [], "0" * 16).loose(named)


class _Cutter:
    def __init__(self, pdf: pikepdf.Pdf, pages: list[Any], digest: str) -> None:
        self._pdf = pdf
        self._pages = pages
        # No file can hold the beginning of its own digest, so no name in it is taken for one of these.
        self._mark = f"/Casefile.{digest[:16]}."
        self._own = digest[:16].encode()
        self._texts: dict[Key, bytes] = {}
        self._streams: dict[Key, Any] = {}
        self._layers: list[Key] = []
        self._hidden: list[Key] = []
        self._spots: list[tuple[str, str]] = []

    def part(self, whole: mmap.mmap) -> Slab:
        pdf, pages = self._pdf, self._pages
        bookmarks = pdf_prepare.repaired(pdf, pages)
        self._mark_spots()
        for page in pages:
            _own_annotations(pdf, page)
        tree, tags = pdf_tags.tidy(pdf, pages, self._placeholder)
        lent = self._lend_resources()
        heads = []
        for page in pages:
            contents = page.get("/Contents")
            streams = contents.as_list() if isinstance(contents, Array) else [contents]
            annotations = [one.objgen for one in page.get("/Annots", Array()).as_list()]
            shown = pdf_stamp.box(page), int(page.get("/Rotate", 0)) % 360
            key = page.get("/StructParents")
            for name in (*_OF_PAGES, "/StructParents", *(() if tree else ("/Tabs",))):
                if name in page:
                    del page[name]
            heads.append((
                shown,
                [one.objgen for one in streams if isinstance(one, Stream) and one.is_indirect],
                annotations,
                -1 if key is None else int(str(key).rpartition("Key")[2]),
            ))  # fmt: skip
        numbers = {page.objgen: number for number, page in enumerate(pages)}
        roots = [key for _, contents, annotations, _ in heads for key in (*contents, *annotations)]
        self._gather([*numbers, *roots], numbers)
        looks = [key for key in self._texts if key not in self._streams and key not in numbers]
        if tree is not None:
            self._gather([tree.root, tree.leaf], numbers)
        local, slab = self._laid_out(looks, list(numbers), whole, tree.keys if tree else 0)
        return slab(
            pages=tuple(
                Page(box, turn, font, veil, tuple(local[c] for c in contents),
                     tuple(local[a] for a in annotations), key)
                for ((box, turn), contents, annotations, key), (font, veil) in zip(heads, lent, strict=True)
            ),
            bookmarks=bookmarks, tags=tags,
            tree=local[tree.root] if tree else -1, leaf=local[tree.leaf] if tree else -1, named={},
        )  # fmt: skip

    def loose(self, named: Mapping[str, Any]) -> Slab:
        roots = [one.objgen for one in named.values()]
        self._gather(roots, dict.fromkeys(roots, 0))
        looks = [key for key in self._texts if key not in self._streams]
        local, slab = self._laid_out(looks, [], None, 0)
        return slab(
            pages=(), bookmarks=(), tags=Tags.NONE, tree=-1, leaf=-1,
            named={name: local[one.objgen] for name, one in named.items()},
        )  # fmt: skip

    def _placeholder(self, what: str) -> Name:
        return Name(self._mark + what)

    def _mark_spots(self) -> None:
        known: dict[tuple[str, str], int] = {}
        for found in list(pdf_prepare.separation_arrays(self._pdf)):
            spot = unparse(found[1]).decode("ascii"), pdf_prepare.drawn(found)
            found[1] = self._placeholder(f"Spot{known.setdefault(spot, len(known))}")
        self._spots = list(known)

    def _lend_resources(self) -> list[tuple[str, str]]:
        """Let every page find the font and the state of page numbers; pages that share go on sharing."""
        lent: dict[Key, tuple[Any, tuple[str, str]]] = {}
        names = []
        for page in self._pages:
            before = page.get("/Resources")
            shared = before.objgen if isinstance(before, Dictionary) and before.is_indirect else None
            if shared is not None and shared in lent:
                page.Resources, given = lent[shared]
            else:
                own = copy.copy(before) if isinstance(before, Dictionary) else Dictionary()
                given = (
                    _lend(own, "/Font", "/CasefileNo", self._placeholder("Font")),
                    _lend(own, "/ExtGState", "/CasefileVeil", self._placeholder("Veil")),
                )
                page.Resources = own if shared is None else self._pdf.make_indirect(own)
                if shared is not None:
                    lent[shared] = page.Resources, given
            names.append(given)
        return names

    def _gather(self, roots: Sequence[Key], pages: Mapping[Key, int]) -> None:
        """Unparse what can be reached from ``roots``."""
        waiting = list(reversed(roots))
        texts, get = self._texts, self._pdf.get_object
        while waiting:
            key = waiting.pop()
            if key in texts:
                continue
            one = get(key)
            if isinstance(one, Stream):
                self._streams[key] = one
                body = copy.copy(one.stream_dict)
                for name in ("/Length", *_OF_OBJECTS):
                    if name in body:
                        del body[name]
                _untagged(body)
                text = body.unparse(resolved=True)
            elif isinstance(one, pikepdf.Object):
                text = one.unparse(resolved=True)
                if isinstance(one, Dictionary):
                    text = self._small(one, key, text, pages)
            else:
                text = b"null" if one is None else unparse(one)
            texts[key] = text
            found = _TOKEN.findall(text)
            waiting += [(int(n), int(g)) for n, g, _, _ in reversed(found) if n]

    def _small(self, one: Any, key: Key, text: bytes, pages: Mapping[Key, int]) -> bytes:
        again = b"/StructParent" in text and _untagged(one)
        if b"/Metadata" in text or b"/PieceInfo" in text:
            for name in _OF_OBJECTS:
                if name in one and key not in pages:
                    del one[name]
                    again = True
        if not _APART.search(text):
            return bytes(one.unparse(resolved=True)) if again else text
        kind = one.get("/Type")
        if kind == Name.OCG:
            self._layers.append(key)
            if pdf_prepare.HIDDEN_LAYER in one:
                self._hidden.append(key)
                del one[pdf_prepare.HIDDEN_LAYER]
                again = True
        elif kind in _ELSEWHERE and key not in pages:
            # A page that is not in the file's own list of pages, or the list itself: nothing to take along.
            return b"null"
        return bytes(one.unparse(resolved=True)) if again else text

    def _laid_out(
        self, looks: Sequence[Key], pages: Sequence[Key], whole: mmap.mmap | None, keys: int
    ) -> tuple[dict[Key, int], Callable[..., Slab]]:
        apart = {*looks, *pages, *self._streams}
        members = [*looks, *(key for key in self._texts if key not in apart)]
        order = [*members, *pages, *self._streams]
        local = {key: number for number, key in enumerate(order)}
        gaps = _Gaps(local, self._own, keys, self._spots)
        texts = [_TOKEN.sub(gaps.gap, self._texts[key]) for key in order]
        starts = array("Q", accumulate((len(text) + 1 for text in texts), initial=0))
        raws = _Raws(self._pdf, self._texts, self._streams, local, len(order) - len(self._streams), whole)
        streams = tuple(raws.all())

        def slab(**more: Any) -> Slab:
            return Slab(
                text=b"\n".join(texts), starts=starts, members=len(members), looks=len(looks),
                streams=streams, keys=keys, spots=tuple(self._spots),
                layers=tuple(local[k] for k in self._layers), hidden=tuple(local[k] for k in self._hidden),
                data=bytes(raws.data), **more,
            )  # fmt: skip

        return local, slab


class _Gaps:
    """Writes gaps for references and placeholders, each as wide as what will fill it."""

    def __init__(
        self, local: Mapping[Key, int], own: bytes, keys: int, spots: Sequence[tuple[str, str]]
    ) -> None:
        self._local = local
        self._own = own
        self._keys = OUTER + len(local)
        self._spots = self._keys + keys
        self._widths = [len(name) + 7 for name, _ in spots]

    def gap(self, found: re.Match[bytes]) -> bytes:
        number, generation, mark, what = found.groups()
        if number is not None:
            return b"\x01%09d\x01" % (OUTER + self._local[int(number), int(generation)])
        if mark != self._own:
            return found[0]
        if what.startswith(b"Key"):
            return b"\x01%09d\x01" % (self._keys + int(what[3:]))
        if what.startswith(b"Spot"):
            spot = int(what[4:])
            return b"\x01%s\x01" % str(self._spots + spot).zfill(self._widths[spot] - 2).encode()
        return b"\x01%09d\x01" % {b"Document": DOCUMENT, b"Font": FONT, b"Veil": VEIL}[what]


class _Raws:
    """Finds where the bytes of streams lie, and by what they are known again."""

    def __init__(
        self,
        pdf: pikepdf.Pdf,
        texts: Mapping[Key, bytes],
        streams: Mapping[Key, Any],
        local: Mapping[Key, int],
        before: int,
        whole: mmap.mmap | None,
    ) -> None:
        self._texts = texts
        self._streams = streams
        self._local = local
        self._before = before
        self._whole = whole
        self._places = pdf.get_xref_table() if whole is not None else {}
        self._samples: dict[Key, bytes] = {}
        self._known: dict[Key, tuple[bytes, tuple[Key, ...]] | None] = {}
        self.data = bytearray()

    def all(self) -> Iterator[Raw]:
        places = {}
        for key, stream in self._streams.items():
            raw = stream.read_raw_bytes()
            self._samples[key] = _sample(raw)
            places[key] = (len(raw), *self._place(key, raw))
        for key, (length, outside, offset) in places.items():
            known = self._alike(key, 0)
            digest, within = known if known is not None else (b"", ())
            sampled = [places[k][1] for k in within if places[k][0] > WHOLE]
            yield Raw(
                length, outside, offset,
                # What is to be compared later must lie in the part's file.
                digest.hex()[:32] if all(sampled) else "",
                tuple(self._local[k] - self._before for k in within), bool(sampled),
            )  # fmt: skip

    def _place(self, key: Key, raw: bytes) -> tuple[bool, int]:
        if len(raw) > _WITHIN and self._whole is not None:
            entry = self._places.get(key)
            if entry is not None and entry.type == 1 and entry.offset is not None:
                begin = int(entry.offset)
                at = self._whole.find(raw[:64], begin, begin + WHOLE)
                # Encrypted, or changed on the way: then the file does not hold these very bytes.
                if at >= 0 and all(
                    self._whole[at + done : at + min(done + _STEP, len(raw))] == raw[done : done + _STEP]
                    for done in range(0, len(raw), _STEP)
                ):
                    return True, at
        offset = len(self.data)
        self.data += raw
        return False, offset

    def _alike(self, key: Key, depth: int) -> tuple[bytes, tuple[Key, ...]] | None:
        """Digest of an object with all that it refers to, and the streams in it; None when it stands alone.

        Layers, pages, tags and whatever refers back to itself belong to one place.
        """
        if key in self._known:
            return self._known[key]
        self._known[key] = None
        text = self._texts.get(key, b"null")
        if depth > 30 or re.search(rb"/Type /(?:OCG|OCMD|Page|Annot|StructElem)\b|/StructParents? ", text):
            return None
        within: list[Key] = []
        digest = hashlib.sha256()
        at = 0
        for found in _TOKEN.finditer(text):
            if found[1] is None:
                continue
            inner = self._alike((int(found[1]), int(found[2])), depth + 1)
            if inner is None:
                return None
            digest.update(text[at : found.start()])
            digest.update(inner[0])
            within += [one for one in inner[1] if one not in within]
            at = found.end()
        digest.update(text[at:])
        if key in self._samples:
            digest.update(self._samples[key])
            within.append(key)
        self._known[key] = digest.digest(), tuple(within)
        return self._known[key]


def _sample(raw: bytes) -> bytes:
    digest = hashlib.sha256(b"%d " % len(raw))
    if len(raw) <= WHOLE:
        digest.update(raw)
    else:
        for at in (0, len(raw) // 2, len(raw) - 4096):
            digest.update(raw[at : at + 4096])
    return digest.digest()


def _untagged(one: Any) -> bool:
    """Take away numbers of tags that no tags answer to."""
    stale = [
        name
        for name in ("/StructParent", "/StructParents")
        if name in one and not isinstance(one[name], Name)
    ]
    for name in stale:
        del one[name]
    return bool(stale)


def _own_annotations(pdf: pikepdf.Pdf, page: Any) -> None:
    found = page.get("/Annots")
    if found is not None:
        ones: list[Any] = list(found.as_list()) if isinstance(found, Array) else []
        page.Annots = Array([
            one if one.is_indirect else pdf.make_indirect(one) for one in ones if isinstance(one, Dictionary)
        ])  # fmt: skip


def _lend(resources: Any, kind: str, name: str, thing: Any) -> str:
    # The dictionary may be shared with forms, which must not change: a copy goes to the pages.
    before = resources.get(kind)
    there = copy.copy(before) if isinstance(before, Dictionary) else Dictionary()
    while name in there:
        name += "_"
    there[name] = thing
    resources[kind] = there
    return name


def packed(slab: Slab) -> bytes:
    """The bytes of a slab, to be kept in a file."""
    told = {
        "members": slab.members, "looks": slab.looks, "keys": slab.keys,
        "pages": [astuple(page) for page in slab.pages], "streams": [astuple(raw) for raw in slab.streams],
        "spots": slab.spots, "layers": slab.layers, "hidden": slab.hidden,
        "bookmarks": [asdict(one) for one in slab.bookmarks], "tags": slab.tags, "tree": slab.tree,
        "leaf": slab.leaf, "named": dict(slab.named),
    }  # fmt: skip
    head = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    starts = array("Q", slab.starts).tobytes()
    sizes = array("Q", [len(head), len(starts), len(slab.text), len(slab.data)]).tobytes()
    body = b"".join((sizes, head, starts, slab.text, slab.data))
    return _MAGIC + hashlib.sha256(body).digest() + body


def unpacked(kept: bytes | mmap.mmap) -> Slab | None:
    """The slab that was kept, or None when these are not its bytes, whole and unchanged."""
    view = memoryview(kept)
    begin = len(_MAGIC) + 32
    if kept[: len(_MAGIC)] != _MAGIC or hashlib.sha256(view[begin:]).digest() != kept[len(_MAGIC) : begin]:
        return None
    sizes = array("Q", bytes(view[begin : begin + 32]))
    ends = list(accumulate(sizes, initial=begin + 32))
    head, starts, text, data = (view[a:b] for a, b in pairwise(ends))
    told = json.loads(bytes(head))
    return Slab(
        text=bytes(text), starts=array("Q", bytes(starts)), data=data,
        members=told["members"], looks=told["looks"], keys=told["keys"],
        pages=tuple(
            Page(tuple(box), turn, font, veil, tuple(contents), tuple(annotations), key)
            for box, turn, font, veil, contents, annotations, key in told["pages"]
        ),
        streams=tuple(
            Raw(length, outside, offset, alike, tuple(within), sampled)
            for length, outside, offset, alike, within, sampled in told["streams"]
        ),
        spots=tuple((name, drawn) for name, drawn in told["spots"]),
        layers=tuple(told["layers"]), hidden=tuple(told["hidden"]),
        bookmarks=tuple(_bookmark(one) for one in told["bookmarks"]),
        tags=Tags(told["tags"]), tree=told["tree"], leaf=told["leaf"], named=told["named"],
    )  # fmt: skip


def _bookmark(told: Mapping[str, Any]) -> Bookmark:
    return Bookmark(told["title"], told["page"], tuple(_bookmark(child) for child in told["children"]))
