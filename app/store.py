"""The server's memory: deliveries, jobs, runs and who is alive, in one SQLite file.

The store is the truth. A request is a row before its webhook is answered; each step of the work is
a job in a table, claimed in a transaction, and what a step leads to is stored in the transaction
that ends it. So after a kill between any two instructions the next start goes on where this one
was: every step is written so that doing it twice does it once.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reviewer.errors import RetryLater, TellUser

SCHEMA_VERSION = 5

GITHUB, ENGINE = "github", "engine"
"""The roles that take jobs: the one talks to GitHub, the other to the model."""

OPEN, REVIEW, PUBLISH = "open", "review", "publish"
"""The steps of a run: show it on GitHub, review, publish. The second is the engine's."""

BUSY_S = 10.0
"""How long a writer waits for another process; a transaction here takes milliseconds."""

REMEMBERED_S = 8 * 86_400.0
"""GitHub offers a delivery for redelivery for 3 days, a server of one's own for 7."""

KEPT_S = 30 * 86_400.0
"""An event about a head that was reviewed longer ago has it reviewed again."""

SWEPT_AT_ONCE = 500

_SCHEMA = """
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    received REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX deliveries_by_age ON deliveries (received);

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    role TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    payload TEXT NOT NULL,
    priority INTEGER NOT NULL,
    not_before REAL NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'claimed', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    claims INTEGER NOT NULL DEFAULT 0,
    worker TEXT NOT NULL DEFAULT '',
    lease REAL NOT NULL DEFAULT 0,
    why TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL
);
CREATE INDEX jobs_to_claim ON jobs (role, state, priority DESC, id);
CREATE INDEX jobs_by_key ON jobs (key) WHERE state = 'claimed';

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    installation INTEGER NOT NULL,
    repository_id INTEGER NOT NULL,
    repository TEXT NOT NULL,
    number INTEGER NOT NULL,
    origin TEXT NOT NULL,
    request TEXT NOT NULL,
    base TEXT NOT NULL,
    head TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'ended')),
    stop TEXT NOT NULL DEFAULT '',
    check_run INTEGER,
    progress TEXT NOT NULL DEFAULT '',
    report TEXT NOT NULL DEFAULT '',
    problem TEXT NOT NULL DEFAULT '',
    outcome TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL,
    UNIQUE (repository_id, number, origin)
);
CREATE INDEX runs_by_head ON runs (repository_id, head);

CREATE TABLE workers (
    name TEXT PRIMARY KEY,
    problem TEXT NOT NULL,
    seen REAL NOT NULL
);
"""

_SECOND = """
ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'review';
ALTER TABLE runs ADD COLUMN usd REAL;
ALTER TABLE runs ADD COLUMN calls INTEGER NOT NULL DEFAULT 0;

CREATE TABLE pauses (
    repository_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    who TEXT NOT NULL,
    since REAL NOT NULL,
    PRIMARY KEY (repository_id, number)
) WITHOUT ROWID;
"""

_THIRD = """
CREATE TABLE dismissals (
    repository_id INTEGER NOT NULL,
    finding TEXT NOT NULL,
    path TEXT NOT NULL,
    title TEXT NOT NULL,
    who TEXT NOT NULL,
    url TEXT NOT NULL,
    since REAL NOT NULL,
    forgotten INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (repository_id, finding)
) WITHOUT ROWID;
"""

_FOURTH = """
ALTER TABLE jobs ADD COLUMN installation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
DROP INDEX jobs_to_claim;
CREATE INDEX jobs_to_claim ON jobs (role, priority DESC, turn, id);
CREATE INDEX jobs_by_installation ON jobs (role, installation, turn);

CREATE TABLE turns (
    role TEXT PRIMARY KEY,
    turn INTEGER NOT NULL
) WITHOUT ROWID;
"""
"""Start-time fair queueing: each installation's jobs have a turn each, beginning at the one that is
served now, and the lowest turn goes first. So a flood from one waits behind itself alone."""

_FIFTH = """
ALTER TABLE runs ADD COLUMN verdict TEXT NOT NULL DEFAULT '';

CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    repository_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    comment INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'answered', 'failed')),
    run TEXT NOT NULL DEFAULT '',
    why TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX requests_by_repository ON requests (repository_id, created);
"""

