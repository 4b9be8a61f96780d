"""Anchors with a real timestamp authority."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from casefile import codes, ledger
from casefile.context import Context
from casefile.formats.signatures import cms
from casefile.model.terms import Outcome


def test_a_token_is_judged_by_the_trusted_roots(
    book: Context, owner: Callable[[str], None], pki: Any
) -> None:
    settings = book.workspace.settings
    settings.write_text(settings.read_text(encoding="utf-8") + pki.settings_toml, encoding="utf-8")
    ledger.append("package", "案1", "0" * 64, book)
    ledger.append("package", "案2", "1" * 64, book)
    point = ledger.anchor(book, lambda root: cms.timestamp(root, pki.timestamp_url))
    assert point is not None and point.size == 2 and point.token
    with Context.open(book.workspace.root) as context:
        assert ledger.check(context).outcome(codes.severities()) is Outcome.PASSED
        owner("update ledger_checkpoints set token = x'3000'")
        report = ledger.check(context)
    assert [(f.code, f.params["size"]) for f in report.findings] == [("LEDGER-TOKEN", "2")]
