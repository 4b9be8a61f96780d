"""The bureau's Excel or CSV → register rows; a bad row never keeps the good ones out."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casefile.context import Context
from casefile.errors import BadInput
from casefile.formats import written
from casefile.formats.office import sheet
from casefile.formats.office.sheet import Cell, CellError, Row, Sheet
from casefile.model.case import RegisterRow
from casefile.model.finding import Finding, Report
from casefile.register.columns import DATES, PROCEDURES, REQUIRED, headings, plain_heading, procedure_id
from casefile.register.store import Stored, store

_TOP_ROWS = 40
"""How far down the heading row is looked for."""

_NO_DATE = frozenset({"-", "--", "—", "——", "/", "无", "未结案", "未结", "尚未结案", "在办"})
"""What clerks write where there is no date yet."""

_EXACT_DIGITS = 15
"""Excel keeps no more digits of a number than these; the rest turns to zeros."""


def import_file(path: Path, context: Context) -> Report:
    """Take the register from a file; good rows are stored in one transaction, bad ones reported.

    Raises:
        BadInput: when the file can't be read or has no heading row (REG-HEADINGS).
        Refused: SHEET-BOMB.
    """
    names = headings(context.config)
    importing = _Importing(path.name, names, context)
    tables = list(importing.tables(sheet.read(path)))
    for table in tables:
        importing.take(table)
    present = {f for table in tables for f in table.columns}
    stored = store(importing.rows, present, context)
    importing.tell(stored)
    return Report(subjects=importing.seen, findings=tuple(importing.findings))


@dataclass(frozen=True, slots=True)
class _Table:
    """A sheet whose heading row was found: field → column, and the rows below."""

    columns: Mapping[str, int]
    rows: Sequence[Row]
    heading: Row


@dataclass(slots=True)
class _Importing:
    file: str
    names: Mapping[str, str]
    context: Context
    rows: dict[str, RegisterRow] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    seen: int = 0

    def tables(self, sheets: Sequence[Sheet]) -> Iterator[_Table]:
        """The sheets that hold the register: the one that the settings name, or each with the headings."""
        wanted = self.context.config.register_.sheet
        chosen = [s for s in sheets if s.name == wanted] if wanted and len(sheets) > 1 else list(sheets)
        if wanted and not chosen:
            raise BadInput(
                "REG-SHEET", subject=self.file, sheet=wanted, found="、".join(s.name for s in sheets)
            )
        found = 0
        for one in chosen:
            if not one.visible and len(chosen) > 1:
                self._say("REG-SHEET-SKIPPED", one.name, sheet=one.name)
                continue
            table = self._table(one)
            if table is not None:
                found += 1
                yield table
            elif any(not row.empty for row in one.rows):
                self._say("REG-SHEET-SKIPPED", one.name, sheet=one.name)
        if not found:
            self._refuse_headings(chosen)

    def take(self, table: _Table) -> None:
        """Read the rows of one sheet."""
        for name, heading in self.names.items():
            if name not in table.columns:
                self._say(
                    "REG-COLUMN-ABSENT", table.heading.sheet, heading=heading, sheet=table.heading.sheet
                )
        for row in table.rows:
            mine = [row.cell(c) for c in table.columns.values()]
            if row.empty or all(c is None or (isinstance(c, str) and not c.strip()) for c in mine):
                if not row.empty:
                    self._say("REG-ROW-OUTSIDE", row.place(0))
                continue
            if all(
                isinstance(c := row.cell(column), str) and plain_heading(c) == plain_heading(self.names[name])
                for name, column in table.columns.items()
            ):
                continue  # the heading again, at the top of a printed page
            self.seen += 1
            self._take_row(row, table)

    def tell(self, stored: Stored) -> None:
        """Say what the import did."""
        for change in stored.changed:
            for name in change.fields:
                self._say(
                    "REG-CHANGED",
                    change.after.place,
                    case_no=change.after.case_no,
                    column=self.names[name],
                    before=_shown(getattr(change.before, name)),
                    after=_shown(getattr(change.after, name)),
                )
        if stored.absent:
            some = "、".join(stored.absent[:5]) + ("…" if len(stored.absent) > 5 else "")
            self._say("REG-NOT-IN-FILE", self.file, count=len(stored.absent), some=some)
        self._say(
            "REG-IMPORTED",
            self.file,
            seen=self.seen,
            new=stored.new,
            changed=len(stored.changed),
            same=stored.same,
            bad=self.seen - stored.new - len(stored.changed) - stored.same,
        )

    def _table(self, one: Sheet) -> _Table | None:
        by_heading = {plain_heading(h): f for f, h in self.names.items()}
        for index, row in enumerate(one.rows[:_TOP_ROWS]):
            columns: dict[str, int] = {}
            twice: list[tuple[int, str]] = []
            for column, cell in enumerate(row.cells):
                name = by_heading.get(plain_heading(cell)) if isinstance(cell, str) else None
                if name is not None and name in columns:
                    twice.append((column, name))
                elif name is not None:
                    columns[name] = column
            if all(name in columns for name in REQUIRED):
                if twice:
                    column, name = twice[0]
                    raise BadInput("REG-HEADING-TWICE", subject=row.place(column), heading=self.names[name])
                return _Table(columns, one.rows[index + 1 :], row)
        return None

    def _refuse_headings(self, sheets: Sequence[Sheet]) -> None:
        """Say which headings are missing from the row that looks most like a heading row."""
        wanted = {plain_heading(self.names[f]): self.names[f] for f in REQUIRED}
        rows = [r for s in sheets if s.visible for r in s.rows[:_TOP_ROWS] if not r.empty]
        if not rows:
            raise BadInput("SHEET-EMPTY", subject=self.file)

        def texts(row: Row) -> list[str]:
            return [c for c in row.cells if isinstance(c, str) and c.strip()]

        best = max(
            rows, key=lambda r: (len({plain_heading(t) for t in texts(r)} & set(wanted)), len(texts(r)))
        )
        there = {plain_heading(t) for t in texts(best)}
        missing = [zh for plain, zh in wanted.items() if plain not in there]
        found = "、".join(written.masked(t) for t in texts(best)[:30]) or "—"
        raise BadInput(
            "REG-HEADINGS", subject=self.file, place=best.place(0), missing="、".join(missing), found=found
        )

    def _take_row(self, row: Row, table: _Table) -> None:
        problems = len(self.findings)
        values: dict[str, Any] = {}
        for name, column in table.columns.items():
            values[name] = self._value(name, row.cell(column), row.place(column))
        case_no = values["case_no"]
        for name in REQUIRED:
            if values[name] == "":
                place = row.place(table.columns[name])
                if name == "case_no":
                    self._say("REG-NO-CASE-NUMBER", place, place=place)
                else:
                    self._say("REG-MISSING", place, case_no=case_no or "", column=self.names[name])
        if len(self.findings) > problems:
            return
        if case_no in self.rows:
            place = row.place(table.columns["case_no"])
            self._say("REG-TWICE", place, case_no=case_no, first=self.places[case_no])
            return
        self.places[case_no] = row.place(table.columns["case_no"])
        self.rows[case_no] = RegisterRow(**values, place=f"{self.file} {row.sheet}!{row.number}")

    def _value(self, name: str, cell: Cell, place: str) -> str | dt.date | None:
        """The value of one cell; None after a complaint, "" (a date: None) where nothing stands."""
        if isinstance(cell, CellError):
            self._say("REG-FORMULA", place, column=self.names[name], value=cell.text)
            return None
        return self._date(name, cell, place) if name in DATES else self._text(name, cell, place)

    def _date(self, name: str, cell: str | float | dt.date | None, place: str) -> dt.date | None:
        if isinstance(cell, dt.datetime):
            day: dt.date | None = cell.date()
        elif isinstance(cell, dt.date):
            day = cell
        elif cell is None or (isinstance(cell, str) and cell.strip() in ("", *_NO_DATE)):
            return None
        else:
            text = _whole(cell) if isinstance(cell, float) else str(cell)
            day = written.date(text) or written.eight_digits(text)
            if day is None and (moment := written.moment(text)) is not None:
                day = moment.date()
        if day is None or not written.FIRST_YEAR <= day.year <= written.LAST_YEAR:
            self._say("REG-DATE", place, column=self.names[name], value=written.masked(str(cell)))
            return None
        return day

    def _text(self, name: str, cell: str | float | dt.date | None, place: str) -> str | None:
        column = self.names[name]
        if isinstance(cell, dt.date):
            if name in REQUIRED or name == "officers":
                # Excel takes 2026-3 for a month when the column isn't text.
                self._say("REG-TURNED-DATE", place, column=column, value=_shown(cell))
                return None
            return cell.isoformat()
        if isinstance(cell, bool):
            return "是" if cell else "否"
        if isinstance(cell, int | float):
            if abs(cell) >= 10**_EXACT_DIGITS:
                self._say("REG-DIGITS", place, column=column)
                return None
            return _whole(cell)
        text = _one_line(cell or "", keep_lines=name == "remark")
        character = written.unseen_character(text)
        if character is not None:
            self._say("REG-CHARACTER", place, column=column, character=character)
            return None
        limit = self.context.config.limits.field_characters
        if len(text) > limit:
            self._say("REG-LONG", place, column=column, count=len(text), limit=limit)
            return None
        return self._word(name, text, place)

    def _word(self, name: str, text: str, place: str) -> str | None:
        if not text or name not in ("case_no", "procedure"):
            return text
        if name == "procedure":
            procedure = procedure_id(text)
            if procedure is None:
                known = "、".join(words[0] for words in PROCEDURES.values())
                self._say("REG-PROCEDURE", place, value=written.masked(text), known=known)
            return procedure
        number = unicodedata.normalize("NFC", text)
        try:
            self.context.workspace.case(number)
        except BadInput:
            self._say("REG-CASE-NUMBER", place, value=written.masked(number))
            return None
        return number

    def _say(self, code: str, subject: str, *, case_no: str = "", **params: object) -> None:
        shown = {"file": self.file, **{k: str(v) for k, v in params.items()}}
        self.findings.append(Finding(code, subject=subject, case_no=case_no, params=shown))


def _one_line(text: str, *, keep_lines: bool) -> str:
    lines = [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return ("\n" if keep_lines else " ").join(lines).strip()


def _whole(number: int | float) -> str:
    return str(int(number)) if float(number).is_integer() else repr(number)


def _shown(value: str | dt.date | None) -> str:
    if value is None or value == "":
        return "（空）"
    return value.isoformat() if isinstance(value, dt.date) else written.masked(value)
