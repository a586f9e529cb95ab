"""`rlm setup`, as a browser and a terminal see it: real HTTP on both sides of it."""

import argparse
import fnmatch
import html
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import yaml

from app.credentials import FILE, load
from app.github.auth import AppAuth
from app.interrupt import Interrupts
from app.manifest import manifest, reasons
from app.setup import setup
from reviewer.errors import RlmError, TellUser
from tests.app.github.loopback import Answer, Loopback
from tests.app.github.test_auth import pem
from tests.github.hub import FakeGitHub

ROOT = Path(__file__).parents[2]
CODE = "a180b1a3d263c81bc6441d7b990bae27d4c10679"
SECRETS = ("e340154128314309424b7c8e90325147d99fdafa", "webhook-secret-9")


def made(server_web: str, **changes: Any) -> Answer:
    """What GitHub answers to the code."""
    body = {
        "id": 1234,
        "slug": "octo-review",
        "node_id": "MDM6QXBwMQ==",
        "owner": {"login": "octo", "id": 1, "type": "Organization"},
        "name": "octo review",
        "client_id": "Iv1.8a61f9b3a7aba766",
        "client_secret": SECRETS[0],
        "webhook_secret": SECRETS[1],
        "pem": pem(),
        "html_url": f"{server_web}/apps/octo-review",
        "permissions": {"metadata": "read"},
        "events": [],
        **changes,
    }
    return Answer(201, body)


LOGIN = Answer(200, {"slug": "octo-review"})


def environ(server_web: str, home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "RLM_HOME": str(home / "rlm"),
        "RLM_GITHUB_SERVER_URL": server_web,
        "PATH": os.environ["PATH"],
    }


def options(**given: Any) -> argparse.Namespace:
    defaults: dict[str, Any] = {
        "url": "https://rlm.example.org",
        "org": None,
        "name": None,
        "public": False,
        "port": 0,
        "no_browser": True,
        "write": False,
        "force": False,
    }
    return argparse.Namespace(**{**defaults, **given})


class Running:
    """`rlm setup` in a thread, and the address that it printed."""

    def __init__(self, env: dict[str, str], printed: Callable[[], str], **given: Any) -> None:
        self.code: int | None = None
        self.error: RlmError | None = None
        self._printed = printed
        self.output = ""
        self._thread = threading.Thread(target=self._run, args=(env, options(**given)))
        self._thread.start()
        self.first = self._address()
        self.address = self.first.partition("?")[0]

    def _run(self, env: dict[str, str], given: argparse.Namespace) -> None:
        try:
            self.code = setup(given, env, Interrupts())
        except RlmError as error:
            self.error = error

    def _address(self) -> str:
        end = time.monotonic() + 20
        while time.monotonic() < end and self._thread.is_alive():
            self.output += self._printed()
            if found := re.search(r"http://127\.0\.0\.1:\d+/\?key=[\w-]+(?= )", self.output):
                return found[0]
            time.sleep(0.01)
        raise AssertionError(f"no address: {self.output} {self.error}")

    def start(self) -> tuple[str, str, dict[str, Any]]:
        """Load the first page; return where its form goes, the state, and the manifest."""
        page = requests.get(self.first, timeout=5)
        assert page.status_code == 200
        action = re.search(r'action="([^"]+)"', page.text)
        value = re.search(r'name="manifest" value="([^"]+)"', page.text)
        assert action and value
        target = html.unescape(action[1])
        (state,) = parse_qs(urlsplit(target).query)["state"]
        return target.partition("?")[0], state, json.loads(html.unescape(value[1]))

    def back(self, state: str, code: str = CODE) -> requests.Response:
        """Come back from GitHub, as its redirect would have it."""
        return requests.get(f"{self.address}callback?code={code}&state={state}", timeout=30)

    def end(self) -> str:
        """Wait for the end; return what was printed."""
        self._thread.join(30)
        assert not self._thread.is_alive()
        self.output += self._printed()
        return self.output


