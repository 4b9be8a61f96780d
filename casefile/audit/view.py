"""A report made ready for people: rendered findings, grouped and counted, safe to print anywhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from casefile.codes import masked, rendered, severities
from casefile.model.finding import Finding, PartRecord, Report
from casefile.model.terms import FactKey, Outcome, Severity

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
_BREAKS = re.compile("[\t\r\n\x85\u2028\u2029]+")
_HEAVIEST_FIRST = tuple(s.value for s in (Severity.ERROR, Severity.WARNING, Severity.NOTE))


_AT_A_GLANCE = (
    FactKey.TAKEN_AT, FactKey.RECORDED_AT, FactKey.LATITUDE, FactKey.LONGITUDE, FactKey.MAKE, FactKey.MODEL,
    FactKey.DURATION, FactKey.MAIL_FROM, FactKey.MAIL_DATE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class View:
    """What every writer shows. Rows have the keys of the JSON report."""

    outcome: Outcome
    subjects: int
    rows: tuple[Mapping[str, str], ...]
    """Findings, of no single case first, then by case number; heaviest first inside a case."""
    not_looked_at: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, report: Report, lang: str) -> View:
        """Render and sort everything once."""
        rows = [{key: plain(text) for key, text in _rendered(f, lang).items()} for f in report.findings]
        rows.sort(key=lambda row: (row["case_no"], _HEAVIEST_FIRST.index(row["severity"]), row["code"]))
        return cls(
            report.outcome(severities()),
            report.subjects,
            tuple(rows),
            tuple((plain(n.subject), plain(n.reason)) for n in report.not_looked_at),
        )

    def by_case(self) -> dict[str, list[Mapping[str, str]]]:
        """Rows by case number."""
        groups: dict[str, list[Mapping[str, str]]] = {}
        for row in self.rows:
            groups.setdefault(row["case_no"], []).append(row)
        return groups

    def count(self, severity: Severity) -> int:
        """Findings of one severity."""
        return sum(1 for row in self.rows if row["severity"] == severity.value)

    def by_code(self) -> list[tuple[str, str, int, int]]:
        """For each code: severity, findings, cases; the heaviest and most frequent first."""
        count = Counter((row["code"], row["severity"]) for row in self.rows)
        of_code: dict[str, set[str]] = {}
        for row in self.rows:
            of_code.setdefault(row["code"], set()).add(row["case_no"])
        found = [(code, severity, n, len(of_code[code] - {""})) for (code, severity), n in count.items()]
        return sorted(found, key=lambda one: (_HEAVIEST_FIRST.index(one[1]), -one[2], one[0]))


def plain(text: str) -> str:
    """``text`` without control characters, direction overrides and lone surrogates.

    File names come from outside: an escape sequence could rewrite a terminal, and an override could make
    ``gpj.exe`` read like ``exe.jpg``.
    """
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return _UNSAFE.sub("\ufffd", _BREAKS.sub(" ", whole))


def told_by(part: PartRecord, lang: str) -> str:
    """What of the facts of a file a person wants to see at a glance: when, where, with what, by whom."""
    facts = dict(part.facts)
    shown = []
    for key in _AT_A_GLANCE:
        value = facts.get(key, "")
        if value:
            shown.append(f"{key.zh} {value}" if lang == "zh" else f"{key.value.replace('_', ' ')} {value}")
    return plain(masked(" · ".join(shown)))


def _rendered(finding: Finding, lang: str) -> dict[str, str]:
    try:
        return rendered(finding, lang)
    except KeyError:
        # A plug-in's code without a sentence is still a complaint; it weighs as an error.
        said = "；".join(f"{name}={value}" for name, value in finding.params.items())
        return {
            "code": finding.code,
            "severity": Severity.ERROR.value,
            "case_no": finding.case_no,
            "subject": finding.subject,
            "message": f"{finding.code} {said}".strip(),
            "clause": "",
            "next_step": "",
        }
