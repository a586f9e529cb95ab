"""The journal: every reply of the model under a digest of its request, so that none is paid twice.

A request is a pure function of what its node knows (docs/design.md, "Journal"), so running again is
resuming: what was answered before the process died, or before the last push, costs nothing.
"""

from dataclasses import dataclass
from typing import Protocol

from reviewer.model.base import Reply
from reviewer.rlm.budget import Amount


@dataclass(frozen=True, slots=True)
class Key:
    """The name of a request. `digest` finds the entry, `secret` opens it: both come from all of it.

    Who has the journal but not the request, which holds the code under review, reads nothing.
    """

    digest: bytes
    secret: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A reply that was paid for. `own`: by this very run, before it was cut off."""

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
        """What this run reserved before it was cut off and never settled: it counts as spent."""
        ...

    async def find(self, key: Key) -> Kept | None:
        """Return the reply to a request; a damaged entry is dropped, and there is none."""
        ...

    async def reserve(self, key: Key, worst: Amount) -> int:
        """Write down the worst case of a call before it is made; return the entry's number.

        On the disk when it returns. Raise OutOfBudget where that passes a cap of the run.
        """
        ...

    async def settle(self, entry: int, key: Key, cost: Amount, reply: Reply | None) -> None:
        """Write down what a call really cost, and keep its reply, both or neither."""
        ...
