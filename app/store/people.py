"""What people decided about a pull request or a finding: pauses, and what they dismissed."""

import time
from collections.abc import Sequence

from sqlalchemy import Update, delete, select, update

from app.store.base import Base
from app.store.tables import DISMISSALS, FINDINGS, PAUSES
from app.store.values import Dismissed, State


class People(Base):
    """The part of the store that remembers what people want."""

    def pause(self, repository_id: int, number: int, who: str) -> bool:
        """Let a pull request be reviewed on demand only; False if it is paused already."""
        new = {"repository_id": repository_id, "number": number, "who": who, "since": time.time()}
        with self.database.write() as db:
            return self.database.insert_new(db, PAUSES, **new)

    def resume(self, repository_id: int, number: int) -> bool:
        """Let each push be reviewed again; False if it was not paused."""
        there = (PAUSES.c.repository_id == repository_id) & (PAUSES.c.number == number)
        with self.database.write() as db:
            return bool(db.execute(delete(PAUSES).where(there)).rowcount)

    def paused_by(self, repository_id: int, number: int) -> str:
        """Return who paused the reviews of a pull request, "" if nobody did."""
        there = (PAUSES.c.repository_id == repository_id) & (PAUSES.c.number == number)
        with self.database.read() as db:
            return db.scalar(select(PAUSES.c.who).where(there)) or ""

    def dismiss(self, repository_id: int, *dismissed: Dismissed) -> None:
        """Remember what was dismissed; who did it first stays, and what was forgotten since too."""
        with self.database.write() as db:
            for one in dismissed:
                self.database.insert_new(
                    db,
                    DISMISSALS,
                    repository_id=repository_id,
                    finding=one.finding,
                    path=one.path,
                    title=one.title,
                    who=one.who,
                    url=one.url,
                    since=time.time(),
                )
                db.execute(_became(repository_id, one.finding, ("open", "accepted"), "dismissed"))

    def dismissed(self, repository_id: int) -> list[Dismissed]:
        """Return what was dismissed in a repository, the oldest first."""
        rows = (
            select(*(DISMISSALS.c[name] for name in Dismissed.__slots__))
            .where(DISMISSALS.c.repository_id == repository_id, DISMISSALS.c.forgotten == 0)
            .order_by(DISMISSALS.c.since, DISMISSALS.c.finding)
        )
        with self.database.read() as db:
            return [Dismissed(*row) for row in db.execute(rows)]

    def forgotten(self, repository_id: int) -> frozenset[str]:
        """Return the findings that were dismissed and are to be said again all the same."""
        rows = select(DISMISSALS.c.finding).where(
            DISMISSALS.c.repository_id == repository_id, DISMISSALS.c.forgotten != 0
        )
        with self.database.read() as db:
            return frozenset(db.scalars(rows))

    def forget(self, repository_id: int, finding: str) -> bool:
        """Let a finding be said again; False if it was not dismissed.

        It is noted down: the words that dismissed it still stand in a thread.
        """
        noted = (
            update(DISMISSALS)
            .where(
                DISMISSALS.c.repository_id == repository_id,
                DISMISSALS.c.finding == finding,
                DISMISSALS.c.forgotten == 0,
            )
            .values(forgotten=1)
        )
        with self.database.write() as db:
            is_known = bool(db.execute(noted).rowcount)
            if is_known:
                db.execute(_became(repository_id, finding, ("dismissed",), "open"))
            return is_known


def _became(repository_id: int, finding: str, before: Sequence[State], now: State) -> Update:
    """Note what became of a finding, if it was told and is in one of these states."""
    return (
        update(FINDINGS)
        .where(
            FINDINGS.c.repository_id == repository_id,
            FINDINGS.c.finding == finding,
            FINDINGS.c.state.in_(before),
        )
        .values(state=now, changed=time.time())
    )
