"""What the author of a pull request says it is for: title, description, the issues it closes.

All of it is untrusted text, for one node of the engine. An issue that cannot be read costs itself.
"""

import logging
import re
from collections.abc import Callable

import github
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from app.github.client import Hub, checked_name, connect, request
from app.github.errors import Refused, calls
from app.github.pulls import Pull
from app.github.urls import Server
from reviewer.errors import RlmError
from reviewer.request import MOST_ISSUES, Promise

log = logging.getLogger(__name__)

SEARCHED_CHARS = 100_000
"""Of a description: GitHub takes 65,536."""

PATIENCE_S = 10

_CLOSES = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)(?:[ \t]{0,8}:)?[ \t]{1,8}"
    r"(?:https?://(?P<host>[^\s/]{1,200})/(?P<page>[\w.-]{1,100}/[\w.-]{1,100})/issues/"
    r"|(?P<name>[\w.-]{1,100}/[\w.-]{1,100})?\#)"
    r"(?P<number>[1-9][0-9]{0,9})\b",
    re.IGNORECASE,
)
"""GitHub's closing words, before a number, a number of a repository, or the page of an issue.

The blanks are bounded: 65,000 of them would be divided between the two places in every way.
"""

Ask = Callable[[int], object]
"""Asks for an issue by its number, as the API gives it."""


class _Issue(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    title: str
    body: str | None = None
    pull_request: dict[str, object] | None = Field(default=None)


def promise_of(hub: Hub, pull: Pull) -> Promise:
    """Return what a pull request promises, as far as it may be read."""
    path = f"/repos/{checked_name(pull.repository)}/issues"
    return _promise(
        pull, hub.server, lambda number: hub.ask("read an issue", "GET", f"{path}/{number:d}")
    )


def read_promise(pull: Pull, server: Server, token: SecretStr | None) -> Promise:
    """Return the same for whoever has an address and perhaps a token."""
    if not closed_issues(pull, server):
        return Promise.bounded(pull.title, pull.body)
    auth = github.Auth.Token(token.get_secret_value()) if token else None
    client = connect(server, auth, timeout_s=PATIENCE_S)
    path = f"/repos/{checked_name(pull.repository)}/issues"

    def ask(number: int) -> object:
        with calls(server, "read an issue"):
            return request(client, "GET", f"{path}/{number:d}")

    try:
        return _promise(pull, server, ask)
    finally:
        client.close()


def closed_issues(pull: Pull, server: Server) -> list[int]:
    """Return the issues of its own repository that a description says it closes, the first few."""
    ours = pull.repository.lower()
    found = []
    for match in _CLOSES.finditer(pull.body[:SEARCHED_CHARS]):
        name = (match["page"] or match["name"] or ours).lower()
        host = (match["host"] or server.host).lower()
        if name == ours and host == server.host.lower():
            found.append(int(match["number"]))
    return list(dict.fromkeys(found))[:MOST_ISSUES]


def _promise(pull: Pull, server: Server, ask: Ask) -> Promise:
    issues = []
    for number in closed_issues(pull, server):
        try:
            raw = ask(number)
            with calls(server, "read an issue"):
                issue = _Issue.model_validate(raw)
        except Refused as error:
            log.info("issue not read", extra={"issue": number, "why": error})
        except RlmError as error:
            # Not worth waiting for: the title and the description are here.
            log.warning("issue not read", extra={"issue": number, "why": error})
        else:
            if issue.pull_request is None:
                issues.append((number, issue.title, issue.body or ""))
    return Promise.bounded(pull.title, pull.body, issues=issues)
