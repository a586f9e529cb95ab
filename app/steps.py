"""What the github role does: looks at pull requests, obeys commands, shows and ends runs.

Each function does one job. It may be killed at any point and called again, so it looks for what it
has done before doing it, and ends its job in the transaction that stores what follows.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from functools import partial
from itertools import takewhile
from typing import TypeVar

from pydantic import ValidationError

from app.ci_steps import CiSteps
from app.config_rows import Configured
from app.github import check_runs
from app.github.answers import render_answer
from app.github.client import Hub
from app.github.code_scanning import upload
from app.github.comments import comment_at
from app.github.errors import AwayTooLong, Elsewhere, Forbidden, Limited, NotThere, Refused
from app.github.promises import promise_of
from app.github.publish import Publication, Published, publish
from app.github.pulls import Pull, look_at, pull_at
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
    run_key,
    step,
)
from app.measures import COUNTS, RUNS, UNPUBLISHED
from app.obey import STOPPED, Commands, configured
from app.open_heads import LEFT, settles
from app.operations import DEFAULTS, Operations
from app.render.escape import markdown_line
from app.report import Report, Verdict
from app.store import (
    OPEN,
    PROGRESS,
    PUBLISH,
    REVIEW,
    WRITING,
    Job,
    NewJob,
    NewRun,
    Run,
    Store,
)
from app.write_steps import Writing
from reviewer.errors import GiveUp, RlmError
from reviewer.explain.values import Explanation
from reviewer.request import Review

log = logging.getLogger(__name__)

SUPERSEDED = "a newer review of this pull request took its place"
CLOSED = "the pull request was closed"
DRAFTED = "the pull request became a draft"

QUEUED_TITLES = {
    "complete": "Reviewed on its pull request",
    "partial": "Reviewed in part on its pull request",
    "failure": "Its pull request has findings that block it",
    "": "Not reviewed",
}
QUEUED_TEXTS = {
    "complete": "What was found stands on pull request #{number}.",
    "partial": "What was found, and what was not looked at, stands on pull request #{number}.",
    "failure": "The check of the review of pull request #{number} fails, and says why.",
    "": "Of the newest commit of pull request #{number} there is no finished review.",
}
QUEUED_TEXT = " A merge queue does not wait for more."

ANSWERS = frozenset({"ask", "config"})
"""Kinds of runs that answer somebody: on a closed pull request, too."""

DELIVERED = frozenset({"stacked", "pushed"})
"""Outcomes of runs whose commits stand on a branch."""

MERGES = frozenset({"pushed", "closed", "missed"})
"""Triggers of looks before which a pull request of ours may have been merged: into this one, or
this one itself."""

MAX_SUPERSEDED = 3
"""So many runs in a row may give way to a newer push; then one is let finish, so that a busy pull
request gets a review at all."""

LET_FINISH_S = 30.0

ONLY_OPEN = "Only an open pull request is reviewed."
NOT_WANTED = (
    "It is reviewed on demand alone: it is a draft, its reviews are paused (`/rlm resume`), or the "
    "App opened it."
)
NO_COMMENT = "The comment is not on this pull request, or a bot wrote it: it is no command."
ANSWERED = "What the comment says takes no review: it was obeyed or answered where it stands."

PROBLEM_CHARS = 2_000

NOT_DONE = "I have given up on this: {why}. Give the command again where it is still wanted."
NOT_PRESSED = (
    "I have given up on closing findings, as a button was pressed for: {why}. Press it again, or "
    "say `/rlm fix`, where that is still wanted."
)
LOST_TITLE = "This could not be done"

MAX_RUN_CHARS = 64
"""Of the name in a check run's external id."""

T = TypeVar("T")

Connect = Callable[[int, int], AbstractContextManager[Hub]]
"""Opens GitHub as the App sees it through an installation, for one repository (by its ids)."""


