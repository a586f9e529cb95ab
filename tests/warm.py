"""Starts `rlm` in a process of its own that has imported already what the program needs.

To import takes one to two seconds of the processor, much more than most commands do, and the tests
start many hundreds. So one process, itself started as a user starts `rlm`, imports everything and
does nothing; for each start it forks. What runs is the program: its own process id, arguments,
environment, folder, streams and signals. Not as in a start from nothing are the address space
(modules that are there), the order of sets, which is the same in all of them, and the environment
that the kernel shows of the process. Where an environment would change the interpreter itself, a
start is a real one (`start`).
"""

import atexit
import gc
import io
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[1]

LAUNCH = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {str(ROOT)!r})
from app.cli import run
run()
"""
COMMAND = [sys.executable, "-P", "-c", LAUNCH]
"""`rlm` from nothing. -P: the folder that the user stands in is the reviewed repository, and none of
ours. Who runs the tests may have had Ctrl-C switched off, as a background job has."""

NURSERY = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.warm import nursery
nursery(int(sys.argv[1]))
"""

RESIDENT = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("warm", {str(Path(__file__).resolve())!r})
warm = importlib.util.module_from_spec(spec)
spec.loader.exec_module(warm)
warm.resident(int(sys.argv[1]), sys.argv[2:])
"""
"""By the path of this file: of the program there is what that Python has installed."""

STAND_IN = """#!{python} -IS
import json, os, signal, socket, sys
command = {command!r}
assert sys.argv[1 : len(command) + 1] == command, sys.argv
order = {{
    "argv": sys.argv[len(command) + 1 :],
    "cwd": os.getcwd(),
    "env": dict(os.environ),
    "session": False,
    "forks": False,
}}
resident = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
resident.connect({path!r})
socket.send_fds(resident, [json.dumps(order).encode()], [0, 1, 2])
assert resident.recv(64), "the process that starts others is gone"
code = os.waitstatus_to_exitcode(int(resident.recv(64)))
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""
"""A program in place of a Python: it has `command` run, and ends as that ended."""

HEAVY = (
    "app.action",
    "app.engine",
    "app.roles.__main__",
    "app.roles.engine",
    "app.roles.github",
    "app.roles.web",
    "app.eval_command",
    "app.serve",
    "app.write_command",
    "reviewer.model.clients",
    "reviewer.model.sdk",
    "reviewer.review.job",
)
"""What is imported before; the rest comes with it, or is light."""

LATE = ("anyio._backends._asyncio", "encodings.idna", "markdown_it")
"""What libraries, and we, import only when it is first needed."""

LIMIT = 1 << 17
"""Bytes of one order, arguments and environment, that a socket takes at once."""

_KIND = (socket.AF_UNIX, socket.SOCK_SEQPACKET)

PLAIN = {"LANG": ("C.UTF-8",), "LC_ALL": ("C.UTF-8",), "TZ": ()}
"""What the interpreter or the C library reads at its start, and the values that change nothing."""


