"""A pull request read from the REST API: the two commits, and what to tell the user if it fails.

Importing PyGithub takes more than a second: import this module when it is needed, not before.
"""

import logging
import re
import time
from dataclasses import dataclass

import github
import requests
from pydantic import SecretStr

from app.github.urls import PullRequestUrl, Server
from reviewer.errors import RetryLater, RlmError, TellUser
from reviewer.text import printable

TIMEOUT_S = 15
RETRIES = 2
"""A person is waiting: a cut connection is tried again, an outage is reported."""

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_FULL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}")
_MESSAGE_CHARS = 200

# What PyGithub raises for an answer of another shape, or one that points elsewhere.
_MISFITS = (AssertionError, AttributeError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Pull:
    """One pull request as it is now. `repository` is OWNER/NAME of its base, after any renaming."""

    url: PullRequestUrl
    repository: str
    base: str
    head: str
    state: str


def read_pull(url: PullRequestUrl, server: Server, token: SecretStr | None) -> Pull:
    """Ask the server for a pull request; raise TellUser or RetryLater with what went wrong."""
    # Importing PyGithub makes it log to standard error.
    github.set_log_level(logging.CRITICAL)
    client = github.Github(
        auth=github.Auth.Token(token.get_secret_value()) if token else None,
        base_url=server.api,
        timeout=TIMEOUT_S,
        per_page=100,
        lazy=True,
        user_agent="rlm-review",
        # Its own default repeats POST and sleeps for as long as a server asks: see its docs.
        retry=github.GithubRetry(
            total=RETRIES,
            backoff_factor=0.5,
            allowed_methods={"GET", "HEAD"},
            max_rate_limit_wait=0,
            secondary_rate_wait=1,
            respect_retry_after_header=False,
            raise_on_status=False,
        ),
    )
    try:
        pull = client.get_repo(f"{url.owner}/{url.name}").get_pull(url.number)
        facts = Pull(
            url=url,
            repository=str(pull.base.repo.full_name),
            base=str(pull.base.sha),
            head=str(pull.head.sha),
            state="merged" if pull.merged else str(pull.state),
        )
    except github.GithubException as error:
        raise _explain(error, url, token) from error
    except requests.exceptions.SSLError as error:
        raise TellUser(
            f"The certificate of {server.host} is not trusted here",
            "Name your authority's file in REQUESTS_CA_BUNDLE and GIT_SSL_CAINFO.",
        ) from error
    except requests.exceptions.RequestException as error:
        raise TellUser(
            f"{server.host} cannot be reached ({type(error).__name__})",
            "Check the network and HTTPS_PROXY, or review a range of a local clone.",
        ) from error
    except (github.BadAttributeException, *_MISFITS) as error:
        raise TellUser(
            f"{server.api} did not answer as a GitHub does",
            "Check the address, and GITHUB_API_URL if you set it.",
        ) from error
    finally:
        client.close()
    if not (
        _SHA.fullmatch(facts.base)
        and _SHA.fullmatch(facts.head)
        and _FULL_NAME.fullmatch(facts.repository)
    ):
        raise TellUser(
            f"{server.api} did not answer as a GitHub does",
            "Check the address, and GITHUB_API_URL if you set it.",
        )
    return facts


def _explain(
    error: github.GithubException, url: PullRequestUrl, token: SecretStr | None
) -> RlmError:
    """Turn a refusal into words for the user: what happened, and what to do about it."""
    host = url.web.partition("://")[2]
    said = _message(error)
    grant = f"Set GITHUB_TOKEN to a token that may read {url.owner}/{url.name}"
    if host != "github.com":
        grant += f", and GH_HOST={host} to say that it belongs there"
    if error.status >= 500:
        return RetryLater(f"{host} has a problem of its own ({error.status}: {said})")
    if error.status == 429 or (error.status == 403 and _is_limit(error, said)):
        problem = f"{host} limits the rate of requests{_until(error)}"
        hint = "Wait" if token else f"Wait, or have a higher limit: {grant}"
    elif error.status == 401:
        problem = f"{host} " + ("refuses GITHUB_TOKEN" if token else "wants a token") + " (401)"
        hint = "Make a new token, or unset it" if token else grant
    elif error.status == 404:
        problem = f"There is no {url}, or " + (
            "GITHUB_TOKEN may not read it" if token else "it is private"
        )
        hint = "Check the number, and what the token may read" if token else f"If so: {grant}"
    elif error.status == 403:
        problem = f"{host} forbids it (403): {said}"
        hint = "Check the token's permissions and its single sign-on" if token else grant
    else:
        problem, hint = f"{host} answered {error.status}: {said}", "Check the address"
    return TellUser(problem, f"{hint}.")


def _headers(error: github.GithubException) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in (error.headers or {}).items()}


def _is_limit(error: github.GithubException, said: str) -> bool:
    """Is this 403 about the rate? After a retry PyGithub has lost the body, and its words."""
    headers = _headers(error)
    spent = headers.get("x-ratelimit-remaining") == "0"
    return spent or "retry-after" in headers or "rate limit" in said.lower()


def _message(error: github.GithubException) -> str:
    """Return the server's own words, bounded and free of control characters."""
    text = error.data.get("message") if isinstance(error.data, dict) else None
    text = " ".join(printable(str(text or "no reason given")).split())
    return "".join(c for c in text if c.isprintable())[:_MESSAGE_CHARS]


def _until(error: github.GithubException) -> str:
    """Say when the limit ends, if the server said it."""
    headers = _headers(error)
    wait: float | None = None
    if (after := headers.get("retry-after", "")).isdigit():
        wait = float(after)
    elif (reset := headers.get("x-ratelimit-reset", "")).isdigit():
        wait = float(reset) - time.time()
    if wait is None or not 0 < wait < 86_400:
        return ""
    clock = time.strftime("%H:%M", time.localtime(time.time() + wait))
    return f" until {clock} (in {max(1, round(wait / 60))} min)"
