"""What the checks of a commit came to: check runs, commit statuses, and what those that failed say.

Our own are left out. What a check says of itself is whatever runs in somebody's workflow: read
within bounds, and data wherever it goes.

Importing PyGithub takes up to a second: import this module when it is needed, not before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from app.github.check_runs import is_ours
from app.github.client import Hub, checked_name
from app.github.errors import Forbidden, NotThere, calls
from app.github.pages import PAGE, every, in_pages
from reviewer.fix.failed import (
    ANNOTATION_CHARS,
    MAX_ANNOTATIONS,
    MAX_FAILED,
    NAME_CHARS,
    SUMMARY_CHARS,
    FailedCheck,
)
from reviewer.text import printable

MOST_PAGES = 5
"""Of one list: 500 check runs, statuses or suites. What lies behind them is not looked at."""

State = Literal["running", "passed", "failed", "other"]
"""other: it was cancelled, skipped or waits for somebody; nobody can tell whether it would pass."""

STATUS = "status"
"""In place of an App's name, for a commit status."""

NO_STATUSES = "Commit statuses were not looked at: the App has not the permission to read them."
TOO_MANY = f"Only the first {PAGE * MOST_PAGES} checks were looked at."

_FAILED = frozenset({"failure", "timed_out", "startup_failure"})
_PASSED = frozenset({"success", "neutral"})
_STATUSES: dict[str, State] = {"pending": "running", "success": "passed"}
_HARMLESS = frozenset({"notice"})

_Id = Annotated[int, Field(ge=1, le=2**53)]
_Read = TypeVar("_Read")


