"""Binds the parts of a case into its volumes: one PDF/A-3b file each, the same bytes for the same inputs."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import casefile
from casefile import catalogue, resources
from casefile.bind import front
from casefile.bind.contents import contents
from casefile.bind.number import archival_code, volume_code
from casefile.bind.order import Arranged, arrange
from casefile.bind.paginate import paginate
from casefile.bind.prepared import Preparation, Ready
from casefile.context import Context, move_whole, scratch_folder, write_whole
from casefile.errors import BadInput, Undecided
from casefile.formats import pdf, pdf_stamp
from casefile.formats.pdf_frame import Attachment, Frame
from casefile.formats.pdf_prepare import Bookmark
from casefile.formats.typst import Sheets, typesetter
from casefile.model.case import Case
from casefile.model.document import Part
from casefile.model.dossier import BoundVolume, Dossier, PageRange, Placement, SignatureBox
from casefile.model.finding import Finding
from casefile.model.terms import Role, Volume
from casefile.tools import verapdf

_COVER_LABEL, _CATALOGUE_LABEL, _REMARK_LABEL = "封面", "目录-", "备考"


def bind(case: Case, parts: Sequence[Part], context: Context) -> Dossier:
    """Bind ``parts`` into ``work/bound/<digest of the inputs>/``; what was bound before is handed back.

    Raises:
        BadInput: BIND-NO-PARTS, BIND-PROFILE, a part that is missing, changed or unreadable, a character that
            no font has, BIND-NOT-PDFA with one finding a broken rule.
        MissingTool: BIND-FONTS.
        Undecided: BIND-NOT-CHECKED, when no verdict on PDF/A could be had.
    """
    if not parts:
        raise BadInput("BIND-NO-PARTS", subject=case.case_no)
    profile = catalogue.load().profiles.get(context.config.binding.profile)
    if profile is None:
        raise BadInput("BIND-PROFILE", subject=context.config.binding.profile)
    arranged = arrange(parts, profile)
    work = context.workspace.case(case.case_no).work
    code = archival_code(case, context)
    inputs = _inputs(case, arranged, code, context)
    folder = work / "bound" / hashlib.sha256(inputs).hexdigest()[:32]
    kept = _kept(folder, arranged)
    if kept is not None:
        return kept

    at = context.now()
    context.progress.start("bind", sum(map(len, arranged.volumes.values())) + 3 * len(arranged.volumes))
    with (
        scratch_folder(folder.parent) as temporary,
        # Digests and system pages are made by code that leaves Python free to work on the parts meanwhile.
        ThreadPoolExecutor(2) as pool,
    ):
        bindings = [
            _Binding(case, volume, arranged, code, at, inputs, context) for volume in arranged.volumes
        ]
        fronts = [pool.submit(one.front) for one in bindings]
        preparation = Preparation([p for o in arranged.volumes.values() for p in o], work / "prepared", pool)
        found = preparation.ready()
        digits = context.keep("page number digits", pdf_stamp.digits)
        volumes = []
        for binding, sheets in zip(bindings, fronts, strict=True):
            try:
                volumes.append(binding.write(found, sheets.result(), digits, temporary))
            except BadInput:
                # A part that was changed meanwhile is told as such.
                preparation.confirm()
                raise
        preparation.confirm()
        context.progress.done()
        for one in volumes:
            _accept(one.pdf)
        volumes = [_moved(one, folder) for one in volumes]
    dossier = Dossier(case.case_no, case.title, tuple(volumes), at)
    # Written last: a folder without it was never finished.
    write_whole(folder / "dossier.json", _told(dossier))
    return dossier


@dataclasses.dataclass(frozen=True, slots=True)
class _Front:
    """The system pages of one volume."""

    cover: Sheets
    rows: Sheets
    remark: Sheets


class _Binding:
    """One volume on its way."""

    def __init__(
        self,
        case: Case,
        volume: Volume,
        arranged: Arranged,
        code: str,
        at: dt.datetime,
        inputs: bytes,
        context: Context,
    ) -> None:
        self.case = case
        self.volume = volume
        self.parts = [part for ordered in arranged.volumes.values() for part in ordered]
        self.found: Mapping[str, Ready] = {}
        self.at = at
        self.context = context
        self.code = volume_code(code, volume, context)
        self.identifier = hashlib.sha256(inputs + at.isoformat().encode() + volume.encode()).digest()[:16]
        self.account = front.Account(
            volume,
            self.code,
            paginate(arranged.volumes[volume]),
            {
                other: (len(ordered), sum(part.pages for part in ordered))
                for other, ordered in arranged.volumes.items()
                if other is not volume
            },
            frozenset(part.id for part in arranged.unplaced),
        )

    def front(self) -> _Front:
        """Set the system pages."""
        setter = typesetter(self.context)
        return _Front(
            cover=setter.set(
                "cover", front.cover(self.case, self.account, self.parts, self.context.config, self.at)
            ),
            rows=setter.set("catalogue", front.catalogue(self.account, self.at)),
            remark=setter.set("remark", front.remark(self.case, self.account, self.at)),
        )

    def write(
        self, found: Mapping[str, Ready], sheets: _Front, digits: pdf_stamp.Digits, folder: Path
    ) -> BoundVolume:
        """Lay out the file and write it into ``folder``."""
        self.found = found
        cover, rows, remark = sheets.cover, sheets.rows, sheets.remark
        placements = paginate([one.part for one in self.account.placements], cover.count + rows.count)
        behind = cover.count + rows.count + placements[-1].pages.last
        target = folder / f"{self.volume.value}.pdf"
        digest = pdf.write(
            pdf.Volume(
                pieces=self._pieces(folder, cover, rows, remark, placements),
                headings=[self._headings(placements, cover.count, behind)],
                links=[
                    pdf.Link(cover.count + mark.sheet, mark.box, one.first_sheet)
                    for mark, one in zip(rows.marks, placements, strict=True)
                ],
                labels=[
                    pdf.Label(0, _COVER_LABEL, counted=cover.count > 1),
                    pdf.Label(cover.count, _CATALOGUE_LABEL, counted=True),
                    pdf.Label(cover.count + rows.count, "", counted=True),
                    pdf.Label(behind, _REMARK_LABEL, counted=remark.count > 1),
                ],
                frame=self._frame(placements),
                corner=self.context.config.binding.page_number,
                identifier=self.identifier,
            ),
            digits,
            target,
            self.context.progress.step,
        )
        return BoundVolume(
            self.volume,
            target,
            digest,
            behind + remark.count,
            placements,
            self._boxes(cover, remark, behind),
            self.code,
        )

    def _ready(self, part: Part) -> Ready:
        return self.found[part.sha256]

    def _pieces(
        self, folder: Path, cover: Sheets, rows: Sheets, remark: Sheets, placements: Sequence[Placement]
    ) -> list[pdf.Piece]:
        own = []
        for name, sheets in (("cover", cover), ("catalogue", rows), ("remark", remark)):
            path = folder / f"{self.volume.value}-{name}.pdf"
            path.write_bytes(sheets.pdf)
            own.append(pdf.Piece(path, sheets.count))
        items = [
            pdf.Piece(
                self._ready(one.part).path,
                one.part.pages,
                tuple(range(one.pages.first, one.pages.last + 1)),
                slab=self._ready(one.part).slab,
            )
            for one in placements
        ]
        return [*own[:2], *items, own[2]]

    def _headings(self, placements: Sequence[Placement], catalogue_at: int, remark_at: int) -> pdf.Heading:
        items = [
            pdf.Heading(
                f"{one.seq} {one.part.title}（{_pages(one.pages)}）",
                one.first_sheet,
                tuple(_heading(b, one.first_sheet) for b in self._ready(one.part).bookmarks),
            )
            for one in placements
        ]
        return pdf.Heading(
            f"{self.volume.zh} {self.code}",
            0,
            (
                pdf.Heading("封面", 0),
                pdf.Heading("卷内目录", catalogue_at),
                *items,
                pdf.Heading("卷内备考表", remark_at),
            ),
        )

    def _frame(self, placements: Sequence[Placement]) -> Frame:
        return Frame(
            title=f"{self.case.title}（{self.volume.zh}）",
            subject=f"行政执法案卷 {self.code}",
            creator=f"casefile {casefile.__version__}",
            created=self.at,
            properties=(
                ("CaseNumber", self.case.case_no, "Number of the case (案号)"),
                ("ArchivalCode", self.code, "Archival code of the volume (档号), DA/T 13-2022"),
                ("Volume", self.volume.zh, "Main or internal volume (正卷, 副卷)"),
            ),
            attachment=Attachment(
                "contents.xml",
                "卷内目录数据 (contents of the volume as data)",
                contents(self.case, self.volume, self.code, placements, self.at),
            ),
        )

    def _boxes(self, cover: Sheets, remark: Sheets, remark_at: int) -> tuple[SignatureBox, ...]:
        on_remark = {mark.name: mark for mark in remark.marks}
        on_cover = {mark.name: mark for mark in cover.marks}
        return tuple(
            SignatureBox(role.zh, role, start + marks[role.value].sheet, marks[role.value].box)
            for role, marks, start in (
                (Role.COMPILER, on_remark, remark_at),
                (Role.CHECKER, on_remark, remark_at),
                (Role.BUREAU, on_cover, 0),
            )
        )


def _heading(bookmark: Bookmark, first_sheet: int) -> pdf.Heading:
    return pdf.Heading(
        bookmark.title or "·",
        first_sheet + bookmark.page,
        tuple(_heading(child, first_sheet) for child in bookmark.children),
    )


def _pages(pages: PageRange) -> str:
    return f"第{pages.first}页" if pages.first == pages.last else f"第{pages.first}-{pages.last}页"


def _accept(path: Path) -> None:
    """The gate: nothing leaves that isn't PDF/A-3b."""
    verdict = verapdf.check(path, "3b")
    if verdict.compliant is None:
        raise Undecided("BIND-NOT-CHECKED", subject=path.name, reason=verdict.reason)
    if not verdict.compliant:
        findings = [
            Finding("BIND-NOT-PDFA", subject=path.name, params={"rule": failure})
            for failure in verdict.failures
        ]
        raise BadInput(
            "BIND-NOT-PDFA", subject=path.name, findings=findings, rule="; ".join(verdict.failures[:3])
        )


