import inspect
import re
from pathlib import Path

import pytest

from app.defaults import DEFAULT_BUDGET_USD, DEFAULT_CHEAP_MODEL, DEFAULT_MODEL, EFFORTS, SEVERITIES
from app.github.urls import Server, server_at
from app.model_service import read_cloud
from app.operations import read_operations
from app.queue import REDIS_URL
from app.server_settings import DATABASE_URL, REDIS_URLS
from app.settings import VARIABLES, Settings, parse_budget, read_settings
from reviewer.errors import TellUser
from reviewer.finding import Severity
from reviewer.model.access import Bedrock, Vertex
from reviewer.request import Effort

HOME = {"HOME": "/home/u"}


def settings(**environ: str) -> Settings:
    return read_settings({**HOME, **environ})


def test_nothing_configured() -> None:
    read = settings()
    assert not read.has_key
    assert (read.model, read.budget_usd) == (DEFAULT_MODEL, DEFAULT_BUDGET_USD)
    assert read.home == Path("/home/u/.local/state/rlm")
    assert read.github == Server("https://github.com", "https://api.github.com")
    assert read.warnings == ()


def test_an_empty_variable_is_an_absent_one() -> None:
    read = settings(ANTHROPIC_API_KEY="", RLM_BUDGET=" ", GH_HOST="", RLM_HOME="")
    assert read == settings()


def test_secrets_do_not_show() -> None:
    read = settings(ANTHROPIC_API_KEY="sk-hush-hush", GITHUB_TOKEN="ghs_hush")
    assert "hush" not in repr(read) + str(read) + read.model_dump_json()
    assert read.anthropic_api_key and read.anthropic_api_key.get_secret_value() == "sk-hush-hush"


@pytest.mark.parametrize("value", ["two words", "new\nline", "schl\u00fcssel"])
def test_a_key_that_would_break_a_header_is_refused_unseen(value: str) -> None:
    with pytest.raises(TellUser) as refused:
        settings(ANTHROPIC_API_KEY=value)
    assert "ANTHROPIC_API_KEY" in refused.value.problem
    assert value not in refused.value.problem + refused.value.hint


def test_a_budget_is_dollars_or_none() -> None:
    assert settings(RLM_BUDGET="0.5").budget_usd == 0.5
    assert settings(RLM_BUDGET="none").budget_usd is None
    assert parse_budget("0", "--budget") == 0
    for bad in ("-1", "nan", "inf", "$2", "2,00"):
        with pytest.raises(TellUser, match="RLM_BUDGET"):
            settings(RLM_BUDGET=bad)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RLM_MODEL", "claude sonnet"),
        ("RLM_MODEL", "--help"),
        ("RLM_CONCURRENCY", "0"),
        ("RLM_CONCURRENCY", "65"),
        ("RLM_CONCURRENCY", "many"),
        ("RLM_PRICES", "/nowhere/prices.toml"),
        ("ANTHROPIC_BASE_URL", "gateway.example"),
        ("ANTHROPIC_BASE_URL", "http://[bad"),
        ("GH_HOST", "https://u:p@host"),
        ("GITHUB_SERVER_URL", "http://127.0.0.1"),
        ("RLM_GITHUB_SERVER_URL", "http://git.acme.com"),
        ("RLM_GITHUB_API_URL", "https://api.github.com"),
    ],
)
def test_a_bad_value_is_named(name: str, value: str) -> None:
    with pytest.raises(TellUser) as refused:
        settings(**{name: value})
    assert name in refused.value.problem
    assert refused.value.hint


def test_a_slip_of_the_keyboard_is_pointed_out() -> None:
    (warning,) = settings(RLM_BUGDET="1").warnings
    assert "RLM_BUGDET" in warning and "RLM_BUDGET" in warning


