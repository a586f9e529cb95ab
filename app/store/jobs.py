"""Jobs: put, claimed by one worker at a time, ended, put back, or kept as failed."""

import time
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select, update

from app.store.base import Base, end, put
from app.store.tables import JOBS, TURNS
from app.store.values import CI, UNTOLD, Job, NewJob

FAILED_S = 3_600.0
"""What failed is not tried again before, and is then: an outage may be over."""

LONGEST_S = 7_200.0
"""No job is put off for longer: GitHub's limits are over within the hour. What lies further ahead
was written by a clock that ran ahead and was set right since, and is due."""

RELEASED_S = 30.0
"""After this time a job that the queue was told of and nobody claimed counts as forgotten by it."""

LATE_S = 600.0
"""A job whose time has come is taken within this time. More than that nobody was at work, or the
clock has leapt: that is no time in which it was tried."""

AHEAD_S = 600.0
"""No claim is given for so long (`LEASE_S` in `app/worker.py`), nor are the clocks of servers that
GitHub lets log in so far from each other. A claim that ends later, and what the queue was told of
later, were written by a clock that ran ahead: nobody has to wait for that."""


class Jobs(Base):
    """The part of the store that workers take from."""

    def put(self, *jobs: NewJob) -> None:
        """Store jobs."""
        with self.database.write() as db:
            for job in jobs:
                put(db, job)

    def put_if_idle(self, job: NewJob) -> bool:
        """Store a job unless one of its key waits, is done or failed just now; say whether.

        One that says what was given up is none: it may wait for days.
        """
        now = time.time()
        late = JOBS.c.created.between(now - FAILED_S, now + FAILED_S)
        with self.database.write(alone=f"put {job.key}") as db:
            alike = select(1).where(
                JOBS.c.key == job.key,
                JOBS.c.kind != UNTOLD,
                or_(JOBS.c.state != "failed", late),
            )
            there = db.scalar(alike.limit(1)) is not None
            if not there:
                put(db, job)
        return not there

    def waits(self, job: NewJob, *, begun: bool = False) -> bool:
        """Is a job of this key, kind and payload still to be done? `begun`: somebody was at it
        before, and may have done a part of it.
        """
        alike = (JOBS.c.key == job.key, JOBS.c.kind == job.kind, JOBS.c.payload == job.payload)
        with self.database.read() as db:
            left = (JOBS.c.state != "failed", JOBS.c.claims >= int(begun))
            return db.scalar(select(1).where(*alike, *left).limit(1)) is not None

    def claim(self, role: str, worker: str, lease_s: float) -> Job | None:
        """Take the next job of a role, if there is one; a claim whose lease is over counts as none.

        `worker` is the claiming process, by the name that `recover` will use.
        """
        now = time.time()
        if not self._is_due(role, now):
            return None
        # Two that claim at once must see each other: of one key only one job is done at a time.
        with self.database.write(alone=f"claim {role}") as db:
            row = db.execute(_first(role, now)).one_or_none()
            return None if row is None else self._claimed(db, row, worker, now + lease_s)

    def claim_one(self, number: int, worker: str, lease_s: float) -> Job | None:
        """Take this very job, if it is free to be taken and its time has come.

        If it cannot be done now, the queue is told of it again.
        """
        now = time.time()
        with self.database.read() as db:
            role = db.scalar(select(JOBS.c.role).where(JOBS.c.id == number))
        if role is None:
            return None
        with self.database.write(alone=f"claim {role}") as db:
            row = db.execute(_first(role, now).where(JOBS.c.id == number)).one_or_none()
            if row is not None:
                return self._claimed(db, row, worker, now + lease_s)
            waits = (JOBS.c.id == number) & (JOBS.c.state == "waiting")
            db.execute(update(JOBS).where(waits).values(released=0))
        return None

    def release(self, role: str, most: int) -> list[Job]:
        """Choose the jobs of a role that the queue is told of next, in the order of `claim`.

        What it was told of a while ago and nobody has claimed it is told of again.
        """
        now = time.time()
        if not self._is_due(role, now):
            return []
        jobs: list[Job] = []
        with self.database.write(alone=f"claim {role}") as db:
            while len(jobs) < most:
                row = db.execute(_first(role, now, since=now - RELEASED_S)).one_or_none()
                if row is None:
                    break
                self._serve(db, role, row.turn)
                db.execute(update(JOBS).where(JOBS.c.id == row.id).values(released=now))
                jobs.append(Job(row.id, row.kind, row.key, row.payload, row.attempts, row.claims))
        return jobs

    def _is_due(self, role: str, now: float) -> bool:
        """Look, without a lock on those who write; most looks find nothing."""
        due = (JOBS.c.role == role, _has_come(now), JOBS.c.state != "failed")
        with self.database.read() as db:
            return db.scalar(select(1).where(*due).limit(1)) is not None

    def _claimed(
        self, db: Connection, row: Row[*tuple[Any, ...]], worker: str, until: float
    ) -> Job:
        self._serve(db, row.role, row.turn)
        db.execute(
            update(JOBS)
            .where(JOBS.c.id == row.id)
            .values(
                state="claimed",
                worker=worker,
                lease=until,
                attempts=JOBS.c.attempts + 1,
                claims=JOBS.c.claims + 1,
            )
        )
        tried, claim = row.attempts + 1, row.claims + 1
        away_s = _away_s(row.away_since, row.not_before, time.time())
        return Job(row.id, row.kind, row.key, row.payload, tried, claim, away_s)

    def _serve(self, db: Connection, role: str, turn: int) -> None:
        """Note which turn is served: whoever comes new begins there."""
        served = self.database.insert(TURNS).values(role=role, turn=turn)
        later = TURNS.c.turn < served.excluded.turn
        set_ = {"turn": served.excluded.turn}
        db.execute(served.on_conflict_do_update(index_elements=["role"], set_=set_, where=later))

    def renew(self, worker: str, lease_s: float) -> None:
        """Keep what a worker has claimed for another while."""
        with self.database.write() as db:
            db.execute(
                update(JOBS)
                .where(JOBS.c.worker == worker, JOBS.c.state == "claimed")
                .values(lease=time.time() + lease_s)
            )

    def holds(self, job: Job, lease_s: float) -> bool:
        """Is the claim on a job still the one that it was handed out with? One of which less than
        half is left lasts for another while: nobody takes it right after this. One that has lapsed
        does not come back while somebody is at another job of its key.
        """
        now = time.time()
        mine = (JOBS.c.id == job.id, JOBS.c.claims == job.claim, JOBS.c.state == "claimed")
        with self.database.read() as db:
            row = db.execute(select(JOBS.c.lease, JOBS.c.role).where(*mine)).one_or_none()
        if row is None:
            return False
        if now + lease_s / 2 <= row.lease <= now + AHEAD_S:
            return True
        other = JOBS.alias("other")
        taken = select(1).where(
            other.c.key == job.key,
            other.c.id != job.id,
            other.c.state == "claimed",
            other.c.lease.between(now, now + AHEAD_S),
        )
        with self.database.write(alone=f"claim {row.role}") as db:
            renewed = update(JOBS).where(*mine, ~taken.exists()).values(lease=now + lease_s)
            return bool(db.execute(renewed).rowcount)

    def recover(self, worker: str) -> int:
        """Put back what a process of this name had claimed when it died; return how many jobs."""
        with self.database.write() as db:
            return db.execute(
                update(JOBS)
                .where(JOBS.c.worker == worker, JOBS.c.state == "claimed")
                .values(state="waiting", worker="", lease=0, released=0)
            ).rowcount

    def done(self, job: Job, *then: NewJob) -> None:
        """End a job; what it leads to is stored with its end."""
        with self.database.write() as db:
            end(db, job, *then)

    def again(
        self, job: Job, why: str, after_s: float, *, counts: bool = True, away: bool = False
    ) -> None:
        """Put a job back for later; `counts`: as an attempt that failed. `away`: what it needs was
        away, as perhaps before.
        """
        now = time.time()
        away_since = now - job.away_for() if away else 0.0
        with self.database.write() as db:
            db.execute(
                update(JOBS)
                .where(JOBS.c.id == job.id, JOBS.c.claims == job.claim)
                .values(
                    state="waiting",
                    worker="",
                    lease=0,
                    released=0,
                    why=why,
                    away_since=away_since,
                    not_before=now + min(after_s, LONGEST_S),
                    attempts=JOBS.c.attempts - (0 if counts else 1),
                )
            )

    def fail(self, job: Job, why: str, *then: NewJob) -> None:
        """Keep a job that nobody can do, for whoever looks for the reason; what it leads to is
        stored with that.
        """
        with self.database.write() as db:
            mine = (JOBS.c.id == job.id) & (JOBS.c.claims == job.claim)
            failed = update(JOBS).where(mine).values(state="failed", worker="", lease=0, why=why)
            if db.execute(failed).rowcount:
                for following in then:
                    put(db, following)

    def claimant(self, key: str) -> str:
        """Return the worker that holds the claim on a key, "" where nobody does."""
        held = select(JOBS.c.worker).where(
            JOBS.c.key == key, JOBS.c.state == "claimed", JOBS.c.lease >= time.time()
        )
        with self.database.read() as db:
            return db.scalar(held.limit(1)) or ""

    def waiting(self, role: str) -> int:
        """Count the jobs of a role that nobody has done yet, without those that watch checks or
        have something to say when that is possible.
        """
        number = select(func.count()).where(
            JOBS.c.role == role, JOBS.c.state != "failed", JOBS.c.kind.not_in((CI, UNTOLD))
        )
        with self.database.read() as db:
            return db.scalar(number) or 0


