"""Two servers in network namespaces of their own, one of them cut off in the middle of a review.

Each namespace sees GitHub, the model, PostgreSQL and Redis at the very addresses on loopback at
which they are, through a forwarder on either side of its link; taking the link down cuts it off.
Needs root and `ip`.
"""

import os
import random
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy

from app.server_settings import MARKER_FILE
from app.store.tables import JOBS
from tests.app.kills import Coding
from tests.app.test_serve import Server
from tests.app.world import FLAWED, World, wait_until
from tests.github.hub import FakePull, Seen
from tests.postgres import postgres
from tests.redis_server import redis_server
from tests.warm import COMMAND

CUTS = 5
"""The last one while something is published."""

ANSWERS_S = 0.3
"""What the model takes for each answer: most of a review is then a time in which it can be cut."""

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

    @property
    def node(self) -> str:
        """The name under which its processes claim jobs."""
        return (Path(self.environ["RLM_HOME"]) / "node").read_text().strip()

    def is_ready(self) -> bool:
        """Is it there, and can it do its work?"""
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False


@dataclass(frozen=True)
class Parted:
    """How often all was said once, and the longest time until the other server had done it."""

    once: int
    longest_s: float


def posted_once(folder: Path, chance: random.Random) -> Parted:
    """Cut off the server that works on a review, again and again, and mend its link each time."""
    with ExitStack() as held:
        database = held.enter_context(postgres())
        redis = held.enter_context(redis_server(folder / "redis"))
        world = held.enter_context(World(folder, database=database.database()))
        world.think = Coding(ANSWERS_S)
        ports = [
            database.port, redis.port,
            *(urlsplit(url).port or 0 for url in (world.service.url, world.hub.web)),
        ]  # fmt: skip
        servers: list[Away] = []
        key = ""
        for host in (Host(1), Host(2)):
            held.enter_context(host.up())
            held.enter_context(host.sees(*ports))
            home = folder / host.name
            environ = world.environ() | {"REDIS_URL": redis.url(), "RLM_HOME": str(home / "rlm")}
            server = Away(host, home, **environ, **({"RLM_MARKER_KEY": key} if key else {}))
            servers.append(held.enter_context(server))
            wait_until(server.is_ready, lambda: server.said)  # noqa: B023
            key = key or (home / "rlm" / MARKER_FILE).read_text().strip()
        two = Two(world, servers)
        pulls = [two.reviewed(-1.0)]  # nobody is cut off: how long it takes
        moments = [chance.uniform(0.0, two.took) for _ in range(CUTS - 1)]
        longest_s = 0.0
        for moment in [*moments, None]:
            pulls.append(two.reviewed(moment))
            longest_s = max(longest_s, two.took)
        for server in servers:  # it says whatever it has to say, if it believes that it may
            if server.end() != 0:
                print(f"{server.host.name} did not stop cleanly", file=sys.stderr)
        once = [_said_once(world, pull) for pull in pulls]
        if not all(once):
            print(*(server.said for server in servers), sep="\n====\n", file=sys.stderr)
        return Parted(sum(once[1:]), longest_s)


class Two:
    """Two servers at one work, one of which is cut off now and then."""

    def __init__(self, world: World, servers: list["Away"]) -> None:
        self._world, self._servers = world, servers
        self._armed = False
        self.took = 0.0
        """What the last review took, in seconds, from its opening to its end."""
        world.hub.on_request(self._while_published)

    def reviewed(self, cut_s: float | None) -> FakePull:
        """Open a pull request and cut off who works on it: so many seconds later, None: while it
        publishes, less than 0: never. Wait until all is said, and mend the link.
        """
        world = self._world
        notes = b"%d\n" % len(world.repo.pulls)
        head = world.repo.commit({**FLAWED, "notes.md": notes}, world.base)
        pull = world.repo.pull(world.base, head)
        self._armed = cut_s is None
        began = time.monotonic()
        assert world.opened(self._servers[0], pull) == 202
        if cut_s is not None and cut_s >= 0:
            time.sleep(cut_s)
            self._cut(f"after {cut_s:.2f} s")
        wait_until(
            lambda: bool(world.store.runs_of(world.repo.id, pull.number)) and world.idle(),
            lambda: "\n".join(server.said for server in self._servers),
            SETTLED_S,
        )
        self.took = time.monotonic() - began
        print(f"review of {pull.number}: {self.took:.1f} s", file=sys.stderr, flush=True)
        assert not self._armed, "nothing was published"
        for server in self._servers:
            server.host.mend()
        for server in self._servers:
            wait_until(server.is_ready, lambda: server.said, SETTLED_S)  # noqa: B023
        wait_until(world.idle, lambda: repr(world.runs()), SETTLED_S)
        return pull

    def _while_published(self, _index: int, seen: Seen, phase: str) -> None:
        posted = (seen.verb, phase) == ("POST", "after") and seen.path.endswith("/reviews")
        if self._armed and posted:
            self._armed = False
            self._cut("while it publishes")

    def _cut(self, when: str) -> None:
        """Cut off the server that has claimed a job; where there is none, the first."""
        with self._world.store.database.read() as db:
            claimed = (
                sqlalchemy.select(JOBS.c.worker)
                .where(JOBS.c.state == "claimed")
                .order_by(JOBS.c.id)
            )
            nodes = [str(worker).partition("/")[0] for worker in db.scalars(claimed)]
        at_work = [one for one in self._servers if one.node in nodes] or self._servers
        print(f"{at_work[0].host.name} cut off {when}", file=sys.stderr, flush=True)
        at_work[0].host.cut()


def _said_once(world: World, pull: FakePull) -> bool:
    try:
        world.assert_said_once(pull)
    except (AssertionError, ValueError) as error:
        print(f"{pull.number} said otherwise than once: {error}", file=sys.stderr)
        return False
    return True
