"""Deliveries that nobody answered: asked for again at the start, and no more often than helps."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.github.auth import AppAuth
from app.github.urls import Server
from app.reconcile import MOST_ATTEMPTS, reconcile, redeliver
from app.store import Store
from tests.app.world import World, wait_until

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
        store.accept(world.app.deliveries[0].guid, None)
        assert redeliver(auth_of(world), store) == 0
        assert asked(world) == 0
    store.close()


def test_what_always_fails_is_given_up(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite3")
    with World(tmp_path) as world:
        lost(world)
        for attempt in range(2, MOST_ATTEMPTS + 1):
            assert redeliver(auth_of(world), store) == 1
            wait_until(settled(world, attempt), lambda: repr(world.app.deliveries))
        assert redeliver(auth_of(world), store) == 0
        assert asked(world) == MOST_ATTEMPTS - 1
    store.close()


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
        works = (partial(redeliver, auth_of(world), store),)
        round_ = threading.Thread(target=reconcile, args=(works, stopping, 0.05))
        round_.start()
        wait_until(lambda: asked(world) > 0, lambda: caplog.text)
        stopping.set()
        round_.join()
    assert "not reconciled" in caplog.text
    store.close()
