"""Drafts: documents that a clerk may still edit in Word or WPS (文书草稿)."""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from casefile import database
from casefile.assemble import check, derive, law, number, sequence
from casefile.assemble.service import RECEIPT
from casefile.assemble.templates import catalogue_of, templates_of
from casefile.assemble.values import NUMBER, PARTY, Values, canonical, dated, needed
from casefile.context import CHINA_TIME, CaseFolder, Context, write_whole
from casefile.database import IssuedDocument
from casefile.errors import BadInput, UsageError
from casefile.formats.office import docx, words
from casefile.model.case import Case, DocumentData
from casefile.model.catalogue import Catalogue, DocumentType, Field
from casefile.model.finding import Finding
from casefile.tools.fonts import fonts_of
from casefile.workdays import Workdays

_RECORD = ".drafts.json"
_DERIVED_ZH = {
    "after": "期限的推算（缺起算日期，或者那一年的放假安排还没有填进 casefile.toml 的 [calendar]）",
    "latest": "期限的推算（缺起算日期）",
    "hearing_needed": "听证标准（casefile.toml 的 [thresholds] 还没有填本省的较大数额）",
    "hearing_ground": "拟处罚内容和 casefile.toml 的 [thresholds]",
    "capitals": "小写金额",
    "total": "各项金额",
    "surcharge": "本金和天数",
    "days": "起止日期",
    "age": "出生日期",
    "covers": "送达的文书",
}
"""Where a derived value comes from, in words of a clerk."""
_MANY = frozenset({"list", "laws", "rows", "officers", "people", "signature"})


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft on disk.

    ``state`` is ``written``, ``unchanged``, ``kept`` (edited by a clerk, left alone) or ``issued`` (frozen,
    no longer a draft). ``lacking`` names what other documents do not say yet and is left blank, ``by_hand``
    what is to be written on the printed page. ``stale`` is True for an edited draft whose data changed after
    it was written: the two no longer say the same.
    """

    id: str
    path: Path
    state: str
    lacking: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    stale: bool = False
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Filling:
    """A document ready to be filled: all that it states, cleaned and checked."""

    data: DocumentData
    kind: DocumentType
    title: str
    template: docx.Template
    values: Mapping[str, Any]
    fields: tuple[Field, ...]
    numbers: Mapping[str, str]
    lacking: tuple[str, ...]
    by_hand: tuple[Field, ...]
    notes: tuple[Finding, ...]
    moment: dt.datetime
    placeholder: str

    @property
    def id(self) -> str:
        """The document's id."""
        return self.data.id

    @property
    def used(self) -> dict[str, Any]:
        """The values that the template reads: what this document says, and nothing that it merely may."""
        roots = {use.root for use in self.template.uses}
        return {name: value for name, value in self.values.items() if name in roots}

    def docx(self, author: str) -> docx.Filled:
        """The filled document.

        Raises:
            BadInput: as :meth:`casefile.formats.office.docx.Template.render`.
        """
        properties = docx.Properties(title=self.title, author=author, moment=self.moment)
        return self.template.render(_printable(self.values, self.fields), properties)


@dataclass(slots=True)
class DraftRecord:
    """``documents/.drafts.json``: digest of each draft as written, and of the values it was made of."""

    path: Path
    entries: dict[str, dict[str, str]]

    @classmethod
    def read(cls, folder: CaseFolder) -> DraftRecord:
        """The record of a case; empty when there is none."""
        path = folder.documents / _RECORD
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            entries = {}
        except ValueError:
            raise BadInput("DRAFT-RECORD", subject=_RECORD) from None
        return cls(path, entries)

    def edited(self, document_id: str, path: Path) -> bool:
        """True when somebody else than this program wrote the draft that lies there."""
        if not path.exists():
            return False
        entry = self.entries.get(document_id, {})
        return hashlib.sha256(path.read_bytes()).hexdigest() not in (entry.get("docx"), entry.get("before"))

    def stale(self, document_id: str, values: str) -> bool:
        """True when the draft was made of other values than those of the digest ``values``."""
        return self.entries.get(document_id, {}).get("values", "") not in ("", values)

    def write(self) -> None:
        """Put the record on disk."""
        write_whole(self.path, json.dumps(self.entries, indent=1, sort_keys=True).encode())


