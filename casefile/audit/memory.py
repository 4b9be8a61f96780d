"""What the audit said of a case is said again as long as nothing that it looked at has changed.

The key is a digest over all of that: case.yaml and the evidence list by their bytes, the names in the inbox,
register row, issued documents, archive, ledger, the day, settings, catalogue, scanners and language. Nothing
is taken on the word of a modification time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import delete, select

from casefile import __version__, database, scanning
from casefile.context import Context
from casefile.database import AuditAnswer
from casefile.model.catalogue import Catalogue
from casefile.model.finding import Finding, NotLookedAt

_BATCH = 500


@dataclass(slots=True)
class Answer:
    """What the audit says of one case. An answer that a fault spoiled doesn't last: it is asked again."""

    findings: list[Finding] = field(default_factory=list)
    not_looked_at: list[NotLookedAt] = field(default_factory=list)
    lasting: bool = True

    def packed(self) -> str:
        """As JSON."""
        findings = [[f.code, f.subject, f.case_no, dict(f.params)] for f in self.findings]
        return json.dumps([findings, [[n.subject, n.reason] for n in self.not_looked_at]], ensure_ascii=False)

    @classmethod
    def unpacked(cls, text: str) -> Answer:
        """From JSON."""
        findings, unseen = json.loads(text)
        return cls([Finding(*one) for one in findings], [NotLookedAt(*one) for one in unseen])


class Memory:
    """Answers of earlier audits; :meth:`close` writes down the new ones."""

    def __init__(self, context: Context, catalogue: Catalogue) -> None:
        self._context = context
        common = (__version__, scanning.fingerprint(), context.lang, context.now().date(), catalogue)
        settings = context.config.model_dump_json()
        self._common = hashlib.sha256(f"{common!r}{settings}".encode()).hexdigest()
        with database.reading(context) as session:
            rows = session.execute(select(AuditAnswer.case_no, AuditAnswer.key, AuditAnswer.answer))
            self._known = {case_no: (key, answer) for case_no, key, answer in rows}
        self._fresh: dict[str, tuple[str, str]] = {}

    def key(self, *state: object) -> str:
        """Digest over the state of one case."""
        return hashlib.sha256(f"{self._common}{state!r}".encode()).hexdigest()

    def recall(self, case_no: str, key: str) -> Answer | None:
        """The answer that was given to the same state."""
        known = self._known.get(case_no)
        if known is None or known[0] != key:
            return None
        try:
            return Answer.unpacked(known[1])
        except (ValueError, TypeError):
            # Damaged: the case itself can be asked again.
            return None

    def keep(self, case_no: str, key: str, answer: Answer) -> None:
        """Remember an answer, if it lasts."""
        if answer.lasting:
            self._fresh[case_no] = key, answer.packed()
            if len(self._fresh) >= _BATCH:
                self._write()

    def close(self, gone: Collection[str] = ()) -> None:
        """Write down what is new and drop ``gone`` case numbers."""
        self._write()
        self._delete([case_no for case_no in gone if case_no in self._known])

    def known(self) -> Collection[str]:
        """Case numbers with a remembered answer."""
        return self._known.keys()

    def _write(self) -> None:
        if self._fresh:
            self._delete(list(self._fresh))
            with database.session(self._context) as session:
                session.add_all(
                    AuditAnswer(case_no=case_no, key=key, answer=answer)
                    for case_no, (key, answer) in self._fresh.items()
                )
            self._fresh.clear()

    def _delete(self, numbers: list[str]) -> None:
        for first in range(0, len(numbers), _BATCH):
            with database.session(self._context) as session:
                some = numbers[first : first + _BATCH]
                session.execute(delete(AuditAnswer).where(AuditAnswer.case_no.in_(some)))
