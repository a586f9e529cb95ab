"""A GitHub on loopback: what a test starts, changes, breaks and asks about.

    with FakeGitHub(tmp_path) as hub:
        repo = hub.repository("octo/hello", private=True)
        base = repo.commit({"a.py": b"x\\n"})
        pull = repo.pull(base, repo.commit({"a.py": b"y\\n"}, base), fork="bob/hello")
        app = hub.app("rlm-review")
        installation = app.install(repo)
        hub.deliver(url, "pull_request", hub.payload_pull(pull, "opened", app), app.webhook_secret)

REST is under `api`, smart HTTP under `web`/OWNER/NAME.git, and the pages of the manifest flow under
`web`. Every REST request and answer is held against GitHub's own OpenAPI document: the end of the
`with` block asserts that nothing was out of line.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import tests.github.actions
import tests.github.ci
import tests.github.git_data  # noqa: F401 - adds its routes to those of rest
from tests.github import git, graphql, manifest, oauth, oidc, payloads, rest
from tests.github.apps import Access, Apps, Delivery, FakeApp, FakeInstallation
from tests.github.contract import Operation, contract
from tests.github.errors import Refusal, invalid_request, not_found
from tests.github.quirks import quirk
from tests.github.rest import Answer
from tests.github.state import (
    FakeCheckRun,
    FakeComment,
    FakePull,
    FakeRepo,
    ReviewComment,
    State,
    User,
)

__all__ = [
    "FakeApp",
    "FakeCheckRun",
    "FakeComment",
    "FakeGitHub",
    "FakeInstallation",
    "FakePull",
    "FakeRepo",
    "Seen",
]

API = "/api/v3"
GRAPHQL = "/api/graphql"
DELIVERY_TIMEOUT_S = 10.0
"""What GitHub waits for a webhook's answer."""

_GIT = re.compile(r"/([^/]+/[^/]+?)(?:\.git)?(/(?:info/refs|git-upload-pack|git-receive-pack))")
_WRITES = {"POST", "PUT", "PATCH", "DELETE"}


@dataclass(eq=False)
class Seen:
    """One request. `path` is without the API's root and without the query; `status` is what was
    sent back, None while it is not (or when the connection was cut).
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    token: str | None
    headers: dict[str, str]
    status: int | None = None

    @property
    def verb(self) -> str:
        """The method, and QUERY for a question in GraphQL, which has no method of its own."""
        if self.path != GRAPHQL or "mutation" in str(self.body):
            return self.method
        return "QUERY"


@dataclass(eq=False)
class Fault:
    """Something to go wrong. Without a status and without a cut, only `action` is called."""

    method: str | None
    path: re.Pattern[str]
    status: int | None
    body: Any
    headers: dict[str, str]
    when: str
    times: int | None
    action: Callable[[], object] | None
    cut: bool
    met: int = 0

    def spent(self) -> bool:
        """Has it happened often enough?"""
        return self.times is not None and self.met >= self.times


class _Cut(Exception):
    """Close the connection without an answer."""


@dataclass
class _Request:
    """One request as it came in."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    cut: bool = field(default=False)


