"""Signed scans (签字扫描件): the paper on which people signed takes the typed document's place in the volume.

The typed document stays in the package, and so does the scan as it was received.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from casefile.errors import BadInput
from casefile.model.catalogue import Catalogue
from casefile.model.document import Document, Part
from casefile.model.finding import Finding
from casefile.model.terms import Route

_LOOKED_AT = frozenset(Route) - {Route.PLACEHOLDER, Route.REFUSED}


def with_scans(
    typed: Sequence[Part], received: Sequence[Part], case_no: str, catalogue: Catalogue
) -> tuple[Part, ...]:
    """All parts of the case, each signed scan in the place of its typed document.

    Raises:
        BadInput: SCAN-REFUSED, with one finding for each scan that can't be placed.
    """
    by_id = {part.id: part for part in typed}
    scans: dict[str, Part] = {}
    rest: list[Part] = []
    found: list[Finding] = []
    for part in received:
        try:
            document_id = _stands_for(part, typed, catalogue)
        except _Complaint as complaint:
            found.append(Finding(complaint.code, part.title, case_no, complaint.params))
            continue
        if document_id is None:
            rest.append(part)
        elif document_id in scans:
            params = {"document": by_id[document_id].title, "other": scans[document_id].title}
            found.append(Finding("SCAN-TWICE", part.title, case_no, params))
        else:
            scans[document_id] = part
    if found:
        raise BadInput("SCAN-REFUSED", subject=case_no, findings=found, count=len(found))
    return (*(_signed(part, scans[part.id]) if part.id in scans else part for part in typed), *rest)


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


def _stands_for(part: Part, typed: Sequence[Part], catalogue: Catalogue) -> str | None:
    known = {one.id for one in typed}
    if part.stands_for:
        if part.stands_for not in known:
            raise _Complaint(
                "SCAN-UNKNOWN-DOCUMENT", document_id=part.stands_for, known="、".join(sorted(known))
            )
        return part.stands_for
    kind = catalogue.types.get(part.type_id)
    if kind is None or not kind.has_template:
        return None
    same = defaultdict(list)
    for one in typed:
        same[one.type_id].append(one.id)
    ids = same[part.type_id]
    if len(ids) > 1:
        raise _Complaint("SCAN-AMBIGUOUS", document=kind.name, count=str(len(ids)), document_id=ids[-1])
    return ids[0] if ids else None


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
        stands_for=typed.id,
    )
