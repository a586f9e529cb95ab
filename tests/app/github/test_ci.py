"""What the checks of a commit came to: which are looked at, how they are compared, what is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.github.ci import MOST_PAGES, NO_STATUSES, TOO_MANY, checks_of, compared, described
from app.github.client import Hub
from app.github.errors import Misfit
from app.github.pages import PAGE
from app.github.urls import Server
from reviewer.fix.failed import ANNOTATION_CHARS, MAX_ANNOTATIONS, SUMMARY_CHARS
from tests.github import ci
from tests.github.hub import FakeGitHub

ACTOR = "rlm-review[bot]"
NAME = "octo/hello"


class Scene:
    """Two commits of a private repository with CI: the pull request's head, and ours on it."""

    def __init__(self, fake: FakeGitHub) -> None:
        self.fake = fake
        self.repo = fake.repository(NAME, private=True)
        fake.app("rlm-review")
        fake.apps.actions()
        self.head = self.repo.commit({"a.py": b"one\n"})
        self.made = self.repo.commit({"a.py": b"two\n"}, self.head)

    def hub(self, **permissions: str) -> Hub:
        wanted = {"checks": "write", "statuses": "read"} | permissions
        token = self.fake.token(actor=ACTOR, repo=self.repo, permissions=wanted)
        server = Server(self.fake.web, self.fake.api)
        return Hub(server, SecretStr(token), actor=ACTOR, write_pause_s=0)

    def states(self, commit: str) -> dict[str, str]:
        with self.hub() as hub:
            return {one.name: one.state for one in checks_of(hub, NAME, commit).checks}

    def ended(self) -> bool:
        with self.hub() as hub:
            return checks_of(hub, NAME, self.made).ended


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake)


def test_check_runs_and_statuses_are_read_and_ours_are_left_out(scene: Scene) -> None:
    for name, conclusion in (
        ("unit", "success"),
        ("lint", "neutral"),
        ("types", "failure"),
        ("slow", "timed_out"),
        ("docs", "skipped"),
        ("ship", "cancelled"),
    ):
        ci.check(scene.repo, scene.made, name, conclusion)
    ci.check(scene.repo, scene.made, "rlm review", "failure", app="rlm-review")
    ci.status(scene.repo, scene.made, "ci/old", "pending")
    ci.status(scene.repo, scene.made, "ci/old", "error")
    ci.status(scene.repo, scene.made, "ci/new", "success")
    assert scene.states(scene.made) == {
        "unit": "passed",
        "lint": "passed",
        "types": "failed",
        "slow": "failed",
        "docs": "other",
        "ship": "other",
        "ci/old": "failed",
        "ci/new": "passed",
    }
    assert scene.ended() and scene.states(scene.head) == {}


def test_what_has_not_begun_has_not_ended(scene: Scene) -> None:
    assert not scene.ended()
    unit = ci.check(scene.repo, scene.made, "unit")
    assert scene.ended()
    scene.repo.suites_to_come.add(unit.suite)  # a job that needs this one
    assert not scene.ended()
    scene.repo.suites_to_come.clear()
    going = ci.check(scene.repo, scene.made, "lint", None)
    assert not scene.ended()
    going.status, going.conclusion = "completed", "success"
    assert scene.ended()
    ci.status(scene.repo, scene.made, "ci", "pending")
    assert not scene.ended()
    ci.status(scene.repo, scene.made, "ci", "success")
    assert scene.ended()


def test_a_suite_without_runs_waits_for_nobody(scene: Scene) -> None:
    scene.repo.suite("rlm-review", scene.made)
    ci.check(scene.repo, scene.made, "rlm review", None, app="rlm-review")
    scene.fake.app("other-app")
    scene.repo.suite("other-app", scene.made)
    ci.check(scene.repo, scene.made, "unit")
    assert scene.ended()


