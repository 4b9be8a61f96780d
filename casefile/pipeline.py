"""The way of a case, every stage in order, on one screen.

    register row ─► case ─► issue ─► documents ─┐
                  inbox ─► gather ─► evidence ──┴► parts ─► bind ─► sign ─► package ─► archive ─► verify
                                                    late ◄──────────────────────────────────┘

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
    late,
    ledger,
    package,
    readiness,
    register,
    scanning,
    sign,
    verify,
)
from casefile.cases import party_list
from casefile.context import Context
from casefile.errors import BadInput, CasefileError, Conflict, SigningFailed
from casefile.formats.signatures import cms
from casefile.gather import Gathered
from casefile.model.case import Case
from casefile.model.document import Document, Evidence, Part
from casefile.model.dossier import Dossier, Filed, Package, SignedDossier, StoredPackage
from casefile.model.finding import Report, merge


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
class FilledList:
    """What became of a list: its rows, and the drafts of those that were right."""

    taken: party_list.Taken
    drafts: tuple[assemble.Draft, ...]


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
        done.report = readiness.told(done.gathered, case_no)
        readiness.refuse_unbindable(done.gathered, case_no)
        readiness.refuse_secrets(case, context)
        done.stored = package.stored(case_no, context)
        evidence, filed = _as_archived(done, context)
        if done.stored is not None and not package.holds(done.stored, case, (), evidence, filed):
            raise Conflict("ARCHIVE-EXISTS", subject=case_no, version=done.stored.version)
        if done.stored is None:
            row = register.row(case_no, context)
            readiness.refuse_unready(case, done.gathered, row, archive=until >= Stage.ARCHIVE)
        done.documents = sign.sealed(case_no, assemble.issue_all(case, context), context, new=False)
        typed = assemble.parts(case, done.documents)
        parts = assemble.with_scans(typed, done.gathered.parts, case_no, catalogue.load())

        if done.stored is None:
            _make(done, parts, context, until)
        elif package.holds(done.stored, case, done.documents, evidence, filed):
            package.record(done.stored, context)
        else:
            raise Conflict("ARCHIVE-EXISTS", subject=case_no, version=done.stored.version)
        if until is Stage.CLOSE:
            done.report = merge([done.report, verify.case(case_no, context)])
    return done


def _as_archived(done: Done, context: Context) -> tuple[Sequence[Evidence], Filed | None]:
    """The evidence under the names that it has in the archive, once something was added there."""
    assert done.gathered is not None
    if done.stored is None or done.stored.version == "v1":
        return done.gathered.evidence, None
    filed = package.filed(done.case.case_no, context)
    assert filed is not None
    return late.since(done.gathered, filed, done.case.case_no).evidence, filed


def supplement(case_no: str, reason: str, context: Context) -> Done:
    """Add to an archived case what came since (补充归卷): books of their own, a version of its own.

    Raises:
        BadInput: PACKAGE-NOT-ARCHIVED; SUPPLEMENT-REASON or SUPPLEMENT-REASON-PERSONAL.
        Conflict: SUPPLEMENT-REFUSED, naming each archived item that is missing or changed; SUPPLEMENT-NOTHING
            or SUPPLEMENT-DATA-ONLY, when there is nothing to add.
        CasefileError: at the first stage that can't go on; run again, it goes on from there.
    """
    reason = late.reason_of(reason)
    with context.locked(case_no):
        case = read(case_no, context)
        done = Done(case, stored=package.stored(case_no, context))
        filed = package.filed(case_no, context)
        if filed is None or done.stored is None:
            raise BadInput("PACKAGE-NOT-ARCHIVED", subject=case_no)
        done.gathered = gather.gather(case, context)
        done.report = readiness.told(done.gathered, case_no)
        readiness.refuse_unbindable(done.gathered, case_no)
        readiness.refuse_secrets(case, context)
        found = late.since(done.gathered, filed, case_no)
        late.refuse_gone(found, {document.id for document in case.documents}, filed, case_no)
        late.refuse_damaged(done.gathered, found, case_no)
        # A run that died between archive and ledger is completed, whatever came since.
        completed = not package.is_recorded(done.stored, context)
        package.record(done.stored, context)
        if late.is_new(found, case, filed):
            _add(done, found, filed, bind.Onto(filed, reason), context)
        elif not completed:
            late.refuse_nothing(case, filed)
        done.report = merge([done.report, verify.case(case_no, context)])
    return done


def _add(done: Done, found: late.Since, filed: Filed, onto: bind.Onto, context: Context) -> None:
    case = done.case
    done.documents = sign.sealed(case.case_no, assemble.issue_all(case, context), context, new=False)
    late.refuse_changed(done.documents, filed, case.case_no)
    new = [one for one in done.documents if one.id not in late.filed_documents(filed)]
    typed = assemble.parts(case, new)
    parts = assemble.with_scans(typed, found.parts, case.case_no, catalogue.load())
    readiness.refuse_unsigned(new, [*filed.parts, *parts], case.case_no)
    done.dossier = bind.bind(case, parts, context, onto)
    done.documents = sign.sealed(case.case_no, done.documents, context)
    done.signed = sign.sign(done.dossier, context)
    done.package = package.package(
        case,
        done.documents,
        found.evidence,
        [*filed.parts, *parts],
        done.signed,
        context,
        register.row(case.case_no, context),
        filed=filed,
    )
    done.stored = package.store(done.package, context)


def _make(done: Done, parts: Sequence[Part], context: Context, until: Stage) -> None:
    case, gathered = done.case, done.gathered
    assert gathered is not None
    row = register.row(case.case_no, context)
    if until >= Stage.ARCHIVE:
        readiness.refuse_unsigned(done.documents, parts, case.case_no)
    done.dossier = bind.bind(case, parts, context)
    if until >= Stage.SIGN:
        done.documents = sign.sealed(case.case_no, done.documents, context)
        done.signed = sign.sign(done.dossier, context)
    if done.signed is not None and until >= Stage.ARCHIVE:
        done.package = package.package(
            case, done.documents, gathered.evidence, parts, done.signed, context, row
        )
        done.stored = package.store(done.package, context)


def fill(case_no: str, context: Context, ids: Sequence[str] | None = None) -> tuple[assemble.Draft, ...]:
    """Drafts of the documents of a case."""
    with context.locked(case_no):
        return assemble.fill(read(case_no, context), context, ids)


def fill_list(case_no: str, type_id: str, source: Path, context: Context) -> FilledList:
    """Take a list of parties into the case and draft a document for each row that is right.

    Raises:
        CasefileError: when the list or the case can't be read; a wrong row is told and left out.
    """
    with context.locked(case_no):
        done = party_list.take(case_no, type_id, source, context, catalogue.load())
        drafts = assemble.fill(read(case_no, context), context, done.ids) if done.ids else ()
    return FilledList(done, drafts)


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
        found = gather.gather(read(case_no, context), context)
        bind.lay_out(case_no, found.parts, context)
        return found


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


def court_copy(
    case_no: str, context: Context, target: Path, *, max_bytes: int, internal: bool
) -> tuple[package.CourtFile, ...]:
    """Write a copy of the archived volumes for a court.

    Raises:
        BadInput: PACKAGE-NOT-ARCHIVED.
        Conflict: EXPORT-EXISTS, when there is something at the target.
    """
    return package.court_copy(case_no, context, target, max_bytes=max_bytes, internal=internal)


def export(case_no: str, context: Context, target: Path, *, zipped: bool) -> Path:
    """Write the archived package of a case as a bag or a ZIP.

    Raises:
        BadInput: PACKAGE-NOT-ARCHIVED.
        Conflict: EXPORT-EXISTS, when there is something at the target.
    """
    return package.export(case_no, context, target, zipped=zipped)
