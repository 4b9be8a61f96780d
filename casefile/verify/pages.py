"""Each volume read by a second program: pages, labels, outline and embedded contents against the manifest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casefile.errors import CasefileError
from casefile.formats import xml
from casefile.formats.pdf.second_reader import Box, SecondReader, Unreadable, Word
from casefile.model.finding import Finding
from casefile.verify.manifest import ListedItem, ListedVolume
from casefile.verify.subject import Complaints, Subject

CONTENTS = "contents.xml"
_EMPTY = "空白"
"""What a page without a number is called."""
_MM = 72 / 25.4
_SEQ, _PAGE = (0.0, 14 * _MM), (143 * _MM, 159 * _MM)
"""Where in a row of the catalogue the columns 顺序号 and 页号 begin and end."""
_SPACE = {"c": "urn:casefile:contents:1"}


@dataclass(frozen=True, slots=True)
class Contents:
    """The list that a bound volume carries inside of itself."""

    case_no: str
    archival_code: str
    kind: str
    book: int
    books: int
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
    wanted = (case_no, volume.kind, volume.book, volume.books)
    found = (contents.case_no, contents.kind, contents.book, contents.books)
    if found != wanted:
        said = {"found": " ".join(map(str, found)), "wanted": " ".join(map(str, wanted))}
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
        item.first, item.last, item.sheet, item.sheets, item.blank, item.before, item.route, item.sha256,
        item.original_sha256,
    )  # fmt: skip


def _pages(reader: SecondReader, items: Sequence[ListedItem], name: str, case_no: str) -> Iterator[Finding]:
    sheets, labels = reader.sheets(), reader.labels()
    marks = {(title, sheet) for _, title, sheet in reader.outline()}
    for item in items:
        shown = f"#{item.seq} {item.title}"
        what = {"what": shown, "page": str(item.first)}
        first, end = item.sheet - 1, item.sheet - 1 + item.sheets
        numbered = item.last - item.first + 1
        if not 0 <= first < end <= sheets or not item.sheets - len(item.blank) == numbered > 0:
            yield Finding("VERIFY-PAGE", name, case_no, what)
            continue
        wanted = [_EMPTY if number is None else str(number) for number in item.numbers]
        wrong = next((at for at in range(item.sheets) if labels[first + at] != wanted[at]), None)
        if wrong is not None:
            yield Finding("VERIFY-LABEL", name, case_no, {**what, "found": labels[first + wrong]})
        begins = first + next(at for at, number in enumerate(item.numbers) if number is not None)
        if not re.search(rf"(?<!\d){item.first}(?!\d)", reader.text(begins)):
            yield Finding("VERIFY-PAGE", name, case_no, what)
        for sheet, number in enumerate(item.numbers, first):
            found, stamp = reader.stamp(sheet) or "", "" if number is None else str(number)
            if found != stamp:
                params = {"what": shown, "sheet": str(sheet + 1), "found": found, "wanted": stamp}
                yield Finding("VERIFY-STAMP", name, case_no, params)
        if (f"{item.seq} {item.title}（{_range(item)}）", first) not in marks:
            yield Finding("VERIFY-OUTLINE", name, case_no, what)
    yield from _rows(reader, items, name, case_no)


def _rows(reader: SecondReader, items: Sequence[ListedItem], name: str, case_no: str) -> Iterator[Finding]:
    """The rows of the catalogue: what they say and where a click on them leads."""
    front = min((item.sheet - item.before for item in items), default=1) - 1
    links = [(sheet, *link) for sheet in range(min(front, reader.sheets())) for link in reader.links(sheet)]
    if len(links) != len(items):
        said = {"what": CONTENTS, "found": str(len(links)), "wanted": str(len(items))}
        yield Finding("VERIFY-CATALOGUE", name, case_no, said)
        return
    words = {sheet: reader.words(sheet) for sheet in {sheet for sheet, *_ in links}}
    for (sheet, box, target), item in zip(links, items, strict=True):
        what = f"#{item.seq} {item.title}"
        if target != item.sheet - 1:
            said = {"what": what, "found": str(target + 1), "wanted": str(item.sheet)}
            yield Finding("VERIFY-LINK", name, case_no, said)
        several = item is items[-1] and item.last > item.first
        wanted = f"{item.seq} {item.first}-{item.last}" if several else f"{item.seq} {item.first}"
        found = " ".join(_column(words[sheet], box, column) for column in (_SEQ, _PAGE))
        if found != wanted:
            said = {"what": what, "found": found, "wanted": wanted}
            yield Finding("VERIFY-CATALOGUE", name, case_no, said)


def _column(words: Sequence[Word], row: Box, column: tuple[float, float]) -> str:
    """What stands in one column of a row."""
    left, bottom, _, top = row
    return "".join(
        "".join(word.text.split())
        for word in words
        if bottom <= word.y <= top and left + column[0] <= word.x < left + column[1]
    )


def _range(item: ListedItem) -> str:
    return f"第{item.first}页" if item.first == item.last else f"第{item.first}-{item.last}页"


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
            int(root.get("book", "1")),
            int(root.get("books", "1")),
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
        sheets=int(text("sheets") or int(text("lastPage")) - int(text("firstPage")) + 1),
        blank=tuple(int(page) for page in text("blank").split()),
        before=int(text("before") or "0"),
    )
