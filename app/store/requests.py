"""Requests of workflows: each is stored once, with the job that looks at it, and answered once."""

import time

from sqlalchemy import func, select, update

from app.store.base import Base, put
from app.store.tables import REQUESTS
from app.store.values import NewJob, Request

_REQUEST = tuple(REQUESTS.c[name] for name in Request.__slots__)


class Requests(Base):
    """The part of the store that knows what jobs of workflows have asked for."""

    def ask(self, request: Request, job: NewJob) -> bool:
        """Store what a workflow's job asks for, and the job that looks at it; False, and nothing,
        if a request of this id is there already. It is on the disk when this returns.
        """
        with self.database.write() as db:
            added = self.database.insert_new(
                db,
                REQUESTS,
                id=request.id,
                repository_id=request.repository_id,
                number=request.number,
                comment=request.comment,
                created=time.time(),
            )
            if added:
                put(db, job)
        return added

    def request(self, request: str) -> Request | None:
        """Return a request by its id."""
        with self.database.read() as db:
            row = db.execute(select(*_REQUEST).where(REQUESTS.c.id == request)).one_or_none()
        return None if row is None else Request(*row)

    def requests_since(self, repository_id: int, since: float) -> int:
        """Count the requests of a repository since a time (seconds since 1970)."""
        theirs = (REQUESTS.c.repository_id == repository_id) & (REQUESTS.c.created >= since)
        with self.database.read() as db:
            return db.scalar(select(func.count()).select_from(REQUESTS).where(theirs)) or 0

    def answer(self, request: str, *, run: str = "", why: str = "", failed: bool = False) -> None:
        """Say which run does what was asked for, or why none does. The first answer stands."""
        told = (
            update(REQUESTS)
            .where(REQUESTS.c.id == request, REQUESTS.c.state == "waiting")
            .values(state="failed" if failed else "answered", run=run, why=why)
        )
        with self.database.write() as db:
            db.execute(told)
