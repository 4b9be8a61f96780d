"""Sample values (样张数据), plainly fictitious: how a filled form looks without a case."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from casefile import resources
from casefile.model.catalogue import Catalogue, Field

_DECIMALS = ("number", "money", "area")


def sample(type_id: str, catalogue: Catalogue) -> dict[str, Any]:
    """A value for every field of the type but those of ``config.``; None where the sample leaves it blank."""
    written = _written()
    values = {**written["shared"], **written.get(type_id, {})}
    return {
        f.name: typed(f, values.get(f.name))
        for f in catalogue.fields_of(type_id)
        if f.source is None or not f.source.startswith("config.")
    }


def typed(field: Field, value: Any) -> Any:
    """The value of the file as a document has it: amounts as Decimal, lists as tuples."""
    match value:
        case None:
            return None
        case str() if field.kind in _DECIMALS:
            return Decimal(value)
        case str():
            return value.strip()
        case list():
            return tuple(_row(field, item) if isinstance(item, Mapping) else item for item in value)
        case dict():
            return _row(field, value)
        case bool() | int() | dt.date():
            return value
    raise TypeError(f"{field.name}: {type(value).__name__}")


def _row(field: Field, row: Mapping[str, Any]) -> dict[str, Any]:
    columns: Sequence[Field] = field.columns
    if not columns:  # officers and people
        return dict(row)
    return {column.name: typed(column, row.get(column.name)) for column in columns}


@cache
def _written() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads((resources.root("templates") / "samples.toml").read_text(encoding="utf-8"))
