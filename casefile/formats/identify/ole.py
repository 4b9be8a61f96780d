"""OLE compound files ([MS-CFB]): the names of their streams, and small streams of them.

Read here and not with a library: the libraries at hand build the whole tree and every table first, in time
and memory that a hostile header sets. Names alone are enough to tell kinds apart, so entries are walked in
the order in which they lie, without the tree, and every chain is as short as its bound.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_MOST_ENTRIES = 20_000
_MOST_TABLES = 4_096
_END = 0xFFFFFFFA
_HEADER = 512
_STORAGE, _STREAM, _ROOT = 1, 2, 5


class Unreadable(ValueError):
    """The file is no compound file, or one that leads nowhere."""


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    kind: int
    start: int
    size: int


class Compound:
    """An open compound file. Nothing is read before it is asked for."""

    def __init__(self, file: BinaryIO) -> None:
        """Read the header.

        Raises:
            Unreadable: when it is none.
        """
        self._file = file
        header = file.read(_HEADER)
        if len(header) < _HEADER or not header.startswith(SIGNATURE):
            raise Unreadable
        shift, small_shift = struct.unpack_from("<HH", header, 30)
        if shift not in (9, 12) or small_shift != 6:
            raise Unreadable
        self._sector = 1 << shift
        (self._directory, self._small_limit, self._small_table) = struct.unpack_from("<I4xII", header, 48)
        self._next_tables, _ = struct.unpack_from("<II", header, 68)
        self._tables: list[int] = [n for n in struct.unpack_from("<109I", header, 76) if n < _END]
        self._all_tables = False
        self._cached: dict[int, bytes] = {}
        self._entries: tuple[_Entry, ...] | None = None

    def names(self) -> tuple[str, ...]:
        """Names of all storages and streams, at whatever depth."""
        return tuple(entry.name for entry in self._found())

    def stream(self, name: str, most: int) -> bytes:
        """The first ``most`` bytes of the first stream of that name; nothing when there is none.

        Raises:
            Unreadable: when its chain leads nowhere.
        """
        entry = next((e for e in self._found() if e.kind == _STREAM and e.name == name), None)
        if entry is None:
            return b""
        wanted = min(entry.size, most)
        if entry.size >= self._small_limit:
            return b"".join(self._chain(entry.start, wanted))[:wanted]
        root = next((e for e in self._found() if e.kind == _ROOT), None)
        if root is None:
            raise Unreadable
        return self._small(entry.start, wanted, root)

    def _found(self) -> tuple[_Entry, ...]:
        if self._entries is None:
            self._entries = tuple(self._walk())
        return self._entries

    def _walk(self) -> Iterator[_Entry]:
        for sector in self._chain(self._directory, _MOST_ENTRIES * 128):
            for at in range(0, len(sector) - 127, 128):
                length, kind = struct.unpack_from("<HB", sector, at + 64)
                if kind in (_STORAGE, _STREAM, _ROOT) and 2 <= length <= 64:
                    name = sector[at : at + length - 2].decode("utf-16-le", "replace")
                    start, size = struct.unpack_from("<II", sector, at + 116)
                    yield _Entry(name, kind, start, size)

    def _chain(self, sector: int, most: int) -> Iterator[bytes]:
        for _ in range(-(-most // self._sector)):
            if sector >= _END:
                return
            data = self._at(sector)
            if not data:
                raise Unreadable
            yield data
            sector = self._after(sector)

    def _small(self, start: int, wanted: int, root: _Entry) -> bytes:
        table = b"".join(self._chain(self._small_table, 1 << 20))
        room = b"".join(self._chain(root.start, min(root.size, 1 << 23)))
        got = bytearray()
        while len(got) < wanted and start < _END:
            piece = room[start * 64 : start * 64 + 64]
            if not piece or start * 4 + 4 > len(table):
                raise Unreadable
            got += piece
            (start,) = struct.unpack_from("<I", table, start * 4)
        return bytes(got[:wanted])

    def _at(self, sector: int) -> bytes:
        self._file.seek((sector + 1) * self._sector)
        return self._file.read(self._sector)

    def _after(self, sector: int) -> int:
        number, at = divmod(sector, self._sector // 4)
        while number >= len(self._tables) and not self._all_tables:
            self._more_tables()
        if number >= len(self._tables):
            raise Unreadable
        place = self._tables[number]
        if place not in self._cached:
            if len(self._cached) > 64:
                self._cached.clear()
            self._cached[place] = self._at(place)
        table = self._cached[place]
        if at * 4 + 4 > len(table):
            raise Unreadable
        following: int = struct.unpack_from("<I", table, at * 4)[0]
        return following

    def _more_tables(self) -> None:
        if self._next_tables >= _END or len(self._tables) > _MOST_TABLES:
            self._all_tables = True
            return
        data = self._at(self._next_tables)
        if len(data) < self._sector:
            self._all_tables = True
            return
        numbers = struct.unpack(f"<{self._sector // 4}I", data)
        used = [n for n in numbers[:-1] if n < _END]
        self._tables += used
        self._next_tables = numbers[-1]
        # A chain of empty sectors must not go round for ever.
        self._all_tables = not used


def names(path: Path) -> tuple[str, ...]:
    """Names of all streams of a compound file; none when it can't be read."""
    try:
        with path.open("rb") as file:
            return Compound(file).names()
    except (OSError, ValueError, struct.error, OverflowError):
        return ()
