"""What was typed into a case, whatever carried it: case.yaml or Excel. Both are written from this."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from casefile.cases import models
from casefile.cases.models import LISTS, ROWS, columns_of
from casefile.cases.offer import DOCUMENTS, Offer, asked, single_field, uses
from casefile.formats.yaml import Leaf, Listing, Node, Table
from casefile.model.catalogue import Catalogue, DocumentType, Field, FieldGroup
from casefile.model.terms import Need

START = ("制作", "是")
"""What may stand in place of a document's fields to start it with nothing but its defaults."""

UNASKED = ("remedy", "agency")
"""Groups that the bureau's settings and the law fill in; they show only where a case says otherwise."""

Value = str | tuple[str, ...] | Mapping[str, str] | tuple[Mapping[str, str], ...]
"""A text, a list of texts, a record, rows; by the kind of the field."""

Values = Mapping[str, Value]


def copy_name(name: str, number: int) -> str:
    """What people call one of several documents of a type: ``询问笔录``, ``询问笔录（第2份）``."""
    return name if number == 1 else f"{name}（第{number}份）"


@dataclass(frozen=True, slots=True)
class Filled:
    """The texts of a case without their places, blanks left out.

    ``groups`` holds values by group and field, ``documents`` by type, number of the copy and field; a
    document that was started by a word alone has no values.
    """

    groups: Mapping[str, Values] = field(default_factory=dict)
    documents: Mapping[str, Mapping[int, Values]] = field(default_factory=dict)
    named: frozenset[str] = field(default_factory=frozenset, compare=False)
    """Types that have their place in the file, though nothing may stand there yet."""

    def count(self) -> int:
        """How many fields were filled in."""
        parts = (*self.groups.values(), *(values for _, _, values in self.copies()))
        return sum(len(values) for values in parts)

    def copies(self) -> Iterator[tuple[str, int, Values]]:
        """Type, number and values of every document that was started."""
        for type_id, copies in self.documents.items():
            yield from ((type_id, number, copies[number]) for number in sorted(copies))

    def ids(self) -> tuple[tuple[str, int], ...]:
        """Type and number of every document that was started."""
        return tuple((type_id, number) for type_id, number, _ in self.copies())

    def with_value(self, group: str, name: str, value: Value) -> Filled:
        """The same with another value of one shared fact."""
        values = {**self.groups.get(group, {}), name: value}
        return replace(self, groups={**self.groups, group: values})


@dataclass(frozen=True, slots=True)
class Section:
    """One group of facts or one type of document, as a form shows it.

    ``fields`` are asked for. ``more`` were filled in though nobody asks: derived values that the case states
    otherwise. ``users`` names the documents for which a fact is asked.
    """

    id: str
    zh: str
    fields: tuple[Field, ...]
    more: tuple[Field, ...] = ()
    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    document: DocumentType | None = None


def groups(offer: Offer, filled: Filled) -> Iterator[Section]:
    """The groups that the documents of the procedures use, and whatever else was filled in."""
    offered = shown(offer, filled)
    for group in offer.groups():
        used = tuple(f for f in asked(group.fields) if group.id == "case" or _users(f, group, offered))
        used = () if group.id in UNASKED else used
        given = filled.groups.get(group.id, {})
        more = tuple(f for f in group.fields if f.name in given and f not in used)
        if used or more:
            users = {
                f.name: _users(f, group, offered) for f in used if any(f.name in t.shared for t in offered)
            }
            yield Section(group.id, group.zh, used, more, users)


def documents(offer: Offer, filled: Filled) -> Iterator[Section]:
    """The types that the procedures need as a rule, and others that were filled in or asked for."""
    for kind in shown(offer, filled):
        own = asked(kind.fields)
        given = {name for values in filled.documents.get(kind.id, {}).values() for name in values}
        given -= {f.name for f in own}
        more = tuple(f for f in offer.catalogue.fields_of(kind.id) if f.name in given)
        yield Section(kind.id, kind.name, own, more, document=kind)


def shown(offer: Offer, filled: Filled) -> tuple[DocumentType, ...]:
    """The types that have a place in the form: the usual ones, those filled in, those asked for."""
    wanted = {*filled.documents, *filled.named} | {t.id for t in offer.usual()}
    offered = tuple(t for t in offer.documents() if t.id in wanted)
    others = wanted - {t.id for t in offered}
    return (*offered, *(t for i, t in offer.catalogue.types.items() if i in others and t.has_template))


