"""A small task for the kernel's tests: report the words of a scope. Its scripts read the prompt."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from reviewer.model.anthropic import AnthropicModel
from reviewer.model.base import Usage
from reviewer.request import Caps, StopReason
from reviewer.rlm.budget import Amount
from reviewer.rlm.journal import Journal
from reviewer.rlm.recording import Recording
from reviewer.rlm.run import CONCURRENCY, FIRST_WAIT_S, Run, open_run
from reviewer.rlm.solve import solve
from reviewer.rlm.solved import Solved
from reviewer.rlm.task import Function, Tier
from reviewer.rlm.trace import Event
from tests.model_server import Answer, ModelServer, tool

WORD_TOKENS = 100


class Words(BaseModel):
    model_config = ConfigDict(extra="forbid")

    words: list[str]


Scope = tuple[str, ...]


@dataclass
class Report:
    """The task. `fan` is how many parts a split makes."""

    fan: int = 4
    question: str | None = None
    led: bool = False
    name: str = "report"
    version: str = "1"
    tier: Tier = "strong"
    goes_back: int = 2
    result: type[Words] = Words
    partials: list[StopReason] = field(default_factory=list)

    def instructions(self, scope: Scope) -> str:
        return "Report every word of your scope."

    def units(self, scope: Scope) -> frozenset[str]:
        return frozenset(scope)

    def size(self, scope: Scope) -> int:
        return WORD_TOKENS * len(scope)

    def label(self, scope: Scope) -> str:
        return f"{len(scope)} words"

    def content(self, scope: Scope) -> str:
        return "words: " + " ".join(scope)

    def leads(self, scope: Scope) -> bool:
        return self.led

    def brief(self, scope: Scope, parts: Mapping[str, Scope]) -> str:
        return "".join(
            f"{name}: {len(part)} words from {part[0]}\n" for name, part in parts.items()
        )

    def lenses(self) -> Mapping[str, str]:
        return {"backwards": "from the last word to the first"}

    def join(self, parts: Sequence[Scope], lens: str) -> Scope:
        words = tuple(word for part in parts for word in part)
        return words[::-1] if lens == "backwards" else words

    def lens(self, scope: Scope) -> str:
        return ""

    def split(self, scope: Scope) -> list[Scope]:
        step = max(1, -(-len(scope) // self.fan))
        return [scope[at : at + step] for at in range(0, len(scope), step)]

    def functions(self, scope: Scope) -> Mapping[str, Function]:
        async def length(word: str) -> int:
            """How long a word is."""
            return len(word)

        return {"length": length}

    def check(self, scope: Scope, result: Words) -> list[str]:
        return [f"{word} is not yours" for word in result.words if word not in scope]

    def across(self, scope: Scope, parts: Sequence[Words]) -> str | None:
        return self.question

    def merge(self, scope: Scope, parts: Sequence[Words], own: Words | None) -> Words:
        joined = [word for part in parts for word in part.words]
        return Words(words=joined + (own.words if own else []))

    def partial(self, scope: Scope, reason: StopReason) -> Words:
        self.partials.append(reason)
        return Words(words=[])


@dataclass(frozen=True)
class Prices:
    """One price for every token, in dollars, in or out; None is an unknown price."""

    usd: float | None = 0.001

    def cost(self, model: str, usage: Usage) -> float | None:
        return None if self.usd is None else usage.total * self.usd

    def worst(self, model: str, input_tokens: int, max_tokens: int) -> float | None:
        return None if self.usd is None else (input_tokens + max_tokens) * self.usd

    def window(self, model: str) -> int:
        return 200_000


@dataclass
class Outcome:
    solved: Solved[Words]
    events: list[Event]
    usd: float
    calls: int
    seconds: float
    left_behind: int  # tasks that were still there when the run was closed
    total: Amount  # with what an earlier process lost
    requests: list[str] = field(default_factory=list)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def words_of(request: dict[str, Any]) -> list[str]:
    """Return the words that a request's first message asks about."""
    text: str = request["messages"][0]["content"][0]["text"]
    return text.removeprefix("words: ").split()


LEADS = "# You lead"


def leads(request: dict[str, Any]) -> bool:
    """Is this a request of a node that divides its scope?"""
    text: str = request["messages"][0]["content"][0]["text"]
    return text.startswith(LEADS)


def turn_of(request: dict[str, Any]) -> int:
    """Return which turn of its node a request is, from 0."""
    return len(request["messages"]) // 2


def told(request: dict[str, Any]) -> str:
    """Return all that the last message of a request says."""
    blocks = request["messages"][-1]["content"]
    return "\n".join(str(block.get("content") or block.get("text")) for block in blocks)


def honest(request: dict[str, Any]) -> Answer:
    """Submit exactly the words of the scope; a node that leads has none of its own."""
    if leads(request):
        return tool("submit", {"words": []})
    return tool("submit", {"words": words_of(request)})


def solved(
    server: ModelServer,
    scope: Scope,
    *,
    task: Report | None = None,
    caps: Caps | None = None,
    prices: Prices | None = None,
    window: int = 3 * WORD_TOKENS,
    cancelled: Callable[[], bool] = lambda: False,
    first_wait_s: float = FIRST_WAIT_S,
    key: str = "k",
    journal: Journal | None = None,
    concurrency: int = CONCURRENCY,
    cheap: str | None = None,
    tenant: str = "",
    recording: Recording | None = None,
) -> Outcome:
    """Run one `solve` against a server and return everything that can be asserted about it."""
    events: list[Event] = []

    async def main() -> tuple[Solved[Words], Run, int]:
        async with (
            AnthropicModel(api_key=key, base_url=server.url) as model,
            open_run(
                model,
                "claude-test",
                prices or Prices(),
                caps=caps or Caps(),
                sink=events.append,
                cancelled=cancelled,
                window=window,
                first_wait_s=first_wait_s,
                journal=journal,
                concurrency=concurrency,
                cheap=cheap,
                tenant=tenant,
                recording=recording,
            ) as run,
        ):
            result = await solve(task or Report(), scope, run)
        return result, run, len(asyncio.all_tasks()) - 1

    result, run, left_behind = asyncio.run(main())
    spent = run.account.spent
    return Outcome(result, events, spent.usd, spent.calls, run.seconds, left_behind, run.spent)
