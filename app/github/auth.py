"""The App's own identity: its key, and the tokens that it gets for one repository at a time.

A token is asked for with no more permissions than its use needs, kept in memory until shortly
before it ends, and never written anywhere.
"""

import base64
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, ConfigDict, SecretStr

from app.github.errors import BadToken, NotThere, Refused, calls, misfit, server_time
from app.github.urls import Server
from reviewer.errors import TellUser

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from github import Github

EARLY_S = 300.0
"""A token is replaced so long before its end (an hour after its birth): a call may take a while."""

CLOCK_S = 45.0
"""From here on the clock is to blame: a JWT is dated back by 60 s."""

MAX_KEY_BYTES = 50_000

NO_APP = "Integration not found"
NOT_GRANTED = "permissions requested are not granted"
NO_REPOSITORY = "repository that does not exist or is not accessible"

_BEGIN = "-----BEGIN "
_APP_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_LEVELS = ("none", "read", "write", "admin")

_NEXT = re.compile(r'[?&]cursor=(?P<cursor>[\w%=-]{1,300})[^,>]{0,1000}>; rel="next"')

_PEM = (
    'A PEM file has "BEGIN RSA PRIVATE KEY" in its first line; in a variable its line ends may be '
    'written as "\\n". Make a new one in the App\'s settings: Private keys, Generate.'
)


class NotGranted(Refused):
    """The installation lacks `missing`; `granted` is all that it has (name: level)."""

    def __init__(self, why: str, missing: Mapping[str, str], granted: Mapping[str, str]) -> None:
        super().__init__(why, 422, why)
        self.missing = dict(missing)
        self.granted = dict(granted)


@dataclass(frozen=True, slots=True)
class Token:
    """A token of one installation; `expires` is Unix time by this machine's clock."""

    value: SecretStr
    expires: float

    def usable(self) -> bool:
        """Will it still hold for the work of a few minutes?"""
        return time.time() < self.expires - EARLY_S


