"""Excel forms that people fill in: pages of cells with a look, drop-down lists and hidden keys.

Every text is written as text: nothing that begins with ``=`` becomes a formula, no number loses its zeros.
What comes back is read by :mod:`casefile.formats.office.sheet`.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from unicodedata import east_asian_width

import xlsxwriter

from casefile.errors import BadInput
from casefile.formats.office.sheet import letters

CELL_UNITS = 32_767
"""What a cell holds, in UTF-16 code units."""

LISTS_SHEET = "_lists"
"""The hidden sheet of the drop-down lists that are too long for a cell."""

_LIST_CHARACTERS = 255
"""What a drop-down list holds by itself; a longer one looks at cells."""

_LINE, _TALLEST = 16.5, 400.0
"""Points: a line of text, and the most that is given to a row."""

_FONT, _GREY, _EDGE = "微软雅黑", "#7F7F7F", "#BFBFBF"

_CELL: Mapping[str, Any] = {"text_wrap": True, "valign": "vcenter", "border": 1, "border_color": _EDGE}
_TYPED: Mapping[str, Any] = {**_CELL, "num_format": "@", "bg_color": "#FFFBE6"}
_LOOKS: Mapping[str, Mapping[str, Any]] = {
    "title": {"bold": True, "font_size": 16},
    "told": {"font_color": "#595959", "valign": "vcenter"},
    "heading": {**_CELL, "bold": True, "bg_color": "#1F4E79", "font_color": "#FFFFFF"},
    "label": {**_CELL, "bg_color": "#F2F2F2"},
    "needed": {**_CELL, "bg_color": "#F2F2F2", "bold": True},
    "value": _TYPED,
    "prose": {**_TYPED, "valign": "top"},
    "by_hand": {**_CELL, "num_format": "@", "bg_color": "#EAF1FB"},
    "derived": {**_CELL, "num_format": "@", "bg_color": "#E7E6E6"},
    "note": {**_CELL, "font_color": _GREY, "font_size": 9},
    "band": {**_CELL, "bold": True, "bg_color": "#DDEBF7"},
    "column": {**_CELL, "bold": True, "bg_color": "#F2F2F2", "align": "center"},
    "number": {**_CELL, "bg_color": "#F2F2F2", "align": "center", "font_color": _GREY},
    "end": {"font_color": _GREY, "font_size": 9, "italic": True},
    "step": {"text_wrap": True, "valign": "top"},
    "link": {
        "font_color": "#0563C1",
        "underline": 1,
        "border": 1,
        "border_color": _EDGE,
        "valign": "vcenter",
    },
    "listed": {**_CELL},
    "key": {"num_format": "@", "font_color": _GREY},
}
"""How cells look; :class:`Cell` names one of these."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. ``choices`` are offered in a drop-down list, and nothing else is taken when ``only`` is set;
    ``link`` names the sheet to which a click leads."""

    text: str = ""
    look: str = "value"
    choices: tuple[str, ...] = ()
    only: bool = True
    link: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row: cells by column, counted from 0. ``least`` is the least number of lines of text it shows."""

    cells: Mapping[int, Cell] = field(default_factory=dict)
    least: int = 1
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet. ``widths`` are in characters by column; the first ``frozen`` rows stay in sight."""

    name: str
    lines: Sequence[Line]
    widths: Mapping[int, float] = field(default_factory=dict)
    hidden_column: int | None = None
    frozen: int = 0
    shown: Literal["visible", "never"] = "visible"
    colour: str = ""
    footer: str = ""


def units(text: str) -> int:
    """How much room a text takes in a cell."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def written(pages: Sequence[Page], created: dt.datetime) -> bytes:
    """An .xlsx file; the same pages and time give the same bytes.

    Raises:
        BadInput: SHEET-CELL, when a text is longer than a cell of Excel holds.
    """
    target = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(target, {"in_memory": True, **options})
    book.set_properties({"created": created.replace(tzinfo=None)})
    looks = {
        name: book.add_format({"font_name": _FONT, "font_size": 10.5, **look})
        for name, look in _LOOKS.items()
    }
    lists = _Lists()
    for page in pages:
        _write(book, page, looks, lists)
    lists.write(book)
    first = next(n for n, page in enumerate(pages) if page.shown == "visible")
    book.worksheets()[first].activate()
    book.close()
    return target.getvalue()


