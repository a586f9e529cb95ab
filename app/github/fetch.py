"""Fetching a pull request's two commits into a bare repository of our own, whole and no more.

History comes in growing steps until the merge base is certain. Blobs come with their commits:
whoever reads later never waits for the network, and cannot be made to ask for it.

GitPython does it, in a process of its own (`app.github.fetch_worker`): here is who starts that
process, listens to it and ends it.
"""

import dataclasses
import importlib.util
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from app.github.cache import Say, Stopped, check_size, locked, make_room, place, remove
from app.github.transport import Moved, environment, explain
from app.github.urls import PullRequestUrl
from app.github.wanted import Wanted
from app.settings import Settings
from reviewer.errors import RetryLater, RlmError, TellUser

if TYPE_CHECKING:
    from app.github.pulls import Pull

__all__ = ["Fetched", "Say", "Stopped", "Wanted", "checkout", "fetch_pull"]

LIMIT_S = 1_800.0
"""For all of it; a connection that delivers next to nothing is given up much earlier."""

READS = 3
"""How often a pull request that is pushed to while we fetch is read again."""

PAUSE_S = 2.0
"""The API is sometimes a second ahead of git: what the reference shows catches up."""

POLL_S = 0.1
LOOK_S = 1.0
"""How often the size of what has come is looked at."""

GRACE_S = 0.5
"""What git gets to remove its lock files before it is killed; the next fetch removes the rest."""

_CHUNK = 1 << 16

# -I: no PYTHON* variables, no user site, nothing of the current folder on the path.
_BOOTSTRAP = (
    "import sys; sys.path += sys.argv[1:]; from app.github.fetch_worker import main; main()"
)


def _silent(_: str) -> None:
    pass


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Fetched:
    """A pull request on this disk: a bare repository that holds both commits and their base."""

    pull: "Pull"
    repo: Path


def fetch_pull(url: PullRequestUrl, settings: Settings, say: Say) -> Fetched:
    """Read a pull request and fetch its commits; raise TellUser or RetryLater."""
    from app.github.pulls import read_pull  # noqa: PLC0415 loads PyGithub

    server = settings.server(url.web)
    token = settings.token_for(server)
    for left in reversed(range(READS)):
        pull = read_pull(url, server, token)
        wanted = Wanted.of(pull, server)
        try:
            repo, current = _bring(wanted, token, settings.home, say, _never, limit_s=LIMIT_S)
        except Moved:
            if not left:
                break
        else:
            if current or not left:
                return Fetched(pull, repo)
        time.sleep(PAUSE_S)
    raise RetryLater("The pull request is being pushed to faster than it can be fetched", 60)


def checkout(
    wanted: Wanted,
    token: SecretStr | None,
    home: Path,
    say: Say = _silent,
    cancelled: Callable[[], bool] = _never,
    *,
    limit_s: float = LIMIT_S,
) -> Path:
    """Return a bare repository that holds both commits and their merge base.

    A head that the pull request has left behind is fetched all the same, for as long as the server
    has it. Raise RetryLater, TellUser, or Stopped within a second of `cancelled`.
    """
    return _bring(wanted, token, home, say, cancelled, limit_s=limit_s)[0]


@dataclass(frozen=True, slots=True)
class _End:
    """The worker's last line. `complaint` is git's, "" where both commits are there."""

    current: bool = True
    complaint: str = ""
    damaged: bool = False


def _bring(
    wanted: Wanted,
    token: SecretStr | None,
    home: Path,
    say: Say,
    cancelled: Callable[[], bool],
    *,
    limit_s: float,
) -> tuple[Path, bool]:
    """Return the repository, and whether the pull request still ends where `wanted` does."""
    repo = place(home, wanted)
    deadline = time.monotonic() + limit_s
    with locked(repo, say, cancelled):
        empty = repo.with_suffix(".home")
        empty.mkdir(exist_ok=True, mode=0o700)
        env = _worker_environment(environment(wanted.server, token, empty, os.environ), repo)
        end = _work(wanted, env, say, cancelled, deadline)
        if end.damaged:
            say(f"what was fetched of {wanted.repository} before is damaged: fetching it anew")
            remove(repo)
            end = _work(wanted, env, say, cancelled, deadline)
        if end.complaint:
            raise _failure(end.complaint, wanted, token, repo)
    make_room(home)
    return repo, end.current


def _worker_environment(env: Mapping[str, str], repo: Path) -> dict[str, str]:
    """Name the repository, without which git takes none that is bare, and git itself."""
    program = shutil.which("git", path=env["PATH"])
    if program is None:
        raise TellUser("Git is not installed", "Install git 2.38 or newer.")
    return {**env, "GIT_DIR": str(repo), "GIT_PYTHON_GIT_EXECUTABLE": program}


def _work(
    wanted: Wanted,
    env: Mapping[str, str],
    say: Say,
    cancelled: Callable[[], bool],
    deadline: float,
) -> _End:
    """Run the worker to its end, and no longer than `deadline` or `cancelled` lets it."""
    with _started(env) as process:
        _send(process, dataclasses.asdict(wanted))
        for line in _lines(process, cancelled, deadline, Path(env["GIT_DIR"])):
            if "say" not in line:
                return _End(**line)
            say(line["say"])
    raise RetryLater("The process that fetches ended without a word", 10)


@contextmanager
def _started(env: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", _BOOTSTRAP, *_packages()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=dict(env),
        start_new_session=True,
        bufsize=0,
    )
    try:
        yield process
    finally:
        _end_group(process)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _packages() -> list[str]:
    """Return the folders that this package and GitPython lie in, wherever they were installed."""
    found = importlib.util.find_spec("git")
    if found is None or found.origin is None:
        raise TellUser("GitPython is not installed", "Install this program again.")
    return [str(Path(__file__).resolve().parents[2]), str(Path(found.origin).parents[1])]


def _send(process: "subprocess.Popen[bytes]", request: Mapping[str, Any]) -> None:
    """Write the request, far smaller than a pipe; stdin stays open, as a sign of life."""
    assert process.stdin is not None  # noqa: S101 - PIPE in _started
    with suppress(BrokenPipeError):  # it died at once: the lines end, too
        process.stdin.write(json.dumps(request).encode() + b"\n")


def _lines(
    process: "subprocess.Popen[bytes]",
    cancelled: Callable[[], bool],
    deadline: float,
    repo: Path,
) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None  # noqa: S101 - PIPE in _started
    readable = select.poll()
    readable.register(process.stdout, select.POLLIN)
    rest = b""
    look = time.monotonic() + LOOK_S
    while True:
        if cancelled():
            raise Stopped("Stopped while the pull request was fetched")
        if time.monotonic() > deadline:
            raise RetryLater("Git took too long to fetch the pull request and was stopped")
        if time.monotonic() > look:
            check_size(repo)
            look = time.monotonic() + LOOK_S
        if not readable.poll(POLL_S * 1000):
            continue
        piece = os.read(process.stdout.fileno(), _CHUNK)
        if not piece:
            return
        *lines, rest = (rest + piece).split(b"\n")
        yield from map(json.loads, lines)


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """End the worker and its gits, whichever of them still run."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)


def _failure(complaint: str, wanted: Wanted, token: SecretStr | None, repo: Path) -> RlmError:
    return explain(complaint, wanted.server, with_token=token is not None, folder=repo.parent)
