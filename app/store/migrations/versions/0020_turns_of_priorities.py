"""Turns go before priorities: the order in which jobs are claimed, and where the next turn is."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two indexes anew. Jobs that wait keep the turns that they have."""
    op.drop_index("jobs_to_claim", "jobs")
    op.create_index("jobs_to_claim", "jobs", ["role", "turn", sa.text("priority DESC"), "id"])
    op.drop_index("jobs_by_installation", "jobs")
    op.create_index("jobs_by_installation", "jobs", ["role", "installation", "priority", "turn"])
