"""What is too old is forgotten: so many rows of each table at a time, so that nobody waits long."""

import time

from sqlalchemy import Connection, Table, delete, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from app.store.tables import (
    CARRIED,
    DELIVERIES,
    FINDINGS,
    JOBS,
    PLANS,
    REQUESTS,
    RUNS,
    SPENDING,
    STACKED,
    TRACES,
)
from app.store.threads import sweep_threads

REMEMBERED_S = 8 * 86_400.0
"""GitHub offers a delivery for redelivery for 3 days, a server of one's own for 7."""

LONG_S = 400 * 86_400.0
"""What has a row for each finding, pull request of ours or month: a year of it, and some days."""

AT_ONCE = 500


def sweep(db: Connection, kept_s: float, now: float) -> int:
    """Forget some of what is too old; return how many rows that were, 0 when nothing is left.

    `kept_s` is how long runs are kept that have ended, in seconds, and what goes with them. `now`
    is the time that counts (`app/store/clock.py`).
    """
    old, long_ago = now - kept_s, now - max(LONG_S, kept_s)
    which: tuple[tuple[Table, ColumnElement[bool]], ...] = (
        (DELIVERIES, DELIVERIES.c.received < now - REMEMBERED_S),
        (RUNS, (RUNS.c.state == "ended") & (RUNS.c.created < old)),
        (REQUESTS, REQUESTS.c.created < old),
        (JOBS, (JOBS.c.state == "failed") & (JOBS.c.created < old)),
        (FINDINGS, FINDINGS.c.changed < long_ago),
        (STACKED, STACKED.c.since < long_ago),
        (PLANS, PLANS.c.since < long_ago),
        (SPENDING, SPENDING.c.month < _month(long_ago)),
        (CARRIED, CARRIED.c.month < _month(now)),
        (TRACES, TRACES.c.run.not_in(select(RUNS.c.id))),
    )
    gone = sum(_delete_some(db, table, condition) for table, condition in which)
    # With the run of a pull request goes what keeps its threads.
    return gone + sweep_threads(db, old, AT_ONCE)


def _delete_some(db: Connection, table: Table, which: ColumnElement[bool]) -> int:
    key = tuple(table.primary_key)
    some = select(*key).where(which).limit(AT_ONCE)
    return db.execute(delete(table).where(tuple_(*key).in_(some))).rowcount


def _month(at: float) -> str:
    return time.strftime("%Y-%m", time.gmtime(at))
