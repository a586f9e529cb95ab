"""Runs: what was asked for, how far it is, what it came to and what it cost."""

import time
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, select, update

from app.store.base import Base, end, is_gone, put, stop
from app.store.spending import settle
from app.store.tables import JOBS, REPOSITORIES, RUNS
from app.store.values import PUBLISH, REVIEW, WRITING, Job, NewJob, NewRun, Run, Spent

_RUN = tuple(RUNS.c[name] for name in Run.__slots__)
_LISTED = tuple(
    literal("").label("report") if name == "report" else RUNS.c[name] for name in Run.__slots__
)
"""Where there are many: a report can have megabytes."""


class Runs(Base):
    """The part of the store that knows the runs."""

    def begin(
        self,
        new: NewRun,
        first: NewJob,
        stop_others: str = "",
        *,
        beside: NewJob | None = None,
        only_one: bool = False,
    ) -> bool:
        """Store a new run and its first job, or the two that begin it `beside` each other; with
        `stop_others`, why, the pull request's other reviews shall stop.

        False, and nothing, if a run of the same origin is there already; with `only_one`, if
        another of its kind goes on there. Nothing is begun for an installation that is gone: who is
        at a job of it may not know it yet.
        """
        row = {
            "id": new.id,
            "installation": new.installation,
            "repository_id": new.repository_id,
            "repository": new.repository,
            "number": new.number,
            "origin": new.origin,
            "request": new.request,
            "base": new.base,
            "head": new.head,
            "kind": new.kind,
            "state": "open",
            "created": time.time(),
            "seq": select(func.coalesce(func.max(RUNS.c.seq), 0) + 1).scalar_subquery(),
        }
        others = select(1).where(
            RUNS.c.repository_id == new.repository_id,
            RUNS.c.number == new.number,
            RUNS.c.kind == new.kind,
            RUNS.c.state == "open",
            RUNS.c.stop == "",
        )
        with self.database.write(alone="begin") as db:
            if is_gone(db, new.installation):
                return False
            if only_one and db.scalar(others.limit(1)) is not None:
                return False
            added = self.database.insert_new(db, RUNS, **row)
            if added:
                self.database.insert_new(
                    db,
                    REPOSITORIES,
                    installation=new.installation,
                    id=new.repository_id,
                    name=new.repository,
                )
                if stop_others:
                    stop(db, new.repository_id, new.number, stop_others, but=new.id)
                put(db, first)
                if beside is not None:
                    put(db, beside)
        return added

    def run(self, run: str) -> Run | None:
        """Return a run by its id."""
        found = self._runs(select(*_RUN).where(RUNS.c.id == run))
        return found[0] if found else None

    def result(self, run: str) -> str:
        """Return what an ended run came to, as JSON; "" where that is not kept (any more)."""
        with self.database.read() as db:
            return db.scalar(select(RUNS.c.result).where(RUNS.c.id == run)) or ""

    def runs_of(self, repository_id: int, number: int) -> list[Run]:
        """Return the runs of a pull request without their reports, the newest first."""
        return self._runs(
            _newest((RUNS.c.repository_id == repository_id) & (RUNS.c.number == number))
        )

    def runs_on(self, repository_id: int, head: str) -> list[Run]:
        """Return the runs on a commit without their reports, the newest first."""
        return self._runs(_newest((RUNS.c.repository_id == repository_id) & (RUNS.c.head == head)))

    def open_runs(self) -> list[Run]:
        """Return the runs that have not ended, without their reports, the oldest first."""
        return self._runs(select(*_LISTED).where(RUNS.c.state == "open").order_by(RUNS.c.seq))

    def ended_in(self, repository_id: int, most: int) -> list[Run]:
        """Return the reviews of a repository that ended last and had a check run, as `runs_of`."""
        which = (RUNS.c.repository_id == repository_id) & (RUNS.c.kind == "review")
        ended = (RUNS.c.state == "ended") & RUNS.c.check_run.is_not(None)
        return self._runs(_newest(which & ended).limit(most))

    def runs_in(self, installation: int, repositories: Sequence[int] | None = None) -> list[Run]:
        """Return the runs of an installation, or of some of its repositories, without reports."""
        which = select(*_LISTED).where(RUNS.c.installation == installation).order_by(RUNS.c.seq)
        if repositories is not None:
            which = which.where(RUNS.c.repository_id.in_(repositories))
        return self._runs(which)

    def repositories_in(
        self, installation: int, repositories: Sequence[int] | None = None
    ) -> frozenset[str]:
        """Return the names, also former ones, under which something was begun in repositories."""
        which = select(REPOSITORIES.c.name).where(REPOSITORIES.c.installation == installation)
        if repositories is not None:
            which = which.where(REPOSITORIES.c.id.in_(repositories))
        with self.database.read() as db:
            return frozenset(db.scalars(which))

    def _runs(self, which: Select[*tuple[object, ...]]) -> list[Run]:
        with self.database.read() as db:
            return [Run(*row) for row in db.execute(which)]  # type: ignore[arg-type]

    def stop(
        self, repository_id: int, number: int, why: str, only: Sequence[str] | None = None
    ) -> int:
        """Ask the open runs of a pull request to stop, or some; return how many there are."""
        with self.database.write() as db:
            return stop(db, repository_id, number, why, only=only)

    def stopped(self, run: str) -> str:
        """Return why a run shall stop, "" while it shall not."""
        with self.database.read() as db:
            why = db.execute(select(RUNS.c.stop).where(RUNS.c.id == run)).scalar_one_or_none()
        return "it is not known any more" if why is None else why

    def is_over(self, run: str) -> bool:
        """Has a run ended, or shall it stop? One that could not be shown ends while it reviews."""
        goes_on = (RUNS.c.id == run, RUNS.c.state == "open", RUNS.c.stop == "")
        with self.database.read() as db:
            return db.scalar(select(1).where(*goes_on)) is None

    def shown(self, job: Job, run: str, check_run: int | None, then: NewJob) -> None:
        """End the job that showed a run on GitHub: remember its check run, if it has one.

        `then` follows unless the run has a step beside this one, as all have that began together.
        """
        beside = select(1).where(
            JOBS.c.key.in_((job.key, f"run:{run}")),
            JOBS.c.kind.in_((REVIEW, PUBLISH)),
            JOBS.c.payload == then.payload,
        )
        with self.database.write() as db:
            if end(db, job):
                db.execute(update(RUNS).where(RUNS.c.id == run).values(check_run=check_run))
                if db.scalar(beside.limit(1)) is None:
                    put(db, then)

    def shows(self, run: str, check_run: int | None) -> None:
        """Remember the check run of a run whose end has come before the job that was to show it."""
        with self.database.write() as db:
            db.execute(update(RUNS).where(RUNS.c.id == run).values(check_run=check_run))

    def progressed(self, run: str, progress: str) -> None:
        """Keep how far a run is, as a sentence."""
        with self.database.write() as db:
            db.execute(update(RUNS).where(RUNS.c.id == run).values(progress=progress))

    def reviewed(
        self,
        job: Job,
        run: str,
        then: NewJob,
        *,
        report: str = "",
        problem: str = "",
        usd: float | None = 0.0,
        calls: int = 0,
        settled: bool = True,
        away: bool = False,
    ) -> None:
        """End the job that reviewed: keep its result, or why there is none, and what it cost.

        `usd` is None where the model's price is not known. Not `settled`: what it cost cannot be
        told, and what was reserved for it counts. `away`: an outage kept it from its result.
        A run that has ended meanwhile has counted what was reserved, and keeps no result.
        """
        goes_on = select(1).where(RUNS.c.id == run, RUNS.c.state == "open")
        with self.database.write() as db:
            if end(db, job, then) and db.scalar(goes_on) is not None:
                db.execute(
                    update(RUNS)
                    .where(RUNS.c.id == run)
                    .values(report=report, problem=problem, usd=usd, calls=calls, away=int(away))
                )
                settle(self, db, run, (usd or 0.0) if settled else None)

    def known_as(self, run: str, report: str) -> None:
        """Keep a report under the ids by which people know its findings, until its run ends."""
        mine = (RUNS.c.id == run) & (RUNS.c.report != "")
        with self.database.write() as db:
            db.execute(update(RUNS).where(mine).values(report=report))

    def ended(
        self,
        job: Job,
        run: str,
        outcome: str,
        *then: NewJob,
        findings: int | None = None,
        verdict: str = "",
        away: bool = False,
    ) -> None:
        """End a run with its last job. What a review came to, or what was written, is kept.

        `away`: an outage kept it from being said.
        """
        kept = RUNS.c.kind.in_(("review", *WRITING))
        result = case((kept, RUNS.c.report), else_="")
        with self.database.write() as db:
            if end(db, job, *then):
                settle(self, db, run, None)
                db.execute(
                    update(RUNS)
                    .where(RUNS.c.id == run)
                    .values(
                        state="ended",
                        outcome=outcome,
                        ended=time.time(),
                        findings=findings,
                        result=result,
                        verdict=verdict,
                        report="",
                        away=1 if away else RUNS.c.away,
                    )
                )

    def turned_out(self, job: Job, run: str, outcome: str, *then: NewJob) -> None:
        """End a job that found out what came of a run which has ended already."""
        with self.database.write() as db:
            if end(db, job, *then):
                db.execute(update(RUNS).where(RUNS.c.id == run).values(outcome=outcome))

    def spent(self, repository_id: int, number: int) -> Spent:
        """Return what the runs of a pull request have cost, as far as they are remembered."""
        unpriced = case((and_(RUNS.c.usd.is_(None), RUNS.c.calls > 0), 1), else_=0)
        total = select(
            func.count(),
            func.coalesce(func.sum(RUNS.c.calls), 0),
            func.coalesce(func.sum(RUNS.c.usd), 0.0),
            func.coalesce(func.sum(unpriced), 0),
        ).where(RUNS.c.repository_id == repository_id, RUNS.c.number == number)
        with self.database.read() as db:
            runs, calls, usd, without = db.execute(total).one()
        return Spent(runs, int(calls), float(usd), int(without))


def _newest(which: ColumnElement[bool]) -> Select[*tuple[object, ...]]:
    return select(*_LISTED).where(which).order_by(RUNS.c.seq.desc())
