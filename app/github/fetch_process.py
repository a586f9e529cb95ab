"""The process that fetches (`app.github.fetch_worker`), from here: started, heard and ended.

To import GitPython costs a tenth of a second, so it is a fork of one that has (`reviewer.nursery`).
"""

import dataclasses
import importlib.util
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import SecretStr

from app.github.cache import Say, Stopped, check_size
from app.github.transport import environment, explain
from app.github.wanted import Wanted
from reviewer.errors import RetryLater, RlmError, TellUser
from reviewer.nursery import Nursery

Task = Literal["pull", "blobs", "history"]

POLL_S = 0.1
LOOK_S = 1.0
"""How often the size of what has come is looked at."""

GRACE_S = 0.5
"""What git gets to remove its lock files before it is killed; the next fetch removes the rest."""

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class End:
    """The worker's last line. `error` says why it could not be done; `result` is the task's."""

    error: RlmError | None = None
    damaged: bool = False
    result: Mapping[str, Any] = field(default_factory=dict)


def work(
    task: Task,
    wanted: Wanted,
    repo: Path,
    token: SecretStr | None,
    *,
    say: Say,
    cancelled: Callable[[], bool],
    limit_s: float,
    names: IO[bytes] | None = None,
    of: Callable[[], Wanted] | None = None,
) -> End:
    """Have a task done, within `limit_s` and no longer than `cancelled` lets it; see `fetch_tasks`.

    The caller holds the lock of `repo`. `names` is a file that lists the wanted blobs; `of` gives
    what is wanted of the same server more exactly, once the process has been started. Raise
    RetryLater, Stopped, or what `check_size` and `of` raise.
    """
    deadline = time.monotonic() + limit_s
    empty = repo.with_suffix(".home")
    empty.mkdir(exist_ok=True, mode=0o700)
    env = environment(wanted.server, token, empty, os.environ)
    program = _git(env)
    nursery = _nursery(program)
    with suppress(OSError):  # who starts the process is told
        nursery.begin()
    exactly = wanted if of is None else of()
    request: dict[str, object] = {
        "task": task,
        "wanted": dataclasses.asdict(exactly),
        # Git takes no repository that is bare unless it is named.
        "environ": {**env, "GIT_DIR": str(repo), "GIT_PYTHON_GIT_EXECUTABLE": program},
    }
    with _started(nursery, names) as process:
        _send(process, request)
        for line in _lines(process, cancelled, deadline, repo):
            if "complaint" in line:
                with_token = token is not None
                said = str(line["complaint"])
                error = explain(said, wanted.server, with_token=with_token, folder=repo.parent)
                return End(error, bool(line["damaged"]))
            if "say" not in line:
                return End(result=line)
            say(line["say"])
    raise RetryLater("The process that fetches ended without a word", 10)


def _git(env: Mapping[str, str]) -> str:
    program = shutil.which("git", path=env["PATH"])
    if program is None:
        raise TellUser("Git is not installed", "Install git 2.38 or newer.")
    return program


@cache
def _nursery(program: str) -> Nursery:
    """Return what forks the processes; GitPython asks for git when it is imported."""
    found = importlib.util.find_spec("git")
    if found is None or found.origin is None:
        raise TellUser("GitPython is not installed", "Install this program again.")
    environ = {"LC_ALL": "C", "GIT_PYTHON_GIT_EXECUTABLE": program}
    return Nursery("app.github.fetch_worker", [str(Path(found.origin).parents[1])], environ)


@dataclass(frozen=True, slots=True)
class _Process:
    """The ends of its streams that are ours."""

    nursery: Nursery
    pid: int
    into: int
    out: int


@contextmanager
def _started(nursery: Nursery, names: IO[bytes] | None) -> Iterator[_Process]:
    stdin, into = os.pipe()
    out, stdout = os.pipe()
    try:
        streams = [stdin, stdout] if names is None else [stdin, stdout, names.fileno()]
        try:
            process = _Process(nursery, nursery.start(streams), into, out)
        except (OSError, EOFError) as error:
            raise RetryLater("The process that fetches could not be started", 10) from error
        finally:
            os.close(stdin)
            os.close(stdout)
        try:
            yield process
        finally:
            _end_group(process)
    finally:
        os.close(into)
        os.close(out)


def _send(process: _Process, request: Mapping[str, Any]) -> None:
    """Write the request; stdin stays open, as a sign of life."""
    left = json.dumps(request).encode() + b"\n"
    with suppress(BrokenPipeError):  # it died at once: the lines end, too
        while left:
            left = left[os.write(process.into, left) :]


def _lines(
    process: _Process,
    cancelled: Callable[[], bool],
    deadline: float,
    repo: Path,
) -> Iterator[dict[str, Any]]:
    readable = select.poll()
    readable.register(process.out, select.POLLIN)
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
        piece = os.read(process.out, _CHUNK)
        if not piece:
            return
        *lines, rest = (rest + piece).split(b"\n")
        yield from map(json.loads, lines)


def _end_group(process: _Process) -> None:
    """End the worker and its gits, whichever of them still run."""
    process.nursery.kill(process.pid, signal.SIGTERM)
    over = time.monotonic() + GRACE_S
    readable = select.poll()
    readable.register(process.out, select.POLLIN)
    while (left := over - time.monotonic()) > 0:
        if readable.poll(left * 1000) and not os.read(process.out, _CHUNK):
            break  # it has ended
    process.nursery.end(process.pid)
