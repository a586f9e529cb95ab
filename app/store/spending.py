"""What is spent against caps: reserved before a run spends it, settled when it is known."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Select, Table, delete, exists, func, select, union_all, update

from app.clock import LASTS_S
from app.measures import AHEAD
from app.store.base import Base
from app.store.clock import leapt_to, now_by
from app.store.database import Database
from app.store.tables import CARRIED, JOBS, MEASURES, REPOSITORIES, RUNS, SPENDING
from app.store.values import Job

LEAST_USD = 0.01
"""With less than this left, a cap is reached."""

Which = Literal["pull", "month"]


@dataclass(frozen=True, slots=True)
class Caps:
    """Most that may be spent, in dollars, by one run, on one pull request, and by one installation
    in a calendar month (UTC); None is no cap.
    """

    run: float | None = None
    pull: float | None = None
    month: float | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """A cap that leaves nothing for another run, with what was spent or is reserved against it."""

    which: Which
    cap: float
    usd: float


class Spendings(Base):
    """The part of the store that holds runs to their caps, whatever runs at one time."""

    def reserve(self, run: str, caps: Caps) -> float | Reached | None:
        """Reserve what a run may spend at most and return it, None for no cap; or say which cap
        is reached. To do so again for the same run takes the place of what it had.
        """
        with self.database.write(alone="spend") as db:
            row = db.execute(select(RUNS).where(RUNS.c.id == run)).one_or_none()
            if row is None:
                return caps.run
            left = [caps.run]
            for which, cap, spent in (
                ("pull", caps.pull, _of_pull(db, row.repository_id, row.number, but=run)),
                ("month", caps.month, _of_month(db, row.installation, but=run)),
            ):
                if cap is None:
                    continue
                if cap - spent < LEAST_USD:
                    return Reached("pull" if which == "pull" else "month", cap, spent)
                left.append(cap - spent)
            most = min((one for one in left if one is not None), default=None)
            db.execute(update(RUNS).where(RUNS.c.id == run).values(reserved=most or 0.0))
        return most

    def reserved(self, run: str) -> float:
        """Return what a run has reserved, in dollars; 0 for one that is not known."""
        with self.database.read() as db:
            return float(db.scalar(select(RUNS.c.reserved).where(RUNS.c.id == run)) or 0.0)

    def give_back(self, job: Job, run: str, usd: float) -> None:
        """Let a run have no more than `usd` reserved: an attempt of its job has paid nothing.

        Does nothing where somebody else has the job by now.
        """
        mine = exists().where(JOBS.c.id == job.id, JOBS.c.claims == job.claim)
        more = (RUNS.c.id == run) & (RUNS.c.reserved > usd) & mine
        with self.database.write(alone="spend") as db:
            db.execute(update(RUNS).where(more).values(reserved=usd))

    def spent_by_pull(self, repository_id: int, number: int) -> float:
        """Return what a pull request has cost or may still cost, in dollars."""
        with self.database.read() as db:
            return _of_pull(db, repository_id, number)

    def spent_this_month(self, installation: int) -> float:
        """Return what an installation has spent or may still spend this month, in dollars."""
        with self.database.read() as db:
            return _of_month(db, installation)

    def most_this_month(self) -> float:
        """Return what the installation that spends most has spent or may still spend this month."""
        with self.database.read() as db:
            return _most(db)


def _most(db: Connection) -> float:
    month = _month(db)
    reserved = select(RUNS.c.installation, RUNS.c.reserved.label("usd")).where(
        RUNS.c.state == "open"
    )
    later = SPENDING.alias()
    is_last = ~exists().where(
        later.c.installation == SPENDING.c.installation, later.c.month > SPENDING.c.month
    )
    spent = select(SPENDING.c.installation, SPENDING.c.usd).where(
        SPENDING.c.month >= month, is_last
    )
    # A repository has a row for each name that it had.
    theirs = select(REPOSITORIES.c.installation, REPOSITORIES.c.id).distinct().subquery()
    carried = select(theirs.c.installation, CARRIED.c.usd).where(
        CARRIED.c.repository_id == theirs.c.id, CARRIED.c.month >= month
    )
    every = union_all(spent, reserved, carried).subquery()
    each = select(func.sum(every.c.usd).label("usd")).group_by(every.c.installation).subquery()
    return float(db.scalar(select(func.max(each.c.usd))) or 0.0)


def settle(base: Base, db: Connection, run: str, usd: float | None) -> None:
    """Count what a run cost in its installation's month, and give the rest of it back.

    `usd` None: it is not known (a run that was stopped between two attempts, say), and what was
    reserved counts. Does nothing to a run without a reservation that cost nothing.
    """
    row = db.execute(select(RUNS).where(RUNS.c.id == run)).one_or_none()
    if row is None:
        return
    cost = row.reserved if usd is None else usd
    if cost:
        new = base.database.insert(SPENDING).values(
            installation=row.installation, month=_month_of(db, row.installation), usd=cost
        )
        more = {"usd": SPENDING.c.usd + new.excluded.usd}
        db.execute(new.on_conflict_do_update(index_elements=["installation", "month"], set_=more))
    changed = {"reserved": 0.0} if usd is not None or not cost else {"reserved": 0.0, "usd": cost}
    db.execute(update(RUNS).where(RUNS.c.id == run).values(**changed))


def bring_back(database: Database, db: Connection, now: float) -> None:
    """Count what was spent in months that have not begun in the one in which the clock was set
    right, once it has gone on like that for a day.

    `now` is the time that counts (`app/store/clock.py`). A clock that ran ahead for longer than a
    day was believed, and whoever has spent by it spends in that month (`_month_of`) until then: for
    what is behind by a few minutes, or for an hour, is another clock, and no money comes of that.
    Nor does any of a clock that is behind for days: what has not begun by it was reached in time,
    unless a leap ahead was believed that led there.
    """
    leapt = leapt_to(db)
    since = db.scalar(select(MEASURES.c.value).where(MEASURES.c.name == AHEAD.name)) or 0.0
    month = _named(now)
    last = max(db.scalar(select(func.max(one.c.month))) or "" for one in (SPENDING, CARRIED))
    began = 0.0
    if leapt and last > month and last >= _named(leapt):
        began = since if 0.0 < since <= now else now
        if now - began >= LASTS_S:
            for table in (SPENDING, CARRIED):
                _bring_back(database, db, table, month, _named(began))
            began = 0.0
    at = time.time()
    new = database.insert(MEASURES).values(name=AHEAD.name, label="", value=began, at=at)
    is_now = {"value": new.excluded.value, "at": at}
    db.execute(new.on_conflict_do_update(index_elements=["name", "label"], set_=is_now))


def _bring_back(database: Database, db: Connection, table: Table, after: str, into: str) -> None:
    """Add what each owner has in the months after one to what it has in another."""
    owner = next(iter(table.primary_key))
    # What is settled meanwhile is in what is removed, or stays: in neither it is lost.
    gone = delete(table).where(table.c.month > after).returning(owner, table.c.usd)
    for number, usd in db.execute(gone).all():
        new = database.insert(table).values({owner.name: number, "month": into, "usd": usd})
        more = {"usd": table.c.usd + new.excluded.usd}
        db.execute(new.on_conflict_do_update(index_elements=[owner.name, "month"], set_=more))


def costs_of(db: Connection, installation: int, repositories: Collection[int]) -> dict[int, float]:
    """Return what an installation's runs in these repositories have cost or may still, in dollars,
    as far as they are remembered.
    """
    usd = func.sum(func.coalesce(RUNS.c.usd, 0.0) + RUNS.c.reserved)
    each = select(RUNS.c.repository_id, usd).where(RUNS.c.installation == installation)
    known = {row[0]: float(row[1]) for row in db.execute(each.group_by(RUNS.c.repository_id))}
    return {one: known.get(one, 0.0) for one in repositories}


def carry(base: Base, db: Connection, installation: int, costs: Mapping[int, float]) -> None:
    """Have what an installation spent this month count where its repositories are installed again:
    each has the part that its `costs` are of all of them. GitHub gives that another number.
    """
    db.execute(delete(CARRIED).where(CARRIED.c.month < _month(db)))
    month = _month_of(db, installation)
    # What it was given itself counts on by its repositories as it is.
    spent = select(SPENDING.c.usd).where(
        SPENDING.c.installation == installation, SPENDING.c.month == month
    )
    usd = float(db.scalar(spent) or 0.0)
    if not usd or not costs:
        return
    total = sum(costs.values())
    for repository, cost in costs.items():
        part = usd * cost / total if total else usd / len(costs)
        new = base.database.insert(CARRIED).values(repository_id=repository, month=month, usd=part)
        more = {"usd": CARRIED.c.usd + new.excluded.usd}
        db.execute(new.on_conflict_do_update(index_elements=["repository_id", "month"], set_=more))


def _of_pull(db: Connection, repository_id: int, number: int, but: str = "") -> float:
    usd = func.coalesce(RUNS.c.usd, 0.0) + RUNS.c.reserved
    total = select(func.coalesce(func.sum(usd), 0.0)).where(
        RUNS.c.repository_id == repository_id, RUNS.c.number == number, RUNS.c.id != but
    )
    return float(db.scalar(total) or 0.0)


def _of_month(db: Connection, installation: int, but: str = "") -> float:
    month = _month_of(db, installation)
    spent = select(SPENDING.c.usd).where(
        SPENDING.c.installation == installation, SPENDING.c.month == month
    )
    reserved = select(func.coalesce(func.sum(RUNS.c.reserved), 0.0)).where(
        RUNS.c.installation == installation, RUNS.c.state == "open", RUNS.c.id != but
    )
    carried = select(func.sum(CARRIED.c.usd)).where(
        CARRIED.c.month == month, CARRIED.c.repository_id.in_(_repositories_of(installation))
    )
    # In one statement: what is settled between two would be in neither.
    first, *others = (
        func.coalesce(one.scalar_subquery(), 0.0) for one in (spent, reserved, carried)
    )
    return float(db.scalar(select(sum(others, first))) or 0.0)


def _month_of(db: Connection, installation: int) -> str:
    """Return the month that an installation spends in: never one before the last that it spent in,
    so that a clock which is set back brings no money again that is spent. Where that lies ahead
    because a clock was wrong, it is brought back: see `bring_back`.
    """
    spent = select(func.max(SPENDING.c.month)).where(SPENDING.c.installation == installation)
    carried = select(func.max(CARRIED.c.month)).where(
        CARRIED.c.repository_id.in_(_repositories_of(installation))
    )
    return max(_month(db), db.scalar(spent) or "", db.scalar(carried) or "")


def _repositories_of(installation: int) -> Select[tuple[int]]:
    return select(REPOSITORIES.c.id).where(REPOSITORIES.c.installation == installation)


def _month(db: Connection) -> str:
    """Return this month: a clock that leaps ahead begins none before it has lasted for a day."""
    return _named(now_by(db))


def _named(at: float) -> str:
    return time.strftime("%Y-%m", time.gmtime(at))