Installed = Callable[[str], int]
"""Finds out the installation of the App that has a repository, by its name; or raises NotThere."""

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
        self._installed = installed
        self._connect = connect
        self._connect_for_checks = connect_for_checks
        self._connect_to_read = connect_to_read or connect
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
        self._commands = Commands(store, self._begin, marker_key, self.writing, operations)

    def do(self, job: Job) -> None:
        """Do one job, and end it."""
        match job.kind:
            case Look.kind:
                self._look(job, Look.model_validate_json(job.payload))
            case Command.kind:
                self._command(job, Command.model_validate_json(job.payload))
            case Rerun.kind:
                self._rerun(job, Rerun.model_validate_json(job.payload))
            case Pressed.kind:
                self._pressed(job, Pressed.model_validate_json(job.payload))
            case Ci.kind:
                self._ci.look(job, Ci.model_validate_json(job.payload))
            case Reply.kind:
                self._reply(job, Reply.model_validate_json(job.payload))
            case Handed.kind:
                self._handed(job, Handed.model_validate_json(job.payload))
            case Gone.kind:
                self._gone(job, Gone.model_validate_json(job.payload))
            case Queued.kind:
                self._queued(job, Queued.model_validate_json(job.payload))
            case Untold.kind:
                self._untold(job, Untold.model_validate_json(job.payload))
            case _:
                self._step(job, self.store.run(Step.model_validate_json(job.payload).run))

    def lost(self, job: Job, error: RlmError, *, last: bool = False) -> None:
        """End a job that cannot be done, and say why where its reader looks.

        What keeps that from being said for now is raised, unless this is the `last` try: then it
        ends all the same, and another job says it when that is possible.
        """
        run = self._run_of_job(job)
        if job.kind == Handed.kind:
            handed = Handed.model_validate_json(job.payload)
            self.store.answer(handed.request, why=str(error), failed=True)
        if run is not None:
            log.error("run lost", extra={"run": run.id, "why": error})
        outcome, later = "", []
        try:
            outcome = self._tell_lost(job, run, error)
        except (GiveUp, ValidationError) as refusal:
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
        return self.store.run(Step.model_validate_json(job.payload).run)

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
        except (GiveUp, ValidationError) as refusal:
            log.warning("not said", extra={**about, "why": refusal})
        except RlmError as trouble:
            if time.time() - untold.since < self.store.kept_s:
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
            self._ci.lost(Ci.model_validate_json(job.payload), error)
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
        wish = Wish.model_validate_json(run.request)
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
                self._conclude_new(hub, run.repository, run.head, run.number, run.id, why)

    def _say_lost(self, job: Job, why: str) -> None:
        """Say that a job of no run came to nothing, where somebody waits for it."""
        match job.kind:
            case Command.kind:
                command = Command.model_validate_json(job.payload)
                with self._connect(command.installation, command.repository_id) as hub:
                    name = look_at(hub, command.repository, command.number).repository
                    about, thread = f"lost-{command.comment_id}", command.thread
                    text = NOT_DONE.format(why=why)
                    reply(
                        hub, name, command.number, text, about=about, key=self._key, thread=thread
                    )
            case Queued.kind:
                self._conclude_lost(Queued.model_validate_json(job.payload), why)
            case Rerun.kind:
                self._say_rerun_lost(Rerun.model_validate_json(job.payload), why)
            case Pressed.kind:
                self._say_press_lost(Pressed.model_validate_json(job.payload), why)

    def _conclude_lost(
        self, what: Queued | Rerun, why: str, number: int = 0, run: str = check_runs.QUEUE
    ) -> None:
        """Conclude the check run that somebody waits for. It keeps nobody from merging."""
        number = what.number if isinstance(what, Queued) else number
        with self._connect(what.installation, what.repository_id) as hub:
            name = look_at(hub, what.repository, number).repository
            self._conclude_new(hub, name, what.head, number, run, why)

    def _conclude_new(  # noqa: PLR0917
        self, hub: Hub, name: str, head: str, number: int, run: str, why: str
    ) -> None:
        check_run = check_runs.ensure(hub, name, head, run, number, LOST_TITLE, why)
        check_runs.conclude(hub, name, check_run, "neutral", LOST_TITLE, why)

    def _say_rerun_lost(self, rerun: Rerun, why: str) -> None:
        meant = check_runs.parse_external_id(rerun.external_id)
        if meant is not None:  # it shows as waiting since
            self._conclude_lost(rerun, why, meant.number, meant.run)
            return
        # All checks were to be run again: what ours said before stays to be read.
        with self._connect(rerun.installation, rerun.repository_id) as hub:
            numbers = self._numbers(hub, rerun)
        for number in numbers:
            self._conclude_lost(rerun, why, number, f"again-{rerun.event_id}"[:MAX_RUN_CHARS])

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
            wish = Wish.model_validate_json(run.request)
            told = replace(run, problem=str(error))
            return self._ends(wish).end_without(hub, told, wish, last=True)

    # What asks for a review

    def _look(self, job: Job, look: Look) -> None:
        with self._connect(look.installation, look.repository_id) as hub:
            pull = _its_pull(hub, look, look.number)
            if pull is not None and look.trigger in MERGES:
                self.writing.note_merged(hub, pull)
            if pull is None:
                self.store.stop(look.repository_id, look.number, CLOSED)
            elif pull.state != "open":
                self._stop(pull, CLOSED, lambda run: run.kind not in ANSWERS)
            else:
                if pull.draft:
                    self._stop(pull, DRAFTED, self._is_queued_unasked)
                if self._settled(hub, look, pull) is None:
                    # Not a failure: the newest head is looked at when the run before is through.
                    self.store.again(
                        job, "the run before is let finish", LET_FINISH_S, counts=False
                    )
                    return
        self.store.done(job)

    def _stop(self, pull: Pull, why: str, which: Callable[[Run], bool]) -> None:
        """Stop some of what is under way on a pull request: what has its result is let end."""
        here = pull.repository_id, pull.url.number
        listed = (self.store.run(one.id) for one in self.store.runs_of(*here) if _open([one]))
        only = [run.id for run in listed if run is not None and _goes_on(run) and which(run)]
        if only:
            self.store.stop(*here, why, only)

    def _is_queued_unasked(self, run: Run) -> bool:
        """Is it a review that nobody has asked for, and that no engine has begun? One that has been
        begun is paid for: it may finish, and is told in the check run alone.
        """
        asked = Wish.model_validate_json(run.request).is_by_name
        return run.kind == "review" and not asked and not self.store.claimant(run_key(run.id))

    def _settled(self, hub: Hub, look: Look, pull: Pull) -> str | None:
        """Begin a review if one is wanted. Return the run that settles what this head needs ("":
        none is to), None where it has to wait for the run before.
        """
        runs = [
            run
            for run in self.store.runs_of(look.repository_id, look.number)
            if run.kind == "review"
        ]
        same = [run for run in runs if run.head == pull.head and run.base == pull.base]
        if not self._wanted(look, pull, (hub.actor or "").lower()):
            return ""
        if (counts := next(filter(_counts, same), None)) is not None:
            return counts.id
        if _superseded_in_a_row(runs) >= MAX_SUPERSEDED and _open(runs):
            return None
        # A head that was left before anything was said, and came back, is a new one.
        again = f":{len(same)}" if same else ""
        origin = f"head:{pull.base}:{pull.head}{again}"
        self._begin(
            hub, look.installation, pull, origin, Wish(trigger=look.trigger, by_bot=look.by_bot)
        )
        return self._run_of(pull, origin)

    def _run_of(self, pull: Pull, origin: str) -> str:
        """Return the run that an origin (or one below it) began, "" if there is none."""
        runs = self.store.runs_of(pull.repository_id, pull.number)
        return next((run.id for run in runs if f"{run.origin}:".startswith(f"{origin}:")), "")

    def _wanted(self, look: Look, pull: Pull, actor: str) -> bool:
        """May this pull request have a review that nobody has asked for by name?"""
        if pull.author.lower() == actor:
            return False
        if look.trigger == "requested":
            return (look.reviewer or "").lower() == actor
        if look.is_asked:
            return True
        if who := self.store.paused_by(look.repository_id, look.number):
            log.info("paused", extra={"pull": f"{look.repository}#{look.number}", "by": who})
            return False
        return not pull.draft

    def _handed(self, job: Job, handed: Handed) -> None:
        """Do for the job of a workflow what an event of the same kind would lead to."""
        installation = self._installed(handed.repository)
        with self._connect(installation, handed.repository_id) as hub:
            pull = _its_pull(hub, handed, handed.number)
            if pull is None:
                why = f"{handed.repository} has no pull request {handed.number}"
                raise GiveUp(f"{why}, or the App may not see it")
            if handed.comment:
                run, why = self._comment_handed(hub, installation, handed, pull)
            elif pull.state != "open":
                run, why = "", ONLY_OPEN
            else:
                found = self._pull_handed(hub, installation, handed, pull)
                if found is None:
                    self.store.again(
                        job, "the run before is let finish", LET_FINISH_S, counts=False
                    )
                    return
                run, why = found, "" if found else NOT_WANTED
        self.store.answer(handed.request, run=run, why=why)
        self.store.done(job)

    def _pull_handed(self, hub: Hub, installation: int, handed: Handed, pull: Pull) -> str | None:
        """Begin what a workflow wants of an open pull request; return as `_settled` does."""
        look = Look(
            installation=installation,
            repository_id=handed.repository_id,
            repository=pull.repository,
            number=handed.number,
            trigger="handed",
        )
        # Who may not write can start a workflow by what they do, and ask for nothing by it.
        if not handed.is_asked or not hub.may_write(pull.repository, handed.actor):
            return self._settled(hub, look, pull)
        origin = f"request:{handed.request}"
        self._begin(hub, installation, pull, origin, Wish(trigger="dispatched"))
        return self._run_of(pull, origin)

    def _comment_handed(
        self, hub: Hub, installation: int, handed: Handed, pull: Pull
    ) -> tuple[str, str]:
        """Obey a comment as if its event had come, once however it comes; return its run, or why
        there is none.
        """
        said = comment_at(hub, pull.repository, handed.number, handed.comment)
        if said is None:
            return "", NO_COMMENT
        command = Command(
            installation=installation,
            repository_id=handed.repository_id,
            repository=pull.repository,
            number=handed.number,
            comment_id=handed.comment,
            body=said.body,
            sender=said.author,
        )
        self._obey(hub, command)
        run = self._run_of(pull, f"comment:{handed.comment}")
        return run, "" if run else ANSWERED

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

    def _rerun(self, job: Job, rerun: Rerun) -> None:
        meant = check_runs.parse_external_id(rerun.external_id)
        if meant is not None and meant.run == check_runs.QUEUE:
            # To run it again has made it wait: nobody else ends that.
            again = Queued(
                installation=rerun.installation,
                repository_id=rerun.repository_id,
                repository=rerun.repository,
                head=rerun.head,
                number=meant.number,
            )
            self.store.done(job, again.job())
            return
        with self._connect(rerun.installation, rerun.repository_id) as hub:
            for number in self._numbers(hub, rerun):
                pull = _its_pull(hub, rerun, number)
                if pull is None:
                    continue
                why = check_runs.NOT_OPEN
                if pull.state == "open":
                    origin = f"event:{rerun.event_id}"
                    wish = Wish(trigger="rerun", full=rerun.full)
                    self._begin(hub, rerun.installation, pull, origin, wish)
                    if pull.head == rerun.head:
                        continue  # its new check run takes the old one's place
                    why = check_runs.NOT_NEWEST.format(head=pull.head)
                # To run it again has made it wait, and nothing is begun that would end that.
                with suppress(Forbidden, NotThere):
                    where = hub, pull.repository, rerun.head
                    check_runs.leave(*where, number, meant.run if meant else None, why)
        self.store.done(job)

    def _pressed(self, job: Job, pressed: Pressed) -> None:
        with self._connect(pressed.installation, pressed.repository_id) as hub:
            self.writing.fixes.press(hub, pressed)
        self.store.done(job)

    def _numbers(self, hub: Hub, rerun: Rerun) -> list[int]:
        """Find out which pull requests are meant: of a fork's the event does not say it.

        Where no run is known any more, our check runs on the commit say it.
        """
        if rerun.numbers:
            return sorted(set(rerun.numbers))
        runs = self.store.runs_on(rerun.repository_id, rerun.head)
        named = [run for run in runs if run.id and rerun.external_id.endswith(f":{run.id}")]
        if named or runs:
            return sorted({run.number for run in named or runs})
        if (meant := check_runs.parse_external_id(rerun.external_id)) is not None:
            return [meant.number]
        shown = check_runs.ours_on(hub, rerun.repository, rerun.head)
        return sorted({one.number for one in shown if one.run != check_runs.QUEUE})

    def _queued(self, job: Job, queued: Queued) -> None:
        """Let no merge queue wait for us: what was to be said stands on the pull request."""
        with self._connect(queued.installation, queued.repository_id) as hub:
            try:
                came = self._came(hub, queued)
                text = QUEUED_TEXTS[came].format(number=queued.number) + QUEUED_TEXT
                conclusion: check_runs.Conclusion = "failure" if came == "failure" else "success"
                self._conclude_queued(hub, queued, conclusion, QUEUED_TITLES[came], text)
            except (Forbidden, NotThere) as error:
                log.warning("no check run", extra={"head": queued.head, "why": error})
        self.store.done(job)

    def _conclude_queued(
        self, hub: Hub, queued: Queued, conclusion: check_runs.Conclusion, title: str, text: str
    ) -> None:
        where = hub, queued.repository
        check_run = check_runs.ensure(
            *where, queued.head, check_runs.QUEUE, queued.number, title, text
        )
        check_runs.conclude(*where, check_run, conclusion, title, text, buttons=False)

    def _came(self, hub: Hub, queued: Queued) -> str:
        """Return what the review of a queued pull request came to: "complete", "partial",
        "failure" where its check fails, "" where its newest commit was not reviewed.
        """
        pull = _its_pull(hub, queued, queued.number)
        if pull is None:
            return ""
        runs = self.store.runs_of(queued.repository_id, queued.number)
        made = [
            one
            for one in runs
            if one.verdict and not one.stop and one.head == pull.head and one.outcome not in LEFT
        ]
        if not made:
            return ""
        if (check_run := made[0].check_run) is not None:
            # It is asked, for what blocks is decided when a review is published, and stands there.
            shown = check_runs.conclusion_of(hub, queued.repository, check_run)
            if shown == "failure":
                return shown
        whole = (one for one in made if not Wish.model_validate_json(one.request).paths)
        run = next(whole, None)
        return "partial" if run is None else Verdict.model_validate_json(run.verdict).status

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

    def _begin(self, hub: Hub, installation: int, pull: Pull, origin: str, wish: Wish) -> None:
        is_review = wish.kind == "review"
        if is_review:
            wish = wish.model_copy(update={"promise": promise_of(hub, pull)})
        run = NewRun(
            id=secrets.token_hex(8),
            installation=installation,
            repository_id=pull.repository_id,
            repository=pull.repository,
            number=pull.url.number,
            origin=origin,
            request=wish.model_dump_json(),
            base=pull.base,
            head=pull.head,
            kind=wish.kind,
        )
        # An answer takes no review's place and has no check run. A review does not wait for its
        # own: a second lies between two writes of an installation.
        first, beside = step(REVIEW, run), step(OPEN, run) if is_review else None
        # What mends a branch of ours is bound to that one, and has its own bounds.
        only_one = wish.task == "fix" and not wish.stacked
        where = f"{run.repository}#{run.number}"
        others = SUPERSEDED if is_review else ""
        if self.store.begin(run, first, others, beside=beside, only_one=only_one):
            log.info("run begins", extra={"run": run.id, "pull": where, "trigger": wish.trigger})
        elif self.store.is_gone(installation):
            log.warning(
                "nothing begun: the installation was forgotten",
                extra={"installation": installation, "pull": where},
            )

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
        check_run = None if run.stop else self._check_run(run)
        self.store.shown(job, run.id, check_run, step(PUBLISH if run.stop else REVIEW, run))

    def _check_run(self, run: Run) -> int | None:
        """Return the check run that shows a review, made if need be; None where none may be."""
        try:
            with self._connect(run.installation, run.repository_id) as hub:
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
        if not run.stop and self.store.waits(step(OPEN, run)):
            # What was to show it was put off, by an outage, say: it has a check run to end all the
            # same, which a rule of the branch may ask for.
            run = replace(run, check_run=self._check_run(run))
            self.store.shows(run.id, run.check_run)
        wish = Wish.model_validate_json(run.request)
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
            report = Report.model_validate_json(run.report)
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
            text = configured(Configured.model_validate_json(run.report))
        else:
            done = Explanation.model_validate_json(run.report)
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
            try:
                with self._showing:
                    self._show(run.id)
            except RlmError as error:  # the others' can still be shown
                log.info("no progress shown", extra={"run": run.id, "why": error})
            shown[run.id] = run.progress

    def _progress(self, job: Job, run: Run) -> None:
        """Say how far a run that writes is. It is not tried again: more will be said soon."""
        if _goes_on(run) and run.progress:
            try:
                with self._connect(run.installation, run.repository_id) as hub:
                    self.writing.progress(hub, run)
            except RlmError as error:
                log.info("no progress shown", extra={"run": run.id, "why": error})
        self.store.done(job)

    def _show(self, name: str) -> None:
        run = self.store.run(name)  # as it is now: its end may have begun
        if run is None or run.check_run is None or not _goes_on(run):
            return
        with self._connect_for_checks(run.installation, run.repository_id) as hub:
            check_runs.progress(hub, run.repository, run.check_run, "Reviewing", run.progress)


def _its_pull(hub: Hub, place: Look | Handed | Rerun | Queued, number: int) -> Pull | None:
    """Return a pull request of this very repository; None for one that only has its old name."""
    pull = pull_at(hub, place.repository, number)
    return pull if pull is not None and pull.repository_id == place.repository_id else None


def _goes_on(run: Run) -> bool:
    return run.state == "open" and not (run.stop or run.report or run.problem)


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


def _counts(run: Run) -> bool:
    """Does a run settle what its head needs? Not if it ended before anything could be said."""
    if run.stop:
        return run.stop == STOPPED
    return run.outcome.partition(":")[0] not in {*LEFT, "problem", "lost"}


def _open(runs: list[Run]) -> bool:
    return any(run.state == "open" and not run.stop for run in runs)


def _superseded_in_a_row(runs: list[Run]) -> int:
    number = 0
    for run in runs:
        if run.state == "open" and not run.stop:
            continue
        if run.stop != SUPERSEDED:
            break
        number += 1
    return number