class FakeGitHub:
    """The server, its state, and what happened to it."""

    def __init__(self, folder: Path) -> None:
        self.state = State(folder / "hub")
        self.apps = Apps(self.state)
        self.issuer = oidc.Issuer(self.state)
        self.wording = 2026
        """Whose words a refused review gets: 2026, or 2025 for the older ones."""
        self.signed_in: str | None = None
        """Who sits at the browser that comes to log in, and says yes; None: they say no."""
        self.violations: list[str] = []
        self.mistakes: list[str] = []
        self._seen: list[Seen] = []
        self._faults: list[Fault] = []
        self._callbacks: list[Callable[[int, Seen, str], object]] = []
        self._used: dict[str, int] = {}
        self._book = threading.Lock()
        self._http = _Http(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self.state.web = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        contract()  # where it is not installed, the test says so, not a thread of the server
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        if kind is None:
            self.assert_in_line()

    def assert_in_line(self) -> None:
        """Fail if anything was asked or answered that GitHub's own document does not have."""
        assert not self.violations, "GitHub would not take:\n" + "\n".join(self.violations)
        assert not self.mistakes, "the fake is not GitHub:\n" + "\n".join(self.mistakes)

    def anew(self) -> None:
        """Forget what was asked, and what was to go wrong, for the next test that has this one."""
        self.clock_offset, self.signed_in = 0.0, None
        with self._book:
            self._seen, self._faults, self._callbacks = [], [], []

    # What a test sets up.

    @property
    def web(self) -> str:
        """The root of pages and git."""
        return self.state.web

    @property
    def api(self) -> str:
        """The root of REST."""
        return self.state.api

    @property
    def old_tokens(self) -> bool:
        """Mint tokens of 40 characters, as an Enterprise Server does?"""
        return self.apps.old_tokens

    @old_tokens.setter
    def old_tokens(self, old: bool) -> None:
        self.apps.old_tokens = old

    @property
    def clock_offset(self) -> float:
        """How many seconds GitHub's clock is ahead of ours."""
        return self.state.clock_offset

    @clock_offset.setter
    def clock_offset(self, seconds: float) -> None:
        self.state.clock_offset = seconds

    def environ(self, home: Path) -> dict[str, str]:
        """The variables of a user or a server whose GitHub this is; it may be written to at once."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "RLM_HOME": str(home / "rlm"),
            "RLM_GITHUB_SERVER_URL": self.web,
            "RLM_GITHUB_API_URL": self.api,
            "RLM_GITHUB_PAUSE": "0",
        }

    def repository(self, full_name: str, *, private: bool = False) -> FakeRepo:
        """Make a repository; its owner is its administrator."""
        return self.state.add_repository(full_name, private=private)

    def user(self, login: str) -> User:
        """Find an account, or make it."""
        return self.state.user(login)

    def app(
        self,
        slug: str,
        *,
        owner: str = "octo",
        permissions: Mapping[str, str] | None = None,
        events: list[str] | None = None,
    ) -> FakeApp:
        """Register an App; by default with the permissions and events of app.yml."""
        return self.apps.add(slug, owner=owner, permissions=permissions, events=events)

    def token(
        self,
        actor: str = "github-actions[bot]",
        repo: FakeRepo | None = None,
        permissions: Mapping[str, str] | None = None,
        *,
        life_s: float = 3_600.0,
    ) -> str:
        """Make a token: of a workflow's run for one repository, or of a person."""
        if not actor.endswith("[bot]"):
            return self.apps.mint(Access(user=self.state.user(actor)), life_s)
        assert repo is not None, "the token of a workflow is for one repository"
        slug = actor.removesuffix("[bot]")
        app = self.apps.actions() if slug == "github-actions" else self.apps.by_slug[slug]
        granted = {"metadata": "read", **(permissions or {})}
        return self.apps.mint(
            Access(user=app.bot, app=app, repositories=(repo,), permissions=granted), life_s
        )

    @quirk("7 a token that ends in the middle")
    def expire(self, token: str) -> None:
        """Let a token's time be over."""
        self.apps.tokens[token].expires = 0.0

    @quirk("7 a token that ends in the middle")
    def expire_all(self) -> None:
        """Let the time of every token be over."""
        for record in self.apps.tokens.values():
            record.expires = 0.0

    @quirk(
        "8 limits of the rate, primary and secondary, with and without a time",
        "9 a 502 after the review was made",
    )
    def fault(
        self,
        method: str | None = None,
        path: str = "",
        *,
        status: int | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        when: str = "before",
        times: int | None = 1,
        action: Callable[[], object] | None = None,
        cut: bool = False,
    ) -> Fault:
        """Break requests: `path` is searched in the path without the API's root.

        before: nothing is applied; after: it is, and then this is the answer. A cut closes the
        connection instead. `times` None breaks them for good.
        """
        assert when in {"before", "after"}
        if status is not None and body is None:
            body = {"message": http.client.responses.get(status, "Server Error")}
        fault = Fault(
            method, re.compile(path), status, body, dict(headers or {}), when, times, action, cut
        )
        with self._book:
            self._faults.append(fault)
        return fault

    def mend(self) -> None:
        """Take back every fault."""
        with self._book:
            self._faults.clear()

    def on_request(self, callback: Callable[[int, Seen, str], object]) -> None:
        """Call back with (index from 1, request, "before" or "after") around every request."""
        self._callbacks.append(callback)

    # What a test asks.

    @property
    def requests(self) -> list[Seen]:
        """Every request so far, in the order of arrival."""
        with self._book:
            return list(self._seen)

    def asked(self, method: str | None = None, path: str = "") -> list[Seen]:
        """The requests of a method whose path matches, in the order of arrival."""
        return [
            seen
            for seen in self.requests
            if method in (None, seen.method) and re.search(path, seen.path)
        ]

    # What GitHub sends.

    @quirk("1 a webhook is answered in ten seconds", "4 a body of 25 MB")
    def deliver(
        self,
        url: str,
        event: str,
        payload: Mapping[str, Any] | bytes,
        secret: str | None = None,
        guid: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = DELIVERY_TIMEOUT_S,
    ) -> tuple[int, str]:
        """Send a webhook with GitHub's headers; return the status and text of the answer.

        A header given as "" is left out.
        """
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        sent = delivery_headers(event, body, secret, guid) | dict(headers or {})
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=timeout_s)
        try:
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body, {k: v for k, v in sent.items() if v})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def send(self, app: FakeApp, url: str, event: str, payload: Mapping[str, Any]) -> Delivery:
        """Deliver an event to an App's webhook and note it down, whatever comes of it."""
        return self._attempt(app, url, event, payload, str(uuid.uuid4()), redelivery=False)

    @quirk("2 a redelivery has the same GUID")
    def _attempt(
        self,
        app: FakeApp,
        url: str,
        event: str,
        payload: Mapping[str, Any],
        guid: str,
        *,
        redelivery: bool,
    ) -> Delivery:
        try:
            status, _ = self.deliver(url, event, payload, app.webhook_secret, guid)
        except OSError:
            status = 0

        def again(one: Delivery) -> None:
            self._attempt(app, url, one.event, one.payload, one.guid, redelivery=True)

        number, now = self.state.next_id(), self.state.now()
        made = Delivery(number, guid, event, payload, status, now, again, redelivery)
        app.deliveries.append(made)
        return made

    @quirk("3 pushes arrive out of order")
    def payload_pull(
        self,
        pull: FakePull,
        action: str,
        app: FakeApp,
        *,
        sender: str | None = None,
        before: str | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Describe what happened to a pull request; `before` is the head before a push."""
        if action == "synchronize":
            more = {"before": before or pull.base, "after": pull.head, **more}
        who = self.state.user(sender) if sender else pull.author
        return payloads.pull_request(pull, action, app, who, **more)

    def payload_comment(
        self, comment: FakeComment, app: FakeApp, action: str = "created"
    ) -> dict[str, Any]:
        """Describe a comment in a conversation."""
        return payloads.issue_comment(
            comment, action, app, self.apps.by_slug.get(comment.app or "")
        )

    def payload_review_comment(
        self, comment: ReviewComment, app: FakeApp, action: str = "created"
    ) -> dict[str, Any]:
        """Describe a comment at lines."""
        return payloads.review_comment(comment, action, app)

    def payload_merge_group(
        self, pull: FakePull, head: str, app: FakeApp, *, sender: str = "alice"
    ) -> dict[str, Any]:
        """Describe what a merge queue has made of a pull request: the commit `head`."""
        return payloads.merge_group(pull.repo, head, pull.number, app, self.state.user(sender))

    def payload_check_run(
        self,
        check: FakeCheckRun,
        action: str,
        app: FakeApp,
        *,
        sender: str = "alice",
        button: str = "",
    ) -> dict[str, Any]:
        """Describe the button "Re-run" of a check run, or one of our own below it."""
        return payloads.check_run(check, action, app, self.state.user(sender), button)

    def payload_check_suite(
        self, repo: FakeRepo, head: str, action: str, app: FakeApp, *, sender: str = "alice"
    ) -> dict[str, Any]:
        """Describe the button "Re-run all checks"."""
        return payloads.check_suite(repo, head, action, app, self.state.user(sender))

    def payload_installation(
        self, installation: FakeInstallation, action: str, *, sender: str = "octo"
    ) -> dict[str, Any]:
        """Describe the life of an installation."""
        return payloads.installation(installation, action, self.state.user(sender))

    # How a request is answered.

    def answer(self, request: _Request) -> Answer:
        """Answer any request, with the faults that it meets; raise _Cut for none."""
        is_rest = request.path == API or request.path.startswith(f"{API}/")
        path = request.path.removeprefix(API) if is_rest else request.path
        seen = Seen(
            request.method,
            unquote(path),
            dict(parse_qsl(request.query, keep_blank_values=True)),
            _json(request.body) if is_rest or request.path == GRAPHQL else None,
            _token(request.headers.get("Authorization", "")),
            dict(request.headers),
        )
        with self._book:
            self._seen.append(seen)
            index = len(self._seen)
        self._call_back(index, seen, "before")
        answer = self._broken(seen, "before")
        if answer is None:
            if is_rest:
                answer = self._rest(seen, path, has_body=bool(request.body))
            elif request.path == GRAPHQL:
                answer = self._graphql(seen)
            elif found := _GIT.fullmatch(request.path):
                answer = self._git(request, seen, found[1], found[2])
            elif request.method == "GET" and request.path == oidc.JWKS:
                answer = Answer(200, self.issuer.document())
            elif request.method == "GET" and request.path == oidc.ID_TOKEN:
                answer = Answer(*self.issuer.answer(seen.token, seen.query))
            else:
                answer = self._page(request, seen)
            self._call_back(index, seen, "after")
            answer = self._broken(seen, "after") or answer
        seen.status = answer.status
        return answer

    def _call_back(self, index: int, seen: Seen, phase: str) -> None:
        for callback in self._callbacks:
            callback(index, seen, phase)

    def _broken(self, seen: Seen, when: str) -> Answer | None:
        with self._book:
            fault = next(
                (
                    fault
                    for fault in self._faults
                    if fault.when == when
                    and not fault.spent()
                    and fault.method in (None, seen.method)
                    and fault.path.search(seen.path)
                ),
                None,
            )
            if fault is None:
                return None
            fault.met += 1
        if fault.action is not None:
            fault.action()
        if fault.cut:
            raise _Cut
        if fault.status is None:
            return None
        return Answer(fault.status, fault.body, dict(fault.headers))

    def _rest(self, seen: Seen, path: str, *, has_body: bool) -> Answer:
        judge = contract()
        path = self._by_name(path)
        operation = judge.operation(seen.method, path)
        if operation is None and re.match(r"/repositories/[0-9]+(/|$)", path):
            # By number is how GitHub itself writes addresses, though its document has none.
            with self.state.lock:
                try:
                    self.apps.who(seen.token)
                except Refusal as refusal:
                    return self._refused(refusal, "https://docs.github.com/rest")
            return self._refused(not_found(), "https://docs.github.com/rest")
        if operation is None:
            self._note(self.violations, seen, ["no such operation in GitHub's API"])
            return self._refused(not_found(), "https://docs.github.com/rest")
        operation = Operation(
            operation.method,
            operation.template,
            operation.definition,
            {name: unquote(value) for name, value in operation.arguments.items()},
        )
        faults = list(judge.request_faults(operation, seen.query, seen.body, has_body=has_body))
        self._note(self.violations, seen, faults)
        with self.state.lock:
            answer = self._dispatch(seen, path, operation, faults)
        answer = _unless_known(seen, answer)
        if answer.status not in {301, 304, 307, 501} and not isinstance(answer.body, str):
            self._note(
                self.mistakes, seen, judge.answer_faults(operation, answer.status, answer.body)
            )
        answer.headers = self._headers(seen.token, free=answer.status == 304) | answer.headers
        return answer

    def _graphql(self, seen: Seen) -> Answer:
        with self.state.lock:
            try:
                answer = graphql.execute(self.state, self.apps.who(seen.token), seen.body)
            except Refusal as refusal:
                return self._refused(refusal, "https://docs.github.com/graphql")
        answer.headers = self._headers(seen.token) | answer.headers
        return answer

    @quirk("a body that the schema does not have is refused")
    def _dispatch(self, seen: Seen, path: str, operation: Operation, faults: list[str]) -> Answer:
        found = rest.ROUTES.get((operation.method, operation.template))
        if found is None:
            self._note(self.mistakes, seen, [f"the fake has no route {operation.name}"])
            return Answer(501, {"message": f"The fake has no route {operation.name}"})
        documentation = operation.documentation
        try:
            as_client = operation.template.startswith("/applications/")  # by its secret
            call = rest.Call(
                self.state,
                self.apps,
                self.apps.who(None if as_client else seen.token),
                operation.arguments,
                seen.query,
                seen.body,
                seen.headers.get("Accept", ""),
                path,
                self.wording,
                operation.method,
                (seen.token or "") if as_client else "",
            )
            moved = self._moved(call, path)
            if moved is not None:
                return moved
            writes = operation.method in _WRITES
            if faults:
                # A body that the schema refuses goes no further than to whoever may send one.
                answer = rest.dispatch(call, rest.Route(lambda _: None, found.needs), writes=writes)
                raise invalid_request("\n".join(getattr(f, "said", f) for f in faults))
            answer = rest.dispatch(call, found, writes=writes)
        except Refusal as refusal:
            if refusal.status == 401:
                documentation = "https://docs.github.com/rest"
            return self._refused(refusal, documentation)
        if "=" in found.needs:
            answer.headers.setdefault("x-accepted-github-permissions", found.needs)
        return answer

    def _refused(self, refusal: Refusal, documentation: str) -> Answer:
        return Answer(refusal.status, refusal.body(documentation), dict(refusal.headers))

    @quirk("pages are addressed by the repository's number")
    def _by_name(self, path: str) -> str:
        """Turn an address by number, as GitHub writes in Link and redirects, into one by name."""
        found = re.match(r"/repositories/([0-9]+)(?=/|$)", path)
        repo = self.state.repository_by_id(int(found[1])) if found else None
        if found is None or repo is None:
            return path
        return f"/repos/{repo.full_name}{path[found.end() :]}"

    @quirk("renamed or transferred")
    def _moved(self, call: rest.Call, path: str) -> Answer | None:
        """Redirect from a repository's old name."""
        if "owner" not in call.arguments:
            return None
        name = f"{call.arguments['owner']}/{call.arguments['repo']}"
        if name.lower() not in self.state.moved or call.repo.full_name.lower() == name.lower():
            return None
        target = f"{self.api}/repositories/{call.repo.id}{path.removeprefix(f'/repos/{name}')}"
        body = {
            "message": "Moved Permanently",
            "url": target,
            "documentation_url": "https://docs.github.com/rest/guides/best-practices",
        }
        status = 301 if call.method == "GET" else 307
        return Answer(status, body, {"Location": target})

    @quirk("an answer tells the rate")
    def _headers(self, token: str | None, *, free: bool = False) -> dict[str, str]:
        limit = 5_000 if token else 60
        with self._book:
            used = self._used.get(token or "", 0) + (not free)
            self._used[token or ""] = used
        return {
            "x-github-request-id": ":".join(secrets.token_hex(2).upper() for _ in range(5)),
            "x-github-media-type": "github.v3; format=json",
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(max(limit - used, 1)),
            "x-ratelimit-used": str(used),
            "x-ratelimit-reset": str(int(self.state.now()) + 3_600),
            "x-ratelimit-resource": "core",
        }

    def _note(self, book: list[str], seen: Seen, faults: Any) -> None:
        lines = [f"{seen.method} {seen.path}: {fault}" for fault in faults]
        with self._book:
            book.extend(lines)

    @quirk("git asks for a token where the repository is private", "renamed or transferred")
    def _git(self, request: _Request, seen: Seen, name: str, rest_of_path: str) -> Answer:
        with self.state.lock:
            repo = self.state.repositories.get(name.lower())
            moved = self.state.moved.get(name.lower())
            try:
                access = self.apps.who(seen.token)
                if access.as_app:
                    raise Refusal(401, "Bad credentials")
                if repo is None and moved is not None and access.sees(moved):
                    query = f"?{request.query}" if request.query else ""
                    target = f"{self.web}/{moved.full_name}.git{rest_of_path}{query}"
                    return Answer(301, "", {"Location": target})
                if repo is None:
                    raise Refusal(404 if access.user else 401, "Repository not found.")
                rest.may_fetch(access, repo)
                if "receive-pack" in rest_of_path + request.query:
                    raise Refusal(403, "Write access to repository not granted.")
            except Refusal as refusal:
                realm = (
                    {"WWW-Authenticate": 'Basic realm="GitHub"'} if refusal.status == 401 else {}
                )
                plain = {"Content-Type": "text/plain; charset=utf-8", **realm}
                return Answer(refusal.status, refusal.message + "\n", plain)
        status, headers, body = git.serve(
            self.state.root,
            f"/{repo.full_name}.git{rest_of_path}",
            method=request.method,
            query=request.query,
            headers=request.headers,
            body=request.body,
        )
        return Answer(status, body, headers)

    def _page(self, request: _Request, seen: Seen) -> Answer:
        """Answer a browser: the manifest flow's pages, and those that log somebody in."""
        html = {"Content-Type": "text/html; charset=utf-8"}
        if request.path == oauth.AUTHORIZE and request.method == "GET":
            with self.state.lock:
                return oauth.authorize(self.apps, seen.query, self.signed_in)
        if request.path == oauth.TOKEN and request.method == "POST":
            with self.state.lock:
                return oauth.token(self.apps, request.body, request.headers)
        found = re.fullmatch(r"(?:/organizations/([^/]+))?/settings/apps/new", request.path)
        if found is None or request.method != "POST":
            return Answer(404, "<h1>Not Found</h1>", html)
        form = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
        wanted, problems = manifest.read(form.get("manifest", ""))
        if problems:
            return Answer(422, f"<h1>Invalid GitHub App configuration</h1>{problems}", html)
        with self.state.lock:
            code = self.apps.register(wanted, found[1] or "octo")
        target = wanted["redirect_url"]
        target += ("&" if "?" in target else "?") + f"code={code}"
        if "state" in seen.query:
            target += f"&state={quote(seen.query['state'], safe='')}"
        return Answer(302, "", {"Location": target, **html})


@quirk("what one has already costs nothing")
def _unless_known(seen: Seen, answer: Answer) -> Answer:
    """Tag what was read; whoever has it already gets 304, which costs nothing of the rate."""
    if seen.method != "GET" or answer.status != 200 or not isinstance(answer.body, dict | list):
        return answer
    digest = hashlib.sha256(json.dumps([answer.body, answer.headers]).encode()).hexdigest()
    etag = f'W/"{digest}"'
    if seen.headers.get("If-None-Match") == etag:
        return Answer(304, None, {"ETag": etag})
    answer.headers = {**answer.headers, "ETag": etag}
    return answer


@quirk("5 a signature that is bad, missing or SHA-1 alone")
def delivery_headers(
    event: str, body: bytes, secret: str | None, guid: str | None = None
) -> dict[str, str]:
    """Return the headers of a delivery, signed if the hook has a secret."""
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Delivery": guid or str(uuid.uuid4()),
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": "514262937",
        "X-GitHub-Hook-Installation-Target-ID": "1200000",
        "X-GitHub-Hook-Installation-Target-Type": "integration",
    }
    if secret is not None:
        for name, kind in (("X-Hub-Signature", "sha1"), ("X-Hub-Signature-256", "sha256")):
            digest = hmac.new(secret.encode(), body, kind).hexdigest()
            headers[name] = f"{kind}={digest}"
    return headers


