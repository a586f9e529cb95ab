"""Each dismissal has a row of its own, and repositories are known for longer than their runs."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the key of dismissals longer, and take over what the runs know of repositories."""
    db = op.get_bind()
    # SQLite cannot change a key: the table is made anew. Its rows are few, people wrote them.
    kept = [dict(row) for row in db.execute(sa.text("SELECT * FROM dismissals")).mappings()]
    op.drop_table("dismissals")
    dismissals = op.create_table(
        "dismissals",
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("finding", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("forgotten", sa.Integer, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("repository_id", "finding", "who", "url", name="pk_dismissals"),
        sqlite_with_rowid=False,
    )
    op.bulk_insert(dismissals, kept)
    op.create_table(
        "repositories",
        sa.Column("installation", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("installation", "id", "name", name="pk_repositories"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO repositories (installation, id, name) "
        "SELECT DISTINCT installation, repository_id, repository FROM runs"
    )
