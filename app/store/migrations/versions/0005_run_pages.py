"""What the run pages show: what a review came to, when, and what became of its findings."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table; of earlier runs nothing is known."""
    op.add_column("runs", sa.Column("ended", sa.Double))
    op.add_column("runs", sa.Column("findings", sa.Integer))
    op.add_column("runs", sa.Column("result", sa.Text, nullable=False, server_default=""))
    op.create_index("runs_by_repository", "runs", ["repository_id", "seq"])
    op.create_table(
        "findings",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("finding", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("said", sa.Double, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'accepted', 'dismissed', 'fixed')", name="ck_findings_state"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("findings_by_repository", "findings", ["repository_id", "said"])
