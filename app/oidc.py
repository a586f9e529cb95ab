"""Who a job of GitHub Actions is: its token, signed by its GitHub (OpenID Connect), checked here.

A token is a few minutes old, made for one server (its audience), and says in claims which
repository, event and commit the job runs for. No key has to be kept anywhere for it: the server
fetches the public keys of the issuer, and believes nothing that is not signed by one of them.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from app import strict_json
from app.jobs import FullName, Id, Login, Sha
from reviewer.errors import RetryLater

ALGORITHM = "RS256"
"""The only one: whatever a token's header says, no other is tried."""

LEEWAY_S = 30.0
"""Between the clocks of GitHub and of this machine."""

MAX_TOKEN_CHARS = 8_192
"""GitHub's have about 1,800."""

KEYS_PATH = "/.well-known/jwks"
MAX_KEYS_BYTES = 100_000
MAX_KEYS = 50
MIN_KEY_BITS = 2_048

FETCH_S = 5.0
"""For the keys: a job waits, and so does the thread that answers it."""

FRESH_S = 3_600.0
KEPT_S = 86_400.0
"""So long keys go on to be good that cannot be fetched anew: they are changed days ahead."""

REFRESH_S = 60.0
"""A key that is not known has all of them fetched, once in this time: anybody can name one."""

FAILED_S = 5.0
"""Nobody is asked again so soon after it failed."""

REQUIRED = ("aud", "iss", "exp", "nbf", "iat", "jti")


class Untrusted(Exception):
    """The token is no proof of anything; the text says why, without a byte of it."""


def _number(text: object) -> object:
    """Take a claim's number as GitHub writes it: as text."""
    return int(text) if isinstance(text, str) and re.fullmatch(r"[1-9][0-9]{0,15}", text) else None


_Digits = Annotated[Id, BeforeValidator(_number)]
_Text = Annotated[str, Field(min_length=1, max_length=1_000)]