@pytest.fixture
def running(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Running]]:
    started: list[tuple[Running, Path]] = []

    def start(loopback: Loopback, **given: Any) -> Running:
        env = environ(loopback.server.web, tmp_path)
        one = Running(env, lambda: capsys.readouterr().out, **given)
        started.append((one, tmp_path))
        return one

    yield start
    for one, _ in started:
        assert not one._thread.is_alive()


@contextmanager
def github(*answers: Answer) -> Iterator[Loopback]:
    """A GitHub that answers the code, then the login; the addresses in it are its own."""
    with Loopback(*(answers or (LOGIN,))) as loopback:
        if not answers:
            loopback.answers = [made(loopback.server.web), LOGIN]
        yield loopback


def test_who_does_not_know_the_whole_address_learns_nothing(
    running: Callable[..., Running],
) -> None:
    with github() as loopback:
        mine = running(loopback)
        for address in (mine.address, f"{mine.address}?key=", f"{mine.first}x"):
            page = requests.get(address, timeout=5)
            assert page.status_code == 403 and "state=" not in page.text
            assert "terminal" in page.text
        mine.back(mine.start()[1])
        mine.end()
        assert mine.code == 0


def test_the_whole_way(running: Callable[..., Running], tmp_path: Path) -> None:
    with github() as loopback:
        mine = running(loopback)
        action, state, sent = mine.start()
        assert action == f"{loopback.server.web}/settings/apps/new"
        assert len(state) >= 32
        assert sent["redirect_url"] == f"{mine.address}callback"
        assert sent["hook_attributes"] == {
            "url": "https://rlm.example.org/webhook",
            "active": True,
        }
        last = mine.back(state)
        assert last.status_code == 200 and last.url == f"{mine.address}done"
        assert f'href="{loopback.server.web}/apps/octo-review/installations/new"' in last.text
        output = mine.end()
    assert mine.code == 0
    assert [seen.path for seen in loopback.requests] == [
        f"/api/v3/app-manifests/{CODE}/conversions",
        "/api/v3/app",
    ]
    assert (loopback.requests[0].method, loopback.requests[0].authorization) == ("POST", None)
    app = load(tmp_path / "rlm")
    assert app is not None
    assert (app.app_id, app.slug, app.client_id) == ("1234", "octo-review", "Iv1.8a61f9b3a7aba766")
    assert app.webhook_secret is not None and app.webhook_secret.get_secret_value() == SECRETS[1]
    assert app.server == loopback.server
    # What the run pages need: where people come from GitHub, and where they are sent to.
    assert sent["callback_urls"] == ["https://rlm.example.org/login/callback"]
    assert app.public_url == "https://rlm.example.org"
    assert stat.S_IMODE((tmp_path / "rlm" / FILE).stat().st_mode) == 0o600
    for word in ("octo-review of octo", "installations/new", "ANTHROPIC_API_KEY", "rlm serve"):
        assert word in output
    assert "https://rlm.example.org/webhook" in output
    for secret in (*SECRETS, "PRIVATE KEY", CODE, state):
        assert secret not in output and secret not in last.text


