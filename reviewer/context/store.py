"""What was derived from the blobs of one repository, in one SQLite file, by the blob's name.

A cache and nothing more: anything in it may go at any time, and a file that is damaged, of another
version or beyond use is begun anew. Several processes may use one at once; where another holds it
too long, what was to be kept is not kept. Nothing is shared between repositories: that would tell
one about another.
"""

import contextlib
import logging
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reviewer.context.sketches import SEGMENT_BLOBS, Segment
from reviewer.languages import Language
from reviewer.parsing.symbols import EXTRACTOR_VERSION

log = logging.getLogger(__name__)

VERSION = 1000 * EXTRACTOR_VERSION + 3
"""Goes up with every change of what is stored: a file of another version is begun anew."""

MAX_BYTES = 1 << 30
"""For 100,000 files; beyond it the oldest of what was extracted goes, then the oldest sketches."""

BUSY_S = 5.0
MAX_SEGMENTS = 24
"""More, from many small pushes, are joined: a question costs a little for each."""

_SHA_BYTES = (20, 32)
_ASKED_AT_ONCE = 500
_TABLES = """
CREATE TABLE IF NOT EXISTS segment(
    id INTEGER PRIMARY KEY, width INT, shas BLOB, starts BLOB, numbers BLOB, sum INT);
CREATE TABLE IF NOT EXISTS extraction(
    id INTEGER PRIMARY KEY, sha BLOB, language TEXT, packed BLOB, missing TEXT, sum INT,
    UNIQUE(sha, language));
"""

Key = tuple[bytes, Language]


