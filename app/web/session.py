"""Who is logged in: a cookie that only this server can read or write.

A session is in its cookie alone, sealed (encrypted and authenticated): the store, a backup of it
and the log hold no token of a person, and a restart logs nobody out. It ends with the token.
"""

import base64
import binascii
import time
from typing import Literal, TypeVar

from cryptography.fernet import Fernet, InvalidToken
from flask import Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

LONGEST_S = 8 * 3_600.0
"""A token of GitHub's ends after 8 hours unless the App's owner switched that off; a session ends
then all the same. To log in again is one redirect, so no token that renews others is kept."""

PENDING_S = 600.0
"""To say yes at GitHub: its code is valid for ten minutes, too."""

MAX_COOKIE_CHARS = 4_000
"""Browsers drop a cookie of more than 4,096 bytes, name and attributes included."""


class _Sealed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    until: float
    """Unix time."""


class Session(_Sealed):
    """Somebody who is logged in, with the token that reads in their name."""

    kind: Literal["session"] = "session"
    login: str
    user: int
    secret: str = Field(repr=False)

    @property
    def token(self) -> SecretStr:
        """The person's token."""
        return SecretStr(self.secret)


class Pending(_Sealed):
    """Somebody who is on the way to GitHub and back, and where they wanted to go."""

    kind: Literal["pending"] = "pending"
    state: str
    verifier: str = Field(repr=False)
    then: str


_AnySealed = TypeVar("_AnySealed", Session, Pending)


class Cookies:
    """The two cookies of one server: of who is logged in, and of who is about to be.

    `key` is 64 hexadecimal digits; `root` the path below which the server's pages are.
    """

    def __init__(self, key: SecretStr, root: str, *, secure: bool) -> None:
        raw = bytes.fromhex(key.get_secret_value())
        self._seal = Fernet(base64.urlsafe_b64encode(raw))
        self._path = root or "/"
        self._secure = secure
        # The browser itself then refuses one that another host of the domain has set.
        prefix = "__Host-" if secure and not root else ""
        self._names = {Session: f"{prefix}rlm-session", Pending: f"{prefix}rlm-login"}

    def read(self, kind: type[_AnySealed], request: Request) -> _AnySealed | None:
        """Return what the browser sent, if it is ours, unchanged and not over."""
        text = request.cookies.get(self._names[kind], "")
        if not text or len(text) > MAX_COOKIE_CHARS:
            return None
        try:
            found = kind.model_validate_json(self._seal.decrypt(text.encode("ascii")))
        except (InvalidToken, ValidationError, UnicodeEncodeError, binascii.Error):
            return None
        return found if time.time() < found.until else None

    def write(self, response: Response, value: Session | Pending) -> bool:
        """Have the browser keep it; False if it is larger than browsers keep."""
        text = self._seal.encrypt(value.model_dump_json().encode()).decode("ascii")
        if len(text) > MAX_COOKIE_CHARS:
            return False
        response.set_cookie(
            self._names[type(value)],
            text,
            max_age=max(1, int(value.until - time.time())),
            path=self._path,
            secure=self._secure,
            httponly=True,
            samesite="Lax",  # "Strict" would hide it on the way back from GitHub
        )
        return True

    def drop(self, response: Response, kind: type[Session | Pending]) -> None:
        """Have the browser forget it."""
        response.delete_cookie(
            self._names[kind],
            path=self._path,
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )
