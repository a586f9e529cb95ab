"""A server's links to GitHub, the model, PostgreSQL and Redis, which can be cut as a network can.

Each is a port on loopback that passes on what it gets. Cut, it takes all and passes nothing on, in
either direction, and nobody is told; mended, what was under way arrives. It takes no rights, as the
namespaces of `benchmarks.app_partition` do.
"""

import re
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import text, update

from app.server_settings import MARKER_FILE
from app.store.tables import JOBS
from tests.app.kills import MODEL, Point, told
from tests.app.test_serve import Server
from tests.app.world import World, finds, wait_until
from tests.github.hub import FakePull, Seen

CUTS = {
    "before the first call": Point("", "POST", r"git-upload-pack$"),
    "in the review": Point("", MODEL, ""),
    "before it is published": Point("", "GET", r"/pulls/1/reviews$"),
    "while it is published": Point("", "POST", r"/reviews$", "after"),
    "before the summary": Point("", "POST", r"/issues/1/comments$"),
    "before the end": Point("", "PATCH", r"/check-runs/\d+$"),
}
"""Where the server that does the work is cut off; what it asks for just then is done, but for the
model's answer, and it never hears of it."""

LOOK_S = 0.05

_SILENT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class Links:
    """Ports that lead elsewhere, all of which are cut and mended at once."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._over = threading.Event()
        self._listeners: list[socket.socket] = []

    def to(self, url: str) -> str:
        """Return the address at which that of a server can be reached through here."""
        port = urlsplit(url).port
        assert port is not None
        listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self._listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener, port), daemon=True).start()
        return url.replace(f":{port}", f":{listener.getsockname()[1]}")

    def cut(self) -> None:
        """Pass nothing on."""
        self._open.clear()

    def mend(self) -> None:
        """Pass everything on, what came meanwhile first."""
        self._open.set()

    def close(self) -> None:
        """End all connections."""
        self._over.set()
        self._open.set()
        for listener in self._listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket, port: int) -> None:
        while True:
            try:
                here, _ = listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._pass_on, args=(here, port), daemon=True).start()

    def _pass_on(self, here: socket.socket, port: int) -> None:
        self._open.wait()
        try:
            with here, socket.create_connection(("127.0.0.1", port)) as there:
                other = {here: there, there: here}
                while not self._over.is_set():
                    for ready in select.select([here, there], [], [], LOOK_S)[0]:
                        data = ready.recv(65_536)
                        self._open.wait()
                        if not data:
                            return
                        other[ready].sendall(data)
        except OSError:
            return


def linked(world: World, links: Links, redis: str) -> dict[str, str]:
    """Return what has a server reach everything through links."""
    environ = world.environ()
    names = (
        "RLM_GITHUB_SERVER_URL", "RLM_GITHUB_API_URL", "ANTHROPIC_BASE_URL", "DATABASE_URL",
    )  # fmt: skip
    ours: dict[str, str] = {}
    reached: dict[str, str] = {}
    for name in names:
        root = re.match(r"\w+://[^/]+", environ[name])
        assert root
        if root[0] not in reached:
            reached[root[0]] = links.to(root[0])
        ours[name] = environ[name].replace(root[0], reached[root[0]])
    return ours | {"REDIS_URL": links.to(redis)}


@contextmanager
def _closed(links: Links) -> Iterator[Links]:
    try:
        yield links
    finally:
        links.close()


def cut_off(
    folder: Path, database: str, redis: str, point: Point, pause_s: int = 0
) -> tuple[World, FakePull]:
    """Cut the server off that works on a pull request, have another one go on, and mend the links
    when that has ended; return what stands there once the first one has come back, too.

    `pause_s` is how far apart writes are: without, what comes back writes at once.
    """
    with ExitStack() as held:
        world = held.enter_context(World(folder, database=database))
        links = held.enter_context(_closed(Links()))
        cut = threading.Event()

        def at(seen: tuple[str, str, str]) -> None:
            method, path, phase = seen
            wanted = (method, phase) == (point.method, point.phase)
            if wanted and re.search(point.path, path) and not cut.is_set():
                links.cut()
                cut.set()

        def think(request: dict[str, Any]) -> Any:
            at((MODEL, "", "before"))
            return finds(request)

        def on_request(_index: int, seen: Seen, phase: str) -> None:
            at((seen.method, seen.path, phase))

        world.think = think
        world.hub.on_request(on_request)
        pause = {"RLM_GITHUB_PAUSE": str(pause_s)}
        first = held.enter_context(world.serve(**linked(world, links, redis), **pause))
        pull = world.pull()
        assert world.opened(first, pull) == 202
        wait_until(cut.is_set, lambda: first.said)
        key = (folder / "rlm" / MARKER_FILE).read_text().strip()
        # Two minutes later: PostgreSQL has ended the sessions that are silent, with their locks.
        with world.store.database.read() as db:
            db.execute(text(_SILENT))
        with world.store.database.write() as db:
            db.execute(update(JOBS).where(JOBS.c.state == "claimed").values(lease=0, released=0))
        other: Server = held.enter_context(
            world.serve(
                REDIS_URL=redis, RLM_HOME=str(folder / "second"), RLM_MARKER_KEY=key, **pause
            )
        )
        wait_until(lambda: bool(world.runs()) and world.idle(), lambda: other.said)
        before = told(world, pull)
        links.mend()
        wait_until(lambda: first.get("/readyz")[0] == 200, lambda: first.said)
        wait_until(world.idle, lambda: first.said)
        assert told(world, pull) == before
        assert first.process.poll() is None
        assert first.end() == 0  # it has said whatever it had to say
        assert world.idle()
        return world, pull
