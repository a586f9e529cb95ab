"""Tokens of jobs: what is believed of them, and what is not, over the issuer's real pages."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app import oidc
from app.github.urls import issuer_of, server_at
from app.oidc import FAILED_S, FRESH_S, KEPT_S, LEEWAY_S, REFRESH_S, Keys, Untrusted, Verifier
from reviewer.errors import RetryLater
from tests.github.hub import FakeGitHub
from tests.github.oidc import JWKS
from tests.github.state import FakeRepo

OURS = "https://rlm.example.com"


class Clock:
    """A clock that stands until somebody moves it."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """A verifier and the issuer that it trusts."""

    def __init__(self, hub: FakeGitHub) -> None:
        self.hub = hub
        self.repo: FakeRepo = hub.repository("octo/hello", private=True)
        self.clock = Clock()
        self.keys = Keys(hub.issuer.url, clock=self.clock)
        self.verifier = Verifier(self.keys, OURS)

    def said(self, **more: Any) -> dict[str, Any]:
        """The claims of an ordinary job with some of them changed, or left out by None."""
        changed = self.hub.issuer.claims(self.repo) | more
        return {name: value for name, value in changed.items() if value is not None}

    def token(self, audience: str = OURS, **more: Any) -> str:
        return self.hub.issuer.sign(self.said(**more), audience)

    def refusal(self, token: str) -> str:
        with pytest.raises(Untrusted) as caught:
            self.verifier.claims(token)
        assert token[:20] not in str(caught.value)
        return str(caught.value)

    @property
    def fetched(self) -> int:
        return len(self.hub.asked("GET", JWKS))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with FakeGitHub(tmp_path) as hub:
        yield Desk(hub)


def test_a_token_of_a_job_says_for_what_it_runs(desk: Desk) -> None:
    claims = desk.verifier.claims(desk.token())
    assert (claims.repository, claims.repository_id) == ("octo/hello", desk.repo.id)
    assert (claims.event_name, claims.ref) == ("pull_request", "refs/pull/1/merge")
    assert (claims.actor, claims.runner_environment) == ("alice", "github-hosted")


def test_the_keys_are_fetched_once_and_again_after_an_hour(desk: Desk) -> None:
    for _ in range(3):
        desk.verifier.claims(desk.token())
    assert desk.fetched == 1
    desk.clock.now += FRESH_S
    desk.verifier.claims(desk.token())
    assert desk.fetched == 2


@pytest.mark.parametrize(
    ("web", "issuer"),
    [
        ("https://github.com", "https://token.actions.githubusercontent.com"),
        ("https://octo.ghe.com", "https://token.actions.octo.ghe.com"),
        ("https://github.example.com", "https://github.example.com/_services/token"),
    ],
)
def test_each_product_has_its_issuer_elsewhere(web: str, issuer: str) -> None:
    assert issuer_of(server_at(web)) == issuer


# What is not believed


def test_a_token_for_another_server_is_refused_with_the_audience_that_counts(desk: Desk) -> None:
    said = desk.refusal(desk.token("https://other.example.com"))
    assert said == f"It is made for another server: its audience has to be {OURS}."


def test_a_list_of_audiences_is_not_ours_even_with_us_in_it(desk: Desk) -> None:
    assert "another server" in desk.refusal(desk.token(aud=[OURS, "https://other.example.com"]))


@pytest.mark.parametrize(
    "issuer", ["https://token.actions.githubusercontent.com", "", "{ours}/", "{ours}.evil.example"]
)
def test_another_issuer_is_refused(desk: Desk, issuer: str) -> None:
    named = issuer.format(ours=desk.hub.issuer.url)
    assert "Another issuer" in desk.refusal(desk.token(iss=named))


def part(value: object) -> str:
    raw = json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unsigned(desk: Desk) -> str:
    claims = desk.token().split(".")[1]
    return f"{part({'alg': 'none', 'typ': 'JWT', 'kid': '2026-a'})}.{claims}."


def signed_with_the_public_key(desk: Desk) -> str:
    """HS256 with what everybody can fetch, as the secret."""
    public = desk.hub.issuer.key().public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    claims = desk.token().split(".")[1]
    text = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': '2026-a'})}.{claims}"
    mac = hmac.new(pem, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def signed_by_a_stranger(desk: Desk) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(
        jwt.decode(desk.token(), options={"verify_signature": False}),
        key,
        "RS256",
        headers={"kid": "2026-a"},
    )


def with_a_key_of_its_own(desk: Desk) -> str:
    """The header brings the key, and an address where it is said to be."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    own = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    claims = jwt.decode(desk.token(), options={"verify_signature": False})
    headers = {"kid": "2026-a", "jwk": own, "jku": f"{desk.hub.web}/evil", "x5u": "https://evil"}
    return jwt.encode(claims, key, "RS256", headers=headers)


