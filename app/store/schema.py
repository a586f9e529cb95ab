"""Brings the tables up to date: a new database gets them whole, an older one by migrations.

Migrations are Alembic's, under `migrations/`. A file from before them says its version itself.
"""

from pathlib import Path

from sqlalchemy import Connection, Dialect, inspect, text
from sqlalchemy.schema import CreateIndex, CreateTable

from app.store.before_alembic import LAST_VERSION, STEPS
from app.store.tables import METADATA
from reviewer.errors import TellUser

REVISION = "0023"
"""What this program's tables are called; the newest of the migrations."""

MIGRATIONS = Path(__file__).parent / "migrations"

FIRST = "0001"
"""What a file of the last version before Alembic has."""

TAKEN_OVER = LAST_VERSION + 1
"""An older program refuses a file that says this."""


def bring_up_to_date(db: Connection, name: str) -> None:
    """Create or change the tables, inside the caller's transaction; nobody else may be at it.

    Raises TellUser where a newer program has changed them.
    """
    tables = set(inspect(db).get_table_names())
    if "alembic_version" in tables:
        revision = db.scalar(text("SELECT version_num FROM alembic_version"))
        if revision != REVISION:
            _upgrade(db, name, revision)
        return
    if db.dialect.name == "sqlite" and (version := _version_before(db)):
        if version > LAST_VERSION:
            raise _newer(name)
        for step in STEPS[version:]:
            for statement in step.split(";\n"):
                if statement.strip():
                    db.exec_driver_sql(statement)
        _stamp(db, FIRST)
        if REVISION != FIRST:
            _upgrade(db, name, FIRST)
        return
    if tables.isdisjoint(METADATA.tables):
        for statement in _statements(db.dialect):
            db.exec_driver_sql(statement)
    else:
        METADATA.create_all(db)
    _stamp(db, REVISION)


_written: dict[object, tuple[str, ...]] = {}


def _statements(dialect: Dialect) -> tuple[str, ...]:
    """Return what creates all tables; written once for each kind of server."""
    kind = dialect.name, dialect.server_version_info
    if kind not in _written:
        written: list[str] = []
        for table in METADATA.sorted_tables:
            written.append(str(CreateTable(table).compile(dialect=dialect)))
            for index in sorted(table.indexes, key=lambda index: str(index.name)):
                written.append(str(CreateIndex(index).compile(dialect=dialect)))
        _written[kind] = tuple(written)
    return _written[kind]


def known_versions() -> frozenset[str]:
    """Return what tables of this program and of earlier ones are called; "" before migrations."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    revisions = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    return frozenset({"", *(one.revision for one in revisions)})


def _version_before(db: Connection) -> int:
    return int(db.exec_driver_sql("PRAGMA user_version").scalar_one())


def _stamp(db: Connection, revision: str) -> None:
    db.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    db.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
    if db.dialect.name == "sqlite":
        db.exec_driver_sql(f"PRAGMA user_version = {TAKEN_OVER}")


def _upgrade(db: Connection, name: str, revision: str | None) -> None:
    from alembic import command  # noqa: PLC0415 takes a fifth of a second, and is seldom needed
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = db
    try:
        ScriptDirectory.from_config(config).get_revision(str(revision))
    except CommandError as error:
        raise _newer(name) from error
    command.upgrade(config, REVISION)


def _newer(name: str) -> TellUser:
    return TellUser(
        f"{name} was written by a newer version of this program",
        "Start that version, or move the file away to begin anew.",
    )
