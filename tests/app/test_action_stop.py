"""`/rlm stop` in a job of a workflow: which other runs it cancels, and what it says."""

import pytest

from app.action_stop import BY_HAND, NOTHING
from app.github.workflow_runs import RUN_NAME
from tests.app.test_action_write import Shop, ours, shop
from tests.github.actions import workflow_run
from tests.github.hub import Seen
from tests.github.state import FakePull, FakeWorkflowRun

__all__ = ["shop"]

STOPS = {"pull_requests": "write", "actions": "write"}


def running(shop: Shop, pull: FakePull, **more: object) -> FakeWorkflowRun:
    return workflow_run(shop.repo, RUN_NAME.format(pull.number), **more)  # type: ignore[arg-type]


def heard(shop: Shop, pull: FakePull, title: str = "", text: str = "/rlm stop", **more: str) -> str:
    """Let somebody say it, and the run that this starts; return the newest answer."""
    own = workflow_run(shop.repo, title or RUN_NAME.format(pull.number), ago_s=0)
    shop.environ = {"GITHUB_RUN_ID": str(own.id), **more}
    ran = shop.says(pull, text)
    assert ran.code == 0, ran.log
    assert own.status == "in_progress", "it does not cancel itself"
    own.status = "completed"
    return ours(pull)[-1]


def test_what_runs_for_the_pull_request_is_cancelled_and_named(shop: Shop) -> None:
    shop.permissions = STOPS
    pull, other = shop.pull(), shop.pull(head_ref="other")
    fixing, waiting = running(shop, pull), running(shop, pull, status="pending")
    ended = running(shop, pull, status="completed")
    elsewhere = running(shop, other)
    later = running(shop, pull, ago_s=-60)  # asked for after it: another wish
    theirs = running(
        shop, pull, workflow=2, path="deploy.yml"
    )  # of a workflow that is none of ours
    said = heard(shop, pull)
    assert (fixing.conclusion, waiting.conclusion) == ("cancelled", "cancelled")
    assert [one.conclusion for one in (ended, elsewhere, later, theirs)] == [None] * 4
    for run in (fixing, waiting):
        assert f"[run {run.id}]({shop.hub.web}/octo/hello/actions/runs/{run.id})" in said
    assert said.startswith("Stopped: GitHub cancels ") and "`/rlm undo`" in said
    later.status = "completed"
    assert heard(shop, pull).startswith(NOTHING)
    assert elsewhere.status == "in_progress" and shop.stacked == []


def test_runs_of_workflows_that_the_file_names_are_cancelled_too(shop: Shop) -> None:
    shop.permissions = STOPS
    pull = shop.pull()
    pushed = running(shop, pull, workflow=2, path="review.yml", event="pull_request")
    said = heard(shop, pull, RLM_STOPS="review.yml  gone.yml")
    assert pushed.conclusion == "cancelled" and f"[run {pushed.id}]" in said
    assert "no such workflow here: `gone.yml`" in said


@pytest.mark.parametrize(
    ("looked", "was", "by_now"),
    [
        ("in_progress", "pending", "in_progress"),  # it begins after those that go on were read
        ("pending", "in_progress", "pending"),  # its next job waits, after those that do were read
    ],
)
def test_a_run_that_moves_while_it_is_looked_for_is_cancelled(
    shop: Shop, looked: str, was: str, by_now: str
) -> None:
    shop.permissions = STOPS
    pull = shop.pull()
    moving = running(shop, pull, status=was)

    def move(_index: int, seen: Seen, when: str) -> None:
        if when == "after" and moving.status == was and seen.query.get("status") == looked:
            moving.status = by_now

    shop.hub.on_request(move)
    assert f"[run {moving.id}]" in heard(shop, pull)
    assert moving.conclusion == "cancelled"


def test_a_run_that_begins_because_another_is_cancelled_is_cancelled_too(shop: Shop) -> None:
    """They share a group: GitHub starts the one that waits as soon as the other ends."""
    shop.permissions = STOPS
    pull = shop.pull()
    fixing = running(shop, pull)
    waiting = running(
        shop, pull, workflow=2, path="review.yml", event="pull_request", status="pending"
    )

    def begin(_index: int, seen: Seen, when: str) -> None:
        began = "/review.yml/" in seen.path and seen.query.get("status") == "in_progress"
        if when == "after" and fixing.conclusion == "cancelled" and began:
            waiting.status = "in_progress"

    shop.hub.on_request(begin)
    said = heard(shop, pull, RLM_STOPS="review.yml")
    assert waiting.conclusion == "cancelled" and f"[run {waiting.id}]" in said
    looks = [seen.path for seen in shop.hub.requests if seen.path.endswith(("/runs", "/cancel"))]
    assert looks == sorted(looks, key=lambda path: path.endswith("/cancel")), "all looks come first"


