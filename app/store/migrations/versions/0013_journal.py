"""What runs paid and were answered, for servers that share a database."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, empty: what the files of servers hold is paid again, once."""
    op.create_table(
        "purses",
        sa.Column("run", sa.LargeBinary, nullable=False),
        sa.Column("tenant", sa.LargeBinary, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("run", name="pk_purses"),
        sqlite_with_rowid=False,
    )
    op.create_index("purses_by_tenant", "purses", ["tenant"])
    op.create_index("purses_by_age", "purses", ["since"])
    op.create_table(
        "payments",
        sa.Column("entry", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True),
        sa.Column("run", sa.LargeBinary, nullable=False),
        sa.Column("worst_usd", sa.Double, nullable=False),
        sa.Column("worst_tokens", sa.BigInteger, nullable=False),
        sa.Column("worst_calls", sa.BigInteger, nullable=False),
        sa.Column("usd", sa.Double),
        sa.Column("tokens", sa.BigInteger),
        sa.Column("calls", sa.BigInteger),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("entry", name="pk_payments"),
        sqlite_autoincrement=True,
    )
    op.create_index("payments_by_run", "payments", ["run"])
    op.create_table(
        "answers",
        sa.Column("entry", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("run", sa.LargeBinary, nullable=False),
        sa.Column("tenant", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("used", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("entry", name="pk_answers"),
        sa.UniqueConstraint("digest", name="uq_answers_digest"),
    )
    op.create_index("answers_by_tenant", "answers", ["tenant", "run"])
    op.create_index("answers_by_use", "answers", ["used", "bytes"])
