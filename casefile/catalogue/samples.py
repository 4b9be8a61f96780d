"""Sample values (样张数据), plainly fictitious: how a filled form looks without a case."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from casefile import resources
from casefile.model.catalogue import Catalogue, Field

_DECIMALS = ("number", "money", "area")


def sample(type_id: str, catalogue: Catalogue) -> dict[str, Any]:
    """A value for every field of the type but those of ``config.``; None where the sample leaves it blank.

    The type's own ``[sample]`` wins over that of its folder's ``shared.toml``, and that over the common one.
    """
    values = written(type_id, catalogue)
    return {
        f.name: typed(f, values.get(f.name))
        for f in catalogue.fields_of(type_id)
        if f.source is None or not f.source.startswith("config.")
    }


def written(type_id: str, catalogue: Catalogue) -> Mapping[str, Any]:
    """The sample values that the files say for a type, by name of field."""
    own = catalogue.template(type_id).with_suffix(".toml")
    common = resources.root("templates") / "shared.toml"
    return {**_samples(common), **_samples(own.parent / "shared.toml"), **_samples(own)}


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
def _samples(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        return {}
    found: Mapping[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")).get("sample", {})
    return found
