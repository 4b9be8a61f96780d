"""Pages set by the program that stand in a volume for a file (占位页, 压缩包内容清单)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from casefile.context import Context
from casefile.errors import BadInput
from casefile.formats import typst

_DASH = "〓"
"""The printers' sign for a character that they don't have (geta, 〓)."""

_TRIES = 40


def page(data: Mapping[str, Any], context: Context, template: str = "placeholder") -> typst.Sheets:
    """Set the page; characters that no font has are replaced by a sign that says so."""
    clean = _each(data, _printable)
    maker = typst.typesetter(context)
    for _ in range(_TRIES):
        try:
            return maker.set(template, clean)
        except BadInput as error:
            missing = error.params.get("character", "")
            if error.code != "BIND-GLYPH" or not missing:
                raise
            clean = _each(clean, partial(_without, missing=missing))
    return maker.set(template, _each(clean, _ordinary))


def _each(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _each(inner, change) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_each(inner, change) for inner in value]
    return value


def key(data: Mapping[str, Any]) -> str:
    """Tells two pages apart."""
    return json.dumps(dict(data), ensure_ascii=False, sort_keys=True)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _ordinary(text: str) -> str:
    return "".join(c if c < "\u0250" or "\u3000" <= c <= "\u9fff" else _DASH for c in text)


def _without(text: str, missing: str) -> str:
    for character in missing:
        text = text.replace(character, _DASH)
    return text
