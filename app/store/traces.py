"""Traces that servers share: whole lines, compressed, part after part."""

import time
from dataclasses import dataclass

from sqlalchemy import delete, func, select

from app.store.base import Base
from app.store.clock import believed
from app.store.tables import RUNS, TRACES

MOST_BYTES = 500_000_000
"""Of all of them together, as on a disk; those that grew last stay."""

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class SharedTrace:
    """What is kept of the trace of a run: how many `parts`, their bytes as they were (`size`) and
    as they are kept (`bytes`), and the `server` that wrote the last one.
    """

    parts: int
    size: int
    bytes: int
    server: str


@dataclass(frozen=True, slots=True)
class TracePart:
    """Lines of a trace as they are kept: compressed `data`, whose last byte is before `ends`."""

    ends: int
    data: bytes


class SharedTraces(Base):
    """The part of the store that has traces for the servers which did not write them."""

    def share_trace(
        self, run: str, part: int, server: str, *, ends: int, size: int, data: bytes
    ) -> bool:
        """Add the next part of the trace of a run, which ends at `ends` in the file of the server.

        False, and nothing, where the run is not known any more or another server wrote this part.
        """
        with self.database.write() as db:
            if db.scalar(select(1).where(RUNS.c.id == run)) is None:
                return False
            return self.database.insert_new(
                db,
                TRACES,
                run=run,
                part=part,
                server=server,
                ends=ends,
                size=size,
                bytes=len(data),
                data=data,
                since=time.time(),
            )

    def shared_trace(self, run: str) -> SharedTrace | None:
        """Return what is kept of the trace of a run, None where that is nothing."""
        of = TRACES.c
        sums = select(func.count(), func.sum(of.size), func.sum(of.bytes)).where(of.run == run)
        last = select(of.server).where(of.run == run).order_by(of.part.desc()).limit(1)
        with self.database.read() as db:
            parts, size, kept = db.execute(sums).one()
            if not parts:
                return None
            return SharedTrace(int(parts), int(size), int(kept), str(db.scalar(last)))

    def last_shared(self, run: str, server: str) -> TracePart | None:
        """Return the last part of a trace that a server brought, None without one."""
        of = TRACES.c
        parts = select(of.ends, of.data).where(of.run == run, of.server == server)
        with self.database.read() as db:
            row = db.execute(parts.order_by(of.part.desc()).limit(1)).one_or_none()
            return None if row is None else TracePart(int(row.ends), bytes(row.data))

    def trace_parts(self, run: str, first: int, most: int) -> list[bytes]:
        """Return at most so many parts of the trace of a run, from number `first` (from 0) on."""
        of = TRACES.c
        which = select(of.data).where(of.run == run, of.part >= first).order_by(of.part)
        with self.database.read() as db:
            return [bytes(data) for data in db.scalars(which.limit(most))]

    def expire_traces(self, kept_s: float) -> None:
        """Remove what is older than `kept_s`, then the oldest traces until MOST_BYTES are left."""
        of = TRACES.c
        grew = func.max(of.since)
        sums = select(of.run, func.sum(of.bytes)).group_by(of.run).order_by(grew.desc())
        with self.database.write(alone="expire traces") as db:
            db.execute(delete(TRACES).where(of.since < believed(self.database, db) - kept_s))
            left, gone = 0, []
            for run, size in db.execute(sums):
                left += int(size)
                if left > MOST_BYTES:
                    gone.append(run)
            if gone:
                db.execute(delete(TRACES).where(of.run.in_(gone[:AT_ONCE])))
