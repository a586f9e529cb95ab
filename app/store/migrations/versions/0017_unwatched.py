"""Whose checks are looked at no more, because somebody has said so, and what they compare with."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns: nobody has said so yet, and the commit is found out by the next look."""
    op.add_column("stacked", sa.Column("unwatched", sa.Integer, nullable=False, server_default="0"))
    op.add_column("stacked", sa.Column("onto", sa.Text, nullable=False, server_default=""))
