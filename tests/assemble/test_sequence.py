"""Acts in the wrong order are named with both dates and the article."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from test_derive import values

from casefile.assemble import sequence
from casefile.model.case import DocumentData


def document(type_id: str, **said: Any) -> DocumentData:
    return DocumentData(type_id, 1, said, 1)


def receipt(covers: str, day: dt.date) -> DocumentData:
    return document("service_receipt", covers=(covers,), mode="直接送达", received_at=day)


DAY = dt.date(2026, 5, 20)


@pytest.mark.parametrize(
    ("notice_served", "codes"),
    [
        (DAY - dt.timedelta(9), []),
        (DAY, ["DATA-SEQUENCE-SAME-DAY"]),
        (DAY + dt.timedelta(1), ["DATA-SEQUENCE-SAME-DAY"]),
    ],
)
def test_a_decision_comes_after_the_day_on_which_the_notice_was_served(
    notice_served: dt.date, codes: list[str]
) -> None:
    decision = document("penalty_decision", decided_at=DAY)
    notice = document("penalty_prior_notice", doc_date=DAY - dt.timedelta(20))
    known = values(decision, notice, receipt("penalty_prior_notice", notice_served))
    found = list(sequence.complaints(known, {"penalty_decision"}))
    assert [f.code for f in found] == codes
    if found:
        assert "2026年5月20日" in found[0].params["date"] and "行政处罚法" in found[0].params["basis"]


def test_only_acts_of_the_documents_asked_for_are_named() -> None:
    report = document("investigation_report", reported_at=dt.date(2026, 3, 1))
    filing = document("filing_approval", head_date=dt.date(2026, 3, 5))
    known = values(report, filing)
    assert [f.code for f in sequence.complaints(known, {"investigation_report"})] == [
        "DATA-SEQUENCE-SAME-DAY"
    ]
    assert list(sequence.complaints(known, {"evidence_list"})) == []


def test_an_act_without_a_date_is_no_act_yet() -> None:
    known = values(document("filing_approval"), document("investigation_report", reported_at=DAY))
    assert list(sequence.complaints(known, {"investigation_report"})) == []


def test_each_party_is_held_against_its_own_notice() -> None:
    def to(party: str, type_id: str, **said: Any) -> DocumentData:
        return DocumentData(type_id, 1 if party == "甲" else 2, {"party_name": party, **said}, 1)

    early, late = dt.date(2026, 5, 1), dt.date(2026, 6, 12)
    known = values(
        to("甲", "penalty_prior_notice", doc_date=early),
        to("乙", "penalty_prior_notice", doc_date=late),
        to("甲", "penalty_decision", decided_at=DAY),
        to("乙", "penalty_decision", decided_at=DAY),
        receipt("penalty_prior_notice", early),
        DocumentData(
            "service_receipt",
            2,
            {"covers": ("penalty_prior_notice-2",), "mode": "直接送达", "received_at": late},
            1,
        ),
    )
    found = list(sequence.complaints(known, {"penalty_decision", "penalty_decision-2"}))
    assert [f.code for f in found] == ["DATA-SEQUENCE-SAME-DAY"], "only 乙 was decided before it was told"


def test_nothing_is_served_before_it_was_made() -> None:
    notice = document("penalty_prior_notice", doc_date=DAY)
    known = values(notice, receipt("penalty_prior_notice", DAY - dt.timedelta(7)))
    (found,) = sequence.complaints(known, {"penalty_prior_notice"})
    assert found.code == "DATA-SEQUENCE" and "送达" in found.params["document"]