def _has_come(now: float) -> ColumnElement[bool]:
    """Has a job's time come?"""
    return or_(JOBS.c.not_before <= now, JOBS.c.not_before > now + LONGEST_S)


def _away_s(away_since: float, not_before: float, now: float) -> float:
    """Return for how long what a job needs has been away, as far as it was waited for.

    Both times were written at one look at the clock, so what lies between them is right whatever
    the clock says by now. Of what has passed beyond them so much counts as a job may be late.
    """
    if not away_since:
        return 0.0
    return max(not_before - away_since, 0.0) + min(max(now - not_before, 0.0), LATE_S)


def _first(role: str, now: float, since: float | None = None) -> Select[*tuple[Any, ...]]:
    """Select the next job of a role that is free and whose key nobody works at.

    With `since`, a time: of those that the queue was not told of since, and nothing of their key.
    """
    other = JOBS.alias("other")
    ahead = now + AHEAD_S
    busy = and_(other.c.state == "claimed", other.c.lease.between(now, ahead))
    lapsed = and_(JOBS.c.state == "claimed", ~JOBS.c.lease.between(now, ahead))
    free = or_(JOBS.c.state == "waiting", lapsed)
    if since is not None:
        told = other.c.released.between(since, ahead)
        busy = or_(busy, and_(other.c.state == "waiting", told))
        free = and_(free, ~JOBS.c.released.between(since, ahead))
    held = select(1).where(other.c.key == JOBS.c.key, other.c.id != JOBS.c.id, busy).exists()
    return (
        select(JOBS)
        .where(JOBS.c.role == role, _has_come(now), free, ~held)
        .order_by(JOBS.c.turn, JOBS.c.priority.desc(), JOBS.c.id)
        .limit(1)
    )
