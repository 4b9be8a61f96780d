"""What LibreOffice read of an old or foreign office file, as one XML (ODF 1.3), made ready to be drawn.

The same that :mod:`casefile.formats.office.ooxml_calm` does for the newer Microsoft formats, with one
difference: here a field of the day of opening was worked out anew before anyone could look, and what it
showed is lost. It becomes a sign that says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from casefile.errors import BadInput
from casefile.formats.office import ooxml_sheet
from casefile.formats.office.office_told import Told

_NS = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
    "fo": "urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0",
    "svg": "urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0",
    "presentation": "urn:oasis:names:tc:opendocument:xmlns:presentation:1.0",
    "xlink": "http://www.w3.org/1999/xlink",
}
_LARGEST = 400_000_000
_VOLATILE = re.compile(r"\b(TODAY|NOW)\s*\(", re.IGNORECASE)
_LENGTH = re.compile(r"([\d.]+)(cm|mm|in|pt)$")
_POINTS = {"cm": 28.3465, "mm": 2.83465, "in": 72.0, "pt": 1.0}
_MANY_COLUMNS = 300
_UNSEEN = "unseen"
DAY, TIME = "〔自动日期〕", "〔自动时间〕"
"""Stand where a field showed the day or time of opening."""


def _q(name: str) -> str:
    space, _, local = name.partition(":")
    return f"{{{_NS[space]}}}{local}"


_DAYS = {
    _q("text:date"): DAY,
    _q("text:time"): TIME,
    _q("text:print-date"): DAY,
    _q("text:print-time"): TIME,
    _q("presentation:date-time"): DAY,
}
_REACHING_OUT = frozenset(
    map(
        _q,
        (
            "text:section-source",
            "office:dde-source",
            "table:table-source",
            "table:cell-range-source",
            "draw:floating-frame",
            "draw:plugin",
            "draw:applet",
            "text:dde-connection",
            "table:dde-links",
        ),
    )
)


def calm(source: Path, target: Path) -> Told:
    """Write the copy and say what was found.

    Raises:
        BadInput: OFFICE-XML, OFFICE-TOO-LARGE.
    """
    tree = _tree(source)
    root = tree.getroot()
    told = Told()
    styles = {s.get(_q("style:name"), ""): s for s in root.iter(_q("style:style"))}
    _days(root, told)
    _links(root, told)
    _sheets(root, styles, told, source.name)
    _slides(root, styles, told)
    _counted(root, styles, told)
    for marked in root.iter(_q("table:table-row"), _q("table:table-cell"), _q("table:covered-table-cell")):
        marked.attrib.pop(_UNSEEN, None)
    tree.write(target, xml_declaration=True, encoding="UTF-8")
    return told


def texts(flat: Path) -> str:
    """All text of the file, of hidden sheets, comments, headers and deleted passages too.

    Raises:
        BadInput: OFFICE-XML, OFFICE-TOO-LARGE.
    """
    root = _tree(flat).getroot()
    pieces = []
    for paragraph in root.iter(_q("text:p"), _q("text:h")):
        pieces.append("".join(paragraph.itertext()))
    for table in root.iter(_q("table:table")):
        pieces.append(table.get(_q("table:name"), ""))
    return "\n".join(pieces)


def _tree(source: Path) -> etree._ElementTree:
    if source.stat().st_size > _LARGEST:
        raise BadInput("OFFICE-TOO-LARGE", subject=source.name)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        return etree.parse(source, parser)
    except etree.XMLSyntaxError as error:
        raise BadInput("OFFICE-XML", subject=source.name, reason=error.msg) from None


def _days(root: etree._Element, told: Told) -> None:
    in_frame = False
    for element in list(root.iter(*_DAYS)):
        if element.get(_q("text:fixed")) == "true":
            continue
        framed = next(element.iterancestors(_q("office:master-styles")), None) is not None
        if framed and element.tag == _q("presentation:date-time"):
            # The declaration below says what stands there, if anything.
            continue
        sign = etree.Element(_q("text:span"))
        sign.text, sign.tail = _DAYS[element.tag], element.tail
        parent = element.getparent()
        if parent is None:
            continue
        parent.replace(element, sign)
        in_frame = in_frame or framed
        told.dates_lost += not framed
    # LibreOffice has a header of its own for each kind of page: one, to whoever looks at them.
    told.dates_lost += in_frame
    for decided in root.iter(_q("presentation:date-time-decl")):
        if decided.get(_q("presentation:source")) == "current-date":
            decided.set(_q("presentation:source"), "fixed")
            decided.text = DAY
            told.dates_lost += 1


def _links(root: etree._Element, told: Told) -> None:
    for element in list(root.iter(*_REACHING_OUT)):
        parent = element.getparent()
        if parent is not None:
            _keep_tail(element, parent)
            parent.remove(element)
            told.links += 1
    for tag in ("draw:image", "draw:object", "draw:object-ole", "draw:fill-image", "style:background-image"):
        for element in root.iter(_q(tag)):
            if element.attrib.pop(_q("xlink:href"), None) is not None:
                told.links += 1


def _keep_tail(element: etree._Element, parent: etree._Element) -> None:
    if not element.tail:
        return
    before = element.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + element.tail
    else:
        parent.text = (parent.text or "") + element.tail


def _sheets(root: etree._Element, styles: dict[str, etree._Element], told: Told, name: str) -> None:
    rows = 0
    widths: dict[str, float] = {}
    for table in root.iterfind(".//" + _q("office:spreadsheet") + "/" + _q("table:table")):
        style = styles.get(table.get(_q("table:style-name"), ""))
        properties = None if style is None else style.find(_q("style:table-properties"))
        hidden = properties is not None and properties.get(_q("table:display")) == "false"
        if hidden:
            told.hidden_sheets.append(table.get(_q("table:name"), ""))
        table.attrib.pop(_q("table:print-ranges"), None)
        last = 0
        columns = _hidden_columns(table)
        told.hidden_lines += 0 if hidden else len(columns)
        for row in table.iter(_q("table:table-row")):
            used = _row(row, told, columns)
            rows += bool(used) * min(
                int(row.get(_q("table:number-rows-repeated"), "1")), ooxml_sheet.MOST_ROWS
            )
            last = max(last, used)
            unseen = row.get(_q("table:visibility"), "visible") != "visible"
            told.hidden_lines += bool(used) and unseen and not hidden
            if unseen:
                row.set(_UNSEEN, "1")
        if rows > ooxml_sheet.MOST_ROWS:
            raise BadInput("OFFICE-TOO-LARGE", subject=name)
        master = "" if style is None else style.get(_q("style:master-page-name"), "Default")
        widths[master] = max(widths.get(master, 0.0), _width(table, styles, last))
    _fit(root, widths)


def _hidden_columns(table: etree._Element) -> set[int]:
    hidden, at = set(), 0
    for column in table.iter(_q("table:table-column")):
        count = int(column.get(_q("table:number-columns-repeated"), "1"))
        if column.get(_q("table:visibility"), "visible") != "visible" and count < _MANY_COLUMNS:
            hidden |= set(range(at + 1, at + count + 1))
        at += count
    return hidden


def _row(row: etree._Element, told: Told, hidden: set[int]) -> int:
    """Number of the last cell with something in it."""
    last = at = 0
    for cell in row.iterchildren(_q("table:table-cell"), _q("table:covered-table-cell")):
        at += int(cell.get(_q("table:number-columns-repeated"), "1"))
        if len(cell) or cell.get(_q("office:value-type")):
            last = at
            if at in hidden:
                cell.set(_UNSEEN, "1")
        if _VOLATILE.search(cell.get(_q("table:formula"), "")):
            for key in list(cell.attrib):
                if "value" in key or "formula" in key:
                    del cell.attrib[key]
            for child in list(cell):
                cell.remove(child)
            cell.set(_q("office:value-type"), "string")
            etree.SubElement(cell, _q("text:p")).text = DAY
            told.dates_lost += 1
    return last


def _width(table: etree._Element, styles: dict[str, etree._Element], last: int) -> float:
    width, at = 0.0, 0
    for column in table.iter(_q("table:table-column")):
        count = min(
            int(column.get(_q("table:number-columns-repeated"), "1")), max(0, last - at), _MANY_COLUMNS
        )
        at += count
        style = styles.get(column.get(_q("table:style-name"), ""))
        found = None if style is None else style.find(_q("style:table-column-properties"))
        one = _points(found.get(_q("style:column-width"), "") if found is not None else "")
        if column.get(_q("table:visibility"), "visible") == "visible":
            width += count * (one or 64.0)
    return width


def _points(length: str) -> float:
    match = _LENGTH.match(length)
    return float(match[1]) * _POINTS[match[2]] if match else 0.0


def _fit(root: etree._Element, widths: dict[str, float]) -> None:
    layouts = {
        master.get(_q("style:page-layout-name"), ""): widths[name]
        for master in root.iter(_q("style:master-page"))
        if (name := master.get(_q("style:name"), "")) in widths
    }
    for layout in root.iter(_q("style:page-layout")):
        properties = layout.find(_q("style:page-layout-properties"))
        if properties is None or layout.get(_q("style:name"), "") not in layouts:
            continue
        lying, beside = ooxml_sheet.paper(layouts[layout.get(_q("style:name"), "")])
        for key in ("style:scale-to", "style:scale-to-pages"):
            properties.attrib.pop(_q(key), None)
        properties.set(_q("style:scale-to-X"), str(beside))
        properties.set(_q("style:scale-to-Y"), "0")
        sides = ("29.7cm", "21cm") if lying else ("21cm", "29.7cm")
        properties.set(_q("fo:page-width"), sides[0])
        properties.set(_q("fo:page-height"), sides[1])
        properties.set(_q("style:print-orientation"), "landscape" if lying else "portrait")


def _slides(root: etree._Element, styles: dict[str, etree._Element], told: Told) -> None:
    for page in root.iterfind(".//" + _q("office:presentation") + "/" + _q("draw:page")):
        style = styles.get(page.get(_q("draw:style-name"), ""))
        found = None if style is None else style.find(_q("style:drawing-page-properties"))
        if found is not None and found.get(_q("presentation:visibility")) == "hidden":
            told.hidden_slides += 1
        for notes in page.iterchildren(_q("presentation:notes")):
            words = "".join(p for e in notes.iter(_q("text:p")) for p in e.itertext()).strip()
            told.notes += bool(words and words not in ("<编号>", "<number>"))
    if told.hidden_slides:
        for found in root.iter(_q("style:drawing-page-properties")):
            found.attrib.pop(_q("presentation:visibility"), None)


def _counted(root: etree._Element, styles: dict[str, etree._Element], told: Told) -> None:
    told.tracked += sum(1 for _ in root.iter(_q("text:changed-region")))
    told.comments += sum(1 for _ in root.iter(_q("office:annotation")))
    unseen = {
        name
        for name, style in styles.items()
        if (found := style.find(_q("style:text-properties"))) is not None
        and found.get(_q("text:display")) == "none"
    }
    for body in root.iter(_q("office:body")):
        for text, hidden in _texts(body, unseen, set(told.hidden_sheets)):
            if hidden:
                told.hidden_text += len(text.strip())
            else:
                told.saw(text)
    faces = {
        face.get(_q("style:name"), ""): face.get(_q("svg:font-family"), "").strip("'\"")
        for face in root.iter(_q("style:font-face"))
    }
    for properties in root.iterfind(_q("office:automatic-styles") + "//" + _q("style:text-properties")):
        for key in ("style:font-name", "style:font-name-asian"):
            told.fonts.add(faces.get(properties.get(_q(key), ""), ""))
    told.fonts.discard("")


_NOT_DRAWN = frozenset(
    map(_q, ("office:annotation", "text:tracked-changes", "presentation:notes", "office:binary-data",
             "office:forms", "office:scripts", "text:sequence-decls", "table:content-validations"))
)  # fmt: skip


def _texts(element: etree._Element, unseen: set[str], sheets: set[str]) -> Iterator[tuple[str, bool]]:
    # Without recursion: the depth is the document's.
    stack: list[tuple[etree._Element, bool]] = [(element, False)]
    while stack:
        one, out_of_sight = stack.pop()
        if not isinstance(one.tag, str) or one.tag in _NOT_DRAWN:
            continue
        out_of_sight = out_of_sight or one.get(_q("text:style-name"), "") in unseen
        if one.get(_UNSEEN):
            continue
        if one.tag == _q("table:table") and one.get(_q("table:name"), "") in sheets:
            continue
        if one.text and one.tag.startswith(f"{{{_NS['text']}}}"):
            yield one.text, out_of_sight
        for child in one:
            stack.append((child, out_of_sight))
            if child.tail and child.tail.strip():
                yield child.tail, out_of_sight
