"""``casefile.db``: every table, in one place. SQLite with WAL now; PostgreSQL by URL later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import (
    URL,
    BigInteger,
    Connection,
    Date,
    Engine,
    ForeignKey,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry

from casefile.context import Context
from casefile.errors import BadInput, Conflict

HEAD = "0002"
"""Revision of the schema that this program speaks."""


class Base(DeclarativeBase):
    """All tables."""


class RegisterEntry(Base):
    """One row of the bureau's register of cases."""

    __tablename__ = "register"

    case_no: Mapped[str] = mapped_column(String(60), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    procedure: Mapped[str] = mapped_column(String(40))
    party: Mapped[str] = mapped_column(Text)
    cause: Mapped[str] = mapped_column(Text, default="")
    filed_on: Mapped[dt.date | None] = mapped_column(Date)
    closed_on: Mapped[dt.date | None] = mapped_column(Date)
    officers: Mapped[str] = mapped_column(Text, default="")
    unit: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(Text, default="")
    remark: Mapped[str] = mapped_column(Text, default="")
    place: Mapped[str] = mapped_column(Text, default="")
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 over the row's own values: tells when the register changed after archiving."""
    imported_at: Mapped[str] = mapped_column(String(32))


class DocumentNumber(Base):
    """A document number (文号): ``given``, ``reserved`` or ``void``; the constraints forbid a second use."""

    __tablename__ = "document_numbers"
    __table_args__ = (
        UniqueConstraint("word", "year", "seq", name="one_use_of_a_number"),
        UniqueConstraint("case_no", "document_id", name="one_number_for_a_document"),
    )

    doc_no: Mapped[str] = mapped_column(String(80), primary_key=True)
    word: Mapped[str] = mapped_column(String(20))
    year: Mapped[int]
    seq: Mapped[int]
    case_no: Mapped[str] = mapped_column(String(60))
    document_id: Mapped[str | None] = mapped_column(String(80))
    given_at: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(10), default="given")
    reason: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(Text, default="")


class IssuedDocument(Base):
    """A document that was frozen (定稿)."""

    __tablename__ = "issued_documents"

    case_no: Mapped[str] = mapped_column(String(60), primary_key=True)
    document_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    type_id: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(Text)
    doc_no: Mapped[str] = mapped_column(String(80), default="")
    doc_date: Mapped[dt.date | None] = mapped_column(Date)
    pages: Mapped[int]
    docx_sha256: Mapped[str] = mapped_column(String(64))
    pdf_sha256: Mapped[str] = mapped_column(String(64))
    template_sha256: Mapped[str] = mapped_column(String(64))
    values_sha256: Mapped[str] = mapped_column(String(64))
    issued_at: Mapped[str] = mapped_column(String(32))
    issued_by: Mapped[str] = mapped_column(Text, default="")
    rendering: Mapped[str] = mapped_column(Text, default="")
    """Engine and fonts that made the pages, as JSON."""
    signed_sha256: Mapped[str] = mapped_column(String(64), default="")
    """Digest of the signed PDF, empty while nobody signed it."""


class ArchivalNumber(Base):
    """The archival code (档号) of a case: fonds, year, running number."""

    __tablename__ = "archival_numbers"
    __table_args__ = (UniqueConstraint("year", "seq", name="one_use_of_an_archival_number"),)

    case_no: Mapped[str] = mapped_column(String(60), primary_key=True)
    year: Mapped[int]
    seq: Mapped[int]
    code: Mapped[str] = mapped_column(String(80), unique=True)


class LedgerEntry(Base):
    """One leaf of the append-only log: canonical JSON in ``body``; see :mod:`casefile.ledger`."""

    __tablename__ = "ledger_entries"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    case_no: Mapped[str] = mapped_column(String(60), index=True)
    action: Mapped[str] = mapped_column(String(40))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    leaf: Mapped[bytes] = mapped_column(LargeBinary(32))


class LedgerNode(Base):
    """A perfect subtree of the Merkle tree: hash of node ``position`` at ``level`` (0 = leaves)."""

    __tablename__ = "ledger_nodes"

    level: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class LedgerCheckpoint(Base):
    """A root that was anchored outside: size, root and its RFC 3161 token."""

    __tablename__ = "ledger_checkpoints"

    size: Mapped[int] = mapped_column(primary_key=True)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[str] = mapped_column(String(32))
    token: Mapped[bytes | None] = mapped_column(LargeBinary)


class LedgerSalt(Base):
    """The salt of a leaf's commitment; erasing it makes the leaf unlinkable and keeps the proof."""

    __tablename__ = "ledger_salts"

    seq: Mapped[int] = mapped_column(ForeignKey("ledger_entries.seq"), primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))


class FileState(Base):
    """What the watcher last saw of a file under ``cases/``: path relative to the workspace.

    ``modified_ns`` is the inode's change time. ``result`` is empty for a clean file, else JSON with the
    findings, which never hold what they found. Path ``*`` stands for the scanners, digested in ``sha256``;
    no file's digest is kept, for it could be that of a state secret.
    """

    __tablename__ = "file_states"

    path: Mapped[str] = mapped_column(Text, primary_key=True)
    size: Mapped[int]
    modified_ns: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    scanned_at: Mapped[str] = mapped_column(String(32), default="")
    result: Mapped[str] = mapped_column(Text, default="")


