"""What the user configured: environment variables and nothing else.

What a repository may wish beside that is another matter (`app/policy.py`). `VARIABLES` is the
documentation: `rlm doctor` prints it and the parser refuses what is not in it.
"""

import difflib
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr

from app.defaults import (
    DEFAULT_BUDGET_USD,
    DEFAULT_CHEAP_MODEL,
    DEFAULT_CONCURRENCY,
    DEFAULT_EFFORT,
    DEFAULT_MODEL,
    EFFORTS,
    MAX_CONCURRENCY,
    PROVIDERS,
    UNSET,
)
from app.github.urls import LOOPBACK, Server, parse_server, server_at
from app.model_service import (
    MODEL_VARIABLES,
    cheap_beside,
    read_cloud,
    read_provider,
    read_secret,
    read_url,
)
from app.operations import DEFAULTS, OPERATION_VARIABLES, Operations, read_operations
from reviewer.errors import TellUser
from reviewer.model.access import Bedrock, Vertex
from reviewer.model.base import MODEL_NAME

VARIABLES = {
    **MODEL_VARIABLES,
    "GITHUB_TOKEN": "token for pull requests of private repositories; read access is enough",
    "GH_HOST": "the GitHub host that GITHUB_TOKEN belongs to, if not github.com",
    "GITHUB_SERVER_URL": "the same as a URL, as GitHub Actions sets it",
    "GITHUB_API_URL": "address of that host's REST API, as GitHub Actions sets it",
    "RLM_MODEL": f"model to ask (default {DEFAULT_MODEL})",
    "RLM_CHEAP_MODEL": f"model for triage, verification and small questions "
    f"(default {DEFAULT_CHEAP_MODEL} at Anthropic, else the same as RLM_MODEL)",
    "RLM_EFFORT": f"passes made: {', '.join(EFFORTS)} (default {DEFAULT_EFFORT})",
    "RLM_BUDGET": f"cap of one run in dollars, or none (default {DEFAULT_BUDGET_USD:.2f})",
    "RLM_PRICES": "TOML file with prices of models that this version does not know",
    "RLM_CONCURRENCY": f"calls of the model at once, 1-{MAX_CONCURRENCY} "
    f"(default {DEFAULT_CONCURRENCY})",
    "RLM_REPOSITORIES": "rlm eval: folders in which a dataset may name repositories, divided by "
    f"{os.pathsep}; beside its own folder",
    "RLM_BATCH": "1 sends calls through the Message Batches API: half the price, hours",
    "RLM_HOME": "folder for fetched repositories, traces, what was paid for, the server's state "
    "(default $XDG_STATE_HOME/rlm)",
    "RLM_APP_ID": "rlm serve: id or client id of the GitHub App; else what rlm setup stored",
    "RLM_APP_PRIVATE_KEY": "rlm serve: the App's private key (PEM), or the path of its file",
    "RLM_APP_CLIENT_ID": "rlm serve: the App's client id, for logging in to the run pages",
    "RLM_APP_CLIENT_SECRET": "rlm serve: the App's client secret, for the same",
    "RLM_PUBLIC_URL": "rlm serve: where people reach it, like https://rlm.example.org; with "
    "it there are run pages, and workflows can ask (input server of the Action)",
    "RLM_WEBHOOK_SECRET": "rlm serve: secret of the App's webhook; several, one a line",
    "RLM_WEBHOOK_SECRET_OLD": "rlm serve: the secret before, accepted too while it is rotated",
    "RLM_ACTIONS_ISSUER": "rlm serve: who signs the tokens of workflows, where an enterprise has "
    "an issuer of its own",
    "RLM_WRITE": "rlm serve: on where the App may write branches and pull requests that somebody "
    "asked for, and the repository's .github/rlm.yml says so, too (default off)",
    **OPERATION_VARIABLES,
    "DATABASE_URL": "rlm serve: a PostgreSQL database, for several servers, in place of a file: "
    "postgresql://user:password@host:5432/name",
    "REDIS_URL": "rlm serve: a Redis server that tells several servers of their work: "
    "redis://user:password@host:6379/0",
    "REDIS_URL_GITHUB": "the same for the github role, where it has a user of its own in Redis",
    "REDIS_URL_ENGINE": "the same for the engines",
    "RLM_DEBUG": "1 shows the traceback of an unexpected error",
    "RLM_GITHUB_SERVER_URL": "like GITHUB_SERVER_URL, first; may be http on this machine",
    "RLM_GITHUB_API_URL": "REST API of RLM_GITHUB_SERVER_URL; may be http on this machine",
}

