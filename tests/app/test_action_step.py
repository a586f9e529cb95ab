"""A step as its environment describes it, and the files it leaves results in."""

import io
from pathlib import Path

import pytest

from app.action_step import Step, read_step
from app.annotations import StepLog
from reviewer.errors import RlmError, TellUser
from reviewer.finding import Severity
from tests.composite import parse_line, read_outputs


def step(tmp_path: Path, log: io.BytesIO | None = None, **environ: str) -> Step:
    given = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "octo/hello",
        "GITHUB_SERVER_URL": "https://github.example.com",
        "GITHUB_API_URL": "https://github.example.com/api/v3",
        "RUNNER_TEMP": str(tmp_path),
        "HOME": "/nowhere",
    }
    return read_step(given | environ, StepLog(log or io.BytesIO()))


def test_an_empty_input_means_its_default(tmp_path: Path) -> None:
    names = ("ANTHROPIC_API_KEY", "RLM_MODEL", "RLM_EFFORT", "RLM_BUDGET", "RLM_FAIL_ON")
    plain, empty = step(tmp_path), step(tmp_path, **dict.fromkeys(names, " "))
    assert plain.settings == empty.settings and empty.fail_on is None
    assert not empty.settings.has_key


def test_what_is_fetched_lives_in_the_folder_that_the_runner_empties(tmp_path: Path) -> None:
    assert step(tmp_path).settings.home == tmp_path / "rlm"
    assert step(tmp_path, RLM_HOME="/cache").settings.home == Path("/cache")


def test_the_token_belongs_to_the_server_of_the_job_whatever_gh_is_told(tmp_path: Path) -> None:
    settings = step(tmp_path, GH_HOST="elsewhere.example", GITHUB_TOKEN="ghs_1").settings
    assert settings.github.web == "https://github.example.com"
    assert settings.github.api == "https://github.example.com/api/v3"


@pytest.mark.parametrize(
    ("given", "threshold"),
    [
        ("never", None),
        ("Never", None),
        ("", None),
        ("high", Severity.HIGH),
        (" NIT ", Severity.NIT),
    ],
)
def test_the_threshold_is_a_severity_or_never(
    tmp_path: Path, given: str, threshold: Severity | None
) -> None:
    assert step(tmp_path, RLM_FAIL_ON=given).fail_on is threshold


def test_secrets_are_masked_before_anything_else_is_said(tmp_path: Path) -> None:
    log = io.BytesIO()
    step(
        tmp_path,
        log,
        GITHUB_TOKEN="ghs_1",
        ANTHROPIC_API_KEY="key-2",
        ANTHROPIC_AUTH_TOKEN="bearer-3",
        RLM_BUGDET="5",
    )
    said = [parse_line(line) for line in log.getvalue().decode().splitlines()]
    assert [(one.name, one.message) for one in said[:3] if one] == [
        ("add-mask", "ghs_1"),
        ("add-mask", "key-2"),
        ("add-mask", "bearer-3"),
    ]
    assert [one.message for one in said[3:] if one] == [
        "'RLM_BUGDET' is set, but nothing reads it; did you mean RLM_BUDGET?"
    ]


def test_the_inputs_of_the_action_alone_are_no_unknown_settings(tmp_path: Path) -> None:
    log = io.BytesIO()
    found = step(
        tmp_path, log, RLM_FAIL_ON="low", RLM_GITHUB_LOGIN="ours[bot]", RLM_PULL_REQUEST="3"
    )
    assert log.getvalue() == b"" and found.login == "ours[bot]"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GITHUB_ACTIONS", "", "GitHub Actions alone"),
        ("GITHUB_ACTIONS", "1", "GitHub Actions alone"),
        ("GITHUB_REPOSITORY", "", "Not the name of a repository"),
        ("GITHUB_REPOSITORY", "octo/../x", "Not the name of a repository"),
        ("RLM_FAIL_ON", "urgent", "fail-on is not a severity: 'urgent'"),
        ("RLM_EFFORT", "heroic", "RLM_EFFORT"),
        ("RLM_BUDGET", "lots", "RLM_BUDGET"),
        ("ANTHROPIC_API_KEY", "a b", "ANTHROPIC_API_KEY holds a space"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, value: str, said: str) -> None:
    with pytest.raises(RlmError, match=said):
        step(tmp_path, **{name: value})


def test_no_secret_is_printed_outside_of_a_job(tmp_path: Path) -> None:
    log = io.BytesIO()
    with pytest.raises(TellUser):
        step(tmp_path, log, GITHUB_ACTIONS="", GITHUB_TOKEN="ghs_1")
    assert log.getvalue() == b""


def test_an_output_holds_lines_that_look_like_outputs(tmp_path: Path) -> None:
    path = tmp_path / "output"
    given = step(tmp_path, GITHUB_OUTPUT=str(path))
    values = {"report": "/a\nstatus=complete\nx<<EOF\nEOF", "status": "", "findings": "\udc80"}
    given.set_outputs(**values)
    given.set_outputs(posted="true")
    assert read_outputs(path.read_text()) == values | {"findings": "\\udc80", "posted": "true"}


def test_a_summary_is_added_to_and_a_runner_without_one_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_text("before\n")
    given = step(tmp_path, GITHUB_STEP_SUMMARY=str(path))
    given.summarize("é\udc80")
    assert path.read_text() == "before\né\\udc80"
    bare = step(tmp_path)
    bare.summarize("nothing")
    bare.set_outputs(nothing="x")


def test_each_file_that_is_kept_has_a_place_of_its_own(tmp_path: Path) -> None:
    given = step(tmp_path)
    first, second = given.keep("review.json", "1"), given.keep("review.json", "2")
    assert (first.read_text(), second.read_text()) == ("1", "2")
    assert first.is_relative_to(tmp_path) and first.name == "review.json"
