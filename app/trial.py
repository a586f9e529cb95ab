"""One run of the command that a repository has named for its tests: code of a pull request runs.

What runs is given nothing of ours: an environment of a few names, a fresh folder for a home, no
standard input, no way to more rights than ours (where Linux is), and an end. It runs as our own
user all the same; what that means stands in docs/writing.md, and whoever calls this has to know who
wrote the code.
"""

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Literal

from reviewer.ports import Cancelled

KEPT_BYTES = 64_000
"""Of what it prints, the end."""

LOOK_S = 0.2
DRAIN_S = 1.0
"""How long the end of what was printed is waited for, once the command has ended."""

KEPT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "JAVA_HOME",
    "GOROOT",
    "RUNNER_OS",
    "RUNNER_ARCH",
    "RUNNER_TOOL_CACHE",
)
"""All that a command sees of our environment: where programs are, and how they speak."""

_UNDUMPABLE = 4, 0
_NO_NEW_RIGHTS = 38, 1
"""Options of prctl(2), with their values."""

_TAKE, _PRYING = 24, (19, 21, 38)
"""The option that takes a capability from all that is started, and those that let root look into
other processes: CAP_SYS_PTRACE, CAP_SYS_ADMIN and CAP_PERFMON. In a container a job is root.
"""

_CAPABILITIES_VERSION = 0x20080522
"""Of what capget(2) and capset(2) take: twice (effective, permitted, inheritable), 32 bits each."""

_START = f"""
import ctypes, os, sys
try:
    prctl = ctypes.CDLL(None).prctl
    for capability in {_PRYING}:
        prctl({_TAKE}, capability, 0, 0, 0)
    prctl({_NO_NEW_RIGHTS[0]}, {_NO_NEW_RIGHTS[1]}, 0, 0, 0)
except (AttributeError, OSError):
    pass
try:
    os.execvpe(sys.argv[1], sys.argv[1:], os.environ)
except OSError as error:
    print(f"{{sys.argv[1]}}: {{error.strerror}}")
    sys.exit(127)
"""
"""Becomes the command, once no program that it starts can have more rights: not by sudo, say."""

State = Literal["passed", "failed", "late", "stopped"]


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended. late: it was ended when its time was over; stopped: by whoever asked for it.

    `code` is its exit code, and `tail` the end of what it printed: anybody's words.
    """

    state: State
    code: int
    tail: str
    seconds: float


def ran(
    command: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    *,
    limit_s: float,
    cancelled: Cancelled,
) -> Ran:
    """Run a command in a folder, to its end or ours; nothing of its process group is left.

    `environ` is our own environment, of which a command sees little.
    """
    keep_to_ourselves()
    began = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="rlm-home-"))
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _START, *command],
            cwd=folder,
            env=environment(environ, home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            state, tail = _followed(process, began + limit_s, cancelled)
        finally:
            _kill(process)
        code = process.wait()
    finally:
        removed(home)
    return Ran(
        state or ("passed" if code == 0 else "failed"),
        code,
        tail.decode("utf-8", "replace"),
        time.monotonic() - began,
    )


def environment(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return all that a command sees; no token, no key, and no file that the runner reads."""
    kept = {name: environ[name] for name in KEPT if name in environ}
    scratch = home / "tmp"
    scratch.mkdir()
    own = {"HOME": str(home), "TMPDIR": str(scratch), "CI": "true", "TERM": "dumb"}
    return {"PATH": os.defpath, **kept, **own}


def keep_to_ourselves() -> None:
    """Let no process of our user look into our environment and memory, and none that we start have
    more rights than the command, where the system can do that.

    What has run can change files that a git of ours reads later, and so have it start a program:
    that is our child then. It holds for this thread and those it starts: so it is called early.
    """
    with suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        for capability in _PRYING:
            libc.prctl(_TAKE, capability, 0, 0, 0)
        libc.prctl(*_NO_NEW_RIGHTS, 0, 0, 0)
        _give_up(libc, _PRYING)
        libc.prctl(*_UNDUMPABLE, 0, 0, 0)


def _give_up(libc: ctypes.CDLL, capabilities: Sequence[int]) -> None:
    """Give capabilities up for this thread: what is not held is not handed on, either."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
    held = (ctypes.c_uint32 * 6)()
    if libc.capget(header, held) != 0:
        return
    for capability in capabilities:
        word, bit = divmod(capability, 32)
        for at in range(3 * word, 3 * word + 3):
            held[at] &= ~(1 << bit) & 0xFFFFFFFF
    libc.capset(header, held)


def removed(folder: Path) -> None:
    """Remove a folder as far as what ran there lets us."""
    rmtree(folder, ignore_errors=True)


def _followed(
    process: "subprocess.Popen[bytes]", until: float, cancelled: Cancelled
) -> tuple[Literal["late", "stopped"] | None, bytes]:
    """Read what a process prints until it ends; return why it was not let end, and the tail."""
    pipe = process.stdout
    if pipe is None:
        raise AssertionError("it was started with a pipe")
    os.set_blocking(pipe.fileno(), False)
    tail = bytearray()
    with pipe, selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while process.poll() is None:
            if cancelled():
                return "stopped", bytes(tail)
            if time.monotonic() > until:
                return "late", bytes(tail)
            if not _read(pipe.fileno(), selector, tail):
                time.sleep(LOOK_S)  # it has closed its output and goes on
        # What it left behind may hold the pipe open for ever, and print for ever.
        _kill(process)
        end = time.monotonic() + DRAIN_S
        while time.monotonic() < end and _read(pipe.fileno(), selector, tail):
            pass
    return None, bytes(tail)


def _read(file: int, selector: selectors.BaseSelector, tail: bytearray) -> bool:
    """Add what there is to the tail; say False where there will be no more."""
    if not selector.select(LOOK_S):
        return True
    piece = os.read(file, KEPT_BYTES)
    tail += piece
    del tail[:-KEPT_BYTES]
    return bool(piece)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
