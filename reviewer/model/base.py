"""The seam between the engine and a language model: values in, values out, errors of three kinds.

Whatever speaks to a real service lives beside this file. A request is a pure function of what the
node knows; the layer below adds transport, retries, deadlines and nothing that the model can see.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

from reviewer.errors import GiveUp, RetryLater

MODEL_NAME = r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,199}"
"""What the name of a model looks like, at whichever service."""


@dataclass(frozen=True, slots=True)
class Text:
    """Prose of either side. `cache` marks the end of a prefix that other requests share."""

    text: str
    cache: bool = False


@dataclass(frozen=True, slots=True)
class ToolUse:
    """The model asks for a tool. `input` is untrusted: whatever JSON object it wrote.

    `broken` is what it wrote where that is no JSON object (a truncated reply); `input` is then {}.
    """

    id: str
    name: str
    input: dict[str, Any]
    broken: str = ""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered."""

    id: str
    text: str
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Opaque:
    """A block that only goes back as it came (thinking and its signature)."""

    raw: dict[str, Any]


Block = Text | ToolUse | ToolResult | Opaque


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. `cache` marks its end as the end of a prefix worth caching."""

    role: Literal["user", "assistant"]
    blocks: tuple[Block, ...]
    cache: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the model may call; `schema` is the JSON schema of its input."""

    name: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `system` parts come in caching order, each the end of a cached prefix."""

    model: str
    system: tuple[str, ...]
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    max_tokens: int = 8_000
    effort: Literal["low", "medium", "high"] | None = None
    require_tool: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that were billed. Input excludes what was read from or written to the cache."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
        )

    @property
    def total(self) -> int:
        return self.input + self.output + self.cache_read + self.cache_write


class Stop(StrEnum):
    """Why the model stopped, in our words."""

    END = "end"  # it said what it had to say, without a tool
    TOOL = "tool"
    TRUNCATED = "truncated"  # max_tokens
    REFUSED = "refused"
    WINDOW = "window"  # the conversation no longer fits the model's window
    PAUSED = "paused"
    UNKNOWN = "unknown"  # a reason that this version does not know


@dataclass(frozen=True, slots=True)
class Left:
    """What the service said is left of the account's limits: `share` of the scarcest, from 0 to 1.

    `requests` is how many calls more it takes at once, None if it did not say. Limits fill up by
    themselves: from `until` (by `time.monotonic`) on, this says nothing any more.
    """

    share: float
    requests: int | None
    until: float


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `blocks` may be empty: a refusal, an empty reply.

    `why` is what the service said about its stop, if anything (the category of a refusal, the name
    of a reason that this version does not know). `left` is for the gate, and no part of the answer.
    """

    blocks: tuple[Block, ...]
    stop: Stop
    usage: Usage = field(default_factory=Usage)
    why: str = ""
    left: Left | None = field(default=None, compare=False)

    @property
    def text(self) -> str:
        return "\n".join(block.text for block in self.blocks if isinstance(block, Text))

    @property
    def tool_uses(self) -> tuple[ToolUse, ...]:
        return tuple(block for block in self.blocks if isinstance(block, ToolUse))


class Unanswered(RetryLater):
    """One attempt brought no answer, and another may.

    `billed` is True when the service may have charged for it (the connection broke after the
    request was sent); the ledger then counts the whole reservation as spent. `busy` is True when
    the service asked for less (429, 529): the gate lowers its concurrency.
    """

    def __init__(
        self, why: str, after_s: float | None = None, *, billed: bool = False, busy: bool = False
    ) -> None:
        super().__init__(why, after_s if after_s is not None else 0.0)
        self.billed = billed
        self.busy = busy


class Uncounted(GiveUp):
    """The service counts no tokens: only a question that costs money tells whether it answers."""


class Model(Protocol):
    """A language model behind a wire."""

    async def complete(
        self, request: Request, timeout_s: float, begun: Callable[[], None] | None = None
    ) -> Reply:
        """Make one attempt at one request, ended after `timeout_s` seconds.

        `begun` is called, at most once and by the event loop, as soon as the service has begun to
        answer: from then on the request's marked prefixes can be read from the cache. Where the
        answer comes in one piece, or not at all, it is never called.

        Raise Unanswered for what another attempt may mend, GiveUp for a request that will never
        be answered (too long, malformed), TellUser for what the user must mend (key, model name,
        credit). Retrying is the caller's: each attempt costs money, so each is reserved.
        """
        ...

    async def count(self, request: Request) -> int:
        """Return the exact number of input tokens of a request; costs nothing."""
        ...


def blocks_of(request: Request) -> Sequence[str]:
    """Return every piece of text that the model is sent: the bound on its tokens is their bytes."""
    pieces = [*request.system]
    for tool in request.tools:
        pieces += [tool.name, tool.description, repr(tool.schema)]
    for turn in request.turns:
        for block in turn.blocks:
            match block:
                case Text(text=text):
                    pieces.append(text)
                case ToolResult(_, text, _):
                    pieces.append(text)
                case ToolUse(name=name, input=value):
                    pieces += [name, repr(value)]
                case Opaque(raw):
                    pieces.append(repr(raw))
    return pieces
