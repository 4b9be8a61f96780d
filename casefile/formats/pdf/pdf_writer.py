"""Writes a PDF from the first byte to the last: objects as they come, then the table of where they are.

Small objects go into object streams, the table is a cross-reference stream (ISO 32000-1, 7.5.7 and 7.5.8), so
that a file may be longer than the ten digits of the old table. The digest of the file is ready with it.
"""

from __future__ import annotations

import hashlib
import os
import queue
import struct
import threading
import zlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from casefile.errors import BadInput

MOST_OBJECTS = 8_388_607
"""ISO 19005-2, 6.1.13."""

_CHUNK = 1 << 20
_TOGETHER = 500
"""Small objects in one object stream: a reader unpacks all of them to see one."""
_INDEX = [struct.pack(">H", number) for number in range(_TOGETHER)]


class Writer:
    """Use it with ``with``; numbers of objects are handed out by :meth:`reserve` and each is written once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb", buffering=0)
        self._waiting: list[bytes | memoryview] = []
        self._held = 0
        self._at = 0
        self._next = 1
        self._rows: list[tuple[int, bytes]] = [(0, b"\0\0\0\0\0\0\xff\xff")]
        self._small: list[tuple[int, bytes]] = []
        self._digest = hashlib.sha256()
        # Digesting takes as long as writing and leaves Python free: it goes on beside.
        self._digesting: queue.Queue[bytes | None] = queue.Queue(16)
        self._beside = threading.Thread(target=self._digest_all, daemon=True)

    def __enter__(self) -> Writer:
        self._beside.start()
        self._put(b"%PDF-1.7\n%\xbf\xf7\xa2\xfe\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._digesting.put(None)
        self._beside.join()
        self._file.close()

    def reserve(self, count: int = 1) -> int:
        """The first of ``count`` numbers that follow each other.

        Raises:
            BadInput: BIND-OBJECTS.
        """
        first = self._next
        self._next += count
        if self._next > MOST_OBJECTS:
            raise BadInput("BIND-OBJECTS", subject=self._path.name, most=MOST_OBJECTS)
        return first

    def small(self, number: int, text: bytes) -> None:
        """Write an object that is no stream."""
        self._small.append((number, text))
        if len(self._small) == _TOGETHER:
            self._flush_small()

    def members(self, first: int, starts: Sequence[int], text: memoryview | bytes) -> None:
        """Write objects that are no streams, numbered from ``first``.

        Each begins in ``text`` at one of ``starts``; the last of these is where the text ends.
        """
        for begin in range(0, len(starts) - 1, _TOGETHER):
            end = min(begin + _TOGETHER, len(starts) - 1)
            origin = starts[begin]
            head = " ".join([f"{first + at} {starts[at] - origin}" for at in range(begin, end)]).encode()
            self._rows.append((
                first + begin, self._together(end - begin, head, text[origin : starts[end]])
            ))  # fmt: skip

    def stream(self, number: int, entries: bytes | memoryview, data: bytes | memoryview) -> None:
        """Write a stream whose bytes are at hand.

        ``entries`` is its dictionary without /Length and the closing brackets.
        """
        self._begin(number, entries, len(data))
        self._put(data)
        self._put(b"\nendstream\nendobj\n")

    def copied(self, number: int, entries: bytes | memoryview, length: int, source: int, offset: int) -> bool:
        """Write a stream whose bytes lie in the open file ``source``; False when that is too short."""
        self._begin(number, entries, length)
        left = length
        while left:
            data = os.pread(source, min(left, _CHUNK), offset)
            if not data:
                return False
            self._put(data)
            offset += len(data)
            left -= len(data)
        self._put(b"\nendstream\nendobj\n")
        return True

    def finish(self, trailer: bytes) -> str:
        """Write the table; gives the SHA-256 of the file. ``trailer`` are entries such as /Root and /ID.

        Raises:
            BadInput: BIND-JOIN, when a number was handed out and no object written for it.
        """
        self._flush_small()
        number = self.reserve()
        start = self._at
        self._rows.append((number, _in_use(start)))
        self._rows.sort()
        expected = 0
        for first, rows in self._rows:
            if first != expected:
                raise BadInput("BIND-JOIN", subject=self._path.name, reason=f"object {expected} of {first}")
            expected += len(rows) // 8
        table = zlib.compress(b"".join(rows for _, rows in self._rows), 6)
        entries = b"<< /Type /XRef /W [ 1 5 2 ] /Filter /FlateDecode /Size %d %s " % (self._next, trailer)
        self._begin(number, entries, len(table), listed=True)
        self._put(table)
        self._put(b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % start)
        self._flush()
        self._digesting.put(None)
        self._beside.join()
        return self._digest.hexdigest()

    def _begin(self, number: int, entries: bytes | memoryview, length: int, *, listed: bool = False) -> None:
        if not listed:
            self._rows.append((number, _in_use(self._at)))
        self._put(b"%d 0 obj\n" % number)
        self._put(entries)
        self._put(b"/Length %d >>\nstream\n" % length)

    def _flush_small(self) -> None:
        if not self._small:
            return
        ones, self._small = self._small, []
        head, at = [], 0
        for number, text in ones:
            head.append(f"{number} {at}")
            at += len(text) + 1
        rows = self._together(len(ones), " ".join(head).encode(), b"\n".join(text for _, text in ones))
        self._rows += [(number, rows[i * 8 : i * 8 + 8]) for i, (number, _) in enumerate(ones)]

    def _together(self, count: int, head: bytes, body: bytes | memoryview) -> bytes:
        """Write an object stream; gives the rows of its objects."""
        number = self.reserve()
        packer = zlib.compressobj(1)
        packed = packer.compress(head) + packer.compress(b"\n") + packer.compress(body) + packer.flush()
        entries = b"<< /Type /ObjStm /Filter /FlateDecode /N %d /First %d " % (count, len(head) + 1)
        self.stream(number, entries, packed)
        prefix = b"\x02" + number.to_bytes(5, "big")
        return b"".join([prefix + index for index in _INDEX[:count]])

    def _put(self, data: bytes | memoryview) -> None:
        self._waiting.append(data)
        self._at += len(data)
        self._held += len(data)
        if self._held >= _CHUNK:
            self._flush()

    def _flush(self) -> None:
        whole = b"".join(self._waiting)
        self._waiting = []
        self._held = 0
        self._digesting.put(whole)
        left = memoryview(whole)
        while left:
            left = left[self._file.write(left) :]

    def _digest_all(self) -> None:
        while (data := self._digesting.get()) is not None:
            self._digest.update(data)


def _in_use(at: int) -> bytes:
    return (1 << 56 | at << 16).to_bytes(8, "big")
