"""Parts laid out to be bound, remembered by content: ``work/prepared/``."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from casefile import context as files
from casefile.errors import BadInput
from casefile.formats.pdf import pdf_slab
from casefile.formats.pdf.pdf_prepare import Bookmark
from casefile.formats.pdf.pdf_slab import Slab
from casefile.formats.pdf.pdf_tags import Tags
from casefile.model.document import Part

_EDITION = 2
"""Of the rules of preparation: with another one, nothing remembered is used."""
_WORTH = 40
"""Parts to lay out for which starting a process beside pays."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A part and its slab. ``tags`` says what became of the part's tags."""

    path: Path
    slab: Path
    pages: int
    size: int
    bookmarks: tuple[Bookmark, ...]
    tags: Tags


class Preparation:
    """Lays parts out by the digest that they claim, while other threads check the claim.

    Nothing made from them may leave before :meth:`confirm`.
    """

    def __init__(self, parts: Sequence[Part], folder: Path, pool: ThreadPoolExecutor) -> None:
        self._parts = parts
        self._folder = folder
        self._index = folder / "index.json"
        self._known = _read(self._index)
        self._digests = [pool.submit(_digest, part) for part in parts]

    def ready(self) -> Mapping[str, Ready]:
        """What to bind, by digest of the part.

        Raises:
            BadInput: BIND-PAGES, BIND-PART-CHANGED, or what :func:`pdf_slab.cut` raises.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        found: dict[str, Ready] = {}
        missing = [part for part in _each_once(self._parts) if not self._at_hand(part)]
        with _beside([(part, self._slab(part)) for part in missing]) as mine:
            for part, _ in mine:
                self._prepare(part)
        for part in self._parts:
            if part.sha256 not in found:
                if not self._at_hand(part):
                    self._prepare(part)
                found[part.sha256] = _ready(part.pdf, self._slab(part), self._known[part.sha256])
            pages = found[part.sha256].pages
            if pages != part.pages or part.pages < 1:
                raise BadInput("BIND-PAGES", subject=part.title, expected=part.pages, found=pages)
        return found

    def confirm(self) -> None:
        """Make sure that every part was what it claimed to be; remember what was made, forget the rest.

        Raises:
            BadInput: BIND-PART-MISSING or BIND-PART-CHANGED.
        """
        for part, digest in zip(self._parts, self._digests, strict=True):
            _same(part, digest.result())
        used = sorted({part.sha256 for part in self._parts})
        kept = {digest: self._known[digest] for digest in used if digest in self._known}
        told = json.dumps({"edition": _EDITION, "parts": kept}, ensure_ascii=False, indent=1).encode()
        if not self._index.is_file() or self._index.read_bytes() != told:
            files.write_whole(self._index, told)
        wanted = {self._index.name, *(f"{digest}.slab" for digest in used)}
        for path in self._folder.iterdir():
            if path.name not in wanted:
                path.unlink(missing_ok=True)

    def _slab(self, part: Part) -> Path:
        return slab_of(part, self._folder)

    def _at_hand(self, part: Part) -> bool:
        path = self._slab(part)
        size = _size(path)
        known = self._known.get(part.sha256)
        if known is None and size >= 0:
            # A run that was killed, a process beside or the stage that made the part left it.
            slab = pdf_slab.read(path)
            if slab is not None:
                known = self._known[part.sha256] = _told(slab, size)
        return known is not None and known["size"] == size

    def _prepare(self, part: Part) -> None:
        try:
            self._known[part.sha256] = make(part.pdf, part.sha256, self._slab(part))
        except BadInput:
            # A part that was changed is told as such, not as unreadable.
            _same(part, _digest(part))
            raise


def lay_out(parts: Sequence[Part], folder: Path) -> None:
    """Make the slabs of new parts; what can't be laid out is left for binding to name."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [
        (part, slab_of(part, folder)) for part in _each_once(parts) if not slab_of(part, folder).is_file()
    ]
    with _beside(missing) as mine:
        for part, target in mine:
            with suppress(BadInput):
                make(part.pdf, part.sha256, target)


def slab_of(part: Part, folder: Path) -> Path:
    """Where the slab of a part is kept."""
    return folder / f"{part.sha256}.slab"


@contextmanager
def _beside(missing: Sequence[tuple[Part, Path]]) -> Iterator[Sequence[tuple[Part, Path]]]:
    """Which of ``missing`` to make here, while another process makes the others."""
    if len(missing) < _WORTH:
        yield missing
        return
    # By turns, since parts of a kind stand together.
    theirs = [(str(part.pdf.absolute()), part.sha256, str(path)) for part, path in missing[1::2]]
    command = [sys.executable, "-m", "casefile.formats.pdf.slab_worker"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as other:
        assert other.stdin is not None
        # Should it die, its share is made here.
        with suppress(BrokenPipeError), other.stdin:
            other.stdin.write(json.dumps(theirs).encode())
        try:
            yield missing[::2]
        except BaseException:
            other.kill()
            raise


def _each_once(parts: Sequence[Part]) -> list[Part]:
    return list({part.sha256: part for part in reversed(parts)}.values())[::-1]


def make(source: Path, digest: str, target: Path) -> dict[str, Any]:
    """Lay a part out in ``target``; what the index remembers of it.

    Raises:
        BadInput: what :func:`pdf_slab.cut` raises.
    """
    return _told(*pdf_slab.keep(source, digest, target))


def _told(slab: Slab, size: int) -> dict[str, Any]:
    return {
        "pages": len(slab.pages), "size": size, "tags": slab.tags,
        "bookmarks": [asdict(one) for one in slab.bookmarks],
    }  # fmt: skip


def _ready(part: Path, slab: Path, told: Mapping[str, Any]) -> Ready:
    return Ready(
        part, slab, told["pages"], told["size"], tuple(_bookmark(b) for b in told["bookmarks"]),
        Tags(told["tags"]),
    )  # fmt: skip


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _same(part: Part, digest: str) -> None:
    if digest != part.sha256:
        raise BadInput("BIND-PART-CHANGED", subject=part.title, file=part.pdf.name)


def _digest(part: Part) -> str:
    try:
        with part.pdf.open("rb") as data:
            return hashlib.file_digest(data, "sha256").hexdigest()
    except OSError as error:
        raise BadInput(
            "BIND-PART-MISSING", subject=part.title, file=part.pdf.name, reason=error.strerror
        ) from None


def _read(index: Path) -> dict[str, dict[str, Any]]:
    try:
        told = json.loads(index.read_bytes())
        if told["edition"] != _EDITION:
            return {}
        # Looked at once, so that what is not as it should be is made again.
        return {digest: one for digest, one in told["parts"].items() if _ready(index, index, one)}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _bookmark(told: Mapping[str, Any]) -> Bookmark:
    return Bookmark(told["title"], told["page"], tuple(_bookmark(child) for child in told["children"]))