class _Lists:
    """Drop-down lists too long for the cell itself: columns of a hidden sheet, each list once."""

    def __init__(self) -> None:
        self._columns: dict[tuple[str, ...], int] = {}

    def source(self, choices: tuple[str, ...]) -> list[str] | str:
        joined = ",".join(choices)
        if units(joined) <= _LIST_CHARACTERS and not any("," in word for word in choices):
            return list(choices)
        column = letters(self._columns.setdefault(choices, len(self._columns)))
        return f"='{LISTS_SHEET}'!${column}$1:${column}${len(choices)}"

    def write(self, book: Any) -> None:
        if not self._columns:
            return
        sheet = book.add_worksheet(LISTS_SHEET)
        for choices, column in self._columns.items():
            for row, word in enumerate(choices):
                sheet.write_string(row, column, word)
        sheet.very_hidden()


def _write(book: Any, page: Page, looks: Mapping[str, Any], lists: _Lists) -> None:
    sheet = book.add_worksheet(page.name)
    for column, width in page.widths.items():
        sheet.set_column(column, column, width)
    if page.hidden_column is not None:
        sheet.set_column(page.hidden_column, page.hidden_column, 8, None, {"hidden": True})
    widest = 0
    for row, line in enumerate(page.lines):
        for column, cell in line.cells.items():
            if column != page.hidden_column:
                widest = max(widest, column)
            if units(cell.text) > CELL_UNITS:
                place = f"{page.name}!{letters(column)}{row + 1}"
                raise BadInput("SHEET-CELL", subject=place)
            if cell.link:
                sheet.write_url(row, column, f"internal:'{cell.link}'!A1", looks[cell.look], cell.text)
            elif cell.text:
                sheet.write_string(row, column, cell.text, looks[cell.look])
            else:
                sheet.write_blank(row, column, None, looks[cell.look])
            if cell.choices:
                sheet.data_validation(row, column, row, column, _drop_down(cell, lists))
        sheet.set_row(row, _height(line, page), None, {"hidden": line.hidden})
    _dress(sheet, page, widest)


def _drop_down(cell: Cell, lists: _Lists) -> dict[str, Any]:
    return {
        "validate": "list",
        "source": lists.source(cell.choices),
        "show_error": cell.only,
        "error_title": "不在可选范围内",
        "error_message": "请从下拉列表中选择。",
    }


def _height(line: Line, page: Page) -> float | None:
    """Not every program finds the height of wrapped Chinese text by itself."""
    most = line.least
    for column, cell in line.cells.items():
        if column != page.hidden_column and _LOOKS[cell.look].get("text_wrap"):
            room = max(2.0, page.widths.get(column, 8.0) - 1) * (1.15 if cell.look == "note" else 1.0)
            most = max(most, sum(_lines(part, room) for part in cell.text.split("\n")))
    return min(_LINE * most + 4, _TALLEST) if most > 1 else 21.0


def _lines(text: str, room: float) -> int:
    wide = sum(2 if east_asian_width(character) in "WFA" else 1 for character in text)
    return max(1, -(-wide // int(room)))


def _dress(sheet: Any, page: Page, widest: int) -> None:
    """What a person sees around the cells, on the screen and on paper."""
    if page.shown == "never":
        sheet.very_hidden()
        return
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    sheet.hide_gridlines(2)
    if page.frozen:
        sheet.freeze_panes(page.frozen, 0)
        sheet.repeat_rows(0, page.frozen - 1)
    if page.colour:
        sheet.set_tab_color(page.colour)
    if widest > 3:
        sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    left, middle = page.footer.replace("&", "&&"), page.name.replace("&", "&&")
    # A blank behind the size of the letters, or a number would be taken for part of it.
    sheet.set_footer(f"&L&9 {left}&C&9 {middle}&R&9 &P / &N")
