"""The tables as the last version before migrations had them: nothing is left to do."""

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A new database is made whole, from `app.store.tables`; an older file is stamped with this."""
