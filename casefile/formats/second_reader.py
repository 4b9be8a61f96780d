"""A PDF file read by pypdf, which had no part in writing it: the second opinion of ``verify``.

Nothing here trusts the file. Whatever the library stumbles over is one exception, :class:`Unreadable`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pypdf import PdfReader

# Its warnings are for programmers; what matters comes back as findings.
logging.getLogger("pypdf").addHandler(logging.NullHandler())
logging.getLogger("pypdf").propagate = False

_MAX_ATTACHMENT = 16 * 1024 * 1024
_MAX_OUTLINE = 100_000

T = TypeVar("T")


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

    def sheets(self) -> int:
        """How many pages there are."""
        return _guarded(lambda: len(self._pdf.pages))

    def labels(self) -> list[str]:
        """The label that a viewer shows for each page."""
        return _guarded(lambda: list(self._pdf.page_labels))

    def text(self, sheet: int) -> str:
        """Text of one page."""
        return _guarded(lambda: str(self._pdf.pages[sheet].extract_text()))

    def attachment(self, name: str) -> bytes | None:
        """The embedded file of that name, or None.

        Raises:
            Unreadable: also when there are two of the name, or it is larger than any of ours.
        """
        return _guarded(lambda: self._attachment(name))

    def outline(self) -> list[tuple[int, str, int]]:
        """Bookmarks in order: depth from 0, title, sheet."""
        return _guarded(lambda: self._flat(self._pdf.outline, 0))

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


def _guarded(look: Callable[[], T]) -> T:
    try:
        return look()
    except Unreadable:
        raise
    except Exception as error:  # hostile files raise nearly everything
        raise Unreadable(f"{type(error).__name__}: {' '.join(str(error).split())[:160]}") from error
