"""The sheet on top of a document from outside: valid, the same each time, and data stays data."""

from __future__ import annotations

import ctypes
import datetime as dt
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw
import pytest

from casefile.assemble.slip import Entry, slip
from casefile.context import Context
from casefile.errors import BadInput
from casefile.tools import verapdf

DAY = dt.date(2026, 9, 3)
DIGEST = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
BARE = Entry("听证申请书", "2026-PG-0001", "示范市样例建材有限公司非法占用土地案")
FULL = Entry(
    "法院受理/裁定文书",
    "2026-PG-0001",
    "示范市样例建材有限公司非法占用土地案",
    entry_no="外-003",
    provider="示例甲（代理人）",
    issuer="示范市滨江区人民法院",
    doc_no="（2026）样0101行审1号",
    dated=dt.date(2026, 9, 1),
    received_on=DAY,
    received_by="示例丙",
    copies=2,
    pages=4,
    form="copy",
    compared=True,
    proves="人民法院准予强制执行",
    sha256=DIGEST,
    note="原件存人民法院。\n另附送达回证。",
)


@pytest.fixture
def desk(workspace: Path) -> Iterator[Context]:
    """An open workspace that needs no LibreOffice."""
    with Context.open(workspace) as opened:
        yield opened


def pages(pdf: bytes) -> list[str]:
    """The text of each page without blanks."""
    return ["".join(page.get_textpage().get_text_bounded().split()) for page in pdfium.PdfDocument(pdf)]


def blanks(pdf: bytes) -> int:
    """How many lines are ruled to write on: they alone have this width."""
    drawn = (one for page in pdfium.PdfDocument(pdf) for one in page.get_objects([raw.FPDF_PAGEOBJ_PATH]))
    return sum(round(_stroke(one), 2) == 0.6 for one in drawn)


def _stroke(one: Any) -> float:
    width = ctypes.c_float()
    raw.FPDFPageObj_GetStrokeWidth(one.raw, width)
    return width.value


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def test_it_states_all_that_is_known_in_an_archival_file(desk: Context, tmp_path: Path) -> None:
    pdf = slip([FULL], DAY, desk)
    (tmp_path / "slip.pdf").write_bytes(pdf)
    verdict = verapdf.check(tmp_path / "slip.pdf", "3b")
    assert verdict.compliant, verdict
    (text,) = pages(pdf)
    for told in (
        "示范市自然资源局", "外来件登记单", FULL.type_name, FULL.case_no, FULL.case_title, "外-003", FULL.provider,
        FULL.issuer, FULL.doc_no, "2026年9月1日", "2026年9月3日", FULL.received_by, "2份", "4页", "原件",
        "复制件", "与原件核对无异", FULL.proves, DIGEST, "原件存人民法院。另附送达回证。", "提交人（签名）", "接收人（签名）",
    ):  # fmt: skip
        assert told in text, told
    assert blanks(pdf) == 0


def test_the_same_entry_gives_the_same_bytes(desk: Context) -> None:
    assert slip([FULL], DAY, desk) == slip([FULL], DAY, desk)
    assert slip([FULL], DAY, desk) != slip([FULL], dt.date(2026, 9, 4), desk)
    assert b"D:20260903" in slip([FULL], DAY, desk)


def test_what_nobody_said_is_left_to_be_written(desk: Context) -> None:
    pdf = slip([BARE], DAY, desk)
    (text,) = pages(pdf)
    assert "None" not in text
    assert text.count("年月日") == 4, "both dates, and those of the signatures"
    ruled = "entry_no provider issuer doc_no received_by copies pages proves sha256 note"
    assert blanks(pdf) == len(ruled.split())
    assert blanks(slip([FULL, BARE], DAY, desk)) == blanks(pdf)


def test_a_tick_is_seen(desk: Context) -> None:
    drawn = {
        slip([one], DAY, desk)
        for one in (
            BARE,
            replace(BARE, form="original"),
            replace(BARE, form="copy"),
            replace(BARE, form="copy", compared=True),
        )
    }
    assert len(drawn) == 4


def test_long_values_wrap_and_the_signatures_stay_whole(desk: Context) -> None:
    long = replace(BARE, case_title="案" * 200, provider="A1" * 300, proves="证明" * 600, sha256=DIGEST)
    pdf = slip([long], DAY, desk)
    text = "".join(pages(pdf))
    for told in (long.case_title, long.provider, long.proves, DIGEST):
        assert told in text
    document = pdfium.PdfDocument(pdf)
    assert len(document) > 1
    for page in document:
        width, height = page.get_size()
        for one in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT]):
            left, bottom, right, top = one.get_bounds()
            assert left > 60 and right < width - 50 and bottom > 50 and top < height - 50
    assert "提交人（签名）：年月日接收人（签名）：年月日" in pages(pdf)[-1]


@pytest.mark.parametrize(
    "told",
    [
        "#panic()", '#read("/etc/passwd")', "$ a^2 $", "*粗* _斜_ `x`", "<mark> @ref", "[甲] {乙}", "// 注 /* x */",
        r"\u{41} \# ~ -- ...", '"); #let x = 1', "= 标题", "- 项 + 项", "{{ case_no }}",
    ],
)  # fmt: skip
def test_code_in_data_stays_text(desk: Context, told: str) -> None:
    names = ("type_name", "case_title", "entry_no", "provider", "doc_no", "proves", "sha256", "note")
    values: dict[str, Any] = dict.fromkeys(names, told)
    (text,) = pages(slip([replace(BARE, **values)], DAY, desk))
    assert _folded(text).count(_folded("".join(told.split()))) == len(names)


def test_what_can_not_be_printed_is_named(desk: Context) -> None:
    for told, code in (("甲\x07乙", "BIND-CONTROL"), ("\u1401", "BIND-GLYPH")):
        with pytest.raises(BadInput) as caught:
            slip([replace(BARE, note=told)], DAY, desk)
        assert caught.value.code == code


def test_each_entry_has_a_sheet_of_its_own(desk: Context) -> None:
    first, second = pages(slip([FULL, BARE], DAY, desk))
    assert FULL.type_name in first and BARE.type_name in second
    with pytest.raises(ValueError):
        slip([], DAY, desk)
