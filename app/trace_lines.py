"""One line of a trace: an event of the kernel, or the first or last word about the whole run.

Lines are read as data of unknown origin: what is damaged, absurd or of a newer version is told
apart and never an error.
"""

import json
import re
from dataclasses import dataclass, field, is_dataclass
from typing import Any, Literal, NoReturn

from pydantic import TypeAdapter, ValidationError

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
from reviewer.text import printable

Status = Literal["complete", "partial", "failed"]

MAX_LINE_BYTES = 8_000_000
"""A result of 200,000 characters, each written as an escape of six, with room to spare."""

MAX_NUMBER = 10**15
MAX_NAME_CHARS = 300

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}(?:\.[a-z0-9][a-z0-9_-]{0,39}){0,63}")
"""A node's name. Folders are made of it, so it holds nothing that means something in a path."""


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The first line. `began` is UTC, ISO 8601; `what` a repository's folder or `OWNER/NAME#1`."""

    run: str
    began: str
    what: str
    base: str
    head: str
    model: str | None
    effort: str
    caps: dict[str, int | float | None] = field(default_factory=dict)
    version: str = ""


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The last line. "failed": no review came of it. `usd` is None where a price was unknown."""

    status: Status
    stopped: str | None = None
    findings: int = 0
    usd: float | None = None
    calls: int = 0
    seconds: float = 0.0


Recorded = Event | RunStarted | RunEnded


@dataclass(frozen=True, slots=True)
class Line:
    """What came `at_s` seconds after its run began."""

    at_s: float
    event: Recorded


@dataclass(frozen=True, slots=True)
class Unknown:
    """A sound line of a kind that this version does not know."""

    kind: str


_KINDS: dict[str, TypeAdapter[Any]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (
        NodeStarted,
        NodeSplit,
        Delegated,
        Result,
        NodeEnded,
        CallStarted,
        CallEnded,
        Replayed,
        CodeRun,
        FunctionCalled,
        Submitted,
        BorderChanged,
        Note,
        RunStarted,
        RunEnded,
    )
}


def parsed(raw: bytes) -> Line | None:
    """Return the line's event, or None for one that is damaged or of an unknown kind."""
    line = read_line(raw)
    return line if isinstance(line, Line) else None


def read_line(raw: bytes) -> Line | Unknown | None:
    """Return what a line says; None if it is damaged."""
    try:
        value = json.loads(raw, parse_constant=_no_number)
        if not isinstance(value, dict):
            return None
        if b"\\u" in raw:
            value = _clean(value)
        kind, at_s = value.pop("event", None), value.pop("at_s", 0.0)
        if not isinstance(kind, str) or not _is_amount(at_s):
            return None
        if kind not in _KINDS:
            return Unknown(kind[:MAX_NAME_CHARS])
        event = _KINDS[kind].validate_python(value)
    except (ValueError, ValidationError, RecursionError):
        return None
    return Line(float(at_s), event) if _is_sane(event) else None


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _clean(value: Any) -> Any:
    """Put what stands for lone surrogates in the place of them; pydantic refuses the whole line."""
    match value:
        case str():
            return printable(value)
        case list():
            return [_clean(one) for one in value]
        case dict():
            return {printable(key): _clean(one) for key, one in value.items()}
    return value


def _is_amount(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value <= MAX_NUMBER  # type: ignore[operator]


def _is_sane(event: Any) -> bool:
    """No number is below nothing or beyond reason, and nodes have names that can be shown."""
    return all(_is_sane_field(name, getattr(event, name)) for name in event.__slots__)


def _is_sane_field(name: str, value: Any) -> bool:
    match value:
        case str() if name in {"node", "parent", "child"}:
            return NAME.fullmatch(value) is not None
        case bool():
            return True
        case int() | float():
            return _is_amount(value)
        case dict():
            return all(one is None or _is_amount(one) for one in value.values())
    return not is_dataclass(value) or _is_sane(value)
