"""What `rlm serve` is configured with, and which of its processes is told what.

The environment goes before the file that `rlm setup` wrote. Nothing that is missing or wrong here
is an error: a server that waits for its App still verifies deliveries and says what it waits for.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr

from app.credentials import Credentials, load
from app.github.auth import check_key, read_key
from app.github.urls import Server, issuer_of, parse_public
from app.model_service import MODEL_VARIABLES, variables_of
from app.operations import OPERATION_VARIABLES
from app.public import PUBLIC_URL, Public, read_public
from app.queue import PREFIX, REDIS_URL, prefix
from app.roles import INTERNAL, MARKER_KEY, NODE, SESSION_KEY, TROUBLE, role_of
from app.settings import VARIABLES, Settings, read_settings
from app.signature import SECRET_VARIABLES, secrets_in
from reviewer.errors import TellUser
from reviewer.model.access import Vertex

STORE_FILE = "rlm.sqlite3"
MARKER_FILE = "marker.key"
NODE_FILE = "node"

DATABASE_URL = "DATABASE_URL"
REDIS_URLS = {"github": "REDIS_URL_GITHUB", "engine": "REDIS_URL_ENGINE"}
"""Each role may have a user of its own in Redis."""

KEY_BYTES = 32

APP_ID = "RLM_APP_ID"
PRIVATE_KEY = "RLM_APP_PRIVATE_KEY"
ACTIONS_ISSUER = "RLM_ACTIONS_ISSUER"
WRITE = "RLM_WRITE"

SETUP = "Run `rlm setup`, or set {}."

EVERYBODY = frozenset(
    {
        "PATH", "HOME", "TMPDIR", "LANG", "LANGUAGE", "TZ",
        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
        "http_proxy", "https_proxy", "all_proxy", "no_proxy",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO",
        "RLM_DEBUG", DATABASE_URL, *OPERATION_VARIABLES,
    }
)  # fmt: skip
"""What every process gets. RLM_HOME and the server's two addresses are added, as understood."""

ENGINES = frozenset(
    {
        *MODEL_VARIABLES,
        "RLM_MODEL", "RLM_CHEAP_MODEL", "RLM_EFFORT", "RLM_BUDGET", "RLM_PRICES",
        "RLM_CONCURRENCY", "RLM_BATCH",
    }
)  # fmt: skip

_SERVERS = ("RLM_GITHUB_SERVER_URL", "GH_HOST", "GITHUB_SERVER_URL")
_PLACES = frozenset(
    {*_SERVERS, "RLM_GITHUB_API_URL", "GITHUB_API_URL", "RLM_HOME", "XDG_STATE_HOME"}
)

_MARKER_KEY = re.compile(rf"[0-9a-f]{{{2 * KEY_BYTES}}}")

