"""From a finding to a pull request on top that its checks pass: a real server, end to end."""

import re
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app.store import CI
from app.store.tables import JOBS
from tests.app.site import Site
from tests.app.test_serve import Server
from tests.app.transcripts import answered, quoted
from tests.app.world import BASE, FIX, FLAWED, QUOTE, World, finds, wait_until
from tests.app.writing_desk import GRANTED
from tests.github import ci
from tests.github.hub import FakePull, Seen
from tests.model_server import Scripted, tool
from tests.reviewer.refactor.shop import edited, prompt

CART = "cart.py"
ID = re.compile(r"^(?:The finding|What failed) ([0-9a-f]{12}):", re.M)
WORSE = FIX.replace("sum(", "sum(0 + ")
"""What the first patch makes of the line: the finding is closed, and a check fails."""


class Till(World):
    """A pull request with a flaw, and a model that finds it, mends it badly, and then well."""

    def __init__(self, folder: Path, **more: Any) -> None:
        super().__init__(folder, permissions=GRANTED | {"statuses": "read"}, **more)
        self.hub.apps.actions()
        wants = {".github/rlm.yml": b"write: on\n"}
        self.base = self.repo.commit(BASE | wants)
        self.head = self.repo.commit(FLAWED | wants, self.base)
        self.asked: list[str] = []
        self.think = self.mends

    def mends(self, request: dict[str, Any]) -> Scripted:
        """Play finder, coder and reviewer."""
        tools = str([one["input_schema"].get("properties", {}).keys() for one in request["tools"]])
        if "opinions" in tools:
            line = FIX if f"> +{FIX}" in prompt(request) else WORSE
            said = {"finding": _id(request), "reasoning": "Read.", "verdict": "closes"}
            return tool("submit", {"opinions": [{**said, "path": CART, "quote": line}]})
        if "replacements" not in tools:
            return finds(request)
        self.asked.append(prompt(request))
        if "What failed" in prompt(request):
            return edited((CART, WORSE, FIX), message="Add nothing\n\nThe linter said so.")
        return edited((CART, QUOTE, WORSE), message="Count the first item\n\nIt was lost.")

    @property
    def stacked(self) -> list[FakePull]:
        """The pull requests that our actor has opened."""
        return [one for one in self.repo.pulls.values() if one.author.login == self.app.actor]

    def hurry(self) -> None:
        """Let the time of the next look at checks come."""
        with self.store.database.write() as db:
            db.execute(update(JOBS).where(JOBS.c.kind == CI).values(not_before=0))

    def shown(self, commit: str) -> str:
        """The file at a commit."""
        return self.repo.git("show", f"{commit}:{CART}")


def _id(request: dict[str, Any]) -> str:
    found = ID.search(prompt(request))
    assert found
    return found[1]


def reviewed(world: Till, server: Server) -> FakePull:
    pull = world.pull(head_ref="topic")
    world.opened(server, pull)
    world.settle()
    return pull


def test_a_finding_is_closed_and_what_the_checks_say_is_mended(writing: Site) -> None:
    with writing.lend(Till) as (world, server):
        pull = reviewed(world, server)
        ci.check(world.repo, pull.head, "lint")
        world.commented(server, pull, "alice", "/rlm fix")
        world.settle(runs=2)
        (stacked,) = world.stacked
        first = stacked.head
        assert (stacked.base_ref, stacked.title) == ("topic", "Fix: 1 finding")
        assert WORSE in world.shown(first)
        note = ci.annotation(CART, 2, "0 + is useless")
        ci.check(world.repo, first, "lint", "failure", said="1 problem", annotations=(note,))
        ci.status(world.repo, first, "ci/old", "success")
        world.hurry()
        world.settle(runs=3)
        wait_until(lambda: stacked.head != first, lambda: server.said)
        assert FIX in world.shown(stacked.head) and len(world.stacked) == 1
        told = world.asked[-1]
        assert '> === check "lint"' in told and "cart.py:2: 0 + is useless" in told
        assert "> - The first item is lost" in told
        assert f"    | -{QUOTE}" in told and f"    | +{WORSE}" in told  # the patch so far
        log = world.repo.git("log", "--reverse", "--format=%s", f"{pull.head}..{stacked.head}")
        assert log.splitlines() == ["Count the first item", "Add nothing"]
        ci.check(world.repo, stacked.head, "lint")
        world.hurry()

        def says() -> list[str]:
            return [one for one in world.ours(pull) if "1 check ended, none failed." in one]

        wait_until(lambda: len(says()) == 1, lambda: repr(world.ours(pull)))
        told = quoted("fix.md", "### What it looks like on a pull request")
        assert told and set(told) - answered(*world.ours(pull)) == set()
        # A writer's token is asked for where commits are made, and nowhere else.
        assert [one for one in world.hub.requests if one.method == "PATCH" and "/git/" in one.path]


TEST = "tests/test_cart.py"
LAST = "    assert total([]) == 0\n"
TESTS = f"from cart import total\n\n\ndef test_nothing():\n{LAST}"
NEW = "    assert total([1, 2]) == 3\n"


