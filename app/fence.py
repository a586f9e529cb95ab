"""The right to write that goes with a claim: asked for again before each write to GitHub.

Who is cut off from everything loses its claim after a while, another one does the work, and then
the first one goes on where it was: with what it read before, of which nothing is so any more.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from reviewer.errors import RetryLater

FRESH_S = 1.0
"""For so long an answer counts: a claim that holds lasts for much longer."""


class ClaimLost(RetryLater):
    """Somebody else has the work by now: nothing more is to be said about it here."""


class _Fence:
    def __init__(self, holds: Callable[[], bool]) -> None:
        self._holds = holds
        self._asked = float("-inf")

    def check(self) -> None:
        now = time.monotonic()
        if now - self._asked < FRESH_S:
            return
        if not self._holds():
            raise ClaimLost("Somebody else has taken this over", 0.0)
        self._asked = now

    def doubt(self) -> None:
        self._asked = float("-inf")


_FENCE: ContextVar[_Fence | None] = ContextVar("fence", default=None)


@contextmanager
def fenced(holds: Callable[[], bool]) -> Iterator[None]:
    """Let this thread write to GitHub only as long as `holds` says so."""
    token = _FENCE.set(_Fence(holds))
    try:
        yield
    finally:
        _FENCE.reset(token)


def may_write() -> None:
    """Raise ClaimLost if this thread works under a claim that somebody else has taken over.

    Whoever gave out the claim is asked again after a second, and after a request that failed.
    """
    if (fence := _FENCE.get()) is not None:
        fence.check()


def failed() -> None:
    """Have the next write of this thread ask again: a request has failed."""
    if (fence := _FENCE.get()) is not None:
        fence.doubt()
