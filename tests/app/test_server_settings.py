import re
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from app.credentials import Credentials, save
from app.github.urls import Server
from app.roles import BROKER_FDS, LISTEN_FD, MARKER_KEY, SESSION_KEY
from app.server_settings import (
    MARKER_FILE,
    make_marker_key,
    read_role_settings,
    read_server_settings,
    role_environ,
    session_key,
)
from reviewer.errors import TellUser

MODEL_KEY = "sk-ant-api03-hush-model"


@pytest.fixture(scope="session")
def pem() -> str:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"PATH": "/bin", "HOME": str(tmp_path), "RLM_HOME": str(tmp_path / "state")}


def credentials(pem: str, **more: object) -> Credentials:
    return Credentials.model_validate(
        {
            "server_web": "https://github.com",
            "server_api": "https://api.github.com",
            "app_id": "12345",
            "slug": "rlm-of-octo",
            "client_id": "Iv23liName",
            "client_secret": "hush-client",
            "webhook_secret": "hush-webhook",
            "pem": pem,
            "html_url": "https://github.com/apps/rlm-of-octo",
            **more,
        }
    )


def values(secrets: tuple[SecretStr, ...]) -> list[str]:
    return [secret.get_secret_value() for secret in secrets]


def test_with_nothing_configured_it_says_what_is_missing_and_how_to_get_it(
    environ: dict[str, str],
) -> None:
    read = read_server_settings(environ)
    assert (read.app_id, read.private_key, read.webhook_secrets) == (None, None, ())
    assert read.missing == (
        "No GitHub App is configured. Run `rlm setup`, or set RLM_APP_ID and RLM_APP_PRIVATE_KEY.",
        "No webhook secret is configured. Run `rlm setup`, or set RLM_WEBHOOK_SECRET to the secret "
        "of the App's webhook.",
    )
    assert read.problem_of("github") == read.missing[0]
    assert read.problem_of("web") == read.missing[1]
    assert read.problem_of("engine-1") == ""
    assert all(trouble.absent for trouble in read.troubles)
    assert read.github.web == "https://github.com"


def test_what_setup_stored_is_enough(environ: dict[str, str], pem: str) -> None:
    save(Path(environ["RLM_HOME"]), credentials(pem))
    read = read_server_settings(environ)
    assert read.missing == ()
    assert (read.app_id, read.slug) == ("12345", "rlm-of-octo")
    assert read.private_key and "BEGIN RSA PRIVATE KEY" in read.private_key.get_secret_value()
    assert values(read.webhook_secrets) == ["hush-webhook"]
    assert "hush" not in repr(read).lower() and "BEGIN" not in repr(read)


def test_the_stored_app_says_on_which_server_it_lives(environ: dict[str, str], pem: str) -> None:
    there = {"server_web": "https://ghe.example", "server_api": "https://ghe.example/api/v3"}
    save(Path(environ["RLM_HOME"]), credentials(pem, **there))
    read = read_server_settings(environ)
    assert read.github == Server("https://ghe.example", "https://ghe.example/api/v3")
    assert read_server_settings(environ | {"GH_HOST": "ghe.example"}).missing == ()


def test_an_app_of_another_server_is_not_used(environ: dict[str, str], pem: str) -> None:
    save(Path(environ["RLM_HOME"]), credentials(pem))
    read = read_server_settings(environ | {"GH_HOST": "ghe.example"})
    assert read.github.web == "https://ghe.example"
    assert (read.app_id, read.private_key, read.webhook_secrets) == (None, None, ())
    assert "lives on github.com, not on ghe.example" in read.problem_of("github")
    assert len(read.missing) == 1  # said once, though it concerns two roles
    assert read.problem_of("web") == read.problem_of("github")


def test_a_stored_address_that_is_no_server_is_never_asked(
    environ: dict[str, str], pem: str
) -> None:
    there = {"server_web": "http://elsewhere.example", "server_api": "http://elsewhere.example"}
    save(Path(environ["RLM_HOME"]), credentials(pem, **there))
    read = read_server_settings(environ)
    assert read.github.web == "https://github.com" and read.app_id is None
    assert "https" in read.problem_of("github")


def test_the_environment_goes_before_the_file(environ: dict[str, str], pem: str) -> None:
    save(Path(environ["RLM_HOME"]), credentials(pem))
    own = {"RLM_WEBHOOK_SECRET": "new\nnewer\n", "RLM_WEBHOOK_SECRET_OLD": "before"}
    read = read_server_settings(environ | own)
    assert values(read.webhook_secrets) == ["new", "newer", "before"]
    read = read_server_settings(environ | {"RLM_WEBHOOK_SECRET_OLD": "before"})
    assert values(read.webhook_secrets) == ["hush-webhook", "before"]


