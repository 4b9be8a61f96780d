"""A package made beside the case, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Sequence
from hashlib import sha256
from pathlib import Path

from casefile import database, resources
from casefile.context import Context
from casefile.database import ArchivalNumber
from casefile.model.case import Case, RegisterRow
from casefile.model.document import Document, Evidence, Part
from casefile.model.dossier import Filed, Package, SignedDossier
from casefile.model.terms import Route
from casefile.package import contents, events, manifest, readme
from casefile.package.contents import Entry, Staged
from casefile.package.seal import Sealer, bureau_sealer
from casefile.package.space import enough_space

MANIFEST = "manifest.xml"
SIGNATURE = "manifest.xml.p7s"
TOKEN = "manifest.xml.tsr"
CHECKSUMS = "checksums.sha256"


def object_id(case_no: str, context: Context) -> str:
    """The name of a case in the archive, for all time."""
    return f"urn:casefile:{context.config.bureau.fonds_no}:{case_no}"


def package(
    case: Case,
    documents: Sequence[Document],
    evidence: Sequence[Evidence],
    parts: Sequence[Part],
    signed: SignedDossier,
    context: Context,
    row: RegisterRow | None = None,
    refused: Collection[str] = (),
    *,
    filed: Filed | None = None,
    sealer: Sealer | None = None,
) -> Package:
    """Stage everything of a signed case with manifest, signature and timestamp (归档包).

    ``refused`` holds ids of evidence whose bytes must not be kept; a part that was refused counts as well.
    ``filed`` is the archived version that this one follows; then ``signed`` must have been bound onto it.
    The same inputs give the package that is there already; a run that was killed is begun anew.

    Raises:
        Conflict: PACKAGE-CHANGED or PACKAGE-MISSING, when a file is not what it was; ARCHIVE-NO-SPACE.
        SigningFailed: when the seal can't be had.
    """
    hidden = {*refused, *(part.id for part in parts if part.route is Route.REFUSED)}
    inputs = _digest(case, documents, evidence, parts, signed, row, hidden, filed, context)
    place = context.workspace.case(case.case_no).work / "package"
    folder = place / inputs[:16]
    if not (folder / MANIFEST).is_file():
        sealer = sealer or bureau_sealer(context)
        half = place / f".{inputs[:16]}.part"
        try:
            with enough_space(case.case_no):
                shutil.rmtree(half, ignore_errors=True)
                half.mkdir(parents=True)
                entries = list(contents.entries(case, documents, evidence, signed, hidden, filed))
                _fill(
                    half,
                    entries,
                    evidence,
                    hidden,
                    inputs,
                    case,
                    documents,
                    signed,
                    row,
                    filed,
                    sealer,
                    context,
                )
                half.rename(folder)
        finally:
            shutil.rmtree(half, ignore_errors=True)
        _forget_others(place, folder)
    return Package(
        case.case_no,
        _archival(case.case_no, signed, context)[0],
        folder,
        sha256((folder / MANIFEST).read_bytes()).hexdigest(),
        _listed(folder),
        follows=filed.manifest_sha256 if filed else "",
        reason=signed.supplements[-1].reason if filed else "",
    )


def _fill(
    folder: Path,
    entries: Sequence[Entry],
    evidence: Sequence[Evidence],
    hidden: Collection[str],
    inputs: str,
    case: Case,
    documents: Sequence[Document],
    signed: SignedDossier,
    row: RegisterRow | None,
    filed: Filed | None,
    sealer: Sealer,
    context: Context,
) -> None:
    now = context.now()
    bureau = context.config.bureau
    code, year = _archival(case.case_no, signed, context)
    schema = (resources.root("archive_schema") / "manifest.xsd").read_bytes()
    page = readme.written(
        case_no=case.case_no,
        title=case.title,
        archival_code=code,
        creator=bureau.name,
        created=now,
        signer=sealer.signer,
        stamped=sealer.stamps,
        volumes=[entry.path for entry in entries if entry.role == "volume"],
        follows=filed.version if filed else "",
    )
    staged = [contents.place(entry, folder) for entry in entries]
    for entry in (
        Entry("manifest.xsd", "schema", "application/xml", schema),
        Entry("trust/roots.pem", "trust", "application/x-pem-file", sealer.roots),
        Entry(readme.NAME, "readme", "text/plain", page),
    ):
        staged.append(contents.place(entry, folder))
    sums = "".join(f"{one.sha256}  {one.entry.path}\n" for one in sorted(staged, key=_path)).encode()
    staged.append(contents.place(Entry(CHECKSUMS, "checksums", "text/plain", sums), folder))
    data = manifest.written(
        manifest.Statement(
            case=case,
            row=row,
            signed=signed,
            files=sorted(staged, key=_path),
            refusals=[item for item in evidence if item.id in hidden],
            evidence=evidence,
            events=events.events(documents, signed, now, context, filed),
            programs=events.programs(documents),
            fonts=events.fonts(documents),
            created=now,
            creator=bureau.name,
            object_id=object_id(case.case_no, context),
            archival_code=code,
            fonds=bureau.fonds_no,
            year=year,
            retention=context.config.binding.retention,
            inputs_sha256=inputs,
            signer=sealer.signer,
            certificate_sha256=sealer.certificate_sha256,
            timestamped=sealer.stamps,
            filed=filed,
        )
    )
    contents.place(Entry(SIGNATURE, "", "", sealer.sign(data, now)), folder)
    if sealer.stamps:
        contents.place(Entry(TOKEN, "", "", sealer.timestamp(data)), folder)
    contents.place(Entry(MANIFEST, "", "", data), folder)


def _path(staged: Staged) -> str:
    return staged.entry.path


def _archival(case_no: str, signed: SignedDossier, context: Context) -> tuple[str, int]:
    """Code of the whole file, of which each volume's is a variety, and its year."""
    with database.session(context) as session:
        given = session.get(ArchivalNumber, case_no)
        if given is not None:
            return given.code, given.year
    return signed.volumes[0].bound.archival_code, signed.bound_at.year


