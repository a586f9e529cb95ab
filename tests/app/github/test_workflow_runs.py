"""Runs of workflows: which go on for a pull request, and which are cancelled."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.github.client import Hub
from app.github.errors import Forbidden, Misfit, NotThere
from app.github.pages import PAGE
from app.github.urls import Server
from app.github.workflow_runs import RUN_NAME, cancel, going, run_of
from tests.github.actions import workflow_run
from tests.github.hub import FakeGitHub
from tests.github.state import FakeRepo

ACTOR = "github-actions[bot]"
NAME = "octo/hello"


class Scene:
    """A private repository with workflows, and the token of a job."""

    def __init__(self, fake: FakeGitHub) -> None:
        self.fake = fake
        self.repo: FakeRepo = fake.repository(NAME, private=True)

    def hub(self, actions: str = "write") -> Hub:
        granted = {"actions": actions} if actions else {}
        token = self.fake.token(actor=ACTOR, repo=self.repo, permissions=granted)
        server = Server(self.fake.web, self.fake.api)
        return Hub(server, SecretStr(token), actor=ACTOR, write_pause_s=0)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake)


def test_the_runs_of_a_pull_request_are_told_by_their_title_alone(scene: Scene) -> None:
    first = workflow_run(scene.repo, RUN_NAME.format(1))
    second = workflow_run(scene.repo, RUN_NAME.format(2), status="pending")
    workflow_run(scene.repo, RUN_NAME.format(1), status="completed")
    other = workflow_run(scene.repo, "x", workflow=2, path="review.yml", event="pull_request")
    with scene.hub() as hub:
        told = {one.id: one.display_title for one in going(hub, NAME, 1)}
        by_name = [one.id for one in going(hub, NAME, "review.yml")]
        own = run_of(hub, NAME, first.id)
    assert told == {first.id: "rlm #1", second.id: "rlm #2"} and by_name == [other.id]
    assert (own.workflow_id, own.display_title) == (1, "rlm #1") and own.since == own.created_at
    assert scene.fake.mistakes == []


def test_nothing_is_asked_of_a_run_that_is_not_used(scene: Scene) -> None:
    said = {"id": 7, "workflow_id": 1, "display_title": "x", "created_at": "2026-01-01T00:00:00Z"}
    scene.fake.fault(path="/actions/runs/7$", status=200, body=said)
    with scene.hub() as hub:
        assert run_of(hub, NAME, 7).id == 7


def test_more_than_a_page_goes_on(scene: Scene) -> None:
    made = {workflow_run(scene.repo, f"{n}").id for n in range(PAGE + 1)}
    with scene.hub() as hub:
        assert {one.id for one in going(hub, NAME, 1)} == made


def test_a_run_is_cancelled_once(scene: Scene) -> None:
    run = workflow_run(scene.repo, "x")
    with scene.hub() as hub:
        assert cancel(hub, NAME, run.id) is True
        assert run.conclusion == "cancelled" and list(going(hub, NAME, 1)) == []
        assert cancel(hub, NAME, run.id) is False
        with pytest.raises(NotThere):
            cancel(hub, NAME, run.id + 1_000)


def test_who_may_not_is_told_so(scene: Scene) -> None:
    run = workflow_run(scene.repo, "x")
    with scene.hub("read") as hub, pytest.raises(Forbidden):
        cancel(hub, NAME, run.id)
    with scene.hub("") as hub, pytest.raises(Forbidden):
        run_of(hub, NAME, run.id)
    assert run.status == "in_progress"


def test_an_answer_that_no_github_gives_is_none(scene: Scene) -> None:
    scene.fake.fault("GET", "/actions/", status=200, body={"workflow_runs": [{"id": -1}]})
    with scene.hub() as hub, pytest.raises(Misfit):
        list(going(hub, NAME, 1))
    scene.fake.mend()
    scene.fake.mistakes.clear()
