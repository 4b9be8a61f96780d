"""Documents, evidence and the parts of a volume that they become."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casefile.model.terms import EvidenceKind, Route, Volume


@dataclass(frozen=True, slots=True)
class Document:
    """One filled instance of a type (文书), issued and frozen.

    ``docx`` and ``pdf`` are absolute paths; the digests are SHA-256 in hex. ``covers`` lists, for a
    service receipt, the ids of the documents that it proves served. ``by_hand`` names what is blank and
    stands in ink on the printed page only (signatures, opinions), ``to_enter`` what is blank and must be
    entered once it is written there (dates, choices). ``signed`` is the file with the bureau's electronic
    seal, kept beside ``pdf``. ``rendering`` says as JSON which engine and which fonts made the pages.
    """

    id: str
    type_id: str
    title: str
    doc_no: str
    author: str
    date: dt.date | None
    volume: Volume
    docx: Path
    docx_sha256: str
    pdf: Path
    pdf_sha256: str
    pages: int
    template_sha256: str
    covers: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    by_hand: tuple[str, ...] = ()
    to_enter: tuple[str, ...] = ()
    signed: Path | None = None
    signed_sha256: str = ""
    rendering: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """What the officers say of a recording (音像记录的登记情况); times as they stood on the clock there.

    ``number`` is what records and receipts quote (音像编号). ``interrupted`` is None when nobody said;
    ``interruption`` tells when and why, and where it is explained (中断情况说明). 国办发〔2018〕118号; the
    fields are those of 执法音像记录登记表.
    """

    number: str = ""
    started_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    interrupted: bool | None = None
    interruption: str = ""
    device: str = ""
    recorded_by: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One item as received (证据).

    ``path`` is relative to the inbox with ``/`` between folders, in NFC; ``id`` is ``evidence-001`` in the
    order of the inbox. ``format`` is a media type found from the content. ``type_id`` is ``evidence`` or, for
    a document that came from outside (外来件), its document type, such as ``party_identity_proof``.
    ``stands_for`` is the id of the case's own document of which this is the signed scan. ``puid`` is the
    PRONOM id of the format, where known; ``facts`` what the file says of itself (time and place of a
    photograph, length of a recording), key and value; ``inside`` the path of the archive or mail in which it
    came. ``recording`` is what was said of sound and film, None for anything else.
    """

    id: str
    path: str
    title: str
    kind: EvidenceKind
    original: Path
    size: int
    sha256: str
    sm3: str
    format: str
    type_id: str = "evidence"
    source: str = ""
    collected_by: str = ""
    collected_at: str = ""
    place: str = ""
    proves: str = ""
    note: str = ""
    stands_for: str = ""
    volume: Volume = Volume.MAIN
    puid: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    inside: str = ""
    recording: Recording | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One item of a volume: its pages as a PDF/A file, ready to bind (卷内件).

    ``id`` is that of the document or the evidence. ``receipt_for`` holds the ids of the documents behind
    which a service receipt stands. ``difference`` is the mean grey difference (0 to 255) to the source.
    ``blank`` are the pages, from 1, on which nothing is to be seen: they are bound, but bear no number.
    ``filed_sha256`` is set when the pages were taken back from an archived volume, numbers and all: it is the
    digest that the archived catalogue gives, while ``sha256`` is that of the file with the pages.
    ``crowded`` names pages, from 1, and the corners of each in which a page number would lie on something.
    ``person`` is whom a record was taken of.
    """

    id: str
    type_id: str
    title: str
    doc_no: str
    author: str
    date: dt.date | None
    volume: Volume
    pdf: Path
    sha256: str
    pages: int
    route: Route
    original: Path
    original_sha256: str
    original_format: str
    difference: float | None = None
    receipt_for: tuple[str, ...] = ()
    note: str = ""
    stands_for: str = ""
    blank: tuple[int, ...] = ()
    filed_sha256: str = ""
    person: str = ""
    crowded: tuple[tuple[int, str], ...] = ()

    @property
    def listed_sha256(self) -> str:
        """The digest under which catalogue and manifest list the part, in every version the same."""
        return self.filed_sha256 or self.sha256
