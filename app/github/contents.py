"""One file of a repository, by the API: of a commit that a fetched pull request has not got.

Importing PyGithub takes up to a second: import this module when it is needed, not before.
"""

import base64
import binascii
from typing import Any, Literal
from urllib.parse import quote, urlencode

import github
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from app.github.client import Hub, checked_name, connect, request
from app.github.errors import NotThere, calls, misfit
from app.github.urls import Server
from reviewer.ports import FileTooLarge

PATIENCE_S = 10

MAX_BYTES = 1_000_000
"""The API itself gives no content of a larger file."""


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    type: Literal["file"]
    size: int = Field(ge=0)
    encoding: str
    content: str


def read_file(
    server: Server, repository: str, path: str, token: SecretStr | None, *, at: str = ""
) -> bytes | None:
    """Return the bytes of a file at a commit; None if there is none, or none to be seen.

    Without a commit it is the file of the default branch.

    Raise FileTooLarge, or one of `app.github.errors`. What has that name and is no file is none.
    """
    auth = github.Auth.Token(token.get_secret_value()) if token else None
    client = connect(server, auth, timeout_s=PATIENCE_S)
    doing = f"read {path} of {repository}"
    try:
        with calls(server, doing):
            raw = request(client, "GET", _place(repository, path, at))
    except NotThere:
        return None
    finally:
        client.close()
    return _data(server, repository, path, raw)


def read_with(hub: Hub, repository: str, path: str) -> bytes | None:
    """Return the bytes of a file of the default branch, as `read_file` does."""
    try:
        raw = hub.ask(f"read {path} of {repository}", "GET", _place(repository, path))
    except NotThere:
        return None
    return _data(hub.server, repository, path, raw)


def _place(repository: str, path: str, at: str = "") -> str:
    where = f"/repos/{checked_name(repository)}/contents/{quote(path)}"
    return f"{where}?{urlencode({'ref': at})}" if at else where


def _data(server: Server, repository: str, path: str, raw: Any) -> bytes | None:
    doing = f"read {path} of {repository}"
    if isinstance(raw, list) or (isinstance(raw, dict) and raw.get("type") != "file"):
        return None
    with calls(server, doing):
        file = _File.model_validate(raw)
    if file.size > MAX_BYTES or file.encoding != "base64":
        raise FileTooLarge(f"{path} of {repository} has {file.size:,} bytes.")
    try:
        return base64.b64decode(file.content)
    except binascii.Error as error:
        raise misfit(server, doing) from error
