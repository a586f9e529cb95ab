"""The traces of runs as a page needs them: read on from where they were, a moment at a time.

A trace can have 200 MB, and grows while it is looked at. Its tree is kept, small, for the few runs
that people look at; what is new is read for a moment at each look, so that no view waits for long
and deliveries get their turn. Until all is read, a page says how much is.

What another server writes is read from the database that both share (`app/trace_shared.py`): its
parts are put together in a file without a name, for as long as its run is followed.
"""

import logging
import os
import tempfile
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from app.store import Store
from app.store.traces import SharedTrace
from app.trace_folder import SUFFIX, folder_of, open_trace
from app.trace_lines import MAX_LINE_BYTES
from app.trace_nodes import Trace
from app.trace_read import TraceReader
from reviewer.errors import TellUser

MOMENT_S = 0.25
FOLLOWED = 8
"""Runs whose trees are kept; whoever looks at a ninth has it read from its start."""

MOST_NODES = 5_000
"""Of one tree; what belongs to others is in the sums. A change of ten million tokens has about as
many."""

LINES_AT_ONCE = 50

PARTS_AT_ONCE = 10
"""Of a trace that another server has written; a run of an hour has hundreds, small ones."""

MOST_PART_BYTES = 2 * MAX_LINE_BYTES
MOST_SPOOLED_BYTES = 200_000_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """A trace as far as it is read. `file` is open while it is looked at."""

    trace: Trace
    file: BinaryIO
    read: int
    size: int

    @property
    def is_whole(self) -> bool:
        """Is all of it read, but for a line that may be half written?"""
        return self.read >= self.size

    @property
    def percent(self) -> int:
        """How much of it is read."""
        return min(99, 100 * self.read // self.size) if not self.is_whole else 100


@dataclass(slots=True)
class _Followed:
    """One file, as far as it was read: `at` is where its last whole line ended. `spool` has the
    first `parts` of a trace of another server.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    reader: TraceReader = field(default_factory=lambda: TraceReader(MOST_NODES))
    at: int = 0
    inode: int = 0
    spool: BinaryIO | None = None
    parts: int = 0

    def close(self) -> None:
        """Give back what a trace of another server takes on the disk; it can be read again."""
        if self.spool is not None:
            self.spool.close()
        self.spool, self.parts = None, 0


class Traces:
    """The traces under RLM_HOME, by the run's id, and those in a store that servers share, of
    which this one is called `node`. Safe to share between threads.
    """

    def __init__(
        self, home: Path, store: Store | None = None, node: str = "", *, moment_s: float = MOMENT_S
    ) -> None:
        self._folder = folder_of(home)
        self._store = store
        self._node = node
        self._moment_s = moment_s
        self._lock = threading.Lock()
        self._followed: OrderedDict[str, _Followed] = OrderedDict()

    @contextmanager
    def look(self, run: str) -> Iterator[Look | None]:
        """Yield the trace of a run after reading on; None where there is none for this machine.

        `run` is an id from the store. Nobody else reads on while the block runs.
        """
        store = self._store
        there = None if store is None else store.shared_trace(run)
        if there is None or there.server == self._node:
            try:
                file = open_trace(self._folder / f"{run}{SUFFIX}")
            except TellUser:
                pass
            else:
                followed = self._of(run)
                with file, followed.lock:
                    yield self._read_on(followed, file)
                return
        if store is None or there is None:
            yield None
            return
        followed = self._of(run)
        with followed.lock:
            yield self._look_elsewhere(store, followed, run, there)

    def _look_elsewhere(
        self, store: Store, followed: _Followed, run: str, there: SharedTrace
    ) -> Look | None:
        """Read on in a trace that another server writes, as far as it has come here."""
        try:
            file = _spooled(store, followed, run, there, self._moment_s)
        except (OSError, zlib.error) as error:  # no room, perhaps: a page without a tree
            log.warning("a trace is not read", extra={"run": run, "why": error})
            followed.close()
            return None
        look = self._read_on(followed, file)
        size = look.size if followed.parts >= there.parts else max(there.size, look.read + 1)
        return Look(look.trace, look.file, look.read, size)

    def _of(self, run: str) -> _Followed:
        dropped = []
        with self._lock:
            followed = self._followed.setdefault(run, _Followed())
            self._followed.move_to_end(run)
            while len(self._followed) > FOLLOWED:
                dropped.append(self._followed.popitem(last=False)[1])
        for one in dropped:
            with one.lock:
                one.close()
        return followed

    def _read_on(self, followed: _Followed, file: BinaryIO) -> Look:
        status = os.fstat(file.fileno())
        if status.st_ino != followed.inode or status.st_size < followed.at:
            followed.reader = TraceReader(MOST_NODES)
            followed.at, followed.inode = 0, status.st_ino
        file.seek(followed.at)
        until = time.monotonic() + self._moment_s
        is_waiting = True
        while is_waiting and time.monotonic() < until:
            for _ in range(LINES_AT_ONCE):
                after = followed.reader.line(file, followed.at, growing=True)
                is_waiting = after > followed.at
                followed.at = after
                if not is_waiting:
                    break
        followed.reader.sum_up()
        # A line that is half written is not waited for: what can be read is read.
        size = status.st_size if is_waiting else followed.at
        return Look(followed.reader.trace, file, followed.at, size)


def _spooled(
    store: Store, followed: _Followed, run: str, there: SharedTrace, moment_s: float
) -> BinaryIO:
    """Return the file with the parts that are here, after a moment of bringing more of them."""
    if followed.parts > there.parts:  # it was removed, and begun anew
        followed.close()
    spool = followed.spool
    if spool is None:
        spool = followed.spool = _nameless()
    at = spool.seek(0, os.SEEK_END)
    until = time.monotonic() + moment_s
    while followed.parts < there.parts:
        parts = store.trace_parts(run, followed.parts, PARTS_AT_ONCE)
        for data in parts:
            text = zlib.decompressobj().decompress(data, MOST_PART_BYTES)
            if at < MOST_SPOOLED_BYTES:
                at += spool.write(text)
            followed.parts += 1
        if not parts or time.monotonic() > until:
            break
    spool.flush()
    return spool


def _nameless() -> BinaryIO:
    return cast(BinaryIO, tempfile.TemporaryFile(prefix="rlm-trace-"))