def changed(desk: Desk) -> str:
    header, _, signature = desk.token().split(".")
    other = {**desk.said(), "repository_id": "1", "aud": OURS, "iss": desk.hub.issuer.url}
    return f"{header}.{part(other)}.{signature}"


@pytest.mark.parametrize(
    "forge",
    [unsigned, signed_with_the_public_key, signed_by_a_stranger, with_a_key_of_its_own, changed],
)
def test_a_forged_token_is_refused(desk: Desk, forge: Callable[[Desk], str]) -> None:
    desk.verifier.claims(desk.token())
    said = desk.refusal(forge(desk))
    assert "not signed with RS256" in said or "signature or its form" in said
    assert desk.hub.asked(path="/evil") == []


@pytest.mark.parametrize(
    "token", ["", "x", "a.b.c", "é.é.é", "." * 9_000, "e30.e30.e30", "eyJhbGciOiJSUzI1NiJ9.e30.e30"]
)
def test_what_is_no_token_is_refused_and_asks_nobody(desk: Desk, token: str) -> None:
    with pytest.raises(Untrusted):
        desk.verifier.claims(token)
    assert desk.fetched == 0


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ({"exp": -LEEWAY_S - 2}, "expired"),
        ({"nbf": LEEWAY_S + 5}, "later time"),
        ({"iat": LEEWAY_S + 5}, "later time"),
    ],
)
def test_a_token_counts_in_its_time(desk: Desk, times: dict[str, float], said: str) -> None:
    now = int(desk.hub.state.now())
    token = desk.token(**{name: int(now + offset) for name, offset in times.items()})
    assert said in desk.refusal(token)


def test_clocks_may_differ_by_half_a_minute(desk: Desk) -> None:
    now = int(desk.hub.state.now())
    inside = int(LEEWAY_S) - 5
    desk.verifier.claims(desk.token(exp=now - inside))
    desk.verifier.claims(desk.token(iat=now + inside, nbf=now + inside))


@pytest.mark.parametrize("name", ["aud", "iss", "exp", "nbf", "iat", "jti"])
def test_a_token_has_to_say_for_whom_from_whom_and_when(desk: Desk, name: str) -> None:
    claims = jwt.decode(desk.token(), options={"verify_signature": False})
    del claims[name]
    token = jwt.encode(claims, desk.hub.issuer.key(), "RS256", headers={"kid": "2026-a"})
    assert "lacks one of" in desk.refusal(token)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("repository", "octo/../x"),
        ("repository_id", 0),
        ("repository_id", "1e3"),
        ("repository_id", "-5"),
        ("repository_owner_id", ""),
        ("event_name", "Pull Request"),
        ("ref", None),
        ("sha", "main"),
        ("actor", "a b"),
        ("actor_id", "x"),
        ("runner_environment", "elsewhere"),
        ("job_workflow_ref", None),
    ],
)
def test_claims_that_are_none_of_a_job_are_named_and_not_repeated(
    desk: Desk, name: str, value: object
) -> None:
    said = desk.refusal(desk.token(**{name: value}))
    assert said == f"Claims are missing or no claims of a job: {name}."


# Keys that change, and an issuer that is down


def test_a_new_key_is_fetched_when_it_is_met(desk: Desk) -> None:
    desk.verifier.claims(desk.token())
    desk.clock.now += REFRESH_S
    desk.hub.issuer.rotate("2026-b")
    desk.verifier.claims(desk.token())
    assert desk.fetched == 2


