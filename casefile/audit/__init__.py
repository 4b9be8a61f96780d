"""Every case has a file (有案必有卷): register × case folders × archive × ledger, and the report writers."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from casefile.context import Context
    from casefile.model.finding import Report


def audit(context: Context, case_nos: Collection[str] | None = None, *, trusting: bool = False) -> Report:
    """Audit all cases, or those named.

    With ``trusting``, answers for cases that stand as they stood are taken from the database, which whoever
    owns it could have rewritten: good enough for a watcher that runs each minute, not for an auditor.

    Raises:
        BadInput: CASE-NUMBER, when a name can't be a case number.
    """
    # Late, because every command that judges imports the report writers of this package.
    from casefile.audit import join

    return join.audit(context, case_nos, trusting=trusting)
