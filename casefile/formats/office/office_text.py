"""All text in a Word, Excel or PowerPoint file, wherever it hides.

Every XML member is read: body, headers, footers, notes, comments, deleted text, field codes, text boxes,
document properties, hidden sheets. Nothing is rendered, so nothing that a layout would leave out is missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from casefile.errors import BadInput
from casefile.formats.containers import zip_bounds

_PLACES = (
    ("word/document", "正文"),
    ("word/header", "页眉"),
    ("word/footer", "页脚"),
    ("word/footnotes", "脚注"),
    ("word/endnotes", "尾注"),
    ("word/comments", "批注"),
    ("docProps/", "文档属性"),
    ("customXml/", "文档属性"),
    ("xl/", "工作表"),
    ("ppt/", "幻灯片"),
)
# Runs of one paragraph belong together: a mark is often cut into several.
_BREAKS = {"p", "tr", "tab", "br", "cr", "si", "c", "sheet"}
_TEXTS = {"t", "delText", "instrText"}
_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".gif", ".bmp", ".emf", ".wmf", ".webp", ".heic")


@dataclass(frozen=True, slots=True)
class OfficeText:
    """Text by place, such as 页眉; embedded files by name; and how many pictures can't be read."""

    places: tuple[tuple[str, str], ...]
    embedded: tuple[tuple[str, bytes], ...]
    pictures: int


def read(source: Path, name: str, bounds: zip_bounds.Bounds) -> OfficeText:
    """Read everything.

    Raises:
        Refused: ZIP-BOMB, ZIP-PATH.
        BadInput: ZIP-DAMAGED, ZIP-LOCKED, OFFICE-XML.
    """
    places, embedded, pictures = [], [], 0
    with zip_bounds.opened(source, name, bounds) as members:
        for member in members.infolist():
            lower = member.filename.lower()
            if lower.endswith((".xml", ".rels", ".vml")):
                text = _text(zip_bounds.read(members, member, name), name)
                if text.strip():
                    places.append((_place(member.filename), text))
            elif "/embeddings/" in lower and not member.is_dir():
                embedded.append((Path(member.filename).name, zip_bounds.read(members, member, name)))
            elif lower.endswith(_PICTURES) and not lower.startswith("docprops/"):
                pictures += 1
    return OfficeText(tuple(places), tuple(embedded), pictures)


def _place(member: str) -> str:
    return next((place for start, place in _PLACES if member.startswith(start)), "附属内容")


def _text(xml: bytes, name: str) -> str:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise BadInput("OFFICE-XML", subject=name, reason=error.msg) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadInput("OFFICE-XML", subject=name, reason="DTD")
    return "".join(_pieces(root))


def _pieces(root: etree._Element) -> Iterator[str]:
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if not isinstance(element.tag, str):
            continue
        tag = etree.QName(element).localname
        if event == "end":
            if tag in _BREAKS:
                yield "\n"
            continue
        # Of word processing text only; elsewhere (properties, shared strings, charts) any text counts.
        if element.text and (tag in _TEXTS or not element.text.isspace()):
            yield element.text
            if tag not in _TEXTS:
                yield "\n"
        for value in _spoken(element):
            yield f"\n{value}\n"


def _spoken(element: etree._Element) -> Iterator[str]:
    # Alternative texts of pictures, WordArt, names of sheets, watermarks in VML.
    for attribute, value in element.attrib.items():
        local = etree.QName(attribute).localname
        if local in ("descr", "title", "string", "alt") or (local == "name" and "密" in value):
            yield value
