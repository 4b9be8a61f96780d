"""What came to a case after it was archived (补充归卷): the case folder beside its archived package.

What is archived keeps its place: it is found again by name and content, whatever the inbox is sorted into
now, and stays under the id and the path that it was given. Only what is new is bound, behind it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from casefile import catalogue, package, scanning
from casefile.codes import severities
from casefile.errors import BadInput, Conflict
from casefile.gather import Gathered
from casefile.model.case import Case
from casefile.model.document import Document, Evidence, Part
from casefile.model.dossier import Filed
from casefile.model.finding import Finding
from casefile.model.terms import Severity
from casefile.model.text import PageText

_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Since:
    """The inbox beside the archive: archived pieces first, in their order, then those that are new.

    ``parts`` are those of the new ones, ``findings`` name each archived piece that is not there any more or
    not what it was.
    """

    evidence: tuple[Evidence, ...]
    parts: tuple[Part, ...]
    new: frozenset[str]
    findings: tuple[Finding, ...]


def reason_of(text: str) -> str:
    """The reason of an addition, fit to stand for all time in the ledger and on the remark sheet.

    Raises:
        BadInput: SUPPLEMENT-REASON, when there is none or it is too long; SUPPLEMENT-REASON-PERSONAL, when a
            scanner finds in it what must not be published.
    """
    reason = " ".join(text.split())
    if not reason or len(reason) > _LONGEST_REASON or not reason.isprintable():
        raise BadInput("SUPPLEMENT-REASON", subject="--reason", longest=_LONGEST_REASON)
    found = scanning.scan_text([PageText("--reason", "", reason)]).findings
    if found:
        raise BadInput("SUPPLEMENT-REASON-PERSONAL", subject="--reason", findings=found)
    return reason


def since(gathered: Gathered, filed: Filed, case_no: str) -> Since:
    """Find every archived piece in the inbox: by name and content, else by content alone (renamed)."""
    waiting = list(gathered.evidence)
    evidence: list[Evidence] = []
    findings: list[Finding] = []
    names: dict[str, str] = {}
    originals = sorted(package.archived_originals(filed).items(), key=lambda one: package.number_of(one[1]))
    same = [_same(waiting, name, digest) for (name, digest), _ in originals]
    for place, ((name, digest), path) in enumerate(originals):
        found = same[place] or next((one for one in waiting if one.sha256 == digest), None)
        if found is not None:
            if found in waiting:
                waiting.remove(found)
            id_ = _archived_id(path, digest, filed)
            names[found.id] = id_
            evidence.append(replace(found, id=id_, path=name))
            continue
        other = any(package.clean(one.path) == name for one in waiting)
        code = "SUPPLEMENT-CHANGED" if other else "SUPPLEMENT-MISSING"
        findings.append(Finding(code, f"inbox/{name}", case_no, {"version": filed.version}))
    last = max((_number(part.id) for part in filed.parts), default=0)
    last = max([last, *(package.number_of(path) for _, path in originals)])
    for number, item in enumerate(waiting, last + 1):
        names[item.id] = f"evidence-{number:03d}"
        evidence.append(replace(item, id=names[item.id], stands_for=_open(item.stands_for, filed)))
    new = {names[item.id] for item in waiting}
    parts = [
        replace(part, id=names[part.id], stands_for=_open(part.stands_for, filed))
        for part in gathered.parts
        if names.get(part.id) in new
    ]
    return Since(tuple(evidence), tuple(parts), frozenset(new), tuple(findings))


def _open(document_id: str, filed: Filed) -> str:
    """A scan can't take the place of a document that is archived: it is added as a piece of its own."""
    return "" if document_id in filed_documents(filed) else document_id


def _same(waiting: list[Evidence], name: str, digest: str) -> Evidence | None:
    """Take the piece with this name and content out of ``waiting``, so that no other of its content does."""
    for item in waiting:
        if item.sha256 == digest and package.clean(item.path) == name:
            waiting.remove(item)
            return item
    return None


