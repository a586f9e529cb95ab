"""Running a program that is installed with this one: constant arguments, nothing inherited.

The programs come as wheels (ruff, zizmor), so they are looked for beside the interpreter and
never on PATH, where the reviewed repository or its author might have put something.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from reviewer.detectors.base import Note, Source
from reviewer.errors import GiveUp
from reviewer.text import printable

MAX_OUTPUT_BYTES = 64 * 1024 * 1024
"""More than any honest report: 5,000 files with ten alarms each are about 25 MB of ruff's JSON."""

MAX_FAILURES = 12
"""Enough to find one culprit among 500 files, and to end within minutes if there are many."""

T = TypeVar("T")
R = TypeVar("R")

_COMPLAINT_CHARS = 200  # characters of a program's complaint that a note can carry
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended and what it printed."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def complaint(self) -> str:
        """Return the program's own words on its failure, in one line."""
        return " ".join(self.stderr.decode("utf-8", "replace").split())[:_COMPLAINT_CHARS]


def find_program(name: str) -> Path:
    """Return where a program of our own installation is; raise GiveUp if it is not installed."""
    folders = [
        Path(sys.executable).parent,
        Path(sysconfig.get_path("scripts")),
        Path(sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))),
    ]
    suffix = sysconfig.get_config_var("EXE") or ""
    for folder in folders:
        path = folder / f"{name}{suffix}"
        if path.is_file() and os.access(path, os.X_OK):
            return path
    raise GiveUp(
        f"{name} is not installed beside Python ({folders[0]}), so its checks were left out"
    )


def in_parts(
    items: Sequence[T], work: Callable[[Sequence[T]], R], failures: int = MAX_FAILURES
) -> Iterator[tuple[Sequence[T], R | GiveUp]]:
    """Yield what `work` makes of all items; where it gives up, of halves, down to the culprit.

    After so many `failures` what is left is given up as it is: each may have cost a time limit.
    """
    waiting = [items]
    while waiting:
        part = waiting.pop()
        try:
            yield part, work(part)
        except GiveUp as error:
            failures -= 1
            if len(part) == 1 or failures <= 0:
                yield part, error
            else:
                waiting += [part[len(part) // 2 :], part[: len(part) // 2]]


def checked(
    program: str,
    what: str,
    sources: Sequence[Source],
    check: Callable[[Path, Sequence[Source]], Sequence[R]],
    *,
    max_bytes: int,
    at_once: int,
) -> Iterator[tuple[Source, R] | Note]:
    """Run a program over the sources that it can read, `at_once` at a time, each with its result.

    `check` gets the program's path and some sources, and returns a result for each. A program that
    is not there, or that gives up on a file, is a note that names `what` was left out.
    """
    try:
        found = find_program(program)
    except GiveUp as error:
        yield Note(str(error))
        return
    readable = [s for s in sources if s.head is not None and len(s.head) <= max_bytes]
    for start in range(0, len(readable), at_once):
        chunk = readable[start : start + at_once]
        for part, results in in_parts(chunk, lambda part: check(found, part)):
            if isinstance(results, GiveUp):
                yield Note(f"{what} left out {named(part)}: {results}")
            else:
                yield from zip(part, results, strict=True)


def named(sources: Sequence[Source]) -> str:
    """Return a few words for files in a note."""
    first = printable(sources[0].file.path)
    return first if len(sources) == 1 else f"{first} and {len(sources) - 1} more files"


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    """Make a fresh folder that only this user can enter, and remove it with all that is in it."""
    with TemporaryDirectory(prefix="rlm-detect-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


def run_program(
    program: Path,
    arguments: Sequence[str],
    *,
    cwd: Path,
    timeout_s: float,
    max_output: int = MAX_OUTPUT_BYTES,
) -> Outcome:
    """Run a program to its end in an empty environment and its own process group.

    Raise GiveUp if it cannot be started, runs longer than `timeout_s` seconds or prints more than
    `max_output` bytes; its whole group is killed then. One that somebody else kills, to free
    memory, say, is run once more.
    """
    deadline = time.monotonic() + timeout_s
    outcome = _ran(program, arguments, cwd, deadline, timeout_s, max_output)
    if outcome.code == -signal.SIGKILL:
        outcome = _ran(program, arguments, cwd, deadline, timeout_s, max_output)
    return outcome


def _ran(  # noqa: PLR0917
    program: Path,
    arguments: Sequence[str],
    cwd: Path,
    deadline: float,
    timeout_s: float,
    max_output: int,
) -> Outcome:
    try:
        process = subprocess.Popen(
            [str(program), *arguments],
            cwd=cwd,
            env={"HOME": str(cwd), "TMPDIR": str(cwd), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise GiveUp(f"{program.name} could not be started: {error}") from error
    try:
        stdout, stderr = _drain(process, deadline, timeout_s, max_output)
        code = process.wait(timeout=max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise GiveUp(f"{program.name} took longer than {timeout_s:g} s and was stopped") from error
    finally:
        _end(process)
    return Outcome(code, stdout, stderr)


def _drain(
    process: subprocess.Popen[bytes], deadline: float, timeout_s: float, max_output: int
) -> tuple[bytes, bytes]:
    """Read both pipes side by side: a program that fills the one we do not read would hang."""
    pipes = [pipe.fileno() for pipe in (process.stdout, process.stderr) if pipe is not None]
    kept = {descriptor: bytearray() for descriptor in pipes}
    name = Path(str(process.args[0] if isinstance(process.args, list) else process.args)).name
    with selectors.DefaultSelector() as selector:
        for descriptor in kept:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise subprocess.TimeoutExpired(name, timeout_s)
            for key, _ in selector.select(left):
                piece = os.read(key.fd, _CHUNK)
                if not piece:
                    selector.unregister(key.fd)
                    continue
                kept[key.fd] += piece
                if sum(map(len, kept.values())) > max_output:
                    raise GiveUp(f"{name} printed more than {max_output} bytes and was stopped")
    stdout, stderr = (bytes(kept[descriptor]) for descriptor in pipes)
    return stdout, stderr


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the program's group unless it ended by itself (its number may be another's by then)."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
