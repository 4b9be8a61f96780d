"""The register out to Excel and in again."""

from __future__ import annotations

import datetime as dt
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from casefile import codes, database, register
from casefile.context import Context
from casefile.errors import BadInput
from casefile.formats.written import unseen_character
from casefile.model.case import RegisterRow
from casefile.register import store
from casefile.register.columns import FIELDS, PROCEDURES, procedure_id, procedure_word

LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=30).map(str.strip)
LINES = LINE.filter(lambda t: unseen_character(t) is None)
FILLED = LINES.filter(bool)
DATES = st.none() | st.dates(dt.date(1950, 1, 1), dt.date(2100, 1, 1))
NUMBERS = st.from_regex(r"[0-9A-Za-z\u4e00-\u9fa5〔〕()（）_-]{1,40}", fullmatch=True)
ROWS = st.lists(
    st.builds(
        RegisterRow,
        case_no=NUMBERS,
        title=FILLED,
        procedure=st.sampled_from(sorted(PROCEDURES)),
        party=FILLED | st.sampled_from(["=1+1", "+86", "-1", "@x", "=cmd|' /C calc'!A0", "_x0041_", "123"]),
        cause=LINES,
        filed_on=DATES,
        closed_on=DATES,
        officers=LINES,
        unit=LINES,
        status=LINES,
        remark=st.lists(FILLED, max_size=3).map("\n".join),
        place=st.just("台账.xlsx 台账!2"),
    ),
    max_size=8,
    unique_by=lambda r: r.case_no,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(rows=ROWS)
def test_import_of_an_export_is_identity(desk: Context, tmp_path: Path, rows: list[RegisterRow]) -> None:
    with database.session(desk) as session:
        session.execute(delete(database.RegisterEntry))
    store.store({r.case_no: r for r in rows}, FIELDS, desk)
    before = register.rows(desk)
    path = tmp_path / "导出.xlsx"
    register.export(path, desk)

    same = register.import_file(path, desk)
    assert {f.code for f in same.findings} <= {"REG-IMPORTED", "REG-SHEET-SKIPPED"}
    assert register.rows(desk) == before

    with database.session(desk) as session:
        session.execute(delete(database.RegisterEntry))
    report = register.import_file(path, desk)
    assert report.subjects == len(rows)
    strip = [tuple(getattr(r, f) for f in FIELDS) for r in register.rows(desk)]
    assert strip == [tuple(getattr(r, f) for f in FIELDS) for r in before]


def test_export_runs_no_formula_and_is_the_same_each_time(desk: Context, tmp_path: Path) -> None:
    row = RegisterRow("2026-1", '=HYPERLINK("http://x")', "general_penalty", "@x", remark="+1")
    store.store({row.case_no: row}, FIELDS, desk)
    register.export(tmp_path / "a.xlsx", desk)
    register.export(tmp_path / "b.xlsx", desk)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_old_excel_files_are_read(desk: Context, tmp_path: Path) -> None:
    row = RegisterRow("2026-1", "某案", "hearing", "某甲", filed_on=dt.date(2026, 3, 5))
    store.store({row.case_no: row}, FIELDS, desk)
    before = register.rows(desk)
    register.export(tmp_path / "a.xlsx", desk)
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = [
        "soffice",
        profile,
        "--headless",
        "--convert-to",
        "xls",
        "--outdir",
        str(tmp_path),
        str(tmp_path / "a.xlsx"),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("LibreOffice can't make an .xls here")
    register.import_file(tmp_path / "a.xls", desk)
    assert register.rows(desk) == before


def test_wrong_names_and_places(desk: Context, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="REG-EXPORT-NAME"):
        register.export(tmp_path / "a.csv", desk)
    (tmp_path / "file").touch()
    with pytest.raises(BadInput) as caught:
        register.export(tmp_path / "file" / "a.xlsx", desk)
    assert caught.value.code == "REG-EXPORT"
    assert "{" not in "".join(codes.explained(caught.value))


def test_words_of_procedures_mean_one_procedure_each() -> None:
    words = [w for several in PROCEDURES.values() for w in several]
    assert len(words) == len(set(words))
    for procedure in PROCEDURES:
        assert procedure_id(procedure_word(procedure)) == procedure_id(procedure) == procedure
