"""What a clerk may change in a draft (草稿的修改): wording. Facts are changed in the case's data.

A draft that was edited in Word is held against the one that the data give: every fact must stand there as
often as before, and every paragraph without free wording must stand there unchanged and in its order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from casefile.formats.office.docx import Printed
from casefile.model.finding import Finding

_LONGEST_SHOWN = 40


def complaints(
    edited: Sequence[str],
    generated: Sequence[str],
    facts: Sequence[Printed],
    wording: Sequence[Printed],
    title: str,
) -> Iterator[Finding]:
    """What an edited draft says otherwise; ``edited`` and ``generated`` are paragraphs.

    ``facts`` are the values that may not change, ``wording`` those that may.
    """
    now, before = "\n".join(map(_bare, edited)), "\n".join(map(_bare, generated))
    told: set[str] = set()
    for item in facts:
        text = _bare(item.text)
        if text and text not in told and _count(text, now) < _count(text, before):
            told.add(text)
            params = {"field": item.path or title, "start": _short(item.text)}
            yield Finding(
                "DRAFT-FACT", subject=f"{title}：{item.path}" if item.path else title, params=params
            )
    free = [line for item in wording for line in map(_bare, item.text.split("\n")) if line]
    rest = iter([_bare(text) for text in edited])
    for text in generated:
        fixed = _bare(text)
        if any(line in fixed for line in free) or any(fact in fixed for fact in told):
            continue
        if not any(fixed == other for other in rest):
            yield Finding("DRAFT-FIXED", subject=title, params={"start": _short(text)})
            return


def _count(text: str, whole: str) -> int:
    """How often ``text`` stands there by itself: 324,050.00 does not stand in 1,324,050.00."""
    left = r"(?<![\d.,])" if text[0].isdigit() else ""
    right = r"(?![\d.,]\d|\d)" if text[-1].isdigit() else ""
    return len(re.findall(left + re.escape(text) + right, whole))


def _bare(text: str) -> str:
    return "".join(text.split())


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST_SHOWN else f"{flat[:_LONGEST_SHOWN]}…"
