"""manifest.xml as whoever checks reads it: written apart from the code that writes one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from casefile.errors import BadInput

_SPACE = {"m": "urn:casefile:archive:1"}
_MOST_SHEETS = 1_000_000


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One file that the manifest names."""

    path: str
    size: int
    sha256: str
    sm3: str
    media_type: str
    role: str
    received_as: str


@dataclass(frozen=True, slots=True)
class ListedItem:
    """One line of a volume's catalogue. ``sheet`` counts pages of the PDF from 1.

    The item takes ``sheets`` of them, of which those of ``blank`` (from 1) bear no number; ``before`` it lie
    sheets of binding.
    """

    seq: int
    id: str
    type_id: str
    title: str
    doc_no: str
    author: str
    date: str
    first: int
    last: int
    sheet: int
    route: str
    sha256: str
    original_sha256: str
    original_format: str
    original_path: str
    sheets: int
    blank: tuple[int, ...]
    before: int

    @property
    def numbers(self) -> tuple[int | None, ...]:
        """The number of each sheet of the item, None where it bears none."""
        blank = set(self.blank)
        found: list[int | None] = []
        number = self.first
        for page in range(1, self.sheets + 1):
            found.append(None if page in blank else number)
            number += page not in blank
        return tuple(found)


@dataclass(frozen=True, slots=True)
class ListedSignature:
    """One signature that a volume must bear."""

    field: str
    role: str
    signer: str
    certificate_sha256: str
    level: str
    time: str


@dataclass(frozen=True, slots=True)
class ListedVolume:
    """One volume, or one book of a volume that has several."""

    kind: str
    book: int
    books: int
    path: str
    sha256: str
    sheets: int
    archival_code: str
    items: tuple[ListedItem, ...]
    signatures: tuple[ListedSignature, ...]


@dataclass(frozen=True, slots=True)
class ListedEvent:
    """One act. ``at`` is a date or a time, as written."""

    activity: str
    at: str
    document: str


@dataclass(frozen=True, slots=True)
class Previous:
    """The version that a package follows."""

    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ListedSupplement:
    """One addition that a package tells of."""

    version: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that the checks need of a manifest."""

    case_no: str
    object_id: str
    title: str
    created: dt.datetime
    first_day: str
    last_day: str
    total_items: int
    total_pages: int
    seal_certificate_sha256: str
    timestamped: bool
    volumes: tuple[ListedVolume, ...]
    files: tuple[ListedFile, ...]
    events: tuple[ListedEvent, ...]
    previous: Previous | None = None
    supplements: tuple[ListedSupplement, ...] = ()


def read(root: Any, subject: str) -> Manifest:
    """What the manifest says, of a document that may or may not obey the schema.

    Raises:
        BadInput: VERIFY-MANIFEST, when it doesn't hold what a manifest holds.
    """
    try:
        return _read(root)
    except (AttributeError, KeyError, ValueError, IndexError, TypeError) as error:
        reason = f"{type(error).__name__} {error}"[:200]
        raise BadInput("VERIFY-MANIFEST", subject=subject, reason=reason) from None


def _read(root: Any) -> Manifest:
    seal = _one(root, "m:seal")
    days = _one(root, "m:case/m:contentDescription/m:date")
    return Manifest(
        case_no=_text(root, "m:case/m:contentDescription/m:caseNumber"),
        object_id=_text(root, "m:case/m:electronicRecordCode"),
        title=_text(root, "m:case/m:contentDescription/m:title"),
        created=dt.datetime.fromisoformat(_text(root, "m:created")),
        first_day=days.get("from", ""),
        last_day=days.get("to", ""),
        total_items=int(_text(root, "m:case/m:formalCharacteristics/m:totalItems")),
        total_pages=int(_text(root, "m:case/m:formalCharacteristics/m:totalPages")),
        seal_certificate_sha256=seal.attrib["certificateSha256"],
        timestamped=seal.attrib["timestamp"] in ("true", "1"),
        volumes=tuple(_volumes(root)),
        files=tuple(_files(root)),
        events=tuple(
            ListedEvent(
                _text(node, "m:businessActivity"), _text(node, "m:actionTime"), node.get("document", "")
            )
            for node in root.iterfind("m:events/m:event", _SPACE)
        ),
        previous=_previous(root),
        supplements=tuple(
            ListedSupplement(node.attrib["version"], tuple(node.attrib["items"].split()))
            for node in root.iterfind("m:supplements/m:supplement", _SPACE)
        ),
    )


def _previous(root: Any) -> Previous | None:
    node = root.find("m:previous", _SPACE)
    return None if node is None else Previous(node.attrib["version"], node.attrib["sha256"])


def _volumes(root: Any) -> Iterator[ListedVolume]:
    for node in root.iterfind("m:volumes/m:volume", _SPACE):
        has = node.attrib
        yield ListedVolume(
            kind=has["kind"],
            book=int(has.get("book", "1")),
            books=int(has.get("books", "1")),
            path=has["path"],
            sha256=has["sha256"],
            sheets=int(has["sheets"]),
            archival_code=has["archivalCode"],
            items=tuple(_item(item) for item in node.iterfind("m:item", _SPACE)),
            signatures=tuple(
                ListedSignature(
                    s.attrib["field"],
                    s.attrib["role"],
                    s.attrib["signer"],
                    s.attrib["certificateSha256"],
                    s.attrib["level"],
                    s.attrib["time"],
                )
                for s in node.iterfind("m:signature", _SPACE)
            ),
        )


def _item(node: Any) -> ListedItem:
    pages, part, original = (_one(node, f"m:{name}").attrib for name in ("pages", "part", "original"))
    return ListedItem(
        seq=int(node.attrib["seq"]),
        id=node.attrib["id"],
        type_id=node.attrib["type"],
        title=_text(node, "m:title"),
        doc_no=node.findtext("m:documentNumber", "", _SPACE) or "",
        author=node.findtext("m:author", "", _SPACE) or "",
        date=node.findtext("m:date", "", _SPACE) or "",
        first=int(pages["first"]),
        last=int(pages["last"]),
        sheet=int(pages["sheet"]),
        route=part["route"],
        sha256=part["sha256"],
        original_sha256=original["sha256"],
        original_format=original["format"],
        original_path=original.get("path", ""),
        sheets=_bounded(pages.get("sheets"), int(pages["last"]) - int(pages["first"]) + 1),
        blank=tuple(int(page) for page in pages.get("blank", "").split()),
        before=int(pages.get("before", "0")),
    )


def _bounded(said: str | None, otherwise: int) -> int:
    """How many sheets an item takes; nobody makes this program count to a number of his choice."""
    sheets = otherwise if said is None else int(said)
    if sheets > _MOST_SHEETS:
        raise ValueError(f"{sheets} sheets")
    return sheets


def _files(root: Any) -> Iterator[ListedFile]:
    for node in root.iterfind("m:files/m:file", _SPACE):
        has = node.attrib
        yield ListedFile(
            has["path"],
            int(has["size"]),
            has["sha256"],
            has["sm3"],
            has["mediaType"],
            has["role"],
            has.get("receivedAs", ""),
        )


def _one(node: Any, path: str) -> Any:
    found = node.findall(path, _SPACE)
    if len(found) != 1:
        raise ValueError(f"{len(found)} x {path}")
    return found[0]


def _text(node: Any, path: str) -> str:
    text = _one(node, path).text
    if not text:
        raise ValueError(path)
    return str(text)
