"""The traces of runs as a page needs them: read on from where they were, a moment at a time.

A trace can have 200 MB, and grows while it is looked at. Its tree is kept, small, for the few runs
that people look at; what is new is read for a moment at each look, so that no view waits for long
and deliveries get their turn. Until all is read, a page says how much is.
"""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from app.trace_folder import SUFFIX, folder_of, open_trace
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
    """One file, as far as it was read. `end` is where its last whole line ended."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    reader: TraceReader = field(default_factory=lambda: TraceReader(MOST_NODES))
    at: int = 0
    inode: int = 0


class Traces:
    """The traces under RLM_HOME, by the run's id. Safe to share between threads."""

    def __init__(self, home: Path, *, moment_s: float = MOMENT_S) -> None:
        self._folder = folder_of(home)
        self._moment_s = moment_s
        self._lock = threading.Lock()
        self._followed: OrderedDict[str, _Followed] = OrderedDict()

    @contextmanager
    def look(self, run: str) -> Iterator[Look | None]:
        """Yield the trace of a run after reading on; None where there is none on this machine.

        `run` is an id from the store. Nobody else reads on while the block runs.
        """
        try:
            file = open_trace(self._folder / f"{run}{SUFFIX}")
        except TellUser:
            yield None
            return
        followed = self._of(run)
        with file, followed.lock:
            yield self._read_on(followed, file)

    def _of(self, run: str) -> _Followed:
        with self._lock:
            followed = self._followed.setdefault(run, _Followed())
            self._followed.move_to_end(run)
            while len(self._followed) > FOLLOWED:
                self._followed.popitem(last=False)
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