_STEPS = (_SCHEMA, _SECOND, _THIRD, _FOURTH, _FIFTH)
"""From each version of the schema to the next one, beginning with an empty file."""

Kind = Literal["review", "ask", "config"]
"""What a run comes to: a review, or an answer to somebody."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """Work for a role: `payload` is JSON. No two jobs of one `key` are done at a time.

    The highest `priority` goes first, and among equals one job of each `installation` in turn;
    `not_before` is a time in seconds since 1970.
    """

    role: str
    kind: str
    key: str
    payload: str
    priority: int = 0
    not_before: float = 0.0
    installation: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """A job that one worker has claimed. `attempts` counts this one too.

    `claim` numbers the claims on it: whoever lost its claim to another cannot end the job.
    """

    id: int
    kind: str
    key: str
    payload: str
    attempts: int
    claim: int


@dataclass(frozen=True, slots=True)
class NewRun:
    """One run over one pull request. `origin` names what asked for it, once per pull request."""

    id: str
    installation: int
    repository_id: int
    repository: str
    number: int
    origin: str
    request: str
    base: str
    head: str
    kind: Kind = "review"


@dataclass(frozen=True, slots=True)
class Run:
    """A run as stored. `stop` is why it shall stop, "" while it shall not.

    `report` is the JSON of what the run came to (of a review an `app.report.Report`), `problem` a
    sentence; at most one of them is set. `outcome` says how an ended run ended, `verdict` what came
    of a review, as JSON (`app.report.Verdict`).
    """

    id: str
    installation: int
    repository_id: int
    repository: str
    number: int
    origin: str
    request: str
    base: str
    head: str
    state: str
    stop: str
    check_run: int | None
    progress: str
    report: str
    problem: str
    outcome: str
    kind: Kind
    verdict: str


@dataclass(frozen=True, slots=True)
class Request:
    """What the job of a workflow has asked for: pull request `number`, or what `comment` (0: none)
    below it says.

    While it is "waiting" nobody has looked. "answered": `run` does it, or `why` nothing is to be
    done; "failed": `why` it cannot be done.
    """

    id: str
    repository_id: int
    number: int
    comment: int
    state: Literal["waiting", "answered", "failed"] = "waiting"
    run: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """What runs have cost. `unpriced` of them asked a model whose price is not known."""

    runs: int
    calls: int
    usd: float
    unpriced: int


@dataclass(frozen=True, slots=True)
class Dismissed:
    """A finding that `who` wants to hear no more of in a repository, as said at `url`."""

    finding: str
    path: str
    title: str
    who: str
    url: str


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that gave a sign of life at `seen` (seconds since 1970)."""

    name: str
    problem: str
    seen: float


@dataclass(slots=True)
class _Ticket:
    """A delivery that waits to be stored; several go into one transaction."""

    delivery: str
    job: NewJob | None
    stored: bool | None = None
    error: Exception | None = None


_REQUEST = ", ".join(Request.__slots__)
_RUN = ", ".join(Run.__slots__)
_LISTED = ", ".join("'' AS report" if name == "report" else name for name in Run.__slots__)
"""Where there are many: a report can have megabytes."""


