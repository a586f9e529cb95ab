"""A question about a change, and its answer: what goes in and what comes out of the job."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reviewer.finding import Side
from reviewer.request import Cost, StopReason

QUESTION_CHARS = 4_000
SAID_CHARS = 8_000
"""Of one comment of a thread; a longer one is cut by whoever reads it."""

MOST_SAID = 30
ANSWER_CHARS = 6_000
QUOTE_CHARS = 2_000
MOST_QUOTES = 8

Speaker = Literal["reviewer", "maintainer", "author", "other"]


class Said(BaseModel):
    """One comment of the thread that a question was asked in; "reviewer" is our own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    who: Speaker
    text: Annotated[str, Field(max_length=SAID_CHARS)]


class Place(BaseModel):
    """What a thread is about, at the head (RIGHT) or at the merge base (LEFT).

    start_line..line are its lines; without any it is the whole file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[str, Field(max_length=4_096)]
    side: Side = "RIGHT"
    start_line: Annotated[int, Field(ge=1)] | None = None
    line: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _range(self) -> "Place":
        if (self.start_line is None) != (self.line is None):
            raise ValueError("start_line and line are given together, or neither")
        if self.start_line is not None and self.line is not None and self.start_line > self.line:
            raise ValueError("start_line is after line")
        return self


class Question(BaseModel):
    """What is asked, by somebody who may; `thread` is what was said before, the oldest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=QUESTION_CHARS)]
    place: Place | None = None
    thread: Annotated[tuple[Said, ...], Field(max_length=MOST_SAID)] = ()


class Quote(BaseModel):
    """Code that an answer rests on, as it stands in a file at either end of the change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(min_length=1, max_length=4_000, description="of the file")
    quote: str = Field(
        min_length=1,
        max_length=QUOTE_CHARS,
        description="1 to 8 whole lines, copied exactly, without the diff's first column",
    )


class Reply(BaseModel):
    """What the model hands in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: str = Field(
        min_length=1,
        max_length=ANSWER_CHARS,
        description="the answer, in plain Markdown: paragraphs, lists, `code`; no links",
    )
    quotes: list[Quote] = Field(
        default=[],
        max_length=MOST_QUOTES,
        description="the code that the answer rests on; none only if it rests on no code",
    )


class Shown(BaseModel):
    """Where a quote stands; `line` is None where it stands more than once in its file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commit: Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
    path: str
    side: Side = "RIGHT"
    start_line: Annotated[int, Field(ge=1)] | None = None
    line: Annotated[int, Field(ge=1)] | None = None


class Explanation(BaseModel):
    """The answer with the places that it rests on. `answer` is "" where there is none: `stopped`
    and `why` say what came between."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: str
    places: list[Shown] = []
    stopped: StopReason | None = None
    why: str = ""
    cost: Cost = Cost()
