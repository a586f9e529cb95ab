"""What is to be written, and what was: plans that wait for a person, and pull requests of ours."""

import time
from collections.abc import Sequence
from typing import Literal

from sqlalchemy import ColumnElement, delete, func, select, update

from app.store.base import Base
from app.store.tables import JOBS, PLANS, STACKED
from app.store.values import CI, Plan, Stacked, StackedState

_STACKED = tuple(STACKED.c[name] for name in Stacked.__slots__)
_PLAN = tuple(PLANS.c[name] for name in Plan.__slots__)


class Stacks(Base):
    """The part of the store that knows plans and stacked pull requests."""

    def note(self, made: Stacked) -> None:
        """Remember a stacked pull request; to do it again changes nothing but its head."""
        values = {name: getattr(made, name) for name in Stacked.__slots__}
        new = self.database.insert(STACKED).values(**values, since=time.time())
        again = {"stacked": made.stacked, "branch": made.branch, "head": made.head}
        with self.database.write() as db:
            db.execute(new.on_conflict_do_update(index_elements=["run"], set_=again))

    def stacked(self, run: str) -> Stacked | None:
        """Return the stacked pull request that a run has made."""
        found = self._stacked(STACKED.c.run == run)
        return found[0] if found else None

    def stacked_of(self, repository_id: int, number: int) -> list[Stacked]:
        """Return what is stacked on a pull request, the newest first."""
        return self._stacked(
            (STACKED.c.repository_id == repository_id) & (STACKED.c.number == number)
        )

    def by_stacked(self, repository_id: int, stacked: int) -> Stacked | None:
        """Return a stacked pull request by its own number."""
        mine = (STACKED.c.repository_id == repository_id) & (STACKED.c.stacked == stacked)
        found = self._stacked(mine)
        return found[0] if found else None

    def update(
        self,
        run: str,
        *,
        head: str | None = None,
        rounds: int | None = None,
        state: StackedState | None = None,
        undone_by: int | None = None,
        onto: str | None = None,
    ) -> None:
        """Change what is known of the stacked pull request of a run."""
        given = {"head": head, "rounds": rounds, "state": state, "undone_by": undone_by}
        given["onto"] = onto
        changed = {name: value for name, value in given.items() if value is not None}
        if not changed:
            return
        with self.database.write() as db:
            db.execute(update(STACKED).where(STACKED.c.run == run).values(**changed))

    def _stacked(self, which: ColumnElement[bool]) -> list[Stacked]:
        rows = select(*_STACKED).where(which).order_by(STACKED.c.since.desc(), STACKED.c.run)
        with self.database.read() as db:
            return [Stacked(*row) for row in db.execute(rows)]

    def unwatch(self, runs: Sequence[str]) -> int:
        """Look no more at the checks of what runs have stacked; count the lookings that ends.

        A look under way finds it in the row. That is there before the jobs are looked for: whoever
        has not found it has put its next look where it is found here.
        """
        with self.database.write() as db:
            db.execute(update(STACKED).where(STACKED.c.run.in_(runs)).values(unwatched=1))
        looks = (JOBS.c.kind == CI) & JOBS.c.key.in_([f"{CI}:{run}" for run in runs])
        waits, goes_on = JOBS.c.state == "waiting", JOBS.c.state == "claimed"
        with self.database.write() as db:
            under_way = select(func.count()).select_from(JOBS).where(looks, goes_on)
            return db.execute(delete(JOBS).where(looks, waits)).rowcount + (
                db.scalar(under_way) or 0
            )

    # Plans

    def propose(self, plan: Plan) -> None:
        """Remember a plan that was shown, in place of those before it on that pull request; to do
        it again changes nothing.
        """
        values = {name: getattr(plan, name) for name in Plan.__slots__}
        before = (
            update(PLANS)
            .where(
                PLANS.c.repository_id == plan.repository_id,
                PLANS.c.number == plan.number,
                PLANS.c.run != plan.run,
                PLANS.c.state == "waiting",
            )
            .values(state="over")
        )
        with self.database.write() as db:
            if self.database.insert_new(db, PLANS, **values):
                db.execute(before)

    def plan(self, run: str) -> Plan | None:
        """Return the plan that a run has shown."""
        found = self._plans(PLANS.c.run == run)
        return found[0] if found else None

    def plans_of(self, repository_id: int, number: int) -> list[Plan]:
        """Return the plans shown on a pull request, the newest first."""
        return self._plans((PLANS.c.repository_id == repository_id) & (PLANS.c.number == number))

    def waiting_plans(self, since: float) -> list[Plan]:
        """Return the plans that wait for a person and were shown since then, the newest first."""
        return self._plans((PLANS.c.state == "waiting") & (PLANS.c.since >= since))

    def decide(
        self, run: str, state: Literal["started", "over"], *, started_too: bool = False
    ) -> None:
        """Let a plan wait no more; one that was started stays so, unless `started_too`."""
        undecided = PLANS.c.run == run
        if not started_too:
            undecided &= PLANS.c.state != "started"
        with self.database.write() as db:
            db.execute(update(PLANS).where(undecided).values(state=state))

    def forget_plans(self, before: float) -> None:
        """Forget the plans that were shown before then."""
        with self.database.write() as db:
            db.execute(delete(PLANS).where(PLANS.c.since < before))

    def _plans(self, which: ColumnElement[bool]) -> list[Plan]:
        rows = select(*_PLAN).where(which).order_by(PLANS.c.since.desc(), PLANS.c.run)
        with self.database.read() as db:
            return [Plan(*row) for row in db.execute(rows)]
