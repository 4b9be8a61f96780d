"""The versions before: each still there, sealed, recorded, and only added to since."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

from casefile import ledger
from casefile.context import Context
from casefile.errors import CasefileError
from casefile.formats import xml
from casefile.model.finding import Finding, NotLookedAt
from casefile.verify import seal
from casefile.verify.manifest import ListedItem, Manifest, read
from casefile.verify.subject import MANIFEST, SIGNATURE, TOKEN, Complaints, Subject


@dataclass(frozen=True, slots=True)
class _Version:
    """One version as its manifest tells of it."""

    name: str
    folder: str
    """Where its manifest lies in the package: ``former/v1/``, or nowhere for the newest."""
    raw: bytes
    manifest: Manifest


def check(subject: Subject, context: Context) -> Complaints:
    """Follow the chain of manifests down to the first version."""
    if subject.manifest is None or subject.raw_manifest is None:
        return
    versions = [_Version(_name(subject.manifest), "", subject.raw_manifest, subject.manifest)]
    for found in _former(subject):
        if isinstance(found, _Version):
            versions.append(found)
            yield from _sealed(found, subject, context)
        else:
            yield found
    for newer, older in pairwise(versions):
        yield from _grown(newer, older, subject.case_no)
    if subject.stored and subject.inventory is not None:
        yield from _stored(versions, subject)
    if subject.in_ledger:
        yield from _recorded(versions[1:], subject.case_no, context)


def _name(manifest: Manifest) -> str:
    """The version of a package by what it follows; a package alone in a folder has no other name."""
    follows = manifest.previous.version[1:] if manifest.previous else "0"
    return f"v{int(follows) + 1}" if follows.isdecimal() else "?"


def _former(subject: Subject) -> Iterator[_Version | Finding | NotLookedAt]:
    """Each version before, newest first, as far as the chain holds."""
    manifest, seen = subject.manifest, set[str]()
    while manifest is not None and manifest.previous and manifest.previous.version not in seen:
        version, wanted = manifest.previous.version, manifest.previous.sha256
        seen.add(version)
        name = f"former/{version}/{MANIFEST}"
        manifest = None
        if name not in subject.package:
            yield Finding("VERIFY-MISSING", name, subject.case_no)
            return
        try:
            raw = subject.package[name].read_bytes()
            if sha256(raw).hexdigest() != wanted:
                yield Finding("VERIFY-CHAIN", name, subject.case_no, {"version": version})
                return
            manifest = read(xml.parse(raw, name), name)
            yield _Version(version, f"former/{version}/", raw, manifest)
        except OSError as error:
            yield NotLookedAt(name, f"VERIFY-UNSEEN-READ {error.strerror}")
        except CasefileError as error:
            yield Finding(error.code, error.subject, subject.case_no, error.params)


def _sealed(version: _Version, subject: Subject, context: Context) -> Complaints:
    try:
        seals = {
            name: subject.package[version.folder + name].read_bytes()
            for name in (SIGNATURE, TOKEN)
            if version.folder + name in subject.package
        }
    except OSError as error:
        yield NotLookedAt(version.folder + SIGNATURE, f"VERIFY-UNSEEN-READ {error.strerror}")
        return
    yield from seal.judge(
        version.raw, seals, version.manifest, context, subject.case_no, where=version.folder
    )


def _grown(newer: _Version, older: _Version, case_no: str) -> Iterator[Finding]:
    """What was archived keeps volume, sequence number, pages and bytes; what is new stands behind it."""
    now, before = _items(newer.manifest), _items(older.manifest)
    last: dict[str, int] = {}
    for (kind, id_), item in before.items():
        last[kind] = max(last.get(kind, 0), item.seq)
        if (kind, id_) not in now or _place(now[kind, id_]) != _place(item):
            what = f"{older.name} #{item.seq} {item.title}"
            yield Finding("VERIFY-MOVED", MANIFEST, case_no, {"what": what})
    told = {id_ for one in newer.manifest.supplements if one.version == newer.name for id_ in one.items}
    for (kind, id_), item in now.items():
        new = (kind, id_) not in before
        if (new and item.seq <= last.get(kind, 0)) or new != (id_ in told):
            what = f"{newer.name} #{item.seq} {item.title}"
            yield Finding("VERIFY-MOVED", MANIFEST, case_no, {"what": what})
    kept = {file.path: file.sha256 for file in newer.manifest.files}
    for file in older.manifest.files:
        if file.role in ("document", "source", "signed", "original") and kept.get(file.path) != file.sha256:
            yield Finding("VERIFY-MOVED", MANIFEST, case_no, {"what": f"{older.name} {file.path}"})


def _items(manifest: Manifest) -> dict[tuple[str, str], ListedItem]:
    return {(volume.kind, item.id): item for volume in manifest.volumes for item in volume.items}


def _place(item: ListedItem) -> tuple[object, ...]:
    return (
        item.seq, item.type_id, item.title, item.doc_no, item.author, item.date, item.first, item.last,
        item.blank, item.route, item.sha256, item.original_sha256, item.original_path,
    )  # fmt: skip


def _stored(versions: list[_Version], subject: Subject) -> Iterator[Finding]:
    """In the store, each version's own folder must agree with what the newest package carries of it."""
    assert subject.inventory is not None
    states, digests = subject.inventory.states, subject.inventory.manifest
    known = {version.name: version for version in versions}
    for name in states:
        if name not in known:
            yield Finding("VERIFY-CHAIN", f"{name}/{MANIFEST}", subject.case_no, {"version": name})
    for name, version in known.items():
        if name not in states:
            yield Finding("VERIFY-CHAIN", f"{name}/{MANIFEST}", subject.case_no, {"version": name})
            continue
        there = {path: digests.get(at, "") for path, at in states[name].items()}
        listed = {file.path: file.sha256 for file in version.manifest.files}
        listed[MANIFEST] = sha256(version.raw).hexdigest()
        for path, digest in listed.items():
            if there.get(path) != digest:
                yield Finding("VERIFY-CHAIN", f"{name}/{path}", subject.case_no, {"version": name})


def _recorded(versions: list[_Version], case_no: str, context: Context) -> Iterator[Finding]:
    try:
        proof = ledger.prove(case_no, context)
    except CasefileError as error:
        yield Finding(error.code, error.subject, case_no, error.params)
        return
    recorded = {str(body.get("object_sha256")) for body in _bodies(proof)}
    for version in versions:
        if sha256(version.raw).hexdigest() not in recorded:
            yield Finding("VERIFY-NOT-RECORDED", f"{version.folder}{MANIFEST}", case_no)


def _bodies(proof: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    entries = proof["entries"]
    for entry in entries if isinstance(entries, list) else ():
        try:
            body = json.loads(entry["body"])
        except (ValueError, KeyError, TypeError):
            continue  # recorded.check names an entry that can't be read
        if isinstance(body, dict) and body.get("action") == ledger.PACKAGE:
            yield body
