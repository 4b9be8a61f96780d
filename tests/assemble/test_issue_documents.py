"""Numbering, rendering, accepting and freezing, on real LibreOffice and veraPDF."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from docx import Document as open_docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from small_house import DECISION_TEXT, CaseMaker, House, only

from casefile import assemble
from casefile.assemble import number
from casefile.context import Context
from casefile.errors import BadInput, Conflict
from casefile.formats.office import docx
from casefile.formats.pdf import pdf_text
from casefile.model.terms import Route, Volume


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def _texts(path: Path) -> str:
    return "".join("".join(pdf_text.texts(path)).split())


def test_a_case_is_issued_whole(desk: Context, make_case: CaseMaker) -> None:
    case = make_case()
    decision, receipt, closing = assemble.issue_all(case, desk)

    assert decision.doc_no == "示自然资罚〔2026〕1号"
    text = _texts(decision.pdf)
    for said in (
        "示自然资罚〔2026〕1号",
        "壹万贰仟叁佰肆拾伍元整",
        "12,345.00",
        "2.其他:限期拆除",
        "2026年3月5日",
    ):
        assert said in text or said.replace(":", "：").replace(".", "．") in text
    assert "示自然资罚〔2026〕1号" in _texts(receipt.pdf), "the receipt names what it proves served"
    assert receipt.covers == ("penalty_decision",)
    assert "2026年3月8日" in _texts(closing.pdf), "the day of service comes from the receipt"
    assert closing.volume is Volume.INTERNAL

    part = assemble.parts(case, [decision])[0]
    assert (part.route, part.sha256) == (Route.CONVERTED, hashlib.sha256(part.pdf.read_bytes()).hexdigest())


def test_issuing_again_changes_nothing(desk: Context, make_case: CaseMaker) -> None:
    first = assemble.issue_all(make_case(), desk)
    stamps = [d.pdf.stat().st_mtime_ns for d in first]
    assert assemble.issue_all(make_case(), desk) == first
    assert [d.pdf.stat().st_mtime_ns for d in first] == stamps


def test_same_case_same_bytes_in_another_workspace_order(desk: Context, make_case: CaseMaker) -> None:
    case = make_case()
    one = assemble.issue(case, "penalty_decision", desk)
    others = {d.id: d.pdf_sha256 for d in assemble.issue_all(case, desk)}
    # Forget that anything was issued and render in one go.
    from sqlalchemy import delete

    from casefile import database

    with database.session(desk) as session:
        session.execute(delete(database.IssuedDocument))
    again = {d.id: d.pdf_sha256 for d in assemble.issue_all(case, desk)}
    assert again == others
    assert again["penalty_decision"] == one.pdf_sha256


def test_changed_data_after_issue_is_a_conflict(desk: Context, make_case: CaseMaker) -> None:
    assemble.issue_all(make_case(), desk)
    with pytest.raises(Conflict) as caught:
        assemble.issue_all(make_case(facts="另一事实"), desk)
    assert caught.value.code == "DOC-ALREADY-ISSUED"
    assert caught.value.params["fields"] == "查明的违法事实"


def test_altered_frozen_file_is_named(desk: Context, make_case: CaseMaker) -> None:
    decision = assemble.issue(make_case(), "penalty_decision", desk)
    decision.pdf.chmod(0o644)
    decision.pdf.write_bytes(decision.pdf.read_bytes() + b"%")
    with pytest.raises(Conflict) as caught:
        assemble.issue(make_case(), "penalty_decision", desk)
    assert caught.value.code == "DOC-ISSUED-ALTERED"
    assert caught.value.subject.endswith("documents/issued/penalty_decision.pdf")


def test_what_other_documents_do_not_say_yet_is_named_before_a_number_is_used(
    desk: Context, make_case: CaseMaker
) -> None:
    case = only(make_case(), "penalty_decision", "closing")
    with pytest.raises(BadInput) as caught:
        assemble.issue_all(case, desk)
    assert [f.code for f in caught.value.findings] == ["DOC-NEEDS-OTHER"]
    assert "送达回证" in caught.value.findings[0].params["source"]
    assert number.known(case.case_no, desk) == {}


def test_hostile_data_is_printed_and_not_run(desk: Context, make_case: CaseMaker) -> None:
    facts = "A&B <C> \"q\" '{{ 7*7 }}' {% if x %} </w:t></w:r> {_{ x }_}"
    decision = assemble.issue(make_case(facts=facts), "penalty_decision", desk)
    assert "".join(facts.split()) in _texts(decision.pdf)


def test_text_hidden_by_an_exact_row_is_caught(desk: Context, house: House, make_case: CaseMaker) -> None:
    house.template("penalty_decision", "决定书 {{ doc_no }}", rows=(("事实", "{{ facts }}"),), exact=40)
    facts = "".join(f"第{n}句话说明当事人的违法事实。" for n in range(120))
    with pytest.raises(BadInput) as caught:
        assemble.issue(make_case(facts=facts), "penalty_decision", desk)
    assert caught.value.code == "RENDER-REFUSED"
    assert [(f.code, f.params["field"]) for f in caught.value.findings] == [
        ("RENDER-TEXT-LOST", "查明的违法事实")
    ]
    assert not list((desk.workspace.case("2026-PG-0001").documents / "issued").glob("*"))


def test_long_text_over_pages_and_rare_names_are_accepted(desk: Context, make_case: CaseMaker) -> None:
    facts = "".join(f"第{n}句话说明当事人𬭎㛃䶮的违法事实，面积{n}㎡。" for n in range(150))
    decision = assemble.issue(make_case(party="王𬭎", facts=facts), "penalty_decision", desk)
    assert decision.pages > 2


def test_edited_draft_survives_into_the_issued_pdf(desk: Context, make_case: CaseMaker) -> None:
    case = make_case()
    draft = {d.id: d for d in assemble.fill(case, desk)}["penalty_decision"]
    assert draft.state == "written"
    document = open_docx(str(draft.path))
    paragraph = next(p for p in document.paragraphs if "占用耕地" in p.text)
    paragraph.add_run("书记员手改的一句。")
    document.save(str(draft.path))
    edited = draft.path.read_bytes()

    assert {d.id: d.state for d in assemble.fill(case, desk)}["penalty_decision"] == "kept"
    assert draft.path.read_bytes() == edited
    decision = assemble.issue(case, "penalty_decision", desk)
    text = _texts(decision.pdf)
    assert "书记员手改的一句" in text
    assert "示自然资罚〔2026〕1号" in text, "the number is put into the edited draft"
    assert "待编" not in text
    assert assemble.issue(case, "penalty_decision", desk) == decision


def test_edited_fact_and_stale_draft_are_refused(desk: Context, make_case: CaseMaker) -> None:
    case = make_case()
    path = assemble.fill(case, desk, ["penalty_decision"])[0].path
    document = open_docx(str(path))
    paragraph = next(p for p in document.paragraphs if "张三" in p.text)
    paragraph.runs[0].text = paragraph.text.replace("张三", "李四")
    document.save(str(path))
    with pytest.raises(BadInput) as caught:
        assemble.issue(case, "penalty_decision", desk)
    assert ("DRAFT-FACT", "姓名或名称") in [(f.code, f.params["field"]) for f in caught.value.findings]
    with pytest.raises(BadInput) as stale:
        assemble.issue(make_case(facts="后来改的事实"), "penalty_decision", desk)
    assert stale.value.code == "DRAFT-STALE"


def test_untouched_draft_follows_the_data(desk: Context, make_case: CaseMaker) -> None:
    first = assemble.fill(make_case(), desk, ["penalty_decision"])[0]
    assert assemble.fill(make_case(), desk, ["penalty_decision"])[0].state == "unchanged"
    old = first.path.read_bytes()
    assert assemble.fill(make_case(facts="新的事实"), desk, ["penalty_decision"])[0].state == "written"
    assert first.path.read_bytes() != old


def test_killed_before_the_record_it_completes_on_the_second_run(
    desk: Context, make_case: CaseMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_case()
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["casefile.assemble.issue"], "_record", _killed)
        with pytest.raises(KeyboardInterrupt):
            assemble.issue_all(case, desk)
    documents = assemble.issue_all(case, desk)
    assert documents[0].doc_no == "示自然资罚〔2026〕1号", "the number given to the killed run is kept"
    assert assemble.issue_all(case, desk) == documents


def test_every_bad_character_is_named_with_its_field(desk: Context, make_case: CaseMaker) -> None:
    case = make_case(party="王\ue863", facts="行\x0b为\ufffe\U000323b0")
    with pytest.raises(BadInput) as caught:
        assemble.fill(case, desk)
    found = {(f.code, f.subject.split("：")[1], f.params["code_point"]) for f in caught.value.findings}
    assert {
        ("DATA-PRIVATE", "姓名或名称", "U+E863"),
        ("DATA-CHARACTER", "查明的违法事实", "U+000B"),
        ("DATA-CHARACTER", "查明的违法事实", "U+FFFE"),
        ("DATA-GLYPH", "查明的违法事实", "U+323B0"),
    } <= found
    assert not case.folder.joinpath("documents").exists()


def test_sums_of_money_print_a_yen_sign_that_fandol_draws_right(desk: Context, make_case: CaseMaker) -> None:
    decision = assemble.issue(make_case(facts="货值￥100元"), "penalty_decision", desk)
    assert "货值¥100元" in _texts(decision.pdf)


def test_too_long_a_field(desk: Context, make_case: CaseMaker) -> None:
    limits = desk.config.limits.model_copy(update={"field_characters": 50})
    desk.config = desk.config.model_copy(update={"limits": limits})
    with pytest.raises(BadInput) as caught:
        assemble.fill(make_case(facts="字" * 51), desk)
    assert [f.code for f in caught.value.findings] == ["DATA-LONG"]


def test_document_without_a_case_entry(desk: Context, make_case: CaseMaker) -> None:
    from casefile.errors import UsageError

    with pytest.raises(UsageError) as caught:
        assemble.issue(make_case(), "hearing_notice", desk)
    assert caught.value.code == "DOC-UNKNOWN"


def test_a_number_in_case_yaml_is_used_and_kept(desk: Context, make_case: CaseMaker) -> None:
    number.reserve("罚", 2026, 6, "上线前已编用", "", desk)
    case = make_case(doc_no="示自然资罚〔2026〕7号")
    assert assemble.issue(case, "penalty_decision", desk).doc_no == "示自然资罚〔2026〕7号"
    other = make_case("2026-PG-0002")
    assert assemble.issue(other, "penalty_decision", desk).doc_no == "示自然资罚〔2026〕8号"
    taken = replace(make_case("2026-PG-0003", doc_no="示自然资罚〔2026〕7号"))
    with pytest.raises(Conflict) as caught:
        assemble.issue(taken, "penalty_decision", desk)
    assert caught.value.params["case_no"] == "2026-PG-0001"


def test_a_served_document_gets_a_blank_receipt_until_the_case_has_one(
    desk: Context, make_case: CaseMaker
) -> None:
    case = make_case()
    drafts = {d.id: d for d in assemble.fill(only(case, "penalty_decision"), desk)}
    blank = drafts["service_receipt.penalty_decision"]
    text = "".join(
        "".join(p.text for p in c.paragraphs) for t in open_docx(blank.path).tables for c in t._cells
    )
    assert "行政处罚决定书" in text and "（待编）号" in text
    assemble.fill(case, desk)
    assert not blank.path.exists(), "the case's own receipt has taken its place"


def test_no_punctuation_is_lost_at_the_end_of_a_justified_line(
    desk: Context, house: House, make_case: CaseMaker
) -> None:
    """LibreOffice leaves hanging punctuation out of a justified line; the frozen docx doesn't let it hang."""
    facts = "\n".join(("字" * n + "，" + "文" * 8 + "、") * 3 + "完。" for n in range(3, 30))
    house.template("penalty_decision", *DECISION_TEXT)
    path = house.folder / "penalty_decision.docx"
    document = open_docx(str(path))
    for paragraph in document.paragraphs:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    document.save(str(path))
    path.write_bytes(docx.settled(path.read_bytes(), path.name))
    decision = assemble.issue(make_case(facts=facts), "penalty_decision", desk)
    text = _texts(decision.pdf)
    assert (text.count("，"), text.count("、")) >= (facts.count("，"), facts.count("、"))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("12,345.00", "112,345.00", "DRAFT-FACT"),
        ("2026年3月5日", "2026年3月15日", "DRAFT-FACT"),
        ("当事人：张三", "当事人：张三第二分公司", "DRAFT-FIXED"),
        ("行政处罚决定书", "行政处罚通知书", "DRAFT-FIXED"),
    ],
)
def test_a_draft_may_change_wording_and_no_fact(
    desk: Context, make_case: CaseMaker, old: str, new: str, code: str
) -> None:
    case = make_case()
    drafts = {d.id: d for d in assemble.fill(case, desk)}
    path = drafts["penalty_decision"].path
    path.write_bytes(docx.replaced(path.read_bytes(), path.name, old, new))
    with pytest.raises(BadInput) as caught:
        assemble.issue(case, "penalty_decision", desk)
    assert caught.value.code == "DRAFT-CHANGED"
    assert code in {f.code for f in caught.value.findings}


