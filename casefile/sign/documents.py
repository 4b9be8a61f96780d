"""The bureau's electronic seal on single documents (文书用印), as soon as they are issued.

A signed PDF can't be bound: its pages go into the volume as they were before, and the signed file is kept
beside, byte for byte, and goes into the package.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import update

from casefile import catalogue, config, database
from casefile.context import Context, move_whole
from casefile.database import IssuedDocument
from casefile.errors import Conflict
from casefile.formats.office import words
from casefile.formats.pdf import pdf_text
from casefile.formats.signatures import pades
from casefile.model.document import Document
from casefile.model.dossier import SignatureBox
from casefile.model.terms import Role
from casefile.sign.dossier import archivable, proven
from casefile.sign.seal import DIAMETER_MM
from casefile.sign.signers import Desk, Turn, desk

SEAL = "机关印章"
"""The word in the catalogue's ``signers`` for types that bear the bureau's seal."""

_READ_ONLY = 0o444
_POINTS = 72 / 25.4
_MARGIN = 8.0
"""The seal stays this far from the paper's edge, in points."""


def sealed(
    case_no: str, documents: Sequence[Document], context: Context, *, new: bool = True
) -> tuple[Document, ...]:
    """The documents, those that bear the bureau's seal with their signed file; made once and kept.

    Without a signer of role ``bureau`` none is signed: the paper bears the seal. ``new`` False only takes
    what was signed before.

    Raises:
        Conflict: DOC-ISSUED-ALTERED, when a signed file is not the one that was recorded.
        SigningFailed: with the reason.
        Undecided: SIGN-PDFA-UNCHECKED.
    """
    settings = context.config.signing
    signers = settings.signers if settings.documents else []
    signer = next((s for s in signers if s.role is Role.BUREAU), None)
    types = catalogue.load().types
    return tuple(
        _kept(document, context)
        if document.signed_sha256
        else _sealed(case_no, document, signer, context)
        if new and signer is not None and SEAL in types[document.type_id].signers
        else document
        for document in documents
    )


def _kept(document: Document, context: Context) -> Document:
    target = _place_of(document)
    if not target.is_file() or _sha256(target) != document.signed_sha256:
        raise Conflict(
            "DOC-ISSUED-ALTERED", subject=context.workspace.relative(target), document=document.title
        )
    return replace(document, signed=target)


def _place_of(document: Document) -> Path:
    return document.pdf.with_suffix(".signed.pdf")


def _sealed(case_no: str, document: Document, signer: config.Signer, context: Context) -> Document:
    target = _place_of(document)
    with tempfile.TemporaryDirectory() as folder:
        made = _signed(document, signer, Path(folder), context)
        digest = _sha256(made)
        move_whole(made, target)
    target.chmod(_READ_ONLY)
    with database.session(context) as session:
        session.execute(
            update(IssuedDocument)
            .where(IssuedDocument.case_no == case_no, IssuedDocument.document_id == document.id)
            .values(signed_sha256=digest)
        )
    return replace(document, signed=target, signed_sha256=digest)


def _signed(document: Document, signer: config.Signer, folder: Path, context: Context) -> Path:
    signing: Desk = desk(context)
    box = _place(document, context.config.bureau.name)
    turn = Turn(box, signer, signer.level, certify=True)
    empty, full = folder / "fields.pdf", folder / "signed.pdf"
    pades.create_fields(document.pdf, empty, [box])
    pades.sign_field(
        empty,
        full,
        name=box.name,
        key=signing.key(signer),
        level=turn.level,
        services=signing.services(),
        at=context.now(),
        appearance=pades.Appearance(picture=signing.seal()),
        certify=True,
        reason=f"{document.title} {document.doc_no}".strip(),
    )
    archivable(full, box.name)
    proven(full, [turn], signing, context.now())
    return full


def _place(document: Document, bureau: str) -> SignatureBox:
    """The seal lies over the bureau's name and the date below it (骑年盖月), on the last page with them."""
    day = _bare(words.date_cn(document.date)) if document.date else ""
    side = DIAMETER_MM * _POINTS
    with pdf_text.opened(document.pdf) as pages:
        for sheet in reversed(range(len(pages))):
            runs = pages.words(sheet)
            width, _ = pages.size(sheet)
            dates = [w.box for w in runs if day and _bare(w.text) == day]
            names = [w.box for w in runs if _bare(w.text) == _bare(bureau)]
            anchor = dates[-1] if dates else names[-1] if names else None
            if anchor is not None:
                middle = (anchor[0] + anchor[2]) / 2
                return _box(sheet, middle, anchor[3] + side / 8, width)
        last = len(pages) - 1
        width, _ = pages.size(last)
        lowest = min((w.box[1] for w in pages.words(last)), default=side * 2)
    return _box(last, width - side, max(lowest, side), width)


def _box(sheet: int, x: float, y: float, width: float) -> SignatureBox:
    half = DIAMETER_MM * _POINTS / 2
    x = min(max(x, half + _MARGIN), width - half - _MARGIN)
    y = max(y, half + _MARGIN)
    return SignatureBox("BureauSeal", Role.BUREAU, sheet, (x - half, y - half, x + half, y + half))


def _bare(text: str) -> str:
    return "".join(text.split())


def _sha256(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
