"""What is needed to keep a server going: repositories that are gone through, counts, caps."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, empty; what was spent this month before is not counted."""
    op.add_column("runs", sa.Column("reserved", sa.Double, nullable=False, server_default="0"))
    op.create_table(
        "watched",
        sa.Column("repository_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("installation", sa.BigInteger, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("looked", sa.Double, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("repository_id", name="pk_watched"),
        sqlite_with_rowid=False,
    )
    op.create_index("watched_by_installation", "watched", ["installation", "looked"])
    op.create_table(
        "measures",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("name", "label", name="pk_measures"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "spending",
        sa.Column("installation", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("month", sa.Text, nullable=False),
        sa.Column("usd", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("installation", "month", name="pk_spending"),
        sqlite_with_rowid=False,
    )