def test_the_client_id_means_the_stored_app_too(environ: dict[str, str], pem: str) -> None:
    save(Path(environ["RLM_HOME"]), credentials(pem))
    read = read_server_settings(environ | {"RLM_APP_ID": "Iv23liName"})
    assert read.missing == () and read.app_id == "Iv23liName"


def test_another_app_gets_neither_the_key_nor_the_secret_of_the_stored_one(
    environ: dict[str, str], pem: str
) -> None:
    save(Path(environ["RLM_HOME"]), credentials(pem))
    read = read_server_settings(environ | {"RLM_APP_ID": "777"})
    assert (read.app_id, read.private_key, read.webhook_secrets) == ("777", None, ())
    assert "RLM_APP_PRIVATE_KEY is not set" in read.problem_of("github")
    assert "No webhook secret" in read.problem_of("web")


@pytest.mark.parametrize("form", ["text", "one line", "file"])
def test_a_key_is_text_or_a_file(
    environ: dict[str, str], pem: str, tmp_path: Path, form: str
) -> None:
    file = tmp_path / "key.pem"
    file.write_text(pem)
    given = {"text": pem, "one line": pem.replace("\n", "\\n"), "file": str(file)}[form]
    read = read_server_settings(environ | {"RLM_APP_ID": "1", "RLM_APP_PRIVATE_KEY": given})
    assert read.problem_of("github") == ""
    assert read.private_key and read.private_key.get_secret_value().strip() == pem.strip()


@pytest.mark.parametrize(
    "key",
    [
        "hush",
        "/nowhere/hush.pem",
        "-----BEGIN RSA PRIVATE KEY-----\nhush\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----",
        "\x01hush",
    ],
)
def test_a_malformed_key_is_a_problem_of_the_github_role_alone(
    environ: dict[str, str], key: str
) -> None:
    given = {"RLM_APP_ID": "1", "RLM_APP_PRIVATE_KEY": key, "RLM_WEBHOOK_SECRET": "s"}
    read = read_server_settings(environ | given)
    assert read.private_key is None
    assert re.search("private.key", read.problem_of("github"), re.I)
    assert key.startswith("/") or "hush" not in read.problem_of("github")
    assert not any(trouble.absent for trouble in read.troubles)
    assert read.problem_of("web") == read.problem_of("engine-1") == ""
    # The process that needs it finds the same problem by itself.
    child = read_server_settings(role_environ(read, "github", environ | given))
    assert child.problem_of("github") == read.problem_of("github")


@pytest.mark.parametrize("app_id", ["12 34", "1;2", "é", "x" * 101, "../1"])
def test_a_malformed_id_is_a_problem_of_the_github_role_alone(
    environ: dict[str, str], pem: str, app_id: str
) -> None:
    given = {"RLM_APP_ID": app_id, "RLM_APP_PRIVATE_KEY": pem, "RLM_WEBHOOK_SECRET": "s"}
    read = read_server_settings(environ | given)
    assert read.app_id is None and "RLM_APP_ID" in read.problem_of("github")
    assert read.problem_of("web") == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [("RLM_BUDGET", "lots"), ("RLM_MODEL", "a b"), ("ANTHROPIC_API_KEY", "two words")],
)
def test_a_malformed_setting_of_the_model_is_a_problem_of_the_engines_alone(
    environ: dict[str, str], name: str, value: str
) -> None:
    read = read_server_settings(environ | {name: value})
    assert name in read.problem_of("engine-2")
    assert name not in read.problem_of("web") + read.problem_of("github")
    assert not read.base.has_key


def test_a_damaged_file_is_a_problem_and_not_the_end(environ: dict[str, str]) -> None:
    home = Path(environ["RLM_HOME"])
    home.mkdir()
    (home / "app.json").write_text("{")
    (home / "app.json").chmod(0o600)
    read = read_server_settings(environ)
    assert "app.json is not what rlm setup writes" in read.problem_of("github")
    assert "app.json is not what rlm setup writes" in read.problem_of("web")
    read = read_server_settings(environ | {"RLM_WEBHOOK_SECRET": "s"})
    assert read.problem_of("web") == ""


def test_a_token_of_a_person_is_not_even_looked_at(environ: dict[str, str]) -> None:
    read = read_server_settings(environ | {"GITHUB_TOKEN": "not a token"})
    assert read.base.github_token is None


