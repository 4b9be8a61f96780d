"""The watcher: what is in ``cases/`` is what ``scandir`` says, events are only a hint to look sooner.

Every round compares the files on disk with what the database remembers of them, reads new and changed ones
for secrets, and audits all cases. A file that was read is remembered by its size and the time of its last
change, with the findings it gave; neither content nor digest is kept. A file that is still being written is
not looked at yet and said to be so. One file's trouble never stops the rest.

The change time of the inode (ctime) is what counts, not the modification time: Windows and ``cp -p`` set an
old modification time while the bytes are still coming, and anybody can set it back afterwards.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import SQLAlchemyError
from watchdog import events
from watchdog.observers import Observer

from casefile import __version__, database, scanning
from casefile.audit import audit, heartbeat, report_json, report_text
from casefile.audit.sides import is_half_written, is_litter, printable
from casefile.audit.words import say
from casefile.context import Context
from casefile.database import FileState
from casefile.errors import CasefileError
from casefile.formats.containers.zip_bounds import Bounds
from casefile.model.finding import Finding, NotLookedAt, Report, merge

INTERVAL = 60.0
"""Seconds between two rounds when nothing hints at a change."""

SETTLE = 2.0
"""Seconds for which a file must have stood still before it is read."""

_SCANNERS = "*"
_CHUNK = 2_000
"""Files that are compared at a time: memory stays the same from ten cases to ten thousand."""
_BATCH = 100
"""Files after which what was read is written down, so that a killed run goes on where it was."""

# Without the filter watchdog 7.1 watches its own recovery walk and floods itself above 5,000 folders.
_EVENTS: list[type[events.FileSystemEvent]] = [
    events.FileCreatedEvent,
    events.FileClosedEvent,
    events.FileMovedEvent,
    events.FileDeletedEvent,
    events.DirCreatedEvent,
    events.DirMovedEvent,
    events.DirDeletedEvent,
]

_NOT_SCANNED = ("work", "case.yaml")
"""In a case folder: what is made from the rest, and what the audit reads."""

_File = tuple[str, int, int, int, str, str]
"""Shown path, size, time of the last change, mode, folder, name: bare, for there are a great many."""

_Told = tuple[list[Finding], list[NotLookedAt]]
_NOTHING: _Told = ([], [])

_Stamp = tuple[int, int]
"""Size and time of the last change in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file on disk. ``shown`` is its path in the workspace, as it is stored and reported."""

    path: str
    shown: str
    size: int
    changed_ns: int
    regular: bool

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.shown.rpartition("/")[2]

    @property
    def stamp(self) -> _Stamp:
        """What a changed file can't keep as it was."""
        return self.size, self.changed_ns


@dataclass(slots=True)
class Reconciled:
    """What one look over ``cases/`` gave."""

    files: int = 0
    fresh: list[Seen] = field(default_factory=list)
    """New and changed files."""
    gone: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    """Remembered of unchanged files."""
    not_looked_at: list[NotLookedAt] = field(default_factory=list)


def watch(
    context: Context,
    *,
    stop: Callable[[], bool],
    on_report: Callable[[Report], None],
    interval: float = INTERVAL,
    settle: float = SETTLE,
) -> None:
    """Look again and again until ``stop`` says so; every round's report goes to ``on_report``."""
    hint = threading.Event()
    with _hints(context.workspace.cases, hint):
        try:
            while not stop():
                hint.clear()
                report, restless = _round(context, settle, interval)
                on_report(report)
                _pause(hint, settle if restless else interval, settle, stop)
        finally:
            heartbeat.beat(context, interval=0)


def follow(context: Context, *, as_json: bool = False) -> None:
    """Watch until interrupted; print each report that differs from the one before."""
    last: list[Report] = []

    def tell(report: Report) -> None:
        if last != [report]:
            last[:] = [report]
            if as_json:
                print(report_json.written(report, context.lang), flush=True)
            else:
                report_text.show(report, context.lang)

    watch(context, stop=lambda: False, on_report=tell)


