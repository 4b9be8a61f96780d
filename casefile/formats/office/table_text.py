"""A table in plain text (RFC 4180, or with tabs or semicolons) as an Excel file that holds nothing but text.

Excel and LibreOffice guess at what such a file means and print 18 figures of an identity card as 1.1E+17;
here every cell is the characters that stand in the file.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter
from pathlib import Path

import xlsxwriter

from casefile.errors import BadInput
from casefile.formats.office import ooxml_sheet, plain_text
from casefile.formats.office.office_told import Told

_LARGEST = 50_000_000
_MOST_COLUMNS = 500
_MARKS = ",\t;|"
_WIDEST = 60
_CELL = 32_000
_NARROWEST = 6
_LINE, _HIGHEST = 14.0, 409.0


def to_workbook(source: Path, target: Path) -> Told:
    """Write the workbook: the first row repeated on each page, as wide as the paper.

    Raises:
        BadInput: OFFICE-TOO-LARGE.
    """
    data = source.read_bytes()
    if len(data) > _LARGEST:
        raise BadInput("OFFICE-TOO-LARGE", subject=source.name)
    text = plain_text.decoded(data)
    rows = _rows(text)
    columns = max(map(len, rows), default=0)
    if len(rows) > ooxml_sheet.MOST_ROWS or columns > _MOST_COLUMNS:
        raise BadInput("OFFICE-TOO-LARGE", subject=source.name)
    told = Told()
    with xlsxwriter.Workbook(
        str(target), {"strings_to_numbers": False, "strings_to_formulas": False}
    ) as book:
        book.set_properties({"created": dt.datetime(2000, 1, 1)})
        sheet = book.add_worksheet("1")
        look = book.add_format(
            {
                "border": 1,
                "text_wrap": True,
                "valign": "vcenter",
                "num_format": "@",
                "font_name": "宋体",
                "font_size": 10,
            }
        )
        widths: Counter[int] = Counter()
        for y, row in enumerate(rows):
            for x, cell in enumerate(row):
                whole = "\n".join(plain_text.lines(cell))
                shown = whole[:_CELL]
                # What a cell can't hold is missed on the pages, and told.
                told.saw(whole)
                sheet.write_string(y, x, shown, look)
                widths[x] = max(widths[x], min(_WIDEST, _wide(shown)))
        for x in range(columns):
            sheet.set_column(x, x, max(_NARROWEST, widths[x] + 2))
        for y, row in enumerate(rows):
            # LibreOffice leaves a row as high as it is told, or as one line.
            sheet.set_row(y, min(_HIGHEST, _LINE * max((_lines(cell) for cell in row), default=1)))
        width = sum(max(_NARROWEST, widths[x] + 2) for x in range(columns)) * ooxml_sheet.A_CHARACTER
        lying, beside = ooxml_sheet.paper(width)
        sheet.set_paper(9)
        if lying:
            sheet.set_landscape()
        sheet.fit_to_pages(beside, 0)
        sheet.set_margins(0.6, 0.6, 0.7, 0.7)
        if len(rows) > 1:
            sheet.repeat_rows(0)
    return told


def _rows(text: str) -> list[list[str]]:
    lines = text.splitlines()[:40]
    mark = max(_MARKS, key=lambda one: sum(line.count(one) for line in lines))
    csv.field_size_limit(_LARGEST)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True))
    except csv.Error:
        # Quotes that don't close: each line by its marks alone, so that nothing runs into one cell.
        return [line.split(mark) for line in plain_text.lines(text)]


def _lines(cell: str) -> int:
    return sum(1 + _wide(line) // (_WIDEST + 1) for line in plain_text.lines(cell)) or 1


def _wide(text: str) -> int:
    return max((sum(1 if c < "\u2e80" else 2 for c in line) for line in text.split("\n")), default=0)
