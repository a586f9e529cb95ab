"""How many calls are open at once: as many as the service bears, found by trying.

Halved when the service says that it is busy, and raised by one for each round of good answers
(AIMD, as TCP does it): runs that share one account settle on a fair share without talking. Where
the service says with each answer how much is left, the limit falls before a call is refused.

Calls that may wait, the questions across what was read, give way to all others: what ends early, by
a deadline or by hand, has read the most it could, and the last parts do not wait for questions.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

from reviewer.model.base import Left

LITTLE = 0.1
"""Below this share of a minute's limit calls become fewer. At a tenth, what is open already (a
full window of tokens each, at worst) still finds room; and who uses less never comes near it."""


class Gate:
    """At most `limit` tasks are inside of its `passage`; first come, first served.

    Lives on one event loop. A task reports on its own last passage: `ok` after a good answer,
    `busy` after the service asked for less, inside or after the `async with`.
    """

    def __init__(self, maximum: int) -> None:
        if maximum < 1:
            raise ValueError("at least one call must pass")
        self.maximum = maximum
        self._allowed = float(maximum)
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._behind: deque[asyncio.Future[None]] = deque()
        self._passages = 0
        self._passage: WeakKeyDictionary[asyncio.Task[Any], int] = WeakKeyDictionary()
        self._lowered_at = 0

    @property
    def limit(self) -> int:
        """How many may be inside now, from 1 to `maximum`."""
        return int(self._allowed)

    @property
    def inside(self) -> int:
        """How many are."""
        return self._inside

    def busy(self) -> None:
        """Halve the limit: the service asked for less.

        Calls that were already open at the last halving say nothing new, so that one burst of
        refusals is one halving.
        """
        if self._of_this_task() <= self._lowered_at:
            return
        self._lowered_at = self._passages
        self._allowed = max(1.0, self._allowed / 2)

    def ok(self, left: Left | None = None) -> None:
        """Raise the limit by one for as many good answers as it is high.

        Never above what is left, as the answer says. That is a level and no step down, so what
        many answers say at one time counts once.
        """
        raised = min(float(self.maximum), self._allowed + 1 / self._allowed)
        self._allowed = min(raised, self._bearable(left))
        self._admit()

    @asynccontextmanager
    async def passage(self, *, behind: bool = False) -> AsyncIterator[None]:
        """Wait for a place and hold it; `behind` all who wait for one without that word."""
        if self._inside < self.limit:  # then nobody waits: see `_admit`
            self._inside += 1
        else:
            await self._turn(self._behind if behind else self._waiting)
        self._passages += 1
        if task := asyncio.current_task():
            self._passage[task] = self._passages
        try:
            yield
        finally:
            self._leave()

    async def _turn(self, queue: deque[asyncio.Future[None]]) -> None:
        """Wait until `_admit` lets this task in; it has then been counted already."""
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()  # let in and cancelled in the same moment: the place goes on
            raise

    def _leave(self) -> None:
        self._inside -= 1
        self._admit()

    def _admit(self) -> None:
        """Let in who waits while there is room; called whenever room may have come."""
        while self._inside < self.limit and (queue := self._waiting or self._behind):
            turn = queue.popleft()
            if not turn.cancelled():
                self._inside += 1
                turn.set_result(None)

    def _bearable(self, left: Left | None) -> float:
        """Return how many calls may be open, as far as what is left says anything about it."""
        if left is None or time.monotonic() >= left.until:
            return float(self.maximum)
        by_share = self.maximum * min(1.0, left.share / LITTLE)
        by_number = self.maximum if left.requests is None else left.requests
        return max(1.0, min(by_share, by_number))

    def _of_this_task(self) -> int:
        task = asyncio.current_task()
        latest = self._passages + 1  # a task that reports for another counts as news
        return self._passage.get(task, latest) if task else latest
