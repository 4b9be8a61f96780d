"""A Word, Excel or PowerPoint file (ISO/IEC 29500) made ready to be drawn as it was saved, on a copy.

LibreOffice works fields and formulas out anew when it opens a file, so that a letter of last year would bear
the day on which it was bound. Here such fields become the text that was last seen, formulas the values that
were last saved, and links to other files and to the network lead nowhere. Sheets are set to the width of the
paper, and hidden slides are shown.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from lxml import etree

from casefile.errors import BadInput
from casefile.formats.containers import zip_bounds
from casefile.formats.office import ooxml_sheet
from casefile.formats.office.office_told import Told

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_MC_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_STRICT = b"http://purl.oclc.org/ooxml/"
_LARGEST_XML = 150_000_000
_NOWHERE = "about:blank"
_FROZEN = frozenset({
    "DATE", "TIME", "PRINTDATE", "SAVEDATE", "CREATEDATE", "EDITTIME", "FILENAME", "FILESIZE", "USERNAME",
    "USERINITIALS", "USERADDRESS", "LINK", "DDE", "DDEAUTO", "INCLUDEPICTURE", "INCLUDETEXT", "IMPORT",
    "INCLUDE", "DATABASE", "AUTOTEXT", "MACROBUTTON", "HTMLCONTROL", "EMBED",
})  # fmt: skip
_DAYS = frozenset({"DATE", "TIME", "PRINTDATE"})
_BODY = re.compile(r"word/(document|footnotes|endnotes)\d*\.xml$")
_WORD_XML = re.compile(r"word/[^/]+\.xml$")
_SLIDE = re.compile(r"ppt/slides/[^/]+\.xml$")


def calm(source: Path, target: Path, bounds: zip_bounds.Bounds) -> Told:
    """Write the copy and say what was found.

    Raises:
        Refused: ZIP-BOMB, ZIP-PATH.
        BadInput: ZIP-DAMAGED, ZIP-LOCKED, OFFICE-XML, OFFICE-TOO-LARGE.
    """
    told = Told()
    name = source.name
    with zip_bounds.opened(source, name, bounds) as members, zipfile.ZipFile(target, "w") as copy:
        book = ooxml_sheet.Book(told, name)
        for member in sorted(members.infolist(), key=_order):
            data = zip_bounds.read(members, member, name)
            change = _change(member.filename, book)
            if change is not None:
                if len(data) > _LARGEST_XML:
                    raise BadInput("OFFICE-TOO-LARGE", subject=name)
                root = _parsed(data, name)
                change(root, told)
                data = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
            # Own entries: the times of day of the original would make no difference, a broken one might.
            copy.writestr(zipfile.ZipInfo(member.filename), data, zipfile.ZIP_DEFLATED, 1)
    return told


def strict(source: Path, bounds: zip_bounds.Bounds) -> bool:
    """True for the strict variant (ISO/IEC 29500-1), which names its elements differently; few write it.

    Raises:
        Refused: ZIP-BOMB, ZIP-PATH.
        BadInput: ZIP-DAMAGED, ZIP-LOCKED.
    """
    with zip_bounds.opened(source, source.name, bounds) as members:
        for member in members.infolist():
            if member.filename in ("word/document.xml", "xl/workbook.xml", "ppt/presentation.xml"):
                return _STRICT in zip_bounds.read(members, member, source.name)[:20_000]
    return False


def _order(member: zipfile.ZipInfo) -> tuple[int, str]:
    # The workbook says which sheets are hidden, and the strings stand apart from the cells.
    first = {
        "[Content_Types].xml": 0,
        "xl/workbook.xml": 1,
        "xl/_rels/workbook.xml.rels": 2,
        "xl/sharedStrings.xml": 3,
    }
    return first.get(member.filename, 9), member.filename


def _change(member: str, book: ooxml_sheet.Book) -> Callable[[etree._Element, Told], None] | None:
    if member.endswith(".rels"):
        return book.relations if member == "xl/_rels/workbook.xml.rels" else cut_links
    if member.startswith("xl/"):
        return book.change(member)
    if _BODY.match(member):
        return _body
    if member == "word/comments.xml":
        return _comments
    if _WORD_XML.match(member):
        return _fields
    if _SLIDE.match(member):
        return _slide
    if member.startswith("ppt/notesSlides/") and member.endswith(".xml"):
        return _notes
    if member.startswith("ppt/comments/") and member.endswith(".xml"):
        return _slide_comments
    return None


def _parsed(data: bytes, name: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise BadInput("OFFICE-XML", subject=name, reason=error.msg) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadInput("OFFICE-XML", subject=name, reason="DTD")
    return root


def cut_links(root: etree._Element, told: Told) -> None:
    """Relations that lead out of the file lead nowhere, but for hyperlinks, which only show."""
    for relation in root:
        if not isinstance(relation.tag, str) or relation.get("TargetMode") != "External":
            continue
        if not relation.get("Type", "").endswith("/hyperlink"):
            relation.set("Target", _NOWHERE)
            told.links += 1


def _body(root: etree._Element, told: Told) -> None:
    _fields(root, told)
    for tag in ("ins", "del", "moveFrom", "moveTo"):
        told.tracked += sum(1 for one in root.iter(_W + tag) if one.get(_W + "author") is not None)
    for fonts in root.iter(_W + "rFonts"):
        told.fonts.update(v for k in ("ascii", "eastAsia") if (v := fonts.get(_W + k)))
    for run in root.iter(_W + "r"):
        text = "".join(t.text or "" for t in run.iterchildren(_W + "t"))
        if not text or next(run.iterancestors(_MC_FALLBACK), None) is not None:
            continue
        vanish = run.find(f"{_W}rPr/{_W}vanish")
        if vanish is not None and vanish.get(_W + "val", "1") not in ("0", "false", "off"):
            told.hidden_text += len(text.strip())
        else:
            told.saw(text)


def _fields(root: etree._Element, told: Told) -> None:
    """Complex and simple fields (17.16.18, 17.16.19) become the text that they last showed."""
    _parts_of_fields(root, told)
    for simple in list(root.iter(_W + "fldSimple")):
        if _word(simple.get(_W + "instr", "")) in _FROZEN:
            if _word(simple.get(_W + "instr", "")) in _DAYS and not "".join(simple.itertext()).strip():
                told.dates_lost += 1
            _unwrapped(simple)


def _parts_of_fields(root: etree._Element, told: Told) -> None:
    open_: list[tuple[list[etree._Element], list[str], list[bool]]] = []
    for element in list(root.iter(_W + "fldChar", _W + "instrText", _W + "t")):
        if element.tag == _W + "fldChar":
            kind = element.get(_W + "fldCharType")
            if kind == "begin":
                open_.append(([element], [], []))
            elif open_ and kind == "separate":
                open_[-1][0].append(element)
                open_[-1][2].append(False)
            elif open_ and kind == "end":
                pieces, code, result = open_.pop()
                if _word("".join(code)) in _FROZEN:
                    for piece in (*pieces, element):
                        _removed(piece)
                    if _word("".join(code)) in _DAYS and True not in result:
                        told.dates_lost += 1
        elif element.tag == _W + "instrText":
            if open_ and not open_[-1][2]:
                open_[-1][0].append(element)
                open_[-1][1].append(element.text or "")
        elif open_ and open_[-1][2] and (element.text or "").strip():
            open_[-1][2].append(True)


def _word(code: str) -> str:
    words = code.split(None, 1)
    return words[0].upper() if words else ""


def _removed(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _unwrapped(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is None:
        return
    at = parent.index(element)
    parent[at : at + 1] = list(element)


def _comments(root: etree._Element, told: Told) -> None:
    told.comments += sum(1 for _ in root.iter(_W + "comment"))
    _fields(root, told)


def _slide(root: etree._Element, told: Told) -> None:
    if root.get("show") in ("0", "false"):
        del root.attrib["show"]
        told.hidden_slides += 1
    for day in [f for f in root.iter(_A + "fld") if f.get("type", "").startswith("datetime")]:
        if not "".join(day.itertext()).strip():
            told.dates_lost += 1
        for paragraph in day.findall(_A + "pPr"):
            day.remove(paragraph)
        day.tag = _A + "r"
        day.attrib.clear()
    for tag in ("latin", "ea"):
        told.fonts.update(v for f in root.iter(_A + tag) if (v := f.get("typeface", "")) and v[0] != "+")
    told.saw("".join(_seen(root)))


def _seen(root: etree._Element) -> Iterator[str]:
    for text in root.iter(_A + "t"):
        if text.text and next(text.iterancestors(_MC_FALLBACK), None) is None:
            yield text.text


def _notes(root: etree._Element, told: Told) -> None:
    words = "".join(t.text or "" for t in root.iter(_A + "t")).strip()
    # The number of the slide is on every page of notes.
    told.notes += bool(words and not words.isdigit())


def _slide_comments(root: etree._Element, told: Told) -> None:
    told.comments += sum(
        1 for e in root.iter() if isinstance(e.tag, str) and etree.QName(e).localname == "cm"
    )