def test_a_misspelled_variable_is_warned_of_and_internal_ones_are_not(
    environ: dict[str, str],
) -> None:
    internal = {LISTEN_FD: "3", BROKER_FDS: "github=4", MARKER_KEY: "00"}
    read = read_server_settings(environ | internal | {"RLM_WEBHOOK_SECRETS": "x"})
    (warning,) = read.warnings
    assert "RLM_WEBHOOK_SECRETS" in warning and "did you mean RLM_WEBHOOK_SECRET?" in warning


SHARED = {
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "https_proxy": "http://proxy.example:3128",
    "SSL_CERT_FILE": "/ca.pem",
    "GIT_SSL_CAINFO": "/ca.pem",
    "RLM_DEBUG": "1",
}
OTHERS = {
    "GITHUB_TOKEN": "hush-person",
    "GH_TOKEN": "hush-person",
    "AWS_SECRET_ACCESS_KEY": "hush-cloud",
    "PYTHONPATH": "/elsewhere",
    "LD_PRELOAD": "/elsewhere.so",
    "GIT_DIR": "/elsewhere",
}


def test_each_role_gets_its_own_secrets_and_no_other(environ: dict[str, str], pem: str) -> None:
    given = environ | SHARED | OTHERS
    given |= {
        "RLM_APP_ID": "1",
        "RLM_APP_PRIVATE_KEY": pem,
        "RLM_WEBHOOK_SECRET": "hush-hook",
        "RLM_WEBHOOK_SECRET_OLD": "hush-old",
        "ANTHROPIC_API_KEY": MODEL_KEY,
        "ANTHROPIC_BASE_URL": "https://gateway.example",
        "RLM_MODEL": "some-model",
        "RLM_BUDGET": "1.5",
        MARKER_KEY: "ab" * 32,
    }
    read = read_server_settings(given)
    base = {
        **{name: environ[name] for name in ("PATH", "HOME", "RLM_HOME")},
        **SHARED,
        "RLM_GITHUB_SERVER_URL": "https://github.com",
        "RLM_GITHUB_API_URL": "https://api.github.com",
    }
    assert role_environ(read, "web", given) == base | {"RLM_WEBHOOK_SECRET": "hush-hook\nhush-old"}
    assert role_environ(read, "github", given) == base | {
        "RLM_APP_ID": "1",
        "RLM_APP_PRIVATE_KEY": pem,
        MARKER_KEY: "ab" * 32,
    }
    engine = base | {
        "ANTHROPIC_API_KEY": MODEL_KEY,
        "ANTHROPIC_BASE_URL": "https://gateway.example",
        "RLM_MODEL": "some-model",
        "RLM_BUDGET": "1.5",
    }
    assert role_environ(read, "engine-1", given) == role_environ(read, "engine-2", given) == engine
    with pytest.raises(ValueError, match="no role"):
        role_environ(read, "cleaner", given)


def test_what_a_role_reads_from_its_environment_is_what_was_configured(
    environ: dict[str, str], pem: str
) -> None:
    save(Path(environ["RLM_HOME"]), credentials(pem))
    given = environ | {"ANTHROPIC_API_KEY": MODEL_KEY, MARKER_KEY: "ab" * 32}
    read = read_server_settings(given)
    github = read_server_settings(role_environ(read, "github", given))
    assert (github.app_id, github.private_key) == (read.app_id, read.private_key)
    assert (github.github, github.home, github.slug) == (read.github, read.home, read.slug)
    assert github.marker_key and github.marker_key.get_secret_value() == "ab" * 32
    web = read_server_settings(role_environ(read, "web", given))
    assert web.webhook_secrets == read.webhook_secrets
    engine = read_server_settings(role_environ(read, "engine-1", given))
    assert engine.base == read.base
    assert {*github.warnings, *web.warnings, *engine.warnings} == set()