class AppAuth:
    """One App on one server. Safe to share between threads: two never ask for the same token.

    TellUser at construction for a malformed key or id; and later for what the owner of this
    machine has to mend: a wrong clock, a key of another App.
    """

    def __init__(self, server: Server, app_id: str, private_key: SecretStr) -> None:
        if _APP_ID.fullmatch(app_id) is None:
            raise TellUser(
                f"This is not the id of an App: {app_id[:100]!a}",
                "Give RLM_APP_ID the App ID or the Client ID that the App's settings show.",
            )
        self.server = server
        self.app_id = app_id
        self._key = _loaded(_pem(private_key))
        self._slug = ""
        self._entries: dict[_Key, _Entry] = {}
        self._lock = threading.Lock()

    def slug(self) -> str:
        """Return the App's name in addresses, asked for once; it writes as "SLUG[bot]"."""
        if not self._slug:
            answer, _ = self._ask("log in as the App", "GET", "/app")
            slug = answer.get("slug") if isinstance(answer, dict) else None
            if not isinstance(slug, str) or not slug:
                raise misfit(self.server, "log in as the App")
            self._slug = slug
        return self._slug

    def ask(self, doing: str, verb: str, path: str) -> Any:
        """Make one request of the REST API as the App itself, and return the parsed answer."""
        return self._ask(doing, verb, path)[0]

    def ask_page(self, doing: str, path: str) -> tuple[Any, str]:
        """Read one page of a list; return it and the cursor of the next one, "" for the last.

        Of the address in the answer only the cursor is taken: it may name any server.
        """
        headers, answer = self._asked(doing, "GET", path)
        link = next((text for name, text in headers.items() if name.lower() == "link"), "")
        found = _NEXT.search(link)
        return answer, found["cursor"] if found else ""

    def includes(self, installation: int, repository_id: int) -> bool:
        """Has an installation a repository, now? That is asked of the API and not remembered."""
        try:
            self._mint(installation, repository_id, {"metadata": "read"})
        except NotThere:
            return False
        except Refused:  # suspended: it is there
            return True
        return True

    def is_installed(self, installation: int) -> bool:
        """Is an installation there, now? A suspended one is."""
        try:
            self._ask("look for the installation", "GET", f"/app/installations/{installation:d}")
        except NotThere:
            return False
        return True

    def ask_timed(self, doing: str, verb: str, path: str) -> tuple[Any, float]:
        """Make one request as the App; return the answer and the server's time (Unix)."""
        return self._ask(doing, verb, path)

    def permissions(self, installation: int) -> dict[str, str]:
        """Return what the installation has granted, such as {"checks": "write"}."""
        doing = "ask what the installation grants"
        answer, _ = self._ask(doing, "GET", f"/app/installations/{installation:d}")
        granted = answer.get("permissions") if isinstance(answer, dict) else None
        if not isinstance(granted, dict):
            raise misfit(self.server, doing)
        return {str(name): str(level) for name, level in granted.items()}

    def installation_of(self, repository: str) -> int:
        """Return the installation that has a repository (OWNER/NAME); NotThere if none has it."""
        doing = f"look for the App's installation on {repository}"
        owner, _, name = repository.partition("/")
        try:
            answer, _ = self._ask(doing, "GET", f"/repos/{quote(owner)}/{quote(name)}/installation")
        except NotThere as error:
            why = f"The App is not installed on {repository}: {self.server.web}/apps/{self.slug()}"
            raise NotThere(why, error.status, error.said) from error
        number = answer.get("id") if isinstance(answer, dict) else None
        if not isinstance(number, int):
            raise misfit(self.server, doing)
        return number

    def installation_token(
        self, installation: int, repository_id: int | None, permissions: Mapping[str, str]
    ) -> Token:
        """Return a token for one repository with these permissions and no others.

        `repository_id` is None for every repository of the installation: to look, not to write.

        NotGranted: some were never accepted there; NotThere: the App is not installed there (any
        more), or not for this repository; Forbidden: the installation is suspended.
        """
        key = (installation, repository_id, tuple(sorted(permissions.items())))
        with self._lock:
            self._drop_expired()
            entry = self._entries.setdefault(key, _Entry())
        with entry.lock:
            if entry.token is None or not entry.token.usable():
                entry.token = self._mint(installation, repository_id, permissions)
            return entry.token

    def own_token(
        self, installation: int, repository_id: int, permissions: Mapping[str, str]
    ) -> Token:
        """Return a token for one repository that nobody else is given: it is not kept.

        What an installation has not granted is not asked for. It raises as `installation_token`.
        """
        granted = self.permissions(installation)
        if _lacking(permissions, granted):
            raise self._not_granted(installation, permissions, granted)
        return self._mint(installation, repository_id, permissions)

    def forget(self, token: SecretStr) -> None:
        """Drop a token that was refused: the next call gets a new one."""
        with self._lock:
            for key, entry in list(self._entries.items()):
                if entry.token is not None and entry.token.value == token:
                    del self._entries[key]

    def _drop_expired(self) -> None:
        for key, entry in list(self._entries.items()):
            if entry.token is not None and not entry.token.usable():
                del self._entries[key]

    def _mint(
        self, installation: int, repository_id: int | None, permissions: Mapping[str, str]
    ) -> Token:
        doing = f"get a token for installation {installation}"
        body: dict[str, object] = {"permissions": dict(permissions)}
        if repository_id is not None:
            body["repository_ids"] = [repository_id]
        path = f"/app/installations/{installation:d}/access_tokens"
        try:
            answer, their_time = self._ask(doing, "POST", path, body)
        except NotThere as error:
            why = f"The App is not installed there (any more): installation {installation}"
            raise NotThere(why, error.status, error.said) from error
        except Refused as error:
            if NO_REPOSITORY in error.said:
                why = f"Installation {installation} does not include this repository (any more)"
                raise NotThere(why, error.status, error.said) from error
            if NOT_GRANTED in error.said:
                granted = self.permissions(installation)
                raise self._not_granted(installation, permissions, granted) from error
            raise
        with calls(self.server, doing):
            given = _TokenAnswer.model_validate(answer)
        lasts_s = given.expires_at.timestamp() - their_time
        return Token(given.token, time.time() + lasts_s)

    def _not_granted(
        self, installation: int, wanted: Mapping[str, str], granted: Mapping[str, str]
    ) -> NotGranted:
        """Say which permissions are missing: the server's own answer does not."""
        missing = _lacking(wanted, granted)
        names = ", ".join(f"{name}: {level}" for name, level in missing.items()) or "some"
        why = (
            f"Installation {installation} has not granted {names}. Its owner has to accept the "
            f"App's new permissions: {self.server.web}/settings/installations, or the same page "
            "of the organization"
        )
        return NotGranted(why, missing, granted)

    def _ask(self, doing: str, verb: str, path: str, body: object = None) -> tuple[Any, float]:
        """Make one request as the App; return the answer and the server's time."""
        headers, answer = self._asked(doing, verb, path, body)
        return answer, server_time(headers) or time.time()

    def _asked(
        self, doing: str, verb: str, path: str, body: object = None
    ) -> tuple[Mapping[str, Any], Any]:
        """Make one request as the App; return the answer's headers and the answer.

        A connection each: this happens once an hour and repository, from several threads.
        """
        from github import Auth  # noqa: PLC0415

        from app.github.client import connect  # noqa: PLC0415

        app = Auth.AppAuth(self.app_id, sign_func=self._signed)
        client: Github = connect(self.server, app, write_pause_s=0)
        try:
            with calls(self.server, doing):
                return client.requester.requestJsonAndCheck(verb, path, input=body)
        except BadToken as error:
            raise self._explain(error) from error
        except NotThere as error:
            if NO_APP in error.said:
                raise self._stranger(error.said) from error
            raise
        finally:
            client.close()

    def _signed(self, claims: dict[str, Any]) -> str:
        """Return a JWT; given the text of the key, PyJWT reads and checks it each time: 50 ms."""
        import jwt  # noqa: PLC0415

        return jwt.encode(claims, self._key, algorithm="RS256")

    def _explain(self, error: BadToken) -> TellUser:
        """Say why a JWT was refused: the clock, or a key and an id that do not match."""
        ahead = error.ahead_s
        about_time = any(claim in error.said for claim in ("'exp'", "'iat'"))
        if about_time or (ahead is not None and abs(ahead) > CLOCK_S):
            off = "is wrong"
            if ahead is not None and abs(ahead) >= 1:
                off = f"is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} it"
            return TellUser(
                f"{self.server.host} refuses this machine's login, and its clock {off}: "
                f"{error.said}",
                "Set the clock, and have it kept right (NTP).",
            )
        return self._stranger(error.said)

    def _stranger(self, said: str) -> TellUser:
        return TellUser(
            f"{self.server.host} refuses the key of App {self.app_id}: {said}",
            "Check that RLM_APP_ID and RLM_APP_PRIVATE_KEY belong to the same App on "
            f"{self.server.host}, and that the key was not deleted in its settings.",
        )


