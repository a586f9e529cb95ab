"""Apps, their installations, and tokens: who asks, and what they may do."""

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.github.errors import Refusal, bad_credentials, not_found
from tests.github.quirks import quirk
from tests.github.state import FakeRepo, State, User

ROOT = Path(__file__).parents[2]
TOKEN_LIFE_S = 3_600.0
JWT_LIFE_S = 600
LEVELS = {"read": 1, "write": 2, "admin": 3}
MAX_REPOSITORY_IDS = 500

ACTIONS_APP_ID = 15_368
FIRST_APP_ID = 1_200_000

# What GitHub answers to a JWT that it does not take.
UNREADABLE = "A JSON web token could not be decoded"
EXPIRED = (
    "'Expiration time' claim ('exp') must be a numeric value representing the future time at which"
    " the assertion expires"
)
TOO_FAR = "'Expiration time' claim ('exp') is too far in the future"
NOT_YET = (
    "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was"
    " issued"
)
NO_ISSUER = "Missing 'issuer' claim ('iss') in assertion"

NOT_GRANTED = "The permissions requested are not granted to this installation."
NOT_INSTALLED = (
    "There is at least one repository that does not exist or is not accessible to the parent"
    " installation."
)
SUSPENDED = "This installation has been suspended"


@cache
def _key(number: int) -> rsa.RSAPrivateKey:
    """Make a key once in a session; Apps of different tests may have the same."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class FakeApp:
    """A GitHub App with its secrets."""

    def __init__(
        self,
        state: State,
        slug: str,
        *,
        id: int,
        key: int,
        owner: User,
        name: str,
        permissions: Mapping[str, str],
        events: list[str],
        manifest: Mapping[str, Any] | None = None,
    ) -> None:
        self.state, self.slug, self.id, self.owner, self.name = state, slug, id, owner, name
        self.permissions = dict(permissions)
        self.events = list(events)
        self.manifest = manifest
        self.client_id = f"Iv23li{secrets.token_hex(7)}"
        self.client_secret = secrets.token_hex(20)
        self.webhook_secret = secrets.token_hex(20)
        self.private_key = _key(key)
        self.pem = self.private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ).decode()
        self.callback_urls: list[str] = list((manifest or {}).get("callback_urls", []))
        self.created = state.now()
        self.installations: dict[int, FakeInstallation] = {}
        self.bot = state.user(f"{slug}[bot]")
        self.hook: dict[str, str] = {
            "url": "https://rlm.example.com/webhook",
            "content_type": "json",
            "insecure_ssl": "0",
            "secret": "********",
        }
        """The webhook as its settings tell it: of the secret, that there is one."""
        self.deliveries: list[Delivery] = []
        """What was sent to the App's webhook and noted down, the oldest first."""

    @property
    def actor(self) -> str:
        """The login under which the App writes."""
        return self.bot.login

    @property
    def html_url(self) -> str:
        """The App's public page."""
        return f"{self.state.web}/apps/{self.slug}"

    def environ(self) -> dict[str, str]:
        """The variables of a server that is this App."""
        return {
            "RLM_APP_ID": str(self.id),
            "RLM_APP_PRIVATE_KEY": self.pem,
            "RLM_WEBHOOK_SECRET": self.webhook_secret,
        }

    def covers(self, repo: FakeRepo) -> bool:
        """Is the App installed for this repository?"""
        return any(repo in one.repositories for one in self.installations.values())

    def install(
        self, *repositories: FakeRepo, permissions: Mapping[str, str] | None = None
    ) -> "FakeInstallation":
        """Install on repositories of one account; a later call adds to the same installation.

        `permissions` are those that the account accepted, all that the App asks for by default.
        """
        account = repositories[0].owner
        assert all(repo.owner is account for repo in repositories), "one account, one installation"
        found = next((i for i in self.installations.values() if i.account is account), None)
        if found is None:
            found = FakeInstallation(self.state.next_id(), self, account, dict(self.permissions))
            self.installations[found.id] = found
        if permissions is not None:
            found.permissions = dict(permissions)
        found.repositories.extend(repo for repo in repositories if repo not in found.repositories)
        return found


@dataclass(eq=False)
class Delivery:
    """One attempt to deliver an event; `status` is the answer's, 0 where there was none."""

    id: int
    guid: str
    event: str
    payload: Mapping[str, Any]
    status: int
    at: float
    again: Callable[["Delivery"], object]
    redelivery: bool = False


@dataclass(eq=False)
class FakeInstallation:
    """An App on an account. Its lists may be changed at any time, by its owner or by a test."""

    id: int
    app: FakeApp
    account: User
    permissions: dict[str, str]
    repositories: list[FakeRepo] = field(default_factory=list)
    suspended: bool = False

    @quirk("25 a repository or pull request that is gone")
    def remove(self, repo: FakeRepo) -> None:
        """Take a repository out of the installation."""
        self.repositories.remove(repo)

    @quirk("an App that is suspended or uninstalled gets nothing")
    def delete(self) -> None:
        """Uninstall the App; to do it again changes nothing."""
        self.app.installations.pop(self.id, None)


