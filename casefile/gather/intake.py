"""One file, from its bytes to its part: digest, cache, look, make."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from casefile import scanning
from casefile.context import Context
from casefile.errors import CasefileError
from casefile.formats.containers.zip_bounds import Bounds
from casefile.formats.identify import sniff, sniff_text
from casefile.gather import drawing, received, routes
from casefile.gather.cache import Cache, Kept
from casefile.gather.listing import shown
from casefile.gather.received import Received
from casefile.gather.scans import Scans
from casefile.gather.workers import Lost, Workers
from casefile.model.terms import Route
from casefile.model.text import PageText
from casefile.scanning import eyes
from casefile.tools import ffmpeg, ocr
from casefile.tools.office import office_of

SECRET_CODES = ("SECRECY-MARK", "SECRECY-MARK-FORM")
_SECRECY_CODES = (*SECRET_CODES, "SECRECY-MISUSE")

# What the workers say in the words of whoever wrote the reader, by the finding that the clerk gets.
_SAID = {
    "PDF-LOCKED": "EVIDENCE-LOCKED",
    "ZIP-LOCKED": "EVIDENCE-LOCKED",
    "ZIP-BOMB": "EVIDENCE-BOMB",
    "ZIP-PATH": "EVIDENCE-BOMB",
    "EVIDENCE-PATH": "EVIDENCE-PATH",
    "ZIP-METHOD": "EVIDENCE-UNPACK-FIRST",
    "MAIL-BOMB": "EVIDENCE-BOMB",
    "PDF-BOMB": "EVIDENCE-BOMB",
    "PICTURE-BOMB": "EVIDENCE-BOMB",
    "PICTURE-CUT-OFF": "EVIDENCE-CUT-OFF",
    "EVIDENCE-TOO-MUCH": "EVIDENCE-BOMB",
    "PDF-PAGE-SIZE": "EVIDENCE-PAGE-SIZE",
    "PDF-TOO-LONG": "EVIDENCE-TOO-LONG",
    "PDF-NO-PAGES": "EVIDENCE-NO-PAGES",
    "EVIDENCE-CHANGING": "EVIDENCE-CHANGING",
    "EVIDENCE-UNREADABLE": "EVIDENCE-UNREADABLE",
    "EVIDENCE-NOT-A-FILE": "EVIDENCE-NOT-A-FILE",
    "EVIDENCE-TOO-BIG": "EVIDENCE-TOO-BIG",
    "PART-NOT-MADE": "EVIDENCE-NOT-CONVERTED",
    "OFFICE-TIMEOUT": "EVIDENCE-TOOK-TOO-LONG",
    "OFFICE-FAILED": "EVIDENCE-NOT-CONVERTED",
    "OFFICE-LOCKED": "EVIDENCE-LOCKED",
    "OFFICE-TOO-LARGE": "EVIDENCE-TOO-LARGE",
}

_PACKED = frozenset({sniff.RAR, sniff.TAR, sniff.GZIP, sniff.SEVEN_ZIP, sniff.ZIP, sniff.MSG})
"""Kinds whose content lies inside and can't be had here."""

_NAME, _LISTED = "文件名", "登记内容"
"""Where a mark may stand that is not in the file itself: another file with the same bytes has it not."""
_OUTSIDE = frozenset({_NAME, _LISTED})

# How the scanners' reader says that a format has no text that it can reach.
_NOT_READ = "内容不能作为文字读取"

Complaint = tuple[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Content:
    """One file that an archive holds: its path in the inbox, and why it was not taken out, if so."""

    path: str
    size: int
    sha256: str = ""
    problem: str = ""


@dataclass(slots=True)
class Intake:
    """What came of one file. ``kept`` is None when there is no part; ``problem`` then says why.

    ``secret`` holds the level when the file bears a mark: nothing of it may then be stored.
    ``received`` is None when not even its bytes could be taken. ``contents`` is what an archive held that was
    taken apart: its part is then a list of it.
    ``pictures`` are those of ``not_looked_at`` that reading the part makes good. ``passing`` says that a
    reader was lost: the part is then not remembered, since another run may read more.
    """

    received: Received | None = None
    format: str = sniff.UNKNOWN
    puid: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    kept: Kept | None = None
    problem: Complaint | None = None
    secret: str = ""
    complaints: list[Complaint] = field(default_factory=list)
    not_looked_at: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)
    contents: tuple[Content, ...] | None = None
    passing: bool = False

    def complain(self, code: str, params: dict[str, str]) -> None:
        """Note a complaint; of several marks the highest counts."""
        self.complaints.append((code, params))
        if code in SECRET_CODES:
            levels = ("秘密", "机密", "绝密")
            level = params.get("level", "")
            if not self.secret or level not in levels or levels.index(level) > levels.index(self.secret):
                self.secret = level


