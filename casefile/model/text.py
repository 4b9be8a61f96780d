"""What a scanner is given to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from casefile.model.case import Case, RegisterRow
from casefile.model.catalogue import DocumentType, Procedure
from casefile.model.finding import Finding


@dataclass(frozen=True, slots=True)
class PageText:
    """Text of one page or one place of a file: ``subject`` is the file, ``place`` such as ``第3页``."""

    subject: str
    place: str
    text: str
    case_no: str = ""


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What is known of one case number from all four sides; any of them may be missing."""

    case_no: str
    row: RegisterRow | None
    case: Case | None
    folder_exists: bool
    folder_empty: bool
    issued: tuple[str, ...]
    """Ids of issued documents."""
    gathered: int
    archived_version: str | None
    archived_digest: str | None
    ledger_digest: str | None
    """Manifest digest of the last package entry of the ledger."""
    procedures: Mapping[str, Procedure]
    types: Mapping[str, DocumentType]
    extra: Mapping[str, Any] = field(default_factory=dict)


class TextScanner(Protocol):
    """Reads text and complains. ``codes`` lists every code that it can raise."""

    codes: tuple[str, ...]

    def scan_text(self, pages: Iterable[PageText]) -> Iterator[Finding]:
        """Complain about each place that breaks the rule."""
        ...


class CaseScanner(Protocol):
    """Reads what is known of cases and complains. ``codes`` lists every code that it can raise."""

    codes: tuple[str, ...]

    def scan_case(self, facts: CaseFacts) -> Iterator[Finding]:
        """Complain about the case."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text read off a picture, where it stands: shares of width and height from the upper left.

    ``corners`` begin at the upper left of the text and go round clockwise as it is read; ``score``, 0 to 1,
    is the mean probability of its characters.
    """

    text: str
    corners: tuple[tuple[float, float], ...]
    score: float
