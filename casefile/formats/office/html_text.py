"""The words of a web page, for readers that look for words and not for layout."""

from __future__ import annotations

import html
from collections.abc import Iterator

_BREAKS = frozenset({
    "p", "div", "br", "tr", "td", "th", "li", "h1", "h2", "h3", "h4", "h5", "h6", "title", "hr",
})  # fmt: skip


def plain(source: str) -> str:
    """Everything outside of tags, with character references resolved; inline tags leave no gap."""
    return html.unescape("".join(_outside(source)))


def _outside(source: str) -> Iterator[str]:
    first, *rest = source.split("<")
    yield first
    for piece in rest:
        tag, closed, text = piece.partition(">")
        if not closed:
            yield piece
            continue
        name = tag.lstrip("/").split(None, 1)[0].rstrip("/").lower() if tag.strip("/ \t\r\n") else ""
        if name in _BREAKS:
            yield "\n"
        yield text
