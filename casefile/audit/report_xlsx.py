"""The report as a workbook (汇总, 问题清单, 未检): to filter, to hand round, to tick off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import xlsxwriter

from casefile.audit.view import View
from casefile.audit.words import say
from casefile.context import write_whole
from casefile.model.finding import Report
from casefile.model.terms import Severity

_CELL = 32_767
_SHEET = 1_048_575
"""What Excel holds: characters in a cell, rows under a heading."""
_LINE = 16
_TALLEST = 400
"""Points: a line of text, the most that Excel gives a row."""
_NO_DATE = dt.datetime(1980, 1, 1)
_COLUMNS = (
    ("case_no", 16),
    ("severity", 7),
    ("code", 24),
    ("message", 46),
    ("next_step", 44),
    ("clause", 22),
    ("subject", 24),
)


def write(report: Report, path: Path, lang: str, *, at: dt.datetime | None = None) -> None:
    """Write the workbook whole or not at all; ``at`` is shown as the time of the report."""
    view = View.of(report, lang)
    held = BytesIO()
    # Text from outside never becomes a formula, a link or a number.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(held, {**options, "strings_to_numbers": False})
    book.set_properties({"created": (at or _NO_DATE).replace(tzinfo=None)})
    head = book.add_format({"bold": True, "bg_color": "#DDE6F0", "border": 1, "valign": "vcenter"})
    cell = book.add_format({"text_wrap": True, "valign": "top"})

    _summary(book, view, lang, at, head, cell)
    rows = [
        [say(row["severity"], lang) if key == "severity" else row[key] for key, _ in _COLUMNS]
        for row in view.rows
    ]
    _sheets(book, say("findings", lang), [(say(k, lang), w) for k, w in _COLUMNS], rows, head, cell, lang)
    _sheets(
        book,
        say("not_looked_at", lang),
        [(say("subject", lang), 48), (say("reason", lang), 80)],
        view.not_looked_at,
        head,
        cell,
        lang,
    )
    book.close()
    write_whole(path, held.getvalue())


def _summary(book: Any, view: View, lang: str, at: dt.datetime | None, head: Any, cell: Any) -> None:
    sheet = book.add_worksheet(say("summary", lang))
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 3, 16)
    lines: list[tuple[str, str | int]] = [(say("outcome", lang), say(view.outcome.value, lang))]
    if at is not None:
        lines.append((say("made_at", lang), at.isoformat(sep=" ", timespec="minutes")))
    lines.append((say("subjects", lang), view.subjects))
    lines += [(say(s.value, lang), view.count(s)) for s in Severity]
    lines.append((say("not_looked_at_title", lang), len(view.not_looked_at)))
    for row, (name, value) in enumerate(lines):
        sheet.write_string(row, 0, name, head)
        if isinstance(value, int):
            sheet.write_number(row, 1, value, cell)
        else:
            sheet.write_string(row, 1, value, cell)
    first = len(lines) + 1
    for column, word in enumerate(("code", "severity", "count", "cases")):
        sheet.write_string(first, column, say(word, lang), head)
    for row, (code, severity, count, cases) in enumerate(view.by_code(), start=first + 1):
        sheet.write_string(row, 0, code, cell)
        sheet.write_string(row, 1, say(severity, lang), cell)
        sheet.write_number(row, 2, count, cell)
        sheet.write_number(row, 3, cases, cell)
    _printable(sheet)


def _sheets(
    book: Any,
    name: str,
    columns: Sequence[tuple[str, int]],
    rows: Sequence[Sequence[str]],
    head: Any,
    cell: Any,
    lang: str,
) -> None:
    # More rows than a sheet holds go on the next sheet: nothing falls off the end.
    for number, first in enumerate(range(0, max(len(rows), 1), _SHEET), start=1):
        sheet = book.add_worksheet(name if number == 1 else f"{name}{number}")
        some = rows[first : first + _SHEET]
        for column, (title, width) in enumerate(columns):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, title, head)
        for at, row in enumerate(some, start=1):
            # Not every program finds the height of wrapped Chinese text by itself.
            lines = max(_lines(text, width) for text, (_, width) in zip(row, columns, strict=True))
            sheet.set_row(at, min(_LINE * lines, _TALLEST))
            for column, text in enumerate(row):
                sheet.write_string(at, column, _fitting(text, lang), cell)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(some), len(columns) - 1)
        sheet.repeat_rows(0)
        _printable(sheet)


def _lines(text: str, width: int) -> int:
    wide = sum(2 if east_asian_width(character) in "WFA" else 1 for character in text)
    return max(1, -(-wide // (width - 1)))


def _printable(sheet: Any) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&P / &N")


def _fitting(text: str, lang: str) -> str:
    if len(text) <= _CELL:
        return text
    cut = say("cut", lang)
    return text[: _CELL - len(cut)] + cut
