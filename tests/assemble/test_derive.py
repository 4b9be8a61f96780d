"""Facts that follow from other facts, each by its article, on the shipped catalogue."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefile import catalogue
from casefile.assemble import check, derive
from casefile.assemble.values import Values
from casefile.config import Bureau, Thresholds
from casefile.model.case import Case, DocumentData

BUREAU = Bureau(
    name="示范市自然资源局", short="示自然资", address="—", contact="—", phone="—", government="示范市人民政府", court="—"
)  # fmt: skip
DEMOLITION = {"kind": "限期拆除新建的建筑物和其他设施", "content": "限期拆除"}
LAND = ("《中华人民共和国土地管理法》第七十七条第一款",)
PLANNING = ("《中华人民共和国城乡规划法》第六十四条",)


def values(
    *documents: DocumentData, procedures: tuple[str, ...] = ("general_penalty",), **facts: Any
) -> Values:
    case = Case("2026-PG-0001", procedures, "样例案", "示例", Path(), facts, documents, "")
    return Values(case, catalogue.load(), BUREAU, lambda _: None)


def of(known: Values, document: DocumentData, name: str) -> Any:
    return known.of(document)[name]


DECISION = DocumentData("penalty_decision", 1, {"decided_at": dt.date(2026, 5, 20)}, 1)


@pytest.mark.parametrize(
    ("penalties", "laws", "period"),
    [
        ([{"kind": "罚款", "content": "罚款", "amount": Decimal(100)}], LAND, "6个月"),
        ([DEMOLITION], LAND, "15日"),
        ([DEMOLITION], PLANNING, "6个月"),
        ([{**DEMOLITION, "basis": LAND[0]}], PLANNING, "15日"),
    ],
)
def test_only_demolition_under_the_land_law_shortens_the_time_to_sue(
    penalties: list[dict[str, Any]], laws: tuple[str, ...], period: str
) -> None:
    known = values(DECISION, proposed_penalties=tuple(penalties), penalty_laws=laws)
    assert of(known, DECISION, "sue_period") == period


@pytest.mark.parametrize(
    ("procedures", "rights", "first"),
    [
        (("general_penalty",), "否", False),
        (("summary_penalty",), "否", True),
        (("general_penalty",), "是", True),
    ],
)
def test_reconsideration_comes_first_where_the_law_says_so(
    procedures: tuple[str, ...], rights: str, first: bool
) -> None:
    known = values(DECISION, procedures=procedures, acquired_rights=rights)
    assert of(known, DECISION, "reconsider_first") is first
    assert of(known, DECISION, "reconsider_authority") == "示范市人民政府", "the government at its own level"


def test_a_fine_is_computed_from_area_and_price_once_for_all_documents() -> None:
    rows = ({"kind": "罚款", "content": "按面积处罚", "quantity": Decimal("1000.00"), "quantity_unit": "平方米",
             "unit_price": Decimal("300")},)  # fmt: skip
    known = values(DECISION, proposed_penalties=rows)
    row = of(known, DECISION, "penalties")[0]
    assert row["amount"] == Decimal("300000.00")
    assert row["formula"] == "1,000.00平方米×300元/平方米"
    assert of(known, DECISION, "fine_amount") == Decimal("300000.00")
    assert of(known, DECISION, "fine_cn") == "叁拾万元整"
    assert of(known, DECISION, "fine_imposed") == "是"


def test_confiscated_sums_are_no_fine() -> None:
    rows = ({"kind": "没收违法所得", "content": "没收", "amount": Decimal("500")},
            {"kind": "罚款", "content": "罚款", "amount": Decimal("200")})  # fmt: skip
    assert of(values(DECISION, proposed_penalties=rows), DECISION, "fine_amount") == Decimal("200")


def test_an_amount_that_is_not_its_product_is_named() -> None:
    row = {
        "kind": "罚款",
        "content": "罚款",
        "quantity": Decimal(10),
        "unit_price": Decimal(3),
        "amount": Decimal(31),
    }
    known = values(DECISION, proposed_penalties=(row,))
    kind = known.catalogue.types["penalty_decision"]
    found = list(
        check.contradictions(kind, known.of(DECISION), known.catalogue.fields_of(kind.id), "行政处罚决定书")
    )
    assert [(f.code, f.params["product"]) for f in found] == [("DATA-PRODUCT", "30.00")]


@pytest.mark.parametrize(
    ("penalty", "ground", "needed"),
    [
        ({"kind": "没收新建的建筑物和其他设施", "content": "没收"}, "没收违法用地新建建筑物", "是"),
        (DEMOLITION, "限期拆除新建建筑物", "是"),
        ({"kind": "吊销许可证件", "content": "吊销"}, "暂扣降低吊销", "是"),
        ({"kind": "罚款", "content": "罚款", "amount": Decimal(50000)}, "较大数额罚款", "是"),
        ({"kind": "罚款", "content": "罚款", "amount": Decimal(49999)}, None, "否"),
        ({"kind": "警告", "content": "警告"}, None, "否"),
    ],
)
def test_the_right_to_a_hearing(penalty: dict[str, Any], ground: str | None, needed: str) -> None:
    known = values(DECISION, proposed_penalties=(penalty,), party_type="法人")
    known = replace(known, thresholds=Thresholds(hearing_fine_organisation=Decimal(50000)))
    here = derive.Here(known, DECISION)
    assert derive.RULES["hearing_ground"](here) == ground
    assert derive.RULES["hearing_needed"](here) == needed


def test_a_fine_without_the_provinces_sum_is_not_judged() -> None:
    known = values(DECISION, proposed_penalties=({"kind": "罚款", "amount": Decimal(9)},), party_type="法人")
    assert derive.RULES["hearing_needed"](derive.Here(known, DECISION)) is None


@given(st.decimals(1, 10**9, places=2), st.integers(0, 400))
def test_the_surcharge_never_exceeds_the_fine(principal: Decimal, days: int) -> None:
    document = DocumentData("penalty_decision", 1, {}, 1)
    here = derive.Here(values(document), document)

    class Said:
        def of(self, name: str) -> Any:
            return {"principal": principal, "overdue_days": days}[name]

    amount = derive.RULES["surcharge"](Said())
    assert here is not None and 0 <= amount <= principal
    assert amount == principal or abs(amount - principal * days * Decimal("0.03")) <= Decimal("0.005")


@pytest.mark.parametrize(
    ("born", "age"), [(dt.date(2008, 5, 20), 18), (dt.date(2008, 5, 21), 17), (None, None)]
)
def test_age_counts_full_years_on_the_documents_date(born: dt.date | None, age: int | None) -> None:
    known = values(DECISION, birth_date=born)
    assert derive.RULES["age"](derive.Here(known, DECISION), "birth_date") == age


def test_a_deadline_runs_from_the_day_of_effective_service() -> None:
    receipt = DocumentData(
        "service_receipt", 1,
        {"covers": ("penalty_decision",), "mode": "公告送达", "announced_at": dt.date(2026, 3, 2)}, 2,
    )  # fmt: skip
    here = derive.Here(values(DECISION, receipt), DECISION)
    # 30 days after the announcement it counts as served, on 1 April; 15 days later is the 16th.
    assert derive.RULES["after"](here, "served:penalty_decision", "15", "d") == dt.date(2026, 4, 16)


def test_a_deadline_in_an_unknown_year_is_not_made_up() -> None:
    late = DocumentData("penalty_decision", 1, {"decided_at": dt.date(2030, 3, 1)}, 1)
    assert derive.RULES["after"](derive.Here(values(late), late), "decided_at", "15", "d") is None


def test_what_a_document_says_itself_wins_over_what_follows() -> None:
    own = DocumentData("penalty_decision", 1, {"fine_amount": Decimal(7), "sue_period": "15日"}, 1)
    known = values(own, proposed_penalties=({"kind": "罚款", "amount": Decimal(9)},))
    assert (of(known, own, "fine_amount"), of(known, own, "sue_period")) == (Decimal(7), "15日")


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({"birth_date": dt.date(1990, 1, 1), "gender": "男"}, []),
        ({"birth_date": dt.date(1990, 1, 10), "gender": "男"}, ["出生日期"]),
        ({"birth_date": dt.date(1990, 1, 1), "gender": "女"}, ["性别"]),
        ({"birth_date": None, "gender": None}, []),
    ],
)
def test_birth_and_sex_agree_with_the_id_number(said: dict[str, Any], fields: list[str]) -> None:
    known = values(DECISION, id_no="990000199001010017", party_type="自然人", **said)
    kind = known.catalogue.types["penalty_decision"]
    found = list(check.contradictions(kind, known.of(DECISION), known.catalogue.fields_of(kind.id), "决定书"))
    assert [(f.code, f.params["field"]) for f in found] == [("DATA-ID-DIFFERS", zh) for zh in fields]
    assert not any("990000" in str(f.params) for f in found), "the number itself is not repeated"


def test_a_respondent_is_known_to_be_a_minor_by_the_card() -> None:
    record = DocumentData(
        "inquiry_record", 1, {"start_at": dt.datetime(2026, 3, 10, 9), "id_no": "990000200903110015"}, 1
    )
    assert derive.RULES["minor_by_id"](derive.Here(values(record), record), "id_no") == "是"


def test_a_limit_on_the_authority_is_not_stretched_over_a_holiday() -> None:
    here = derive.Here(values(DECISION), DECISION)
    # Thirty days from 2026-05-20 end on Friday the 19th of June, a holiday.
    assert derive.RULES["latest"](here, "decided_at", "30", "d") == dt.date(2026, 6, 19)
    assert derive.RULES["after"](here, "decided_at", "30", "d") == dt.date(2026, 6, 22)


def test_nothing_of_the_cases_own_party_is_said_of_another() -> None:
    other = DocumentData("penalty_decision", 2, {"party_name": "张某", "party_type": "自然人"}, 1)
    known = values(DECISION, other, party_name="甲公司", uscc="91990000MA00000008", legal_rep="示例甲")
    said = known.of(other)
    assert (said["party_name"], said["uscc"], said["legal_rep"]) == ("张某", None, None)
    assert known.of(DECISION)["uscc"] == "91990000MA00000008"
