"""What lies in the inbox, in a fixed order: first as the list says, then by path."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from casefile.gather import listing
from casefile.gather.listing import Listed
from casefile.model.finding import Finding

_LITTER = frozenset({".ds_store", "thumbs.db", "desktop.ini", ".gitkeep", "@eadir", "__macosx"})
_LOCK_FILE = re.compile(
    r"~\$.*\.(docx?|xlsx?|pptx?|wps|et)|\.~lock\..*#|.*\.(crdownload|part|tmp)", re.IGNORECASE
)
_LONGEST_NAME = 200
_FOLDERS_DEEP = 30
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Item:
    """One file. ``path`` is inside the inbox, in NFC, fit to be stored; ``file`` is where it lies.

    ``subject`` is how the clerk knows it; ``inside`` the path of the archive or mail in which it came.
    """

    path: str
    file: Path
    listed: Listed | None
    subject: str
    inside: str = ""


@dataclass(frozen=True, slots=True)
class Inbox:
    """All files, and what was found wrong on the way to them.

    ``inner`` are entries of the list for what may be found inside of an archive.
    """

    items: tuple[Item, ...]
    findings: tuple[Finding, ...]
    inner: tuple[Listed, ...] = ()


def look(folder: Path, case_no: str, types: Mapping[str, str]) -> Inbox:
    """Walk the inbox and join it with its list. No file but the list is opened.

    Raises:
        BadInput: when the list is no YAML.
    """
    found = _Walk(case_no)
    if folder.is_symlink():
        found.complain("EVIDENCE-LINK", "inbox")
    elif folder.is_dir():
        found.folder(folder, "", 0)
    listed = listing.Listing()
    list_file = found.files.pop(listing.NAME, None)
    if list_file is not None:
        listed = listing.read(list_file, case_no, types)
    items, inner = [], []
    there = frozenset(found.files)
    for entry in listed.entries:
        file = found.files.pop(entry.file, None)
        if file is not None:
            items.append(Item(entry.file, file, entry, _subject(entry.file)))
        elif any(parent in there for parent in _above(entry.file)):
            inner.append(entry)
        elif entry.file not in found.refused:
            found.findings.append(missing(entry, case_no))
    rest = sorted(found.files)
    items += [Item(path, found.files[path], None, _subject(path)) for path in rest]
    if rest and list_file is not None:
        named = "、".join(listing.shown(path) for path in rest[:_NAMED]) + (
            "……" if len(rest) > _NAMED else ""
        )
        found.complain("EVIDENCE-NOT-LISTED", f"inbox/{listing.NAME}", count=str(len(rest)), files=named)
    return Inbox(tuple(items), (*listed.findings, *found.findings), tuple(inner))


def _subject(path: str) -> str:
    return f"inbox/{listing.shown(path)}"


def missing(entry: Listed, case_no: str) -> Finding:
    """What to say of an entry of the list whose file is nowhere."""
    place = f"inbox/{listing.NAME} 第{entry.line}行"
    return Finding("EVIDENCE-LISTED-MISSING", place, case_no, {"file": listing.shown(entry.file)})


def _above(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


class _Walk:
    def __init__(self, case_no: str) -> None:
        self.case_no = case_no
        self.files: dict[str, Path] = {}
        self.refused: set[str] = set()
        self.findings: list[Finding] = []

    def complain(self, code: str, subject: str, **params: str) -> None:
        self.findings.append(Finding(code, subject, self.case_no, params))

    def folder(self, folder: Path, below: str, depth: int) -> None:
        if depth > _FOLDERS_DEEP:
            # What lies deeper would be lost: nothing is bound until it is moved up.
            self.complain("EVIDENCE-UNREADABLE", f"inbox/{listing.shown(below)}", reason="文件夹层数过多")
            return
        try:
            entries = sorted(os.scandir(folder), key=lambda e: e.name)
        except OSError as error:
            self.complain("EVIDENCE-UNREADABLE", f"inbox/{listing.shown(below)}", reason=error.strerror or "")
            return
        for entry in entries:
            name, reason = storable(entry.name)
            path = f"{below}{name}"
            subject = f"inbox/{listing.shown(path)}"
            if litter(entry.name):
                continue
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode):
                self.refused.add(path)
                self.complain("EVIDENCE-LINK", subject)
            elif stat.S_ISDIR(mode):
                self.folder(Path(entry.path), f"{path}/", depth + 1)
            elif not stat.S_ISREG(mode):
                self.refused.add(path)
                self.complain("EVIDENCE-NOT-A-FILE", subject)
            elif _LOCK_FILE.fullmatch(entry.name):
                self.complain("EVIDENCE-LOCK-FILE", subject)
            elif path in self.files:
                self.complain("EVIDENCE-NAME", subject, reason="与另一文件重名（仅编码形式不同）")
                self.files[other(path, self.files)] = Path(entry.path)
            else:
                if reason:
                    self.complain("EVIDENCE-NAME", subject, reason=reason)
                self.files[path] = Path(entry.path)


def litter(name: str) -> bool:
    """True for what systems leave in folders by themselves."""
    return name.lower() in _LITTER or name.startswith("._")


def storable(name: str) -> tuple[str, str]:
    """The name in NFC without what no record can hold, and what was odd about it."""
    composed = unicodedata.normalize("NFC", name)
    clean = "".join("_" if not c.isprintable() or c == "\\" else c for c in composed)
    if len(clean) > _LONGEST_NAME:
        stem, dot, ending = clean.rpartition(".")
        short = dot and len(ending) <= 10
        clean = f"{stem[: _LONGEST_NAME - 12]}.{ending}" if short else clean[:_LONGEST_NAME]
        return clean, f"名称超过{_LONGEST_NAME}字，登记时截短"
    if clean != composed:
        return clean, "名称含有不可见字符或无法识别的编码，登记时以“_”代替"
    return clean, ""


def other(path: str, taken: Collection[str]) -> str:
    """A path that nothing has yet, made from one that something has."""
    number = 2
    while f"{path} ({number})" in taken:
        number += 1
    return f"{path} ({number})"
