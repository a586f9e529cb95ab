"""What the github role does: looks at pull requests, obeys commands, shows and ends runs.

Each function does one job. It may be killed at any point and called again, so it looks for what it
has done before doing it, and ends its job in the transaction that stores what follows.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import takewhile
from typing import TypeVar

from app.check_steps import CheckSteps, conclude_new
from app.ci_steps import CiSteps
from app.config_rows import Configured
from app.fence import fenced
from app.github import check_runs
from app.github.answers import render_answer
from app.github.client import Hub
from app.github.code_scanning import upload
from app.github.errors import AwayTooLong, Elsewhere, Forbidden, Limited, NotThere, Refused
from app.github.publish import Publication, Published, publish
from app.github.pulls import look_at
from app.github.remarks import under_ids
from app.github.replies import reply
from app.jobs import (
    Ci,
    Command,
    Gone,
    Handed,
    Look,
    Pressed,
    Queued,
    Reply,
    Rerun,
    Step,
    Untold,
    Wish,
    step,
)
from app.look_steps import Installed, LookSteps
from app.measures import COUNTS, RUNS, UNPUBLISHED
from app.obey import Commands, configured
from app.open_heads import settles
from app.operations import DEFAULTS, Operations
from app.render.escape import markdown_line
from app.report import Report, Verdict
from app.run_life import CLOSED, Begin, Connect, begin, goes_on
from app.store import (
    OPEN,
    PROGRESS,
    PUBLISH,
    REVIEW,
    WRITING,
    Job,
    NewJob,
    Run,
    Store,
)
from app.stored import OtherVersion, read_stored
from app.write_steps import Writing
from reviewer.errors import GiveUp, RlmError
from reviewer.explain.values import Explanation
from reviewer.request import Review

log = logging.getLogger(__name__)

DELIVERED = frozenset({"stacked", "pushed"})
"""Outcomes of runs whose commits stand on a branch."""

PROBLEM_CHARS = 2_000

NOT_DONE = "I have given up on this: {why}. Give the command again where it is still wanted."
NOT_PRESSED = (
    "I have given up on closing findings, as a button was pressed for: {why}. Press it again, or "
    "say `/rlm fix`, where that is still wanted."
)

T = TypeVar("T")

Includes = Callable[[int, int], bool]
"""Has an installation a repository (by its id), as GitHub says now?"""

IsInstalled = Callable[[int], bool]
"""Is an installation there, as GitHub says now?"""

Forget = Callable[[], object]
"""Removes from this server what the store says that every server has to (`app/forget.py`)."""


class Steps:
    """The jobs of the github role, each by its kind."""

    def __init__(
        self,
        store: Store,
        connect: Connect,
        connect_for_checks: Connect,
        marker_key: bytes,
        forget: Forget,
        *,
        connect_for_scanning: Connect,
        connect_to_read: Connect | None = None,
        connect_to_write: Connect | None = None,
        connect_to_watch: Connect | None = None,
        connect_to_resolve: Connect | None = None,
        installed: Installed,
        includes: Includes,
        is_installed: IsInstalled,
        public_url: str = "",
        operations: Operations = DEFAULTS,
    ) -> None:
        """Take what the jobs need; with a `public_url` each run has a page below it, and with
        `connect_to_write` branches and pull requests are made where they are asked for.
        """
        self.store = store
        self._connect_for_scanning = connect_for_scanning
        self._begin: Begin = partial(begin, store, marker_key)
        self._connect = connect
        self._connect_for_checks = connect_for_checks
        self._connect_to_read = connect_to_read or connect
        self._connect_to_resolve = connect_to_resolve or connect
        self._key = marker_key
        self._forget = forget
        self._includes = includes
        self._is_installed = is_installed
        self._public_url = public_url
        self._showing = threading.Lock()
        self.writing = Writing(
            store,
            connect,
            self._begin,
            marker_key,
            connect_to_read=connect_to_read,
            connect_to_write=connect_to_write,
            page=self._page,
        )
        self._writes = connect_to_write is not None
        self._ci = CiSteps(store, connect_to_watch or connect, self._begin, self.writing)
        self._commands = Commands(
            store,
            self._begin,
            marker_key,
            self.writing,
            operations,
            connect_to_resolve=self._connect_to_resolve,
        )
        self._checks = CheckSteps(store, connect, self._begin)
        self._looks = LookSteps(
            store, connect, self._begin, self.writing, installed=installed, obey=self._obey
        )

    def do(self, job: Job) -> None:
        """Do one job, and end it."""
        match job.kind:
            case Look.kind:
                self._looks.look(job, read_stored(Look, job.payload))
            case Command.kind:
                self._command(job, read_stored(Command, job.payload))
            case Rerun.kind:
                self._checks.rerun(job, read_stored(Rerun, job.payload))
            case Pressed.kind:
                self._pressed(job, read_stored(Pressed, job.payload))
            case Ci.kind:
                self._ci.look(job, read_stored(Ci, job.payload))
            case Reply.kind:
                self._reply(job, read_stored(Reply, job.payload))
            case Handed.kind:
                self._looks.handed(job, read_stored(Handed, job.payload))
            case Gone.kind:
                self._gone(job, read_stored(Gone, job.payload))
            case Queued.kind:
                self._checks.queued(job, read_stored(Queued, job.payload))
            case Untold.kind:
                self._untold(job, read_stored(Untold, job.payload))
            case kind if kind not in {OPEN, PROGRESS, PUBLISH}:
                raise OtherVersion(f"Not known to this version: {kind}", 0.0)
            case _:
                self._step(job, self.store.run(read_stored(Step, job.payload).run))

    def lost(self, job: Job, error: RlmError, *, last: bool = False) -> None:
        """End a job that cannot be done, and say why where its reader looks.

        What keeps that from being said for now is raised, unless this is the `last` try: then it
        ends all the same, and another job says it when that is possible.
        """
        run = self._run_of_job(job)
        if job.kind == Handed.kind:
            handed = read_stored(Handed, job.payload)
            self.store.answer(handed.request, why=str(error), failed=True)
        if run is not None and job.kind == OPEN and (run.report or run.problem):
            # The review is there, and paid: who publishes it can do without the check run.
            log.warning("no check run", extra={"run": run.id, "why": error})
            self.store.fail(job, str(error))
            return
        if run is not None:
            log.error("run lost", extra={"run": run.id, "why": error})
        outcome, later = "", []
        try:
            outcome = self._tell_lost(job, run, error)
        except (GiveUp, OtherVersion) as refusal:
            # A conversation that is locked, a repository that is gone.
            log.warning("not said", extra={"job": job.id, "why": refusal})
        except Exception as trouble:
            if not last or isinstance(trouble, Limited):
                raise
            log.warning("not said yet", extra={"job": job.id, "why": trouble})
            later = [Untold.about(job, str(error)).job(job.key, run)]
        if run is None:
            self.store.fail(job, str(error), *later)
        elif outcome in DELIVERED:
            self._writing_ended(job, run, outcome)
        else:
            away = isinstance(error, AwayTooLong)
            self._ended(job, run, f"lost: {error}", *later, away=away)

    def _run_of_job(self, job: Job) -> Run | None:
        """Return the run that a job of this role shows or ends, None where it is no such job."""
        if job.kind not in {OPEN, PUBLISH}:
            return None
        return self.store.run(read_stored(Step, job.payload).run)

    def _untold(self, job: Job, untold: Untold) -> None:
        """Say what was given up while nobody could be told; try again for as long as it is known.

        What is done by then stands: a run that writes may have opened its pull request.
        """
        given_up = replace(job, kind=untold.of, payload=untold.payload)
        run = self._run_of_job(given_up)
        if run is not None and self._is_overtaken(run):
            self.store.done(job)
            return
        if run is not None:  # what it came to was kept when it ended
            run = replace(run, report=self.store.result(run.id))
        about = {"job": job.id, "of": untold.of}
        outcome = ""
        try:
            outcome = self._tell_lost(given_up, run, GiveUp(untold.why))
        except (GiveUp, OtherVersion) as refusal:
            log.warning("not said", extra={**about, "why": refusal})
        except RlmError as trouble:
            if self.store.now() - untold.since < self.store.kept_s:
                pause = untold.pause_s()
                if isinstance(trouble, Limited):
                    pause = max(pause, trouble.after_s)
                self.store.again(job, "it could not be said", pause, counts=False, away=True)
                return
            log.warning("never said", extra={**about, "why": trouble})
        if run is not None and outcome in DELIVERED:
            follows = self._ci.follows(run, outcome)
            self.store.turned_out(job, run.id, outcome, *(one.job() for one in follows))
        else:
            self.store.done(job)

    def _is_overtaken(self, run: Run) -> bool:
        """Is it a review whose head a later one settles, or is about to? That says all there is,
        and a check run made now would hide its own. One that has a check run has to end that.
        """
        if run.kind != "review" or run.check_run is not None:
            return False
        runs = self.store.runs_of(run.repository_id, run.number)
        later = takewhile(lambda one: one.id != run.id, runs)
        return any(one.kind == "review" and one.head == run.head and settles(one) for one in later)

    def _tell_lost(self, job: Job, run: Run | None, error: RlmError) -> str:
        """Say that a job is lost; return what came of its run all the same, "" for nothing."""
        if job.kind == Ci.kind:
            self._ci.lost(read_stored(Ci, job.payload), error)
        elif run is None:
            self._say_lost(job, markdown_line(str(error)[:PROBLEM_CHARS]))
        elif run.kind in WRITING:
            return self._under_its_name(run, partial(self._writing_lost, error))
        elif not isinstance(error, NotThere):
            self._under_its_name(run, partial(self._tell_run_lost, error))
        return ""

    def _tell_run_lost(self, error: RlmError, run: Run) -> None:
        """Say that a run came to nothing: in its check run, below the command without one."""
        why = markdown_line(str(error)[:PROBLEM_CHARS])
        wish = read_stored(Wish, run.request)
        if run.check_run is not None:
            with self._connect_for_checks(run.installation, run.repository_id) as hub:
                self._conclude(hub, run, "neutral", "The review could not be published", why)
        elif wish.comment:
            with self._connect(run.installation, run.repository_id) as hub:
                text, about = NOT_DONE.format(why=why), f"problem-{run.id}"
                where = hub, run.repository, run.number
                reply(*where, text, about=about, key=self._key, thread=wish.thread)
        elif run.kind == "review" and wish.is_by_name:  # the button, or the label, is no comment
            with self._connect(run.installation, run.repository_id) as hub:
                conclude_new(hub, run.repository, run.head, run.number, run.id, why)

    def _say_lost(self, job: Job, why: str) -> None:
        """Say that a job of no run came to nothing, where somebody waits for it."""
        match job.kind:
            case Command.kind:
                command = read_stored(Command, job.payload)
                with self._connect(command.installation, command.repository_id) as hub:
                    name = look_at(hub, command.repository, command.number).repository
                    about, thread = f"lost-{command.comment_id}", command.thread
                    text = NOT_DONE.format(why=why)
                    reply(
                        hub, name, command.number, text, about=about, key=self._key, thread=thread
                    )
            case Queued.kind:
                self._checks.conclude_lost(read_stored(Queued, job.payload), why)
            case Rerun.kind:
                self._checks.rerun_lost(read_stored(Rerun, job.payload), why)
            case Pressed.kind:
                self._say_press_lost(read_stored(Pressed, job.payload), why)

    def _say_press_lost(self, pressed: Pressed, why: str) -> None:
        """Answer who pressed a button, where that begins something: whoever may write."""
        meant = check_runs.parse_external_id(pressed.external_id)
        if meant is None:
            return
        with self._connect(pressed.installation, pressed.repository_id) as hub:
            name = look_at(hub, pressed.repository, meant.number).repository
            if hub.may_write(name, pressed.sender):
                text, about = NOT_PRESSED.format(why=why), f"pressed-{pressed.event_id}"[:100]
                reply(hub, name, meant.number, text, about=about, key=self._key)

    def _writing_lost(self, error: RlmError, run: Run) -> str:
        """See to whatever a run that writes left, and say it where people wait for it; return what
        came of it.
        """
        with self._connect(run.installation, run.repository_id) as hub:
            wish = read_stored(Wish, run.request)
            told = replace(run, problem=str(error))
            return self._ends(wish).end_without(hub, told, wish, last=True)

    # What somebody says, and what is gone

    def _command(self, job: Job, command: Command) -> None:
        with self._connect(command.installation, command.repository_id) as hub:
            try:
                self._obey(hub, command)
            except NotThere:
                log.info("command gone", extra={"comment": command.comment_id})
        self.store.done(job)

    def _obey(self, hub: Hub, command: Command) -> None:
        try:
            self._commands.obey(hub, command)
        except Elsewhere:
            name = look_at(hub, command.repository, command.number).repository
            self._commands.obey(hub, command.model_copy(update={"repository": name}))

    def _reply(self, job: Job, reply: Reply) -> None:
        if not self._commands.may_matter(reply):
            self.store.done(job)  # strangers talk much, and GitHub counts what we ask
            return
        with self._connect(reply.installation, reply.repository_id) as hub:
            try:
                self._commands.hear(hub, reply)
            except NotThere:
                log.info("reply gone", extra={"comment": reply.comment_id})
        self.store.done(job)

    def _pressed(self, job: Job, pressed: Pressed) -> None:
        with self._connect(pressed.installation, pressed.repository_id) as hub:
            self.writing.fixes.press(hub, pressed)
        self.store.done(job)

    def _gone(self, job: Job, gone: Gone) -> None:
        """Forget what an installation left behind: the rows, then what is on this server's disk.

        What a kill prevents, this server does at its start, as the others do on their own. An event
        may come late, or again: a repository that is back by now is left alone, and so is an
        installation that is there.
        """
        here = gone.installation
        lost = {
            number: name
            for number, name in gone.repositories.items()
            # Of hundreds that are taken out GitHub is asked about those that we know.
            if not (self.store.repositories_in(here, [number]) and self._includes(here, number))
        }
        if not lost if gone.repositories else self._is_installed(here):
            log.info("not forgotten: it is back", extra={"installation": gone.installation})
            self.store.done(job)
            return
        ids = list(lost) or None
        runs = self.store.forget_installation(here, ids, names=lost.values(), job=job)
        log.info("forgotten", extra={"installation": here, "runs": runs})
        self._forget()

    # The steps of a run

    def _step(self, job: Job, run: Run | None) -> None:
        """Do a step, under the new name of a repository that was renamed since the run began."""
        if run is None or run.state == "ended":
            self.store.done(job)
        elif job.kind == PROGRESS:
            self._progress(job, run)
        else:
            act = self._open if job.kind == OPEN else self._publish
            self._under_its_name(run, partial(act, job))

    def _under_its_name(self, run: Run, act: Callable[[Run], T]) -> T:
        """Do something about a run, again under the new name of a repository that was renamed."""
        try:
            return act(run)
        except Elsewhere:
            with self._connect(run.installation, run.repository_id) as hub:
                name = look_at(hub, run.repository, run.number).repository
            log.info("renamed", extra={"run": run.id, "from": run.repository, "to": name})
            return act(replace(run, repository=name))

    def _open(self, job: Job, run: Run) -> None:
        """Show on GitHub that the review has begun, where checks are allowed."""
        # One that was to be shown before may have been: a kill, or an answer that was lost.
        is_shown = not run.stop or job.claim > 1
        check_run = self._check_run(run) if is_shown else None
        self.store.shown(job, run.id, check_run, step(PUBLISH if run.stop else REVIEW, run))

    def _check_run(self, run: Run) -> int | None:
        """Return the check run that shows a review, made if need be; None where none may be, and
        where there is none of a review that has stopped.
        """
        try:
            with self._connect(run.installation, run.repository_id) as hub:
                if run.stop:
                    return check_runs.made_for(hub, run.repository, run.head, run.id, run.number)
                return check_runs.ensure(
                    hub,
                    run.repository,
                    run.head,
                    run.id,
                    run.number,
                    "Reviewing",
                    "The review has begun.",
                    page=self._page(run),
                )
        except Forbidden as error:
            log.warning("no check run", extra={"run": run.id, "why": error})
            return None

    def _publish(self, job: Job, run: Run) -> None:
        """Bring the result to where its reader looks, or say why there is none."""
        with self._showing:  # progress that is on its way would write over the end
            pass
        if self.store.waits(step(OPEN, run), begun=bool(run.stop)):
            # What was to show it was put off, by an outage, say: it has a check run to end all the
            # same, which a rule of the branch may ask for. Of one that has stopped it is ended if
            # it is there.
            run = replace(run, check_run=self._check_run(run))
            self.store.shows(run.id, run.check_run)
        wish = read_stored(Wish, run.request)
        with self._connect(run.installation, run.repository_id) as hub:
            if not run.report or (run.stop and not _is_kept(run, wish)):
                self._end_without(hub, job, run, wish)
                return
            if run.kind in WRITING:
                self._writing_ended(job, run, self._ends(wish).publish(hub, run, wish))
                return
            if run.kind != "review":
                self._answer(hub, run, wish)
                self._ended(job, run, "answered")
                return
            report = read_stored(Report, run.report)
            published = publish(
                hub,
                Publication(
                    run=run.id,
                    repository=run.repository,
                    number=run.number,
                    head=run.head,
                    report=report,
                    check_run=run.check_run,
                    repeat=wish.full,
                    dismissed=self.store.dismissed(run.repository_id),
                    forgotten=frozenset(
                        (one.finding, one.who, one.url)
                        for one in self.store.forgotten(run.repository_id)
                    ),
                    whole=not wish.paths,
                    repository_id=run.repository_id,
                    page=self._page(run),
                    fixable=report.write and self._writes,
                    unasked=not wish.is_by_name,
                ),
                key=self._key,
                to_read=partial(self._connect_to_read, run.installation, run.repository_id),
                to_resolve=partial(self._connect_to_resolve, run.installation, run.repository_id),
            )
            if published.outcome == "gone":
                text = "The pull request is not there any more."
                self._conclude(hub, run, "cancelled", "Nothing to review", text)
        self._log(run, published)
        review = report.review.model_copy(update={"findings": list(published.findings)})
        # A part of the change would take the place of what is known of all of it.
        if report.sarif and published.outcome == "posted" and not wish.paths:
            self._scan(run, report.model_copy(update={"review": review}))
        verdict = _verdict(review, published)
        if published.dismissed:
            self.store.dismiss(
                run.repository_id,
                *(one.noted() for one in published.dismissed),
            )
        self.store.told(run.repository_id, run.number, run.id, published.told)
        if published.first_ids:
            kept = under_ids(report, published.first_ids)
            self.store.known_as(run.id, kept.model_dump_json())
        if published.threads is not None:
            self.store.noted(run.repository_id, run.number, run.id, published.threads)
        then = []
        if published.outcome in {"stale", "draft", "closed"}:
            # The push that made it so may have been lost on its way to us; and an event that has
            # ended a draft meanwhile has found this run, and begun none.
            look = Look(
                installation=run.installation,
                repository_id=run.repository_id,
                repository=run.repository,
                number=run.number,
                trigger="pushed" if published.outcome == "stale" else "missed",
            )
            then.append(look.job())
        found = len(report.review.findings)
        self._ended(job, run, published.outcome, *then, findings=found, verdict=verdict)

    def _scan(self, run: Run, report: Report) -> None:
        """Hand the findings to code scanning. All else is said by now: a refusal costs itself."""
        where = run.installation, run.repository_id
        try:
            with self._connect_for_scanning(*where) as hub:
                made = upload(hub, run.repository, run.number, run.head, report)
        except Limited:
            raise  # what is said is not said again when the job is taken up
        except RlmError as error:
            log.warning("not in code scanning", extra={"run": run.id, "why": error})
        else:
            log.info("in code scanning", extra={"run": run.id, "upload": made})

    def _page(self, run: Run) -> str:
        return f"{self._public_url}/runs/{run.id}" if self._public_url else ""

    def _answer(self, hub: Hub, run: Run, wish: Wish) -> None:
        """Say what was asked, where it was asked."""
        if run.kind == "config":
            text = configured(read_stored(Configured, run.report))
        else:
            done = read_stored(Explanation, run.report)
            text = render_answer(done, f"{hub.server.web}/{run.repository}")
        about, thread = f"answer-{run.id}", wish.thread
        reply(hub, run.repository, run.number, text, about=about, key=self._key, thread=thread)
        if thread:
            self.store.thread_became(run.repository_id, thread, "answered")

    def _end_without(self, hub: Hub, job: Job, run: Run, wish: Wish) -> None:
        if run.kind in WRITING:
            self._writing_ended(job, run, self._ends(wish).end_without(hub, run, wish))
            return
        if run.stop:
            self._conclude(hub, run, "cancelled", "Stopped", f"This review stopped: {run.stop}.")
            self._ended(job, run, f"stopped: {run.stop}")
            return
        problem = markdown_line((run.problem or "It came to no result.")[:PROBLEM_CHARS])
        title = "This pull request could not be reviewed"
        shown = self._conclude(hub, run, "neutral", title, problem)
        if wish.comment or not shown:
            # Somebody asked, or there is no check run to look at.
            text = f"{title if wish.kind == 'review' else 'I cannot answer this'}: {problem}"
            about, thread = f"problem-{run.id}", wish.thread
            reply(hub, run.repository, run.number, text, about=about, key=self._key, thread=thread)
        self._ended(job, run, f"problem: {problem}")

    def _ends(self, wish: Wish) -> CiSteps | Writing:
        """Return who sees to the end of a run that writes."""
        return self._ci if wish.stacked else self.writing

    def _writing_ended(self, job: Job, run: Run, outcome: str) -> None:
        follows = self._ci.follows(run, outcome)
        self._ended(job, run, outcome, *(one.job() for one in follows))

    def _ended(
        self,
        job: Job,
        run: Run,
        outcome: str,
        *then: NewJob,
        findings: int | None = None,
        verdict: str = "",
        away: bool = False,
    ) -> None:
        self.store.ended(job, run.id, outcome, *then, findings=findings, verdict=verdict, away=away)
        self.writing.forget(run)
        COUNTS.add(RUNS, outcome.partition(":")[0])

    def _log(self, run: Run, published: Published) -> None:
        told: dict[str, object] = {"run": run.id, "outcome": published.outcome}
        if not published.problem:
            log.info("published", extra=told)
            return
        COUNTS.add(UNPUBLISHED)
        told |= {"check_run": published.concluded, "why": published.problem}
        log.warning("published with trouble", extra=told)

    def _conclude(
        self, hub: Hub, run: Run, conclusion: check_runs.Conclusion, title: str, text: str
    ) -> bool:
        """End the check run; False if there is none, or it may not be written any more."""
        if run.check_run is None:
            return False
        try:
            check_runs.conclude(hub, run.repository, run.check_run, conclusion, title, text)
        except Refused as error:
            log.warning("check run left", extra={"run": run.id, "why": error})
            return False
        return True

    # While runs go on

    def show_progress(self, shown: dict[str, str]) -> None:
        """Bring the progress of open runs to their check runs; `shown` remembers what stands."""
        for run in self.store.open_runs():
            if shown.get(run.id, "") == run.progress:
                continue
            if run.kind in WRITING:
                # Its comment is made once, and its result written over by nobody: in a job, whose
                # key lets no server do another one about this pull request meanwhile.
                if not run.progress or self.store.put_if_idle(step(PROGRESS, run)):
                    shown[run.id] = run.progress
                continue
            done = True
            try:
                with self._showing:
                    done = self._show(run.id)
            except RlmError as error:  # the others' can still be shown
                log.info("no progress shown", extra={"run": run.id, "why": error})
            if done:
                shown[run.id] = run.progress

    def _progress(self, job: Job, run: Run) -> None:
        """Say how far a run that writes is. It is not tried again: more will be said soon."""
        if goes_on(run) and run.progress:
            try:
                with self._connect(run.installation, run.repository_id) as hub:
                    self.writing.progress(hub, run)
            except RlmError as error:
                log.info("no progress shown", extra={"run": run.id, "why": error})
        self.store.done(job)

    def _show(self, name: str) -> bool:
        """Show how far a review is; False where its check run may still come."""
        run = self.store.run(name)  # as it is now: its end may have begun
        if run is None or not goes_on(run):
            return True
        if run.check_run is None:
            return False

        def holds() -> bool:  # no claim goes with it: it may have ended on another server
            now = self.store.run(name)
            return now is not None and goes_on(now)

        with (
            fenced(holds),
            self._connect_for_checks(run.installation, run.repository_id) as hub,
        ):
            check_runs.progress(hub, run.repository, run.check_run, "Reviewing", run.progress)
        return True


def _is_kept(run: Run, wish: Wish) -> bool:
    """Is a run that was stopped to be handed over all the same? Its pull request was closed, and
    what had been written by then is there to be taken as a patch.
    """
    is_work = wish.plan_of or wish.task != "refactor"
    return run.kind in WRITING and run.stop == CLOSED and bool(is_work) and not wish.stacked


def _verdict(review: Review, published: Published) -> str:
    """Return what came of a review, as JSON; "" where nobody can say."""
    if published.outcome == "gone":
        return ""
    verdict = Verdict.of(review, posted=published.review, summary=published.summary)
    return verdict.model_dump_json()
