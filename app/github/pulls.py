"""A pull request read from the REST API: by the server's address, or by the address a user gave.

Importing PyGithub takes up to a second: import this module when it is needed, not before.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import github
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from app.github.client import Hub, checked_name, connect, is_full_name, request
from app.github.errors import (
    BadToken,
    Forbidden,
    Limited,
    Misfit,
    NotThere,
    Refused,
    Unreachable,
    calls,
    misfit,
)
from app.github.urls import PullRequestUrl, Server
from reviewer.errors import RlmError, TellUser

PATIENCE_S = 15
"""A person is waiting: a cut connection is tried again, an outage is reported."""

GHOST = "ghost"
"""GitHub's own name for an account that was deleted."""


@dataclass(frozen=True, slots=True)
class Pull:
    """One pull request as it is now. `repository` is OWNER/NAME of its base, after any renaming.

    `state` is "open", "closed" or "merged"; `head_repository` is None where the fork was deleted.
    """

    url: PullRequestUrl
    repository: str
    base: str
    head: str
    state: str
    repository_id: int
    number: int
    draft: bool
    locked: bool
    author: str
    base_ref: str
    head_ref: str
    head_repository: str | None
    title: str
    body: str


def look_at(hub: Hub, repository: str, number: int) -> Pull:
    """Ask for a pull request as it is now; raise one of `app.github.errors`."""
    doing = f"read {repository}#{number}"
    owner, _, name = checked_name(repository).partition("/")
    with calls(hub.server, doing):
        answer = _ask(hub.github, repository, number)
    if not answer.base.repo.id:
        raise misfit(hub.server, doing)
    return _pull(PullRequestUrl(hub.server.web, owner, name, number), answer)


def pull_at(hub: Hub, repository: str, number: int) -> Pull | None:
    """Ask for a pull request as it is now; None if it is not there any more."""
    try:
        return look_at(hub, repository, number)
    except NotThere:
        return None


def read_pull(url: PullRequestUrl, server: Server, token: SecretStr | None) -> Pull:
    """Ask for a pull request; raise TellUser or RetryLater in words for whoever gave its address.

    `repository_id` is 0 where a server does not tell it.
    """
    auth = github.Auth.Token(token.get_secret_value()) if token else None
    client = connect(server, auth, timeout_s=PATIENCE_S)
    try:
        with calls(server, f"read {url}"):
            return _pull(url, _ask(client, f"{url.owner}/{url.name}", url.number))
    except RlmError as error:
        raise _for_a_person(error, url, server, token) from error
    finally:
        client.close()


def _full_name(text: str) -> str:
    if not is_full_name(text):
        raise ValueError("not the name of a repository")
    return text


_FullName = Annotated[str, AfterValidator(_full_name)]
_Sha = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]


class _Answer(BaseModel):
    """What we read of an answer; the rest of it is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class _Repository(_Answer):
    full_name: _FullName
    id: int = 0


class _Base(_Answer):
    sha: _Sha
    ref: str
    repo: _Repository


class _Head(_Answer):
    sha: _Sha
    ref: str
    repo: _Repository | None


class _User(_Answer):
    login: str


class _PullAnswer(_Answer):
    number: int
    state: str
    merged: bool
    draft: bool = False
    locked: bool = False
    title: str = ""
    body: str | None = None
    user: _User | None = None
    base: _Base
    head: _Head


def _ask(client: github.Github, repository: str, number: int) -> _PullAnswer:
    raw: Any = request(client, "GET", f"/repos/{repository}/pulls/{number:d}")
    return _PullAnswer.model_validate(raw)


def _pull(url: PullRequestUrl, answer: _PullAnswer) -> Pull:
    return Pull(
        url=url,
        repository=answer.base.repo.full_name,
        base=answer.base.sha,
        head=answer.head.sha,
        state="merged" if answer.merged else answer.state,
        repository_id=answer.base.repo.id,
        number=answer.number,
        draft=answer.draft,
        locked=answer.locked,
        author=answer.user.login if answer.user else GHOST,
        base_ref=answer.base.ref,
        head_ref=answer.head.ref,
        head_repository=answer.head.repo.full_name if answer.head.repo else None,
        title=answer.title,
        body=answer.body or "",
    )


def _for_a_person(
    error: RlmError, url: PullRequestUrl, server: Server, token: SecretStr | None
) -> RlmError:
    """Return the error in words for a terminal: what happened, and what to do about it."""
    host = server.host
    grant = f"Set GITHUB_TOKEN to a token that may read {url.owner}/{url.name}"
    if host != "github.com":
        grant += f", and GH_HOST={host} to say that it belongs there"
    match error:
        case Limited():
            problem = str(error)
            hint = "Wait" if token else f"Wait, or have a higher limit: {grant}"
        case BadToken():
            problem = f"{host} " + ("refuses GITHUB_TOKEN" if token else "wants a token") + " (401)"
            hint = "Make a new token, or unset it" if token else grant
        case NotThere():
            problem = f"There is no {url}, or " + (
                "GITHUB_TOKEN may not read it" if token else "it is private"
            )
            hint = "Check the number, and what the token may read" if token else f"If so: {grant}"
        case Forbidden():
            problem = str(error)
            hint = "Check the token's permissions and its single sign-on" if token else grant
        case Refused():
            problem, hint = str(error), "Check the address"
        case Unreachable():
            problem = str(error)
            hint = "Check the network and HTTPS_PROXY, or review a range of a local clone"
        case Misfit():
            problem = str(error)
            hint = "Check the address, and GITHUB_API_URL if you set it"
        case _:
            return error
    return TellUser(problem, f"{hint}.")
