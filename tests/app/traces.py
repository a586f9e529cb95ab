"""Traces as tests need them: a run in which everything happened, and the bytes of any events."""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from app.trace_lines import RunEnded, RunStarted
from reviewer.model.base import Stop, Usage
from reviewer.rlm.trace import (
    BorderChanged,
    CallEnded,
    CallStarted,
    CodeRun,
    Delegated,
    Event,
    FunctionCalled,
    NodeEnded,
    NodeSplit,
    NodeStarted,
    Note,
    Replayed,
    Result,
    Submitted,
)

RUN = "20261126-145003-x7q2"

FIRST = RunStarted(
    run=RUN,
    began="2026-11-26T14:50:03Z",
    what="shop",
    base="a" * 40,
    head="b" * 40,
    model="strong-1",
    effort="standard",
    caps={"usd": 2.0, "tokens": None, "calls": None, "seconds": None, "depth": 4},
    version="0.1.0",
)
END = RunEnded("partial", "budget", findings=3, usd=0.07, calls=4, seconds=12.5)


def answered(node: str, call: int, usd: float | None = 0.02) -> CallEnded:
    return CallEnded(node, call, Stop.TOOL, Usage(1_000, 200, 3_000, 0), usd, 2.0)


EVENTS: tuple[Event, ...] = (
    BorderChanged("a.py", "area", "signature", "changed", "area(w)", "area(w, h)", ("s1",)),
    NodeStarted("1", None, "find", "all (9 files) [correctness]", 20_000, 22),
    CallStarted("1", 1, 0.1, "strong-1"),
    CallEnded("1", 1, None, Usage(), 0.0, 0.5, "the model's service answered 529"),
    Note("the model's service answered 529; trying again in 1 s"),
    CallStarted("1", 2, 0.1, "strong-1"),
    answered("1", 2, 0.04),
    FunctionCalled("1", "grep", "'area'"),
    FunctionCalled("1", "grep", "'area'"),
    FunctionCalled("1", "read", "'a.py', 1, 40"),
    Delegated("1", "1.1", ("p1", "p2"), "contracts", "model"),
    NodeStarted("1.1", "1", "find", "web", 6_000, 12),
    Replayed("1.1", "journal", Stop.TOOL, Usage(500, 90, 0, 0), 0.5, "cheap-1"),
    Submitted("1.1", '{"overview": 3}', ("overview: a string is wanted",)),
    CallStarted("1.1", 3, 0.1, "cheap-1"),
    answered("1.1", 3, 0.01),
    Submitted("1.1", '{"overview": "Fine.", "claims": []}'),
    Result("1.1", '{"overview": "Fine.", "claims": []}'),
    NodeEnded("1.1", "done"),
    CodeRun("1", "x = 1\nprint(x)", "1\n… (98 more characters)", False),
    CodeRun("1", "1 / 0", "ZeroDivisionError", True),
    Delegated("1", "1.2", ("p3",), "", "host"),
    NodeStarted("1.2", "1", "find", "backend", 14_000, 10),
    NodeSplit("1.2", 2),
    NodeStarted("1.2.1", "1.2", "find", "backend/a", 7_000, 5),
    CallStarted("1.2.1", 4, 0.1),
    answered("1.2.1", 4),
    NodeEnded("1.2.1", "failed", "the model kept answering without a result"),
    NodeStarted("1.2.2", "1.2", "find", "backend/b", 7_000, 5),
    NodeEnded("1.2.2", "done"),
    NodeEnded("1.2", "partial", "the model kept answering without a result"),
    Result("1", '{"overview": "All in all.", "claims": [{"title": "Broken"}]}'),
    NodeEnded("1", "partial", "the model kept answering without a result"),
)


def line(event: Event | RunStarted | RunEnded, at_s: float = 0.0) -> bytes:
    value = {"at_s": at_s, "event": type(event).__name__, **dataclasses.asdict(event)}
    return json.dumps(value).encode() + b"\n"


def raw(events: Iterable[Event | RunStarted | RunEnded]) -> bytes:
    """The events as a file has them, half a second apart."""
    return b"".join(line(event, at / 2) for at, event in enumerate(events))


def whole(events: Sequence[Event] = EVENTS) -> bytes:
    return raw([FIRST, *events, END])


def written(folder: Path, content: bytes, name: str = RUN) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.jsonl"
    path.write_bytes(content)
    return path
