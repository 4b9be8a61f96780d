"""The sheets of an Excel file, made ready to be drawn: values as last saved, as wide as the paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from lxml import etree

from casefile.errors import BadInput
from casefile.formats.office.office_told import Told

_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml$")
_VOLATILE = re.compile(r"\b(TODAY|NOW)\s*\(", re.IGNORECASE)
# What asks another machine, program or file when it is worked out.
_REACHING = re.compile(
    r"\b(WEBSERVICE|FILTERXML|DDE|RTD|IMAGE|CUBE\w+|CALL|REGISTER\.ID)\s*\(|\||\[\d+\]|file:|https?:", re.I
)
_CELL = re.compile(r"([A-Z]{1,3})\d+$")
# &D and &T stand for the day and time of printing, &F and &Z for the name of the file and its folder.
_PRINTED = re.compile(r"&[DTZ]")
_BEHIND_SETUP = (
    "headerFooter", "rowBreaks", "colBreaks", "customProperties", "cellWatches", "ignoredErrors", "smartTags",
    "drawing", "legacyDrawing", "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls",
    "webPublishItems", "tableParts", "extLst",
)  # fmt: skip

A_CHARACTER = 5.6
"""Points that one character of a column's width takes, at the usual size (18.3.1.13), with its borders."""

UPRIGHT, LYING = 490.0, 740.0
"""Points between the margins of A4."""

SMALLEST = 0.4
"""A sheet is not made smaller than this, so that its text can still be read: it goes on beside then."""

MOST_ROWS = 200_000
"""Rows with something in them; at fifty to a page that is already 4000 pages."""


@dataclass(slots=True)
class Book:
    """What one member of the file says of another."""

    told: Told
    name: str
    strings: list[str] = field(default_factory=list)
    _hidden: set[str] = field(default_factory=set)
    _hidden_ids: set[str] = field(default_factory=set)
    rows: int = 0

    def change(self, member: str) -> Callable[[etree._Element, Told], None] | None:
        """How a member is changed, if it is."""
        if member == "xl/workbook.xml":
            return self.workbook
        if member == "xl/sharedStrings.xml":
            return self.shared
        if member == "xl/styles.xml":
            return _fonts
        if _SHEET.match(member):
            return lambda root, told: self.sheet(root, told, hidden=member.rpartition("/")[2] in self._hidden)
        if member.startswith(("xl/comments", "xl/threadedComments/")) and member.endswith(".xml"):
            return _comments
        return None

    def workbook(self, root: etree._Element, told: Told) -> None:
        """Which sheets are hidden. Print areas go: what lies beside them is evidence too."""
        for sheet in root.iter(_S + "sheet"):
            if sheet.get("state", "visible") != "visible":
                told.hidden_sheets.append(sheet.get("name", ""))
                self._hidden_ids.add(sheet.get(_R + "id", ""))
        for name in list(root.iter(_S + "definedName")):
            parent = name.getparent()
            if name.get("name") == "_xlnm.Print_Area" and parent is not None:
                parent.remove(name)
        for names in list(root.iter(_S + "definedNames")):
            parent = names.getparent()
            if len(names) == 0 and parent is not None:
                parent.remove(names)
        for calculation in root.iter(_S + "calcPr"):
            calculation.attrib.pop("fullCalcOnLoad", None)

    def relations(self, root: etree._Element, told: Told) -> None:
        """Which members the hidden sheets are."""
        for relation in root:
            if relation.get("Id") in self._hidden_ids:
                self._hidden.add(relation.get("Target", "").rpartition("/")[2])
            if relation.get("TargetMode") == "External":
                relation.set("Target", "about:blank")
                told.links += 1

    def shared(self, root: etree._Element, told: Told) -> None:
        """The strings that cells name by number."""
        for item in root.iterchildren(_S + "si"):
            # Phonetic guides (rPh) are not drawn.
            runs = [*item.iterchildren(_S + "t"), *item.iterfind(f"{_S}r/{_S}t")]
            self.strings.append("".join(run.text or "" for run in runs))

    def sheet(self, root: etree._Element, told: Told, *, hidden: bool) -> None:
        """Values instead of formulas, and the width of the paper."""
        last = 0
        columns, hidden_columns = _columns(root)
        told.hidden_lines += 0 if hidden else len(hidden_columns)
        for row in root.iter(_S + "row"):
            out_of_sight = row.get("hidden") in ("1", "true")
            filled = False
            for cell in row.iterchildren(_S + "c"):
                value = _calm(cell, told)
                column = _number(cell.get("r", ""))
                if value is None:
                    continue
                filled = True
                last = max(last, column)
                if not hidden and not out_of_sight and column not in hidden_columns:
                    self._saw(cell, value, told)
            self.rows += filled
            told.hidden_lines += out_of_sight and filled and not hidden
        if self.rows > MOST_ROWS:
            raise BadInput("OFFICE-TOO-LARGE", subject=self.name)
        width = sum(columns.get(n, columns[0]) for n in range(1, last + 1) if n not in hidden_columns)
        _fit(root, width * A_CHARACTER)
        for text in root.iterfind(f"{_S}headerFooter/*"):
            text.text = _PRINTED.sub("", text.text or "").replace("&F", self.name.replace("&", "&&"))

    def _saw(self, cell: etree._Element, value: str, told: Told) -> None:
        kind = cell.get("t", "n")
        if kind == "s":
            at = int(value) if value.isdigit() else -1
            if 0 <= at < len(self.strings):
                told.saw(self.strings[at])
        elif kind in ("inlineStr", "str"):
            told.saw(value)


