"""What each document states: its own values, the shared facts, and what follows from other truths.

By name, the first of these that says something wins: the document itself, the facts of the case, the field's
``source``, its default.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from casefile.assemble import derive
from casefile.assemble.service import served_on
from casefile.config import Bureau, Thresholds
from casefile.formats.office import words
from casefile.model.case import Case, DocumentData
from casefile.model.catalogue import Catalogue, DocumentType, Field
from casefile.model.terms import Need
from casefile.workdays import Workdays

NUMBER = "doc_no"
PARTY = "party_name"
PARTY_GROUP = "party"


@dataclass(frozen=True)
class Values:
    """Reads the values of a case's documents. ``number`` gives a document's number, or None as yet."""

    case: Case
    catalogue: Catalogue
    bureau: Bureau
    number: Callable[[DocumentData], str | None]
    workdays: Workdays = field(default_factory=Workdays)
    thresholds: Thresholds = field(default_factory=Thresholds)
    _reading: set[tuple[str, str]] = field(default_factory=set, repr=False)

    def of(self, document: DocumentData) -> dict[str, Any]:
        """Every value that the document may print; None for what nobody said."""
        return {f.name: self.value(document, f) for f in self.catalogue.fields_of(document.type_id)}

    def value(self, document: DocumentData, wanted: Field) -> Any:
        """The value of one field of one document."""
        explicit = document.values.get(wanted.name)
        if explicit is None and self._shares(document, wanted):
            explicit = self.case.facts.get(wanted.name)
        if explicit is not None:
            return _completed(explicit, wanted)
        if wanted.source is not None:
            key = (document.id, f"{wanted.name} {wanted.source}")
            if key in self._reading:
                return None
            self._reading.add(key)
            try:
                return _completed(_shaped(self.sourced(document, wanted.source), wanted), wanted)
            finally:
                self._reading.discard(key)
        return _typed(wanted.default, wanted.kind)

    def _shares(self, document: DocumentData, wanted: Field) -> bool:
        """Whether the document states this fact of the case; a field of its own may bear the same name."""
        kind, groups = self.catalogue.types[document.type_id], self.catalogue.groups
        party = groups.get(PARTY_GROUP)
        if party is not None and document.values.get(PARTY) is not None and wanted in party.fields:
            # Another party: nothing of the case's own party may be said of it.
            return False
        return (
            self.catalogue.shared.get(wanted.name) is wanted
            or wanted.name in kind.shared
            or any(f.name == wanted.name for group in kind.groups for f in groups[group].fields)
        )

    def named(self, name: str, document: DocumentData) -> Any:
        """The value of a field of the document or of a shared fact; None when there is neither."""
        fields = {f.name: f for f in self.catalogue.fields_of(document.type_id)}
        wanted = fields.get(name) or self.catalogue.shared.get(name)
        return None if wanted is None else self.value(document, wanted)

    def dated(self, document: DocumentData) -> dt.date | None:
        """The date of a document, as far as the case says it."""
        kind = self.catalogue.types[document.type_id]
        return dated(
            kind, {kind.date_field: self.named(kind.date_field, document)} if kind.date_field else {}
        )

    def lacking(self, document: DocumentData, values: Mapping[str, Any]) -> tuple[Field, ...]:
        """Fields that the document needs, whose source says nothing yet."""
        return tuple(
            f
            for f in self.catalogue.fields_of(document.type_id)
            if f.source is not None and _empty(values.get(f.name)) and needed(f, values)
        )

    def sourced(self, document: DocumentData, source: str) -> Any:
        """What ``source`` says for a document; None as long as it says nothing."""
        if source == "number":
            return self.number(document)
        call = derive.Call.read(source)
        if call is not None:
            return derive.RULES[call.name](derive.Here(self, document), *call.arguments)
        kind, _, rest = source.partition(":")
        if kind == "fact":
            return self.value(document, self.catalogue.shared[rest])
        if kind == "served":
            other = self._last(rest, document)
            return None if other is None else served_on(self.case, other.id)
        owner, _, name = source.rpartition(".")
        if owner == "config.bureau":
            return getattr(self.bureau, name)
        other = document if owner == document.type_id else self._last(owner, document)
        return None if other is None else self.named(name, other)

    def document_called(self, name: str) -> DocumentData | None:
        """The document of the case that bears this id or Chinese name: ``询问笔录（2）``."""
        for document in self.case.documents:
            zh = self.catalogue.types[document.type_id].name
            if name in (document.id, zh if document.ordinal == 1 else f"{zh}（{document.ordinal}）"):
                return document
        return None

    def covered(self, document: DocumentData) -> Iterator[Mapping[str, Any]]:
        """Name, number and copies of each document that a service receipt covers."""
        known = {d.id: d for d in self.case.documents}
        for document_id in document.values.get("covers") or ():
            other = known.get(document_id)
            if other is None:
                # A piece from outside: its number stands on the piece itself.
                if document_id in self.catalogue.types:
                    yield {"name": self.catalogue.types[document_id].name, "doc_no": "", "copies": 1}
                continue
            values = self.of(other) if other.id != document.id else {}
            yield {
                "name": self.catalogue.types[other.type_id].name,
                "doc_no": values.get(NUMBER) or "",
                "copies": values.get("copies") or 1,
            }

    def _last(self, type_id: str, document: DocumentData) -> DocumentData | None:
        """The last document of a type that speaks to the same party: a case may have several parties."""
        found = self.case.documents_of(type_id)
        if len(found) > 1:
            party = document.values.get(PARTY)
            found = tuple(d for d in found if party is None or d.values.get(PARTY) in (None, party))
        return found[-1] if found else None


def needed(wanted: Field, values: Mapping[str, Any]) -> bool:
    """True when a document with these values can't do without the field."""
    if wanted.need is Need.REQUIRED:
        return True
    if wanted.need is Need.WHEN and wanted.when:
        return all(_said(values.get(name)) in allowed for name, allowed in wanted.when.items())
    return False


