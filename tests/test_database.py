"""casefile.db: made, brought up, shared by several processes, and clear when it can't be used."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from casefile import codes, database
from casefile.context import Context
from casefile.database import Base, DocumentNumber, LedgerNode
from casefile.errors import BadInput, CasefileError, Conflict

SPAWN = multiprocessing.get_context("spawn")
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def desk(workspace: Path) -> Iterator[Context]:
    with Context.open(workspace) as opened:
        yield opened


def number(seq: int, **changes: Any) -> DocumentNumber:
    values = {
        "doc_no": f"示〔2026〕{seq}号",
        "word": "罚",
        "year": 2026,
        "seq": seq,
        "case_no": f"c{seq}",
        "document_id": "penalty_decision",
        "given_at": "x",
    }
    return DocumentNumber(**{**values, **changes})


def test_migrations_make_exactly_the_models(desk: Context) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with database.engine(desk).connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("select version_num from alembic_version")).scalar() == database.HEAD
        migration = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(migration, Base.metadata) == []


def test_head_is_the_last_migration() -> None:
    from alembic.script import ScriptDirectory

    folder = Path(database.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == database.HEAD


def test_opening_again_is_quick(workspace: Path, desk: Context) -> None:
    database.engine(desk)
    best = 1.0
    for _ in range(5):
        with Context.open(workspace) as again:
            start = time.perf_counter()
            database.engine(again)
            best = min(best, time.perf_counter() - start)
    assert best < 0.05


def test_commit_commits_and_failure_rolls_back(workspace: Path, desk: Context) -> None:
    with database.session(desk) as session:
        session.add(number(1))
    with pytest.raises(RuntimeError), database.session(desk) as session:
        session.add(number(2))
        session.flush()
        raise RuntimeError
    with sqlite3.connect(workspace / "casefile.db") as other:
        assert other.execute("select seq from document_numbers").fetchall() == [(1,)]


def test_a_number_is_never_given_twice(desk: Context) -> None:
    with database.session(desk) as session:
        session.add(number(1))
    for again in (number(1), number(1, doc_no="x"), number(2, case_no="c1")):
        with pytest.raises(IntegrityError), database.session(desk) as session:
            session.add(again)


def test_an_error_of_the_body_stays_what_it_is(desk: Context) -> None:
    with pytest.raises(FileNotFoundError), database.session(desk):
        raise FileNotFoundError


def _give_numbers(workspace: Path, count: int) -> None:
    with Context.open(workspace) as desk:
        for _ in range(count):
            with database.session(desk) as session:
                last = (
                    session.scalars(select(DocumentNumber.seq).order_by(DocumentNumber.seq.desc())).first()
                    or 0
                )
                time.sleep(0.002)
                session.add(number(last + 1))


def test_processes_that_start_together_make_one_database_and_queue_up(workspace: Path) -> None:
    workers = [SPAWN.Process(target=_give_numbers, args=(workspace, 8)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [w.exitcode for w in workers] == [0, 0, 0, 0]
    with Context.open(workspace) as desk, database.reading(desk) as session:
        assert sorted(session.scalars(select(DocumentNumber.seq))) == list(range(1, 33))


def test_many_fresh_databases_opened_twice_at_once(workspace: Path, tmp_path: Path) -> None:
    settings = (workspace / "casefile.toml").read_bytes()
    for n in range(8):
        folder = tmp_path / f"w{n}"
        folder.mkdir()
        (folder / "casefile.toml").write_bytes(settings)
        workers = [FORK.Process(target=_give_numbers, args=(folder, 1)) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert [w.exitcode for w in workers] == [0, 0, 0]


def test_reading_goes_on_while_somebody_writes(workspace: Path, desk: Context) -> None:
    with database.session(desk) as session:
        session.add(LedgerNode(level=0, position=0, hash=b"x"))
    with database.session(desk) as writer, Context.open(workspace) as other:
        writer.add(LedgerNode(level=0, position=1, hash=b"y"))
        writer.flush()
        with database.reading(other) as reader:
            assert len(list(reader.scalars(select(LedgerNode)))) == 1


def test_a_busy_database_is_a_conflict(
    workspace: Path, desk: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.engine(desk)
    monkeypatch.setattr(database, "_PATIENCE", 0.1)
    holder = sqlite3.connect(workspace / "casefile.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with Context.open(workspace) as other:
        with pytest.raises(Conflict) as caught, database.session(other) as session:
            session.add(number(1))
        assert caught.value.code == "DB-BUSY" and caught.value.exit_code == 7
        _is_clear(caught.value)
        holder.execute("ROLLBACK")
        with database.session(other) as session:
            session.add(number(1))
    holder.close()


def _is_clear(error: CasefileError) -> None:
    assert "{" not in "".join(codes.explained(error))


@pytest.mark.parametrize(
    ("content", "code"), [(b"this is not a database" * 100, "DB-BROKEN"), (None, "DB-OPEN")]
)
def test_what_is_no_database(workspace: Path, content: bytes | None, code: str) -> None:
    path = workspace / "casefile.db"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with Context.open(workspace) as desk, pytest.raises(BadInput) as caught:
        database.engine(desk)
    assert caught.value.code == code
    _is_clear(caught.value)
    assert content is None or path.read_bytes() == content


def test_a_newer_database_is_left_alone(workspace: Path, desk: Context) -> None:
    with database.session(desk) as session:
        session.execute(text("update alembic_version set version_num = '9999'"))
    with Context.open(workspace) as other, pytest.raises(BadInput) as caught:
        database.engine(other)
    assert caught.value.code == "DB-NEWER"
    _is_clear(caught.value)


def test_a_full_disk_saves_nothing(desk: Context) -> None:
    with database.engine(desk).connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        connection.execute(text(f"PRAGMA max_page_count={pages}"))
    with pytest.raises(BadInput) as caught, database.session(desk) as session:
        session.add(LedgerNode(level=0, position=0, hash=bytes(1_000_000)))
    assert caught.value.code == "DB-FULL"
    _is_clear(caught.value)
    with database.reading(desk) as session:
        assert list(session.scalars(select(LedgerNode))) == []


def _write_as_nobody(workspace: Path, answer: Any) -> None:
    os.setgid(65534)
    os.setuid(65534)
    try:
        with Context.open(workspace) as desk, database.session(desk) as session:
            session.add(number(1))
    except CasefileError as error:
        answer.send((error.code, int(error.exit_code)))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
def test_a_read_only_database(workspace: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copy(workspace / "casefile.toml", folder)
        with Context.open(folder) as desk:
            database.engine(desk)
        answer, end = FORK.Pipe(duplex=False)
        worker = FORK.Process(target=_write_as_nobody, args=(folder, end))
        worker.start()
        worker.join(30)
        assert answer.poll(), "the database was written"
        assert answer.recv() in (("DB-READ-ONLY", 3), ("DB-OPEN", 3))


def _die_while_bringing_up(workspace: Path) -> None:
    count = 0

    def trace(statement: str) -> None:
        nonlocal count
        count += "CREATE TABLE" in statement
        if count == 5:
            os._exit(9)

    make = sqlite3.connect

    def connect(*arguments: Any, **named: Any) -> sqlite3.Connection:
        made = make(*arguments, **named)
        made.set_trace_callback(trace)
        return made

    sqlite3.connect = connect  # type: ignore[assignment]
    sqlite3.dbapi2.connect = connect  # type: ignore[assignment]
    with Context.open(workspace) as desk:
        database.engine(desk)


def test_killed_while_it_is_made_it_is_made_again(workspace: Path) -> None:
    worker = SPAWN.Process(target=_die_while_bringing_up, args=(workspace,))
    worker.start()
    worker.join(60)
    assert worker.exitcode == 9
    with Context.open(workspace) as desk, database.session(desk) as session:
        session.add(number(1))
