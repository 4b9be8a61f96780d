"""The tags of a part (structure tree), made fit to stand among those of others.

ISO 32000-1, 14.7: a tree of elements, whose leaves name marked pieces of pages, and a second tree that leads
from the number of a page back to them. What depends on the file as a whole is resolved into the elements:
a type of the maker's own becomes the standard type that it stands for, a class its attributes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

_MOST = 1_000_000
_DEEP = 500
_OF_ELEMENTS = {"/ID", "/C", "/NS", "/Ref", "/AF", "/R", "/Metadata"}
_STANDARD = {
    "/Document", "/Part", "/Art", "/Sect", "/Div", "/BlockQuote", "/Caption", "/TOC", "/TOCI", "/Index",
    "/NonStruct", "/Private", "/P", "/H", "/H1", "/H2", "/H3", "/H4", "/H5", "/H6", "/L", "/LI", "/Lbl",
    "/LBody", "/Table", "/TR", "/TH", "/TD", "/THead", "/TBody", "/TFoot", "/Span", "/Quote", "/Note",
    "/Reference", "/BibEntry", "/Code", "/Link", "/Annot", "/Ruby", "/RB", "/RT", "/RP", "/Warichu",
    "/WT", "/WP", "/Figure", "/Formula", "/Form",
}  # fmt: skip
"""Types of elements, ISO 32000-1, 14.8.4."""


_PLAIN = re.compile(
    rb"<< (?:/A \d+ 0 R )?(?:/K (\[[\d R]*\]|\d+|\d+ 0 R) )?/P (\d+) 0 R (?:/Pg (\d+) 0 R )?/S (/\w+) "
    rb"(?:/Type /StructElem )?>>"
)
_KID = re.compile(rb"(\d+) 0 R")


class Tags(StrEnum):
    """What became of the tags of a part."""

    NONE = "none"
    KEPT = "kept"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Tree:
    """Objects that hold the tags: an element with all of them, the way back from ``keys`` numbers."""

    root: tuple[int, int]
    leaf: tuple[int, int]
    keys: int


class _BrokenError(Exception):
    pass


def tidy(
    pdf: pikepdf.Pdf, pages: Sequence[Any], placeholder: Callable[[str], Name]
) -> tuple[Tree | None, Tags]:
    """Turn the root of the tags into an element; numbers of pages become ``placeholder("Key0")`` and so on.

    Tags that are broken are dropped, so that they don't cost the part its place in the volume.
    """
    root = pdf.Root.get("/StructTreeRoot")
    if root is None:
        return None, Tags.NONE
    try:
        if not isinstance(root, Dictionary) or not root.is_indirect:
            raise _BrokenError
        back = _numbers(root.get("/ParentTree"))
        _Walk(pdf, root, pages).all()
        numbered = list(_numbered(pdf, pages, back))
        if not numbered:
            raise _BrokenError
    except (_BrokenError, pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        for page in pages:
            for holder in (page, *page.get("/Annots", Array()).as_list()):
                for name in ("/StructParents", "/StructParent"):
                    if name in holder:
                        del holder[name]
        return None, Tags.DROPPED
    nums = Array()
    for key, (holder, name, value) in enumerate(numbered):
        holder[name] = placeholder(f"Key{key}")
        nums.append(placeholder(f"Key{key}"))
        nums.append(value)
    limits = Array([nums[0], placeholder(f"Key{len(numbered) - 1}")])
    leaf = pdf.make_indirect(Dictionary(Limits=limits, Nums=nums))
    kids = root.get("/K", Array())
    language = pdf.Root.get("/Lang")
    for name in list(root.keys()):
        del root[name]
    root.Type, root.S, root.K, root.P = Name.StructElem, Name.Part, kids, placeholder("Document")
    if isinstance(language, pikepdf.String):
        root.Lang = language
    return Tree(root.objgen, leaf.objgen, len(numbered)), Tags.KEPT


def _numbers(tree: Any) -> dict[int, Any]:
    """A number tree as it should be, without trust in its limits."""
    found: dict[int, Any] = {}
    seen: set[tuple[int, int]] = set()
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Dictionary):
            raise _BrokenError
        if node.is_indirect:
            if node.objgen in seen:
                raise _BrokenError
            seen.add(node.objgen)
        nums = node.get("/Nums")
        if isinstance(nums, Array):
            flat = nums.as_list()
            found.update((int(number), value) for number, value in zip(flat[::2], flat[1::2], strict=True))
        kids = node.get("/Kids")
        if isinstance(kids, Array):
            waiting += kids.as_list()
    return found


def _numbered(pdf: pikepdf.Pdf, pages: Sequence[Any], back: dict[int, Any]) -> Iterator[tuple[Any, str, Any]]:
    for page in pages:
        yield from _one(page, "/StructParents", back, Array)
        for annotation in page.get("/Annots", Array()).as_list():
            yield from _one(annotation, "/StructParent", back, Dictionary)
    for one in pdf.objects:
        if isinstance(one, Stream):
            yield from _one(one.stream_dict, "/StructParents", back, Array)
            yield from _one(one.stream_dict, "/StructParent", back, Dictionary)


def _one(holder: Any, name: str, back: dict[int, Any], kind: type) -> Iterator[tuple[Any, str, Any]]:
    number = holder.get(name)
    if not isinstance(number, int):
        return
    value = back.get(number)
    if isinstance(value, kind):
        yield holder, name, value
    else:
        del holder[name]


class _Walk:
    """Visits every element once."""

    def __init__(self, pdf: pikepdf.Pdf, root: Any, pages: Sequence[Any]) -> None:
        self._get = pdf.get_object
        self._root = root
        self._pages = {page.objgen for page in pages}
        self._annotations = {one.objgen for page in pages for one in page.get("/Annots", Array()).as_list()}
        self._roles = {key: str(value) for key, value in root.get("/RoleMap", Dictionary()).items()}
        self._classes = root.get("/ClassMap", Dictionary())
        self._known: dict[str, str] = {}

    def all(self) -> None:
        """Go through the tree.

        Raises:
            _BrokenError: it is none, or has no end.
        """
        seen = {self._root.objgen}
        waiting = [(self._root, kid, 0) for kid in self._kids(self._root)]
        while waiting:
            parent, one, depth = waiting.pop()
            if not one.is_indirect or one.objgen in seen or len(seen) > _MOST or depth > _DEEP:
                raise _BrokenError
            if one.get("/Type") in (Name.MCR, Name.OBJR):
                self._kids(parent)
                continue
            seen.add(one.objgen)
            kids = self._plain(one, parent)
            if kids is None:
                above = one.get("/P")
                if not isinstance(above, Dictionary) or above.objgen != parent.objgen:
                    one.P = parent
                self._element(one)
                kids = self._kids(one)
            waiting += [(one, kid, depth + 1) for kid in kids]

    def _plain(self, one: Any, parent: Any) -> list[Any] | None:
        """The kids of an element in which nothing is to be mended; None when it has to be looked at closely.

        Nearly all are of this kind, and reading their text is many times faster than asking entry by entry.
        """
        found = _PLAIN.fullmatch(one.unparse(resolved=True))
        if found is None:
            return None
        kids, above, page, named = found.groups()
        if (int(above), 0) != parent.objgen or (page is not None and (int(page), 0) not in self._pages):
            return None
        name = named.decode("ascii")
        role = self._role(name)
        if role != name:
            one.S = Name(role)
        inner = [self._get((int(number), 0)) for number in _KID.findall(kids or b"")]
        return inner if all(isinstance(kid, Dictionary) for kid in inner) else None

    def _element(self, one: Any) -> None:
        named = str(one.S)
        role = self._role(named)
        if role != named:
            one.S = Name(role)
        stale = _OF_ELEMENTS & one.keys()
        if "/C" in stale:
            self._attributed(one)
        for name in stale:
            del one[name]
        page = one.get("/Pg")
        if page is not None and page.objgen not in self._pages:
            del one["/Pg"]

    def _role(self, named: str) -> str:
        known = self._known.get(named)
        if known is None:
            known, passed = named, set()
            while known not in _STANDARD and known in self._roles and known not in passed:
                passed.add(known)
                known = self._roles[known]
            if known not in _STANDARD:
                known = "/NonStruct"
            self._known[named] = known
        return known

    def _attributed(self, one: Any) -> None:
        names = one.C.as_list() if isinstance(one.C, Array) else [one.C]
        found: list[Any] = []
        for name in names:
            value = self._classes.get(str(name)) if isinstance(name, Name) else None
            found += value.as_list() if isinstance(value, Array) else [value] if value is not None else []
        if found:
            own = one.get("/A")
            # The later prevails, and what an element says of itself prevails over its class.
            found += own.as_list() if isinstance(own, Array) else [own] if own is not None else []
            one.A = Array(found)

    def _kids(self, one: Any) -> list[Any]:
        """The elements within; what a volume can't hold is taken out."""
        kids = one.get("/K")
        if kids is None:
            return []
        ones = list(kids.as_list()) if isinstance(kids, Array) else [kids]
        kept, elements = [], []
        for kid in ones:
            if not isinstance(kid, int):
                if not isinstance(kid, Dictionary):
                    continue
                kind = kid.get("/Type")
                if kind == Name.StructElem or kind is None:
                    elements.append(kid)
                elif not self._stays(kid, kind):
                    continue
            kept.append(kid)
        if len(kept) < len(ones):
            one.K = Array(kept)
        return elements

    def _stays(self, kid: Any, kind: Any) -> bool:
        if kind == Name.OBJR:
            # A field that was flattened is no annotation any more.
            target = kid.get("/Obj")
            return isinstance(target, Stream) or (
                isinstance(target, Dictionary) and target.objgen in self._annotations
            )
        page = kid.get("/Pg")
        return kind == Name.MCR and (page is None or page.objgen in self._pages)
