"""`/rlm stop` in `rlm action`: the other runs of the workflow for this pull request are cancelled.

Only those whose title says so (`app.github.workflow_runs`), of this workflow and of those that the
default branch's file names, and only what began before this: a command after it is another wish.
"""

from collections.abc import Mapping
from functools import partial

from app.action_step import Step
from app.action_work import patiently
from app.github.client import Hub
from app.github.errors import Forbidden, NotThere
from app.github.workflow_runs import RUN_NAME, WorkflowRun, cancel, going, run_of
from app.render.escape import markdown_code

NOTHING = "Nothing is running here."
BY_HAND = (
    "I could not cancel what runs here: open its run under **Actions** and choose **Cancel "
    "workflow**."
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


def stopped(hub: Hub, step: Step, environ: Mapping[str, str], number: int) -> str:
    """Cancel what else runs for a pull request, and return what to answer, in Markdown."""
    own_id = environ.get("GITHUB_RUN_ID", "")
    if not (own_id.isascii() and own_id.isdigit()):
        return BY_HAND
    ended: list[str] = []
    missing: list[str] = []
    cancelled: list[str] = []
    try:
        own = patiently(step, partial(run_of, hub, step.repository, int(own_id)))
        if own.display_title != RUN_NAME.format(number):
            return NO_NAME
        workflows: tuple[int | str, ...] = (own.workflow_id, *step.stops)
        for workflow in workflows:
            try:
                found = patiently(step, partial(_others, hub, step, own, workflow))
            except NotThere:
                missing.append(markdown_code(str(workflow)))
                continue
            for run in found:
                done = patiently(step, partial(cancel, hub, step.repository, run.id))
                (cancelled if done else ended).append(_link(hub, step, run))
    except (Forbidden, NotThere) as error:
        step.log.tell("warning", str(error))
        return " ".join([*_told(cancelled, [], []), NO_PERMISSION])
    return " ".join(_told(cancelled, ended, missing)) or NOTHING


def _others(hub: Hub, step: Step, own: WorkflowRun, workflow: int | str) -> list[WorkflowRun]:
    """Return the runs of a workflow for the pull request of our own one that began before it."""
    return [
        one
        for one in going(hub, step.repository, workflow)
        if one.id != own.id
        and one.display_title == own.display_title
        and one.since <= own.created_at
    ]


def _told(cancelled: list[str], ended: list[str], missing: list[str]) -> list[str]:
    said = []
    if cancelled:
        said.append(f"Stopped: GitHub cancels {', '.join(cancelled)}. {STANDS}")
    if ended:
        said.append(f"GitHub cancels no run that has ended by now: {', '.join(ended)}.")
    if missing:
        said.append(f"There is no such workflow here: {', '.join(missing)}.")
    return said


def _link(hub: Hub, step: Step, run: WorkflowRun) -> str:
    return f"[run {run.id}]({hub.server.web}/{step.repository}/actions/runs/{run.id})"
