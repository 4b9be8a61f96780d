"""The way of a case, every stage in order, on one screen.

    register row ─► case ─► issue ─► documents ─┐
                  inbox ─► gather ─► evidence ──┴► parts ─► bind ─► sign ─► package ─► archive ─► verify

A stage takes one noun and returns the next. Only this module decides what runs next. Every stage is
idempotent and keyed by content digest, so a run that was killed is simply run again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from casefile import (
    assemble,
    bind,
    cases,
    catalogue,
    gather,
    ledger,
    package,
    register,
    scanning,
    sign,
    verify,
)
from casefile.codes import severities
from casefile.context import Context
from casefile.errors import BadInput, CasefileError, Conflict, Refused, SigningFailed, Undecided
from casefile.formats import cms
from casefile.gather import Gathered
from casefile.model.case import Case, RegisterRow
from casefile.model.document import Document, Part
from casefile.model.dossier import Dossier, Package, SignedDossier, StoredPackage
from casefile.model.finding import Finding, Report, merge
from casefile.model.terms import Route, Severity
from casefile.model.text import CaseFacts


class Stage(IntEnum):
    """How far to go."""

    BIND = 1
    SIGN = 2
    ARCHIVE = 3
    CLOSE = 4


@dataclass(slots=True)
class Done:
    """What a run has made so far."""

    case: Case
    documents: tuple[Document, ...] = ()
    gathered: Gathered | None = None
    dossier: Dossier | None = None
    signed: SignedDossier | None = None
    package: Package | None = None
    stored: StoredPackage | None = None
    report: Report = field(default_factory=lambda: Report(subjects=1))

    def made(self, context: Context) -> Iterator[tuple[str, str]]:
        """What a person may open: place inside the workspace, SHA-256."""
        for volume in (self.signed or self.dossier or _NOTHING).volumes:
            yield context.workspace.relative(volume.pdf), volume.sha256
        if self.stored is not None:
            yield context.workspace.relative(self.stored.folder), self.stored.manifest_sha256


@dataclass(frozen=True, slots=True)
class _Nothing:
    volumes: tuple[()] = ()


_NOTHING = _Nothing()


def read(case_no: str, context: Context) -> Case:
    """Case folder to case."""
    return cases.read(context.workspace.case(case_no), catalogue.load(), context.config)


def run(case_no: str, context: Context, *, until: Stage = Stage.CLOSE) -> Done:
    """Take a case from its data to ``until``; alone on the case.

    Raises:
        CasefileError: at the first stage that can't go on; what was made before stays and is used again.
    """
    with context.locked(case_no):
        case = read(case_no, context)
        done = Done(case)
        done.gathered = gather.gather(case, context)
        done.report = _told(done.gathered, case_no)
        _refuse_unbindable(done.gathered, case_no)
        _refuse_secrets(case, context)
        done.stored = package.stored(case_no, context)
        if done.stored is not None and not package.holds(done.stored, case, (), done.gathered.evidence):
            raise Conflict("ARCHIVE-EXISTS", subject=case_no, version=done.stored.version)
        done.documents = sign.sealed(case_no, assemble.issue_all(case, context), context, new=False)
        typed = assemble.parts(case, done.documents)
        parts = assemble.with_scans(typed, done.gathered.parts, case_no, catalogue.load())

        if done.stored is None:
            _make(done, parts, context, until)
        elif package.holds(done.stored, case, done.documents, done.gathered.evidence):
            package.record(done.stored, context)
        else:
            raise Conflict("ARCHIVE-EXISTS", subject=case_no, version=done.stored.version)
        if until is Stage.CLOSE:
            done.report = merge([done.report, verify.case(case_no, context)])
    return done


def _make(done: Done, parts: Sequence[Part], context: Context, until: Stage) -> None:
    case, gathered = done.case, done.gathered
    assert gathered is not None
    row = register.row(case.case_no, context)
    if until >= Stage.ARCHIVE:
        _refuse_damaged(gathered, case.case_no)
        _refuse_incomplete(case, done.documents, gathered, row)
        _refuse_unsigned(done.documents, parts, case.case_no)
    done.dossier = bind.bind(case, parts, context)
    if until >= Stage.SIGN:
        done.documents = sign.sealed(case.case_no, done.documents, context)
        done.signed = sign.sign(done.dossier, context)
    if done.signed is not None and until >= Stage.ARCHIVE:
        done.package = package.package(
            case, done.documents, gathered.evidence, parts, done.signed, context, row
        )
        done.stored = package.store(done.package, context)


def _refuse_unbindable(gathered: Gathered, case_no: str) -> None:
    if gathered.refused:
        raise Refused("CASE-HAS-SECRETS", subject=case_no, findings=gathered.findings)
    if gather.is_incomplete(gathered.findings):
        raise BadInput("CASE-EVIDENCE-LEFT", subject=case_no, findings=gathered.findings)


def _refuse_secrets(case: Case, context: Context) -> None:
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


def _refuse_damaged(gathered: Gathered, case_no: str) -> None:
    """A damaged or locked piece may still be had whole; once archived, its placeholder stays."""
    weight = severities()
    wrong = [finding for finding in gathered.findings if weight.get(finding.code) is Severity.ERROR]
    if wrong:
        raise BadInput("CASE-EVIDENCE-LEFT", subject=case_no, findings=wrong)


def _refuse_incomplete(
    case: Case, documents: Sequence[Document], gathered: Gathered, row: RegisterRow | None
) -> None:
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
        issued=tuple(document.id for document in documents),
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


def _refuse_unsigned(documents: Sequence[Document], parts: Sequence[Part], case_no: str) -> None:
    """What people sign must be signed: in the data, electronically or on a scan of the paper."""
    blank = list(assemble.unsigned(documents, parts, case_no))
    if blank:
        raise BadInput("CASE-INCOMPLETE", subject=case_no, findings=blank)


def fill(case_no: str, context: Context, ids: Sequence[str] | None = None) -> tuple[assemble.Draft, ...]:
    """Drafts of the documents of a case."""
    with context.locked(case_no):
        return assemble.fill(read(case_no, context), context, ids)


def fill_all(context: Context) -> Iterator[tuple[str, tuple[assemble.Draft, ...] | CasefileError]]:
    """Drafts of every case that is not archived, one case after the other.

    A case that can't be filled does not stop the others: its error stands in place of its drafts. Run again,
    the finished ones are found unchanged.
    """
    numbers = cases.folders(context)
    context.progress.start("fill", len(numbers))
    for case_no in numbers:
        try:
            if package.stored(case_no, context) is None:
                yield case_no, fill(case_no, context)
        except CasefileError as error:
            yield case_no, error
        context.progress.step(case_no)
    context.progress.done()


def slips(case_no: str, context: Context) -> Path | None:
    """Cover slips for the documents from outside that lie in the inbox; None when there are none."""
    with context.locked(case_no):
        case = read(case_no, context)
        gathered = gather.gather(case, context)
        return assemble.slips(case, gathered.evidence, gathered.parts, context)


def issue(case_no: str, document_id: str, context: Context) -> Document:
    """Number, freeze and seal one document."""
    with context.locked(case_no):
        issued = assemble.issue(read(case_no, context), document_id, context)
        return sign.sealed(case_no, [issued], context)[0]


def normalise(files: Sequence[Path], target: Path, context: Context) -> tuple[Report, bool]:
    """Make any files PDF/A parts; True when one of them was refused as unsafe."""
    report = gather.normalise(files, target, context)
    return report, gather.is_unsafe(report.findings)


def gathered(case_no: str, context: Context) -> Gathered:
    """Gather the evidence of a case."""
    with context.locked(case_no):
        return gather.gather(read(case_no, context), context)


def _told(gathered: Gathered, case_no: str) -> Report:
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


def scan(subjects: Sequence[str], context: Context) -> Report:
    """Confidentiality findings of paths and cases."""
    reports = []
    for subject in subjects:
        path = Path(subject)
        if not path.exists():
            path = context.workspace.case(subject).root
        reports.append(scanning.scan_path(path, context))
    return merge(reports)


def anchor(context: Context) -> ledger.Checkpoint | None:
    """Have the root of the ledger timestamped outside; None when the ledger is empty.

    Raises:
        SigningFailed: when no timestamp authority is set or it doesn't answer.
    """
    url = context.config.signing.timestamp_url
    if url is None:
        raise SigningFailed("LEDGER-NO-TSA", subject="signing.timestamp_url")
    return ledger.anchor(context, lambda root: cms.timestamp(root, url))


def export(case_no: str, context: Context, target: Path, *, zipped: bool) -> Path:
    """Write the archived package of a case as a bag or a ZIP.

    Raises:
        BadInput: PACKAGE-NOT-ARCHIVED.
        Conflict: EXPORT-EXISTS, when there is something at the target.
    """
    return package.export(case_no, context, target, zipped=zipped)
