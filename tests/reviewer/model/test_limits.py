"""What headers say of the account's limits: read, passed up, and obeyed before a call is refused."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewer.model.anthropic import AnthropicModel
from reviewer.model.base import Left, Reply, Request, Text, Turn, Unanswered
from reviewer.model.gate import Gate
from reviewer.model.limits import LONGEST_S, left
from tests.model_server import Answer, ModelServer, error, limited, text

ASK = Request("claude-sonnet-5-5", (), (Turn("user", (Text("Hello."),)),), max_tokens=100)
NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
DATE = {"date": format_datetime(NOON, usegmt=True)}


def said(kind: str, remaining: object, limit: object, reset_s: float = 30.0) -> dict[str, str]:
    prefix = f"anthropic-ratelimit-{kind}"
    at = (NOON + timedelta(seconds=reset_s)).isoformat().replace("+00:00", "Z")
    return {
        f"{prefix}-remaining": str(remaining),
        f"{prefix}-limit": str(limit),
        f"{prefix}-reset": at,
    }


def test_the_scarcest_limit_counts_and_is_whole_again_when_the_service_says() -> None:
    headers = {**DATE, **said("requests", 40, 50, 12), **said("input-tokens", 2_000, 40_000, 57)}
    found = left(headers)
    assert found is not None
    assert (found.share, found.requests) == (0.05, 40)
    assert found.until - time.monotonic() == pytest.approx(57, abs=0.5)


def test_headers_of_the_real_form_are_read_whole_through_the_sdk() -> None:
    with ModelServer([limited(text("ok"), 3, 50), text("ok")]) as server:

        async def main() -> list[Reply]:
            async with AnthropicModel("k", server.url) as model:
                return [await model.complete(ASK, 5) for _ in range(2)]

        first, second = asyncio.run(main())
    assert first.left is not None
    assert (first.left.share, first.left.requests) == (0.06, 3)
    assert second.left is None
    assert first == Reply(first.blocks, first.stop, first.usage)  # no part of the answer


@pytest.mark.parametrize(
    "headers",
    [
        {},
        said("requests", "", 50),
        said("requests", -1, 50),
        said("requests", 3, 0),
        said("requests", "1e9", "1e9"),
        said("requests", "9" * 5_000, 50),
        {"anthropic-ratelimit-requests-remaining": "3"},
    ],
)
def test_what_makes_no_sense_says_nothing(headers: dict[str, str]) -> None:
    assert left(headers) is None


@pytest.mark.parametrize("reset", ["", "soon", "2026-11-26T12:00:30", "9999-12-31T23:59:59Z"])
def test_an_unreadable_reset_is_the_longest(reset: str) -> None:
    found = left({**said("tokens", 0, 10), **DATE, "anthropic-ratelimit-tokens-reset": reset})
    assert found is not None
    assert found.until - time.monotonic() == pytest.approx(LONGEST_S, abs=0.5)


@given(st.dictionaries(st.sampled_from([*said("requests", 1, 1), "date"]), st.text(max_size=30)))
def test_no_header_breaks_it(headers: dict[str, str]) -> None:
    found = left(headers)
    assert found is None or 0 <= found.share <= 1


def room(share: float = 1.0, requests: int | None = None, for_s: float = 60.0) -> Left:
    return Left(share, requests, time.monotonic() + for_s)


@pytest.mark.parametrize(
    ("said", "limit"),
    [
        ({"share": 0.5}, 16),
        ({"share": 0.1}, 16),
        ({"share": 0.05}, 8),
        ({"share": 0.0}, 1),
        ({"requests": 5}, 5),
        ({"requests": 0}, 1),
        ({"share": 0.05, "requests": 20}, 8),
        ({"share": 0.0, "for_s": -1.0}, 16),  # whole again meanwhile
    ],
)
def test_the_gate_keeps_to_what_is_left(said: dict[str, Any], limit: int) -> None:
    gate = Gate(16)
    one = room(**said)
    for _ in range(20):  # what many answers say at one time counts once
        gate.ok(one)
    assert gate.limit == limit


def test_the_gate_rises_again_when_there_is_room() -> None:
    gate = Gate(8)
    gate.ok(room(requests=2))
    assert gate.limit == 2
    for _ in range(30):
        gate.ok(room())
    assert gate.limit == 8


@dataclass
class Bucket:
    """A service's limit: `size` calls, filled up at `per_s` calls a second."""

    size: int
    per_s: float
    refused: int = 0
    _level: float = 0.0
    _at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, _: object) -> Answer:
        with self._lock:
            now = time.monotonic()
            grown = (now - self._at) * self.per_s if self._at else float(self.size)
            self._level, self._at = min(float(self.size), self._level + grown), now
            if self._level < 1:
                self.refused += 1
                return error(429, "rate_limit_error", retry_after=(1 - self._level) / self.per_s)
            self._level -= 1
            whole_s = (self.size - self._level) / self.per_s
            answer = limited(text("ok"), int(self._level), self.size, max(whole_s, 1.0))
        time.sleep(0.02)  # what an answer takes
        return answer


def refusals(count: int, told: Callable[[Reply], Left | None]) -> tuple[int, float]:
    """Ask so often, 16 at once, as the kernel does; return how often that was too much."""
    bucket = Bucket(size=30, per_s=50.0)
    gate = Gate(16)

    async def one(model: AnthropicModel) -> None:
        async with gate.passage():
            while True:
                try:
                    gate.ok(told(await model.complete(ASK, 5)))
                    return
                except Unanswered as error:
                    gate.busy()
                    await asyncio.sleep(error.after_s)

    async def main(url: str) -> float:
        async with AnthropicModel("k", url) as model:
            began = time.monotonic()
            await asyncio.gather(*(one(model) for _ in range(count)))
            return time.monotonic() - began

    with ModelServer(bucket.answer) as server:
        took_s = asyncio.run(main(server.url))
    return bucket.refused, took_s


def test_who_listens_is_hardly_ever_refused() -> None:
    """80 calls, of which 30 may go at once and the rest at 50 a second: 1 s at best."""
    deaf, deaf_s = refusals(80, lambda _: None)
    listening, took_s = refusals(80, lambda reply: reply.left)
    assert deaf >= min(10, 80 - 30 - 50 * deaf_s)  # a slow machine is refused less
    assert listening <= 3
    assert took_s <= 3.0 + deaf_s