def watch_once(context: Context, *, settle: float = SETTLE, wait: bool = True) -> Report:
    """Look over everything once. With ``wait``, young files get ``settle`` seconds to stand."""
    return _look(context, settle, wait=wait, interval=0)[0]


def reconcile(context: Context) -> Reconciled:
    """Compare the files under ``cases/`` with what is remembered of them; reads no file."""
    found = Reconciled()
    start = ""
    chunk: list[_File] = []
    for key, path, is_folder in _top(found, context):
        shown = f"{context.workspace.cases.name}/{key}"
        if len(chunk) >= _CHUNK:
            _compare(chunk, start, shown, found, context)
            start, chunk = shown, []
        if is_folder:
            _walk(path, shown, chunk, found, context)
        else:
            with contextlib.suppress(FileNotFoundError):
                info = os.lstat(path)
                folder, name = os.path.split(path)
                chunk.append((shown, info.st_size, info.st_ctime_ns, info.st_mode, folder, name))
    _compare(chunk, start, None, found, context)
    return found


def _round(context: Context, settle: float, interval: float) -> tuple[Report, bool]:
    try:
        return _look(context, settle, wait=False, interval=interval)
    except (CasefileError, SQLAlchemyError, OSError) as error:
        # A full disk or a locked database may be over by the next round.
        reason = say("unreadable", context.lang, error=getattr(error, "code", None) or type(error).__name__)
        return Report(0, not_looked_at=(NotLookedAt(context.workspace.cases.name, reason),)), False


def _look(context: Context, settle: float, *, wait: bool, interval: float) -> tuple[Report, bool]:
    now_ns = heartbeat.beat(context, interval=interval)
    _forget_if_scanners_changed(context)
    found = reconcile(context)
    _forget(found.gone, context)
    settled, young = _split(found.fresh, now_ns, settle)
    findings, unread, restless = _read_all(settled, context)
    if young and wait:
        time.sleep(settle)
        more, still = _stood_still(young)
        restless += still
        found_more, unread_more, changed = _read_all(more, context)
        findings, unread, restless = findings + found_more, unread + unread_more, restless + changed
    else:
        restless += young
    waiting = [NotLookedAt(seen.shown, say("unsettled", context.lang)) for seen in restless]
    report = Report(
        found.files,
        tuple(found.findings + findings),
        tuple(found.not_looked_at + unread + waiting),
    )
    # The last sign of life comes before the audit, which looks at it.
    heartbeat.beat(context, interval=interval, files=found.files, changed=len(found.fresh))
    return merge([report, audit(context)]), bool(restless)


# Looking


def _top(found: Reconciled, context: Context) -> Iterator[tuple[str, str, bool]]:
    """Entries of ``cases/`` in the order of the paths below them, so that ranges of paths tile."""
    try:
        with os.scandir(context.workspace.cases) as entries:
            keyed = []
            for entry in entries:
                folder = entry.is_dir(follow_symlinks=False)
                keyed.append((printable(entry.name) + ("/" if folder else ""), entry.path, folder))
    except FileNotFoundError:
        return
    except OSError as error:
        found.not_looked_at.append(_unreadable(context.workspace.cases.name, error, context))
        return
    yield from sorted(keyed)


def _walk(top: str, shown: str, chunk: list[_File], found: Reconciled, context: Context) -> None:
    pending = [(top, shown)]
    while pending:
        here, prefix = pending.pop()
        own = _NOT_SCANNED if here == top else ()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    name = entry.name
                    if name in own:
                        continue
                    below = prefix + (name if name.isascii() else printable(name))
                    if entry.is_dir(follow_symlinks=False):
                        pending.append((entry.path, below + "/"))
                        continue
                    try:
                        info = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    except OSError as error:
                        found.not_looked_at.append(_unreadable(below, error, context))
                        continue
                    chunk.append((below, info.st_size, info.st_ctime_ns, info.st_mode, here, name))
        except FileNotFoundError:
            continue
        except OSError as error:
            found.not_looked_at.append(_unreadable(prefix, error, context))