def fill(case: Case, context: Context, ids: Sequence[str] | None = None) -> tuple[Draft, ...]:
    """Write a draft of every document of the case, or of those named; edited drafts stay as they are.

    Raises:
        BadInput: DATA-REFUSED with all findings, once the drafts with nothing wrong are written; TEMPLATE-…
        UsageError: DOC-UNKNOWN, for an id that the case does not have.
    """
    folder = context.workspace.case(case.case_no)
    wanted = chosen(case, catalogue_of(context), ids)
    numbers = number.known(case.case_no, context)
    pending = {d.id: pending_number(d, case, context) for d in case.documents}
    refused: BadInput | None = None
    try:
        fillings = prepared(case, wanted, context, {**pending, **numbers}, strict=False)
    except BadInput as error:
        # The others are drafted all the same; what is wrong is told in the end.
        refused = error
        fillings = tuple(_right_ones(case, wanted, context, {**pending, **numbers}))
    frozen = frozen_ids(case.case_no, context)
    record = DraftRecord.read(folder)
    if ids is None:
        ready = {filling.id for filling in fillings}
        expected = _receipts_to_come(case, ready, context, {**pending, **numbers})
        _drop_receipts({filling.id for filling in expected}, folder, record)
        fillings += expected
    drafts = tuple(
        Draft(filling.id, folder.documents / f"{filling.id}.docx", "issued")
        if filling.id in frozen
        else _drafted(filling, folder, record, context)
        for filling in fillings
    )
    if refused is not None:
        raise refused
    return drafts


def _right_ones(
    case: Case, documents: Sequence[DocumentData], context: Context, numbers: Mapping[str, str]
) -> Iterator[Filling]:
    for document in documents:
        with suppress(BadInput):
            yield from prepared(case, [document], context, numbers, strict=False)


def _receipts_to_come(
    case: Case, ready: Collection[str], context: Context, numbers: Mapping[str, str]
) -> tuple[Filling, ...]:
    """A blank service receipt (送达回证) for each document that must be served and has none yet.

    It goes along with the document, is filled in by hand at the door, and is entered afterwards.
    """
    catalogue = catalogue_of(context)
    if RECEIPT not in catalogue.templates:
        return ()
    covered = {i for receipt in case.documents_of(RECEIPT) for i in receipt.values.get("covers") or ()}
    fillings = []
    for document in case.documents:
        kind = catalogue.types[document.type_id]
        if not kind.served or document.id in covered or document.id not in ready:
            continue
        party = document.values.get(PARTY) or case.facts.get(PARTY)
        data = _Expected(RECEIPT, 1, {"covers": (document.id,), "addressee": party}, document.line)
        whole = replace(case, documents=(*case.documents, data))
        (filling,) = prepared(whole, [data], context, numbers, strict=False)
        fillings.append(filling)
    return tuple(fillings)


def _drop_receipts(expected: Collection[str], folder: CaseFolder, record: DraftRecord) -> None:
    """Blank receipts that are in the case's data by now; one that somebody edited stays."""
    for path in folder.documents.glob(f"{RECEIPT}.*.docx"):
        if path.stem not in expected and not record.edited(path.stem, path):
            path.unlink()


class _Expected(DocumentData):
    """A document that the case's data do not have yet, named after the one that it belongs to."""

    @property
    def id(self) -> str:
        """``service_receipt.penalty_decision``."""
        return f"{self.type_id}.{self.values['covers'][0]}"


def _drafted(filling: Filling, folder: CaseFolder, record: DraftRecord, context: Context) -> Draft:
    path = folder.documents / f"{filling.id}.docx"
    draft = Draft(
        filling.id,
        path,
        "written",
        lacking=filling.lacking,
        by_hand=tuple(f.zh for f in filling.by_hand),
        notes=filling.notes,
    )
    if record.edited(filling.id, path):
        return replace(draft, state="kept", stale=record.stale(filling.id, wording_digest(filling)))
    made = filling.docx(context.config.bureau.name).docx
    old = record.entries.get(filling.id, {})
    digest = hashlib.sha256(made).hexdigest()
    unchanged = path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == digest
    if not unchanged or old.get("docx") != digest:
        # The record first, with both digests: killed between the two, neither draft looks edited.
        entry = {"docx": digest, "before": old.get("docx", ""), "values": wording_digest(filling)}
        record.entries[filling.id] = entry
        record.write()
        write_whole(path, made)
    return replace(draft, state="unchanged") if unchanged else draft


