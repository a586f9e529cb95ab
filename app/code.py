"""What answers a review's questions about the rest of the code, for one repository on this disk."""

import contextlib
import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app.github.blobs import RemoteBlobs
from app.github.cache import history_place, in_use
from app.github.origin import Origin
from app.history import GitHistory
from app.objects import LocalObjects
from reviewer.change import Change
from reviewer.context.provider import Provider
from reviewer.git import GitRepo, open_repo
from reviewer.ports import Cancelled
from reviewer.review.functions import Code

log = logging.getLogger(__name__)

LIMIT_BYTES = 5_000_000_000
"""What is derived from all repositories may take together; the longest unused goes first."""

_FOLDER = Path("cache", "context")


@contextmanager
def code_of(
    repo: GitRepo,
    change: Change,
    objects: LocalObjects,
    home: Path,
    *,
    origin: Origin | None = None,
    cancelled: Cancelled,
    warm: bool = False,
) -> Iterator[Code]:
    """Yield what answers questions; `warm` has it made ready in the background at once.

    `origin` is where the repository was fetched from, None for one of the user's own: what such a
    one lacks is not fetched.
    """
    with ExitStack() as stack:
        provider = stack.enter_context(Provider(objects, cache_file(home, repo.path)))
        if warm:
            provider.start()
        if origin is None:
            yield Code(provider, GitHistory(lambda: repo, change.merge_base))
            return

        def opened() -> GitRepo:
            path = origin.bring_history(cancelled)
            stack.enter_context(in_use(path))
            return stack.enter_context(open_repo(path))

        supply = RemoteBlobs(origin, cancelled, history_place(home, origin.wanted))
        stack.callback(supply.close)
        yield Code(provider, GitHistory(opened, change.merge_base, supply))


def cache_file(home: Path, repo: Path) -> Path:
    """Return the file that keeps what is derived from a repository; make room for it."""
    file = _file(home, repo)
    make_room(file.parent, LIMIT_BYTES)
    with contextlib.suppress(OSError):
        os.utime(file)  # when it was used last
    return file


def forget_code(home: Path, repo: Path) -> None:
    """Remove what is derived from a repository; whoever has it open reads on."""
    _remove(_file(home, repo))


def _file(home: Path, repo: Path) -> Path:
    name = hashlib.sha256(str(repo.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return home / _FOLDER / f"{name}.db"


def _remove(file: Path) -> None:
    for each in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))):
        with contextlib.suppress(OSError):
            each.unlink(missing_ok=True)


def make_room(folder: Path, limit: int) -> None:
    """Remove the files that were not used for longest, as far as the limit asks.

    One that is being read stays readable: its process has it open.
    """
    try:
        files = [(file.stat().st_mtime, file.stat().st_size, file) for file in folder.glob("*.db")]
    except OSError as error:  # another process makes room
        log.info("no room was made", extra={"why": error})
        return
    excess = sum(size for _, size, _ in files) - limit
    for _, size, file in sorted(files):
        if excess <= 0:
            return
        _remove(file)
        excess -= size
