"""What the archive holds, found on disk and not by asking whoever wrote it.

An object is a folder with a declaration or an inventory (OCFL 1.1 section 3.1), wherever it lies below the
storage root. Its id ends in the case number; ``manifest.xml`` of the head version must name the same. The
digest of the manifest is taken from the bytes that lie there now; every other file is the business of
``verify``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from lxml import etree

from casefile.model.finding import Finding

NAMESPACE = "urn:casefile:archive:1"
MANIFEST = "manifest.xml"
INVENTORY = "inventory.json"

_OBJECT_ID = re.compile(r"urn:casefile:[^:]+:(.+)")
_DECLARATION = re.compile(r"0=ocfl_object_\d+\.\d+")
_ROOT_FILE = re.compile(
    r"0=ocfl_\d+\.\d+|ocfl_layout\.json|ocfl_\d+\.\d+\.(?:txt|md)|[0-9]{4}-[a-z0-9-]+\.md"
)
_MOST_BYTES = 64_000_000
"""No inventory or manifest of one case comes near this; what is bigger is not read."""


@dataclass(frozen=True, slots=True)
class Archived:
    """The head of one object. ``manifest_sha256`` is None where the manifest can't be read any more."""

    case_no: str
    object_id: str
    folder: Path
    version: str
    manifest_sha256: str | None


def objects(root: Path) -> Iterator[Archived | Finding]:
    """Every object under the storage root, and findings where something is not what it should be."""
    pending = [root] if root.is_dir() else []
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            yield _broken(folder, root, error.strerror or "?")
            continue
        if any(_DECLARATION.fullmatch(e.name) or e.name == INVENTORY for e in entries):
            yield from _object(folder, root)
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                # Extensions are the store's own business; a hidden folder is a write under way.
                if not entry.name.startswith(".") and not (folder == root and entry.name == "extensions"):
                    pending.append(folder / entry.name)
            elif not entry.name.startswith(".") and not (folder == root and _ROOT_FILE.fullmatch(entry.name)):
                yield Finding("ARCHIVE-STRAY", subject=_shown(folder / entry.name, root))


@dataclass(frozen=True, slots=True)
class _Inventory:
    id: str
    head: str
    algorithm: str
    digest: str
    manifest: str
    """Content path of ``manifest.xml`` in the head version."""


def _object(folder: Path, root: Path) -> Iterator[Archived | Finding]:
    inventory = _inventory(folder)
    if inventory is None:
        yield _broken(folder, root, INVENTORY)
        return
    manifest = _read(folder, inventory.manifest)
    stated = _case_no(manifest) if manifest is not None else ""
    named = _OBJECT_ID.fullmatch(inventory.id)
    case_no = named.group(1) if named else stated
    if not case_no:
        yield _broken(folder, root, MANIFEST)
        return
    sidecar = _read(folder, f"{INVENTORY}.{inventory.algorithm}") or b""
    if sidecar.split()[:1] != [inventory.digest.encode()]:
        yield _broken(folder, root, f"{INVENTORY}.{inventory.algorithm}", case_no)
    if stated and stated != case_no:
        yield _broken(folder, root, MANIFEST, case_no)
    digest = hashlib.sha256(manifest).hexdigest() if manifest is not None else None
    yield Archived(case_no, inventory.id, folder, inventory.head, digest)


def _inventory(folder: Path) -> _Inventory | None:
    data = _read(folder, INVENTORY)
    try:
        table: Any = json.loads(data or b"")
        algorithm = str(table["digestAlgorithm"])
        if algorithm not in ("sha256", "sha512"):
            return None
        head = str(table["head"])
        state = table["versions"][head]["state"]
        digest = next((digest for digest, paths in state.items() if MANIFEST in paths), None)
        # The same bytes may lie under several names; any of them will do.
        manifest = str(table["manifest"][digest][0]) if digest is not None else ""
        return _Inventory(
            str(table["id"]), head, algorithm, hashlib.new(algorithm, data or b"").hexdigest(), manifest
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return None


def _read(folder: Path, inside: str) -> bytes | None:
    """The bytes of a file of the object, or None where there is no such plain file."""
    path = folder / inside
    try:
        if not inside or Path(inside).is_absolute() or ".." in Path(inside).parts or path.is_symlink():
            return None
        return path.read_bytes() if path.stat().st_size <= _MOST_BYTES else None
    except (OSError, ValueError):
        return None


def _case_no(manifest: bytes) -> str:
    # Stops at the number, which stands near the top; the rest of a long manifest is not parsed.
    tag = f"{{{NAMESPACE}}}caseNumber"
    try:
        source = BytesIO(manifest)
        for _, element in etree.iterparse(source, tag=tag, resolve_entities=False, no_network=True):
            return str(element.text or "").strip()
    except etree.XMLSyntaxError:
        pass
    return ""


def _shown(path: Path, root: Path) -> str:
    return f"{root.name}/{path.relative_to(root).as_posix()}" if path != root else root.name


def _broken(folder: Path, root: Path, file: str, case_no: str = "") -> Finding:
    return Finding("ARCHIVE-OBJECT-BROKEN", _shown(folder, root), case_no, {"file": file})
