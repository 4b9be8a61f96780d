"""What a form says beside each field: whether it must be filled in, what may stand there, an example."""

from __future__ import annotations

from collections.abc import Mapping

from casefile.cases import values
from casefile.cases.offer import Offer
from casefile.model.catalogue import Catalogue, DocumentType, Field
from casefile.model.terms import Need

_DOCUMENT_NEEDS = {Need.REQUIRED: "必备", Need.WHEN: "条件必备", Need.OPTIONAL: "可选"}

LAW = "《中华人民共和国土地管理法》第七十七条第一款"


def names(catalogue: Catalogue) -> dict[str, str]:
    """Chinese names of the shared facts."""
    return {f.name: f.zh for group in catalogue.groups.values() for f in group.fields}


def need(one: Field, zh: Mapping[str, str]) -> str:
    """``必填``, ``选填``, ``可空（印出后手写）``, ``不填则为“15”`` or the condition.

    ``zh`` names the fields.
    """
    if one.default is not None:
        return f"不填则为“{one.default}”"
    if one.source is not None:
        return "可空，由系统填入"
    told = "，".join(f"“{zh.get(n, n)}”为“{'”或“'.join(v)}”" for n, v in (one.when or {}).items())
    if one.by_hand:
        return "可空（印出后手写）" + (f"，{told}时要有" if told else "")
    if one.need is Need.REQUIRED:
        return "必填"
    return f"条件：{told}时必填" if one.need is Need.WHEN and told else "选填"


def example(one: Field) -> str:
    """How a value of this kind looks, or nothing."""
    if one.kind in values.EXAMPLES:
        return f"如 {values.EXAMPLES[one.kind]}"
    if one.kind == "laws":
        return f"如 {LAW}"
    return ""


def document(kind: DocumentType, offer: Offer) -> str:
    """``必备；可有多份；须送达``: what is to be known of a document before it is filled in."""
    wanted, condition = offer.need_of(kind.id)
    more = condition or kind.condition
    told = [_DOCUMENT_NEEDS[wanted] + (f"：{more}" if wanted is Need.WHEN else "")]
    if kind.repeatable:
        told.append("可有多份，每份一项")
    if kind.served:
        told.append("须送达，配送达回证")
    return "；".join(told)
