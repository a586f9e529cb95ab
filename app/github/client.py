"""One GitHub as one actor: PyGithub, with what it does by itself taken away from it.

Importing PyGithub takes up to a second: import this module when it is needed, not before.
"""

import logging
import re
import threading
import time
from typing import Any, Literal, Self
from urllib.parse import quote

import github
from github.Repository import Repository
from pydantic import SecretStr

from app import fence
from app.github.errors import NotThere, calls, misfit
from app.github.urls import Server
from app.operations import GITHUB_PAUSE_S
from reviewer.errors import GiveUp

TIMEOUT_S = 20
RETRIES = 2
"""Of a GET: at once, and after a second. A longer outage is for whoever called to wait out."""

BACKOFF_S = 0.5
"""Twice this is waited before the second."""

READ_PAUSE_S = 0.25

USER_AGENT = "rlm-review"

_READS = frozenset({"GET", "HEAD"})
_WRITERS = frozenset({"admin", "maintain", "write"})
_MOVED = frozenset({307, 308})
_NOT_READY = 202

_FULL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100}")
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\[bot\])?")

Reaction = Literal["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]


class Pace:
    """Spaces the writes of all hubs that share it: of one installation, over its jobs."""

    def __init__(self, pause_s: float = GITHUB_PAUSE_S) -> None:
        self._pause_s = pause_s
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait for the next turn; each caller has one of its own."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._pause_s
        time.sleep(turn - now)


class Hub:
    """One GitHub as one actor. `actor` is the login that our writes carry, where it is known.

    Calls through `github` belong into `app.github.errors.calls`; the methods here do it
    themselves. Nothing but a GET is ever repeated, and nothing sleeps for a rate limit.
    """

    def __init__(
        self,
        server: Server,
        token: SecretStr | None,
        *,
        actor: str | None = None,
        write_pause_s: float = GITHUB_PAUSE_S,
        backoff_s: float = BACKOFF_S,
        pace: Pace | None = None,
    ) -> None:
        """Connect; hubs with one `pace` write in turn, one without is alone."""
        self.server = server
        self.actor = actor
        auth = github.Auth.Token(token.get_secret_value()) if token else None
        self.github = connect(server, auth, write_pause_s=write_pause_s, backoff_s=backoff_s)
        _guard_writes(self.github, pace)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.github.close()

    def repo(self, full_name: str) -> Repository:
        """Return a repository to call methods of; this asks nothing yet."""
        return self.github.get_repo(checked_name(full_name))

    def ask(self, doing: str, verb: str, path: str, body: object = None) -> Any:
        """Make one request of the REST API and return the parsed answer (None: an empty one)."""
        with calls(self.server, doing):
            return request(self.github, verb, path, body)

    def query(self, doing: str, text: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Make one request of the GraphQL API and return its data; an error in it is raised."""
        with calls(self.server, doing):
            _, answer = self.github.requester.graphql_query(text, variables)
            return dict(answer["data"])

    def may_write(self, repository: str, login: str) -> bool:
        """Has this account permission to write, by the API? An account that is not there has not.

        `permission` is the base that a custom role is built on; "maintain" comes as "write".
        """
        if _LOGIN.fullmatch(login) is None:
            return False
        doing = f"ask for the permission of {login}"
        path = f"/repos/{checked_name(repository)}/collaborators/{quote(login)}/permission"
        try:
            answer = self.ask(doing, "GET", path)
        except NotThere:
            return False
        permission = answer.get("permission") if isinstance(answer, dict) else None
        if not isinstance(permission, str):
            raise misfit(self.server, doing)
        return permission in _WRITERS

    def react(self, repository: str, comment_id: int, content: Reaction) -> None:
        """React to a comment of a conversation; to do it again changes nothing."""
        path = f"/repos/{checked_name(repository)}/issues/comments/{comment_id:d}/reactions"
        self.ask("react to the comment", "POST", path, {"content": content})


def connect(
    server: Server,
    auth: "github.Auth.Auth | None",
    *,
    timeout_s: int = TIMEOUT_S,
    write_pause_s: float = GITHUB_PAUSE_S,
    backoff_s: float = BACKOFF_S,
) -> github.Github:
    """Return PyGithub's client for a server, contained: see `_Retry`."""
    # Importing PyGithub makes it log to standard error.
    github.set_log_level(logging.CRITICAL)
    return github.Github(
        auth=auth,
        base_url=server.api,
        timeout=timeout_s,
        per_page=100,
        lazy=True,
        user_agent=USER_AGENT,
        seconds_between_requests=min(READ_PAUSE_S, write_pause_s),
        seconds_between_writes=write_pause_s,
        retry=_Retry(
            total=RETRIES,
            backoff_factor=backoff_s,
            allowed_methods={"GET", "HEAD"},
            max_rate_limit_wait=0,
            secondary_rate_wait=1,
            respect_retry_after_header=False,
            raise_on_status=False,
        ),
    )


def request(client: github.Github, verb: str, path: str, body: object = None) -> Any:
    """Make one request through PyGithub, within `calls`, and return the parsed answer."""
    _, answer = client.requester.requestJsonAndCheck(verb, path, input=body)
    return answer


def is_full_name(text: str) -> bool:
    """Is this OWNER/NAME, and nothing that leaves its place in a path?"""
    return _FULL_NAME.fullmatch(text) is not None


def checked_name(full_name: str) -> str:
    """Return OWNER/NAME if it is one: it becomes part of a path."""
    if not is_full_name(full_name):
        raise GiveUp(f"Not the name of a repository: {full_name[:200]!a}")
    return full_name


def _guard_writes(client: github.Github, pace: Pace | None) -> None:
    """Have each write through this client wait for its turn and ask whether the claim under which
    it is made still holds: PyGithub sends them all from here.
    """
    requester = client.requester
    send = requester.requestJsonAndCheck

    def guarded(verb: str, *arguments: Any, **named: Any) -> Any:
        if verb not in _READS:
            if pace is not None:
                pace.wait()
            fence.may_write()
        try:
            return send(verb, *arguments, **named)
        except Exception:
            fence.failed()
            raise

    setattr(requester, "requestJsonAndCheck", guarded)  # noqa: B010 mypy refuses the plain form


class _Retry(github.GithubRetry):
    """Repeats a GET after a 5xx, and nothing else.

    Its parent also repeats a refusal for the rate, which makes GitHub angrier. PyGithub itself
    takes the body of a 307 (the answer to a POST to a renamed repository) for the new object, and
    asks for ever where a 202 says "not yet".
    """

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        unfinished = status_code == _NOT_READY and method in {"GET", "HEAD"}
        if unfinished or status_code in _MOVED:
            raise github.GithubException(status_code, {"message": "moved, or not ready"}, {})
        return status_code != 403 and super().is_retry(method, status_code, has_retry_after)