def chosen(case: Case, catalogue: Catalogue, ids: Sequence[str] | None) -> tuple[DocumentData, ...]:
    """The documents of the case that this program makes, or those of them that are named.

    Raises:
        UsageError: DOC-UNKNOWN.
    """
    made = {d.id: d for d in case.documents if catalogue.types[d.type_id].has_template}
    if ids is None:
        return tuple(made.values())
    by_name = {title_of(d, catalogue): d.id for d in made.values()}
    found = []
    for given in ids:
        document_id = given if given in made else by_name.get(given, "")
        if not document_id:
            near = difflib.get_close_matches(given, [*made, *by_name], n=5, cutoff=0.0)
            raise UsageError("DOC-UNKNOWN", subject=given, known="、".join(near))
        found.append(document_id)
    return tuple(made[document_id] for document_id in dict.fromkeys(found))


def title_of(document: DocumentData, catalogue: Catalogue) -> str:
    """``询问笔录``, ``询问笔录（2）``."""
    name = catalogue.types[document.type_id].name
    return name if document.ordinal == 1 else f"{name}（{document.ordinal}）"


def prepared(
    case: Case,
    documents: Sequence[DocumentData],
    context: Context,
    numbers: Mapping[str, str],
    *,
    strict: bool,
) -> tuple[Filling, ...]:
    """Values of the documents, cleaned and checked, each with its compiled template.

    ``numbers`` are those of all documents of the case that have one. ``strict`` complains about what other
    documents do not say yet; a draft leaves it blank.

    Raises:
        BadInput: DATA-REFUSED, with one finding for each wrong value of all documents; TEMPLATE-…
    """
    catalogue = catalogue_of(context)
    reader = values_of(case, context, numbers)
    fonts = fonts_of(context)
    found: list[Finding] = []
    fillings = []
    for document in documents:
        kind = catalogue.types[document.type_id]
        fields = catalogue.fields_of(document.type_id)
        values = check.clean(reader.of(document))
        title = title_of(document, catalogue)
        longest = context.config.limits.field_characters
        found += check.complaints(values, fields, title, fonts, longest)
        found += check.contradictions(kind, values, fields, title)
        found += _against_sources(document, kind, reader, title)
        found += law.complaints(reader, document, values, title)
        lacking = [f for f in reader.lacking(document, values) if not written_by_hand(f, kind)]
        if strict:
            found += (
                Finding(
                    "DOC-NEEDS-OTHER",
                    subject=f"{title}：{f.zh}",
                    params={
                        "document": title,
                        "field": f.zh,
                        "source": _source_zh(f.source or "", catalogue),
                    },
                )
                for f in lacking
            )
        fillings.append(
            Filling(
                data=document,
                kind=kind,
                title=title,
                template=templates_of(context).get(catalogue.template(document.type_id)),
                values=values,
                fields=fields,
                numbers={
                    numbers[d.id]: pending_number(d, case, context)
                    for d in case.documents
                    if numbers.get(d.id)
                },
                lacking=tuple(f.zh for f in lacking),
                by_hand=tuple(f for f in fields if _unwritten(f, kind, values)),
                notes=tuple(_validity(kind, values, title)),
                moment=_moment(dated(kind, values), context),
                placeholder=pending_number(document, case, context),
            )
        )
    found += sequence.complaints(reader, {d.id for d in documents})
    if found:
        own = [Finding(f.code, f.subject, case.case_no, f.params) for f in found]
        raise BadInput("DATA-REFUSED", subject=case.case_no, findings=own, count=len(own))
    return tuple(fillings)


def _against_sources(
    document: DocumentData, kind: DocumentType, reader: Values, title: str
) -> Iterator[Finding]:
    """A date or number that was typed, and that another document or its receipt says otherwise."""
    for one in reader.catalogue.fields_of(kind.id):
        stated = document.values.get(one.name)
        if stated is None or not one.source or not _settled_elsewhere(one, kind):
            continue
        told = reader.sourced(document, one.source)
        if told is not None and told != stated:
            params = {
                "stated": words.plain(stated),
                "source": _source_zh(one.source, reader.catalogue),
                "told": words.plain(told),
            }
            yield Finding("DATA-SOURCE-DIFFERS", subject=f"{title}：{one.zh}", params=params)


def _settled_elsewhere(one: Field, kind: DocumentType) -> bool:
    """True for days of service, and for dates and numbers of other documents."""
    source = one.source or ""
    owner, _, name = source.rpartition(".")
    elsewhere = owner not in ("", kind.id, "config.bureau") and ":" not in owner
    return source.startswith("served:") or (
        elsewhere and (name == NUMBER or one.kind in ("date", "datetime"))
    )


