"""Zip files from outside: looked through before anything of them is unpacked."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from casefile.errors import BadInput, Refused

_HIGHEST_RATIO = 200
_RATIO_MATTERS_ABOVE = 10_000_000
_LONGEST_ENTRY = 1_000
_LEAST_DIRECTORY = 1_000_000
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Most members, and most bytes that all of them together may unpack to."""

    members: int = 2_000
    unpacked: int = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Directory:
    """What the end of a zip file says of its directory: how many members, and its size in bytes."""

    members: int
    size: int


def directory(file: IO[bytes]) -> Directory | None:
    """What the end of the file says; None where there is no end of a zip file. Nothing more is read."""
    size = file.seek(0, 2)
    back = min(size, 22 + 0xFFFF + 20)
    file.seek(size - back)
    tail = file.read(back)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        return None
    members, length = struct.unpack_from("<HI", tail, at + 10)
    locator = tail.rfind(b"PK\x06\x07", 0, at)
    if locator >= 0 and at - locator == 20:
        file.seek(min(size, struct.unpack_from("<Q", tail, locator + 8)[0]))
        end = file.read(56)
        if len(end) == 56 and end.startswith(b"PK\x06\x06"):
            members, length = struct.unpack_from("<QQ", end, 32)
    return Directory(members, length)


@contextmanager
def opened(source: Path | IO[bytes], name: str, bounds: Bounds) -> Iterator[zipfile.ZipFile]:
    """Open a zip file whose directory keeps within ``bounds``.

    Raises:
        Refused: ZIP-BOMB, ZIP-PATH.
        BadInput: ZIP-DAMAGED, ZIP-LOCKED.
    """
    refuse_directory(source, name, bounds)
    try:
        with zipfile.ZipFile(source) as members:
            _check(members, name, bounds)
            yield members
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise BadInput("ZIP-DAMAGED", subject=name, reason=error) from None


def read(members: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    """Unpack one member; no more of it than its entry promised.

    Raises:
        Refused: ZIP-BOMB.
        BadInput: ZIP-DAMAGED.
    """
    try:
        with members.open(member) as stream:
            data = stream.read(member.file_size + 1)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, RuntimeError) as error:
        raise BadInput("ZIP-DAMAGED", subject=name, reason=error) from None
    except Exception as error:
        # zlib and lzma have errors of their own, without a common name.
        raise BadInput("ZIP-DAMAGED", subject=name, reason=type(error).__name__) from None
    if len(data) > member.file_size:
        raise Refused("ZIP-BOMB", subject=name)
    return data


def refuse_directory(source: Path | IO[bytes], name: str, bounds: Bounds) -> None:
    """Refuse a zip file whose end tells of too large a directory.

    Raises:
        Refused: ZIP-BOMB.
        BadInput: ZIP-DAMAGED.
    """
    # The whole directory is read into memory when the file is opened: too much of it costs before it shows.
    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                told = directory(file)
        else:
            told = directory(source)
    except (OSError, ValueError) as error:
        raise BadInput("ZIP-DAMAGED", subject=name, reason=error) from None
    if told is not None and (
        told.members > bounds.members or told.size > bounds.members * _LONGEST_ENTRY + _LEAST_DIRECTORY
    ):
        raise Refused("ZIP-BOMB", subject=name)


def refuse_sizes(members: int, unpacked: int, packed: int, name: str, bounds: Bounds) -> None:
    """Refuse what unpacks to more than it may.

    Raises:
        Refused: ZIP-BOMB.
    """
    if members > bounds.members or unpacked > bounds.unpacked:
        raise Refused("ZIP-BOMB", subject=name)
    if unpacked > _RATIO_MATTERS_ABOVE and unpacked / max(1, packed) > _HIGHEST_RATIO:
        raise Refused("ZIP-BOMB", subject=name)


def check_sizes(members: zipfile.ZipFile, name: str, bounds: Bounds) -> None:
    """Refuse a zip file whose directory tells of more than may be unpacked, or of one thing twice.

    Raises:
        Refused: ZIP-BOMB.
    """
    entries = members.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    refuse_sizes(len(entries), unpacked, sum(entry.compress_size for entry in entries), name, bounds)
    # Members that lie over each other unpack to far more than the file holds.
    reach = -1
    for entry in sorted(entries, key=lambda e: e.header_offset):
        if entry.header_offset < reach:
            raise Refused("ZIP-BOMB", subject=name)
        reach = entry.header_offset + entry.compress_size


def _check(members: zipfile.ZipFile, name: str, bounds: Bounds) -> None:
    check_sizes(members, name, bounds)
    entries = members.infolist()
    seen = set()
    for entry in entries:
        path = entry.filename.replace("\\", "/")
        if path.startswith("/") or _DRIVE.match(path) or ".." in path.split("/") or "\0" in path:
            raise Refused("ZIP-PATH", subject=name)
        if entry.filename in seen:
            # Two readers may each take another one of the two.
            raise BadInput("ZIP-DAMAGED", subject=name, reason=f"{entry.filename[:60]} x2")
        seen.add(entry.filename)
        if entry.flag_bits & 1:
            raise BadInput("ZIP-LOCKED", subject=name)
