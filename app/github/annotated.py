"""What the checks of other Apps say at lines of a commit, as far as a finding may be said by it.

The text is whatever runs in somebody's workflow: read within bounds, compared, and never shown.

Importing PyGithub takes up to a second: import this module when it is needed, not before.
"""

from collections.abc import Collection, Sequence

from pydantic import BaseModel, ConfigDict, TypeAdapter

from app.annotations import is_annotation
from app.github.check_runs import NAME, is_ours
from app.github.client import Hub, checked_name
from app.github.errors import Forbidden, Misfit, NotThere, calls
from app.github.others import WORKFLOWS, Annotated, Weight
from app.github.pages import PAGE, every
from app.render.sarif import TOOL

MOST_CHECKS = PAGE
"""The newest check runs of a commit that are looked at: one request."""

MOST_READ = 20
"""Of these, so many whose annotations are read."""

MOST_ANNOTATIONS = 500
"""Of one check run: five requests, made as long as a page is full."""

MOST_CHARS = 500_000
"""Of all that is compared; what comes then is left."""

TEXT_CHARS = 4_000
"""Of one annotation. A longer one is no remark about lines."""

NAME_CHARS = 100

NOT_READ = (
    "What other checks say at lines was not looked at: the permission to read checks is missing."
)


class _Answer(BaseModel):
    """What we read of an answer; the rest of it is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class _App(_Answer):
    slug: str = ""


class _Output(_Answer):
    annotations_count: int = 0


class _CheckRun(_Answer):
    id: int
    name: str
    html_url: str | None = None
    app: _App | None = None
    output: _Output = _Output()


class _CheckRuns(_Answer):
    check_runs: list[_CheckRun]


class _Annotation(_Answer):
    path: str | None = None
    start_line: int | None = None
    end_line: int | None = None
    title: str | None = None
    message: str | None = None


_CHECK_RUNS = TypeAdapter(_CheckRuns)
_ANNOTATIONS = TypeAdapter(list[_Annotation])


def annotated(
    hub: Hub, repository: str, commit: str, paths: Collection[str]
) -> Sequence[Annotated] | None:
    """Return what checks that are not ours say at lines of these files; None: it may not be read.

    Those of Apps that judge for themselves come first. What GitHub answers otherwise than it does
    is left: to say something twice is no harm.
    """
    found: list[Annotated] = []
    room = MOST_CHARS
    try:
        for run in _runs(hub, repository, commit):
            for one in _annotations(hub, repository, run):
                made = _made(run, one, paths)
                if made is None:
                    continue
                room -= len(made.text)
                if room < 0:
                    return found
                found.append(made)
    except Forbidden:
        return None
    except (Misfit, NotThere):
        return found
    return found


def _runs(hub: Hub, repository: str, commit: str) -> list[_CheckRun]:
    """Return the check runs that say something at lines, ours left out."""
    doing = "read the checks"
    path = f"/repos/{checked_name(repository)}/commits/{commit}/check-runs?filter=latest"
    answer = hub.ask(doing, "GET", f"{path}&per_page={MOST_CHECKS}")
    with calls(hub.server, doing):
        listed = _CHECK_RUNS.validate_python(answer).check_runs
    runs = [one for one in listed if one.output.annotations_count > 0 and not _is_ours(hub, one)]
    runs.sort(key=lambda one: _weight(one) is Weight.WORKFLOW)
    return runs[:MOST_READ]


def _is_ours(hub: Hub, run: _CheckRun) -> bool:
    """Is it by our actor, or about what we have handed to code scanning?

    An Action shares its actor with all other workflows: its own words are known by their form.
    """
    if run.app is None:
        return False
    if run.app.slug in WORKFLOWS:
        return run.name in {NAME, TOOL}
    return is_ours(hub, run.app)


def _weight(run: _CheckRun) -> Weight:
    return Weight.of_app(run.app.slug if run.app else None)


def _annotations(hub: Hub, repository: str, run: _CheckRun) -> list[_Annotation]:
    path = f"/repos/{checked_name(repository)}/check-runs/{run.id:d}/annotations"
    doing, most = "read what a check says", MOST_ANNOTATIONS // PAGE
    return list(every(hub, doing, path, _ANNOTATIONS, most))


def _made(run: _CheckRun, one: _Annotation, paths: Collection[str]) -> Annotated | None:
    """Return what an annotation says of one of the files, None for another one, or one of ours."""
    if one.path is None or one.path not in paths or not one.start_line:
        return None
    if _weight(run) is Weight.WORKFLOW and is_annotation(one.message or ""):
        return None
    text = "\n".join(filter(None, (one.title, one.message)))
    if not 0 < len(text) <= TEXT_CHARS:
        return None
    return Annotated(
        login=run.name[:NAME_CHARS],
        path=one.path,
        side="RIGHT",
        start_line=one.start_line,
        line=max(one.end_line or 0, one.start_line),
        text=text,
        url=run.html_url or "",
        weight=_weight(run),
    )
