"""The page that stands for what can't be a page (占位页)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from casefile.context import Context
from casefile.errors import BadInput
from casefile.formats import typst

_DASH = "〓"
"""The printers' sign for a character that they don't have (geta, 〓)."""

_TRIES = 40


def page(data: Mapping[str, str], context: Context) -> bytes:
    """Set the page; characters that no font has are replaced by a sign that says so."""
    clean = {key: _printable(value) for key, value in data.items()}
    maker = typst.typesetter(context)
    for _ in range(_TRIES):
        try:
            return typst.placeholder(clean, by=maker)
        except BadInput as error:
            missing = error.params.get("character", "")
            if error.code != "BIND-GLYPH" or not missing:
                raise
            clean = {key: _without(value, missing) for key, value in clean.items()}
    return typst.placeholder({key: _ordinary(value) for key, value in clean.items()}, by=maker)


def key(data: Mapping[str, str]) -> str:
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
