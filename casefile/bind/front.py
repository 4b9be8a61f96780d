"""What stands on cover, catalogue and remark sheet: pure, no files."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import segno

from casefile.config import Config
from casefile.model.case import Case
from casefile.model.document import Part
from casefile.model.dossier import Placement, book_zh
from casefile.model.terms import Route, Secrecy, Volume

_DECISIONS = (
    "penalty_decision", "no_penalty_decision", "on_spot_penalty_decision", "license_grant_decision",
    "license_denial_decision", "license_change_decision", "license_renewal_decision",
    "license_revocation_decision", "expropriation_decision",
)  # fmt: skip
_LONGEST_RESULT = 110
"""Characters of 处理结果 that the cover holds; beyond, it points to the decision."""

_COLUMN = 12
"""Characters of a remark that the catalogue's narrow column holds; longer ones stand on the remark sheet."""
_NOTES, _NOTE = 20, 160
"""Remarks that the remark sheet repeats, and characters of one; all of them stand in contents.xml."""
_ADDED = 10
"""Items added that the remark sheet names one by one."""
_BY_TITLE, _RUNS, _TITLE = 3, 8, 40
"""How much of a list of items the remark sheet says: items by title, runs of numbers, characters a title."""

_HOW = {
    Route.REPAIRED: "原文件不合电子档案格式，已修复，版面未变",
    Route.GHOSTSCRIPT: "原文件不合电子档案格式，已重写为PDF/A，版面经比对",
    Route.RASTER: "原文件无法转为文字版式，已逐页转为图像",
}


@dataclass(frozen=True, slots=True)
class Totals:
    """What a whole volume holds: items, numbered pages, books."""

    items: int
    pages: int
    books: int


@dataclass(frozen=True, slots=True)
class Added:
    """An addition to an archived volume (补充归卷): one of the books that it takes, ``number`` from 1.

    ``items`` are all that were added to this volume, ``archived`` name and SHA-256 of each book before, and
    ``version`` the archived one.
    """

    number: int
    reason: str
    version: str
    items: Sequence[Placement]
    archived: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Account:
    """One book of a volume as its front matter tells of it. Parts are named by their ids."""

    volume: Volume
    code: str
    placements: Sequence[Placement]
    book: int
    books: int
    whole: Totals
    """Of all books of this volume."""
    others: Mapping[Volume, Totals]
    """Of the other volumes."""
    unplaced: frozenset[str]
    moved: frozenset[str]
    """Those that the profile keeps in another volume than usual."""
    oversize: frozenset[str]
    """Those that alone are more than one book should hold."""
    divider: str
    """The first internal piece where these stand behind a divider; empty when there is none."""
    double_sided: bool
    added: Added | None = None

    @property
    def pages(self) -> int:
        """How many pages bear a number."""
        return self.last - self.first + 1

    @property
    def first(self) -> int:
        """The first page number."""
        return self.placements[0].pages.first

    @property
    def last(self) -> int:
        """The last page number."""
        return self.placements[-1].pages.last

    @property
    def zh(self) -> str:
        """What it is called."""
        zh = book_zh(self.volume, self.book, self.books)
        return f"{zh}（补充第{self.added.number}册）" if self.added else zh


def cover(
    case: Case, account: Account, parts: Sequence[Part], config: Config, at: dt.datetime
) -> dict[str, Any]:
    """Data of the cover (封面)."""
    decisions = [part for part in parts if part.type_id in _DECISIONS]
    return {
        "date": _triple(at),
        "title": case.title,
        "secrecy": _secrecy(case),
        "volume": account.volume.zh,
        "bureau": config.bureau.name,
        "party": case.party,
        "cause": _text(case, "cause"),
        "case_no": case.case_no,
        "decision_no": "、".join(part.doc_no for part in decisions if part.doc_no)
        or _text(case, "decision_no"),
        "unit": _text(case, "unit") or config.bureau.name,
        "officers": _names(case.facts.get("officers")),
        "filed": _fact_date(case, "filed_at", parts, "filing_approval"),
        "closed": _fact_date(case, "closed_at", parts, "case_closing_approval"),
        "result": _result(case, decisions),
        "items": _of_whole(len(account.placements), account.whole.items, "件", account),
        "pages": _of_whole(account.pages, account.whole.pages, "页", account),
        "bound": _long(at.date()),
        "retention": config.binding.retention,
        "archival_code": account.code,
        "part": _part(account),
        "qr": _qr(f"{account.code} {case.case_no}"),
    }


