"""What a case of given procedures has to say: which groups, facts and documents stand in its case.yaml."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from casefile.model.catalogue import Catalogue, DocumentType, Field, FieldGroup
from casefile.model.terms import Need

DOCUMENTS = "documents"
"""Top-level key of case.yaml under which the documents stand; all other keys are groups."""

ALWAYS = ("case", "party", "officers")
"""Groups whose facts are needed from the first day of a case; others once a document uses them."""

_ORDER = (*ALWAYS, "matter", "remedy", "agency")


@dataclass(frozen=True, slots=True)
class Offer:
    """The catalogue as one set of procedures sees it."""

    catalogue: Catalogue
    procedures: tuple[str, ...]

    def documents(self) -> tuple[DocumentType, ...]:
        """Types that case.yaml offers, each once, in the order of the procedures."""
        ids = dict.fromkeys(t for p in self.procedures for t in self.catalogue.procedures[p].documents)
        return tuple(self.catalogue.types[i] for i in ids if self.catalogue.types[i].has_template)

    def usual(self) -> tuple[DocumentType, ...]:
        """Those that nearly every case of the procedures has; the others are asked for one by one."""
        procedures = [self.catalogue.procedures[p] for p in self.procedures]
        # Of several ways to meet a requirement the first is the usual one.
        needed = {requirement.split("|")[0] for p in procedures for requirement in p.required}
        usual = needed.union(*(p.usual for p in procedures))
        return tuple(t for t in self.documents() if t.id in usual)

    def need_of(self, type_id: str) -> tuple[Need, str]:
        """Whether the procedures need a document of this type, and the condition in Chinese."""
        for procedure in (self.catalogue.procedures[p] for p in self.procedures):
            if any(type_id in requirement.split("|") for requirement in procedure.required):
                return Need.REQUIRED, ""
        for procedure in (self.catalogue.procedures[p] for p in self.procedures):
            if type_id in procedure.conditional:
                return Need.WHEN, procedure.conditional[type_id]
        return Need.OPTIONAL, ""

    def groups(self) -> tuple[FieldGroup, ...]:
        """Every group of the catalogue, in the order of case.yaml."""
        known = self.catalogue.groups
        ids = [g for g in _ORDER if g in known] + [g for g in known if g not in _ORDER]
        return tuple(known[g] for g in ids)


def asked(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Fields that a clerk fills in: not derived from elsewhere, and not the space for a seal."""
    return tuple(f for f in fields if f.source is None and f.kind != "seal")


def uses(document: DocumentType, group: str, field: str) -> bool:
    """Whether a document of this type states this shared fact."""
    return group in document.groups or field in document.shared


def single_field(group: FieldGroup) -> Field | None:
    """The field that bears the name of its group: ``officers:`` may hold its list at once."""
    only = asked(group.fields)
    return only[0] if len(only) == 1 and only[0].name == group.id else None
