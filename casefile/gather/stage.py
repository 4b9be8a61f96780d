"""The stage: a case and its inbox in, evidence and parts out."""

from __future__ import annotations

import dataclasses
import filecmp
import hashlib
import itertools
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from casefile import catalogue, scanning
from casefile.codes import codes
from casefile.context import Context, scratch_folder, write_whole
from casefile.errors import BadInput
from casefile.formats import written
from casefile.formats.identify import sniff
from casefile.gather import clock, inbox, listing, placeholder, recording
from casefile.gather.cache import Cache, digest
from casefile.gather.intake import SECRET_CODES, Complaint, Content, Desk, Intake
from casefile.gather.unpack import Opened, Opener
from casefile.model.case import Case
from casefile.model.document import Evidence, Part
from casefile.model.finding import Finding, NotLookedAt, PartRecord, Report
from casefile.model.terms import EvidenceKind, FactKey, Route, Volume
from casefile.tools import ocr, verapdf

_AT_ONCE = 2
_NAMED = 10
_SECRET_TITLE = "涉密件另卷保存"
_UNSAFE = frozenset({*SECRET_CODES, "EVIDENCE-PATH", "EVIDENCE-LINK", "EVIDENCE-BOMB"})
_NOT_SHOWN = frozenset({
    "PART-TRACKED-CHANGES", "PART-COMMENTS", "PART-HIDDEN-TEXT", "PART-HIDDEN-SHEETS", "PART-HIDDEN-LINES",
    "PART-HIDDEN-SLIDES", "PART-SLIDE-NOTES", "PART-DATE-LOST", "PART-LINKS-CUT", "PART-TEXT-MISSING",
    "PART-CELLS-NARROW",
})  # fmt: skip
"""What the pages of an office document do not show: whoever reads the volume must know it too."""

_NOT_TAKEN = frozenset({"EVIDENCE-CHANGING", "EVIDENCE-UNREADABLE", "EVIDENCE-NOT-A-FILE"})


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the inbox gave. ``refused`` is True when something in it is unsafe: a secret, a path, a bomb."""

    evidence: tuple[Evidence, ...]
    parts: tuple[Part, ...]
    findings: tuple[Finding, ...]
    not_looked_at: tuple[NotLookedAt, ...]
    refused: bool
    records: tuple[PartRecord, ...] = ()

    def report(self) -> Report:
        """The same as a report."""
        return Report(len(self.records), self.findings, self.not_looked_at, self.records)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A file with what came of it; ``numbers`` are those of all that came with it, by path."""

    number: int
    item: inbox.Item
    intake: Intake
    complaints: tuple[Complaint, ...]
    numbers: Mapping[str, int]

    @property
    def path(self) -> str:
        return self.item.path

    @property
    def subject(self) -> str:
        return self.item.subject


def is_unsafe(findings: Iterable[Finding]) -> bool:
    """True when one of them tells of something that must not be taken in."""
    return any(finding.code in _UNSAFE for finding in findings)


def is_incomplete(findings: Iterable[Finding]) -> bool:
    """True when a file could not be taken in at all: binding now would lose it."""
    return any(finding.code in _NOT_TAKEN for finding in findings)


def gather(case: Case, context: Context) -> Gathered:
    """Take in everything that lies in the inbox; parts go to ``work/parts``. Nothing in the inbox is changed.

    Raises:
        BadInput: when evidence.yaml is no YAML.
        MissingTool: TOOL-VERAPDF, TOOL-OFFICE, BIND-FONTS.
    """
    verapdf.require()
    folder = context.workspace.case(case.case_no)
    seen = inbox.look(folder.inbox, case.case_no, _types())
    parts = folder.work / "parts"
    with scratch_folder(parts) as scratch:
        desk = Desk(context, _cache(parts, context), scratch)
        opener = Opener(folder.work / "unpacked", desk, context.config.limits, seen.inner)
        taken = _take_all(seen.items, opener, desk, context)
    result = _Result(case.case_no, parts, context)
    result.findings += seen.findings
    result.findings += [inbox.missing(entry, case.case_no) for entry in opener.left_over()]
    result.skipped += scanning.installed().broken
    for one in taken:
        result.add(one)
    result.twins(taken)
    return result.gathered()


