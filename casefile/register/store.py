"""Register rows in the database."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select

from casefile import database
from casefile.context import Context
from casefile.database import RegisterEntry
from casefile.model.case import RegisterRow
from casefile.register.columns import FIELDS


@dataclass(frozen=True, slots=True)
class Change:
    """A row that was in the register already and says something else now."""

    before: RegisterRow
    after: RegisterRow

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields that differ."""
        return tuple(f for f in FIELDS if getattr(self.before, f) != getattr(self.after, f))


@dataclass(frozen=True, slots=True)
class Stored:
    """What an import did; ``absent`` are rows of the register that the file didn't have."""

    new: int
    same: int
    changed: tuple[Change, ...]
    absent: tuple[str, ...]


def rows(context: Context) -> tuple[RegisterRow, ...]:
    """Every row, by case number."""
    with database.reading(context) as session:
        entries = session.scalars(select(RegisterEntry).order_by(RegisterEntry.case_no))
        return tuple(_row(entry) for entry in entries)


def row(case_no: str, context: Context) -> RegisterRow | None:
    """The row of one case."""
    with database.reading(context) as session:
        entry = session.get(RegisterEntry, case_no)
        return None if entry is None else _row(entry)


def store(given: Mapping[str, RegisterRow], columns: Collection[str], context: Context) -> Stored:
    """Take in rows by case number, in one transaction; columns not in the file keep their values."""
    now = context.now().isoformat()
    new, same, changed = 0, 0, []
    with database.session(context) as session:
        known = {entry.case_no: entry for entry in session.scalars(select(RegisterEntry))}
        for case_no, one in given.items():
            entry = known.get(case_no)
            if entry is None:
                session.add(RegisterEntry(**_columns(one), digest=digest(one), imported_at=now))
                new += 1
                continue
            before = _row(entry)
            kept = {f: getattr(before, f) for f in FIELDS if f not in columns}
            after = replace(one, **kept)
            if digest(after) == entry.digest:
                same += 1
                continue
            for name, value in _columns(after).items():
                setattr(entry, name, value)
            entry.digest, entry.imported_at = digest(after), now
            changed.append(Change(before, after))
        absent = tuple(sorted(known.keys() - given.keys()))
    return Stored(new, same, tuple(changed), absent)


def digest(one: RegisterRow) -> str:
    """SHA-256 over the row's own values, wherever it came from."""
    values = [_text(getattr(one, f)) for f in FIELDS]
    return hashlib.sha256(json.dumps(values, ensure_ascii=False).encode()).hexdigest()


def _text(value: str | dt.date | None) -> str:
    return value if isinstance(value, str) else "" if value is None else value.isoformat()


def _columns(one: RegisterRow) -> dict[str, str | dt.date | None]:
    return {name: getattr(one, name) for name in (*FIELDS, "place")}


def _row(entry: RegisterEntry) -> RegisterRow:
    return RegisterRow(**{name: getattr(entry, name) for name in (*FIELDS, "place")})
