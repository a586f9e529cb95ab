"""The App's login: the JWT, tokens for one repository, and every way in which it is refused."""

import base64
import threading
import time
from datetime import UTC, datetime
from email.utils import formatdate
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import SecretStr

from app.github.auth import AppAuth, NotGranted, read_key
from app.github.client import Hub
from app.github.errors import BadToken, Forbidden, Misfit, NotThere, Unsure
from app.github.pulls import look_at
from app.github.urls import Server
from reviewer.errors import RlmError, TellUser
from tests.app.github.loopback import Answer, Loopback
from tests.github.hub import FakeApp, FakeGitHub

LONG_TOKEN = "ghs_1234567_" + "eyJ.hb-GciOi_" * 39
READ = {"contents": "read"}


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(private: Any = None, password: bytes | None = None) -> str:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    raw: bytes = (private or key()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, encryption
    )
    return raw.decode()


def app(loopback: Loopback, app_id: str = "1234") -> AppAuth:
    return AppAuth(loopback.server, app_id, SecretStr(pem()))


def token_answer(value: str = LONG_TOKEN, life_s: float = 3_600, **headers: str) -> Answer:
    end = datetime.fromtimestamp(time.time() + life_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Answer(201, {"token": value, "expires_at": end, "permissions": READ}, headers)


def claims(loopback: Loopback) -> dict[str, Any]:
    authorization = loopback.requests[0].authorization or ""
    kind, _, token = authorization.partition(" ")
    assert kind == "Bearer"
    options = {"verify_iat": False}
    found: dict[str, Any] = jwt.decode(token, key().public_key(), ["RS256"], options=options)
    return found


@pytest.mark.parametrize("app_id", ["1234", "Iv23liABCdefGHI.456"])
def test_the_login_is_signed_dated_back_and_short(app_id: str) -> None:
    with Loopback(Answer(200, {"slug": "rlm-review"})) as loopback:
        assert app(loopback, app_id).slug() == "rlm-review"
    now = time.time()
    found = claims(loopback)
    assert found["iss"] == app_id
    assert now - 70 <= found["iat"] <= now - 59
    assert found["exp"] - now <= 600


def test_the_key_is_read_once_and_not_for_each_login(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object, **__: object) -> None:
        raise AssertionError("the key is read again")

    with Loopback(Answer(200, {"slug": "rlm-review"})) as loopback:
        mine = app(loopback)
        monkeypatch.setattr("jwt.algorithms.load_pem_private_key", read)
        assert mine.slug() == "rlm-review"
    assert claims(loopback)["iss"] == "1234"


def test_the_name_is_asked_for_once() -> None:
    with Loopback(Answer(200, {"slug": "rlm-review"})) as loopback:
        mine = app(loopback)
        assert [mine.slug(), mine.slug()] == ["rlm-review"] * 2
        assert [seen.path for seen in loopback.requests] == ["/api/v3/app"]


def test_a_token_is_for_one_repository_with_no_more_than_was_asked_for() -> None:
    with Loopback(token_answer()) as loopback:
        token = app(loopback).installation_token(7, 99, READ)
    assert token.value.get_secret_value() == LONG_TOKEN
    assert len(LONG_TOKEN) > 500
    assert 3_590 < token.expires - time.time() < 3_610
    (seen,) = loopback.requests
    assert (seen.method, seen.path) == ("POST", "/api/v3/app/installations/7/access_tokens")
    assert seen.body == {"repository_ids": [99], "permissions": {"contents": "read"}}


def test_a_token_is_kept_for_its_own_use_alone() -> None:
    with Loopback(*(token_answer(f"ghs_{n}") for n in range(9))) as loopback:
        mine = app(loopback)
        uses = [(7, 99, READ), (8, 99, READ), (7, 98, READ), (7, 99, {"checks": "write"})]
        first = [mine.installation_token(*use).value.get_secret_value() for use in uses]
        again = [mine.installation_token(*use).value.get_secret_value() for use in uses]
    assert first == again == ["ghs_0", "ghs_1", "ghs_2", "ghs_3"]


def test_a_token_of_its_own_is_given_to_nobody_else() -> None:
    granted = Answer(200, {"permissions": {"contents": "write"}})
    answers = (
        token_answer("ghs_0"),
        granted,
        token_answer("ghs_1"),
        granted,
        token_answer("ghs_2"),
    )
    with Loopback(*answers) as loopback:
        mine, write = app(loopback), {"contents": "write"}
        shared = mine.installation_token(7, 99, write).value.get_secret_value()
        own = [mine.own_token(7, 99, write).value.get_secret_value() for _ in range(2)]
        again = mine.installation_token(7, 99, write).value.get_secret_value()
    assert (shared, own, again) == ("ghs_0", ["ghs_1", "ghs_2"], "ghs_0")


def test_a_token_of_its_own_is_not_asked_for_where_it_is_not_granted() -> None:
    wanted = {"contents": "write", "pull_requests": "write"}
    answer = Answer(200, {"permissions": READ})
    with Loopback(answer) as loopback, pytest.raises(NotGranted) as caught:
        app(loopback).own_token(7, 99, wanted)
    assert caught.value.missing == wanted
    assert [(seen.method, seen.path) for seen in loopback.requests] == [
        ("GET", "/api/v3/app/installations/7")
    ]


def test_a_token_is_replaced_minutes_before_its_end() -> None:
    answers = token_answer("ghs_old", 299), token_answer("ghs_new", 3_600)
    with Loopback(*answers) as loopback:
        mine = app(loopback)
        found = [mine.installation_token(7, 99, READ).value.get_secret_value() for _ in range(3)]
    assert found == ["ghs_old", "ghs_new", "ghs_new"]


def test_a_tokens_life_is_counted_by_the_servers_clock() -> None:
    """Theirs is 50 s behind ours: near enough for a login, and the token lives as long as it does."""
    theirs = time.time() - 50
    answer = token_answer(life_s=3_550, Date=formatdate(theirs, usegmt=True))
    with Loopback(answer) as loopback:
        token = app(loopback).installation_token(7, 99, READ)
    assert 3_590 < token.expires - time.time() < 3_610


def test_a_token_that_was_refused_is_not_given_again() -> None:
    with Loopback(token_answer("ghs_a"), token_answer("ghs_b")) as loopback:
        mine = app(loopback)
        mine.forget(mine.installation_token(7, 99, READ).value)
        assert mine.installation_token(7, 99, READ).value.get_secret_value() == "ghs_b"
        mine.forget(SecretStr("ghs_unknown"))
        assert mine.installation_token(7, 99, READ).value.get_secret_value() == "ghs_b"


def test_threads_that_want_the_same_token_ask_once() -> None:
    gate = threading.Event()
    answer = token_answer()
    answer.after = gate
    with Loopback(answer) as loopback:
        mine = app(loopback)
        found: list[str] = []

        def one() -> None:
            found.append(mine.installation_token(7, 99, READ).value.get_secret_value())

        threads = [threading.Thread(target=one) for _ in range(6)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        gate.set()
        for thread in threads:
            thread.join(20)
    assert found == [LONG_TOKEN] * 6
    assert len(loopback.requests) == 1


def test_one_slow_installation_does_not_hold_up_another() -> None:
    gate = threading.Event()
    slow = token_answer("ghs_slow")
    slow.after = gate
    with Loopback(slow, token_answer("ghs_quick")) as loopback:
        mine = app(loopback)
        waiting = threading.Thread(target=mine.installation_token, args=(7, 99, READ))
        waiting.start()
        while not loopback.requests:
            time.sleep(0.01)
        assert mine.installation_token(8, 99, READ).value.get_secret_value() == "ghs_quick"
        gate.set()
        waiting.join(20)


def test_a_failure_is_not_remembered() -> None:
    answers = Answer(502, {"message": "x"}), token_answer("ghs_b")
    with Loopback(*answers) as loopback:
        mine = app(loopback)
        with pytest.raises(Unsure):
            mine.installation_token(7, 99, READ)
        assert mine.installation_token(7, 99, READ).value.get_secret_value() == "ghs_b"


@pytest.mark.parametrize(
    ("said", "ours_ahead_s", "words"),
    [
        ("'Expiration time' claim ('exp') is too far in the future", 900, "900 s ahead of"),
        (
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion "
            "was issued",
            300,
            "300 s ahead of",
        ),
        (
            "'Expiration time' claim ('exp') must be a numeric value representing the future time "
            "at which the assertion expires",
            -4_000,
            "4000 s behind",
        ),
        ("Bad credentials", -4_000, "4000 s behind"),
    ],
)
def test_a_wrong_clock_is_told_with_the_seconds(said: str, ours_ahead_s: int, words: str) -> None:
    date = formatdate(round(time.time()) - ours_ahead_s, usegmt=True)
    answer = Answer(401, {"message": said}, {"Date": date})
    with Loopback(answer) as loopback, pytest.raises(TellUser) as told:
        app(loopback).installation_token(7, 99, READ)
    digits, _, rest = words.partition(" ")
    near = {str(int(digits) + slip) for slip in (-1, 0, 1)}
    assert any(f"{number} {rest}" in told.value.problem for number in near)
    assert said in told.value.problem and "NTP" in told.value.hint


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "A JSON web token could not be decoded"),
        (401, "Integration not found"),
        (404, "Integration not found"),
        (401, "Bad credentials"),
    ],
)
def test_a_key_of_another_app_is_told(status: int, said: str) -> None:
    answer = Answer(status, {"message": said})
    with Loopback(answer) as loopback, pytest.raises(TellUser, match="key of App 1234") as told:
        app(loopback).slug()
    assert "RLM_APP_ID and RLM_APP_PRIVATE_KEY" in told.value.hint


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (Answer(404, {"message": "Not Found"}), NotThere, "not installed there"),
        (
            Answer(
                422,
                {
                    "message": "There is at least one repository that does not exist or is not "
                    "accessible to the parent installation."
                },
            ),
            NotThere,
            "Installation 7 does not include this repository",
        ),
        (Answer(403, {"message": "This installation has been suspended"}), Forbidden, "suspended"),
        (Answer(201, {"token": "ghs_x"}), Misfit, "as a GitHub does"),
        (Answer(201, {"token": "ghs_x", "expires_at": "soon"}), Misfit, "as a GitHub does"),
        (Answer(201, "<html>"), Misfit, "as a GitHub does"),
    ],
)
def test_a_token_that_is_not_had(answer: Answer, kind: type[RlmError], words: str) -> None:
    with Loopback(answer) as loopback, pytest.raises(kind, match=words) as raised:
        app(loopback).installation_token(7, 99, READ)
    error: BaseException | None = raised.value
    while error is not None:
        assert "ghs_x" not in f"{error} {error!r}"
        error = error.__cause__


