"""What GitHub's refusals mean to whoever called, in the three kinds of `reviewer.errors`.

    RetryLater
    ├── Limited          403, 422, 429, too many requests: again in `after_s`
    ├── Outage           nobody answers as they should: again when they do
    │   └── Unsure       5xx: a write may have happened, look before it is repeated
    │       ├── Unreachable  no connection, a cut one, or no answer in time
    │       └── Misfit       an answer, but none that a GitHub gives
    ├── Elsewhere        a write to a repository that has another name by now: again under that one
    └── BadToken         401: the token expired or was revoked, again with a new one
    GiveUp
    ├── AwayTooLong      an outage that lasted for longer than anybody waits
    └── Refused          4xx: the same request is refused again, `said` tells why
        ├── NotThere     404, 410: deleted, or not visible to this token
        └── Forbidden    403: no permission, locked, suspended
    TellUser             the server's certificate is not trusted here, or the authorities are gone

PyGithub is imported when the first call is made, not with this module: it takes its time.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from app.github.urls import Server
from reviewer.errors import GiveUp, RetryLater, RlmError, TellUser
from reviewer.text import printable

LIMITED_S = 60.0
""" "wait for at least one minute before retrying", where no header says how long."""

LONGEST_LIMIT_S = 3_600.0
"""The windows of all limits are an hour or shorter."""

OUTAGE_S = 30.0
SOON_S = 5.0

SAID_CHARS = 1_000
"""A refused review names the reason once a comment, thirty times over."""

_LIMIT_WORDS = ("rate limit", "abuse detection", "submitted too quickly")
_GRAPHQL = {"FORBIDDEN": 403, "NOT_FOUND": 404, "RATE_LIMITED": 429}

_PROGRAM_ERRORS = (AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What PyGithub raises for an answer of another shape, or one that points elsewhere."""


class Limited(RetryLater):
    """The server wants fewer requests; none will do before `after_s` seconds have passed.

    `told`: it said so; else that is the least, and longer each time.
    """

    def __init__(self, why: str, after_s: float = LIMITED_S, *, told: bool = True) -> None:
        super().__init__(why, after_s)
        self.told = told


class Outage(RetryLater):
    """What a piece of work needs is away: that says nothing about the work."""


class AwayTooLong(GiveUp):
    """An outage that lasted for longer than is waited: it says nothing about the work, either."""


class Elsewhere(RetryLater):
    """The repository was renamed or transferred: a read follows, a write has to be sent anew."""


class BadToken(RetryLater):
    """The token is not valid (any more). `ahead_s`: by how much our clock is ahead of theirs."""

    def __init__(self, why: str, said: str, ahead_s: float | None = None) -> None:
        super().__init__(why, 0.0)
        self.said = said
        self.ahead_s = ahead_s


class Unsure(Outage):
    """The server failed or was cut off: a write may have happened all the same."""


class Unreachable(Unsure):
    """There was no connection, it was cut, or the answer took too long."""


class Misfit(Unsure):
    """Something answered that is no GitHub: a proxy's page, half a document."""


class Refused(GiveUp):
    """A 4xx that no repetition cures; `said` is the server's message and its list of errors."""

    def __init__(self, why: str, status: int, said: str) -> None:
        super().__init__(why)
        self.status = status
        self.said = said


class NotThere(Refused):
    """404 or 410: deleted, or not visible with this token."""


class Forbidden(Refused):
    """403 that is not about the rate: a missing permission, a locked conversation."""


@contextmanager
def calls(server: Server, doing: str) -> Iterator[None]:
    """Translate what PyGithub raises; `doing` completes "could not": "post the review".

    Only calls belong inside: a ValueError of anything else would pass for a bad answer.
    """
    import github  # noqa: PLC0415
    import requests  # noqa: PLC0415

    try:
        yield
    except github.GithubException as error:
        raise refusal(server, doing, error.status, error.data, error.headers or {}) from error
    except requests.exceptions.RequestException as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise TellUser(
                f"The certificate of {server.host} is not trusted here",
                "Name your authority's file in REQUESTS_CA_BUNDLE and GIT_SSL_CAINFO.",
            ) from error
        raise Unreachable(
            f"Could not {doing}: {server.host} cannot be reached ({type(error).__name__})",
            OUTAGE_S,
        ) from error
    except OSError as error:
        # requests says so of a bundle of certificates that is not there.
        raise TellUser(
            f"Could not {doing}: {error}", "Correct REQUESTS_CA_BUNDLE, or unset it."
        ) from error
    except (github.BadAttributeException, *_PROGRAM_ERRORS) as error:
        raise misfit(server, doing) from error


def misfit(server: Server, doing: str) -> Misfit:
    """Return the error for an answer that no GitHub gives."""
    return Misfit(f"Could not {doing}: {server.api} did not answer as a GitHub does", OUTAGE_S)


def refusal(
    server: Server, doing: str, status: int, data: object, headers: Mapping[str, Any]
) -> RlmError:
    """Return the error that an answer with this status, body and these headers means."""
    answer = _Answer(
        _graphql_status(data) or status,
        _said(data),
        {name.lower(): str(value) for name, value in headers.items()},
        _is_abuse(data),
    )
    return _passing(server, doing, answer) or _lasting(server, doing, answer)


