"""A review as JSON: the documented contract, field for field in the order of `Review`."""

import json
import re
from typing import Any

from app.render.escape import HIDDEN
from reviewer.request import Review

_SURROGATE = re.compile("[\ud800-\udfff]")


def render_json(review: Review) -> str:
    """Return the review as JSON that loads as the same values."""
    return dumps(review.model_dump())


def dumps(value: Any) -> str:
    """Return JSON, readable and safe in a terminal: hidden characters are written as escapes.

    A lone surrogate, which strict parsers refuse, becomes U+FFFD.
    """
    plain = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    return HIDDEN.sub(_escaped, _SURROGATE.sub("\ufffd", plain)) + "\n"


def _escaped(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
