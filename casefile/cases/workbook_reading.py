"""A workbook that a clerk filled in → the same tree as case.yaml's, whose lines are numbers of cells.

Rows are known by their hidden key, and by the Chinese name on their left where a clerk moved, copied or
added them. Whatever was typed where nothing is read is a complaint: no word is left out silently.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from casefile.cases import models
from casefile.cases.filled import START
from casefile.cases.models import LISTS, ROWS, columns_of
from casefile.cases.offer import DOCUMENTS
from casefile.cases.workbook_pages import (
    HEADINGS,
    KEY_HEADING,
    LABEL,
    RECORD,
    START_KEY,
    START_LABEL,
    VALUE,
    VERSION,
)
from casefile.errors import BadInput
from casefile.formats import written
from casefile.formats.office.sheet import Cell, CellError, Row, Sheet, letters
from casefile.formats.office.workbook import LISTS_SHEET
from casefile.formats.yaml import Entry, Leaf, Listing, Node, Table
from casefile.model.catalogue import Catalogue, Field
from casefile.model.finding import Finding

_TOP_ROWS = 12
"""How far down the row 项目, 填写, 说明 is looked for."""

_EXACT_DIGITS = 15
"""Excel keeps no more digits of a number than these; the rest turns to zeros."""

_NUMBERS = ("int", "number", "money", "area", "bool", "date", "datetime")
"""Kinds for which a number in a cell is as good as its text."""

_COUNTED = re.compile(r"[（(]\d+[）)]$")
_COPY_OF = re.compile(r"\s*(?:[（(]\d+[）)]|第\d+份|\d+|-\s*副本|副本)+$")


@dataclass(frozen=True, slots=True)
class Place:
    """A cell: its sheet and what Excel calls it; no cell when the whole sheet is meant."""

    sheet: str
    cell: str = ""


@dataclass(slots=True)
class Read:
    """What a workbook says. Lines of ``tree`` count ``places`` from 1; ``complaints`` and ``notes`` have such
    a line too. ``base`` is the digest of the case.yaml that the workbook was made from."""

    base: str
    places: list[Place] = field(default_factory=list)
    complaints: list[tuple[int, Finding]] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    tree: Table = field(default_factory=lambda: Table({}, 1, 1))
    kept: tuple[str, ...] = ()
    """Types whose documents are not in the workbook and stay as they are in case.yaml."""


def read(sheets: Sequence[Sheet], file: str, case_no: str, catalogue: Catalogue) -> Read:
    """Everything in the sheets.

    Raises:
        BadInput: WORKBOOK-FOREIGN, WORKBOOK-VERSION, WORKBOOK-OTHER-CASE when it is no workbook of this case.
    """
    record = _record(sheets, file)
    if record.get("casefile") != VERSION:
        raise BadInput("WORKBOOK-VERSION", subject=file, case_no=case_no)
    theirs = unicodedata.normalize("NFC", record.get("case_no", ""))
    if theirs != unicodedata.normalize("NFC", case_no):
        raise BadInput("WORKBOOK-OTHER-CASE", subject=file, case_no=case_no, other=theirs)
    names = {name: key.removeprefix("sheet:") for key, name in record.items() if key.startswith("sheet:")}
    kept = tuple(key.removeprefix("kept:") for key in record if key.startswith("kept:"))
    reading = _Reading(file, case_no, catalogue, names, Read(record.get("base", ""), kept=kept))
    reading.take([one for one in sheets if one.name not in (RECORD, LISTS_SHEET)])
    return reading.found


def _record(sheets: Sequence[Sheet], file: str) -> dict[str, str]:
    one = next((s for s in sheets if s.name == RECORD), None)
    if one is None:
        raise BadInput("WORKBOOK-FOREIGN", subject=file)
    return {
        key: text
        for key, text in ((row.cell(0), row.cell(1) or "") for row in one.rows)
        if isinstance(key, str) and isinstance(text, str)
    }


def keep(read: Read, current: Node, catalogue: Catalogue) -> None:
    """Put into the tree what the workbook left out, from the tree of case.yaml."""
    below = current.entries.get(DOCUMENTS) if isinstance(current, Table) else None
    ours = read.tree.entries[DOCUMENTS]
    entries = dict(ours.value.entries) if isinstance(ours.value, Table) else {}
    for type_id in read.kept:
        if below is not None and isinstance(below.value, Table) and type_id in below.value.entries:
            read.places.append(Place(f"（不在填写表中）《{catalogue.types[type_id].name}》"))
            line = len(read.places)
            entries[type_id] = Entry(_at_line(below.value.entries[type_id].value, line), line, 1)
    documents = Entry(Table(entries, ours.line, 1), ours.line, 1)
    read.tree = Table({**read.tree.entries, DOCUMENTS: documents}, 1, 1)


def _at_line(node: Node, line: int) -> Node:
    if isinstance(node, Leaf):
        return Leaf(node.text, line, 1)
    if isinstance(node, Listing):
        return Listing(tuple(_at_line(item, line) for item in node.items), line, 1)
    return Table({k: Entry(_at_line(e.value, line), line, 1) for k, e in node.entries.items()}, line, 1)


@dataclass(slots=True)
class _Reading:
    file: str
    case_no: str
    catalogue: Catalogue
    names: Mapping[str, str]
    """What each sheet was when it was made, by its name."""
    found: Read

    def take(self, sheets: Sequence[Sheet]) -> None:
        """Read every sheet into one tree."""
        # What no sheet holds is missed on the first line.
        self.at(Place("（没有这张表）"))
        groups: dict[str, Entry] = {}
        copies: dict[str, list[tuple[int, bool, Node]]] = {}
        for one in sheets:
            marker = self._marker(one)
            kind, _, rest = marker.partition(":")
            part, _, number = rest.partition(":")
            if kind == "readme":
                continue
            line = self.at(Place(one.name))
            if kind == "group" and part in self.catalogue.groups:
                group = self.catalogue.groups[part]
                node = _Page(self, one, line, group.fields, False).node()
                if part in groups and _is_filled(node):
                    self.complain("WORKBOOK-TWICE", line, sheet=one.name, what=group.zh)
                elif part not in groups:
                    groups[part] = Entry(node, line, 1)
            elif kind == "document" and part in self.catalogue.types and part not in self.found.kept:
                fields = self.catalogue.fields_of(part)
                own = self.catalogue.types[part].fields
                node = _Page(self, one, line, (*(f for f in fields if f not in own), *own), True).node()
                original = self.names.get(one.name) == marker
                ordinal = int(number) if number.isdigit() and 0 < int(number) < 1000 else 0
                copies.setdefault(part, []).append((ordinal, original, node))
            elif any(not row.empty for row in one.rows):
                self.note("WORKBOOK-SHEET-SKIPPED", sheet=one.name)
        documents = {
            type_id: Entry(self._listed(type_id, several), several[0][2].line, 1)
            for type_id, several in copies.items()
        }
        entries = {**groups, DOCUMENTS: Entry(Table(documents, 1, 1), 1, 1)}
        self.found.tree = Table(entries, 1, 1)

    def _marker(self, one: Sheet) -> str:
        """What a sheet is: by its hidden cell, else by its name."""
        known = ("group:", "document:", "readme")
        for row in one.rows[:1]:
            for cell in row.cells:
                if isinstance(cell, str) and cell.startswith(known):
                    return cell
        if one.name in self.names:
            return self.names[one.name]
        plain = _plain(_COPY_OF.sub("", one.name).strip("《》 "))
        for group in self.catalogue.groups.values():
            if _plain(group.zh) == plain:
                return f"group:{group.id}"
        for kind in self.catalogue.types.values():
            if _plain(kind.name) == plain and kind.has_template:
                return f"document:{kind.id}:0"
        return ""

    def _listed(self, type_id: str, several: list[tuple[int, bool, Node]]) -> Node:
        """The copies of one type in the order of their numbers. A sheet that a clerk copied bears the number
        of the first; the sheet that was there before keeps it."""
        filled = [one for one in several if _is_filled(one[2])]
        if not self.catalogue.types[type_id].repeatable:
            nodes = [node for _, _, node in filled]
            return (
                Listing(tuple(nodes), nodes[0].line, 1) if len(nodes) > 1 else (nodes or [several[0][2]])[0]
            )
        numbered: dict[int, Node] = {}
        later: list[Node] = []
        for ordinal, _, node in sorted(filled, key=lambda one: not one[1]):
            if ordinal and ordinal not in numbered:
                numbered[ordinal] = node
            else:
                later.append(node)
        for node in sorted(later, key=lambda n: n.line):
            numbered[max(numbered, default=0) + 1] = node
        blank = Leaf("", several[0][2].line, 1)
        nodes = [numbered.get(n, blank) for n in range(1, max(numbered, default=0) + 1)]
        return Listing(tuple(nodes), several[0][2].line, 1)

    # Places

    def at(self, place: Place) -> int:
        """The line that stands for a place."""
        self.found.places.append(place)
        return len(self.found.places)

    def complain(self, code: str, line: int, **params: object) -> None:
        """Complain about a place."""
        self.found.complaints.append((line, self._finding(code, self.found.places[line - 1], params)))

    def note(self, code: str, place: Place | None = None, **params: object) -> None:
        """Say what a clerk should know though nothing is wrong."""
        self.found.notes.append(self._finding(code, place or Place(""), params))

    def _finding(self, code: str, place: Place, params: Mapping[str, object]) -> Finding:
        shown = {"file": self.file, "sheet": place.sheet, "cell": place.cell}
        shown |= {key: str(value) for key, value in params.items()}
        return Finding(code, f"{self.file} {place.sheet}!{place.cell}", self.case_no, shown)


@dataclass(frozen=True, slots=True)
class _Typed:
    """One cell's text and its line."""

    text: str
    line: int

    def leaf(self) -> Leaf:
        return Leaf(self.text, self.line, 1)