def normalise(paths: Sequence[Path], target_folder: Path, context: Context) -> Report:
    """Make each file a PDF/A of its own in ``target_folder``, named after it.

    Of an archive that is a list of what it holds, and its files go into a folder of its name.

    Raises:
        BadInput: NORMALISE-MISSING, when a file is not there.
        MissingTool: TOOL-VERAPDF, TOOL-OFFICE, BIND-FONTS.
    """
    verapdf.require()
    for path in paths:
        if not path.is_file():
            raise BadInput("NORMALISE-MISSING", subject=str(path))
    # Workers stand in folders of their own, so the name must hold from anywhere.
    target_folder = target_folder.absolute()
    target_folder.mkdir(parents=True, exist_ok=True)
    with scratch_folder(target_folder) as scratch:
        desk = Desk(context, _cache(scratch, context), scratch)
        opener = Opener(scratch / "unpacked", desk, context.config.limits)
        items = [inbox.Item(path.name, path, None, listing.shown(str(path))) for path in paths]
        result = _Result("", scratch, context)
        names: set[str] = set()
        for one in _take_all(items, opener, desk, context):
            result.add(one)
            record = result.records[-1]
            if record.route is Route.REFUSED or not record.output:
                # What stands in a volume for a secret is not handed out: it would say nothing.
                result.records[-1] = dataclasses.replace(record, output="")
                continue
            place = _place(PurePosixPath(one.path), target_folder)
            name = _free(place, names, target_folder, result.outputs[-1])
            copied = scratch / "copied.pdf"
            shutil.copyfile(result.outputs[-1], copied)
            (target_folder / name).parent.mkdir(parents=True, exist_ok=True)
            copied.replace(target_folder / name)
            result.records[-1] = dataclasses.replace(record, output=str(target_folder / name))
    return result.gathered().report()


def _take_all(
    items: Sequence[inbox.Item],
    opener: Opener,
    desk: Desk,
    context: Context,
) -> list[_Taken]:
    context.progress.start("unpack", len(items))
    families = []
    for item in items:
        families.append(opener.open(item))
        context.progress.step(item.subject)
    context.progress.start("gather", sum(map(len, families)))
    with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="gather") as threads:
        number = itertools.count(1)
        running = [
            [threads.submit(_take, desk, opened, next(number)) for opened in family] for family in families
        ]
        try:
            for family, futures in zip(families, running, strict=True):
                for opened, future in zip(family, futures, strict=True):
                    opened.intake = future.result()
                    context.progress.step(opened.item.subject)
        finally:
            for futures in running:
                for future in futures:
                    future.cancel()
    context.progress.done()
    families = _without_secrets(families, desk)
    opener.sweep({opened.key for family in families for opened in family})
    taken: list[_Taken] = []
    for family in families:
        numbers = {o.item.path: number for number, o in enumerate(family, len(taken) + 1)}
        taken += [
            _Taken(
                number,
                opened.item,
                opened.intake or Intake(),
                opened.complaints,
                numbers,
            )
            for number, opened in enumerate(family, len(taken) + 1)
        ]
    return taken


def _take(desk: Desk, opened: Opened, number: int) -> Intake:
    if opened.intake is not None:
        return opened.intake
    item = opened.item
    password = item.listed.password if item.listed else ""
    return desk.take(item.file, item.path, number, password, recording.described(item.listed))


def _without_secrets(families: Sequence[list[Opened]], desk: Desk) -> list[list[Opened]]:
    """An archive with a secret in it is the secret itself: nothing of it, nor of its other files, stays."""
    secret = [len(family) > 1 and any(o.intake and o.intake.secret for o in family) for family in families]
    clean = itertools.chain.from_iterable(f for f, hidden in zip(families, secret, strict=True) if not hidden)
    used = {opened.intake.kept.pdf for opened in clean if opened.intake and opened.intake.kept}
    return [
        _refused(family, desk, used) if hidden else family
        for family, hidden in zip(families, secret, strict=True)
    ]


