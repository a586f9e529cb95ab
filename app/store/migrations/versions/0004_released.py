"""When the queue was told of a job."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, and have all jobs of a key found."""
    op.drop_index("jobs_by_key", "jobs")
    op.create_index("jobs_by_key", "jobs", ["key"])
    op.add_column("jobs", sa.Column("released", sa.Double, nullable=False, server_default="0"))
