"""The copy of an archived dossier for a court (法院用副本): plain PDF/A-2b files under a size limit.

Courts take neither embedded files nor more than so many megabytes at once. A copy is cut between items where
that is possible, every file says on its first page what it holds, and the numbers on the pages stay those of
the archived volume, so that a citation is true in the copy and in the original.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casefile.context import Context, write_whole
from casefile.errors import BadInput, Conflict, Undecided
from casefile.formats.office import sheet
from casefile.formats.pdf import pdf_copy
from casefile.formats.pdf.pdf_copy import Copy, Leaf
from casefile.formats.typst import Sheets, typesetter
from casefile.model.dossier import Filed, PageRange, SignedVolume
from casefile.model.terms import Volume
from casefile.package.filed import filed
from casefile.tools import verapdf

FLAVOUR = "2b"
_OVERHEAD = 200_000
"""Bytes that a file takes besides its pages: note, fonts of the note, metadata."""
_A_PAGE = 1_500
_TIGHTER = 0.9


@dataclass(frozen=True, slots=True)
class Unit:
    """What should stay together: an item, or the front or the end of a volume. ``sheets`` count from 0."""

    seq: str
    title: str
    pages: PageRange | None
    sheets: range


@dataclass(frozen=True, slots=True)
class Piece:
    """A unit, or as much of it as goes into one file."""

    unit: Unit
    sheets: range
    pages: PageRange | None

    @classmethod
    def of(cls, unit: Unit, sheets: range, leaves: Sequence[Leaf]) -> Piece:
        """Some sheets of a unit, with the numbers that are stamped on them."""
        numbers = [int(leaves[at].label) for at in sheets if leaves[at].label.isdecimal()]
        counted = unit.pages is not None and numbers
        return cls(unit, sheets, PageRange(numbers[0], numbers[-1]) if counted else None)

    @property
    def whole(self) -> bool:
        """Whether all of the unit is here."""
        return self.sheets == self.unit.sheets


@dataclass(frozen=True, slots=True)
class CourtFile:
    """One file that was written; ``over`` when a single page alone is more than the limit."""

    name: str
    size: int
    sha256: str
    over: bool
    volume: str
    pieces: tuple[Piece, ...]
    front: int


def court_copy(
    case_no: str, context: Context, target: Path, *, max_bytes: int, internal: bool = False
) -> tuple[CourtFile, ...]:
    """Write the main volume (正卷) as files for a court into the new folder ``target``, whole or not at all.

    ``internal`` adds the internal volume (副卷). Each file is checked to be PDF/A-2b.

    Raises:
        BadInput: PACKAGE-NOT-ARCHIVED; COURT-NOT-PDFA; COURT-NOTHING, when there is no main volume.
        Conflict: EXPORT-EXISTS; ARCHIVE-DAMAGED and the like.
        Undecided: COURT-NOT-CHECKED.
    """
    there = filed(case_no, context)
    if there is None:
        raise BadInput("PACKAGE-NOT-ARCHIVED", subject=case_no)
    if target.exists():
        raise Conflict("EXPORT-EXISTS", subject=str(target))
    volumes = [one for one in there.volumes if internal or one.bound.volume is Volume.MAIN]
    if not volumes:
        raise BadInput("COURT-NOTHING", subject=case_no)
    beside = target.with_name(f".{target.name}.part")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        made: list[CourtFile] = []
        for volume in volumes:
            made += _volume(volume, there, len(made), max_bytes, beside, context)
        left_out = sorted({one.bound.volume.zh for one in there.volumes if one not in volumes})
        write_whole(beside / "目录.xlsx", _listing(made, volumes))
        write_whole(beside / "说明.txt", _told(there, volumes, left_out, made, max_bytes).encode())
        beside.rename(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return tuple(made)


def units(volume: SignedVolume) -> tuple[Unit, ...]:
    """Front matter, items, remark sheet: every sheet of the volume in exactly one."""
    placements = volume.bound.placements
    found = [Unit("", "封面、卷内目录", None, range(placements[0].first_sheet))]
    end = placements[0].first_sheet
    for one in placements:
        # Dividers and empty backs in front of an item go with it.
        last = one.first_sheet + one.part.pages
        found.append(Unit(str(one.seq), one.part.title, one.pages, range(end, last)))
        end = last
    found.append(Unit("", "卷内备考表", None, range(end, volume.bound.sheets)))
    return tuple(unit for unit in found if unit.sheets)


def plan(whole: Sequence[Unit], leaves: Sequence[Leaf], limit: int) -> tuple[tuple[Piece, ...], ...]:
    """Units by file, in order, none over ``limit`` bytes unless a single page is; cut only where needed."""
    files: list[list[Piece]] = [[]]
    room = _Room(leaves, limit)
    for unit in whole:
        if room.takes(unit.sheets):
            files[-1].append(Piece.of(unit, unit.sheets, leaves))
            continue
        if files[-1]:
            files.append([])
            room = _Room(leaves, limit)
        if room.takes(unit.sheets):
            files[-1].append(Piece.of(unit, unit.sheets, leaves))
            continue
        for sheets in _cut(unit.sheets, leaves, limit):
            files.append([])
            room = _Room(leaves, limit)
            room.takes(sheets, always=True)
            files[-1].append(Piece.of(unit, sheets, leaves))
    return tuple(tuple(pieces) for pieces in files if pieces)


class _Room:
    """What still goes into a file: streams that it holds already cost nothing more."""

    def __init__(self, leaves: Sequence[Leaf], limit: int) -> None:
        self._leaves = leaves
        self._left = limit - _OVERHEAD
        self._held: set[tuple[tuple[int, int], int]] = set()

    def takes(self, sheets: range, *, always: bool = False) -> bool:
        """Put the pages in if they fit."""
        new = frozenset().union(*(self._leaves[at].streams for at in sheets)) - self._held
        cost = sum(size for _, size in new) + _A_PAGE * len(sheets)
        if cost > self._left and not always:
            return False
        self._held |= new
        self._left -= cost
        return True


def _cut(sheets: range, leaves: Sequence[Leaf], limit: int) -> Iterator[range]:
    begin, room = sheets.start, _Room(leaves, limit)
    for at in sheets:
        if not room.takes(range(at, at + 1)):
            if at > begin:
                yield range(begin, at)
            begin, room = at, _Room(leaves, limit)
            room.takes(range(at, at + 1), always=True)
    yield range(begin, sheets.stop)


def _volume(
    volume: SignedVolume, there: Filed, before: int, limit: int, folder: Path, context: Context
) -> list[CourtFile]:
    leaves = pdf_copy.leaves(volume.pdf)
    whole = units(volume)
    budget = limit
    while True:
        planned = plan(whole, leaves, budget)
        made = [
            _file(
                volume, there, pieces, (number, len(planned)), before + number, limit, leaves, folder, context
            )
            for number, pieces in enumerate(planned, 1)
        ]
        # Estimates are of what is in the pages; when a file came out larger, all are planned smaller.
        if not any(one.over and sum(len(p.sheets) for p in one.pieces) > 1 for one in made):
            break
        for one in made:
            (folder / one.name).unlink()
        budget = int(budget * _TIGHTER)
    for one in made:
        _accept(folder / one.name)
    return made


def _file(
    volume: SignedVolume,
    there: Filed,
    pieces: Sequence[Piece],
    which: tuple[int, int],
    number: int,
    limit: int,
    leaves: Sequence[Leaf],
    folder: Path,
    context: Context,
) -> CourtFile:
    labels = [leaves[at].label for piece in pieces for at in piece.sheets]
    numbers = [int(label) for label in labels if label.isdecimal()]
    range_ = f"_p{numbers[0]:04d}-{numbers[-1]:04d}" if numbers else ""
    name = f"{number:02d}_{volume.pdf.stem}{range_}.pdf"
    shown = f"第{which[0]}份，共{which[1]}份"
    data = _note(volume, there, shown, context)
    setter = typesetter(context)
    # How many pages the note has must be known before it can say where anything begins behind it.
    front = setter.set("court", {**data, "rows": _rows(pieces, 1000)}).count
    note = setter.set("court", {**data, "rows": _rows(pieces, front)})
    starts = _starts(pieces, note.count)
    target = folder / name
    pdf_copy.write(
        volume.pdf,
        Copy(
            title=f"{data['title']}（{data['volume']}，{shown}，法院用副本）",
            sheets=[at for piece in pieces for at in piece.sheets],
            labels=labels,
            note=note.pdf,
            rows=_links(note, starts),
            headings=[
                ("说明", 0),
                *(
                    (" ".join(filter(None, (piece.unit.seq, _title(piece)))), start)
                    for piece, start in zip(pieces, starts, strict=True)
                ),
            ],
        ),
        target,
    )
    size = target.stat().st_size
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return CourtFile(name, size, digest, size > limit, volume.bound.volume.zh, tuple(pieces), note.count)


def _note(volume: SignedVolume, there: Filed, shown: str, context: Context) -> dict[str, Any]:
    signers = "、".join(dict.fromkeys(one.signer for one in volume.signatures))
    day = max((one.signed_at for one in volume.signatures), default=None)
    lines = [
        f"本文件是{context.config.bureau.name}归档案卷{volume.bound.volume.zh}（档号{volume.bound.archival_code}，"
        f"归档版本{there.version}）的副本，供提交法院、复议机关使用。各页内容和页号与归档原件相同。",
        "为符合提交要求，副本分成若干份，并去掉了原件内附的目录数据。电子签名不能随页面复制：副本中的签名、印章"
        "只是其图像，不能作为电子签名验证，需要验证的以原件为准。"
        + (f"原件由{signers}于{day.year}年{day.month}月{day.day}日签署。" if day else ""),
        f"签名原件的校验值（SHA-256）：{volume.sha256}。",
        "核对方法：向归档单位调取签名原件（volumes/"
        f"{volume.pdf.name}），用 sha256sum 计算，应与上列校验值一致；再用支持 PAdES 的阅读器验证签名。",
    ]
    return {
        "date": _date(volume),
        "title": there.title,
        "archival_code": volume.bound.archival_code,
        "volume": volume.bound.volume.zh,
        "file": shown,
        "lines": lines,
    }


def _date(volume: SignedVolume) -> tuple[int, int, int]:
    # A date that the archive holds, so that the same volume gives the same copy on any day.
    day = max((one.signed_at.date() for one in volume.signatures), default=None)
    return (day.year, day.month, day.day) if day else (1980, 1, 1)


def _rows(pieces: Sequence[Piece], front: int) -> list[dict[str, str]]:
    return [
        {
            "key": str(place),
            "seq": piece.unit.seq or "—",
            "title": _title(piece),
            "pages": _numbers(piece),
            "sheet": str(start + 1),
        }
        for place, (piece, start) in enumerate(zip(pieces, _starts(pieces, front), strict=True))
    ]


def _title(piece: Piece) -> str:
    if piece.whole:
        return piece.unit.title
    many, first = len(piece.unit.sheets), piece.sheets.start - piece.unit.sheets.start + 1
    last = first + len(piece.sheets) - 1
    return f"{piece.unit.title}（该件{many}页中的第{first}至{last}页，其余在相邻各份）"


def _numbers(piece: Piece) -> str:
    pages = piece.pages
    if pages is None:
        return "不编号"
    return str(pages.first) if pages.first == pages.last else f"{pages.first}-{pages.last}"


def _starts(pieces: Sequence[Piece], front: int) -> list[int]:
    starts = []
    at = front
    for piece in pieces:
        starts.append(at)
        at += len(piece.sheets)
    return starts


def _links(note: Sheets, starts: Sequence[int]) -> list[pdf_copy.Row]:
    marks = {mark.name: mark for mark in note.marks}
    return [
        pdf_copy.Row(marks[f"row-{place}"].sheet, marks[f"row-{place}"].box, start)
        for place, start in enumerate(starts)
    ]


def _accept(path: Path) -> None:
    verdict = verapdf.check(path, FLAVOUR)
    if verdict.compliant is None:
        raise Undecided("COURT-NOT-CHECKED", subject=path.name, reason=verdict.reason)
    if not verdict.compliant:
        raise BadInput("COURT-NOT-PDFA", subject=path.name, rule="; ".join(verdict.failures[:3]))


def _listing(made: Sequence[CourtFile], volumes: Sequence[SignedVolume]) -> bytes:
    heads = ["文件", "大小（MB）", "卷", "顺序号", "题名", "页号", "文件内第几页", "SHA-256", "备注"]
    rows: list[list[Any]] = []
    for one in made:
        for place, (piece, start) in enumerate(zip(one.pieces, _starts(one.pieces, one.front), strict=True)):
            notes = [] if piece.whole else ["一件分在几个文件"]
            notes += ["单页已超过大小限制"] if one.over else []
            rows.append(
                [
                    one.name, f"{one.size / 1_000_000:.2f}", one.volume, piece.unit.seq, _title(piece),
                    _numbers(piece), str(start + 1), one.sha256 if place == 0 else "", "；".join(notes),
                ]
            )  # fmt: skip
    day = max(_date(volume) for volume in volumes)
    return sheet.write([sheet.Table("目录", heads, rows)], dt.datetime(*day))


def _told(
    there: Filed,
    volumes: Sequence[SignedVolume],
    left_out: Sequence[str],
    made: Sequence[CourtFile],
    limit: int,
) -> str:
    said = [
        f"案件 {there.case_no} 案卷副本（供提交法院、复议机关），归档版本 {there.version}",
        "",
        "一、文件",
        *(
            f"  {one.name}  {one.size / 1_000_000:.2f} MB  SHA-256 {one.sha256}"
            + ("  （单页已超过大小限制）" if one.over else "")
            for one in made
        ),
        f"  每份不超过 {limit / 1_000_000:.0f} MB；每份第一页说明其内容；各件与页号见 目录.xlsx。",
        *(f"  不含{name}：{name}是内部材料，确需提交的另行导出。" for name in left_out),
        "",
        "二、签名原件",
        *(f"  volumes/{one.pdf.name}  SHA-256 {one.sha256}" for one in volumes),
        "  副本没有电子签名：签名、印章只是图像。以归档的签名原件为准。",
        "",
        "三、怎样核对",
        "  1. 副本收到后没有改动：sha256sum 文件名，与“一”所列比较。",
        "  2. 副本与原件相同：调取签名原件（或归档包），sha256sum 与“二”所列比较，",
        "     再用支持 PAdES 的阅读器（或 pdfsig）验证签名；同一页号的页面应当一致。",
        "  3. 归档包用其中 README.txt 所列命令核验。",
        "",
    ]
    return "\n".join(said)