def test_a_github_takes_the_manifest_and_the_stored_key_logs_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The form is sent as a browser would, to a GitHub that judges manifest, code and JWT."""
    with FakeGitHub(tmp_path) as hub:
        repo = hub.repository("octo/hello")
        mine = Running(
            hub.environ(tmp_path), lambda: capsys.readouterr().out, org="octo", name="My review"
        )
        action, state, sent = mine.start()
        form = {"manifest": json.dumps(sent)}
        last = requests.post(f"{action}?state={state}", data=form, timeout=10)
        assert last.status_code == 200 and last.url == f"{mine.address}done", last.text
        output = mine.end()
        assert mine.code == 0 and "cannot log in" not in output
        app = load(tmp_path / "rlm")
        fake = hub.apps.by_slug["my-review"]
        assert app is not None and (app.app_id, app.slug) == (str(fake.id), "my-review")
        assert fake.permissions == sent["default_permissions"]
        auth = AppAuth(app.server, app.app_id, app.pem)
        token = auth.installation_token(fake.install(repo).id, repo.id, fake.permissions)
        assert token.usable()


def test_an_app_of_an_organization_under_a_name_of_its_own(
    running: Callable[..., Running],
) -> None:
    with github() as loopback:
        mine = running(loopback, org="my-org", name="Our reviewer", public=True)
        action, state, sent = mine.start()
        assert action == f"{loopback.server.web}/organizations/my-org/settings/apps/new"
        assert (sent["name"], sent["public"]) == ("Our reviewer", True)
        mine.back(state)
        mine.end()


def test_without_an_address_the_webhook_is_off_and_it_says_how_to_switch_it_on(
    running: Callable[..., Running],
) -> None:
    with github() as loopback:
        mine = running(loopback, url=None)
        _, state, sent = mine.start()
        assert sent["hook_attributes"]["active"] is False
        assert "switched off" in requests.get(mine.first, timeout=5).text
        mine.back(state)
        output = mine.end()
    assert f"{loopback.server.web}/settings/apps/octo-review and tick Active" in output


def test_a_missing_webhook_secret_is_asked_for(
    running: Callable[..., Running], tmp_path: Path
) -> None:
    with Loopback(LOGIN) as loopback:
        loopback.answers = [made(loopback.server.web, webhook_secret=None), LOGIN]
        mine = running(loopback)
        mine.back(mine.start()[1])
        assert "RLM_WEBHOOK_SECRET" in mine.end()
    app = load(tmp_path / "rlm")
    assert app is not None and app.webhook_secret is None


def test_a_key_that_cannot_log_in_is_told_and_kept(
    running: Callable[..., Running], tmp_path: Path
) -> None:
    """The machine's clock is wrong: the App is there all the same."""
    said = "'Expiration time' claim ('exp') is too far in the future"
    with Loopback(LOGIN) as loopback:
        loopback.answers = [made(loopback.server.web), Answer(401, {"message": said})]
        mine = running(loopback)
        mine.back(mine.start()[1])
        output = mine.end()
    assert "cannot log in yet" in output and said in output and "NTP" in output
    assert mine.code == 0
    assert load(tmp_path / "rlm") is not None


@pytest.mark.parametrize("state", ["", "wrong", "ä"])
def test_an_answer_with_another_state_is_refused_and_the_right_one_still_taken(
    running: Callable[..., Running], state: str
) -> None:
    with github() as loopback:
        mine = running(loopback)
        _, right, _ = mine.start()
        page = mine.back(state)
        assert page.status_code == 400 and "does not belong" in page.text
        assert loopback.requests == []
        assert mine.back(right).status_code == 200
        mine.end()


@pytest.mark.parametrize("code", ["", "../../user", "a%2Fb", "a%0Ab", "x" * 201])
def test_a_code_that_is_none_goes_nowhere(running: Callable[..., Running], code: str) -> None:
    with github() as loopback:
        mine = running(loopback)
        _, state, _ = mine.start()
        page = mine.back(state, code)
        assert page.status_code == 400 and "no code" in page.text
        assert loopback.requests == []
        mine.back(state)
        mine.end()


def test_an_expired_code_says_so_and_another_try_works(running: Callable[..., Running]) -> None:
    with Loopback(LOGIN) as loopback:
        loopback.answers = [
            Answer(404, {"message": "Not Found"}),
            made(loopback.server.web),
            LOGIN,
        ]
        mine = running(loopback)
        _, state, _ = mine.start()
        page = mine.back(state)
        assert page.status_code == 400 and "valid once, for an hour" in page.text
        assert f"{loopback.server.web}/settings/apps" in page.text
        assert mine.back(state, "another").status_code == 200
        assert "valid once" in mine.end()


