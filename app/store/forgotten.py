"""What is forgotten: an installation that is gone, or repositories that it has no more.

Its rows go in one transaction, which also stores what every server has to remove from its own disk.
"""

import json
import secrets
import time
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from app.store.base import Base, end, is_gone
from app.store.clock import believed
from app.store.spending import carry, costs_of, settle
from app.store.tables import (
    DISMISSALS,
    FINDINGS,
    FORGOTTEN,
    HOLDS,
    JOBS,
    PAUSES,
    PLANS,
    REPOSITORIES,
    REQUESTS,
    RUNS,
    SPENDING,
    STACKED,
    THREADS,
    TRACES,
    WATCHED,
)
from app.store.values import Forgotten, Job

FORGOTTEN_S = 30 * 86_400.0
"""A server that was down for longer looks for what is of no repository: see `app/forget.py`."""

_OF_REPOSITORIES = (PAUSES, DISMISSALS, FINDINGS, THREADS, REQUESTS, WATCHED, STACKED, PLANS)


class Forgettings(Base):
    """The part of the store that forgets."""

    def forget_installation(
        self,
        installation: int,
        repositories: Sequence[int] | None = None,
        *,
        names: Collection[str] = (),
        job: Job | None = None,
    ) -> int:
        """Forget all that is about an installation, or about some repositories of it; return how
        many runs that were.

        Whoever works at one of its runs is told to stop, and each server what to remove:
        `to_forget` has it. `names` are names of the repositories that may not be known here. Ends
        the `job` that asks for it; does nothing if somebody else has ended it.
        """
        # Alone: a run that is begun meanwhile is seen here, or finds nothing of what was before.
        with self.database.write(alone="begin") as db:
            if job is not None and not end(db, job):
                return 0
            known, called = self._take_out(db, installation, repositories)
            # A repository that moved belongs to another installation now, with what was said there.
            kept = select(REPOSITORIES.c.id).where(REPOSITORIES.c.id.in_(known))
            gone = known.difference(db.scalars(kept))
            for repository in gone:
                _forget_repository(db, repository)
            costs = costs_of(db, installation, gone)
            runs = self._forget_runs(db, installation, repositories)
            if repositories is None:
                carry(self, db, installation, costs)
                for table in (WATCHED, SPENDING, PLANS, HOLDS):
                    db.execute(delete(table).where(table.c.installation == installation))
                waiting = JOBS.c.state != "claimed"
                db.execute(delete(JOBS).where(JOBS.c.installation == installation, waiting))
            db.execute(
                insert(FORGOTTEN).values(
                    id=secrets.token_hex(8),
                    installation=installation,
                    whole=int(repositories is None),
                    repositories=json.dumps(sorted(called.union(names))),
                    since=time.time(),
                )
            )
        return runs

    def to_forget(self) -> list[Forgotten]:
        """Return what every server has to remove from its own disk, the oldest first."""
        with self.database.read() as db:
            rows = db.execute(select(FORGOTTEN).order_by(FORGOTTEN.c.since)).all()
        before = time.time() - FORGOTTEN_S
        if any(row.since < before for row in rows):
            with self.database.write() as db:
                before = min(before, believed(self.database, db) - FORGOTTEN_S)
                db.execute(delete(FORGOTTEN).where(FORGOTTEN.c.since < before))
        return [
            Forgotten(
                row.id,
                row.installation,
                bool(row.whole),
                tuple(json.loads(row.repositories)),
                row.since,
            )
            for row in rows
            if row.since >= before
        ]

    def is_gone(self, installation: int) -> bool:
        """Was all of an installation forgotten? Nothing is begun for it then."""
        with self.database.read() as db:
            return is_gone(db, installation)

    def back(self, installations: Collection[int], asked: float) -> set[int]:
        """Let runs begin again for installations that are there, as GitHub said when it was `asked`
        (Unix time), though they were forgotten before; return which those are.

        What each server has to remove of what was there before stays noted.
        """
        of = FORGOTTEN.c
        gone = (of.whole == 1) & (of.since < asked)
        with self.database.write() as db:
            found = {*db.scalars(select(of.installation).where(gone))}.intersection(installations)
            if found:
                which = gone & of.installation.in_(found)
                db.execute(update(FORGOTTEN).where(which).values(whole=0))
        return found

    def is_there(self, repository: str) -> bool:
        """Was something begun under a name and not forgotten since, by any installation?"""
        there = select(REPOSITORIES.c.id).where(REPOSITORIES.c.name == repository).limit(1)
        with self.database.read() as db:
            return db.scalar(there) is not None

    def names_for(self, since: float) -> frozenset[str]:
        """Return the names, also former ones, of all repositories where something was begun; none
        where this store was not at work before `since`: nobody can tell what is missing.
        """
        first = (WATCHED.c.since, FINDINGS.c.said, RUNS.c.created, FORGOTTEN.c.since)
        with self.database.read() as db:
            times = [db.scalar(select(func.min(column))) for column in first]
            began = min((float(one) for one in times if one is not None), default=since)
            if began >= since:
                return frozenset()
            return frozenset(db.scalars(select(REPOSITORIES.c.name)))

    @staticmethod
    def _take_out(
        db: Connection, installation: int, repositories: Sequence[int] | None
    ) -> tuple[set[int], set[str]]:
        """Let an installation have some repositories no more, None: all; return their numbers and
        their names.
        """
        of = [REPOSITORIES.c.installation == installation]
        if repositories is not None:
            of.append(REPOSITORIES.c.id.in_(repositories))
        theirs = delete(REPOSITORIES).where(*of).returning(REPOSITORIES.c.id, REPOSITORIES.c.name)
        gone = db.execute(theirs).all()
        known = {row.id for row in gone} | set(repositories or ())
        if repositories is None:  # where nothing was begun, something may have been said
            watched = select(WATCHED.c.repository_id).where(WATCHED.c.installation == installation)
            known.update(db.scalars(watched))
        return known, {row.name for row in gone}

    def _forget_runs(
        self, db: Connection, installation: int, repositories: Sequence[int] | None
    ) -> int:
        which = [RUNS.c.installation == installation]
        if repositories is not None:
            which.append(RUNS.c.repository_id.in_(repositories))
        runs = db.scalars(select(RUNS.c.id).where(*which)).all()
        for run in runs:
            settle(self, db, run, None)  # whoever is at it spends on
            db.execute(delete(RUNS).where(RUNS.c.id == run))
            db.execute(delete(TRACES).where(TRACES.c.run == run))
            db.execute(delete(JOBS).where(JOBS.c.key == f"run:{run}", JOBS.c.state != "claimed"))
        return len(runs)


def _forget_repository(db: Connection, repository: int) -> None:
    for table in _OF_REPOSITORIES:
        db.execute(delete(table).where(table.c.repository_id == repository))
    of_it = or_(
        JOBS.c.key.like(f"pull:{repository:d}:%"), JOBS.c.key.like(f"commit:{repository:d}:%")
    )
    db.execute(delete(JOBS).where(of_it, JOBS.c.state != "claimed"))
