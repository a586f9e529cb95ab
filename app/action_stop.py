"""`/rlm stop` in `rlm action`: the other runs of the workflow for this pull request are cancelled.

Only those whose title says so (`app.github.workflow_runs`), of this workflow and of those that the
default branch's file names, and only what began before this: a command after it is another wish.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from app.action_step import Step
from app.action_work import patiently
from app.github.client import Hub
from app.github.errors import Forbidden, NotThere
from app.github.workflow_runs import RUN_NAME, WorkflowRun, cancel, going, run_of
from app.render.escape import markdown_code
from reviewer.errors import RetryLater, RlmError

NOTHING = "Nothing is running here."
BY_HAND = (
    "I could not cancel all that runs here: open what goes on under **Actions** and choose "
    "**Cancel workflow**."
)
NO_PERMISSION = (
    f"{BY_HAND} `/rlm stop` does it where the job that hears it has `actions: write` under "
    "`permissions`."
)
NO_NAME = (
    f"{BY_HAND} `/rlm stop` does it where the workflow says of each run which pull request it is "
    'for, with a line of its own: `run-name: "rlm #${{ github.event.issue.number }}"`.'
)
STANDS = "What such a run has said or opened by now stands: `/rlm undo` takes a pull request back."

_T = TypeVar("_T")


def stopped(hub: Hub, step: Step, environ: Mapping[str, str], number: int) -> str:
    """Cancel what else runs for a pull request, and return what to answer, in Markdown."""
    own_id = environ.get("GITHUB_RUN_ID", "")
    if not (own_id.isascii() and own_id.isdigit()):
        return BY_HAND
    stop = _Stop(hub, step)
    own = stop.trying(partial(run_of, hub, step.repository, int(own_id)))
    if own is not None and own.display_title != RUN_NAME.format(number):
        return NO_NAME
    # All that runs, before the first is cancelled: by that GitHub starts what waits for it.
    for run in stop.others(own) if own is not None else ():
        stop.cancel(run)
    return stop.told()


@dataclass
class _Stop:
    """One stop: what came of each run and of each look, as links and names to be said."""

    hub: Hub
    step: Step
    cancelled: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    problems: list[RlmError] = field(default_factory=list)

    def others(self, own: WorkflowRun) -> list[WorkflowRun]:
        """Return the runs for the pull request of our own one that began before it."""
        workflows: tuple[int | str, ...] = (own.workflow_id, *self.step.stops)
        return [
            one
            for workflow in workflows
            for one in self._going(workflow)
            if one.id != own.id
            and one.display_title == own.display_title
            and one.since <= own.created_at
        ]

    def _going(self, workflow: int | str) -> list[WorkflowRun]:
        def look() -> list[WorkflowRun]:
            try:
                return list(going(self.hub, self.step.repository, workflow))
            except NotThere:
                self.missing.append(markdown_code(str(workflow)))
                return []

        return self.trying(look) or []

    def cancel(self, run: WorkflowRun) -> None:
        """Have a run cancelled; what keeps GitHub from one keeps it from no other."""
        link = f"{self.hub.server.web}/{self.step.repository}/actions/runs/{run.id}"
        done = self.trying(partial(cancel, self.hub, self.step.repository, run.id))
        came = {True: self.cancelled, False: self.ended, None: self.left}[done]
        came.append(f"[run {run.id}]({link})")

    def trying(self, call: Callable[[], _T]) -> _T | None:
        """Return what GitHub answers; None where it does not, which is noted.

        An outage that lasted for as long as we wait is waited for once: the job ends in minutes.
        """
        away = any(isinstance(one, RetryLater) for one in self.problems)
        try:
            return call() if away else patiently(self.step, call)
        except RlmError as error:
            self.step.log.tell("warning", str(error))
            self.problems.append(error)
            return None

    def told(self) -> str:
        """Return what to answer."""
        said = []
        if self.cancelled:
            said.append(f"Stopped: GitHub cancels {', '.join(self.cancelled)}. {STANDS}")
        if self.ended:
            said.append(f"GitHub cancels no run that has ended by now: {', '.join(self.ended)}.")
        if self.missing:
            said.append(f"There is no such workflow here: {', '.join(self.missing)}.")
        if self.problems:
            refused = any(isinstance(one, (Forbidden, NotThere)) for one in self.problems)
            said.append(NO_PERMISSION if refused else BY_HAND)
        if self.left:
            said.append(f"Not cancelled: {', '.join(self.left)}.")
        return " ".join(said) or NOTHING
