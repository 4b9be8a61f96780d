"""Reserved and void numbers with their reason; who issued a document, what rendered it, its signature."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("document_numbers") as table:
        table.add_column(sa.Column("state", sa.String(10), nullable=False, server_default="given"))
        table.add_column(sa.Column("reason", sa.Text, nullable=False, server_default=""))
        table.add_column(sa.Column("by", sa.Text, nullable=False, server_default=""))
        table.alter_column("document_id", existing_type=sa.String(80), nullable=True)
    # A void number used to hide behind its document's id.
    op.execute(
        "update document_numbers set state = 'void', reason = document_id, document_id = null "
        "where document_id like '%#void%'"
    )
    with op.batch_alter_table("issued_documents") as table:
        table.add_column(sa.Column("issued_by", sa.Text, nullable=False, server_default=""))
        table.add_column(sa.Column("rendering", sa.Text, nullable=False, server_default=""))
        table.add_column(sa.Column("signed_sha256", sa.String(64), nullable=False, server_default=""))
