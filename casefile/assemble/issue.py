"""Issuing: a document gets its number, is rendered, accepted and frozen (定稿).

What is issued never changes. The same data again gives the same documents; other data is a conflict, since a
correction is a document of its own (文书补正).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from casefile import catalogue, database
from casefile.assemble import accept, edits, number
from casefile.assemble.fill import (
    DraftRecord,
    Filling,
    chosen,
    pending_number,
    prepared,
    wording_digest,
    written_by_hand,
    year_of,
)
from casefile.assemble.render import Job, Rendered, render
from casefile.assemble.templates import catalogue_of
from casefile.assemble.values import NUMBER, canonical, dated
from casefile.context import CaseFolder, Context, write_whole
from casefile.database import DocumentNumber, IssuedDocument
from casefile.errors import BadInput, Conflict
from casefile.formats.office import docx
from casefile.formats.office.docx import Printed
from casefile.formats.pdf.pdf_canonical import Canonical
from casefile.model.case import Case
from casefile.model.catalogue import Field
from casefile.model.document import Document, Part
from casefile.model.finding import Finding
from casefile.model.terms import Route, Volume
from casefile.tools.fonts import fonts_of
from casefile.tools.office import engine

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_WORDING = frozenset({"text", "list", "rows", "record"})
"""Kinds whose wording a clerk may change in the draft; every other fact is changed in case.yaml."""

_WRITTEN = frozenset({"signature", "text", "str"})
"""Kinds whose truth is the ink on the page; dates and choices are counted with, so they are entered too."""

_READ_ONLY = 0o444


@dataclass(frozen=True, slots=True)
class _Made:
    """A document on its way: filled, then rendered."""

    filling: Filling
    docx: bytes
    printed: tuple[Printed, ...]
    source: Path
    rendered: Path


def issue_all(case: Case, context: Context) -> tuple[Document, ...]:
    """Issue every document of the case that is not issued yet; returns all of them, in the order of the case.

    Raises:
        BadInput: DATA-REFUSED, RENDER-REFUSED, DRAFT-STALE or TEMPLATE-…
        Conflict: DOC-ALREADY-ISSUED, DOC-ISSUED-ALTERED or DOC-NUMBER-TAKEN.
        MissingTool: TOOL-OFFICE or FONT-MISSING.
    """
    return _issue(case, context, None)


def issue(case: Case, document_id: str, context: Context) -> Document:
    """Issue one document.

    Raises:
        UsageError: DOC-UNKNOWN.
        BadInput, Conflict, MissingTool: as :func:`issue_all`.
    """
    return _issue(case, context, [document_id])[0]


def parts(case: Case, documents: Sequence[Document]) -> tuple[Part, ...]:
    """The issued documents as parts of a volume (卷内件)."""
    return tuple(
        Part(
            id=document.id,
            type_id=document.type_id,
            title=document.title,
            doc_no=document.doc_no,
            author=document.author,
            date=document.date,
            volume=document.volume,
            pdf=document.pdf,
            sha256=document.pdf_sha256,
            pages=document.pages,
            route=Route.CONVERTED,
            original=document.docx,
            original_sha256=document.docx_sha256,
            original_format=DOCX,
            receipt_for=document.covers,
            person=_person(document),
        )
        for document in documents
    )


def _person(document: Document) -> str:
    """Of whom a record was taken, where its type says in which field that stands."""
    kind = catalogue.load().types.get(document.type_id)
    return str(document.values.get(kind.person_field) or "").strip() if kind and kind.person_field else ""


def _issue(case: Case, context: Context, ids: Sequence[str] | None) -> tuple[Document, ...]:
    folder = context.workspace.case(case.case_no)
    wanted = chosen(case, catalogue_of(context), ids)
    pending = {d.id: pending_number(d, case, context) for d in wanted}
    known = number.known(case.case_no, context)
    # Everything is checked before a number is used up.
    first_look = prepared(case, wanted, context, {**pending, **known}, strict=True)
    rows = _rows(case.case_no, context)
    if ids is None:
        _refuse_vanished(rows, case, context)
    for filling in first_look:
        if filling.id not in rows:
            known = {**known, **_numbered(filling, case, context)}

    fillings = prepared(case, wanted, context, known, strict=True)
    documents = {f.id: _frozen(f, rows[f.id], folder, context) for f in fillings if f.id in rows}
    made = _rendered([f for f in fillings if f.id not in rows], case, folder, known, context)
    for one, result in made:
        documents[one.filling.id] = _freeze(one, result, folder, context)
    _record([documents[one.filling.id] for one, _ in made], fillings, case, context)
    for one, _ in made:
        (folder.documents / f"{one.filling.id}.docx").unlink(missing_ok=True)
    return tuple(documents[filling.id] for filling in fillings)


def _refuse_vanished(rows: Mapping[str, IssuedDocument], case: Case, context: Context) -> None:
    """An issued document stays in the case: it doesn't go by being left out of the data."""
    there = {document.id for document in case.documents}
    gone = [row.title for document_id, row in rows.items() if document_id not in there]
    if gone:
        raise Conflict("DOC-ISSUED-GONE", subject=case.case_no, documents="、".join(f"《{t}》" for t in gone))


