import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.github.client import Hub
from app.github.promises import closed_issues, promise_of, read_promise
from app.github.pulls import Pull, look_at
from app.github.urls import Server
from reviewer.request import Issue
from tests.github.hub import FakeGitHub, FakeRepo

ACTOR = "rlm-review[bot]"
NAME = "octo/hello"


class Scene:
    """A pull request with a description, and issues."""

    def __init__(self, fake: FakeGitHub) -> None:
        self.fake = fake
        self.repo: FakeRepo = fake.repository(NAME, private=True)
        fake.app("rlm-review")
        self.server = Server(fake.web, fake.api)
        self.base = self.repo.commit({"a.py": b"one\n"})
        self.head = self.repo.commit({"a.py": b"two\n"}, self.base)

    def token(self, **permissions: str) -> SecretStr:
        wanted = {"pull_requests": "write", "issues": "read"} | permissions
        return SecretStr(self.fake.token(actor=ACTOR, repo=self.repo, permissions=wanted))

    def pull(self, hub: Hub, **said: Any) -> Pull:
        made = self.repo.pull(self.base, self.head, **said)
        return look_at(hub, NAME, made.number)

    def hub(self, **permissions: str) -> Hub:
        return Hub(self.server, self.token(**permissions), actor=ACTOR, write_pause_s=0)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake)


def test_title_description_and_the_issues_that_it_closes(scene: Scene) -> None:
    issue = scene.repo.issue(title="It overflows", body="With 65,536 items.")
    with scene.hub() as hub:
        pull = scene.pull(hub, title="Count in 64 bits", body=f"Fixes #{issue.number}.")
        for promise in (promise_of(hub, pull), read_promise(pull, scene.server, scene.token())):
            assert (promise.title, promise.description) == (
                "Count in 64 bits",
                f"Fixes #{issue.number}.",
            )
            assert promise.issues == (
                Issue(number=issue.number, title="It overflows", body="With 65,536 items."),
            )


def test_an_issue_that_cannot_be_read_costs_itself(scene: Scene) -> None:
    issue = scene.repo.issue(title="It overflows")
    with scene.hub() as hub:
        other = scene.pull(hub, title="Another")
        body = f"Closes #4711, closes #{other.number}, closes #{issue.number}"
        pull = scene.pull(hub, title="Count", body=body)
        assert [one.number for one in promise_of(hub, pull).issues] == [issue.number]
        scene.fake.fault(method="GET", path=rf"/issues/{issue.number}$", status=502, times=None)
        assert promise_of(hub, pull).issues == ()
    with scene.hub(issues="none", pull_requests="read") as hub:
        assert promise_of(hub, pull).title == "Count"


def test_without_a_word_of_an_issue_nobody_is_asked(scene: Scene) -> None:
    with scene.hub() as hub:
        pull = scene.pull(hub, title="Count", body=None)
        before = len(scene.fake.requests)
        assert promise_of(hub, pull).description == ""
        read_promise(pull, scene.server, None)
        assert len(scene.fake.requests) == before


@pytest.mark.parametrize(
    ("body", "numbers"),
    [
        ("Fixes #1, resolves: #2 and CLOSED #3. Close #4", [1, 2, 3]),
        ("fix octo/hello#5, closes other/repo#6", [5]),
        ("resolve {web}/octo/hello/issues/7 and https://evil.test/octo/hello/issues/8", [7]),
        ("see #9, prefixes #10, fixes#11, fixes # 12, fixes #013", []),
        ("fixes #1 fixes #1", [1]),
        ("fixes #99999999999999", []),
        ("close " * 30_000 + "#1", []),
        ("fixes  :\t #3", [3]),
    ],
)
def test_which_issues_are_meant(scene: Scene, body: str, numbers: list[int]) -> None:
    with scene.hub() as hub:
        pull = scene.pull(hub, body="x")
    said = Pull(
        **{
            **{name: getattr(pull, name) for name in Pull.__slots__},
            "body": body.replace("{web}", scene.fake.web),
        }
    )
    assert closed_issues(said, scene.server) == numbers


@pytest.mark.parametrize("mark", ["", ":", " :"])
def test_a_hostile_description_is_read_in_no_time(scene: Scene, mark: str) -> None:
    with scene.hub() as hub:
        pull = scene.pull(hub, body=f"close{mark}{' ' * 20_000}x")
    before = time.process_time()
    assert closed_issues(pull, scene.server) == []
    assert time.process_time() - before < 1
