"""Deliveries of webhooks: each is stored once, with the job that it asks for."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from app.store.base import Base, put
from app.store.clock import believed
from app.store.spending import bring_back
from app.store.sweeping import sweep
from app.store.tables import DELIVERIES
from app.store.values import NewJob

KEPT_S = 30 * 86_400.0
"""An event about a head that was reviewed longer ago has it reviewed again."""

MOST_STEPS = 1_000
"""Of one round of forgetting what is too old."""


@dataclass(slots=True)
class _Ticket:
    """A delivery that waits to be stored; several go into one transaction."""

    delivery: str
    job: NewJob | None
    stored: bool | None = None
    error: Exception | None = None


class Deliveries(Base):
    """The part of the store that the webhook writes to."""

    def __init__(self, where: Path | str) -> None:
        super().__init__(where)
        self._waiting: list[_Ticket] = []
        self._waiting_lock = threading.Lock()
        self._turn = threading.Lock()
        self._swept = 0.0
        self.kept_s = KEPT_S
        """How long ended runs and lost jobs are remembered; whoever takes deliveries sets it."""

    def accept(self, delivery: str, job: NewJob | None) -> bool:
        """Store a delivery and the job that it asks for; False if the delivery is known already.

        It is on the disk when this returns. Callers that come at the same time share one write:
        the first to get the lock stores for all that wait.
        """
        ticket = _Ticket(delivery, job)
        with self._waiting_lock:
            self._waiting.append(ticket)
        with self._turn:  # whoever had it before has told every ticket of its batch
            if ticket.stored is None and ticket.error is None:
                self._store_waiting()
        if ticket.error is not None:
            raise ticket.error
        return bool(ticket.stored)

    def _store_waiting(self) -> None:
        """Store all that wait, in one transaction, and tell each what became of it."""
        with self._waiting_lock:
            batch, self._waiting = self._waiting, []
        try:
            with self.database.write() as db:
                # In one order everywhere: two servers with the same deliveries wait for each other.
                outcome = {
                    id(ticket): self._take(db, ticket)
                    for ticket in sorted(batch, key=lambda one: one.delivery)
                }
                self._sweep(db)
        except Exception as error:
            for ticket in batch:
                ticket.error = error
            return
        for ticket in batch:
            ticket.stored = outcome[id(ticket)]

    def _take(self, db: Connection, ticket: _Ticket) -> bool:
        found = self.database.insert_new(db, DELIVERIES, id=ticket.delivery, received=time.time())
        if found and ticket.job is not None:
            put(db, ticket.job)
        return found

    def _sweep(self, db: Connection) -> None:
        """Forget old deliveries, runs and lost jobs, a few at a time and once an hour."""
        now = time.time()
        if 0 <= now - self._swept < 3_600:
            return
        self._swept = now
        sweep(db, self.kept_s, believed(self.database, db))

    def sweep(self) -> int:
        """Forget all that is too old, in many small steps; return how many rows that were.

        What a round does not get through is left to the next one.
        """
        total, now = 0, self.believed_time()
        with self.database.write(alone="spend") as db:
            bring_back(self.database, db, now)
        for _ in range(MOST_STEPS):
            with self.database.write() as db:
                gone = sweep(db, self.kept_s, now)
            total += gone
            if not gone:
                break
        return total

    def has_delivery(self, delivery: str) -> bool:
        """Is a delivery stored, by its GUID?"""
        with self.database.read() as db:
            return bool(db.scalar(select(1).where(DELIVERIES.c.id == delivery)))
