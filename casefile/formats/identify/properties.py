"""Properties of office documents: who wrote them, with what, and when."""

from __future__ import annotations

import datetime as dt
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from lxml import etree

from casefile.formats.identify import ole
from casefile.model.terms import FactKey

_MOST = 1_000_000
_CORE = {
    "title": FactKey.TITLE,
    "creator": FactKey.AUTHOR,
    "lastModifiedBy": FactKey.LAST_MODIFIED_BY,
    "created": FactKey.CREATED,
    "modified": FactKey.MODIFIED,
}
_APP = {"Application": FactKey.APPLICATION, "Pages": FactKey.PAGES, "Slides": FactKey.PAGES}
_OPEN = {
    "title": FactKey.TITLE,
    "initial-creator": FactKey.AUTHOR,
    "creator": FactKey.LAST_MODIFIED_BY,
    "creation-date": FactKey.CREATED,
    "date": FactKey.MODIFIED,
    "generator": FactKey.APPLICATION,
}
# [MS-OLEPS] and [MS-OSHARED] 2.3.3.2: numbers of the properties.
_SUMMARY = {
    2: FactKey.TITLE,
    4: FactKey.AUTHOR,
    8: FactKey.LAST_MODIFIED_BY,
    12: FactKey.CREATED,
    13: FactKey.MODIFIED,
    14: FactKey.PAGES,
    18: FactKey.APPLICATION,
}
_I2, _I4, _TEXT, _WIDE, _TIME = 2, 3, 30, 31, 64
_MOST_PROPERTIES = 200
_EPOCH = dt.datetime(1601, 1, 1)

Fact = tuple[FactKey, str]


def of_package(path: Path) -> Iterator[Fact]:
    """Core and application properties of Office Open XML (ECMA-376, part 2, 11)."""
    with zipfile.ZipFile(path) as members:
        yield from _elements(_start(members, "docProps/core.xml"), _CORE)
        yield from _elements(_start(members, "docProps/app.xml"), _APP)


def of_open_document(path: Path) -> Iterator[Fact]:
    """Metadata of an OpenDocument file."""
    with zipfile.ZipFile(path) as members:
        yield from _elements(_start(members, "meta.xml"), _OPEN)


def of_compound(path: Path) -> Iterator[Fact]:
    """The summary information of doc, xls and ppt ([MS-OLEPS] 2.18)."""
    with path.open("rb") as file:
        data = ole.Compound(file).stream("\x05SummaryInformation", _MOST)
    yield from _summary(data)


def _start(members: zipfile.ZipFile, name: str) -> bytes:
    try:
        with members.open(name) as stream:
            return stream.read(_MOST)
    except Exception:
        # Not there, enciphered or damaged.
        return b""


def _elements(data: bytes, wanted: Mapping[str, FactKey]) -> Iterator[Fact]:
    if not data:
        return
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        return
    for element in root.iter():
        if isinstance(element.tag, str) and element.text:
            key = wanted.get(etree.QName(element).localname)
            if key is not None:
                yield key, element.text


def _summary(data: bytes) -> Iterator[Fact]:
    if len(data) < 48 or data[:2] != b"\xfe\xff":
        return
    (start,) = struct.unpack_from("<I", data, 44)
    _, count = struct.unpack_from("<II", data, start)
    places: dict[int, int] = {}
    for number in range(min(count, _MOST_PROPERTIES)):
        name, offset = struct.unpack_from("<II", data, start + 8 + number * 8)
        places[name] = start + offset
    page = 1252
    if 1 in places:
        kind, value = struct.unpack_from("<IH", data, places[1])
        page = value if kind == _I2 else page
    for name, key in _SUMMARY.items():
        if name in places:
            value_text = _value(data, places[name], page)
            if value_text:
                yield key, value_text


def _value(data: bytes, at: int, page: int) -> str:
    (kind,) = struct.unpack_from("<I", data, at)
    if kind == _TIME:
        (ticks,) = struct.unpack_from("<Q", data, at + 4)
        if not 0 < ticks < 3 * 10**18:
            return ""
        return (_EPOCH + dt.timedelta(microseconds=ticks // 10)).isoformat(timespec="seconds") + "+00:00"
    if kind == _I4:
        return str(struct.unpack_from("<i", data, at + 4)[0])
    (length,) = struct.unpack_from("<I", data, at + 4)
    if kind == _WIDE:
        return data[at + 8 : at + 8 + min(length, 2_000) * 2].decode("utf-16-le", "replace").split("\0")[0]
    if kind == _TEXT:
        return _decoded(data[at + 8 : at + 8 + min(length, 4_000)].split(b"\0")[0], page)
    return ""


def _decoded(raw: bytes, page: int) -> str:
    encoding = {936: "gb18030", 54936: "gb18030", 65001: "utf-8", 1200: "utf-16-le"}.get(page, f"cp{page}")
    try:
        return raw.decode(encoding, "replace")
    except LookupError:
        return raw.decode("gb18030", "replace")
