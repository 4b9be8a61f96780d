"""``casefile.db``: every table, in one place. SQLite with WAL now; PostgreSQL by URL later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Date,
    Engine,
    ForeignKey,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry

from casefile.context import Context

HEAD = "0001"
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
    """A document number (文号) that was given out; the constraints make a second use impossible."""

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
    document_id: Mapped[str] = mapped_column(String(80))
    given_at: Mapped[str] = mapped_column(String(32))


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
    """What the watcher last saw of a file under ``cases/``: path relative to the workspace."""

    __tablename__ = "file_states"

    path: Mapped[str] = mapped_column(Text, primary_key=True)
    size: Mapped[int]
    modified_ns: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    scanned_at: Mapped[str] = mapped_column(String(32), default="")


def engine(context: Context) -> Engine:
    """The workspace's database, brought to the present schema; made once and kept by the context."""
    return context.keep("database", lambda: _open(context.workspace.database))


@contextmanager
def session(context: Context) -> Iterator[Session]:
    """A transaction that holds the only write lock from its first statement; commits at the end."""
    with Session(engine(context)) as one, one.begin():
        yield one


def _open(path: Path) -> Engine:
    made = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})

    @event.listens_for(made, "connect")
    def _on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(made, "begin")
    def _on_begin(connection: object) -> None:
        # Take the write lock at once: two clerks who issue together queue up instead of failing midway.
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # type: ignore[attr-defined]

    _bring_up(made)
    return made


def _bring_up(made: Engine) -> None:
    if inspect(made).has_table("alembic_version"):
        with made.connect() as connection:
            if connection.execute(text("select version_num from alembic_version")).scalar() == HEAD:
                return
    # Alembic takes 0.3 s to import, so only a workspace that needs it pays.
    from alembic import command
    from alembic.config import Config as AlembicConfig

    settings = AlembicConfig()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with made.connect() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, HEAD)
        connection.commit()
