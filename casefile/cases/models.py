"""Pydantic models made from the catalogue's fields: they find every missing and wrong field at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainValidator,
    ValidationInfo,
    create_model,
)
from pydantic_core import PydanticCustomError

from casefile.cases import values
from casefile.model.catalogue import Field
from casefile.model.terms import Need

NAME = Field("name", "姓名", "str")
OFFICER = (
    NAME,
    Field("cert_no", "执法证号", "str"),
    Field("title", "职务", "str", Need.OPTIONAL),
)
PERSON = (NAME, Field("title", "单位职务", "str", Need.OPTIONAL))

LISTS = ("list", "laws", "signature")
"""Kinds whose value is a list of texts."""
ROWS = ("rows", "officers", "people")
"""Kinds whose value is a list of mappings."""

OFFICERS_AT_LEAST = 2
"""行政处罚法 art. 42: no fewer than two law-enforcement officers."""


def columns_of(one: Field) -> tuple[Field, ...]:
    """The fields of one row; officers and people have theirs by nature."""
    if one.columns:
        return one.columns
    return {"officers": OFFICER, "people": PERSON}.get(one.kind, ())


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


@dataclass(slots=True)
class Models:
    """Makes the model of a group or document once and keeps it."""

    max_characters: int
    _made: dict[str, type[BaseModel]] = field(default_factory=dict)

    def of(self, name: str, fields: Sequence[Field]) -> type[BaseModel]:
        """The model called ``name``; the same name must always come with the same fields."""
        if name not in self._made:
            self._made[name] = self._make(name, fields)
        return self._made[name]

    def _make(self, name: str, fields: Sequence[Field]) -> type[BaseModel]:
        # An identity number comes last: how it is checked depends on the kind of card.
        ordered = sorted(fields, key=lambda f: f.kind == "id_no")
        shapes: dict[str, Any] = {
            f.name: (self._type(name, f), ... if f.need is Need.REQUIRED and not f.by_hand else None)
            for f in ordered
        }
        return create_model(name, __base__=_Form, **shapes)

    def _type(self, owner: str, one: Field) -> Any:
        if one.kind in ROWS:
            row = self._make(f"{owner}.{one.name}", columns_of(one))
            items: Any = tuple[row, ...]  # type: ignore[valid-type]
            return Annotated[items, BeforeValidator(_rows_of(one)), *self._count(one)]
        if one.kind == "record":
            return self._make(f"{owner}.{one.name}", columns_of(one))
        if one.kind in LISTS:
            item = Annotated[str, PlainValidator(values.parser(one, self.max_characters))]
            return Annotated[tuple[item, ...], BeforeValidator(_list_of(one)), *self._count(one)]
        if one.kind == "id_no":
            return Annotated[str, PlainValidator(self._identity(one))]
        return Annotated[Any, PlainValidator(values.parser(one, self.max_characters))]

    def _count(self, one: Field) -> list[Any]:
        least = max(one.at_least, OFFICERS_AT_LEAST if one.kind == "officers" else 0)
        return [_at_least(least, one.kind == "officers")] if least or one.kind == "officers" else []

    def _identity(self, one: Field) -> Callable[[Any, ValidationInfo], str]:
        card_field = one.name.replace("id_no", "id_type")

        def check(raw: Any, info: ValidationInfo) -> str:
            card = info.data.get(card_field) or ""
            return values.identity_number(raw, card if card_field != one.name else "", self.max_characters)

        return check


def optional(one: Field) -> Field:
    """The same field, no longer needed: a shared fact that a document may state otherwise."""
    return replace(one, need=Need.OPTIONAL, when=None, default=None)


def _list_of(one: Field) -> Callable[[Any], Any]:
    def texts(raw: Any) -> Any:
        # One law or one name is often written without the list around it.
        if isinstance(raw, str):
            raw = [raw]
        if not isinstance(raw, list):
            raise PydanticCustomError("FIELD-SHAPE", "list", {})
        if one.kind == "signature":
            # Two people may have been written as one item; nobody's name has the mark in it.
            parts = [item.split("、") if isinstance(item, str) else [item] for item in raw]
            return [p for several in parts for p in several if not isinstance(p, str) or p.strip()]
        return raw

    return texts


def _rows_of(one: Field) -> Callable[[Any], Any]:
    names_only = one.kind == "people"

    def rows(raw: Any) -> Any:
        if isinstance(raw, Mapping) or (names_only and isinstance(raw, str)):
            raw = [raw]
        if not isinstance(raw, list):
            raise PydanticCustomError("FIELD-SHAPE", "rows", {})
        return [{"name": item} if names_only and isinstance(item, str) else item for item in raw]

    return rows


def _at_least(least: int, officers: bool) -> Any:
    def check(items: tuple[Any, ...]) -> tuple[Any, ...]:
        if officers:
            once = {(getattr(i, "name", None), getattr(i, "cert_no", None)) for i in items}
            if len(once) < least:
                raise PydanticCustomError("FIELD-OFFICERS", "officers", {"least": least, "count": len(once)})
        elif len(items) < least:
            raise PydanticCustomError("FIELD-FEW", "few", {"least": least, "count": len(items)})
        return items

    return AfterValidator(check)