class _Answer(BaseModel):
    """What we read of an answer; the rest of it is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class _App(_Answer):
    slug: str = ""


class _Output(_Answer):
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations_count: int = 0


class _CheckRun(_Answer):
    id: _Id
    name: str
    status: str
    conclusion: str | None = None
    app: _App | None = None
    output: _Output = _Output()


class _CheckRuns(_Answer):
    check_runs: list[_CheckRun]


class _Suite(_Answer):
    status: str | None = None
    app: _App | None = None
    latest_check_runs_count: int = 0


class _Suites(_Answer):
    check_suites: list[_Suite]


class _Status(_Answer):
    context: str
    state: str
    description: str | None = None


class _Combined(_Answer):
    statuses: list[_Status]


class _Annotation(_Answer):
    path: str | None = None
    start_line: int | None = None
    annotation_level: str | None = None
    title: str | None = None
    message: str | None = None
    raw_details: str | None = None


_CHECK_RUNS = TypeAdapter(_CheckRuns)
_SUITES = TypeAdapter(_Suites)
_COMBINED = TypeAdapter(_Combined)
_ANNOTATIONS = TypeAdapter(list[_Annotation])


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a commit: by whom (an App's name, or STATUS) and its name, and how it ended.

    `run` is its number, 0 for a commit status; `said` what it says of itself.
    """

    by: str
    name: str
    state: State
    run: int = 0
    said: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What is the same check on another commit."""
        return self.by, self.name


@dataclass(frozen=True, slots=True)
class Checks:
    """The checks of a commit that are not ours. `notes` say what was not looked at."""

    checks: tuple[Check, ...] = ()
    going_on: bool = False
    notes: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        """Have all of them ended? Not where there are none: they may not have begun."""
        return bool(self.checks) and not self.going_on

    def state_of(self, key: tuple[str, str]) -> State | None:
        """Return how a check stands, None where it is not there: the worst, where it ran twice."""
        states = {each.state for each in self.checks if each.key == key}
        order: Sequence[State] = ("failed", "running", "other", "passed")
        return next((state for state in order if state in states), None)


@dataclass(frozen=True, slots=True)
class Compared:
    """What failed on a commit: new against another one, failed there too, or nobody can tell."""

    new: tuple[Check, ...] = ()
    known: tuple[Check, ...] = ()
    unknown: tuple[Check, ...] = ()

    @property
    def any(self) -> bool:
        """Did anything fail?"""
        return bool(self.new or self.known or self.unknown)


def checks_of(hub: Hub, repository: str, commit: str) -> Checks:
    """Return the checks of a commit.

    A suite in which something runs goes on: its next jobs are there when those before them end.
    """
    at = f"/repos/{checked_name(repository)}/commits/{commit}"
    found: list[Check] = []

    def read(address: str) -> list[_CheckRun]:
        return _asked(hub, "read the checks", address, _CHECK_RUNS).check_runs

    runs = list(in_pages(read, f"{at}/check-runs?filter=latest", MOST_PAGES))
    notes = [TOO_MANY] if len(runs) >= PAGE * MOST_PAGES else []
    for run in runs:
        if not _ours(hub, run.app):
            by = run.app.slug if run.app is not None else ""
            state = _ended(run)
            said = _said(run.output) if state == "failed" else ""
            found.append(Check(by, run.name, state, run.id, said))
    going_on = any(each.state == "running" for each in found) or _suites_go_on(hub, at)
    statuses = _statuses(hub, at)
    if statuses is None:
        notes.append(NO_STATUSES)
    found += statuses or ()
    going_on |= any(each.state == "running" for each in found)
    return Checks(tuple(found), going_on, tuple(notes))


def compared(ours: Checks, theirs: Checks) -> Compared:
    """Sort what failed on a commit of ours by how it stands on the commit that it began from."""
    new, known, unknown = list[Check](), list[Check](), list[Check]()
    seen: set[tuple[str, str]] = set()
    for each in ours.checks:
        if each.state != "failed" or each.key in seen:
            continue
        seen.add(each.key)
        before = theirs.state_of(each.key)
        {"passed": new, "failed": known}.get(before or "", unknown).append(each)
    return Compared(tuple(new), tuple(known), tuple(unknown))


def described(hub: Hub, repository: str, checks: Sequence[Check]) -> tuple[FailedCheck, ...]:
    """Return what failed checks say of themselves and of lines, the first so many of both."""
    return tuple(
        FailedCheck(
            name=_bounded(each.name, NAME_CHARS) or "(no name)",
            summary=_bounded(each.said, SUMMARY_CHARS),
            annotations=_annotations(hub, repository, each),
        )
        for each in checks[:MAX_FAILED]
    )


def _statuses(hub: Hub, at: str) -> list[Check] | None:
    """Return the newest status of each context; None where they may not be read."""

    def read(address: str) -> list[_Status]:
        return _asked(hub, "read the commit statuses", address, _COMBINED).statuses

    try:
        return [
            Check(STATUS, one.context, _STATUSES.get(one.state, "failed"), 0, one.description or "")
            for one in in_pages(read, f"{at}/status", MOST_PAGES)
        ]
    except (Forbidden, NotThere):
        return None


def _suites_go_on(hub: Hub, at: str) -> bool:
    def read(address: str) -> list[_Suite]:
        return _asked(hub, "read the check suites", address, _SUITES).check_suites

    # A suite without runs waits for nobody: each App that may write checks has one.
    return any(
        one.latest_check_runs_count > 0 and one.status != "completed" and not _ours(hub, one.app)
        for one in in_pages(read, f"{at}/check-suites", MOST_PAGES)
    )


def _annotations(hub: Hub, repository: str, check: Check) -> tuple[str, ...]:
    """Return what a check run says about lines, failures first."""
    if not check.run:
        return ()
    doing = "read what a check says"
    path = f"/repos/{checked_name(repository)}/check-runs/{check.run:d}/annotations"
    told = [
        one
        for one in every(hub, doing, path, _ANNOTATIONS, 1)
        if one.annotation_level not in _HARMLESS
    ]
    told.sort(key=lambda one: one.annotation_level != "failure")
    return tuple(filter(None, (_noted(one) for one in told)))[:MAX_ANNOTATIONS]


def _noted(one: _Annotation) -> str:
    where = "" if not one.path else f"{one.path}:{one.start_line}" if one.start_line else one.path
    said = "\n".join(filter(None, (one.title, one.message, one.raw_details)))
    return _bounded(": ".join(filter(None, (where, said))), ANNOTATION_CHARS)


def _ended(run: _CheckRun) -> State:
    if run.status != "completed":
        return "running"
    if run.conclusion in _FAILED:
        return "failed"
    return "passed" if run.conclusion in _PASSED else "other"


def _said(output: _Output) -> str:
    said = "\n\n".join(filter(None, (output.title, output.summary, output.text)))
    return _bounded(said, SUMMARY_CHARS)


def _ours(hub: Hub, app: _App | None) -> bool:
    return app is not None and hub.actor is not None and is_ours(hub, app)


def _bounded(text: str, most: int) -> str:
    said = printable(text.replace("\r\n", "\n")).strip()
    return said if len(said) <= most else said[: most - 1] + "…"


def _asked(hub: Hub, doing: str, path: str, shape: TypeAdapter[_Read]) -> _Read:
    answer: Any = hub.ask(doing, "GET", path)
    with calls(hub.server, doing):
        return shape.validate_python(answer)
