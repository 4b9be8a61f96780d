"""What a document type is: its fields, signers, service, volume and basis."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from casefile.model.terms import Need, Service, Volume


@dataclass(frozen=True, slots=True)
class Basis:
    """A rule's source: statute and article. ``checked`` is False where the text was not at hand (待核)."""

    text: str
    checked: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One fact that a document states (字段).

    ``kind`` is one of: ``str text date datetime int number money area bool choice list laws officers
    people signature seal id_no uscc phone rows record``. ``choices`` holds the allowed words of a
    ``choice``, and of each item of a ``list`` that has them; ``columns`` the fields of one row of ``rows``
    or of a ``record``.
    ``when`` maps the name of another field to the values that make this one required.
    ``source`` names the truth of a derived fact, such as ``penalty_decision.doc_no`` or
    ``config.bureau.name``; such a field is never asked for, yet a document may override it.
    ``by_hand`` marks what is written on the printed page (手填): signatures, opinions, their dates. It may
    stay blank until the case is closed.
    """

    name: str
    zh: str
    kind: str
    need: Need = Need.REQUIRED
    when: Mapping[str, tuple[str, ...]] | None = None
    choices: tuple[str, ...] = ()
    columns: tuple[Field, ...] = ()
    at_least: int = 0
    default: str | None = None
    source: str | None = None
    hint: str = ""
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Facts that stand together once in case.yaml and reach every document that names the group."""

    id: str
    zh: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class DocumentType:
    """One entry of the catalogue (文种).

    ``fields`` are the document's own; ``groups`` and ``shared`` name the facts of the case that it uses.
    ``date_field`` names the field that dates the document in catalogue and timeline. ``made`` says who makes
    it: the ``bureau`` from a blank form, somebody ``outside`` (外来件), or the ``binding`` itself.
    ``valid_from`` and ``valid_to`` are the first and the last day on which this form may be used.
    ``number_pattern`` holds ``{short}``, ``{word}``, ``{year}`` and ``{seq}``. Each tuple of ``order`` names
    date fields of which none may lie before the one on its left. ``approves`` are the types of which this one
    is the approval (审批表、批复), ``person_field`` names the field that says of whom a record was taken.
    """

    id: str
    name: str
    aliases: tuple[str, ...]
    procedures: tuple[str, ...]
    stage: str
    signers: tuple[str, ...]
    service: Service
    volume: Volume | None
    need: Need
    condition: str
    basis: tuple[Basis, ...]
    groups: tuple[str, ...]
    shared: tuple[str, ...]
    fields: tuple[Field, ...]
    date_field: str
    number_word: str
    repeatable: bool
    has_template: bool
    made: str = "bureau"
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    number_pattern: str = ""
    order: tuple[tuple[str, ...], ...] = ()
    approves: tuple[str, ...] = ()
    person_field: str = ""

    @property
    def served(self) -> bool:
        """True when a service receipt must follow."""
        return self.service is Service.REQUIRED


@dataclass(frozen=True, slots=True)
class Procedure:
    """A way of handling a case (程序) and the document types that it needs."""

    id: str
    zh: str
    required: tuple[str, ...]
    """Document types without which a case of this procedure is incomplete; ``a|b`` is met by either."""
    conditional: Mapping[str, str]
    """Document type to the condition, in Chinese, under which it is required."""
    documents: tuple[str, ...]
    """Every type that case.yaml offers, in the order of the procedure."""
    usual: tuple[str, ...] = ()
    """Those of ``documents`` that a new case.yaml has a place for, besides the required ones."""


@dataclass(frozen=True, slots=True)
class OrderEdge:
    """An act that must not come before another (顺序约束).

    ``before`` and ``after`` are document types, by the date of the document, or ``served:TYPE``, by the day
    on which it counts as served. ``same_day`` says whether both may fall on one day.
    """

    before: str
    after: str
    same_day: bool
    basis: Basis


@dataclass(frozen=True, slots=True)
class BindingProfile:
    """The order of parts in a dossier (排列顺序): for each volume, its slots in order.

    A slot is a document type id or ``evidence`` (in the order of the evidence list). ``elsewhere`` are the
    types that this profile lists in another volume than their own. With ``one_volume`` there is no internal
    volume: its pieces stand at the end of the main one, behind a divider.
    """

    id: str
    zh: str
    order: Mapping[Volume, tuple[str, ...]]
    elsewhere: Mapping[str, Volume] = field(default_factory=dict)
    one_volume: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that ``templates/`` says, as one value that any layer may be handed (文书目录).

    ``templates`` holds the docx of each type that has one. ``shared`` are the facts of all groups by name.
    """

    types: Mapping[str, DocumentType]
    groups: Mapping[str, FieldGroup]
    shared: Mapping[str, Field]
    procedures: Mapping[str, Procedure]
    profiles: Mapping[str, BindingProfile]
    templates: Mapping[str, Path]
    order: tuple[OrderEdge, ...] = ()

    def fields_of(self, type_id: str) -> tuple[Field, ...]:
        """Every field that a document of this type may print: groups, shared, own; own wins by name."""
        kind = self.types[type_id]
        fields = {f.name: f for group in kind.groups for f in self.groups[group].fields}
        fields |= {name: self.shared[name] for name in kind.shared}
        fields |= {f.name: f for f in kind.fields}
        return tuple(fields.values())

    def template(self, type_id: str) -> Path:
        """The docx of a type that has one (``has_template``)."""
        return self.templates[type_id]
