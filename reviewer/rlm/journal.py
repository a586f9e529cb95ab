"""The journal: every reply of the model under a digest of its request, so that none is paid twice.

A request is a pure function of what its node knows (docs/design.md, "Journal"), so running again is
resuming: what was answered before the process died, or before the last push, costs nothing.

    StoredJournal  (app)        on the disk or in a database, for all runs
    MemoryJournal  (memory.py)  for one process
"""

from dataclasses import dataclass
from typing import Protocol

from reviewer.model.base import Reply
from reviewer.rlm.budget import Amount, Limit, OutOfBudget


@dataclass(frozen=True, slots=True)
class Key:
    """The name of a request. `digest` finds the entry, `secret` opens it: both come from all of it.

    Who has the journal but not the request, which holds the code under review, reads nothing.
    """

    digest: bytes
    secret: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A reply that was paid for. `own`: by this very run, in this process or one before it."""

    reply: Reply
    cost: Amount
    own: bool


class Journal(Protocol):
    """What was asked, answered and paid: the memory of runs and the ledger of one.

    One object for both, because a reply is kept and settled in one step: a process that is killed
    between the two would pay twice, or count what it never got.
    """

    @property
    def lost(self) -> Amount:
        """What this run paid, or may have, before it was cut off, with no reply to show for it.

        It counts as spent: reservations that were never settled, calls that were charged and
        brought no answer, replies that have gone since. As it was when the journal was opened.
        """
        ...

    async def find(self, key: Key) -> Kept | None:
        """Return the reply to a request; a damaged entry is dropped, and there is none."""
        ...

    async def reserve(self, key: Key, worst: Amount) -> int:
        """Write down the worst case of a call before it is made; return the entry's number.

        On the disk when it returns. Raise OutOfBudget where that passes a cap of the run, with all
        that the run paid in processes before this one, and TellUser where it cannot be written
        down and the run has a cap. When it is cancelled, nothing stays reserved.
        """
        ...

    async def settle(self, entry: int, key: Key, cost: Amount, reply: Reply | None) -> None:
        """Write down what a call really cost, and keep its reply, both or neither.

        Once begun it is done, also when whoever awaits it is cancelled. Where it cannot be written
        down the worst case stays, and that is all: the reply is there and was paid for.
        """
        ...


class Ledger:
    """What one run has settled and reserved, in memory, within the run's caps."""

    def __init__(self, caps: Limit, used: Amount = Amount()) -> None:  # noqa: B008 - frozen
        self.caps = caps
        self.used = used
        self._open: dict[int, Amount] = {}
        self._entries = 0

    @property
    def capped(self) -> bool:
        return self.caps != Limit()

    def reserve(self, worst: Amount) -> int:
        """Set aside the worst case of a call; raise OutOfBudget and change nothing."""
        if not self.caps.admits(self.used + worst):
            raise OutOfBudget(
                "with what this run has paid and reserved, its caps do not cover another call"
            )
        self.used += worst
        self._entries += 1
        self._open[self._entries] = worst
        return self._entries

    def settle(self, entry: int, cost: Amount) -> Amount:
        """Replace a reservation by what the call cost; return what was reserved."""
        worst = self._open.pop(entry, None)
        if worst is None:
            raise ValueError("an entry is settled once")
        self.used += cost - worst
        return worst