def test_every_variable_that_is_read_is_documented() -> None:
    source = "".join(
        Path(inspect.getfile(one)).read_text() for one in (Settings, read_cloud, read_operations)
    )
    owners = "RLM|DATABASE|REDIS|ANTHROPIC|AWS|CLOUD|GITHUB|GH|GOOGLE"
    read = set(re.findall(rf'"((?:{owners})_[A-Z_]+)"', source))
    assert read | {DATABASE_URL, REDIS_URL, *REDIS_URLS.values()} == set(VARIABLES)


def test_small_questions_go_to_a_cheap_model_where_there_surely_is_one() -> None:
    assert settings().cheap_model == DEFAULT_CHEAP_MODEL
    assert settings(RLM_MODEL="claude-opus-5-5").cheap_model == DEFAULT_CHEAP_MODEL
    at_anthropic = settings(ANTHROPIC_BASE_URL="https://api.anthropic.com/v1")
    assert at_anthropic.cheap_model == DEFAULT_CHEAP_MODEL
    assert settings().cheap_for("home-grown") == "home-grown"


@pytest.mark.parametrize(
    "environ",
    [
        {"RLM_MODEL": "home-grown"},
        {"RLM_MODEL": "claude-sonnet-5-5", "ANTHROPIC_BASE_URL": "https://gateway.example"},
        {"RLM_MODEL": "claude-sonnet-5-5@20261001", "RLM_PROVIDER": "vertex"},
    ],
)
def test_elsewhere_the_strong_model_answers_small_questions_too(environ: dict[str, str]) -> None:
    assert settings(**environ).cheap_model == environ["RLM_MODEL"]
    named = settings(**environ, RLM_CHEAP_MODEL="small-one")
    assert (named.cheap_model, named.cheap_for("another")) == ("small-one", "small-one")


AWS = {
    "RLM_PROVIDER": "bedrock",
    "RLM_MODEL": "us.anthropic.claude-sonnet-5-5",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "AKIA-hush",
    "AWS_SECRET_ACCESS_KEY": "hush-secret",
}
GOOGLE = {
    "RLM_PROVIDER": "vertex",
    "RLM_MODEL": "claude-sonnet-5-5",
    "CLOUD_ML_REGION": "europe-west1",
    "ANTHROPIC_VERTEX_PROJECT_ID": "my-project-1",
    "GOOGLE_OAUTH_ACCESS_TOKEN": "ya29.hush",
}


def test_bedrock_by_its_variables() -> None:
    read = settings(**AWS)
    assert isinstance(read.cloud, Bedrock) and read.has_key
    assert (read.cloud.region, read.cloud.bearer) == ("us-east-1", None)
    assert [one.get_secret_value() for one in read.secrets] == ["AKIA-hush", "hush-secret"]
    assert "hush" not in repr(read) + str(read) + read.model_dump_json()
    key = settings(**{**AWS, "AWS_BEARER_TOKEN_BEDROCK": "hush-key"}).cloud
    assert isinstance(key, Bedrock) and key.bearer


def test_vertex_by_its_variables(tmp_path: Path) -> None:
    read = settings(**GOOGLE)
    assert isinstance(read.cloud, Vertex) and read.has_key
    assert (read.cloud.region, read.cloud.project) == ("europe-west1", "my-project-1")
    assert "hush" not in repr(read) + str(read) + read.model_dump_json()
    file = tmp_path / "account.json"
    file.touch()
    given = {**GOOGLE, "GOOGLE_OAUTH_ACCESS_TOKEN": "", "GOOGLE_APPLICATION_CREDENTIALS": str(file)}
    cloud = settings(**given).cloud
    assert isinstance(cloud, Vertex) and (cloud.token, cloud.credentials) == (None, file)


def test_keys_of_a_cloud_that_is_not_asked_are_not_read() -> None:
    read = settings(**{**AWS, "RLM_PROVIDER": "", "AWS_REGION": "no region"})
    assert (read.cloud, read.has_key, read.secrets) == (None, False, ())


