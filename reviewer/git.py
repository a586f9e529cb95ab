"""Run git on a repository's objects and refs: read-only, offline, bounded, and without trust.

Git never runs in the repository itself (`reviewer.gitdir` says why), never checks anything out,
never reaches the network, and never outlives its time: each process leads a group that is killed.
"""

import contextlib
import os
import re
import resource
import select
import shlex
import signal
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from shutil import disk_usage, rmtree
from typing import IO, ParamSpec, TypeVar

from reviewer.errors import GiveUp, NoRoom, RlmError, TellUser
from reviewer.gitdir import borrow, find
from reviewer.text import decode, printable

TIMEOUT_S = 60.0
"""For a question about refs or commits; git answers in milliseconds, or after minutes if at all."""

MEMORY_BYTES = 2 << 30
"""What a git process may allocate (its maps of pack files do not count). A tree of ten levels that
names itself ten times at each has ten thousand million files, and git would list them in memory."""

POLL_S = 0.2
"""How often the size of what git writes is looked at."""

FULL_BYTES = 1 << 16
"""A disk with less room than this is full: git writes in pieces of 4 to 64 KiB."""

CHUNK = 1 << 16
STDERR_BYTES = 1 << 20
SAID_CHARACTERS = 500

_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_EMPTY_TREE_SHA256 = "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"

_MISSING = re.compile(
    r"unable to (?:read|find)|missing (?:blob|tree|object)|[Cc]ould not (?:read|parse|fetch)"
    r"|bad object|cannot read|promisor"
)
"""Git's words for an object that is not in the store, gathered from its versions."""


P = ParamSpec("P")
T = TypeVar("T")


class Killed(GiveUp):
    """A git was killed, and not by us: by whoever frees memory, say. Asked again, it may answer."""


