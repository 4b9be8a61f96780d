"""Digests of a file as received, and the proof that it did not change meanwhile."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from casefile.errors import BadInput

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Received:
    """Size and digests in hex, with the state of the file when they were taken."""

    size: int
    sha256: str
    sm3: str
    state: tuple[int, ...]


def state(path: Path) -> tuple[int, ...]:
    """What changes whenever the file does. The kernel alone sets the last value: it can't be put back.

    Raises:
        BadInput: EVIDENCE-UNREADABLE, EVIDENCE-NOT-A-FILE.
    """
    try:
        found = path.lstat()
    except OSError as error:
        raise BadInput("EVIDENCE-UNREADABLE", subject=path.name, reason=error.strerror or "") from None
    return _state(found, path)


def receive(path: Path, most: int) -> Received:
    """Read the file once through. Links are not followed, and what is no file is not waited for.

    Raises:
        BadInput: EVIDENCE-UNREADABLE, EVIDENCE-NOT-A-FILE, EVIDENCE-TOO-BIG, EVIDENCE-CHANGING.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise BadInput("EVIDENCE-UNREADABLE", subject=path.name, reason=error.strerror or "") from None
    with os.fdopen(handle, "rb", buffering=0) as file:
        before = _state(os.fstat(handle), path)
        if before[2] > most:
            raise BadInput("EVIDENCE-TOO-BIG", subject=path.name, size=before[2], most=most)
        digests = hashlib.sha256(), hashlib.new("sm3")
        size = 0
        try:
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                if size > most:
                    raise BadInput("EVIDENCE-TOO-BIG", subject=path.name, size=size, most=most)
                for digest in digests:
                    digest.update(chunk)
        except OSError as error:
            raise BadInput("EVIDENCE-UNREADABLE", subject=path.name, reason=error.strerror or "") from None
        if _state(os.fstat(handle), path) != before or size != before[2]:
            raise BadInput("EVIDENCE-CHANGING", subject=path.name)
    return Received(size, digests[0].hexdigest(), digests[1].hexdigest(), before)


def _state(found: os.stat_result, path: Path) -> tuple[int, ...]:
    if not stat.S_ISREG(found.st_mode):
        raise BadInput("EVIDENCE-NOT-A-FILE", subject=path.name)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
