"""A journal that is gone with its process: for runs that want none on the disk, and for tests."""

from dataclasses import dataclass, field

from reviewer.model.base import Reply
from reviewer.rlm.budget import Amount, Limit
from reviewer.rlm.journal import Kept, Key, Ledger


@dataclass(slots=True)
class _Row:
    """One entry: who reserved it, and what it cost, None until that is known."""

    run: str
    worst: Amount
    cost: Amount | None = None

    @property
    def counts(self) -> Amount:
        return self.worst if self.cost is None else self.cost


@dataclass(slots=True)
class _Memory:
    """What all journals of one memory share; a reply stands beside the row that paid for it."""

    rows: list[_Row] = field(default_factory=list)
    replies: dict[bytes, tuple[Reply, _Row]] = field(default_factory=dict)

    def used(self, run: str) -> Amount:
        return sum((row.counts for row in self.rows if row.run == run), Amount())

    def lost(self, run: str) -> Amount:
        shown = {id(row) for _, row in self.replies.values()}
        lost = (row for row in self.rows if row.run == run and id(row) not in shown)
        return sum((row.counts for row in lost), Amount())


class MemoryJournal:
    """A Journal in memory. `again` opens it a second time, as another process opens a file."""

    def __init__(self, caps: Limit = Limit(), run: str = "") -> None:  # noqa: B008 - frozen
        self._open(_Memory(), caps, run)

    def _open(self, memory: _Memory, caps: Limit, run: str) -> None:
        self._memory = memory
        self._run = run
        self._ledger = Ledger(caps, memory.used(run))
        self._lost = memory.lost(run)
        self._rows: dict[int, _Row] = {}

    def again(self, run: str | None = None) -> "MemoryJournal":
        """Return what a later process has: for this run, cut off as it is now, or for another."""
        later = MemoryJournal()
        later._open(self._memory, self._ledger.caps, self._run if run is None else run)
        return later

    @property
    def lost(self) -> Amount:
        """See `Journal`."""
        return self._lost

    async def find(self, key: Key) -> Kept | None:
        """See `Journal`."""
        found = self._memory.replies.get(key.digest)
        if found is None:
            return None
        reply, row = found
        return Kept(reply, row.counts, own=row.run == self._run)

    async def reserve(self, key: Key, worst: Amount) -> int:
        """See `Journal`."""
        entry = self._ledger.reserve(worst)
        self._rows[entry] = _Row(self._run, worst)
        self._memory.rows.append(self._rows[entry])
        return entry

    async def settle(self, entry: int, key: Key, cost: Amount, reply: Reply | None) -> None:
        """See `Journal`."""
        self._ledger.settle(entry, cost)
        row = self._rows.pop(entry)
        row.cost = cost
        if reply is not None:
            self._memory.replies[key.digest] = (reply, row)
