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
from casefile.model.dossier import SignedDossier

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
UNKNOWN = "application/octet-stream"

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
) -> Iterator[Entry]:
    """Volumes and the case's own files; evidence whose id is among ``refused`` leaves no bytes behind."""
    for volume in signed.volumes:
        path = f"volumes/{volume.bound.volume.value}.pdf"
        yield Entry(path, "volume", PDF, volume.pdf, volume.sha256)
    yield from own_files(case, documents, evidence, refused)


def own_files(
    case: Case, documents: Sequence[Document], evidence: Sequence[Evidence], refused: Collection[str] = ()
) -> Iterator[Entry]:
    """What a volume is made of: documents, originals, data."""
    for document in documents:
        yield Entry(f"documents/{document.id}.docx", "source", DOCX, document.docx, document.docx_sha256)
        yield Entry(f"documents/{document.id}.pdf", "document", PDF, document.pdf, document.pdf_sha256)
        if document.signed is not None:
            path = f"documents/{document.id}.signed.pdf"
            yield Entry(path, "signed", PDF, document.signed, document.signed_sha256)
    for number, item in enumerate(evidence, start=1):
        if item.id not in refused:
            yield Entry(
                f"originals/{number:03d}-{safe_name(item.path)}",
                "original",
                item.format if _MEDIA_TYPE.fullmatch(item.format) else UNKNOWN,
                item.original,
                item.sha256,
                item.path,
            )
    yield Entry("data/case.yaml", "data", "application/yaml", case.folder / "case.yaml", case.digest)


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
