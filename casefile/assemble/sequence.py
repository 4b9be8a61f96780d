"""The order of acts (顺序约束): no act of a case may lie before one that the law wants first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from casefile.assemble.service import served_on
from casefile.assemble.values import PARTY, Values
from casefile.formats.office import words
from casefile.model.finding import Finding

_SERVED = "served:"


@dataclass(frozen=True, slots=True)
class _Act:
    """One dated step: the document behind it, what to call it, its day, towards which party."""

    document_id: str
    zh: str
    day: dt.date
    party: str | None


def complaints(values: Values, about: Collection[str]) -> Iterator[Finding]:
    """Acts in the wrong order, where one of the two is a document of ``about`` (ids).

    With several parties each act is held against those towards the same party.
    """
    for edge in values.catalogue.order:
        earlier = list(_acts(values, edge.before))
        for after in _acts(values, edge.after):
            # The first of several: a second inquiry after the report is no fault.
            same = (act for act in earlier if None in (act.party, after.party) or act.party == after.party)
            before = min(same, key=lambda act: act.day, default=None)
            if before is None or not {before.document_id, after.document_id} & set(about):
                continue
            if after.day < before.day or (after.day == before.day and not edge.same_day):
                basis = edge.basis.text + ("" if edge.basis.checked else "（待核）")
                yield _told(before, after, basis, same_day=edge.same_day)
    for type_id in dict.fromkeys(document.type_id for document in values.case.documents):
        made = {act.document_id: act for act in _acts(values, type_id)}
        for served in _acts(values, _SERVED + type_id):
            act = made.get(served.document_id)
            if act is not None and served.day < act.day and act.document_id in about:
                yield _told(act, served, "《中华人民共和国民事诉讼法》第八十七条", same_day=True)


def _told(before: _Act, after: _Act, basis: str, *, same_day: bool) -> Finding:
    return Finding(
        "DATA-SEQUENCE" if same_day else "DATA-SEQUENCE-SAME-DAY",
        subject=after.zh,
        params={
            "document": after.zh,
            "date": words.date_cn(after.day),
            "other": before.zh,
            "other_date": words.date_cn(before.day),
            "basis": basis,
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
            yield _Act(document.id, zh, day, document.values.get(PARTY))
