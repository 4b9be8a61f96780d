"""What the archive holds of a case, read back: the ground on which an addition is built (已归档案卷)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from casefile import ledger
from casefile.context import Context
from casefile.errors import BadInput, Conflict
from casefile.formats import xml
from casefile.formats.containers import ocfl
from casefile.formats.pdf.second_reader import SecondReader, Unreadable
from casefile.model.document import Part
from casefile.model.dossier import (
    AppliedSignature,
    BoundVolume,
    Filed,
    FiledAct,
    FiledFile,
    PageRange,
    Placement,
    SignedVolume,
    StoredPackage,
)
from casefile.model.terms import Role, Route, Volume
from casefile.package import statement
from casefile.package.archive import stored
from casefile.package.staging import MANIFEST, SIGNATURE, TOKEN

_SPACE = {"m": "urn:casefile:archive:1"}
_CONTENTS = "contents.xml"
_INSIDE = {"c": "urn:casefile:contents:1"}


def filed(case_no: str, context: Context) -> Filed | None:
    """The newest version in the archive, or None. Every file of it is read and compared with its digests.

    Raises:
        Conflict: ARCHIVE-DAMAGED, naming a file that is not what it was; ARCHIVE-REPLACED, when the ledger
            knows another package.
        BadInput: OCFL-INVENTORY or ARCHIVE-UNREADABLE.
    """
    there = stored(case_no, context)
    if there is None:
        return None
    inventory = ocfl.read_inventory(there.folder)
    raw = (there.folder / inventory.state[MANIFEST]).read_bytes()
    if hashlib.sha256(raw).hexdigest() != there.manifest_sha256:
        raise Conflict("ARCHIVE-DAMAGED", subject=case_no, file=MANIFEST)
    _as_recorded(there, raw, context)
    try:
        root = xml.parse(raw, MANIFEST)
        files = dict(_files(root, there.folder, inventory, case_no))
        return Filed(
            case_no=case_no,
            title=root.findtext("m:case/m:contentDescription/m:title", "", _SPACE),
            version=there.version,
            manifest_sha256=there.manifest_sha256,
            volumes=tuple(_volume(node, files) for node in root.iterfind("m:volumes/m:volume", _SPACE)),
            files=files,
            seals={
                name: there.folder / inventory.state[name]
                for name in (MANIFEST, SIGNATURE, TOKEN)
                if name in inventory.state
            },
            supplements=tuple(statement.supplements(root)),
            acts=tuple(_acts(root)),
        )
    except (AttributeError, KeyError, ValueError, TypeError, Unreadable) as error:
        reason = f"{type(error).__name__} {error}"[:200]
        raise BadInput("ARCHIVE-UNREADABLE", subject=case_no, reason=reason) from None


def _as_recorded(there: StoredPackage, raw: bytes, context: Context) -> None:
    known = ledger.last(there.case_no, ledger.PACKAGE, context)
    if known is None or known.object_sha256 == there.manifest_sha256:
        return
    # A run that died between archive and ledger left a successor that is not recorded yet.
    if statement.previous(xml.parse(raw, MANIFEST)) != known.object_sha256:
        raise Conflict("ARCHIVE-REPLACED", subject=there.case_no, seq=known.seq)


def _files(
    root: Any, folder: Path, inventory: ocfl.Inventory, case_no: str
) -> Iterator[tuple[str, FiledFile]]:
    for node in root.iterfind("m:files/m:file", _SPACE):
        has = node.attrib
        path, digest = has["path"], has["sha256"]
        at = inventory.state.get(path)
        if at is None or _digest(folder / at) != digest:
            raise Conflict("ARCHIVE-DAMAGED", subject=case_no, file=path)
        yield path, FiledFile(folder / at, digest, has["role"], has.get("receivedAs", ""))


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as data:
            return hashlib.file_digest(data, "sha256").hexdigest()
    except OSError:
        return ""


def _volume(node: Any, files: Mapping[str, FiledFile]) -> SignedVolume:
    has = node.attrib
    pdf = files[has["path"]].path
    volume = Volume(has["kind"])
    notes = _notes(pdf)
    documents = {file.sha256: file.path for file in files.values() if file.role == "document"}
    placements = tuple(
        _placement(item, volume, pdf, notes, documents, files) for item in node.iterfind("m:item", _SPACE)
    )
    bound = BoundVolume(
        volume,
        pdf,
        has["sha256"],
        int(has["sheets"]),
        placements,
        (),
        has["archivalCode"],
        int(has.get("book", "1")),
        int(has.get("books", "1")),
    )
    signatures = tuple(
        AppliedSignature(
            one.attrib["field"],
            Role(one.attrib["role"]),
            one.attrib["signer"],
            one.attrib["certificateSha256"],
            one.attrib["level"],
            dt.datetime.fromisoformat(one.attrib["time"]),
        )
        for one in node.iterfind("m:signature", _SPACE)
    )
    return SignedVolume(bound, pdf, has["sha256"], signatures)


def _notes(pdf: Path) -> dict[str, str]:
    """The remarks of the catalogue by part; the manifest has no place for them, the volume's own list has."""
    data = SecondReader(pdf).attachment(_CONTENTS)
    if data is None:
        raise ValueError(_CONTENTS)
    root = xml.parse(data, _CONTENTS)
    return {
        node.attrib["id"]: node.findtext("c:note", "", _INSIDE) or ""
        for node in root.iterfind("c:item", _INSIDE)
    }


def _placement(
    node: Any,
    volume: Volume,
    pdf: Path,
    notes: Mapping[str, str],
    documents: Mapping[str, Path],
    files: Mapping[str, FiledFile],
) -> Placement:
    pages, part, original = (node.find(f"m:{name}", _SPACE).attrib for name in ("pages", "part", "original"))
    day = node.findtext("m:date", "", _SPACE)
    range_ = PageRange(int(pages["first"]), int(pages["last"]))
    source = files.get(original.get("path", ""))
    made = Part(
        id=node.attrib["id"],
        type_id=node.attrib["type"],
        title=node.findtext("m:title", "", _SPACE),
        doc_no=node.findtext("m:documentNumber", "", _SPACE) or "",
        author=node.findtext("m:author", "", _SPACE) or "",
        date=dt.date.fromisoformat(day) if day else None,
        volume=Volume.INTERNAL if node.get("internal") in ("true", "1") else volume,
        pdf=documents.get(part["sha256"], pdf),
        sha256=part["sha256"],
        pages=int(pages.get("sheets") or range_.last - range_.first + 1),
        route=Route(part["route"]),
        original=source.path if source else pdf,
        original_sha256=original["sha256"],
        original_format=original["format"],
        difference=float(part["difference"]) if "difference" in part else None,
        receipt_for=tuple(node.get("receiptFor", "").split()),
        note=notes.get(node.attrib["id"], ""),
        blank=tuple(int(page) for page in pages.get("blank", "").split()),
    )
    first = int(pages["sheet"]) - 1
    return Placement(int(node.attrib["seq"]), made, range_, first, int(pages.get("before", "0")))


def _acts(root: Any) -> Iterator[FiledAct]:
    for node in root.iterfind("m:events/m:event", _SPACE):
        yield FiledAct(
            node.findtext("m:businessActivity", "", _SPACE),
            node.findtext("m:actionTime", "", _SPACE),
            node.findtext("m:actionDescription", "", _SPACE) or "",
        )
