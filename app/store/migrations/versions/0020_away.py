"""Since when what a job needs is away, and which installations GitHub wants no requests of."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the table: nothing is away, and nobody is held."""
    op.add_column("jobs", sa.Column("away_since", sa.Double, nullable=False, server_default="0"))
    op.create_table(
        "holds",
        sa.Column("installation", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        sa.Column("pause", sa.Double, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("installation", name="pk_holds"),
        sqlite_with_rowid=False,
    )
