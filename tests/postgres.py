"""A real PostgreSQL server for tests, on loopback, gone with the tests that asked for it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psycopg

START_S = 30.0
SEEN_S = 0.2
"""So soon a server has seen that a session of it is dead, and answers nobody until it is whole."""


def programs() -> Path:
    """The folder with `initdb` and `postgres`; Debian keeps it off the PATH."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        places.append(Path(found).parent)
    for place in places:
        if (place / "initdb").exists():
            return place
    raise FileNotFoundError("PostgreSQL is not installed: run `make system-test-deps`")


class Postgres:
    """A server with a database of its own for each who asks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bin = programs()
        # The server refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        initdb = ["initdb", "-D", str(folder / "data"), "-U", "rlm", "-A", "trust", "--no-sync"]
        self._run(*initdb, "-E", "UTF8", "--locale=C")

    def _run(self, program: str, *options: str) -> None:
        subprocess.run(
            [self._bin / program, *options],
            check=True, capture_output=True, user=self._user, cwd=self._folder,
        )  # fmt: skip

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._process = subprocess.Popen(
            [
                self._bin / "postgres", "-D", self._folder / "data", "-p", str(self.port),
                "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self._folder}",
                "-c", "fsync=off", "-c", "max_connections=200",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            user=self._user, cwd=self._folder,
        )  # fmt: skip
        self.wait()

    def wait(self) -> None:
        """Wait until the server answers: it has begun, or recovers."""
        until = time.monotonic() + START_S
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """End the server at once, as when its machine is gone; `start` brings it back."""
        # Two may stop it at once: a test's own thread, and whoever ends the test.
        process, self._process = self._process, None
        if process is not None:
            self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "stop")
            process.wait()

    def kill(self) -> None:
        """Kill the server's first process, and wait for those of its sessions, which end with it."""
        assert self._process is not None
        sessions = _children(self._process.pid)
        self._process.kill()
        self._process.wait()
        self._process = None
        until = time.monotonic() + START_S
        while any(Path(f"/proc/{pid}").exists() for pid in sessions):
            assert time.monotonic() < until, "its sessions go on"
            time.sleep(0.02)

    def kill_session(self, database: str) -> None:
        """Kill the process of one session of a database: the server ends all others and recovers."""
        with psycopg.connect(database) as db:
            found = db.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1"
            ).fetchone()
        assert found is not None, "nobody is connected"
        os.kill(found[0], signal.SIGKILL)
        time.sleep(SEEN_S)
        self.wait()

    def url(self, database: str) -> str:
        """The address of a database of this server."""
        return f"postgresql://rlm@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """Make a new database; return its address."""
        name = f"t{uuid4().hex}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as db:
            db.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)


def _children(pid: int) -> list[int]:
    every = (Path(f"/proc/{pid}/task") / str(pid) / "children").read_text()
    return [int(one) for one in every.split()]


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a server while the block runs."""
    folder = Path(tempfile.mkdtemp(prefix="rlm-pg-"))
    server = Postgres(folder)
    try:
        server.start()
        yield server
    finally:
        with suppress(subprocess.CalledProcessError):
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
