"""Every byte read again: SHA-256 and SM3 of each file against inventory and manifest; none lost or added."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import new, sha256
from pathlib import Path

from casefile.formats.containers import ocfl
from casefile.model.finding import Finding, NotLookedAt
from casefile.verify.subject import MANIFEST, SIGNATURE, TOKEN, Complaints, Subject

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Measured:
    """What a file is."""

    size: int
    sha256: str
    sm3: str


def measure(path: Path) -> Measured:
    """Both digests in one pass over the file."""
    one, two, size = sha256(), new("sm3"), 0
    buffer = memoryview(bytearray(_CHUNK))
    with path.open("rb", buffering=0) as data:
        while count := data.readinto(buffer):
            one.update(buffer[:count])
            two.update(buffer[:count])
            size += count
    return Measured(size, one.hexdigest(), two.hexdigest())


def measure_all(
    paths: Mapping[str, Path], done: Callable[[], None] = lambda: None
) -> dict[str, Measured | str]:
    """Measure many files, on every core: hashing gives up the interpreter's lock.

    A file that can't be read has the reason in place of its measure.
    """
    sized = sorted(paths.items(), key=lambda pair: -_size(pair[1]))

    def one(pair: tuple[str, Path]) -> tuple[str, Measured | str]:
        try:
            return pair[0], measure(pair[1])
        except OSError as error:
            return pair[0], error.strerror or type(error).__name__
        finally:
            done()

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return dict(pool.map(one, sized))


def check(subject: Subject, measured: Mapping[str, Measured | str]) -> Complaints:
    """Name every file that is not what inventory and manifest say, is missing, or is not mentioned."""
    for path in subject.odd:
        yield Finding("VERIFY-ODD-FILE", subject.shown(path), subject.case_no)
    for path, found in measured.items():
        if isinstance(found, str):
            yield NotLookedAt(subject.shown(path), f"VERIFY-UNSEEN-READ {found}")
    digests = {path: found for path, found in measured.items() if isinstance(found, Measured)}
    named: dict[tuple[str, str], Finding] = {}
    # A file that both lists disown is one finding, not two.
    for finding in (*_frame(subject, digests), *_inventory(subject, digests), *_manifest(subject, digests)):
        named.setdefault((finding.code, finding.subject), finding)
    yield from named.values()


def _frame(subject: Subject, digests: Mapping[str, Measured]) -> Iterator[Finding]:
    """The object's own few files, to the byte: a reader that forgives a space forgives a change."""
    if not subject.stored:
        return
    wanted = {ocfl.OBJECT_DECLARATION: b"ocfl_object_1.1\n"}
    folders = ("", *(f"{version}/" for version in (subject.inventory.versions if subject.inventory else ())))
    for folder in folders:
        inventory = digests.get(folder + ocfl.INVENTORY)
        if inventory is None:
            yield _finding("VERIFY-MISSING", folder + ocfl.INVENTORY, subject)
        else:
            wanted[folder + ocfl.SIDECAR] = f"{inventory.sha256} {ocfl.INVENTORY}\n".encode()
    for path, content in wanted.items():
        if path not in subject.on_disk:
            yield _finding("VERIFY-MISSING", path, subject)
        elif path in digests and digests[path].sha256 != sha256(content).hexdigest():
            about = path.removesuffix(f".{ocfl.DIGEST}")
            yield _finding("VERIFY-CHANGED", about, subject)
            if about != path:
                # The two disagree; which of them was touched, their bytes alone don't tell.
                yield _finding("VERIFY-CHANGED", path, subject)
    known = {*wanted, *(folder + ocfl.INVENTORY for folder in folders)}
    listed = subject.inventory.manifest if subject.inventory else {}
    for path in subject.on_disk:
        is_content = subject.inventory is None and "/content/" in path
        if path not in known and path not in listed and not is_content:
            yield _finding("VERIFY-EXTRA", subject.shown(path), subject)


def _inventory(subject: Subject, digests: Mapping[str, Measured]) -> Iterator[Finding]:
    inventory = subject.inventory
    if inventory is None:
        return
    if inventory.digest_algorithm != ocfl.DIGEST:
        yield _finding("VERIFY-INVENTORY", ocfl.INVENTORY, subject, reason=inventory.digest_algorithm)
        return
    names = {at: name for name, at in inventory.state.items()}
    for at, digest in inventory.manifest.items():
        name = names.get(at, at)
        if at not in subject.on_disk and at not in subject.odd:
            yield _finding("VERIFY-MISSING", name, subject)
        elif at in digests and digests[at].sha256 != digest:
            yield _finding("VERIFY-CHANGED", name, subject)


def _manifest(subject: Subject, digests: Mapping[str, Measured]) -> Iterator[Finding]:
    if MANIFEST not in subject.package:
        yield _finding("VERIFY-MISSING", MANIFEST, subject)
    if subject.manifest is None:
        return
    by_name = {name: path.relative_to(subject.folder).as_posix() for name, path in subject.package.items()}
    listed = {file.path: file for file in subject.manifest.files}
    for name, file in listed.items():
        if name not in by_name:
            if name not in subject.odd:
                yield _finding("VERIFY-MISSING", name, subject)
            continue
        found = digests.get(by_name[name])
        if found is not None and (found.size, found.sha256, found.sm3) != (file.size, file.sha256, file.sm3):
            yield _finding("VERIFY-CHANGED", name, subject)
    seals = {MANIFEST, SIGNATURE, *([TOKEN] if subject.manifest.timestamped else [])}
    for name in subject.package:
        if name not in listed and name not in seals:
            yield _finding("VERIFY-EXTRA", name, subject)


def _finding(code: str, path: str, subject: Subject, **params: str) -> Finding:
    return Finding(code, path, subject.case_no, params)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
