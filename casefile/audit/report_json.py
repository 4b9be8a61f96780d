"""The report for programs: the shape that every judging command prints with ``--json``."""

from __future__ import annotations

import json
from typing import Any

from casefile.audit.view import View, plain
from casefile.codes import masked
from casefile.model.finding import Report


def written(report: Report, lang: str) -> str:
    """The report as JSON, readable as it stands."""
    view = View.of(report, lang)
    shown: dict[str, Any] = {
        "outcome": view.outcome.value,
        "subjects": view.subjects,
        "findings": [dict(row) for row in view.rows],
        "not_looked_at": [{"subject": subject, "reason": reason} for subject, reason in view.not_looked_at],
    }
    if report.parts is not None:
        shown["parts"] = [
            {
                "subject": plain(part.subject),
                "output": plain(part.output),
                "route": part.route.value,
                "pages": part.pages,
                "difference": part.difference,
                "facts": {key: plain(masked(value)) for key, value in part.facts},
            }
            for part in report.parts
        ]
    return json.dumps(shown, ensure_ascii=False, indent=2, allow_nan=False)
