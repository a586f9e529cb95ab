"""From `/rlm refactor` to the pull request on top: a real server, killed where it hurts."""

import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.written import Written
from tests.app.kills import MODEL, Point
from tests.app.site import Site
from tests.app.test_serve import Server
from tests.app.transcripts import answered, quoted
from tests.app.world import World, wait_until
from tests.app.writing_desk import GRANTED
from tests.github.hub import FakePull, Seen
from tests.github.state import FakePull as Pull
from tests.github.state import Reaction
from tests.model_server import Answer
from tests.reviewer.refactor.shop import FILES, edited, module, planned, plans, script

BASE = {name: text.encode() for name, text in FILES.items()} | {".github/rlm.yml": b"write: on\n"}
HEAD = BASE | {
    "shop/more.py": b"from shop.prices import net\n\n\ndef more(x):\n    return net(x)\n"
}

CART = "shop/cart.py"
PLAN = planned(
    summary="Totals are tripled; net is subtotal.",
    renames=[{"path": "shop/prices.py", "symbol": "net", "to": "subtotal"}],
    modules=[module("triple", CART, what="Triple the total.")],
)
TRIPLE = edited((CART, "* 2", "* 3"), message="Triple the total\n\nTwice was not enough.")


class Shop(World):
    """A shop whose repository wants pull requests of ours, and a model that plans and edits."""

    def __init__(self, folder: Path, plan: Answer = PLAN, **more: Any) -> None:
        super().__init__(folder, permissions=GRANTED | {"contents": "write"}, **more)
        self.base = self.repo.commit(BASE)
        self.head = self.repo.commit(HEAD, self.base)
        self.think = script(plan, {"triple": TRIPLE})

    @property
    def stacked(self) -> list[Pull]:
        """The pull requests that our actor has opened."""
        return [one for one in self.repo.pulls.values() if one.author.login == self.app.actor]

    def branches(self) -> list[str]:
        """The branches of ours."""
        shown = self.repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads/rlm-*")
        return shown.split()

    def says(self, server: Server, pull: FakePull, text: str, runs: int) -> None:
        """Have alice say something, and wait until it is done and so many runs have been."""
        self.commented(server, pull, "alice", text)
        self.settle(runs=runs)

    def assert_stacked_once(self, pull: FakePull) -> None:
        """One plan, one result, one branch with the two commits, one pull request from it."""
        plan, result = self.ours(pull)
        assert "Totals are tripled" in plan and "/rlm go" in plan
        (stacked,) = self.stacked
        assert f"/pull/{stacked.number}" in result
        assert self.branches() == [stacked.head_ref]
        assert (stacked.base_ref, stacked.state) == ("topic", "open")
        log = self.repo.git("log", "--reverse", "--format=%s", f"{pull.head}..{stacked.head}")
        assert log.splitlines() == ["Rename net to subtotal", "Triple the total"]
        assert "subtotal(items) * 3" in self.repo.git("show", f"{stacked.head}:{CART}")
        assert "subtotal(x)" in self.repo.git("show", f"{stacked.head}:shop/more.py")


ASK = "/rlm refactor call net subtotal\nand triple totals"


def test_a_plan_is_started_and_stands_as_a_pull_request_that_undo_takes_away(
    writing: Site,
) -> None:
    with writing.lend(Shop) as (world, server):
        pull = world.pull(head_ref="topic")
        world.says(server, pull, ASK, 1)
        (plan,) = world.ours(pull)
        assert "rename `net` to `subtotal`" in plan
        assert (world.stacked, world.branches()) == ([], [])
        asked = len(world.service.requests)
        assert asked == 1
        world.says(server, pull, "/rlm go", 2)
        world.assert_stacked_once(pull)
        kept = Written.model_validate_json(world.store.result(world.runs()[0].id))
        assert kept.mails.count("Subject: [PATCH") == 2 and "subtotal(items) * 3" in kept.mails
        # The plan was carried out, not made anew.
        assert not any(plans(one.body) for one in world.service.requests[asked:])
        world.commented(server, pull, "alice", "/rlm undo")
        wait_until(lambda: len(world.ours(pull)) == 3, lambda: server.said)
        assert world.stacked[0].state == "closed" and world.branches() == []
        told = quoted("writing.md", "### The same by the App")
        assert told and set(told) - answered(*world.ours(pull)) == set()
        written = [seen for seen in world.hub.requests if "/git/" in seen.path]
        assert written, "over the API"
        # What writes is one role's: the engine's token reads.
        assert not [seen for seen in world.hub.requests if seen.path.endswith("git-receive-pack")]