class Started:
    """A process that was started, as `subprocess.Popen` has it; text where `text` was wished."""

    def __init__(self, pid: int, ended: socket.socket, ours: Mapping[str, int], text: bool) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = ended
        self._text = text
        self.stdin: Any = self._open(ours.get("stdin"), "w")
        self.stdout: Any = self._open(ours.get("stdout"), "r")
        self.stderr: Any = self._open(ours.get("stderr"), "r")

    def _open(self, descriptor: int | None, mode: str) -> IO[Any] | None:
        if descriptor is None:
            return None
        return os.fdopen(descriptor, mode if self._text else f"{mode}b")

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the exit code, as `poll` does."""
        if self.returncode is None:
            if not select.select([self._ended], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("rlm", timeout or 0.0)
            status = self._ended.recv(64)
            self._ended.close()
            # Without a word: the one that waits for it was killed, and it most likely with it.
            self.returncode = os.waitstatus_to_exitcode(int(status)) if status else -signal.SIGKILL
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[Any, Any]:
        """Read both streams to their end, wait, and return what they had."""
        until = None if timeout is None else time.monotonic() + timeout
        streams = [one for one in (self.stdout, self.stderr) if one and not one.closed]
        read = {one.fileno(): b"" for one in streams}
        open_ = set(read)
        while open_:
            rest = None if until is None else max(0.0, until - time.monotonic())
            ready = select.select(sorted(open_), [], [], rest)[0]
            if not ready:
                raise subprocess.TimeoutExpired("rlm", timeout or 0.0)
            for one in ready:
                part = os.read(one, 1 << 16)
                read[one] += part
                if not part:
                    open_.discard(one)
        self.wait(None if until is None else max(0.0, until - time.monotonic()))
        told = {one: read[one.fileno()] for one in streams}
        for one in streams:
            one.close()
        out, err = (told.get(one, b"") if one else None for one in (self.stdout, self.stderr))
        if not self._text:
            return out, err
        return tuple(
            None if one is None else one.decode().replace("\r\n", "\n").replace("\r", "\n")
            for one in (out, err)
        )

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


def start(
    arguments: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    text: bool = False,
    together: bool = False,
    session: bool = False,
    silent: bool = False,
    stdin: int | None = None,
    forks: bool = False,
    afresh: bool = False,
) -> Any:
    """Start `rlm` with these arguments; return what is as `Popen` is.

    It reads nothing, or the descriptor `stdin`, and both its streams are pipes: `together` in one,
    `silent` only the error's. With `session` it leads a session of its own. With `forks` the
    processes that `rlm serve` has for its roles are forks of it, and as quickly there. `afresh`:
    a start from nothing, for a test that looks at the process.
    """
    out = subprocess.DEVNULL if silent else subprocess.PIPE
    err = subprocess.STDOUT if together else subprocess.PIPE
    order = {
        "argv": list(arguments),
        "cwd": str(cwd),
        "env": dict(env),
        "session": session,
        "forks": forks,
    }
    written = json.dumps(order).encode()
    if afresh or not _alike(env) or len(written) > LIMIT:
        return subprocess.Popen(
            [*COMMAND, *arguments], cwd=cwd, env=env, stdout=out, stderr=err, text=text,
            stdin=subprocess.DEVNULL if stdin is None else stdin, start_new_session=session,
        )  # fmt: skip
    nothing = os.open(os.devnull, os.O_RDWR)
    ours: dict[str, int] = {}
    theirs = [nothing if stdin is None else stdin, nothing, nothing]
    if not silent:
        ours["stdout"], theirs[1] = os.pipe()
    if together:
        theirs[2] = theirs[1]
    else:
        ours["stderr"], theirs[2] = os.pipe()
    ended, end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    socket.send_fds(_asked(), [written], [*theirs, end.fileno()])
    end.close()
    for descriptor in {nothing, *theirs} - {stdin}:
        os.close(descriptor)
    pid = ended.recv(64)
    assert pid, "the process that starts others is gone"
    return Started(int(pid), ended, ours, text)


def _alike(env: Mapping[str, str]) -> bool:
    """Is the interpreter, with this environment, the one that is there?"""
    if any(name.startswith(("PYTHON", "LD_", "LC_")) and name not in PLAIN for name in env):
        return False
    return all(env.get(name) in (None, *same) for name, same in PLAIN.items())


_nursery: list[socket.socket] = []


def _asked() -> socket.socket:
    """Return the socket that takes orders; its process starts with the first."""
    if not _nursery:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LIMIT)
        environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8"}
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", NURSERY, str(theirs.fileno())],
            cwd="/", env=environ, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
        )  # fmt: skip
        theirs.close()
        _nursery.append(ours)
        atexit.register(process.kill)
    return _nursery[0]


@contextmanager
def stand_in(python: str, command: Sequence[str], place: Path, heavy: str) -> Iterator[Path]:
    """Give a program that does what `python` does with `command`, and nothing else than `command`.

    The program that runs is that which `python` has installed. No signal reaches it. `heavy` is the
    module to import before; `place` is a folder for the program.
    """
    with tempfile.TemporaryDirectory() as short, socket.socket(*_KIND) as listening:
        path = f"{short}/orders"  # the name of a socket has a hundred characters at most
        listening.bind(path)
        listening.listen()
        process = subprocess.Popen(
            [python, "-I", "-c", RESIDENT, str(listening.fileno()), heavy],
            cwd="/", env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL, pass_fds=[listening.fileno()],
        )  # fmt: skip
        program = place / "python"
        text = STAND_IN.format(python=sys.executable, command=list(command), path=path)
        program.write_text(text)
        program.chmod(0o755)
        try:
            yield program
        finally:
            process.kill()
            process.wait()


# In the process that starts others -------------------------------------------------------------


def nursery(descriptor: int) -> None:
    """Import the program, then start it once for each order, until nobody is there to order."""
    _warm(HEAVY)
    orders = socket.socket(fileno=descriptor)
    while True:
        written, descriptors, _, _ = socket.recv_fds(orders, LIMIT, 4)
        if not written:
            return
        if os.fork() == 0:
            orders.close()
            _guard(json.loads(written), descriptors)
        for one in descriptors:
            os.close(one)


def resident(descriptor: int, heavy: Sequence[str]) -> None:
    """Import the program, then start it once for each that connects."""
    _warm(heavy)
    listening = socket.socket(fileno=descriptor)
    while True:
        orders, _ = listening.accept()
        written, descriptors, _, _ = socket.recv_fds(orders, LIMIT, 3)
        if os.fork() == 0:
            listening.close()
            _guard(json.loads(written), [*descriptors, orders.detach()])
        for one in descriptors:
            os.close(one)
        orders.close()


def _warm(heavy: Sequence[str]) -> None:
    """Be what can be forked over and over."""
    gc.disable()  # there is no garbage to look for
    for name in (*heavy, *LATE):
        __import__(name)
    import threading

    from app.github import fetch_process
    from reviewer.model.anthropic import preload
    from reviewer.parsing.worker import make_ready

    preload()
    # Of what parses and what fetches, too, there is one process for all that are forked.
    make_ready()
    fetch_process._nursery(str(shutil.which("git"))).begin()

    assert threading.active_count() == 1, "what forks may have no threads"
    gc.collect()
    gc.freeze()  # what is shared stays so: a collection would write to every page
    gc.enable()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def _guard(order: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    """Start the program, tell its process id, wait for it, tell how it ended, and end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, end = descriptors
    pid = os.fork()
    if pid == 0:
        os.close(end)
        _become(order, streams)
    for one in streams:
        os.close(one)
    with suppress(OSError):
        os.write(end, str(pid).encode())
    _, status = os.waitpid(pid, 0)
    with suppress(OSError):
        os.write(end, str(status).encode())
    os._exit(0)


