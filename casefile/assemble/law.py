"""What the law makes of the values of a document (合法性检查), where a machine can tell.

More than one document is looked at: whether a right was told that had to be told, whether a sum may be
imposed in this procedure, whether a receipt proves service on the right person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from casefile.assemble import derive
from casefile.assemble.values import PARTY, Values
from casefile.formats.office import words
from casefile.model.case import DocumentData
from casefile.model.finding import Finding

_ON_THE_SPOT: Mapping[bool, Decimal] = MappingProxyType({True: Decimal(200), False: Decimal(3000)})
"""行政处罚法 art. 51: fines on the spot, for persons and for organisations, in yuan."""
_AT_ONCE = Decimal(100)
"""行政处罚法 art. 68 no. 1: fines that may be collected on the spot for their smallness alone."""
_TOLD = {"penalty_decision": "hearing_told", "penalty_prior_notice": "with_hearing_right"}


def complaints(
    values: Values, document: DocumentData, said: Mapping[str, Any], title: str
) -> Iterator[Finding]:
    """What a document may not say, given the rest of the case."""
    yield from _hearing(values, document, said, title)
    if document.type_id == "on_spot_penalty_decision":
        yield from _on_the_spot(said, title)
    if document.type_id == "service_receipt":
        yield from _addressee(values, document, said, title)


def _hearing(
    values: Values, document: DocumentData, said: Mapping[str, Any], title: str
) -> Iterator[Finding]:
    field = _TOLD.get(document.type_id)
    here = derive.Here(values, document)
    if field is None or derive.RULES["hearing_needed"](here) != "是":
        return
    ground = derive.RULES["hearing_ground"](here)
    if said.get(field) == "否":
        yield Finding("DATA-HEARING-NOT-TOLD", subject=title, params={"document": title, "ground": ground})
    elif document.type_id == "penalty_decision" and not values.case.documents_of("hearing_right_notice"):
        yield Finding("DATA-HEARING-NO-NOTICE", subject=title, params={"document": title, "ground": ground})


def _on_the_spot(said: Mapping[str, Any], title: str) -> Iterator[Finding]:
    fine = said.get("fine_amount")
    if fine is None:
        return
    person = said.get("party_type") == "自然人"
    if fine > _ON_THE_SPOT[person]:
        params = {"document": title, "fine": words.money(fine), "most": words.money(_ON_THE_SPOT[person])}
        yield Finding("DATA-SUMMARY-LIMIT", subject=title, params=params)
    if fine > _AT_ONCE and "一百元以下" in str(said.get("collect_reason") or ""):
        params = {"document": title, "fine": words.money(fine), "most": words.money(_AT_ONCE)}
        yield Finding("DATA-COLLECT-LIMIT", subject=title, params=params)


def _addressee(
    values: Values, document: DocumentData, said: Mapping[str, Any], title: str
) -> Iterator[Finding]:
    addressee = "".join(str(said.get("addressee") or "").split())
    known = {d.id: d for d in values.case.documents}
    for covered in document.values.get("covers") or ():
        other = known.get(covered)
        kind = values.catalogue.types[other.type_id] if other is not None else None
        if other is None or kind is None or "party" not in kind.groups or not addressee:
            continue
        party = "".join(str(values.named(PARTY, other) or "").split())
        if party and party != addressee:
            params = {"addressee": str(said["addressee"]), "document": kind.name, "party": party}
            yield Finding("DATA-ADDRESSEE", subject=f"{title}：受送达人", params=params)
