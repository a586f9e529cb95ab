"""A step of a job of GitHub Actions: what it is given, and the files it leaves results in."""

import logging
import re
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.annotations import StepLog
from app.defaults import SEVERITIES
from app.github.client import checked_name
from app.settings import Settings, read_settings
from reviewer.errors import TellUser
from reviewer.finding import Severity

ACTIONS_LOGIN = "github-actions[bot]"
"""The login that a job's own token writes under."""

NEVER = "never"

EXIT_OK = 0
EXIT_FINDINGS = 1
EXIT_TROUBLE = 2
EXIT_PARTIAL = 3
EXIT_STOPPED = 130

MEANWHILE = {
    "stale": "the pull request has a newer head meanwhile.",
    "closed": "the pull request was closed meanwhile.",
    "draft": "the pull request became a draft meanwhile.",
    "gone": "the pull request is not there any more.",
}
"""Why a review is not posted, by the outcome of its publication."""

MOST_STOPS = 5
"""Workflows beside the job's own in which `/rlm stop` cancels runs."""

_WORKFLOW = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\.ya?ml")

_FAILED = {
    EXIT_FINDINGS: "There are findings at or above fail-on.",
    EXIT_PARTIAL: "What was not reviewed may hold findings at or above fail-on.",
}

_OWN = frozenset({"RLM_FAIL_ON", "RLM_GITHUB_LOGIN", "RLM_PULL_REQUEST", "RLM_SERVER", "RLM_STOPS"})
"""Inputs of action.yml that are nobody's setting but those of `rlm action`."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step, read from its environment. `event` is the name of what started the workflow.

    `summary` and `output` are None on a runner that has no such file. `stops`: the files of further
    workflows in which `/rlm stop` cancels runs.
    """

    log: StepLog
    settings: Settings
    repository: str
    event: str
    login: str
    fail_on: Severity | None
    temp: Path
    summary: Path | None
    output: Path | None
    stops: tuple[str, ...] = ()

    def summarize(self, text: str) -> None:
        """Add Markdown to the summary of the job."""
        if self.summary is not None:
            with self.summary.open("ab") as file:
                file.write(text.encode("utf-8", "backslashreplace"))

    def set_outputs(self, **values: str) -> None:
        """Set outputs of the step, each between delimiters that no value can hold."""
        if self.output is None:
            return
        end = f"rlm-{secrets.token_hex(16)}"
        with self.output.open("ab") as file:
            for name, value in values.items():
                file.write(f"{name}<<{end}\n{value}\n{end}\n".encode("utf-8", "backslashreplace"))

    def skipped(self) -> int:
        """Set the outputs of a step that had nothing to review, and return the exit code."""
        self.set_outputs(status="skipped", findings="0", posted="false", report="")
        return EXIT_OK

    def tell_failure(self, code: int) -> None:
        """Say why the step fails, where its exit code is about findings."""
        if why := _FAILED.get(code):
            self.log.tell("error", why)

    def keep(self, name: str, text: str) -> Path:
        """Write a file for the steps after this one and return its path."""
        path = Path(tempfile.mkdtemp(prefix="rlm-", dir=self.temp)) / name
        path.write_text(text, "utf-8", "backslashreplace")
        return path


def exit_code(status: str, severities: Iterable[Severity], fail_on: Severity | None) -> int:
    """Return 1 for a finding at or above `fail_on`, 3 where an early end may have missed one."""
    if fail_on is None:
        return EXIT_OK
    if any(severity.at_least(fail_on) for severity in severities):
        return EXIT_FINDINGS
    return EXIT_PARTIAL if status == "partial" else EXIT_OK


def read_step(environ: Mapping[str, str], log: StepLog) -> Step:
    """Read what the runner and action.yml put into the environment, and have its secrets masked.

    Raises TellUser outside of a job, and about an input that is none.
    """
    if environ.get("GITHUB_ACTIONS") != "true":
        raise TellUser(
            "`rlm action` works in a job of GitHub Actions alone",
            "For a terminal there is `rlm review`.",
        )
    given = {name: value for name, value in environ.items() if value.strip()}
    temp = Path(given.get("RUNNER_TEMP") or tempfile.gettempdir())
    settings = _settings(given, temp)
    for secret in settings.secrets:
        log.mask(secret)
    for warning in settings.warnings:
        log.tell("warning", warning)
    if not settings.debug:
        # Libraries would print their own warnings between the lines of the log, unescaped.
        logging.getLogger().addHandler(logging.NullHandler())
    return Step(
        log=log,
        settings=settings,
        repository=checked_name(given.get("GITHUB_REPOSITORY", "")),
        event=given.get("GITHUB_EVENT_NAME", ""),
        login=given.get("RLM_GITHUB_LOGIN", ACTIONS_LOGIN).strip(),
        fail_on=_severity(given.get("RLM_FAIL_ON", NEVER).strip().lower()),
        temp=temp,
        summary=_file(given, "GITHUB_STEP_SUMMARY"),
        output=_file(given, "GITHUB_OUTPUT"),
        stops=_stops(given.get("RLM_STOPS", "")),
    )


def _settings(given: Mapping[str, str], temp: Path) -> Settings:
    # The job's own server, whichever host gh is told to use.
    ours = {name: value for name, value in given.items() if name not in {"GH_HOST", *_OWN}}
    return read_settings({"RLM_HOME": str(temp / "rlm"), **ours})


def _severity(text: str) -> Severity | None:
    if text == NEVER:
        return None
    if text not in SEVERITIES:
        raise TellUser(
            f"The input fail-on is not a severity: {text[:100]!a}",
            f"Give one of {', '.join(SEVERITIES)}, or {NEVER}.",
        )
    return Severity(text)


def _stops(text: str) -> tuple[str, ...]:
    names = tuple(text.split())
    if len(names) > MOST_STOPS or not all(_WORKFLOW.fullmatch(name) for name in names):
        raise TellUser(
            f"The input stops is not a list of workflow files: {text[:100]!a}",
            f"Give names such as review.yml, {MOST_STOPS} at most, with spaces between.",
        )
    return names


def _file(given: Mapping[str, str], name: str) -> Path | None:
    return Path(given[name]) if name in given else None