@dataclass(slots=True)
class _Rows:
    """A table that is being read."""

    one: Field
    line: int
    columns: dict[int, Field] = field(default_factory=dict)
    rows: list[Table] = field(default_factory=list)


class _Page:
    """One sheet."""

    def __init__(
        self, reading: _Reading, sheet: Sheet, line: int, fields: Iterable[Field], is_document: bool
    ) -> None:
        self._reading = reading
        self._sheet = sheet
        self._line = line
        self._fields = {f.name: f for f in fields}
        self._is_document = is_document
        self._labels = _labels(tuple(self._fields.values()))
        self._single: dict[tuple[str, ...], _Typed] = {}
        self._lists: dict[str, list[_Typed]] = {}
        self._tables: dict[str, _Rows] = {}
        self._start = ""
        self._table: _Rows | None = None
        self._list: Field | None = None
        self._label, self._value, self._key = LABEL, VALUE, -1

    def node(self) -> Node:
        """What the sheet says: a mapping, or the word that starts a document."""
        first = self._heading()
        if first is None:
            if any(not row.empty for row in self._sheet.rows):
                self._reading.complain("WORKBOOK-NO-HEADING", self._line, sheet=self._sheet.name)
            return Table({}, self._line, 1)
        for row in self._sheet.rows[first:]:
            self._take(row)
        table = Table(self._entries(), self._line, 1)
        if self._start and not _is_filled(table):
            return Leaf(START[0], self._line, 1)
        return table

    def _heading(self) -> int | None:
        """Find the columns by their headings; the row below, or None when there is none."""
        for number, row in enumerate(self._sheet.rows[:_TOP_ROWS]):
            texts = [c.strip() if isinstance(c, str) else "" for c in row.cells]
            if HEADINGS[0] in texts and HEADINGS[1] in texts:
                self._label, self._value = texts.index(HEADINGS[0]), texts.index(HEADINGS[1])
                self._key = texts.index(KEY_HEADING) if KEY_HEADING in texts else -1
                if self._key < 0 and any(f.kind in ROWS for f in self._fields.values()):
                    self._reading.complain("WORKBOOK-NO-KEYS", self._line, sheet=self._sheet.name)
                return number + 1
        return None

    # Rows

    def _take(self, row: Row) -> None:
        key = _string(row.cell(self._key)) if self._key >= 0 else ""
        label = _string(row.cell(self._label))
        path = self._path_of(key, label)
        if "#" in key:
            self._structure(key, row)
        elif key.endswith("[]") and key[:-2] in self._fields:
            self._table_row(key[:-2], row)
        elif path is not None:
            self._field_row(path, row)
        elif self._is_document and (key == START_KEY or _plain(label) == START_LABEL):
            self._table = self._list = None
            self._started(row)
        elif self._table is not None:
            self._table_row(self._table.one.name, row)
        elif self._list is not None and not label and self._filled(row):
            self._add_item(self._list, row)
        elif self._filled(row):
            self._outside(row)

    def _structure(self, key: str, row: Row) -> None:
        name, _, what = key.partition("#")
        one = self._fields.get(name)
        self._list = None
        if what == "end" or one is None or one.kind not in ROWS:
            self._table = None
            return
        if what == "":
            line = self._at(row, self._label)
            self._table = self._tables.setdefault(name, _Rows(one, line))
        elif what in ("columns", "titles") and self._table is not None and not self._table.columns:
            words = {c.name: c for c in columns_of(one)} | {_plain(c.zh): c for c in columns_of(one)}
            for column, cell in enumerate(row.cells):
                if column not in (self._key, self._label) and isinstance(cell, str):
                    known = words.get(cell.strip()) or words.get(_plain(cell))
                    if known is not None:
                        self._table.columns[column] = known

    def _path_of(self, key: str, label: str) -> tuple[str, ...] | None:
        """The field of a row. What a clerk reads on the left counts where the hidden key says otherwise."""
        by_key, plain = self._path(key), _plain(label)
        if plain == START_LABEL:
            return None
        if by_key is not None and plain == _plain(self._label_of(by_key)):
            return by_key
        return (self._labels.get(plain) if plain else None) or by_key

    def _label_of(self, path: tuple[str, ...]) -> str:
        one = self._fields[path[0]]
        inner = "".join(f"：{c.zh}" for c in columns_of(one) if len(path) == 2 and c.name == path[1])
        return one.zh + inner

    def _path(self, key: str) -> tuple[str, ...] | None:
        name, _, inner = key.partition(".")
        one = self._fields.get(name)
        if one is None or one.kind in ROWS:
            return None
        if one.kind == "record":
            return (name, inner) if inner in {c.name for c in columns_of(one)} else None
        return None if inner else (name,)

    def _field_row(self, path: tuple[str, ...], row: Row) -> None:
        self._table = None
        one = self._fields[path[0]]
        if len(path) == 1 and one.kind in LISTS:
            self._list = one
            self._aside(row)
            self._add_item(one, row)
            return
        self._list = None
        self._aside(row)
        if len(path) == 2:
            one = next(c for c in columns_of(one) if c.name == path[1])
        typed = self._typed(row, self._value, one)
        before = self._single.get(path)
        if before is None or not before.text.strip():
            self._single[path] = typed if before is None or typed.text.strip() else before
        elif typed.text.strip() and typed.text.strip() != before.text.strip():
            first = self._reading.found.places[before.line - 1].cell
            self._reading.complain("CELL-TWICE", typed.line, field=one.zh, first=first)

    def _add_item(self, one: Field, row: Row) -> None:
        self._lists.setdefault(one.name, []).append(self._typed(row, self._value, one))

    def _table_row(self, name: str, row: Row) -> None:
        if self._table is None or self._table.one.name != name:
            self._table = self._tables.get(name)
        if self._table is None:
            # A row of a table whose head is gone.
            if self._filled(row):
                self._outside(row)
            return
        table = self._table
        self._list = None
        outside = [c for c in self._used(row) if c not in table.columns]
        for column in outside:
            line = self._at(row, column)
            self._reading.complain("CELL-OUTSIDE", line, value=written.masked(_shown(row.cell(column))))
        line = self._at(row, min(table.columns, default=self._value))
        entries = {}
        for column, one in table.columns.items():
            typed = self._typed(row, column, one)
            entries[one.name] = Entry(self._inner(one, typed), typed.line, 1)
        table.rows.append(Table(entries, line, 1))

    def _inner(self, one: Field, typed: _Typed) -> Node:
        if one.kind not in LISTS:
            return typed.leaf()
        return Listing(tuple(Leaf(t, typed.line, 1) for t in typed.text.split("\n")), typed.line, 1)

    def _started(self, row: Row) -> None:
        typed = self._typed(row, self._value, models.NAME)
        word = typed.text.strip()
        if word in START:
            self._start = word
        elif word not in ("", "否"):
            self._reading.complain("CELL-START", typed.line, value=written.masked(word))

    def _outside(self, row: Row) -> None:
        column = next(iter(self._used(row)), self._label)
        shown = written.masked(_shown(row.cell(column)))
        self._reading.complain("CELL-OUTSIDE", self._at(row, column), value=shown)

    def _aside(self, row: Row) -> None:
        """Say what stands right of the notes and belongs to no field: it is a clerk's own remark."""
        for column in self._used(row):
            if column > max(self._value + 1, self._key):
                place = Place(self._sheet.name, f"{letters(column)}{row.number}")
                self._reading.note("CELL-ASIDE", place, value=written.masked(_shown(row.cell(column))))

    def _used(self, row: Row) -> Iterator[int]:
        """Columns with something in them, but for the names on the left and the hidden keys."""
        for column, cell in enumerate(row.cells):
            blank = cell is None or (isinstance(cell, str) and not cell.strip())
            if not blank and column not in (self._key, self._label):
                yield column

    def _filled(self, row: Row) -> bool:
        return next(self._used(row), None) is not None

    # Cells

    def _at(self, row: Row, column: int) -> int:
        return self._reading.at(Place(self._sheet.name, f"{letters(column)}{row.number}"))

    def _typed(self, row: Row, column: int, one: Field) -> _Typed:
        line = self._at(row, column)
        return _Typed(self._text(row.cell(column), one, line), line)

    def _text(self, cell: Cell, one: Field, line: int) -> str:
        """The text of one cell; "" after a complaint."""
        say = self._reading
        if cell is None:
            return ""
        if isinstance(cell, str):
            return cell.replace("\r\n", "\n").replace("\r", "\n")
        if isinstance(cell, CellError):
            say.complain("CELL-FORMULA", line, field=one.zh, value=cell.text)
            return ""
        if isinstance(cell, bool):
            return "是" if cell else "否"
        if isinstance(cell, dt.date):
            return self._date(cell, one, line)
        if abs(cell) >= 10**_EXACT_DIGITS:
            say.complain("CELL-DIGITS", line, field=one.zh)
            return ""
        text = str(int(cell)) if float(cell).is_integer() else f"{cell:.15g}"
        if one.kind == "date" and written.eight_digits(text) is not None:
            day = written.eight_digits(text)
            return day.isoformat() if day else text
        if one.kind not in _NUMBERS:
            say.note("CELL-NUMBER", say.found.places[line - 1], field=one.zh, value=written.masked(text))
        return text

    def _date(self, cell: dt.date, one: Field, line: int) -> str:
        if isinstance(cell, dt.datetime) and cell.time() == dt.time():
            cell = cell.date()
        if one.kind == "datetime" and isinstance(cell, dt.datetime):
            return cell.isoformat(" ", "seconds" if cell.second else "minutes")
        if one.kind not in ("date", "datetime"):
            # Excel takes 2026-3 for a month where the cell isn't text.
            self._reading.complain("CELL-TURNED-DATE", line, field=one.zh, value=cell.isoformat()[:10])
            return ""
        return cell.isoformat(" ") if isinstance(cell, dt.datetime) else cell.isoformat()

    # The tree

    def _entries(self) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        records: dict[str, dict[str, Entry]] = {}
        for path, typed in self._single.items():
            entry = Entry(typed.leaf(), typed.line, 1)
            if len(path) == 1:
                entries[path[0]] = entry
            else:
                records.setdefault(path[0], {})[path[1]] = entry
        for name, inner in records.items():
            line = min(e.line for e in inner.values())
            entries[name] = Entry(Table(inner, line, 1), line, 1)
        for name, items in self._lists.items():
            leaves = tuple(one.leaf() for one in items)
            entries[name] = Entry(Listing(leaves, items[0].line, 1), items[0].line, 1)
        for name, table in self._tables.items():
            entries[name] = Entry(Listing(tuple(table.rows), table.line, 1), table.line, 1)
        return entries