def test_an_outage_says_how_to_go_on(running: Callable[..., Running]) -> None:
    with Loopback(LOGIN) as loopback:
        loopback.answers = [Answer(502, "<html>"), made(loopback.server.web), LOGIN]
        mine = running(loopback)
        _, state, _ = mine.start()
        page = mine.back(state)
        assert page.status_code == 400 and "Reload this page" in page.text
        assert mine.back(state).status_code == 200
        mine.end()


@pytest.mark.parametrize(
    "changes",
    [
        {"pem": "-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----"},
        {"pem": None},
        {"id": "many"},
        {"slug": "../x"},
        {"html_url": "https://elsewhere.example/apps/x"},
    ],
)
def test_an_answer_that_is_no_apps_is_not_stored(
    running: Callable[..., Running], tmp_path: Path, changes: dict[str, Any]
) -> None:
    with Loopback(LOGIN) as loopback:
        loopback.answers = [
            made(loopback.server.web, **changes),
            made(loopback.server.web),
            LOGIN,
        ]
        mine = running(loopback)
        _, state, _ = mine.start()
        page = mine.back(state)
        assert page.status_code == 400
        assert not (tmp_path / "rlm" / FILE).exists()
        for secret in SECRETS:
            assert secret not in page.text
        mine.back(state)
        mine.end()


def test_a_second_callback_asks_for_nothing(running: Callable[..., Running]) -> None:
    with github() as loopback:
        mine = running(loopback)
        _, state, _ = mine.start()
        address = f"{mine.address}callback?code={CODE}&state={state}"
        for _ in range(2):
            answer = requests.get(address, allow_redirects=False, timeout=5)
            assert (answer.status_code, answer.headers["Location"]) == (303, "/done")
        requests.get(f"{mine.address}done", timeout=5)
        mine.end()
    assert [seen.method for seen in loopback.requests] == ["POST", "GET"]


def test_the_last_page_is_not_there_before_there_is_an_app(running: Callable[..., Running]) -> None:
    with github() as loopback:
        mine = running(loopback)
        page = requests.get(f"{mine.address}done", timeout=5)
        assert page.url == mine.address
        mine.back(mine.start()[1])
        mine.end()


def test_a_page_with_another_name_for_this_machine_gets_nothing(
    running: Callable[..., Running],
) -> None:
    with github() as loopback:
        mine = running(loopback)
        port = urlsplit(mine.address).port
        for host in ("evil.example", f"evil.example:{port}", f"localhost:{port}", "127.0.0.1", ""):
            answer = requests.get(mine.address, headers={"Host": host}, timeout=5)
            assert answer.status_code in {400, 421}
            assert "manifest" not in answer.text
        mine.back(mine.start()[1])
        mine.end()


def test_the_pages_let_nothing_else_in(running: Callable[..., Running]) -> None:
    with github() as loopback:
        mine = running(loopback)
        _, state, _ = mine.start()
        first = requests.get(mine.first, timeout=5)
        again = requests.get(mine.first, timeout=5)
        pages = [first, mine.back("wrong"), mine.back(state)]
        mine.end()
    for page in pages:
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert f"form-action {loopback.server.web};" in policy
        assert "unsafe" not in policy and "<script" not in page.text
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        # Nothing is fetched, from anywhere.
        assert not re.search(r"\b(src|@import|url\()\b", page.text)
    nonces = {page.headers["Content-Security-Policy"] for page in (first, again)}
    assert len(nonces) == 2


def test_what_the_user_gave_is_text_on_the_page(running: Callable[..., Running]) -> None:
    with github() as loopback:
        mine = running(loopback, name='"><img src=x>')
        page = requests.get(mine.first, timeout=5).text
        assert "<img" not in page
        _, state, sent = mine.start()
        assert sent["name"] == '"><img src=x>'
        mine.back(state)
        mine.end()