def _archived_id(path: str, digest: str, filed: Filed) -> str:
    own = f"evidence-{package.number_of(path):03d}"
    ids = [part.id for part in filed.parts if part.original_sha256 == digest and _number(part.id)]
    return own if own in ids or not ids else ids[0]


def _number(id_: str) -> int:
    number = id_.removeprefix("evidence-")
    return int(number) if number != id_ and number.isdecimal() else 0


def refuse_gone(found: Since, documents: Collection[str], filed: Filed, case_no: str) -> None:
    """What is archived and no longer there, or no longer the same, is named before anything is issued.

    ``documents`` are the ids of those that the data of the case has.

    Raises:
        Conflict: SUPPLEMENT-REFUSED, with one finding for each.
    """
    titles = {part.id: part.title for part in filed.parts}
    gone = [
        Finding(
            "SUPPLEMENT-MISSING", f"documents: {titles.get(id_, id_)}", case_no, {"version": filed.version}
        )
        for id_ in sorted(filed_documents(filed) - set(documents))
    ]
    _refuse([*found.findings, *gone], case_no)


def refuse_changed(documents: Sequence[Document], filed: Filed, case_no: str) -> None:
    """An archived document that is not what it was is named, never replaced.

    Raises:
        Conflict: SUPPLEMENT-REFUSED, with one finding for each.
    """
    _refuse(list(_documents(documents, filed, case_no)), case_no)


def _refuse(findings: Sequence[Finding], case_no: str) -> None:
    if findings:
        raise Conflict("SUPPLEMENT-REFUSED", subject=case_no, findings=findings, count=len(findings))


def _documents(documents: Sequence[Document], filed: Filed, case_no: str) -> Iterator[Finding]:
    there = {document.id: document for document in documents}
    titles = {part.id: part.title for part in filed.parts}
    for path, file in filed.files.items():
        if file.role not in ("document", "source"):
            continue
        id_ = Path(path).stem
        params = {"version": filed.version}
        subject = f"documents: {titles.get(id_, id_)}"
        if id_ not in there:
            yield Finding("SUPPLEMENT-MISSING", subject, case_no, params)
        elif file.sha256 not in (there[id_].pdf_sha256, there[id_].docx_sha256):
            yield Finding("SUPPLEMENT-CHANGED", subject, case_no, params)


def refuse_damaged(gathered: Gathered, found: Since, case_no: str) -> None:
    """A new piece that is damaged or locked may still be had whole; what is archived was judged then.

    Raises:
        BadInput: CASE-EVIDENCE-LEFT.
    """
    weight = severities()
    new = {f"inbox/{item.path}" for item in found.evidence if item.id in found.new}
    wrong = [
        finding
        for finding in gathered.findings
        if weight.get(finding.code) is Severity.ERROR and finding.subject.partition(" ")[0] in new
    ]
    if wrong:
        raise BadInput("CASE-EVIDENCE-LEFT", subject=case_no, findings=wrong)


def filed_documents(filed: Filed) -> frozenset[str]:
    """Ids of the documents that are archived."""
    return frozenset(Path(path).stem for path, file in filed.files.items() if file.role == "document")


def is_new(found: Since, case: Case, filed: Filed) -> bool:
    """Whether there is anything to add: a piece in the inbox, a document in the data of the case."""
    types = catalogue.load().types
    drawn = {one.id for one in case.documents if one.type_id in types and types[one.type_id].has_template}
    return bool(found.new or drawn - filed_documents(filed))


def refuse_nothing(case: Case, filed: Filed) -> None:
    """Say that there is nothing to add.

    Raises:
        Conflict: SUPPLEMENT-DATA-ONLY, when the data of the case were changed; else SUPPLEMENT-NOTHING.
    """
    data = filed.files.get("data/case.yaml")
    if data is not None and data.sha256 != case.digest:
        raise Conflict("SUPPLEMENT-DATA-ONLY", subject=case.case_no)
    raise Conflict("SUPPLEMENT-NOTHING", subject=case.case_no, version=filed.version)