def _labels(fields: Sequence[Field]) -> dict[str, tuple[str, ...] | None]:
    """Field path by the Chinese name as it is compared; a later field wins, two in a record leave neither."""
    found: dict[str, tuple[str, ...] | None] = {}
    once: set[str] = set()
    for one in fields:
        if one.kind in ROWS:
            continue
        if one.kind == "record":
            for column in columns_of(one):
                name = _plain(f"{one.zh}：{column.zh}")
                found[name] = None if name in once else (one.name, column.name)
                once.add(name)
        else:
            found[_plain(one.zh)] = (one.name,)
    return found


def _plain(label: str) -> str:
    """A label as it is compared: ``违反条款（2） *`` is ``违反条款``."""
    text = re.sub(r"\s+|\*$", "", unicodedata.normalize("NFKC", label).strip().rstrip("*"))
    return _COUNTED.sub("", text).casefold()


def _string(cell: Cell) -> str:
    return cell.strip() if isinstance(cell, str) else ""


def _shown(cell: Cell) -> str:
    return cell.text if isinstance(cell, CellError) else str(cell)


def _is_filled(node: Node) -> bool:
    if isinstance(node, Leaf):
        return bool(node.text.strip())
    if isinstance(node, Listing):
        return any(map(_is_filled, node.items))
    return any(_is_filled(entry.value) for entry in node.entries.values())
