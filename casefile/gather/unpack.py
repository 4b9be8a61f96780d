"""Archives and mails in the inbox, taken apart: their members stand right behind them as evidence.

What was unpacked lies in ``work/unpacked``, in a folder named by the SHA-256 of its archive, with a record
beside it. The folder is moved into place when it is whole and its record is written last, so whatever a
killed run leaves behind is no record or an unfinished folder: both are made anew.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casefile.config import Limits
from casefile.context import write_whole
from casefile.formats.containers import archives
from casefile.formats.containers.zip_bounds import Bounds
from casefile.formats.identify import pronom, sniff
from casefile.gather import inbox, recording
from casefile.gather.cache import digest
from casefile.gather.inbox import Item
from casefile.gather.intake import Complaint, Content, Desk, Intake
from casefile.gather.listing import Listed, shown
from casefile.model.terms import FactKey

_METHOD = "2"
_UNFINISHED = ".part-"
_REASONS = {
    archives.DAMAGED: "已损坏",
    archives.METHOD: "压缩方式这里不认识",
    archives.LINK: "是链接，不是文件",
    archives.SPECIAL: "不是普通文件",
}
_HARMFUL = frozenset({"EVIDENCE-BOMB", "EVIDENCE-PATH"})
_UNSEEN = "没有打开，里面文件的密级标志未检查"
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_UNWELCOME = re.compile(r'[<>:"|?*]')
_FIELDS = re.compile(rb"(?:\xef\xbb\xbf)?[A-Za-z][A-Za-z0-9-]{0,60}:")


@dataclass(slots=True)
class Opened:
    """A file of the inbox or out of an archive; ``intake`` is there when all was said of it already.

    ``key`` is the SHA-256 of an archive or mail that was taken apart.
    """

    item: Item
    intake: Intake | None = None
    complaints: tuple[Complaint, ...] = ()
    key: str = ""


@dataclass(slots=True)
class _Left:
    """What one archive of the inbox, with all that is in it, may still unpack to."""

    members: int
    bytes: int


class Opener:
    """Opens what can be opened. ``folder`` is where it puts it."""

    def __init__(self, folder: Path, desk: Desk, limits: Limits, inner: Iterable[Listed] = ()) -> None:
        self._folder = folder
        self._desk = desk
        self._limits = limits
        self._inner = {entry.file: entry for entry in inner}

    def left_over(self) -> Iterator[Listed]:
        """Entries of the list that nothing was found for."""
        yield from self._inner.values()

    def open(self, item: Item) -> list[Opened]:
        """The file itself, and behind it everything that is in it, at whatever depth."""
        left = _Left(self._limits.archive_members, self._limits.unpacked_bytes)
        family = self._open(item, left, 1)
        for opened in family[1:]:
            problem = opened.intake.problem if opened.intake else None
            if problem is not None and problem[0] in _HARMFUL:
                return [self._refused(item, problem)]
        return family

    def _refused(self, item: Item, problem: Complaint) -> Opened:
        # What is built to harm somewhere inside is not to be trusted anywhere else.
        head, kind = _kind(item)
        intake = self._desk.receive(item.file, item.path, recording.described(item.listed))
        intake.format, intake.puid = kind, pronom.puid(kind, head)
        intake.problem = intake.problem or problem
        intake.not_looked_at.append(_UNSEEN)
        return Opened(item, intake)

    def sweep(self, used: Collection[str]) -> None:
        """Remove what belongs to no archive among ``used``: it left the inbox, or is refused."""
        if not self._folder.is_dir():
            return
        for entry in self._folder.iterdir():
            if entry.name.removesuffix(".json") not in used:
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)

    def _open(self, item: Item, left: _Left, depth: int) -> list[Opened]:
        head, kind = _kind(item)
        if kind not in archives.CONTAINERS:
            return [Opened(item)]
        intake = self._desk.receive(item.file, item.path, recording.described(item.listed))
        if intake.received is None or intake.secret:
            return [Opened(item, intake)]
        intake.format, intake.puid = kind, pronom.puid(kind, head)
        if depth > self._limits.archive_depth:
            intake.problem = ("EVIDENCE-TOO-DEEP", {"most": str(self._limits.archive_depth)})
            intake.not_looked_at.append(_UNSEEN)
            return [Opened(item, intake)]
        told = self._members(item, intake, left)
        if told is None:
            intake.not_looked_at.append(_UNSEEN)
            return [Opened(item, intake)]
        self._desk.hear_names(intake, [_storable(one["name"])[0] for one in told if not _taken(one)])
        if intake.secret:
            return [Opened(item, intake)]
        left.members -= len(told)
        left.bytes -= sum(one["size"] for one in told)
        itself, members = self._named(item, intake, told)
        behind = [found for member in members for found in self._open(member, left, depth + 1)]
        return [itself, *behind]

    def _named(
        self, item: Item, intake: Intake, told: Sequence[Mapping[str, Any]]
    ) -> tuple[Opened, list[Item]]:
        assert intake.received is not None
        folder = self._folder / intake.received.sha256
        complaints: list[Complaint] = []
        contents: dict[str, Content] = {}
        files: dict[str, Path] = {}
        for one in told:
            name, odd = _storable(one["name"])
            path = f"{item.path}/{name}"
            if path in contents:
                path, odd = inbox.other(path, contents), "与同一压缩包里的另一文件重名"
            if one["problem"]:
                complaints.append(_lost(one["problem"], name))
            elif _taken(one):
                files[path] = folder / one["stored"]
                if odd:
                    complaints.append(("EVIDENCE-NAME", {"place": shown(name), "reason": odd}))
            reason = _REASONS.get(one["problem"], "") or ("" if path in files else "系统自带文件，不收取")
            contents[path] = Content(path, one["size"], one["sha256"], reason)
        count = {"count": str(len(files)), "format": sniff.NAMES[intake.format], "file": shown(item.path)}
        if files or intake.format != sniff.EML:
            complaints.append(("EVIDENCE-UNPACKED", count))
        order = [path for path in self._inner if path in files]
        order += sorted(files.keys() - set(order))
        members = [
            Item(
                path,
                files[path],
                _described(self._inner.pop(path, None), item.listed, path),
                f"{item.subject}/{shown(path.removeprefix(f'{item.path}/'))}",
                item.path,
            )
            for path in order
        ]
        if intake.format == sniff.EML:
            # The page of a mail is made like any other; only what is attached stands behind it.
            return Opened(item, complaints=tuple(complaints), key=intake.received.sha256), members
        intake.facts = ((FactKey.MEMBERS.value, str(len(contents))),)
        intake.contents = tuple(contents[path] for path in [*order, *sorted(contents.keys() - set(order))])
        intake.complaints += complaints
        return Opened(item, intake, key=intake.received.sha256), members

    def _members(self, item: Item, intake: Intake, left: _Left) -> list[dict[str, Any]] | None:
        assert intake.received is not None
        key = intake.received.sha256
        kept = self._kept(key)
        if kept is not None:
            if len(kept) > left.members or sum(one["size"] for one in kept) > left.bytes:
                intake.problem = ("EVIDENCE-BOMB", {})
                return None
            return kept
        target = self._folder / key
        unfinished = self._folder / f"{_UNFINISHED}{key}"
        for old in (target, unfinished):
            shutil.rmtree(old, ignore_errors=True)
        unfinished.mkdir(parents=True)
        try:
            password = item.listed.password if item.listed else ""
            bounds = Bounds(max(left.members, 0), max(left.bytes, 0))
            told = self._desk.unpack(intake, item.file, unfinished, bounds, password)
            if told is None:
                if intake.problem is not None and intake.problem[0] == "EVIDENCE-UNPACK-FIRST":
                    intake.problem = (intake.problem[0], {"format": sniff.NAMES[intake.format]})
                return None
            _on_disk(unfinished)
            unfinished.rename(target)
            record = {"method": _METHOD, "members": told}
            data = json.dumps(record, ensure_ascii=False, sort_keys=True, indent=1)
            write_whole(self._record(key), data.encode())
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return told

    def _record(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def _kept(self, key: str) -> list[dict[str, Any]] | None:
        """What was unpacked earlier, if all of it is still there as it was."""
        try:
            record = json.loads(self._record(key).read_text(encoding="utf-8"))
            if record["method"] != _METHOD:
                return None
            members: list[dict[str, Any]] = record["members"]
            folder = self._folder / key
            sound = all(not m["stored"] or digest(folder / m["stored"]) == m["sha256"] for m in members)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return members if sound else None


def _kind(item: Item) -> tuple[bytes, str]:
    try:
        handle = os.open(item.file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            head = file.read(64)
            if not head.startswith((b"PK", b"7z")) and not _FIELDS.match(head):
                return head, sniff.UNKNOWN
            head += file.read(sniff.HEAD - len(head))
        return head, sniff.of_bytes(head, item.file, item.path)
    except OSError:
        # Whoever takes it in says why.
        return b"", sniff.UNKNOWN


def _storable(name: str) -> tuple[str, str]:
    """The path of a member as it can be kept anywhere, and what was odd about it."""
    steps, odd = [], ""
    for step in name.split("/"):
        clean, reason = inbox.storable(step)
        plain = _UNWELCOME.sub("_", clean).rstrip(". ") or "_"
        if _RESERVED.fullmatch(plain):
            plain = f"_{plain}"
        if plain != clean and not reason:
            reason = "名称在常用系统上不能使用，登记时以“_”代替"
        odd = odd or reason
        steps.append(plain)
    return "/".join(steps), odd


def _taken(member: Mapping[str, Any]) -> bool:
    """True for a member that becomes evidence of its own."""
    name = _storable(member["name"])[0]
    return not (member["problem"] or inbox.litter(name.rpartition("/")[2]) or name.startswith("__MACOSX/"))


def _lost(problem: str, name: str) -> Complaint:
    code = {archives.LINK: "EVIDENCE-LINK", archives.SPECIAL: "EVIDENCE-NOT-A-FILE"}.get(problem)
    if code is not None:
        return code, {"place": shown(name)}
    return "EVIDENCE-MEMBER-LOST", {"file": shown(name), "reason": _REASONS[problem]}


def _described(own: Listed | None, archive: Listed | None, path: str) -> Listed | None:
    """What the list says of a member; where it says nothing, what it says of the archive holds."""
    if archive is None:
        return own
    if own is None:
        own = Listed(path, archive.line)
    return dataclasses.replace(
        own,
        source=own.source or archive.source,
        collected_by=own.collected_by or archive.collected_by,
        collected_at=own.collected_at or archive.collected_at,
        place=own.place or archive.place,
        volume=own.volume or archive.volume,
        password=own.password or archive.password,
    )


def _on_disk(folder: Path) -> None:
    for path in (*folder.iterdir(), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
