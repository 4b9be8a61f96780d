"""Reads one Excel file in a process of its own, under limits, and prints its cells as JSON.

A workbook of a few bytes can ask for half a terabyte (two cells at opposite corners), and the reader then
ends the whole process. So this one is there to be ended. Run by :mod:`casefile.formats.office.sheet` only::

    python -m casefile.formats.office.sheet_worker FILE MAX_MEMORY MAX_UNPACKED MAX_SECONDS MAX_CELLS [spread]
"""

from __future__ import annotations

import datetime as dt
import json
import posixpath
import resource
import sys
import zipfile
import zlib
from typing import Any

import python_calamine as calamine
from lxml import etree

_MAX_MEMBERS = 5_000
_CHUNK = 1 << 20
_BROKEN = (
    calamine.CalamineError,
    zipfile.BadZipFile,
    etree.XMLSyntaxError,
    NotImplementedError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    zlib.error,
)


class _TooMuch(Exception):
    """The file asks for more than it may."""


def main(arguments: list[str]) -> int:
    """Print ``{"sheets": […]}`` or ``{"error": word, "reason": text}``."""
    path = arguments[0]
    memory, unpacked, seconds, cells = (int(a) for a in arguments[1:5])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        broken = _weighed(path, unpacked) if zipfile.is_zipfile(path) else {}
        answer: dict[str, Any] = {"sheets": _sheets(path, broken, cells, spread="spread" in arguments[5:])}
    except calamine.PasswordError:
        answer = {"error": "password"}
    except (_TooMuch, MemoryError):
        answer = {"error": "bomb"}
    except _BROKEN as error:
        answer = {"error": "broken", "reason": str(error)}
    json.dump(answer, sys.stdout, ensure_ascii=True)
    return 0


def _weighed(path: str, limit: int) -> dict[str, dict[tuple[int, int], str]]:
    """Formula errors by sheet name, found on the way of weighing what the zip really unpacks to."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > _MAX_MEMBERS:
            raise _TooMuch
        total = 0
        with_errors = set()
        for member in members:
            if member.flag_bits & 1:
                raise calamine.PasswordError
            # The size that the zip declares may be a lie: read to the true end of the data.
            member.file_size = sys.maxsize
            tail = b""
            with archive.open(member) as data:
                while chunk := data.read(_CHUNK):
                    total += len(chunk)
                    if total > limit:
                        raise _TooMuch
                    if b't="e"' in tail + chunk:
                        with_errors.add(member.filename)
                    tail = chunk[-8:]
        return {name: _errors(archive, part) for name, part in _parts(archive).items() if part in with_errors}


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Sheet name → path of its part in the zip."""
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return {}
    safe = etree.XMLParser(resolve_entities=False, no_network=True)
    rels = etree.fromstring(archive.read("xl/_rels/workbook.xml.rels"), safe)
    targets = {r.get("Id"): posixpath.normpath(posixpath.join("xl", r.get("Target", ""))) for r in rels}
    book = etree.fromstring(archive.read("xl/workbook.xml"), safe)
    found = {}
    for sheet in book.iter("{*}sheet"):
        key = next((v for k, v in sheet.attrib.items() if k.endswith("}id")), None)
        found[sheet.get("name", "")] = targets.get(key, "").lstrip("/")
    return found


def _errors(archive: zipfile.ZipFile, part: str) -> dict[tuple[int, int], str]:
    found = {}
    with archive.open(part) as data:
        for _, cell in etree.iterparse(data, tag="{*}c", resolve_entities=False, no_network=True):
            place = cell.get("r", "")
            if cell.get("t") == "e" and place:
                letters = place.rstrip("0123456789")
                column = 0
                for letter in letters:
                    column = column * 26 + ord(letter) - 64
                value = cell.findtext("{*}v") or "#?"
                found[(int(place[len(letters) :]) - 1, column - 1)] = value
            cell.clear()
    return found


def _sheets(
    path: str, broken: dict[str, dict[tuple[int, int], str]], limit: int, *, spread: bool
) -> list[dict[str, Any]]:
    sheets = []
    with calamine.CalamineWorkbook.from_path(path) as book:
        for about in book.sheets_metadata:
            if about.typ != calamine.SheetTypeEnum.WorkSheet:
                continue
            sheet = book.get_sheet_by_name(about.name)
            if sheet.total_height * sheet.total_width > limit:
                raise _TooMuch
            rows = sheet.to_python(skip_empty_area=False)
            cells = [[_cell(value) for value in row] for row in rows]
            # A cell that spans several rows is said of each of them.
            for (top, left), (bottom, _) in (sheet.merged_cell_ranges or []) if spread else []:
                for row in range(top + 1, min(bottom + 1, len(cells))):
                    if top < len(cells) and left < len(cells[row]):
                        cells[row][left] = cells[top][left]
            for (row, column), text in broken.get(about.name, {}).items():
                if row < len(cells) and column < len(cells[row]):
                    cells[row][column] = {"error": text}
            visible = about.visible == calamine.SheetVisibleEnum.Visible
            sheets.append({"name": about.name, "visible": visible, "rows": cells})
    return sheets


def _cell(value: Any) -> Any:
    if value == "":
        return None
    if isinstance(value, dt.datetime):
        return {"moment": value.isoformat()}
    if isinstance(value, dt.date):
        return {"date": value.isoformat()}
    if isinstance(value, str | bool | int | float):
        return value
    return str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