def _inputs(case: Case, arranged: Arranged, code: str, context: Context) -> bytes:
    """Everything that the bound bytes depend on but the clock: bound again, a volume keeps its date."""
    system = resources.root("templates") / "system"
    told = {
        "program": casefile.__version__,
        "case": [
            case.case_no,
            case.title,
            case.party,
            case.secrecy,
            case.digest,
            repr(sorted(case.facts.items())),
        ],
        "code": code,
        "config": context.config.model_dump(mode="json", include={"bureau", "fonts", "binding"}),
        "pages": {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(system.glob("*.typ"))
        },
        "parts": [
            [volume.value, [_part(part) for part in ordered]] for volume, ordered in arranged.volumes.items()
        ],
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True).encode()


def _part(part: Part) -> list[str]:
    return [
        repr(getattr(part, field.name))
        for field in dataclasses.fields(part)
        if field.name not in ("pdf", "original")
    ]


def _told(dossier: Dossier) -> bytes:
    told: dict[str, Any] = {
        "bound_at": dossier.bound_at.isoformat(),
        "volumes": [
            {
                "volume": one.volume.value,
                "sha256": one.sha256,
                "sheets": one.sheets,
                "front": one.placements[0].first_sheet,
                "archival_code": one.archival_code,
                "boxes": [[box.name, box.role.value, box.sheet, box.box] for box in one.boxes],
            }
            for one in dossier.volumes
        ],
        "case_no": dossier.case_no,
        "title": dossier.title,
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _kept(folder: Path, arranged: Arranged) -> Dossier | None:
    """What was bound from the same inputs, unless it isn't whole any more."""
    try:
        told = json.loads((folder / "dossier.json").read_bytes())
        volumes = []
        for one in told["volumes"]:
            volume = next(v for v in Volume if v.value == one["volume"])
            path = folder / f"{volume.value}.pdf"
            if _sha256(path) != one["sha256"]:
                return None
            placements = paginate(arranged.volumes[volume], one["front"])
            boxes = tuple(
                SignatureBox(name, _role(role), sheet, tuple(box)) for name, role, sheet, box in one["boxes"]
            )
            volumes.append(
                BoundVolume(
                    volume, path, one["sha256"], one["sheets"], placements, boxes, one["archival_code"]
                )
            )
        return Dossier(
            told["case_no"], told["title"], tuple(volumes), dt.datetime.fromisoformat(told["bound_at"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _role(value: str) -> Role:
    return next(role for role in Role if role.value == value)


def _moved(volume: BoundVolume, folder: Path) -> BoundVolume:
    target = folder / volume.pdf.name
    move_whole(volume.pdf, target)
    return dataclasses.replace(volume, pdf=target)


def _sha256(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
