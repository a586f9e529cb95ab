"""Two servers in network namespaces of their own, one of them cut off in the middle of a review.

Each namespace sees GitHub, the model, PostgreSQL and Redis at the very addresses on loopback at
which they are, through a forwarder on either side of its link; taking the link down cuts it off.
Needs root and `ip`.
"""

import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.server_settings import MARKER_FILE
from tests.app.test_serve import Server
from tests.app.world import World, finds, wait_until
from tests.postgres import postgres
from tests.redis_server import redis_server
from tests.warm import COMMAND

SETTLED_S = 400.0
"""A claim of a server that is cut off runs out after two minutes."""

PORT = 8_080


def ip(*words: str) -> None:
    """Run `ip`."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Host:
    """A namespace with a link to here; `outside` is our address on it, `inside` its own."""

    def __init__(self, number: int) -> None:
        self.name = f"rlm{os.getpid() % 10_000}-{number}"
        self.link = f"rlm{os.getpid() % 10_000}v{number}"
        self.outside, self.inside = f"10.213.{number}.1", f"10.213.{number}.2"

    @contextmanager
    def up(self) -> Iterator[None]:
        """Have it while the block runs."""
        ip("netns", "add", self.name)
        try:
            peer = f"{self.link}p"
            ip("link", "add", self.link, "type", "veth", "peer", "name", peer, "netns", self.name)
            ip("addr", "add", f"{self.outside}/24", "dev", self.link)
            ip("link", "set", self.link, "up")
            inside = ("netns", "exec", self.name, "ip")
            ip(*inside, "addr", "add", f"{self.inside}/24", "dev", peer)
            ip(*inside, "link", "set", peer, "up")
            ip(*inside, "link", "set", "lo", "up")
            yield
        finally:
            ip("netns", "del", self.name)

    def cut(self) -> None:
        """Take its link down."""
        ip("link", "set", self.link, "down")

    def mend(self) -> None:
        """Bring its link back."""
        ip("link", "set", self.link, "up")

    @contextmanager
    def sees(self, *ports: int) -> Iterator[None]:
        """Forward ports of its loopback to those of ours."""
        for port in ports:
            forward((self.outside, port), ("127.0.0.1", port))
        code = (
            "import sys, time; from benchmarks.app_partition import forward\n"
            f"[forward(('127.0.0.1', int(p)), ('{self.outside}', int(p))) for p in sys.argv[1:]]\n"
            "print('ready', flush=True); time.sleep(1e6)"
        )
        command = ["ip", "netns", "exec", self.name, sys.executable, "-c", code]
        with subprocess.Popen(
            [*command, *map(str, ports)], stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout and process.stdout.readline() == "ready\n"
                yield
            finally:
                process.kill()


def forward(at: tuple[str, int], to: tuple[str, int]) -> None:
    """Pass every connection on, in threads of this process."""
    listener = socket.create_server(at, backlog=100)

    def accept() -> None:
        while True:
            here, _ = listener.accept()
            threading.Thread(target=_pass_on, args=(here, to), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def _pass_on(here: socket.socket, to: tuple[str, int]) -> None:
    try:
        with here, socket.create_connection(to) as there:
            other = {here: there, there: here}
            while True:
                for ready in select.select([here, there], [], [])[0]:
                    data = ready.recv(65_536)
                    if not data:
                        return
                    other[ready].sendall(data)
    except OSError:
        return


class Away(Server):
    """An `rlm serve` in a namespace."""

    def __init__(self, host: Host, home: Path, **environ: str) -> None:
        self.host = host
        home.mkdir(parents=True)
        super().__init__(home, "--host", "0.0.0.0", "--port", str(PORT), **environ)

    def start(self, *options: str) -> Any:
        """Start it as a program: a fork of what the tests have warm would be in our namespace."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self.host.name, *COMMAND, "serve", *options],
            cwd=self.home, env=self.environ, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip

    @property
    def url(self) -> str:
        """Where it is reached from outside."""
        return f"http://{self.host.inside}:{PORT}"

    def is_ready(self) -> bool:
        """Is it there, and can it do its work?"""
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False


def posted_once(folder: Path) -> tuple[bool, float]:
    """Cut off the server that reviews; say if all was said once, and after how many seconds."""
    with ExitStack() as held:
        database = held.enter_context(postgres())
        redis = held.enter_context(redis_server(folder / "redis"))
        world = held.enter_context(World(folder, database=database.database()))
        hosts = [Host(1), Host(2)]
        ports = [
            database.port, redis.port,
            *(urlsplit(url).port or 0 for url in (world.service.url, world.hub.web)),
        ]  # fmt: skip
        cut = threading.Event()

        def think(request: object) -> object:
            if not cut.is_set():
                cut.set()
                _host_at_work(world, servers).cut()
            return finds(request)  # type: ignore[arg-type]

        world.think = think  # type: ignore[assignment]
        servers: list[Away] = []
        key = ""
        for host in hosts:
            held.enter_context(host.up())
            held.enter_context(host.sees(*ports))
            home = folder / host.name
            environ = world.environ() | {"REDIS_URL": redis.url(), "RLM_HOME": str(home / "rlm")}
            server = Away(host, home, **environ, **({"RLM_MARKER_KEY": key} if key else {}))
            servers.append(held.enter_context(server))
            wait_until(server.is_ready, lambda: server.said)  # noqa: B023
            key = key or (home / "rlm" / MARKER_FILE).read_text().strip()
        pull = world.pull()
        began = time.monotonic()
        assert world.opened(servers[0], pull) == 202
        wait_until(cut.is_set, lambda: "nobody reviews")
        wait_until(
            lambda: bool(world.runs()) and world.idle(), lambda: repr(world.runs()), SETTLED_S
        )
        took = time.monotonic() - began
        for host in hosts:
            host.mend()
        time.sleep(60)  # the one that was cut off says what it has, if it believes that it may
        try:
            world.assert_said_once(pull)
        except (AssertionError, ValueError) as error:
            print(f"said otherwise than once: {error}", file=sys.stderr)
            print(*(server.said for server in servers), sep="\n====\n", file=sys.stderr)
            return False, took
        return True, took


def _host_at_work(world: World, servers: list[Away]) -> Host:
    """The host whose engine has claimed the review."""
    (run,) = world.runs()
    node = world.store.claimant(f"run:{run.id}").partition("/")[0]
    for server in servers:
        if (Path(server.environ["RLM_HOME"]) / "node").read_text().strip() == node:
            return server.host
    raise AssertionError(f"nobody is {node}")
