"""Documents that a case must have and hasn't (缺文书), and served documents without a receipt (缺送达回证).

**When a document counts as missing.** A procedure names the document types that it requires. In a
*settled* case, closed in the register or archived, every one of them must be there. In an open case a
missing later document is normal, so only stages that are already past are looked at. A stage is past when
a required document of a later stage exists, or when the last required document of the stage itself exists:
who has written the decision has passed the review that leads to it. A service receipt makes no stage
past, for an early notice has one too.

**What counts as there.** A document started in case.yaml, an issued one, or a piece from outside (外来件)
that the evidence list gives this type. A requirement ``a|b`` is met by either.

**Other endings.** A case that ends without a penalty (不予处罚, 移送, 撤案, 不予立案, 终止调查) doesn't need
the documents of a penalty, unless a decision was made all the same.

**Service.** Every served document needs a receipt (送达回证) that covers it, 民事诉讼法 art. 87. The receipt
is missing in a settled case, in a past stage, and when the document is dated more than 15 days ago: a
decision is served within seven working days (行政处罚法 art. 61), which even a long holiday doesn't stretch
further. A younger document that is dated or issued may be on its way, so that is only a note. Receipts are
asked for document by document, never as such.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casefile.model.case import Case, DocumentData, RegisterRow
from casefile.model.catalogue import Basis, DocumentType, Procedure
from casefile.model.finding import Finding
from casefile.model.terms import Need, Service, Volume
from casefile.model.text import CaseFacts

_PENALTY = frozenset({"penalty_prior_notice", "penalty_decision", "execution_record", "fine_receipt"})
_LICENCE = frozenset(
    {
        "license_review_record",
        "license_decision_approval",
        "license_grant_decision",
        "license_denial_decision",
    }
)
_LAND = frozenset(
    {
        "exp_pre_announcement",
        "exp_status_survey",
        "exp_risk_assessment",
        "exp_compensation_announcement",
        "exp_compensation_registration",
        "exp_compensation_agreement",
        "exp_application",
        "exp_announcement",
        "fee_notice",
    }
)
_PUBLICITY = frozenset({"publicity_record", "penalty_publicity_review"})
_REVIEW = frozenset({"case_review_record", "decision_approval"})
_INQUIRY = frozenset(
    {
        "inquiry_record",
        "site_inspection_record",
        "evidence_list",
        "investigation_report",
        "party_identity_proof",
    }
)

EXCUSES: Mapping[str, frozenset[str]] = {
    "no_penalty_decision": _PENALTY | _PUBLICITY,
    "case_transfer_letter": _PENALTY | _PUBLICITY | _REVIEW,
    "crime_transfer_letter": _PENALTY | _PUBLICITY | _REVIEW,
    "investigation_terminate": _PENALTY | _PUBLICITY | _REVIEW,
    "withdraw_filing_approval": _PENALTY | _PUBLICITY | _REVIEW | _INQUIRY,
    "no_filing_approval": _PENALTY
    | _PUBLICITY
    | _REVIEW
    | _INQUIRY
    | frozenset({"filing_approval", "case_closing_approval"}),
    "license_nonacceptance_decision": _LICENCE,
    # Idle land has a way of its own within expropriation and fees (闲置土地处置办法, 待核).
    "idle_land_inquiry_notice": _LAND,
}
"""Another ending or way of a case, to the required types that it makes needless."""

_STAGES = ("启动", "取证", "审决", "送执", "归档")
_SERVED_WITHIN = dt.timedelta(days=15)
_RECEIPT = "service_receipt"
_DECISIONS = frozenset({"penalty_decision", "on_spot_penalty_decision"})


class MissingDocument:
    """Holds the documents of a case against its procedures."""

    codes = ("MISSING-DOCUMENT", "SERVICE-RECEIPT-MISSING", "SERVICE-RECEIPT-DUE")

    def scan_case(self, facts: CaseFacts) -> Iterator[Finding]:
        """Complain about each missing document and each missing receipt."""
        if facts.case is None:
            return
        procedures = [facts.procedures[p] for p in facts.case.procedures if p in facts.procedures]
        present = _present(facts, facts.case)
        progress = _Progress.of(procedures, present, facts)
        yield from _documents(facts, procedures, present, progress)
        yield from _receipts(facts, facts.case, procedures, progress)


@dataclass(frozen=True, slots=True)
class _Progress:
    """How far a case has come.

    ``before`` is the last stage that a required document of a later stage leaves behind; ``closing`` maps
    procedure and stage to the last required document of that stage, where it exists.
    """

    settled: bool
    before: int
    closing: Mapping[tuple[str, int], str]

    @classmethod
    def of(cls, procedures: list[Procedure], present: frozenset[str], facts: CaseFacts) -> _Progress:
        settled = facts.archived_version is not None or (
            facts.row is not None and facts.row.closed_on is not None
        )
        before = -1
        closing: dict[tuple[str, int], str] = {}
        for procedure in procedures:
            place = {type_id: i for i, type_id in enumerate(procedure.documents)}
            required = [
                facts.types[way]
                for requirement in procedure.required
                for way in requirement.split("|")
                if way in facts.types and way in place and way != _RECEIPT
            ]
            required.sort(key=lambda kind: place[kind.id])
            last = {_stage(kind): kind.id for kind in required}
            for kind in required:
                if kind.id in present:
                    before = max(before, _stage(kind) - 1)
                    if last[_stage(kind)] == kind.id:
                        closing[procedure.id, _stage(kind)] = kind.id
        return cls(settled, before, closing)

    def past(self, kind: DocumentType, procedure: Procedure) -> bool:
        """True when a document of this type should have been there by now."""
        closer = self.closing.get((procedure.id, _stage(kind)), kind.id)
        return self.settled or _stage(kind) <= self.before or closer != kind.id


def _stage(kind: DocumentType) -> int:
    word = kind.stage.lstrip("0123456789 ")
    return _STAGES.index(word) if word in _STAGES else 0


def _documents(
    facts: CaseFacts, procedures: list[Procedure], present: frozenset[str], progress: _Progress
) -> Iterator[Finding]:
    excused: frozenset[str] = frozenset()
    if not present & _DECISIONS:
        excused = excused.union(*(EXCUSES[ending] for ending in EXCUSES.keys() & present))
    told: set[str] = set()
    for procedure in procedures:
        for requirement in procedure.required:
            ways = requirement.split("|")
            kind = facts.types.get(ways[0])
            if kind is None:
                wanted = progress.settled
            else:
                # Cover, catalogue and remark sheet, which have no volume, are made by binding.
                wanted = kind.volume is not None and kind.id != _RECEIPT and progress.past(kind, procedure)
            if wanted and not (present | excused) & set(ways) and requirement not in told:
                told.add(requirement)
                yield _missing(facts, procedure, ways)


def _receipts(
    facts: CaseFacts, case: Case, procedures: list[Procedure], progress: _Progress
) -> Iterator[Finding]:
    covered = {
        document_id
        for receipt in case.documents_of(_RECEIPT)
        for document_id in receipt.values.get("covers") or ()
    }
    dated = {d.id: _date_of(d, facts) for d in case.documents}
    today = facts.extra.get("today")
    outside = [t for t in sorted(facts.extra.get("outside_types", ())) if t not in dated]
    for document_id in dict.fromkeys([*dated, *facts.issued, *outside]):
        kind = facts.types.get(_type_of(document_id))
        if kind is None or not kind.served or document_id in covered:
            continue
        of = [p for p in procedures if kind.id in p.documents or kind.id in p.required]
        past = progress.settled or _stage(kind) <= progress.before or any(progress.past(kind, p) for p in of)
        day = dated.get(document_id)
        late = day is not None and isinstance(today, dt.date) and today - day > _SERVED_WITHIN
        if past or late:
            code = "SERVICE-RECEIPT-MISSING"
        elif day is not None or document_id in facts.issued:
            code = "SERVICE-RECEIPT-DUE"
        else:
            continue
        yield Finding(
            code,
            subject=f"documents: {document_id}",
            case_no=facts.case_no,
            params={"document": kind.name, "document_id": document_id},
        )


def _date_of(document: DocumentData, facts: CaseFacts) -> dt.date | None:
    kind = facts.types.get(document.type_id)
    value = document.values.get(kind.date_field) if kind is not None else None
    if isinstance(value, dt.datetime):
        return value.date()
    return value if isinstance(value, dt.date) else None


def _missing(facts: CaseFacts, procedure: Procedure, ways: list[str]) -> Finding:
    known = [facts.types[way] for way in ways if way in facts.types]
    names = [facts.types[way].name if way in facts.types else way for way in ways]
    return Finding(
        "MISSING-DOCUMENT",
        subject=f"documents: {ways[0]}",
        case_no=facts.case_no,
        params={
            "document": "》或《".join(names),
            "document_id": ways[0],
            "procedure": procedure.zh,
            "basis": "；".join(b.text for kind in known[:1] for b in kind.basis) or procedure.zh,
        },
    )


def _type_of(document_id: str) -> str:
    base, dash, ordinal = document_id.rpartition("-")
    return base if dash and ordinal.isdigit() else document_id


def _present(facts: CaseFacts, case: Case) -> frozenset[str]:
    outside: frozenset[str] = frozenset(facts.extra.get("outside_types", ()))
    return outside | {d.type_id for d in case.documents} | {_type_of(i) for i in facts.issued}


scanner = MissingDocument()


def _type(type_id: str, name: str, stage: str, *, served: bool = False, basis: str = "") -> DocumentType:
    return DocumentType(
        id=type_id,
        name=name,
        aliases=(),
        procedures=("general_penalty",),
        stage=stage,
        signers=(),
        service=Service.REQUIRED if served else Service.NONE,
        volume=Volume.MAIN,
        need=Need.REQUIRED,
        condition="",
        basis=(Basis(basis, True),) if basis else (),
        groups=(),
        shared=(),
        fields=(),
        date_field="doc_date",
        number_word="",
        repeatable=False,
        has_template=True,
    )


_TYPES = {
    t.id: t
    for t in (
        _type("filing_approval", "立案审批表", "启动", basis="行政处罚法第五十四条"),
        _type("investigation_report", "案件调查报告", "取证"),
        _type("penalty_prior_notice", "行政处罚告知书", "审决", served=True),
        _type("penalty_decision", "行政处罚决定书", "审决", served=True, basis="行政处罚法第五十九条"),
        _type("no_penalty_decision", "不予行政处罚决定书", "审决", served=True),
        _type("service_receipt", "送达回证", "送执"),
        _type("case_closing_approval", "结案审批表", "送执"),
    )
}
_TODAY = dt.date(2026, 11, 20)
_ORDER = tuple(_TYPES)
_PROCEDURE = Procedure(
    "general_penalty",
    "行政处罚普通程序",
    required=(
        "filing_approval",
        "investigation_report",
        "penalty_prior_notice",
        "penalty_decision",
        "case_closing_approval",
    ),
    conditional={},
    documents=_ORDER,
)


def _facts(
    *documents: str,
    covers: tuple[str, ...] = (),
    closed: bool = False,
    issued: tuple[str, ...] = (),
    outside: tuple[str, ...] = (),
    dated: dt.date | None = None,
) -> CaseFacts:
    def data(type_id: str, values: Mapping[str, Any]) -> DocumentData:
        return DocumentData(type_id, 1, values, 1)

    written = [data(d, {"doc_date": dated}) for d in documents]
    if covers:
        written.append(data("service_receipt", {"covers": covers}))
    no = "2026-PG-0001"
    closed_on = dt.date(2026, 9, 1) if closed else None
    return CaseFacts(
        case_no=no,
        row=RegisterRow(no, "某公司违法占地案", "general_penalty", "某公司", closed_on=closed_on),
        case=Case(
            no, ("general_penalty",), "某公司违法占地案", "某公司", Path(), {}, tuple(written), digest=""
        ),
        folder_exists=True,
        folder_empty=False,
        issued=issued,
        gathered=0,
        archived_version=None,
        archived_digest=None,
        ledger_digest=None,
        procedures={"general_penalty": _PROCEDURE},
        types=_TYPES,
        extra={"outside_types": frozenset(outside), "today": _TODAY},
    )


_ALL = ("filing_approval", "investigation_report", "penalty_prior_notice", "penalty_decision")
_SERVED = ("penalty_prior_notice", "penalty_decision")

FLAGS: tuple[tuple[str, CaseFacts], ...] = (
    ("MISSING-DOCUMENT", _facts(*_ALL, covers=_SERVED, closed=True)),
    ("MISSING-DOCUMENT", _facts("filing_approval", "penalty_prior_notice")),
    (
        "MISSING-DOCUMENT",
        _facts("filing_approval", "investigation_report", "penalty_decision", covers=("penalty_decision",)),
    ),
    (
        "SERVICE-RECEIPT-MISSING",
        _facts(*_ALL, "case_closing_approval", covers=("penalty_prior_notice",), closed=True),
    ),
    ("SERVICE-RECEIPT-MISSING", _facts(*_ALL, covers=("penalty_decision",))),
    ("SERVICE-RECEIPT-MISSING", _facts(*_ALL[:3], dated=dt.date(2026, 10, 20))),
    ("SERVICE-RECEIPT-DUE", _facts(*_ALL[:3], dated=dt.date(2026, 11, 18))),
    (
        "SERVICE-RECEIPT-DUE",
        _facts(*_ALL[:3], issued=("penalty_prior_notice",)),
    ),
)
CLEAN: tuple[CaseFacts, ...] = (
    _facts(*_ALL, "case_closing_approval", covers=_SERVED, closed=True),
    _facts("filing_approval"),
    _facts(*_ALL, covers=("penalty_prior_notice",)),
    _facts("filing_approval", "investigation_report", "penalty_prior_notice"),
    _facts("investigation_report", "penalty_prior_notice", outside=("filing_approval",)),
    _facts(
        "filing_approval",
        "investigation_report",
        "no_penalty_decision",
        "case_closing_approval",
        covers=("no_penalty_decision",),
        closed=True,
    ),
)
