"""Setting a page whose words came from outside: what no font has is made visible, never left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casefile.errors import BadInput
from casefile.formats.typst import Sheets, Typesetter

_DASH = "〓"
"""The printers' sign for a character that they don't have (geta, 〓)."""

_TRIES = 40


def sheets(template: str, data: Mapping[str, Any], by: Typesetter) -> Sheets:
    """Set ``templates/system/<template>.typ``; characters that no font has become a sign that says so."""
    clean = _changed(data, _printable)
    for _ in range(_TRIES):
        try:
            return by.set(template, clean)
        except BadInput as error:
            missing = error.params.get("character", "")
            if error.code != "BIND-GLYPH" or not missing:
                raise
            clean = _changed(clean, _without(missing))
    return by.set(template, _changed(clean, _ordinary))


def _changed(told: Any, change: Callable[[str], str]) -> Any:
    """``told`` with every text in it changed; names of fields and what is no text stay."""
    match told:
        case str():
            return change(told)
        case Mapping():
            return {key: _changed(value, change) for key, value in told.items()}
        case list() | tuple():
            return [_changed(value, change) for value in told]
    return told


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


def _ordinary(text: str) -> str:
    return "".join(c if c < "\u0250" or "\u3000" <= c <= "\u9fff" else _DASH for c in text)


def _without(missing: str) -> Callable[[str], str]:
    dashes = str.maketrans(dict.fromkeys(missing, _DASH))
    return lambda text: text.translate(dashes)