def read_key(text_or_path: str, source: str = "RLM_APP_PRIVATE_KEY") -> SecretStr:
    """Return the text of a private key from itself or from the path of its file.

    Line ends may be written as "\\n", and the whole may be in base64, as people store it in a
    variable. TellUser naming `source`, without a byte of what may be the key.
    """
    text = text_or_path.strip()
    if _BEGIN not in text:
        text = _unpacked(text) or _read(text, source)
    return SecretStr(text)


def check_key(private_key: SecretStr) -> SecretStr:
    """Return an RSA private key as PEM text, or raise TellUser without a byte of it."""
    text = _pem(private_key)
    _loaded(text)
    return SecretStr(text)


def _pem(private_key: SecretStr) -> str:
    return private_key.get_secret_value().strip().replace("\\r", "").replace("\\n", "\n") + "\n"


@lru_cache(maxsize=2)
def _loaded(text: str) -> "RSAPrivateKey":
    """Read a key, and check it, once: that takes 20 to 40 ms of the processor."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        load_pem_private_key,
    )

    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Not chained: the cause may quote what it could not read.
        raise TellUser("The App's private key is not one, or has a password", _PEM) from None
    if not isinstance(key, RSAPrivateKey):
        raise TellUser("The App's private key is not an RSA key", _PEM)
    return key


def _unpacked(text: str) -> str:
    try:
        decoded = base64.b64decode("".join(text.split()), validate=True).decode("ascii")
    except ValueError:
        return ""
    return decoded if _BEGIN in decoded else ""


def _read(path: str, source: str) -> str:
    try:
        with Path(path).expanduser().open("rb") as file:
            content = file.read(MAX_KEY_BYTES)
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        # Not chained: the path is named in the cause, and may be a key without its first line.
        raise TellUser(
            f"{source} is neither a private key nor the path of a file that can be read ({reason})",
            _PEM,
        ) from None
    text = content.decode("ascii", "replace")
    if _BEGIN not in text:
        raise TellUser(f"The file that {source} names holds no private key", _PEM)
    return text


def level_rank(level: str) -> int:
    """Order the levels of a permission; one that is not known is none."""
    return _LEVELS.index(level) if level in _LEVELS else 0


def _lacking(wanted: Mapping[str, str], granted: Mapping[str, str]) -> dict[str, str]:
    return {
        name: level
        for name, level in wanted.items()
        if level_rank(granted.get(name, "none")) < level_rank(level)
    }


_Key = tuple[int, int | None, tuple[tuple[str, str], ...]]


@dataclass(slots=True)
class _Entry:
    """A token, or the place of one that a thread is asking for."""

    token: Token | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class _TokenAnswer(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    token: SecretStr
    expires_at: AwareDatetime
