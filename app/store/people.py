"""What people decided about a pull request or a finding: pauses, and what they dismissed."""

import time
from collections.abc import Sequence

from sqlalchemy import Update, delete, select, update

from app.store.base import Base
from app.store.tables import DISMISSALS, FINDINGS, PAUSES
from app.store.values import Dismissed, State

_WORDS = ("repository_id", "finding", "who", "url")
"""What tells one dismissal from every other."""


_ABOUT = ("title", "category", "severity", "reason")


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
        """Remember what was dismissed; what was dismissed and forgotten in the same words stays.

        Of what an earlier version noted, what it is about is noted now.
        """
        with self.database.write() as db:
            for one in dismissed:
                new = {
                    "repository_id": repository_id,
                    **{name: getattr(one, name) for name in Dismissed.__slots__},
                    "since": time.time(),
                }
                said = [DISMISSALS.c[name] == new[name] for name in _WORDS]
                is_new = self.database.insert_new(db, DISMISSALS, **new)
                if not is_new and one.category:
                    about = {name: new[name] for name in _ABOUT}
                    unknown = (DISMISSALS.c.category == "") & (DISMISSALS.c.forgotten == 0)
                    db.execute(update(DISMISSALS).where(*said, unknown).values(about))
                if is_new or db.scalar(select(DISMISSALS.c.forgotten).where(*said)) == 0:
                    before: tuple[State, ...] = ("open", "accepted")
                    db.execute(_became(repository_id, one.finding, before, "dismissed"))

    def dismissed(self, repository_id: int) -> list[Dismissed]:
        """Return what is dismissed in a repository, by who did it first, the oldest first."""
        first: dict[str, Dismissed] = {}
        for one in self._noted(repository_id, forgotten=False):
            first.setdefault(one.finding, one)
        return list(first.values())

    def forgotten(self, repository_id: int) -> list[Dismissed]:
        """Return the dismissals that count no more."""
        return self._noted(repository_id, forgotten=True)

    def _noted(self, repository_id: int, *, forgotten: bool) -> list[Dismissed]:
        rows = (
            select(*(DISMISSALS.c[name] for name in Dismissed.__slots__))
            .where(
                DISMISSALS.c.repository_id == repository_id,
                DISMISSALS.c.forgotten == int(forgotten),
            )
            .order_by(DISMISSALS.c.since, DISMISSALS.c.finding, DISMISSALS.c.url)
        )
        with self.database.read() as db:
            return [Dismissed(*row) for row in db.execute(rows)]

    def forget(self, repository_id: int, finding: str) -> bool:
        """Let a finding be said again; False if nobody ever dismissed it.

        What dismissed it so far is noted down: those words still stand in a thread.
        """
        noted = (
            update(DISMISSALS)
            .where(DISMISSALS.c.repository_id == repository_id, DISMISSALS.c.finding == finding)
            .values(forgotten=1, reason="")
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
