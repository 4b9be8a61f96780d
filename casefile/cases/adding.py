"""A place for one more document in a case's data (添加文书)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from casefile.cases import history, workbook
from casefile.cases.filled import shown, taken
from casefile.cases.offer import Offer
from casefile.cases.reading import examine
from casefile.cases.skeleton import written
from casefile.context import Context, write_whole
from casefile.errors import BadInput, UsageError
from casefile.formats import yaml
from casefile.model.catalogue import Catalogue, DocumentType


def add(case_no: str, wanted: Sequence[str], context: Context, catalogue: Catalogue) -> tuple[str, ...]:
    """Give each type a blank section in case.yaml and a sheet in case.xlsx; the names of the new ones.

    Raises:
        UsageError: DOC-UNKNOWN.
        BadInput: CASE-NO-DATA, YAML-…, WORKBOOK-DATA when case.yaml holds what no form asks for.
        Conflict: CASE-LOCKED; WORKBOOK-WAITS when case.xlsx has changes that were not imported.
    """
    folder = context.workspace.case(case_no)
    if workbook.pending(folder):
        workbook.export(case_no, context, catalogue)  # refuses, in its own words
    with context.locked(case_no):
        subject = f"{folder.root.name}/{folder.data.name}"
        if not folder.data.is_file():
            raise BadInput("CASE-NO-DATA", subject=subject, case_no=case_no)
        node, data = yaml.read(folder.data, subject)
        case, complaints = examine(node, "", folder, subject, catalogue, context.config)
        workbook.refuse_lost(complaints, subject, case_no)
        offer, filled = Offer(catalogue, case.procedures), taken(node, catalogue)
        kinds = [_kind(word, catalogue) for word in wanted]
        there = {kind.id for kind in shown(offer, filled)}
        new = [kind for kind in kinds if kind.id not in there]
        if new:
            filled = replace(filled, named=filled.named | {kind.id for kind in new})
            history.keep(folder, folder.data.name, data, context)
            write_whole(folder.data, written(folder.root.name, filled, case.procedures, catalogue).encode())
    if workbook.place(folder).exists():
        workbook.export(case_no, context, catalogue)
    return tuple(kind.name for kind in new)


def _kind(word: str, catalogue: Catalogue) -> DocumentType:
    for kind in catalogue.types.values():
        if kind.has_template and word in (kind.id, kind.name, *kind.aliases):
            return kind
    known = "、".join(t.id for t in catalogue.types.values() if t.has_template)
    raise UsageError("DOC-UNKNOWN", subject=word, known=known)
