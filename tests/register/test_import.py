"""The bureau's Excel into the register: good rows go in, bad ones are named by their cell."""

from __future__ import annotations

import datetime as dt
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from casefile import codes, register
from casefile.context import Context
from casefile.errors import BadInput, CasefileError
from casefile.model.finding import Finding, Report
from casefile.model.terms import Outcome

GOOD = (
    "2026-PG-0001",
    "某甲非法占地案",
    "普通程序",
    "某甲",
    "非法占地",
    dt.date(2026, 3, 5),
    None,
    "张三、李四",
)


def told(report: Report) -> set[tuple[str, str]]:
    """Code and subject of all but the notes."""
    heavy = {name for name, code in codes.codes().items() if code.severity.value != "note"}
    return {(f.code, f.subject) for f in report.findings if f.code in heavy}


def summary(report: Report) -> dict[str, str]:
    (one,) = (f for f in report.findings if f.code == "REG-IMPORTED")
    return {k: one.params[k] for k in ("new", "changed", "same", "bad")}


def sentences(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        shown = codes.rendered(finding)
        assert "{" not in shown["message"] + shown["next_step"], shown


def test_good_rows_are_stored(desk: Context, excel: Any) -> None:
    report = register.import_file(excel.write([excel.headings, GOOD]), desk)
    assert report.outcome(codes.severities()) is Outcome.PASSED
    assert summary(report) == {"new": "1", "changed": "0", "same": "0", "bad": "0"}
    (row,) = register.rows(desk)
    assert row == register.row("2026-PG-0001", desk)
    assert (row.procedure, row.filed_on, row.closed_on) == ("general_penalty", dt.date(2026, 3, 5), None)
    assert row.place == "台账.xlsx 台账!2"
    assert register.row("2026-PG-0002", desk) is None


def test_every_bad_cell_is_named_and_good_rows_go_on(desk: Context, excel: Any) -> None:
    bad = [
        ("", "无案号", "普通程序", "某甲"),
        ("2026-PG-0002", "", "普通程序", ""),
        ("2026-PG-0003", "a", "什么程序", "b", "", "2026-02-30"),
        ("../../x", "a", "普通程序", "b"),
        ("2026-PG-0001", "重复", "普通程序", "某甲"),
        (dt.date(2026, 3, 1), "被变成日期", "普通程序", "b"),
        (610102199001011234, "位数丢失", "普通程序", "b"),
        ("2026-PG-0004", "a\u202eb", "普通程序", "b"),
        ("2026-PG-0005", "a" * 20_001, "普通程序", "b"),
        ("2026-PG-0006", "a", "普通程序", "b", "", 46086),
    ]
    report = register.import_file(excel.write([excel.headings, GOOD, *bad]), desk)
    assert told(report) == {
        ("REG-NO-CASE-NUMBER", "台账!A3"),
        ("REG-MISSING", "台账!B4"),
        ("REG-MISSING", "台账!D4"),
        ("REG-PROCEDURE", "台账!C5"),
        ("REG-DATE", "台账!F5"),
        ("REG-CASE-NUMBER", "台账!A6"),
        ("REG-TWICE", "台账!A7"),
        ("REG-TURNED-DATE", "台账!A8"),
        ("REG-DIGITS", "台账!A9"),
        ("REG-CHARACTER", "台账!B10"),
        ("REG-LONG", "台账!B11"),
        ("REG-DATE", "台账!F12"),
    }
    sentences(report.findings)
    assert report.outcome(codes.severities()) is Outcome.FAILED
    assert summary(report) == {"new": "1", "changed": "0", "same": "0", "bad": "10"}
    assert [r.title for r in register.rows(desk)] == ["某甲非法占地案"]


@pytest.mark.parametrize(
    "written",
    [
        dt.date(2026, 3, 5),
        "2026-3-5",
        "2026年3月5日",
        "2026.3.5",
        "2026/03/05",
        "20260305",
        20260305,
        dt.datetime(2026, 3, 5, 14, 30),
    ],
)
def test_dates_as_clerks_write_them(desk: Context, excel: Any, written: object) -> None:
    report = register.import_file(excel.write([excel.headings, (*GOOD[:5], written, "未结案")]), desk)
    assert not told(report)
    (row,) = register.rows(desk)
    assert (row.filed_on, row.closed_on) == (dt.date(2026, 3, 5), None)


def test_title_rows_blank_rows_repeated_headings_and_other_columns(desk: Context, excel: Any) -> None:
    rows = [
        ("某局二〇二六年执法台账",),
        (),
        ("序号", "案 号*", "案件\n名称", "程序（必填）", "当事人", "电话"),
        ("1", "2026-PG-0001", "甲案", "一般程序", "甲\r\n乙", "x"),
        (None, "", " ", None, None, None),
        ("序号", "案号", "案件名称", "程序", "当事人", "电话"),
        ("2", 20260002, "乙案", "简易程序", "乙", None),
        (None, None, None, None, None, "填表人：张三"),
    ]
    report = register.import_file(excel.write(rows), desk)
    assert not told(report)
    assert [(r.case_no, r.party, r.procedure) for r in register.rows(desk)] == [
        ("2026-PG-0001", "甲 乙", "general_penalty"),
        ("20260002", "乙", "summary_penalty"),
    ]
    assert {"REG-COLUMN-ABSENT", "REG-ROW-OUTSIDE"} <= {f.code for f in report.findings}
    sentences(report.findings)


def test_import_again_updates_and_says_so(desk: Context, excel: Any) -> None:
    register.import_file(excel.write([excel.headings, GOOD, ("2026-PG-0002", "乙案", "听证", "乙")]), desk)
    changed = (*GOOD[:4], "非法转让土地")
    short = excel.headings[:5]
    report = register.import_file(excel.write([short, changed], name="新.xlsx"), desk)
    (one,) = (f for f in report.findings if f.code == "REG-CHANGED")
    assert (one.params["before"], one.params["after"]) == ("非法占地", "非法转让土地")
    assert {f.code for f in report.findings} >= {"REG-NOT-IN-FILE"}
    row = register.row("2026-PG-0001", desk)
    assert row is not None
    assert (row.cause, row.filed_on) == ("非法转让土地", dt.date(2026, 3, 5))  # columns not in the file stay
    again = register.import_file(excel.write([short, changed], name="新.xlsx"), desk)
    assert summary(again) == {"new": "0", "changed": "0", "same": "1", "bad": "0"}


def test_merged_hidden_and_broken_cells(desk: Context, excel: Any) -> None:
    path = excel.folder / "合并.xlsx"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet("台账")
        page.merge_range("A1:K1", "执法台账")
        page.write_row(1, 0, excel.headings)
        page.write_row(2, 0, ["2026-PG-0001", "甲案", "普通程序", "甲"])
        page.write_row(3, 0, ["2026-PG-0002", "乙案", "普通程序", "乙"])
        page.merge_range("I3:I4", "执法大队")
        page.set_row(3, None, None, {"hidden": True})
        page.write_row(4, 0, ["2026-PG-0003", "丙案", "普通程序", "丙"])
        page.write_formula(4, 6, "=1/0", None, "#DIV/0!")
        old = book.add_worksheet("旧台账")
        old.write_row(0, 0, excel.headings)
        old.write_row(1, 0, ["2020-PG-0001", "旧案", "普通程序", "旧"])
        old.hide()
        book.add_worksheet("说明").write(0, 0, "填表说明")
        book.add_worksheet("空")
    report = register.import_file(path, desk)
    assert told(report) == {("REG-FORMULA", "台账!G5")}
    assert [f.params["sheet"] for f in report.findings if f.code == "REG-SHEET-SKIPPED"] == ["旧台账", "说明"]
    assert [(r.case_no, r.unit) for r in register.rows(desk)] == [
        ("2026-PG-0001", "执法大队"),
        ("2026-PG-0002", "执法大队"),
    ]
    sentences(report.findings)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_in_every_encoding_of_excel(desk: Context, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "台账.csv"
    mark = "\t" if encoding == "utf-16" else ","
    head = "案号,案件名称,程序,当事人,备注\r\n"
    text = head + '2026-PG-0001,𠮷某案,普通程序,某甲,"第一行\r\n第二行"\r\n,x,普通程序,y,\r\n'
    path.write_bytes(text.replace(",", mark).encode(encoding))
    report = register.import_file(path, desk)
    assert told(report) == {("REG-NO-CASE-NUMBER", "台账!A3")}
    (row,) = register.rows(desk)
    assert (row.title, row.remark) == ("𠮷某案", "第一行\n第二行")


def refused(path: Path, desk: Context) -> CasefileError:
    with pytest.raises(CasefileError) as caught:
        register.import_file(path, desk)
    assert "{" not in "".join(codes.explained(caught.value))
    assert register.rows(desk) == ()
    return caught.value


def test_missing_headings_say_what_was_found(desk: Context, excel: Any) -> None:
    error = refused(excel.write([("台账",), ("编号", "案件名称", "程序", "当事人"), GOOD]), desk)
    assert error.code == "REG-HEADINGS"
    assert error.params["missing"] == "案号" and "编号" in error.params["found"]


def test_headings_of_the_bureau(workspace: Path, excel: Any) -> None:
    with (workspace / "casefile.toml").open("a", encoding="utf-8") as settings:
        settings.write('[register]\nsheet = "表1"\n[register.columns]\ncase_no = "编号"\n')
    path = excel.write([("编号", "案件名称", "程序", "当事人"), GOOD[:4]], sheet="表1")
    with Context.open(workspace) as desk:
        register.import_file(path, desk)
        assert len(register.rows(desk)) == 1


def test_unknown_field_in_the_settings(workspace: Path, excel: Any) -> None:
    with (workspace / "casefile.toml").open("a", encoding="utf-8") as settings:
        settings.write('[register.columns]\ncase = "编号"\n')
    with Context.open(workspace) as desk:
        assert refused(excel.write([excel.headings, GOOD]), desk).code == "REG-COLUMN-SETTING"


def _far_cell(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        page.write(0, 0, "案号")
        page.write(1_048_575, 16_383, "x")


def _bomb(path: Path, *, lie: bool) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as member:
            for _ in range(650):
                member.write(bytes(1_000_000))
    if lie:
        data = bytearray(path.read_bytes())
        at = data.rindex(b"PK\x01\x02")
        struct.pack_into("<I", data, at + 24, 100)
        path.write_bytes(data)


def _password(path: Path) -> None:
    path.write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le")
    )


def _half(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet().write(0, 0, "案号")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("name", "make", "code"),
    [
        ("a.xlsx", lambda p: p.write_bytes(b""), "SHEET-EMPTY"),
        ("a.xlsx", lambda p: None, "SHEET-READ"),
        ("a.xlsx", lambda p: p.mkdir(), "SHEET-READ"),
        ("~$a.xlsx", lambda p: p.write_bytes(b"x"), "SHEET-LOCK-FILE"),
        ("a.xls", lambda p: p.write_bytes(b"<html><table></table></html>"), "SHEET-KIND"),
        ("a.xlsx", lambda p: p.write_bytes(b"%PDF-1.7\n"), "SHEET-KIND"),
        ("a.xlsx", lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00"), "SHEET-KIND"),
        ("a.xlsx", _password, "SHEET-PASSWORD"),
        ("a.xlsx", _half, "SHEET-BROKEN"),
        ("a.xlsx", lambda p: p.write_bytes(b"PK\x03\x04" + bytes(100)), "SHEET-BROKEN"),
        ("a.xls", lambda p: p.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000)), "SHEET-BROKEN"),
        ("a.xlsx", _far_cell, "SHEET-BOMB"),
        ("a.csv", lambda p: p.write_bytes(b"\x81\x20\xff\xff"), "SHEET-ENCODING"),
        ("a.csv", lambda p: p.write_text('a,"b\nc', encoding="utf-8"), "SHEET-CSV"),
        ("a.csv", lambda p: p.write_text("\n\n", encoding="utf-8"), "SHEET-EMPTY"),
    ],
)
def test_what_is_no_register(desk: Context, tmp_path: Path, name: str, make: Any, code: str) -> None:
    make(tmp_path / name)
    assert refused(tmp_path / name, desk).code == code


@pytest.mark.parametrize("lie", [False, True])
def test_zip_bomb(desk: Context, tmp_path: Path, lie: bool) -> None:
    _bomb(tmp_path / "a.xlsx", lie=lie)
    error = refused(tmp_path / "a.xlsx", desk)
    assert error.code == "SHEET-BOMB" and error.exit_code == 5


def test_zip_that_is_no_workbook(desk: Context, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("readme.txt", "x")
    assert isinstance(refused(tmp_path / "a.xlsx", desk), BadInput)


def test_nothing_is_stored_when_storing_fails(
    desk: Context, excel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from casefile.register import store

    real = store.digest

    def breaks_at_the_second(one: Any) -> str:
        if one.case_no.endswith("2"):
            raise RuntimeError
        return real(one)

    monkeypatch.setattr(store, "digest", breaks_at_the_second)
    path = excel.write([excel.headings, GOOD, ("2026-PG-0002", "乙案", "听证", "乙")])
    with pytest.raises(RuntimeError):
        register.import_file(path, desk)
    assert register.rows(desk) == ()
