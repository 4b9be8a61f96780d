"""The sentences: every code with its clause, severity, message and next step, in Chinese and English.

``archive_schema/codes.toml`` holds them, one table a code::

    [REG-NO-CASE-NUMBER]
    severity = "error"
    clause = "行政处罚法 第五十四条"
    zh = "{place} 没有案号"
    en = "{place} has no case number"
    next_zh = "在“案号”列填写案号后重新导入"
    next_en = "fill in the case number and import again"

``{subject}``, ``{case_no}`` and the finding's own params may stand in a sentence.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from casefile import resources
from casefile.errors import CasefileError
from casefile.model.finding import Finding
from casefile.model.terms import Severity


@dataclass(frozen=True, slots=True)
class Code:
    """One entry of ``codes.toml``."""

    id: str
    severity: Severity
    clause: str
    zh: str
    en: str
    next_zh: str
    next_en: str

    def sentence(self, params: Mapping[str, str], lang: str) -> str:
        """The message, filled. A parameter that is missing shows as its name in braces."""
        return (self.zh if lang == "zh" else self.en).format_map(_Shown(params))

    def next_step(self, params: Mapping[str, str], lang: str) -> str:
        """What to do next, filled."""
        return (self.next_zh if lang == "zh" else self.next_en).format_map(_Shown(params))


class _Shown(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


@cache
def codes() -> Mapping[str, Code]:
    """Every known code."""
    path = resources.root("archive_schema") / "codes.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        name: Code(
            id=name,
            severity=Severity(entry["severity"]),
            clause=entry.get("clause", ""),
            zh=entry["zh"],
            en=entry["en"],
            next_zh=entry["next_zh"],
            next_en=entry["next_en"],
        )
        for name, entry in table.items()
    }


def severities() -> dict[str, Severity]:
    """Severity of every code."""
    return {name: code.severity for name, code in codes().items()}


_RESIDENT_ID = re.compile(r"(?<![0-9A-Za-z])(\d{3})(\d{11})(\d{3}[\dXx])(?![0-9A-Za-z])")


def masked(text: str) -> str:
    """``text`` with the middle of every resident ID number covered, wherever a sentence took it from."""
    return _RESIDENT_ID.sub(lambda found: f"{found[1]}{'*' * 11}{found[3]}", text)


def rendered(finding: Finding, lang: str = "zh") -> dict[str, str]:
    """The finding as it stands in a JSON report."""
    code = codes()[finding.code]
    given = {"subject": finding.subject, "case_no": finding.case_no, **finding.params}
    params = {name: masked(value) for name, value in given.items()}
    return {
        "code": finding.code,
        "severity": code.severity.value,
        "case_no": finding.case_no,
        "subject": params["subject"],
        "message": code.sentence(params, lang),
        "clause": code.clause,
        "next_step": code.next_step(params, lang),
    }


def explained(error: CasefileError, lang: str = "zh") -> tuple[str, str]:
    """Sentence and next step of an error."""
    code = codes()[error.code]
    params = {name: masked(value) for name, value in {"subject": error.subject, **error.params}.items()}
    return code.sentence(params, lang), code.next_step(params, lang)
