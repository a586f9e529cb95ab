"""A dismissal says what it was about, so that it is known in other words."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns: of what was dismissed before, the name alone is known until it is met."""
    for name in ("category", "severity", "reason"):
        op.add_column("dismissals", sa.Column(name, sa.Text, nullable=False, server_default=""))