def catalogue(account: Account, at: dt.datetime) -> dict[str, Any]:
    """Data of the catalogue (卷内目录). The page column shows the first page, for the last item both ends."""
    return {
        "date": _triple(at),
        "archival_code": account.code,
        "volume": account.zh,
        "rows": [
            {
                "seq": str(one.seq),
                "doc_no": one.part.doc_no,
                "author": one.part.author,
                "title": one.part.title,
                "date": one.part.date.strftime("%Y%m%d") if one.part.date else "",
                "page": _shown(one, last=one is account.placements[-1]),
                "note": one.part.note if _fits(one.part.note) else "见备考表",
            }
            for one in account.placements
        ],
    }  # fmt: skip


def remark(case: Case, account: Account, at: dt.datetime) -> dict[str, Any]:
    """Data of the remark sheet (备考表)."""
    return {
        "date": _triple(at),
        "archival_code": account.code,
        "volume": account.zh,
        "bound": _long(at.date()),
        "ledger": "归档时记入，凭证见归档包",
        "lines": list(_lines(case, account, at)),
    }


def divider(account: Account, at: dt.datetime) -> dict[str, Any]:
    """Data of the divider in front of the internal pieces (隔页)."""
    first = next(one.seq for one in account.placements if one.part.id == account.divider)
    last = account.whole.items
    return {
        "date": _triple(at),
        "archival_code": account.code,
        "items": f"第{first}件" if first == last else f"第{first}件至第{last}件",
    }


def _part(account: Account) -> str:
    which = f"第{account.book}册 共{account.books}册"
    return f"补充第{account.added.number}册（{which}）" if account.added else which


def _of_whole(own: int, whole: int, unit: str, account: Account) -> str:
    return f"{own}{unit}" if account.books == 1 else f"{own}{unit}（全卷{whole}{unit}）"


def _shown(one: Placement, *, last: bool) -> str:
    several = last and one.pages.last > one.pages.first
    return f"{one.pages.first}-{one.pages.last}" if several else str(one.pages.first)


def _lines(case: Case, account: Account, at: dt.datetime) -> Iterable[str]:
    if account.added is not None:
        yield from _addition(account, account.added, at)
    yield from _counted(account)
    for volume, other in account.others.items():
        yield f"本案另有{volume.zh}{other.books}册，共{other.items}件{other.pages}页。"
    for route, sentence in _HOW.items():
        met = [one for one in account.placements if one.part.route is route]
        if met:
            yield f"{_items(met)}：{sentence}；原件随归档包保存。"
    recordings = [one for one in account.placements if _is_recording(one.part)]
    if recordings:
        yield (
            f"{_items(recordings)}：音像记录，不能装订成页，以说明页入卷，原件另存归档包，页面载明其校验值。"
        )
    stood_for = [
        one
        for one in account.placements
        if one.part.route is Route.PLACEHOLDER and not _is_recording(one.part)
    ]
    if stood_for:
        yield (
            f"{_items(stood_for)}：不能装订成页（无法打开或不宜转换的文件），"
            "以占位页代替，原件另存归档包，占位页载明其校验值。"
        )
    withheld = [one for one in account.placements if one.part.route is Route.REFUSED]
    if withheld:
        yield f"{_items(withheld)}：依法不得存入本系统，另卷保存，原件不在归档包内，以占位页代替。"
    yield from _remarks(account)
    if _secrecy(case):
        yield f"本案列为{_secrecy(case)}；涉密材料不进入本卷，另行保管。"
    for ids, sentence in (
        (account.moved, f"按本局采用的排列顺序归入{account.volume.zh}。"),
        (account.unplaced, "排列顺序表未列其文种，列于卷末。"),
        (account.oversize, "单件已超过一册的限量，不拆开，自成一册。"),
    ):
        met = [one for one in account.placements if one.part.id in ids]
        if met:
            yield f"{_items(met)}：{sentence}"
    if any(one.part.id == account.divider for one in account.placements):
        first = next(one.seq for one in account.placements if one.part.id == account.divider)
        yield f"本卷不分正卷、副卷，第{first}件起为内部材料，前加“内部”隔页，隔页不编页号。"
    yield "各件及其原件的校验值（SHA-256）见本文件所附 contents.xml。"


def _addition(account: Account, added: Added, at: dt.datetime) -> Iterable[str]:
    """When, what, why, and on what it was added (补充归卷)."""
    told = "、".join(_where(one) for one in added.items[:_ADDED])
    if len(added.items) > _ADDED:
        told += f"等{len(added.items)}件，至{_pages(added.items[-1])}，全部见各补充册卷内目录"
    yield f"补充归卷：{_long(at.date())}增加{told}。原因：{added.reason.rstrip('。')}。"
    if added.archived:
        yield (
            f"已归档的{account.volume.zh}（{added.version}）未作任何改动，顺序号、页号照旧，"
            "本次增加的各件接续编号。原卷文件的校验值（SHA-256）："
        )
        yield from (f"{zh}：{digest}" for zh, digest in added.archived)


def _where(one: Placement) -> str:
    return f"第{one.seq}件“{_short(one.part.title)}”（{_pages(one)}）"