def test_a_reaction_is_seen_by_the_server_and_by_one_that_was_away(tmp_path: Path) -> None:
    with Shop(tmp_path) as world:
        pull = world.pull(head_ref="topic")
        with world.serve(RLM_WRITE="on") as server:
            world.says(server, pull, ASK, 1)
        state = world.hub.state
        (plan,) = (one for one in pull.comments if one.user.login == world.app.actor)
        for who in ("mallory", "alice"):
            read = state.now() + 2  # it takes a person a moment
            plan.reactions.append(Reaction(state.next_id(), world.hub.user(who), "+1", read))
        with world.serve(RLM_WRITE="on"):
            world.settle(runs=2)
        world.assert_stacked_once(pull)


def test_a_push_between_plan_and_start(writing: Site) -> None:
    with writing.lend(Shop) as (world, server):
        pull = world.pull(head_ref="topic")
        world.says(server, pull, ASK, 1)
        elsewhere = HEAD | {"shop/new.py": b"from shop.prices import net\n\nprint(net([1]))\n"}
        pull.push(world.repo.commit(elsewhere, pull.head))
        world.says(server, pull, "/rlm go", 2)
        (stacked,) = world.stacked
        assert "subtotal([1])" in world.repo.git("show", f"{stacked.head}:shop/new.py")
        # The plan names prices.py and cart.py.
        world.says(server, pull, ASK, 3)
        changed = elsewhere | {CART: BASE[CART] + b"\n# more\n"}
        pull.push(world.repo.commit(changed, pull.head))
        world.says(server, pull, "/rlm go", 4)
        assert len(world.stacked) == 1
        assert "have changed since the plan was made: shop/cart.py" in world.ours(pull)[-1]


def test_without_a_key_and_beyond_a_cap_it_is_said(tmp_path: Path) -> None:
    with Shop(tmp_path, model=False) as world, world.serve(RLM_WRITE="on") as server:
        pull = world.pull(head_ref="topic")
        world.says(server, pull, ASK, 1)
        (said,) = world.ours(pull)
        assert "I cannot do this: no model is asked here" in said


def test_a_month_without_money_left_plans_nothing(tmp_path: Path) -> None:
    with Shop(tmp_path) as world, world.serve(RLM_MONTH_BUDGET="0.001") as server:
        pull = world.pull(head_ref="topic")
        world.says(server, pull, ASK, 1)
        (said,) = world.ours(pull)
        assert "cap of this installation for the month is reached" in said
        assert world.service.requests == []


def test_a_budget_that_ends_is_a_partial_result_that_says_so(tmp_path: Path) -> None:
    with Shop(tmp_path) as world:
        pull = world.pull(head_ref="topic")
        with world.serve(RLM_WRITE="on") as server:
            world.says(server, pull, ASK, 1)
        with world.serve(RLM_WRITE="on", RLM_BUDGET="0.02") as server:
            world.says(server, pull, "/rlm go", 2)
        result = world.ours(pull)[-1]
        assert "partial, because the budget" in result and "triple" in result
        # What the host did by rule is there, and nothing else.
        (stacked,) = world.stacked
        log = world.repo.git("log", "--format=%s", f"{pull.head}..{stacked.head}")
        assert log.splitlines() == ["Rename net to subtotal"]


def test_a_stop_while_it_is_carried_out(writing: Site) -> None:
    held = threading.Event()
    with writing.lend(Shop) as (world, server):
        pull = world.pull(head_ref="topic")
        world.says(server, pull, ASK, 1)
        think, asked = world.think, threading.Event()

        def waits(request: dict[str, Any]) -> Any:
            asked.set()
            held.wait(60)
            return think(request)

        world.think = waits
        world.commented(server, pull, "alice", "/rlm go")
        wait_until(asked.is_set, lambda: server.said)
        world.commented(server, pull, "alice", "/rlm stop")
        wait_until(lambda: any(run.stop for run in world.runs()), lambda: server.said)
        held.set()
        world.settle(runs=2)
        assert "Stopped: somebody gave the command" in world.ours(pull)[-1]
        assert (world.stacked, world.branches()) == ([], [])


PLANNING = {
    "planner": Point("engine-1", MODEL, ""),
    "plan shown": Point("all", "POST", r"/issues/1/comments$", "after"),
}
CARRYING = {
    "editor": Point("engine-1", MODEL, ""),
    "branch made": Point("all", "POST", r"/git/refs$", "after"),
    "pull request opened": Point("github", "POST", r"/pulls$", "after"),
    "result said": Point("all", "POST", r"/issues/1/comments$", "after"),
}


@contextmanager
def to_be_killed(folder: Path, writing: Site, role: str) -> Iterator[tuple[Shop, Server]]:
    """Yield a shop and its server: one of its own where all of it is killed."""
    if role != "all":
        with writing.lend(Shop, killed=role) as lent:
            yield lent
    else:
        with Shop(folder) as world, world.serve(RLM_WRITE="on") as server:
            yield world, server