def _compare(chunk: list[_File], start: str, end: str | None, found: Reconciled, context: Context) -> None:
    wanted = select(FileState.path, FileState.size, FileState.modified_ns, FileState.result)
    wanted = wanted.where(FileState.path >= start, FileState.path != _SCANNERS)
    if end is not None:
        wanted = wanted.where(FileState.path < end)
    with database.reading(context) as session:
        known = {row[0]: row for row in session.execute(wanted)}
    found.files += len(chunk)
    for shown, size, changed_ns, mode, folder, name in chunk:
        before = known.pop(shown, None)
        told: _Told | None = None
        if before is not None and before[1] == size and before[2] == changed_ns:
            told = _remembered(before[3]) if before[3] else _NOTHING
        if told is not None:
            found.findings += told[0]
            found.not_looked_at += told[1]
        elif not is_litter(name):
            found.fresh.append(Seen(f"{folder}/{name}", shown, size, changed_ns, stat.S_ISREG(mode)))
    found.gone += known


def _split(fresh: list[Seen], now_ns: int, settle: float) -> tuple[list[Seen], list[Seen]]:
    """Files that have stood still, and those that changed just now."""
    limit = now_ns - int(settle * 1e9)
    settled: list[Seen] = []
    young: list[Seen] = []
    for seen in fresh:
        ready = seen.changed_ns <= limit and not is_half_written(seen.name)
        (settled if ready else young).append(seen)
    return settled, young


def _stood_still(young: list[Seen]) -> tuple[list[Seen], list[Seen]]:
    settled: list[Seen] = []
    still: list[Seen] = []
    for seen in young:
        ready = _stamp(seen.path) == seen.stamp and not is_half_written(seen.name)
        (settled if ready else still).append(seen)
    return settled, still


def _stamp(path: str) -> _Stamp | None:
    try:
        info = os.lstat(path)
    except OSError:
        return None
    return info.st_size, info.st_ctime_ns


# Reading


def _read_all(files: list[Seen], context: Context) -> tuple[list[Finding], list[NotLookedAt], list[Seen]]:
    findings: list[Finding] = []
    unread: list[NotLookedAt] = []
    restless: list[Seen] = []
    for first in range(0, len(files), _BATCH):
        rows = []
        for seen in files[first : first + _BATCH]:
            told, missed, lasting = _read(seen, context)
            if _stamp(seen.path) != seen.stamp:
                # What was read may be neither the old file nor the new one.
                restless.append(seen)
                continue
            findings += told
            unread += missed
            # A name that bears a secrecy mark is itself the secret: not stored, but read again each time.
            named = any(one.code.startswith("SECRECY-") and one.subject.endswith("文件名") for one in told)
            if lasting and not named:
                rows.append(_row(seen, told, missed, context))
        _remember(rows, context)
    return findings, unread, restless


def _read(seen: Seen, context: Context) -> tuple[list[Finding], list[NotLookedAt], bool]:
    """Findings of a file, what could not be looked at, and whether that answer lasts until it changes."""
    if not seen.regular:
        return [], [NotLookedAt(seen.shown, say("link", context.lang))], False
    limits = context.config.limits
    case_no = seen.shown.split("/")[1] if seen.shown.count("/") > 1 else ""
    try:
        bounds = Bounds(limits.archive_members, limits.unpacked_bytes)
        reading = scanning.read(Path(seen.path), seen.shown, case_no, bounds=bounds)
        scanned = scanning.scan_text(reading.pages)
    except Exception as error:
        # Whatever a hostile file does to a reader, the other files are still looked at.
        reason = say("unreadable", context.lang, error=type(error).__name__)
        return [], [NotLookedAt(seen.shown, reason)], False
    findings, unread = list(scanned.findings), list(reading.not_looked_at)
    if not scanned.scanners_installed:
        return findings, [*unread, NotLookedAt(seen.shown, say("no_text_scanners", context.lang))], False
    # A scanner that broke tells no place: say which file it left out.
    broken = [NotLookedAt(seen.shown, f"{n.subject}: {n.reason}") for n in scanned.not_looked_at]
    return findings, unread + broken, not broken and _opened(seen)


