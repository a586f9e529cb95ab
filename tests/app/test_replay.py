"""`rlm webhook replay` as a program, against the real pages over a real store."""

import json
import os
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.credentials import Credentials, save
from app.replay import guess_event, read_recorded
from app.store import Store
from reviewer.errors import TellUser
from tests import warm
from tests.app.deliveries import SECRET, VERSIONS, example, examples
from tests.app.test_webhook import Web

GUID = "72d3162e-cc78-11e3-81ab-4c9367dc0958"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    store = Store(tmp_path / "server" / "rlm.sqlite3")
    with Web(store, (SECRET,)) as web:
        yield web
    store.close()


def rlm(
    home: Path, *arguments: str, stdin: bytes = b"", **environ: str
) -> "subprocess.CompletedProcess[bytes]":
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "RLM_HOME": str(home / "state"),
        "RLM_WEBHOOK_SECRET": SECRET,
        **environ,
    }
    with tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        command = ["webhook", "replay", *arguments]
        process = warm.start(command, cwd=home, env=env, stdin=given.fileno())
        out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def payload_file(folder: Path, payload: object) -> str:
    path = folder / "payload.json"
    path.write_text(json.dumps(payload), "utf-8")
    return str(path)


def address(web: Web) -> str:
    return f"http://127.0.0.1:{web.port}/webhook"


def test_a_payload_is_signed_sent_and_queued(web: Web, tmp_path: Path) -> None:
    file = payload_file(tmp_path, example("pull_request", "opened"))
    done = rlm(tmp_path, file, "--url", address(web), "--delivery", GUID)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == f"pull_request {GUID}: 202 queued\n"
    assert len(web.jobs()) == 1


def test_each_replay_is_a_new_delivery_unless_one_is_named(web: Web, tmp_path: Path) -> None:
    payload = json.dumps(example("pull_request", "opened")).encode()
    for _ in range(2):
        assert b"202 queued" in rlm(tmp_path, "-", "--url", address(web), stdin=payload).stdout
    named = ("-", "--url", address(web), "--delivery", GUID)
    assert b"202 queued" in rlm(tmp_path, *named, stdin=payload).stdout
    again = rlm(tmp_path, *named, stdin=payload)
    assert (again.returncode, again.stdout.split(b": ")[1]) == (0, b"200 known\n")


def test_a_delivery_of_githubs_log_brings_its_event(web: Web, tmp_path: Path) -> None:
    recorded = {
        "id": 12345678,
        "guid": "0b989ba4-242f-11e5-81e1-c7b6966d2516",
        "event": "pull_request",
        "action": "opened",
        "request": {
            "headers": {"X-GitHub-Event": "pull_request", "X-Hub-Signature-256": "sha256=00"},
            "payload": example("pull_request", "opened"),
        },
        "response": {"headers": {}, "payload": "timed out"},
    }
    done = rlm(tmp_path, payload_file(tmp_path, recorded), "--url", address(web))
    assert done.returncode == 0
    assert b"202 queued" in done.stdout
    assert recorded["guid"].encode() not in done.stdout  # type: ignore[attr-defined]


def test_the_secret_that_setup_stored_is_used(web: Web, tmp_path: Path) -> None:
    credentials = Credentials(
        server_web="https://github.com",
        server_api="https://api.github.com",
        app_id="1",
        slug="rlm",
        client_id="Iv1.a",
        client_secret=SecretStr("c"),
        webhook_secret=SecretStr(SECRET),
        pem=SecretStr("no key"),
        html_url="https://github.com/apps/rlm",
    )
    save(tmp_path / "state", credentials)
    file = payload_file(tmp_path, example("pull_request", "opened"))
    done = rlm(tmp_path, file, "--url", address(web), RLM_WEBHOOK_SECRET="")
    assert b"202 queued" in done.stdout


def test_a_refusal_is_shown_with_its_reason(web: Web, tmp_path: Path) -> None:
    file = payload_file(tmp_path, example("pull_request", "opened"))
    done = rlm(tmp_path, file, "--url", address(web), RLM_WEBHOOK_SECRET="another")
    assert done.returncode == 1
    assert b": 401 refused X-Hub-Signature-256 does not match" in done.stdout
    assert b"another" not in done.stdout + done.stderr


def test_without_a_server_it_says_how_to_start_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    file = payload_file(tmp_path, example("pull_request", "opened"))
    done = rlm(tmp_path, file, "--url", f"http://127.0.0.1:{port}/webhook")
    assert done.returncode == 2
    assert f"No server answers at http://127.0.0.1:{port}" in done.stderr.decode()
    assert b"rlm serve" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("missing.json",), "missing.json cannot be read"),
        (("-", "--url", "http://rlm.example.com/webhook"), "plain http"),
        (("-", "--url", "http://127.0.0.1.example.com/webhook"), "plain http"),
        (("-", "--url", "http://localhost@example.com/webhook"), "password"),
        (("-", "--url", "file:///etc/passwd"), "not the address"),
        (("-", "--url", "http://[::1/webhook"), "not the address"),
        (("-", "--url", "http://127.0.0.1:99999/webhook"), "not the address"),
        (("-", "--event", "Pull Request"), "not the name of an event"),
        (("-", "--event", "ping\r\nX-Evil: 1"), "not the name of an event"),
        (("-", "--event", "push", "--delivery", "7"), "not the id of a delivery"),
        (("-",), "--event"),
    ],
)
def test_wrong_usage_is_told_with_its_remedy(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = rlm(tmp_path, *arguments, stdin=b'{"action": "created"}')
    assert done.returncode == 2
    assert words in done.stderr.decode()
    assert "hint: " in done.stderr.decode()
    assert done.stdout == b""


def test_without_a_secret_it_says_where_it_comes_from(tmp_path: Path) -> None:
    file = payload_file(tmp_path, example("pull_request", "opened"))
    done = rlm(tmp_path, file, RLM_WEBHOOK_SECRET="")
    assert done.returncode == 2
    assert "rlm setup" in done.stderr.decode()


class Elsewhere(BaseHTTPRequestHandler):
    """A server that is not ours: it sends on, and says things that a terminal would obey."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(302)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()
        self.wfile.write(b"moved \x1b[2J\xff\n" + b"x" * 100_000)

    def log_message(self, *_: object) -> None:
        pass


def test_a_redirect_is_not_followed_and_its_words_are_made_harmless(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        file = payload_file(tmp_path, example("pull_request", "opened"))
        done = rlm(tmp_path, file, "--url", f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
    assert done.returncode == 1
    assert b": 302 moved \\x1b[2J" in done.stdout
    assert len(done.stdout) < 2_000


@pytest.mark.parametrize("version", VERSIONS)
def test_an_event_is_guessed_right_or_not_at_all(version: str) -> None:
    guesses = [(name, guess_event(payload)) for name, payload in examples(version)]
    wrong = {(name, guess) for name, guess in guesses if guess not in {name, None}}
    assert wrong == set()
    found = {guess for _, guess in guesses}
    assert {"pull_request", "issue_comment", "check_run", "check_suite", "ping"} <= found


def test_a_payload_is_sent_byte_by_byte_as_it_stands_in_the_file() -> None:
    content = b'{ "number" :1,\n"pull_request": {"title": "\\u00e9"}}\n'
    assert read_recorded(content).body == content


@pytest.mark.parametrize("content", [b"", b"[]", b"no", b'{"a": 1, "a": 2}', b"\xff"])
def test_a_file_that_is_no_delivery_is_refused(content: bytes) -> None:
    with pytest.raises(TellUser):
        read_recorded(content)
