"""Which threads are ours, so that GitHub need not be asked about every answer of a stranger."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, empty: the next review of a pull request notes its threads."""
    op.add_column("runs", sa.Column("noted", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "threads",
        sa.Column("repository_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("first", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("finding", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
        sa.Column("seen", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("repository_id", "first", name="pk_threads"),
        sa.CheckConstraint(
            "state IN ('open', 'answered', 'dismissed', 'resolved', 'folded')",
            name="ck_threads_state",
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("threads_by_pull", "threads", ["repository_id", "number"])
    op.create_index("threads_by_age", "threads", ["seen"])