@pytest.mark.parametrize("given", ["../../user", "review.yml?x=1", "review.yaml " * 6])
def test_what_is_no_workflow_file_is_refused(shop: Shop, given: str) -> None:
    pull = shop.pull()
    shop.environ = {"RLM_STOPS": given}
    ran = shop.says(pull, "/rlm stop")
    assert ran.code == 2 and "not a list of workflow files" in ran.log


@pytest.mark.parametrize("actions", ["read", "none"])
def test_without_the_permission_it_says_which_is_missing(shop: Shop, actions: str) -> None:
    shop.repo.private = True
    shop.permissions = {"contents": "read", "pull_requests": "write", "actions": actions}
    pull = shop.pull()
    fixing = running(shop, pull)
    said = heard(shop, pull)
    assert said.startswith(BY_HAND) and "`actions: write`" in said
    assert fixing.status == "in_progress"


def test_a_title_that_its_author_wrote_tells_of_no_run(shop: Shop) -> None:
    """Without a run-name GitHub shows the pull request's title, which may be any other's."""
    shop.permissions = STOPS
    pull = shop.pull()
    theirs = workflow_run(shop.repo, "Mend the cart")
    said = heard(shop, pull, title="Mend the cart")
    assert theirs.status == "in_progress"
    assert said.startswith(BY_HAND) and 'run-name: "rlm #${{ github.event.issue.number }}"' in said


def test_who_may_not_write_stops_nothing(shop: Shop) -> None:
    shop.permissions = STOPS
    pull = shop.pull()
    fixing = running(shop, pull)
    own = running(shop, pull)
    shop.environ = {"GITHUB_RUN_ID": str(own.id)}
    assert shop.says(pull, "/rlm stop", "mallory").code == 0
    assert fixing.status == "in_progress" and "may write" in ours(pull)[-1]


def test_one_that_ends_meanwhile_is_said(shop: Shop) -> None:
    shop.permissions = STOPS
    pull = shop.pull()
    fixing = running(shop, pull)
    shop.hub.fault("POST", f"/runs/{fixing.id}/cancel$", status=409, body={"message": "Cannot."})
    said = heard(shop, pull)
    assert "GitHub cancels no run that has ended by now" in said and f"[run {fixing.id}]" in said


def test_a_review_of_the_same_comment_begins_after_it(shop: Shop) -> None:
    shop.permissions = STOPS | {"contents": "read"}
    pull = shop.pull()
    before = running(shop, pull)
    heard(shop, pull, text="/rlm stop\n/rlm review", ANTHROPIC_API_KEY="")
    assert before.conclusion == "cancelled" and shop.outputs["posted"] == "true"


def test_one_that_is_refused_keeps_no_other_from_being_cancelled_and_said(shop: Shop) -> None:
    shop.permissions = STOPS
    pull = shop.pull()
    runs = [running(shop, pull) for _ in range(3)]
    kept = runs[1]
    shop.hub.fault("POST", f"/runs/{kept.id}/cancel$", status=422, body={"message": "Cannot."})
    said = heard(shop, pull)
    assert [one.conclusion for one in runs] == ["cancelled", None, "cancelled"]
    stopped, _, left = said.partition(BY_HAND)
    assert all(f"[run {one.id}]" in stopped for one in (runs[0], runs[2]))
    assert f"Not cancelled: [run {kept.id}]" in left and "actions: write" not in left


def test_a_list_that_is_refused_keeps_no_other_workflow_from_being_stopped(shop: Shop) -> None:
    shop.permissions = STOPS
    pull = shop.pull()
    fixing = running(shop, pull)
    shop.hub.fault("GET", "/review.yml/runs$", status=422, body={"message": "Cannot."})
    said = heard(shop, pull, RLM_STOPS="review.yml")
    assert fixing.conclusion == "cancelled" and f"[run {fixing.id}]" in said
    assert BY_HAND in said
