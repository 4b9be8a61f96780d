"""The report for a terminal: the answer and the counts first, then findings case by case."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from casefile.audit.view import View, plain, told_by
from casefile.audit.words import say
from casefile.model.finding import Report
from casefile.model.terms import Outcome, Severity

_STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}
_OUTCOME_STYLES = {
    Outcome.PASSED: "bold green",
    Outcome.FAILED: "bold red",
    Outcome.INDETERMINATE: "bold yellow",
}


def show(report: Report, lang: str, console: Console | None = None) -> None:
    """Print the report; nothing is left out, however long."""
    console = console or Console(highlight=False, markup=False)
    view = View.of(report, lang)
    _answer(view, lang, console)
    if report.parts:
        _parts(report, lang, console)
    for case_no, rows in view.by_case().items():
        table = Table(
            title=Text(case_no or say("no_case", lang), style="bold"),
            title_justify="left",
            box=box.SIMPLE_HEAD,
            show_edge=False,
            expand=True,
            pad_edge=False,
        )
        table.add_column(say("severity", lang), no_wrap=True, width=8 if lang == "en" else 4)
        table.add_column(say("message", lang), ratio=5, overflow="fold")
        table.add_column(say("next_step", lang), ratio=5, overflow="fold")
        table.add_column(say("clause", lang), ratio=2, overflow="fold")
        for row in rows:
            table.add_row(
                Text(say(row["severity"], lang), style=_STYLES[row["severity"]]),
                Text(f"{row['message']}\n{row['code']}"),
                Text(row["next_step"]),
                Text(row["clause"] or "—"),
            )
        console.print(table)
        console.print()
    if view.not_looked_at:
        console.print(Text(say("not_looked_at_title", lang), style="bold yellow"))
        for subject, reason in view.not_looked_at:
            console.print(Text(f"  · {subject}：{reason}"), soft_wrap=True)


def _answer(view: View, lang: str, console: Console) -> None:
    outcome = view.outcome.value
    console.print(
        Text.assemble(f"{say('outcome', lang)}：", (say(outcome, lang), _OUTCOME_STYLES[view.outcome]))
    )
    if view.outcome is Outcome.INDETERMINATE:
        console.print(Text(say("indeterminate_note", lang)))
    counts = [f"{say('subjects', lang)} {view.subjects}"]
    counts += [f"{say(s.value, lang)} {view.count(s)}" for s in Severity]
    counts.append(f"{say('not_looked_at', lang)} {len(view.not_looked_at)}")
    console.print(Text("　".join(counts)))
    if not view.rows:
        console.print(Text(say("no_findings", lang)))
    console.print()


def _short(output: str) -> str:
    name = PurePosixPath(output).name
    return f"{name[:12]}….pdf" if re.fullmatch(r"[0-9a-f]{64}\.pdf", name) else name


def _parts(report: Report, lang: str, console: Console) -> None:
    table = Table(title=say("parts", lang), title_justify="left", box=box.SIMPLE_HEAD)
    for word in ("input", "output", "route", "pages", "difference"):
        table.add_column(say(word, lang), overflow="fold", justify="right" if word == "pages" else "left")
    for part in report.parts or ():
        told = told_by(part, lang)
        table.add_row(
            Text.assemble(plain(part.subject), *([("\n" + told, "dim")] if told else [])),
            # The work folder names parts by their digest, which tells a person nothing; JSON has it whole.
            Text(plain(_short(part.output)) or "—"),
            Text(part.route.zh if lang == "zh" else part.route.value),
            str(part.pages),
            "—" if part.difference is None else f"{part.difference:.1f}",
        )
    console.print(table)