def _numbered(filling: Filling, case: Case, context: Context) -> dict[str, str]:
    explicit = filling.data.values.get(NUMBER) or ""
    if not filling.kind.number_word and not explicit:
        return {}
    wanted = number.Wanted(
        case_no=case.case_no,
        document_id=filling.id,
        word=filling.kind.number_word,
        year=year_of(filling.data, filling.kind, case, context),
        explicit=str(explicit),
        pattern=filling.kind.number_pattern or number.PATTERN,
        by=context.operator,
    )
    return {filling.id: number.give(wanted, context)}


def _rendered(
    fillings: Sequence[Filling], case: Case, folder: CaseFolder, numbers: Mapping[str, str], context: Context
) -> list[tuple[_Made, Canonical]]:
    if not fillings:
        return []
    made = [_made(filling, case, folder, numbers, context) for filling in fillings]
    for one in made:
        write_whole(one.source, one.docx)
    fonts = fonts_of(context)
    complaints: dict[int, list[Finding]] = {}

    def accepted(place: int, result: Rendered) -> None:
        one = made[place]
        found = accept.complaints(one.rendered, result.canonical, one.printed, fonts, one.filling.title)
        complaints[place] = [*found, *accept.archival(result.verdict, one.filling.title)]
        context.progress.step(one.filling.title)

    context.progress.start("issue", len(made))
    jobs = [Job(one.source, one.rendered, one.filling.moment) for one in made]
    results = render(jobs, context, accepted)
    context.progress.done()
    found = [finding for place in range(len(made)) for finding in complaints[place]]
    if found:
        own = [Finding(f.code, f.subject, case.case_no, f.params) for f in found]
        raise BadInput("RENDER-REFUSED", subject=case.case_no, findings=own, count=len(own))
    return [(one, result.canonical) for one, result in zip(made, results, strict=True)]


def _made(
    filling: Filling, case: Case, folder: CaseFolder, numbers: Mapping[str, str], context: Context
) -> _Made:
    filled = filling.docx(context.config.bureau.name)
    draft = folder.documents / f"{filling.id}.docx"
    record = DraftRecord.read(folder)
    data = filled.docx
    fields = {f.name: f for f in catalogue_of(context).fields_of(filling.kind.id)}
    printed = [p for p in filled.printed if p.text.strip()]
    if record.edited(filling.id, draft):
        if record.stale(filling.id, wording_digest(filling)):
            raise BadInput("DRAFT-STALE", subject=f"documents/{draft.name}", document=filling.title)
        data = _edited(draft, filling, filled, fields, case, numbers, context)
        printed = [p for p in printed if _kind(p, fields) not in _WORDING]
    # Not only what was filled in: every word of the form must stand on the pages as well.
    printed += [Printed("", text) for text in docx.paragraphs(data, draft.name)]
    place = folder.work / "render"
    return _Made(
        filling=filling,
        docx=data,
        printed=tuple(Printed(_zh(p, fields), p.text) for p in printed),
        source=place / f"{filling.id}.docx",
        rendered=place / f"{filling.id}.pdf",
    )