_APP_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps one role from its work: a sentence, and what to do about it.

    `absent`: nothing is wrong, something is only not there yet.
    """

    role: str
    problem: str
    hint: str
    absent: bool = False

    def __str__(self) -> str:
        """Both, as sentences."""
        return f"{self.problem.rstrip('.')}. {self.hint}".strip()


class ServerSettings(BaseModel):
    """The server's configuration. `base` holds the engines' part, and defaults if that is wrong.

    `slug` is the App's name where it is known. `actions_issuer` signs the tokens of jobs in
    workflows. `write`: the App may write branches and pull requests that somebody asked for.
    `troubles` is empty when everything can work.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    base: Settings
    github: Server
    home: Path
    app_id: str | None = None
    slug: str = ""
    actions_issuer: str = ""
    private_key: SecretStr | None = None
    webhook_secrets: tuple[SecretStr, ...] = ()
    marker_key: SecretStr | None = None
    session_key: SecretStr | None = None
    public: Public = Public()
    write: bool = False
    troubles: tuple[Trouble, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """What is missing or wrong, as sentences."""
        return tuple(dict.fromkeys(str(trouble) for trouble in self.troubles))

    def problem_of(self, name: str) -> str:
        """Return what keeps a process (or a role) from its work, "" if nothing does."""
        return " ".join(str(one) for one in self.troubles if one.role == role_of(name))


def read_server_settings(environ: Mapping[str, str]) -> ServerSettings:
    """Read the environment and the stored App; TellUser only about the folder or the server."""
    return _read(environ, with_stored=True)


def read_role_settings(environ: Mapping[str, str]) -> ServerSettings:
    """Read what the supervisor gave to a process, and no file: the stored App has all secrets."""
    return _read(environ, with_stored=False)


def _read(environ: Mapping[str, str], *, with_stored: bool) -> ServerSettings:
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    shared = read_settings(_of(given, EVERYBODY | _PLACES))
    troubles: list[Trouble] = []
    base = _base(given, shared, troubles)
    stored, why = _stored(given, shared) if with_stored else (None, _passed_on(given))
    app_id, key = _app(given, stored, why, troubles)
    webhook_secrets = _webhook_secrets(given, stored, why, troubles)
    public = _public(given, stored, troubles)
    unknown = {*given} - {*VARIABLES} - INTERNAL
    github = stored.server if stored else shared.github
    return ServerSettings(
        base=base,
        github=github,
        home=shared.home,
        app_id=app_id,
        slug=stored.slug if stored else "",
        actions_issuer=_address(given, ACTIONS_ISSUER, troubles) or issuer_of(github),
        private_key=key,
        webhook_secrets=webhook_secrets,
        marker_key=SecretStr(given[MARKER_KEY]) if MARKER_KEY in given else None,
        session_key=SecretStr(given[SESSION_KEY]) if SESSION_KEY in given else None,
        public=public,
        write=_write(given, troubles),
        troubles=tuple(troubles),
        warnings=read_settings(_of(given, unknown | {"HOME", "RLM_HOME"})).warnings,
    )


def role_environ(settings: ServerSettings, name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process: what everybody needs and its own secrets, no more.

    What is wrong is passed on as it is, so that the process says so too.
    """
    everybody = _of(environ, EVERYBODY | {NODE})
    everybody |= {name: value for name, value in environ.items() if name.startswith("LC_")}
    everybody |= {
        "RLM_HOME": str(settings.home),
        "RLM_GITHUB_SERVER_URL": settings.github.web,
        "RLM_GITHUB_API_URL": settings.github.api,
    }
    role = role_of(name)
    if url := redis_url(role, environ):
        everybody |= {REDIS_URL: url, PREFIX: prefix(role)}
    match role:
        case "web":
            own = {SECRET_VARIABLES[0]: "\n".join(_all(settings.webhook_secrets))}
            own |= _of(environ, {ACTIONS_ISSUER})
            if settings.public.url:
                own[PUBLIC_URL] = settings.public.url
            if settings.public.has_pages and MARKER_KEY in environ:
                own |= settings.public.environ() | _of(environ, {"RLM_BUDGET"})
                own[SESSION_KEY] = session_key(environ[MARKER_KEY])
            return everybody | own
        case "github":
            own = _of(environ, {APP_ID, PRIVATE_KEY, MARKER_KEY, WRITE})
            if settings.app_id is not None:
                own[APP_ID] = settings.app_id
            if settings.private_key is not None:
                own[PRIVATE_KEY] = settings.private_key.get_secret_value()
            if trouble := settings.problem_of(name):
                own[TROUBLE] = trouble
            if settings.public.has_pages:  # to link to them
                own[PUBLIC_URL] = settings.public.url
            return everybody | own
        case "engine":
            # Keys of a cloud that is not asked are somebody else's.
            asked = variables_of(environ.get("RLM_PROVIDER", "").strip())
            own = _of(environ, ENGINES - (MODEL_VARIABLES.keys() - asked))
            if settings.base.prices is not None:
                own["RLM_PRICES"] = str(settings.base.prices.absolute())
            if isinstance(cloud := settings.base.cloud, Vertex) and cloud.credentials is not None:
                own["GOOGLE_APPLICATION_CREDENTIALS"] = str(cloud.credentials)
            return everybody | own
    raise ValueError(f"no role: {name}")


def redis_url(role: str, environ: Mapping[str, str]) -> str:
    """Return where a role's queue is, "" if it has none."""
    if role not in REDIS_URLS:
        return ""
    return (environ.get(REDIS_URLS[role], "") or environ.get(REDIS_URL, "")).strip()


def store_at(home: Path, environ: Mapping[str, str]) -> Path | str:
    """Return where the store is: the URL of a database, else a file of the state folder."""
    return environ.get(DATABASE_URL, "").strip() or home / STORE_FILE


def node(home: Path, environ: Mapping[str, str]) -> str:
    """Return what tells this server's processes from those of others on the same database.

    "" where there can be none; else it ends with "/" and stays the same as long as the state
    folder does, so that a server that starts anew gets back at once what it had claimed.
    """
    if isinstance(store_at(home, environ), Path):
        return ""
    path = home / NODE_FILE
    try:
        return path.read_text("ascii").strip() + "/"
    except FileNotFoundError:
        _write_new(path, f"{secrets.token_hex(4)}\n")
    except (OSError, ValueError) as error:
        raise TellUser(f"{path} cannot be read: {error}", "Delete it.") from error
    return path.read_text("ascii").strip() + "/"


def make_marker_key(home: Path, given: str = "") -> str:
    """Return the key that signs our markers, as hexadecimal digits; make it at the first start.

    Without it what we wrote before is not known as ours any more: it belongs into a backup.
    `given`, RLM_MARKER_KEY, is for servers that share a database: they sign with one key.
    """
    if given:
        if _MARKER_KEY.fullmatch(given) is None:
            raise TellUser(
                f"{MARKER_KEY} is no key", f"Copy it from {MARKER_FILE} of the first server."
            )
        return given
    path = home / MARKER_FILE
    try:
        key = path.read_text("ascii").strip()
    except FileNotFoundError:
        key = secrets.token_hex(KEY_BYTES)
        _write_new(path, f"{key}\n")
    except (OSError, ValueError) as error:
        raise TellUser(f"{path} cannot be read: {error}", "Restore it from a copy.") from error
    if _MARKER_KEY.fullmatch(key) is None:
        raise TellUser(
            f"{path} holds no key of ours",
            "Restore it from a copy, or delete it: then older comments count as foreign.",
        )
    return key


def session_key(marker_key: str) -> str:
    """Return the key that seals sessions: made from the other one, which it does not give away."""
    return hmac.new(
        bytes.fromhex(marker_key), b"sessions of the run pages", hashlib.sha256
    ).hexdigest()


def _write_new(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _of(environ: Mapping[str, str], names: Set[str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name in names}


def _all(values: tuple[SecretStr, ...]) -> list[str]:
    return [value.get_secret_value() for value in values]


def _base(given: Mapping[str, str], shared: Settings, troubles: list[Trouble]) -> Settings:
    try:
        return read_settings(_of(given, EVERYBODY | _PLACES | ENGINES))
    except TellUser as error:
        troubles.append(Trouble("engine", error.problem, error.hint))
        return shared


def _stored(
    given: Mapping[str, str], shared: Settings
) -> tuple[Credentials | None, TellUser | None]:
    """Return what `rlm setup` stored, if it is the App that the environment means, or why not."""
    try:
        stored = load(shared.home)
        if stored is None or given.get(APP_ID, stored.app_id) not in _names(stored):
            return None, None
        _check_server(stored, shared, any(name in given for name in _SERVERS))
    except TellUser as error:
        return None, error
    return stored, None


def _passed_on(given: Mapping[str, str]) -> TellUser | None:
    """Return what the supervisor found wrong with the stored App."""
    return TellUser(given[TROUBLE]) if TROUBLE in given else None


def _names(stored: Credentials) -> tuple[str, str]:
    return stored.app_id, stored.client_id


def _check_server(stored: Credentials, shared: Settings, named: bool) -> None:
    """Refuse an App of another server than the environment names, and an address of no server."""
    if named and stored.server.web != shared.github.web:
        raise TellUser(
            f"The stored App lives on {stored.server.host}, not on {shared.github.host}",
            "Unset GH_HOST, or run `rlm setup --force` for an App on the other server.",
        )
    read_settings(
        {
            "HOME": str(shared.home),
            "RLM_GITHUB_SERVER_URL": stored.server_web,
            "RLM_GITHUB_API_URL": stored.server_api,
        }
    )


def _address(given: Mapping[str, str], name: str, troubles: list[Trouble]) -> str:
    """Return an address without its final slash, "" if it is missing or wrong."""
    if name not in given:
        return ""
    try:
        return parse_public(given[name])
    except ValueError as error:
        hint = "Give one like https://rlm.example.com; plain http is for this machine alone."
        troubles.append(Trouble("web", f"{name} is {error}", hint))
        return ""


def _write(given: Mapping[str, str], troubles: list[Trouble]) -> bool:
    text = given.get(WRITE, "off").lower()
    if text not in {"on", "off"}:
        troubles.append(Trouble("github", f"{WRITE} is neither on nor off", f"Unset {WRITE}."))
    return text == "on"


def _app(
    given: Mapping[str, str],
    stored: Credentials | None,
    why: TellUser | None,
    troubles: list[Trouble],
) -> tuple[str | None, SecretStr | None]:
    """Return the App's id and key; each None if it is missing or wrong."""
    app_id = given.get(APP_ID) or (stored.app_id if stored else None)
    source = PRIVATE_KEY
    key_text = given.get(PRIVATE_KEY)
    if key_text is None and stored is not None:
        source, key_text = "The stored key", stored.pem.get_secret_value()
    lacking = [name for name, has in ((APP_ID, app_id), (PRIVATE_KEY, key_text)) if not has]
    if lacking and why is not None:
        troubles.append(Trouble("github", why.problem, why.hint))
    elif len(lacking) == 2:
        hint = SETUP.format(f"{APP_ID} and {PRIVATE_KEY}")
        troubles.append(Trouble("github", "No GitHub App is configured", hint, absent=True))
    elif lacking:
        hint = f"Set {lacking[0]}, or run `rlm setup` for an App of its own."
        troubles.append(Trouble("github", f"{lacking[0]} is not set", hint))
    if app_id is not None and _APP_ID.fullmatch(app_id) is None:
        hint = "Copy the number, or the client id, from the App's settings."
        troubles.append(Trouble("github", f"{APP_ID} is not the id of a GitHub App", hint))
        app_id = None
    key = None
    if key_text is not None:
        try:
            key = check_key(read_key(key_text, source))
        except TellUser as error:
            troubles.append(Trouble("github", error.problem, error.hint))
    return app_id, key


def _public(
    given: Mapping[str, str], stored: Credentials | None, troubles: list[Trouble]
) -> Public:
    try:
        return read_public(given, stored)
    except TellUser as error:
        troubles.append(Trouble("web", error.problem, error.hint))
        return Public()


def _webhook_secrets(
    given: Mapping[str, str],
    stored: Credentials | None,
    why: TellUser | None,
    troubles: list[Trouble],
) -> tuple[SecretStr, ...]:
    """Return every secret that a delivery may be signed with, the newest first."""
    current = SECRET_VARIABLES[0]
    texts = {name: given[name] for name in SECRET_VARIABLES if name in given}
    if current not in texts and stored is not None and stored.webhook_secret is not None:
        texts = {current: stored.webhook_secret.get_secret_value(), **texts}
    found = [secret.decode() for secret in secrets_in(texts)]
    if any(not secret.isprintable() for secret in found):
        hint = "Copy it again, alone; several stand one a line."
        troubles.append(Trouble("web", "A webhook secret holds a character that none has", hint))
    elif current not in texts and why is not None:
        troubles.append(Trouble("web", why.problem, why.hint))
    elif current not in texts:
        hint = SETUP.format(f"{current} to the secret of the App's webhook")
        troubles.append(Trouble("web", "No webhook secret is configured", hint, absent=True))
    return tuple(SecretStr(secret) for secret in found)
