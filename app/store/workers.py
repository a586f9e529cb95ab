"""Processes and their signs of life."""

import time

from sqlalchemy import select

from app.store.base import Base
from app.store.tables import AGREED, WORKERS
from app.store.values import Worker


class Workers(Base):
    """The part of the store that knows who is alive."""

    def beat(self, worker: str, problem: str = "") -> None:
        """Say that a process lives, and what keeps it from its work."""
        new = self.database.insert(WORKERS).values(name=worker, problem=problem, seen=time.time())
        said = {"problem": new.excluded.problem, "seen": new.excluded.seen}
        with self.database.write() as db:
            db.execute(new.on_conflict_do_update(index_elements=["name"], set_=said))

    def agree(self, name: str, value: str) -> bool:
        """Does everybody have this value? Whoever comes first says what it is."""
        with self.database.write(alone="agree") as db:
            self.database.insert_new(db, AGREED, name=name, value=value)
            return db.scalar(select(AGREED.c.value).where(AGREED.c.name == name)) == value

    def workers(self) -> list[Worker]:
        """Return every process that ever gave a sign of life."""
        rows = select(WORKERS.c.name, WORKERS.c.problem, WORKERS.c.seen).order_by(WORKERS.c.name)
        with self.database.read() as db:
            return [Worker(*row) for row in db.execute(rows)]
