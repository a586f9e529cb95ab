"""Which files of a commit have a word: sketches of all its source, made in the background."""

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

from reviewer.context.sketches import SEGMENT_BLOBS, Segment, Sketches
from reviewer.context.store import Store
from reviewer.context.tree import Tree
from reviewer.context.values import Missing
from reviewer.context.words import Numbers, numbers_of, sketch
from reviewer.errors import GiveUp
from reviewer.ports import MissingBlob, Objects, Rev

log = logging.getLogger(__name__)

WAIT_S = 300.0
"""For whoever asks before all is there: an hour of network would not be waited for."""

ENDED = "the run has ended"
NOT_HERE = "its content is not here"

MAX_MISSING = 20
"""Files that an answer may lack, and name; an answer from less than that would mislead."""


class Index:
    """The sketches of both ends of a change. Thread-safe; `start` returns at once."""

    def __init__(self, objects: Objects, store: Store) -> None:
        self._objects = objects
        self._store = store
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sketch")
        self._sketches: Sketches | None = None
        self._trees: dict[Rev, Future[Tree]] = {}
        self._ready: dict[Rev, Future[None]] = {}
        self._unread: dict[bytes, str] = {}

    def close(self) -> None:
        """Stop what is under way; whoever waits gets GiveUp."""
        self._closed.set()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def start(self, at: Rev) -> "Future[None]":
        """Begin to sketch that end of the change, if nobody has."""
        with self._lock:
            if at not in self._ready:
                try:
                    self._ready[at] = self._thread.submit(self._sketch, at)
                except RuntimeError as error:  # closed
                    raise GiveUp(ENDED) from error
            return self._ready[at]

    def tree(self, at: Rev) -> Tree:
        """Return the files of that end; needs no blob."""
        with self._lock:
            known = self._trees.get(at)
            if known is None:
                known = self._trees[at] = Future()
                mine = True
            else:
                mine = False
        if mine:
            try:
                known.set_result(Tree.of(self._objects.entries("", at)))
            except BaseException as error:
                known.set_exception(error)
        return known.result()

    def mentioning(self, names: Iterable[str], at: Rev) -> dict[str, tuple[bytes, ...]]:
        """Return, for each name, the blobs of that end that have all its words, sorted."""
        self._wait(at)
        assert self._sketches is not None  # noqa: S101 - there before anybody is told to go on
        words = {name: numbers_of(name) for name in names}
        having = self._sketches.having({each for some in words.values() for each in some})
        sources = self.tree(at).sources
        found: dict[str, tuple[bytes, ...]] = {}
        for name, numbers in words.items():
            blobs = set.intersection(*(having[each] for each in numbers)) if numbers else set()
            found[name] = tuple(sorted(sha for sha in blobs if sha in sources))
        return found

    def paths(self, names: Iterable[str], at: Rev) -> dict[str, tuple[str, ...]]:
        """Return, for each name, the files of that end that have all its words, sorted."""
        sources = self.tree(at).sources
        return {
            name: tuple(sorted(path for sha in shas for path in sources[sha]))
            for name, shas in self.mentioning(names, at).items()
        }

    def unread(self, at: Rev) -> tuple[Missing, ...]:
        """Return the source files that could not be sketched."""
        self._wait(at)
        sources = self.tree(at).sources
        return tuple(
            Missing(path, why) for sha, why in self._unread.items() for path in sources.get(sha, ())
        )

    def _wait(self, at: Rev) -> None:
        try:
            self.start(at).result(WAIT_S)
        except TimeoutError as error:
            raise GiveUp("not all files are here yet; ask again later, or read them") from error
        except CancelledError as error:
            raise GiveUp(ENDED) from error
        sources = self.tree(at).sources
        missing = sum(why == NOT_HERE and sha in sources for sha, why in self._unread.items())
        if missing > MAX_MISSING:
            raise GiveUp(
                f"{missing:,} of {len(sources):,} source files could not be fetched; an answer "
                "would be from a part of the code only"
            )

    def _sketch(self, at: Rev) -> None:
        began = time.monotonic()
        tree = self.tree(at)
        if self._sketches is None:
            self._sketches = Sketches(self._store.segments())
        sketches = self._sketches
        absent = [sha for sha in sketches.absent(tree.sources) if sha not in self._unread]
        for first in range(0, len(absent), SEGMENT_BLOBS):
            segment = self._segment(absent[first : first + SEGMENT_BLOBS])
            sketches.add(segment)
            self._store.add_segment(segment)
        took = round(time.monotonic() - began, 3)
        log.debug("sketched", extra={"at": at, "blobs": len(absent), "seconds": took})

    def _segment(self, shas: Sequence[bytes]) -> Segment:
        names: list[bytes] = []
        sketches: list[Numbers] = []
        at = 0
        try:
            self._objects.prefetch([sha.hex() for sha in shas])
        except MissingBlob as error:  # the others are here
            log.info("not all files can be had", extra={"why": error})
        while at < len(shas):
            try:
                for _, data in self._objects.blobs([sha.hex() for sha in shas[at:]]):
                    if self._closed.is_set():
                        raise GiveUp(ENDED)
                    if data is None:
                        self._unread[shas[at]] = "it is too large"
                    else:
                        names.append(shas[at])
                        sketches.append(sketch(data))
                    at += 1
            except MissingBlob:
                self._unread[shas[at]] = NOT_HERE
                at += 1
        return Segment.of(names, sketches)
