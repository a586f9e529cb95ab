"""What the parts of the store share: the database, and what they all do in a transaction."""

import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, delete, func, insert, select, update

from app.store.clock import believed, now_by
from app.store.database import Database
from app.store.tables import FORGOTTEN, JOBS, RUNS, TURNS
from app.store.values import GITHUB, PUBLISH, REVIEW, Job, NewJob


class Base:
    """The opened database. `where` is a file, or the URL of a PostgreSQL database."""

    def __init__(self, where: Path | str) -> None:
        self.database = Database(where)

    def believed_time(self) -> float:
        """Look at the clock before something is removed by age; return which time counts (Unix)."""
        with self.database.write() as db:
            return believed(self.database, db)

    def now(self) -> float:
        """Return which time counts, for what is decided for good by age (Unix)."""
        with self.database.read() as db:
            return now_by(db)

    def close(self) -> None:
        """Close the database; another Store can open it."""
        self.database.close()


def put(db: Connection, job: NewJob) -> None:
    """Store a job, at the next turn of its installation's jobs of this priority."""
    served = db.scalar(select(TURNS.c.turn).where(TURNS.c.role == job.role)) or 0
    last = db.scalar(
        select(func.max(JOBS.c.turn)).where(
            JOBS.c.role == job.role,
            JOBS.c.installation == job.installation,
            JOBS.c.priority == job.priority,
        )
    )
    db.execute(
        insert(JOBS).values(
            role=job.role,
            kind=job.kind,
            key=job.key,
            payload=job.payload,
            priority=job.priority,
            not_before=job.not_before,
            installation=job.installation,
            turn=max(served, 0 if last is None else last + 1),
            state="waiting",
            created=time.time(),
        )
    )


def is_gone(db: Connection, installation: int) -> bool:
    """Was all of an installation forgotten?"""
    gone = (FORGOTTEN.c.installation == installation) & (FORGOTTEN.c.whole == 1)
    return db.scalar(select(1).where(gone).limit(1)) is not None


def end(db: Connection, job: Job, *then: NewJob) -> bool:
    """Remove a job and store what follows; False, and nothing, if somebody else has ended it."""
    mine = delete(JOBS).where(JOBS.c.id == job.id, JOBS.c.claims == job.claim)
    if not db.execute(mine).rowcount:
        return False
    for following in then:
        put(db, following)
    return True


def stop(
    db: Connection,
    repository_id: int,
    number: int,
    why: str,
    *,
    but: str = "",
    only: Sequence[str] | None = None,
) -> int:
    """Mark the open runs of a pull request; one that waits for an engine is over at once.

    With `but`, a review that takes their place: of the reviews the others, and no answer. `only`:
    of these runs.
    """
    theirs = (RUNS.c.repository_id == repository_id, RUNS.c.number == number)
    marked = (
        update(RUNS)
        .values(stop=func.coalesce(func.nullif(RUNS.c.stop, ""), why))
        .where(*theirs, RUNS.c.state == "open", RUNS.c.id != but)
    )
    if but:
        marked = marked.where(RUNS.c.kind == "review")
    if only is not None:
        marked = marked.where(RUNS.c.id.in_(only))
    found = db.execute(marked).rowcount
    over = select("run:" + RUNS.c.id).where(*theirs, RUNS.c.state == "open", RUNS.c.stop != "")
    db.execute(
        update(JOBS)
        .values(
            role=GITHUB,
            kind=PUBLISH,
            # Not while the job that shows it on GitHub is at work.
            key=f"pull:{repository_id}:{number}",
            not_before=0,
        )
        .where(JOBS.c.state == "waiting", JOBS.c.kind == REVIEW, JOBS.c.key.in_(over))
    )
    return found
