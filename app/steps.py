"""What the github role does: looks at pull requests, obeys commands, shows and ends runs.

Each function does one job. It may be killed at any point and called again, so it looks for what it
has done before doing it, and ends its job in the transaction that stores what follows.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from app.config_rows import Configured
from app.github import check_runs
from app.github.answers import render_answer
from app.github.client import Hub
from app.github.errors import Forbidden, NotThere, Refused
from app.github.promises import promise_of
from app.github.publish import Publication, Published, publish
from app.github.pulls import Pull, pull_at
from app.github.replies import reply
from app.jobs import Command, Gone, Look, Queued, Reply, Rerun, Step, Wish, step
from app.measures import COUNTS, RUNS, UNPUBLISHED
from app.obey import STOPPED, Commands, configured
from app.operations import DEFAULTS, Operations
from app.render.escape import markdown_line
from app.report import Report
from app.store import OPEN, PUBLISH, REVIEW, Dismissed, Job, NewJob, NewRun, Run, Store
from reviewer.errors import GiveUp, RlmError
from reviewer.explain.values import Explanation

log = logging.getLogger(__name__)

SUPERSEDED = "a newer review of this pull request took its place"
CLOSED = "the pull request was closed"

QUEUED_TITLE = "Reviewed on its pull request"
QUEUED_TEXT = (
    "What was found stands on pull request #{number}. A merge queue does not wait for more."
)

MAX_SUPERSEDED = 3
"""So many runs in a row may give way to a newer push; then one is let finish, so that a busy pull
request gets a review at all."""

LET_FINISH_S = 30.0

PROBLEM_CHARS = 2_000

Connect = Callable[[int, int], AbstractContextManager[Hub]]
"""Opens GitHub as the App sees it through an installation, for one repository (by its ids)."""


Forget = Callable[[int, Sequence[str], Sequence[str]], None]
"""Removes the files of an installation: of repositories by their names, and of runs."""


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
        public_url: str = "",
        operations: Operations = DEFAULTS,
    ) -> None:
        """Take what the jobs need; with a `public_url` each run has a page below it."""
        self.store = store
        self._connect = connect
        self._connect_for_checks = connect_for_checks
        self._key = marker_key
        self._forget = forget
        self._public_url = public_url
        self._showing = threading.Lock()
        self._commands = Commands(store, self._begin, marker_key, operations)

    def do(self, job: Job) -> None:
        """Do one job, and end it."""
        match job.kind:
            case Look.kind:
                self._look(job, Look.model_validate_json(job.payload))
            case Command.kind:
                self._command(job, Command.model_validate_json(job.payload))
            case Rerun.kind:
                self._rerun(job, Rerun.model_validate_json(job.payload))
            case Reply.kind:
                self._reply(job, Reply.model_validate_json(job.payload))
            case Gone.kind:
                self._gone(job, Gone.model_validate_json(job.payload))
            case Queued.kind:
                self._queued(job, Queued.model_validate_json(job.payload))
            case _:
                run = self.store.run(Step.model_validate_json(job.payload).run)
                if run is None or run.state == "ended":
                    self.store.done(job)
                elif job.kind == OPEN:
                    self._open(job, run)
                else:
                    self._publish(job, run)

    def lost(self, job: Job, error: RlmError) -> None:
        """End a job that cannot be done, and say why where its reader looks."""
        run = None
        if job.kind in {OPEN, PUBLISH}:
            run = self.store.run(Step.model_validate_json(job.payload).run)
        if run is None:
            self.store.fail(job, str(error))
            return
        log.error("run lost", extra={"run": run.id, "why": error})
        if run.check_run is not None and not isinstance(error, NotThere):
            try:
                with self._connect_for_checks(run.installation, run.repository_id) as hub:
                    title = "The review could not be published"
                    self._conclude(hub, run, "neutral", title, str(error))
            except GiveUp as refusal:
                log.warning("check run left", extra={"run": run.id, "why": refusal})
        self._ended(job, run, f"lost: {error}")

    # What asks for a review

    def _look(self, job: Job, look: Look) -> None:
        with self._connect(look.installation, look.repository_id) as hub:
            pull = pull_at(hub, look.repository, look.number)
            if pull is None or pull.state != "open":
                self.store.stop(look.repository_id, look.number, CLOSED)
            elif not self._began(hub, look, pull):
                # Not a failure: the newest head is looked at when the run before is through.
                self.store.again(job, "the run before is let finish", LET_FINISH_S, counts=False)
                return
        self.store.done(job)

    def _began(self, hub: Hub, look: Look, pull: Pull) -> bool:
        """Begin a review if one is wanted; False where it has to wait for the one before."""
        runs = [
            run
            for run in self.store.runs_of(look.repository_id, look.number)
            if run.kind == "review"
        ]
        same = [run for run in runs if run.head == pull.head and run.base == pull.base]
        if not self._wanted(look, pull, (hub.actor or "").lower()) or any(map(_counts, same)):
            return True
        if _superseded_in_a_row(runs) >= MAX_SUPERSEDED and _open(runs):
            return False
        # A head that was left before anything was said, and came back, is a new one.
        again = f":{len(same)}" if same else ""
        origin = f"head:{pull.base}:{pull.head}{again}"
        self._begin(hub, look.installation, pull, origin, Wish(trigger=look.trigger))
        return True

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

    def _command(self, job: Job, command: Command) -> None:
        with self._connect(command.installation, command.repository_id) as hub:
            try:
                self._commands.obey(hub, command)
            except NotThere:
                log.info("command gone", extra={"comment": command.comment_id})
        self.store.done(job)

    def _reply(self, job: Job, reply: Reply) -> None:
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
            for number in self._numbers(rerun):
                pull = pull_at(hub, rerun.repository, number)
                if pull is not None and pull.state == "open":
                    origin = f"event:{rerun.event_id}"
                    wish = Wish(trigger="rerun", full=rerun.full)
                    self._begin(hub, rerun.installation, pull, origin, wish)
        self.store.done(job)

    def _numbers(self, rerun: Rerun) -> list[int]:
        """Find out which pull requests are meant: of a fork's the event does not say it."""
        if rerun.numbers:
            return sorted(set(rerun.numbers))
        runs = self.store.runs_on(rerun.repository_id, rerun.head)
        named = [run for run in runs if run.id and rerun.external_id.endswith(f":{run.id}")]
        return sorted({run.number for run in named or runs})

    def _queued(self, job: Job, queued: Queued) -> None:
        """Let no merge queue wait for us: what was to be said stands on the pull request."""
        with self._connect(queued.installation, queued.repository_id) as hub:
            try:
                check_run = check_runs.ensure(
                    hub,
                    queued.repository,
                    queued.head,
                    check_runs.QUEUE,
                    queued.number,
                    QUEUED_TITLE,
                    QUEUED_TEXT.format(number=queued.number),
                )
                check_runs.conclude(
                    hub,
                    queued.repository,
                    check_run,
                    "success",
                    QUEUED_TITLE,
                    QUEUED_TEXT.format(number=queued.number),
                    buttons=False,
                )
            except (Forbidden, NotThere) as error:
                log.warning("no check run", extra={"head": queued.head, "why": error})
        self.store.done(job)

    def _gone(self, job: Job, gone: Gone) -> None:
        """Forget what an installation left behind, the files first: the rows name them."""
        ids = list(gone.repositories) or None
        runs = self.store.runs_in(gone.installation, ids)
        names = {run.repository for run in runs} | set(gone.repositories.values())
        self._forget(gone.installation, sorted(names), [run.id for run in runs])
        self.store.forget_installation(gone.installation, ids)
        log.info("forgotten", extra={"installation": gone.installation, "runs": len(runs)})
        self.store.done(job)

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
        # An answer takes no review's place, has no check run, and begins at once.
        first = step(OPEN, run) if is_review else step(REVIEW, run)
        if self.store.begin(run, first, SUPERSEDED if is_review else ""):
            where = f"{run.repository}#{run.number}"
            log.info("run begins", extra={"run": run.id, "pull": where, "trigger": wish.trigger})

    # The steps of a run

    def _open(self, job: Job, run: Run) -> None:
        """Show on GitHub that the review has begun, where checks are allowed."""
        check_run: int | None = None
        if not run.stop:
            try:
                with self._connect(run.installation, run.repository_id) as hub:
                    check_run = check_runs.ensure(
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
        self.store.shown(job, run.id, check_run, step(PUBLISH if run.stop else REVIEW, run))

    def _publish(self, job: Job, run: Run) -> None:
        """Bring the result to where its reader looks, or say why there is none."""
        with self._showing:  # progress that is on its way would write over the end
            pass
        wish = Wish.model_validate_json(run.request)
        with self._connect(run.installation, run.repository_id) as hub:
            if run.stop or not run.report:
                self._end_without(hub, job, run, wish)
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
                    dismissed={
                        one.finding: one.who for one in self.store.dismissed(run.repository_id)
                    },
                    forgotten=self.store.forgotten(run.repository_id),
                    whole=not wish.paths,
                    page=self._page(run),
                ),
                key=self._key,
            )
            if published.outcome == "gone":
                text = "The pull request is not there any more."
                self._conclude(hub, run, "cancelled", "Nothing to review", text)
        self._log(run, published)
        if published.dismissed:
            self.store.dismiss(
                run.repository_id,
                *(
                    Dismissed(one.finding, one.path, one.title, one.who, one.url)
                    for one in published.dismissed
                ),
            )
        self.store.told(run.repository_id, run.number, run.id, published.told)
        then = []
        if published.outcome == "stale":
            # The push that made it so may have been lost on its way to us.
            look = Look(
                installation=run.installation,
                repository_id=run.repository_id,
                repository=run.repository,
                number=run.number,
                trigger="pushed",
            )
            then.append(look.job())
        found = len(report.review.findings)
        self._ended(job, run, published.outcome, *then, findings=found)

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

    def _end_without(self, hub: Hub, job: Job, run: Run, wish: Wish) -> None:
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

    def _ended(
        self, job: Job, run: Run, outcome: str, *then: NewJob, findings: int | None = None
    ) -> None:
        self.store.ended(job, run.id, outcome, *then, findings=findings)
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
            try:
                with self._showing:
                    self._show(run.id)
            except RlmError as error:  # the others' can still be shown
                log.info("no progress shown", extra={"run": run.id, "why": error})
            shown[run.id] = run.progress

    def _show(self, name: str) -> None:
        run = self.store.run(name)  # as it is now: its end may have begun
        if run is None or run.check_run is None or run.state == "ended":
            return
        if run.stop or run.report or run.problem:
            return
        with self._connect_for_checks(run.installation, run.repository_id) as hub:
            check_runs.progress(hub, run.repository, run.check_run, "Reviewing", run.progress)


def _counts(run: Run) -> bool:
    """Does a run settle what its head needs? Not if it ended before anything could be said."""
    if run.stop:
        return run.stop == STOPPED
    return run.outcome.partition(":")[0] not in {"stale", "closed", "gone", "problem", "lost"}


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