def test_what_failed_before_is_told_apart(scene: Scene) -> None:
    ci.check(scene.repo, scene.head, "unit", "success")
    ci.check(scene.repo, scene.head, "flaky", "failure")
    ci.check(scene.repo, scene.head, "skipped", "skipped")
    for name in ("unit", "flaky", "skipped", "young", "unit"):
        ci.check(scene.repo, scene.made, name, "failure")
    ci.check(scene.repo, scene.made, "fine", "success")
    with scene.hub() as hub:
        found = compared(checks_of(hub, NAME, scene.made), checks_of(hub, NAME, scene.head))
    assert [one.name for one in found.new] == ["unit"]
    assert [one.name for one in found.known] == ["flaky"]
    assert {one.name for one in found.unknown} == {"skipped", "young"}


def test_a_check_of_another_app_is_another_check(scene: Scene) -> None:
    scene.fake.app("other-app")
    ci.check(scene.repo, scene.head, "unit", "failure", app="other-app")
    ci.check(scene.repo, scene.head, "unit", "success")
    ci.check(scene.repo, scene.made, "unit", "failure")
    with scene.hub() as hub:
        found = compared(checks_of(hub, NAME, scene.made), checks_of(hub, NAME, scene.head))
    assert [one.name for one in found.new] == ["unit"]


def test_what_a_check_says_is_told_within_bounds(scene: Scene) -> None:
    notes = [ci.annotation("a.py", n, f"warned {n}", "warning") for n in range(1, 30)]
    notes.append(ci.annotation("a.py", 7, "assert 1 == 2\r\n" + "x" * 5_000))
    notes.append(ci.annotation("a.py", 8, "by the way", "notice"))
    said = "1 failed\x00" + "y" * 9_000
    ci.check(scene.repo, scene.made, "unit", "failure", said=said, annotations=tuple(notes))
    ci.status(scene.repo, scene.made, "ci/old", "failure", "Build failed")
    with scene.hub() as hub:
        unit, old = described(hub, NAME, checks_of(hub, NAME, scene.made).checks)
    assert unit.name == "unit" and unit.summary.startswith("unit\n\n1 failed")
    assert len(unit.summary) == SUMMARY_CHARS and len(unit.annotations) == MAX_ANNOTATIONS
    assert unit.annotations[0].startswith("a.py:7: assert 1 == 2\nxxx")
    assert len(unit.annotations[0]) == ANNOTATION_CHARS
    assert unit.annotations[1] == "a.py:1: warned 1" and "by the way" not in str(unit)
    assert (old.name, old.summary, old.annotations) == ("ci/old", "Build failed", ())


def test_without_the_permission_statuses_are_left_and_that_is_said(scene: Scene) -> None:
    ci.check(scene.repo, scene.made, "unit")
    ci.status(scene.repo, scene.made, "ci", "failure")
    with scene.hub(statuses="none") as hub:
        found = checks_of(hub, NAME, scene.made)
    assert [one.name for one in found.checks] == ["unit"] and found.notes == (NO_STATUSES,)


def test_many_are_paged_and_very_many_are_cut(scene: Scene) -> None:
    for number in range(PAGE + 1):
        ci.check(scene.repo, scene.made, f"job {number}")
    assert len(scene.states(scene.made)) == PAGE + 1
    for number in range(PAGE + 1, PAGE * MOST_PAGES + 1):
        ci.check(scene.repo, scene.made, f"job {number}")
    with scene.hub() as hub:
        found = checks_of(hub, NAME, scene.made)
    assert len(found.checks) == PAGE * MOST_PAGES and found.notes == (TOO_MANY,)


def test_an_answer_that_no_github_gives_is_none(scene: Scene) -> None:
    scene.fake.fault("GET", "/check-runs", status=200, body={"check_runs": [{"id": "x"}]})
    with scene.hub() as hub, pytest.raises(Misfit):
        checks_of(hub, NAME, scene.made)
    scene.fake.mend()
    scene.fake.mistakes.clear()
