"""Workers that start at once: a process that has imported what they need forks one for each.

To start Python and import costs a worker more of the processor than most of its work, and a run
has a dozen of workers. `Nursery` is the side of the program, `serve` the side of the process that
forks. That process reads nothing but orders of one shape, so no file, request or token that one
worker sees is ever in the memory of another. It ends, with its workers, when the program does.
"""

import atexit
import gc
import importlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

TIMEOUT_S = 30.0
"""For an answer; the first waits for Python and the imports."""

GRACE_S = 5.0
"""What it gets to end its workers and itself."""

_ORDER = struct.Struct(">ci")
_START, _END = b"s", b"e"
_NONE = -1
"""In place of the id of a process that could not be started."""

_MOST_STREAMS = 4
_FIRST = (0, 1, 3)
"""What the streams of a worker are called in it. 2 is the place where words are lost."""

# -I: no PYTHON* variables, no user site, nothing of the current folder on the path.
_BOOTSTRAP = (
    "import sys; sys.path += sys.argv[3:]; from reviewer.nursery import serve; "
    "serve(int(sys.argv[1]), sys.argv[2])"
)
_PACKAGE_ROOT = str(Path(__file__).resolve().parents[1])


class Nursery:
    """Starts and ends workers that run `main` of a module; safe to use from several threads.

    The process that forks is started by the first worker, and by the next one after it has died.
    """

    def __init__(
        self, module: str, paths: Sequence[str] = (), environ: Mapping[str, str] | None = None
    ) -> None:
        self._arguments = [module, _PACKAGE_ROOT, *paths]
        self._environ = dict(environ or {})
        self.fresh()
        _ALL.add(self)

    def fresh(self) -> None:
        """Begin with no process. A fork of this one has its own: two would share the answers."""
        self._lock = threading.Lock()
        self._asked: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._workers: set[int] = set()

    def begin(self) -> None:
        """Start the process that forks, unless there is one, and do not wait for its imports.

        Raise OSError.
        """
        with self._lock:
            if self._asked is None:
                self._launch()

    def start(self, streams: Sequence[int]) -> int:
        """Start a worker with these as its stdin, stdout and descriptor 3; return its process id.

        It leads a group, inherits no environment of ours and stands in "/". The id stays its own
        until `end`. Raise OSError or EOFError.
        """
        with self._lock:
            was_there = self._asked is not None
            try:
                pid = self._ask(_START, 0, streams)
            except (OSError, EOFError):
                if not was_there:
                    raise
                pid = self._ask(_START, 0, streams)  # it had died
            if pid == _NONE:
                raise OSError("no process could be started")
            self._workers.add(pid)
            return pid

    def kill(self, pid: int) -> None:
        """Kill a worker with its group; `end` still has to be called.

        One whose process that forked it is gone is left to end by itself: its id may be another's.
        """
        process = self._process
        if pid in self._workers and process is not None and process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)

    def end(self, pid: int) -> None:
        """Kill a worker with its group, and wait for it."""
        self.kill(pid)
        with self._lock, suppress(OSError, EOFError):
            if pid in self._workers:
                self._ask(_END, pid, ())
                self._workers.discard(pid)

    def close(self) -> None:
        """End every worker, and the process that forks them."""
        with self._lock:
            self._close()

    def _ask(self, order: bytes, pid: int, streams: Sequence[int]) -> int:
        if self._asked is None:
            self._launch()
        assert self._asked is not None  # noqa: S101 - launched above
        try:
            socket.send_fds(self._asked, [_ORDER.pack(order, pid)], list(streams))
            return int(_ORDER.unpack(_read(self._asked))[1])
        except BaseException:
            self._close()  # an answer that was not waited for would be taken for the next one
            raise

    def _close(self) -> None:
        if self._asked is not None:
            self._asked.close()
        if self._process is not None:
            try:
                self._process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._asked = self._process = None
        self._workers.clear()

    def _launch(self) -> None:
        self._asked, self._process = _launched(self._arguments, self._environ)


_ALL: "weakref.WeakSet[Nursery]" = weakref.WeakSet()


def _fresh() -> None:
    for each in list(_ALL):
        each.fresh()


def _closed() -> None:
    for each in list(_ALL):
        each.close()


os.register_at_fork(after_in_child=_fresh)
atexit.register(_closed)


def _launched(
    arguments: Sequence[str], environ: Mapping[str, str]
) -> "tuple[socket.socket, subprocess.Popen[bytes]]":
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _BOOTSTRAP, str(theirs.fileno()), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=dict(environ),
            start_new_session=True,
            pass_fds=[theirs.fileno()],
        )
    ours.settimeout(TIMEOUT_S)
    return ours, process


def _read(asked: socket.socket) -> bytes:
    read = b""
    while len(read) < _ORDER.size:
        piece = asked.recv(_ORDER.size - len(read))
        if not piece:
            raise EOFError("the process that starts workers has ended")
        read += piece
    return read


# In the process that forks ------------------------------------------------------------------------


def serve(descriptor: int, module: str) -> None:
    """Import the module, then fork a worker for each order, until nobody is there to order."""
    main: Callable[[], None] = importlib.import_module(module).main
    gc.collect()
    gc.freeze()  # what is shared stays so: a collection would write to every page
    orders = socket.socket(fileno=descriptor)
    orders.set_inheritable(False)
    children: set[int] = set()
    try:
        while _obeyed(orders, main, children):
            pass
    finally:  # also where nobody takes an answer any more
        for pid in children:
            _reap(pid)


def _obeyed(orders: socket.socket, main: Callable[[], None], children: set[int]) -> bool:
    """Carry one order out; False where there is nobody to order."""
    written, streams, _, _ = socket.recv_fds(orders, _ORDER.size, _MOST_STREAMS)
    if len(written) < _ORDER.size:
        return False
    order, pid = _ORDER.unpack(written)
    if order == _START:
        pid = _forked(orders, main, streams)
        if pid != _NONE:
            children.add(pid)
    elif pid in children:
        children.discard(pid)
        _reap(pid)
    for each in streams:
        os.close(each)
    orders.sendall(_ORDER.pack(order, pid))
    return True


def _forked(orders: socket.socket, main: Callable[[], None], streams: Sequence[int]) -> int:
    try:
        pid = os.fork()
    except OSError:  # there are too many
        return _NONE
    if pid == 0:
        orders.close()
        _become(main, streams)
    with suppress(OSError):  # it has done so itself, and has ended since
        os.setpgid(pid, pid)  # before anybody is told the id, and kills the group
    return pid


def _reap(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _become(main: Callable[[], None], streams: Sequence[int]) -> None:
    """Be the worker from here on."""
    try:
        os.setpgid(0, 0)
        for number, each in zip(_FIRST, streams, strict=False):
            if each != number:
                os.dup2(each, number, inheritable=number < _FIRST[-1])
                os.close(each)
        main()
    except BaseException:
        os._exit(1)
    os._exit(0)
