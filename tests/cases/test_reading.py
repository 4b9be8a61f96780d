"""case.yaml → Case, with every complaint at once."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casefile import codes
from casefile.errors import BadInput
from casefile.formats.written import unseen_character
from casefile.formats.yaml import quoted

NUMBER = "2026-PG-0001"
USCC = "91999999MA0000001N"
ID = "999901199001010010"

GOOD = f"""\
case:
  case_no: "{NUMBER}"
  procedures: [general_penalty]
  case_title: 某公司非法占地案
  cause: 非法占地
party:
  party_type: 法人
  party_name: 某公司
  uscc: {USCC}
officers:
  - name: 张三
    cert_no: "001"
  - name: 李四
    cert_no: "002"
matter:
  facts: |
    第一段。
    第二段。
  violated_laws:
    - 《中华人民共和国土地管理法》第七十七条第一款
"""

DECISION = """\
documents:
  penalty_decision:
    decided_at: 2026年3月5日
    has_fine: 否
"""


def line_of(text: str, part: str) -> str:
    return str(next(n for n, line in enumerate(text.splitlines(), 1) if part in line))


def test_a_good_case_is_typed(desk: Any) -> None:
    text = GOOD + DECISION
    case = desk.read(text)
    assert (case.case_no, case.title, case.party) == (NUMBER, "某公司非法占地案", "某公司")
    assert case.procedures == ("general_penalty",)
    assert case.digest == hashlib.sha256(text.encode()).hexdigest()
    assert case.facts["facts"] == "第一段。\n第二段。"
    assert case.facts["violated_laws"] == ("《中华人民共和国土地管理法》第七十七条第一款",)
    assert case.facts["officers"][1] == {"name": "李四", "cert_no": "002", "title": None}
    assert case.facts["reconsider_days"] == 60
    assert case.facts["area_total"] is None and case.facts["id_no"] is None
    assert "agency_name" not in case.facts and "decision_no" not in case.facts
    (decision,) = case.documents
    assert (decision.id, decision.line) == ("penalty_decision", int(line_of(text, "penalty_decision:")))
    assert decision.values == {
        "decided_at": dt.date(2026, 3, 5),
        "has_fine": False,
        "fine_amount": None,
        "pay_days": 15,
        "items": None,
        "subject": None,
    }


def test_rows_records_people_and_overrides(desk: Any) -> None:
    text = (
        GOOD
        + DECISION
        + """\
    doc_no: 示〔2026〕1号
    reconsider_days: "30"
    facts: 只在决定书里这样写
    items:
      - name: 挖掘机
        value: 1.5万元
      - name: ""
        value: ""
      - name: 推土机
    subject:
      place: 某村
      area: 1,234.50
  service_receipt:
    - covers: [penalty_decision]
      served_at: 2026-03-06 09:30
      signed: 张三、李四
      present:
        - 王五
        - name: 赵六
          title: 村主任
    - covers: [行政处罚决定书]
      served_at: 2026-03-06 10:30
"""
    )
    decision, first, second = desk.read(text).documents
    assert decision.values["doc_no"] == "示〔2026〕1号"
    assert decision.values["reconsider_days"] == 30
    assert decision.values["facts"] == "只在决定书里这样写"
    assert decision.values["items"] == (
        {"name": "挖掘机", "value": Decimal("15000.00")},
        {"name": "推土机", "value": None},
    )
    assert decision.values["subject"] == {"place": "某村", "area": Decimal("1234.50")}
    assert first.values["present"] == ({"name": "王五", "title": None}, {"name": "赵六", "title": "村主任"})
    assert first.values["signed"] == ("张三", "李四")
    assert (second.id, second.values["covers"]) == ("service_receipt-2", ("penalty_decision",))


def test_everything_wrong_is_told_at_once_with_names_and_lines(desk: Any) -> None:
    text = f"""\
case:
  case_no: "{NUMBER}"
  procedures: [general_penalty]
  case_title: ""
  cause: 非法占地
  case_source: 听说
  case_sourse: 巡查
party:
  party_type: 自然人
  party_name: 某甲
  id_type: 居民身份证
  id_no: "{ID[:-1]}1"
officers:
  - name: 张三
    cert_no: "001"
  - name: 李四
documents:
  filing_approval:
    doc_date: 2026-02-30
  penalty_decision:
    decided_at: 2026-03-05
    has_fine: 是
    items:
      - value: -3