OPEN = frozenset({"RLM_EFFORT", "RLM_MODEL", "RLM_CHEAP_MODEL", "RLM_BUDGET"})
"""Variables that a repository may have a say in (`app/policy.py`), the first three if not set."""

DEFAULT_SERVER = "https://github.com"


class Settings(BaseModel):
    """One user's configuration. `github` is the server that `github_token` belongs to.

    `budget_usd` is None for no cap. `given` has those of OPEN that are set.
    `warnings` are sentences for standard error.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    anthropic_api_key: SecretStr | None = None
    anthropic_auth_token: SecretStr | None = None
    anthropic_base_url: str | None = None
    github_token: SecretStr | None = None
    github: Server
    provider: str = PROVIDERS[0]
    cloud: Bedrock | Vertex | None = None
    model: str = DEFAULT_MODEL
    own_cheap_model: str | None = None
    effort: str = DEFAULT_EFFORT
    budget_usd: float | None = DEFAULT_BUDGET_USD
    prices: Path | None = None
    repositories: tuple[Path, ...] = ()
    concurrency: int = DEFAULT_CONCURRENCY
    batch: bool = False
    home: Path
    debug: bool = False
    operations: Operations = DEFAULTS
    given: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()

    @property
    def has_key(self) -> bool:
        """Can the model's service be asked at all?"""
        if self.provider != PROVIDERS[0]:
            return self.cloud is not None
        return self.anthropic_api_key is not None or self.anthropic_auth_token is not None

    def cheap_for(self, strong: str) -> str:
        """Return the model for small questions of a run whose strong one is `strong`."""
        return self.own_cheap_model or cheap_beside(strong, self.provider, self.anthropic_base_url)

    @property
    def cheap_model(self) -> str:
        """The model for triage, verification and small questions, beside `model`."""
        return self.cheap_for(self.model)

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        """Everything that must not show, in a log say."""
        own = (self.github_token, self.anthropic_api_key, self.anthropic_auth_token)
        return (*(one for one in own if one), *(self.cloud.secrets if self.cloud else ()))

    def server(self, web: str) -> Server:
        """Return the server of a pull request whose address starts with `web`."""
        return self.github if web == self.github.web else server_at(web)

    def token_for(self, server: Server) -> SecretStr | None:
        """Return the GitHub token if it belongs to this very server: no other host sees it."""
        return self.github_token if server.web == self.github.web else None

    @property
    def plain_http(self) -> str:
        """The one server that may be asked without TLS, or ""."""
        return self.github.web if self.github.web.startswith("http://") else ""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from an environment, or raise TellUser about the first bad variable.

    A variable that is empty counts as absent.
    """
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    return Settings(
        anthropic_api_key=read_secret(given, "ANTHROPIC_API_KEY"),
        anthropic_auth_token=read_secret(given, "ANTHROPIC_AUTH_TOKEN"),
        anthropic_base_url=read_url(given, "ANTHROPIC_BASE_URL"),
        provider=read_provider(given),
        cloud=read_cloud(given),
        github_token=read_secret(given, "GITHUB_TOKEN"),
        github=_github(given),
        model=parse_model(given.get("RLM_MODEL", DEFAULT_MODEL), "RLM_MODEL"),
        own_cheap_model=_cheap(given),
        effort=_effort(given),
        budget_usd=parse_budget(given.get("RLM_BUDGET", str(DEFAULT_BUDGET_USD)), "RLM_BUDGET"),
        prices=_prices(given),
        repositories=_repositories(given),
        concurrency=_concurrency(given),
        batch=given.get("RLM_BATCH", "") not in UNSET,
        home=_home(given),
        debug=given.get("RLM_DEBUG", "") not in UNSET,
        operations=read_operations(given),
        given=frozenset(given.keys() & OPEN),
        warnings=tuple(_unknown(given)),
    )


def parse_budget(text: str, source: str) -> float | None:
    """Read a cap in dollars; "none" is no cap; raise TellUser naming `source`."""
    if text.lower() == "none":
        return None
    try:
        usd = float(text)
    except ValueError:
        usd = math.nan
    if not math.isfinite(usd) or usd < 0:
        raise TellUser(
            f"{source} is not an amount of dollars: {text!a}", "Give a number like 1.50, or none."
        )
    return usd


def parse_model(text: str, source: str) -> str:
    """Check a model's name, or raise TellUser naming `source`."""
    if re.fullmatch(MODEL_NAME, text) is None:
        raise TellUser(
            f"{source} is not the name of a model: {text[:200]!a}",
            f"Give a name like {DEFAULT_MODEL}.",
        )
    return text


def secret_of(value: SecretStr | None) -> str | None:
    """Take a secret out of its wrapping, for the one call that needs it."""
    return value.get_secret_value() if value else None