def test_an_engine_gets_the_keys_of_the_cloud_that_it_asks(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("account.json").touch()
    aws = {"AWS_REGION": "us-east-1", "AWS_BEARER_TOKEN_BEDROCK": "hush-aws"}
    google = {
        "CLOUD_ML_REGION": "global",
        "ANTHROPIC_VERTEX_PROJECT_ID": "my-project",
        "GOOGLE_APPLICATION_CREDENTIALS": "account.json",
    }
    for provider, own, others in (
        ("bedrock", aws, google),
        ("vertex", google, aws),
        ("anthropic", {}, aws | google),
    ):
        given = environ | aws | google | {"RLM_PROVIDER": provider, "RLM_MODEL": "claude-x"}
        read = read_server_settings(given)
        engine = role_environ(read, "engine-1", given)
        assert own.keys() <= engine.keys()
        assert not others.keys() & engine.keys()
        assert read_server_settings(engine).base == read.base
        for role in ("web", "github"):
            assert not (aws | google).keys() & role_environ(read, role, given).keys()
        if provider == "vertex":
            file = str(tmp_path / "account.json")
            assert engine["GOOGLE_APPLICATION_CREDENTIALS"] == file


def test_a_price_file_is_found_from_any_folder(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("prices.toml").touch()
    given = environ | {"RLM_PRICES": "prices.toml"}
    engine = role_environ(read_server_settings(given), "engine-1", given)
    assert engine["RLM_PRICES"] == str(tmp_path / "prices.toml")


def test_the_marker_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = make_marker_key(tmp_path)
    assert len(bytes.fromhex(key)) == 32
    assert make_marker_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / MARKER_FILE).stat().st_mode) == 0o600
    other = tmp_path / "other"
    other.mkdir()
    assert make_marker_key(other) != key
    assert [path.name for path in other.iterdir()] == [MARKER_FILE]


@pytest.mark.parametrize("content", ["", "short", "zz" * 32, "ab" * 33])
def test_a_damaged_marker_key_is_told_and_never_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / MARKER_FILE).write_text(content)
    with pytest.raises(TellUser, match=MARKER_FILE):
        make_marker_key(tmp_path)
    assert (tmp_path / MARKER_FILE).read_text() == content


def test_a_role_reads_nothing_that_was_not_given_to_it(environ: dict[str, str], pem: str) -> None:
    """The file of `rlm setup` has the secrets of all of them, and any of them could open it."""
    save(Path(environ["RLM_HOME"]), credentials(pem))
    environ |= {"ANTHROPIC_API_KEY": MODEL_KEY, MARKER_KEY: "0" * 64}
    whole = read_server_settings(environ)
    hushed = {
        "engine-1": [pem, "hush-webhook", "hush-client"],
        "github": [MODEL_KEY, "hush-webhook", "hush-client"],
        "web": [MODEL_KEY, pem, "hush-client"],
    }
    for name, others in hushed.items():
        given = role_environ(whole, name, environ)
        read = read_role_settings(given)
        held = [read.private_key, *read.webhook_secrets, read.base.anthropic_api_key]
        text = "".join(secret.get_secret_value() for secret in held if secret) + str(given)
        assert not [other for other in others if other in text]
    engine = read_role_settings(role_environ(whole, "engine-1", environ))
    assert engine.private_key is None and engine.webhook_secrets == ()
    assert engine.base.has_key and engine.problem_of("engine-1") == ""
    role = read_role_settings(role_environ(whole, "github", environ))
    assert role.app_id == "12345" and role.private_key is not None
    assert not role.base.has_key and role.webhook_secrets == ()


def test_a_role_knows_what_is_wrong_with_the_file_that_it_does_not_read(
    environ: dict[str, str],
) -> None:
    home = Path(environ["RLM_HOME"])
    home.mkdir()
    (home / "app.json").write_text("{")
    (home / "app.json").chmod(0o600)
    whole = read_server_settings(environ)
    role = read_role_settings(role_environ(whole, "github", environ))
    assert "app.json" in role.problem_of("github") == whole.problem_of("github")


def test_web_knows_where_others_reach_it_without_run_pages_too(environ: dict[str, str]) -> None:
    given = environ | {
        "RLM_PUBLIC_URL": "https://RLM.Example.com/reviews/",
        "RLM_ACTIONS_ISSUER": "https://token.actions.githubusercontent.com/octo-inc",
    }
    read = read_server_settings(given)
    assert read.public.url == "https://rlm.example.com/reviews"
    web = role_environ(read, "web", given)
    assert read_role_settings(web).public.url == read.public.url
    assert read_role_settings(web).actions_issuer == given["RLM_ACTIONS_ISSUER"]
    assert "RLM_ACTIONS_ISSUER" not in role_environ(read, "github", given)
    assert {"RLM_PUBLIC_URL", "RLM_ACTIONS_ISSUER"}.isdisjoint(
        role_environ(read, "engine-1", given)
    )


PAGES = {
    "RLM_PUBLIC_URL": "https://rlm.example.org/",
    "RLM_APP_CLIENT_ID": "Iv23liOther",
    "RLM_APP_CLIENT_SECRET": "hush-other",
}


