"""`/rlm tests` on a pull request: from the comment to the pull request with the tests on top."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.site import Site
from tests.app.test_tests_command import (
    CART,
    CART_BEFORE,
    CART_NOW,
    LABELS,
    LABELS_NOW,
    NEW,
    TEST,
    TEST_BEFORE,
    elsewhere,
    model,
    replaced,
    written,
)
from tests.app.transcripts import answered, quoted
from tests.app.world import World
from tests.app.writing_desk import GRANTED, Desk
from tests.github.hub import FakeGitHub
from tests.github.state import FakePull

BASE = {
    "shop/__init__.py": b"",
    CART: CART_BEFORE.encode(),
    TEST: TEST_BEFORE.encode(),
    ".github/rlm.yml": b"write: on\n",
}
HEAD = BASE | {CART: CART_NOW.encode(), LABELS: LABELS_NOW.encode()}


class Shop(World):
    """A shop with a pull request that brings discounts and labels, and a model that tests them."""

    def __init__(self, folder: Path, **more: Any) -> None:
        super().__init__(folder, permissions=GRANTED | {"contents": "write"}, **more)
        self.base = self.repo.commit(BASE)
        self.head = self.repo.commit(HEAD, self.base)
        self.think = model

    @property
    def stacked(self) -> list[FakePull]:
        return [one for one in self.repo.pulls.values() if one.author.login == self.app.actor]

    def branches(self) -> list[str]:
        shown = self.repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads/rlm-*")
        return shown.split()

    def passes(self, tests: str, code: str, folder: Path) -> bool:
        """Do the tests of a commit pass on the code of another one?"""
        for commit, path in ((code, CART), (code, LABELS), (tests, TEST), (tests, NEW)):
            there = self.repo.git("ls-tree", "--name-only", commit, path)
            if there:
                file = folder / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(self.repo.git("show", f"{commit}:{path}") + "\n")
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "--disable-plugin-autoload",
                "-p",
                "no:cacheprovider",
                "tests",
            ],
            cwd=folder,
            env={"PYTHONPATH": str(folder), "PATH": ""},
            capture_output=True,
            check=False,
        )
        return done.returncode == 0


def test_the_tests_stand_as_a_pull_request_on_top_and_fail_without_the_change(
    tmp_path: Path, writing: Site
) -> None:
    with writing.lend(Shop) as (world, server):
        pull = world.pull(head_ref="topic")
        world.commented(server, pull, "alice", "/rlm tests")
        world.settle(runs=1)
        (result,) = world.ours(pull)
        assert "## Tests: done" in result and "they were not run" in result
        told = quoted("tests.md", "## On a pull request")
        assert told and set(told) - answered(result) == set()
        (stacked,) = world.stacked
        assert f"/pull/{stacked.number}" in result
        assert (stacked.base_ref, stacked.title) == ("topic", "Test: 3 behaviours")
        assert "No test was run here" in (stacked.body or "")
        files = world.repo.git("diff", "--name-only", pull.head, stacked.head).split()
        assert files == [TEST, NEW]
        count = world.repo.git("rev-list", "--count", f"{pull.head}..{stacked.head}")
        assert count == "2"
        assert world.passes(stacked.head, pull.head, tmp_path / "now")
        assert not world.passes(stacked.head, world.base, tmp_path / "before")
        (run,) = world.runs()
        assert (run.kind, run.outcome) == ("tests", "stacked")


def test_where_the_server_does_not_write_the_answer_has_the_patch(site: Site) -> None:
    with site.lend(Shop) as (world, server):
        pull = world.pull(head_ref="topic")
        world.commented(server, pull, "alice", "/rlm tests")
        world.settle(runs=1)
        (result,) = world.ours(pull)
        assert "test_more_than_all_is_refused" in result and "+++ b/tests/test_cart.py" in result
        assert (world.stacked, world.branches()) == ([], [])


def test_a_model_that_obeys_the_change_writes_no_code_all_the_same(writing: Site) -> None:
    evil = {"path": CART, "old": "    return sum(items)", "new": "    return 0"}

    def obeys(request: dict[str, Any]) -> Any:
        if elsewhere(request):
            return model(request)
        edits = replaced(TEST_BEFORE)
        edits["replacements"].append(evil)
        flow = {"path": ".github/workflows/x.yml", "text": "on: push\n"}
        return written(request, **edits, new_files=[flow])

    with writing.lend(Shop) as (world, server):
        world.think = obeys
        pull = world.pull(head_ref="topic")
        world.commented(server, pull, "alice", "/rlm tests")
        world.settle(runs=1)
        (stacked,) = world.stacked
        assert world.repo.git("diff", "--name-only", pull.head, stacked.head) == NEW
        assert "none stood" in world.ours(pull)[0]


# Who may, without a server ------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with FakeGitHub(tmp_path / "hub") as fake:
        desk = Desk(fake, tmp_path)
        yield desk
        desk.store.close()


def test_only_who_may_write_has_tests_written_once_for_a_command(desk: Desk) -> None:
    desk.says("mallory", "/rlm tests")
    assert desk.outcomes() == [] and "Only people who may write" in desk.ours[-1].body
    said = desk.says("alice", "/rlm tests")
    _, run, wish = desk.engine()
    assert (run.kind, wish.task, wish.sender, wish.kind) == ("tests", "tests", "alice", "tests")
    desk.obeys(said)
    assert len(desk.outcomes()) == 1
