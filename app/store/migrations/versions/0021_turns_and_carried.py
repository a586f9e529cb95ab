"""Turns go before priorities; what a forgotten installation spent counts on for its month."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two indexes anew, and the table. Jobs that wait keep the turns that they have."""
    op.drop_index("jobs_to_claim", "jobs")
    op.create_index("jobs_to_claim", "jobs", ["role", "turn", sa.text("priority DESC"), "id"])
    op.drop_index("jobs_by_installation", "jobs")
    op.create_index("jobs_by_installation", "jobs", ["role", "installation", "priority", "turn"])
    op.create_table(
        "carried",
        sa.Column("repository_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("month", sa.Text, nullable=False),
        sa.Column("usd", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("repository_id", "month", name="pk_carried"),
        sqlite_with_rowid=False,
    )
