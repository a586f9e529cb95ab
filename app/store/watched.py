"""Repositories that are gone through in turn, by several servers perhaps."""

import time
from collections.abc import Sequence

from sqlalchemy import Connection, select, union, update

from app.store.base import Base
from app.store.tables import REPOSITORIES, RUNS, SPENDING, WATCHED
from app.store.values import Watched


class Watches(Base):
    """The part of the store that knows where was looked, and when."""

    def installations(self) -> set[int]:
        """Return the installations that something is kept of."""
        of = (WATCHED, REPOSITORIES, RUNS, SPENDING)
        with self.database.read() as db:
            return set(db.scalars(union(*(select(table.c.installation) for table in of))))

    def watch(self, installation: int, repositories: Sequence[int]) -> list[Watched]:
        """Return when each was gone through, those longest ago first; new ones begin now."""
        rows = (
            select(WATCHED.c.repository_id, WATCHED.c.since, WATCHED.c.looked)
            .where(WATCHED.c.installation == installation)
            .order_by(WATCHED.c.looked, WATCHED.c.repository_id)
        )
        with self.database.write() as db:
            known = {row.repository_id for row in db.execute(rows)}
            for one in repositories:
                if one not in known:
                    self._begin(db, installation, one)
            wanted = set(repositories)
            every = [Watched(*row) for row in db.execute(rows)]
        return [one for one in every if one.repository_id in wanted]

    def _begin(self, db: Connection, installation: int, repository_id: int) -> None:
        new = self.database.insert(WATCHED).values(
            repository_id=repository_id, installation=installation, since=time.time()
        )
        theirs = {"installation": installation}  # it was another one's
        db.execute(new.on_conflict_do_update(index_elements=["repository_id"], set_=theirs))

    def look(self, seen: Watched) -> bool:
        """Take a repository to go through it; False if another server has done so since."""
        taken = (
            update(WATCHED)
            .where(WATCHED.c.repository_id == seen.repository_id, WATCHED.c.looked == seen.looked)
            .values(looked=time.time())
        )
        with self.database.write() as db:
            return bool(db.execute(taken).rowcount)

    def look_later(self, seen: Watched) -> None:
        """Put a repository back to where it was: it was not gone through to its end."""
        back = (
            update(WATCHED)
            .where(WATCHED.c.repository_id == seen.repository_id)
            .values(looked=seen.looked)
        )
        with self.database.write() as db:
            db.execute(back)
