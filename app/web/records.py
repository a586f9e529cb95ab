"""What the pages read from the store: one run with all of it, lists without, and sums by day.

A list or a sum is about repositories by their ids: those that its reader may read.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, and_, case, cast, func, select

from app.jobs import Step
from app.store.database import Database
from app.store.tables import FINDINGS, JOBS, RUNS, STACKED, THREADS
from app.store.values import StackedState, State

DAYS = 30
"""How far back plots and sums go: as far as runs are kept."""

DAY_S = 86_400

RUNS_SHOWN = 30
MOST_THREADS = 1_000
STATES: tuple[State, ...] = ("open", "accepted", "dismissed", "fixed")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run. Times are Unix time; `ended`, `usd` and `findings` are None where not known.

    `result` is the JSON of its report, "" in a list. `seq` numbers runs in their order.
    """

    id: str
    seq: int
    installation: int
    repository_id: int
    repository: str
    number: int
    kind: str
    request: str
    base: str
    head: str
    state: str
    stop: str
    progress: str
    problem: str
    outcome: str
    created: float
    ended: float | None
    usd: float | None
    calls: int
    findings: int | None
    result: str = ""

    @property
    def running(self) -> bool:
        """Has it not ended?"""
        return self.state == "open"


@dataclass(frozen=True, slots=True)
class Day:
    """One day (UTC) of some repositories. `unpriced` runs asked a model without a known price."""

    date: str
    runs: int = 0
    usd: float = 0.0
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class Sums:
    """A repository in the last DAYS: runs, what they cost, the dearest, and open findings."""

    runs: int = 0
    usd: float = 0.0
    dearest: float = 0.0
    unpriced: int = 0
    open: int = 0
    last: float | None = None


_LISTED = tuple(RUNS.c[name] for name in RunRecord.__slots__ if name != "result")