class AuditAnswer(Base):
    """What the audit last said of a case (JSON): ``key`` is a digest over everything that it looked at."""

    __tablename__ = "audit_answers"

    case_no: Mapped[str] = mapped_column(String(60), primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str] = mapped_column(Text)


def engine(context: Context) -> Engine:
    """The workspace's database, brought to the present schema; made once and kept by the context.

    Raises:
        BadInput: DB-OPEN, DB-READ-ONLY, DB-BROKEN, DB-FULL, DB-NEWER.
        Conflict: DB-BUSY.
    """
    return context.keep("database", lambda: _Kept(_open(context.workspace.database))).engine


@contextmanager
def session(context: Context) -> Iterator[Session]:
    """A transaction that holds the only write lock from its first statement; commits at the end.

    Raises:
        BadInput, Conflict: as :func:`engine`. A broken constraint stays SQLAlchemy's ``IntegrityError``.
    """
    with _explained(context.workspace.database), Session(engine(context)) as one, one.begin():
        yield one


@contextmanager
def reading(context: Context) -> Iterator[Session]:
    """A transaction that sees one state of the database and never waits for a writer.

    Raises:
        BadInput, Conflict: as :func:`engine`.
    """
    with _explained(context.workspace.database):
        made = engine(context).execution_options(**{_READING: True})
        with Session(made) as one, one.begin():
            yield one


_READING = "casefile_reading"
_PATIENCE = 30
"""Seconds for which a command waits for another one to finish writing."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """The engine as something that the context can close."""

    engine: Engine

    def close(self) -> None:
        self.engine.dispose()


def _open(path: Path) -> Engine:
    made = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": _PATIENCE}, hide_parameters=True
    )

    @event.listens_for(made, "connect")
    def _on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # The driver must not open transactions of its own accord: it would do so too late.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(made, "begin")
    def _on_begin(connection: Connection) -> None:
        # Take the write lock at once: two clerks who issue together queue up instead of failing midway.
        reads = connection.get_execution_options().get(_READING, False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    try:
        with _explained(path):
            _bring_up(made, path)
    except BaseException as error:
        made.dispose()
        if isinstance(error, Timeout):
            raise Conflict("DB-BUSY", subject=path.name, seconds=2 * _PATIENCE) from None
        if isinstance(error, OSError):
            raise BadInput("DB-OPEN", subject=path.name) from None
        raise
    return made


def _bring_up(made: Engine, path: Path) -> None:
    if _revision(made) == HEAD:
        return
    # Only one process may bring the schema up; the others wait and find it done.
    with FileLock(path.with_name(f"{path.name}.lock"), timeout=2 * _PATIENCE):
        found = _revision(made)
        if found == HEAD:
            return
        # Alembic takes 0.3 s to import, so only a workspace that needs it pays.
        from alembic import command
        from alembic.config import Config as AlembicConfig
        from alembic.script import ScriptDirectory

        settings = AlembicConfig()
        settings.set_main_option("script_location", _MIGRATIONS.replace("%", "%%"))
        known = {one.revision for one in ScriptDirectory.from_config(settings).walk_revisions()}
        if found is not None and found not in known:
            raise BadInput("DB-NEWER", subject=path.name, found=found, known=HEAD)
        _use_write_ahead_log(made)
        with made.connect() as connection:
            settings.attributes["connection"] = connection
            command.upgrade(settings, HEAD)
            connection.commit()


_MIGRATIONS = str(Path(__file__).parent / "migrations")


def _use_write_ahead_log(made: Engine) -> None:
    """Switch the file to WAL for good, so that readers and the writer don't wait for each other."""
    raw = made.raw_connection()
    try:
        raw.cursor().execute("PRAGMA journal_mode=WAL").fetchone()
    finally:
        raw.close()


def _revision(made: Engine) -> str | None:
    with made.connect().execution_options(**{_READING: True}) as connection:
        table = text("select 1 from sqlite_master where name = 'alembic_version'")
        if connection.execute(table).scalar() is None:
            return None
        return connection.execute(text("select version_num from alembic_version")).scalar()


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what SQLite complains about into one clear sentence."""
    try:
        yield
    except IntegrityError:
        raise
    except (ValueError, RecursionError):
        # A cell that holds no date, or no JSON, where the schema says so: somebody wrote past the program.
        raise BadInput("DB-BROKEN", subject=path.name) from None
    except DatabaseError as error:
        told = str(error.orig).lower()
        if "locked" in told or "busy" in told:
            raise Conflict("DB-BUSY", subject=path.name, seconds=_PATIENCE) from None
        for words, code in _COMPLAINTS:
            if any(word in told for word in words):
                raise BadInput(code, subject=path.name) from None
        raise


_COMPLAINTS = (
    (("readonly", "read-only"), "DB-READ-ONLY"),
    (("unable to open",), "DB-OPEN"),
    (("is full",), "DB-FULL"),
    (("not a database", "malformed", "disk i/o error", "no such table"), "DB-BROKEN"),
)