def test_a_cloud_without_credentials_is_a_model_without_a_key() -> None:
    for provider in ("bedrock", "vertex"):
        read = settings(RLM_PROVIDER=provider, ANTHROPIC_API_KEY="of-another-service")
        assert (read.cloud, read.has_key) == (None, False)


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"RLM_PROVIDER": "azure"}, "RLM_PROVIDER"),
        ({**AWS, "RLM_MODEL": ""}, "RLM_MODEL"),
        ({**AWS, "AWS_REGION": ""}, "AWS_REGION"),
        ({**AWS, "AWS_REGION": "evil.example/"}, "AWS_REGION"),
        ({**AWS, "AWS_SECRET_ACCESS_KEY": ""}, "AWS_SECRET_ACCESS_KEY"),
        ({**AWS, "AWS_SESSION_TOKEN": "two words"}, "AWS_SESSION_TOKEN"),
        ({**AWS, "ANTHROPIC_BEDROCK_BASE_URL": "ftp://x"}, "ANTHROPIC_BEDROCK_BASE_URL"),
        ({**GOOGLE, "RLM_MODEL": ""}, "RLM_MODEL"),
        ({**GOOGLE, "CLOUD_ML_REGION": "x@evil.example"}, "CLOUD_ML_REGION"),
        ({**GOOGLE, "ANTHROPIC_VERTEX_PROJECT_ID": "a/../b"}, "ANTHROPIC_VERTEX_PROJECT_ID"),
        (
            {**GOOGLE, "GOOGLE_APPLICATION_CREDENTIALS": "/nowhere"},
            "GOOGLE_APPLICATION_CREDENTIALS",
        ),
        ({"RLM_CHEAP_MODEL": "--help"}, "RLM_CHEAP_MODEL"),
    ],
)
def test_what_a_cloud_lacks_is_named(environ: dict[str, str], named: str) -> None:
    with pytest.raises(TellUser) as refused:
        settings(**environ)
    assert named in refused.value.problem
    assert refused.value.hint


@pytest.mark.parametrize(
    "region", ["us-east-1", "eu-central-2", "us-gov-west-1", "europe-west1", "global", "us", "eu"]
)
def test_regions_of_either_cloud(region: str) -> None:
    cloud = settings(**{**GOOGLE, "CLOUD_ML_REGION": region}).cloud
    assert cloud and cloud.region == region


def test_the_token_goes_to_one_server_only() -> None:
    read = settings(GITHUB_TOKEN="t")
    assert read.token_for(read.server("https://github.com"))
    for web in ("https://acme.ghe.com", "https://git.acme.com", "https://github.com.evil.example"):
        assert read.token_for(read.server(web)) is None
    named = settings(GITHUB_TOKEN="t", GH_HOST="git.acme.com")
    assert named.token_for(named.server("https://git.acme.com"))
    assert named.token_for(named.server("https://github.com")) is None
    assert named.token_for(named.server("https://git.acme.com:8443")) is None


def test_the_environment_of_actions_on_a_server() -> None:
    read = settings(
        GITHUB_SERVER_URL="https://git.acme.com", GITHUB_API_URL="https://git.acme.com/api/v3"
    )
    assert read.server("https://git.acme.com") == server_at("https://git.acme.com")
    assert read.server("https://github.com") == server_at("https://github.com")


def test_ours_come_before_those_of_others() -> None:
    read = settings(
        RLM_GITHUB_SERVER_URL="http://127.0.0.1:81",
        RLM_GITHUB_API_URL="http://127.0.0.1:81/api/v3",
        GH_HOST="git.acme.com",
        GITHUB_SERVER_URL="https://github.com",
    )
    assert read.github == Server("http://127.0.0.1:81", "http://127.0.0.1:81/api/v3")
    assert read.plain_http == "http://127.0.0.1:81"


def test_where_state_lives() -> None:
    assert settings(XDG_STATE_HOME="/s").home == Path("/s/rlm")
    assert settings(XDG_STATE_HOME="relative").home == Path("/home/u/.local/state/rlm")
    assert settings(RLM_HOME="/r", XDG_STATE_HOME="/s").home == Path("/r")


def test_the_command_line_offers_what_the_engine_knows() -> None:
    assert tuple(Effort) == EFFORTS
    assert tuple(Severity) == SEVERITIES