def _pages(one: Placement) -> str:
    first, last = one.pages.first, one.pages.last
    return f"第{first}页" if first == last else f"第{first}-{last}页"


def _remarks(account: Account) -> Iterable[str]:
    """Remarks that are too long for the catalogue; what is said of several items is said once."""
    told: dict[str, list[Placement]] = {}
    for one in account.placements:
        if not _fits(one.part.note):
            told.setdefault(one.part.note, []).append(one)
    for note, met in list(told.items())[:_NOTES]:
        yield f"{_items(met)}：{_short(note, _NOTE).rstrip('。')}。"
    rest = [one for note in list(told)[_NOTES:] for one in told[note]]
    if rest:
        yield f"另有{len(rest)}件的附注见所附 contents.xml。"


def _fits(note: str) -> bool:
    return len(note) <= _COLUMN


def _is_recording(part: Part) -> bool:
    return part.original_format.startswith(("audio/", "video/"))


def _counted(account: Account) -> Iterable[str]:
    items, pages = len(account.placements), account.pages
    blank = sum(len(one.blank) for one in account.placements)
    not_counted = "封面、卷内目录、备考表不编页号，不计入页数。"
    if blank:
        not_counted = f"另有空白面{blank}页，照原样装订，不编页号。" + not_counted
    if account.double_sided:
        not_counted += "本卷供双面印制，每件从正面起，因此加入的空白背面不编页号。"
    if account.books == 1:
        yield f"本卷共{items}件{pages}页，页号从1至{pages}连续编写，无重号、漏号。{not_counted}"
        return
    yield (
        f"本卷分{account.books}册，共{account.whole.items}件{account.whole.pages}页，顺序号、页号各册连续。"
        f"本册为第{account.book}册，收第{account.placements[0].seq}至{account.placements[-1].seq}件，"
        f"共{items}件{pages}页，页号从{account.first}至{account.last}，无重号、漏号。{not_counted}"
    )


def _secrecy(case: Case) -> str:
    if case.secrecy == Secrecy.NONE.value:
        return ""
    return next((level.zh for level in Secrecy if level.value == case.secrecy), case.secrecy)


def _items(placements: Sequence[Placement]) -> str:
    """Which items are meant: a few by their titles, more by their numbers, very many by how many."""
    if len(placements) <= _BY_TITLE:
        return "、".join(f"第{one.seq}件“{_short(one.part.title)}”" for one in placements)
    runs: list[list[int]] = []
    for one in placements:
        if runs and runs[-1][-1] == one.seq - 1:
            runs[-1].append(one.seq)
        else:
            runs.append([one.seq])
    told = [f"{run[0]}" if len(run) == 1 else f"{run[0]}至{run[-1]}" for run in runs]
    if len(told) > _RUNS:
        return f"第{'、'.join(told[:_RUNS])}件等{len(placements)}件（全部见所附 contents.xml）"
    return f"第{'、'.join(told)}件（共{len(placements)}件）"


def _short(text: str, most: int = _TITLE) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _text(case: Case, name: str) -> str:
    value = case.facts.get(name)
    return "" if value is None else str(value)


def _names(people: Any) -> str:
    if not isinstance(people, list | tuple):
        return ""
    return "、".join(str(one.get("name", "")) if isinstance(one, Mapping) else str(one) for one in people)


def _fact_date(case: Case, name: str, parts: Sequence[Part], type_id: str) -> str:
    known = case.facts.get(name)
    if isinstance(known, dt.date):
        return _long(known)
    dates = [part.date for part in parts if part.type_id == type_id and part.date]
    return _long(min(dates)) if dates else ""


def _result(case: Case, decisions: Sequence[Part]) -> str:
    rows = [
        row
        for document in (
            *case.documents_of("penalty_decision"),
            *case.documents_of("on_spot_penalty_decision"),
        )
        for row in document.values.get("penalties") or ()
        if isinstance(row, Mapping)
    ]
    told = "；".join(_penalty(row) for row in rows)
    if not told and case.documents_of("no_penalty_decision"):
        told = "不予行政处罚"
    if len(told) > _LONGEST_RESULT:
        told = "见" + "、".join(f"《{part.title}》{part.doc_no}" for part in decisions)
    return f"{told}。" if told else ""


def _penalty(row: Mapping[str, Any]) -> str:
    amount = row.get("amount")
    sum_told = f"，{amount:,.2f}元" if isinstance(amount, Decimal) else ""
    return str(row.get("content", "")).strip("。；; ") + sum_told


def _qr(text: str) -> str:
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgclass=None, lineclass=None, border=1
    )
    return out.getvalue().decode()


def _triple(at: dt.datetime) -> list[int]:
    return [at.year, at.month, at.day]


def _long(day: dt.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
