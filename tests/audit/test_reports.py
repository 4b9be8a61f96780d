"""Every writer tells everything, and nothing that is told can act."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from html.parser import HTMLParser
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from rich.console import Console

from casefile.audit import report_html, report_json, report_text, report_xlsx
from casefile.audit.view import plain
from casefile.codes import codes
from casefile.model.finding import Finding, NotLookedAt, PartRecord, Report
from casefile.model.terms import Route

EVIL = '=HYPERLINK("http://x","y")<script>alert(1)</script>'


def finding(title="某案", no="2026-PG-0001", code="CASE-FILE-EMPTY"):
    return Finding(code, subject=no, case_no=no, params={"title": title})


REPORT = Report(
    subjects=3,
    findings=(
        finding(no="2026-PG-0002"),
        finding(EVIL),
        Finding("CASES-STRAY", subject="cases/\x1b[2J\u202egpj.exe"),
        Finding("RESIDENT-ID", "inbox/a.pdf 第1页", "2026-PG-0001", {"masked": "610***********123X"}),
    ),
    not_looked_at=(NotLookedAt("cases/扫描.tif", "图片，没有可读的文字，未检查"),),
    parts=(
        PartRecord(
            "收到.jpg",
            "part.pdf",
            Route.RASTER,
            2,
            0.25,
            (("taken_at", "2026-03-05T10:00:00"), ("author", "330102199001010123")),
        ),
        PartRecord("坏.pdf", "", Route.REFUSED, 0, None),
    ),
)


def shown(report, lang="zh", width=100):
    out = io.StringIO()
    report_text.show(report, lang, Console(file=out, width=width, highlight=False, markup=False))
    return out.getvalue()


def test_a_person_sees_when_and_where_and_no_whole_id_number(tmp_path):
    facts = (("taken_at", "2026-03-05T10:00:00"), ("make", "330102199001010123"))
    report = Report(1, parts=(PartRecord("a.jpg", "a.pdf", Route.CONVERTED, 1, 0.0, facts),))
    report_html.write(report, tmp_path / "r.html", "zh")
    for written in (shown(report, width=200), (tmp_path / "r.html").read_text(encoding="utf-8")):
        assert "拍摄时间 2026-03-05T10:00:00" in written
        assert "330***********0123" in written and "330102199001010123" not in written


def test_json_has_the_shape_that_programs_rely_on():
    got = json.loads(report_json.written(REPORT, "zh"))
    assert list(got) == ["outcome", "subjects", "findings", "not_looked_at", "parts"]
    assert (got["outcome"], got["subjects"]) == ("failed", 3)
    keys = ["code", "severity", "case_no", "subject", "message", "clause", "next_step"]
    assert all(list(row) == keys for row in got["findings"])
    assert got["not_looked_at"] == [{"subject": "cases/扫描.tif", "reason": "图片，没有可读的文字，未检查"}]
    assert got["parts"][0] == {
        "subject": "收到.jpg", "output": "part.pdf", "route": "raster", "pages": 2, "difference": 0.25,
        "facts": {"taken_at": "2026-03-05T10:00:00", "author": "330***********0123"},
    }  # fmt: skip
    assert "parts" not in json.loads(report_json.written(Report(1), "zh"))
    assert "扫描" in report_json.written(REPORT, "zh")


@pytest.mark.parametrize(
    ("report", "outcome"),
    [
        (Report(1), "passed"),
        (Report(1, not_looked_at=(NotLookedAt("a", "b"),)), "indeterminate"),
        (Report(1, (finding(),)), "failed"),
        (Report(1, (Finding("A-PLUG-IN-S-OWN", "x"),)), "failed"),
    ],
)
def test_the_outcome_is_the_same_everywhere(report, outcome, tmp_path):
    assert json.loads(report_json.written(report, "zh"))["outcome"] == outcome
    word = {"passed": "通过", "failed": "未通过", "indeterminate": "无法判定"}[outcome]
    assert shown(report).startswith(f"结论：{word}\n")
    report_html.write(report, tmp_path / "r.html", "zh")
    assert f'class="{outcome}">{word}<' in (tmp_path / "r.html").read_text(encoding="utf-8")
    report_xlsx.write(report, tmp_path / "r.xlsx", "zh")
    sheet = CalamineWorkbook.from_path(tmp_path / "r.xlsx").get_sheet_by_name("汇总").to_python()
    assert sheet[0][:2] == ["结论", word]


def test_text_counts_first_then_cases_then_what_was_not_seen():
    text = shown(REPORT)
    assert text.index("错误 2") < text.index("2026-PG-0001") < text.index("2026-PG-0002")
    assert text.index("2026-PG-0002") < text.index("未检（不等于通过）") < text.index("cases/扫描.tif")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "转为图像" in text
    english = shown(REPORT, "en")
    assert english.startswith("Outcome：failed")


def test_text_leaves_nothing_out_however_many():
    many = Report(2000, tuple(finding(no=f"2026-PG-{n:04}") for n in range(2000)))
    text = shown(many)
    assert len(set(re.findall(r"^2026-PG-\d{4}", text, re.M))) == 2000


def test_xlsx_holds_text_only(tmp_path):
    path = tmp_path / "r.xlsx"
    report_xlsx.write(REPORT, path, "zh", at=dt.datetime(2026, 11, 20, 9, 0))
    book = CalamineWorkbook.from_path(path)
    assert book.sheet_names == ["汇总", "问题清单", "未检"]
    rows = book.get_sheet_by_name("问题清单").to_python()
    assert rows[0][:3] == ["案号", "级别", "代码"]
    assert len(rows) == 5
    assert any(EVIL in str(cell) for row in rows for cell in row)
    sheet = ZipFile(path).read("xl/worksheets/sheet2.xml").decode()
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet
    assert "autoFilter" in sheet
    assert 'state="frozen"' in sheet


def test_xlsx_is_the_same_twice_and_says_when_a_cell_is_cut(tmp_path):
    long = Report(1, (finding("长" * 40_000),))
    for name in ("a", "b"):
        report_xlsx.write(long, tmp_path / name, "zh")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    rows = CalamineWorkbook.from_path(tmp_path / "a").get_sheet_by_name("问题清单").to_python()
    assert rows[1][3].endswith("（太长，全文见 JSON 报告）")


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data):
        self.text.append(data)


def test_html_is_one_page_on_which_nothing_runs(tmp_path):
    report_html.write(REPORT, tmp_path / "r.html", "zh", at=dt.datetime(2026, 11, 20, 9, 0))
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    seen = _Tags()
    seen.feed(page)
    assert not {"script", "img", "link", "iframe", "a", "object"} & set(seen.tags)
    assert not [name for name in seen.attributes if name.startswith("on") or name in ("src", "href")]
    assert "default-src 'none'" in page
    assert EVIL in "".join(seen.text)
    assert "@media print" in page


@given(st.text(alphabet=st.characters(), max_size=60), st.sampled_from(["zh", "en"]))
def test_no_text_from_outside_breaks_a_writer(text, lang):
    report = Report(
        1,
        (
            Finding("CASE-FILE-EMPTY", subject=text, case_no=text, params={"title": text}),
            Finding(text or "X", text),
        ),
        (NotLookedAt(text, text),),
    )
    json.loads(report_json.written(report, lang)).get("findings")
    report_json.written(report, lang).encode("utf-8")
    assert "\x1b" not in shown(report, lang)
    held = plain(text)
    held.encode("utf-8")
    assert not any(c in held for c in "\n\x1b\u202e\u2066")


@given(st.text(alphabet="\x00\x01\x0b\ud800\udcffＡ一<&>\"'=+-@", min_size=1, max_size=12))
def test_workbooks_and_pages_take_any_text(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("reports")
    report = Report(1, (finding(text),), (NotLookedAt(text, text),))
    report_xlsx.write(report, folder / "r.xlsx", "zh")
    report_html.write(report, folder / "r.html", "zh")
    rows = CalamineWorkbook.from_path(folder / "r.xlsx").get_sheet_by_name("未检").to_python()
    # Readers tell line ends and blanks apart in their own ways; what was written is what is read.
    assert str(rows[1][0]) == plain(text)


def test_every_sentence_of_the_audit_is_in_both_languages():
    for code in codes().values():
        assert code.zh
        assert code.en
        assert code.next_zh
        assert code.next_en