@dataclass(eq=False)
class Access:
    """Who asks. `repositories` is None for a user, who sees what the user's role lets see."""

    user: User | None = None
    app: FakeApp | None = None
    as_app: bool = False  # by a JWT: the App itself, not one of its installations
    installation: FakeInstallation | None = None
    through: FakeApp | None = None  # a person, as an App acts for them: both have to be allowed
    repositories: tuple[FakeRepo, ...] | None = None
    permissions: Mapping[str, str] = field(default_factory=dict)
    token: str | None = None

    def covers(self, repo: FakeRepo) -> bool:
        """Is the repository in the scope of this token?"""
        if self.installation is not None and repo not in self.installation.repositories:
            return False
        return self.repositories is not None and repo in self.repositories

    @quirk("what one may not see is not there", "an App sees what both it and the person may")
    def sees(self, repo: FakeRepo) -> bool:
        """May the asker know that the repository is there?"""
        if not repo.private:
            return True
        if self.repositories is not None:
            return self.covers(repo)
        if self.through is not None and not self.through.covers(repo):
            return False
        return self.user is not None and repo.role(self.user) != "none"

    @quirk("24 a permission that was not accepted, or in part")
    def has(self, permission: str, level: str) -> bool:
        """Does the token carry a permission?"""
        if permission == "metadata":
            return True
        grants = [self.permissions]
        if self.installation is not None:
            grants.append(self.installation.permissions)
        return all(LEVELS.get(given.get(permission, ""), 0) >= LEVELS[level] for given in grants)


@dataclass(eq=False)
class TokenRecord:
    """A token that was given out."""

    access: Access
    expires: float


@dataclass(frozen=True)
class Grant:
    """What somebody said yes to: a code that an App can make a token of, once."""

    app: FakeApp
    user: User
    redirect_uri: str
    challenge: str
    expires: float


