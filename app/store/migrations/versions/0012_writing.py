"""What is to be written and what was: plans that wait for a person, stacked pull requests."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, empty."""
    op.create_table(
        "stacked",
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("stacked", sa.BigInteger, nullable=False),
        sa.Column("branch", sa.Text, nullable=False),
        sa.Column("head", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("rounds", sa.Integer, nullable=False, server_default="0"),
        sa.Column("state", sa.Text, nullable=False, server_default="open"),
        sa.Column("undone_by", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("since", sa.Double, nullable=False),
        sa.CheckConstraint("state IN ('open', 'undone')", name="ck_stacked_state"),
        sa.PrimaryKeyConstraint("run", name="pk_stacked"),
        sqlite_with_rowid=False,
    )
    op.create_index("stacked_by_number", "stacked", ["repository_id", "number"])
    op.create_table(
        "plans",
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("installation", sa.BigInteger, nullable=False),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("comment", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
        sa.Column("since", sa.Double, nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'started', 'over')", name="ck_plans_state"),
        sa.PrimaryKeyConstraint("run", name="pk_plans"),
        sqlite_with_rowid=False,
    )
    op.create_index("plans_by_number", "plans", ["repository_id", "number"])
    op.create_index("plans_by_state", "plans", ["state", "since"])
