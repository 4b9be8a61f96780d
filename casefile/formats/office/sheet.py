"""Tables that people keep in Excel or CSV: cells with the places that Excel shows, and back."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter

from casefile.errors import BadInput, Refused

MAX_BYTES = 200_000_000
MAX_UNPACKED = 600_000_000
MAX_MEMORY = 3_000_000_000
MAX_SECONDS = 120
MAX_CELLS = 20_000_000

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True, slots=True)
class CellError:
    """A formula that failed: ``#REF!``."""

    text: str


Cell = str | int | float | bool | dt.date | dt.datetime | CellError | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row as Excel counts them, from 1."""

    sheet: str
    number: int
    cells: tuple[Cell, ...]

    def cell(self, column: int) -> Cell:
        """What stands in ``column``, counted from 0; None beyond the last."""
        return self.cells[column] if column < len(self.cells) else None

    def place(self, column: int) -> str:
        """``台账!C5``."""
        return f"{self.sheet}!{letters(column)}{self.number}"

    @property
    def empty(self) -> bool:
        """True when nothing but blanks stands in it."""
        return all(c is None or (isinstance(c, str) and not c.strip()) for c in self.cells)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet; a CSV file is one sheet that bears the name of the file."""

    name: str
    visible: bool
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet to be written. Texts stay texts, whatever character they begin with."""

    name: str
    headings: Sequence[str]
    rows: Iterable[Sequence[str | int | float | dt.date | None]]


def letters(column: int) -> str:
    """Excel's name of a column counted from 0: ``A``, ``Z``, ``AA``."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def read(path: Path, *, spread: bool = True, max_bytes: int = MAX_BYTES) -> tuple[Sheet, ...]:
    """Every sheet of an Excel or CSV file; ``spread`` says merged cells of each row that they cover.

    Raises:
        BadInput: SHEET-READ, SHEET-EMPTY, SHEET-SIZE, SHEET-KIND, SHEET-LOCK-FILE, SHEET-PASSWORD,
            SHEET-BROKEN, SHEET-ENCODING, SHEET-CSV.
        Refused: SHEET-BOMB, when the file would unpack to more than any register is.
    """
    if path.name.startswith(("~$", ".~")):
        raise BadInput("SHEET-LOCK-FILE", subject=path.name)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise BadInput("SHEET-READ", subject=path.name, reason=error.strerror or error) from None
    if not size:
        raise BadInput("SHEET-EMPTY", subject=path.name)
    if size > max_bytes:
        raise BadInput("SHEET-SIZE", subject=path.name, limit=f"{max_bytes:,}")
    if head.startswith(_ZIP) or head.startswith(_OLE):
        return _workbook(path, is_ole=head.startswith(_OLE), spread=spread)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<html", b"<table", b"<!doctype", b"<?xml", b"%pdf", b"{\\rtf")) or (
        b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff"))
    ):
        raise BadInput("SHEET-KIND", subject=path.name)
    return (_csv(path),)


def write(tables: Sequence[Table], created: dt.datetime) -> bytes:
    """An .xlsx file; the same tables and time give the same bytes.

    Raises:
        BadInput: SHEET-CELL, when a text is longer than a cell of Excel holds.
    """
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    book.set_properties({"created": created.replace(tzinfo=None)})
    bold = book.add_format({"bold": True, "bg_color": "#E7E6E6", "border": 1})
    day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
    text = book.add_format({"num_format": "@"})
    for table in tables:
        sheet = book.add_worksheet(table.name)
        widths = [_width(heading) for heading in table.headings]
        for column, heading in enumerate(table.headings):
            sheet.write_string(0, column, heading, bold)
        last = 0
        for last, row in enumerate(table.rows, 1):
            for column, value in enumerate(row):
                if value is None or value == "":
                    continue
                if isinstance(value, dt.date):
                    failed = sheet.write_datetime(last, column, _midnight(value), day)
                elif isinstance(value, int | float):
                    failed = sheet.write_number(last, column, value)
                else:
                    failed = sheet.write_string(last, column, value, text)
                if failed:
                    place = f"{table.name}!{letters(column)}{last + 1}"
                    raise BadInput("SHEET-CELL", subject=place)
                widths[column] = max(widths[column], _width(str(value)))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, min(width, 50))
        sheet.freeze_panes(1, 0)
        if last and table.headings:
            sheet.autofilter(0, 0, last, len(table.headings) - 1)
    book.close()
    return target.getvalue()


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day)


def _width(text: str) -> int:
    return 2 + sum(2 if ord(c) > 0x2E7F else 1 for c in text[:60])


def _workbook(path: Path, *, is_ole: bool, spread: bool) -> tuple[Sheet, ...]:
    if is_ole and _ENCRYPTED in path.read_bytes():
        raise BadInput("SHEET-PASSWORD", subject=path.name)
    limits = [str(n) for n in (MAX_MEMORY, MAX_UNPACKED, MAX_SECONDS, MAX_CELLS)]
    package = Path(__file__).resolve().parents[3]
    known = os.environ.get("PYTHONPATH")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package), *([known] if known else [])])}
    command = [sys.executable, "-m", "casefile.formats.office.sheet_worker", str(path.absolute()), *limits]
    command += ["spread"] if spread else []
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=MAX_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Refused("SHEET-BOMB", subject=path.name) from None
    except OSError as error:
        raise BadInput("SHEET-READ", subject=path.name, reason=error.strerror or error) from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        # The process was ended by its limits, or by a file that broke the reader.
        raise Refused("SHEET-BOMB", subject=path.name) from None
    match answer.get("error"):
        case None:
            return tuple(_sheet(one) for one in answer["sheets"])
        case "password":
            raise BadInput("SHEET-PASSWORD", subject=path.name)
        case "bomb":
            raise Refused("SHEET-BOMB", subject=path.name)
        case _:
            raise BadInput("SHEET-BROKEN", subject=path.name, reason=answer.get("reason", ""))


def _sheet(one: dict[str, Any]) -> Sheet:
    name = one["name"]
    rows = tuple(Row(name, n, tuple(map(_cell, cells))) for n, cells in enumerate(one["rows"], 1))
    return Sheet(name, one["visible"], rows)


def _cell(value: Any) -> Cell:
    if not isinstance(value, dict):
        return value  # type: ignore[no-any-return]
    if "date" in value:
        return dt.date.fromisoformat(value["date"])
    if "moment" in value:
        return dt.datetime.fromisoformat(value["moment"])
    return CellError(value["error"])


def _csv(path: Path) -> Sheet:
    try:
        text = _decoded(path.read_bytes(), path.name)
    except OSError as error:
        raise BadInput("SHEET-READ", subject=path.name, reason=error.strerror or error) from None
    first = text.split("\n", 1)[0]
    delimiter = max((",", "\t", ";"), key=first.count)
    rows = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, cells in enumerate(reader, 1):
            rows.append(Row(path.stem, number, tuple(c or None for c in cells)))
    except csv.Error as error:
        raise BadInput("SHEET-CSV", subject=path.name, line=reader.line_num, reason=error) from None
    return Sheet(path.stem, True, tuple(rows))


def _decoded(data: bytes, name: str) -> str:
    """CSV has no way to tell its encoding: Excel writes GB 18030, UTF-8 with a mark, or UTF-16."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadInput("SHEET-ENCODING", subject=name)
