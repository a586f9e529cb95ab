"""What a finder hands in: claims about quoted code, before the host has found the lines."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reviewer.finding import Category, Severity

# What a finder may choose from: the prompt forbids the rest, so the schema does not offer it.
Kind = Literal[
    Category.CORRECTNESS,
    Category.CONTRACT,
    Category.SECURITY,
    Category.CONCURRENCY,
    Category.PERFORMANCE,
    Category.RESOURCES,
    Category.TESTS,
]
Harm = Literal[Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW]


MOST_CLAIMS = 50
"""Of one node: its scope is 8,000 tokens of code. Each claim may be looked for in a whole file."""

QUOTE_CHARS = 20_000
"""Eight lines of minified code, as a node sees them."""

PROSE_CHARS = 4_000
"""More than twice of what is shown of any text."""


def _asks_for_trigger(schema: dict[str, Any]) -> None:
    """Ask for the trigger of every claim; one that comes without is a claim all the same."""
    schema["required"].append("trigger")


class Claim(BaseModel):
    """One defect as the model describes it. It names code by quoting it, never by line number."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_asks_for_trigger)

    hunk: str = Field(
        default="",
        max_length=PROSE_CHARS,
        description="id of the hunk of yours that the defect is in, or that causes it elsewhere; "
        "leave it out only if you give the path and know no such hunk",
    )
    path: str | None = Field(
        default=None,
        max_length=PROSE_CHARS,
        description="only for a place outside the hunks you were given, or if you were given "
        "none: the path of its file, which may be a file of theirs",
    )
    quote: str = Field(
        min_length=1,
        max_length=QUOTE_CHARS,
        description="the 1 to 8 whole lines at fault, copied exactly from the code, without the "
        "leading + - or space column of the diff",
    )
    category: Kind = Field(
        description="contract: two parts of the code no longer agree; correctness: wrong by itself"
    )
    severity: Harm
    confidence: float = Field(ge=0, le=1, description="how sure you are that it is a defect")
    title: str = Field(
        min_length=1, max_length=PROSE_CHARS, description="the defect in at most 12 words"
    )
    why: str = Field(
        min_length=1,
        max_length=PROSE_CHARS,
        description="the input or state that goes wrong, what happens, what should; 1-4 sentences",
    )
    trigger: str = Field(
        default="",
        max_length=PROSE_CHARS,
        description="the failing input, state or order of events and what happens then, 1-2 "
        "sentences of at most 40 words, to be read after the words 'Fails when:'",
    )
    replacement: str | None = Field(
        default=None,
        max_length=QUOTE_CHARS,
        description="the lines that replace exactly the quoted ones and mend the defect "
        "completely, indented as they stand in the file; leave out if that takes more",
    )
    preexisting: bool = Field(
        default=False, description="true if it fails in the same way at the base"
    )


class FinderResult(BaseModel):
    """The answers of finders, joined."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    overview: str
    claims: list[Claim]


class Answer(FinderResult):
    """What one finder hands in: bounded, whatever its model was talked into by what it read."""

    overview: str = Field(
        max_length=PROSE_CHARS,
        description="what these hunks change, in one or two plain sentences, no praise, no verdict",
    )
    claims: list[Claim] = Field(
        max_length=MOST_CLAIMS, description="the defects; an empty list is a good answer"
    )


class Told(BaseModel):
    """One node's overview, and the path of each span that it was given.

    `across`: the node looked across what others had read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    paths: tuple[str, ...]
    text: str
    across: bool = False


class Joined(FinderResult):
    """The answers of one node and all below it. `told` is for the host alone: no node sees it."""

    told: tuple[Told, ...] = Field(default=(), exclude=True)
