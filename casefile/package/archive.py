"""The archive: one OCFL object a case, built and checked aside, then renamed into place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from casefile import ledger
from casefile.context import Context
from casefile.errors import BadInput, Conflict
from casefile.formats import xml
from casefile.formats.containers import ocfl
from casefile.formats.signatures import cms
from casefile.model.case import Case
from casefile.model.document import Document, Evidence
from casefile.model.dossier import Filed, Package, StoredPackage
from casefile.package import statement, versions
from casefile.package.contents import own_files
from casefile.package.space import enough_space
from casefile.package.staging import CHECKSUMS, MANIFEST, SIGNATURE, object_id
from casefile.package.versions import sync

STAGING = "casefile-staging-"
"""Begins the names of folders in ``extensions`` of the storage root, where the specification allows what is
no object: so staging is on the same file system as the archive, wherever that is mounted, and a rename is
whole or nothing."""

_ROOT_LOCK_SECONDS = 60


def store(package: Package, context: Context) -> StoredPackage:
    """Archive a package as a version of its case's object and record it in the ledger (归档).

    The same content again gives the version that is there; whatever was interrupted is completed. A package
    that follows an archived one becomes the next version, any other the first: no byte of the former changes.

    Raises:
        Conflict: ARCHIVE-EXISTS, when the object holds something else; ARCHIVE-BUSY, when another command
            archives this case; ARCHIVE-NO-SPACE; ARCHIVE-INVALID, when what was written can't be read back;
            ARCHIVE-REPLACED, when the ledger knows another package of the case.
    """
    root = context.workspace.archive
    name = object_id(package.case_no, context)
    with _alone(package.case_no, context), enough_space(package.case_no):
        _ensure_root(root, context)
        # A run that was killed leaves its folder behind.
        shutil.rmtree(_bench(name, context), ignore_errors=True)
        folder = ocfl.object_folder(root, name)
        if not folder.exists():
            if package.follows:
                raise BadInput("PACKAGE-NOT-ARCHIVED", subject=package.case_no)
            _write(package, name, folder, context)
            kept = package.manifest_sha256
        elif _follows(package, folder):
            _add(package, name, folder, context)
            kept = package.manifest_sha256
        else:
            kept = _existing(package, folder)
        # After the rename, so that the log never speaks of what is not there; when a run dies in between,
        # the next one completes it.
        there = StoredPackage(package.case_no, name, ocfl.read_inventory(folder).head, folder, kept)
        record(there, context)
    return there


def record(stored: StoredPackage, context: Context) -> int:
    """See to it that the ledger knows the package; returns the entry's number.

    Raises:
        Conflict: ARCHIVE-REPLACED, when the ledger knows another which this one doesn't follow, or the
            bureau's seal is not on it: what replaced a package behind our back must not be written down as
            its successor.
    """
    known = ledger.last(stored.case_no, ledger.PACKAGE, context)
    detail: dict[str, str] = {"version": stored.version}
    if known is not None and known.object_sha256 != stored.manifest_sha256:
        inventory = ocfl.read_inventory(stored.folder)
        raw, seal = (
            (stored.folder / inventory.state[name]).read_bytes() if name in inventory.state else b""
            for name in (MANIFEST, SIGNATURE)
        )
        root = xml.parse(raw, MANIFEST)
        same = sha256(raw).hexdigest() == stored.manifest_sha256
        if not (same and statement.previous(root) == known.object_sha256 and _sealed(raw, seal, context)):
            raise Conflict("ARCHIVE-REPLACED", subject=stored.case_no, seq=known.seq)
        *_, newest = statement.supplements(root)
        detail |= {"follows": known.object_sha256, "reason": newest.reason}
    return ledger.append(ledger.PACKAGE, stored.case_no, stored.manifest_sha256, context, detail)


def is_recorded(stored: StoredPackage, context: Context) -> bool:
    """Whether the ledger's last word on the case is this package."""
    known = ledger.last(stored.case_no, ledger.PACKAGE, context)
    return known is not None and known.object_sha256 == stored.manifest_sha256


def _sealed(raw: bytes, seal: bytes, context: Context) -> bool:
    roots = [context.workspace.root / path for path in context.config.signing.trust_roots]
    return cms.verify_detached(raw, seal, roots).bottom_line


def stored(case_no: str, context: Context) -> StoredPackage | None:
    """What the archive holds of a case, or None. Reads the object's inventory only; ``verify`` checks it.

    Raises:
        BadInput: OCFL-INVENTORY, when there is an object that can't be read.
    """
    name = object_id(case_no, context)
    folder = ocfl.object_folder(context.workspace.archive, name)
    if not folder.is_dir():
        return None
    inventory = ocfl.read_inventory(folder)
    content = inventory.state.get(MANIFEST, "")
    if content not in inventory.manifest:
        raise BadInput("OCFL-INVENTORY", subject=case_no, reason=MANIFEST)
    return StoredPackage(case_no, name, inventory.head, folder, inventory.manifest[content])