def _calm(cell: etree._Element, told: Told) -> str | None:
    """The value of a cell, without its formula where the value was saved."""
    inline = cell.find(_S + "is")
    if inline is not None:
        return "".join(inline.itertext())
    formula, value = cell.find(_S + "f"), cell.find(_S + "v")
    if formula is not None:
        if value is not None and value.text:
            cell.remove(formula)
        elif _REACHING.search(formula.text or ""):
            cell.remove(formula)
            told.links += 1
        elif _VOLATILE.search(formula.text or ""):
            cell.remove(formula)
            told.dates_lost += 1
    if value is None or value.text is None:
        return "" if formula is not None else None
    return str(value.text)


def _columns(root: etree._Element) -> tuple[dict[int, float], set[int]]:
    """Widths in characters by column from 1, with that of all others at 0; and the hidden ones."""
    shape = root.find(_S + "sheetFormatPr")
    usual = _decimal(shape.get("defaultColWidth"), 9.0) if shape is not None else 9.0
    widths, hidden = {0: usual}, set()
    for column in root.iterfind(f"{_S}cols/{_S}col"):
        first, last = (int(_decimal(column.get(key), 0)) for key in ("min", "max"))
        if last - first > 200:
            # To the end of the sheet: a way of setting all that is empty.
            last = first + 200
        for number in range(first, last + 1):
            widths[number] = _decimal(column.get("width"), usual)
            if column.get("hidden") in ("1", "true"):
                hidden.add(number)
    return widths, hidden


def _decimal(text: str | None, otherwise: float) -> float:
    try:
        return float(text) if text else otherwise
    except ValueError:
        return otherwise


def _number(reference: str) -> int:
    match = _CELL.match(reference)
    number = 0
    for letter in match[1] if match else "":
        number = number * 26 + ord(letter) - 64
    return number


def paper(width: float) -> tuple[bool, int]:
    """Whether the paper lies, and how many pages go side by side, for a sheet so many points wide."""
    if width <= UPRIGHT:
        return False, 1
    return True, max(1, -int(-width * SMALLEST // LYING))


def _fit(root: etree._Element, width: float) -> None:
    properties = root.find(_S + "sheetPr")
    if properties is None:
        properties = etree.Element(_S + "sheetPr")
        root.insert(0, properties)
    fits = properties.find(_S + "pageSetUpPr")
    setup = root.find(_S + "pageSetup")
    if setup is None:
        setup = etree.Element(_S + "pageSetup")
        at = next((n for n, e in enumerate(root) if _local(e) in _BEHIND_SETUP), len(root))
        root.insert(at, setup)
    if fits is not None and fits.get("fitToPage") in ("1", "true") and setup.get("fitToHeight") == "0":
        return
    if fits is None:
        fits = etree.SubElement(properties, _S + "pageSetUpPr")
    fits.set("fitToPage", "1")
    lying, beside = paper(width)
    setup.set("paperSize", "9")
    setup.set("fitToWidth", str(beside))
    setup.set("fitToHeight", "0")
    if lying:
        setup.set("orientation", "landscape")
    for key in ("scale", _R + "id"):
        setup.attrib.pop(key, None)


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _fonts(root: etree._Element, told: Told) -> None:
    told.fonts.update(v for f in root.iterfind(f"{_S}fonts/{_S}font/{_S}name") if (v := f.get("val")))


def _comments(root: etree._Element, told: Told) -> None:
    told.comments += sum(1 for e in root.iter() if _local(e) in ("comment", "threadedComment"))
