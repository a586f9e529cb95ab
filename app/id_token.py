"""The token by which a job of GitHub Actions says who it is, as its runner gives it out."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import jwt
import requests
from pydantic import SecretStr

from app import strict_json
from reviewer.errors import RetryLater, TellUser

REQUEST_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
"""The runner sets both, in jobs that have the permission."""

LINES = "permissions:\n  id-token: write"
"""What a job has to have in its workflow."""

TIMEOUT_S = 20.0
AGAIN_S = 5.0
MAX_ANSWER_BYTES = 100_000

EARLY_S = 60.0
"""A token lives for five minutes, and is replaced so long before its end."""

UNTOLD_LIFE_S = 120.0


@dataclass(slots=True)
class IdTokens:
    """Tokens of this job for one server (`audience`), each used until shortly before its end."""

    url: str
    request_token: SecretStr
    audience: str
    _token: SecretStr | None = field(default=None, repr=False)
    _until: float = 0.0

    def token(self) -> SecretStr:
        """Return a token; RetryLater where the runner's service gives none at the moment."""
        if self._token is None or time.time() >= self._until:
            return self.renew()
        return self._token

    def renew(self) -> SecretStr:
        """Return a new token."""
        self._token = _ask(self.url, self.request_token, self.audience)
        self._until = _expires(self._token) - EARLY_S
        return self._token


def id_tokens(environ: Mapping[str, str], audience: str) -> IdTokens:
    """Return the source of this job's tokens; TellUser where the job may have none."""
    url, token = environ.get(REQUEST_URL, ""), environ.get(REQUEST_TOKEN, "")
    if not url or not token:
        raise TellUser(
            "This job may not say who it is, so the server cannot know it",
            f"Add these lines to the job in the workflow:\n{LINES}",
        )
    return IdTokens(url, SecretStr(token), audience)


def _ask(url: str, request_token: SecretStr, audience: str) -> SecretStr:
    try:
        answer = requests.get(
            url,
            params={"audience": audience},  # added to the parameters that are there
            headers={
                "Authorization": f"bearer {request_token.get_secret_value()}",
                "Accept": "application/json; api-version=2.0",
            },
            timeout=TIMEOUT_S,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        name = type(error).__name__  # its text has the address, with what the runner put into it
        raise RetryLater(
            f"The runner's service for tokens does not answer ({name})", AGAIN_S
        ) from None
    if answer.status_code >= 500 or answer.status_code == 429:
        why = f"The runner's service for tokens answers {answer.status_code}"
        raise RetryLater(why, AGAIN_S)
    try:
        said = strict_json.loads(answer.content[:MAX_ANSWER_BYTES])
    except ValueError:
        said = None
    value = said.get("value") if isinstance(said, dict) else None
    if answer.status_code != 200 or not isinstance(value, str) or not value.isascii():
        host = urlsplit(url).hostname or "the runner"
        raise TellUser(
            f"{host} gives this job no token (status {answer.status_code})",
            f"Look whether the job has these lines:\n{LINES}",
        )
    return SecretStr(value)


def _expires(token: SecretStr) -> float:
    """Return when a token ends, by this machine's clock; nothing else of it is looked at."""
    try:
        claims = jwt.decode(token.get_secret_value(), options={"verify_signature": False})
        life = float(claims["exp"]) - float(claims["iat"])
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        life = UNTOLD_LIFE_S
    return time.time() + life
