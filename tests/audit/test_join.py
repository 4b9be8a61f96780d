"""有案必有卷: the join finds what was planted, all of it and nothing else."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from audit_desk import CLOCK, COMPLETE, SETTINGS, Office
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from casefile import database, scanning
from casefile.audit import audit, report_json
from casefile.codes import codes, severities
from casefile.context import Context
from casefile.errors import BadInput
from casefile.model.finding import Finding
from casefile.model.terms import Outcome
from casefile.scanning import plugins

CLOSED = dt.date(2026, 10, 1)


def codes_of(report, case_no=None):
    return Counter(f.code for f in report.findings if case_no is None or f.case_no == case_no)


def outcome(report):
    return report.outcome(severities())


def complete(desk, case_no):
    desk.row(case_no, closed=CLOSED)
    desk.whole(case_no)
    desk.archive(case_no)
    desk.ledger(case_no)


def test_a_complete_case_passes(office_desk):
    complete(office_desk, "2026-PG-0001")
    report = audit(office_desk.context)
    assert (report.findings, report.not_looked_at, report.subjects) == ((), (), 1)
    assert outcome(report) is Outcome.PASSED


def test_an_empty_workspace_has_nothing_to_find(office_desk):
    report = audit(office_desk.context)
    assert (report.subjects, outcome(report)) == (0, Outcome.PASSED)


def test_planted_faults_are_found_exactly(office_desk):
    desk = office_desk
    complete(desk, "2026-PG-0001")
    desk.row("2026-PG-0002")
    desk.row("2026-PG-0003")
    desk.new("2026-PG-0003")
    desk.row("2026-PG-0004", closed=CLOSED)
    desk.whole("2026-PG-0004")
    desk.whole("2026-PG-0005")
    for number in ("2026-PG-0006", "2026-PG-0007", "2026-PG-0008", "2026-PG-0009"):
        desk.row(number, closed=CLOSED)
        desk.whole(number)
    desk.archive("2026-PG-0006")
    desk.archive("2026-PG-0007")
    desk.ledger("2026-PG-0007", b"another manifest")
    desk.ledger("2026-PG-0008")
    desk.archive("2026-PG-0009")
    desk.archive("2026-PG-0009", under="111")
    desk.ledger("2026-PG-0009")
    (desk.root / "cases" / "不是 案号").mkdir()
    (desk.root / "cases" / "扫描件.pdf").touch()
    (desk.root / "cases" / "Thumbs.db").touch()

    report = audit(desk.context)

    assert Counter((f.case_no, f.code) for f in report.findings) == Counter(
        [
            ("2026-PG-0002", "CASE-WITHOUT-FILE"),
            ("2026-PG-0003", "CASE-FILE-EMPTY"),
            ("2026-PG-0004", "CLOSED-NOT-ARCHIVED"),
            ("2026-PG-0005", "FILE-WITHOUT-CASE"),
            ("2026-PG-0006", "ARCHIVED-NOT-IN-LEDGER"),
            ("2026-PG-0007", "ARCHIVED-CHANGED"),
            ("2026-PG-0008", "ARCHIVE-MISSING"),
            ("2026-PG-0009", "ARCHIVE-DUPLICATE"),
            ("", "CASE-FOLDER-NAME"),
            ("", "CASES-STRAY"),
        ]
    )
    assert report.subjects == 9
    assert not report.not_looked_at
    assert {f.code for f in report.findings} <= set(codes())


SIDES = ("row", "folder", "archive", "ledger")


@settings(max_examples=12, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([f"2026-PG-{n:04}" for n in range(1, 5)]), st.sets(st.sampled_from(SIDES))
    )
)
def test_every_number_is_looked_at_once_and_only_the_complete_one_is_clean(cases):
    root = Path(tempfile.mkdtemp())
    try:
        (root / "casefile.toml").write_text(SETTINGS, encoding="utf-8")
        with Context.open(root, now=lambda: CLOCK) as context:
            desk = Office(context)
            for number, sides in cases.items():
                _put(desk, number, sides)
            report = audit(context)
    finally:
        shutil.rmtree(root)
    known = {number for number, sides in cases.items() if sides}
    assert report.subjects == len(known)
    told = {f.case_no for f in report.findings} | {n.subject for n in report.not_looked_at}
    assert told == {number for number in known if cases[number] != set(SIDES)}
    for code, count in Counter((f.case_no, f.code) for f in report.findings).items():
        assert count == 1, code


def _put(desk, number, sides):
    if "row" in sides:
        desk.row(number, closed=CLOSED)
    if "folder" in sides:
        desk.whole(number)
    if "archive" in sides:
        desk.archive(number)
    if "ledger" in sides:
        desk.ledger(number)


def test_named_cases_only(office_desk):
    complete(office_desk, "2026-PG-0001")
    office_desk.row("2026-PG-0002")
    assert codes_of(audit(office_desk.context, ["2026-PG-0001"])) == {}
    report = audit(office_desk.context, ["2026-PG-0002", "2026-PG-0404", "2026-PG-0002"])
    assert report.subjects == 2
    assert codes_of(report) == {"CASE-WITHOUT-FILE": 1, "CASE-UNKNOWN": 1}
    with pytest.raises(BadInput):
        audit(office_desk.context, ["../../etc"])


def test_missing_documents_of_a_closed_case(office_desk):
    complete(office_desk, "2026-PG-0001")
    folder = office_desk.context.workspace.case("2026-PG-0001")
    (folder.inbox / "decision_approval.txt").unlink()
    report = audit(office_desk.context)
    assert [(f.code, f.params["document_id"]) for f in report.findings] == [
        ("MISSING-DOCUMENT", "decision_approval")
    ]


def test_a_second_audit_says_the_same_and_notices_every_change(office_desk):
    desk = office_desk
    complete(desk, "2026-PG-0001")
    desk.row("2026-PG-0002")
    first = audit(desk.context)
    assert audit(desk.context) == first
    folder = desk.context.workspace.case("2026-PG-0001")
    text_before = folder.data.read_text(encoding="utf-8")
    stamp = folder.data.stat()
    folder.data.write_text(
        text_before.replace("covers: [penalty_decision]", "covers: [hearing_notice ]"), "utf-8"
    )
    os.utime(folder.data, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert codes_of(audit(desk.context), "2026-PG-0001") == {"SERVICE-RECEIPT-MISSING": 1}
    folder.data.write_text(text_before, encoding="utf-8")
    assert audit(desk.context) == first
    desk.row("2026-PG-0001", closed=CLOSED, procedure="hearing")
    shutil.rmtree(desk.root / "archive" / "000" / "2026-PG-0001")
    assert codes_of(audit(desk.context), "2026-PG-0001") == {"ARCHIVE-MISSING": 1}


def test_what_an_audit_remembers_of_a_case_goes_with_the_case(office_desk):
    complete(office_desk, "2026-PG-0001")
    folder = office_desk.whole("2026-PG-0777")
    audit(office_desk.context)
    shutil.rmtree(folder.root)
    audit(office_desk.context)
    with database.reading(office_desk.context) as session:
        assert session.execute(text("select case_no from audit_answers")).scalars().all() == ["2026-PG-0001"]


def test_an_issued_document_of_no_known_case_is_evidence_of_one(office_desk):
    with database.session(office_desk.context) as session:
        session.add(
            database.IssuedDocument(
                case_no="2026-PG-0009", document_id="filing_approval", type_id="filing_approval", title="",
                pages=1, docx_sha256="", pdf_sha256="", template_sha256="", values_sha256="", issued_at="",
            )
        )  # fmt: skip
    report = audit(office_desk.context)
    assert codes_of(report, "2026-PG-0009") == {"FILE-WITHOUT-CASE": 1}


# Case data that can't be read is never clean


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\x00nonsense",
        b"case: [unclosed",
        b"a: &a [*a]\n",
        b"documents:\n" + b"  " * 40 + b"- x: 1\n",
        COMPLETE.replace("cause:", "casue:").encode(),
        b"- a list\n",
        b"x: " + b"[" * 3000 + b"]" * 3000,
    ],
)
def test_unreadable_data_of_an_open_case_is_not_looked_at_and_of_a_closed_one_a_finding(office_desk, data):
    desk = office_desk
    desk.row("2026-PG-0001")
    desk.whole("2026-PG-0001").data.write_bytes(data)
    report = audit(desk.context)
    assert (outcome(report), len(report.not_looked_at)) == (Outcome.INDETERMINATE, 1)
    desk.row("2026-PG-0001", closed=CLOSED)
    assert codes_of(audit(desk.context)) == {"CLOSED-NOT-ARCHIVED": 1, "CASE-DATA-WRONG": 1}


def test_a_folder_with_material_and_no_data_is_told(office_desk):
    office_desk.row("2026-PG-0001")
    office_desk.whole("2026-PG-0001").data.unlink()
    assert codes_of(audit(office_desk.context)) == {"CASE-DATA-MISSING": 1}


def test_data_of_another_case_is_told(office_desk):
    office_desk.row("2026-PG-0007")
    folder = office_desk.whole("2026-PG-0007")
    folder.data.write_text(COMPLETE, encoding="utf-8")
    report = audit(office_desk.context)
    assert codes_of(report, "2026-PG-0007") == {"CASE-NUMBER-DIFFERS": 1}


def test_a_broken_evidence_list_is_not_looked_at(office_desk):
    complete(office_desk, "2026-PG-0001")
    folder = office_desk.context.workspace.case("2026-PG-0001")
    (folder.inbox / "evidence.yaml").write_text("items: &x [*x]", encoding="utf-8")
    report = audit(office_desk.context)
    assert len(report.not_looked_at) == 1
    assert "MISSING-DOCUMENT" in codes_of(report)


def test_a_link_in_the_place_of_a_case_folder_is_not_followed(office_desk, tmp_path):
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (office_desk.root / "cases" / "2026-PG-0001").symlink_to(outside)
    report = audit(office_desk.context)
    assert [n.subject for n in report.not_looked_at] == ["cases/2026-PG-0001"]


def test_names_that_only_look_the_same_are_told(office_desk):
    # A compatibility ideograph and the character it stands for.
    for name in ("2026-\uf900", "2026-\u8c48"):
        (office_desk.root / "cases" / name).mkdir()
    report = audit(office_desk.context)
    assert codes_of(report, "2026-\u8c48") == {"CASE-FOLDER-DOUBLE": 1, "FILE-WITHOUT-CASE": 1}


def test_a_file_name_that_is_no_text_can_be_reported(office_desk):
    (Path(os.fsdecode(os.fsencode(office_desk.root / "cases") + b"/\xff\xfe.pdf"))).touch()
    assert "\\xff\\xfe.pdf" in report_json.written(audit(office_desk.context), "zh").replace("\\\\", "\\")


# Plug-ins


class _Raises:
    codes = ("X",)

    def scan_case(self, facts):
        raise RuntimeError("plug-in bug")


class _HalfWay:
    codes = ("CASE-FILE-EMPTY",)

    def scan_case(self, facts):
        yield Finding("CASE-FILE-EMPTY", facts.case_no, params={"title": "x"})
        raise KeyError("bug after the first finding")


@pytest.fixture
def plug(monkeypatch):
    """Install other plug-ins for a test."""

    def install(*case, broken=()):
        known = plugins.installed()
        made = plugins.Installed(known.text, tuple(case), tuple(broken))
        monkeypatch.setattr(scanning, "installed", lambda: made)

    return install


def test_a_plug_in_that_raises_has_not_looked(office_desk, plug):
    complete(office_desk, "2026-PG-0001")
    plug(*plugins.installed().case, ("faulty", _Raises()), ("half", _HalfWay()))
    report = audit(office_desk.context)
    assert [n.subject for n in report.not_looked_at] == ["2026-PG-0001", "2026-PG-0001"]
    assert "faulty" in report.not_looked_at[0].reason
    assert codes_of(report, "2026-PG-0001") == {"CASE-FILE-EMPTY": 1}


def test_a_fault_is_not_remembered(office_desk, plug, monkeypatch):
    complete(office_desk, "2026-PG-0001")
    with monkeypatch.context() as patched:
        known = plugins.installed()
        made = plugins.Installed(known.text, (*known.case, ("faulty", _Raises())), ())
        patched.setattr(scanning, "installed", lambda: made)
        assert outcome(audit(office_desk.context)) is Outcome.INDETERMINATE
    assert outcome(audit(office_desk.context)) is Outcome.PASSED


def test_without_scanners_nothing_was_looked_at(office_desk, plug):
    complete(office_desk, "2026-PG-0001")
    plug()
    report = audit(office_desk.context)
    assert [n.subject for n in report.not_looked_at] == ["2026-PG-0001"]
    assert outcome(report) is Outcome.INDETERMINATE


def test_a_plug_in_that_can_not_be_loaded_is_told(office_desk, monkeypatch):
    broken = importlib.metadata.EntryPoint("gone", "no.such.module:scanner", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [broken])
    plugins.installed.cache_clear()
    try:
        report = audit(office_desk.context)
    finally:
        plugins.installed.cache_clear()
    assert any("gone" in n.subject for n in report.not_looked_at)
