"""case.yaml → :class:`~casefile.model.case.Case`, with every complaint at once."""

from __future__ import annotations

import difflib
import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from casefile.cases import models, values
from casefile.cases.filled import START, copy_name
from casefile.cases.models import Models
from casefile.cases.offer import ALWAYS, DOCUMENTS, Offer, asked, single_field, uses
from casefile.config import Config
from casefile.context import CaseFolder
from casefile.errors import BadInput
from casefile.formats import yaml
from casefile.formats.yaml import Entry, Leaf, Listing, Node, Table
from casefile.model.case import Case, DocumentData
from casefile.model.catalogue import Catalogue, DocumentType, Field, FieldGroup
from casefile.model.finding import Finding
from casefile.model.terms import Need, Secrecy

Texts = Mapping[str, tuple[str, ...]]
"""What was typed, by field: what a condition looks at."""


def read(folder: CaseFolder, catalogue: Catalogue, config: Config) -> Case:
    """Read and check ``case.yaml``.

    Raises:
        BadInput: CASE-NO-DATA when there is none, YAML-… when it can't be read as YAML, else CASE-FIELDS with
            one finding for each missing or wrong field.
    """
    subject = f"{folder.root.name}/{folder.data.name}"
    if not folder.data.is_file():
        raise BadInput("CASE-NO-DATA", subject=subject, case_no=folder.root.name)
    node, data = yaml.read(folder.data, subject)
    case, complaints = examine(node, hashlib.sha256(data).hexdigest(), folder, subject, catalogue, config)
    if complaints:
        findings = [finding for _, finding in complaints]
        raise BadInput("CASE-FIELDS", subject=subject, findings=findings, count=len(findings))
    return case


