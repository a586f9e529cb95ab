"""The server as whoever runs it meets it: real processes, signals, sockets."""

import json
import os
import re
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app.credentials import Credentials, save
from app.doctor import doctor
from app.roles import ALIVE_FD, BROKER_FDS, LISTEN_FD, MARKER_KEY
from app.serve import FIRST_WAIT_S, Child, running
from tests import warm

STARTED = re.compile(r"INFO serve started role=(\S+) pid=(\d+)")
ADDRESS = re.compile(r"rlm serve listens on (http://\S+)")
PATIENCE_S = 40.0

LINUX = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc")

NOWHERE = "http://127.0.0.1:9"
"""Nobody answers on the discard port: no test asks GitHub by mistake."""


def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


class Server:
    """One `rlm serve`, and what it says on standard error."""

    def __init__(self, home: Path, *options: str, forks: bool = False, **environ: str) -> None:
        """Start it; with `forks` its processes are not started as programs (`tests/warm.py`)."""
        self.home = home
        self.forks = forks
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "RLM_HOME": str(home / "state"),
            "RLM_GITHUB_SERVER_URL": NOWHERE,
            "RLM_GITHUB_API_URL": f"{NOWHERE}/api/v3",
            **environ,
        }
        self._lines: list[str] = []
        self._page = 0
        self.process = self.start("--port", "0", "--engines", "1", *options)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def start(self, *options: str) -> Any:
        """Start it with these options; return what is as `subprocess.Popen` is."""
        return warm.start(
            ["serve", *options],
            cwd=self.home, env=self.environ, text=True, session=True, silent=True,
            forks=self.forks,
        )  # fmt: skip

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self._lines.append(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE_S)
        until(lambda: not self.alive)
        if error is not None:
            print(self.said)

    @property
    def said(self) -> str:
        return "".join(self._lines[self._page :])

    def turn_page(self) -> None:
        """Have `said` begin here."""
        self._page = len(self._lines)

    @property
    def _whole(self) -> str:
        return "".join(self._lines)

    @property
    def url(self) -> str:
        until(lambda: ADDRESS.search(self._whole) is not None or self.process.poll() is not None)
        found = ADDRESS.search(self._whole)
        assert found, self.said
        return found[1]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def every_pid(self) -> list[int]:
        return [int(pid) for _, pid in STARTED.findall(self._whole)]

    @property
    def pids(self) -> dict[str, int]:
        """The process that each role has now."""
        return {name: int(pid) for name, pid in STARTED.findall(self._whole)}

    @property
    def alive(self) -> list[int]:
        return [pid for pid in self.every_pid if lives(pid)]

    def get(self, path: str, timeout_s: float = PATIENCE_S) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=timeout_s) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def ready(self) -> dict[str, Any]:
        found = json.loads(self.get("/readyz")[1])
        assert isinstance(found, dict)
        return found

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


def lives(pid: int) -> bool:
    """Is there such a process? One that has ended and waits for its parent does not live."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return not Path("/proc/self").exists()


def until(condition: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def environ_of(pid: int) -> dict[str, str]:
    items = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(item.split("=", 1) for item in items if item)


@pytest.fixture(scope="module")
def key() -> str:
    return private_key()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with nothing configured, for the tests that only look."""
    with Server(tmp_path_factory.mktemp("empty")) as server:
        until(lambda: len(server.pids) == 3)
        yield server
        assert server.end() == 0


def test_with_nothing_configured_it_runs_and_says_what_is_missing(empty: Server) -> None:
    assert empty.get("/healthz")[0] == 200
    until(lambda: any("No GitHub App" in sentence for sentence in empty.ready()["missing"]))
    assert empty.get("/readyz")[0] == 503
    assert any("RLM_WEBHOOK_SECRET" in sentence for sentence in empty.ready()["missing"])
    for said in (
        "App     none yet",
        "detectors alone: no model key",
        str(empty.home / "state"),
        f"{empty.url}/readyz",
        "missing: No GitHub App is configured. Run `rlm setup`",
        "missing: No webhook secret is configured. Run `rlm setup`",
    ):
        assert said in empty.said
    assert "warning:" not in empty.said and "without TLS" not in empty.said


def test_a_second_server_on_the_same_folder_is_refused_and_harms_nothing(empty: Server) -> None:
    assert empty.get("/healthz")[0] == 200
    with Server(empty.home) as second:
        assert second.process.wait(PATIENCE_S) == 2
        assert f"process {empty.process.pid}" in second.said
        assert "hint: Stop that one" in second.said
        assert second.every_pid == []
    assert empty.get("/healthz")[0] == 200
    assert running(empty.home / "state") == str(empty.process.pid)


def test_a_port_that_is_taken_is_named(empty: Server, tmp_path: Path) -> None:
    with Server(tmp_path, "--port", str(empty.port)) as second:
        assert second.process.wait(PATIENCE_S) == 2
        assert f"Cannot listen on port {empty.port} of 127.0.0.1" in second.said
        assert "--port" in second.said and second.every_pid == []


