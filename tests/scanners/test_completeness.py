"""The completeness scanners against their own examples, and the rules behind them."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from casefile import catalogue
from casefile.codes import codes, rendered
from casefile.model.case import Case, DocumentData, RegisterRow
from casefile.model.text import CaseFacts
from scanners.completeness import case_without_file, missing_document

MODULES = (case_without_file, missing_document)
FLAGS = [(m, code, facts) for m in MODULES for code, facts in m.FLAGS]
CLEAN = [(m, facts) for m in MODULES for facts in m.CLEAN]
NO = "2026-PG-0001"


def found(module, facts):
    return [f.code for f in module.scanner.scan_case(facts)]


@pytest.mark.parametrize(("module", "code", "facts"), FLAGS)
def test_flagged(module, code, facts):
    assert set(found(module, facts)) == {code}


@pytest.mark.parametrize(("module", "facts"), CLEAN)
def test_clean(module, facts):
    assert found(module, facts) == []


@pytest.mark.parametrize("module", MODULES)
def test_every_code_has_an_example_and_a_sentence(module):
    assert {code for code, _ in module.FLAGS} == set(module.scanner.codes)
    assert set(module.scanner.codes) <= set(codes())


@pytest.mark.parametrize(("module", "code", "facts"), FLAGS)
def test_every_sentence_is_filled(module, code, facts):
    for finding in module.scanner.scan_case(facts):
        for lang in ("zh", "en"):
            shown = rendered(finding, lang)
            assert "{" not in shown["message"] + shown["next_step"], shown
            assert NO in shown["message"] or finding.params.get("document_id", "?") in shown["message"]


# The real catalogue: what an auditor expects of a penalty case

EARLY = ("clue_registration", "party_identity_proof")
PENALTY = (
    "filing_approval",
    "inquiry_record",
    "evidence_list",
    "investigation_report",
    "case_review_record",
    "penalty_prior_notice",
    "decision_approval",
    "penalty_decision",
    "execution_record",
    "publicity_record",
    "case_closing_approval",
)


def case(*documents, covers=(), outside=EARLY, closed=False, procedures=("general_penalty",), **more):
    known = catalogue.load()
    written = [DocumentData(d, 1, {}, 1) for d in documents]
    if covers:
        written.append(DocumentData("service_receipt", 1, {"covers": tuple(covers)}, 1))
    return CaseFacts(
        case_no=NO,
        row=RegisterRow(
            NO, "案", "general_penalty", "某公司", closed_on=dt.date(2026, 9, 1) if closed else None
        ),
        case=Case(NO, procedures, "案", "某公司", None, {}, tuple(written), digest=""),
        folder_exists=True,
        folder_empty=False,
        issued=more.get("issued", ()),
        gathered=0,
        archived_version=more.get("archived"),
        archived_digest=None,
        ledger_digest=None,
        procedures=known.procedures,
        types=known.types,
        extra={"outside_types": frozenset(outside), "today": dt.date(2026, 11, 20)},
    )


def missing(facts):
    return [f.params["document_id"] for f in missing_document.scanner.scan_case(facts)]


def test_a_complete_closed_case_is_clean():
    assert missing(case(*PENALTY, covers=("penalty_prior_notice", "penalty_decision"), closed=True)) == []


@pytest.mark.parametrize("lost", PENALTY)
def test_a_closed_case_lacks_exactly_what_was_taken_away(lost):
    rest = [d for d in PENALTY if d != lost]
    facts = case(*rest, covers=("penalty_prior_notice", "penalty_decision"), closed=True)
    assert missing(facts) == [lost]


@pytest.mark.parametrize("done", range(1, len(PENALTY)))
def test_a_case_under_way_in_good_order_is_clean(done):
    facts = case(*PENALTY[:done], covers=("penalty_prior_notice", "penalty_decision"))
    assert missing(facts) == []


def test_an_archived_case_is_held_to_the_same_as_a_closed_one():
    assert missing(case(*PENALTY[:5], archived="v1")) == list(PENALTY[5:])


def test_a_decision_without_review_is_told_while_the_case_is_open():
    facts = case(
        *(d for d in PENALTY[:8] if d != "case_review_record"),
        covers=("penalty_prior_notice", "penalty_decision"),
    )
    assert missing(facts) == ["case_review_record"]


def test_an_early_receipt_makes_no_stage_past():
    assert missing(case("filing_approval", covers=("stop_illegal_act_notice",))) == []


def test_the_hearing_notice_does_not_close_the_stage_of_the_penalty():
    facts = case(
        *PENALTY[:4],
        "penalty_prior_notice",
        "hearing_right_notice",
        covers=("penalty_prior_notice", "hearing_right_notice"),
        procedures=("general_penalty", "hearing"),
    )
    assert missing(facts) == []


def test_a_case_without_penalty_needs_no_decision_on_one():
    documents = [d for d in PENALTY if d not in missing_document.EXCUSES["no_penalty_decision"]]
    facts = case(*documents, "no_penalty_decision", covers=("no_penalty_decision",), closed=True)
    assert missing(facts) == []


def test_a_decision_made_all_the_same_excuses_nothing():
    documents = [d for d in PENALTY if d != "execution_record"]
    facts = case(
        *documents,
        "case_transfer_letter",
        covers=("penalty_prior_notice", "penalty_decision"),
        closed=True,
    )
    assert missing(facts) == ["execution_record"]


def test_every_served_document_needs_its_own_receipt():
    facts = case(*PENALTY, covers=("penalty_decision",), closed=True, outside=(*EARLY, "hearing_notice"))
    assert missing(facts) == ["penalty_prior_notice", "hearing_notice"]


def test_an_issued_second_document_needs_a_receipt_under_its_own_number():
    covers = ("penalty_prior_notice", "penalty_decision")
    facts = case(*PENALTY, covers=covers, closed=True, issued=("stop_illegal_act_notice-2",))
    assert missing(facts) == ["stop_illegal_act_notice-2"]


def test_every_type_of_the_catalogue_has_a_known_stage():
    stages = {kind.stage.lstrip("0123456789") for kind in catalogue.load().types.values()}
    assert stages <= set(missing_document._STAGES)


def test_every_excuse_names_types_that_exist():
    known = set(catalogue.load().types)
    named = {t for types in missing_document.EXCUSES.values() for t in types}
    assert named <= known


def test_the_manifest_that_can_not_be_read_is_no_clean_archive():
    facts = dataclasses.replace(case_without_file.CLEAN[0], archived_digest=None)
    assert found(case_without_file, facts) == ["ARCHIVED-CHANGED"]