def test_its_test_is_there_alone_first_where_that_is_asked_for(writing: Site) -> None:
    """The checks of a branch are seen failing before the patch and passing after."""
    with writing.lend(Till) as (world, server):
        files = {".github/rlm.yml": b"write: on\ntests_first: on\n", TEST: TESTS.encode()}
        world.base = world.repo.commit(BASE | files)
        world.head = world.repo.commit(FLAWED | files, world.base)
        world.think = partial(with_a_test, world)
        pull = reviewed(world, server)
        ci.check(world.repo, pull.head, "unit")
        world.commented(server, pull, "alice", "/rlm fix")
        world.settle(runs=2)
        (stacked,) = world.stacked
        alone = stacked.head
        assert NEW in world.repo.git("show", f"{alone}:{TEST}") + "\n"
        assert world.shown(alone) == world.shown(pull.head)
        note = ci.annotation(TEST, 9, "2 != 3")
        ci.check(world.repo, alone, "unit", "failure", annotations=(note,))
        world.hurry()
        wait_until(lambda: stacked.head != alone, lambda: server.said)
        assert WORSE in world.shown(stacked.head)
        ci.check(world.repo, stacked.head, "unit")
        told = f"- `{TEST}`: seen failing before (`unit`); with the patches it passes"

        def says() -> bool:
            world.hurry()
            return any(told in one for one in world.ours(pull))

        wait_until(says, lambda: repr(world.ours(pull)))
        log = world.repo.git("log", "--reverse", "--format=%s", f"{pull.head}..{stacked.head}")
        assert log.splitlines() == ["Test the total", "Count the first item"]
        assert len(world.runs()) == 2


def with_a_test(world: Till, request: dict[str, Any]) -> Scripted:
    """Play the tester and its reader, too."""
    fields = {name for one in request["tools"] for name in one["input_schema"]["properties"]}
    found = re.search(
        r"^(?:> |The behaviour )([0-9a-f]{12})(?: \(altered\))?:", prompt(request), re.M
    )
    if "looks" in fields and found:
        said = {"behaviour": found[1], "now": "3 == 3", "before": "2 == 3", "verdict": "proves"}
        return tool("submit", {"looks": [{**said, "path": CART, "quote": WORSE}]})
    if "tests" in fields and found:
        new = f"{LAST}\n\ndef test_all():\n{NEW}"
        named = [{"behaviour": found[1], "names": ["test_all"]}]
        return edited((TEST, LAST, new), message="Test the total", tests=named)
    return world.mends(request)


def test_in_a_thread_the_finding_of_that_thread_is_closed(writing: Site) -> None:
    with writing.lend(Till) as (world, server):
        pull = reviewed(world, server)
        (comment,) = pull.review_comments
        world.answered(server, comment, "alice", "/rlm fix")
        world.settle(runs=2)
        assert "The first item is lost" in world.stacked[0].body
        other = pull.all_reviews[0]
        assert other.comments[0] is comment
        world.commented(server, pull, "alice", "/rlm fix 0123456789ab")
        wait_until(
            lambda: "There is no finding `0123456789ab`" in world.ours(pull)[-1],
            lambda: repr(world.ours(pull)),
        )


def test_the_button_does_it_for_whoever_may_write(writing: Site) -> None:
    with writing.lend(Till) as (world, server):
        pull = reviewed(world, server)
        (check,) = world.repo.check_runs
        assert [one["identifier"] for one in check.actions] == ["again", "full", "fix"]
        for who in ("mallory", "alice"):
            payload = world.hub.payload_check_run(
                check, "requested_action", world.app, sender=who, button="fix"
            )
            assert world.sent(server, "check_run", payload) == 202
        world.settle(runs=2)
        assert len(world.stacked) == 1 and len(world.runs()) == 2
        assert f"/pull/{world.stacked[0].number}" in world.ours(pull)[-1]


def test_where_writing_is_off_there_is_a_patch_and_no_button(site: Site) -> None:
    with site.lend(Till) as (world, server):
        pull = reviewed(world, server)
        assert [one["identifier"] for one in world.repo.check_runs[0].actions] == ["again", "full"]
        world.commented(server, pull, "alice", "/rlm fix")
        world.settle(runs=2)
        said = world.ours(pull)[-1]
        assert world.stacked == [] and f"+{WORSE}" in said and "RLM_WRITE" in said


@pytest.mark.parametrize(("method", "path"), [("PATCH", r"/git/refs/"), ("POST", r"/git/commits$")])
def test_a_kill_between_the_commits_and_their_branch_puts_them_there_once(
    tmp_path: Path, method: str, path: str
) -> None:
    with Till(tmp_path) as world:
        killed: list[Seen] = []
        with world.serve(RLM_WRITE="on") as server:
            pull = reviewed(world, server)
            ci.check(world.repo, pull.head, "lint")
            world.commented(server, pull, "alice", "/rlm fix")
            world.settle(runs=2)
            (stacked,) = world.stacked
            first = stacked.head
            ci.check(world.repo, first, "lint", "failure")

            def kill(_index: int, seen: Seen, when: str) -> None:
                hit = seen.method == method and re.search(path, seen.path)
                if hit and when == "after" and not killed:
                    killed.append(seen)
                    server.process.send_signal(signal.SIGKILL)

            world.hub.on_request(kill)
            world.hurry()
            server.process.wait(60)
        assert killed
        with world.serve(RLM_WRITE="on"):
            wait_until(lambda: stacked.head != first, lambda: repr(world.runs()))
            world.settle(runs=3)
        log = world.repo.git("log", "--reverse", "--format=%s", f"{pull.head}..{stacked.head}")
        assert log.splitlines() == ["Count the first item", "Add nothing"]
