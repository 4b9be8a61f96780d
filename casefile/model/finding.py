"""The one shape in which any checker speaks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from casefile.model.terms import Outcome, Route, Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One complaint (问题).

    ``code`` finds clause, severity and sentence in ``archive_schema/codes.toml``; ``params`` fill the
    sentence. ``subject`` says what is meant: a path, a field with its line, a page. No part of a finding
    ever holds the secret that it found: give place and masked form.
    """

    code: str
    subject: str = ""
    case_no: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotLookedAt:
    """Something a check could not look at, and why (未检)."""

    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class PartRecord:
    """What became of one input file: its route, pages and mean grey difference (0 to 255) to the source.

    ``facts`` are what the file says of itself, by key.
    """

    subject: str
    output: str
    route: Route
    pages: int
    difference: float | None
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The answer of a check over ``subjects`` things (报告)."""

    subjects: int
    findings: tuple[Finding, ...] = ()
    not_looked_at: tuple[NotLookedAt, ...] = ()
    parts: tuple[PartRecord, ...] | None = None

    def outcome(self, severity_of: Mapping[str, Severity]) -> Outcome:
        """Failed on any error or warning; indeterminate when something was not looked at; else passed."""
        heavy = any(severity_of.get(f.code, Severity.ERROR) is not Severity.NOTE for f in self.findings)
        if heavy:
            return Outcome.FAILED
        return Outcome.INDETERMINATE if self.not_looked_at else Outcome.PASSED


def merge(reports: Iterable[Report]) -> Report:
    """Join reports into one."""
    all_reports = list(reports)
    parts = tuple(p for r in all_reports for p in r.parts or ())
    return Report(
        subjects=sum(r.subjects for r in all_reports),
        findings=tuple(f for r in all_reports for f in r.findings),
        not_looked_at=tuple(n for r in all_reports for n in r.not_looked_at),
        parts=parts if any(r.parts is not None for r in all_reports) else None,
    )
