"""A workspace whose clock walks and which needs no office suite."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from casefile import database
from casefile.context import CHINA_TIME, Context


@pytest.fixture
def book(workspace: Path) -> Iterator[Context]:
    """An open workspace; each look at the clock is a second later."""
    ticks = iter(range(1_000_000))
    start = dt.datetime(2026, 11, 20, 9, 0, tzinfo=CHINA_TIME)
    with Context.open(workspace, now=lambda: start + dt.timedelta(seconds=next(ticks))) as opened:
        yield opened


@pytest.fixture
def owner(book: Context) -> Callable[[str], None]:
    """What somebody who owns the database file can do: triggers dropped, any statement run."""

    def run(statement: str) -> None:
        with database.session(book) as session:
            names = session.execute(text("select name from sqlite_master where type = 'trigger'"))
            for (name,) in names.all():
                session.execute(text(f"drop trigger {name}"))
            session.execute(text(statement))

    return run
