"""What people write by hand: blank on the printed page, then a scan in the place of the typed document."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_house import CaseMaker, House, document_type, fact, only

from casefile import assemble
from casefile.context import Context
from casefile.errors import BadInput, Conflict
from casefile.formats.office import docx
from casefile.formats.pdf import pdf_text
from casefile.model.case import Case, DocumentData
from casefile.model.document import Part
from casefile.model.terms import Route

APPROVAL = document_type(
    "approval",
    "审批表",
    (
        fact("doc_date", "批准日期", "date", by_hand=True),
        fact("opinion", "意见", "text", by_hand=True),
        fact("signed_by", "签名", "signature", by_hand=True, at_least=1),
        fact("matter", "事项"),
    ),
    repeatable=True,
)


@pytest.fixture
def approval(house: House, desk: Context, make_case: CaseMaker) -> Case:
    house.types = {**house.types, "approval": APPROVAL}
    house.template(
        "approval",
        "审批表 {{ matter }}",
        "{{ opinion }}",
        "签名：{{ signed_by|names }}",
        "{{ doc_date|date_cn }}",
    )
    desk.lend("catalogue", house.catalogue)
    return _with(make_case(), matter="立案")


def _with(case: Case, *more: dict[str, Any], **said: Any) -> Case:
    data = tuple(DocumentData("approval", n, v, 40 + n) for n, v in enumerate((said, *more), 1))
    return replace(only(case), documents=data)


def _scan(folder: Path, **changes: Any) -> Part:
    pdf = folder / "scan.pdf"
    pdf.write_bytes(b"%PDF-1.7")
    part = Part(
        id="evidence-001", type_id="approval", title="审批表扫描件", doc_no="", author="", date=None,
        volume=APPROVAL.volume, pdf=pdf, sha256="ab", pages=3, route=Route.CONVERTED, original=pdf,
        original_sha256="cd", original_format="image/tiff",
    )  # fmt: skip
    return replace(part, **changes)


def test_a_draft_leaves_room_for_pen_and_ink(approval: Case, desk: Context) -> None:
    draft = assemble.fill(approval, desk)[0]
    assert draft.by_hand == ("批准日期", "意见", "签名") and draft.lacking == ()
    text = docx.paragraphs(draft.path.read_bytes(), "approval")
    assert text[-2:] == ["签名：", "　　年　　月　　日"]


def test_a_blank_document_is_issued_and_asks_for_its_scan(
    approval: Case, desk: Context, tmp_path: Path
) -> None:
    document = assemble.issue(approval, "approval", desk)
    assert (document.by_hand, document.to_enter) == (("意见", "签名"), ("批准日期",))
    assert "年月日" in "".join("".join(pdf_text.texts(document.pdf)).split())
    typed = assemble.parts(approval, [document])
    codes = {f.code for f in assemble.unsigned([document], typed, approval.case_no)}
    assert codes == {"DOC-UNSIGNED", "DOC-TO-ENTER"}

    parts = assemble.with_scans(
        typed,
        [_scan(tmp_path, stands_for="approval")],
        approval.case_no,
        desk.keep("catalogue", lambda: None),
    )
    (only_part,) = parts
    assert (only_part.id, only_part.pages, only_part.original_format) == ("approval", 3, "image/tiff")
    assert only_part.title == "审批表", "the name of the document, not of the scan"
    assert {f.code for f in assemble.unsigned([document], parts, approval.case_no)} == {"DOC-TO-ENTER"}


def test_what_was_written_on_paper_may_be_entered_after_issue_and_nothing_else(
    approval: Case, desk: Context, make_case: CaseMaker
) -> None:
    import datetime as dt

    first = assemble.issue(approval, "approval", desk)
    entered = _with(
        make_case(), matter="立案", doc_date=dt.date(2026, 3, 5), opinion="同意", signed_by=("示例戊",)
    )
    again = assemble.issue(entered, "approval", desk)
    assert again.pdf_sha256 == first.pdf_sha256 and again.by_hand == again.to_enter == ()
    assert again.date == dt.date(2026, 3, 5)
    with pytest.raises(Conflict) as caught:
        assemble.issue(_with(make_case(), matter="不予立案"), "approval", desk)
    assert caught.value.code == "DOC-ALREADY-ISSUED"


def test_what_a_scan_is_of_is_said_and_never_guessed(
    approval: Case, desk: Context, tmp_path: Path, make_case: CaseMaker
) -> None:
    two = _with(make_case(), {"matter": "延期"}, matter="立案")
    typed = assemble.parts(two, assemble.issue_all(two, desk))
    known = desk.keep("catalogue", lambda: None)

    def placed(*scans: Part) -> tuple[Part, ...]:
        return assemble.with_scans(typed, scans, two.case_no, known)

    for scans, code in (
        ([_scan(tmp_path)], "SCAN-AMBIGUOUS"),
        ([_scan(tmp_path, stands_for="approval-3")], "SCAN-UNKNOWN-DOCUMENT"),
        ([_scan(tmp_path, stands_for="approval-2")] * 2, "SCAN-TWICE"),
        ([_scan(tmp_path, stands_for="approval-2", type_id="service_receipt")], "SCAN-TYPE"),
        (
            [_scan(tmp_path, stands_for="approval"), _scan(tmp_path, stands_for="approval-2")],
            "SCAN-SAME-FILE",
        ),
    ):
        with pytest.raises(BadInput) as caught:
            placed(*scans)
        assert [f.code for f in caught.value.findings] == [code]
    assert [p.pages for p in placed(_scan(tmp_path, stands_for="approval-2"))] == [1, 3]


def test_a_placeholder_page_is_no_signature(approval: Case, desk: Context, tmp_path: Path) -> None:
    document = assemble.issue(approval, "approval", desk)
    typed = assemble.parts(approval, [document])
    unreadable = _scan(tmp_path, route=Route.PLACEHOLDER, stands_for="approval")
    parts = assemble.with_scans(typed, [unreadable], approval.case_no, desk.keep("catalogue", lambda: None))
    codes = {f.code for f in assemble.unsigned([document], parts, approval.case_no)}
    assert "DOC-UNSIGNED" in codes
    assert len(parts) == 2, "the typed pages stay, and the unreadable file is bound as evidence"
