"""The order of acts (顺序约束): no act of a case may lie before one that the law wants first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from casefile.assemble.service import served_on
from casefile.assemble.values import Values
from casefile.formats import words
from casefile.model.finding import Finding

_SERVED = "served:"


@dataclass(frozen=True, slots=True)
class _Act:
    """One dated step: the document behind it, what to call it, its day."""

    document_id: str
    zh: str
    day: dt.date


def complaints(values: Values, about: Collection[str]) -> Iterator[Finding]:
    """Acts in the wrong order, where one of the two is a document of ``about`` (ids)."""
    for edge in values.catalogue.order:
        # The first of each: a second inquiry after the report is no fault.
        before = min(_acts(values, edge.before), key=lambda act: act.day, default=None)
        after = min(_acts(values, edge.after), key=lambda act: act.day, default=None)
        if before is None or after is None or not {before.document_id, after.document_id} & set(about):
            continue
        if after.day < before.day or (after.day == before.day and not edge.same_day):
            yield Finding(
                "DATA-SEQUENCE" if edge.same_day else "DATA-SEQUENCE-SAME-DAY",
                subject=after.zh,
                params={
                    "document": after.zh,
                    "date": words.date_cn(after.day),
                    "other": before.zh,
                    "other_date": words.date_cn(before.day),
                    "basis": edge.basis.text + ("" if edge.basis.checked else "（待核）"),
                },
            )


def _acts(values: Values, name: str) -> Iterator[_Act]:
    type_id = name.removeprefix(_SERVED)
    kind = values.catalogue.types[type_id]
    for document in values.case.documents_of(type_id):
        if name.startswith(_SERVED):
            day, zh = served_on(values.case, document.id), f"《{kind.name}》的送达"
        else:
            day, zh = values.dated(document), f"《{kind.name}》"
        if day is not None:
            yield _Act(document.id, zh, day)