def holds(
    stored: StoredPackage,
    case: Case,
    documents: Sequence[Document],
    evidence: Sequence[Evidence],
    filed: Filed | None = None,
) -> bool:
    """True when the archive has these documents, originals and data already, and no others of the kind."""
    inventory = ocfl.read_inventory(stored.folder)
    there = {path: inventory.manifest[at] for path, at in inventory.state.items()}
    wanted = {entry.path: entry.sha256 for entry in own_files(case, documents, evidence, filed=filed)}
    kinds = {path.partition("/")[0] for path in wanted}
    return wanted == {path: digest for path, digest in there.items() if path.partition("/")[0] in kinds}


def _bench(name: str, context: Context) -> Path:
    extensions = context.workspace.archive / "extensions"
    return extensions / f"{STAGING}{sha256(name.encode()).hexdigest()[:16]}"


def _write(package: Package, name: str, folder: Path, context: Context) -> None:
    fresh = _bench(name, context)
    try:
        fresh.parent.mkdir(exist_ok=True)
        ocfl.create(
            name,
            package.folder,
            fresh,
            created=context.now(),
            message="归档",
            user=context.config.bureau.name,
            address=f"urn:casefile:{context.config.bureau.fonds_no}",
        )
        _to_disk(fresh)
        _as_sealed(package, fresh)
        _move(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _add(package: Package, name: str, folder: Path, context: Context) -> None:
    """The next version, built and checked on a twin of the object, which then takes the object's place."""
    fresh = _bench(name, context)
    try:
        fresh.parent.mkdir(exist_ok=True)
        versions.twin(folder, fresh)
        ocfl.add_version(
            fresh,
            package.folder,
            created=context.now(),
            message=f"补充归卷：{package.reason}",
            user=context.config.bureau.name,
            address=f"urn:casefile:{context.config.bureau.fonds_no}",
        )
        _to_disk(fresh)
        _as_sealed(package, fresh)
        versions.commit(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _as_sealed(package: Package, fresh: Path) -> None:
    """What was staged may have been changed between sealing and now, and a disk may write what it likes."""
    wrong = ocfl.complaints(fresh, digests=True)
    written = ocfl.read_inventory(fresh)
    digests = {path: written.manifest[at] for path, at in written.state.items()}
    expected = {**package.files, MANIFEST: package.manifest_sha256}
    if wrong or any(digests.get(path) != digest for path, digest in expected.items()):
        raise Conflict("ARCHIVE-INVALID", subject=package.case_no, reason="; ".join(wrong)[:300])


def _follows(package: Package, folder: Path) -> bool:
    """True when the newest version in the archive is the one onto which the package was made."""
    inventory = ocfl.read_inventory(folder)
    at = inventory.state.get(MANIFEST, "")
    return bool(package.follows) and inventory.manifest.get(at) == package.follows


def _move(fresh: Path, folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh.rename(folder)
        sync(folder.parent)
    except OSError:
        # An empty folder is no part of a storage root.
        for empty in (folder.parent, *folder.parent.parents[:2]):
            _remove_if_empty(empty)
        raise


def _existing(package: Package, folder: Path) -> str:
    """Digest of the manifest that is there, if it seals the same files.

    Manifest, signature and checksum list of two runs differ by their times, and so does the page that quotes
    one of them; what they are about does not.
    """
    inventory = ocfl.read_inventory(folder)
    there = {path: inventory.manifest[at] for path, at in inventory.state.items()}
    wanted = {path: digest for path, digest in package.files.items() if path.partition("/")[1]}
    kept = {path: digest for path, digest in there.items() if path.partition("/")[1]}
    if CHECKSUMS not in there or MANIFEST not in there or wanted != kept:
        raise Conflict("ARCHIVE-EXISTS", subject=package.case_no, version=inventory.head)
    return there[MANIFEST]


@contextmanager
def _alone(case_no: str, context: Context) -> Iterator[None]:
    work = context.workspace.case(case_no).work
    work.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(work / ".archive.lock", timeout=0):
            yield
    except Timeout:
        raise Conflict("ARCHIVE-BUSY", subject=case_no) from None


def _ensure_root(root: Path, context: Context) -> None:
    try:
        with FileLock(context.workspace.root / ".archive.lock", timeout=_ROOT_LOCK_SECONDS):
            ocfl.ensure_root(root)
    except Timeout:
        raise Conflict("ARCHIVE-BUSY", subject="archive") from None


def _to_disk(folder: Path) -> None:
    """A file system may promise space that it doesn't have until bytes are on disk."""
    for parent, _, files in os.walk(folder):
        for file in files:
            sync(Path(parent) / file)
        sync(Path(parent))


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return
