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
from casefile.bind import books, front, layout, prepared
from casefile.bind.contents import contents
from casefile.bind.layout import Book, Layout
from casefile.bind.number import archival_code, volume_code
from casefile.bind.order import Arranged, approvals_of, arrange
from casefile.bind.paginate import Leaves
from casefile.bind.prepared import Preparation, Ready
from casefile.context import Context, move_whole, scratch_folder, write_whole
from casefile.errors import BadInput, Undecided
from casefile.formats.pdf import pdf_stamp
from casefile.formats.pdf import pdf_volume as pdf
from casefile.formats.pdf.pdf_frame import Attachment, Frame
from casefile.formats.pdf.pdf_prepare import Bookmark
from casefile.formats.typst import Sheets, typesetter
from casefile.model.case import Case
from casefile.model.document import Part
from casefile.model.dossier import (
    BoundVolume,
    Dossier,
    Filed,
    PageRange,
    Placement,
    SignatureBox,
    SignedVolume,
    Supplement,
)
from casefile.model.finding import Finding
from casefile.model.terms import Role, Volume
from casefile.tools import verapdf

_EDITION = 2
"""Of the way in which a volume is laid out: what was bound in another one is bound anew."""


@dataclasses.dataclass(frozen=True, slots=True)
class Onto:
    """What is archived of the case, and why something is added to it (补充归卷)."""

    filed: Filed
    reason: str

    def supplement(self, volumes: Sequence[BoundVolume], at: dt.datetime) -> Supplement:
        """What the new version says of the books that were added."""
        grown = {one.volume for one in volumes}
        return Supplement(
            self.filed.next_version,
            at.date(),
            self.reason,
            tuple(one.part.id for volume in volumes for one in volume.placements),
            tuple(
                (f"volumes/{one.bound.name}.pdf", one.sha256)
                for one in self.filed.volumes
                if one.bound.volume in grown
            ),
        )


def bind(case: Case, parts: Sequence[Part], context: Context, onto: Onto | None = None) -> Dossier:
    """Bind ``parts`` into ``work/bound/<digest of the inputs>/``; what was bound before is handed back.

    ``onto`` is what is archived already: then ``parts`` are those to be added, and they are bound into books
    of their own behind it, in which sequence and page numbers run on. No archived file is touched.

    Raises:
        BadInput: BIND-NO-PARTS, BIND-PROFILE, a part that is missing, changed or unreadable, a character that
            no font has, BIND-NOT-PDFA with one finding a broken rule.
        MissingTool: BIND-FONTS.
        Undecided: BIND-NOT-CHECKED, when no verdict on PDF/A could be had.
    """
    if not parts:
        raise BadInput("BIND-NO-PARTS", subject=case.case_no)
    known = catalogue.load()
    profile = known.profiles.get(context.config.binding.profile)
    if profile is None:
        raise BadInput("BIND-PROFILE", subject=context.config.binding.profile)
    approvals = approvals_of((kind.id, kind.approves) for kind in known.types.values())
    arranged = arrange(parts, profile, approvals)
    shelf = _books(arranged, context, onto)
    work = context.workspace.case(case.case_no).work
    code = archival_code(case, context)
    inputs = _inputs(case, arranged, code, context, onto)
    folder = work / "bound" / hashlib.sha256(inputs).hexdigest()[:32]
    kept = _kept(folder, shelf)
    if kept is not None:
        return _behind(kept, onto)

    at = context.now()
    context.progress.start("bind", sum(len(book.parts) + 3 for book in shelf))
    with (
        scratch_folder(folder.parent) as temporary,
        # Digests and system pages are made by code that leaves Python free to work on the parts meanwhile.
        ThreadPoolExecutor(2) as pool,
    ):
        bindings = [_Binding(case, book, shelf, arranged, code, at, inputs, context, onto) for book in shelf]
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
    return _behind(dossier, onto)


def _behind(dossier: Dossier, onto: Onto | None) -> Dossier:
    """The added books with those that are archived."""
    if onto is None:
        return dossier
    added = onto.supplement(dossier.volumes, dossier.bound_at)
    return dataclasses.replace(dossier, kept=onto.filed.volumes, supplements=(*onto.filed.supplements, added))


def _archived(volume: Volume, onto: Onto | None) -> list[SignedVolume]:
    """The archived books of a volume, in order."""
    found = [one for one in onto.filed.volumes if one.bound.volume is volume] if onto else []
    return sorted(found, key=lambda one: one.bound.book)


def _books(arranged: Arranged, context: Context, onto: Onto | None) -> tuple[Book, ...]:
    """All books of all volumes that are to be bound, in order."""
    settings = context.config.binding
    limits = _limits(context)
    leaves = Leaves(settings.double_sided, arranged.divider)
    shelf: list[Book] = []
    for volume, parts in arranged.volumes.items():
        divided = books.divide(parts, arranged.behind, limits, _size)
        archived = _archived(volume, onto)
        after = archived[-1].bound.placements[-1] if archived else None
        total = len(archived) + len(divided)
        for number, own in enumerate(divided, len(archived) + 1):
            book = Book(volume, number, total, own, after, leaves)
            after = book.placements()[-1]
            shelf.append(book)
    return tuple(shelf)


