"""Logging in at GitHub: the App's flow for people (OAuth's authorization code, PKCE and state).

The token that comes of it may do what both the person and the App may, and is used to read alone.
"""

import logging
import re
import secrets
import time
from collections.abc import Mapping

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from requests import RequestException
from requests import Session as HttpSession

from app.github.urls import Server
from app.public import CALLBACK, Public
from app.web.access import TIMEOUT_S, ask
from app.web.session import LONGEST_S, PENDING_S, Pending, Session
from reviewer.errors import GiveUp, RetryLater

log = logging.getLogger(__name__)

AUTHORIZE = "/login/oauth/authorize"
TOKEN = "/login/oauth/access_token"

AGAIN_S = 30.0

_CODE = re.compile(r"[A-Za-z0-9_-]{1,200}")
_WORD = re.compile(r"[a-z_]{1,60}")
_THEN = re.compile(
    r"/(?:runs/[0-9A-Za-z-]{1,64}(?:/nodes/[a-z0-9_.-]{1,400})?"
    r"|repositories/[0-9]{1,15}|installations/[0-9]{1,15})?"
)
"""The pages of ours that somebody can have been on the way to."""


class Declined(GiveUp):
    """GitHub did not log them in; the reason is for the person to read."""


class Login:
    """Logs people in to one App. `public` has its client id and secret, and our address."""

    def __init__(self, public: Public, server: Server) -> None:
        if public.client_secret is None:
            raise ValueError("nobody can be logged in without the App's client secret")
        self._public = public
        self._secret = public.client_secret
        self._server = server

    def begin(self, then: str) -> tuple[str, Pending]:
        """Return the address at GitHub to send somebody to, and what to remember meanwhile."""
        verifier = secrets.token_urlsafe(48)
        with self._client() as client:
            url, state = client.create_authorization_url(
                f"{self._server.web}{AUTHORIZE}",
                state=secrets.token_urlsafe(24),
                code_verifier=verifier,
            )
        until = time.time() + PENDING_S
        safe = then if _THEN.fullmatch(then) else "/"
        return str(url), Pending(until=until, state=state, verifier=verifier, then=safe)

    def finish(self, answer: Mapping[str, str], pending: Pending | None) -> Session:
        """Return the session of whoever came back from GitHub with `answer` in the address.

        Declined: they said no, or this is not the answer to what we asked; RetryLater: GitHub
        cannot be reached.
        """
        if pending is None or not secrets.compare_digest(
            answer.get("state", "").encode(), pending.state.encode()
        ):
            raise Declined(
                "This answer belongs to no login that was begun here, or it took too long"
            )
        if "error" in answer:
            raise Declined(_why(answer["error"]))
        if _CODE.fullmatch(answer.get("code", "")) is None:
            raise Declined(f"{self._server.host} sent no code that makes sense")
        granted = self._exchange(answer["code"], pending.verifier)
        user = _User.model_validate(
            ask(self._server, granted.access_token, "see who logs in", "/user")
        )
        life_s = min(granted.expires_in or LONGEST_S, LONGEST_S)
        return Session(
            until=time.time() + life_s,
            login=user.login,
            user=user.id,
            secret=granted.access_token.get_secret_value(),
        )

    def revoke(self, session: Session) -> None:
        """Have GitHub forget the token of somebody who logs out, if it can be reached."""
        client_id, secret = self._public.client_id, self._secret.get_secret_value()
        try:
            with HttpSession() as http:
                answer = http.delete(
                    f"{self._server.api}/applications/{client_id}/token",
                    json={"access_token": session.secret},
                    auth=(client_id, secret),
                    headers={"Accept": "application/vnd.github+json"},
                    timeout=TIMEOUT_S,
                    allow_redirects=False,
                )
        except RequestException as error:
            log.warning("a token was not revoked", extra={"why": type(error).__name__})
        else:
            if answer.status_code not in {204, 404, 422}:  # 404, 422: it is not valid any more
                log.warning("a token was not revoked", extra={"code": answer.status_code})

    def _exchange(self, code: str, verifier: str) -> "_Granted":
        doing = f"Nobody could be logged in: {self._server.host}"
        try:
            with self._client() as client:
                granted = client.fetch_token(
                    f"{self._server.web}{TOKEN}",
                    code=code,
                    code_verifier=verifier,
                    timeout=TIMEOUT_S,
                    allow_redirects=False,
                )
            return _Granted.model_validate(dict(granted))
        except AuthlibBaseError as error:  # it comes as 200, with an error inside
            word = str(getattr(error, "error", ""))
            log.warning("a login failed", extra={"why": word[:60]})
            raise Declined(_why(word)) from None
        except RequestException as error:
            raise RetryLater(f"{doing} cannot be reached", AGAIN_S) from error
        except (ValueError, ValidationError):
            # Not chained: what came may hold the token.
            raise RetryLater(f"{doing} did not answer as a GitHub does", AGAIN_S) from None

    def _client(self) -> OAuth2Session:
        return OAuth2Session(
            self._public.client_id,
            self._secret.get_secret_value(),
            redirect_uri=f"{self._public.url}{CALLBACK}",
            code_challenge_method="S256",
            # GitHub wants both in the form.
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 - the name of a method
        )


class _Granted(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    access_token: SecretStr = Field(min_length=1)
    expires_in: float | None = Field(default=None, gt=0)


class _User(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    id: int
    login: str = Field(max_length=100)


_SENTENCES = {
    "access_denied": "You did not allow it",
    "bad_verification_code": "It took too long, or the page was loaded twice",
    "incorrect_client_credentials": "The client id or secret that this server has is wrong: its "
    "owner has to mend it",
    "redirect_uri_mismatch": "The address of this server is not among the App's callback URLs: its "
    "owner has to add it in the App's settings",
}


def _why(word: str) -> str:
    """Say in a sentence what GitHub says in a word."""
    if word in _SENTENCES:
        return _SENTENCES[word]
    return (
        f"GitHub says: {word.replace('_', ' ')}" if _WORD.fullmatch(word) else "GitHub refused it"
    )
