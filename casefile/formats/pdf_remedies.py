"""Repairs for single rules of PDF/A: each is made only when the validator has named its rule.

They cost a second pass, so what many files need is in :mod:`pdf_repair`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import pikepdf

from casefile.formats import pdf_font_remake

Remedy = Callable[[pikepdf.Pdf], None]


def known(broken: Iterable[str]) -> bool:
    """True when there is a remedy for one of the rules."""
    return any(rule in _REMEDIES for rule in broken)


def against(broken: Iterable[str]) -> tuple[Remedy, ...]:
    """The remedies for these rules, each once."""
    wanted = set(broken)
    return tuple(dict.fromkeys(remedy for rule, remedy in _REMEDIES.items() if rule in wanted))


_REMEDIES: Mapping[str, Remedy] = dict.fromkeys(
    (
        "6.2.11.3.1-1",
        "6.2.11.3.3-1",
        "6.2.11.3.3-2",
        "6.2.11.4.1-2",
        "6.2.11.5-1",
        "6.2.11.6-1",
        "6.2.11.6-2",
        "6.2.11.6-3",
        "6.2.11.6-4",
        "6.2.11.8-1",
    ),
    pdf_font_remake.remake,
)
