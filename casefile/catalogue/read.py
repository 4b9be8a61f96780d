"""Reads ``templates/`` and ties its names together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from casefile import resources
from casefile.catalogue.schema import (
    FieldEntry,
    GroupEntry,
    OrderFile,
    ProcedureFile,
    ProfileFile,
    SharedFile,
    TypeFile,
    parse,
)
from casefile.errors import BadInput
from casefile.model.catalogue import (
    Basis,
    BindingProfile,
    Catalogue,
    DocumentType,
    Field,
    FieldGroup,
    OrderEdge,
    Procedure,
)
from casefile.model.terms import Volume

EVIDENCE = "evidence"
"""The slot of a binding profile where evidence stands."""

SHARED = "shared.toml"
ORDER = "order.toml"
_NOT_TYPES = ("profiles", "system")


@cache
def load() -> Catalogue:
    """The catalogue that ships with casefile.

    Raises:
        BadInput: CATALOGUE-*, naming file and key.
    """
    return read(resources.root("templates"))


def read(root: Path) -> Catalogue:
    """Read a catalogue from a folder.

    Raises:
        BadInput: CATALOGUE-*, naming file and key.
    """
    shared_file = _shared(root)
    groups = {name: _group(name, entry) for name, entry in shared_file.groups.items()}
    shared = {f.name: f for group in groups.values() for f in group.fields}

    types: dict[str, DocumentType] = {}
    templates: dict[str, Path] = {}
    shown: dict[str, str] = {}
    procedures: dict[str, Procedure] = {}
    for path in sorted(root.glob("*/*.toml")):
        name = path.relative_to(root).as_posix()
        if path.parent.name in _NOT_TYPES or path.name == SHARED:
            continue
        if path.name == "procedure.toml":
            procedure = parse(path, name, ProcedureFile)
            if procedure.id in procedures:
                raise _duplicate(name, "id", procedure.id)
            procedures[procedure.id] = _procedure(procedure)
            continue
        entry = parse(path, name, TypeFile)
        if entry.id != path.stem:
            raise BadInput("CATALOGUE-FIELD", subject=name, key="id", reason=f"应与文件名相同：{path.stem}")
        if entry.id in types:
            raise _duplicate(name, "id", shown[entry.id])
        types[entry.id] = _type(entry, name, shared_file, groups, shared)
        shown[entry.id] = name
        if types[entry.id].has_template:
            templates[entry.id] = path.with_suffix(".docx")

    profiles = {}
    for path in sorted((root / "profiles").glob("*.toml")):
        profile = parse(path, f"profiles/{path.name}", ProfileFile)
        profiles[profile.id] = _profile(profile, f"profiles/{path.name}", types)

    catalogue = Catalogue(types, groups, shared, procedures, profiles, templates, _order(root, types))
    for procedure_id, known in procedures.items():
        place = f"{procedure_id}/procedure.toml"
        _all_known(place, "required", [way for one in known.required for way in one.split("|")], types)
        _all_known(place, "conditional", known.conditional, types)
        _all_known(place, "documents", known.documents, types)
        _all_known(place, "usual", known.usual, known.documents)
        for type_id in known.documents:
            if not types[type_id].has_template:
                reason = f"{type_id} 没有空白文书"
                raise BadInput("CATALOGUE-FIELD", subject=place, key="documents", reason=reason)
    for type_id in types:
        _fields_tie(catalogue, type_id, shown[type_id])
    for group_id in groups:
        _sources_tie(catalogue, "shared.toml", groups[group_id].fields)
    return catalogue


def _group(name: str, entry: GroupEntry) -> FieldGroup:
    return FieldGroup(name, entry.zh, tuple(f.field() for f in entry.fields))


def _shared(root: Path) -> SharedFile:
    """The shared facts of all folders. Documents see those of all groups in one flat namespace."""
    groups: dict[str, GroupEntry] = {}
    blocks: dict[str, GroupEntry] = {}
    home: dict[str, str] = {}
    for path in [root / SHARED, *sorted(root.glob(f"*/{SHARED}"))]:
        shown = path.relative_to(root).as_posix()
        found = parse(path, shown, SharedFile)
        for kind, known, new in (("groups", groups, found.groups), ("blocks", blocks, found.blocks)):
            for name in new:
                if name in known:
                    raise _duplicate(shown, f"{kind}.{name}", f"{kind}.{name}")
            known |= new
        for group, entry in found.groups.items():
            for field in entry.fields:
                if field.name in home:
                    raise _duplicate(shown, f"groups.{group}.{field.name}", f"groups.{home[field.name]}")
                home[field.name] = group
    return SharedFile(groups=groups, blocks=blocks)


def _type(
    entry: TypeFile,
    shown: str,
    file: SharedFile,
    groups: Mapping[str, FieldGroup],
    shared: Mapping[str, Field],
) -> DocumentType:
    _all_known(shown, "groups", entry.groups, groups)
    _all_known(shown, "shared", entry.shared, shared)
    _all_known(shown, "blocks", entry.blocks, file.blocks)
    fields = _own_fields(entry, shown, file)
    return DocumentType(
        id=entry.id,
        name=entry.name,
        aliases=tuple(entry.aliases),
        procedures=tuple(entry.procedures),
        stage=entry.stage,
        signers=tuple(entry.signers),
        service=entry.service,
        volume=Volume(entry.volume) if entry.volume else None,
        need=entry.need,
        condition=entry.condition,
        basis=tuple(Basis(b.text, b.checked) for b in entry.basis),
        groups=tuple(entry.groups),
        shared=tuple(entry.shared),
        fields=fields,
        date_field=entry.date_field,
        number_word=entry.number_word,
        repeatable=entry.repeatable,
        has_template=bool(entry.layout),
        made=entry.made,
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
        number_pattern=entry.number_pattern,
        order=tuple(map(tuple, entry.order)),
        approves=tuple(entry.approves),
        person_field=entry.person_field,
    )


def _order(root: Path, types: Mapping[str, DocumentType]) -> tuple[OrderEdge, ...]:
    edges = parse(root / ORDER, ORDER, OrderFile).edges if (root / ORDER).exists() else []
    for side in ("before", "after"):
        _all_known(ORDER, side, [getattr(edge, side).removeprefix("served:") for edge in edges], types)
    return tuple(
        OrderEdge(e.before, e.after, e.same_day, Basis(e.basis.text, e.basis.checked)) for e in edges
    )


def _own_fields(entry: TypeFile, shown: str, file: SharedFile) -> tuple[Field, ...]:
    """Fields of the blocks, then the type's own; an own field takes the place of the block's."""
    fields: dict[str, Field] = {}
    for block in entry.blocks:
        fields |= {f.name: f.field() for f in file.blocks[block].fields}
    own: dict[str, FieldEntry] = {}
    for field in entry.fields:
        if field.name in own:
            raise _duplicate(shown, f"fields.{field.name}", f"fields.{field.name}")
        own[field.name] = field
        fields[field.name] = field.field()
    return tuple(fields.values())


def _procedure(entry: ProcedureFile) -> Procedure:
    return Procedure(
        entry.id,
        entry.zh,
        tuple(entry.required),
        dict(entry.conditional),
        tuple(entry.documents),
        tuple(entry.usual),
    )


def _profile(entry: ProfileFile, shown: str, types: Mapping[str, DocumentType]) -> BindingProfile:
    order = {Volume.MAIN: tuple(entry.order.main), Volume.INTERNAL: tuple(entry.order.internal)}
    seen: set[str] = set()
    for volume, slots in order.items():
        key = f"order.{volume.value}"
        _all_known(shown, key, [s for s in slots if s != EVIDENCE], types)
        for slot in slots:
            if slot in seen:
                raise _duplicate(shown, key, slot)
            seen.add(slot)
    elsewhere = {
        slot: volume
        for volume, slots in order.items()
        for slot in slots
        if slot != EVIDENCE and types[slot].volume is not volume
    }
    return BindingProfile(entry.id, entry.zh, order, elsewhere, entry.one_volume)


def _fields_tie(catalogue: Catalogue, type_id: str, shown: str) -> None:
    kind = catalogue.types[type_id]
    fields = {f.name: f for f in catalogue.fields_of(type_id)}
    for field in kind.fields:
        _all_known(shown, f"fields.{field.name}.when", field.when or (), fields)
        for name, values in (field.when or {}).items():
            _all_known(shown, f"fields.{field.name}.when.{name}", values, fields[name].choices)
    if kind.date_field:
        _all_known(shown, "date_field", [kind.date_field], fields)
        if fields[kind.date_field].kind not in ("date", "datetime"):
            raise BadInput("CATALOGUE-FIELD", subject=shown, key="date_field", reason="不是日期")
    if kind.person_field:
        _all_known(shown, "person_field", [kind.person_field], fields)
    _all_known(shown, "approves", kind.approves, catalogue.types)
    for fields_in_order in kind.order:
        _all_known(shown, "order", fields_in_order, fields)
    _sources_tie(catalogue, shown, kind.fields)


def _sources_tie(catalogue: Catalogue, shown: str, fields: Iterable[Field]) -> None:
    """Every source names something that exists; config sections are checked where they are resolved."""
    for field in fields:
        source, key = field.source, f"fields.{field.name}.source"
        if source is None or source == "number" or source.startswith(("config.", "derived:")):
            continue
        if source.startswith("fact:"):
            _all_known(shown, key, [source.removeprefix("fact:")], catalogue.shared)
            continue
        if source.startswith("served:"):
            _all_known(shown, key, [source.removeprefix("served:")], catalogue.types)
            continue
        type_id, _, name = source.partition(".")
        _all_known(shown, key, [type_id], catalogue.types)
        _all_known(shown, key, [name], {f.name for f in catalogue.types[type_id].fields})


def _all_known(shown: str, key: str, words: Iterable[str], known: Iterable[str]) -> None:
    table = set(known)
    for word in words:
        if word not in table:
            raise BadInput("CATALOGUE-UNKNOWN", subject=shown, key=key, word=word)


def _duplicate(shown: str, key: str, other: str) -> BadInput:
    return BadInput("CATALOGUE-DUPLICATE", subject=shown, key=key, other=other)
