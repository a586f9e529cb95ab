"""An engine: reviews one pull request at a time, with the model's key and nothing that can write.

For the repository of its run it borrows a token that reads; what comes out is a `Report`.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from pydantic import SecretStr

from app.broker import TokenAsker, inherited
from app.caps import caps_of, sentence
from app.config_rows import Configured
from app.engine import Plan, asked, plan, run_explain, run_review
from app.forget import TENANT
from app.github.errors import AwayTooLong
from app.github.fetch import Checkout, Stopped, Wanted, checkout
from app.github.transport import AtTerminal, Denied
from app.github.urls import Server
from app.health import Health
from app.jobs import Step, Wish, step
from app.measures import CALLS, CAPPED, COUNTS, SPENT
from app.queue import Taker, threads_for
from app.render import words
from app.report import Report
from app.roles import NODE
from app.server_settings import ServerSettings, read_role_settings, store_at
from app.settings import Settings
from app.store import ENGINE, PUBLISH, REVIEW, Job, Run, Store
from app.store.spending import Reached
from app.stored import OtherVersion, read_stored
from app.trace_file import about, recording
from app.trace_shared import sharing
from app.worker import Claims, Halted
from reviewer.errors import FULL, NoRoom, RetryLater, RlmError, TellUser
from reviewer.model.prices import load
from reviewer.parsing.worker import make_ready
from reviewer.request import Cost, Looked, Skipped
from reviewer.rlm.trace import CallEnded, Event, NodeEnded, NodeStarted, TraceSink

if TYPE_CHECKING:
    from app.written import Written

log = logging.getLogger(__name__)

TOKEN_TIMEOUT_S = 60.0

MISCONFIGURED = "the owner of this reviewer's server has to mend its setup; its log says what."

WAITS_FOR_ROOM = "Waiting: there is no room on the disk of this reviewer's server."

ROOM_S = 60.0
"""How long a run waits before it looks again whether somebody has made room."""

MAX_REASONS = 100
REASON_CHARS = 300

MAX_REPORT_BYTES = 4_000_000
"""Of what a run hands over. The paths of what was set aside are the one part without a bound."""

LOOK_S = 0.5
"""How often a run asks whether it shall stop; the store is a file, and nodes ask all the time."""

DENIED_S = 5.0

TELL_S = 3.0
"""How often it says how far it is."""


def run(name: str, environ: Mapping[str, str], stopping: threading.Event) -> None:
    """Review until `stopping`. A review that is under way then is left for the next start."""
    import app.github.compare  # noqa: F401, PLC0415 - now, and not while the first review waits

    settings = read_role_settings(environ)
    store = Store(store_at(settings.home, environ))
    asker = TokenAsker(inherited(environ)["github"])
    node = environ.get(NODE, "")
    engine = _Engine(store, settings.base, settings.github, asker, stopping, node)
    broken, without = _problem(settings, name)
    name = node + name
    store.recover(name)
    with Health(store, name, broken or without) as health:
        if broken:
            # What waits is reviewed as its owner wants it, once the setting is mended.
            log.error("no review is made", extra={"why": broken})
            stopping.wait()
        else:
            do = partial(_do, engine, health, without)
            taker = Taker(Claims(store, ENGINE, name), do, engine.lost, stopping)
            threads = threads_for(taker, environ, 1)
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    store.close()


def _do(engine: "_Engine", health: Health, usual: str, job: Job) -> None:
    """Do a job. A full disk is no fault of its run: it waits for somebody to make room.

    `usual` is the problem of a process that works as it is meant to.
    """
    try:
        engine.do(job)
    except NoRoom as error:
        _wait_for_room(engine, health, job, f"{error.problem.rstrip('.')}. {error.hint}".strip())
    except OSError as error:
        if error.errno not in FULL:
            raise
        _wait_for_room(engine, health, job, f"A disk is full: {error.strerror}. Make room.")
    if health.problem != usual:
        health.tell(usual)


def _wait_for_room(engine: "_Engine", health: Health, job: Job, problem: str) -> NoReturn:
    log.error("no room", extra={"why": problem})
    health.tell(problem)
    with suppress(RlmError):  # the store may stand on that disk
        engine.store.progressed(read_stored(Step, job.payload).run, WAITS_FOR_ROOM)
    raise Halted(problem, ROOM_S)


def _problem(settings: ServerSettings, name: str) -> tuple[str, str]:
    """Say what is wrong with the settings, and why no model is asked where that is on purpose."""
    if problem := settings.problem_of(name):
        return problem, ""
    try:
        return "", asked(settings.base, load(settings.base.prices)).why_not
    except TellUser as error:
        return f"{error.problem.rstrip('.')}. {error.hint}".strip(), ""
    except RlmError as error:
        return str(error), ""


@dataclass(frozen=True, slots=True)
class _Done:
    """What a run came to, as JSON, and what it cost: nothing, if it was stopped before."""

    json: str = ""
    usd: float | None = 0.0
    calls: int = 0

    @classmethod
    def of(cls, json: str, cost: Cost) -> "_Done":
        """Return it with its cost; without a model there is none."""
        return cls(json, cost.usd if cost.calls else 0.0, cost.calls)


@dataclass(frozen=True)
class _Engine:
    store: Store
    settings: Settings
    server: Server
    tokens: TokenAsker
    stopping: threading.Event
    node: str = ""

    def do(self, job: Job) -> None:
        """Review the pull request of a run, and keep the report."""
        if job.kind != REVIEW:
            raise OtherVersion(f"Not known to this version: {job.kind}", 0.0)
        run = self.store.run(read_stored(Step, job.payload).run)
        if run is not None:
            read_stored(Wish, run.request)  # before anything is reserved for it
        if run is None or run.state == "ended":
            self.store.done(job)
            return
        if run.report or run.problem:
            # A server of an earlier version puts a second one after the check run of a run that
            # began here with the first: what that came to is about to be published.
            log.info("reviewed before", extra={"run": run.id})
            self.store.done(job)
            return
        watch = _Watch(self.store, run.id, self.stopping)
        done = _Done()
        before = self.store.reserved(run.id)
        reached = self._reserve(run)
        if isinstance(reached, Reached):
            log.warning("capped", extra={"run": run.id, "cap": reached.which, "usd": reached.cap})
            COUNTS.add(CAPPED, reached.which)
            self.store.reviewed(
                job, run.id, step(PUBLISH, run), problem=sentence(reached), settled=False
            )
            return
        if not watch():
            where = f"{run.repository}#{run.number}"
            log.info("reviewing", extra={"run": run.id, "pull": where, "head": run.head})
            try:
                with suppress(Stopped):  # while it was fetched
                    done = self._run(run, reached, watch)
            except Exception:
                if not watch.began:  # an outage, say: it holds nothing until it is tried again
                    self._give_back(job, run, before)
                raise
        if self.stopping.is_set():
            raise Halted("The server was stopped", 0.0)
        self.store.reviewed(
            job,
            run.id,
            step(PUBLISH, run),
            report=done.json,
            usd=done.usd,
            calls=done.calls,
            # What was stopped without a report may have paid, in this attempt or in one before.
            settled=bool(done.json) or (job.claim == 1 and not watch.paid),
        )

    def lost(self, job: Job, error: RlmError, *, last: bool = False) -> None:
        """Give up a run, and have the reason published: the store alone is needed for that."""
        run = self.store.run(read_stored(Step, job.payload).run)
        if run is None:
            self.store.fail(job, str(error))
            return
        self.store.reviewed(
            job,
            run.id,
            step(PUBLISH, run),
            problem=_explained(error),
            settled=False,
            away=isinstance(error, AwayTooLong),
        )

    def _reserve(self, run: Run) -> float | Reached | None:
        """Return what a run may cost, by all caps; one that is free of costs reserves nothing."""
        budget = self.settings.budget_usd
        if run.kind == "config" or run.stop or not self.settings.has_key or budget == 0:
            return budget
        return self.store.reserve(run.id, caps_of(self.settings.operations, budget))

    def _give_back(self, job: Job, run: Run, before: float) -> None:
        """Reserve for a run what its attempts before this one did: they may have paid."""
        try:
            self.store.give_back(job, run.id, before)
        except RlmError as error:
            log.warning("still reserved", extra={"run": run.id, "why": error})

    def _run(self, run: Run, budget_usd: float | None, watch: "_Watch") -> _Done:
        settings = self.settings.model_copy(update={"budget_usd": budget_usd})
        if run.kind == "review":
            make_ready()  # while it is fetched
        fetched = self._checkout(run, watch)
        wish = read_stored(Wish, run.request)
        planned = plan(
            fetched,
            settings,
            cancelled=watch,
            paths=wish.paths,
            promise=wish.promise,
            earlier=wish.earlier,
        )
        if wish.config:
            said = Configured(rows=planned.rows, notes=tuple(filter(None, planned.notes)))
            return _Done(said.model_dump_json())
        what = about(f"{run.repository}#{run.number}", run.base, run.head, planned.request, run.id)
        kept_s = self.settings.operations.keep_traces_s
        home = self.settings.home
        with (
            sharing(self.store, home, run.id, self.node, kept_s),
            recording(what, home, _warn, kept_s=kept_s) as trace,
        ):

            def see(event: Event) -> None:
                trace.see(event)
                watch.see(event)

            tenant, shared = TENANT.format(run.installation), self.store.database.shared
            if wish.task is not None:
                written = self._written(run, wish, fetched, settings, planned, see, watch)
                trace.wrote(written.account)
                return _Done.of(written.model_dump_json(), written.account.cost)
            if wish.question is not None:
                answer = run_explain(
                    fetched,
                    settings,
                    planned,
                    wish.question,
                    sink=see,
                    cancelled=watch,
                    run=run.id,
                    tenant=tenant,
                    shared=shared,
                )
                trace.answered(answer)
                return _Done.of(answer.model_dump_json(), answer.cost)
            done = run_review(
                fetched,
                settings,
                planned,
                sink=see,
                cancelled=watch,
                run=run.id,
                tenant=tenant,
                shared=shared,
            )
            trace.ended(done.review)
        return _Done.of(bounded(done).model_dump_json(), done.review.cost)

    def _written(  # noqa: PLR0917
        self,
        run: Run,
        wish: Wish,
        fetched: Checkout,
        settings: Settings,
        planned: Plan,
        see: TraceSink,
        watch: "_Watch",
    ) -> "Written":
        from app.writing_runs import run_writing  # noqa: PLC0415 most engines seldom write

        def stored(other: str) -> str:
            """Return what another run on the same pull request came to."""
            known = self.store.run(other)
            place = (run.installation, run.repository_id, run.number)
            if known is None or (known.installation, known.repository_id, known.number) != place:
                return ""
            return self.store.result(other)

        return run_writing(
            run.id,
            wish,
            fetched,
            settings,
            planned,
            stored,
            sink=see,
            cancelled=watch,
            tenant=TENANT.format(run.installation),
            shared=self.store.database.shared,
        )

    def _checkout(self, run: Run, watch: "_Watch") -> Checkout:
        # A branch of ours is known to GitHub by the pull request that is stacked with it.
        number = read_stored(Wish, run.request).stacked or run.number
        wanted = Wanted(self.server, run.repository, number, run.base, run.head)

        def lend() -> SecretStr | None:
            return self.tokens.ask(run.id, TOKEN_TIMEOUT_S).token

        try:
            return checkout(wanted, lend, self.settings.home, say=watch.say, cancelled=watch)
        except Denied as error:
            # Whoever asks for a run again gets another token: this one may have been too old.
            why = f"{self.server.host} does not let this App read the repository's contents"
            raise RetryLater(why, DENIED_S) from error


def bounded(report: Report) -> Report:
    """Return a report whose list of what was set aside names reasons alone if it is very long."""
    skipped = report.review.coverage.skipped
    if sum(len(one.path) + len(one.reason) for one in skipped) < MAX_REPORT_BYTES // 4:
        return report
    hunks: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for one in skipped:
        hunks[one.reason[:REASON_CHARS]] += one.hunks
        files[one.reason[:REASON_CHARS]] += 1
    named = hunks.most_common(MAX_REASONS)
    totals = [
        Skipped(path=words.count(files[reason], "file"), hunks=count, reason=reason)
        for reason, count in named
    ]
    if rest := sum(hunks.values()) - sum(count for _, count in named):
        others = len(skipped) - sum(files[reason] for reason, _ in named)
        totals.append(
            Skipped(path=words.count(others, "file"), hunks=rest, reason="for other reasons")
        )
    coverage = report.review.coverage.model_copy(update={"skipped": totals})
    # Nobody can tell from it what was looked at.
    return report.model_copy(
        update={
            "review": report.review.model_copy(update={"coverage": coverage}),
            "looked": Looked(),
        }
    )


def _warn(line: str) -> None:
    log.warning(line.removeprefix("warning: "))


def _explained(error: RlmError) -> str:
    """Say what happened to people who may not know this machine: no paths, no addresses."""
    if isinstance(error, TellUser) and not isinstance(error, AtTerminal):
        return MISCONFIGURED  # the worker has logged what is wrong
    return str(error)


@dataclass
class _Watch:
    """Answers whether a run shall stop, and keeps the store posted about how far it is."""

    store: Store
    run: str
    stopping: threading.Event
    _looked: float = 0.0
    _told: float = 0.0
    _stop: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _parts: int = 0
    _read: int = 0
    _usd: float = 0.0
    _calls: int = 0
    _seen: bool = False
    _blind: bool = False

    @property
    def paid(self) -> bool:
        """Was a model asked?"""
        return self._calls > 0

    @property
    def began(self) -> bool:
        """Was anything done for which a model may have been asked?"""
        return self._seen

    def __call__(self) -> bool:
        """Shall this run stop? Nodes ask from several threads."""
        if self.stopping.is_set() or self._stop:
            return True
        with self._lock:
            now = time.monotonic()
            if now - self._looked < LOOK_S:
                return self._stop
            self._looked = now
        try:
            self._stop = self.store.is_over(self.run)
        except RlmError as error:
            if not self._blind:  # nodes ask all the time
                log.warning("not looked up", extra={"run": self.run, "why": error})
            self._blind = True
        else:
            if self._blind:
                log.info("looked up again", extra={"run": self.run})
            self._blind = False
        return self._stop

    def say(self, line: str) -> None:
        """Tell what goes on before the review begins."""
        self._tell(f"{line[:1].upper()}{line[1:]}.")

    def see(self, event: Event) -> None:
        """Follow the trace."""
        begins = False
        self._seen = True
        match event:
            case NodeStarted():
                self._parts += 1
                begins = self._parts == 1  # or a review of one part would seem to fetch to its end
            case NodeEnded():
                self._read += 1
            case CallEnded(usd=usd):
                COUNTS.add(CALLS, "busy" if event.busy else "answered" if event.stop else "failed")
                COUNTS.add(SPENT, by=usd or 0.0)
                self._calls += 1
                self._usd += usd or 0.0
            case _:
                return
        if begins or time.monotonic() - self._told > TELL_S:
            parts = words.count(self._parts, "part")
            calls = words.count(self._calls, "call")
            self._tell(f"{self._read:,} of {parts} read so far, {calls}, ${self._usd:.2f}.")

    def _tell(self, line: str) -> None:
        self._told = time.monotonic()
        try:
            self.store.progressed(self.run, line)
        except RlmError as error:
            log.warning("progress not stored", extra={"run": self.run, "why": error})
