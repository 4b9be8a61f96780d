"""A PDF file read by pypdf, which had no part in writing it: the second opinion of ``verify``.

Nothing here trusts the file. Whatever the library stumbles over is one exception, :class:`Unreadable`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pypdf import PdfReader
from pypdf.generic import ArrayObject

# Its warnings are for programmers; what matters comes back as findings.
logging.getLogger("pypdf").addHandler(logging.NullHandler())
logging.getLogger("pypdf").propagate = False

_MAX_ATTACHMENT = 16 * 1024 * 1024
_MAX_OUTLINE = 100_000

_STAMP = re.compile(
    rb"Q (?:/Artifact BMC )?q [-\d. ]+ cm .*BT (/\S+) [\d.]+ Tf 0 g <([0-9a-f]+)> Tj ET Q(?: EMC)?", re.DOTALL
)
_PAIR = re.compile(rb"<([0-9A-Fa-f]{4})> *<([0-9A-Fa-f]{4})>")

Box = tuple[float, float, float, float]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Word:
    """A run of text and the point at which it begins, in points from the lower left."""

    text: str
    x: float
    y: float


class Unreadable(Exception):
    """The file, or this side of it, can't be read; the message is the library's."""


class SecondReader:
    """One open file. Sheets count from 0."""

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            Unreadable: when it is no PDF, damaged, or locked.
        """
        self._pdf: PdfReader = _guarded(lambda: PdfReader(path, strict=False))
        if _guarded(lambda: self._pdf.is_encrypted):
            raise Unreadable("encrypted")
        self._digits: dict[int, dict[bytes, str]] = {}
        self._places: dict[int, int] = {}

    def sheets(self) -> int:
        """How many pages there are."""
        return _guarded(lambda: len(self._pdf.pages))

    def labels(self) -> list[str]:
        """The label that a viewer shows for each page."""
        return _guarded(lambda: list(self._pdf.page_labels))

    def text(self, sheet: int) -> str:
        """Text of one page."""
        return _guarded(lambda: str(self._pdf.pages[sheet].extract_text()))

    def words(self, sheet: int) -> list[Word]:
        """Runs of text of one page, each with its place."""
        return _guarded(lambda: self._words(sheet))

    def stamp(self, sheet: int) -> str | None:
        """The page number that binding put on a page as its last stream; None when there is none."""
        return _guarded(lambda: self._stamp(sheet))

    def links(self, sheet: int) -> list[tuple[Box, int]]:
        """Places to click on one page, in order, and the sheet to which each leads; -1 for nowhere."""
        return _guarded(lambda: self._links(sheet))

    def attachment(self, name: str) -> bytes | None:
        """The embedded file of that name, or None.

        Raises:
            Unreadable: also when there are two of the name, or it is larger than any of ours.
        """
        return _guarded(lambda: self._attachment(name))

    def outline(self) -> list[tuple[int, str, int]]:
        """Bookmarks in order: depth from 0, title, sheet."""
        return _guarded(lambda: self._flat(self._pdf.outline, 0))

    def _words(self, sheet: int) -> list[Word]:
        words: list[Word] = []

        def met(text: str, matrix: list[float], inner: list[float], *_: Any) -> None:
            if text.strip():
                x, y = inner[4], inner[5]
                a, b, c, d, e, f = matrix
                words.append(Word(text, a * x + c * y + e, b * x + d * y + f))

        self._pdf.pages[sheet].extract_text(visitor_text=met)
        return words

    def _stamp(self, sheet: int) -> str | None:
        page = self._pdf.pages[sheet]
        contents = page["/Contents"].get_object() if "/Contents" in page else None
        if not isinstance(contents, ArrayObject) or not contents:
            return None
        found = _STAMP.fullmatch(contents[-1].get_object().get_data().strip())
        if found is None:
            return None
        resources: Any = page["/Resources"]
        font = resources["/Font"][found[1].decode()]
        if font.indirect_reference is None or font.indirect_reference.idnum not in self._digits:
            pairs = dict(_PAIR.findall(font["/ToUnicode"].get_data()))
            digits = {code.lower(): chr(int(text, 16)) for code, text in pairs.items()}
            if font.indirect_reference is None:
                return _spelt(found[2], digits)
            self._digits[font.indirect_reference.idnum] = digits
        return _spelt(found[2], self._digits[font.indirect_reference.idnum])

    def _links(self, sheet: int) -> list[tuple[Box, int]]:
        if not self._places:
            self._places = {
                page.indirect_reference.idnum: at
                for at, page in enumerate(self._pdf.pages)
                if page.indirect_reference is not None
            }
        found: list[tuple[Box, int]] = []
        for reference in self._pdf.pages[sheet].get("/Annots", ArrayObject()).get_object():
            one = reference.get_object()
            if one.get("/Subtype") != "/Link":
                continue
            destination = one.get("/Dest", ArrayObject()).get_object()
            target = destination[0] if isinstance(destination, ArrayObject) and destination else None
            left, bottom, right, top = (float(n) for n in one["/Rect"])
            found.append(((left, bottom, right, top), self._places.get(getattr(target, "idnum", -1), -1)))
        return found

    def _attachment(self, name: str) -> bytes | None:
        found = list(self._pdf.attachments.get(name, []))
        if not found:
            return None
        if len(found) > 1 or len(found[0]) > _MAX_ATTACHMENT:
            raise ValueError(f"{len(found)} attachments {name}")
        return bytes(found[0])

    def _flat(self, nodes: list[Any], depth: int) -> list[tuple[int, str, int]]:
        flat: list[tuple[int, str, int]] = []
        for node in nodes:
            if isinstance(node, list):
                flat += self._flat(node, depth + 1)
            else:
                sheet = self._pdf.get_destination_page_number(node)
                flat.append((depth, str(node.title), -1 if sheet is None else sheet))
            if len(flat) > _MAX_OUTLINE:
                raise ValueError("endless outline")
        return flat


def _spelt(codes: bytes, digits: dict[bytes, str]) -> str:
    return "".join(digits.get(codes[at : at + 4], "�") for at in range(0, len(codes), 4))


def _guarded(look: Callable[[], T]) -> T:
    try:
        return look()
    except Unreadable:
        raise
    except Exception as error:  # hostile files raise nearly everything
        raise Unreadable(f"{type(error).__name__}: {' '.join(str(error).split())[:160]}") from error
