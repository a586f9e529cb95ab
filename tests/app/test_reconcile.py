"""Deliveries that nobody answered: asked for again at the start, and no more often than helps."""

import threading
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from app import reconcile as module
from app.github.auth import AppAuth
from app.github.urls import Server
from app.measures import COUNTS, UNRECONCILED
from app.reconcile import EVERY_S, LONGEST_PAUSE_S, Redelivery, reconcile
from app.roles.github import _work
from app.store import Store
from app.write_steps import REACTIONS_S
from tests.app.world import World, wait_until
from tests.github.hub import Seen

NOWHERE = "http://127.0.0.1:9/webhook"


def auth_of(world: World) -> AppAuth:
    server = Server(world.hub.web, world.hub.api)
    return AppAuth(server, str(world.app.id), SecretStr(world.app.pem))


def lost(world: World, event: str = "pull_request", action: str = "opened") -> None:
    payload = world.hub.payload_pull(world.pull(), action, world.app)
    assert world.hub.send(world.app, NOWHERE, event, payload).status == 0


def asked(world: World) -> int:
    return sum(seen.path.endswith("/attempts") for seen in world.hub.requests)


def settled(world: World, attempts: int) -> Callable[[], bool]:
    return lambda: len(world.app.deliveries) == attempts


def test_what_was_sent_while_the_server_was_down_is_reviewed_when_it_is_up(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        with world.serve() as server:
            port, url = server.port, f"{server.url}/webhook"
        pull = world.pull()
        payload = world.hub.payload_pull(pull, "opened", world.app)
        missed = world.hub.send(world.app, url, "pull_request", payload)
        assert missed.status == 0
        with world.serve("--port", str(port)) as server:
            assert server.port == port
            world.settle()
            world.assert_said_once(pull)
            again = world.app.deliveries[-1]
            assert (again.guid, again.redelivery, again.status) == (missed.guid, True, 202)
            assert "redelivery asked for" in server.said


def test_what_came_is_not_asked_for_and_neither_is_what_leads_to_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite3")
    with World(tmp_path) as world:
        lost(world)
        lost(world, "deployment", "created")
        lost(world, "pull_request", "assigned")
        store.accept(world.app.deliveries[0].guid, None)
        assert Redelivery(auth_of(world), store)() == 0
        assert asked(world) == 0
    store.close()


def test_what_fails_is_asked_for_at_growing_pauses_until_it_comes(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite3")
    now = [0.0]
    with World(tmp_path) as world:
        lost(world)
        redeliver = Redelivery(auth_of(world), store, lambda: now[0])
        asked_at = []
        while now[0] < 5 * LONGEST_PAUSE_S:
            if redeliver():
                asked_at.append(now[0])
                wait_until(settled(world, 1 + len(asked_at)), lambda: repr(world.app.deliveries))
            now[0] += EVERY_S
        pauses = [then - at for at, then in pairwise(asked_at)]
        assert pauses[:4] == [EVERY_S, 2 * EVERY_S, 4 * EVERY_S, LONGEST_PAUSE_S]
        assert set(pauses[3:]) == {LONGEST_PAUSE_S} and asked_at[0] == 0
        assert Redelivery(auth_of(world), store)() == 1, "after a start at once"
        store.accept(world.app.deliveries[0].guid, None)
        now[0] += LONGEST_PAUSE_S
        assert redeliver() == 0
    store.close()


@pytest.mark.parametrize("status", [0, 302, 502, 504, 999])
def test_what_failed_is_asked_for_whatever_github_calls_it(tmp_path: Path, status: int) -> None:
    """A proxy that leads to a login, say; GitHub's filter takes a 302 for a success."""
    store = Store(tmp_path / "store.sqlite3")
    with World(tmp_path) as world:
        lost(world)
        world.app.deliveries[0].status = status
        world.app.deliveries[0].again = lambda _one: None
        assert Redelivery(auth_of(world), store)() == 1
        world.app.deliveries[0].status = 202
        assert Redelivery(auth_of(world), store)() == 0
    store.close()


def test_the_newest_attempt_counts_in_whichever_list_it_stands(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite3")
    now = [0.0]
    with World(tmp_path) as world:
        lost(world)
        world.app.deliveries[0].status = 503
        redeliver = Redelivery(auth_of(world), store, lambda: now[0])
        for attempts in (2, 3):
            assert redeliver() == 1
            wait_until(settled(world, attempts), lambda: repr(world.app.deliveries))
            world.app.deliveries[-1].at = world.app.deliveries[0].at + attempts
            now[0] += LONGEST_PAUSE_S
        assert [one.status for one in world.app.deliveries] == [503, 0, 0]
    store.close()


def test_what_comes_to_nothing_when_it_comes_is_asked_for_once(tmp_path: Path) -> None:
    """It is answered, and in no store; GitHub goes on listing the attempt that failed."""
    store = Store(tmp_path / "store.sqlite3")
    now = [0.0]
    with World(tmp_path) as world:
        lost(world)
        world.app.deliveries[0].again = lambda _one: None  # it comes, so no other attempt fails
        redeliver = Redelivery(auth_of(world), store, lambda: now[0])
        counts = []
        for _ in range(5):
            counts.append(redeliver())
            now[0] += LONGEST_PAUSE_S
        assert counts == [1, 0, 0, 0, 0]
    store.close()


def test_what_lies_behind_the_newest_pages_is_asked_for_in_later_rounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    monkeypatch.setattr(module, "MOST_PAGES", 2)
    store = Store(tmp_path / "store.sqlite3")
    with World(tmp_path) as world:
        for _ in range(9):
            lost(world)
        for one in world.app.deliveries:
            one.again = lambda _one: None  # nothing is added to the list meanwhile
        redeliver = Redelivery(auth_of(world), store, lambda: 0.0)
        assert [redeliver() for _ in range(5)] == [4, 2, 2, 1, 0]
        assert asked(world) == 9
    store.close()


def test_more_failures_than_a_page_holds_are_all_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 3)
    store = Store(tmp_path / "store.sqlite3")
    with World(tmp_path) as world:
        for _ in range(8):
            lost(world)
        for delivery in world.app.deliveries[-3:]:
            store.accept(delivery.guid, None)  # has come since, and is listed all the same
        assert Redelivery(auth_of(world), store)() == 5
        pages = [seen for seen in world.hub.requests if seen.path.endswith("/hook/deliveries")]
        # Nobody answered these: by its documentation GitHub does not call that a failure.
        assert ["status" in seen.query for seen in pages] == [True, False, False, False]
        wait_until(settled(world, 13), lambda: repr(world.app.deliveries))
        monkeypatch.setattr(module, "MOST_PAGES", 1)
        monkeypatch.setattr(module, "MOST_ASKED", 2)
        assert Redelivery(auth_of(world), store)() == 2
        assert [seen.path for seen in world.hub.requests].count(pages[0].path) == 6
    store.close()


@pytest.mark.parametrize("where", ["the other list", "the second page"])
def test_what_was_read_is_asked_for_though_the_rest_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(module, "PAGE", 1)
    store = Store(tmp_path / "store.sqlite3")
    with World(tmp_path) as world:
        lost(world)
        lost(world)
        for delivery in world.app.deliveries:
            delivery.status = 502
            delivery.again = lambda _one: None

        def breaks(_index: int, seen: Seen, when: str) -> None:
            if when != "before" or not seen.path.endswith("/hook/deliveries"):
                return
            if "cursor" in seen.query if where == "the second page" else "status" not in seen.query:
                world.hub.fault(path="/app/hook/deliveries$", status=403)

        world.hub.on_request(breaks)
        redeliver = Redelivery(auth_of(world), store)
        assert redeliver() == (1 if where == "the second page" else 2)
    COUNTS.bring(store)
    assert store.measures()[UNRECONCILED.name, ""][0] >= 1
    store.close()


class Waits(threading.Event):
    """Notes for how long each thread waits on it, and is set after so many waits of one."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.of: dict[str, list[float | None]] = {}

    def wait(self, timeout: float | None = None) -> bool:
        mine = self.of.setdefault(threading.current_thread().name, [])
        mine.append(timeout)
        return len(mine) >= self.most


def test_what_was_lost_is_looked_for_at_once_and_every_ten_minutes() -> None:
    found: list[str] = []
    works = (lambda: found.append("deliveries") or 0, lambda: found.append("heads") or 0)
    stopping = Waits(3)
    reconcile(works, stopping)
    assert found == ["deliveries", "heads"] * 3
    assert list(stopping.of.values()) == [[600.0] * 3]


def test_a_server_leaves_it_at_ten_minutes(tmp_path: Path) -> None:
    rounds: list[str] = []
    writing = SimpleNamespace(
        look_at_reactions=lambda *, young: rounds.append("young" if young else "plans") or 0
    )
    none = SimpleNamespace(serve=lambda _stopping: None)
    stopping = Waits(1)
    with World(tmp_path) as world, closing(Store(tmp_path / "store.sqlite3")) as store:
        app = SimpleNamespace(
            auth=auth_of(world), store=store, actor=world.app.actor,
            connect_to_look=None, connect_for_checks=None,
        )  # fmt: skip
        _work([], SimpleNamespace(store=store, writing=writing), none, app, stopping)
        asked_for = {seen.path for seen in world.hub.requests}
    assert stopping.of["reconcile"] == [600.0]
    assert stopping.of["reactions"] == [REACTIONS_S] and REACTIONS_S < 600
    assert sorted(rounds) == ["plans", "young"]
    assert {"/app/hook/deliveries", "/app/installations"} <= asked_for


@pytest.mark.parametrize("status", [500, 403, 404])
def test_trouble_is_left_to_the_next_round(
    tmp_path: Path, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(tmp_path / "store.sqlite3")
    stopping = threading.Event()
    with World(tmp_path) as world:
        lost(world)
        world.hub.fault(
            path=r"/app/hook/deliveries$", status=status, times=3 if status == 500 else 1
        )
        works = (Redelivery(auth_of(world), store),)
        round_ = threading.Thread(target=reconcile, args=(works, stopping, 0.05))
        round_.start()
        wait_until(lambda: asked(world) > 0, lambda: caplog.text)
        stopping.set()
        round_.join()
    assert "not reconciled" in caplog.text
    COUNTS.bring(store)
    assert store.measures()[UNRECONCILED.name, ""][0] >= 1
    store.close()
