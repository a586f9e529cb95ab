"""The App that `rlm setup` created: its id, key and secrets, in one file under RLM_HOME.

The file is readable by its owner alone from the moment it exists, and is either the old one or
the new one whatever happens while it is written.
"""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    SerializationInfo,
    ValidationError,
    field_serializer,
)

from app.github.urls import Server
from reviewer.errors import TellUser

FILE = "app.json"
MAX_BYTES = 100_000
"""A key and a few names; anything larger was not written here."""

_REVEAL = "reveal"


class Credentials(BaseModel):
    """One App on one server. `webhook_secret` is None where GitHub made none (no webhook yet).

    `public_url` is where people reach our own server, "" where `rlm setup` was not told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    server_web: str
    server_api: str
    app_id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")
    slug: str = Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")
    client_id: str
    client_secret: SecretStr
    webhook_secret: SecretStr | None
    pem: SecretStr
    html_url: str
    public_url: str = ""

    @property
    def server(self) -> Server:
        """The server that the App lives on."""
        return Server(self.server_web, self.server_api)

    @field_serializer("client_secret", "webhook_secret", "pem")
    def _shown(self, secret: SecretStr | None, info: SerializationInfo) -> str | None:
        if secret is None:
            return None
        return secret.get_secret_value() if info.context == _REVEAL else str(secret)


def load(home: Path) -> Credentials | None:
    """Return what `rlm setup` stored under `home`, None if nothing; TellUser if it is unusable."""
    path = home / FILE
    try:
        with path.open("rb") as file:
            _check_owner(path, os.fstat(file.fileno()))
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TellUser(
            f"{path} cannot be read: {error.strerror}", "Let this user read it, or set RLM_HOME."
        ) from error
    try:
        if len(content) > MAX_BYTES:
            raise ValueError("too large")
        return Credentials.model_validate_json(content)
    except ValidationError as error:
        # Where, but never what: the values are secrets.
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _damaged(path, f"{first['type']} {place}".strip()) from error
    except ValueError as error:
        raise _damaged(path, str(error)) from error


def save(home: Path, credentials: Credentials) -> Path:
    """Store the App under `home`, whole or not at all, and return the file; TellUser if it fails.

    A folder that is missing is made for its owner alone; one that exists keeps its mode.
    """
    path = home / FILE
    text = credentials.model_dump_json(indent=2, context=_REVEAL) + "\n"
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(dir=home, prefix=f".{FILE}.")  # its mode is 600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(temporary).unlink()
            raise
        _sync(home)
    except OSError as error:
        raise _unwritable(home, error) from error
    return path


def check_writable(home: Path) -> None:
    """Raise TellUser if `save` would fail: before an App is made whose key would be lost."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=home) as file:
            file.write(bytes(MAX_BYTES))
    except OSError as error:
        raise _unwritable(home, error) from error


def _check_owner(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise TellUser(f"{path} is not a file", "Move it away and run rlm setup.")
    if status.st_uid not in {os.geteuid(), 0}:
        raise TellUser(
            f"{path} belongs to another user, who could put any key into it",
            f"Run as that user, or: chown {os.geteuid()} {path}",
        )
    if status.st_mode & 0o077:
        raise TellUser(
            f"{path} holds the App's private key and can be read by others "
            f"(mode {stat.S_IMODE(status.st_mode):o})",
            f"chmod 600 {path}, and make a new key in the App's settings if others were here.",
        )


def _damaged(path: Path, what: str) -> TellUser:
    return TellUser(
        f"{path} is not what rlm setup writes ({what})",
        "Restore it from a copy, or create another App: rlm setup --force.",
    )


def _unwritable(home: Path, error: OSError) -> TellUser:
    return TellUser(
        f"{home} cannot be written: {error.strerror}",
        "Set RLM_HOME to a folder of yours with room in it.",
    )


def _sync(folder: Path) -> None:
    """Have the new name survive a power cut too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