def _digest(
    case: Case,
    documents: Sequence[Document],
    evidence: Sequence[Evidence],
    parts: Sequence[Part],
    signed: SignedDossier,
    row: RegisterRow | None,
    hidden: Collection[str],
    filed: Filed | None,
    context: Context,
) -> str:
    said: dict[str, object] = {
        "case": [case.case_no, case.digest, case.title, case.secrecy],
        "documents": [[d.id, d.docx_sha256, d.pdf_sha256, d.title, d.doc_no] for d in documents],
        "evidence": [[e.id, e.path, e.sha256, e.puid, e.facts, e.inside] for e in evidence],
        "parts": [[p.id, p.sha256, p.title, p.route.value] for p in parts],
        "volumes": [[v.bound.name, v.sha256, v.bound.archival_code] for v in signed.volumes],
        "row": None if row is None else [row.title, str(row.filed_on), str(row.closed_on), row.status],
        "hidden": sorted(hidden),
        "schema": sha256((resources.root("archive_schema") / "manifest.xsd").read_bytes()).hexdigest(),
        "object": object_id(case.case_no, context),
    }
    if filed is not None:
        said["follows"] = filed.manifest_sha256
        said["supplements"] = repr(signed.supplements)
    # Escaped to ASCII, because a received file's name may hold what UTF-8 can't.
    return sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _listed(folder: Path) -> dict[str, str]:
    """Path and SHA-256 of every file that the checksum list names, and of the list itself."""
    lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    files = {path: digest for digest, _, path in (line.partition("  ") for line in lines)}
    files[CHECKSUMS] = sha256((folder / CHECKSUMS).read_bytes()).hexdigest()
    return files


def _forget_others(place: Path, kept: Path) -> None:
    """Packages of earlier inputs can be made again; they are as large as the case."""
    for other in os.scandir(place):
        if other.is_dir() and Path(other.path) != kept:
            shutil.rmtree(other.path, ignore_errors=True)
