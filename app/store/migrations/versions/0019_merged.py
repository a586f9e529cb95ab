"""A stacked pull request that is merged is not one that was undone."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Allow for the state; whoever was told that one is merged had it stored as undone before."""
    db = op.get_bind()
    # SQLite cannot change a constraint: the table is made anew. It has a row for each that a person
    # asked for.
    kept = [dict(row) for row in db.execute(sa.text("SELECT * FROM stacked")).mappings()]
    op.drop_table("stacked")
    stacked = op.create_table(
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
        sa.Column("unwatched", sa.Integer, nullable=False, server_default="0"),
        sa.Column("onto", sa.Text, nullable=False, server_default=""),
        sa.Column("since", sa.Double, nullable=False),
        sa.CheckConstraint("state IN ('open', 'merged', 'undone')", name="ck_stacked_state"),
        sa.PrimaryKeyConstraint("run", name="pk_stacked"),
        sqlite_with_rowid=False,
    )
    op.bulk_insert(stacked, kept)
    op.create_index("stacked_by_number", "stacked", ["repository_id", "number"])
