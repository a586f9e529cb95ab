import json
import os
import resource
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from app import doctor_server
from app.doctor import ROOM_BYTES, doctor
from app.forget import Forgetting
from app.github.pages import PAGE
from app.github.urls import Server
from app.settings import VARIABLES
from app.store import Store
from app.store.tables import METADATA
from reviewer.errors import TellUser
from tests.app.world import World, wait_until
from tests.model_server import ModelServer, error
from tests.postgres import postgres
from tests.redis_server import redis_server

KEY = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz-LAST"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}


def line(text: str, name: str) -> str:
    (found,) = [line for line in text.splitlines() if line[4:].startswith(f"{name}  ")]
    return found


def test_nothing_configured_still_reviews(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(environ, online=False) == 0
    text = capsys.readouterr().out
    for name in ("Python", "ruff", "zizmor", "sandbox", "temporary folder", "model", "budget"):
        assert line(text, name).startswith("ok")
    assert line(text, "git").startswith(("ok", " !"))
    assert line(text, "model key").startswith("--")
    assert "ANTHROPIC_API_KEY" in text
    assert "Reviews run with the detectors alone." in text
    for name in VARIABLES:
        assert name in text


def test_secrets_show_four_characters_at_most(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = {"ANTHROPIC_API_KEY": KEY, "GITHUB_TOKEN": "short-secret"}
    assert doctor(environ | secrets, online=False) == 0
    text = capsys.readouterr().out
    assert "…LAST" in line(text, "model key")
    assert KEY[-5:] not in text and "cret" not in line(text, "GitHub token")
    assert "with the model and the detectors" in text


def test_online_asks_the_service(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with ModelServer([], key=KEY) as server:
        there = environ | {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": server.url}
        assert doctor(there, online=False) == 0
        assert server.requests == []
        capsys.readouterr()
        assert doctor(there, online=True) == 0
        assert [request.path for request in server.requests] == ["/v1/messages/count_tokens"]
        assert "answers for claude-sonnet-5-5" in line(capsys.readouterr().out, "model service")
        server.counting = error(401, "authentication_error", "invalid x-api-key")
        assert doctor(there, online=True) == 0
        assert line(capsys.readouterr().out, "model service").startswith(" !")
        disabled = "This organization has been disabled."
        server.counting = error(400, "invalid_request_error", disabled)
        assert doctor(there, online=True) == 0
        told = line(capsys.readouterr().out, "model service")
        assert told.startswith(" !") and "refuses to answer" in told and disabled in told


def test_online_asks_for_the_cheap_model_too(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with ModelServer([]) as server:
        there = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": server.url}
        assert doctor(environ | there | {"RLM_CHEAP_MODEL": "small-one"}, online=True) == 0
        asked = [request.body["model"] for request in server.requests]
    assert asked == ["claude-sonnet-5-5", "small-one"]
    text = capsys.readouterr().out
    assert "claude-sonnet-5-5 and small-one" in line(text, "model service")
    assert "small-one, of unknown price" in line(text, "cheap model")


def test_a_cloud_is_shown_with_its_own_key(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    there = environ | {
        "RLM_PROVIDER": "bedrock",
        "RLM_MODEL": "us.anthropic.claude-sonnet-5-5",
        "AWS_REGION": "us-east-1",
    }
    assert doctor(there, online=False) == 0
    text = capsys.readouterr().out
    assert line(text, "model key").startswith("--")
    assert "AWS_BEARER_TOKEN_BEDROCK" in text and "detectors alone" in text
    assert doctor(there | {"AWS_BEARER_TOKEN_BEDROCK": KEY}, online=True) == 0
    text = capsys.readouterr().out
    assert "AWS_BEARER_TOKEN_BEDROCK is set (…LAST), for bedrock in us-east-1" in text
    assert KEY[-5:] not in text
    told = line(text, "model service")
    assert told.startswith("--") and "not proved" in told and "does not count tokens" in told
    assert "$2 in and $10 out" in line(text, "cheap model")


def test_a_password_in_the_address_is_not_shown(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    there = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": "https://u:hush@gateway.example"}
    doctor(environ | there, online=False)
    text = capsys.readouterr().out
    assert "gateway.example" in text and "hush" not in text


def test_a_bad_setting_keeps_reviews_from_running(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(environ | {"RLM_BUDGET": "lots"}, online=False) == 2
    text = capsys.readouterr().out
    assert line(text, "settings").startswith("XX")
    assert "No review can run: settings." in text


def test_an_unknown_price_and_an_unknown_variable_are_pointed_out(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(environ | {"RLM_MODEL": "home-grown", "RLM_MODLE": "x"}, online=False) == 0
    text = capsys.readouterr().out
    assert "unknown price" in line(text, "model")
    assert "RLM_MODLE" in line(text, "settings")


def test_a_missing_git(
    environ: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor(environ, online=False) == 2
    assert line(capsys.readouterr().out, "git").startswith("XX")


@pytest.mark.parametrize(
    ("version", "mark"),
    [
        ("2.37.9", "XX"),
        ("2.39.5 (Apple Git-154)", " !"),
        ("2.43.6", " !"),
        ("2.43.7", "ok"),
        ("2.49.0", " !"),
        ("2.49.1.windows.1", "ok"),
        ("2.50.0", " !"),
        ("2.50.1", "ok"),
        ("2.51.0", "ok"),
        ("3.0", "ok"),
    ],
)
def test_the_age_of_git(  # noqa: PLR0917
    environ: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    mark: str,
) -> None:
    program = tmp_path / "git"
    program.write_text(f"#!/bin/sh\necho git version '{version}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    doctor(environ, online=False)
    assert line(capsys.readouterr().out, "git").startswith(mark)


def test_a_model_that_is_dearer_for_long_prompts_is_shown_at_its_usual_price(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    doctor(environ, online=False)
    shown = line(capsys.readouterr().out, "cheap model")
    assert "$0.1 in and $0.5 out per million tokens" in shown


def test_what_is_kept_of_answers_is_said(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    doctor(environ, online=False)
    assert line(capsys.readouterr().out, "answers kept").endswith("none yet")
    home = Path(environ["HOME"]) / "state"
    home.mkdir()
    (home / "journal.sqlite").write_bytes(b"no journal " * 1_000)
    doctor({**environ, "RLM_HOME": str(home)}, online=False)
    assert line(capsys.readouterr().out, "answers kept").startswith(" !")


class Probed:
    """A server's configuration for an App on the fake GitHub, and what the doctor says of it."""

    def __init__(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        self.world, self.app, self._capsys = world, world.app, capsys
        self.environ = world.environ()
        self.url = "http://127.0.0.1:9/webhook"

    def __call__(self) -> tuple[int, dict[str, list[dict[str, str]]]]:
        """Return the exit code, and the lines by their names."""
        self._capsys.readouterr()
        code = doctor(self.environ, online=True, form="json", url=self.url)
        told = json.loads(self._capsys.readouterr().out)
        assert told["exit_code"] == code
        lines: dict[str, list[dict[str, str]]] = {}
        for check in told["checks"]:
            lines.setdefault(check["name"], []).append(check)
        return code, lines


@pytest.fixture
def probed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Probed]:
    with World(tmp_path, model=False) as world:
        yield Probed(world, capsys)


def test_an_app_in_order_is_proved_piece_by_piece(probed: Probed) -> None:
    world = probed.world
    with world.serve() as server:
        probed.url = f"{server.url}/webhook"
        probed.app.hook["url"] = f"http://127.0.0.1:{server.port}/webhook"
        world.hub.send(world.app, probed.url, "ping", {"zen": "x"})
        wait_until(lambda: server.ready()["ready"], lambda: server.said)
        code, lines = probed()
    assert code == 0
    for name in (
        "App login", "clock", "permissions", "events", "installations", "webhook",
        "webhook address", "deliveries", "own webhook", "processes", "store",
    ):  # fmt: skip
        assert [one["state"] for one in lines[name]] == ["ok"], lines[name]
    assert "can be written, version" in lines["store"][0]["text"]


def test_a_disk_without_room_is_no_store_in_order(probed: Probed) -> None:
    home = Path(probed.environ["RLM_HOME"])
    home.mkdir(exist_ok=True)
    Store(home / "rlm.sqlite3").close()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        # Larger than any file of the store, so that it is not the store itself that is refused.
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES - 1, before[1]))
        code, lines = probed()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == 1
    for name in ("store", "state folder"):
        (line,) = lines[name]
        assert line["state"] == "faulty" and "cannot be written" in line["text"]


def test_a_permission_that_is_missing_is_named_with_what_it_costs(probed: Probed) -> None:
    del probed.app.permissions["checks"]
    probed.app.permissions["pull_requests"] = "read"
    probed.app.events.remove("issue_comment")
    code, lines = probed()
    assert code == 1
    said = " ".join(one["text"] for one in lines["permissions"])
    assert "checks: write is missing, so there is no check run" in said
    assert "pull_requests: write is missing" in said
    (event,) = lines["events"]
    assert event["state"] == "faulty" and "issue_comment" in event["text"]


def test_the_permission_to_write_is_proved_where_writing_is_on(probed: Probed) -> None:
    _, lines = probed()
    assert "off" in lines["writing"][0]["text"]
    assert lines["permissions"][0]["state"] == "ok"
    probed.environ["RLM_WRITE"] = "on"
    code, lines = probed()
    assert code == 1 and lines["writing"][0]["text"].startswith("on")
    (of_app, more), (of_octo, _) = lines["permissions"], lines["installations"]
    assert more["state"] == "warning" and more["text"].startswith("statuses: read is missing")
    assert (
        "contents: write is missing, so what somebody asks for is handed over as a patch"
        in (of_app["text"])
    )
    assert of_octo["text"].startswith("octo: contents: write")
    probed.app.permissions["contents"] = "write"
    probed.world.installation.permissions["contents"] = "write"
    probed.app.permissions["statuses"] = "read"
    probed.world.installation.permissions["statuses"] = "read"
    _, lines = probed()
    assert "contents: write" in lines["permissions"][0]["text"]
    assert [one["state"] for one in (*lines["permissions"], *lines["installations"])] == ["ok"] * 2


def test_an_installation_that_has_not_accepted_is_named(probed: Probed) -> None:
    probed.world.installation.permissions["checks"] = "read"
    code, lines = probed()
    (line_,) = lines["installations"]
    assert (code, line_["state"]) == (1, "faulty")
    assert line_["text"].startswith("octo: checks: write")
    assert "/settings/installations/" in line_["hint"]


def test_installations_are_looked_at_on_every_page(
    probed: Probed, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, hub = probed.app, probed.world.hub
    for n in range(PAGE):
        app.install(hub.repository(f"org-{n}/one"))
    assert len(app.installations) == PAGE + 1
    (line_,) = probed()[1]["installations"]
    assert (line_["state"], line_["text"]) == ("ok", "101, all with every permission")
    list(app.installations.values())[-1].permissions["checks"] = "read"
    (line_,) = probed()[1]["installations"]
    assert line_["state"] == "faulty" and line_["text"].startswith("org-99: checks: write")
    # Where there are more than are looked at, that is said.
    monkeypatch.setattr(doctor_server, "MOST_PAGES", 1)
    (line_,) = probed()[1]["installations"]
    assert line_["state"] == "warning"
    assert line_["text"] == "only 100 were looked at, and there may be more"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": ""}, "no address"),
        ({"url": "https://rlm.example.com/"}, "does not end with /webhook"),
        ({"url": "http://rlm.example.com/webhook"}, "not https"),
        ({"insecure_ssl": "1"}, "does not verify"),
        ({"secret": ""}, "no secret"),
    ],
)
def test_a_webhook_that_cannot_work_is_told(
    probed: Probed, change: dict[str, str], said: str
) -> None:
    probed.app.hook |= change
    code, lines = probed()
    assert code == 1
    assert [one["state"] for one in lines["webhook"]] == ["faulty"]
    assert said in lines["webhook"][0]["text"]


def test_deliveries_that_failed_are_counted_with_what_they_were_told(probed: Probed) -> None:
    assert probed()[1]["deliveries"][0]["state"] == "absent"
    nowhere = "http://127.0.0.1:9/webhook"
    probed.world.hub.send(probed.app, nowhere, "ping", {"zen": "x"})
    code, lines = probed()
    (line_,) = lines["deliveries"]
    assert (code, line_["state"]) == (1, "faulty")
    assert "1 of the latest 1 failed: 1 with no answer" in line_["text"]


def test_a_key_of_another_app_and_a_wrong_clock(probed: Probed) -> None:
    probed.world.hub.clock_offset = -20
    assert probed()[1]["clock"][0]["state"] == "warning"
    probed.world.hub.clock_offset = 0
    other = probed.world.hub.app("other-app")
    probed.environ["RLM_APP_PRIVATE_KEY"] = other.pem
    code, lines = probed()
    (line_,) = lines["App login"]
    assert (code, line_["state"]) == (1, "faulty")
    assert "refuses the key" in line_["text"] and "same App" in line_["hint"]
    assert "permissions" not in lines


def test_a_server_with_another_secret_is_found_by_a_ping(probed: Probed) -> None:
    with probed.world.serve(RLM_WEBHOOK_SECRET="another") as server:
        probed.url = f"{server.url}/webhook"
        code, lines = probed()
        assert probed.app.webhook_secret not in server.said
    assert code == 1
    assert lines["own webhook"][0]["text"].endswith("refuses a signed ping (401)")


def test_a_store_of_a_newer_version_is_told(probed: Probed) -> None:
    store = probed.world.store
    with store.database.write() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    code, lines = probed()
    assert (code, lines["store"][0]["state"]) == (1, "faulty")
    assert "newer version (9999)" in lines["store"][0]["text"]


@pytest.mark.parametrize("shared", [False, True])
def test_what_is_still_to_be_removed_from_this_disk_is_told(probed: Probed, shared: bool) -> None:
    home = Path(probed.environ["RLM_HOME"])
    with ExitStack() as held:
        where: Path | str = home / "rlm.sqlite3"
        if shared:
            where = probed.environ["DATABASE_URL"] = held.enter_context(postgres()).database()
        store = held.enter_context(closing(Store(where)))
        assert probed()[1]["uninstalled"][0]["state"] == "ok"
        store.forget_installation(1)
        (line_,) = probed()[1]["uninstalled"]
        assert line_["state"] == "warning" and "rlm serve" in line_["hint"]
        home.mkdir(exist_ok=True)
        github = Server("https://github.com", "https://api.github.com")
        assert Forgetting(store, home, github, lambda: False).catch_up() == 1
        assert probed()[1]["uninstalled"][0]["state"] == "ok"


def test_a_database_that_can_only_be_read_is_no_store(probed: Probed) -> None:
    with postgres() as server:
        where = probed.environ["DATABASE_URL"] = server.database()
        with psycopg.connect(where, autocommit=True) as db:
            db.execute("ALTER ROLE CURRENT_USER SET default_transaction_read_only = on")
        try:
            code, lines = probed()
        finally:
            with psycopg.connect(where, autocommit=True) as db:
                db.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
                db.execute("ALTER ROLE CURRENT_USER RESET default_transaction_read_only")
    (line_,) = lines["store"]
    assert code == 1 and "can only be read" in line_["text"]


def test_redis_is_asked_where_there_is_one(probed: Probed, tmp_path: Path) -> None:
    probed.environ["REDIS_URL_ENGINE"] = "redis://:hush-word@127.0.0.1:9/0"
    code, lines = probed()
    (line_,) = lines["queue"]
    assert (code, line_["state"]) == (1, "faulty") and "engine" in line_["text"]
    assert "hush" not in line_["text"]
    del probed.environ["REDIS_URL_ENGINE"]
    with redis_server(tmp_path / "redis") as redis:
        probed.environ["REDIS_URL"] = redis.url()
        found = probed()[1]["queue"]
        assert [one["state"] for one in found] == ["warning", "warning"]
        assert "may also write the keys of" in found[0]["text"]


def test_what_each_role_may_do_in_redis_is_proved(probed: Probed, tmp_path: Path) -> None:
    acl = Path("deploy/redis.acl").read_text("utf-8")
    with redis_server(tmp_path / "redis", acl) as redis:
        probed.environ["REDIS_URL_GITHUB"] = redis.url("rlm-github:CHANGE-ME-1")
        probed.environ["REDIS_URL_ENGINE"] = redis.url("rlm-engine:CHANGE-ME-2")
        assert [one["state"] for one in probed()[1]["queue"]] == ["ok", "ok"]
        # The users are mixed up: each may do what the other has to do.
        probed.environ["REDIS_URL_ENGINE"] = probed.environ["REDIS_URL_GITHUB"]
        code, lines = probed()
        (wrong,) = (one for one in lines["queue"] if one["state"] != "ok")
        assert (code, wrong["state"]) == (1, "faulty")
        assert "keeps engine from its own keys" in wrong["text"]


def test_whether_findings_can_be_handed_in_is_told(probed: Probed) -> None:
    (line_,) = probed()[1]["code scanning"]
    assert line_["state"] == "absent" and "sarif: on" in line_["text"]
    probed.app.permissions["security_events"] = "write"
    assert probed()[1]["code scanning"][0]["state"] == "ok"


def test_what_becomes_of_threads_is_told(probed: Probed) -> None:
    (line_,) = probed()[1]["threads"]
    assert line_["state"] == "ok" and "folded away, not resolved" in line_["text"]
    probed.app.permissions["contents"] = "write"
    (line_,) = probed()[1]["threads"]
    assert line_["state"] == "ok" and "resolved, with a token for that alone" in line_["text"]


def test_a_database_that_does_not_answer_is_told_without_its_password(probed: Probed) -> None:
    probed.environ["DATABASE_URL"] = "postgresql://rlm:hush-word@127.0.0.1:9/rlm"
    code, lines = probed()
    (line_,) = lines["store"]
    assert (code, line_["state"]) == (1, "faulty")
    assert "cannot be used" in line_["text"] and "hush" not in json.dumps(lines)


def test_tables_of_another_role_are_told_with_what_to_do(probed: Probed) -> None:
    with postgres() as server:
        where = server.database()
        with psycopg.connect(where, autocommit=True) as db:
            db.execute('CREATE ROLE "the app" LOGIN CREATEROLE')
            db.execute('GRANT CREATE ON SCHEMA public TO "the app"')
            ours = probed.environ["DATABASE_URL"] = where.replace("rlm@", "the%20app@")
            Store(where).close()  # made by rlm, who restored a dump perhaps

            code, lines = probed()
            (line_,) = lines["store"]
            assert (code, line_["state"]) == (1, "faulty")
            assert "may not read and write agreed, alembic_version, " in line_["text"]
            assert line_["text"].endswith("more, of rlm")
            assert line_["hint"].startswith("As rlm or a superuser: `ALTER TABLE agreed")
            with pytest.raises(TellUser) as refused:
                Store(ours)
            assert "rlm doctor" in (refused.value.hint or "")

            # To read and write them is enough for this version, and for no newer one.
            for what in ("TABLES", "SEQUENCES"):
                db.execute(f'GRANT ALL ON ALL {what} IN SCHEMA public TO "the app"'.encode())
            code, lines = probed()
            warned, fine = lines["store"]
            assert (warned["state"], fine["state"]) == ("warning", "ok")
            assert "belong to rlm, so a newer version cannot change them" in warned["text"]
            db.execute('REVOKE DELETE ON jobs FROM "the app"')
            (shut, *_) = sorted(probed()[1]["store"], key=lambda one: one["state"])
            assert shut["state"] == "faulty" and "may not read and write jobs, of" in shut["text"]

            # What the hint says, done for each.
            for name in (*METADATA.tables, "alembic_version"):
                db.execute(f'ALTER TABLE {name} OWNER TO "the app"'.encode())
            (line_,) = probed()[1]["store"]
            assert line_["state"] == "ok"
            db.execute('REVOKE INSERT ON jobs FROM "the app"')
            (line_,) = probed()[1]["store"]
            assert line_["state"] == "faulty" and "on its own tables (jobs)" in line_["text"]
