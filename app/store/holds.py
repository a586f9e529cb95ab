"""Installations that GitHub wants no requests of for a while: all workers of all servers wait.

Where GitHub says until when, that holds. Where it does not, the pause is a minute at first and
twice as long each time, until something succeeds: who goes on asking is locked out for longer.
"""

import time

from sqlalchemy import delete, or_, select

from app.store.base import Base
from app.store.tables import HOLDS

FIRST_HOLD_S = 60.0
""" "wait for at least one minute before retrying"."""

LONGEST_HOLD_S = 3_600.0
"""The windows of all of GitHub's limits are an hour or shorter."""


class Holds(Base):
    """The part of the store that knows who has to wait."""

    def hold(self, installation: int, after_s: float | None) -> float:
        """Hold an installation for as long as GitHub says (None: it does not); return how long.

        Those who are refused at the same time are one refusal: the pause grows after the next one.
        """
        now = time.time()
        with self.database.write(alone=f"hold {installation}") as db:
            row = db.execute(select(HOLDS).where(HOLDS.c.installation == installation)).first()
            until, pause = (row.until, row.pause) if row else (0.0, 0.0)
            ends = now + _left(until, now)
            if after_s is not None:
                ends = max(ends, now + min(after_s, LONGEST_HOLD_S))
            elif ends <= now:
                pause = min(max(FIRST_HOLD_S, 2 * pause), LONGEST_HOLD_S)
                ends = now + pause
            new = self.database.insert(HOLDS).values(
                installation=installation, until=ends, pause=pause
            )
            said = {"until": new.excluded.until, "pause": new.excluded.pause}
            db.execute(new.on_conflict_do_update(index_elements=["installation"], set_=said))
        return ends - now

    def held(self, installation: int) -> float | None:
        """Return for how many seconds an installation is still held, 0 where that is over; None
        where all that was asked last has succeeded.
        """
        with self.database.read() as db:
            which = select(HOLDS.c.until).where(HOLDS.c.installation == installation)
            until = db.scalar(which)
        if until is None:
            return None
        return _left(until, time.time())

    def let_ask(self, installation: int) -> None:
        """Forget a hold that is over: something has succeeded since."""
        now = time.time()
        over = or_(HOLDS.c.until <= now, HOLDS.c.until > now + LONGEST_HOLD_S)
        with self.database.write() as db:
            db.execute(delete(HOLDS).where(HOLDS.c.installation == installation, over))


def _left(until: float, now: float) -> float:
    """Return how long a hold lasts yet: what lies too far ahead was written by a clock that ran
    ahead and was set right since, and is over.
    """
    return 0.0 if until > now + LONGEST_HOLD_S else max(until - now, 0.0)
