import json
import logging
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.log import MASK, MAX_LINE_CHARS, Documents, Lines, bound, masked

ROOT = Path(__file__).parents[2]

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjM0NTYifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq9\nhush+hush/hush=\n"
    "-----END RSA PRIVATE KEY-----"
)


def line(message: str, *arguments: object, **fields: object) -> str:
    record = logging.LogRecord("app.x", logging.INFO, "x.py", 1, message, arguments, None)
    record.created, record.msecs = 1_793_524_504.123, 123.0
    record.__dict__.update(fields)
    return Lines("github").format(record)


def test_a_line_says_when_how_bad_who_what_and_the_fields() -> None:
    said = line("published %s", "a review", pull="octo/hello#7", comments=3, why="two words")
    assert said == (
        "2026-11-01T09:15:04.123Z INFO github published a review "
        'pull=octo/hello#7 comments=3 why="two words"'
    )


@given(text=st.text(), name=st.text())
def test_whatever_is_logged_stays_one_printable_line(text: str, name: str) -> None:
    said = line("branch %s", text, name=name, path=text)
    assert said.isprintable()


def test_a_value_cannot_pass_for_another_field() -> None:
    said = line("deleted", branch='x" level=ok\n2026-11-02T00:00:00Z INFO web fine')
    assert said.count("\n") == 0
    assert 'branch="x\\" level=ok\\n2026' in said


@pytest.mark.parametrize("hidden", ["\x1b[2J", "\u202e", "\u200b", "\x00", "\ud800", "\x9b31m"])
def test_what_a_terminal_would_obey_becomes_visible(hidden: str) -> None:
    said = line("title %s", f"a{hidden}b")
    assert said.isprintable() and hidden not in said
    assert ascii(hidden)[1:-1] in said


@pytest.mark.parametrize(
    "secret",
    [
        "ghs_16C7e42F292c6912E7710c838347Ae178B4a",
        f"ghs_123456_{JWT}",
        "gho_16C7e42F292c6912E7710c838347Ae178B4a",
        "ghu_16C7e42F292c6912E7710c838347Ae178B4a",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "ghr_16C7e42F292c6912E7710c838347Ae178B4a",
        "github_pat_11ABCDEFG0123456789_abcdefghijklmnop",
        "sk-ant-api03-abcdefghijklmnopqrstuvwxyz-AA",
        JWT,
        PEM,
        repr(PEM),
        PEM[:70],
    ],
)
def test_what_looks_like_a_secret_is_masked_wherever_it_stands(secret: str) -> None:
    for said in (
        line(f"failed: {secret}"),
        line("failed: %s", secret),
        line("failed", why=f"with {secret} inside"),
        line("failed: %r", {"token": secret}),
    ):
        assert MASK in said
        assert secret[10:] not in said and "hush" not in said and "MIIE" not in said


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdef-hush",
        "authorization: token abcdef-hush",
        "{'Authorization': 'Basic YWxhZGRpbjpvcGVu-hush'}",
        "('authorization', 'Bearer abcdef-hush')",
        '"x-api-key": "abcdef-hush"',
        "https://x-access-token:abcdef-hush@github.com/octo/hello.git",
    ],
)
def test_the_value_of_a_header_or_an_address_is_masked(text: str) -> None:
    assert "hush" not in masked(text) and MASK in masked(text)


def test_ordinary_words_stay_as_they_are() -> None:
    text = "authorization failed for octo/hello: https://github.com/octo/hello/pull/7 ghs_ sk-ant-"
    assert masked(text) == text


def test_a_traceback_is_lines_of_the_same_form_without_its_secrets() -> None:
    try:
        raise ValueError(f"no\n2026-11-02T00:00:00Z INFO web fine {PEM}")
    except ValueError as error:
        trace = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "this is a bug", (), trace)
    lines = Lines("web").format(record).split("\n")
    assert len(lines) > 4
    assert all(" ERROR web " in said for said in lines)
    assert "test_log.py" in "".join(lines) and "hush" not in "".join(lines)


def test_a_long_line_is_cut() -> None:
    assert len(line("x" * 100_000)) < MAX_LINE_CHARS + 100


def test_a_line_whose_arguments_do_not_fit_is_told_all_the_same() -> None:
    assert "%d jobs" in line("%d jobs", "many") and "many" in line("%d jobs", "many")


