"""Runs of workflows on the fake: what a test lets go on, and the routes that show and end it."""

from typing import Any

from tests.github import shapes
from tests.github.errors import Refusal, not_found
from tests.github.quirks import quirk
from tests.github.rest import Answer, Call, R, route
from tests.github.state import FakeRepo, FakeWorkflowRun

GOING = frozenset({"in_progress", "queued", "requested", "waiting", "pending"})


def workflow_run(
    repo: FakeRepo,
    title: str,
    *,
    workflow: int = 1,
    path: str = "write-on-comment.yml",
    event: str = "issue_comment",
    status: str = "in_progress",
    ago_s: float = 60.0,
) -> FakeWorkflowRun:
    """Let a run of a workflow go on since so long; `title` is its run-name, or what GitHub takes."""
    state = repo.state
    with state.lock:
        at = state.now() - ago_s
        run = FakeWorkflowRun(state.next_id(), workflow, path, event, title, status, at)
        repo.workflow_runs.append(run)
    return run


@route("GET", R + "/actions/runs/{run_id}", "actions=read")
def get_run(call: Call) -> Any:
    return _shown(call, _run(call))


@route("GET", R + "/actions/workflows/{workflow_id}/runs", "actions=read")
@quirk("a run that a comment started names no pull request")
def list_runs(call: Call) -> Any:
    named, status = call.arguments["workflow_id"], call.query.get("status", "")
    known = {str(one.workflow) for one in call.repo.workflow_runs}
    known |= {one.path for one in call.repo.workflow_runs}
    if named not in known:
        raise not_found()
    found = [
        one
        for one in reversed(call.repo.workflow_runs)
        if named in {str(one.workflow), one.path} and status in {"", one.status, one.conclusion}
    ]
    return call.page(found, lambda one: _shown(call, one), "workflow_runs")


@route("POST", R + "/actions/runs/{run_id}/cancel", "actions=write")
@quirk("a run that has ended is not cancelled")
def cancel_run(call: Call) -> Any:
    run = _run(call)
    if run.status not in GOING:
        raise Refusal(409, "Cannot cancel a workflow run that is completed.")
    run.status, run.conclusion = "completed", "cancelled"
    return Answer(202, {})


@quirk("what one may not see is not there")
def _run(call: Call) -> FakeWorkflowRun:
    number = call.arguments["run_id"]
    for run in call.repo.workflow_runs:
        if str(run.id) == number:
            return run
    raise not_found()


@quirk("a run that a comment started names no pull request")
def _shown(call: Call, run: FakeWorkflowRun) -> Any:
    """Show a run as one that a comment has started: of the default branch, for no pull request."""
    repo = call.repo
    api = f"{call.state.api}/repos/{repo.full_name}/actions"
    own, page = f"{api}/runs/{run.id}", f"{repo.html_url}/actions/runs/{run.id}"
    stamp = shapes.stamp(run.at)
    return {
        "id": run.id,
        "name": "Write on comment",
        "node_id": shapes.node("WFR", run.id),
        "head_branch": repo.default_branch,
        "head_sha": "0" * 40,
        "path": f".github/workflows/{run.path}",
        "run_number": run.id,
        "run_attempt": 1,
        "event": run.event,
        "display_title": run.title,
        "status": run.status,
        "conclusion": run.conclusion,
        "workflow_id": run.workflow,
        "url": own,
        "html_url": page,
        "pull_requests": [],
        "created_at": stamp,
        "updated_at": stamp,
        "run_started_at": stamp,
        "jobs_url": f"{own}/jobs",
        "logs_url": f"{own}/logs",
        "check_suite_url": f"{call.state.api}/repos/{repo.full_name}/check-suites/{run.id}",
        "artifacts_url": f"{own}/artifacts",
        "cancel_url": f"{own}/cancel",
        "rerun_url": f"{own}/rerun",
        "previous_attempt_url": None,
        "workflow_url": f"{api}/workflows/{run.workflow}",
        "head_commit": None,
        "repository": shapes.repository(repo),
        "head_repository": shapes.repository(repo),
    }
