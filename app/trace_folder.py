"""The folder in which the traces of runs are kept: their names, their age, and who they are.

A trace that is being written is locked by its writer, and nothing here removes or changes it.
"""

import difflib
import fcntl
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from app.clock import believed_in
from app.trace_lines import RunEnded, RunStarted, parsed
from reviewer.errors import TellUser

MAX_AGE_S = 30 * 24 * 3600.0
MAX_BYTES = 500_000_000
"""Of all traces together; the oldest go first."""

FRESH_S = 60.0
"""A file this young may have been made a moment ago by a run that has not locked it yet."""

LAST = "last"
SUFFIX = ".jsonl"
ID_CHARS = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is read as something else

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_OWN_ID = re.compile(rf"[0-9]{{8}}-[0-9]{{6}}-[{ID_CHARS}]{{4}}")
_HEAD_BYTES = 64_000
_TAIL_BYTES = 64_000
_NEAR = 5


@dataclass(frozen=True, slots=True)
class Kept:
    """A trace in the folder. `began` is seconds since 1970, by its first line or its file."""

    run: str
    path: Path
    began: float
    head: RunStarted | None
    end: RunEnded | None
    running: bool

    @property
    def repository(self) -> str:
        """OWNER/NAME of a run on a pull request, as it was called then; "" where nobody knows."""
        return self.head.what.rpartition("#")[0] if self.head else ""


def folder_of(home: Path) -> Path:
    """Return the folder of the traces, whether it is there or not."""
    return home / "traces"


def forget_traces(
    home: Path, repositories: Collection[str], is_wanted: Callable[[Kept], bool]
) -> None:
    """Remove the traces of a server's runs on repositories (OWNER/NAME), but those that are wanted.

    Whoever writes one writes on, and nobody reads it any more. What a terminal left is its user's.
    Raise OSError or TellUser where the folder cannot be changed.
    """
    for trace in _of_server(home):
        if trace.repository in repositories and not is_wanted(trace):
            trace.path.unlink(missing_ok=True)


def drop_traces(home: Path, is_dropped: Callable[[Kept], bool], before: float) -> int:
    """Remove the traces of a server's runs that are dropped, were not written to since `before`
    (Unix time) and are not being written; return how many. Raise as `forget_traces`.
    """
    dropped = 0
    for trace in _of_server(home):
        old = trace.path.lstat().st_mtime < before
        if old and not trace.running and trace.repository and is_dropped(trace):
            trace.path.unlink(missing_ok=True)
            dropped += 1
    return dropped


def _of_server(home: Path) -> list[Kept]:
    """Return the traces that no terminal left."""
    return [trace for trace in kept(folder_of(home)) if not _OWN_ID.fullmatch(trace.run)]


def new_id(began: datetime) -> str:
    """Return the name of a run: in the order of time, and of no other run."""
    chance = "".join(secrets.choice(ID_CHARS) for _ in range(4))
    return f"{began.astimezone(UTC):%Y%m%d-%H%M%S}-{chance}"


def open_new(folder: Path, run: str) -> int:
    """Open the trace of a run for adding lines to it, locked; OSError where that cannot be.

    A run that is tried again (a server's, after a crash) goes on in its file, on a line of its own.
    """
    if _ID.fullmatch(run) is None:
        raise ValueError(f"not the name of a run: {run!a}")
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    file = os.open(folder / f"{run}{SUFFIX}", flags, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            os.write(file, b"\n")
    except OSError:
        os.close(file)
        raise
    return file


def expire(
    folder: Path, now: float, max_age_s: float = MAX_AGE_S, believed: float | None = None
) -> None:
    """Remove what is older than `max_age_s`, then the oldest until MAX_BYTES are kept.

    `believed` is the time that counts for their age, where that is not `now` (`app/clock.py`).
    """
    found = []
    for path in _files(folder):
        with suppress(OSError):
            about = path.lstat()
            found.append((about.st_mtime, about.st_size, path))
    left = sum(size for _, size, _ in found)
    for changed, size, path in sorted(found):
        too_old = (now if believed is None else believed) - changed > max_age_s
        if now - changed < FRESH_S or not (too_old or left > MAX_BYTES):
            continue
        with suppress(OSError):
            if not is_running(path):
                path.unlink()
                left -= size


def is_running(path: Path) -> bool:
    """Is the trace being written? OSError if it cannot be opened."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def kept(folder: Path) -> list[Kept]:
    """Return every trace of the folder, the latest first, by its first and last line alone."""
    found = []
    for path in _files(folder):
        with suppress(OSError):
            found.append(_look(path))
    return sorted(found, key=lambda one: (one.began, one.run), reverse=True)


def find(folder: Path, named: str) -> Path:
    """Return the trace that the user means: an id, the beginning of one, `last`, or a path.

    Raise TellUser, with what is near, where there is none or more than one.
    """
    if named == LAST:
        latest = kept(folder)
        if not latest:
            raise TellUser("There is no trace yet", "Run `rlm review` with a model.")
        return latest[0].path
    if os.sep in named or named.endswith(SUFFIX):
        return Path(named)
    runs = sorted(path.stem for path in _files(folder))
    begin = [named] if named in runs else [run for run in runs if named and run.startswith(named)]
    if len(begin) == 1:
        return folder / f"{begin[0]}{SUFFIX}"
    if begin:
        raise TellUser(f"{named} is the beginning of {len(begin)} runs", _hint(begin[-_NEAR:]))
    if named and Path(named).is_file():
        return Path(named)
    near = difflib.get_close_matches(named, runs, n=_NEAR, cutoff=0.5) or runs[-_NEAR:]
    raise TellUser(f"There is no trace of a run {named[:200]!a}", _hint(near))


def open_trace(path: Path) -> BinaryIO:
    """Open a trace to read it, or raise TellUser; a pipe or a device is none."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise TellUser(f"{path} cannot be read: {why}", _hint([])) from error
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise TellUser(f"{path} is no file", _hint([]))
    return os.fdopen(file, "rb")


def _hint(near: list[str]) -> str:
    if near:
        return f"Name one of these: {', '.join(near)}. `rlm trace` lists the latest."
    return "`rlm trace` lists the runs that left one."


def _files(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise TellUser(
            f"{folder} cannot be read: {error.strerror}", "Set RLM_HOME to a folder of yours."
        ) from error
    for entry in entries:
        name = entry.name.removesuffix(SUFFIX)
        if name != entry.name and _ID.fullmatch(name) and entry.is_file(follow_symlinks=False):
            yield folder / entry.name


def _look(path: Path) -> Kept:
    running = is_running(path)
    with path.open("rb") as file:
        about = os.fstat(file.fileno())
        first = parsed(file.readline(_HEAD_BYTES))
        file.seek(max(0, about.st_size - _TAIL_BYTES))
        last = parsed(file.read(_TAIL_BYTES).rstrip(b"\n").rpartition(b"\n")[2])
    head = first.event if first and isinstance(first.event, RunStarted) else None
    end = last.event if last and isinstance(last.event, RunEnded) else None
    began = about.st_mtime
    if head is not None:
        with suppress(ValueError):
            began = datetime.fromisoformat(head.began).timestamp()
    return Kept(path.stem, path, began, head, None if running else end, running)


def expire_now(folder: Path, max_age_s: float = MAX_AGE_S) -> None:
    """Make room before a run; what cannot be removed stays."""
    with suppress(OSError, TellUser):
        expire(folder, time.time(), max_age_s, believed_in(folder.parent))