def examine(
    node: Node, digest: str, folder: CaseFolder, subject: str, catalogue: Catalogue, config: Config
) -> tuple[Case, list[tuple[int, Finding]]]:
    """The case in a tree, whatever file carried it, and each complaint with its line, in order.

    The case is of use only when there are no complaints.

    Raises:
        BadInput: CASE-SHAPE.
    """
    kept = _models(_Same(catalogue), config.limits.field_characters)
    reading = _Reading(folder, subject, catalogue, kept)
    case = reading.case(node, digest)
    return case, sorted(reading.findings, key=lambda f: f[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A catalogue as a key: two are the same only when they are one object."""

    catalogue: Catalogue

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.catalogue is self.catalogue

    def __hash__(self) -> int:
        return id(self.catalogue)


@lru_cache(maxsize=4)
def _models(_: _Same, max_characters: int) -> Models:
    return Models(max_characters)


@dataclass(frozen=True, slots=True)
class _Place:
    """A part of case.yaml: what to call it, its fields and what was typed there."""

    where: str
    fields: tuple[Field, ...]
    table: Table


@dataclass(frozen=True, slots=True)
class _Started:
    """A document that somebody began to fill in."""

    type: DocumentType
    ordinal: int
    place: _Place
    texts: Texts

    @property
    def id(self) -> str:
        return DocumentData(self.type.id, self.ordinal, {}, 0).id


@dataclass(slots=True)
class _Reading:
    """One reading of one file; ``findings`` are complaints with their lines."""

    folder: CaseFolder
    subject: str
    catalogue: Catalogue
    models: Models
    findings: list[tuple[int, Finding]] = field(default_factory=list)

    def case(self, node: Node, digest: str) -> Case:
        """The case; of use only when there are no findings."""
        if not isinstance(node, Table):
            raise BadInput("CASE-SHAPE", subject=self.subject)
        places = {g.id: self._group(g, node) for g in Offer(self.catalogue, ()).groups()}
        for key, entry in node.entries.items():
            if key != DOCUMENTS and key not in places:
                known = {**_zh_of_groups(self.catalogue), DOCUMENTS: "文书"}
                self._unknown(key, entry.line, self.folder.data.name, known)
        procedures, places["case"] = self._procedures(places["case"])
        offer = Offer(self.catalogue, procedures)

        facts: dict[str, Any] = {}
        texts: dict[str, tuple[str, ...]] = {}
        for group_id, place in places.items():
            optional = tuple(models.optional(f) for f in place.fields)
            facts |= self._values(f"group {group_id}", place, optional, asked(place.fields))
            texts |= _texts(place.table, place.fields)
        started = list(self._documents(node.entries.get(DOCUMENTS), offer, texts))
        self._needed_facts(places, texts, started, offer)
        documents = self._checked_documents(started)

        written = facts.get("case_no") or ""
        if written and unicodedata.normalize("NFC", written) != unicodedata.normalize(
            "NFC", self.folder.root.name
        ):
            line = _line_of(places["case"].table, ("case_no",))
            self._say("CASE-NUMBER-DIFFERS", line, value=written, folder=self.folder.root.name)
        return Case(
            case_no=written,
            procedures=procedures,
            title=facts.get("case_title") or "",
            party=facts.get("party_name") or "",
            folder=self.folder.root,
            facts=facts,
            documents=documents,
            digest=digest,
            secrecy=_secrecy(facts),
        )

    # Where things stand

    def _group(self, group: FieldGroup, top: Table) -> _Place:
        entry = top.entries.get(group.id)
        fields = tuple(f for f in group.fields if f.kind != "seal")
        where = f"“{group.zh}”"
        if entry is None:
            return _Place(where, fields, Table({}, 1, 1))
        only = single_field(group)
        value = entry.value
        if only is not None and (
            isinstance(value, Listing) or (isinstance(value, Table) and only.name not in value.entries)
        ):
            value = Table({only.name: entry}, entry.line, entry.column)
        if not isinstance(value, Table):
            if not isinstance(value, Leaf) or value.text.strip():
                self._say("FIELD-SHAPE", entry.line, where=where, field=group.zh, name=group.id)
            return _Place(where, fields, Table({}, entry.line, entry.column))
        return _Place(where, fields, Table(value.entries, entry.line, entry.column))

    def _procedures(self, place: _Place) -> tuple[tuple[str, ...], _Place]:
        """The procedures that are named by id or Chinese name, and the place with ids in it."""
        known = self.catalogue.procedures
        by_name = {p.zh: p.id for p in known.values()}
        entry = place.table.entries.get("procedures")
        if entry is None:
            return (), place
        items = entry.value.items if isinstance(entry.value, Listing) else (entry.value,)
        named = tuple(
            Leaf(by_name.get(item.text.strip(), item.text), item.line, item.column)
            if isinstance(item, Leaf)
            else item
            for item in items
        )
        listing = Entry(Listing(named, entry.value.line, entry.value.column), entry.line, entry.column)
        table = Table({**place.table.entries, "procedures": listing}, place.table.line, place.table.column)
        ids = [leaf.text.strip() for leaf in named if isinstance(leaf, Leaf)]
        return tuple(dict.fromkeys(i for i in ids if i in known)), _Place(place.where, place.fields, table)

    def _documents(self, entry: Entry | None, offer: Offer, facts: Texts) -> Iterator[_Started]:
        if entry is None or _pruned(entry.value) is None:
            return
        if not isinstance(entry.value, Table):
            self._say("FIELD-SHAPE", entry.line, where="case.yaml", field="文书", name=DOCUMENTS)
            return
        offered = {t.id: t.name for t in offer.documents()}
        for type_id, one in entry.value.entries.items():
            kind = self.catalogue.types.get(type_id)
            if kind is None:
                names = offered or {t.id: t.name for t in self.catalogue.types.values() if t.has_template}
                self._unknown(type_id, one.line, f"“{DOCUMENTS}”", names, code="DOCUMENT-UNKNOWN")
                continue
            items = one.value.items if isinstance(one.value, Listing) else (one.value,)
            filled = [(n, i) for n, i in enumerate(items, 1) if _pruned(i) is not None]
            if not filled:
                continue
            if not kind.has_template:
                self._say("DOCUMENT-OUTSIDE", one.line, document=kind.name, name=type_id)
                continue
            if offer.procedures and type_id not in offered and "*" not in kind.procedures:
                self._say("DOCUMENT-PROCEDURE", one.line, document=kind.name, name=type_id)
            if len(filled) > 1 and not kind.repeatable:
                self._say(
                    "DOCUMENT-REPEATED",
                    filled[1][1].line,
                    document=kind.name,
                    name=type_id,
                    count=len(filled),
                )
                filled = filled[:1]
            for number, item in filled:
                yield self._started(kind, number if kind.repeatable else 1, item, one, facts)

    def _started(self, kind: DocumentType, ordinal: int, item: Node, entry: Entry, facts: Texts) -> _Started:
        where = f"《{kind.name}》" + (f"第{ordinal}份" if ordinal > 1 else "")
        line = item.line if isinstance(entry.value, Listing) else entry.line
        table = Table({}, line, 1)
        if isinstance(item, Table):
            table = Table(item.entries, line, item.column)
        elif not isinstance(item, Leaf) or item.text.strip() not in START:
            self._say("FIELD-SHAPE", line, where=where, field=kind.name, name=kind.id)
        own = {f.name for f in kind.fields}
        fields = tuple(
            f if f.name in own else models.optional(f)
            for f in self.catalogue.fields_of(kind.id)
            if f.kind != "seal"
        )
        place = _Place(where, fields, table)
        return _Started(kind, ordinal, place, {**facts, **_texts(table, fields)})

    # What is said there

    def _checked_documents(self, started: Sequence[_Started]) -> tuple[DocumentData, ...]:
        ids = {one.id: one for one in started}
        documents = []
        for one in started:
            fields = tuple(models.optional(f) if f.source is not None else f for f in one.place.fields)
            own = {f.name for f in one.type.fields}
            always = tuple(f for f in asked(one.place.fields) if f.name in own)
            found = self._values(f"document {one.type.id}", one.place, fields, always)
            for path, missing in _conditional(one.place.fields, one.place.table, one.texts):
                self._missing(one.place, path, missing)
            self._whole_party(one)
            self._fine_adds_up(found, one)
            if found.get("covers"):
                found["covers"] = self._covered(found["covers"], one, ids)
            documents.append(DocumentData(one.type.id, one.ordinal, found, one.place.table.line))
        return tuple(documents)

    def _whole_party(self, one: _Started) -> None:
        """A document to another party says all of it: nothing is taken over from the case's own party."""
        group = self.catalogue.groups.get("party")
        own = _own_texts(one)
        if group is None or group.id not in one.type.groups or "party_name" not in own:
            return
        for wanted in asked(group.fields):
            if wanted.name not in own and wanted.default is None and _is_needed(wanted, own):
                self._missing(one.place, (wanted.name,), wanted)

    def _fine_adds_up(self, found: Mapping[str, Any], one: _Started) -> None:
        """One decision must not state two fines."""
        fine = found.get("fine_amount")
        amounts = [
            row["amount"]
            for row in found.get("penalties") or ()
            if row.get("kind") == "罚款" and row.get("amount")
        ]
        if fine is not None and amounts and sum(amounts) != fine:
            line = _line_of(one.place.table, ("fine_amount",))
            self._say("FIELD-FINE-SUM", line, where=one.place.where, fine=fine, sum=sum(amounts))

    def _values(
        self, name: str, place: _Place, fields: tuple[Field, ...], always: tuple[Field, ...]
    ) -> dict[str, Any]:
        """Typed values by field: those of ``always`` (None when missing) and whatever else was given."""
        known = {f.name for f in fields}
        pruned = _pruned(place.table)
        entries = dict(pruned.entries) if isinstance(pruned, Table) else {}
        # A name that nobody knows is a slip even while nothing stands behind it.
        entries |= {key: entry for key, entry in place.table.entries.items() if key not in known}
        table = Table(entries, place.table.line, place.table.column)
        raw = _plain(table)
        for one in always:
            if one.default is not None and one.name not in raw:
                raw[one.name] = one.default.split("\n") if one.kind in models.LISTS else one.default
        try:
            made = self.models.of(name, fields).model_validate(raw).model_dump()
        except ValidationError as error:
            for one_error in error.errors(include_url=False, include_input=False):
                self._explain(one_error["type"], one_error["loc"], one_error.get("ctx", {}), place)
            return {}
        names = {f.name for f in always}
        return {f.name: made[f.name] for f in fields if f.name in names or f.name in raw}

    def _explain(self, kind: str, path: tuple[int | str, ...], ctx: Mapping[str, Any], place: _Place) -> None:
        if kind == "extra_forbidden":
            level = _fields_at(place.fields, path[:-1])
            key, line = str(path[-1]), _line_of(place.table, path)
            home = self._home_of(key)
            if home is not None:
                self._say("FIELD-MISPLACED", line, where=place.where, name=key, group=home)
            else:
                self._unknown(key, line, place.where, {f.name: f.zh for f in level})
        elif kind == "missing":
            self._missing(place, path, None)
        else:
            code = kind if kind.startswith("FIELD-") else "FIELD-SHAPE"
            label, name = _label(place.fields, path)
            self._say(code, _line_of(place.table, path), where=place.where, field=label, name=name, **ctx)

    def _home_of(self, key: str) -> str | None:
        for group in self.catalogue.groups.values():
            if any(f.name == key for f in group.fields):
                return group.id
        return None

    def _covered(
        self, ids: Sequence[str], receipt: _Started, known: Mapping[str, _Started]
    ) -> tuple[str, ...]:
        """The documents that a service receipt proves served, by id; a Chinese name means the first such, or
        the one that it counts: ``询问笔录（第2份）``."""
        by_name = {one.type.name: one.id for one in reversed(list(known.values()))}
        by_name |= {
            copy_name(one.type.name, one.ordinal): one.id for one in known.values() if one.ordinal > 1
        }
        offered = "、".join(i for i, one in known.items() if one.type.id != receipt.type.id)
        covered = []
        for given in ids:
            found = given if given in known else by_name.get(given) or self._outside(given)
            if found is None or found == receipt.id:
                line = _line_of(receipt.place.table, ("covers", ids.index(given)))
                self._say(
                    "DOCUMENT-REFERENCE", line, where=receipt.place.where, value=given[:60], choices=offered
                )
            covered.append(found or given)
        return tuple(covered)

    def _outside(self, given: str) -> str | None:
        """A type by id or Chinese name whose paper lies in the inbox: from outside, or made by hand.

        Whether it really lies there is judged before the case is archived.
        """
        for kind in self.catalogue.types.values():
            if given in (kind.id, kind.name):
                return kind.id
        return None

    def _needed_facts(
        self, places: Mapping[str, _Place], texts: Texts, started: Sequence[_Started], offer: Offer
    ) -> None:
        """Complain about shared facts that are missing: those of the first day, and those that a started
        document uses and does not state itself."""
        offered = offer.documents()
        for group_id, place in places.items():
            first_day = group_id in ALWAYS and (not offered or any(group_id in t.groups for t in offered))
            given = _texts(place.table, place.fields)
            for one in asked(place.fields):
                if one.default is not None or one.name in given or not _is_needed(one, texts):
                    continue
                users = [
                    s for s in started if uses(s.type, group_id, one.name) and one.name not in _own_texts(s)
                ]
                if first_day or users:
                    names = "".join(dict.fromkeys(f"《{s.type.name}》" for s in users))
                    self._missing(place, (one.name,), one, where=place.where + names)
            inner = tuple(f for f in asked(place.fields) if f.name in given)
            for path, missing in _conditional_inside(inner, place.table, texts):
                self._missing(place, path, missing)

    # How it is told

    def _missing(
        self, place: _Place, path: tuple[int | str, ...], condition: Field | None, where: str = ""
    ) -> None:
        label, name = _label(place.fields, path)
        line, where = _line_of(place.table, path), where or place.where
        if condition is None or not condition.when:
            self._say("FIELD-MISSING", line, where=where, field=label, name=name)
            return
        zh = {f.name: f.zh for f in (*place.fields, *_shared_fields(self.catalogue))}
        told = "，".join(f"“{zh.get(k, k)}”为“{'”或“'.join(v)}”" for k, v in condition.when.items())
        self._say("FIELD-MISSING-WHEN", line, where=where, field=label, name=name, condition=told)

    def _unknown(
        self, key: str, line: int, where: str, known: Mapping[str, str], code: str = "FIELD-UNKNOWN"
    ) -> None:
        plain = unicodedata.normalize("NFKC", key).strip()
        by_zh = {zh: name for name, zh in known.items()}
        near = difflib.get_close_matches(plain, [*known, *by_zh], n=1, cutoff=0.0)
        name = by_zh.get(near[0], near[0]) if near else ""
        nearest = f"{name}（{known[name]}）" if name else "—"
        self._say(code, line, where=where, name=key[:60], nearest=nearest)

    def _say(self, code: str, line: int, **params: object) -> None:
        shown = {"file": self.subject, "line": str(line), **{k: str(v) for k, v in params.items()}}
        subject = f"{self.subject}:{line}"
        finding = Finding(code, subject=subject, case_no=self.folder.root.name, params=shown)
        if (line, finding) not in self.findings:
            self.findings.append((line, finding))


def _pruned(node: Node) -> Node | None:
    """``node`` without its blanks; None when nothing is left."""
    if isinstance(node, Leaf):
        return node if node.text.strip() else None
    if isinstance(node, Listing):
        items = tuple(p for p in map(_pruned, node.items) if p is not None)
        return Listing(items, node.line, node.column) if items else None
    entries = {}
    for key, entry in node.entries.items():
        value = _pruned(entry.value)
        if value is not None:
            entries[key] = Entry(value, entry.line, entry.column)
    return Table(entries, node.line, node.column) if entries else None


def _plain(node: Node) -> Any:
    """``node`` as text, lists and dicts."""
    if isinstance(node, Leaf):
        return node.text
    if isinstance(node, Listing):
        return [_plain(item) for item in node.items]
    return {key: _plain(entry.value) for key, entry in node.entries.items()}


def _texts(table: Table, fields: Iterable[Field]) -> dict[str, tuple[str, ...]]:
    """What stands in each field of ``fields``, defaults included, as conditions look at it."""
    pruned = _pruned(table)
    entries = pruned.entries if isinstance(pruned, Table) else {}
    found = {}
    for one in fields:
        if one.name in entries:
            value = entries[one.name].value
            leaves = value.items if isinstance(value, Listing) else (value,)
            found[one.name] = tuple(n.text.strip() for n in leaves if isinstance(n, Leaf))
        elif one.default is not None and one.source is None:
            found[one.name] = (one.default,)
    return found


def _own_texts(one: _Started) -> Texts:
    return _texts(one.place.table, (models.optional(f) for f in one.place.fields))


def _is_needed(one: Field, texts: Texts) -> bool:
    """Whether ``one`` must be filled in, given what stands in the other fields."""
    if one.need is Need.REQUIRED:
        return True
    if one.need is Need.OPTIONAL or not one.when:
        return False
    return all(
        any(_word(text) in {_word(v) for v in wanted} for text in texts.get(name, ()))
        for name, wanted in one.when.items()
    )


def _word(text: str) -> str:
    """A word as conditions compare it: ``true`` is ``是``."""
    truth = values.BOOLEANS.get(text.casefold())
    return text if truth is None or text in ("有", "无") else ("是" if truth else "否")


def _conditional(
    fields: Sequence[Field], table: Table, texts: Texts, path: tuple[int | str, ...] = ()
) -> Iterator[tuple[tuple[int | str, ...], Field]]:
    """Fields of ``table`` that are missing though their condition holds, with their paths."""
    given = _pruned(table)
    entries = given.entries if isinstance(given, Table) else {}
    for one in asked(fields):
        if (
            one.need is Need.WHEN
            and not one.by_hand
            and one.default is None
            and one.name not in entries
            and _is_needed(one, texts)
        ):
            yield (*path, one.name), one
    yield from _conditional_inside(fields, table, texts, path)


def _conditional_inside(
    fields: Sequence[Field], table: Table, texts: Texts, path: tuple[int | str, ...] = ()
) -> Iterator[tuple[tuple[int | str, ...], Field]]:
    given = _pruned(table)
    entries = given.entries if isinstance(given, Table) else {}
    for one in fields:
        columns = models.columns_of(one)
        if not columns or one.name not in entries:
            continue
        value = entries[one.name].value
        rows = value.items if isinstance(value, Listing) else (value,)
        for number, row in enumerate(rows):
            if isinstance(row, Table):
                inner = (*path, one.name) if one.kind == "record" else (*path, one.name, number)
                yield from _conditional(columns, row, {**texts, **_texts(row, columns)}, inner)


def _line_of(table: Table, path: Sequence[int | str]) -> int:
    """The line of the deepest part of ``path`` that stands in the file; blank items of lists don't count."""
    node: Node = table
    line = table.line
    for step in path:
        if isinstance(node, Table) and isinstance(step, str) and step in node.entries:
            entry = node.entries[step]
            node, line = entry.value, entry.line
        elif isinstance(node, Listing) and isinstance(step, int):
            filled = [item for item in node.items if _pruned(item) is not None]
            if step >= len(filled):
                break
            node = filled[step]
            line = node.line
        elif not (isinstance(node, Table) and isinstance(step, int)):
            break
    return line


def _label(fields: Sequence[Field], path: Sequence[int | str]) -> tuple[str, str]:
    """``执法人员第1项：执法证号`` and ``officers.1.cert_no``."""
    zh, names = "", []
    level = tuple(fields)
    for step in path:
        if isinstance(step, int):
            zh += f"第{step + 1}项"
            names.append(str(step + 1))
            continue
        one = next((f for f in level if f.name == step), None)
        zh += ("：" if zh else "") + (one.zh if one is not None else step)
        names.append(step)
        level = models.columns_of(one) if one is not None else ()
    return zh, ".".join(names)


def _fields_at(fields: Sequence[Field], path: Sequence[int | str]) -> tuple[Field, ...]:
    level = tuple(fields)
    for step in path:
        if isinstance(step, str):
            level = next((models.columns_of(f) for f in level if f.name == step), ())
    return level


def _shared_fields(catalogue: Catalogue) -> Iterator[Field]:
    for group in catalogue.groups.values():
        yield from group.fields


def _zh_of_groups(catalogue: Catalogue) -> dict[str, str]:
    return {group.id: group.zh for group in catalogue.groups.values()}


def _secrecy(facts: Mapping[str, Any]) -> str:
    words = {s.zh: s.value for s in Secrecy} | {s.value: s.value for s in Secrecy}
    return str(words.get(str(facts.get("secrecy") or ""), Secrecy.NONE.value))
