"""Runs of workflows in GitHub Actions: which go on for a pull request, and having them cancelled.

GitHub tells of a run that a comment has started neither the pull request nor its branch, and of
every other one only where that branch lies in the same repository. What tells is the run's title,
where the workflow gives it one (`run-name`): that is computed from the file on the default branch
for a comment, so nobody can put a number into the title of somebody else's run. Without a
`run-name` the title is the pull request's own, which its author has written.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from app.github.client import Hub, checked_name
from app.github.errors import Refused, calls
from app.github.pages import PAGE

RUN_NAME = "rlm #{}"
"""The title of a run for the pull request of that number, as the workflow's `run-name` has it."""

GOING = ("in_progress", "requested", "waiting", "pending", "queued", "in_progress")
"""What the status of a run is that has not ended; the filter of the list takes one at a time.

In the order in which a run goes through them, so that one that moves while we look is met later:
it begins and waits again where its next job has a group to wait for, so that comes first, too.
"""

MOST_PAGES = 3
"""Of the runs of a workflow that have one status: of 300 the newest."""

_ENDED = 409


class WorkflowRun(BaseModel):
    """What we read of a run. `since`: when its latest attempt began."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: Annotated[int, Field(ge=1, le=2**53)]
    workflow_id: Annotated[int, Field(ge=1, le=2**53)]
    display_title: str
    created_at: datetime
    run_started_at: datetime | None = None

    @property
    def since(self) -> datetime:
        return self.run_started_at or self.created_at


class _Runs(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    workflow_runs: list[WorkflowRun]


_RUNS = TypeAdapter(_Runs)


def run_of(hub: Hub, repository: str, run: int) -> WorkflowRun:
    """Return a run; raise NotThere or Forbidden where the token may not see it."""
    doing = "look at the run of this workflow"
    answer = hub.ask(doing, "GET", f"{_actions(repository)}/runs/{run:d}")
    with calls(hub.server, doing):
        return WorkflowRun.model_validate(answer)


def going(hub: Hub, repository: str, workflow: int | str) -> Iterator[WorkflowRun]:
    """Yield the runs of a workflow that have not ended, each once; `workflow` is its number, or the
    name of its file.
    """
    doing = "look for runs of the workflow"
    seen: set[int] = set()
    for status in GOING:
        for page in range(1, MOST_PAGES + 1):
            query = f"status={status}&exclude_pull_requests=true&per_page={PAGE}&page={page}"
            path = f"{_actions(repository)}/workflows/{workflow}/runs?{query}"
            answer = hub.ask(doing, "GET", path)
            with calls(hub.server, doing):
                found = _RUNS.validate_python(answer).workflow_runs
            yield from (one for one in found if one.id not in seen)
            seen.update(one.id for one in found)
            if len(found) < PAGE:
                break


def cancel(hub: Hub, repository: str, run: int) -> bool:
    """Have a run cancelled; return False for one that GitHub does not cancel: it has ended."""
    try:
        hub.ask("cancel the run", "POST", f"{_actions(repository)}/runs/{run:d}/cancel")
    except Refused as error:
        if error.status != _ENDED:
            raise
        return False
    return True


def _actions(repository: str) -> str:
    return f"/repos/{checked_name(repository)}/actions"
