"""Webhook payloads, complete, in the shapes of octokit/webhooks."""

from typing import Any

from tests.github import shapes
from tests.github.apps import FakeApp, FakeInstallation
from tests.github.quirks import quirk
from tests.github.state import (
    FakeCheckRun,
    FakeComment,
    FakePull,
    FakeRepo,
    ReviewComment,
    User,
)

Json = dict[str, Any]


def _common(repo: FakeRepo, sender: User, app: FakeApp) -> Json:
    """What every delivery to an App carries; the installation is in its short form."""
    known = {
        "repository": shapes.repository(repo),
        "sender": shapes.user(repo.state, sender),
    }
    installation = next((i for i in app.installations.values() if repo in i.repositories), None)
    if installation is not None:
        known["installation"] = {
            "id": installation.id,
            "node_id": shapes.node("MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9u", installation.id),
        }
    return known


@quirk("a payload is what octokit and GitHub say it is")
def pull_request(pull: FakePull, action: str, app: FakeApp, sender: User, **more: Any) -> Json:
    """Describe what happened to a pull request."""
    return {
        "action": action,
        "number": pull.number,
        "pull_request": shapes.pull(pull, full=True),
        **more,
        **_common(pull.repo, sender, app),
    }


@quirk("21 our own comment comes back")
def issue_comment(comment: FakeComment, action: str, app: FakeApp, by: FakeApp | None) -> Json:
    """Describe a comment in a conversation. It names no commit."""
    issue = shapes.issue(comment.pull)
    del issue["closed_by"]
    return {
        "action": action,
        "issue": issue,
        "comment": shapes.comment(comment, by),
        **_common(comment.pull.repo, comment.user, app),
    }


def review_comment(comment: ReviewComment, action: str, app: FakeApp) -> Json:
    """Describe a comment at lines, a first one or an answer."""
    pull = comment.review.pull
    return {
        "action": action,
        "comment": shapes.review_comment(comment),
        "pull_request": shapes.pull(pull),
        **_common(pull.repo, comment.user, app),
    }


def merge_group(repo: FakeRepo, head_sha: str, number: int, app: FakeApp, sender: User) -> Json:
    """Describe a group that a merge queue has made of a pull request."""
    base = "0" * 40
    return {
        "action": "checks_requested",
        "merge_group": {
            "head_sha": head_sha,
            "head_ref": f"refs/heads/gh-readonly-queue/main/pr-{number}-{base}",
            "base_ref": "refs/heads/main",
            "base_sha": base,
            "head_commit": _head_commit(repo, head_sha),
        },
        **_common(repo, sender, app),
    }


def check_run(run: FakeCheckRun, action: str, app: FakeApp, sender: User, button: str = "") -> Json:
    """Describe a button pressed on a check run, or its life; `button` is one of our own."""
    pressed = {"requested_action": {"identifier": button}} if button else {}
    return {
        "action": action,
        **pressed,
        "check_run": {
            **shapes.check_run(run, app),
            "check_suite": _suite(run.repo, run.head_sha, run.suite, app),
        },
        **_common(run.repo, sender, app),
    }


def check_suite(repo: FakeRepo, head_sha: str, action: str, app: FakeApp, sender: User) -> Json:
    """Describe "re-run all checks", or a push that wants checks."""
    suite = repo.suite(app.slug, head_sha)
    runs = [run for run in repo.check_runs if run.suite == suite]
    shown = _suite(repo, head_sha, suite, app)
    return {
        "action": action,
        "check_suite": {
            **shown,
            "latest_check_runs_count": len(runs),
            "check_runs_url": f"{shown['url']}/check-runs",
            "head_commit": _head_commit(repo, head_sha),
        },
        **_common(repo, sender, app),
    }


def installation(it: FakeInstallation, action: str, sender: User) -> Json:
    """Describe the life of an installation: created, deleted, suspend, unsuspend and so on."""
    return {
        "action": action,
        "installation": shapes.installation(it),
        "repositories": [
            {
                "id": repo.id,
                "node_id": shapes.node("R", repo.id),
                "name": repo.name,
                "full_name": repo.full_name,
                "private": repo.private,
            }
            for repo in it.repositories
        ],
        "sender": shapes.user(it.app.state, sender),
    }


def _head_commit(repo: FakeRepo, sha: str) -> Json:
    return {
        "id": sha,
        "tree_id": sha,
        "message": "x",
        "timestamp": shapes.stamp(repo.created),
        "author": {"name": "A", "email": "a@example.com"},
        "committer": {"name": "A", "email": "a@example.com"},
    }


def _suite(repo: FakeRepo, head_sha: str, suite: int, app: FakeApp) -> Json:
    """Show a suite. Of a fork's commit it knows neither branch nor pull request."""
    pulls = shapes.own_pulls(repo, head_sha)
    runs = [run for run in repo.check_runs if run.suite == suite]
    done = bool(runs) and all(run.status == "completed" for run in runs)
    return {
        "id": suite,
        "node_id": shapes.node("CS", suite),
        "head_branch": pulls[0].head_ref if pulls else None,
        "head_sha": head_sha,
        "status": "completed" if done else "queued",
        "conclusion": runs[-1].conclusion if done else None,
        "url": f"{repo.state.api}/repos/{repo.full_name}/check-suites/{suite}",
        "before": "0" * 40,
        "after": head_sha,
        "pull_requests": [shapes.minimal_pull(pull) for pull in pulls],
        "app": shapes.integration(app),
        "created_at": shapes.stamp(repo.created),
        "updated_at": shapes.stamp(repo.state.now()),
    }