class Store:
    """The file, opened. Threads may share one; each process opens its own.

    Raise TellUser where the file cannot be used and RetryLater where it is busy for too long.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._waiting: list[_Ticket] = []
        self._waiting_lock = threading.Lock()
        self._turn = threading.Lock()
        self._swept = 0.0
        with _explained(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            self._db = sqlite3.connect(
                path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _prepare(self) -> None:
        self._use_wal()
        # Every commit reaches the disk: what a webhook was told is stored survives a power cut.
        self._db.execute("PRAGMA synchronous = FULL")
        with self._transaction():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version > SCHEMA_VERSION:
                raise TellUser(
                    f"{self._path} was written by a newer version of this program",
                    "Start that version, or move the file away to begin anew.",
                )
            for step in _STEPS[version:]:
                for statement in step.split(";\n"):
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _use_wal(self) -> None:
        """Let readers and a writer not wait for each other; the file remembers it.

        SQLite does not wait for the lock that this change takes, however long its timeout is:
        processes that start together would refuse one another.
        """
        until = time.monotonic() + BUSY_S
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return

    def close(self) -> None:
        """Close the file; another Store can open it."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the only writer's place; everything inside is stored, or nothing."""
        with self._lock, _explained(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")  # if it fails, the transaction may still be open
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock, _explained(self._path):
            return self._db.execute(query, values).fetchall()

    # Deliveries

    def accept(self, delivery: str, job: NewJob | None) -> bool:
        """Store a delivery and the job that it asks for; False if the delivery is known already.

        It is on the disk when this returns. Callers that come at the same time share one write:
        the first to get the lock stores for all that wait.
        """
        ticket = _Ticket(delivery, job)
        with self._waiting_lock:
            self._waiting.append(ticket)
        with self._turn:  # whoever had it before has told every ticket of its batch
            if ticket.stored is None and ticket.error is None:
                self._store_waiting()
        if ticket.error is not None:
            raise ticket.error
        return bool(ticket.stored)

    def _store_waiting(self) -> None:
        """Store all that wait, in one transaction, and tell each what became of it."""
        with self._waiting_lock:
            batch, self._waiting = self._waiting, []
        try:
            with self._transaction() as db:
                outcome = [self._take(db, ticket) for ticket in batch]
                self._sweep(db)
        except Exception as error:
            for ticket in batch:
                ticket.error = error
            return
        for ticket, stored in zip(batch, outcome, strict=True):
            ticket.stored = stored

    def _take(self, db: sqlite3.Connection, ticket: _Ticket) -> bool:
        found = db.execute(
            "INSERT INTO deliveries VALUES (?, ?) ON CONFLICT DO NOTHING",
            (ticket.delivery, time.time()),
        )
        if found.rowcount and ticket.job is not None:
            _put(db, ticket.job)
        return bool(found.rowcount)

    def _sweep(self, db: sqlite3.Connection) -> None:
        """Forget old deliveries, runs and lost jobs, a few at a time and once an hour."""
        now = time.time()
        if now - self._swept < 3_600:
            return
        self._swept = now
        db.execute(
            "DELETE FROM deliveries WHERE id IN "
            "(SELECT id FROM deliveries WHERE received < ? LIMIT ?)",
            (now - REMEMBERED_S, SWEPT_AT_ONCE),
        )
        for table, over in (
            ("runs", "state = 'ended'"),
            ("jobs", "state = 'failed'"),
            ("requests", "true"),
        ):
            db.execute(
                f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} "  # noqa: S608
                f"WHERE {over} AND created < ? LIMIT ?)",
                (now - KEPT_S, SWEPT_AT_ONCE),
            )

    def has_delivery(self, delivery: str) -> bool:
        """Is a delivery stored, by its GUID?"""
        return bool(self._rows("SELECT 1 FROM deliveries WHERE id = ?", delivery))

    # Requests of workflows

    def ask(self, request: Request, job: NewJob) -> bool:
        """Store what a workflow's job asks for, and the job that looks at it; False, and nothing,
        if a request of this id is there already. It is on the disk when this returns.
        """
        with self._transaction() as db:
            added = db.execute(
                "INSERT INTO requests (id, repository_id, number, comment, created) "
                "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (request.id, request.repository_id, request.number, request.comment, time.time()),
            ).rowcount
            if added:
                _put(db, job)
        return bool(added)

    def request(self, request: str) -> Request | None:
        """Return a request by its id."""
        rows = self._rows(f"SELECT {_REQUEST} FROM requests WHERE id = ?", request)  # noqa: S608
        return Request(*rows[0]) if rows else None  # type: ignore[arg-type]

    def requests_since(self, repository_id: int, since: float) -> int:
        """Count the requests of a repository since a time (seconds since 1970)."""
        ((number,),) = self._rows(
            "SELECT count(*) FROM requests WHERE repository_id = ? AND created >= ?",
            repository_id,
            since,
        )
        return int(str(number))

    def answer(self, request: str, *, run: str = "", why: str = "", failed: bool = False) -> None:
        """Say which run does what was asked for, or why none does. The first answer stands."""
        state = "failed" if failed else "answered"
        with self._transaction() as db:
            db.execute(
                "UPDATE requests SET state = ?, run = ?, why = ? "
                "WHERE id = ? AND state = 'waiting'",
                (state, run, why, request),
            )

    # Jobs

    def put(self, *jobs: NewJob) -> None:
        """Store jobs."""
        with self._transaction() as db:
            for job in jobs:
                _put(db, job)

    def claim(self, role: str, worker: str, lease_s: float) -> Job | None:
        """Take the next job of a role, if there is one; a claim whose lease is over counts as none.

        `worker` is the claiming process, by the name that `recover` will use.
        """
        now = time.time()
        # Looking takes no lock from those who write; most looks find nothing.
        if not self._rows(
            "SELECT 1 FROM jobs WHERE role = ? AND state != 'failed' AND not_before <= ? LIMIT 1",
            role,
            now,
        ):
            return None
        with self._transaction() as db:
            row = db.execute(
                "SELECT id, kind, key, payload, attempts + 1, claims + 1, turn FROM jobs AS one "
                "WHERE role = ? AND not_before <= ? "
                "AND (state = 'waiting' OR state = 'claimed' AND lease < ?) "
                "AND NOT EXISTS (SELECT 1 FROM jobs AS other WHERE other.key = one.key "
                "  AND other.state = 'claimed' AND other.id != one.id AND other.lease >= ?) "
                "ORDER BY priority DESC, turn, id LIMIT 1",
                (role, now, now, now),
            ).fetchone()
            if row is None:
                return None
            *row, turn = row
            db.execute(
                "INSERT INTO turns VALUES (?, ?) ON CONFLICT (role) DO UPDATE "
                "SET turn = max(turn, excluded.turn)",
                (role, turn),
            )
            db.execute(
                "UPDATE jobs SET state = 'claimed', worker = ?, lease = ?, "
                "attempts = attempts + 1, claims = claims + 1 WHERE id = ?",
                (worker, now + lease_s, row[0]),
            )
        return Job(*row)

    def renew(self, worker: str, lease_s: float) -> None:
        """Keep what a worker has claimed for another while."""
        with self._transaction() as db:
            db.execute(
                "UPDATE jobs SET lease = ? WHERE worker = ? AND state = 'claimed'",
                (time.time() + lease_s, worker),
            )

    def recover(self, worker: str) -> int:
        """Put back what a process of this name had claimed when it died; return how many jobs."""
        with self._transaction() as db:
            return db.execute(
                "UPDATE jobs SET state = 'waiting', worker = '', lease = 0 "
                "WHERE worker = ? AND state = 'claimed'",
                (worker,),
            ).rowcount

    def done(self, job: Job, *then: NewJob) -> None:
        """End a job; what it leads to is stored with its end."""
        with self._transaction() as db:
            _end(db, job, *then)

    def again(self, job: Job, why: str, after_s: float, *, counts: bool = True) -> None:
        """Put a job back for later; `counts`: as an attempt that failed."""
        with self._transaction() as db:
            db.execute(
                "UPDATE jobs SET state = 'waiting', worker = '', lease = 0, why = ?, "
                "not_before = ?, attempts = attempts - ? WHERE id = ? AND claims = ?",
                (why, time.time() + after_s, 0 if counts else 1, job.id, job.claim),
            )

    def fail(self, job: Job, why: str) -> None:
        """Keep a job that nobody can do, for whoever looks for the reason."""
        with self._transaction() as db:
            db.execute(
                "UPDATE jobs SET state = 'failed', worker = '', lease = 0, why = ? "
                "WHERE id = ? AND claims = ?",
                (why, job.id, job.claim),
            )

    def claimant(self, key: str) -> str:
        """Return the worker that holds the claim on a key, "" where nobody does."""
        rows = self._rows(
            "SELECT worker FROM jobs WHERE key = ? AND state = 'claimed' AND lease >= ?",
            key,
            time.time(),
        )
        return str(rows[0][0]) if rows else ""

    def waiting(self, role: str) -> int:
        """Count the jobs of a role that nobody has done yet."""
        ((number,),) = self._rows(
            "SELECT count(*) FROM jobs WHERE role = ? AND state != 'failed'", role
        )
        return int(str(number))

    # Runs

    def begin(self, new: NewRun, first: NewJob, stop_others: str = "") -> bool:
        """Store a new run and its first job; with `stop_others`, why, the pull request's other
        reviews shall stop.

        False, and nothing, if a run of the same origin is there already.
        """
        with self._transaction() as db:
            added = db.execute(
                "INSERT INTO runs (id, installation, repository_id, repository, number, origin, "
                "request, base, head, kind, state, created) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?) "
                "ON CONFLICT (repository_id, number, origin) DO NOTHING",
                (
                    new.id,
                    new.installation,
                    new.repository_id,
                    new.repository,
                    new.number,
                    new.origin,
                    new.request,
                    new.base,
                    new.head,
                    new.kind,
                    time.time(),
                ),
            ).rowcount
            if added:
                if stop_others:
                    _stop(db, new.repository_id, new.number, stop_others, but=new.id)
                _put(db, first)
        return bool(added)

    def run(self, run: str) -> Run | None:
        """Return a run by its id."""
        rows = self._rows(f"SELECT {_RUN} FROM runs WHERE id = ?", run)  # noqa: S608 constant
        return Run(*rows[0]) if rows else None  # type: ignore[arg-type]

    def runs_of(self, repository_id: int, number: int) -> list[Run]:
        """Return the runs of a pull request without their reports, the newest first."""
        rows = self._rows(
            f"SELECT {_LISTED} FROM runs WHERE repository_id = ? AND number = ? "  # noqa: S608
            "ORDER BY created DESC, rowid DESC",
            repository_id,
            number,
        )
        return [Run(*row) for row in rows]  # type: ignore[arg-type]

    def runs_on(self, repository_id: int, head: str) -> list[Run]:
        """Return the runs on a commit without their reports, the newest first."""
        rows = self._rows(
            f"SELECT {_LISTED} FROM runs WHERE repository_id = ? AND head = ? "  # noqa: S608
            "ORDER BY created DESC, rowid DESC",
            repository_id,
            head,
        )
        return [Run(*row) for row in rows]  # type: ignore[arg-type]

    def open_runs(self) -> list[Run]:
        """Return the runs that have not ended, without their reports, the oldest first."""
        rows = self._rows(
            f"SELECT {_LISTED} FROM runs WHERE state = 'open' ORDER BY created"  # noqa: S608
        )
        return [Run(*row) for row in rows]  # type: ignore[arg-type]

    def stop(self, repository_id: int, number: int, why: str) -> int:
        """Ask the open runs of a pull request to stop; return how many there are."""
        with self._transaction() as db:
            return _stop(db, repository_id, number, why)

    def stopped(self, run: str) -> str:
        """Return why a run shall stop, "" while it shall not."""
        rows = self._rows("SELECT stop FROM runs WHERE id = ?", run)
        return str(rows[0][0]) if rows else "it is not known any more"

    def shown(self, job: Job, run: str, check_run: int | None, then: NewJob) -> None:
        """End the job that showed a run on GitHub: remember its check run, if it has one."""
        with self._transaction() as db:
            if _end(db, job, then):
                db.execute("UPDATE runs SET check_run = ? WHERE id = ?", (check_run, run))

    def progressed(self, run: str, progress: str) -> None:
        """Keep how far a run is, as a sentence."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET progress = ? WHERE id = ?", (progress, run))

    def reviewed(
        self,
        job: Job,
        run: str,
        then: NewJob,
        *,
        report: str = "",
        problem: str = "",
        usd: float | None = 0.0,
        calls: int = 0,
    ) -> None:
        """End the job that reviewed: keep its result, or why there is none, and what it cost.

        `usd` is None where the model's price is not known.
        """
        with self._transaction() as db:
            if _end(db, job, then):
                db.execute(
                    "UPDATE runs SET report = ?, problem = ?, usd = ?, calls = ? WHERE id = ?",
                    (report, problem, usd, calls, run),
                )

    def spent(self, repository_id: int, number: int) -> Spent:
        """Return what the runs of a pull request have cost, as far as they are remembered."""
        ((runs, calls, usd, unpriced),) = self._rows(
            "SELECT count(*), total(calls), total(usd), total(usd IS NULL AND calls > 0) FROM runs "
            "WHERE repository_id = ? AND number = ?",
            repository_id,
            number,
        )
        return Spent(
            int(str(runs)), int(float(str(calls))), float(str(usd)), int(float(str(unpriced)))
        )

    def runs_in(self, installation: int, repositories: Sequence[int] | None = None) -> list[Run]:
        """Return the runs of an installation, or of some of its repositories, without reports."""
        rows = self._rows(
            f"SELECT {_LISTED} FROM runs WHERE installation = ? ORDER BY created",  # noqa: S608
            installation,
        )
        runs = [Run(*row) for row in rows]  # type: ignore[arg-type]
        return [run for run in runs if repositories is None or run.repository_id in repositories]

    def forget_installation(
        self, installation: int, repositories: Sequence[int] | None = None
    ) -> None:
        """Forget all that is about an installation, or about some repositories of it.

        Whoever works at one of its runs is told to stop.
        """
        runs = self.runs_in(installation, repositories)
        known = {run.repository_id for run in runs} | set(repositories or ())
        with self._transaction() as db:
            for repository in known:
                for table in ("pauses", "dismissals", "requests"):
                    db.execute(
                        f"DELETE FROM {table} WHERE repository_id = ?",  # noqa: S608 constant
                        (repository,),
                    )
            for run in runs:
                db.execute("DELETE FROM runs WHERE id = ?", (run.id,))
                key = f"run:{run.id}"
                db.execute("DELETE FROM jobs WHERE key = ? AND state != 'claimed'", (key,))
            if repositories is None:
                db.execute(
                    "DELETE FROM jobs WHERE installation = ? AND state != 'claimed'",
                    (installation,),
                )

    # Pauses

    def pause(self, repository_id: int, number: int, who: str) -> bool:
        """Let a pull request be reviewed on demand only; False if it is paused already."""
        with self._transaction() as db:
            return bool(
                db.execute(
                    "INSERT INTO pauses VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (repository_id, number, who, time.time()),
                ).rowcount
            )

    def resume(self, repository_id: int, number: int) -> bool:
        """Let each push be reviewed again; False if it was not paused."""
        with self._transaction() as db:
            return bool(
                db.execute(
                    "DELETE FROM pauses WHERE repository_id = ? AND number = ?",
                    (repository_id, number),
                ).rowcount
            )

    def paused_by(self, repository_id: int, number: int) -> str:
        """Return who paused the reviews of a pull request, "" if nobody did."""
        rows = self._rows(
            "SELECT who FROM pauses WHERE repository_id = ? AND number = ?", repository_id, number
        )
        return str(rows[0][0]) if rows else ""

    def ended(self, job: Job, run: str, outcome: str, *then: NewJob, verdict: str = "") -> None:
        """End a run with its last job. Its report, with code in it, is not kept; `verdict` is."""
        with self._transaction() as db:
            if _end(db, job, *then):
                db.execute(
                    "UPDATE runs SET state = 'ended', outcome = ?, report = '', verdict = ? "
                    "WHERE id = ?",
                    (outcome, verdict, run),
                )

    # What people dismissed

    def dismiss(self, repository_id: int, *dismissed: Dismissed) -> None:
        """Remember what was dismissed; who did it first stays, and what was forgotten since too."""
        with self._transaction() as db:
            for one in dismissed:
                db.execute(
                    "INSERT INTO dismissals (repository_id, finding, path, title, who, url, since) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (
                        repository_id,
                        one.finding,
                        one.path,
                        one.title,
                        one.who,
                        one.url,
                        time.time(),
                    ),
                )

    def dismissed(self, repository_id: int) -> list[Dismissed]:
        """Return what was dismissed in a repository, the oldest first."""
        rows = self._rows(
            "SELECT finding, path, title, who, url FROM dismissals "
            "WHERE repository_id = ? AND NOT forgotten ORDER BY since, finding",
            repository_id,
        )
        return [Dismissed(*row) for row in rows]  # type: ignore[arg-type]

    def forgotten(self, repository_id: int) -> frozenset[str]:
        """Return the findings that were dismissed and are to be said again all the same."""
        rows = self._rows(
            "SELECT finding FROM dismissals WHERE repository_id = ? AND forgotten", repository_id
        )
        return frozenset(str(finding) for (finding,) in rows)

    def forget(self, repository_id: int, finding: str) -> bool:
        """Let a finding be said again; False if it was not dismissed.

        It is noted down: the words that dismissed it still stand in a thread.
        """
        with self._transaction() as db:
            return bool(
                db.execute(
                    "UPDATE dismissals SET forgotten = 1 "
                    "WHERE repository_id = ? AND finding = ? AND NOT forgotten",
                    (repository_id, finding),
                ).rowcount
            )

    # Workers

    def beat(self, worker: str, problem: str = "") -> None:
        """Say that a process lives, and what keeps it from its work."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO workers VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE "
                "SET problem = excluded.problem, seen = excluded.seen",
                (worker, problem, time.time()),
            )

    def workers(self) -> list[Worker]:
        """Return every process that ever gave a sign of life."""
        rows = self._rows("SELECT name, problem, seen FROM workers ORDER BY name")
        return [Worker(*row) for row in rows]  # type: ignore[arg-type]


