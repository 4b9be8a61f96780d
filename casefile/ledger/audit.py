"""The log checked from its entries up; nothing that is stored beside them is believed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from casefile import codes, database
from casefile.context import Context
from casefile.database import LedgerCheckpoint, LedgerEntry, LedgerNode, LedgerSalt
from casefile.errors import CasefileError, Conflict
from casefile.ledger import log, merkle
from casefile.model.finding import Finding, NotLookedAt, Report

TokenChecker = Callable[[bytes, bytes], None]
"""Called with token and root; raises Conflict (LEDGER-TOKEN) unless a trusted server stamped this root."""

_SUBJECT = "casefile.db"


def check(context: Context, token_checker: TokenChecker | None = None) -> Report:
    """Recompute every leaf and node from the entries and compare with tree and checkpoints.

    An altered entry is named by its number; a log shorter than its tree or a checkpoint was cut; a log whose
    first entries don't give the root of a checkpoint was rewritten. Tokens of checkpoints are judged by
    the trust roots of the settings, or by ``token_checker``; without either they were not looked at.
    """
    token_checker = token_checker or _by_roots(context)
    with database.session(context) as session:
        leaves, findings = _leaves(session)
        rows = merkle.levels(leaves)
        if not any(finding.code == "LEDGER-GAP" for finding in findings):
            findings += _nodes(
                rows, {f.params["seq"] for f in findings if f.code == "LEDGER-ALTERED"}, session
            )
        points = list(session.scalars(select(LedgerCheckpoint).order_by(LedgerCheckpoint.size)))
        findings += [finding for point in points for finding in _checkpoint(point, rows)]
        verdicts = [_token(point, token_checker, context.lang) for point in points]
        findings += [verdict for verdict in verdicts if isinstance(verdict, Finding)]
        unseen = tuple(verdict for verdict in verdicts if isinstance(verdict, NotLookedAt))
        return Report(len(leaves), tuple(findings), unseen)


def _leaves(session: Session) -> tuple[list[bytes], list[Finding]]:
    salts = {row.seq: row.salt for row in session.scalars(select(LedgerSalt))}
    leaves: list[bytes] = []
    findings: list[Finding] = []
    last_seq, last_at = 0, ""
    stream = session.execute(
        select(LedgerEntry.seq, LedgerEntry.case_no, LedgerEntry.action, LedgerEntry.body, LedgerEntry.leaf)
        .order_by(LedgerEntry.seq)
        .execution_options(yield_per=1000)
    )
    for seq, case_no, action, body, leaf in stream:
        if seq != last_seq + 1:
            findings.append(_finding("LEDGER-GAP", case_no, first=last_seq + 1, last=seq - 1))
        last_seq = seq
        leaves.append(merkle.leaf_hash(log.raw(body)))
        said = _said(body)
        if leaves[-1] != leaf or said is None or said.get("seq") != seq or said.get("action") != action:
            findings.append(_finding("LEDGER-ALTERED", case_no, seq=seq))
            continue
        if seq in salts and log.commitment(salts[seq], case_no) != said.get("commitment"):
            findings.append(_finding("LEDGER-CASE", case_no, seq=seq))
        at = str(said.get("at", ""))
        if at < last_at:
            findings.append(_finding("LEDGER-CLOCK", case_no, seq=seq, at=at, before=last_at))
        last_at = max(at, last_at)
    return leaves, findings


def _said(body: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(body)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _nodes(rows: Sequence[Sequence[bytes]], named: set[str], session: Session) -> Iterator[Finding]:
    seen = [0] * len(rows)
    longest = size = len(rows[0])
    changed: list[Finding] = []
    stream = session.execute(
        select(LedgerNode.level, LedgerNode.position, LedgerNode.hash)
        .order_by(LedgerNode.level, LedgerNode.position)
        .execution_options(yield_per=1000)
    )
    for level, position, value in stream:
        if level >= len(rows) or position >= len(rows[level]):
            longest = max(longest, (position + 1) << level)
            continue
        seen[level] += 1
        if rows[level][position] == value:
            continue
        if level == 0:
            if str(position + 1) not in named:
                changed.append(_finding("LEDGER-ALTERED", "", seq=position + 1))
            named.add(str(position + 1))
        elif not named:
            # Above an altered entry every node differs; only a lone one says something new.
            changed.append(_finding("LEDGER-NODE", "", level=level, position=position))
    yield from changed
    if longest > size:
        yield _finding("LEDGER-TRUNCATED", "", size=size, wanted=longest)
    for level, (count, row) in enumerate(zip(seen, rows, strict=True)):
        if count != len(row):
            yield _finding("LEDGER-NODE", "", level=level, position="?")


def _checkpoint(point: LedgerCheckpoint, rows: Sequence[Sequence[bytes]]) -> Iterator[Finding]:
    size = len(rows[0])
    if point.size > size:
        yield _finding("LEDGER-TRUNCATED", "", size=size, wanted=point.size)
    elif merkle.root(point.size, lambda level, position: rows[level][position]) != point.root:
        yield _finding("LEDGER-FORKED", "", size=point.size, at=point.at)


def _token(point: LedgerCheckpoint, checker: TokenChecker | None, lang: str) -> Finding | NotLookedAt | None:
    subject = f"{_SUBJECT}: {point.size}"
    if point.token is None:
        return _finding("LEDGER-NO-TOKEN", "", size=point.size)
    if checker is None:
        return NotLookedAt(subject, codes.codes()["SIGN-NO-ROOT"].sentence({}, lang))
    try:
        checker(point.token, point.root)
    except Conflict as error:
        return _finding("LEDGER-TOKEN", "", size=point.size, reason=error.params.get("reason", ""))
    except CasefileError as error:
        return NotLookedAt(subject, codes.explained(error, lang)[0])
    return None


def _by_roots(context: Context) -> TokenChecker | None:
    roots = [context.workspace.root / path for path in context.config.signing.trust_roots]
    if not roots:
        return None

    def judge(token: bytes, root: bytes) -> None:
        # Late, because most logs have no token yet and the library is slow to load.
        from casefile.formats.signatures import cms

        verdict = cms.verify_timestamp(root, token, roots)
        if not verdict.bottom_line:
            raise Conflict("LEDGER-TOKEN", subject=_SUBJECT, reason=verdict.problem)

    return judge


def _finding(code: str, case_no: str, **params: object) -> Finding:
    return Finding(code, _SUBJECT, case_no, {name: str(value) for name, value in params.items()})
