"""Where people reach this server, and what logs them in: together they switch the run pages on."""

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr

from app.credentials import Credentials
from reviewer.errors import TellUser

CLIENT_ID = "RLM_APP_CLIENT_ID"
CLIENT_SECRET = "RLM_APP_CLIENT_SECRET"
PUBLIC_URL = "RLM_PUBLIC_URL"

CALLBACK = "/login/callback"
"""Where GitHub sends those who log in, below the public address."""

_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_NEW_CLIENT_ID = re.compile(r"Iv[0-9][A-Za-z0-9._-]+")
"""What RLM_APP_ID may hold in the place of a number."""


class Public(BaseModel):
    """The public address without a final slash ("": none) and the App's means to log people in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = ""
    client_id: str = ""
    client_secret: SecretStr | None = None

    @property
    def has_pages(self) -> bool:
        """Are there run pages?"""
        return not self.lacking

    @property
    def lacking(self) -> list[str]:
        """The variables that run pages still need."""
        has = {
            PUBLIC_URL: bool(self.url),
            CLIENT_ID: bool(self.client_id),
            CLIENT_SECRET: self.client_secret is not None,
        }
        return [name for name, there in has.items() if not there]

    @property
    def why_off(self) -> str:
        """Say how to switch the run pages on; "" where they are."""
        if not self.lacking:
            return ""
        *first, last = self.lacking
        names = f"{', '.join(first)} and {last}" if first else last
        return f"The run pages are off: set {names} to switch them on."

    def environ(self) -> dict[str, str]:
        """Return the variables that say the same, for the process that serves the pages."""
        secret = self.client_secret.get_secret_value() if self.client_secret else ""
        given = {PUBLIC_URL: self.url, CLIENT_ID: self.client_id, CLIENT_SECRET: secret}
        return {name: value for name, value in given.items() if value}


def read_public(given: Mapping[str, str], stored: Credentials | None) -> Public:
    """Read it from the environment, then from what `rlm setup` stored; TellUser if it is wrong."""
    url = given.get(PUBLIC_URL, stored.public_url if stored else "")
    client_id = given.get(CLIENT_ID, stored.client_id if stored else "")
    if not client_id and _NEW_CLIENT_ID.fullmatch(given.get("RLM_APP_ID", "")):
        client_id = given["RLM_APP_ID"]
    if client_id and _CLIENT_ID.fullmatch(client_id) is None:
        raise TellUser(
            f"{CLIENT_ID} is not the client id of a GitHub App", "Copy it from the App's settings."
        )
    secret = given.get(CLIENT_SECRET)
    if secret is None and stored is not None and client_id == stored.client_id:
        secret = stored.client_secret.get_secret_value()
    return Public(
        url=_address(url) if url else "",
        client_id=client_id,
        client_secret=SecretStr(secret) if secret else None,
    )


def _address(text: str) -> str:
    unfit = TellUser(
        f"{PUBLIC_URL} is not an address that people can use: {text[:200]!a}",
        "Give one like https://rlm.example.org; plain http is for this machine alone.",
    )
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        named = f"[{host}]" if ":" in host else host
        shown = named if parts.port is None else f"{named}:{parts.port}"
    except ValueError as error:
        raise unfit from error
    path = parts.path.rstrip("/")
    plain = host and parts.netloc.lower() == shown and _PATH.fullmatch(path) and text.isascii()
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))
    if not plain or not is_safe or parts.query or parts.fragment:
        raise unfit
    return f"{parts.scheme}://{shown}{path}"


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
