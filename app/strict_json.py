"""JSON from outside, read without the liberties that Python's own reader takes.

Two readers of one text must not see two things: no duplicate keys, no NaN, no half of a surrogate
pair, no number that only some languages can hold.
"""

import json
import math
import re
from typing import NoReturn

MAX_INT_DIGITS = 20
"""With its sign; 64 bits need no more, and GitHub's ids are 64 bits."""

_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")


def loads(raw: bytes) -> object:
    """Return the value that `raw` holds, or raise ValueError with a few words that say why not."""
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_float,
            parse_int=_int,
        )
        if _HALF_PAIR.search(raw):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except UnicodeEncodeError:
        raise ValueError("it holds half of a surrogate pair") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg.lower()} at character {error.pos}") from None
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _int(text: str) -> int:
    if len(text) > MAX_INT_DIGITS:
        raise ValueError("a number is too large")
    return int(text)