def test_an_app_that_is_there_is_not_replaced_unasked(
    running: Callable[..., Running], tmp_path: Path
) -> None:
    with github() as loopback:
        mine = running(loopback)
        mine.back(mine.start()[1])
        mine.end()
        before = (tmp_path / "rlm" / FILE).read_bytes()
        with pytest.raises(TellUser, match="holds an App already: octo-review") as told:
            setup(options(), environ(loopback.server.web, tmp_path), Interrupts())
        assert "rlm setup --force" in told.value.hint
        loopback.answers = [made(loopback.server.web, id=5678), LOGIN]
        again = running(loopback, force=True)
        assert (tmp_path / "rlm" / FILE).read_bytes() == before
        again.back(again.start()[1])
        again.end()
    app = load(tmp_path / "rlm")
    assert app is not None and app.app_id == "5678"


def test_a_damaged_file_stands_in_the_way_until_force(
    running: Callable[..., Running], tmp_path: Path
) -> None:
    (tmp_path / "rlm").mkdir()
    (tmp_path / "rlm" / FILE).write_text("{")
    (tmp_path / "rlm" / FILE).chmod(0o600)
    with github() as loopback:
        with pytest.raises(TellUser, match="not what rlm setup writes"):
            setup(options(), environ(loopback.server.web, tmp_path), Interrupts())
        mine = running(loopback, force=True)
        mine.back(mine.start()[1])
        mine.end()
    assert load(tmp_path / "rlm") is not None


def test_a_home_that_fills_up_meanwhile_does_not_lose_the_key(
    running: Callable[..., Running], tmp_path: Path
) -> None:
    """The code is valid once: a reload of the page has to work with what was fetched."""
    with github() as loopback:
        mine = running(loopback)
        _, state, _ = mine.start()
        home = tmp_path / "rlm"
        (home / FILE).mkdir()
        page = mine.back(state)
        assert page.status_code == 400 and "cannot be written" in page.text
        (home / FILE).rmdir()
        assert mine.back(state).status_code == 200
        mine.end()
    assert load(home) is not None
    assert [seen.method for seen in loopback.requests] == ["POST", "GET"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": "http://rlm.example.org"}, "cannot send webhooks"),
        ({"url": "https://localhost:8080"}, "cannot send webhooks"),
        ({"url": "https://127.0.0.1"}, "cannot send webhooks"),
        ({"url": "https://[::1]/"}, "cannot send webhooks"),
        ({"url": "https://me:secret@rlm.example.org"}, "cannot send webhooks"),
        ({"url": "https://rlm.example.org/?token=x"}, "cannot send webhooks"),
        ({"url": "https://rlm.example.org/a b"}, "cannot send webhooks"),
        ({"url": "https://rlm.example.org:99999"}, "cannot send webhooks"),
        ({"url": "rlm.example.org"}, "cannot send webhooks"),
        ({"url": "https://[x"}, "cannot send webhooks"),
        ({"org": "../me"}, "name of an organization"),
        ({"org": "https://github.com/orgs/x"}, "name of an organization"),
        ({"name": "x" * 35}, "does not take this name"),
        ({"name": "a\nb"}, "does not take this name"),
    ],
)
def test_what_github_would_refuse_is_refused_here(
    tmp_path: Path, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(TellUser, match=words):
        setup(options(**given), environ("http://127.0.0.1:9", tmp_path), Interrupts())
    assert not (tmp_path / "rlm").exists()


@pytest.mark.parametrize(
    ("url", "webhook"),
    [
        ("https://rlm.example.org", "https://rlm.example.org/webhook"),
        ("https://rlm.example.org/", "https://rlm.example.org/webhook"),
        ("https://RLM.example.org:8443/a/b/", "https://rlm.example.org:8443/a/b/webhook"),
        ("https://rlm.example.org/webhook", "https://rlm.example.org/webhook"),
    ],
)
def test_the_webhook_is_at_the_address_that_was_given(
    running: Callable[..., Running], url: str, webhook: str
) -> None:
    with github() as loopback:
        mine = running(loopback, url=url)
        _, state, sent = mine.start()
        assert sent["hook_attributes"]["url"] == webhook
        mine.back(state)
        mine.end()


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TellUser, match=f"Port {port} .* is in use"):
            setup(options(port=port), environ("http://127.0.0.1:9", tmp_path), Interrupts())


