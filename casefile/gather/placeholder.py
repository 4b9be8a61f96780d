"""The page that stands for what can't be a page (占位页)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from casefile.context import Context
from casefile.formats import typst
from casefile.gather.sheet import sheets


def page(data: Mapping[str, str], context: Context) -> bytes:
    """Set the page; characters that no font has are replaced by a sign that says so."""
    return sheets("placeholder", {key: value.replace("\n", " ") for key, value in data.items()},
                  typst.typesetter(context)).pdf  # fmt: skip


def key(data: Mapping[str, str]) -> str:
    """Tells two pages apart."""
    return json.dumps(dict(data), ensure_ascii=False, sort_keys=True)