def _refused(family: Sequence[Opened], desk: Desk, used: Collection[Path]) -> list[Opened]:
    whole = Intake()
    for opened in family:
        if opened.intake is None:
            continue
        desk.forget(opened.intake, used)
        for code, params in opened.intake.complaints:
            if code in SECRET_CODES:
                inner = opened.item.path.removeprefix(family[0].item.path).removeprefix("/")
                place = f"{listing.shown(inner)} {params.get('place', '')}".strip()
                whole.complain(code, {**params, "place": place})
    return [Opened(family[0].item, whole)]


class _Result:
    """Collects, in the order of the inbox."""

    def __init__(self, case_no: str, folder: Path, context: Context) -> None:
        self.case_no = case_no
        self.folder = folder
        self.context = context
        self.evidence: list[Evidence] = []
        self.parts: list[Part] = []
        self.findings: list[Finding] = []
        self.skipped: list[NotLookedAt] = []
        self.records: list[PartRecord] = []
        self.outputs: list[Path] = []

    def gathered(self) -> Gathered:
        return Gathered(
            tuple(self.evidence),
            tuple(self.parts),
            tuple(self.findings),
            tuple(dict.fromkeys(self.skipped)),
            is_unsafe(self.findings),
            tuple(self.records),
        )

    def add(self, one: _Taken) -> None:
        """Put one file on record."""
        intake = one.intake
        for code, params in (*intake.complaints, *one.complaints):
            subject = f"{one.subject} {params.get('place', '')}".strip()
            self.findings.append(Finding(code, subject, self.case_no, params))
        self.skipped += [NotLookedAt(one.subject, reason) for reason in intake.not_looked_at]
        self.skipped += [NotLookedAt(subject, reason) for subject, reason in intake.broken]
        if intake.secret:
            self._secret(one)
            return
        if intake.problem is not None:
            code, params = intake.problem
            self.findings.append(Finding(code, one.subject, self.case_no, params))
        if intake.received is None or (intake.problem and intake.problem[0] in _NOT_TAKEN):
            self._record(one.subject, Path(), Route.REFUSED, 0, None)
            return
        evidence = self._evidence(one)
        self.evidence.append(evidence)
        taken_at = dict(evidence.facts).get(FactKey.TAKEN_AT, "")
        for code, params in clock.complaints(taken_at, evidence.collected_at, self.context.now()):
            self.findings.append(Finding(code, one.subject, self.case_no, params))
        if intake.contents is not None and intake.problem is None:
            self._contents(evidence, one, intake.contents)
            return
        if intake.kept is None:
            assert intake.problem is not None
            self._placeholder(evidence, one, intake.problem)
            return
        kept = intake.kept
        for note in kept.notes:
            self.findings.append(Finding(note, one.subject, self.case_no, _told(note, kept.facts)))
        if kept.route in (Route.RASTER, Route.GHOSTSCRIPT):
            code = f"PART-{kept.route.name}"
            self.findings.append(
                Finding(code, one.subject, self.case_no, {"difference": str(kept.difference)})
            )
        if kept.blank:
            pages = "、".join(map(str, kept.blank[:_NAMED])) + ("等" if len(kept.blank) > _NAMED else "")
            self.findings.append(Finding("PART-BLANK", one.subject, self.case_no, {"pages": pages}))
        if evidence.recording is not None and self.case_no:
            for code, params in recording.complaints(evidence.recording, dict(evidence.facts)):
                self.findings.append(Finding(code, one.subject, self.case_no, params))
        # The catalogue's column of remarks tells only what makes the pages differ from the original.
        said = [_of("原件", note, _told(note, kept.facts)) for note in kept.notes]
        said += [_of("原件", code, params) for code, params in intake.complaints if code in _NOT_SHOWN]
        if evidence.recording is not None:
            said.insert(0, "音像记录，原件另存归档包")
        if kept.route in (Route.RASTER, Route.GHOSTSCRIPT):
            said.append(f"归档转换方式：{kept.route.zh}")
        self._part(
            evidence,
            kept.pdf,
            kept.sha256,
            kept.pages,
            kept.route,
            kept.difference,
            "；".join(said),
            kept.blank,
            kept.crowded,
        )
        self._record(one.subject, kept.pdf, kept.route, kept.pages, kept.difference, evidence.facts)

    def twins(self, taken: Sequence[_Taken]) -> None:
        """Say which files have the same content; all of them stay."""
        first: dict[str, _Taken] = {}
        for one in taken:
            if one.intake.received is None or one.intake.secret:
                continue
            before = first.setdefault(one.intake.received.sha256, one)
            if before is not one:
                self.findings.append(
                    Finding("EVIDENCE-SAME", one.subject, self.case_no, {"other": before.subject})
                )

    def _evidence(self, one: _Taken) -> Evidence:
        got, listed = one.intake.received, one.item.listed
        assert got is not None
        kind = listed.kind if listed else None
        return Evidence(
            id=f"evidence-{one.number:03d}",
            path=one.path,
            title=(listed.title if listed else "") or PurePosixPath(one.path).stem,
            kind=kind or _guessed(one.intake.format),
            original=one.item.file,
            size=got.size,
            sha256=got.sha256,
            sm3=got.sm3,
            format=one.intake.format,
            puid=one.intake.puid,
            facts=one.intake.facts,
            type_id=listed.type_id if listed else "evidence",
            source=listed.source if listed else "",
            collected_by=listed.collected_by if listed else "",
            collected_at=listed.collected_at if listed else "",
            place=listed.place if listed else "",
            proves=listed.proves if listed else "",
            note=listed.note if listed else "",
            stands_for=listed.document if listed else "",
            volume=(listed.volume if listed else None) or Volume.MAIN,
            inside=one.item.inside,
            recording=recording.of(listed) if one.intake.format.startswith(recording.KINDS) else None,
        )

    def _part(
        self,
        of: Evidence,
        pdf: Path,
        sha256: str,
        pages: int,
        route: Route,
        difference: float | None,
        note: str,
        blank: tuple[int, ...] = (),
        crowded: tuple[tuple[int, str], ...] = (),
    ) -> None:
        day = written.date(of.collected_at)
        if day is None:
            moment = written.moment(of.collected_at)
            day = moment.date() if moment else None
        if day is None and of.recording is not None and of.recording.started_at is not None:
            day = of.recording.started_at.date()
        self.parts.append(
            Part(
                id=of.id,
                type_id=of.type_id,
                title=of.title,
                doc_no="",
                author=of.source or of.collected_by,
                date=day,
                volume=of.volume,
                pdf=pdf,
                sha256=sha256,
                pages=pages,
                route=route,
                original=of.original,
                original_sha256=of.sha256,
                original_format=of.format,
                difference=difference,
                note=note,
                stands_for=of.stands_for,
                blank=blank,
                crowded=crowded,
            )
        )

    def _placeholder(self, evidence: Evidence, one: _Taken, problem: Complaint) -> None:
        reason = _of("该文件", problem[0], problem[1])
        data = {
            "title": listing.shown(evidence.title),
            "reason": reason,
            "name": listing.shown(evidence.path),
            "size": f"{evidence.size:,} 字节",
            "sha256": evidence.sha256,
            "sm3": evidence.sm3,
            "note": codes()[problem[0]].next_step(problem[1], "zh"),
        }
        pdf, _ = self._page(data)
        self._part(evidence, pdf, digest(pdf), 1, Route.PLACEHOLDER, None, f"占位页：{reason}")
        self._record(one.subject, pdf, Route.PLACEHOLDER, 1, None, evidence.facts)

    def _contents(self, evidence: Evidence, one: _Taken, contents: Sequence[Content]) -> None:
        """The list of what an archive holds, in its place."""
        rows = [
            {
                "item": f"{one.numbers[content.path]:03d}" if content.path in one.numbers else "",
                "name": listing.shown(content.path.removeprefix(f"{evidence.path}/")),
                "size": f"{content.size:,}",
                "sha256": content.sha256,
                "note": content.problem,
            }
            for content in contents
        ]
        data = {
            "title": listing.shown(evidence.title),
            "name": listing.shown(evidence.path),
            "size": f"{sniff.NAMES[evidence.format]}，{evidence.size:,} 字节",
            "sha256": evidence.sha256,
            "sm3": evidence.sm3,
            "rows": rows,
        }
        pdf, pages = self._page(data, "contents")
        self._part(evidence, pdf, digest(pdf), pages, Route.CONVERTED, None, "压缩包内容清单；原件另存归档包")
        self._record(one.subject, pdf, Route.CONVERTED, pages, None, evidence.facts)

    def _secret(self, one: _Taken) -> None:
        # Number and level only: neither name nor title nor digest of it is stored anywhere.
        data = {
            "title": _SECRET_TITLE,
            "reason": f"国家秘密（{one.intake.secret}），按保密规定另卷保存",
            "note": f"收件序号 {one.number:03d}",
            "stands_for": "本页代替依法不得存入本系统的材料，原件不在归档包内",
        }
        pdf, _ = self._page(data)
        sha256 = digest(pdf)
        self.parts.append(
            Part(
                id=f"evidence-{one.number:03d}",
                type_id="evidence",
                title=f"{_SECRET_TITLE}（{one.intake.secret}）",
                doc_no="",
                author="",
                date=None,
                volume=Volume.MAIN,
                pdf=pdf,
                sha256=sha256,
                pages=1,
                route=Route.REFUSED,
                original=pdf,
                original_sha256=sha256,
                original_format=sniff.PDF,
                note=_SECRET_TITLE,
            )
        )
        self._record(one.subject, pdf, Route.REFUSED, 1, None)

    def _page(self, data: Mapping[str, Any], template: str = "placeholder") -> tuple[Path, int]:
        key = hashlib.sha256(placeholder.key(data).encode()).hexdigest()
        pdf = self.folder / f"{template}-{key[:32]}.pdf"
        sheets = placeholder.page(data, self.context, template)
        write_whole(pdf, sheets.pdf)
        return pdf, sheets.count

    def _record(
        self,
        subject: str,
        pdf: Path,
        route: Route,
        pages: int,
        difference: float | None,
        facts: tuple[tuple[str, str], ...] = (),
    ) -> None:
        shown = "" if pdf == Path() else self.context.workspace.relative(pdf)
        self.records.append(PartRecord(subject, shown, route, pages, difference, facts))
        self.outputs.append(pdf)


