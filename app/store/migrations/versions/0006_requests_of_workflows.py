"""What jobs of workflows ask for, and what came of a run for whoever asks."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and the column that outlives a report."""
    op.add_column("runs", sa.Column("verdict", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "requests",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("comment", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
        sa.Column("run", sa.Text, nullable=False, server_default=""),
        sa.Column("why", sa.Text, nullable=False, server_default=""),
        sa.Column("created", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
        sa.CheckConstraint("state IN ('waiting', 'answered', 'failed')", name="ck_requests_state"),
    )
    op.create_index("requests_by_repository", "requests", ["repository_id", "created"])
