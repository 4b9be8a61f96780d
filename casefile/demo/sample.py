"""The demo's register, settings and case data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

from casefile.context import write_whole
from casefile.demo import evidence
from casefile.demo.pki import Pki
from casefile.formats.office import sheet

COMPLETE = "2026-PG-0001"
INCOMPLETE = "2026-PG-0002"
WITHOUT_FILE = "2026-PG-0003"

_DATA = Path(__file__).parent / "data"
_HEADINGS = (
    "案号",
    "案件名称",
    "程序",
    "当事人",
    "案由",
    "立案日期",
    "结案日期",
    "承办人",
    "承办机构",
    "状态",
    "备注",
)


def settings(pki: Pki, root: Path) -> str:
    """``casefile.toml`` of an invented bureau, with the demo's keys."""
    return f"""\
# 演示设置：本局、人员、地点全部虚构；证书和公章只供演示，不具有法律效力。

[bureau]
name = "示范市自然资源局"
short = "示自然资"
address = "示范市滨江区示范路1号"
contact = "示例庚"
phone = "0000-1234567"
government = "示范市人民政府"
court = "示范市滨江区人民法院"
fonds_no = "J001"

[binding]
profile = "A"
page_number = "top_right"
retention = "永久"

# 演示为了快，不识别扫描件上的文字；改成 "auto" 再运行 casefile gather，每页多用两三秒
[gather]
ocr = "off"

{pki.settings_toml.replace(f"{root}/", "")}"""


def complete_numbers(number: int) -> list[str]:
    """Case numbers of the complete cases: the first, and every one beyond the third."""
    return [COMPLETE, *(f"2026-PG-{n:04d}" for n in range(4, number + 1))]


def write_register(path: Path, number: int) -> None:
    """The bureau's Excel."""
    day = dt.date
    officers = "示例乙、示例丙"
    rows: list[tuple[str | dt.date | None, ...]] = [
        (case_no, "示范市云栖仓储有限公司未经批准占用土地建设仓库案", "普通程序", "示范市云栖仓储有限公司",
         "未经批准非法占用土地", day(2026, 3, 5), day(2026, 6, 30), officers, "执法科", "已结案", "")
        for case_no in complete_numbers(number)
    ]  # fmt: skip
    rows[1:1] = [
        (INCOMPLETE, "示例巳非法占用土地堆放砂石案", "普通程序", "示例巳",
         "未经批准非法占用土地", day(2026, 5, 11), None, officers, "执法科", "办理中", ""),
        (WITHOUT_FILE, "示例午擅自改变土地用途案", "普通程序", "示例午",
         "擅自改变土地用途", day(2026, 7, 6), None, officers, "执法科", "办理中", ""),
    ]  # fmt: skip
    table = sheet.Table("台账", _HEADINGS, rows)
    write_whole(path, sheet.write([table], dt.datetime(2026, 7, 20, 9, 0)))


def cases(number: int) -> Iterator[tuple[str, str, Callable[[Path], Path | None]]]:
    """Case number, text of case.yaml, and what fills the inbox."""
    whole = (_DATA / "complete.yaml").read_text(encoding="utf-8")
    for case_no in complete_numbers(number):
        yield case_no, whole.replace(COMPLETE, case_no), evidence.fill_complete
    lacking = (_DATA / "incomplete.yaml").read_text(encoding="utf-8")
    yield INCOMPLETE, lacking, _fill_incomplete


def _fill_incomplete(inbox: Path) -> None:
    evidence.fill_incomplete(inbox)


def planted() -> set[tuple[str, str]]:
    """What the audit must find: case number and code."""
    return {
        (WITHOUT_FILE, "CASE-WITHOUT-FILE"),
        (INCOMPLETE, "MISSING-DOCUMENT"),
        (INCOMPLETE, "SERVICE-RECEIPT-MISSING"),
    }