def once_more(work: Callable[P, T]) -> Callable[P, T]:
    """Have what reads from git done a second time where a git was killed under it."""

    @wraps(work)
    def again(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(*args, **kwargs)
        except Killed:
            return work(*args, **kwargs)

    return again


class GitRepo:
    """One repository, read-only. Thread-safe; `close` (or the end of a `with`) frees its folder.

    `path` is what the user named, for messages; nothing is ever run there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        git_dir = find(path)
        self._home = Path(tempfile.mkdtemp(prefix="rlm-git-"))
        self._remove = weakref.finalize(self, rmtree, self._home, ignore_errors=True)
        try:
            borrowed = borrow(git_dir, self._home, _environment())
        except FileNotFoundError as error:
            raise _no_git() from error
        self.is_partial = borrowed.is_partial
        self.remotes = borrowed.remotes
        self.empty_tree = _EMPTY_TREE_SHA256 if borrowed.is_sha256 else _EMPTY_TREE
        self._env = _environment() | _settings(self.empty_tree) | {"GIT_DIR": str(self._home)}

    @property
    def is_shallow(self) -> bool:
        """Was history cut off when this was cloned?"""
        return (self._home / "shallow").exists()

    def cut(self) -> frozenset[str]:
        """Return the commits whose parents are not here because history was cut off."""
        try:
            return frozenset((self._home / "shallow").read_text("ascii").split())
        except FileNotFoundError:
            return frozenset()

    def __enter__(self) -> "GitRepo":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the temporary folder; nothing can be run after that."""
        self._remove()

    def run(
        self, *args: str | bytes, ok: tuple[int, ...] = (0,), stdin: IO[bytes] | None = None
    ) -> tuple[int, bytes]:
        """Return git's exit code and stdout, for commands that print little; `stdin` is a file.

        A code that is not in `ok` raises; see `failure`. One that is killed is asked once more.
        """
        begin = 0 if stdin is None else os.lseek(stdin.fileno(), 0, os.SEEK_CUR)
        try:
            return self._run(args, ok, stdin)
        except Killed:
            if stdin is not None:  # who was killed has read some of it
                os.lseek(stdin.fileno(), begin, os.SEEK_SET)
            return self._run(args, ok, stdin)

    def _run(
        self, args: tuple[str | bytes, ...], ok: tuple[int, ...], stdin: IO[bytes] | None
    ) -> tuple[int, bytes]:
        started = self.start(
            *args,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stderr=subprocess.PIPE,
        )
        with started as process, _killed_after(process):
            try:
                stdout, stderr = process.communicate(timeout=TIMEOUT_S)
            except subprocess.TimeoutExpired as error:
                raise too_slow(args, TIMEOUT_S) from error
        if process.returncode not in ok:
            raise self._error(args, stderr, process)
        return process.returncode, stdout

    def run_into(self, file: IO[bytes], *args: str, timeout_s: float, max_bytes: int) -> str:
        """Let git write its stdout straight to `file`; return what it says on stderr.

        Raise GiveUp when it takes longer than `timeout_s` or writes more than `max_bytes`. One that
        is killed is asked once more.
        """
        deadline = time.monotonic() + timeout_s
        begin = file.tell()
        try:
            return self._run_into(file, args, deadline, timeout_s, max_bytes)
        except Killed:
            file.seek(begin)
            file.truncate()
            return self._run_into(file, args, deadline, timeout_s, max_bytes)

    def _run_into(
        self,
        file: IO[bytes],
        args: tuple[str | bytes, ...],
        deadline: float,
        timeout_s: float,
        max_bytes: int,
    ) -> str:
        said = b""
        started = self.start(*args, stdout=file, stderr=subprocess.PIPE)
        with started as process, _killed_after(process):
            if process.stderr is None:
                raise AssertionError("started with a pipe")
            readable = select.poll()
            readable.register(process.stderr, select.POLLIN)
            # The pipe ends when git does: `wait` with a timeout would notice up to 50 ms later.
            while True:
                if readable.poll(POLL_S * 1000):
                    piece = os.read(process.stderr.fileno(), CHUNK)
                    said = (said + piece)[:STDERR_BYTES]
                    if not piece:
                        break
                if time.monotonic() > deadline:
                    raise too_slow(args, timeout_s)
                if os.fstat(file.fileno()).st_size > max_bytes:
                    raise _too_much(args, max_bytes)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(TIMEOUT_S)
            if process.returncode is None:
                raise too_slow(args, timeout_s)
        if os.fstat(file.fileno()).st_size > max_bytes:
            raise _too_much(args, max_bytes)
        if process.returncode:
            raise self._error(args, said, process)
        return decode(said)

    @contextlib.contextmanager
    def stream(
        self, *args: str | bytes, timeout_s: float, ok: tuple[int, ...] = (0,)
    ) -> Iterator[IO[bytes]]:
        """Give git's stdout to a reader, who may leave before its end: git is killed then.

        After `timeout_s` git is killed under the reader's hands, and GiveUp raised at the end; or
        MissingObject, if git has skipped an object: what the reader got was not all. Killed, if it
        was killed by somebody else (see `once_more`).
        """
        with tempfile.TemporaryFile() as errors:
            with self.start(*args, stderr=errors) as process, _killed_after(process):
                if process.stdout is None:
                    raise AssertionError("started with a pipe")
                late = threading.Event()

                def stop() -> None:
                    late.set()
                    _kill(process)

                timer = threading.Timer(timeout_s, stop)
                timer.start()
                try:
                    yield process.stdout
                    at_end = _is_at_end(process.stdout)
                    if at_end:
                        process.wait()
                except Exception as error:
                    # What was cut off makes no sense to a reader: the cause is not in it.
                    if late.is_set() or not _was_killed(process):
                        raise
                    raise Killed(f"git {_command(args)} was killed.") from error
                finally:
                    timer.cancel()
            if late.is_set():
                raise too_slow(args, timeout_s)
            errors.seek(0)
            stderr = errors.read(STDERR_BYTES)
            # `git grep` passes over an object that it cannot read, and tells nobody but stderr.
            is_partial = _MISSING.search(decode(stderr)) is not None
            if is_partial and not at_end:
                raise self.failure(args, stderr)  # who killed it was we
            if is_partial or (at_end and process.returncode not in ok):
                raise self._error(args, stderr, process)

    def start(
        self,
        *args: str | bytes,
        stdin: int | IO[bytes] | None = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.PIPE,
        stderr: int | IO[bytes] = subprocess.DEVNULL,
    ) -> "subprocess.Popen[bytes]":
        """Start git as the leader of a group of its own; who starts it sees to its end (`stop`)."""
        try:
            process = subprocess.Popen(
                ["git", *args],
                cwd=self._home,
                env=self._env,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise _no_git() from error
        except OSError as error:  # an argument is too long, or there is no room for a process
            raise GiveUp(f"git {_command(args)} cannot be started: {error.strerror}.") from error
        if hasattr(resource, "prlimit"):  # Linux; elsewhere time is the only bound
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(process.pid, resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
        return process

    def _error(
        self, args: tuple[str | bytes, ...], stderr: bytes, process: "subprocess.Popen[bytes]"
    ) -> RlmError:
        if process.returncode == -signal.SIGKILL:
            return Killed(f"git {_command(args)} was killed.")
        return self.failure(args, stderr)

    def failure(self, args: tuple[str | bytes, ...], stderr: bytes) -> RlmError:
        """Turn what a failed git said into an error for whoever can do something about it."""
        said = printable(decode(stderr)).strip()[:SAID_CHARACTERS]
        here = shlex.quote(printable(str(self.path)))
        # Git forgets why it could not write. A full disk may take its complaint along, too, where
        # stderr goes to a file.
        no_room = "No space left on device" in said or "write failure on standard output" in said
        if no_room or (not said and _is_full(tempfile.gettempdir())):
            return NoRoom(
                "There is no space left for git's output.",
                f"Free some in {tempfile.gettempdir()}, or set TMPDIR to a larger place.",
            )
        if "unknown repository" in said or "Expected git repo version" in said:
            return TellUser(f"Git is too old for this repository: {said}", "Install a newer git.")
        if "ut of memory" in said:
            return GiveUp(f"git {_command(args)} needs more than {MEMORY_BYTES >> 30} GiB.")
        if _MISSING.search(said):
            if self.is_partial:
                return MissingObject(
                    f"This is a partial clone, and it lacks objects that are needed: {said}",
                    f"Run `git -C {here} fetch --refetch --no-filter`, or clone without --filter.",
                )
            return MissingObject(
                f"The repository lacks an object that is needed: {said}",
                f"See what `git -C {here} fsck` says, or clone it anew.",
            )
        return GiveUp(f"git {_command(args)} failed: {said}")


class MissingObject(TellUser):
    """An object that the change needs is not in the store, and is not fetched behind your back."""


def too_slow(args: tuple[str | bytes, ...], timeout_s: float) -> GiveUp:
    """Return the error for a git that was killed for its slowness."""
    return GiveUp(f"git {_command(args)} took longer than {timeout_s:g} s.")


def _too_much(args: tuple[str | bytes, ...], max_bytes: int) -> GiveUp:
    return GiveUp(f"git {_command(args)} printed more than {max_bytes >> 20} MiB.")


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and whatever it started, and reap it. Harmless when it has ended."""
    _kill(process)
    process.wait()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    # Not after the process was reaped: its number may be another's by then.
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def _killed_after(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Leave no process behind, whatever ends the block: a result, an error, Ctrl-C."""
    try:
        yield
    finally:
        stop(process)


def _is_at_end(pipe: IO[bytes]) -> bool:
    """Has the other side closed it, and is nothing left? Never waits for what may yet come."""
    readable = select.poll()
    readable.register(pipe, select.POLLIN)
    return bool(readable.poll(0)) and not pipe.peek(1)  # type: ignore[attr-defined]


def _was_killed(process: "subprocess.Popen[bytes]") -> bool:
    """Has somebody killed it, as far as it has ended?"""
    if process.stdout is None or process.stdout.closed or not _is_at_end(process.stdout):
        return False
    return process.wait() == -signal.SIGKILL


def _is_full(folder: str) -> bool:
    return disk_usage(folder).free < FULL_BYTES


def _command(args: tuple[str | bytes, ...]) -> str:
    """Return the name of the command, behind git's own options (`-c name=value`)."""
    words = (arg for arg in args if isinstance(arg, str))
    return next(word for word in words if not word.startswith("-") and "=" not in word)


def _no_git() -> TellUser:
    return TellUser("The program git was not found.", "Install git, or put it on the PATH.")


def _environment() -> dict[str, str]:
    """Return all that a git of ours sees of its surroundings."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "LC_ALL": "C",  # messages are parsed
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",  # a list of those allowed, and there is none of that name
        "GIT_PAGER": "cat",
    }


def _settings(empty_tree: str) -> dict[str, str]:
    """Return configuration as environment.

    A repository without a configuration needs little of it; it holds should a git of tomorrow
    have another default, and gits 2.43 to 2.45 do: they take attributes from a bare repository's
    HEAD unless they are told of another tree.
    """
    settings = {
        "attr.tree": empty_tree,
        "core.attributesFile": os.devnull,
        "core.bigFileThreshold": "512m",  # above it a file counts as binary
        "core.fsmonitor": "false",
        "core.hooksPath": os.devnull,
        "core.quotePath": "true",
        "gc.auto": "0",
        "grep.threads": "2",
        "maintenance.auto": "false",
        "protocol.allow": "never",
    }
    pairs = {"GIT_ATTR_SOURCE": empty_tree, "GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        pairs[f"GIT_CONFIG_KEY_{number}"] = key
        pairs[f"GIT_CONFIG_VALUE_{number}"] = value
    return pairs


def open_repo(path: Path | str) -> GitRepo:
    """Open the repository that `path` is, contains or lies in; TellUser if there is none."""
    return GitRepo(Path(path))
