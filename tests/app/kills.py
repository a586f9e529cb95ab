"""Kills a process of the server at a step of a review or at a moment, and lets the server go on."""

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from app.server_settings import NODE_FILE
from app.store.tables import JOBS
from tests.app.test_serve import Server
from tests.app.victims import PASSING, kill_passing
from tests.app.world import World, finds, wait_until
from tests.github.hub import FakePull, Seen
from tests.model_server import Scripted, tool


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

MOST_TURNS = 4
"""So often code is run that brings no result."""

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


class Coding:
    """A model that takes a moment for each answer, and runs code before it says what it sees."""

    def __init__(self, answers_s: float = 0.0) -> None:
        self._answers_s = answers_s

    def __call__(self, request: dict[str, Any]) -> Scripted:
        """Answer; where the code's result is lost it is run again, as a model would."""
        tools = {one["name"] for one in request.get("tools") or ()}
        results = [
            block.get("content")
            for message in request["messages"][1:]
            for block in (message["content"] if isinstance(message["content"], list) else ())
            if block.get("type") == "tool_result"
        ]
        ran = any("it ran" in str(one) for one in results)
        if "python" in tools and not ran and len(results) < MOST_TURNS:
            answer = tool("python", {"code": "print('it', 'ran')"})
        else:
            answer = finds(request)
        return replace(answer, delay_s=self._answers_s)


def struck(
    world: World,
    server: Server,
    kind: str,
    after_s: float,
    answers_s: float = 0.0,
    **environ: str,
) -> tuple[FakePull, bool]:
    """Review a pull request and kill a process of a kind (see `tests.app.victims`) on the way:
    `after_s` after it was opened, or after the first process was seen of a kind that comes and goes.

    Return the pull request, and False where there was none to kill. Whoever is not dead when the
    review is over was killed all the same. A server that is started again has the environment of
    the first.
    """
    world.think = Coding(answers_s)
    pull = world.pull()
    assert world.opened(server, pull) == 202
    if kind in PASSING:
        over = threading.Event()
        with ThreadPoolExecutor(1) as threads:
            killing = threads.submit(kill_passing, server, kind, after_s, over)
            try:
                world.settle()
            finally:
                over.set()
            hit = bool(killing.result())
        _settled(server, world)
        return pull, hit
    time.sleep(after_s)
    if kind == "serve":
        server.process.kill()
        server.process.wait()
        with world.serve(**environ) as following:
            world.settle()
            _settled(following, world)
    else:
        os.kill(server.pids["engine-1" if kind == "engine" else kind], signal.SIGKILL)
        world.settle()
        _settled(server, world)
    return pull, True


def kill_who_works(world: World, servers: Sequence[Server]) -> bool:
    """Kill all processes of the server that has claimed something, as a machine's end does, and let
    two minutes pass for the claim; False where none has. The servers share a database.
    """
    claimed = JOBS.c.state == "claimed"
    with world.store.database.read() as db:
        nodes = {
            name.partition("/")[0] for name in db.scalars(select(JOBS.c.worker).where(claimed))
        }
    for server in servers:
        node = (Path(server.environ["RLM_HOME"]) / NODE_FILE).read_text().strip()
        if node not in nodes or server.process.poll() is not None:
            continue
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()
        with world.store.database.write() as db:
            theirs = JOBS.c.worker.startswith(f"{node}/")
            db.execute(update(JOBS).where(claimed, theirs).values(lease=0, released=0))
        return True
    return False


def told(world: World, pull: FakePull) -> str:
    """Return what the summary says of a review, whoever made it and at what cost: a review in which
    nothing was lost says the same as one that nobody disturbed.
    """
    (summary,) = world.ours(pull)
    said = summary[: summary.index("<sub>")].replace(pull.head, "HEAD")
    said = _PAID_AGAIN.sub("", said)
    return re.sub(r"\(http://[^\s#]+(#L\d+)?\S*\)", r"(\1)", said)


_PAID_AGAIN = re.compile(r"\n[^\n]+ under way when this run was cut off counts? in full\.\n")
"""What a cut costs is told: nothing is lost by it."""


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
