"""Signed scans (签字扫描件): the paper on which people signed takes the typed document's place in the volume.

The typed document stays in the package, and so does the scan as it was received.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from casefile.errors import BadInput
from casefile.model.case import Case
from casefile.model.catalogue import Catalogue
from casefile.model.document import Document, Part
from casefile.model.finding import Finding
from casefile.model.terms import Route

_LOOKED_AT = frozenset(Route) - {Route.PLACEHOLDER, Route.REFUSED}


@dataclass(frozen=True, slots=True)
class _Document:
    """As much of a document as a scan can be of."""

    id: str
    type_id: str
    title: str


def refuse_misplaced(case: Case, received: Sequence[Part], catalogue: Catalogue) -> None:
    """Refuse scans that can't be placed before anything is issued.

    Raises:
        BadInput: SCAN-REFUSED, with one finding for each of them.
    """
    typed = [
        _Document(d.id, d.type_id, catalogue.types[d.type_id].name)
        for d in case.documents
        if catalogue.types[d.type_id].has_template
    ]
    _placed(typed, received, case.case_no, catalogue)


def with_scans(
    typed: Sequence[Part], received: Sequence[Part], case_no: str, catalogue: Catalogue
) -> tuple[Part, ...]:
    """All parts of the case, each signed scan in the place of its typed document.

    Raises:
        BadInput: SCAN-REFUSED, with one finding for each scan that can't be placed.
    """
    scans, rest = _placed(typed, received, case_no, catalogue)
    return (*(_signed(part, scans[part.id]) if part.id in scans else part for part in typed), *rest)


def _placed(
    typed: Sequence[Part | _Document], received: Sequence[Part], case_no: str, catalogue: Catalogue
) -> tuple[dict[str, Part], list[Part]]:
    """The scans by the document for which they stand, and all other pieces."""
    by_id = {part.id: part for part in typed}
    scans: dict[str, Part] = {}
    rest: list[Part] = []
    found: list[Finding] = []
    for part in received:
        try:
            document_id = _stands_for(part, typed, catalogue) if part.route in _LOOKED_AT else None
        except _Complaint as complaint:
            found.append(Finding(complaint.code, part.title, case_no, complaint.params))
            continue
        if document_id is None:
            rest.append(part)
        elif document_id in scans:
            params = {"document": by_id[document_id].title, "other": scans[document_id].title}
            found.append(Finding("SCAN-TWICE", part.title, case_no, params))
        elif any(other.original_sha256 == part.original_sha256 for other in scans.values()):
            other = next(o for o in scans.values() if o.original_sha256 == part.original_sha256)
            found.append(Finding("SCAN-SAME-FILE", part.title, case_no, {"other": other.title}))
        else:
            scans[document_id] = part
    if found:
        raise BadInput("SCAN-REFUSED", subject=case_no, findings=found, count=len(found))
    return scans, rest


def complaints(documents: Sequence[Document], parts: Sequence[Part], case_no: str) -> Iterator[Finding]:
    """What is still blank: signatures of which there is no scan, dates that stand on paper only."""
    scanned = {part.id for part in parts if part.stands_for and part.route in _LOOKED_AT}
    for document in documents:
        lacking = {"DOC-TO-ENTER": document.to_enter}
        if document.id not in scanned:
            lacking["DOC-UNSIGNED"] = document.by_hand
        for code, fields in lacking.items():
            if fields:
                params = {
                    "document": document.title,
                    "document_id": document.id,
                    "fields": "、".join(f"“{zh}”" for zh in fields),
                }
                yield Finding(code, f"documents: {document.id}", case_no, params)


class _Complaint(Exception):
    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def _stands_for(part: Part, typed: Sequence[Part | _Document], catalogue: Catalogue) -> str | None:
    """The document of which this is the signed scan, as the evidence list says it; never a guess.

    A decision in another case may lie in the inbox as evidence: its type alone says nothing.
    """
    by_id = {one.id: one for one in typed}
    kind = catalogue.types.get(part.type_id)
    if not part.stands_for:
        same = [one.id for one in typed if one.type_id == part.type_id]
        if kind is not None and same:
            raise _Complaint("SCAN-AMBIGUOUS", document=kind.name, document_id=same[0])
        return None
    document = by_id.get(part.stands_for)
    if document is None:
        known = "、".join(sorted(by_id))
        raise _Complaint("SCAN-UNKNOWN-DOCUMENT", document_id=part.stands_for, known=known)
    if kind is not None and part.type_id != document.type_id:
        raise _Complaint("SCAN-TYPE", listed=kind.name, document=document.title)
    return document.id


def _signed(typed: Part, scan: Part) -> Part:
    """The pages of the scan under the name, number and date of the typed document."""
    return replace(
        typed,
        pdf=scan.pdf,
        sha256=scan.sha256,
        pages=scan.pages,
        route=scan.route,
        original=scan.original,
        original_sha256=scan.original_sha256,
        original_format=scan.original_format,
        difference=scan.difference,
        note=scan.note,
        blank=scan.blank,
        crowded=scan.crowded,
        stands_for=typed.id,
    )
