"""The catalogue as it ships: it holds together, and it says all that a document has to say."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from stdnum.cn import ric, uscc

from casefile import catalogue, codes, resources
from casefile.catalogue import Catalogue
from casefile.catalogue.samples import sample, written
from casefile.errors import BadInput
from casefile.model.catalogue import Field
from casefile.model.terms import EvidenceKind, Need, ServiceMode, Volume

DOC = "doc_no doc_date copies attachments secrecy_mark"
CASE = "case_id cause case_source"
PARTY = (
    "party_type party_name party_address party_phone gender birth_date id_type id_no occupation employer uscc "
    "legal_rep legal_rep_title trade_name operator"
)
OFFICERS = "officers"
AGENCY = "agency_name agency_short agency_address agency_contact agency_phone"
APPROVE = "handler_opinion handler_sigs handler_date unit_opinion unit_sig unit_date head_opinion head_sig head_date"
RECORD = "start_at end_at place recorder seq pages"
REMEDY = "reconsider_authority reconsider_days reconsider_first court_name sue_period no_suspension_note"

# What each document must be able to state, by the names of the field tables.
EXPECTED = {
    "filing_approval": f"""{DOC} {CASE} {PARTY} {APPROVE} case_title source_name clue_received_at verified_at
        violation_place violation_time found_at facts_brief violated_laws penalty_laws prelim_evidence
        filing_elements proposed_officers is_major recusal_note filed_at""",
    "inquiry_record": f"""{CASE} {RECORD} {OFFICERS} inquirers respondent_name gender birth_or_age id_no ethnicity
        address employer_title phone relation present_persons interpreter id_shown id_ack recusal_told
        recusal_answer duty_told guardian_present qa corrections check_mode confirm_text page_sigs respondent_sig
        respondent_date refusal_note witness_sig inquirer_sigs recorder_sig av_refs""",
    "site_inspection_record": f"""{CASE} {RECORD} {OFFICERS} {PARTY} weather object boundaries crs points area_total
        area_farmland area_pbf floor_area building_status attachments_on_land mineral_quantity method_instruments
        surveyor_qualification id_shown party_present absence_reason witness findings map_refs photo_refs av_refs
        interruption_note party_comment party_sig refusal_note witness_sig officer_sigs surveyor_sig recorder_sig""",
    "evidence_list": "case_id items",
    "investigation_report": f"""{DOC} {CASE} {PARTY} case_title filed_at investigated_from investigated_to process
        facts_found subject.place subject.area subject.land_class subject.plan_conformity subject.pbf_area
        subject.usage subject.floor_area subject.illegal_gain subject.mineral subject.value evidence_items
        characterization violated_laws penalty_laws discretion_factors discretion_grade harm corrected
        stop_measures party_opinion crime_suspected official_involved proposal proposed_penalties handler_sigs
        reported_at unit_opinion unit_sig""",
    "case_review_record": f"""{CASE} {RECORD} review_mode chair reviewers reporter attendees case_brief check_items
        discussion dissent conclusion conclusion_text reviewer_sigs recorder_sig""",
    "legal_review_opinion": f"""{DOC} {CASE} submitting_unit submitted_at received_at returned_log materials
        reviewer reviewer_qualification is_fulltime assistants review_mode op_subject op_personnel op_procedure
        op_facts op_evidence op_law op_discretion op_authority op_documents op_crime result suggestions extended
        extension_reason finished_at reviewer_sig unit_sig reply_ref dispute_resolution""",
    "penalty_prior_notice": f"""{AGENCY} {DOC} {CASE} {PARTY} facts evidence_summary violated_laws penalty_laws
        discretion_reason proposed_penalties defense_right defense_days defense_channel lapse_note
        with_hearing_right seal""",
    "hearing_right_notice": f"""{AGENCY} {DOC} {CASE} {PARTY} facts evidence_summary violated_laws penalty_laws
        proposed_penalties hearing_ground threshold_ref apply_days apply_channel lapse_note no_cost_note seal""",
    "penalty_decision": f"""{AGENCY} {DOC} {CASE} {PARTY} {REMEDY} filed_at process facts evidence_list
        notice_info.no notice_info.served notice_info.status notice_info.review hearing_info.told
        hearing_info.requested hearing_info.on hearing_info.outcome violated_laws penalty_laws discretion_reason
        penalties fine_cn fine_amount correct_order perform_mode perform_by payment_channel pay_days surcharge_note
        enforce_note publicity_note seal decided_at""",
    "service_receipt": f"""{AGENCY} {CASE} documents addressee place served_at mode receiver_sig received_at
        receiver_relation receiver_id proxy_reason refusal_reason refused_at witness witness_sig left_at av_refs
        mail_no mail_receipt e_address e_arrived_at consent_ref announce_media announced_at announce_reason
        announce_ref server_sigs note covers""",
    "execution_record": f"{CASE} {PARTY} {OFFICERS} items receipt_nos situation result party_sig officer_sigs",
    "publicity_record": f"""{CASE} decision_no category platform published_at until url screenshot_ref review_ref
        redacted_ref publisher""",
    "case_closing_approval": f"""{DOC} {CASE} {PARTY} {APPROVE} case_title filed_at decision_no decided_at penalties
        execution receipt_nos closing_reason remedy_status publicity_status violation_removed accountability
        closed_at""",
}

# The other core documents, by the catalogue's own names.
CORE = {
    "inquiry_notice": """agency_name doc_no notified_person relation inquiry_reason legal_basis appear_at appear_place
        bring_materials rights_notice refusal_consequence officers seal cause""",
    "evidence_preservation_notice": """agency_name doc_no party_name facts_brief legal_basis preserve_approved_by
        preserve_approved_at preserve_from preserve_days preserve_mode preserve_place preserve_custodian
        preserve_items duty_note party_sig witness_sig officers seal""",
    "stop_illegal_act_notice": """agency_name doc_no party_name found_at violation_place facts_brief violated_laws
        order_basis stop_content stop_from await_note consequence officers seal""",
    "correct_illegal_act_notice": """agency_name doc_no party_name facts violated_laws order_basis correct_content
        correct_by correct_mode recheck_at consequence officers seal""",
    "hearing_notice": """agency_name doc_no party_name hearing_at hearing_place hearing_public hearing_closed_reason
        hearing_chair hearing_panel hearing_clerk recusal_note max_agents bring absence_note seal""",
    "hearing_record": """case_no start_at end_at place hearing_public hearing_chair hearing_panel hearing_clerk officers
        party_name hearing_agents hearing_third_parties witnesses identity_checked rights_announced recusal_asked
        case_statement proposal evidence_presented defense cross_examination debate final_statement adjournment
        confirm_text party_sig agent_sigs refusal_note investigator_sigs chair_sig clerk_sig page_sigs av_refs""",
    "performance_urging_notice": """agency_name doc_no party_name decision_no decided_at decision_served_at obligations
        perform_by perform_mode amount surcharge payment_channel defense_right consequence seal""",
    "enforcement_application": """agency_name agency_head doc_no agents party_name court requests subject_info
        decision_no decision_served_at effective_note remedy_status urging_no urging_served_at party_opinion
        facts_reasons legal_basis attachments deadline head_sig seal applied_at""",
    "crime_transfer_letter": """agency_name doc_no party_name recipient transfer_type reason legal_basis facts crime
        measures penalty_done materials goods approved_by report_received_at approved_at sent_at seal receipt""",
    "case_transfer_letter": """agency_name doc_no party_name recipient transfer_type reason legal_basis facts measures
        penalty_done materials approved_by approved_at sent_at seal receipt""",
}

# One fact, one name: where two tables name the same fact, the catalogue has it once.
ONE_NAME = {
    "case_id": "case_no",
    "proposed_officers": "officers",
    "inquirers": "officers",
    "facts_found": "facts",
    "publisher": "publisher_sig",
    "subject.place": "violation_place",
    "subject.area": "area_total",
    "subject.land_class": "land_class",
    "subject.plan_conformity": "plan_conformity",
    "subject.pbf_area": "area_pbf",
    "subject.usage": "usage",
    "subject.floor_area": "floor_area",
    "subject.illegal_gain": "illegal_gain",
    "subject.mineral": "mineral",
    "subject.value": "resource_value",
    "notice_info.no": "prior_notice_no",
    "notice_info.served": "prior_notice_served_at",
    "notice_info.status": "defense_status",
    "notice_info.review": "defense_review",
    "hearing_info.told": "hearing_told",
    "hearing_info.requested": "hearing_requested",
    "hearing_info.on": "hearing_on",
    "hearing_info.outcome": "hearing_outcome",
}
# The date of these documents is a date of their own.
OWN_DATE = {
    "filing_approval": "handler_date",
    "investigation_report": "reported_at",
    "legal_review_opinion": "finished_at",
    "penalty_decision": "decided_at",
    "case_closing_approval": "handler_date",
}

MATRIX = (
    "clue_registration filing_approval party_identity_proof inquiry_record evidence_list investigation_report "
    "case_review_record penalty_prior_notice decision_approval penalty_decision service_receipt execution_record "
    "publicity_record case_closing_approval"
)


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return catalogue.load()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    target = tmp_path / "templates"
    shutil.copytree(resources.root("templates"), target, ignore=shutil.ignore_patterns("*.docx"))
    return target


@pytest.mark.parametrize("type_id", EXPECTED)
def test_a_document_can_state_all_that_it_must(shipped: Catalogue, type_id: str) -> None:
    names = {f.name for f in shipped.fields_of(type_id)}
    wanted = [
        OWN_DATE.get(type_id, n) if n == "doc_date" else ONE_NAME.get(n, n) for n in EXPECTED[type_id].split()
    ]
    assert [name for name in wanted if name not in names] == []


@pytest.mark.parametrize("type_id", CORE)
def test_the_other_core_documents_have_their_whole_field_list(shipped: Catalogue, type_id: str) -> None:
    assert set(CORE[type_id].split()) - {f.name for f in shipped.fields_of(type_id)} == set()


def test_what_the_general_procedure_requires(shipped: Catalogue) -> None:
    general = shipped.procedures["general_penalty"]
    assert set(general.required) == set(MATRIX.split())
    assert {"site_inspection_record", "fine_receipt"} <= set(general.conditional)
    hearing = shipped.procedures["hearing"]
    assert hearing.required == ("hearing_right_notice", "service_receipt")
    assert {"hearing_application", "hearing_notice", "hearing_record", "hearing_report"} <= set(
        hearing.conditional
    )
    assert {"legal_review_opinion", "collective_discussion_record"} <= set(hearing.conditional)


def test_the_profile_has_a_place_for_every_type_in_its_own_volume(shipped: Catalogue) -> None:
    order = shipped.profiles["A"].order
    for volume in Volume:
        for slot in order[volume]:
            assert slot == "evidence" or shipped.types[slot].volume is volume, slot
    placed = {slot for slots in order.values() for slot in slots}
    assert {t for t, kind in shipped.types.items() if kind.volume} - placed == set()


def test_words_of_the_catalogue_are_the_words_of_the_model(shipped: Catalogue) -> None:
    modes = _field(shipped, "service_receipt", "mode").choices
    assert modes == tuple(mode.zh for mode in ServiceMode)
    kinds = {c.name: c for c in _field(shipped, "evidence_list", "items").columns}["kind"].choices
    assert kinds == tuple(kind.zh for kind in EvidenceKind)


def test_the_law_on_two_officers_is_kept(shipped: Catalogue) -> None:
    for type_id in EXPECTED:
        for field in shipped.fields_of(type_id):
            if field.kind == "officers":
                assert field.at_least >= 2


def test_what_was_not_at_hand_is_marked(shipped: Catalogue) -> None:
    unsure = re.compile("自然资发〔2022〕165号|国办发〔2018〕118号")
    for kind in shipped.types.values():
        for basis in kind.basis:
            assert basis.text.startswith("《"), kind.id
            assert not (basis.checked and unsure.search(basis.text)), kind.id


def test_every_basis_names_an_article_when_checked(shipped: Catalogue) -> None:
    without = {
        b.text for kind in shipped.types.values() for b in kind.basis if b.checked and "条" not in b.text
    }
    # Standards and circulars have no articles; statutes and regulations do.
    assert [text for text in without if re.search(r"(法|条例|办法|规定)》$", text)] == []


def test_loading_again_costs_nothing(shipped: Catalogue) -> None:
    assert catalogue.load() is shipped


@pytest.mark.parametrize("type_id", EXPECTED)
def test_samples_fill_what_is_required(shipped: Catalogue, type_id: str) -> None:
    values = sample(type_id, shipped)
    for field in shipped.fields_of(type_id):
        if field.name not in values or field.kind == "seal":
            continue
        value = values[field.name]
        needed = field.need is Need.REQUIRED or (
            field.when is not None and all(str(values.get(n)) in words for n, words in field.when.items())
        )
        assert value is not None or not needed, field.name
        if value is not None and field.choices:
            assert set(value if isinstance(value, tuple) else [value]) <= set(field.choices), field.name
        if value is not None and field.at_least:
            assert len(value) >= field.at_least, field.name
        if value is not None and field.kind == "id_no":
            assert value.startswith("99") and ric.calc_check_digit(value) == value[-1]
        if value is not None and field.kind == "uscc":
            assert value[2:4] == "99" and uscc.is_valid(value)


def test_samples_name_known_fields_only(shipped: Catalogue) -> None:
    for type_id in shipped.templates:
        known = {f.name for f in shipped.fields_of(type_id)} | set(shipped.shared)
        assert set(written(type_id, shipped)) - known == set(), type_id


def _field(shipped: Catalogue, type_id: str, name: str) -> Field:
    return next(f for f in shipped.fields_of(type_id) if f.name == name)


BAD = {
    "not toml": ("common/service_receipt.toml", "id =", "id", "CATALOGUE-TOML", ""),
    "wrong key": (
        "common/service_receipt.toml",
        "stage =",
        "staage =",
        "CATALOGUE-FIELD",
        "“stage”有误：缺少",
    ),
    "wrong kind": (
        "common/service_receipt.toml",
        'kind = "datetime"',
        'kind = "time"',
        "CATALOGUE-FIELD",
        "served_at",
    ),
    "field twice": (
        "common/service_receipt.toml",
        'name = "served_at"',
        'name = "place"',
        "CATALOGUE-DUPLICATE",
        "place",
    ),
    "unknown group": ("common/service_receipt.toml", '"agency"', '"agencies"', "CATALOGUE-UNKNOWN", "groups"),
    "unknown source": (
        "general_penalty/case_closing_approval.toml",
        "penalty_decision.penalties",
        "penalty_decision.penalty",
        "CATALOGUE-UNKNOWN",
        "penalties",
    ),
    "unknown condition": (
        "common/service_receipt.toml",
        'when = { mode = ["留置送达"] }, hint',
        'when = { mode = ["留置"] }, hint',
        "CATALOGUE-UNKNOWN",
        "left_at",
    ),
    "unknown type in order": (
        "profiles/A.toml",
        '"recusal_decision"',
        '"recusal"',
        "CATALOGUE-UNKNOWN",
        "order.main",
    ),
    "unknown required": (
        "hearing/procedure.toml",
        '"hearing_right_notice", "service',
        '"hearing_rights", "service',
        "CATALOGUE-UNKNOWN",
        "required",
    ),
    "id and name differ": (
        "hearing/hearing_right_notice.toml",
        'id = "hearing_right_notice"',
        'id = "hearing_notice"',
        "CATALOGUE-FIELD",
        "id",
    ),
    "fact in two groups": (
        "shared.toml",
        'name = "cause"',
        'name = "party_name"',
        "CATALOGUE-DUPLICATE",
        "party_name",
    ),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_wrong_file_is_named_with_its_key(copied: Path, bad: str) -> None:
    name, old, new, code, key = BAD[bad]
    text = (copied / name).read_text(encoding="utf-8")
    assert old in text
    (copied / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        catalogue.read(copied)
    assert caught.value.code == code
    assert name in caught.value.subject
    sentence, _ = codes.explained(caught.value)
    assert key in sentence and "{" not in sentence
    if bad == "wrong key":
        assert [f.params["reason"] for f in caught.value.findings if f.params["key"] == "staage"] == [
            "没有这个键"
        ]
