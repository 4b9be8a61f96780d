"""A new version of a stored object takes the place of the object whole, or not at all.

The new version is built on a twin of the object: a folder whose older files are the object's own, by hard
link. Then the two folders are exchanged in one step, so that at every moment the archive shows either the
version before or the new one. A file system that can't exchange has the new
version's folder moved in first and the inventory that speaks of it last: until then the version before
stands, and what a killed run left is put aside by the next.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

from casefile.formats.containers import ocfl

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def twin(folder: Path, fresh: Path) -> None:
    """Make ``fresh`` like the object in ``folder``; what a killed run left there unfinished is left out."""
    inventory = ocfl.read_inventory(folder)
    fresh.mkdir()
    shutil.copyfile(folder / ocfl.OBJECT_DECLARATION, fresh / ocfl.OBJECT_DECLARATION)
    for version in inventory.versions:
        shutil.copytree(folder / version, fresh / version, copy_function=_lend)
    for name in (ocfl.INVENTORY, ocfl.SIDECAR):
        # Every version keeps the inventory of its time; the object's own a killed run may have changed.
        shutil.copyfile(folder / inventory.head / name, fresh / name)


def commit(fresh: Path, folder: Path) -> None:
    """Put the twin with its new version in the place of the object."""
    if not exchange(fresh, folder):
        in_order(fresh, folder)
    sync(folder.parent)


def exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; False where the system or the file system can't."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    done: int = rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    return done == 0


def in_order(fresh: Path, folder: Path) -> None:
    """Move the new version in, then the sidecar, and as the last step the inventory."""
    head = ocfl.read_inventory(fresh).head
    if (folder / head).exists():
        left = fresh.with_name(f"{fresh.name}-left")
        shutil.rmtree(left, ignore_errors=True)
        (folder / head).rename(left)
        shutil.rmtree(left, ignore_errors=True)
    (fresh / head).rename(folder / head)
    sync(folder)
    (fresh / ocfl.SIDECAR).replace(folder / ocfl.SIDECAR)
    sync(folder)
    (fresh / ocfl.INVENTORY).replace(folder / ocfl.INVENTORY)
    sync(folder)


def sync(path: Path) -> None:
    """Wait until a file or folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _lend(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        # No hard links here (a memory stick, a network drive): the bytes themselves, then.
        shutil.copyfile(source, target)
