"""The tables, for SQLite and PostgreSQL alike. Times are in seconds since 1970.

A change here needs a migration under `migrations/versions`; a test holds the two equal.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

_COUNTED = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself in a column of exactly this type."""

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("received", Double, nullable=False),
    Index("deliveries_by_age", "received"),
    sqlite_with_rowid=False,
)

JOBS = Table(
    "jobs",
    METADATA,
    Column("id", _COUNTED, primary_key=True, autoincrement=True),
    Column("role", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("not_before", Double, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("claims", Integer, nullable=False, server_default="0"),
    Column("worker", Text, nullable=False, server_default=""),
    Column("lease", Double, nullable=False, server_default="0"),
    Column("why", Text, nullable=False, server_default=""),
    Column("created", Double, nullable=False),
    Column("installation", BigInteger, nullable=False, server_default="0"),
    Column("turn", BigInteger, nullable=False, server_default="0"),
    Column("released", Double, nullable=False, server_default="0"),
    Column("away_since", Double, nullable=False, server_default="0"),
    CheckConstraint("state IN ('waiting', 'claimed', 'failed')", name="state"),
    Index("jobs_to_claim", "role", "turn", text("priority DESC"), "id"),
    Index("jobs_by_installation", "role", "installation", "priority", "turn"),
    Index("jobs_by_key", "key"),
    sqlite_autoincrement=True,
)
"""`turn` is start-time fair queueing: each installation's jobs have a turn each, beginning at the
one that is served now, and the lowest turn goes first. So a flood waits behind itself alone. Jobs
of one priority have turns of their own, and go before lower ones of the same turn: what somebody
waits for is not behind its installation's pushes, and a flood of it keeps no other waiting.
`released` is when the queue was told of it, where there is one. `away_since` is when what it needs
was found away, and has been since, by the clock that `not_before` is of; 0 where it is not."""

TURNS = Table(
    "turns",
    METADATA,
    Column("role", Text, primary_key=True),
    Column("turn", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

RUNS = Table(
    "runs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("installation", BigInteger, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("repository", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("origin", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("head", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("stop", Text, nullable=False, server_default=""),
    Column("check_run", BigInteger),
    Column("progress", Text, nullable=False, server_default=""),
    Column("report", Text, nullable=False, server_default=""),
    Column("problem", Text, nullable=False, server_default=""),
    Column("outcome", Text, nullable=False, server_default=""),
    Column("created", Double, nullable=False),
    Column("kind", Text, nullable=False, server_default="review"),
    Column("usd", Double),
    Column("calls", BigInteger, nullable=False, server_default="0"),
    Column("seq", BigInteger, nullable=False, server_default="0"),
    Column("reserved", Double, nullable=False, server_default="0"),
    Column("ended", Double),
    Column("findings", Integer),
    Column("result", Text, nullable=False, server_default=""),
    Column("verdict", Text, nullable=False, server_default=""),
    Column("noted", Integer, nullable=False, server_default="0"),
    Column("away", Integer, nullable=False, server_default="0"),
    UniqueConstraint("repository_id", "number", "origin"),
    CheckConstraint("state IN ('open', 'ended')", name="state"),
    Index("runs_by_head", "repository_id", "head"),
    Index("runs_by_seq", "seq"),
    Index("runs_by_repository", "repository_id", "seq"),
    Index("runs_by_installation", "installation", "seq"),
)
"""`seq` is the order in which they were begun: a clock may jump. `result` is what a review came to,
for its page, or what was planned or written; it stays for as long as the row does. `reserved` is
what a run may spend and has not settled yet, in dollars. `noted`: all threads that were ours at its
end are in `threads`. `away`: an outage, longer than is waited, is why it came to nothing."""

REQUESTS = Table(
    "requests",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("repository_id", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("comment", BigInteger, nullable=False),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("run", Text, nullable=False, server_default=""),
    Column("why", Text, nullable=False, server_default=""),
    Column("created", Double, nullable=False),
    CheckConstraint("state IN ('waiting', 'answered', 'failed')", name="state"),
    Index("requests_by_repository", "repository_id", "created"),
)
"""What jobs of workflows have asked for."""

AGREED = Table(
    "agreed",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""What all servers on this database have to have in common."""

WORKERS = Table(
    "workers",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("problem", Text, nullable=False),
    Column("seen", Double, nullable=False),
)

PAUSES = Table(
    "pauses",
    METADATA,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("who", Text, nullable=False),
    Column("since", Double, nullable=False),
    sqlite_with_rowid=False,
)

DISMISSALS = Table(
    "dismissals",
    METADATA,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("finding", Text, primary_key=True),
    Column("path", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("who", Text, primary_key=True),
    Column("url", Text, primary_key=True),
    Column("since", Double, nullable=False),
    Column("forgotten", Integer, nullable=False, server_default="0"),
    Column("category", Text, nullable=False, server_default=""),
    Column("severity", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    sqlite_with_rowid=False,
)
"""One row for each time that somebody dismissed a finding, by who and where. What is `forgotten`
stays noted down: those words still stand in a thread, and only others dismiss it anew. The last
three are of the finding, "" where an earlier version noted it: see `Dismissed`."""

REPOSITORIES = Table(
    "repositories",
    METADATA,
    Column("installation", BigInteger, primary_key=True, autoincrement=False),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    sqlite_with_rowid=False,
)
"""Where something was ever begun, under each name that it had then: runs are swept after a month,
and what people dismissed and what was fetched are not."""

FORGOTTEN = Table(
    "forgotten",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("installation", BigInteger, nullable=False),
    Column("whole", Integer, nullable=False),
    Column("repositories", Text, nullable=False),
    Column("since", Double, nullable=False),
    Index("forgotten_by_age", "since"),
    sqlite_with_rowid=False,
)
"""What each server has to remove from its own disk: of an installation that is gone (`whole`), or
of repositories that it has no more; their names, also former ones, as a JSON list. A row stays for
as long as a server may be down: see `app/forget.py`."""

WATCHED = Table(
    "watched",
    METADATA,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("installation", BigInteger, nullable=False),
    Column("since", Double, nullable=False),
    Column("looked", Double, nullable=False, server_default="0"),
    Index("watched_by_installation", "installation", "looked"),
    sqlite_with_rowid=False,
)
"""Repositories that are gone through for what nobody has told us, those longest ago first."""

HOLDS = Table(
    "holds",
    METADATA,
    Column("installation", BigInteger, primary_key=True, autoincrement=False),
    Column("until", Double, nullable=False),
    Column("pause", Double, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)
"""Whom GitHub wants no requests of, until when, and the last pause whose length it left to us."""

MEASURES = Table(
    "measures",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("value", Double, nullable=False),
    Column("at", Double, nullable=False),
    sqlite_with_rowid=False,
)
"""What processes count, for whoever watches the server: see `app/measures.py`."""

SPENDING = Table(
    "spending",
    METADATA,
    Column("installation", BigInteger, primary_key=True, autoincrement=False),
    Column("month", Text, primary_key=True),
    Column("usd", Double, nullable=False),
    sqlite_with_rowid=False,
)
"""By calendar month in UTC ("2026-11"): it outlives the runs, and repositories that are taken out
meanwhile."""

CARRIED = Table(
    "carried",
    METADATA,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("month", Text, primary_key=True),
    Column("usd", Double, nullable=False),
    sqlite_with_rowid=False,
)
"""What installations that were forgotten had spent, until the month is over: it counts where their
repositories are installed again, by what each of them had cost."""

FINDINGS = Table(
    "findings",
    METADATA,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("finding", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("run", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("said", Double, nullable=False),
    Column("changed", Double, nullable=False),
    CheckConstraint("state IN ('open', 'accepted', 'dismissed', 'fixed')", name="state"),
    Index("findings_by_repository", "repository_id", "said"),
    sqlite_with_rowid=False,
)
"""What became of each finding that was told on a pull request. It holds no text: when a run is long
forgotten, the counts are still right."""

STACKED = Table(
    "stacked",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("repository_id", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("stacked", BigInteger, nullable=False),
    Column("branch", Text, nullable=False),
    Column("head", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("rounds", Integer, nullable=False, server_default="0"),
    Column("state", Text, nullable=False, server_default="open"),
    Column("undone_by", BigInteger, nullable=False, server_default="0"),
    Column("unwatched", Integer, nullable=False, server_default="0"),
    Column("onto", Text, nullable=False, server_default=""),
    Column("since", Double, nullable=False),
    CheckConstraint("state IN ('open', 'merged', 'undone')", name="state"),
    Index("stacked_by_number", "repository_id", "number"),
    sqlite_with_rowid=False,
)
"""Pull requests of ours on top of others'. They outlive their runs: undoing one takes its row."""

PLANS = Table(
    "plans",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("installation", BigInteger, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("repository", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("comment", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("since", Double, nullable=False),
    Column("stands", Double, nullable=False, server_default="0"),
    CheckConstraint("state IN ('waiting', 'started', 'over')", name="state"),
    Index("plans_by_number", "repository_id", "number"),
    Index("plans_by_state", "state", "since"),
    sqlite_with_rowid=False,
)
"""Plans that wait for a person, and the comments that they stand in."""

THREADS = Table(
    "threads",
    METADATA,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("node", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("run", Text, nullable=False),
    Column("finding", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("changed", Double, nullable=False),
    Column("seen", Double, nullable=False),
    CheckConstraint(
        "state IN ('open', 'answered', 'dismissed', 'resolved', 'folded')", name="state"
    ),
    Index("threads_by_pull", "repository_id", "number"),
    Index("threads_by_age", "seen"),
    sqlite_with_rowid=False,
)
"""Threads that began with a finding of ours, by the number of their first comment; `node` is the
thread's name in GraphQL, "" until it was read there. What stands in them GitHub knows."""

TRACES = Table(
    "traces",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("server", Text, nullable=False),
    Column("ends", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("since", Double, nullable=False),
    Index("traces_by_age", "since"),
    sqlite_with_rowid=False,
)
"""Whole lines of traces, compressed, for the pages of the servers that did not write them: part
after part. `ends` is where the part ends in the file of the `server`; `size` are its bytes as they
were, `bytes` as they are here. Empty where servers share no database: see `app/trace_shared.py`."""

PURSES = Table(
    "purses",
    METADATA,
    Column("run", LargeBinary, primary_key=True),
    Column("tenant", LargeBinary, nullable=False),
    Column("holder", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("repository", LargeBinary),
    Index("purses_by_tenant", "tenant"),
    Index("purses_by_age", "since"),
    sqlite_with_rowid=False,
)
"""Who pays for a run now: whoever opened it last. Runs, tenants and repositories are digests of
their names in these three tables, which are empty where servers share no database: see
`app/journal_tables.py`. No repository: an earlier version did not note it."""

PAYMENTS = Table(
    "payments",
    METADATA,
    Column("entry", _COUNTED, primary_key=True, autoincrement=True),
    Column("run", LargeBinary, nullable=False),
    Column("worst_usd", Double, nullable=False),
    Column("worst_tokens", BigInteger, nullable=False),
    Column("worst_calls", BigInteger, nullable=False),
    Column("usd", Double),
    Column("tokens", BigInteger),
    Column("calls", BigInteger),
    Column("at", Double, nullable=False),
    Index("payments_by_run", "run"),
    sqlite_autoincrement=True,
)
"""A row for each call of a model, with its worst case and, once it is known, its cost."""

ANSWERS = Table(
    "answers",
    METADATA,
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, nullable=False),
    Column("run", LargeBinary, nullable=False),
    Column("tenant", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("used", Double, nullable=False),
    Column("repository", LargeBinary),
    UniqueConstraint("digest"),
    Index("answers_by_tenant", "tenant", "run"),
    Index("answers_by_use", "used", "bytes"),
)
"""The sealed reply that a payment brought, by the digest of its request."""