def _limits(context: Context) -> books.Limits:
    settings = context.config.binding
    return books.Limits(settings.pages_per_book, settings.bytes_per_book)


def _size(part: Part) -> int:
    try:
        return part.pdf.stat().st_size
    except OSError:
        return 0  # told when it is opened


def lay_out(case_no: str, parts: Sequence[Part], context: Context) -> None:
    """Lay new parts out to be bound, so that binding them later is quick."""
    prepared.lay_out(parts, context.workspace.case(case_no).work / "prepared")


@dataclasses.dataclass(frozen=True, slots=True)
class _Front:
    """The system pages of one book. ``between`` are empty and dividing ones, by label."""

    cover: Sheets
    rows: Sheets
    remark: Sheets
    between: Mapping[str, Sheets]
    layout: Layout


class _Binding:
    """One book on its way."""

    def __init__(
        self,
        case: Case,
        book: Book,
        shelf: Sequence[Book],
        arranged: Arranged,
        code: str,
        at: dt.datetime,
        inputs: bytes,
        context: Context,
        onto: Onto | None = None,
    ) -> None:
        self.case = case
        self.book = book
        bound = [part for ordered in arranged.volumes.values() for part in ordered]
        self.parts = [*(onto.filed.parts if onto else ()), *bound]
        self.found: Mapping[str, Ready] = {}
        self.at = at
        self.context = context
        self.code = volume_code(code, book.volume, context)
        self.identifier = hashlib.sha256(inputs + at.isoformat().encode() + book.name.encode()).digest()[:16]
        limits = _limits(context)
        self.account = front.Account(
            book.volume,
            self.code,
            book.placements(),
            book.number,
            book.of,
            _totals(book.volume, shelf, onto),
            {
                other: _totals(other, shelf, onto)
                for other in Volume
                if other is not book.volume and (other in arranged.volumes or _archived(other, onto))
            },
            frozenset(part.id for part in arranged.unplaced),
            frozenset(part.id for part in arranged.moved),
            frozenset(part.id for part in book.parts if books.oversize(part, limits, _size(part))),
            arranged.divider,
            book.leaves.double_sided,
            _added(book, shelf, onto),
        )
        self.zh = self.account.zh

    def front(self) -> _Front:
        """Set the system pages."""
        setter = typesetter(self.context)
        cover = setter.set(
            "cover", front.cover(self.case, self.account, self.parts, self.context.config, self.at)
        )
        rows = setter.set("catalogue", front.catalogue(self.account, self.at))
        remark = setter.set("remark", front.remark(self.case, self.account, self.at))
        laid = Layout.of(self.book, cover.count, rows.count, remark.count)
        between = {}
        if laid.has_empty_sheets():
            between[layout.EMPTY] = setter.set("empty", {})
        if laid.divider_at is not None:
            between[layout.DIVIDER] = setter.set("divider", front.divider(self.account, self.at))
        return _Front(cover, rows, remark, between, laid)

    def write(
        self, found: Mapping[str, Ready], sheets: _Front, digits: pdf_stamp.Digits, folder: Path
    ) -> BoundVolume:
        """Lay out the file and write it into ``folder``."""
        self.found = found
        laid = sheets.layout
        placements = laid.placements
        target = folder / f"{self.book.name}.pdf"
        # The empty sheets between items are no steps of their own.
        promised = iter(range(len(placements) + 3))
        digest = pdf.write(
            pdf.Volume(
                pieces=self._pieces(folder, sheets),
                headings=[self._headings(laid)],
                links=[
                    pdf.Link(laid.catalogue_at + mark.sheet, mark.box, one.first_sheet)
                    for mark, one in zip(sheets.rows.marks, placements, strict=True)
                ],
                labels=laid.labels(),
                frame=self._frame(placements),
                corner=self.context.config.binding.page_number,
                identifier=self.identifier,
            ),
            digits,
            target,
            lambda: self.context.progress.step() if next(promised, None) is not None else None,
        )
        return BoundVolume(
            self.book.volume,
            target,
            digest,
            laid.sheets,
            placements,
            self._boxes(sheets.cover, sheets.remark, laid.remark_at),
            self.code,
            self.book.number,
            self.book.of,
        )

    def _ready(self, part: Part) -> Ready:
        return self.found[part.sha256]

    def _pieces(self, folder: Path, sheets: _Front) -> list[pdf.Piece]:
        own = {}
        for number, (label, made) in enumerate(
            {
                layout.COVER: sheets.cover,
                layout.CATALOGUE: sheets.rows,
                layout.REMARK: sheets.remark,
                **sheets.between,
            }.items()
        ):
            own[label] = folder / f"{self.book.name}-own-{number}.pdf"
            own[label].write_bytes(made.pdf)
        corner = self.context.config.binding.page_number
        items = [
            pdf.Piece(
                self._ready(one.part).path,
                one.part.pages,
                one.numbers,
                sheets.layout.corners(one, corner),
                self._ready(one.part).slab,
            )
            for one in sheets.layout.placements
        ]
        return sheets.layout.pieces(own, items)

    def _headings(self, laid: Layout) -> pdf.Heading:
        headings = [pdf.Heading("封面", 0), pdf.Heading("卷内目录", laid.catalogue_at)]
        for one in laid.placements:
            if one.part.id == laid.leaves.divider and laid.divider_at is not None:
                headings.append(pdf.Heading("内部材料", laid.divider_at))
            inner = tuple(_heading(b, one.first_sheet) for b in self._ready(one.part).bookmarks)
            headings.append(
                pdf.Heading(f"{one.seq} {one.part.title}（{_pages(one.pages)}）", one.first_sheet, inner)
            )
        headings.append(pdf.Heading("卷内备考表", laid.remark_at))
        return pdf.Heading(f"{self.zh} {self.code}", 0, tuple(headings))

    def _frame(self, placements: Sequence[Placement]) -> Frame:
        return Frame(
            title=f"{self.case.title}（{self.zh}）",
            subject=f"行政执法案卷 {self.code}",
            creator=f"casefile {casefile.__version__}",
            created=self.at,
            properties=(
                ("CaseNumber", self.case.case_no, "Number of the case (案号)"),
                ("ArchivalCode", self.code, "Archival code of the volume (档号), DA/T 13-2022"),
                ("Volume", self.book.volume.zh, "Main or internal volume (正卷, 副卷)"),
                ("Book", f"{self.book.number}/{self.book.of}", "Book of the volume and how many (册)"),
            ),
            attachment=Attachment(
                "contents.xml",
                "卷内目录数据 (contents of the volume as data)",
                contents(self.case, self.book, self.code, placements, self.at),
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


def _totals(volume: Volume, shelf: Sequence[Book], onto: Onto | None) -> front.Totals:
    """What a volume holds, archived and new."""
    archived = _archived(volume, onto)
    new = [one for one in shelf if one.volume is volume]
    last = new[-1].placements()[-1] if new else archived[-1].bound.placements[-1]
    return front.Totals(last.seq, last.pages.last, len(archived) + len(new))


def _added(book: Book, shelf: Sequence[Book], onto: Onto | None) -> front.Added | None:
    if onto is None:
        return None
    archived = _archived(book.volume, onto)
    items = [one for other in shelf if other.volume is book.volume for one in other.placements()]
    return front.Added(
        # The first books of a volume say how many there were when it was first bound.
        book.number - (archived[0].bound.books if archived else 0),
        onto.reason,
        onto.filed.version,
        items,
        [(one.bound.zh, one.sha256) for one in archived],
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


def _inputs(case: Case, arranged: Arranged, code: str, context: Context, onto: Onto | None) -> bytes:
    """Everything that the bound bytes depend on but the clock: bound again, a volume keeps its date."""
    system = resources.root("templates") / "system"
    told = {
        "program": casefile.__version__,
        "edition": _EDITION,
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
        "together": [sorted(arranged.behind), arranged.divider],
        "told": [[part.id for part in parts] for parts in (arranged.unplaced, arranged.moved)],
    }
    if onto is not None:
        told["onto"] = [onto.filed.manifest_sha256, onto.reason]
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
                "book": one.book,
                "sha256": one.sha256,
                "sheets": one.sheets,
                "front": one.placements[0].first_sheet - one.placements[0].before,
                "archival_code": one.archival_code,
                "boxes": [[box.name, box.role.value, box.sheet, box.box] for box in one.boxes],
            }
            for one in dossier.volumes
        ],
        "case_no": dossier.case_no,
        "title": dossier.title,
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _kept(folder: Path, shelf: Sequence[Book]) -> Dossier | None:
    """What was bound from the same inputs, unless it isn't whole any more."""
    try:
        told = json.loads((folder / "dossier.json").read_bytes())
        volumes = []
        for one, book in zip(told["volumes"], shelf, strict=True):
            path = folder / f"{book.name}.pdf"
            if [one["volume"], one["book"]] != [book.volume, book.number] or _sha256(path) != one["sha256"]:
                return None
            boxes = tuple(
                SignatureBox(name, _role(role), sheet, tuple(box)) for name, role, sheet, box in one["boxes"]
            )
            volumes.append(
                BoundVolume(
                    book.volume,
                    path,
                    one["sha256"],
                    one["sheets"],
                    book.placements(one["front"]),
                    boxes,
                    one["archival_code"],
                    book.number,
                    book.of,
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
