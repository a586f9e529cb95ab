"""What the nodes that write tests hand in, and what it came to: the vocabulary, without I/O."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reviewer.finding import Finding, Side
from reviewer.refactor.values import NAME_CHARS, PATH_CHARS, Edits, FailsBefore, Unchecked
from reviewer.request import Cost, StopReason
from reviewer.review.claims import PROSE_CHARS, QUOTE_CHARS

MOST_BEHAVIOURS = 20
"""Of one node: its scope is 8,000 tokens of code. What matters more comes first."""

MOST_NAMES = 20

_SHAPE = ConfigDict(frozen=True, extra="forbid")

Kind = Literal["added", "altered"]


# What a change does ------------------------------------------------------------------------------


class Behaviour(BaseModel):
    """Something that the program does since the change, and whether a test says so."""

    model_config = _SHAPE

    kind: Kind = Field(description="altered: the base did something else for the same input")
    hunk: str = Field(
        min_length=1, max_length=PROSE_CHARS, description="id of the hunk that makes it so"
    )
    quote: str = Field(
        min_length=1,
        max_length=QUOTE_CHARS,
        description="the 1 to 8 whole lines of that hunk, at least one of them changed, that make "
        "it so, copied exactly, without the leading + - or space column of the diff",
    )
    what: str = Field(
        min_length=1,
        max_length=PROSE_CHARS,
        description="in one sentence: for which input or state the program does what",
    )
    case: str = Field(
        default="",
        max_length=PROSE_CHARS,
        description="if no test covers it: one input or state, the result that a test is to "
        "expect, and what the base gives for it",
    )
    tested_in: str = Field(
        default="", max_length=PATH_CHARS, description="if a test covers it: the path of its file"
    )
    tested_by: str = Field(
        default="",
        max_length=QUOTE_CHARS,
        description="if a test covers it: the 1 to 8 lines of that test that would fail without "
        "it, copied exactly",
    )
    test_file: str = Field(
        default="",
        max_length=PATH_CHARS,
        description="if no test covers it: the test file that a test of it belongs into, one that "
        "is there; empty where none of them fits, and a new one is made",
    )
    obstacle: str = Field(
        default="",
        max_length=PROSE_CHARS,
        description="if no test covers it and none can be written: why",
    )


class Behaviours(BaseModel):
    """What a change does, as several nodes say it, joined."""

    model_config = _SHAPE

    behaviours: list[Behaviour]


class Listed(Behaviours):
    """What one node hands in."""

    behaviours: list[Behaviour] = Field(
        max_length=MOST_BEHAVIOURS,
        description="what matters most first; none, where the hunks change nothing that the "
        "program does",
    )


# Tests -------------------------------------------------------------------------------------------


class TestsOf(BaseModel):
    """Which tests of an edit are for a behaviour."""

    __test__ = False

    model_config = _SHAPE

    behaviour: str = Field(max_length=NAME_CHARS, description="its id")
    names: list[str] = Field(
        min_length=1,
        max_length=MOST_NAMES,
        description="of the test functions, or the titles where tests have titles, as they stand "
        "in the file",
    )


def _adding(schema: dict[str, Any]) -> None:
    """Offer a node the edits that add, and no others."""
    offered = {"replacements", "new_files", "message", "left", "tests"}
    schema["properties"] = {k: v for k, v in schema["properties"].items() if k in offered}


class TestEdits(Edits):
    """What a node hands in for a test file: the edits, and what each new test is for."""

    __test__ = False

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_adding)

    tests: list[TestsOf] = Field(default=[], max_length=200)


class Look(BaseModel):
    """What a fresh node says of the tests of one behaviour."""

    model_config = _SHAPE

    behaviour: str = Field(max_length=NAME_CHARS, description="the id of the behaviour")
    now: str = Field(
        min_length=1,
        max_length=PROSE_CHARS,
        description="step by step: what the test does with the code as it is now, and what each "
        "assertion compares",
    )
    before: str = Field(
        min_length=1,
        max_length=PROSE_CHARS,
        description="the same with the code of the base: which line of the test fails, and how",
    )
    verdict: Literal["proves", "fails now", "passes without", "misses", "harms", "unproven"]
    reason: str = Field(
        default="",
        max_length=PROSE_CHARS,
        description="unless it proves: what is wrong, for whoever tries again",
    )
    path: str = Field(
        default="", max_length=PATH_CHARS, description="of the file that `quote` stands in"
    )
    quote: str = Field(
        default="",
        max_length=QUOTE_CHARS,
        description="if it proves: the 1 to 8 lines of the code under test, not of the test, by "
        "which it passes now, copied exactly",
    )


class Looks(BaseModel):
    """What a node hands in: about the tests of its one behaviour."""

    model_config = _SHAPE

    looks: list[Look] = Field(max_length=1)


class AllLooks(Looks):
    """Those of several nodes, joined."""

    looks: list[Look]


# The result --------------------------------------------------------------------------------------


class _OfBehaviour(BaseModel):
    """What every account of a behaviour says of it, and of where the change makes it so."""

    model_config = _SHAPE

    id: str
    kind: Kind
    what: str
    path: str
    side: Side
    line: int | None


class Tested(_OfBehaviour):
    """A behaviour, where the change makes it so, and the names of the tests that were written."""

    names: list[str]


class Written(BaseModel):
    """A test file with tests that were written into it, and the commit that does so.

    `tries`: how many versions of it were made until one stood.
    """

    model_config = _SHAPE

    path: str
    status: Literal["added", "modified"]
    message: str
    tests: list[Tested]
    tries: int


State = Literal["untestable", "unplaced", "declined", "refused", "missed"]
"""Why a behaviour has no test. untestable: who found it says why no test can be written. unplaced:
no file that is ours to write is one for its tests. declined: nobody wrote a test, and said why.
refused: no test stood. missed: nobody came to it, or to looking at its test."""


class Left(_OfBehaviour):
    """A behaviour that no test covers, still, and why."""

    state: State
    why: str


class Covered(_OfBehaviour):
    """A behaviour that a test covered already: `quote` stands there."""

    tested_in: str
    tested_line: int | None
    quote: str


class Testing(BaseModel):
    """The result; the documented JSON contract of `rlm tests --format json`.

    `status` is "partial" exactly when `stopped` says why: the run ended early, or `findings`, what
    the detectors say of the result, is not empty. Behaviours that are left are no partial result.
    `unchecked` are test files that nothing here can parse. `fails_before` is about the tests in
    `written`.
    """

    __test__ = False

    model_config = _SHAPE

    schema_version: Literal[1] = 1
    status: Literal["complete", "partial"] = "complete"
    stopped: StopReason | None = None
    base: str
    commit: str
    written: list[Written] = []
    left: list[Left] = []
    covered: list[Covered] = []
    findings: list[Finding] = []
    unchecked: list[Unchecked] = []
    fails_before: FailsBefore = "read"
    notes: list[str] = []
    cost: Cost = Cost()