def _become(order: Mapping[str, Any], streams: Sequence[int]) -> None:
    """Be `rlm` from here on."""
    try:
        if order["session"]:
            os.setsid()
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
        for descriptor in streams:
            if descriptor > 2:
                os.close(descriptor)
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["env"])
        sys.stdin, sys.stdout, sys.stderr = (_stream(number) for number in range(3))
        sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
        sys.argv = ["-c", *order["argv"]]
        tempfile.tempdir = None
        signal.signal(signal.SIGINT, signal.default_int_handler)
        import app.serve
        from app import cli

        if order["forks"]:
            app.serve.serve = partial(app.serve.serve, launch=_fork_role)  # type: ignore[assignment]
        cli.run()
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    os._exit(1)


def _fork_role(name: str, environ: Mapping[str, str], descriptors: Sequence[int]) -> "_Forked":
    """Be the process of a role, as `app.serve.launch_program` would have started it."""
    pid = os.fork()
    if pid:
        return _Forked(pid)
    try:
        from app.roles.__main__ import run
        from reviewer.nursery import _ROOTS

        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        kept = {0, 1, 2, *descriptors, *(root.descriptor for root in _ROOTS.values())}
        for entry in [*Path("/dev/fd").iterdir()]:
            if int(entry.name) not in kept:
                with suppress(OSError):  # the one that listed the folder
                    os.close(int(entry.name))
        atexit._clear()  # what is registered is the supervisor's to do
        os.environ.clear()
        os.environ.update(environ)
        sys.argv = ["-m", name]
        run()
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    os._exit(1)


class _Forked:
    """A fork of this process, as `app.serve.Process` has it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        return self._look(os.WNOHANG)

    def wait(self) -> int:
        while (code := self._look(0)) is None:
            pass
        return code

    def terminate(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def _look(self, how: int) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, how)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


def _stream(number: int) -> io.TextIOWrapper:
    raw = io.FileIO(number, "r" if number == 0 else "w", closefd=False)
    if number == 0:
        return io.TextIOWrapper(io.BufferedReader(raw), "utf-8", "surrogateescape")
    errors = "surrogateescape" if number == 1 else "backslashreplace"
    return io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", errors, line_buffering=number == 2)
