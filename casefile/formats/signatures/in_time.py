"""A bound on the processor time of a piece of work whose libraries know none."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_AGAIN = 0.5


class _Late(BaseException):
    """Not an ``Exception``: libraries that catch everything must not catch this."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Stop what is done inside after so many seconds of this process's own processor time.

    Only where Python runs between two steps, so a single call into C is not stopped; and only in the main
    thread, which alone gets signals: elsewhere there is no bound.

    Raises:
        TimeoutError: when the time is over.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    over, inside = False, True

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal over
        over = True
        if inside:
            raise _Late

    signal.signal(signal.SIGPROF, stop)
    # Again and again, as whoever is interrupted while it cleans up may lose the first one.
    signal.setitimer(signal.ITIMER_PROF, seconds, _AGAIN)
    try:
        with suppress(_Late):
            yield
    finally:
        inside = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        # Not as it was: by default a late signal would end the process.
        signal.signal(signal.SIGPROF, signal.SIG_IGN)
    if over:
        raise TimeoutError
