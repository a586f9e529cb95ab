"""Other people's checks on the fake: what a test lets CI say, and the routes that show it."""

from typing import Any

from tests.github import shapes
from tests.github.errors import Refusal
from tests.github.quirks import quirk
from tests.github.rest import Call, R, route
from tests.github.state import FakeCheckRun, FakeRepo, FakeStatus

ACTIONS = "github-actions"


def check(
    repo: FakeRepo,
    sha: str,
    name: str,
    conclusion: str | None = "success",
    *,
    app: str = ACTIONS,
    said: str = "",
    annotations: tuple[dict[str, object], ...] = (),
) -> FakeCheckRun:
    """Let a check end on a commit; without a conclusion it goes on."""
    state = repo.state
    with state.lock:
        now = shapes.stamp(state.now())
        suite = repo.suite(app, sha)
        status = "in_progress" if conclusion is None else "completed"
        run = FakeCheckRun(state.next_id(), repo, app, suite, name, sha, status, now)
        run.conclusion, run.completed = conclusion, None if conclusion is None else now
        run.title, run.summary = (name, said) if said else (None, None)
        run.annotations = [dict(one) for one in annotations]
        repo.check_runs.append(run)
    return run


def status(repo: FakeRepo, sha: str, context: str, state: str, said: str = "") -> FakeStatus:
    """Set a commit status; the newest of a context counts."""
    with repo.state.lock:
        made = FakeStatus(repo.state.next_id(), sha, context, state, said, repo.state.now())
        repo.statuses.append(made)
    return made


def annotation(path: str, line: int, message: str, level: str = "failure") -> dict[str, object]:
    """Return an annotation of a check run, as one is sent."""
    return {
        "path": path,
        "start_line": line,
        "end_line": line,
        "annotation_level": level,
        "message": message,
    }


@quirk("statuses are no check runs, and have a permission of their own")
def _commit(call: Call) -> str:
    repo, ref = call.repo, call.arguments["ref"]
    if not repo.has_commit(ref):
        raise Refusal(422, f"No commit found for SHA: {ref}")
    return repo.git("rev-parse", f"{ref}^{{commit}}")


@route("GET", R + "/commits/{ref}/status", "statuses=read")
@quirk("statuses are no check runs, and have a permission of their own")
def combined_status(call: Call) -> Any:
    repo, sha = call.repo, _commit(call)
    newest = {one.context: one for one in repo.statuses if one.sha == sha}
    states = {one.state for one in newest.values()}
    state = "failure" if states & {"failure", "error"} else "pending"
    if states == {"success"}:
        state = "success"
    api = f"{call.state.api}/repos/{repo.full_name}/commits/{sha}"

    def shown(one: FakeStatus) -> Any:
        stamp = shapes.stamp(one.at)
        return {
            "id": one.id,
            "node_id": shapes.node("SC", one.id),
            "url": f"{call.state.api}/repos/{repo.full_name}/statuses/{sha}",
            "avatar_url": None,
            "state": one.state,
            "context": one.context,
            "description": one.said or None,
            "target_url": None,
            "created_at": stamp,
            "updated_at": stamp,
        }

    answer = call.page(newest.values(), shown, "statuses")
    answer.body |= {
        "state": state,
        "sha": sha,
        "repository": shapes.repository(repo),
        "commit_url": api,
        "url": f"{api}/status",
    }
    return answer


@route("GET", R + "/commits/{ref}/check-suites", "checks=read")
def list_suites(call: Call) -> Any:
    repo, sha = call.repo, _commit(call)
    mine = [(app, number) for (app, head), number in repo.suites.items() if head == sha]
    return call.page(mine, lambda one: _suite(call, sha, *one), "check_suites")


def _suite(call: Call, sha: str, slug: str, number: int) -> Any:
    """Show a suite; one that goes on has runs that do, or is said to have more to come."""
    repo, app = call.repo, call.app_of(slug)
    runs = [run for run in repo.check_runs if run.suite == number]
    ended = bool(runs) and all(run.status == "completed" for run in runs)
    ended = ended and number not in repo.suites_to_come
    own = f"{call.state.api}/repos/{repo.full_name}/check-suites/{number}"
    pulls = shapes.own_pulls(repo, sha)
    stamp = shapes.stamp(repo.created)
    person = {"name": "A", "email": "a@example.com"}
    return {
        "id": number,
        "node_id": shapes.node("CS", number),
        "head_branch": pulls[0].head_ref if pulls else None,
        "head_sha": sha,
        "status": "completed" if ended else "in_progress" if runs else "queued",
        "conclusion": runs[-1].conclusion if ended else None,
        "url": own,
        "before": "0" * 40,
        "after": sha,
        "pull_requests": [shapes.minimal_pull(pull) for pull in pulls],
        "app": None if app is None else shapes.integration(app),
        "repository": shapes.repository(repo),
        "created_at": stamp,
        "updated_at": stamp,
        "head_commit": {
            "id": sha,
            "tree_id": sha,
            "message": "x",
            "timestamp": stamp,
            "author": person,
            "committer": person,
        },
        "latest_check_runs_count": len(runs),
        "check_runs_url": f"{own}/check-runs",
    }
