"""Processes that open what came from outside, so that a file that kills its reader costs one part only.

Each is ``python -m casefile.gather.worker``: it answers one line of JSON with one line of JSON. It is used
again and again while it answers, and killed with everything that it started when it does not.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from queue import Queue
from typing import Any

from casefile.config import Limits

_START_SECONDS = 60
_RECYCLE_AFTER = 300
_LONGEST_ANSWER = 20_000_000
_ENVIRONMENT = ("PATH", "HOME", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH")


class Lost(Exception):
    """The worker did not answer: ``reason`` is ``time`` or ``crash``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Workers:
    """A small pool. Thread-safe; a worker starts when it is first needed."""

    def __init__(self, limits: Limits, count: int = 2) -> None:
        self._limits = limits
        self._idle: Queue[_Worker] = Queue()
        self._all = [_Worker(limits) for _ in range(count)]
        for worker in self._all:
            self._idle.put(worker)

    def ask(self, request: Mapping[str, Any], *, seconds: float | None = None) -> dict[str, Any]:
        """Give one request to a free worker and wait for its answer.

        Raises:
            Lost: when it took too long or died; the next request gets a new one.
        """
        worker = self._idle.get()
        try:
            try:
                return worker.ask(request, seconds or self._limits.seconds_per_part)
            except Lost as lost:
                if lost.reason != "crash":
                    raise
                # It may have been dying before it got this file: once more, with a new one.
                return worker.ask(request, seconds or self._limits.seconds_per_part)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """Stop all of them."""
        for worker in self._all:
            worker.stop()


class _Worker:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._answered = 0
        self._lock = threading.Lock()

    def ask(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps({**request, "seconds": int(seconds)}).encode() + b"\n")
            process.stdin.flush()
            line = _line(process, time.monotonic() + seconds)
            answer: dict[str, Any] = json.loads(line)
        except Lost:
            self.stop()
            raise
        except (OSError, ValueError):
            self.stop()
            raise Lost("crash") from None
        self._answered += 1
        if self._answered >= _RECYCLE_AFTER:
            self.stop()
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.stop()
        # Whatever libraries write on the way goes where it is thrown away with the worker.
        self._folder = tempfile.TemporaryDirectory(prefix="casefile-gather-", ignore_cleanup_errors=True)
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        process = subprocess.Popen(
            [sys.executable, "-m", "casefile.gather.worker", self._limits.model_dump_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Libraries quote what they choke on; none of that may reach a log.
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
            env={**environment, "TMPDIR": self._folder.name, "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"},
            start_new_session=True,
        )
        self._process = process
        self._answered = 0
        try:
            _line(process, time.monotonic() + _START_SECONDS)
        except Lost:
            self.stop()
            raise
        return process

    def stop(self) -> None:
        with self._lock:
            process, self._process = self._process, None
            folder, self._folder = self._folder, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
        if folder is not None:
            folder.cleanup()


def _line(process: subprocess.Popen[bytes], until: float) -> bytes:
    assert process.stdout is not None
    got = bytearray()
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        while not got.endswith(b"\n"):
            left = until - time.monotonic()
            if left <= 0 or not ready.select(left):
                raise Lost("time")
            chunk = os.read(process.stdout.fileno(), 1 << 16)
            if not chunk or len(got) > _LONGEST_ANSWER:
                raise Lost("crash")
            got += chunk
    return bytes(got)