"""
    findings = desk.complaints(text)
    told = {(f.code, f.params["name"], f.params["line"]) for f in findings}
    assert told == {
        ("FIELD-MISSING", "case_title", line_of(text, "case_title")),
        ("FIELD-CHOICE", "case_source", line_of(text, "case_source")),
        ("FIELD-UNKNOWN", "case_sourse", line_of(text, "case_sourse")),
        ("FIELD-ID", "id_no", line_of(text, "id_no")),
        ("FIELD-MISSING", "officers.2.cert_no", line_of(text, "李四")),
        ("FIELD-WRONG", "doc_date", line_of(text, "doc_date")),
        ("FIELD-MISSING", "opinion", line_of(text, "filing_approval:")),
        ("FIELD-MISSING", "violated_laws", "1"),
        ("FIELD-MISSING", "facts", "1"),
        ("FIELD-MISSING-WHEN", "fine_amount", line_of(text, "penalty_decision:")),
        ("FIELD-MISSING", "items.1.name", line_of(text, "value: -3")),
        ("FIELD-NEGATIVE", "items.1.value", line_of(text, "value: -3")),
    }
    assert [int(f.params["line"]) for f in findings] == sorted(int(f.params["line"]) for f in findings)
    by_code = {f.code: codes.rendered(f) for f in findings}
    assert "2026-02-30" in by_code["FIELD-WRONG"]["message"]
    assert "《立案审批表》" in by_code["FIELD-WRONG"]["message"]
    assert "case_source（案件来源）" in by_code["FIELD-UNKNOWN"]["next_step"]
    assert "“是否罚款”为“是”" in by_code["FIELD-MISSING-WHEN"]["message"]
    everything = " ".join(str(codes.rendered(f)) for f in findings)
    assert ID[3:14] not in everything and "{" not in everything.replace("{'", "")


def test_an_identity_number_in_the_wrong_field_is_not_repeated(desk: Any) -> None:
    text = GOOD.replace("party_type: 法人", f"party_type: '{ID}'").replace("非法占地案", "案")
    findings = desk.complaints(
        text + f"documents:\n  filing_approval:\n    doc_date: '{ID}'\n    opinion: x\n"
    )
    assert ID not in str([codes.rendered(f) for f in findings])


def test_officers_are_two_different_people(desk: Any) -> None:
    one = desk.complaint(GOOD.replace("李四", "张三").replace('"002"', '"001"'))
    assert (one.code, one.params["count"], one.params["least"]) == ("FIELD-OFFICERS", "1", "2")


def test_a_condition_looks_at_what_is_written(desk: Any) -> None:
    one = desk.complaint(GOOD.replace(f"  uscc: {USCC}\n", ""))
    assert (one.code, one.params["name"]) == ("FIELD-MISSING-WHEN", "uscc")
    assert "“当事人类型”为“法人”" in codes.rendered(one)["message"]


def test_a_credit_code_is_checked_and_covered(desk: Any) -> None:
    one = desk.complaint(GOOD.replace(USCC, USCC[:-1] + "A"))
    assert one.code == "FIELD-ID" and USCC[4:15] not in str(one)


def test_facts_of_the_matter_are_needed_once_a_document_uses_them(desk: Any) -> None:
    bare = GOOD[: GOOD.index("matter:")]
    assert desk.read(bare).documents == ()
    findings = desk.complaints(bare + DECISION)
    assert {f.params["name"] for f in findings} == {"facts", "violated_laws"}
    assert all("行政处罚决定书" in f.params["where"] for f in findings)
    overridden = DECISION + "    facts: 甲\n    violated_laws: 《某法》第一条\n"
    assert desk.read(bare + overridden).documents[0].values["violated_laws"] == ("《某法》第一条",)


def test_blank_documents_are_not_started(desk: Any) -> None:
    text = (
        GOOD
        + """\
documents:
  filing_approval:
    doc_date: ""
    opinion: |

  service_receipt:
    -
      covers:
        - ""
