"""Where a model is asked, and with which credentials: Anthropic's API or a cloud that offers it.

Credentials are the caller's to give. Nothing is looked for in profiles or at a machine's metadata
service: what those hold belongs to other programs.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr


class Access(Protocol):
    """What all kinds have in common. `url` is the address that requests go to."""

    @property
    def url(self) -> str: ...

    @property
    def secrets(self) -> tuple[SecretStr, ...]: ...


@dataclass(frozen=True, slots=True)
class Direct:
    """The Messages API itself, with a key or (`is_key` False) a bearer token."""

    url: str
    secret: SecretStr
    is_key: bool = True

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        return (self.secret,)


@dataclass(frozen=True, slots=True)
class Bedrock:
    """Amazon Bedrock in a region: with an API key of Bedrock (`bearer`), or a pair of AWS keys."""

    region: str
    bearer: SecretStr | None = None
    key_id: SecretStr | None = None
    secret_key: SecretStr | None = None
    session_token: SecretStr | None = None
    endpoint: str | None = None

    @property
    def url(self) -> str:
        return self.endpoint or f"https://bedrock-runtime.{self.region}.amazonaws.com"

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        every = (self.bearer, self.key_id, self.secret_key, self.session_token)
        return tuple(one for one in every if one)


@dataclass(frozen=True, slots=True)
class Vertex:
    """Google's Vertex AI, for a project in a region ("global" too).

    With an access token, or a file of credentials (a service account's, say) to make some from.
    """

    region: str
    project: str
    token: SecretStr | None = None
    credentials: Path | None = None
    endpoint: str | None = None

    @property
    def url(self) -> str:
        match self.region:
            case "global":
                host = "aiplatform.googleapis.com"
            case "us" | "eu":
                host = f"aiplatform.{self.region}.rep.googleapis.com"
            case _:
                host = f"{self.region}-aiplatform.googleapis.com"
        return self.endpoint or f"https://{host}/v1"

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        return (self.token,) if self.token else ()
