"""The bare repositories that were fetched: where each lies, its lock, and how room is made.

Whoever changes a repository holds its lock; whoever reads one holds nothing. So a fetch only ever
adds to it, and a repository that was used lately is not removed. Those that only add blobs, which
touches no reference and no other file of git's, share the lock.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.github.urls import Server
from app.github.wanted import Wanted
from app.locks import is_at, taken
from reviewer.errors import FULL, GiveUp, NoRoom, RetryLater, TellUser

LOCK_WAIT_S = 600.0
POLL_S = 0.2

MOST_TRIES = 100
"""To open a lock whose folder somebody removes each time."""

LIMIT_BYTES = 20_000_000_000
"""What all repositories may take together, before those not used for longest are removed."""

KEPT_S = 600.0
"""A repository that was fetched in this time may be about to be read."""

MAX_BYTES = 10_000_000_000
"""Of one repository; the history of Linux has 6 GB."""

LEFT_BYTES = 1_000_000_000
"""What a fetch leaves free on the disk: the server's store lies there, too."""

Say = Callable[[str], None]
"""Tells the user what is going on, in a line."""


_FILES, _HISTORY = Path("cache", "repos"), Path("cache", "history")

_IN_USE = ".used"
_BESIDE = (".commits", ".home", _IN_USE, ".lock")
"""What may stand beside a repository; its lock is the last that goes."""


class Stopped(GiveUp):
    """Whoever asked for the commits does not want them any more: `cancelled` said so."""


def place(home: Path, wanted: Wanted) -> Path:
    """Return the repository that `wanted` is fetched into; whether it is there or not."""
    return place_of(home, wanted.server, wanted.repository)


def place_of(home: Path, server: Server, repository: str) -> Path:
    """Return the same by the name of a repository of a server."""
    return _place(home / _FILES, server, repository)


def history_place(home: Path, wanted: Wanted) -> Path:
    """Return the repository that the history of a repository is fetched into, without files.

    One of its own, because a fetch of a commit without its history cuts what is there of it.
    """
    return history_of(home, wanted.server, wanted.repository)


def history_of(home: Path, server: Server, repository: str) -> Path:
    """Return the same by the name of a repository of a server."""
    return _place(home / _HISTORY, server, repository)


def aside(repo: Path) -> Path:
    """Return the place for a repository that lasts no longer than a fetch into `repo`."""
    return repo.with_suffix(".commits")


def is_known(repo: Path, wanted: Wanted) -> bool:
    """Did an earlier run note down where these two commits parted? Reads git's files, unlocked."""
    if any((repo / ref).is_file() for ref in (wanted.start_ref, wanted.unrelated_ref)):
        return True
    ends = {"head": wanted.head, "base": wanted.base}
    return all(_text(repo / wanted.refs / name) == sha for name, sha in ends.items())


@contextmanager
def locked(
    repo: Path, say: Say, cancelled: Callable[[], bool], *, shared: bool = False
) -> Iterator[None]:
    """Hold the lock that stands beside a repository, its folder made if it is missing.

    With those who only add blobs if `shared`.
    """
    with _held(repo, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, say, cancelled) as lock:
        os.utime(lock)  # when it was used last, for `make_room`
        yield


@contextmanager
def _held(repo: Path, kind: int, say: Say, cancelled: Callable[[], bool]) -> Iterator[int]:
    def take(lock: int) -> None:
        _wait_for(lock, kind, say, cancelled)

    try:
        lock = _open_lock(_lock(repo), take)
    except OSError as error:
        raise _not_writable(repo, error) from error
    try:
        yield lock
    finally:
        os.close(lock)


@contextmanager
def in_use(repo: Path) -> Iterator[None]:
    """Keep a repository from being removed while it is read."""
    lock = _open_lock(repo.with_suffix(_IN_USE), lambda file: fcntl.flock(file, fcntl.LOCK_SH))
    try:
        yield
    finally:
        os.close(lock)


def check_size(repo: Path) -> None:
    """Raise GiveUp or TellUser where a repository has become too large for us or for the disk."""
    if _size(repo) + _size(aside(repo)) > MAX_BYTES:
        raise GiveUp(f"The repository has more than {MAX_BYTES // 10**9} GB")
    if shutil.disk_usage(repo.parent).free < LEFT_BYTES:
        raise NoRoom(
            f"There is less than {LEFT_BYTES // 10**9} GB left on the disk for what is fetched",
            "Make room, or set RLM_HOME to a folder on another disk.",
        )


def remove(repo: Path) -> None:
    """Remove a repository, or what stands in its place; the caller holds its lock."""
    try:
        if repo.is_dir() and not repo.is_symlink():
            shutil.rmtree(repo)
        else:
            repo.unlink(missing_ok=True)
    except OSError as error:
        raise _not_writable(repo, error) from error


