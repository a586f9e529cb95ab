"""Jobs: put, claimed by one worker at a time, ended, put back, or kept as failed."""

import time

from sqlalchemy import and_, func, or_, select, update

from app.store.base import Base, end, put
from app.store.tables import JOBS, TURNS
from app.store.values import Job, NewJob


class Jobs(Base):
    """The part of the store that workers take from."""

    def put(self, *jobs: NewJob) -> None:
        """Store jobs."""
        with self.database.write() as db:
            for job in jobs:
                put(db, job)

    def put_if_idle(self, job: NewJob) -> bool:
        """Store a job unless one of its key waits, is being done or has failed; say whether."""
        with self.database.write(alone=f"put {job.key}") as db:
            there = db.scalar(select(1).where(JOBS.c.key == job.key).limit(1)) is not None
            if not there:
                put(db, job)
        return not there

    def claim(self, role: str, worker: str, lease_s: float) -> Job | None:
        """Take the next job of a role, if there is one; a claim whose lease is over counts as none.

        `worker` is the claiming process, by the name that `recover` will use.
        """
        now = time.time()
        due = (JOBS.c.role == role, JOBS.c.not_before <= now)
        # Looking takes no lock from those who write; most looks find nothing.
        with self.database.read() as db:
            if db.scalar(select(1).where(*due, JOBS.c.state != "failed").limit(1)) is None:
                return None
        other = JOBS.alias("other")
        held = (
            select(1)
            .where(
                other.c.key == JOBS.c.key,
                other.c.state == "claimed",
                other.c.id != JOBS.c.id,
                other.c.lease >= now,
            )
            .exists()
        )
        free = or_(JOBS.c.state == "waiting", and_(JOBS.c.state == "claimed", JOBS.c.lease < now))
        first = (
            select(JOBS)
            .where(*due, free, ~held)
            .order_by(JOBS.c.priority.desc(), JOBS.c.turn, JOBS.c.id)
            .limit(1)
        )
        # Two that claim at once must see each other: of one key only one job is done at a time.
        with self.database.write(alone=f"claim {role}") as db:
            row = db.execute(first).one_or_none()
            if row is None:
                return None
            served = self.database.insert(TURNS).values(role=role, turn=row.turn)
            later = TURNS.c.turn < served.excluded.turn
            db.execute(
                served.on_conflict_do_update(
                    index_elements=["role"], set_={"turn": served.excluded.turn}, where=later
                )
            )
            db.execute(
                update(JOBS)
                .where(JOBS.c.id == row.id)
                .values(
                    state="claimed",
                    worker=worker,
                    lease=now + lease_s,
                    attempts=JOBS.c.attempts + 1,
                    claims=JOBS.c.claims + 1,
                )
            )
        return Job(row.id, row.kind, row.key, row.payload, row.attempts + 1, row.claims + 1)

    def renew(self, worker: str, lease_s: float) -> None:
        """Keep what a worker has claimed for another while."""
        with self.database.write() as db:
            db.execute(
                update(JOBS)
                .where(JOBS.c.worker == worker, JOBS.c.state == "claimed")
                .values(lease=time.time() + lease_s)
            )

    def recover(self, worker: str) -> int:
        """Put back what a process of this name had claimed when it died; return how many jobs."""
        with self.database.write() as db:
            return db.execute(
                update(JOBS)
                .where(JOBS.c.worker == worker, JOBS.c.state == "claimed")
                .values(state="waiting", worker="", lease=0)
            ).rowcount

    def done(self, job: Job, *then: NewJob) -> None:
        """End a job; what it leads to is stored with its end."""
        with self.database.write() as db:
            end(db, job, *then)

    def again(self, job: Job, why: str, after_s: float, *, counts: bool = True) -> None:
        """Put a job back for later; `counts`: as an attempt that failed."""
        with self.database.write() as db:
            db.execute(
                update(JOBS)
                .where(JOBS.c.id == job.id, JOBS.c.claims == job.claim)
                .values(
                    state="waiting",
                    worker="",
                    lease=0,
                    why=why,
                    not_before=time.time() + after_s,
                    attempts=JOBS.c.attempts - (0 if counts else 1),
                )
            )

    def fail(self, job: Job, why: str) -> None:
        """Keep a job that nobody can do, for whoever looks for the reason."""
        with self.database.write() as db:
            db.execute(
                update(JOBS)
                .where(JOBS.c.id == job.id, JOBS.c.claims == job.claim)
                .values(state="failed", worker="", lease=0, why=why)
            )

    def claimant(self, key: str) -> str:
        """Return the worker that holds the claim on a key, "" where nobody does."""
        held = select(JOBS.c.worker).where(
            JOBS.c.key == key, JOBS.c.state == "claimed", JOBS.c.lease >= time.time()
        )
        with self.database.read() as db:
            return db.scalar(held.limit(1)) or ""

    def waiting(self, role: str) -> int:
        """Count the jobs of a role that nobody has done yet."""
        number = select(func.count()).where(JOBS.c.role == role, JOBS.c.state != "failed")
        with self.database.read() as db:
            return db.scalar(number) or 0