def _cache(folder: Path, context: Context) -> Cache:
    return Cache(folder, context.config.limits, read=ocr.wanted(context.config.gather.ocr))


def _types() -> dict[str, str]:
    known = catalogue.load().types
    words = {alias: type_.id for type_ in known.values() for alias in type_.aliases}
    words |= {type_.name: type_.id for type_ in known.values()}
    return words | {id_: id_ for id_ in known} | {"evidence": "evidence"}


def _guessed(kind: str) -> EvidenceKind:
    return EvidenceKind.AUDIOVISUAL if kind.startswith(recording.KINDS) else EvidenceKind.DOCUMENTARY


def _told(code: str, facts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The facts of a part that the sentence of a code speaks of."""
    sentence = codes()[code].zh
    return {key: value for key, value in facts if f"{{{key}}}" in sentence}


def _of(subject: str, code: str, params: dict[str, str]) -> str:
    """The sentence of a code as it stands in a dossier: always Chinese, without the name of the file."""
    return codes()[code].sentence({**params, "subject": subject}, "zh").replace(f"{subject} ", subject, 1)


def _place(path: PurePosixPath, folder: Path) -> str:
    """Where the PDF of a file goes, without its ending; what comes out of an archive goes into a folder."""
    if path.parent == PurePosixPath("."):
        return path.stem
    archive, *steps = path.parts[:-1]
    name = PurePosixPath(archive).stem
    while (folder / name).exists() and not (folder / name).is_dir():
        name = f"{name}-2"
    return str(PurePosixPath(name, *steps, path.stem))


def _free(stem: str, taken: set[str], folder: Path, made: Path) -> str:
    """A name that nothing else bears: what stands in the folder, perhaps an original, is not written over."""
    number, name = 1, f"{stem}.pdf"
    while name in taken or ((folder / name).exists() and not filecmp.cmp(folder / name, made, shallow=False)):
        number += 1
        name = f"{stem}-{number}.pdf"
    taken.add(name)
    return name
