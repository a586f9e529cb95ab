"""The process that fetches (`app.github.fetch_worker`), from here: started, heard and ended."""

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
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import SecretStr

from app.github.cache import Say, Stopped, check_size
from app.github.transport import environment, explain
from app.github.wanted import Wanted
from reviewer.errors import RetryLater, RlmError, TellUser

Task = Literal["pull", "blobs", "history"]

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
    env = _environment(environment(wanted.server, token, empty, os.environ), repo)
    with _started(env, names) as process:
        exactly = wanted if of is None else of()
        request: dict[str, object] = {"task": task, "wanted": dataclasses.asdict(exactly)}
        if names is not None:
            request["names"] = names.fileno()
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


def _environment(env: Mapping[str, str], repo: Path) -> dict[str, str]:
    """Name the repository, without which git takes none that is bare, and git itself."""
    program = shutil.which("git", path=env["PATH"])
    if program is None:
        raise TellUser("Git is not installed", "Install git 2.38 or newer.")
    return {**env, "GIT_DIR": str(repo), "GIT_PYTHON_GIT_EXECUTABLE": program}


@contextmanager
def _started(
    env: Mapping[str, str], names: IO[bytes] | None
) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", _BOOTSTRAP, *_packages()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=dict(env),
        start_new_session=True,
        pass_fds=[] if names is None else [names.fileno()],
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