class Store:
    """Keeps sketches and extractions. Thread-safe. `path` None: in memory, for this run alone."""

    def __init__(self, path: Path | None, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        with self._lock:
            self._open()

    def close(self) -> None:
        """Close the file; what is asked afterwards is not there."""
        with self._lock:
            self._shut()

    def segments(self) -> list[Segment]:
        """Return all sketches."""
        rows = self._read("SELECT width, shas, starts, numbers, sum FROM segment ORDER BY id")
        found = [segment for row in rows if (segment := _segment(*row)) is not None]
        if len(rows) > MAX_SEGMENTS:
            found = _joined(found)
            self._write(lambda db: _replace(db, found))
        return found

    def add_segment(self, segment: Segment) -> None:
        """Keep the sketches of some blobs."""
        self._write(lambda db: _insert(db, [segment]))

    def extractions(self, keys: Sequence[Key]) -> dict[Key, tuple[bytes, str]]:
        """Return what is kept of these blobs: (packed, "") or (b"", why there is nothing)."""
        found: dict[Key, tuple[bytes, str]] = {}
        wanted = set(keys)
        for at in range(0, len(keys), _ASKED_AT_ONCE):
            some = list({sha for sha, _ in keys[at : at + _ASKED_AT_ONCE]})
            marks = ",".join("?" * len(some))
            rows = self._read(
                "SELECT sha, language, packed, missing, sum FROM extraction "  # noqa: S608
                f"WHERE sha IN ({marks})",
                some,
            )
            for sha, language, packed, missing, total in rows:
                if zlib.crc32(packed) == total and (key := (sha, Language(language))) in wanted:
                    found[key] = (packed, missing)
        return found

    def add_extractions(self, extracted: Mapping[Key, tuple[bytes, str]]) -> None:
        """Keep what was extracted, or why nothing was."""
        rows = [
            (sha, language.value, packed, missing, zlib.crc32(packed))
            for (sha, language), (packed, missing) in extracted.items()
        ]
        self._write(
            lambda db: db.executemany(
                "INSERT OR REPLACE INTO extraction(sha, language, packed, missing, sum) "
                "VALUES (?, ?, ?, ?, ?)",
                rows,
            )
        )

    # The file ------------------------------------------------------------------------------------

    def _open(self) -> None:
        for attempt in (1, 2):
            try:
                self._db = _connected(self._path)
            except sqlite3.DatabaseError as error:
                log.warning("the context cache is begun anew", extra={"why": error})
                if attempt == 1 and _may_be_damaged(error):
                    self._remove()
            except OSError as error:
                log.warning("the context cache cannot be kept", extra={"why": error})
                break
            else:
                return
        self._db = _connected(None)

    def _shut(self) -> None:
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
        self._db = None

    def _remove(self) -> None:
        if self._path is not None:
            for suffix in ("", "-wal", "-shm"):
                with contextlib.suppress(OSError):
                    self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def _read(self, statement: str, arguments: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            if self._db is None:
                return []
            try:
                return self._db.execute(statement, tuple(arguments)).fetchall()
            except sqlite3.DatabaseError as error:
                self._mend(error)
                return []

    def _write(self, change: Callable[[sqlite3.Connection], object]) -> None:
        with self._lock:
            if self._db is None:
                return
            try:
                with self._db:
                    change(self._db)
                self._bound()
            except sqlite3.DatabaseError as error:
                self._mend(error)

    def _bound(self) -> None:
        """Drop what is oldest while there is too much; the freed pages are used again."""
        assert self._db is not None  # noqa: S101 - under the lock, opened
        (pages,), (free,), (size,) = (
            self._db.execute(f"PRAGMA {what}").fetchone()
            for what in ("page_count", "freelist_count", "page_size")
        )
        if (pages - free) * size <= self._max_bytes:
            return
        with self._db:
            for table in ("extraction", "segment"):
                self._db.execute(
                    f"DELETE FROM {table} WHERE id <= "  # noqa: S608 - our own names
                    f"(SELECT (min(id) + max(id)) / 2 FROM {table})"
                )

    def _mend(self, error: sqlite3.DatabaseError) -> None:
        log.warning("the context cache failed", extra={"why": error})
        if _may_be_damaged(error):
            self._shut()
            self._remove()
            self._open()


def _may_be_damaged(error: sqlite3.DatabaseError) -> bool:
    """Is the file at fault? Not where it is locked, full or read-only."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_ERROR,  # a table that is not there
        sqlite3.SQLITE_SCHEMA,
    )


def _connected(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = sqlite3.connect(
        ":memory:" if path is None else path, timeout=BUSY_S, check_same_thread=False
    )
    try:
        with contextlib.suppress(sqlite3.OperationalError):  # another changes it: then it is so
            db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=OFF")  # a cache: what a crash of the machine breaks is seen
        ((version,),) = db.execute("PRAGMA user_version")
        if version != VERSION:
            with db:
                db.execute("BEGIN IMMEDIATE")
                if db.execute("PRAGMA user_version").fetchone() == (VERSION,):
                    return db  # another process was quicker
                db.execute("DROP TABLE IF EXISTS segment")
                db.execute("DROP TABLE IF EXISTS extraction")
                for statement in _TABLES.strip().split(";\n"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version={VERSION}")
    except BaseException:
        db.close()
        raise
    return db


def _segment(width: Any, shas: Any, starts: Any, numbers: Any, total: Any) -> Segment | None:
    """Return a segment as it was kept, or None where it is damaged."""
    if (
        width not in _SHA_BYTES
        or zlib.crc32(numbers, zlib.crc32(starts, zlib.crc32(shas))) != total
    ):
        return None
    return Segment(
        shas, width, np.frombuffer(starts, dtype=np.int64), np.frombuffer(numbers, dtype=np.uint32)
    )


def _insert(db: sqlite3.Connection, segments: Iterable[Segment]) -> None:
    for segment in segments:
        if not segment.names:
            continue
        starts, numbers = segment.starts.tobytes(), segment.numbers.tobytes()
        total = zlib.crc32(numbers, zlib.crc32(starts, zlib.crc32(segment.names)))
        db.execute(
            "INSERT INTO segment(width, shas, starts, numbers, sum) VALUES (?, ?, ?, ?, ?)",
            (segment.width, segment.names, starts, numbers, total),
        )


def _replace(db: sqlite3.Connection, segments: Iterable[Segment]) -> None:
    db.execute("DELETE FROM segment")
    _insert(db, segments)


def _joined(segments: Sequence[Segment]) -> list[Segment]:
    """Return as few segments as hold the same, each blob once."""
    return list(_chunks(_each_once(segments)))


def _each_once(segments: Sequence[Segment]) -> Iterator[tuple[bytes, Any]]:
    known: set[bytes] = set()
    for segment in segments:
        for at, sha in enumerate(segment.shas):
            if sha not in known:
                known.add(sha)
                yield sha, segment.numbers[segment.starts[at] : segment.starts[at + 1]]


def _chunks(each: Iterator[tuple[bytes, Any]]) -> Iterator[Segment]:
    some: list[tuple[bytes, Any]] = []
    for pair in each:
        some.append(pair)
        if len(some) == SEGMENT_BLOBS:
            yield Segment.of([sha for sha, _ in some], [numbers for _, numbers in some])
            some = []
    if some:
        yield Segment.of([sha for sha, _ in some], [numbers for _, numbers in some])
