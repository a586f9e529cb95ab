"""Kills a process of the server at a chosen step of a review, and lets the server go on."""

import os
import re
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.app.test_serve import Server
from tests.app.world import World, finds, wait_until
from tests.github.hub import FakePull, Seen


@dataclass(frozen=True)
class Point:
    """A step: the first request of a method whose path matches, before or after it is done.

    `role` is the process that is killed there: "all" kills the whole server, as a power cut does.
    """

    role: str
    method: str
    path: str
    phase: str = "before"


MODEL = "model"

POINTS = {
    "token": Point("github", "POST", r"/access_tokens$", "after"),
    "pull": Point("github", "GET", r"/pulls/1$", "after"),
    "check run": Point("github", "POST", r"/check-runs$", "after"),
    "fetch": Point("engine-1", "POST", r"git-upload-pack$"),
    "model": Point("engine-1", MODEL, ""),
    "review before": Point("github", "POST", r"/reviews$"),
    "review after": Point("github", "POST", r"/reviews$", "after"),
    "summary before": Point("github", "POST", r"/issues/1/comments$"),
    "summary after": Point("all", "POST", r"/issues/1/comments$", "after"),
    "conclusion": Point("all", "PATCH", r"/check-runs/\d+$", "after"),
}


def killed_at(folder: Path, point: Point, command: str = "") -> tuple[World, FakePull]:
    """Review a pull request with one kill at `point`; return what stands there in the end.

    It is asked for by alice's comment where there is a `command`, else by opening it.
    """
    with World(folder) as world, world.serve() as server:
        return world, killed(world, server, point, command)


def killed(world: World, server: Server, point: Point, command: str = "") -> FakePull:
    """Do what `killed_at` does, to a server that runs."""
    kill = _Kill(point, server)
    world.hub.on_request(kill.on_request)

    def think(request: dict[str, Any]) -> Any:
        if point.method == MODEL:
            kill()
        return finds(request)

    world.think = think
    pull = world.pull()
    if command:
        world.commented(server, pull, "alice", command)
    else:
        assert world.opened(server, pull) == 202
    if point.role == "all":
        wait_until(kill.done.is_set, lambda: server.said)
        server.process.wait()
        with world.serve() as following:
            world.settle()
            _settled(following, world)
    else:
        world.settle()
        _settled(server, world)
    assert kill.done.is_set(), f"nothing like {point} ever came"
    return pull


def killed_at_request(folder: Path, number: int, phase: str) -> tuple[World, FakePull, bool]:
    """Kill the whole server at its `number`th request to GitHub; False if there was none."""
    fired = threading.Event()
    with World(folder) as world:
        servers: list[Server] = []

        def on_request(index: int, _seen: Seen, when: str) -> None:
            if index == number and when == phase and not fired.is_set():
                fired.set()
                servers[0].process.kill()
                servers[0].process.wait()

        world.hub.on_request(on_request)
        with world.serve() as server:
            servers.append(server)
            pull = world.pull()
            assert world.opened(server, pull) == 202
            wait_until(lambda: fired.is_set() or (bool(world.runs()) and world.idle()), lambda: "")
            if fired.is_set():
                with world.serve():
                    world.settle()
    return world, pull, fired.is_set()


def killed_after(folder: Path, role: str, seconds: float) -> tuple[World, FakePull]:
    """Kill a process (or "all") so many seconds after a pull request was opened.

    Whoever is not dead by then has done it: the kill comes all the same.
    """
    with World(folder) as world, world.serve() as server:
        wait_until(lambda: bool(server.ready()["ready"]), lambda: server.said)
        pull = world.pull()
        assert world.opened(server, pull) == 202
        time.sleep(seconds)
        if role == "all":
            server.process.kill()
            server.process.wait()
            with world.serve() as following:
                world.settle()
                _settled(following, world)
        else:
            os.kill(server.pids[role], signal.SIGKILL)
            world.settle()
            _settled(server, world)
    return world, pull


class _Kill:
    def __init__(self, point: Point, server: Server) -> None:
        self.point, self.server = point, server
        self.done = threading.Event()

    def on_request(self, _index: int, seen: Seen, phase: str) -> None:
        wanted = self.point
        if phase != wanted.phase or seen.method != wanted.method:
            return
        if re.search(wanted.path, seen.path):
            self()

    def __call__(self) -> None:
        if self.done.is_set():
            return
        self.done.set()
        if self.point.role == "all":
            self.server.process.kill()
        else:
            os.kill(self.server.pids[self.point.role], signal.SIGKILL)


def _settled(server: Server, world: World) -> None:
    """Wait until the readiness of the server tells that every role is back."""
    ready: Callable[[], bool] = lambda: bool(server.ready()["ready"])  # noqa: E731
    wait_until(ready, lambda: server.said)
    assert world.idle()