"""
    )
    assert desk.read(text).documents == ()


def test_a_document_without_own_fields_is_started_by_a_word(desk: Any) -> None:
    assert desk.read(GOOD + "documents:\n  evidence_list: 制作\n").documents[0].id == "evidence_list"
    assert desk.read(GOOD + "documents:\n  evidence_list: ''\n").documents == ()


@pytest.mark.parametrize(
    ("documents", "code"),
    [
        ("  penalty_decison:\n    decided_at: x\n", "DOCUMENT-UNKNOWN"),
        ("  court_ruling: 制作\n", "DOCUMENT-OUTSIDE"),
        ("  hearing_record:\n    doc_date: 2026-03-05\n", "DOCUMENT-PROCEDURE"),
        (
            "  filing_approval:\n    - doc_date: 2026-03-05\n      opinion: x\n    - doc_date: 2026-03-05\n",
            "DOCUMENT-REPEATED",
        ),
        (
            "  service_receipt:\n    - covers: [penalty_decison]\n      served_at: 2026-03-05 10:00\n",
            "DOCUMENT-REFERENCE",
        ),
        (
            "  service_receipt:\n    - covers: [service_receipt]\n      served_at: 2026-03-05 10:00\n",
            "DOCUMENT-REFERENCE",
        ),
        ("  filing_approval: 写错了\n", "FIELD-SHAPE"),
    ],
)
def test_wrong_documents(desk: Any, documents: str, code: str) -> None:
    assert code in {f.code for f in desk.complaints(GOOD + "documents:\n" + documents)}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("  cause: 非法占地", "  cause:\n    - 非法占地", "FIELD-SHAPE"),
        ("  cause: 非法占地", "  cause: 非法占地\n  party_name: 某甲", "FIELD-MISPLACED"),
        ("  cause: 非法占地", "  cause: 非法占地\n  案由: 某甲", "FIELD-UNKNOWN"),
        ("party:", "partty:", "FIELD-UNKNOWN"),
        (NUMBER, "2026-PG-0002", "CASE-NUMBER-DIFFERS"),
        ("[general_penalty]", "[penalty]", "FIELD-CHOICE"),
        ("《中华人民共和国土地管理法》第七十七条第一款", "土地管理法77条", "FIELD-LAW"),
        ("  cause: 非法占地", '  cause: "非法\\u202e占地"', "FIELD-CHARACTER"),
        ("  cause: 非法占地", f"  cause: {'占' * 20_001}", "FIELD-LONG"),
    ],
)
def test_wrong_facts(desk: Any, old: str, new: str, code: str) -> None:
    assert code in {f.code for f in desk.complaints(GOOD.replace(old, new))}


def test_procedures_may_be_written_in_chinese(desk: Any) -> None:
    assert desk.read(GOOD.replace("[general_penalty]", "[普通程序, 听证程序]")).procedures == (
        "general_penalty",
        "hearing",
    )


def test_an_empty_file_misses_the_facts_of_the_first_day(desk: Any) -> None:
    names = {f.params["name"] for f in desk.complaints("# nothing\n")}
    assert names == {"case_no", "procedures", "case_title", "cause", "party_type", "party_name", "officers"}


def test_no_file(desk: Any, catalogue: Any, config: Any) -> None:
    from casefile import cases

    with pytest.raises(BadInput) as caught:
        cases.read(desk.folder, catalogue, config)
    assert caught.value.code == "CASE-NO-DATA"
    assert "{" not in "".join(codes.explained(caught.value))


@pytest.mark.parametrize("text", ["- a\n- b\n", "非法占地"])
def test_not_a_form(desk: Any, text: str) -> None:
    with pytest.raises(BadInput) as caught:
        desk.read(text)
    assert caught.value.code == "CASE-SHAPE"


TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=60).filter(
    lambda t: t == t.strip() and unseen_character(t) is None and "\n" not in t
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(title=TEXT, party=TEXT, facts=st.lists(TEXT, min_size=1, max_size=4).map("\n".join))
def test_any_text_written_as_yaml_reads_back_equal(desk: Any, title: str, party: str, facts: str) -> None:
    text = GOOD.replace("某公司非法占地案", quoted(title)).replace(" 某公司\n", f" {quoted(party)}\n")
    text = text.replace("|\n    第一段。\n    第二段。", quoted(facts))
    case = desk.read(text)
    assert (case.title, case.party, case.facts["facts"]) == (title, party, facts)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_in_one_sentence(desk: Any, data: st.DataObject) -> None:
    text = GOOD + DECISION
    start = data.draw(st.integers(0, len(text) - 1))
    length = data.draw(st.integers(0, 12))
    put = data.draw(st.text(alphabet="：: \n\t-#\"'|[]{}甲1", max_size=6))
    try:
        desk.read(text[:start] + put + text[start + length :])
    except BadInput as error:
        assert codes.explained(error)
        for finding in error.findings:
            assert codes.rendered(finding)["message"]
