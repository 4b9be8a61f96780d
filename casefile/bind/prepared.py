"""Parts made ready to bind, remembered by content: ``work/prepared/``."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from casefile import context as files
from casefile.errors import BadInput
from casefile.formats import pdf_prepare
from casefile.formats.pdf_prepare import Bookmark, Prepared
from casefile.model.document import Part

_EDITION = 1
"""Of the rules of preparation: with another one, nothing remembered is used."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The file to bind for a part."""

    path: Path
    prepared: Prepared


class Preparation:
    """Makes parts ready by the digest that they claim, while other threads check the claim.

    Nothing made from them may leave before :meth:`confirm`.
    """

    def __init__(self, parts: Sequence[Part], folder: Path, pool: ThreadPoolExecutor) -> None:
        self._parts = parts
        self._folder = folder
        self._index = folder / "index.json"
        self._known = _read(self._index)
        self._fresh = False
        self._digests = [pool.submit(_digest, part) for part in parts]

    def ready(self) -> Mapping[str, Ready]:
        """Files to bind, by digest of their part.

        Raises:
            BadInput: BIND-PAGES, BIND-PART-CHANGED, or what :func:`pdf_prepare.prepare` raises.
        """
        found: dict[str, Ready] = {}
        for part in self._parts:
            target = self._folder / f"{part.sha256}.pdf"
            prepared = self._known.get(part.sha256)
            if prepared is None or prepared.rewritten != _size(target, prepared.rewritten):
                prepared = self._prepare(part, target)
            if prepared.pages != part.pages or part.pages < 1:
                raise BadInput("BIND-PAGES", subject=part.title, expected=part.pages, found=prepared.pages)
            found[part.sha256] = Ready(part.pdf if prepared.rewritten is None else target, prepared)
        return found

    def confirm(self) -> None:
        """Make sure that every part was what it claimed to be, and remember what was made.

        Raises:
            BadInput: BIND-PART-MISSING or BIND-PART-CHANGED.
        """
        for part, digest in zip(self._parts, self._digests, strict=True):
            _same(part, digest.result())
        if self._fresh:
            files.write_whole(
                self._index, _written({name: self._known[name] for name in sorted(self._known)})
            )

    def _prepare(self, part: Part, target: Path) -> Prepared:
        try:
            prepared = _prepare(part.pdf, target)
        except BadInput:
            # A part that was changed is told as such, not as unreadable.
            _same(part, _digest(part))
            raise
        if prepared.rewritten is not None:
            _same(part, _digest(part))
        self._known[part.sha256] = prepared
        self._fresh = True
        return prepared


def _size(path: Path, expected: int | None) -> int | None:
    try:
        return path.stat().st_size if expected is not None else None
    except OSError:
        return -1


def _same(part: Part, digest: str) -> None:
    if digest != part.sha256:
        raise BadInput("BIND-PART-CHANGED", subject=part.title, file=part.pdf.name)


def _prepare(source: Path, target: Path) -> Prepared:
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(f".{os.getpid()}.part")
    try:
        prepared = pdf_prepare.prepare(source, beside)
        if prepared.rewritten is not None:
            # Not synced, as it can be made again: after a power cut its size tells whether it is whole.
            beside.replace(target)
        return prepared
    finally:
        beside.unlink(missing_ok=True)


def _digest(part: Part) -> str:
    try:
        with part.pdf.open("rb") as data:
            return hashlib.file_digest(data, "sha256").hexdigest()
    except OSError as error:
        raise BadInput(
            "BIND-PART-MISSING", subject=part.title, file=part.pdf.name, reason=error.strerror
        ) from None


def _read(index: Path) -> dict[str, Prepared]:
    try:
        told = json.loads(index.read_bytes())
        if told["edition"] != _EDITION:
            return {}
        return {
            digest: Prepared(
                pages=one["pages"],
                rewritten=one["rewritten"],
                layers=one["layers"],
                separations=tuple((name, drawn) for name, drawn in one["separations"]),
                bookmarks=tuple(_bookmark(b) for b in one["bookmarks"]),
            )
            for digest, one in told["parts"].items()
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # a cache: what can't be read is made again


def _bookmark(told: Mapping[str, Any]) -> Bookmark:
    return Bookmark(told["title"], told["page"], tuple(_bookmark(child) for child in told["children"]))


def _written(parts: Mapping[str, Prepared]) -> bytes:
    told = {"edition": _EDITION, "parts": {digest: asdict(one) for digest, one in parts.items()}}
    return json.dumps(told, ensure_ascii=False, indent=1).encode()