def server_time(headers: Mapping[str, Any]) -> float | None:
    """Return the Unix time of an answer's Date header (its names in lower case)."""
    try:
        return parsedate_to_datetime(str(headers["date"])).timestamp()
    except (KeyError, ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    said: str
    headers: Mapping[str, str]
    abuse: bool
    """Is that the code of one of its errors?"""


def _passing(server: Server, doing: str, answer: _Answer) -> RlmError | None:
    """Return the error that goes away without anybody's doing, if it is one."""
    if answer.status >= 500 or answer.status == 408:
        why = f"{server.host} has a problem of its own ({answer.status}): {answer.said}"
        return Unsure(f"Could not {doing}: {why}", OUTAGE_S)
    if answer.status == 429 or (answer.status in {403, 422} and _is_limit(answer)):
        wait, until = _limit(answer.headers)
        why = f"{server.host} limits the rate of requests{until}"
        return Limited(f"Could not {doing}: {why}", wait or LIMITED_S, told=wait is not None)
    if answer.status < 400:
        # 307: a repository that was renamed; 202: GitHub is still computing the answer.
        why = f"Could not {doing}: it has moved or is not ready ({answer.status})"
        kind = Elsewhere if answer.status >= 300 else RetryLater
        return kind(why, SOON_S)
    return None


def _lasting(server: Server, doing: str, answer: _Answer) -> RlmError:
    """Return the error of a request that is refused again until something is changed."""
    status, said = answer.status, answer.said
    if not said:
        return misfit(server, doing)
    if status == 401:
        why = f"Could not {doing}: {server.host} refuses the token (401): {said}"
        return BadToken(why, said, _ahead_s(answer.headers))
    if status in {404, 410}:
        why = f"Could not {doing}: it is not there, or not visible to us ({status}): {said}"
        return NotThere(why, status, said)
    if status == 403:
        why = f"Could not {doing}: {server.host} forbids it (403): {said}"
        return Forbidden(why + _permission(answer), status, said)
    why = f"Could not {doing}: {server.host} answered {status}: {said}"
    return Refused(why, status, said)


def _said(data: object) -> str:
    """Return the server's own words, each once, bounded and free of control characters."""
    if not isinstance(data, dict):
        return ""
    errors = data.get("errors")
    words = [data.get("message")]
    words += [_one(error) for error in (errors if isinstance(errors, list) else [errors])]
    texts = dict.fromkeys(" ".join(printable(str(word)).split()) for word in words if word)
    text = "; ".join(texts)
    return "".join(c for c in text if c.isprintable())[:SAID_CHARS]


def _one(error: object) -> object:
    """Return one entry of `errors`: a text, or an object with `message` or `code`."""
    if not isinstance(error, dict):
        return error
    place = error.get("field") or error.get("resource") or ""
    return f"{place} {error.get('message') or error.get('code') or ''}".strip()


def _graphql_status(data: object) -> int | None:
    """Return the status that a GraphQL answer means: it is a 200 with the errors inside."""
    errors = data.get("errors") if isinstance(data, dict) and "data" in data else None
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict) and error.get("type") in _GRAPHQL:
            return _GRAPHQL[error["type"]]
    return None


def _is_abuse(data: object) -> bool:
    errors = data.get("errors") if isinstance(data, dict) else None
    return isinstance(errors, list) and any(
        isinstance(error, dict) and error.get("code") == "abuse" for error in errors
    )


def _is_limit(answer: _Answer) -> bool:
    """Does a refusal mean that there are too many requests, and not this one?

    Content that comes too fast is refused as 422, too ("code": "abuse"); there the headers say
    nothing, for what is invalid may be the last that was left of the hour.
    """
    said, headers = answer.said.lower(), answer.headers
    if answer.abuse or any(words in said for words in _LIMIT_WORDS):
        return True
    spent = headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers
    return spent and answer.status != 422


def _limit(headers: Mapping[str, str]) -> tuple[float | None, str]:
    """Return how long to wait, and until when in words; None and "" if the server did not say."""
    wait: float | None = None
    if (after := headers.get("retry-after", "")).isdecimal():
        wait = float(after)
    elif headers.get("x-ratelimit-remaining") == "0":
        reset = headers.get("x-ratelimit-reset", "")
        # By the server's clock: ours may be wrong.
        wait = float(reset) - (server_time(headers) or time.time()) if reset.isdecimal() else None
    if wait is None:
        return None, ""
    wait = min(max(wait + 1, 1.0), LONGEST_LIMIT_S)
    clock = time.strftime("%H:%M", time.localtime(time.time() + wait))
    return wait, f" until {clock} (in {max(1, round(wait / 60))} min)"


def _ahead_s(headers: Mapping[str, str]) -> float | None:
    theirs = server_time(headers)
    return None if theirs is None else time.time() - theirs


def _permission(answer: _Answer) -> str:
    """Say which permission is missing and where it is granted, if that is what a 403 is about."""
    if not answer.said.startswith("Resource not accessible by"):
        return ""
    needed = answer.headers.get("x-accepted-github-permissions", "")
    needed = "".join(c for c in needed if c.isprintable())
    return (
        f" (it takes {needed[:SAID_CHARS] or 'a permission that is missing'}: in an App, grant it "
        "in its settings and have the owner of the installation accept it; in a workflow, list it "
        "under `permissions:`)"
    )
