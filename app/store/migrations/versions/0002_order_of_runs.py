"""Runs are numbered, so that their order does not hang on a clock."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Number the runs that are there in the order in which they were begun."""
    op.add_column("runs", sa.Column("seq", sa.BigInteger, nullable=False, server_default="0"))
    op.execute(
        "UPDATE runs SET seq = (SELECT count(*) FROM runs AS other WHERE other.created < "
        "runs.created OR other.created = runs.created AND other.id <= runs.id)"
    )
    op.create_index("runs_by_seq", "runs", ["seq"])
    op.create_index("runs_by_installation", "runs", ["installation", "seq"])