class Records:
    """Reads over the store's database. Every list is bounded."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def is_shared(self) -> bool:
        """May other servers have done a part of what is kept here?"""
        return self._database.shared is not None

    def run(self, run: str) -> RunRecord | None:
        """Return a run with its report, by its id."""
        # Until it is published, the report is where the publisher looks for it.
        report = case((RUNS.c.result != "", RUNS.c.result), else_=RUNS.c.report)
        which = select(*_LISTED, report).where(RUNS.c.id == run)
        with self._database.read() as db:
            row = db.execute(which).first()
        return None if row is None else RunRecord(*row)  # type: ignore[call-arg]

    def step(self, run: str) -> tuple[str, bool] | None:
        """Return what is done for a run next, and whether somebody is at it; None: nothing."""
        mine = JOBS.c.payload == Step(run=run).model_dump_json()
        which = select(JOBS.c.kind, JOBS.c.state).where(mine, JOBS.c.state != "failed").limit(1)
        with self._database.read() as db:
            row = db.execute(which).first()
        return None if row is None else (row[0], row[1] == "claimed")

    def stacked(self, run: str) -> StackedState:
        """Return what has become of the pull request that a run has opened; "open" for none."""
        with self._database.read() as db:
            found = db.scalar(select(STACKED.c.state).where(STACKED.c.run == run))
        return found or "open"

    def runs_of(self, repository_id: int, number: int, limit: int = 10) -> list[RunRecord]:
        """Return the newest runs of a pull request."""
        which = (
            select(*_LISTED)
            .where(RUNS.c.repository_id == repository_id, RUNS.c.number == number)
            .order_by(RUNS.c.seq.desc())
            .limit(limit)
        )
        with self._database.read() as db:
            return [RunRecord(*row) for row in db.execute(which)]

    def threads(self, repository_id: int, number: int) -> dict[str, tuple[str, str]]:
        """Return where findings of a pull request are talked about: address and state, by the
        finding's short id; the newest thread of each, MOST_THREADS at the most.
        """
        which = (
            select(THREADS.c.finding, THREADS.c.url, THREADS.c.state)
            .where(
                THREADS.c.repository_id == repository_id,
                THREADS.c.number == number,
                THREADS.c.url != "",
            )
            .order_by(THREADS.c.first.desc())
            .limit(MOST_THREADS)
        )
        with self._database.read() as db:
            return {row[0]: (row[1], row[2]) for row in reversed(db.execute(which).all())}

    def runs_in(
        self, repositories: Collection[int], before: int | None = None, limit: int = RUNS_SHOWN
    ) -> tuple[list[RunRecord], bool]:
        """Return the newest runs of repositories, before one that `before` numbers; and if more."""
        which = select(*_LISTED).where(RUNS.c.repository_id.in_(repositories))
        if before is not None:
            which = which.where(RUNS.c.seq < before)
        with self._database.read() as db:
            rows = db.execute(which.order_by(RUNS.c.seq.desc()).limit(limit + 1)).all()
        return [RunRecord(*row) for row in rows[:limit]], len(rows) > limit

    def days(self, repositories: Collection[int], now: float | None = None) -> list[Day]:
        """Return the last DAYS, the oldest first, each with what its runs cost."""
        dates, since = _last_days(time.time() if now is None else now)
        day = _day_of(RUNS.c.created)
        which = (
            select(
                day,
                func.count(),
                func.coalesce(func.sum(RUNS.c.usd), 0.0),
                func.coalesce(func.sum(_UNPRICED), 0),
            )
            .where(RUNS.c.repository_id.in_(repositories), RUNS.c.created >= since)
            .group_by(day)
        )
        with self._database.read() as db:
            found = {int(row[0]): row for row in db.execute(which)}
        return [_day(date, found.get(since // DAY_S + at)) for at, date in enumerate(dates)]

    def sums(self, repositories: Collection[int], now: float | None = None) -> dict[int, Sums]:
        """Return the sums of each repository that has any, by its id."""
        _, since = _last_days(time.time() if now is None else now)
        spent = (
            select(
                RUNS.c.repository_id,
                func.count(),
                func.coalesce(func.sum(RUNS.c.usd), 0.0),
                func.coalesce(func.max(RUNS.c.usd), 0.0),
                func.coalesce(func.sum(_UNPRICED), 0),
                func.max(RUNS.c.created),
            )
            .where(RUNS.c.repository_id.in_(repositories), RUNS.c.created >= since)
            .group_by(RUNS.c.repository_id)
        )
        still = (
            select(FINDINGS.c.repository_id, func.count())
            .where(FINDINGS.c.repository_id.in_(repositories), FINDINGS.c.state == "open")
            .group_by(FINDINGS.c.repository_id)
        )
        with self._database.read() as db:
            open_ones = {int(row[0]): int(row[1]) for row in db.execute(still)}
            found = {
                int(row[0]): Sums(
                    runs=int(row[1]),
                    usd=float(row[2]),
                    dearest=float(row[3]),
                    unpriced=int(row[4]),
                    open=open_ones.get(int(row[0]), 0),
                    last=row[5],
                )
                for row in db.execute(spent)
            }
        return {name: Sums(open=number) for name, number in open_ones.items()} | found

    def findings(
        self, repositories: Collection[int], now: float | None = None
    ) -> tuple[list[str], dict[State, list[int]]]:
        """Return the dates of the last DAYS, and for each state how many of that day's are in it.

        A day's findings are those that were first told on it.
        """
        dates, since = _last_days(time.time() if now is None else now)
        day = _day_of(FINDINGS.c.said)
        which = (
            select(day, FINDINGS.c.state, func.count())
            .where(FINDINGS.c.repository_id.in_(repositories), FINDINGS.c.said >= since)
            .group_by(day, FINDINGS.c.state)
        )
        counted: dict[State, list[int]] = {state: [0] * len(dates) for state in STATES}
        with self._database.read() as db:
            for row in db.execute(which):
                at = int(row[0]) - since // DAY_S
                if 0 <= at < len(dates):
                    counted[row[1]][at] = int(row[2])
        return dates, counted

    def severities(self, repositories: Collection[int]) -> list[tuple[str, State, int]]:
        """Return how many findings of each severity are in each state, over all time."""
        which = (
            select(FINDINGS.c.severity, FINDINGS.c.state, func.count())
            .where(FINDINGS.c.repository_id.in_(repositories))
            .group_by(FINDINGS.c.severity, FINDINGS.c.state)
        )
        with self._database.read() as db:
            return [(row[0], row[1], int(row[2])) for row in db.execute(which)]


_UNPRICED = case((and_(RUNS.c.usd.is_(None), RUNS.c.calls > 0), 1), else_=0)


def _day_of(when: Column[float]) -> ColumnElement[int]:
    """Return the number of the day of a time. PostgreSQL rounds where SQLite cuts off: to tell the
    same day half a second before midnight is worth nothing."""
    return cast(when, BigInteger) // DAY_S


def _last_days(now: float) -> tuple[list[str], int]:
    """Return the dates of the last DAYS, today's the last, and when the first of them began."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=DAYS - 1)
    dates = [(first + timedelta(days=at)).strftime("%Y-%m-%d") for at in range(DAYS)]
    return dates, int(first.timestamp())


def _day(date: str, row: Sequence[Any] | None) -> Day:
    return Day(date) if row is None else Day(date, int(row[1]), float(row[2]), int(row[3]))