def command(env: dict[str, str], *more: str) -> "subprocess.Popen[str]":
    code = "import sys; from app.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.Popen(
        [sys.executable, "-c", code, "setup", *more],
        cwd=ROOT,
        env={**env, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ctrl_c_ends_it_without_a_trace(tmp_path: Path) -> None:
    process = command(environ("http://127.0.0.1:9", tmp_path), "--no-browser")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Open http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Stopped before there was a result" in err and "Traceback" not in err
    assert list((tmp_path / "rlm").iterdir()) == []


def test_the_browser_is_opened_at_the_page(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}.new\nmv {seen}.new {seen}\n')
    browser.chmod(0o755)
    env = environ("http://127.0.0.1:9", tmp_path)
    process = command({**env, "BROWSER": str(browser), "SSH_CONNECTION": "1 2 3 4"})
    assert process.stdout is not None
    address = process.stdout.readline().split()[1]
    tunnel = process.stdout.readline()
    end = time.monotonic() + 20
    while not seen.exists() and time.monotonic() < end:
        time.sleep(0.05)
    process.terminate()
    process.communicate(timeout=20)
    assert seen.read_text() == address
    port = urlsplit(address).port
    assert f"ssh -L {port}:127.0.0.1:{port}" in tunnel


def test_the_manifest_is_app_yml_wherever_the_program_is_installed() -> None:
    """At the root people look for it; in the package it is installed with."""
    assert (ROOT / "app.yml").read_bytes() == (ROOT / "app" / "app.yml").read_bytes()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["*"]
    for name in ("app.yml", "setup.html.j2"):
        assert any(fnmatch.fnmatch(f"x/{name}", pattern) for pattern in patterns), name


def test_the_manifest_has_what_github_wants_and_the_least_of_it() -> None:
    found = manifest(
        name="", public=False, redirect_url="http://127.0.0.1:1/callback", webhook=None
    )
    assert found == {
        **yaml.safe_load((ROOT / "app.yml").read_text()),
        "redirect_url": "http://127.0.0.1:1/callback",
    }
    assert found["default_permissions"] == {
        "metadata": "read",
        "contents": "read",
        "pull_requests": "write",
        "issues": "read",
        "checks": "write",
        "merge_queues": "read",
    }
    assert found["default_events"] == [
        "pull_request",
        "issue_comment",
        "pull_request_review_comment",
        "pull_request_review",
        "merge_group",
        "check_run",
    ]
    assert found["hook_attributes"]["active"] is False
    assert found["public"] is False


def test_contents_are_written_only_where_that_is_asked_for() -> None:
    def asked(*, write: bool) -> dict[str, str]:
        found = manifest(
            name="", public=False, redirect_url="http://127.0.0.1:1/", webhook=None, write=write
        )
        return dict(found["default_permissions"])

    more = {"contents": "write", "statuses": "read"}
    assert asked(write=True) == asked(write=False) | more
    assert asked(write=False)["contents"] == "read" and "statuses" not in asked(write=False)
    listed = {name: (level, why) for name, level, why in reasons(write=True)}
    assert listed["contents"][0] == "write" and "branches of ours" in listed["contents"][1]
    assert [one for one in reasons(write=True) if one[0] not in more] == [
        one for one in reasons() if one[0] != "contents"
    ]


def test_every_permission_and_event_has_its_reason() -> None:
    found = yaml.safe_load((ROOT / "app.yml").read_text())
    listed = [(name, level) for name, level, reason in reasons() if len(reason) > 10]
    asked = [*found["default_permissions"].items(), *((one, "") for one in found["default_events"])]
    assert listed == asked