def test_an_edited_draft_is_not_stale_because_numbers_were_given_meanwhile(
    desk: Context, make_case: CaseMaker
) -> None:
    case = make_case()
    drafts = {d.id: d for d in assemble.fill(case, desk)}
    path = drafts["penalty_decision"].path
    path.write_bytes(docx.replaced(path.read_bytes(), path.name, "占用耕地", "擅自占用耕地"))
    documents = {d.id: d for d in assemble.issue_all(case, desk)}
    assert "擅自占用耕地" in _texts(documents["penalty_decision"].pdf)


def test_an_issued_document_does_not_go_by_being_left_out(desk: Context, make_case: CaseMaker) -> None:
    assemble.issue_all(make_case(), desk)
    with pytest.raises(Conflict) as caught:
        assemble.issue_all(only(make_case(), "penalty_decision", "service_receipt"), desk)
    assert caught.value.code == "DOC-ISSUED-GONE" and "结案审批表" in caught.value.params["documents"]


def test_a_database_of_last_month_does_not_undo_a_decision(desk: Context, make_case: CaseMaker) -> None:
    from sqlalchemy import delete

    from casefile import database

    first = assemble.issue(make_case(), "penalty_decision", desk)
    before = first.pdf.read_bytes()
    with database.session(desk) as session:
        session.execute(delete(database.IssuedDocument))
    with pytest.raises(Conflict) as caught:
        assemble.issue(make_case(facts="另一事实"), "penalty_decision", desk)
    assert caught.value.code == "DOC-FROZEN-OTHER" and first.pdf.read_bytes() == before
    assert assemble.issue(make_case(), "penalty_decision", desk).pdf_sha256 == first.pdf_sha256
