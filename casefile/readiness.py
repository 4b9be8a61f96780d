"""Whether a case is ready for the next stage: what must be refused, in whose words.

A stage does its work or fails. What a bureau must not let through although every stage could do it, is here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from casefile import assemble, catalogue, gather, scanning
from casefile.codes import severities
from casefile.context import Context
from casefile.errors import BadInput, Refused, Undecided
from casefile.gather import Gathered
from casefile.model.case import Case, RegisterRow
from casefile.model.document import Document, Part
from casefile.model.finding import Finding, Report
from casefile.model.terms import Route, Severity
from casefile.model.text import CaseFacts


def refuse_unbindable(gathered: Gathered, case_no: str) -> None:
    """Nothing of a state secret, and nothing half received, goes into a volume."""
    if gathered.refused:
        raise Refused("CASE-HAS-SECRETS", subject=case_no, findings=gathered.findings)
    if gather.is_incomplete(gathered.findings):
        raise BadInput("CASE-EVIDENCE-LEFT", subject=case_no, findings=gathered.findings)


def refuse_secrets(case: Case, context: Context) -> None:
    """The bureau's own texts, too, must bear no mark of a state secret: case data and drafts."""
    drafts = context.workspace.case(case.case_no).documents
    texts = [case.folder / "case.yaml", *sorted(drafts.glob("*.docx"))]
    found = [
        finding
        for path in texts
        for finding in scanning.scan_text(
            scanning.read(path, context.workspace.relative(path), case.case_no).pages
        ).findings
    ]
    if gather.is_unsafe(found):
        raise Refused(
            "CASE-TEXT-SECRET", subject=case.case_no, findings=[f for f in found if gather.is_unsafe([f])]
        )


def refuse_unready(case: Case, gathered: Gathered, row: RegisterRow | None, *, archive: bool) -> None:
    """Whatever can be known before a document is frozen and a number used up is told before."""
    assemble.refuse_misplaced(case, gathered.parts, catalogue.load())
    if archive:
        refuse_damaged(gathered, case.case_no)
        refuse_incomplete(case, gathered, row)


def refuse_damaged(gathered: Gathered, case_no: str) -> None:
    """A damaged or locked piece may still be had whole; once archived, its placeholder stays."""
    weight = severities()
    wrong = [finding for finding in gathered.findings if weight.get(finding.code) is Severity.ERROR]
    if wrong:
        raise BadInput("CASE-EVIDENCE-LEFT", subject=case_no, findings=wrong)


def refuse_incomplete(case: Case, gathered: Gathered, row: RegisterRow | None) -> None:
    """What is archived must be whole: the scanners judge the case as if it were in the archive already."""
    scanners = scanning.case_scanners()
    if not scanners:
        raise Undecided("CASE-NO-SCANNERS", subject=case.case_no)
    known = catalogue.load()
    facts = CaseFacts(
        case_no=case.case_no,
        row=row,
        case=case,
        folder_exists=True,
        folder_empty=False,
        issued=tuple(document.id for document in case.documents),
        gathered=len(gathered.evidence),
        archived_version="v1",
        archived_digest="",
        ledger_digest="",
        procedures=known.procedures,
        types=known.types,
        extra={"outside_types": tuple({item.type_id for item in gathered.evidence} - {"evidence"})},
    )
    lacking = [finding for scanner in scanners for finding in scanner.scan_case(facts)]
    if lacking:
        raise BadInput("CASE-INCOMPLETE", subject=case.case_no, findings=lacking)


def refuse_unsigned(documents: Sequence[Document], parts: Sequence[Part], case_no: str) -> None:
    """What people sign must be signed: in the data, electronically or on a scan of the paper."""
    blank = [*assemble.unsigned(documents, parts, case_no), *_proving_nothing(documents, parts, case_no)]
    if blank:
        raise BadInput("CASE-INCOMPLETE", subject=case_no, findings=blank)


def _proving_nothing(documents: Sequence[Document], parts: Sequence[Part], case_no: str) -> Iterator[Finding]:
    """A service receipt that covers a document which the case doesn't have proves nothing."""
    there = {document.id for document in documents} | {
        name for part in parts for name in (part.id, part.type_id)
    }
    types = catalogue.load().types
    for receipt in documents:
        for covered in receipt.covers:
            if covered not in there:
                name = types[covered].name if covered in types else covered
                params = {"document": receipt.title, "covered": name, "document_id": covered}
                yield Finding("RECEIPT-COVERS-NOTHING", f"documents: {receipt.id}", case_no, params)


def told(gathered: Gathered, case_no: str) -> Report:
    """What gathering has to say to somebody who closes a case.

    The text of pictures can't be read yet. ``gather`` and ``scan`` list each as not looked at; here one note
    says so, since whether the package stands is a question of its own. What could not be opened at all, and
    everything while a scanner is missing or broken, stays not looked at.
    """
    report = gathered.report()
    if scanning.installed().broken or not scanning.text_scanners():
        return report
    closed = {one.subject for one in gathered.records if one.route is Route.PLACEHOLDER}
    pictures = {one.subject for one in report.not_looked_at} - closed
    if not pictures:
        return report
    note = Finding("CASE-PICTURES-UNREAD", case_no, case_no, {"count": str(len(pictures))})
    unread = tuple(one for one in report.not_looked_at if one.subject in closed)
    return Report(report.subjects, (*report.findings, note), unread, report.parts)