def values_of(case: Case, context: Context, numbers: Mapping[str, str]) -> Values:
    """What the documents of a case state; ``numbers`` are those that they have, by document id."""
    settings = context.config
    days = settings.calendar
    return Values(
        case,
        catalogue_of(context),
        settings.bureau,
        lambda document: numbers.get(document.id) or None,
        Workdays.of(days.days_off, days.worked, days.years),
        settings.thresholds,
    )


def written_by_hand(one: Field, kind: DocumentType) -> bool:
    """True for what is written on the printed page, and for what repeats it (手填)."""
    owner, _, name = (one.source or "").rpartition(".")
    return one.by_hand or (owner == kind.id and any(f.by_hand for f in kind.fields if f.name == name))


def _unwritten(one: Field, kind: DocumentType, values: Mapping[str, Any]) -> bool:
    return written_by_hand(one, kind) and values.get(one.name) in (None, "", ()) and needed(one, values)


def _validity(kind: DocumentType, values: Mapping[str, Any], title: str) -> Iterator[Finding]:
    """A form may be used only while the rules that it states were in force."""
    day = dated(kind, values)
    if day is None:
        return
    since, until = kind.valid_from, kind.valid_to
    if (since and day < since) or (until and day > until):
        params = {
            "document": title,
            "date": words.date_cn(day),
            "since": words.date_cn(since) if since else "—",
            "until": words.date_cn(until) if until else "今",
        }
        yield Finding("DOC-FORM-NOT-VALID", subject=title, params=params)


def pending_number(document: DocumentData, case: Case, context: Context) -> str:
    """What stands for the number of a document until it is given; "" for a type without numbers."""
    kind = catalogue_of(context).types[document.type_id]
    if not kind.number_word:
        return ""
    year = year_of(document, kind, case, context)
    pattern = kind.number_pattern or number.PATTERN
    return number.placeholder(context.config.bureau.short, kind.number_word, year, document.ordinal, pattern)


def frozen_ids(case_no: str, context: Context) -> frozenset[str]:
    """Ids of the documents of a case that are issued."""
    with database.session(context) as session:
        query = select(IssuedDocument.document_id).where(IssuedDocument.case_no == case_no)
        return frozenset(session.execute(query).scalars())


def year_of(document: DocumentData, kind: DocumentType, case: Case, context: Context) -> int:
    """The year in which the document is numbered: that of its date, else the present one."""
    day = dated(kind, {**case.facts, **{k: v for k, v in document.values.items() if v is not None}})
    return (day or context.now().date()).year


def wording_digest(filling: Filling) -> str:
    """Digest of what the draft was made of, whether the numbers that it states are given yet or not."""
    values = {name: value for name, value in filling.used.items() if name != NUMBER}
    text = canonical(values).decode()
    for number_given in sorted(filling.numbers, key=len, reverse=True):
        text = text.replace(number_given, filling.numbers[number_given])
    return hashlib.sha256(text.encode()).hexdigest()


def _printable(values: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Any]:
    """Values for a template: where nobody said anything, a loop has no items and a record no words."""
    shown = dict(values)
    for one in fields:
        if shown.get(one.name) is None and one.kind in _MANY:
            shown[one.name] = ()
        elif shown.get(one.name) is None and one.kind == "record":
            shown[one.name] = {column.name: None for column in one.columns}
    return shown


def _moment(day: dt.date | None, context: Context) -> dt.datetime:
    # Without a date, today's: within a day the same draft has the same bytes.
    day = day or context.now().date()
    return dt.datetime(day.year, day.month, day.day, tzinfo=CHINA_TIME)


def _source_zh(source: str, catalogue: Catalogue) -> str:
    served, _, rest = source.partition(":")
    if served == "served" and rest in catalogue.types:
        return f"《{catalogue.types[rest].name}》的送达回证"
    if source == "number":
        return "定稿（casefile issue）时编的文号"
    if source.startswith(derive.PREFIX):
        name = source.removeprefix(derive.PREFIX).partition("(")[0]
        return _DERIVED_ZH.get(name, "案件数据中的其他事实")
    owner, _, name = source.rpartition(".")
    if owner in catalogue.types:
        zh = next((f.zh for f in catalogue.fields_of(owner) if f.name == name), name)
        return f"《{catalogue.types[owner].name}》的“{zh}”"
    return source
