"""A context without LibreOffice, and a way to write small Excel files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from casefile.context import CHINA_TIME, Context

CLOCK = dt.datetime(2026, 11, 20, 9, 0, tzinfo=CHINA_TIME)

HEADINGS = (
    "案号",
    "案件名称",
    "程序",
    "当事人",
    "案由",
    "立案日期",
    "结案日期",
    "承办人",
    "承办机构",
    "状态",
    "备注",
)


@pytest.fixture
def desk(workspace: Path) -> Iterator[Context]:
    with Context.open(workspace, now=lambda: CLOCK) as opened:
        yield opened


class Excel:
    """Writes workbooks of plain values."""

    headings = HEADINGS

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, rows: Sequence[Sequence[Any]], name: str = "台账.xlsx", sheet: str = "台账") -> Path:
        path = self.folder / name
        with xlsxwriter.Workbook(path) as book:
            day = book.add_format({"num_format": "yyyy-mm-dd"})
            page = book.add_worksheet(sheet)
            for number, row in enumerate(rows):
                for column, value in enumerate(row):
                    if hasattr(value, "isoformat"):
                        page.write_datetime(number, column, value, day)
                    elif isinstance(value, str):
                        page.write_string(number, column, value)
                    elif value is not None:
                        page.write(number, column, value)
        return path


@pytest.fixture
def excel(tmp_path: Path) -> Excel:
    return Excel(tmp_path)
