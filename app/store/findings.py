"""What became of the findings that were told: still open, accepted, dismissed, fixed."""

import time
from collections.abc import Iterable

from sqlalchemy import select, update

from app.store.base import Base
from app.store.tables import FINDINGS
from app.store.values import State, Told

_BEFORE = {"open": 0, "accepted": 1, "dismissed": 2, "fixed": 2}
"""Nothing goes back by itself: what was fixed is not accepted later, whatever a thread says."""


class Findings(Base):
    """The part of the store that knows what became of findings."""

    def became(self, repository_id: int, number: int) -> dict[str, State]:
        """Return what became of each finding that was told on a pull request, by its id."""
        rows = select(FINDINGS.c.finding, FINDINGS.c.state).where(
            FINDINGS.c.repository_id == repository_id, FINDINGS.c.number == number
        )
        with self.database.read() as db:
            return {row.finding: row.state for row in db.execute(rows)}

    def told(self, repository_id: int, number: int, run: str, findings: Iterable[Told]) -> None:
        """Note findings as a publication met them; to do it again changes nothing.

        One that is told again after it was fixed is open once more.
        """
        now = time.time()
        with self.database.write() as db:
            for one in findings:
                is_new = bool(one.severity) and self.database.insert_new(
                    db,
                    FINDINGS,
                    repository_id=repository_id,
                    finding=one.finding,
                    number=number,
                    run=run,
                    severity=one.severity,
                    category=one.category,
                    state=one.state,
                    said=now,
                    changed=now,
                )
                if is_new:
                    continue
                mine = (FINDINGS.c.repository_id == repository_id) & (
                    FINDINGS.c.finding == one.finding
                )
                state = db.scalar(select(FINDINGS.c.state).where(mine))
                is_back = state == "fixed" and one.state == "open"
                if is_back or _BEFORE[one.state] > _BEFORE.get(str(state), 0):
                    db.execute(update(FINDINGS).where(mine).values(state=one.state, changed=now))
