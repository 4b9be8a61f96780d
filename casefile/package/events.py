"""What happened to the case and to its file, for the manifest (业务行为, DA/T 46 M80-M84)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sqlalchemy import func, select

import casefile
from casefile import database
from casefile.context import Context
from casefile.database import IssuedDocument
from casefile.model.document import Document
from casefile.model.dossier import Filed, SignedDossier, Supplement
from casefile.package.manifest import Happened

_ACTS: Mapping[str, str] = {
    "filing_approval": "立案",
    "site_inspection_record": "现场检查",
    "inquiry_record": "询问",
    "investigation_report": "调查终结",
    "legal_review_opinion": "法制审核",
    "case_review_record": "集体讨论",
    "penalty_prior_notice": "处罚告知",
    "hearing_right_notice": "听证告知",
    "penalty_decision": "处罚决定",
    "service_receipt": "送达",
    "execution_record": "执行",
    "publicity_record": "公示",
    "case_closing_approval": "结案",
}
"""The step of the procedure that a document of this type dates; others only date themselves."""

_PROGRAMS = (
    "docxtpl", "lxml", "ocfl-py", "opendataloader-pdf", "pikepdf", "pyhanko", "pypdfium2", "typst",
)  # fmt: skip


_ARCHIVING = "归档："


def events(
    documents: Sequence[Document],
    signed: SignedDossier,
    packaged: dt.datetime,
    context: Context,
    filed: Filed | None = None,
) -> tuple[Happened, ...]:
    """Steps of the procedure by date, then the acts of archiving by time; only what is known.

    The acts by which the versions before were archived are told as those told them.
    """
    dated = [(document.date, document) for document in documents if document.date is not None]
    dated.sort(key=lambda pair: pair[0])
    business = [
        Happened(_ACTS.get(document.type_id, "形成文书"), day, _words(document), document.id)
        for day, document in dated
    ]
    return (*business, *_before(filed), *_archiving(signed, packaged, filed, context))


def fonts(documents: Sequence[Document]) -> list[dict[str, str]]:
    """The fonts that drew the documents when they were issued, each once."""
    found = {
        json.dumps(font, sort_keys=True): font for one in _renderings(documents) for font in one["fonts"]
    }
    return [found[key] for key in sorted(found)]


def _renderings(documents: Sequence[Document]) -> list[Any]:
    return [json.loads(document.rendering) for document in documents if document.rendering]


def programs(documents: Sequence[Document]) -> dict[str, str]:
    """The programs that made the package, with their versions."""
    found = {"casefile": casefile.__version__}
    engines = sorted({one["engine"] for one in _renderings(documents)})
    if engines:
        found["LibreOffice"] = "、".join(engines)
    for name in _PROGRAMS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _before(filed: Filed | None) -> Iterator[Happened]:
    for act in filed.acts if filed else ():
        if act.activity.startswith(_ARCHIVING):
            yield Happened(act.activity, dt.datetime.fromisoformat(act.at), act.description)


def _archiving(
    signed: SignedDossier, packaged: dt.datetime, filed: Filed | None, context: Context
) -> Iterator[Happened]:
    if filed is not None:
        supplement = signed.supplements[-1]
        count = len(supplement.items)
        added = f"{filed.version}→{supplement.version}，补充{count}件；原因：{supplement.reason}"
        yield Happened("归档：补充归卷", signed.bound_at, added)
        yield from _sealing(signed, packaged, supplement)
        return
    with database.session(context) as session:
        issued = session.scalar(
            select(func.max(IssuedDocument.issued_at)).where(IssuedDocument.case_no == signed.case_no)
        )
    if issued:
        yield Happened("归档：文书定稿完毕", dt.datetime.fromisoformat(issued))
    yield Happened("归档：装订成卷", signed.bound_at)
    yield from _sealing(signed, packaged)


def _sealing(
    signed: SignedDossier, packaged: dt.datetime, supplement: Supplement | None = None
) -> Iterator[Happened]:
    added = set(supplement.items) if supplement else None
    times = [
        signature.signed_at
        for volume in signed.volumes
        if added is None or any(one.part.id in added for one in volume.bound.placements)
        for signature in volume.signatures
    ]
    if times:
        yield Happened("归档：签署盖章", max(times))
    yield Happened("归档：封装", packaged)


def _words(document: Document) -> str:
    return f"{document.title} {document.doc_no}".strip()
