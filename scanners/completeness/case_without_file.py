"""Every case has a file (有案必有卷): the register against case folders, archive and ledger.

Only the register (执法台账) is trusted for whether a case exists. One fault gives one finding: a case without
a folder isn't also blamed for being closed and not archived.

=============  =======  ========  =======  ==========================================================
register row   folder   archive   ledger   finding
=============  =======  ========  =======  ==========================================================
yes            no       no        no       CASE-WITHOUT-FILE (有案无卷)
yes            no       yes       any      CASE-FOLDER-MISSING: dossier kept, working folder gone
no             any      any       any      FILE-WITHOUT-CASE (有卷无案), when anything at all is there
yes            empty    any       any      CASE-FILE-EMPTY (空卷)
closed         yes      no        no       CLOSED-NOT-ARCHIVED (已结未归)
any            any      yes       no       ARCHIVED-NOT-IN-LEDGER
any            any      yes       differs  ARCHIVED-CHANGED
any            any      no        yes      ARCHIVE-MISSING
=============  =======  ========  =======  ==========================================================
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from casefile.model.case import RegisterRow
from casefile.model.finding import Finding
from casefile.model.text import CaseFacts


class CaseWithoutFile:
    """Compares the four sides of one case number."""

    codes = (
        "CASE-WITHOUT-FILE",
        "CASE-FOLDER-MISSING",
        "FILE-WITHOUT-CASE",
        "CASE-FILE-EMPTY",
        "CLOSED-NOT-ARCHIVED",
        "ARCHIVED-NOT-IN-LEDGER",
        "ARCHIVED-CHANGED",
        "ARCHIVE-MISSING",
    )

    def scan_case(self, facts: CaseFacts) -> Iterator[Finding]:
        """Complain about each side that the other sides contradict."""
        if facts.row is None:
            yield from self._unregistered(facts)
        else:
            yield from self._registered(facts, facts.row)
        yield from self._archive_against_ledger(facts)

    def _unregistered(self, facts: CaseFacts) -> Iterator[Finding]:
        places = [
            zh
            for zh, there in (
                ("案件文件夹", facts.folder_exists),
                ("定稿文书记录", bool(facts.issued)),
                ("档案库", facts.archived_version is not None),
                ("存证日志", facts.ledger_digest is not None),
            )
            if there
        ]
        if places:
            yield _finding("FILE-WITHOUT-CASE", facts, places="、".join(places))

    def _registered(self, facts: CaseFacts, row: RegisterRow) -> Iterator[Finding]:
        if not facts.folder_exists:
            if facts.archived_version is not None:
                yield _finding("CASE-FOLDER-MISSING", facts, title=row.title)
            elif facts.ledger_digest is None:
                yield _finding("CASE-WITHOUT-FILE", facts, title=row.title, filed_on=_day(row.filed_on))
            return
        if facts.folder_empty:
            yield _finding("CASE-FILE-EMPTY", facts, title=row.title)
        if row.closed_on is not None and facts.archived_version is None and facts.ledger_digest is None:
            yield _finding("CLOSED-NOT-ARCHIVED", facts, title=row.title, closed_on=_day(row.closed_on))

    def _archive_against_ledger(self, facts: CaseFacts) -> Iterator[Finding]:
        if facts.archived_version is None:
            if facts.ledger_digest is not None:
                yield _finding("ARCHIVE-MISSING", facts, digest=facts.ledger_digest[:16])
        elif facts.ledger_digest is None:
            yield _finding("ARCHIVED-NOT-IN-LEDGER", facts, version=facts.archived_version)
        elif facts.archived_digest != facts.ledger_digest:
            yield _finding(
                "ARCHIVED-CHANGED",
                facts,
                version=facts.archived_version,
                archived=(facts.archived_digest or "—")[:16],
                ledger=facts.ledger_digest[:16],
            )


def _finding(code: str, facts: CaseFacts, **params: str) -> Finding:
    return Finding(code, subject=facts.case_no, case_no=facts.case_no, params=params)


def _day(day: dt.date | None) -> str:
    return "—" if day is None else day.isoformat()


scanner = CaseWithoutFile()


def _facts(
    *,
    row: bool = True,
    closed: bool = True,
    folder: bool = True,
    empty: bool = False,
    archived: str | None = "aa",
    ledger: str | None = "aa",
) -> CaseFacts:
    day = dt.date(2026, 9, 1)
    return CaseFacts(
        case_no="2026-PG-0001",
        row=RegisterRow(
            "2026-PG-0001", "某公司违法占地案", "general_penalty", "某公司", closed_on=day if closed else None
        )
        if row
        else None,
        case=None,
        folder_exists=folder,
        folder_empty=empty,
        issued=(),
        gathered=0,
        archived_version="v1" if archived else None,
        archived_digest=archived,
        ledger_digest=ledger,
        procedures={},
        types={},
    )


FLAGS: tuple[tuple[str, CaseFacts], ...] = (
    ("CASE-WITHOUT-FILE", _facts(folder=False, archived=None, ledger=None)),
    ("CASE-FOLDER-MISSING", _facts(folder=False)),
    ("FILE-WITHOUT-CASE", _facts(row=False)),
    ("FILE-WITHOUT-CASE", _facts(row=False, archived=None, ledger=None)),
    ("CASE-FILE-EMPTY", _facts(closed=False, empty=True, archived=None, ledger=None)),
    ("CLOSED-NOT-ARCHIVED", _facts(archived=None, ledger=None)),
    ("ARCHIVED-NOT-IN-LEDGER", _facts(ledger=None)),
    ("ARCHIVED-CHANGED", _facts(archived="bb")),
    ("ARCHIVE-MISSING", _facts(archived=None)),
)
CLEAN: tuple[CaseFacts, ...] = (_facts(), _facts(closed=False, archived=None, ledger=None))
