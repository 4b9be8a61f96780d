"""The case and its row in the register."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One row of the bureau's own list of cases (执法台账), the truth that 有案必有卷 is checked against.

    ``place`` says where the row came from (file, sheet, row) or is empty.
    """

    case_no: str
    title: str
    procedure: str
    party: str
    cause: str = ""
    filed_on: dt.date | None = None
    closed_on: dt.date | None = None
    officers: str = ""
    unit: str = ""
    status: str = ""
    remark: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class DocumentData:
    """What case.yaml says of one document: ``ordinal`` counts documents of one type from 1."""

    type_id: str
    ordinal: int
    values: Mapping[str, Any]
    line: int

    @property
    def id(self) -> str:
        """``penalty_decision`` or, from the second on, ``service_receipt-2``."""
        return self.type_id if self.ordinal == 1 else f"{self.type_id}-{self.ordinal}"


@dataclass(frozen=True, slots=True)
class Case:
    """One matter, from register row to closing (案件): an immutable snapshot read from case.yaml.

    ``facts`` are the shared facts by field name, already of their Python type (date, datetime, Decimal,
    bool, str, list, dict). ``digest`` is the SHA-256 of the bytes of case.yaml, in hex.
    """

    case_no: str
    procedures: tuple[str, ...]
    title: str
    party: str
    folder: Path
    facts: Mapping[str, Any]
    documents: tuple[DocumentData, ...]
    digest: str
    secrecy: str = "none"

    def documents_of(self, type_id: str) -> tuple[DocumentData, ...]:
        """The documents of one type, in order."""
        return tuple(d for d in self.documents if d.type_id == type_id)


@dataclass(frozen=True, slots=True)
class Event:
    """A dated step of the procedure (事件), derived from a document or a service receipt."""

    kind: str
    on: dt.date
    document: str
    detail: Mapping[str, str] = field(default_factory=dict)