def test_run_pages_take_an_address_and_a_login(environ: dict[str, str]) -> None:
    read = read_server_settings(environ | PAGES).public
    assert read.has_pages and read.why_off == "" and read.url == "https://rlm.example.org"
    assert read.client_secret and read.client_secret.get_secret_value() == "hush-other"
    assert "hush" not in repr(read)
    lacking = read_server_settings({**environ, **PAGES, "RLM_APP_CLIENT_SECRET": ""}).public
    assert not lacking.has_pages
    assert lacking.why_off == "The run pages are off: set RLM_APP_CLIENT_SECRET to switch them on."
    assert "RLM_PUBLIC_URL, RLM_APP_CLIENT_ID and" in read_server_settings(environ).public.why_off


def test_what_setup_stored_switches_the_run_pages_on(environ: dict[str, str], pem: str) -> None:
    home = Path(environ["RLM_HOME"])
    save(home, credentials(pem, public_url="https://rlm.example.org"))
    read = read_server_settings(environ).public
    assert read.has_pages and read.client_id == "Iv23liName"
    # Another client id is another App: the stored secret is not its own.
    other = read_server_settings(environ | {"RLM_APP_CLIENT_ID": "Iv23liOther"}).public
    assert other.lacking == ["RLM_APP_CLIENT_SECRET"]
    save(home, credentials(pem))  # by a setup before there were run pages
    assert read_server_settings(environ).public.lacking == ["RLM_PUBLIC_URL"]


def test_an_app_id_that_is_a_client_id_is_one(environ: dict[str, str]) -> None:
    given = {**environ, **PAGES, "RLM_APP_ID": "Iv23liMine", "RLM_APP_CLIENT_ID": ""}
    assert read_server_settings(given).public.client_id == "Iv23liMine"
    assert read_server_settings(given | {"RLM_APP_ID": "12345"}).public.client_id == ""


@pytest.mark.parametrize(
    "url",
    [
        "rlm.example.org",
        "http://rlm.example.org",
        "https://me@rlm.example.org",
        "https://rlm.example.org/?a=b",
        "https://rlm.example.org/a b",
        "https://rlm.example.org:99999",
        "ftp://127.0.0.1",
        "https://",
        "javascript:alert(1)",
    ],
)
def test_an_address_that_people_cannot_use_is_named_and_costs_the_pages_alone(
    environ: dict[str, str], url: str
) -> None:
    read = read_server_settings({**environ, **PAGES, "RLM_PUBLIC_URL": url})
    assert not read.public.has_pages
    assert any("RLM_PUBLIC_URL is not an address" in one for one in read.missing)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1"])
def test_plain_http_is_for_this_machine_alone(environ: dict[str, str], url: str) -> None:
    assert read_server_settings({**environ, **PAGES, "RLM_PUBLIC_URL": url}).public.url == url


def test_only_web_can_log_people_in_and_only_github_links_to_the_pages(
    environ: dict[str, str], pem: str
) -> None:
    given = {**environ, **PAGES, "RLM_APP_ID": "1", "RLM_APP_PRIVATE_KEY": pem}
    given |= {MARKER_KEY: "ab" * 32, "RLM_BUDGET": "1.5"}
    read = read_server_settings(given)
    web, github = (role_environ(read, name, given) for name in ("web", "github"))
    engine = role_environ(read, "engine-1", given)
    assert web["RLM_APP_CLIENT_SECRET"] == "hush-other" and web["RLM_BUDGET"] == "1.5"
    assert MARKER_KEY not in web and "RLM_APP_PRIVATE_KEY" not in web
    assert re.fullmatch("[0-9a-f]{64}", web[SESSION_KEY]) and web[SESSION_KEY] != "ab" * 32
    assert web[SESSION_KEY] == session_key("ab" * 32) != session_key("cd" * 32)
    assert github["RLM_PUBLIC_URL"] == "https://rlm.example.org"
    for other in (github, engine):
        assert not {"RLM_APP_CLIENT_SECRET", SESSION_KEY} & other.keys()
    assert read_role_settings(web).public == read.public


def test_writing_is_off_unless_it_is_switched_on_and_told_to_one_role(
    environ: dict[str, str], pem: str
) -> None:
    save(Path(environ["RLM_HOME"]), credentials(pem))
    assert not read_server_settings(environ).write
    given = environ | {"RLM_WRITE": "on"}
    read = read_server_settings(given)
    assert read.write and read.warnings == ()
    assert read_server_settings(role_environ(read, "github", given)).write
    for name in ("web", "engine-1"):
        assert "RLM_WRITE" not in role_environ(read, name, given)
    wrong = read_server_settings(environ | {"RLM_WRITE": "yes please"})
    assert not wrong.write and "neither on nor off" in wrong.problem_of("github")
