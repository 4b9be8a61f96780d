"""The report as one page that prints: nothing is fetched from elsewhere, nothing runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from casefile.audit.view import View, plain, told_by
from casefile.audit.words import say
from casefile.context import write_whole
from casefile.model.finding import Report
from casefile.model.terms import Severity

_STYLE = """\
body { font: 15px/1.6 "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", sans-serif; color: #1c232b;
  max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .4rem; }
table { border-collapse: collapse; width: 100%; } td, th { border: 1px solid #b8c2cc; padding: .35rem .5rem;
  text-align: left; vertical-align: top; overflow-wrap: anywhere; } th { background: #eef2f6; }
.counts { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; } .counts b { font-size: 1.2rem; }
.passed { color: #176b3a; } .failed, .error { color: #a3161f; } .indeterminate, .warning { color: #8a5a00; }
.note { color: #1b5e85; } .code { color: #66717c; font-size: .8rem; } td.level { white-space: nowrap; }
@media print { body { margin: 0; max-width: none; font-size: 10pt; } tr { break-inside: avoid; }
  thead { display: table-header-group; } h2 { break-after: avoid; } }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def write(report: Report, path: Path, lang: str, *, at: dt.datetime | None = None) -> None:
    """Write the page whole or not at all; ``at`` is shown as the time of the report."""
    write_whole(path, "\n".join(_page(report, lang, at)).encode())


def _page(report: Report, lang: str, at: dt.datetime | None) -> Iterator[str]:
    view = View.of(report, lang)
    title = say("title", lang)
    yield "<!DOCTYPE html>"
    yield f'<html lang="{"zh-CN" if lang == "zh" else "en"}"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title><style>{_STYLE}</style></head><body>"
    outcome = view.outcome.value
    yield f'<h1>{title}：<span class="{outcome}">{say(outcome, lang)}</span></h1>'
    if at is not None:
        yield f"<p>{say('made_at', lang)}：{at.isoformat(sep=' ', timespec='minutes')}</p>"
    yield '<p class="counts">'
    yield f"<span>{say('subjects', lang)} <b>{view.subjects}</b></span>"
    for severity in Severity:
        count = view.count(severity)
        yield f'<span class="{severity.value}">{say(severity.value, lang)} <b>{count}</b></span>'
    yield f"<span>{say('not_looked_at', lang)} <b>{len(view.not_looked_at)}</b></span></p>"
    if view.by_code():
        yield f"<h2>{say('by_code', lang)}</h2>"
        rows = [
            (code, say(severity, lang), str(count), str(cases))
            for code, severity, count, cases in view.by_code()
        ]
        yield from _table([say(w, lang) for w in ("code", "severity", "count", "cases")], rows)
    else:
        yield f"<p>{say('no_findings', lang)}</p>"
    yield from _parts(report, lang)
    yield from _findings(view, lang)
    if view.not_looked_at:
        yield f'<h2 class="warning">{say("not_looked_at_title", lang)}</h2>'
        yield from _table([say("subject", lang), say("reason", lang)], view.not_looked_at)
    yield "</body></html>\n"


def _findings(view: View, lang: str) -> Iterator[str]:
    for case_no, rows in view.by_case().items():
        yield f"<h2>{escape(case_no or say('no_case', lang))}</h2><table><thead><tr>"
        for word in ("severity", "message", "next_step", "clause"):
            yield f"<th>{say(word, lang)}</th>"
        yield "</tr></thead><tbody>"
        for row in rows:
            place = " · ".join(escape(row[key]) for key in ("code", "subject") if row[key])
            yield (
                f'<tr><td class="level {escape(row["severity"])}">{say(row["severity"], lang)}</td>'
                f'<td>{escape(row["message"])}<div class="code">{place}</div></td>'
                f"<td>{escape(row['next_step'])}</td><td>{escape(row['clause'])}</td></tr>"
            )
        yield "</tbody></table>"


def _parts(report: Report, lang: str) -> Iterator[str]:
    if not report.parts:
        return
    yield f"<h2>{say('parts', lang)}</h2>"
    rows = [
        (
            " — ".join(filter(None, (plain(part.subject), told_by(part, lang)))),
            plain(part.output),
            part.route.zh if lang == "zh" else part.route.value,
            str(part.pages),
            "" if part.difference is None else f"{part.difference:.1f}",
        )
        for part in report.parts
    ]
    yield from _table([say(w, lang) for w in ("input", "output", "route", "pages", "difference")], rows)


def _table(headings: list[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "<table><thead><tr>" + "".join(f"<th>{escape(h)}</th>" for h in headings) + "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>"
    yield "</tbody></table>"
