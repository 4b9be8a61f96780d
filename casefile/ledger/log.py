"""The append-only log (存证台账): entries, their tree and its checkpoints in ``casefile.db``.

An entry is canonical JSON: sorted keys, no spaces, UTF-8, no floats. It names its case by a salted
commitment only; the number itself stands in a column beside, for lookup, and is no part of what is hashed.
Erase the salt and the entry can't be linked to a case any more, while every proof still holds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casefile import database
from casefile.context import Context
from casefile.database import LedgerCheckpoint, LedgerEntry, LedgerNode, LedgerSalt
from casefile.errors import Conflict
from casefile.ledger import merkle

PACKAGE = "package"
"""Action of the entry that every archived package has; its object is the manifest."""

_SALT_BYTES = 16

Detail = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class LedgerFact:
    """What an entry says: ``seq`` counts from 1; ``at`` is ISO 8601 with its offset."""

    seq: int
    at: str
    action: str
    object_sha256: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """How long the log is and the root over it."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A root that was anchored outside: ``token`` is an RFC 3161 timestamp over the root's 32 bytes."""

    size: int
    root: bytes
    at: str
    token: bytes | None


def append(
    action: str,
    case_no: str,
    object_sha256: str,
    context: Context,
    detail: Detail | None = None,
    *,
    actor: str | None = None,
) -> int:
    """Record that ``action`` was done on an object of a case; returns the entry's number, from 1.

    The same action on the same object of the same case is recorded once: the number is that of the first.
    ``detail`` must hold no personal data, for it can never be erased. ``actor`` is the bureau unless named.
    """
    with database.session(context) as session:
        for entry in _entries(case_no, action, session):
            if _fact(entry).object_sha256 == object_sha256:
                return entry.seq
        index = _size(session)
        seq = index + 1
        salt = os.urandom(_SALT_BYTES)
        body = canonical(
            {
                "seq": seq,
                "at": context.now().isoformat(),
                "actor": context.config.bureau.name if actor is None else actor,
                "action": action,
                "object_sha256": object_sha256,
                "hash_alg": "sha256",
                "commitment": commitment(salt, case_no),
                "detail": dict(detail or {}),
            }
        )
        leaf = merkle.leaf_hash(body)
        session.add(LedgerEntry(seq=seq, case_no=case_no, action=action, body=body, leaf=leaf))
        session.flush()
        session.add(LedgerSalt(seq=seq, salt=salt))
        for level, position, value in merkle.appended(index, leaf, stored_nodes(session)):
            session.add(LedgerNode(level=level, position=position, hash=value))
        return seq


def last(case_no: str, action: str, context: Context) -> LedgerFact | None:
    """The newest entry of one action on a case."""
    with database.session(context) as session:
        entries = _entries(case_no, action, session)
        return _fact(entries[-1]) if entries else None


def head(context: Context) -> Head:
    """Size and root of the log as its stored tree has them; :func:`check` recomputes."""
    with database.session(context) as session:
        return head_of(session)


def anchor(context: Context, token_maker: Callable[[bytes], bytes]) -> Checkpoint | None:
    """Have the present root timestamped outside and keep the token; None when the log is empty.

    Only entries younger than the last anchor could be rewritten unseen. A root that has its token already
    is not anchored twice.
    """
    with database.session(context) as session:
        now = head_of(session)
        known = session.get(LedgerCheckpoint, now.size)
        if known is not None:
            return _checkpoint(known)
    if now.size == 0:
        return None
    # Outside of the transaction: a slow timestamp server must not keep clerks from issuing.
    token = token_maker(now.root)
    with database.session(context) as session:
        known = session.get(LedgerCheckpoint, now.size)
        if known is None:
            known = LedgerCheckpoint(size=now.size, root=now.root, at=context.now().isoformat(), token=token)
            session.add(known)
        return _checkpoint(known)


def canonical(record: Mapping[str, Any]) -> bytes:
    """The one way to write a record.

    Raises:
        TypeError: for a float, or anything else that has more than one spelling.
    """
    _refuse_floats(record)
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def raw(stored: bytes | str) -> bytes:
    """The bytes of a stored body. SQLite lets whoever alters a row leave text where bytes were."""
    return stored if isinstance(stored, bytes) else str(stored).encode()


def commitment(salt: bytes, case_no: str) -> str:
    """SHA-256 over salt and case number, in hex."""
    return sha256(salt + case_no.encode()).hexdigest()


def head_of(session: Session) -> Head:
    """Size and root inside a transaction."""
    size = _size(session)
    return Head(size, merkle.root(size, stored_nodes(session)))


def stored_nodes(session: Session) -> merkle.Nodes:
    """The stored tree.

    The function that is returned raises Conflict (LEDGER-NODE) for a node that should be there and is not.
    """

    def node(level: int, position: int) -> bytes:
        found = session.get(LedgerNode, (level, position))
        if found is None or not isinstance(found.hash, bytes):
            raise Conflict("LEDGER-NODE", subject="casefile.db", level=level, position=position)
        return found.hash

    return node


def _size(session: Session) -> int:
    # The highest number, not a count: a count reads the whole table on every append.
    return session.scalar(select(func.max(LedgerEntry.seq))) or 0


def _entries(case_no: str, action: str | None, session: Session) -> list[LedgerEntry]:
    wanted = select(LedgerEntry).where(LedgerEntry.case_no == case_no).order_by(LedgerEntry.seq)
    if action is not None:
        wanted = wanted.where(LedgerEntry.action == action)
    return list(session.scalars(wanted))


def _fact(entry: LedgerEntry) -> LedgerFact:
    try:
        said = json.loads(entry.body)
        return LedgerFact(entry.seq, said["at"], said["action"], said["object_sha256"], said["detail"])
    except (ValueError, KeyError, TypeError):
        raise Conflict("LEDGER-ALTERED", subject="casefile.db", seq=entry.seq) from None


def _checkpoint(row: LedgerCheckpoint) -> Checkpoint:
    return Checkpoint(row.size, row.root, row.at, row.token)


def _refuse_floats(value: object) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if not isinstance(name, str):
                raise TypeError(f"{name!r} is no text")
            _refuse_floats(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_floats(inner)
    elif value is not None and not isinstance(value, str | int):
        raise TypeError(f"{value!r} has no single spelling")
