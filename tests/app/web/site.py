"""The run pages with everything that they need: a GitHub, a store with runs in it, traces."""

import json
import secrets
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import update
from werkzeug.test import TestResponse

from app.github.urls import Server
from app.jobs import Wish, step
from app.public import CALLBACK, Public
from app.report import Excerpt, Report
from app.roles.web import answer
from app.store import OPEN, PUBLISH, REVIEW, NewRun, Store, Told
from app.store.tables import FINDINGS, RUNS
from app.web.pages import Pages
from app.webhook import make_app
from reviewer.request import Review
from tests.app.render import samples
from tests.app.traces import written
from tests.github.hub import FakeGitHub, FakeRepo

DAY_S = 86_400.0


class Site:
    """One server's pages. alice may read octo/hello, bob may not; octo/open is public."""

    def __init__(self, folder: Path, public_url: str = "", database: str = "") -> None:
        self.home = folder / "rlm"
        self.database = database or self.home / "rlm.sqlite3"
        self.hub = FakeGitHub(folder)
        self.app = self.hub.app("rlm-review")
        self.hello = self.hub.repository("octo/hello", private=True)
        self.hello.permit("alice", "read")
        self.open = self.hub.repository("octo/open")
        self.user("bob")
        self.installation = self.app.install(self.hello, self.open)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = public_url or f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.app.callback_urls = [f"{self.url}{CALLBACK}"]
        self._stopping = threading.Event()
        self._held = ExitStack()

    def user(self, login: str) -> None:
        self.hub.user(login)

    def __enter__(self) -> Self:
        self._held.enter_context(self.hub)
        self.store = Store(self.database)
        self._held.callback(self.store.close)
        self._held.callback(self.listener.close)
        self.flask = self.make()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stopping.set()
        self._held.__exit__(*error)

    def make(self, **changes: Any) -> Flask:
        """Make the application, as the web role does."""
        public = Public(
            url=self.url,
            client_id=self.app.client_id,
            client_secret=SecretStr(self.app.client_secret),
        )
        self.pages = Pages(
            self.store,
            self.home,
            Server(self.hub.web, self.hub.api),
            changes.pop("public", public),
            key=SecretStr(changes.pop("key", "ab" * 32)),
            budget_usd=2.0,
            pull_budget_usd=changes.pop("pull_budget_usd", None),
            month_budget_usd=changes.pop("month_budget_usd", None),
            node=changes.pop("node", ""),
        )
        return make_app(self.store, [b"secret"], pages=self.pages)

    def serve(self) -> None:
        """Answer on the public address until the end."""
        thread = threading.Thread(
            target=answer, args=(self.flask, self.listener, self._stopping), daemon=True
        )
        thread.start()
        self._held.callback(lambda: (self._stopping.set(), thread.join(20)))

    # People

    def browser(self) -> "Browser":
        """Return somebody's browser, not logged in."""
        return Browser(self)

    def reader(self, login: str = "alice") -> "Browser":
        """Return the browser of somebody who is logged in."""
        browser = self.browser()
        browser.log_in(login)
        return browser

    # Runs

    def run(
        self,
        repo: FakeRepo | None = None,
        number: int = 12,
        *,
        trigger: str = "opened",
        kind: str = "review",
        **changes: Any,
    ) -> str:
        """Begin a run, and return its id."""
        repo = repo or self.hello
        name = changes.pop("id", secrets.token_hex(8))
        new = NewRun(
            id=name,
            installation=self.installation.id,
            repository_id=repo.id,
            repository=repo.full_name,
            number=number,
            origin=secrets.token_hex(4),
            request=Wish(trigger=trigger).model_dump_json(),
            base="b" * 40,
            head="c" * 40,
            kind=kind,  # type: ignore[arg-type]
            **changes,
        )
        assert self.store.begin(new, step(OPEN, new))
        return name

    def reviewing(self, run: str, progress: str = "3 of 9 parts read so far.") -> None:
        """Have an engine work at a run."""
        job = self.store.claim("github", "github", 60.0)
        found = self.store.run(run)
        assert job is not None and found is not None
        self.store.shown(job, run, 1, step(REVIEW, found))
        assert self.store.claim("engine", "engine-1", 60.0) is not None
        self.store.progressed(run, progress)

    def reviewed(
        self, run: str, review: Review | None = None, *, outcome: str = "posted", **how: Any
    ) -> str:
        """Bring a run to its end; return its id."""
        found = self.store.run(run)
        assert found is not None
        if self.store.waiting("github"):
            job = self.store.claim("github", "github", 60.0)
            assert job is not None
            self.store.shown(job, run, 1, step(REVIEW, found))
        job = self.store.claim("engine", "engine-1", 60.0)
        assert job is not None
        report = "" if "problem" in how else reported(review or samples.review())
        how = {"usd": 0.0412, "calls": 12, **how}
        self.store.reviewed(job, run, step(PUBLISH, found), report=report, **how)
        job = self.store.claim("github", "github", 60.0)
        assert job is not None
        number = None if not report else len((review or samples.review()).findings)
        self.store.ended(job, run, outcome, findings=number)
        return run

    def trace(self, run: str, content: bytes) -> Path:
        """Leave the trace of a run."""
        return written(self.home / "traces", content, run)

    def past(self, run: str, days: float) -> None:
        """Have a run begun and ended so many days ago."""
        then = time.time() - days * DAY_S
        with self.store.database.write() as db:
            db.execute(update(RUNS).where(RUNS.c.id == run).values(created=then, ended=then + 61))

    def told(self, repo: FakeRepo, days: float, *findings: Told) -> None:
        """Have findings told so many days ago."""
        self.store.told(repo.id, 12, "run", findings)
        with self.store.database.write() as db:
            for one in findings:
                db.execute(
                    update(FINDINGS)
                    .where(FINDINGS.c.finding == one.finding)
                    .values(said=time.time() - days * DAY_S)
                )