def hidden(offer: Offer, filled: Filled) -> tuple[DocumentType, ...]:
    """The types that the procedures offer and that have no place in the form yet."""
    there = {t.id for t in shown(offer, filled)}
    return tuple(t for t in offer.documents() if t.id not in there)


def _users(one: Field, group: FieldGroup, offered: Iterable[DocumentType]) -> tuple[str, ...]:
    return tuple(t.name for t in offered if uses(t, group.id, one.name))


def least_rows(one: Field) -> int:
    """How many rows or items a blank form has room for."""
    return max(1, one.at_least, models.OFFICERS_AT_LEAST if one.kind == "officers" else 0)


def is_bare(section: Section) -> bool:
    """Whether a document may be wanted with nothing filled in."""
    return not any(f.need is Need.REQUIRED and f.default is None and not f.by_hand for f in section.fields)


# From a tree


def taken(node: Node, catalogue: Catalogue) -> Filled:
    """What stands in a tree. Parts of a wrong shape are left out: look for complaints about them first."""
    if not isinstance(node, Table):
        return Filled()
    found: dict[str, Values] = {}
    for group in catalogue.groups.values():
        if group.id in node.entries:
            only, value = single_field(group), node.entries[group.id].value
            bare = isinstance(value, Listing) or (isinstance(value, Table) and only is not None)
            if only is not None and bare and not (isinstance(value, Table) and only.name in value.entries):
                values = _values({only.name: value}, group.fields)
            else:
                values = _values(_entries(value), group.fields)
            if values:
                found[group.id] = values
    papers: dict[str, dict[int, Values]] = {}
    below = node.entries[DOCUMENTS].value if DOCUMENTS in node.entries else None
    for type_id, one in _entries(below).items():
        if type_id in catalogue.types:
            copies = _copies(one, catalogue, type_id)
            if copies:
                papers[type_id] = copies
    return Filled(found, papers, frozenset(t for t in _entries(below) if t in catalogue.types))


def _copies(node: Node, catalogue: Catalogue, type_id: str) -> dict[int, Values]:
    fields = catalogue.fields_of(type_id)
    found: dict[int, Values] = {}
    for number, item in enumerate(node.items if isinstance(node, Listing) else (node,), 1):
        values = _values(_entries(item), fields)
        if values or (isinstance(item, Leaf) and item.text.strip() in START):
            found[number if catalogue.types[type_id].repeatable else 1] = values
    return found


def _entries(node: Node | None) -> dict[str, Node]:
    return {k: e.value for k, e in node.entries.items()} if isinstance(node, Table) else {}


def _values(nodes: Mapping[str, Node], fields: Iterable[Field]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for one in fields:
        value = _value(nodes[one.name], one) if one.name in nodes else None
        if value:
            values[one.name] = value
    return values


def _value(node: Node, one: Field) -> Value | None:
    columns = columns_of(one)
    if one.kind == "record":
        return _row(node, columns)
    if one.kind in ROWS:
        items = node.items if isinstance(node, Listing) else (node,)
        rows = (
            {"name": _text(item)} if isinstance(item, Leaf) and _text(item) else _row(item, columns)
            for item in items
        )
        return tuple(row for row in rows if row)
    if one.kind in LISTS:
        return _texts(node, one)
    return _text(node)


def _row(node: Node, columns: Iterable[Field]) -> dict[str, str]:
    nodes = _entries(node)
    # A list inside a row is written one item a line.
    texts = {c.name: "\n".join(_texts(nodes[c.name], c)) for c in columns if c.name in nodes}
    return {name: text for name, text in texts.items() if text}


def _texts(node: Node, one: Field) -> tuple[str, ...]:
    items = node.items if isinstance(node, Listing) else (node,)
    texts = [_text(item) for item in items]
    if one.kind == "signature":
        texts = [part.strip() for text in texts for part in text.split("、")]
    return tuple(text for text in texts if text)


def _text(node: Node) -> str:
    return node.text.replace("\r\n", "\n").strip() if isinstance(node, Leaf) else ""