class Apps:
    """The Apps and tokens of one fake GitHub."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.by_slug: dict[str, FakeApp] = {}
        self.tokens: dict[str, TokenRecord] = {}
        self.codes: dict[str, tuple[FakeApp, float]] = {}
        self.grants: dict[str, Grant] = {}
        self.old_tokens = False
        """Mint tokens of 40 characters, as an Enterprise Server does."""

    def add(
        self,
        slug: str,
        *,
        owner: str = "octo",
        name: str | None = None,
        permissions: Mapping[str, str] | None = None,
        events: list[str] | None = None,
        manifest: Mapping[str, Any] | None = None,
    ) -> FakeApp:
        """Register an App; by default it asks for what app.yml asks for."""
        ours = yaml.safe_load((ROOT / "app.yml").read_text())
        number = len(self.by_slug)
        app = FakeApp(
            self.state,
            slug,
            id=FIRST_APP_ID + number,
            key=number,
            owner=self.state.user(owner),
            name=name or slug,
            permissions=ours["default_permissions"] if permissions is None else permissions,
            events=ours["default_events"] if events is None else events,
            manifest=manifest,
        )
        self.by_slug[slug] = app
        return app

    def actions(self) -> FakeApp:
        """The App behind the token of a workflow."""
        if "github-actions" not in self.by_slug:
            self.by_slug["github-actions"] = FakeApp(
                self.state,
                "github-actions",
                id=ACTIONS_APP_ID,
                key=0,
                owner=self.state.user("github", "Organization"),
                name="GitHub Actions",
                permissions={},
                events=[],
            )
        return self.by_slug["github-actions"]

    @quirk("6 a token of 520 characters with dots", "28 servers of one's own")
    def mint(self, access: Access, life_s: float = TOKEN_LIFE_S) -> str:
        """Make a token for an asker."""
        if access.through is not None:
            token = f"ghu_{secrets.token_hex(18)}"
        elif access.app is None:
            token = f"ghp_{secrets.token_hex(18)}"
        elif self.old_tokens:
            token = f"ghs_{secrets.token_hex(18)}"
        else:
            token = long_token(access.app.id)
        access.token = token
        self.tokens[token] = TokenRecord(access, self.state.now() + life_s)
        return token

    @quirk(
        "7 a token that ends in the middle", "an App that is suspended or uninstalled gets nothing"
    )
    def who(self, token: str | None) -> Access:
        """Find out who asks; raise what GitHub says to a bad token."""
        if token is None:
            return Access()
        record = self.tokens.get(token)
        if record is None:
            if token.count(".") == 2 and not token.startswith("gh"):
                return self._by_jwt(token)
            raise bad_credentials()
        access = record.access
        if record.expires <= self.state.now():
            raise bad_credentials()
        if access.installation is not None:
            if access.installation.id not in access.installation.app.installations:
                raise bad_credentials()
            if access.installation.suspended:
                raise Refusal(403, SUSPENDED)
        return access

    @quirk("a clock that jumps")
    def _by_jwt(self, token: str) -> Access:
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
            algorithm = jwt.get_unverified_header(token).get("alg")
        except jwt.PyJWTError as error:
            raise Refusal(401, UNREADABLE) from error
        issuer = str(claims.get("iss", ""))
        if not issuer:
            raise Refusal(401, NO_ISSUER)
        app = next((a for a in self.by_slug.values() if issuer in {str(a.id), a.client_id}), None)
        if app is None:
            raise Refusal(404, "Integration not found")
        try:
            jwt.decode(
                token,
                app.private_key.public_key(),
                algorithms=["RS256"],
                options={f"verify_{claim}": False for claim in ("exp", "iat", "iss", "sub")},
            )
        except jwt.PyJWTError as error:
            raise Refusal(401, UNREADABLE) from error
        assert algorithm == "RS256"
        now = self.state.now()
        expires, issued = claims.get("exp"), claims.get("iat")
        if not isinstance(expires, int | float) or expires <= now:
            raise Refusal(401, EXPIRED)
        if expires > now + JWT_LIFE_S:
            raise Refusal(401, TOO_FAR)
        if not isinstance(issued, int) or issued > now:
            raise Refusal(401, NOT_YET)
        return Access(app=app, as_app=True, token=token)

    @quirk(
        "24 a permission that was not accepted, or in part",
        "an App that is suspended or uninstalled gets nothing",
    )
    def installation_token(
        self, app: FakeApp, installation_id: int, wanted: Mapping[str, Any]
    ) -> tuple[TokenRecord, str]:
        """Give out a token for an installation, cut down to what was asked for."""
        installation = app.installations.get(installation_id)
        if installation is None:
            raise not_found()
        if installation.suspended:
            raise Refusal(403, SUSPENDED)
        repositories = tuple(installation.repositories)
        if "repository_ids" in wanted or "repositories" in wanted:
            ids, names = wanted.get("repository_ids", []), wanted.get("repositories", [])
            if len(ids) + len(names) > MAX_REPOSITORY_IDS:
                raise Refusal(422, "Too many repositories: the maximum is 500.")
            repositories = tuple(r for r in repositories if r.id in ids or r.name in names)
            if len(repositories) < len({*ids, *names}):
                raise Refusal(422, NOT_INSTALLED)
        granted = {"metadata": "read", **installation.permissions}
        permissions = dict(wanted.get("permissions") or granted)
        if any(
            LEVELS[level] > LEVELS.get(granted.get(name, ""), 0)
            for name, level in permissions.items()
        ):
            raise Refusal(422, NOT_GRANTED)
        access = Access(
            user=app.bot,
            app=app,
            installation=installation,
            repositories=repositories,
            permissions={"metadata": "read", **permissions},
        )
        token = self.mint(access)
        return self.tokens[token], token

    @quirk("the code of a manifest works once")
    def register(self, manifest: Mapping[str, Any], owner: str) -> str:
        """Make an App from a manifest and return the code that buys its secrets, once."""
        name = str(manifest.get("name") or f"app-{secrets.token_hex(3)}")
        slug = "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
        while slug in self.by_slug:
            slug += "-1"
        app = self.add(
            slug,
            owner=owner,
            name=name,
            permissions=manifest.get("default_permissions", {}),
            events=manifest.get("default_events", []),
            manifest=manifest,
        )
        code = secrets.token_hex(20)
        self.codes[code] = (app, self.state.now() + TOKEN_LIFE_S)
        return code

    @quirk("a revoked token is a bad one")
    def revoke(self, client_id: str, secret: str, token: object) -> None:
        """End a person's token, as its App may."""
        app = next((one for one in self.by_slug.values() if one.client_id == client_id), None)
        record = self.tokens.get(str(token))
        if app is None or secret != app.client_secret:
            raise not_found()
        if record is None or record.access.through is not app:
            raise not_found()
        del self.tokens[str(token)]

    @quirk("the code of a manifest works once")
    def convert(self, code: str) -> FakeApp:
        """Take a code for the App that it stands for."""
        app, expires = self.codes.pop(code, (None, 0.0))
        if app is None or expires <= self.state.now():
            raise not_found()
        return app


@quirk("6 a token of 520 characters with dots")
def long_token(app_id: int) -> str:
    """Make a token as GitHub does since 2026: about 520 characters, a JWT in it.

    It always holds a dot, a dash and an underscore: whoever expects only letters is found out.
    """

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    header = part(json.dumps({"alg": "EdDSA", "typ": "JWT"}).encode())
    claims = part(json.dumps({"jti": secrets.token_hex(90), "iss": "github"}).encode())
    while True:
        signature = part(secrets.token_bytes(140))
        if "-" in signature and "_" in signature:
            return f"ghs_{app_id}_{header}.{claims}.{signature}"