def _put(db: sqlite3.Connection, job: NewJob) -> None:
    (turn,) = db.execute(
        "SELECT max(coalesce((SELECT turn FROM turns WHERE role = ?), 0), "
        "coalesce((SELECT max(turn) + 1 FROM jobs WHERE role = ? AND installation = ?), 0))",
        (job.role, job.role, job.installation),
    ).fetchone()
    db.execute(
        "INSERT INTO jobs (role, kind, key, payload, priority, not_before, installation, turn, "
        "state, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?)",
        (
            job.role,
            job.kind,
            job.key,
            job.payload,
            job.priority,
            job.not_before,
            job.installation,
            turn,
            time.time(),
        ),
    )


def _end(db: sqlite3.Connection, job: Job, *then: NewJob) -> bool:
    """Remove a job and store what follows; False, and nothing, if somebody else has ended it."""
    mine = (job.id, job.claim)
    if not db.execute("DELETE FROM jobs WHERE id = ? AND claims = ?", mine).rowcount:
        return False
    for following in then:
        _put(db, following)
    return True


def _stop(db: sqlite3.Connection, repository_id: int, number: int, why: str, but: str = "") -> int:
    """Mark the open runs of a pull request; one that waits for an engine is over at once.

    With `but`, a review that takes their place: of the reviews the others, and no answer.
    """
    found = db.execute(
        "UPDATE runs SET stop = CASE stop WHEN '' THEN ? ELSE stop END "
        "WHERE repository_id = ? AND number = ? AND state = 'open' AND id != ? "
        "AND (? = '' OR kind = 'review')",
        (why, repository_id, number, but, but),
    ).rowcount
    db.execute(
        "UPDATE jobs SET role = ?, kind = ?, not_before = 0 WHERE state = 'waiting' AND kind = ? "
        "AND key IN (SELECT 'run:' || id FROM runs WHERE repository_id = ? AND number = ? "
        "AND state = 'open' AND stop != '')",
        (GITHUB, PUBLISH, REVIEW, repository_id, number),
    )
    return found


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return "locked" in str(error) or "busy" in str(error)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the disk refuse into words."""
    try:
        yield
    except sqlite3.OperationalError as error:
        said = str(error)
        if _is_busy(error):
            raise RetryLater(f"The store {path} is busy: {said}", 1) from error
        if "full" in said:
            raise TellUser(f"The disk of {path} is full", "Make room on it.") from error
        raise TellUser(
            f"The store {path} cannot be used: {said}", "Check the folder and its permissions."
        ) from error
    except sqlite3.DatabaseError as error:
        raise TellUser(
            f"The store {path} is damaged: {error}",
            "Restore it from a backup, or move it away to begin anew.",
        ) from error
    except OSError as error:
        raise TellUser(
            f"The store {path} cannot be opened: {error.strerror}",
            "Set RLM_HOME to a folder of yours with room in it.",
        ) from error