def logged(code: str, debug: bool = False, form: str = "text") -> str:
    """Run code in a process that logs; return its standard error."""
    program = f"import logging\nfrom app.log import configure\nconfigure('web', {debug}, '{form}')\n{code}"
    environ: Mapping[str, str] = {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-c", program]
    return subprocess.run(command, env=environ, capture_output=True, check=False).stderr.decode()


def test_libraries_are_quiet_and_their_errors_are_not() -> None:
    said = logged(
        "for name in ('urllib3.connectionpool', 'waitress.queue', 'github.Requester', 'httpx2'):\n"
        "    logging.getLogger(name).info('chatter')\n"
        "    logging.getLogger(name).error('trouble')\n"
        "logging.getLogger('app.x').debug('detail')\n",
        debug=True,
    )
    assert "chatter" not in said
    assert said.count("ERROR web trouble") == 4
    assert "DEBUG web detail" in said


def test_without_debug_there_is_no_detail() -> None:
    said = logged("logging.getLogger('app.x').debug('a')\nlogging.getLogger('app.x').info('b')")
    assert [text.split(" ", 1)[1] for text in said.splitlines()] == ["INFO web b"]


def test_what_nobody_caught_is_logged_too_in_every_thread() -> None:
    said = logged(
        "import threading, warnings\n"
        "warnings.warn('old')\n"
        "def fail(): raise KeyError('ghs_0123456789abcdef-hush')\n"
        "thread = threading.Thread(target=fail)\nthread.start()\nthread.join()\nfail()\n"
    )
    assert said.count("CRITICAL web this is a bug") == 2
    assert "UserWarning: old" in said and "hush" not in said
    assert all(text.split(" ")[2] == "web" for text in said.splitlines())


def document(message: str, *arguments: object, **fields: object) -> dict[str, object]:
    record = logging.LogRecord("app.x", logging.INFO, "x.py", 1, message, arguments, None)
    record.created, record.msecs = 1_793_524_504.123, 123.0
    record.__dict__.update(fields)
    said = Documents("github").format(record)
    assert said.isascii() and said.isprintable()
    found = json.loads(said)
    assert isinstance(found, dict)
    return found


def test_as_json_an_event_is_one_object_with_its_fields_and_the_ids_of_the_work() -> None:
    with bound(job=7, installation=77, run="0" * 16):
        said = document("published", comments=3, run="f" * 16, why=ValueError("two words"))
    assert said == {
        "time": "2026-11-01T09:15:04.123Z",
        "level": "INFO",
        "role": "github",
        "event": "published",
        "job": 7,
        "installation": 77,
        "run": "f" * 16,
        "comments": 3,
        "why": "two words",
    }
    assert "job" not in document("later")


def test_as_json_a_field_cannot_take_the_place_of_what_every_object_has() -> None:
    said = document("ended", role="web", event="ping", level="DEBUG")
    assert (said["role"], said["event"], said["level"]) == ("github", "ended", "INFO")
    assert (said["about_role"], said["about_event"]) == ("web", "ping")


@given(text=st.text(), name=st.text())
def test_as_json_whatever_is_logged_stays_one_object(text: str, name: str) -> None:
    document("branch %s", text, name=name, number=float("nan"), path=text)


@pytest.mark.parametrize("secret", ["AKIAQYLPMN5HNMUB3ZQW", PEM, f"ghs_123456_{JWT}"])
def test_as_json_no_secret_is_told_wherever_it_stands(secret: str) -> None:
    with bound(repository=f"a {secret} b"):
        said = json.dumps(document(f"x {secret}", why=RuntimeError(secret), token=secret))
    assert secret[8:] not in said and "hush" not in said


def test_as_json_what_nobody_caught_is_an_object_too() -> None:
    said = logged(
        "import threading\n"
        "def fail(): raise KeyError('ghs_0123456789abcdef-hush')\n"
        "class Odd:\n    def __del__(self): fail()\n"
        "Odd()\n"
        "thread = threading.Thread(target=fail)\nthread.start()\nthread.join()\nfail()\n",
        form="json",
    )
    found = [json.loads(one) for one in said.splitlines()]
    assert [one["event"] for one in found] == ["this is a bug"] * 3
    assert all("KeyError" in one["traceback"] for one in found) and "hush" not in said