def test_an_unknown_key_has_the_keys_fetched_once_a_minute(desk: Desk) -> None:
    desk.verifier.claims(desk.token())
    strange = jwt.encode({}, desk.hub.issuer.key(), "RS256", headers={"kid": "nobody's"})
    for _ in range(20):
        assert "not the issuer's" in desk.refusal(strange)
    assert desk.fetched == 1
    desk.clock.now += REFRESH_S
    for _ in range(20):
        desk.refusal(strange)
    assert desk.fetched == 2


def test_without_keys_nothing_can_be_told_and_it_is_asked_again_later(desk: Desk) -> None:
    desk.hub.fault("GET", JWKS, status=503, times=None)
    for _ in range(5):
        with pytest.raises(RetryLater) as caught:
            desk.verifier.claims(desk.token())
        assert 0 < caught.value.after_s <= FAILED_S
    assert desk.fetched == 1, "a failure is not repeated at once"
    desk.hub.mend()
    desk.clock.now += FAILED_S
    desk.verifier.claims(desk.token())


def test_keys_that_are_there_outlive_an_outage_for_a_day(desk: Desk) -> None:
    desk.verifier.claims(desk.token())
    desk.hub.fault("GET", JWKS, cut=True, times=None)
    desk.clock.now += FRESH_S
    desk.verifier.claims(desk.token())
    desk.clock.now += KEPT_S
    with pytest.raises(RetryLater):
        desk.verifier.claims(desk.token())


def test_of_an_unknown_key_nothing_can_be_told_while_the_issuer_is_down(desk: Desk) -> None:
    desk.verifier.claims(desk.token())
    desk.hub.issuer.rotate("2026-c")
    desk.hub.fault("GET", JWKS, status=500, times=None)
    desk.clock.now += REFRESH_S
    with pytest.raises(RetryLater):
        desk.verifier.claims(desk.token())


@pytest.mark.parametrize(
    "body",
    [
        "no json",
        [],
        {"keys": {}},
        {"keys": [None, {"kty": "RSA", "kid": 5}]},
        {"keys": [{"kty": "oct", "kid": "2026-a", "k": "c2VjcmV0", "alg": "HS256"}]},
        {"keys": [{"kty": "RSA", "kid": "2026-a", "n": "!", "e": "AQAB"}]},
        {"keys": [], "padding": "x" * 200_000},
    ],
)
def test_what_is_no_document_of_keys_gives_none(desk: Desk, body: object) -> None:
    desk.hub.fault("GET", JWKS, status=200, body=body, times=None)
    with pytest.raises(RetryLater):
        desk.verifier.claims(desk.token())


def test_a_short_key_signs_for_nobody(desk: Desk) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    short = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    document = {"keys": [{**short, "kid": "2026-a", "alg": "RS256", "use": "sig"}]}
    desk.hub.fault("GET", JWKS, status=200, body=document, times=None)
    with pytest.raises(RetryLater):
        desk.verifier.claims(desk.token())


def test_keys_are_not_looked_for_where_a_redirect_leads(desk: Desk) -> None:
    desk.hub.fault(
        "GET", JWKS, status=302, body="", headers={"Location": f"{desk.hub.web}/evil"}, times=None
    )
    with pytest.raises(RetryLater):
        desk.verifier.claims(desk.token())
    assert desk.hub.asked(path="/evil") == []


def test_a_slow_issuer_holds_one_thread_and_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.verifier.claims(desk.token())
    asked, answer = threading.Event(), threading.Event()
    fetch = oidc._fetch

    def slow(address: str) -> Any:
        asked.set()
        assert answer.wait(20)
        return fetch(address)

    monkeypatch.setattr(oidc, "_fetch", slow)
    desk.clock.now += oidc.REFRESH_S + 1
    first = threading.Thread(target=pytest.raises, args=(Untrusted, desk.keys.named, "new"))
    first.start()
    try:
        assert asked.wait(20)
        with pytest.raises(RetryLater):  # at once
            desk.keys.named("another")
        desk.verifier.claims(desk.token())  # what is known is known
    finally:
        answer.set()
        first.join(20)
