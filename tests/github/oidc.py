"""Who signs for the jobs of workflows: the issuer with its keys, and the runner that hands tokens on.

On a server of one's own the issuer lives below `/_services/token`. Times are GitHub's, so that a
clock that is wrong shows.
"""

import base64
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.github.state import FakeRepo, State

ISSUER = "/_services/token"
JWKS = f"{ISSUER}/.well-known/jwks"
ID_TOKEN = "/_services/pipelines/idtoken"
LIFE_S = 300


@cache
def _key(name: str) -> rsa.RSAPrivateKey:
    """Make a key once in a session."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(eq=False)
class Job:
    """A job of a workflow whose runner may ask for tokens: what they say of it."""

    claims: dict[str, Any]
    secret: str = field(default_factory=lambda: secrets.token_hex(30))


class Issuer:
    """Signs for every job of one fake GitHub. `names` are the keys that it shows, `name` signs."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.name = "2026-a"
        self.names = ["2026-a"]
        self.jobs: dict[str, Job] = {}

    @property
    def url(self) -> str:
        """The issuer's own name, which is an address."""
        return f"{self.state.web}{ISSUER}"

    def key(self, name: str = "") -> rsa.RSAPrivateKey:
        """Return a key by its name; the one that signs by default."""
        return _key(name or self.name)

    def rotate(self, name: str) -> None:
        """Sign with a new key, and show it beside the old ones."""
        self.names.append(name)
        self.name = name

    def document(self) -> dict[str, Any]:
        """Return the keys as GitHub shows them."""
        keys = []
        for name in self.names:
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key(name).public_key()))
            keys.append(
                {
                    "kty": "RSA",
                    "alg": "RS256",
                    "use": "sig",
                    "kid": name,
                    "n": public["n"],
                    "e": public["e"],
                    "x5t": base64.urlsafe_b64encode(name.encode()).decode(),
                }
            )
        return {"keys": keys}

    def claims(
        self,
        repo: FakeRepo,
        *,
        event: str = "pull_request",
        number: int = 1,
        actor: str = "alice",
        **more: Any,
    ) -> dict[str, Any]:
        """Say of a job what GitHub says: numbers are texts."""
        ref = f"refs/pull/{number}/merge" if event == "pull_request" else "refs/heads/main"
        owner = repo.owner
        workflow = f"{repo.full_name}/.github/workflows/review.yml@{ref}"
        return {
            "sub": f"repo:{repo.full_name}:{event}",
            "repository": repo.full_name,
            "repository_id": str(repo.id),
            "repository_owner": owner.login,
            "repository_owner_id": str(owner.id),
            "repository_visibility": "private" if repo.private else "public",
            "event_name": event,
            "ref": ref,
            "ref_type": "branch",
            "sha": "5" * 40,
            "actor": actor,
            "actor_id": str(self.state.user(actor).id),
            "run_id": "77",
            "run_number": "3",
            "run_attempt": "1",
            "runner_environment": "github-hosted",
            "workflow": "Review",
            "workflow_ref": workflow,
            "job_workflow_ref": workflow,
            **more,
        }

    def sign(
        self, claims: Mapping[str, Any], audience: str, *, life_s: int = LIFE_S, **more: Any
    ) -> str:
        """Make a token; `more` are claims in place of what it would say itself."""
        now = int(self.state.now())
        said = {
            "jti": str(uuid.uuid4()),
            "aud": audience,
            "iss": self.url,
            "nbf": now - 600,
            "iat": now,
            "exp": now + life_s,
            **claims,
            **more,
        }
        return jwt.encode(said, self.key(), "RS256", headers={"kid": self.name, "x5t": "abc"})

    def job(self, repo: FakeRepo, **about: Any) -> dict[str, str]:
        """Start a job with `id-token: write`; return the variables that its runner sets."""
        made = Job(self.claims(repo, **about))
        self.jobs[made.secret] = made
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.state.web}{ID_TOKEN}?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": made.secret,
        }

    def answer(self, secret: str | None, query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """Answer a runner: the token is in the field `value`, for the audience of the query."""
        found = self.jobs.get(secret or "")
        if found is None or query.get("api-version") != "2.0":
            return 401, {"message": "unauthorized"}
        owner = f"{self.state.web}/{found.claims['repository_owner']}"
        return 200, {"count": 1, "value": self.sign(found.claims, query.get("audience", owner))}