def _edited(
    draft: Path,
    filling: Filling,
    filled: docx.Filled,
    fields: Mapping[str, Field],
    case: Case,
    numbers: Mapping[str, str],
    context: Context,
) -> bytes:
    """A draft that somebody edited, once its facts and its fixed text are found as the data give them.

    Raises:
        BadInput: DRAFT-TRACKED; DRAFT-CHANGED, with one finding for each fact that reads otherwise.
    """
    raw = draft.read_bytes()
    if docx.tracked(raw, draft.name):
        raise BadInput("DRAFT-TRACKED", subject=f"documents/{draft.name}", document=filling.title)
    data = docx.settled(_with_numbers(draft, case, numbers, context), draft.name)
    said = [Printed(_zh(p, fields), p.text) for p in filled.printed if p.text.strip()]
    kinds = [_kind(p, fields) for p in filled.printed if p.text.strip()]
    found = list(
        edits.complaints(
            docx.paragraphs(data, draft.name),
            docx.paragraphs(filled.docx, draft.name),
            [p for p, kind in zip(said, kinds, strict=True) if kind not in _WORDING],
            [p for p, kind in zip(said, kinds, strict=True) if kind in _WORDING],
            filling.title,
        )
    )
    if found:
        own = [Finding(f.code, f.subject, case.case_no, f.params) for f in found]
        raise BadInput(
            "DRAFT-CHANGED", subject=f"documents/{draft.name}", findings=own, document=filling.title
        )
    return data


def _with_numbers(draft: Path, case: Case, numbers: Mapping[str, str], context: Context) -> bytes:
    """An edited draft with every number that was pending when it was filled."""
    data = draft.read_bytes()
    for document in case.documents:
        pending = pending_number(document, case, context)
        if pending and document.id in numbers:
            data = docx.replaced(data, draft.name, pending, numbers[document.id])
    return data


def _freeze(one: _Made, result: Canonical, folder: CaseFolder, context: Context) -> Document:
    issued = folder.documents / "issued"
    contents = {".docx": one.docx, ".pdf": result.data, ".json": canonical(one.filling.used)}
    for suffix, data in contents.items():
        path = issued / f"{one.filling.id}{suffix}"
        if suffix == ".pdf" and path.exists() and path.read_bytes() != data:
            # Frozen, yet the database knows nothing of it: a database of last month must not undo a decision.
            raise Conflict(
                "DOC-FROZEN-OTHER", subject=context.workspace.relative(path), document=one.filling.title
            )
        write_whole(path, data)
        path.chmod(_READ_ONLY)
    return _document(
        one.filling,
        issued,
        docx_sha256=hashlib.sha256(one.docx).hexdigest(),
        pdf_sha256=hashlib.sha256(result.data).hexdigest(),
        pages=result.pages,
        template_sha256=one.filling.template.sha256,
        rendering=_rendering(context),
        context=context,
    )


def _frozen(filling: Filling, row: IssuedDocument, folder: CaseFolder, context: Context) -> Document:
    """An issued document, after its files and its data were compared with the record.

    Raises:
        Conflict: DOC-ISSUED-ALTERED or DOC-ALREADY-ISSUED.
    """
    issued = folder.documents / "issued"
    known = {".docx": row.docx_sha256, ".pdf": row.pdf_sha256, ".json": row.values_sha256}
    for suffix, digest in known.items():
        path = issued / f"{filling.id}{suffix}"
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise Conflict(
                "DOC-ISSUED-ALTERED", subject=context.workspace.relative(path), document=filling.title
            )
    stated = json.loads((issued / f"{filling.id}.json").read_bytes())
    now = json.loads(canonical({name: filling.values.get(name) for name in stated}))
    fields = {f.name: f for f in catalogue_of(context).fields_of(filling.kind.id)}
    # What was left to be written by hand may be entered once it is written.
    later = {
        n for n, f in fields.items() if written_by_hand(f, filling.kind) and stated.get(n) in (None, "", [])
    }
    changed = [name for name in stated if stated[name] != now[name] and name not in later]
    if changed:
        zh = {name: f.zh for name, f in fields.items()}
        raise Conflict(
            "DOC-ALREADY-ISSUED",
            subject=filling.id,
            document=filling.title,
            fields="、".join(zh.get(name, name) for name in changed),
        )
    return _document(
        filling,
        issued,
        docx_sha256=row.docx_sha256,
        pdf_sha256=row.pdf_sha256,
        pages=row.pages,
        template_sha256=row.template_sha256,
        signed_sha256=row.signed_sha256,
        rendering=row.rendering,
        context=context,
    )