def _cheap(given: Mapping[str, str]) -> str | None:
    name = "RLM_CHEAP_MODEL"
    return parse_model(given[name], name) if name in given else None


def _github(given: Mapping[str, str]) -> Server:
    """Find the server that GITHUB_TOKEN belongs to, ours before gh's before that of Actions."""
    if "RLM_GITHUB_API_URL" in given and "RLM_GITHUB_SERVER_URL" not in given:
        raise TellUser(
            "RLM_GITHUB_API_URL is set without RLM_GITHUB_SERVER_URL", "Set both, or neither."
        )
    for name, api_name in (
        ("RLM_GITHUB_SERVER_URL", "RLM_GITHUB_API_URL"),
        ("GH_HOST", ""),
        ("GITHUB_SERVER_URL", "GITHUB_API_URL"),
    ):
        if name in given:
            web = _root(given, name)
            api = given.get(api_name)
            return Server(web, _api(api_name, api)) if api else server_at(web)
    return server_at(DEFAULT_SERVER)


def _root(given: Mapping[str, str], name: str) -> str:
    try:
        web = parse_server(given[name])
    except ValueError as error:
        raise TellUser(f"{name} is {error}", "Give one like https://github.example.com.") from error
    _check_scheme(name, web)
    return web


def _api(name: str, address: str) -> str:
    # A path, where there is one, is only ever /api/v3: nothing else is a GitHub.
    root, _, path = address.rstrip("/").partition("/api/v3")
    try:
        root = parse_server(root)
        if path:
            raise ValueError("not the root of a REST API")
    except ValueError as error:
        raise TellUser(f"{name} is {error}", "Give one like https://HOST/api/v3.") from error
    _check_scheme(name, root)
    return root + ("/api/v3" if "/api/v3" in address else "")


def _check_scheme(name: str, root: str) -> None:
    scheme, _, host = root.partition("://")
    here = name.startswith("RLM_") and host.partition(":")[0] in LOOPBACK
    if scheme != "https" and not here:
        raise TellUser(f"{name} is not an https address", "Give one like https://HOST.")


def _prices(given: Mapping[str, str]) -> Path | None:
    value = given.get("RLM_PRICES")
    if value is None:
        return None
    path = _expanded(value)
    if not path.is_file():
        raise TellUser(f"RLM_PRICES names no file: {value!a}", "Correct the path, or unset it.")
    return path


def _repositories(given: Mapping[str, str]) -> tuple[Path, ...]:
    """Return folders as they are now: a link counts as what it leads to."""
    names = given.get("RLM_REPOSITORIES", "").split(os.pathsep)
    folders = tuple(_expanded(name).resolve() for name in names if name)
    for folder in folders:
        if not folder.is_dir():
            raise TellUser(
                f"RLM_REPOSITORIES names no folder: {str(folder)!a}", "Correct the path."
            )
    return folders


def _effort(given: Mapping[str, str]) -> str:
    effort = given.get("RLM_EFFORT", DEFAULT_EFFORT)
    if effort not in EFFORTS:
        raise TellUser(
            f"RLM_EFFORT is not an effort: {effort[:200]!a}", f"Give one of {', '.join(EFFORTS)}."
        )
    return effort


def _concurrency(given: Mapping[str, str]) -> int:
    text = given.get("RLM_CONCURRENCY", str(DEFAULT_CONCURRENCY))
    number = int(text) if re.fullmatch(r"[0-9]{1,3}", text) else 0
    if not 1 <= number <= MAX_CONCURRENCY:
        raise TellUser(
            f"RLM_CONCURRENCY is not a number from 1 to {MAX_CONCURRENCY}: {text!a}",
            f"Leave it unset for {DEFAULT_CONCURRENCY}.",
        )
    return number


def _home(given: Mapping[str, str]) -> Path:
    if "RLM_HOME" in given:
        return _expanded(given["RLM_HOME"]).absolute()
    state = Path(given.get("XDG_STATE_HOME", ""))
    # The XDG specification has a relative path ignored.
    if state.is_absolute():
        return state / "rlm"
    user = Path(given["HOME"]) if "HOME" in given else _expanded("~")
    return user / ".local" / "state" / "rlm"


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise TellUser(
            f"This user has no home folder: {error}", "Set RLM_HOME to a folder of yours."
        ) from error


def _unknown(given: Mapping[str, str]) -> list[str]:
    """Warn of each RLM_ variable that nothing reads: most likely a slip of the keyboard."""
    warnings = []
    for name in sorted(given):
        if name.startswith("RLM_") and name not in VARIABLES:
            near = difflib.get_close_matches(name, VARIABLES, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            warnings.append(f"{name!a} is set, but nothing reads it{meant}")
    return warnings
