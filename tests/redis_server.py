"""A real Redis server for tests, on loopback, that forgets everything when it ends."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis

START_S = 20.0


class RedisServer:
    """A server of one's own; `acl` are the lines of an ACL file."""

    def __init__(self, folder: Path, acl: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._acl = acl
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, user: str = "") -> str:
        """Its address, for a user with its password if there is one."""
        return f"redis://{user and user + '@'}127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, with nothing in it, and wait until it answers."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", "."]
        if self._acl:
            (self._folder / "users.acl").write_text(self._acl)
            options += ["--aclfile", "users.acl"]
        self._process = subprocess.Popen(
            ["redis-server", *options], stdout=subprocess.DEVNULL, cwd=self._folder
        )
        until = time.monotonic() + START_S
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def kill(self) -> None:
        """End it at once: what it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def client(self) -> Redis:
        """A connection to it."""
        return Redis(port=self.port)


@contextmanager
def redis_server(folder: Path, acl: str = "") -> Iterator[RedisServer]:
    """Run a server while the block runs."""
    server = RedisServer(folder, acl)
    try:
        server.start()
        yield server
    finally:
        server.kill()