def _document(
    filling: Filling,
    issued: Path,
    *,
    docx_sha256: str,
    pdf_sha256: str,
    pages: int,
    template_sha256: str,
    rendering: str,
    signed_sha256: str = "",
    context: Context,
) -> Document:
    return Document(
        id=filling.id,
        type_id=filling.kind.id,
        title=filling.title,
        doc_no=str(filling.values.get(NUMBER) or ""),
        author=context.config.bureau.name,
        date=dated(filling.kind, filling.values),
        volume=filling.kind.volume or Volume.MAIN,
        docx=issued / f"{filling.id}.docx",
        docx_sha256=docx_sha256,
        pdf=issued / f"{filling.id}.pdf",
        pdf_sha256=pdf_sha256,
        pages=pages,
        template_sha256=template_sha256,
        covers=tuple(filling.values.get("covers") or ()),
        values=filling.values,
        signed_sha256=signed_sha256,
        rendering=rendering,
        by_hand=tuple(f.zh for f in filling.by_hand if f.kind in _WRITTEN),
        to_enter=tuple(f.zh for f in filling.by_hand if f.kind not in _WRITTEN),
    )


def _rendering(context: Context) -> str:
    """Engine and fonts, so that a page can still be explained when both are others."""

    def told() -> str:
        fonts = [
            {
                "family": r.family,
                "name": r.font,
                "version": r.version,
                "sha256": r.sha256,
                "own": str(r.own).lower(),
            }
            for r in fonts_of(context).resolved()
        ]
        return json.dumps({"engine": engine().version, "fonts": fonts}, ensure_ascii=False, sort_keys=True)

    return context.keep("rendering", told)


def _rows(case_no: str, context: Context) -> dict[str, IssuedDocument]:
    with database.session(context) as session:
        rows = (
            session.execute(select(IssuedDocument).where(IssuedDocument.case_no == case_no)).scalars().all()
        )
        session.expunge_all()
        return {row.document_id: row for row in rows}


def _record(documents: Sequence[Document], fillings: Sequence[Filling], case: Case, context: Context) -> None:
    used = {filling.id: filling.used for filling in fillings}
    with database.session(context) as session:
        for document in documents:
            given = session.get(DocumentNumber, document.doc_no) if document.doc_no else None
            if given is not None and given.state != number.State.GIVEN:
                raise Conflict("NUMBER-VOID", subject=document.doc_no, reason=given.reason)
            session.add(
                IssuedDocument(
                    case_no=case.case_no,
                    document_id=document.id,
                    type_id=document.type_id,
                    title=document.title,
                    doc_no=document.doc_no,
                    doc_date=document.date,
                    pages=document.pages,
                    docx_sha256=document.docx_sha256,
                    pdf_sha256=document.pdf_sha256,
                    template_sha256=document.template_sha256,
                    values_sha256=hashlib.sha256(canonical(used[document.id])).hexdigest(),
                    issued_at=context.now().isoformat(),
                    issued_by=context.operator,
                    rendering=document.rendering,
                )
            )


def _kind(printed: Printed, fields: Mapping[str, Field]) -> str:
    """The kind of what was printed: of a row, that of the column."""
    field = fields.get(docx.root_of(printed.path))
    if field is None:
        return "text"
    column = next((c for c in field.columns if c.name == printed.path.rpartition(".")[2]), None)
    return column.kind if column is not None else field.kind


def _zh(printed: Printed, fields: Mapping[str, Field]) -> str:
    field = fields.get(docx.root_of(printed.path))
    return str(getattr(field, "zh", ""))