def _json(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return hashlib.sha256(body).hexdigest()  # no JSON: no schema takes it


def _token(header: str) -> str | None:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            login, _, password = base64.b64decode(value).decode().partition(":")
        except ValueError:
            return "unreadable"
        return password if password and password != "x-oauth-basic" else login
    return value.strip() or None


class _Http(ThreadingHTTPServer):
    request_queue_size = 256  # what comes at one moment and finds no room is cut off


def _handler(hub: FakeGitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet for head and body: else each answer waits for an ACK
        timeout = 60

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            request = _Request(self.command, path, query, self.headers, self._body())
            try:
                answer = hub.answer(request)
            except _Cut:
                self.close_connection = True
                return
            except Exception as error:
                hub.mistakes.append(f"{self.command} {path}: {type(error).__name__}: {error}")
                self.close_connection = True
                raise
            self._send(answer)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", "0")))
            body = b""
            while size := int(self.rfile.readline().strip(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _send(self, answer: Answer) -> None:
            body, headers = answer.body, dict(answer.headers)
            if isinstance(body, str):
                body = body.encode()
            elif not isinstance(body, bytes):
                body = b"" if body is None else json.dumps(body).encode()
                headers.setdefault("Content-Type", "application/json; charset=utf-8")
            try:
                self.send_response(answer.status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if answer.status not in {204, 304}:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if answer.status not in {204, 304} and self.command != "HEAD":
                    self.wfile.write(body)
                self.wfile.flush()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client was killed meanwhile

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(hub.state.now() if timestamp is None else timestamp)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def wait_until(true: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
    """Wait for something to become true, or fail naming it."""
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, f"after {timeout_s:.0f} s: {what}"
        time.sleep(0.02)
