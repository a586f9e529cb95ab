"""Whose checks are looked at no more, because somebody has said so."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: nobody has said so yet."""
    op.add_column("stacked", sa.Column("unwatched", sa.Integer, nullable=False, server_default="0"))