def forget(
    repo: Path, is_wanted: Callable[[], bool], since: float, cancelled: Callable[[], bool]
) -> bool:
    """Remove a repository, and its name; False where it stays for those who read it.

    Where it `is_wanted`, asked while nobody can fetch, it is removed only if nobody has used it
    since then (Unix time) nor is at it: what was fetched before is not needed. Raise RetryLater or
    Stopped where somebody is at it for long.
    """
    if not any(path.exists() for path in (repo, *_beside(repo))):
        return True
    with _held(repo, fcntl.LOCK_EX, lambda _: None, cancelled):
        before = min(since, time.time() - KEPT_S)
        if is_wanted() and (_last_used(repo) >= before or _is_read(repo)):
            return False
        remove(repo)
        for path in _beside(repo):
            remove(path)
    with suppress(OSError):  # others lie there, too
        repo.parent.rmdir()
    return True


def unused(home: Path, server: Server, since: float) -> Iterator[tuple[str, Path]]:
    """Yield what was fetched from a server and not used since then (Unix time), with its name."""
    for root in (_FILES, _HISTORY):
        folder = _place(home / root, server, "x/x").parent.parent
        for repo in sorted(folder.glob("*/*.git")):
            if _last_used(repo) < since:
                yield f"{repo.parent.name}/{repo.stem}", repo


def make_room(home: Path, limit: int = LIMIT_BYTES, kept_s: float = KEPT_S) -> None:
    """Remove what was not used for longest, as far as the limit asks and nobody else is at it."""
    repos = (repo for root in (_FILES, _HISTORY) for repo in (home / root).glob("*/*/*.git"))
    used = {repo: _last_used(repo) for repo in repos}
    sizes = {repo: _size(repo) for repo in used}
    excess = sum(sizes.values()) - limit
    for repo in sorted(used, key=used.__getitem__):
        if excess <= 0 or time.time() - used[repo] < kept_s:
            return
        if _try_remove(repo, used[repo]):
            excess -= sizes[repo]


def _place(root: Path, server: Server, repository: str) -> Path:
    host = server.host.replace(":", "_")
    owner, _, name = repository.partition("/")
    return root / host / owner / f"{name}.git"


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _lock(repo: Path) -> Path:
    return repo.with_suffix(".lock")


def _beside(repo: Path) -> list[Path]:
    return [repo.with_suffix(suffix) for suffix in _BESIDE]


def _open_lock(path: Path, take: Callable[[int], None]) -> int:
    """Open a lock that may be removed by whoever has it, and take it; its folder may go, too."""
    tries = 0
    while True:
        tries += 1
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            if tries == MOST_TRIES:
                raise
            continue
        try:
            take(lock)
            if is_at(lock, path):
                return lock
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)


def _not_writable(repo: Path, error: OSError) -> TellUser:
    kind = NoRoom if error.errno in FULL else TellUser
    return kind(
        f"{repo.parent} cannot be written: {error.strerror}",
        "Set RLM_HOME to a folder of yours with room in it.",
    )


def _wait_for(lock: int, kind: int, say: Say, cancelled: Callable[[], bool]) -> None:
    """Take the lock, waiting for another run that is fetching the same repository."""
    end = time.monotonic() + LOCK_WAIT_S
    told = False
    while not taken(lock, kind):
        if cancelled():
            raise Stopped("Stopped while waiting for another run that fetches the same repository")
        if time.monotonic() > end:
            raise RetryLater("Another run has been fetching this repository too long")
        if not told:
            say("waiting for another run that fetches the same repository")
            told = True
        time.sleep(POLL_S)


def _last_used(repo: Path) -> float:
    """Return the time of the last lock; without one, of the repository itself."""
    for path in (_lock(repo), repo):
        try:
            return path.stat().st_mtime
        except OSError:
            continue
    return 0.0


def _size(folder: Path) -> int:
    """Add up the files below a folder; what vanishes meanwhile counts as nothing."""
    total = 0
    for where, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(where, name)).st_size  # noqa: PTH118 - thousands
            except OSError:
                continue
    return total


def _is_read(repo: Path) -> bool:
    try:
        lock = os.open(repo.with_suffix(_IN_USE), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not taken(lock)
    finally:
        os.close(lock)


def _try_remove(repo: Path, used: float) -> bool:
    """Remove a repository, unless it has been used since `used` or its lock is held by a run."""
    try:
        lock = os.open(_lock(repo), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        return False
    try:
        if not taken(lock) or not is_at(lock, _lock(repo)):
            return False
        if _last_used(repo) != used or _is_read(repo):
            return False
        shutil.rmtree(repo, ignore_errors=True)
        return not repo.exists()
    finally:
        os.close(lock)