def reported(review: Review) -> str:
    """Return a report as an engine hands it over, with the code around its findings."""
    code: dict[str, Excerpt] = {}
    for one in review.findings:
        if one.start_line is None or one.line is None:
            continue
        start = max(1, one.start_line - 2)
        if lines := samples.code(one.path, one.side, start, one.line + 2):
            code[one.id] = Excerpt(start=start, lines=list(lines))
    return Report(review=review, anchors={}, code=code).model_dump_json()


class Browser:
    """A test client that keeps cookies, and goes to GitHub and back to log in."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.client: FlaskClient = site.flask.test_client()

    def get(self, path: str, **headers: str) -> TestResponse:
        """Load a page of ours."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(path, base_url=self.site.url, headers=named)

    def post(self, path: str, **headers: str) -> TestResponse:
        """Send a form without fields."""
        return self.client.post(path, base_url=self.site.url, headers=headers)

    def log_in(self, login: str | None, path: str = "/login") -> TestResponse:
        """Go to GitHub, where `login` agrees (None: says no), and follow the way back."""
        begun = self.get(path)
        assert begun.status_code == 303, begun.get_data(as_text=True)
        back = self.at_github(begun.headers["Location"], login)
        return self.get(back)

    def at_github(self, address: str, login: str | None) -> str:
        """Load GitHub's page as `login`; return where it sends the browser on our server."""
        import http.client

        self.site.hub.signed_in = login
        parts = urlsplit(address)
        connection = http.client.HTTPConnection(parts.netloc, timeout=10)
        connection.request("GET", f"{parts.path}?{parts.query}")
        response = connection.getresponse()
        response.read()
        connection.close()
        target = response.headers["Location"]
        assert target.startswith(self.site.url), target
        return target.removeprefix(self.site.url)

    def plant(self, value: str, name: str = "rlm-session") -> None:
        """Have the browser send a cookie that it was not given."""
        self.client.set_cookie(name, value, domain=str(urlsplit(self.site.url).hostname))

    @property
    def cookies(self) -> dict[str, str]:
        """What the browser keeps for our server."""
        return {one.key: one.value for one in self.client._cookies.values()}


def query(address: str) -> dict[str, str]:
    """Return what the query of an address holds."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def as_json(response: TestResponse) -> Any:
    return json.loads(response.get_data())