def _opened(seen: Seen) -> bool:
    """False when the file can't be opened at all: that may be over before the file changes."""
    try:
        with Path(seen.path).open("rb"):
            return True
    except OSError:
        return False


def _row(
    seen: Seen, findings: list[Finding], unread: list[NotLookedAt], context: Context
) -> dict[str, object]:
    clean = not findings and not unread
    result = [
        [[f.code, f.subject, f.case_no, dict(f.params)] for f in findings],
        [[n.subject, n.reason] for n in unread],
    ]
    return {
        "path": seen.shown,
        "size": seen.size,
        "modified_ns": seen.changed_ns,
        "sha256": "",
        "scanned_at": context.now().isoformat(),
        "result": "" if clean else json.dumps(result, ensure_ascii=False),
    }


def _remembered(result: str) -> _Told | None:
    try:
        findings, unread = json.loads(result)
        return [Finding(*one) for one in findings], [NotLookedAt(*one) for one in unread]
    except (ValueError, TypeError):
        # Whoever wrote that, the file itself can be read again.
        return None


def _remember(rows: list[dict[str, object]], context: Context) -> None:
    if rows:
        _forget([str(row["path"]) for row in rows], context)
        with database.session(context) as session:
            session.execute(insert(FileState), rows)


def _forget(paths: list[str], context: Context) -> None:
    for first in range(0, len(paths), _BATCH):
        with database.session(context) as session:
            session.execute(delete(FileState).where(FileState.path.in_(paths[first : first + _BATCH])))


def _forget_if_scanners_changed(context: Context) -> None:
    """Drop every memory when other scanners are installed: old answers are not theirs."""
    mark = hashlib.sha256(f"{__version__} {scanning.fingerprint()}".encode()).hexdigest()
    with database.reading(context) as session:
        known = session.get(FileState, _SCANNERS)
        if known is not None and known.sha256 == mark:
            return
    with database.session(context) as session:
        session.execute(delete(FileState))
        session.add(
            FileState(
                path=_SCANNERS, size=0, modified_ns=0, sha256=mark, scanned_at=context.now().isoformat()
            )
        )


def _unreadable(shown: str, error: OSError, context: Context) -> NotLookedAt:
    return NotLookedAt(shown, say("unreadable", context.lang, error=error.strerror or type(error).__name__))


# Hints


class _Handler(events.FileSystemEventHandler):
    """Wakes the loop. It does nothing else: a slow handler would fall behind without bound."""

    def __init__(self, hint: threading.Event) -> None:
        self._hint = hint

    def on_any_event(self, event: events.FileSystemEvent) -> None:
        """Something changed somewhere."""
        self._hint.set()


class _Overflow(logging.Handler):
    """watchdog tells of lost events by log only."""

    def __init__(self, hint: threading.Event) -> None:
        super().__init__()
        self._hint = hint

    def emit(self, record: logging.LogRecord) -> None:
        self._hint.set()


@contextlib.contextmanager
def _hints(folder: Path, hint: threading.Event) -> Iterator[None]:
    overflow = _Overflow(hint)
    log = logging.getLogger("watchdog")
    log.addHandler(overflow)
    observer = Observer()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        observer.schedule(_Handler(hint), str(folder), recursive=True, event_filter=_EVENTS)
        observer.start()
    except (OSError, RuntimeError):
        # No inotify instance left, or a share that has none: the rounds alone find everything.
        pass
    try:
        yield
    finally:
        if observer.is_alive():
            observer.stop()
            observer.join()
        log.removeHandler(overflow)


def _pause(hint: threading.Event, most: float, settle: float, stop: Callable[[], bool]) -> None:
    until = time.monotonic() + most
    while not stop() and (left := until - time.monotonic()) > 0:
        if hint.wait(min(left, 0.5)):
            # One change seldom comes alone.
            time.sleep(min(settle, left))
            return
