"""What is counted and what can be counted: the state of the work, for whoever watches."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import case, func, select

from app.store.base import Base
from app.store.tables import JOBS, MEASURES, RUNS


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many jobs of a role are in a state, for how many seconds the oldest could be done, and
    for how many one has waited for something that is away, 0 if none does."""

    role: str
    state: str
    jobs: int
    oldest_s: float
    away_s: float


class Measures(Base):
    """The part of the store that is looked at from outside."""

    def measured(
        self, added: Mapping[tuple[str, str], float], put: Mapping[tuple[str, str], float]
    ) -> None:
        """Add to counters, and put gauges in the place of what they were (by name and label)."""
        now = time.time()
        with self.database.write() as db:
            # In one order, or two processes wait for each other.
            for (name, label), value in sorted(added.items()):
                new = self.database.insert(MEASURES).values(
                    name=name, label=label, value=value, at=now
                )
                more = {"value": MEASURES.c.value + new.excluded.value, "at": now}
                db.execute(new.on_conflict_do_update(index_elements=["name", "label"], set_=more))
            for (name, label), value in sorted(put.items()):
                new = self.database.insert(MEASURES).values(
                    name=name, label=label, value=value, at=now
                )
                now_is = {"value": new.excluded.value, "at": now}
                db.execute(new.on_conflict_do_update(index_elements=["name", "label"], set_=now_is))

    def measures(self) -> dict[tuple[str, str], tuple[float, float]]:
        """Return all that was counted, by name and label, and when it was last brought."""
        with self.database.read() as db:
            rows = db.execute(
                select(MEASURES.c.name, MEASURES.c.label, MEASURES.c.value, MEASURES.c.at)
            )
            return {(row.name, row.label): (row.value, row.at) for row in rows}

    def backlog(self) -> list[Backlog]:
        """Return the jobs by role and state; a job that waits for its time is not old."""
        now = time.time()
        # The greater of the two; SQLite and PostgreSQL name that function differently.
        later = JOBS.c.not_before > JOBS.c.created
        due = case((later, JOBS.c.not_before), else_=JOBS.c.created)
        away = case((JOBS.c.away_since > 0, JOBS.c.away_since), else_=now)
        rows = select(
            JOBS.c.role,
            JOBS.c.state,
            func.count().label("jobs"),
            func.min(due).label("due"),
            func.min(away).label("away"),
        ).group_by(JOBS.c.role, JOBS.c.state)
        with self.database.read() as db:
            return [
                Backlog(
                    row.role,
                    row.state,
                    row.jobs,
                    max(0.0, now - row.due),
                    max(0.0, now - row.away),
                )
                for row in db.execute(rows)
            ]

    def open_run_count(self) -> int:
        """Return how many runs have not ended."""
        with self.database.read() as db:
            return db.scalar(select(func.count()).where(RUNS.c.state == "open")) or 0
