"""Runs that an outage ended, and traces that servers share."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the table: of what ended before, nobody knows; no trace is shared."""
    op.add_column("runs", sa.Column("away", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "traces",
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("part", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("ends", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("run", "part", name="pk_traces"),
        sqlite_with_rowid=False,
    )
    op.create_index("traces_by_age", "traces", ["since"])