def test_a_host_that_is_none_is_named(tmp_path: Path) -> None:
    with Server(tmp_path, "--host", "no such host") as server:
        assert server.process.wait(PATIENCE_S) == 2
        assert "--host" in server.said and "Traceback" not in server.said


def test_the_state_is_for_its_owner_alone(empty: Server) -> None:
    assert empty.get("/readyz")[0] == 503
    state = empty.home / "state"
    assert {path.name for path in state.iterdir()} >= {"rlm.sqlite3", "marker.key", "serve.lock"}
    assert [path for path in (state, *state.rglob("*")) if path.stat().st_mode & 0o077] == []


def test_doctor_sees_the_server(empty: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(empty.environ, online=False) == 0
    lines = {line[4:22].strip(): line for line in capsys.readouterr().out.splitlines()}
    assert lines["server"].startswith("ok") and str(empty.process.pid) in lines["server"]
    assert lines["store"].startswith("ok") and "rlm.sqlite3" in lines["store"]
    assert lines["GitHub App"].startswith("--") and lines["webhook secret"].startswith("--")


@LINUX
def test_no_process_hands_its_descriptors_to_what_it_starts(empty: Server) -> None:
    assert empty.get("/readyz")[0] == 503
    until(lambda: "github" in empty.pids)
    for pid in empty.pids.values():
        for entry in Path(f"/proc/{pid}/fdinfo").iterdir():
            if int(entry.name) > 2:
                try:
                    text = entry.read_text()
                except FileNotFoundError:  # closed meanwhile
                    continue
                flags = re.search(r"flags:\s*(\d+)", text)
                assert flags and int(flags[1], 8) & os.O_CLOEXEC, (pid, entry.name)


@LINUX
def test_each_process_has_its_own_secrets_and_no_other(tmp_path: Path, key: str) -> None:
    secrets = {
        "RLM_APP_ID": "hush-app-id",
        "RLM_APP_PRIVATE_KEY": key,
        "RLM_WEBHOOK_SECRET": "hush-hook",
        "RLM_WEBHOOK_SECRET_OLD": "hush-before",
        "ANTHROPIC_API_KEY": "hush-model",
        "GITHUB_TOKEN": "hush-person",
        "SOME_OTHER_KEY": "hush-other",
    }
    shared = {"RLM_HOME", "RLM_GITHUB_SERVER_URL", "RLM_GITHUB_API_URL", ALIVE_FD}
    own = {
        "web": {"RLM_WEBHOOK_SECRET", LISTEN_FD},
        "github": {"RLM_APP_ID", "RLM_APP_PRIVATE_KEY", MARKER_KEY, BROKER_FDS},
        "engine-1": {"ANTHROPIC_API_KEY", BROKER_FDS},
    }
    plain = {"PATH", "HOME", "PYTHONPATH", "LC_CTYPE"}
    with Server(tmp_path, **secrets) as server:
        assert server.get("/healthz")[0] == 200
        until(lambda: len(server.pids) == 3)
        found = {name: environ_of(pid) for name, pid in server.pids.items()}
        assert {name: {*each} - shared - plain for name, each in found.items()} == own
        assert found["web"]["RLM_WEBHOOK_SECRET"] == "hush-hook\nhush-before"
        assert found["github"]["RLM_APP_PRIVATE_KEY"].strip() == key.strip()
        for pid in server.pids.values():
            assert b"hush" not in Path(f"/proc/{pid}/cmdline").read_bytes()
        assert "detectors alone" not in server.said and "missing:" not in server.said
        server.end()
        assert "hush-hook" not in server.said and "PRIVATE KEY" not in server.said
        assert "hush-model" not in server.said


def test_a_killed_process_comes_back_and_the_port_never_refuses(tmp_path: Path) -> None:
    refused: list[OSError] = []
    connected: list[int] = []
    over = threading.Event()

    def knock() -> None:
        while not over.is_set():
            try:
                socket.create_connection(("127.0.0.1", server.port), 10).close()
                connected.append(1)
            except OSError as error:
                refused.append(error)
            time.sleep(0.005)

    with Server(tmp_path) as server:
        assert server.get("/healthz")[0] == 200
        until(lambda: len(server.pids) == 3)
        knocking = threading.Thread(target=knock)
        knocking.start()
        try:
            for name in ("web", "github", "engine-1", "web"):
                old = server.pids[name]
                os.kill(old, signal.SIGKILL)
                until(lambda name=name, old=old: server.pids[name] != old)  # type: ignore[misc]
                assert server.get("/healthz")[0] == 200
        finally:
            over.set()
            knocking.join(PATIENCE_S)
        assert refused == [] and len(connected) > 20
        assert server.said.count("ended by itself") >= 4
        assert "ended by itself role=github signal=SIGKILL" in server.said


def test_a_request_that_came_while_web_was_dead_is_answered_by_the_next(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        assert server.get("/healthz")[0] == 200
        os.kill(server.pids["web"], signal.SIGKILL)
        assert server.get("/healthz")[0] == 200
        assert len([name for name, _ in STARTED.findall(server.said) if name == "web"]) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_peace_web_first(tmp_path: Path, number: int) -> None:
    with Server(tmp_path) as server:
        assert server.get("/healthz")[0] == 200
        until(lambda: "No GitHub App" in str(server.ready()))
        assert server.end(number) == 0
        assert server.alive == []
        ends = re.findall(r"INFO serve ended role=(\S+)", server.said)
        assert len(ends) == 3 and ends[0] == "web"
        assert "ERROR serve" not in server.said and server.said.endswith("INFO serve stopped\n")
        assert running(server.home / "state") == ""


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        until(lambda: len(server.pids) == 3 and server.get("/healthz")[0] == 200)
        with socket.create_connection(("127.0.0.1", server.port), 10) as half:
            # The first signal waits for a request that has begun to arrive.
            half.sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
            time.sleep(0.5)
            server.process.send_signal(signal.SIGINT)
            until(lambda: "once more to quit at once" in server.said)
            time.sleep(0.3)
            assert server.process.poll() is None
            server.process.send_signal(signal.SIGINT)
            assert server.process.wait(3) == 128 + signal.SIGINT
            until(lambda: server.alive == [], 3)


def test_a_process_that_does_not_end_is_ended_after_the_grace(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        until(lambda: "No engine process" not in str(server.ready()))
        os.kill(server.pids["engine-1"], signal.SIGSTOP)
        began = time.monotonic()
        assert server.end() == 0
        assert 9 < time.monotonic() - began < 25
        assert server.alive == []
        assert "does not end by itself role=engine-1" in server.said


def test_processes_end_with_a_killed_server_and_the_next_starts_at_once(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        assert server.get("/healthz")[0] == 200
        until(lambda: len(server.pids) == 3)
        server.process.kill()
        server.process.wait()
        with Server(tmp_path, "--port", str(server.port)) as following:
            assert following.get("/healthz")[0] == 200
            assert server.alive == []
            assert following.end() == 0


def test_the_app_that_setup_stores_is_taken_up_without_a_restart(tmp_path: Path, key: str) -> None:
    with Server(tmp_path) as server:
        until(lambda: len(server.pids) == 3 and "No GitHub App" in str(server.ready()))
        before = server.pids
        save(
            tmp_path / "state",
            Credentials.model_validate(
                {
                    "server_web": NOWHERE,
                    "server_api": f"{NOWHERE}/api/v3",
                    "app_id": "12345",
                    "slug": "rlm-of-octo",
                    "client_id": "Iv23li",
                    "client_secret": "hush",
                    "webhook_secret": "hush-hook",
                    "pem": key,
                    "html_url": f"{NOWHERE}/apps/rlm-of-octo",
                }
            ),
        )
        until(lambda: server.pids["web"] != before["web"])
        until(lambda: server.pids["github"] != before["github"])
        until(lambda: "RLM_WEBHOOK_SECRET" not in str(server.ready()))
        until(lambda: "No GitHub App" not in str(server.ready()))
        assert server.pids["engine-1"] == before["engine-1"]
        assert "ended by itself" not in server.said and "hush" not in server.said


def test_a_process_that_fails_at_its_start_is_tried_at_growing_intervals() -> None:
    child = Child("cleaner", {}, ())  # no such role: it ends by itself, and says so
    waits: list[float] = []
    end = time.monotonic() + PATIENCE_S
    while len(waits) < 3 and time.monotonic() < end:
        child.tend({"PATH": os.environ["PATH"]})
        if not child.lives:
            waits.append(child.idle_s())
            time.sleep(child.idle_s())
        time.sleep(0.01)
    assert waits == [pytest.approx(FIRST_WAIT_S * 2**n, rel=0.2) for n in range(3)]


def test_as_json_every_line_is_an_object_from_the_start_to_the_end(tmp_path: Path) -> None:
    with Server(tmp_path, RLM_LOG="json") as server:

        def events() -> list[str]:
            return [json.loads(line)["event"] for line in server.said.splitlines()]

        until(lambda: events().count("started") == 3 and "listening" in events())
        until(lambda: any("GitHub App cannot be used" in one for one in events()))
        assert server.end() == 0
        found = [json.loads(line) for line in server.said.splitlines()]
    assert {one["role"] for one in found} >= {"serve", "web", "github"}
    assert all(one["time"].endswith("Z") and one["level"] for one in found)
    assert found[-1]["event"] == "stopped"
    assert [one for one in found if one["event"] == "missing"]
