"""A full disk said plainly."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from casefile.errors import Conflict

_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def enough_space(subject: str) -> Iterator[None]:
    """Turn a full disk anywhere below, also inside a library's own error, into one sentence.

    Raises:
        Conflict: ARCHIVE-NO-SPACE.
    """
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None:
            if _full(cause):
                raise Conflict("ARCHIVE-NO-SPACE", subject=subject) from error
            cause = cause.__cause__ or cause.__context__
        raise


def _full(error: BaseException) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in _FULL
