"""A web page made ready to be drawn: what it says, without scripts and without anything from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from lxml import etree, html

from casefile.errors import BadInput
from casefile.formats.office import html_text, plain_text
from casefile.formats.office.office_told import Told

_LARGEST = 50_000_000
_DROPPED = (
    "script", "iframe", "frame", "frameset", "object", "embed", "applet", "link", "base", "meta", "video",
    "audio", "source", "track", "noscript", "template", "svg", "math",
)  # fmt: skip
_LINKING = ("src", "background", "data", "poster", "srcset", "lowsrc", "dynsrc", "longdesc", "cite", "action")
_REACHING = re.compile(r"url\s*\(|expression\s*\(|@import|\\", re.IGNORECASE)
_COUNTED_OUT = frozenset({"iframe", "frame", "object", "embed", "video", "audio", "svg"})


def calm(source: Path, target: Path) -> Told:
    """Write the copy, in UTF-8, and say what was found.

    Raises:
        BadInput: OFFICE-UNREADABLE, OFFICE-TOO-LARGE.
    """
    data = source.read_bytes()
    if len(data) > _LARGEST:
        raise BadInput("OFFICE-TOO-LARGE", subject=source.name)
    told = Told()
    text = plain_text.decoded(data)
    try:
        # The declaration of an encoding is no longer true of characters.
        root = html.document_fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))
    except (etree.ParserError, ValueError) as error:
        raise BadInput("OFFICE-UNREADABLE", subject=source.name, reason=str(error)[:80]) from None
    for element in list(root.iter()):
        if not isinstance(element.tag, str) or element.tag in _DROPPED:
            told.links += element.tag in _COUNTED_OUT
            _dropped(element)
        elif element.tag == "style" and _REACHING.search(element.text or ""):
            _dropped(element)
        elif element.tag in ("img", "input", "image"):
            _picture(element, told)
    for element in root.iter():
        for name in list(element.attrib):
            value = element.attrib[name]
            far = name in _LINKING and not value.startswith("data:image/")
            if far or name.startswith("on") or (name == "style" and _REACHING.search(value)):
                del element.attrib[name]
    head = root.find("head")
    if head is None:
        head = etree.Element("head")
        root.insert(0, head)
    head.insert(
        0, etree.Element("meta", {"http-equiv": "Content-Type", "content": "text/html; charset=utf-8"})
    )
    body = root.find("body")
    told.saw("".join(body.itertext()) if body is not None else "")
    target.write_bytes(etree.tostring(root, method="html", encoding="utf-8", doctype="<!DOCTYPE html>"))
    return told


def words(source: str) -> str:
    """What a web page says, line by line, without its scripts and styles."""
    try:
        root = html.document_fromstring(source)
    except (etree.ParserError, ValueError):
        return html_text.plain(source)
    for element in list(root.iter("script", "style", "head", "template", "noscript")):
        _dropped(element)
    return html_text.plain(etree.tostring(root, method="html", encoding="unicode"))


def _picture(element: etree._Element, told: Told) -> None:
    if element.get("src", "").startswith("data:image/"):
        return
    if element.get("src") is None:
        return
    told.links += 1
    label = etree.Element("span")
    words = element.get("alt", "").strip()
    label.text = f"〔图片未随网页保存{'：' + words if words else ''}〕"
    label.tail = element.tail
    parent = element.getparent()
    if parent is not None:
        parent.replace(element, label)


def _dropped(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
    parent.remove(element)
