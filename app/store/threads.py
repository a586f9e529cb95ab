"""Threads that began with a finding of ours: which there are, and how they stood last.

GitHub knows what stands in them. Here it is known whether a thread is ours at all: most answers
that GitHub tells of are in threads of others.
"""

import time
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, select, update

from app.store.base import Base
from app.store.tables import RUNS, THREADS
from app.store.values import Begun, ThreadState

_OURS_TO_SAY: frozenset[ThreadState] = frozenset({"answered", "dismissed"})
"""What GitHub does not tell of a thread that is open there."""


class Threads(Base):
    """The part of the store that knows which threads are ours."""

    def noted(self, repository_id: int, number: int, run: str, threads: Iterable[Begun]) -> None:
        """Note all threads of ours on a pull request, as a run that is not ended yet met them.

        To do it again changes nothing.
        """
        now = time.time()
        with self.database.write() as db:
            for one in threads:
                row = {name: getattr(one, name) for name in Begun.__slots__}
                new = {"repository_id": repository_id, "number": number, **row}
                times = {"since": now, "changed": now, "seen": now}
                if not self.database.insert_new(db, THREADS, **new, **times):
                    _met(db, repository_id, one, now)
            db.execute(update(RUNS).where(RUNS.c.id == run).values(noted=1))

    def is_ours(self, repository_id: int, number: int, first: int) -> bool | None:
        """Did we begin the thread with that first comment? None: GitHub has to be asked.

        No thread is unknown to us where the newest review has noted all of them, and none goes on.
        """
        ours = select(THREADS.c.first).where(*_thread(repository_id, first))
        reviews = (
            select(RUNS.c.state, RUNS.c.noted)
            .where(
                RUNS.c.repository_id == repository_id,
                RUNS.c.number == number,
                RUNS.c.kind == "review",
            )
            .order_by(RUNS.c.seq.desc())
        )
        with self.database.read() as db:
            # First the runs: one that ends between the two has noted its threads by then.
            runs = db.execute(reviews).all()
            if db.scalar(ours) is not None:
                return True
        is_known = bool(runs) and bool(runs[0].noted) and all(run.state == "ended" for run in runs)
        return False if is_known else None

    def thread_became(self, repository_id: int, first: int, state: ThreadState) -> None:
        """Note how a thread of ours stands now; one that is not known stays so."""
        which = [*_thread(repository_id, first), THREADS.c.state != state]
        if state == "answered":
            which.append(THREADS.c.state == "open")
        changed = update(THREADS).where(*which).values(state=state, changed=time.time())
        with self.database.write() as db:
            db.execute(changed)

    def threads_of(self, repository_id: int, number: int) -> list[Begun]:
        """Return the threads of ours on a pull request that are known, the oldest first."""
        which = (
            select(*(THREADS.c[name] for name in Begun.__slots__))
            .where(THREADS.c.repository_id == repository_id, THREADS.c.number == number)
            .order_by(THREADS.c.first)
        )
        with self.database.read() as db:
            return [Begun(*row) for row in db.execute(which)]


def sweep_threads(db: Connection, before: float, most: int) -> int:
    """Forget some threads not seen since, on pull requests without a run; return how many.

    With the run goes what says that all are known: without it a thread that is not here is asked
    about.
    """
    has_run = exists().where(
        and_(RUNS.c.repository_id == THREADS.c.repository_id, RUNS.c.number == THREADS.c.number)
    )
    old = (THREADS.c.seen < before, ~has_run)
    some = select(THREADS.c.first).where(*old).limit(most)
    return db.execute(delete(THREADS).where(THREADS.c.first.in_(some), *old)).rowcount


def _met(db: Connection, repository_id: int, one: Begun, now: float) -> None:
    """Note again a thread that is known: GitHub says whether it is closed."""
    mine = _thread(repository_id, one.first)
    row = db.execute(select(THREADS.c.state, THREADS.c.node).where(*mine)).one()
    state = row.state if one.state == "open" and row.state in _OURS_TO_SAY else one.state
    new: dict[str, object] = {"seen": now, "node": one.node or row.node}
    if state != row.state:
        new |= {"state": state, "changed": now}
    db.execute(update(THREADS).where(*mine).values(**new))


def _thread(repository_id: int, first: int) -> tuple[ColumnElement[bool], ...]:
    return THREADS.c.repository_id == repository_id, THREADS.c.first == first
