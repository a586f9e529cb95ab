"""What goes into a fix: the values that cross the engine's border on the way in."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from reviewer.finding import Finding
from reviewer.fix.failed import MAX_FAILED, FailedCheck
from reviewer.request import Caps, Effort

MOST_PATCHED = 50
DIFF_CHARS = 20_000

MOST_KEPT = 40
TITLE_CHARS = 300
"""Of findings that an earlier fix closed, and that stay closed."""

_SHAPE = ConfigDict(frozen=True, extra="forbid")


class Patched(BaseModel):
    """What the patches so far do to a file, as a diff."""

    model_config = _SHAPE

    path: Annotated[str, Field(min_length=1, max_length=1_000)]
    diff: Annotated[str, Field(max_length=DIFF_CHARS)] = ""


class FixRequest(BaseModel):
    """Findings to be closed on a commit, apart from the objects that the engine may read.

    `commit` is the full name of the commit that is changed, `reviewed` that of the head which the
    findings are about; it is not looked up. The findings come in the order in which they are worked
    on, the gravest first. `failed` are checks that fail on what an earlier fix made of `patched`
    files, and `kept` the titles of what it closed: that is mended first. `new_tests`: these files
    are tests to which new ones were added, and no other file may be edited. `tests`: for each
    finding that was closed a test is written, as far as there is money left. `guidelines` are a
    maintainer's, as in `ReviewRequest`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    commit: Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
    reviewed: str = ""
    findings: tuple[Finding, ...] = ()
    failed: Annotated[tuple[FailedCheck, ...], Field(max_length=MAX_FAILED)] = ()
    patched: Annotated[tuple[Patched, ...], Field(max_length=MOST_PATCHED)] = ()
    kept: Annotated[
        tuple[Annotated[str, Field(max_length=TITLE_CHARS)], ...], Field(max_length=MOST_KEPT)
    ] = ()
    new_tests: bool = False
    tests: bool = True
    model: str
    cheap_model: str | None = None
    effort: Effort = Effort.STANDARD
    caps: Caps = Caps()
    guidelines: str = ""
