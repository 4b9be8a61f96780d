"""Makes a part that is valid by itself safe to stand with others under one sRGB output intent (ISO 19005-3).

What is repaired here is invisible in a part alone: its own CMYK intent, its form fields, layers, named
destinations, drawing state that it leaves open. Scans need nothing and are bound as they are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

HIDDEN_LAYER = Name("/CasefileHidden")
"""Marks a layer that is off: the list of layers gets lost when pages are taken over, and is made anew."""

_BOOKMARK_LEVELS = 3
_BOOKMARKS = 500
_NESTED = (Dictionary, Array, Stream)
_UPWARD = ("/Parent", "/P", "/Popup", "/Dest", "/A", "/D", "/IRT")
_STATE = re.compile(rb"(?<![^\s\[\]()<>])([qQ])(?![^\s\[\]()<>/])")


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A bookmark of the part's own: page index from 0."""

    title: str
    page: int
    children: tuple[Bookmark, ...] = ()


def repaired(pdf: pikepdf.Pdf, pages: list[Any]) -> tuple[Bookmark, ...]:
    """Make the open part safe in memory; gives its own bookmarks."""
    bookmarks = tuple(_bookmarks(pdf, pages))
    _explicit_destinations(pdf, pages)
    _flat_forms(pdf, pages)
    _own_colours(pdf, pages)
    _mark_hidden(pdf, pages)
    _closed_state(pdf, pages)
    return bookmarks


