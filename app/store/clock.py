"""Which time counts for what is removed from a database by age, or is too old (`app/clock.py`).

What was seen of the clock is kept with the measures, where whoever watches sees a leap. Servers
that share a database share it: one whose clock is ahead of the others' removes nothing too early.
"""

import logging
import time

from sqlalchemy import Connection, select

from app.clock import LEAP_S, Seen, looked
from app.measures import CLOCK
from app.store.database import Database
from app.store.tables import MEASURES

log = logging.getLogger(__name__)

_LEAPT = "clock_leapt"
"""Kept beside the measures, and none: nobody has to watch it."""


def now_by(db: Connection) -> float:
    """Return which time counts now (Unix): this clock's, unless it has leapt ahead by more than a
    day since the last look. Then it is the last one believed, and stands still.
    """
    of, now = MEASURES.c, time.time()
    last = select(of.value).where(of.name == CLOCK.name, of.label == "believed")
    known = db.scalar(last)
    return now if known is None or now - known <= LEAP_S else float(known)


def believed(database: Database, db: Connection) -> float:
    """Look at the clock before rows are removed by age; return which time counts (Unix)."""
    of, now = MEASURES.c, time.time()
    rows = db.execute(select(of.label, of.value).where(of.name == CLOCK.name))
    known = {row.label: row.value for row in rows}
    before = Seen(**known) if known.keys() == set(CLOCK.values) else None
    after = looked(before, now, often=True)
    if after.doubted and (before is None or before.doubted != after.doubted):
        about = {"now": now, "believed": after.believed}
        log.warning("the clock has leapt ahead: by age nothing is removed for now", extra=about)
    elif before is not None and before.doubted and not after.doubted:
        log.info("the clock is believed again", extra={"now": now})
    for label in CLOCK.values:
        _keep(database, db, CLOCK.name, label, getattr(after, label))
    if before is not None and after.believed - before.believed > LEAP_S:
        _keep(database, db, _LEAPT, "", after.believed)
    return after.believed


def leapt_to(db: Connection) -> float:
    """Return the time to which a leap ahead led that was believed, the last one; 0 for none.

    Only what lies behind it can be of a clock that was wrong, and has been set right since.
    """
    of = MEASURES.c
    return float(db.scalar(select(of.value).where(of.name == _LEAPT, of.label == "")) or 0.0)


def _keep(database: Database, db: Connection, name: str, label: str, value: float) -> None:
    at = time.time()
    new = database.insert(MEASURES).values(name=name, label=label, value=value, at=at)
    is_now = {"value": new.excluded.value, "at": at}
    db.execute(new.on_conflict_do_update(index_elements=["name", "label"], set_=is_now))
