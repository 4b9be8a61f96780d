"""OCFL 1.1, the form of the archive on disk; the only module that knows ocfl-py.

Objects lie by layout 0003: the digest of the id cut into three folders, then the id itself. Content digests
are SHA-256, not the SHA-512 that the specification prefers: so one number names a file in the inventory, in
the manifest and in the checksum list, and one pass over the bytes checks all three.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from casefile.context import write_whole
from casefile.errors import BadInput


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the root logger as it is: the library, and what it imports, set it up as if they were programs."""
    logger = logging.getLogger()
    before = logger.level, list(logger.handlers)
    logger.addHandler(logging.NullHandler())
    try:
        yield
    finally:
        logger.setLevel(before[0])
        logger.handlers[:] = before[1]


@cache
def _library() -> Any:
    # Half a second, most of it for cloud storage that is not used here: only what touches the archive pays.
    with _quiet():
        import ocfl
    return ocfl


LAYOUT = "0003-hash-and-id-n-tuple-storage-layout"
ROOT_DECLARATION = "0=ocfl_1.1"
OBJECT_DECLARATION = "0=ocfl_object_1.1"
DIGEST = "sha256"
INVENTORY = "inventory.json"
SIDECAR = f"{INVENTORY}.{DIGEST}"

_MAX_INVENTORY = 64 * 1024 * 1024
_VERSION = re.compile(r"v[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class Inventory:
    """What an object says of itself: all stored files, and those of its newest version by logical path."""

    id: str
    head: str
    versions: tuple[str, ...]
    digest_algorithm: str
    manifest: Mapping[str, str]
    """Content path to digest, every version."""
    state: Mapping[str, str]
    """Logical path to content path, newest version."""
    states: Mapping[str, Mapping[str, str]]
    """The same of every version, oldest first."""


def ensure_root(root: Path) -> None:
    """Make ``root`` a storage root, unless it is one. The declaration comes last: a killed run is redone."""
    if (root / ROOT_DECLARATION).is_file():
        return
    root.mkdir(parents=True, exist_ok=True)
    with _quiet(), TemporaryDirectory() as scratch:
        fresh = Path(scratch) / "root"
        _library().StorageRoot(root=str(fresh), layout_name=LAYOUT, spec_version="1.1").initialize("1.1")
        files = sorted(path for path in fresh.rglob("*") if path.is_file())
        for path in sorted(files, key=lambda path: path.name == ROOT_DECLARATION):
            write_whole(root / path.relative_to(fresh), path.read_bytes())


def object_folder(root: Path, object_id: str) -> Path:
    """Where the object lies, or would."""
    return root / str(_library().StorageRoot(layout_name=LAYOUT).layout.identifier_to_path(object_id))


def create(
    object_id: str, source: Path, target: Path, *, created: dt.datetime, message: str, user: str, address: str
) -> None:
    """Write ``source`` as version 1 of a new object into the new folder ``target``."""
    made = _library().Object(
        identifier=object_id,
        digest_algorithm=DIGEST,
        spec_version="1.1",
        # Without removing doubles, v1/content is the package itself and can be checked as it lies.
        dedupe=False,
    )
    about = _library().VersionMetadata(
        created=created.isoformat(), message=message, name=user, address=address
    )
    with _quiet():
        made.create(srcdir=str(source), metadata=about, objdir=str(target))


def add_version(
    folder: Path, source: Path, *, created: dt.datetime, message: str, user: str, address: str
) -> None:
    """Add ``source`` as the next version to the object in ``folder``; only what is new of it is copied.

    The object's own inventory is written anew in place, so ``folder`` must not be the one that is in use.
    """
    made = _library().Object(digest_algorithm=DIGEST, spec_version="1.1", forward_delta=True, dedupe=True)
    about = _library().VersionMetadata(
        created=created.isoformat(), message=message, name=user, address=address
    )
    with _quiet():
        made.add_version_with_content(objdir=str(folder), srcdir=str(source), metadata=about)


def complaints(folder: Path, *, digests: bool) -> tuple[str, ...]:
    """What the library's validator says against the object; with ``digests`` it reads every file."""
    judge = _library().validator.Validator(check_digests=digests, log_errors=True, log_warnings=False)
    try:
        with _quiet():
            judge.validate_object(str(folder))
    except OSError:
        raise
    except Exception as error:  # made for well-meant objects, the validator trips over others
        return (*judge.log.messages, f"{INVENTORY}: {type(error).__name__}")
    return tuple(judge.log.messages)


def root_complaints(root: Path) -> tuple[str, ...]:
    """What is wrong with the declaration and layout of the storage root, objects aside."""
    made = _library().StorageRoot(root=str(root), spec_version="1.1")
    try:
        with _quiet():
            made.open_root_fs()
            made.check_root_structure()
    except OSError:
        raise
    except Exception as error:
        return (f"{type(error).__name__}: {getattr(error, 'code', '')}",)
    said = () if made.layout_name == LAYOUT else ("ocfl_layout.json",)
    # The library reads these two with a forgiving eye; a changed byte in them is a change all the same.
    if (root / ROOT_DECLARATION).read_bytes() != b"ocfl_1.1\n":
        said = (*said, ROOT_DECLARATION)
    try:
        layout = json.loads((root / "ocfl_layout.json").read_text(encoding="utf-8"))
        whole = set(layout) == {"description", "extension"} and layout["extension"] == LAYOUT
    except (ValueError, TypeError):
        whole = False
    return said if whole or said else ("ocfl_layout.json",)


def read_inventory(folder: Path) -> Inventory:
    """Read ``inventory.json`` of an object.

    Raises:
        BadInput: OCFL-INVENTORY, when it is missing or not of the form that the specification gives.
    """
    path = folder / INVENTORY
    try:
        if path.stat().st_size > _MAX_INVENTORY:
            raise ValueError("too large")
        return _inventory(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput("OCFL-INVENTORY", subject=INVENTORY, reason=type(error).__name__) from None


def _inventory(table: dict[str, Any]) -> Inventory:
    manifest = {path: digest.lower() for digest, paths in table["manifest"].items() for path in paths}
    content = {digest: path for path, digest in manifest.items()}
    head = table["head"]
    versions = tuple(sorted(table["versions"], key=_number))
    states: dict[str, dict[str, str]] = {}
    for version in versions:
        state = states[version] = {}
        for digest, paths in table["versions"][version]["state"].items():
            # A logical file lies at the content path of its own name where there are several of one content.
            for path in paths:
                own = (f"{v}/content/{path}" for v in versions)
                same = (at for at in own if manifest.get(at) == digest.lower())
                state[path] = next(same, None) or content[digest.lower()]
    for path in (*manifest, *(path for state in states.values() for path in state)):
        if path.startswith("/") or ".." in path.split("/") or "\x00" in path:
            raise ValueError("path")
    return Inventory(
        str(table["id"]), head, versions, table["digestAlgorithm"], manifest, states[head], states
    )


def _number(version: str) -> int:
    if not _VERSION.fullmatch(version):
        raise ValueError("version")
    return int(version[1:])
