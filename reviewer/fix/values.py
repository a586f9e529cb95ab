"""What the nodes of a fix hand in, and what it came to: the vocabulary, without I/O."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reviewer.finding import Finding, Severity
from reviewer.refactor.values import Edits, FailsBefore, FileInfo, Unchecked
from reviewer.request import Cost, StopReason
from reviewer.review.claims import PROSE_CHARS, QUOTE_CHARS

_SHAPE = ConfigDict(frozen=True, extra="forbid")


# The patch ---------------------------------------------------------------------------------------


def _mending(schema: dict[str, Any]) -> None:
    """Offer a node the edits of a file that is there, and the two ways to make none."""
    offered = {"replacements", "removed", "message", "left", "closed_with"}
    schema["properties"] = {k: v for k, v in schema["properties"].items() if k in offered}


class Mending(Edits):
    """What a node hands in for its finding: edits, or whose patch closes it as well, or why not."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_mending)

    closed_with: str = Field(
        default="",
        max_length=100,
        description="only where the patch of another finding closes yours, too: the id of that "
        "one; then there are no edits, and no `left`",
    )


# The look at a patch -----------------------------------------------------------------------------


class Opinion(BaseModel):
    """What a fresh node says of one patch, or of whether another one's closes a finding."""

    model_config = _SHAPE

    finding: str = Field(max_length=100, description="the id of the finding")
    reasoning: str = Field(
        min_length=1,
        max_length=PROSE_CHARS,
        description="what you read and what follows from it, 1-4 sentences",
    )
    verdict: Literal["closes", "does not close", "breaks", "unproven"]
    reason: str = Field(
        default="",
        max_length=PROSE_CHARS,
        description="unless it closes: the input or state for which the defect is still there, or "
        "what does not work any more, for whoever tries again",
    )
    path: str = Field(
        default="", max_length=PROSE_CHARS, description="of the file that `quote` stands in"
    )
    quote: str = Field(
        default="",
        max_length=QUOTE_CHARS,
        description="if it closes: the 1 to 8 lines, of the patch or around it, that prove it, "
        "copied exactly",
    )


class Opinions(BaseModel):
    """What a node hands in: about its one patch."""

    model_config = _SHAPE

    opinions: list[Opinion] = Field(max_length=1)


class Looks(Opinions):
    """The opinions of several nodes, joined."""

    opinions: list[Opinion]


# The result --------------------------------------------------------------------------------------


class _OfFinding(BaseModel):
    """What every account of a finding says of it."""

    model_config = _SHAPE

    id: str
    path: str
    line: int | None
    severity: Severity
    title: str


class Closed(_OfFinding):
    """A finding with the commit that closes it. `tries`: patches that were made until one stood.

    `test` is the file with a test of it, in a commit of its own, `no_test` why there is none; both
    are empty where none was asked for.
    """

    message: str
    files: list[FileInfo]
    tries: int
    test: str = ""
    no_test: str = ""


class ClosedWith(_OfFinding):
    """A finding that has no commit: that of another one closes it, too, and somebody has looked.

    `by` is the id of that one, which is in `closed`; `why` is what the look at it brought.
    """

    by: str
    why: str


State = Literal["outdated", "protected", "declined", "refused", "missed"]
"""Why a finding is open. outdated: what it quotes is not there any more. protected: its file is not
written by us. declined: nobody made a patch, and said why. refused: no patch stood. missed: nobody
came to it, or to looking at its patch."""


class Open(_OfFinding):
    """A finding that no commit closes, and why."""

    state: State
    why: str


class Fixing(BaseModel):
    """The result; the documented JSON contract of `rlm fix --format json`.

    `status` is "partial" exactly when `stopped` says why: the run ended early, or `findings`, what
    the detectors say of the result, is not empty. Findings that stay open are no partial result.
    `closed_with` are findings that commits of `closed` close as well. `unchecked` are the files
    that were touched and that nothing here can parse. `fails_before` is about the tests that
    `closed` names.
    `checks` are the names of those that failed on an earlier fix: all of them are one entry of
    `closed` or `open`, with a line of None.
    """

    model_config = _SHAPE

    schema_version: Literal[1] = 1
    status: Literal["complete", "partial"] = "complete"
    stopped: StopReason | None = None
    commit: str
    reviewed: str
    checks: list[str] = []
    closed: list[Closed] = []
    closed_with: list[ClosedWith] = []
    open: list[Open] = []
    findings: list[Finding] = []
    unchecked: list[Unchecked] = []
    fails_before: FailsBefore = "read"
    notes: list[str] = []
    cost: Cost = Cost()

    @property
    def all_closed(self) -> list[Closed | ClosedWith]:
        """What is closed, with a commit of its own or with another one's."""
        return [*self.closed, *self.closed_with]


def said_of(finding: Finding) -> dict[str, Any]:
    """Return what every account of a finding says of it."""
    return {name: getattr(finding, name) for name in _OfFinding.model_fields}


def closed_with(finding: Finding, by: str, why: str) -> ClosedWith:
    """Return a finding as one that the commit of another one closes, too."""
    return ClosedWith(by=by, why=why, **said_of(finding))


def left_open(finding: Finding, state: State, why: str) -> Open:
    """Return a finding as one that stays open."""
    return Open(state=state, why=why, **said_of(finding))
