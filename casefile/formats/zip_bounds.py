"""Zip files from outside: looked through before anything of them is unpacked."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from casefile.errors import BadInput, Refused

_HIGHEST_RATIO = 200
_RATIO_MATTERS_ABOVE = 10_000_000
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Most members, and most bytes that all of them together may unpack to."""

    members: int = 2_000
    unpacked: int = 1_000_000_000


@contextmanager
def opened(source: Path | IO[bytes], name: str, bounds: Bounds) -> Iterator[zipfile.ZipFile]:
    """Open a zip file whose directory keeps within ``bounds``.

    Raises:
        Refused: ZIP-BOMB, ZIP-PATH.
        BadInput: ZIP-DAMAGED, ZIP-LOCKED.
    """
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


def _check(members: zipfile.ZipFile, name: str, bounds: Bounds) -> None:
    entries = members.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    if len(entries) > bounds.members or unpacked > bounds.unpacked:
        raise Refused("ZIP-BOMB", subject=name)
    if unpacked > _RATIO_MATTERS_ABOVE and unpacked / packed > _HIGHEST_RATIO:
        raise Refused("ZIP-BOMB", subject=name)
    # Members that lie over each other unpack to far more than the file holds.
    reach = -1
    for entry in sorted(entries, key=lambda e: e.header_offset):
        if entry.header_offset < reach:
            raise Refused("ZIP-BOMB", subject=name)
        reach = entry.header_offset + entry.compress_size
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
