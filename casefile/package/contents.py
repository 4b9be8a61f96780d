"""What goes into a package: every file with its place, its use and where its bytes come from."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from hashlib import new, sha256
from pathlib import Path

from casefile.errors import Conflict
from casefile.model.case import Case
from casefile.model.document import Document, Evidence
from casefile.model.dossier import Filed, SignedDossier

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
UNKNOWN = "application/octet-stream"

_MEDIA = {
    "xml": "application/xml",
    "p7s": "application/pkcs7-signature",
    "tsr": "application/timestamp-reply",
}

_CHUNK = 1 << 20
_NAME_LIMIT = 60
_MEDIA_TYPE = re.compile(r"[a-z]+/[A-Za-z0-9.+-]{1,80}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file to come: ``sha256`` is what its source must still have; empty where nobody recorded it."""

    path: str
    role: str
    media_type: str
    source: Path | bytes
    sha256: str = ""
    received_as: str = ""


@dataclass(frozen=True, slots=True)
class Staged:
    """One file in place."""

    entry: Entry
    size: int
    sha256: str
    sm3: str


def entries(
    case: Case,
    documents: Sequence[Document],
    evidence: Sequence[Evidence],
    signed: SignedDossier,
    refused: Collection[str],
    filed: Filed | None = None,
) -> Iterator[Entry]:
    """Volumes and the case's own files; evidence whose id is among ``refused`` leaves no bytes behind.

    Onto an archived package the manifests of all versions before are kept, so that a stranger who is handed
    the newest alone can see what it grew from.
    """
    for volume in signed.volumes:
        path = f"volumes/{volume.bound.name}.pdf"
        yield Entry(path, "volume", PDF, volume.pdf, volume.sha256)
    yield from own_files(case, documents, evidence, refused, filed)
    if filed is not None:
        yield from _former(filed)


def own_files(
    case: Case,
    documents: Sequence[Document],
    evidence: Sequence[Evidence],
    refused: Collection[str] = (),
    filed: Filed | None = None,
) -> Iterator[Entry]:
    """What a volume is made of: documents, originals, data. What is archived keeps its path."""
    for document in documents:
        yield Entry(f"documents/{document.id}.docx", "source", DOCX, document.docx, document.docx_sha256)
        yield Entry(f"documents/{document.id}.pdf", "document", PDF, document.pdf, document.pdf_sha256)
        if document.signed is not None:
            path = f"documents/{document.id}.signed.pdf"
            yield Entry(path, "signed", PDF, document.signed, document.signed_sha256)
    known = archived_originals(filed)
    last = max((number_of(path) for path in known.values()), default=0)
    for item in evidence:
        path = known.pop((item.path, item.sha256), "")
        if not path:
            last += 1
            path = f"originals/{last:03d}-{safe_name(item.path)}"
        if item.id not in refused:
            yield Entry(
                path,
                "original",
                item.format if _MEDIA_TYPE.fullmatch(item.format) else UNKNOWN,
                item.original,
                item.sha256,
                item.path,
            )
    yield Entry("data/case.yaml", "data", "application/yaml", case.folder / "case.yaml", case.digest)


def archived_originals(filed: Filed | None) -> dict[tuple[str, str], str]:
    """The path of each archived original, by the name under which it was received and its digest."""
    return {
        (file.received_as, file.sha256): path
        for path, file in (filed.files.items() if filed else ())
        if file.role == "original"
    }


def number_of(path: str) -> int:
    """The number in ``originals/003-name.pdf``."""
    return int(path.removeprefix("originals/").partition("-")[0])


def _former(filed: Filed) -> Iterator[Entry]:
    for path, file in filed.files.items():
        if file.role == "former":
            yield Entry(path, "former", _MEDIA[path.rpartition(".")[2]], file.path, file.sha256)
    for name, source in filed.seals.items():
        kind = _MEDIA[name.rpartition(".")[2]]
        yield Entry(f"former/{filed.version}/{name}", "former", kind, source)


def safe_name(received: str) -> str:
    """The name of a received file in ASCII that every file system takes; its title stands in the manifest."""
    name = unicodedata.normalize("NFKD", received.rpartition("/")[2])
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        stem, suffix = name, ""
    stem, suffix = (re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_-") for text in (stem, suffix))
    stem = stem[:_NAME_LIMIT] or "item"
    return f"{stem}.{suffix[:8].lower()}" if suffix else stem


def place(entry: Entry, folder: Path) -> Staged:
    """Write one file under ``folder``, byte by byte as it is, and digest it on the way.

    Raises:
        Conflict: PACKAGE-CHANGED, when the source no longer has the digest that was recorded of it;
            PACKAGE-MISSING, when it is gone.
    """
    target = folder / entry.path
    target.parent.mkdir(parents=True, exist_ok=True)
    one, two, size = sha256(), new("sm3"), 0
    with target.open("xb") as out:
        for chunk in _chunks(entry):
            one.update(chunk)
            two.update(chunk)
            size += len(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    if entry.sha256 and one.hexdigest() != entry.sha256:
        raise Conflict("PACKAGE-CHANGED", subject=entry.received_as or entry.path)
    return Staged(entry, size, one.hexdigest(), two.hexdigest())


def _chunks(entry: Entry) -> Iterator[bytes]:
    if isinstance(entry.source, bytes):
        yield entry.source
        return
    try:
        with entry.source.open("rb") as data:
            while chunk := data.read(_CHUNK):
                yield chunk
    except FileNotFoundError:
        raise Conflict("PACKAGE-MISSING", subject=entry.received_as or entry.path) from None
