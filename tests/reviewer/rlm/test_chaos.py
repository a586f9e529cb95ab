"""Whatever the service does: no cap is passed by its own bill, all is accounted for, nothing stays.

Each seed is one run: a random tree, random caps, a random moment of being cancelled, and a service
that bills up to the bound and answers in every way that it can. The bill is the service's.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from reviewer.model.anthropic import preload
from reviewer.request import Caps
from tests.model_rules import every_block
from tests.model_server import (
    Answer,
    ModelServer,
    billed,
    cut,
    error,
    hang,
    raw_tool,
    redacted,
    stall,
    stopped,
    stream_error,
    text,
    thinking,
    tokens,
    tool,
    truncated,
)
from tests.reviewer.rlm.tasks import Prices, Report, honest, leads, solved

SEEDS = range(60)
GRACE_S = 1.0
"""A deadline is looked at every 0.1 s; the rest is two busy cores."""

PYTHON = tool("python", {"code": "print('x' * 20_000)"})

DELEGATIONS = (
    "print([await c for c in [delegate([p]) for p in ['p1', 'p2']]])",
    "print(await delegate(['p1', 'p2'], 'backwards'))",
    "print(await delegate('p1'), await delegate('p1', 'backwards'), await ask('why?', 'x'))",
    "calls = [delegate(['p2']), delegate(['p1']), ask('what?')]",
)

ODD: dict[str, Callable[[Answer], Any]] = {
    "python": lambda _: PYTHON,
    "words": lambda _: text("hm"),
    "truncated": lambda _: truncated("submit", '{"words": ["a'),
    "paused": lambda _: stopped("pause_turn", text("hm")),
    "paused thinking": lambda _: stopped("pause_turn", thinking("hm")),
    "thinking": lambda _: [thinking("t"), redacted("zz"), PYTHON],
    "only thinking": lambda _: thinking("t"),
    "empty": lambda _: Answer(),
    "many tools": lambda _: [
        thinking("t"),
        text(" "),
        *[PYTHON] * 5,
        tool("bash", {}),
        raw_tool("submit", '{"x'),
    ],
    "submit among others": lambda good: [PYTHON, tool("submit", {"words": ["-"]}), good, PYTHON],
    "refusal": lambda _: stopped("refusal"),
    "window": lambda _: stopped("model_context_window_exceeded"),
    "wrong type": lambda _: tool("submit", {"words": 1, "more": 2}),
}
FAILURES: dict[str, Callable[[Answer], Answer]] = {
    "busy": lambda _: error(429, "rate_limit_error", retry_after=0),
    "overloaded": lambda _: error(529, "overloaded_error"),
    "broken": lambda _: error(500, "api_error"),
    "not taken": lambda _: error(400, "invalid_request_error", "no"),
    "gateway": lambda _: error(502, body="<html>bad gateway</html>"),
    "cut": lambda good: cut(good, after_events=3),
    "cut at once": lambda good: cut(good, after_events=0),
    "stalled": lambda good: stall(good, 3, 0.3),
    "late": lambda good: hang(0.5, good),
    "ends with overload": lambda good: stream_error("overloaded_error", good),
    "ends with refusal": lambda good: stream_error("invalid_request_error", good),
    "ends with another key": lambda good: stream_error("authentication_error", good),
}
FREE = {"busy", "overloaded", "broken", "not taken"}


@dataclass
class Service:
    """Answers at random, and keeps the bill."""

    chance: random.Random
    storm: bool
    tokens: int = 0
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: dict[str, Any]) -> Any:
        with self.lock:
            kinds = [*["good"] * 12, *ODD, *(FAILURES if self.storm else ())]
            kind, part, other = (
                self.chance.choice(kinds),
                self.chance.random(),
                self.chance.random(),
            )
        bare = [{k: v for k, v in b.items() if k != "cache_control"} for b in every_block(request)]
        prompt = int(sum(map(tokens, bare)) * (part if part < 0.5 else 1))
        reply = int(request["max_tokens"] * other) if other < 0.3 else 40
        if kind not in FREE:
            with self.lock:
                self.tokens += prompt + reply
                self.calls += 1
        usage = {"input_tokens": prompt, "output_tokens": reply}
        good = billed(self._good(request, other), **usage)
        if kind in FAILURES:
            return FAILURES[kind](good)
        if kind == "good":
            return good
        made = ODD[kind](good)
        if isinstance(made, list):
            return [*made[:-1], billed(made[-1], **usage)]
        return billed(made, **usage)

    def _good(self, request: dict[str, Any], which: float) -> Answer:
        if "tools" not in request:
            return text("an answer")
        if leads(request) and which < 0.6:
            return tool("python", {"code": DELEGATIONS[int(which * 10) % len(DELEGATIONS)]})
        return honest(request)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_cap_is_passed_and_all_is_accounted_for(seed: int):
    preload()  # takes a second, which is no part of a deadline
    chance = random.Random(seed)
    storm = chance.random() < 0.5
    service = Service(chance, storm)
    led = chance.random() < 0.5  # a leader needs money for all that it gives out
    many = [10, 40, 100] if led else [1, 3, 10, 40, 100]
    words = tuple(f"w{number:03d}" for number in range(chance.choice(many)))
    caps = Caps(
        usd=chance.choice([None, 300, 1_000, 3_000] if led else [None, 0, 3, 10, 30, 100, 1_000]),
        tokens=chance.choice([None, None, 1_000_000] if led else [None, 5_000, 20_000, 100_000]),
        calls=chance.choice([None, None, 40, 200] if led else [None, 0, 1, 5, 30]),
        seconds=chance.choice([1.0, 2.0]) if storm else 10.0,
        depth=chance.randint(2 if led else 1, 4),
    )
    cancelled_s = chance.choice([None, None, 0.05, 0.5])
    task = Report(
        fan=chance.choice([2, 4] if led else [2, 4, 50]),
        question="words: x" if chance.random() < 0.3 else None,
        led=led,
    )
    before = threading.active_count()
    began = time.monotonic()
    with ModelServer(service) as server:
        done = solved(
            server,
            words,
            task=task,
            caps=caps,
            cancelled=lambda: cancelled_s is not None and time.monotonic() - began > cancelled_s,
        )
        took = time.monotonic() - began
    assert done.solved.covered | done.solved.missed.keys() == set(words)
    assert not done.solved.covered & done.solved.missed.keys()
    # "-" is refused twice in each node; what is handed in then is taken, for the job to drop.
    assert set(done.solved.result.words) - {"x", "-"} <= set(words)
    assert server.refused == []
    cost = service.tokens * (Prices().usd or 0.0)
    assert done.usd >= cost - 1e-6
    assert caps.usd is None or done.usd <= caps.usd + 1e-6
    assert caps.tokens is None or service.tokens <= caps.tokens
    assert caps.calls is None or service.calls <= caps.calls
    assert took < min(caps.seconds or 10, cancelled_s or 10) + GRACE_S
    ended = time.monotonic() + 10  # threads of the server may still hang up
    while threading.active_count() > before and time.monotonic() < ended:
        time.sleep(0.01)
    assert threading.active_count() <= before
    assert done.left_behind == 0