class Claims(BaseModel):
    """What the token of a job says about it; checked, so to be believed.

    `ref` of the event pull_request is "refs/pull/NUMBER/merge". `jti` names the token.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    repository: FullName
    repository_id: _Digits
    repository_owner_id: _Digits
    event_name: Annotated[str, Field(pattern=r"^[a-z_]{1,64}$")]
    ref: _Text
    sha: Sha
    actor: Login
    actor_id: _Digits
    runner_environment: Literal["github-hosted", "self-hosted"]
    job_workflow_ref: _Text
    jti: Annotated[str, Field(min_length=8, max_length=200)]


class Keys:
    """The public keys of an issuer, fetched when they are needed and kept. Safe between threads."""

    def __init__(self, issuer: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.issuer = issuer
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, RSAPublicKey] = {}
        self._fetched = self._failed = -KEPT_S
        """When; the first look is long ago."""

    def named(self, name: str) -> RSAPublicKey:
        """Return a key; raise Untrusted for one that is not the issuer's, RetryLater where the
        issuer cannot be asked.
        """
        age = self._clock() - self._fetched
        if age >= FRESH_S or (name not in self._keys and age >= REFRESH_S):
            # One asks; an issuer that is slow must not hold all the threads that answer.
            if self._lock.acquire(blocking=False):
                try:
                    self._refresh(age, name)
                finally:
                    self._lock.release()
            elif age >= KEPT_S or name not in self._keys:
                raise RetryLater("The issuer's keys are being fetched", 1.0)
        if (key := self._keys.get(name)) is None:
            raise Untrusted("It is signed with a key that is not the issuer's.")
        return key

    def _refresh(self, age: float, name: str) -> None:
        try:
            wait = FAILED_S - (self._clock() - self._failed)
            if wait > 0:
                raise RetryLater("The issuer's keys could not be fetched a moment ago", wait)
            self._keys = _fetch(self.issuer + KEYS_PATH)
            self._fetched = self._clock()
        except RetryLater as error:
            if error.after_s == FAILED_S:
                self._failed = self._clock()
            # The keys that are there are still good; one that is not among them may be a new one.
            if age >= KEPT_S or name not in self._keys:
                raise


class Verifier:
    """Checks tokens that are made for one server, whose origin is `audience`."""

    def __init__(self, keys: Keys, audience: str) -> None:
        self._keys = keys
        self.audience = audience

    def claims(self, token: str) -> Claims:
        """Return what a token says; raise Untrusted, or RetryLater where that cannot be told."""
        if len(token) > MAX_TOKEN_CHARS:
            raise Untrusted("It is longer than any token of a job.")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise Untrusted("It is no JSON Web Token.") from None
        name = header.get("kid")
        if header.get("alg") != ALGORITHM or not isinstance(name, str):
            raise Untrusted(f"It is not signed with {ALGORITHM} by a key that it names.")
        key = self._keys.named(name)
        try:
            said = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self.audience,
                issuer=self._keys.issuer,
                leeway=LEEWAY_S,
                options={"require": list(REQUIRED), "strict_aud": True},
            )
            return Claims.model_validate(said)
        except jwt.PyJWTError as error:
            raise Untrusted(self._why(error)) from None
        except ValidationError as error:
            names = sorted({str(one["loc"][0]) for one in error.errors(include_input=False)})
            raise Untrusted(
                f"Claims are missing or no claims of a job: {', '.join(names)}."
            ) from None

    def _why(self, error: jwt.PyJWTError) -> str:
        """Say what is wrong with a token; its own words are not repeated."""
        match error:
            case jwt.InvalidAudienceError():
                return f"It is made for another server: its audience has to be {self.audience}."
            case jwt.InvalidIssuerError():
                return f"Another issuer made it than {self._keys.issuer}."
            case jwt.ExpiredSignatureError():
                return "It has expired."
            case jwt.ImmatureSignatureError():
                return "It counts from a later time on: one of the two clocks is wrong."
            case jwt.MissingRequiredClaimError():
                return f"It lacks one of {', '.join(REQUIRED)}."
            case _:
                return "Its signature or its form is wrong."


def _fetch(url: str) -> dict[str, RSAPublicKey]:
    """Fetch the keys of an issuer by their names; RetryLater if there are none to be had."""
    found: dict[str, RSAPublicKey] = {}
    try:
        document = strict_json.loads(_get(url))
        listed = document.get("keys") if isinstance(document, dict) else None
        for one in listed[:MAX_KEYS] if isinstance(listed, list) else ():
            if isinstance(one, dict) and (key := _key(one)) is not None:
                found[str(one["kid"])] = key
    except (requests.RequestException, ValueError) as error:
        what = type(error).__name__
        raise RetryLater(
            f"The issuer's keys cannot be fetched from {url} ({what})", FAILED_S
        ) from error
    if not found:
        raise RetryLater(f"There are no keys at {url}", FAILED_S)
    return found


def _key(document: dict[str, Any]) -> RSAPublicKey | None:
    """Return a key that signs as we have it; None for one for another use."""
    if not isinstance(document.get("kid"), str) or document.get("kty") != "RSA":
        return None
    if document.get("use", "sig") != "sig" or document.get("alg", ALGORITHM) != ALGORITHM:
        return None
    try:
        key = jwt.PyJWK(document, ALGORITHM).key
    except jwt.PyJWTError:
        return None
    good = isinstance(key, RSAPublicKey) and key.key_size >= MIN_KEY_BITS
    return key if good else None


def _get(url: str) -> bytes:
    """Read a document; bounded in size and in time, whatever trickles in."""
    until = time.monotonic() + FETCH_S
    with requests.Session() as session:
        # A proxy has no business between this machine and itself.
        session.trust_env = url.startswith("https:")
        with session.get(url, timeout=FETCH_S, allow_redirects=False, stream=True) as answer:
            if answer.status_code != 200:
                raise requests.HTTPError(f"status {answer.status_code}")
            body = b""
            for piece in answer.iter_content(8_192):
                body += piece
                if len(body) > MAX_KEYS_BYTES:
                    raise ValueError("too large")
                if time.monotonic() > until:
                    raise requests.Timeout("slow")
            return body