def dated(kind: DocumentType, values: Mapping[str, Any]) -> dt.date | None:
    """The date of a document, from the field that its type names."""
    value = values.get(kind.date_field) if kind.date_field else None
    if isinstance(value, dt.datetime):
        return value.date()
    return value if isinstance(value, dt.date) else None


def digest(values: Mapping[str, Any]) -> str:
    """SHA-256 over the values, whatever their order."""
    return hashlib.sha256(canonical(values)).hexdigest()


def canonical(values: Mapping[str, Any]) -> bytes:
    """The values as JSON with one way to write each."""
    return json.dumps(_plain(values), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return {"number": f"{value.normalize():f}"}
    if isinstance(value, dt.date):
        return {"date": value.isoformat()}
    return value


def _shaped(value: Any, wanted: Field) -> Any:
    """Rows that come from another document keep the columns that this one has; a missing one is blank."""
    names = [column.name for column in wanted.columns]
    if not names or value is None:
        return value
    if isinstance(value, Mapping):
        return {name: value.get(name) for name in names}
    return tuple({name: row.get(name) for name in names} for row in value)


def _completed(value: Any, wanted: Field) -> Any:
    """Rows with the columns filled in that follow from other columns."""
    rules = {c.name: derive.Call.read(c.source) for c in wanted.columns if c.source is not None}
    if not rules or value is None:
        return value
    if isinstance(value, Mapping):
        return _completed_row(value, rules)
    return tuple(_completed_row(row, rules) for row in value)


def _completed_row(row: Mapping[str, Any], rules: Mapping[str, derive.Call | None]) -> Mapping[str, Any]:
    found = dict(row)
    for name, call in rules.items():
        if call is not None and found.get(name) is None:
            found[name] = derive.ROW_RULES[call.name](row, *call.arguments)
    return found


def _typed(default: str | None, kind: str) -> Any:
    if default is None:
        return None
    match kind:
        case "int":
            return int(default)
        case "number" | "money" | "area":
            return Decimal(default)
        case "bool":
            return default in ("是", "有", "true", "yes")
        case "date":
            return dt.date.fromisoformat(default)
        case "list" | "laws":
            return (default,)
    return default


def _empty(value: Any) -> bool:
    return value is None or value in ("", (), [])


def _said(value: Any) -> str:
    return words.yesno(value) if isinstance(value, bool) else str(value)
