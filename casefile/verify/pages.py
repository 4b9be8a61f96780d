"""Each volume read by a second program: pages, labels, outline and embedded contents against the manifest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casefile.errors import CasefileError
from casefile.formats import xml
from casefile.formats.second_reader import SecondReader, Unreadable
from casefile.model.finding import Finding
from casefile.verify.manifest import ListedItem, ListedVolume
from casefile.verify.subject import Complaints, Subject

CONTENTS = "contents.xml"
_SPACE = {"c": "urn:casefile:contents:1"}


@dataclass(frozen=True, slots=True)
class Contents:
    """The list that a bound volume carries inside of itself."""

    case_no: str
    archival_code: str
    kind: str
    items: tuple[ListedItem, ...]


def check(subject: Subject) -> Complaints:
    """Compare each volume that is there with its part of the manifest."""
    for volume in subject.manifest.volumes if subject.manifest else ():
        if volume.path in subject.package:
            yield from _volume(subject.package[volume.path], volume, subject.case_no)


def check_file(path: Path, name: str) -> Complaints:
    """A volume on its own, against the list inside of it."""
    try:
        reader = SecondReader(path)
        contents = _contents(reader, name)
        if contents is None:
            yield Finding("VERIFY-NO-CONTENTS", name)
            return
        yield from _pages(reader, contents.items, name, contents.case_no)
    except Unreadable as error:
        yield Finding("VERIFY-UNREADABLE", name, params={"reason": str(error)})
    except CasefileError as error:
        yield Finding(error.code, error.subject, params=error.params)


def _volume(path: Path, volume: ListedVolume, case_no: str) -> Complaints:
    name = volume.path
    try:
        reader = SecondReader(path)
        sheets = reader.sheets()
        if sheets != volume.sheets:
            said = {"found": str(sheets), "wanted": str(volume.sheets)}
            yield Finding("VERIFY-SHEETS", name, case_no, said)
        contents = _contents(reader, name)
        if contents is None:
            yield Finding("VERIFY-NO-CONTENTS", name, case_no)
        else:
            yield from _same(contents, volume, case_no)
        yield from _pages(reader, volume.items, name, case_no)
    except Unreadable as error:
        yield Finding("VERIFY-UNREADABLE", name, case_no, {"reason": str(error)})
    except CasefileError as error:
        yield Finding(error.code, error.subject, case_no, error.params)


def _same(contents: Contents, volume: ListedVolume, case_no: str) -> Complaints:
    if (contents.case_no, contents.kind) != (case_no, volume.kind):
        said = {"found": f"{contents.case_no} {contents.kind}", "wanted": f"{case_no} {volume.kind}"}
        yield Finding("VERIFY-OTHER-CASE", volume.path, case_no, said)
    if contents.archival_code != volume.archival_code:
        said = {"found": contents.archival_code, "wanted": volume.archival_code}
        yield Finding("VERIFY-OTHER-CASE", volume.path, case_no, said)
    if len(contents.items) != len(volume.items):
        what = f"{len(contents.items)} ≠ {len(volume.items)}"
        yield Finding("VERIFY-CONTENTS", volume.path, case_no, {"what": what})
    for inside, listed in zip(contents.items, volume.items, strict=False):
        if _facts(inside) != _facts(listed):
            what = f"#{listed.seq} {listed.title}"
            yield Finding("VERIFY-CONTENTS", volume.path, case_no, {"what": what})


def _facts(item: ListedItem) -> tuple[object, ...]:
    return (
        item.seq, item.id, item.type_id, item.title, item.doc_no, item.author, item.date,
        item.first, item.last, item.sheet, item.route, item.sha256, item.original_sha256,
    )  # fmt: skip


def _pages(reader: SecondReader, items: Sequence[ListedItem], name: str, case_no: str) -> Iterator[Finding]:
    sheets, labels = reader.sheets(), reader.labels()
    marks = reader.outline()
    for item in items:
        what = {"what": f"#{item.seq} {item.title}", "page": str(item.first)}
        first, last = item.sheet - 1, item.sheet - 1 + item.last - item.first
        if not 0 <= first <= last < sheets:
            yield Finding("VERIFY-PAGE", name, case_no, what)
            continue
        if (labels[first], labels[last]) != (str(item.first), str(item.last)):
            yield Finding("VERIFY-LABEL", name, case_no, {**what, "found": f"{labels[first]}-{labels[last]}"})
        if not re.search(rf"(?<!\d){item.first}(?!\d)", reader.text(first)):
            yield Finding("VERIFY-PAGE", name, case_no, what)
        if not any(sheet == first and item.title in title for _, title, sheet in marks):
            yield Finding("VERIFY-OUTLINE", name, case_no, what)


def _contents(reader: SecondReader, name: str) -> Contents | None:
    data = reader.attachment(CONTENTS)
    if data is None:
        return None
    root = xml.parse(data, f"{name}: {CONTENTS}")
    try:
        return Contents(
            root.attrib["caseNo"],
            root.attrib["archivalCode"],
            root.attrib["volume"],
            tuple(_item(node) for node in root.iterfind("c:item", _SPACE)),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise Unreadable(f"{CONTENTS}: {type(error).__name__} {error}") from None


def _item(node: Any) -> ListedItem:
    def text(tag: str) -> str:
        return node.findtext(f"c:{tag}", "", _SPACE) or ""

    return ListedItem(
        seq=int(node.attrib["seq"]),
        id=node.attrib["id"],
        type_id=text("type"),
        title=text("title"),
        doc_no=text("docNo"),
        author=text("author"),
        date=text("date"),
        first=int(text("firstPage")),
        last=int(text("lastPage")),
        sheet=int(text("firstSheet")),
        route=text("route"),
        sha256=text("sha256"),
        original_sha256=text("originalSha256"),
        original_format=text("originalFormat"),
        original_path="",
    )