class Desk:
    """Takes files in, several at a time: thread-safe. ``scratch`` lies beside the parts."""

    def __init__(self, context: Context, cache: Cache, scratch: Path) -> None:
        limits = context.config.limits
        self._limits = limits
        self._fonts = context.config.fonts.folders
        self._cache = cache
        self._scratch = scratch
        self._workers: Workers = context.keep("gather.workers", lambda: Workers(limits))
        self._office = office_of(context)
        self._ocr = ocr.wanted(context.config.gather.ocr)
        self._scans = Scans(self._workers, limits)

    def take(
        self, file: Path, name: str, number: int, password: str, said: Mapping[str, str] | None = None
    ) -> Intake:
        """Take one file in; ``name`` is its path in the inbox, ``number`` is its own.

        ``said`` is what the list says of it, for formats whose page tells that.
        """
        intake = self.receive(file, name, said)
        if intake.received is None:
            return intake
        described = _described(name, said or {}, intake.received)
        kept = self._cache.get(intake.received.sha256, sniff_text.told_by_name(name)) or self._cache.get(
            intake.received.sha256, json.dumps(described, ensure_ascii=False, sort_keys=True)
        )
        if kept is not None:
            intake.kept, intake.format = kept, kept.format
            intake.puid, intake.facts = kept.puid, kept.facts
            intake.complaints += kept.findings
            intake.not_looked_at += kept.not_looked_at
            return intake
        request: dict[str, Any] = {
            "path": str(file.absolute()),
            "name": name,
            "state": intake.received.state,
            "password": password,
            "described": described,
        }
        if self._look(intake, request):
            self._make(intake, request, file, number)
        return intake

    def receive(self, file: Path, name: str, said: Mapping[str, str] | None = None) -> Intake:
        """Only its name and its digest, of a file that is not secret by its name or by what the list says."""
        intake = Intake()
        # These alone can give a secret away, and they are the first things that would be stored.
        told = [PageText("", _NAME, name), PageText("", _LISTED, "\n".join((said or {}).values()))]
        self._heard(intake, scanning.scan_text(told, _SECRECY_CODES))
        if intake.secret:
            return intake
        try:
            intake.received = received.receive(file, self._limits.evidence_bytes)
        except CasefileError as error:
            intake.problem = (error.code, error.params)
            return intake
        return intake

    def hear_names(self, intake: Intake, names: Collection[str]) -> None:
        """Listen to the names of what an archive holds and is not taken out: they stand on its list."""
        pages = [PageText("", "压缩包内文件名", name) for name in names]
        self._heard(intake, scanning.scan_text(pages, _SECRECY_CODES))

    def unpack(
        self, intake: Intake, file: Path, folder: Path, bounds: Bounds, password: str
    ) -> list[dict[str, Any]] | None:
        """Take an archive or mail apart into ``folder``; None with the problem in ``intake``."""
        assert intake.received is not None
        request = {
            "op": "unpack",
            "path": str(file.absolute()),
            "state": intake.received.state,
            "format": intake.format,
            "folder": str(folder.absolute()),
            "members": bounds.members,
            "bytes": bounds.unpacked,
            "password": password,
        }
        answer = self._ask(intake, request)
        return None if answer is None else list(answer["members"])

    def forget(self, intake: Intake, used: Collection[Path]) -> None:
        """Remove the part of a file that turned out to belong to a secret one."""
        if intake.kept is not None and intake.kept.pdf not in used:
            self._cache.remove(intake.kept)

    def _heard(self, intake: Intake, scanned: scanning.Scanned) -> None:
        for finding in scanned.findings:
            self._complain(intake, finding.code, dict(finding.params))

    def _complain(self, intake: Intake, code: str, params: dict[str, str]) -> None:
        intake.complain(code, params)

    def _look(self, intake: Intake, request: dict[str, Any]) -> bool:
        answer = self._ask(intake, {**request, "op": "look"})
        if answer is None:
            intake.not_looked_at.append("文件读不出，密级标志未检查")
            return False
        intake.format, intake.puid = str(answer["format"]), str(answer["puid"])
        intake.facts = _pairs(answer["facts"])
        for found in answer["findings"]:
            self._complain(intake, found["code"], found["params"])
        intake.not_looked_at += answer["not_looked_at"]
        intake.pictures += answer["pictures"]
        intake.broken += [(subject, reason) for subject, reason in answer["broken"]]
        if not answer["scanners"]:
            intake.not_looked_at.append("没有安装密级标志扫描器，未检查")
        return not intake.secret

    def _make(self, intake: Intake, request: dict[str, Any], file: Path, number: int) -> None:
        assert intake.received is not None
        if not routes.known(intake.format):
            name = sniff.NAMES.get(intake.format, intake.format)
            intake.problem = (_no_pages_code(intake.format), {"format": name})
            return
        target = self._scratch / f"{number}.pdf"
        request = {**request, "op": "make", "format": intake.format, "target": str(target), "ocr": self._ocr}
        if routes.through_office(intake.format):
            drawn = self._drawn(intake, request, number)
            if drawn is None:
                return
            request |= drawn
        described = sniff_text.told_by_name(request["name"])
        if routes.described(intake.format):
            described = json.dumps(request["described"], ensure_ascii=False, sort_keys=True)
            request["fonts"] = [str(folder) for folder in self._fonts]
            if not ffmpeg.version():
                intake.not_looked_at.append("没有安装 FFmpeg，时长和画面未检查")
        answer = self._ask(intake, request)
        if answer is not None:
            intake.facts += _pairs(answer["facts"])
            intake.complaints += [(code, params) for code, params in answer["says"]]
            pdf, route = self._read(intake, target, answer)
            if intake.secret:
                return
            made = Kept(
                pdf=pdf,
                sha256="",
                format=intake.format,
                route=route,
                pages=int(answer["pages"]),
                difference=answer["difference"],
                notes=tuple(answer["notes"]),
                blank=tuple(answer["blank"]),
                crowded=tuple((int(page), str(corners)) for page, corners in answer["crowded"]),
                not_looked_at=tuple(intake.not_looked_at),
                findings=tuple(
                    (c, p) for c, p in intake.complaints if p.get("place") not in (_NAME, _LISTED)
                ),
                puid=intake.puid,
                facts=intake.facts,
            )
            intake.kept = self._cache.put(
                intake.received.sha256, made, described, remember=not (intake.broken or intake.passing)
            )

    def _read(self, intake: Intake, part: Path, made: dict[str, Any]) -> tuple[Path, Route]:
        """Read the pages of a part that are pictures, before anything of it is kept."""
        route = Route(made["route"])
        if not self._ocr:
            return part, route
        found = self._scans.read(part, made["to_read"], frozenset(SECRET_CODES))
        for code, params in found.findings:
            self._complain(intake, code, params)
        # Of a picture that moves not everything became a page.
        left = [] if "PART-PICTURE-MOVES" in made["notes"] else list(intake.pictures)
        intake.not_looked_at = [reason for reason in intake.not_looked_at if not _taken(left, reason)]
        if intake.secret:
            part.unlink(missing_ok=True)
            return part, route
        intake.not_looked_at += found.reasons()
        intake.broken += found.broken
        intake.passing = found.lost
        for code, pages in (("PART-INK-UNREAD", found.incomplete), ("PART-OCR-LATE", found.late)):
            if pages:
                intake.complaints.append((code, {"pages": eyes.listed(pages)}))
        layered = part.with_suffix(".text.pdf")
        if not self._scans.lay(part, layered, found.lines):
            if any(found.lines.values()):
                intake.complaints.append(("PART-NO-TEXT-LAYER", {}))
            return part, route
        # A part with a layer is no longer the very file that was received.
        return layered, Route.REPAIRED if route is Route.KEPT else route

    def _drawn(self, intake: Intake, request: dict[str, Any], number: int) -> dict[str, str] | None:
        try:
            return drawing.draw(
                request,
                intake.format,
                self._scratch / f"{number}",
                lambda wanted: self._heard_of(intake, wanted),
                self._office,
                self._limits.render_seconds,
            )
        except CasefileError as error:
            if error.exit_code.name == "MISSING_TOOL":
                raise
            intake.problem = (_SAID.get(error.code, "EVIDENCE-DAMAGED"), error.params)
            return None

    def _heard_of(self, intake: Intake, request: dict[str, Any]) -> dict[str, Any] | None:
        """Ask, and hear what the scanners say of a document that only now could be read."""
        answer = self._ask(intake, request)
        if answer is None or not answer["read"]:
            return answer
        for found in answer["findings"]:
            self._complain(intake, found["code"], found["params"])
        intake.broken += [(subject, reason) for subject, reason in answer["broken"]]
        intake.not_looked_at = [n for n in intake.not_looked_at if _NOT_READ not in n]
        return None if intake.secret else answer

    def _ask(self, intake: Intake, request: dict[str, Any]) -> dict[str, Any] | None:
        try:
            answer = self._workers.ask(request)
        except Lost as lost:
            code = "EVIDENCE-TOOK-TOO-LONG" if lost.reason == "time" else "EVIDENCE-KILLED-READER"
            intake.problem = (code, {"seconds": str(self._limits.seconds_per_part)})
            return None
        if "code" in answer:
            intake.problem = (_SAID.get(answer["code"], "EVIDENCE-DAMAGED"), answer["params"])
            return None
        return answer


def _described(name: str, said: Mapping[str, str], got: Received) -> dict[str, str]:
    """What the page of a recording tells besides what is found in it."""
    title = said.get("title") or PurePosixPath(name).stem
    return {
        **said,
        "title": shown(title),
        "name": shown(name),
        "size": f"{got.size:,} 字节",
        "sha256": got.sha256,
        "sm3": got.sm3,
    }


def _taken(left: list[str], reason: str) -> bool:
    if reason in left:
        left.remove(reason)
        return True
    return False


def _pairs(told: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(key), str(value)) for key, value in told)


def _no_pages_code(kind: str) -> str:
    if kind in _PACKED:
        return "EVIDENCE-UNPACK-FIRST"
    if kind == sniff.OFD:
        return "EVIDENCE-OFD"
    return "EVIDENCE-EMPTY" if kind == sniff.EMPTY else "EVIDENCE-FORMAT"
