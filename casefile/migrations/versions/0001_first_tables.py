"""First tables: register, document and archival numbers, issued documents, ledger, file states."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "register",
        sa.Column("case_no", sa.String(60), primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("procedure", sa.String(40), nullable=False),
        sa.Column("party", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("filed_on", sa.Date),
        sa.Column("closed_on", sa.Date),
        sa.Column("officers", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("remark", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("imported_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "document_numbers",
        sa.Column("doc_no", sa.String(80), primary_key=True),
        sa.Column("word", sa.String(20), nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("case_no", sa.String(60), nullable=False),
        sa.Column("document_id", sa.String(80), nullable=False),
        sa.Column("given_at", sa.String(32), nullable=False),
        sa.UniqueConstraint("word", "year", "seq", name="one_use_of_a_number"),
        sa.UniqueConstraint("case_no", "document_id", name="one_number_for_a_document"),
    )
    op.create_table(
        "issued_documents",
        sa.Column("case_no", sa.String(60), primary_key=True),
        sa.Column("document_id", sa.String(80), primary_key=True),
        sa.Column("type_id", sa.String(60), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("doc_no", sa.String(80), nullable=False),
        sa.Column("doc_date", sa.Date),
        sa.Column("pages", sa.Integer, nullable=False),
        sa.Column("docx_sha256", sa.String(64), nullable=False),
        sa.Column("pdf_sha256", sa.String(64), nullable=False),
        sa.Column("template_sha256", sa.String(64), nullable=False),
        sa.Column("values_sha256", sa.String(64), nullable=False),
        sa.Column("issued_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "archival_numbers",
        sa.Column("case_no", sa.String(60), primary_key=True),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("code", sa.String(80), nullable=False, unique=True),
        sa.UniqueConstraint("year", "seq", name="one_use_of_an_archival_number"),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("case_no", sa.String(60), nullable=False, index=True),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("leaf", sa.LargeBinary(32), nullable=False),
    )
    op.create_table(
        "ledger_nodes",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
    )
    op.create_table(
        "ledger_checkpoints",
        sa.Column("size", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("token", sa.LargeBinary),
    )
    op.create_table(
        "ledger_salts",
        sa.Column("seq", sa.Integer, sa.ForeignKey("ledger_entries.seq"), primary_key=True),
        sa.Column("salt", sa.LargeBinary(16), nullable=False),
    )
    op.create_table(
        "file_states",
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("modified_ns", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("scanned_at", sa.String(32), nullable=False),
        sa.Column("result", sa.Text, nullable=False),
    )
    op.create_table(
        "audit_answers",
        sa.Column("case_no", sa.String(60), primary_key=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        # A seat belt against mistakes, not against the owner of the file; salts stay erasable.
        for table in ("ledger_entries", "ledger_nodes", "ledger_checkpoints"):
            for verb in ("update", "delete"):
                op.execute(
                    f"create trigger {table}_no_{verb} before {verb} on {table} "
                    f"begin select raise(abort, '{table} is append only'); end"
                )