def separation_arrays(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """Every ``[/Separation name alternate tint]`` that a page uses, but the colourless /All and /None."""
    # From the pages down: a walk over all objects would read the tags, which are most of an office document.
    seen: set[tuple[int, int]] = set()
    waiting: list[Any] = [page.obj for page in pdf.pages]
    while waiting:
        one = waiting.pop()
        if one.is_indirect:
            if one.objgen in seen:
                continue
            seen.add(one.objgen)
        if isinstance(one, Array):
            inner: list[Any] = list(one.as_list())
            if (
                len(inner) == 4
                and inner[0] == Name.Separation
                and inner[1] not in (Name("/All"), Name("/None"))
            ):
                yield one
        else:
            inner = [value for key, value in one.items() if key not in _UPWARD]
        waiting += [value for value in inner if isinstance(value, _NESTED)]


def drawn(array: Any) -> str:
    """Digest of how a spot colour looks: ISO 19005-2 clause 6.2.4.4 wants one look for one name."""
    digest = hashlib.md5(usedforsecurity=False)
    for value in (array[2], array[3]):
        _feed(digest, value, 0)
    return digest.hexdigest()


def _feed(digest: Any, value: Any, depth: int) -> None:
    if depth > 30:
        return
    if isinstance(value, Stream):
        digest.update(value.read_raw_bytes())
        value = value.stream_dict
    if isinstance(value, Dictionary):
        for key, inner in sorted(value.items()):
            if key not in ("/Length", "/Metadata"):
                digest.update(key.encode())
                _feed(digest, inner, depth + 1)
    elif isinstance(value, Array):
        digest.update(b"[")
        for inner in value.as_list():
            _feed(digest, inner, depth + 1)
    else:
        digest.update(value.unparse() if isinstance(value, pikepdf.Object) else repr(value).encode())


def _explicit_destinations(pdf: pikepdf.Pdf, pages: list[Any]) -> None:
    # Names of destinations belong to the file, not to the page, and would be lost.
    named = _named(pdf)
    if not named:
        return
    for page in pages:
        for annotation in page.get("/Annots", Array()).as_list():
            for holder, key in ((annotation, "/Dest"), (annotation.get("/A"), "/D")):
                wanted = holder.get(key) if isinstance(holder, Dictionary) else None
                if isinstance(wanted, Name | pikepdf.String):
                    found = named.get(
                        str(wanted).removeprefix("/") if isinstance(wanted, Name) else str(wanted)
                    )
                    if found is not None:
                        holder[key] = found


def _named(pdf: pikepdf.Pdf) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "/Dests" in pdf.Root:
        found.update((key.removeprefix("/"), value) for key, value in pdf.Root.Dests.items())
    if "/Names" in pdf.Root and "/Dests" in pdf.Root.Names:
        found.update(pikepdf.NameTree(pdf.Root.Names.Dests).items())
    return {
        key: value.D if isinstance(value, Dictionary) and "/D" in value else value
        for key, value in found.items()
    }


def _flat_forms(pdf: pikepdf.Pdf, pages: list[Any]) -> None:
    # A signature carried over would cover bytes that are gone; its look stays, its proof is in the original.
    if Name.AcroForm not in pdf.Root:
        return
    pdf.generate_appearance_streams()
    pdf.flatten_annotations("all")
    del pdf.Root.AcroForm


def _own_colours(pdf: pikepdf.Pdf, pages: list[Any]) -> None:
    # Device colours of the part mean its own output intent, not ours: tie them to it.
    profile = next(
        (
            i.DestOutputProfile
            for i in pdf.Root.get("/OutputIntents", Array()).as_list()
            if "/DestOutputProfile" in i
        ),
        None,
    )
    components = int(profile.get("/N", 0)) if profile is not None else 0
    if components == 4:
        key = "/DefaultCMYK"
    elif components == 3 and profile is not None and not _is_srgb(profile.read_bytes()):
        key = "/DefaultRGB"
    else:
        return
    space = pdf.make_indirect(Array([Name.ICCBased, profile]))
    holders = [one for one in pdf.objects if isinstance(one, Dictionary | Stream) and "/Resources" in one]
    for holder in (*pages, *holders):
        resources = holder.get("/Resources")
        if isinstance(resources, Dictionary):
            spaces = resources.get("/ColorSpace")
            if spaces is None:
                resources.ColorSpace = Dictionary({key: space})
            elif key not in spaces:
                spaces[key] = space


def _is_srgb(profile: bytes) -> bool:
    return b"sRGB" in profile or "sRGB".encode("utf-16-be") in profile


def _mark_hidden(pdf: pikepdf.Pdf, pages: list[Any]) -> None:
    if Name.OCProperties not in pdf.Root:
        return
    properties = pdf.Root.OCProperties
    default = properties.get("/D", Dictionary())
    off = list(default.get("/OFF", Array()).as_list())
    if default.get("/BaseState") == Name.OFF:
        on = {group.objgen for group in default.get("/ON", Array()).as_list()}
        off = [group for group in properties.get("/OCGs", Array()).as_list() if group.objgen not in on]
    for group in off:
        group[HIDDEN_LAYER] = True


def _closed_state(pdf: pikepdf.Pdf, pages: list[Any]) -> None:
    # A page that leaves q open would move and turn whatever is drawn after it.
    for page in pages:
        contents = page.get("/Contents")
        if contents is None:
            continue
        streams = contents.as_list() if isinstance(contents, Array) else [contents]
        text = b"\n".join(stream.read_bytes() for stream in streams)
        found = _STATE.findall(text)
        if found.count(b"q") == found.count(b"Q"):
            continue
        # The quick look takes a q inside of a string for an operator: read it properly.
        depth = lowest = 0
        for instruction in pikepdf.parse_content_stream(page, "q Q"):
            depth += 1 if str(instruction.operator) == "q" else -1
            lowest = min(lowest, depth)
        if depth or lowest:
            page.Contents = Array([
                pdf.make_stream(b"q " * -lowest), *streams, pdf.make_stream(b"\n" + b"Q " * (depth - lowest)),
            ])  # fmt: skip


def _bookmarks(pdf: pikepdf.Pdf, pages: list[Any]) -> Iterator[Bookmark]:
    if Name.Outlines not in pdf.Root:
        return
    named = _named(pdf)
    index = {page.objgen: number for number, page in enumerate(pages)}
    left = [_BOOKMARKS]

    def read(items: Any, level: int) -> Iterator[Bookmark]:
        for item in items:
            if left[0] <= 0:
                return
            left[0] -= 1
            children = tuple(read(item.children, level + 1)) if level < _BOOKMARK_LEVELS else ()
            page = _target(item, named, index)
            if page is not None:
                yield Bookmark(" ".join(item.title.split()), page, children)

    try:
        with pdf.open_outline(max_depth=_BOOKMARK_LEVELS) as outline:
            yield from list(read(outline.root, 1))
    except (pikepdf.PdfError, pikepdf.OutlineStructureError):
        return  # bookmarks help to find pages; a broken list of them is no reason to refuse the part


def _target(item: Any, named: dict[str, Any], index: dict[Any, int]) -> int | None:
    wanted = item.destination
    if wanted is None and isinstance(item.action, Dictionary) and item.action.get("/S") == Name.GoTo:
        wanted = item.action.get("/D")
    if isinstance(wanted, Name | pikepdf.String | str):
        wanted = named.get(str(wanted).removeprefix("/"))
    if isinstance(wanted, Array) and len(wanted) and isinstance(wanted[0], Dictionary):
        return index.get(wanted[0].objgen)
    return None