@pytest.mark.parametrize("name", [*PLANNING, *CARRYING])
def test_a_kill_between_two_steps_leaves_everything_there_once(
    tmp_path: Path, writing: Site, name: str
) -> None:
    point = (PLANNING | CARRYING)[name]
    done = threading.Event()
    armed = threading.Event()
    with to_be_killed(tmp_path, writing, point.role) as (world, server):
        servers = [server]

        def kill() -> None:
            if not armed.is_set() or done.is_set():
                return
            done.set()
            if point.role == "all":
                servers[-1].process.kill()
            else:
                os.kill(servers[-1].pids[point.role], signal.SIGKILL)

        def on_request(_index: int, seen: Seen, phase: str) -> None:
            is_it = (phase, seen.method) == (point.phase, point.method)
            if is_it and re.search(point.path, seen.path):
                kill()

        world.hub.on_request(on_request)
        think = world.think

        def thinks(request: dict[str, Any]) -> Any:
            if point.method == MODEL:
                kill()
            return think(request)

        world.think = thinks
        pull = world.pull(head_ref="topic")
        if name in PLANNING:
            armed.set()
        world.commented(server, pull, "alice", ASK)
        running = _goes_on(world, servers, point, done, name in PLANNING)
        world.settle(runs=1)
        armed.set()
        world.commented(running, pull, "alice", "/rlm go")
        _goes_on(world, servers, point, done, name in CARRYING)
        world.settle(runs=2)
        world.assert_stacked_once(pull)
        for one in servers[1:]:
            one.__exit__(None, None, None)
    assert done.is_set(), f"nothing like {point} ever came"


def _goes_on(
    world: World, servers: list[Server], point: Point, done: threading.Event, here: bool
) -> Server:
    """Start the server again where all of it was killed; return the one that runs."""
    if here:
        wait_until(done.is_set, lambda: servers[-1].said)
        if point.role == "all":
            servers[-1].process.wait()
            servers.append(world.serve(RLM_WRITE="on").__enter__())
    return servers[-1]


def test_what_is_not_to_be_written_is_not_whoever_orders_it(writing: Site) -> None:
    """A model that obeys the pull request: workflows, git's own folder, what a link leads to."""
    hostile = planned(
        summary="@octo: fixes #1, closes https://evil.test",
        modules=[
            module("ci", new=(".github/workflows/ci.yml", ".git/hooks/post-checkout")),
            module("link", "link.py", "folder/x.py"),
        ],
    )
    with writing.lend(Shop, plan=hostile) as (world, server):
        linked = world.repo.commit(
            HEAD | {"link.py": b"/etc/passwd", "folder": b"/tmp"},
            world.head,
            modes={"link.py": "120000", "folder": "120000"},
        )
        pull = world.repo.pull(world.base, linked, head_ref="topic")
        world.says(server, pull, "/rlm refactor add a workflow", 1)
        (said,) = world.ours(pull)
        assert "/rlm go" not in said and "evil.test" not in said
        world.says(server, pull, "/rlm go", 1)
        wait_until(lambda: len(world.ours(pull)) == 2, lambda: server.said)
        assert "no plan that waits" in world.ours(pull)[-1]
        assert (world.stacked, world.branches()) == ([], [])
        assert not [one for one in world.hub.requests if "/git/" in one.path]
        # The plan is sound, and whoever carries it out is not.
        fair = planned(summary="Totals are tripled.", modules=[module("triple", CART)])
        evil = edited(
            (CART, "* 2", "* 3"),
            message="Do it\n\nfixes #1 @octo [skip ci]\nCo-authored-by: octo <o@example.org>",
            new_files=[
                {"path": ".github/workflows/ci.yml", "text": "on: push\n"},
                {"path": "../outside.py", "text": "x = 1\n"},
                {"path": "folder/inside.py", "text": "x = 1\n"},
            ],
        )
        world.think = script(fair, {"triple": evil})
        world.says(server, pull, "/rlm refactor triple totals", 2)
        world.says(server, pull, "/rlm go", 3)
        assert (world.stacked, world.branches()) == ([], [])
        assert "partial" in world.ours(pull)[-1]
        # Another request, or the answer before would be taken again.
        other = planned(
            summary="Totals are tripled.", modules=[module("triple", CART, what="Triple all.")]
        )
        odd = "Do it\n\nfixes #1 @octo [skip ci]\nSigned-off-by: x"
        world.think = script(other, {"triple": edited((CART, "* 2", "* 3"), message=odd)})
        world.says(server, pull, "/rlm refactor triple all totals", 4)
        world.says(server, pull, "/rlm go", 5)
        (stacked,) = world.stacked
        message = world.repo.git("log", "-1", "--format=%B", stacked.head)
        assert message.startswith("Do it")
        for part in ("#1", "@octo", "[skip ci]", "Signed-off-by:"):
            assert part not in message
