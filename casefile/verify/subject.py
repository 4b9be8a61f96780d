"""What is under examination: a package as it lies, alone in a folder or inside of an OCFL object."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from casefile.errors import CasefileError
from casefile.formats import xml
from casefile.formats.containers import ocfl
from casefile.model.finding import Finding, NotLookedAt
from casefile.verify.manifest import Manifest, read

MANIFEST = "manifest.xml"
SIGNATURE = "manifest.xml.p7s"
TOKEN = "manifest.xml.tsr"

Complaint = Finding | NotLookedAt
Complaints = Iterator[Complaint]


@dataclass(frozen=True, slots=True)
class Subject:
    """Everything that could be learned by opening it; ``complaints`` says what could not.

    ``on_disk`` are all regular files below ``folder`` by their path in it; ``package`` those of the package,
    by the path that the manifest uses. ``odd`` are links, devices and the like. ``object_id`` is what the
    object must be called, or empty.
    """

    folder: Path
    case_no: str
    object_id: str
    stored: bool
    in_ledger: bool
    on_disk: Mapping[str, Path]
    odd: tuple[str, ...]
    package: Mapping[str, Path]
    inventory: ocfl.Inventory | None
    raw_manifest: bytes | None
    manifest: Manifest | None
    complaints: tuple[Complaint, ...]

    def shown(self, on_disk: str) -> str:
        """The path of a file as people know it: that in the package, where it has one."""
        folder, content, name = on_disk.partition("/content/")
        return name if self.stored and content and "/" not in folder else on_disk


def opened(folder: Path, *, case_no: str = "", object_id: str = "", in_ledger: bool = False) -> Subject:
    """Look at what lies in ``folder``; nothing is ever raised because of it."""
    complaints: list[Complaint] = []
    on_disk, odd = _walk(folder)
    stored = any(path.startswith("0=ocfl_object") or path == ocfl.INVENTORY for path in on_disk)
    inventory = None
    if stored:
        try:
            inventory = ocfl.read_inventory(folder)
        except CasefileError as error:
            complaints.append(_finding(error, case_no))
    package = _package(on_disk, stored, inventory)
    raw = manifest = None
    try:
        if MANIFEST in package:
            raw = package[MANIFEST].read_bytes()
            manifest = read(xml.parse(raw, MANIFEST), MANIFEST)
    except CasefileError as error:
        complaints.append(_finding(error, case_no))
    except OSError as error:
        complaints.append(NotLookedAt(MANIFEST, f"VERIFY-UNSEEN-READ {error.strerror}"))
    return Subject(
        folder,
        case_no or (manifest.case_no if manifest else ""),
        object_id,
        stored,
        in_ledger,
        on_disk,
        tuple(odd),
        package,
        inventory,
        raw,
        manifest,
        tuple(complaints),
    )


def _walk(folder: Path) -> tuple[dict[str, Path], list[str]]:
    files: dict[str, Path] = {}
    odd: list[str] = []
    for parent, folders, names in os.walk(folder):
        for name in (*names, *(each for each in folders if (Path(parent) / each).is_symlink())):
            path = Path(parent) / name
            shown = path.relative_to(folder).as_posix()
            if stat.S_ISREG(path.lstat().st_mode):
                files[shown] = path
            else:
                odd.append(shown)
    return files, odd


def _package(on_disk: Mapping[str, Path], stored: bool, inventory: ocfl.Inventory | None) -> dict[str, Path]:
    if not stored:
        return dict(on_disk)
    if inventory is not None:
        return {name: on_disk[at] for name, at in inventory.state.items() if at in on_disk}
    # Without an inventory the newest version as it lies is the best guess; the loss itself is on record.
    versions = {path.partition("/")[0] for path in on_disk if path.partition("/")[2].startswith("content/")}
    if not versions:
        return {}
    head = f"{max(versions, key=lambda version: (len(version), version))}/content/"
    return {path.removeprefix(head): at for path, at in on_disk.items() if path.startswith(head)}


def _finding(error: CasefileError, case_no: str) -> Finding:
    return Finding(error.code, error.subject, case_no, error.params)
