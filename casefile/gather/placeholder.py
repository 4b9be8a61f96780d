"""Pages set by the program that stand in a volume for a file (占位页, 压缩包内容清单)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from casefile.context import Context
from casefile.formats import typst
from casefile.gather.sheet import sheets


def page(data: Mapping[str, Any], context: Context, template: str = "placeholder") -> typst.Sheets:
    """Set the page on paper; everything in it stands on one line of its cell."""
    return sheets(template, _of_one_line(data), typst.typesetter(context))


def _of_one_line(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\n", " ")
        case Mapping():
            return {key: _of_one_line(inner) for key, inner in value.items()}
        case list():
            return [_of_one_line(inner) for inner in value]
    return value


def key(data: Mapping[str, Any]) -> str:
    """Tells two pages apart."""
    return json.dumps(dict(data), ensure_ascii=False, sort_keys=True)
