"""What each server has to remove from its own disk, and what repository was paid for."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, empty. What was paid so far has no repository: it goes with any of them."""
    op.create_table(
        "forgotten",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("installation", sa.BigInteger, nullable=False),
        sa.Column("whole", sa.Integer, nullable=False),
        sa.Column("repositories", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_forgotten"),
        sqlite_with_rowid=False,
    )
    op.create_index("forgotten_by_age", "forgotten", ["since"])
    for table in ("purses", "answers"):
        op.add_column(table, sa.Column("repository", sa.LargeBinary))