def test_permissions_that_were_never_accepted_are_named() -> None:
    refused = Answer(
        422, {"message": "The permissions requested are not granted to this installation."}
    )
    granted = Answer(200, {"id": 7, "permissions": {"contents": "read", "checks": "read"}})
    wanted = {"contents": "read", "checks": "write", "pull_requests": "write"}
    with Loopback(refused, granted) as loopback, pytest.raises(NotGranted) as raised:
        app(loopback).installation_token(7, 99, wanted)
    assert "not granted checks: write, pull_requests: write." in str(raised.value)
    assert raised.value.missing == {"checks": "write", "pull_requests": "write"}
    assert raised.value.granted == {"contents": "read", "checks": "read"}
    assert "/settings/installations" in str(raised.value)
    assert loopback.requests[1].path == "/api/v3/app/installations/7"


@pytest.mark.parametrize("app_id", ["", "a b", "../x", "12\n", "1" * 101])
def test_an_id_that_is_none_is_refused_at_once(app_id: str) -> None:
    with Loopback(Answer(200)) as loopback, pytest.raises(TellUser, match="id of an App"):
        app(loopback, app_id)


def broken_keys() -> list[str]:
    whole = pem()
    elliptic = ec.generate_private_key(ec.SECP256R1())
    public = (
        key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    return [
        "",
        "no key at all",
        whole[: len(whole) // 2],
        whole.replace("MII", "XXX", 1),
        pem(password=b"secret"),
        pem(elliptic),
        public,
        "-----BEGIN RSA PRIVATE KEY-----\nä\n-----END RSA PRIVATE KEY-----",
    ]


@pytest.mark.parametrize("number", range(8))
def test_a_malformed_key_is_refused_at_once_and_never_shown(number: int) -> None:
    text = broken_keys()[number]
    with Loopback(Answer(200)) as loopback, pytest.raises(TellUser) as told:
        AppAuth(loopback.server, "1", SecretStr(text))
    assert "private key" in told.value.problem
    assert "BEGIN RSA PRIVATE KEY" in told.value.hint
    for line in text.splitlines():
        assert len(line) < 40 or line not in f"{told.value.problem} {told.value.__cause__!r}"


def test_a_key_is_taken_in_every_form_that_people_store_it_in(tmp_path: Path) -> None:
    file = tmp_path / "app.pem"
    file.write_text(pem())
    forms = [
        pem(),
        f"\n  {pem()}\n",
        pem().replace("\n", "\\n"),
        pem().replace("\n", " "),
        pem().replace("\n", "\r\n"),
        base64.b64encode(pem().encode()).decode(),
        str(file),
    ]
    for form in forms:
        with Loopback(Answer(200, {"slug": "x"})) as loopback:
            AppAuth(loopback.server, "1", read_key(form)).slug()
            assert claims(loopback)["iss"] == "1"


def test_a_path_that_leads_to_no_key_is_told_by_the_name_of_its_variable(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("remember the milk")
    secret = "MIIEpAIBAAKCAQEA" * 30  # the first line got lost
    for value, words in [
        (str(tmp_path / "missing.pem"), "No such file"),
        (str(tmp_path), "directory"),
        (str(tmp_path / "notes.txt"), "holds no private key"),
        (secret, "neither a private key nor"),
        ("a\0b", "neither a private key nor"),
        ("", "neither a private key nor"),
    ]:
        with pytest.raises(TellUser, match=words) as told:
            read_key(value, "RLM_APP_PRIVATE_KEY")
        assert "RLM_APP_PRIVATE_KEY" in told.value.problem
        assert secret not in f"{told.value.problem} {told.value.hint} {told.value.__cause__!r}"


# The rest is on a GitHub that remembers, and checks the JWT, the scope and the schema itself.


def registered(hub: FakeGitHub, fake: FakeApp, app_id: str = "") -> AppAuth:
    return AppAuth(Server(hub.web, hub.api), app_id or str(fake.id), SecretStr(fake.pem))


def test_a_token_opens_its_repository_and_no_other(tmp_path: Path) -> None:
    with FakeGitHub(tmp_path) as hub:
        ours, other = (hub.repository(name, private=True) for name in ("octo/a", "octo/b"))
        base = ours.commit({"a": b"1"})
        pull = ours.pull(base, ours.commit({"a": b"2"}, base))
        fake = hub.app("rlm-review")
        installation = fake.install(ours, other)
        auth = registered(hub, fake, fake.client_id)
        assert f"{auth.slug()}[bot]" == fake.actor
        wanted = {"pull_requests": "read"}
        token = auth.installation_token(installation.id, ours.id, wanted)
        assert len(token.value.get_secret_value()) > 500
        with Hub(auth.server, token.value, write_pause_s=0) as mine:
            assert look_at(mine, "octo/a", pull.number).head == pull.head
            with pytest.raises(NotThere):
                look_at(mine, "octo/b", 1)
            with pytest.raises(Forbidden, match="permissions"):
                comment = pull.comment("alice", "/rlm review")
                mine.react("octo/a", comment.id, "eyes")


def test_an_expired_token_is_known_as_one_and_replaced(tmp_path: Path) -> None:
    with FakeGitHub(tmp_path) as hub:
        repo = hub.repository("octo/a", private=True)
        repo.permit("alice", "write")
        fake = hub.app("rlm-review")
        installation = fake.install(repo)
        auth = registered(hub, fake)
        token = auth.installation_token(installation.id, repo.id, {"metadata": "read"})
        hub.expire_all()
        with Hub(auth.server, token.value) as mine, pytest.raises(BadToken):
            mine.may_write("octo/a", "alice")
        auth.forget(token.value)
        token = auth.installation_token(installation.id, repo.id, {"metadata": "read"})
        with Hub(auth.server, token.value) as mine:
            assert mine.may_write("octo/a", "alice")


def test_an_installation_that_changes_says_how(tmp_path: Path) -> None:
    with FakeGitHub(tmp_path) as hub:
        repo, kept = hub.repository("octo/a"), hub.repository("octo/b")
        fake = hub.app("rlm-review")
        granted = {"contents": "read", "pull_requests": "write"}
        installation = fake.install(repo, kept, permissions=granted)
        auth = registered(hub, fake)
        with pytest.raises(NotGranted, match="has not granted checks: write") as raised:
            auth.installation_token(installation.id, repo.id, {**granted, "checks": "write"})
        assert raised.value.missing == {"checks": "write"}
        assert auth.installation_token(installation.id, repo.id, granted).usable()
        installation.remove(repo)
        with pytest.raises(NotThere, match="does not include this repository"):
            auth.installation_token(installation.id, repo.id, READ)
        installation.suspended = True
        with pytest.raises(Forbidden, match="suspended"):
            auth.installation_token(installation.id, kept.id, READ)
        installation.delete()
        with pytest.raises(NotThere, match="not installed there"):
            auth.installation_token(installation.id, kept.id, READ)


@pytest.mark.parametrize("theirs_ahead_s", [900, -900, -120])
def test_a_login_that_github_refuses_for_its_times_blames_the_clock(
    tmp_path: Path, theirs_ahead_s: int
) -> None:
    with FakeGitHub(tmp_path) as hub:
        fake = hub.app("rlm-review")
        hub.clock_offset = theirs_ahead_s
        with pytest.raises(TellUser, match="its clock is") as told:
            registered(hub, fake).slug()
    assert "NTP" in told.value.hint


@pytest.mark.parametrize("theirs_ahead_s", [200, 50, -50])
def test_a_clock_that_is_a_little_wrong_does_no_harm(tmp_path: Path, theirs_ahead_s: int) -> None:
    with FakeGitHub(tmp_path) as hub:
        repo = hub.repository("octo/a")
        fake = hub.app("rlm-review")
        hub.clock_offset = theirs_ahead_s
        auth = registered(hub, fake)
        token = auth.installation_token(fake.install(repo).id, repo.id, READ)
        assert token.usable()
        with Hub(auth.server, token.value) as mine:
            assert mine.ask("look", "GET", "/repos/octo/a")["id"] == repo.id


def test_the_key_of_one_app_with_the_id_of_another(tmp_path: Path) -> None:
    with FakeGitHub(tmp_path) as hub:
        one, other = hub.app("one"), hub.app("other")
        for app_id in (str(other.id), "987654321"):
            with pytest.raises(TellUser, match=f"refuses the key of App {app_id}"):
                registered(hub, one, app_id).slug()
