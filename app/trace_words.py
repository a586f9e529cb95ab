"""What the texts of a trace say, in a line: results of any task, and how long a text was."""

import json
import math
import re
from typing import Any

from app.render.escape import one_line

SHORT_CHARS = 120

MAX_NESTING = 40

_CUT = re.compile(r"… \((\d{1,15}) more characters\)$")


def sentences(text: str) -> str:
    """Return a text on one line, cut to SHORT_CHARS."""
    flat = one_line(text[: 4 * SHORT_CHARS])
    return flat if len(flat) <= SHORT_CHARS else f"{flat[: SHORT_CHARS - 1].rstrip()}…"


def said_by(result: str) -> str:
    """Return in a line what a result of any task says: how many of what, and its first words."""
    try:
        value = json.loads(result)
    except (ValueError, RecursionError):
        return sentences(result)
    if not isinstance(value, dict):
        return sentences(result)
    parts = [
        _counted(len(one), sentences(str(name))[:40])
        for name, one in value.items()
        if isinstance(one, list)
    ][:5]
    prose = next((one for one in value.values() if isinstance(one, str) and one.strip()), "")
    said = ", ".join(parts)
    if prose:
        said += f"{'; ' if said else ''}“{sentences(prose)}”"
    return said or sentences(result)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun[:-1] if number == 1 and noun.endswith('s') else noun}"


def whole_length(text: str) -> int:
    """Return how long a text was before `preview` cut it."""
    cut = _CUT.search(text)
    return cut.start() + int(cut[1]) if cut else len(text)


def pretty(result: str) -> tuple[Any, bool]:
    """Return a result as a JSON value and True, or as it stands and False where it is none."""
    try:
        value = json.loads(result, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return result, False
    return (value, True) if _is_flat(value) else (result, False)


def _refuse(word: str) -> None:
    raise ValueError(word)


def _finite(word: str) -> float:
    if not math.isfinite(number := float(word)):
        raise ValueError(word)
    return number


def _is_flat(value: Any) -> bool:
    """Is it nested no deeper than any result of ours? What writes JSON recurses."""
    level = [value]
    for _ in range(MAX_NESTING):
        deeper: list[Any] = []
        for one in level:
            if isinstance(one, dict | list):
                deeper += one.values() if isinstance(one, dict) else one
        if not deeper:
            return True
        level = deeper
    return False
