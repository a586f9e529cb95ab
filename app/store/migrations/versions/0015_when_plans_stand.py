"""From when on a plan stands in its comment, by GitHub's clock: a reaction before is to no plan."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of a plan that waits already our own clock tells it."""
    op.add_column("plans", sa.Column("stands", sa.Double, nullable=False, server_default="0"))
    op.execute("UPDATE plans SET stands = since")
