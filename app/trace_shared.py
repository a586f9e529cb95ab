"""The trace of a run, brought to the database that several servers share while it is written.

A trace lies on the server that reviews; whoever looks at the run's page may be at another one. So
every few seconds the new lines of the file go to the store, as they are: secrets are masked there.
What one run brings is bounded: after a while long texts are cut, and then it ends with a word.
"""

import json
import logging
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from app.store import Store, TracePart
from app.trace_folder import SUFFIX, folder_of
from reviewer.errors import RlmError

log = logging.getLogger(__name__)

SHARE_S = 5.0

MOST_BYTES = 4_000_000
"""Of one run, compressed."""

WHOLE_BYTES = 2_000_000
"""So much of it has its texts whole; after that they are cut, and the tree goes on."""

CUT_CHARS = 300
READ_BYTES = 1_000_000
LAST_BYTES = 64_000

SEEN_S = 86_400.0
"""A server that gave a sign of life in this time has readers, perhaps."""

REST = "what follows is in the trace on the server that reviewed: it is too long for the others"


def has_others(store: Store, server: str) -> bool:
    """Do other servers share the database? `server` begins the names of our own processes."""
    if store.database.shared is None:
        return False
    late = time.time() - SEEN_S
    names = {one.name.rpartition("/")[0] for one in store.workers() if one.seen > late}
    return bool(names - {server.rstrip("/")})


@contextmanager
def sharing(  # noqa: PLR0917
    store: Store, home: Path, run: str, server: str, kept_s: float, every_s: float = SHARE_S
) -> Iterator[None]:
    """Bring the trace of a run to the store while the block runs, and the rest of it at its end.

    Nothing that this meets ends the run. Traces that are older than `kept_s` make room.
    """
    if not _tried(lambda: has_others(store, server)):
        yield
        return
    _tried(lambda: store.expire_traces(kept_s))
    shared = _Sharing(store, folder_of(home) / f"{run}{SUFFIX}", run, server)
    ended = threading.Event()

    def keep_up() -> None:
        while not ended.wait(every_s):
            _tried(shared.bring)

    thread = threading.Thread(target=keep_up, name="share", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        _tried(shared.bring)
        _tried(shared.close)


@dataclass(slots=True)
class _Sharing:
    """One trace, as far as it was brought: up to `at` in its file, as `parts` of `stored` bytes."""

    store: Store
    path: Path
    run: str
    server: str
    at: int = 0
    parts: int = 0
    stored: int = 0
    known: bool = False
    over: bool = False
    cut: bool = field(default=False)

    def bring(self) -> None:
        """Bring what was written since; raise what keeps that from being done now."""
        with self.path.open("rb") as file:
            if not self.known:
                self._begin(file)
            while not self.over:
                file.seek(self.at)
                lines = file.readlines(READ_BYTES)
                if lines and not lines[-1].endswith(b"\n"):
                    lines.pop()  # its end is being written
                if not lines:
                    return
                after = self.at + sum(map(len, lines))
                whole = self.stored < WHOLE_BYTES
                self._add(b"".join(lines if whole else map(_shortened, lines)), after)

    def _begin(self, file: BinaryIO) -> None:
        """Go on where an earlier try ended, of this server or of another one.

        A file that was begun anew since, as where there was no room, is brought from its beginning.
        """
        there = self.store.shared_trace(self.run)
        if there is not None:
            self.parts, self.stored = there.parts, there.bytes
            last = self.store.last_shared(self.run, self.server)
            self.at = last.ends if last is not None and _goes_on(file, last) else 0
        self.known = True

    def _add(self, text: bytes, after: int, room: int = 0) -> None:
        data = zlib.compress(text)
        if self.stored + len(data) > MOST_BYTES + room:
            self.over = self.cut = True
            return
        if not self.store.share_trace(
            self.run, self.parts, self.server, ends=after, size=len(text), data=data
        ):
            self.over = True  # forgotten, or another server is at it now
            return
        self.at, self.parts, self.stored = after, self.parts + 1, self.stored + len(data)

    def close(self) -> None:
        """Say that a trace goes on elsewhere, if it does, and how its run ended."""
        if not self.cut:
            return
        with self.path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LAST_BYTES))
            last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
        self.over = False
        note = json.dumps({"at_s": _at(last), "event": "Note", "text": REST}).encode()
        self._add(note + b"\n" + _shortened(last), size, LAST_BYTES)


def _goes_on(file: BinaryIO, part: TracePart) -> bool:
    """Is what stands before the end of a part in the file what the part ends with?"""
    file.seek(max(0, part.ends - READ_BYTES))
    there = file.read(min(part.ends, READ_BYTES))
    if not there.endswith(b"\n"):
        return False
    line = there[:-1].rpartition(b"\n")[2] + b"\n"
    kept = zlib.decompress(part.data)
    return kept.endswith((line, _shortened(line) or line))


def _shortened(line: bytes) -> bytes:
    """Return a line with its texts cut; nothing for one that cannot be read."""
    try:
        return json.dumps(_cut(json.loads(line))).encode() + b"\n"
    except (ValueError, RecursionError):
        return b""


def _cut(value: Any) -> Any:
    match value:
        case str():
            return value if len(value) <= CUT_CHARS else f"{value[:CUT_CHARS]}…"
        case list():
            return [_cut(one) for one in value]
        case dict():
            return {key: _cut(one) for key, one in value.items()}
    return value


def _at(line: bytes) -> float:
    try:
        return float(json.loads(line)["at_s"])
    except (ValueError, KeyError, TypeError):
        return 0.0


def _tried(what: Any) -> Any:
    """Do it; what keeps it from being done is logged, and is no trouble of the run's."""
    try:
        return what()
    except FileNotFoundError:  # nothing was written (yet)
        return None
    except (RlmError, OSError) as error:
        log.warning("a trace is not shared", extra={"why": error})
        return None
