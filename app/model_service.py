"""Which service is asked for the model, and with which credentials, as the environment says."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from app.defaults import DEFAULT_CHEAP_MODEL, PROVIDERS
from reviewer.errors import TellUser
from reviewer.model.access import Bedrock, Vertex
from reviewer.model.prices import plain_name

ANTHROPIC_HOST = "api.anthropic.com"

MODEL_VARIABLES = {
    "ANTHROPIC_API_KEY": "key of the model's service; without one the detectors review alone",
    "ANTHROPIC_AUTH_TOKEN": "bearer token of the model's service, instead of a key",
    "ANTHROPIC_BASE_URL": "address of a compatible service (a gateway), instead of Anthropic's",
    "RLM_PROVIDER": f"who offers the model: {', '.join(PROVIDERS)} (default {PROVIDERS[0]})",
    "AWS_REGION": "bedrock: the region to ask",
    "AWS_BEARER_TOKEN_BEDROCK": "bedrock: an API key of Bedrock, instead of a pair of AWS keys",
    "AWS_ACCESS_KEY_ID": "bedrock: the pair's first half; profiles and metadata are not looked at",
    "AWS_SECRET_ACCESS_KEY": "bedrock: the pair's second half",
    "AWS_SESSION_TOKEN": "bedrock: what belongs to a pair that lives for some hours",
    "ANTHROPIC_BEDROCK_BASE_URL": "bedrock: address of an endpoint or gateway of your own",
    "CLOUD_ML_REGION": "vertex: the region to ask, or global",
    "ANTHROPIC_VERTEX_PROJECT_ID": "vertex: the project that is billed",
    "GOOGLE_APPLICATION_CREDENTIALS": "vertex: file of credentials (of a service account, say)",
    "GOOGLE_OAUTH_ACCESS_TOKEN": "vertex: an access token, instead of a file; lives for an hour",
    "ANTHROPIC_VERTEX_BASE_URL": "vertex: address of an endpoint or gateway of your own",
}

CLOUD_KEYS = {
    "bedrock": ("AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID"),
    "vertex": ("GOOGLE_OAUTH_ACCESS_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS"),
}
"""The credentials of each cloud; one of them is enough, and the first counts."""

_REGION = re.compile(r"[a-z]{2,20}(-[a-z]{2,20})*-?[0-9]{0,2}(-[a-z0-9]{1,10})?")
_PROJECT = re.compile(r"[a-z0-9][a-z0-9.:-]{1,98}[a-z0-9]")


def read_secret(given: Mapping[str, str], name: str) -> SecretStr | None:
    """Read a secret that will stand in an HTTP header, or raise TellUser without showing it."""
    value = given.get(name)
    if value is None:
        return None
    if not value.isascii() or not value.isprintable() or " " in value:
        raise TellUser(
            f"{name} holds a space or a character that no key has", "Copy the key again, alone."
        )
    return SecretStr(value)


def read_url(given: Mapping[str, str], name: str) -> str | None:
    """Read the address of a service, or raise TellUser about it."""
    value = given.get(name)
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise TellUser(
            f"{name} is not an http(s) address", "Give one like https://gateway.example."
        )
    return value


def read_cloud(given: Mapping[str, str]) -> Bedrock | Vertex | None:
    """Read how a cloud is asked; None where none is to be, or there are no credentials for it.

    Raise TellUser where there are credentials and something else is missing or wrong.
    """
    provider = read_provider(given)
    cloud = {"bedrock": _bedrock, "vertex": _vertex}.get(provider, _nothing)(given)
    if cloud is not None and "RLM_MODEL" not in given:
        raise TellUser(
            f"RLM_PROVIDER is {provider}, and RLM_MODEL is not set",
            "Name the model as the cloud does: it has names of its own, by region.",
        )
    return cloud


def read_provider(given: Mapping[str, str]) -> str:
    """Return one of PROVIDERS, or raise TellUser."""
    provider = given.get("RLM_PROVIDER", PROVIDERS[0])
    if provider not in PROVIDERS:
        raise TellUser(
            f"RLM_PROVIDER is not a provider: {provider[:200]!a}",
            f"Give one of {', '.join(PROVIDERS)}.",
        )
    return provider


def variables_of(provider: str) -> frozenset[str]:
    """Return the names that whoever asks this provider needs, and none of another's secrets."""
    return frozenset(
        name
        for name, meaning in MODEL_VARIABLES.items()
        if meaning.partition(":")[0] not in PROVIDERS or meaning.startswith(f"{provider}:")
    )


def cheap_beside(strong: str, provider: str, base_url: str | None) -> str:
    """Return the model for small questions: one that is surely there, the strong one if none is.

    A gateway or a cloud may offer any models under any names; so may a price list of the user's.
    """
    host = urlsplit(base_url).hostname if base_url else ANTHROPIC_HOST
    at_anthropic = provider == PROVIDERS[0] and host == ANTHROPIC_HOST
    return DEFAULT_CHEAP_MODEL if at_anthropic and _is_claude(strong) else strong


def _is_claude(name: str) -> bool:
    return plain_name(name).startswith("claude-")


def _nothing(given: Mapping[str, str]) -> None:
    return None


def _bedrock(given: Mapping[str, str]) -> Bedrock | None:
    bearer = read_secret(given, "AWS_BEARER_TOKEN_BEDROCK")
    key_id, secret_key = (
        read_secret(given, name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    )
    if bearer is None and key_id is None and secret_key is None:
        return None
    if bearer is None and (key_id is None or secret_key is None):
        raise TellUser(
            "Only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set", "Set both."
        )
    return Bedrock(
        region=_region(given, "AWS_REGION"),
        bearer=bearer,
        key_id=key_id,
        secret_key=secret_key,
        session_token=read_secret(given, "AWS_SESSION_TOKEN"),
        endpoint=read_url(given, "ANTHROPIC_BEDROCK_BASE_URL"),
    )


def _vertex(given: Mapping[str, str]) -> Vertex | None:
    token = read_secret(given, "GOOGLE_OAUTH_ACCESS_TOKEN")
    file = given.get("GOOGLE_APPLICATION_CREDENTIALS")
    if token is None and file is None:
        return None
    if file is not None and not Path(file).is_file():
        raise TellUser(
            f"GOOGLE_APPLICATION_CREDENTIALS names no file: {file!a}",
            "Correct the path, or unset it.",
        )
    project = given.get("ANTHROPIC_VERTEX_PROJECT_ID", "")
    if _PROJECT.fullmatch(project) is None:
        raise TellUser(
            "ANTHROPIC_VERTEX_PROJECT_ID is not the id of a project",
            "Set it to the id of the project in Google Cloud that is billed.",
        )
    return Vertex(
        region=_region(given, "CLOUD_ML_REGION"),
        project=project,
        token=token,
        credentials=Path(file).absolute() if file is not None else None,
        endpoint=read_url(given, "ANTHROPIC_VERTEX_BASE_URL"),
    )


def _region(given: Mapping[str, str], name: str) -> str:
    """Read a region: it becomes part of a host's name."""
    region = given.get(name, "")
    if _REGION.fullmatch(region) is None:
        raise TellUser(
            f"{name} is not a region: {region[:200]!a}", "Set it to one like us-east-1 or global."
        )
    return region
