"""The watcher's sign of life (``watch.heartbeat``): a watcher that stopped must itself be a finding."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

from casefile.context import Context, write_whole
from casefile.model.finding import Finding

_MISSED_ROUNDS = 3
_GRACE = dt.timedelta(seconds=60)


def place(context: Context) -> Path:
    """Where the sign of life stands."""
    return context.workspace.root / "watch.heartbeat"


def beat(context: Context, *, interval: float, files: int = 0, changed: int = 0) -> int:
    """Write a sign of life; ``interval`` 0 says that nobody promises a next one.

    Returns the file system's own time in nanoseconds, the only clock that file times compare with.
    """
    record = {"at": context.now().isoformat(), "interval": interval, "files": files, "changed": changed}
    path = place(context)
    write_whole(path, json.dumps(record).encode())
    return path.stat().st_mtime_ns


def overdue(context: Context) -> Iterator[Finding]:
    """A finding when the watcher promised to look again and did not."""
    path = place(context)
    try:
        record = json.loads(path.read_bytes())
        at = dt.datetime.fromisoformat(record["at"])
        interval = float(record["interval"])
        late = interval > 0 and context.now() - at > _MISSED_ROUNDS * dt.timedelta(seconds=interval) + _GRACE
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        yield Finding("WATCH-STOPPED", path.name, params={"at": "?", "interval": "?"})
        return
    if late:
        yield Finding("WATCH-STOPPED", path.name, params={"at": at.isoformat(), "interval": f"{interval:g}"})
