"""What an answer's headers say is left of the account's limits, before a call is refused for it."""

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from reviewer.model.base import Left

PREFIX = "anthropic-ratelimit-"

KINDS = ("requests", "tokens", "input-tokens", "output-tokens")

LONGEST_S = 120.0
"""Limits are a minute's; what is said to fill up later is a broken clock, and no reason to wait."""

_NUMBER = re.compile(r"[0-9]{1,15}")


def left(headers: Mapping[str, str]) -> Left | None:
    """Return what is left of the limit that is nearest to its end; None if nothing is said.

    Header names are in lower case. Whatever makes no sense is passed over.
    """
    shares: list[tuple[float, float]] = []
    requests = None
    for kind in KINDS:
        remaining = _number(headers.get(f"{PREFIX}{kind}-remaining"))
        limit = _number(headers.get(f"{PREFIX}{kind}-limit"))
        if remaining is None or not limit:
            continue
        if kind == "requests":
            requests = remaining
        filled_s = _filled_in(headers.get(f"{PREFIX}{kind}-reset"), headers.get("date"))
        shares.append((min(1.0, remaining / limit), filled_s))
    if not shares:
        return None
    share, filled_s = min(shares)
    return Left(share, requests, time.monotonic() + filled_s)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


def _filled_in(reset: str | None, date: str | None) -> float:
    """Return in how many seconds a limit is whole again, by the clock that wrote the headers."""
    try:
        at = datetime.fromisoformat(reset or "")
        now = parsedate_to_datetime(date) if date else datetime.now(UTC)
        return min(LONGEST_S, max(0.0, (at - now).total_seconds()))
    except (ValueError, TypeError, OverflowError):  # TypeError: one of them names no time zone
        return LONGEST_S
