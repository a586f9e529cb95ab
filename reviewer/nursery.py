"""Workers that start at once: a process that has imported what they need forks one for each.

To start Python and import costs a worker more of the processor than most of its work, and a run
has a dozen of workers. `Nursery` is the side of the program. Its process reads nothing but orders
of one shape, so no file, request or token that one worker sees is ever in the memory of another. It
ends, with its workers, when the program does. It is itself a fork, one for each Nursery, of a
process that the program has once for each module (`_Root`), and which imports and does nothing else
(`serve`).
"""

import atexit
import gc
import importlib
import os
import select
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
_START, _END, _BORN = b"s", b"e", b"b"
_NEST = b"n"
"""To the process that only imports: be a process that forks workers, with this socket."""
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

    The process that forks them is there from the first worker on, and after it has died again with
    the next one.
    """

    def __init__(
        self, module: str, paths: Sequence[str] = (), environ: Mapping[str, str] | None = None
    ) -> None:
        self._root = _root(module, (_PACKAGE_ROOT, *paths), dict(environ or {}))
        self.fresh()
        _ALL.add(self)

    def fresh(self) -> None:
        """Begin with no process. A fork of this one has its own: two would share the answers."""
        self._lock = threading.Lock()
        self._asked: socket.socket | None = None
        self._pid = _NONE
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
            except (OSError, EOFError) as error:
                if not was_there and isinstance(error, TimeoutError):
                    raise
                pid = self._ask(_START, 0, streams)  # it had died, or what it is a fork of
            if pid == _NONE:
                raise OSError("no process could be started")
            self._workers.add(pid)
            return pid

    def kill(self, pid: int, number: int = signal.SIGKILL) -> None:
        """Kill a worker with its group, or send another signal; `end` still has to be called.

        One whose process that forked it is gone is left to end by itself: its id may be another's.
        """
        asked = self._asked
        if pid in self._workers and asked is not None and _is_open(asked):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)

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
            if self._pid == _NONE:
                self._pid = _read(self._asked)
            socket.send_fds(self._asked, [_ORDER.pack(order, pid)], list(streams))
            return _read(self._asked)
        except BaseException:
            self._close()  # an answer that was not waited for would be taken for the next one
            raise

    def _close(self) -> None:
        if self._asked is not None:
            with self._asked:
                _hang_up(self._asked, self._pid)
        self._asked, self._pid = None, _NONE
        self._workers.clear()

    def _launch(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._root.nest(theirs)
        ours.settimeout(TIMEOUT_S)
        self._asked = ours


def _is_open(asked: socket.socket) -> bool:
    """Is the process at the other end there? It alone holds that end."""
    ends = select.poll()
    try:
        ends.register(asked, 0)
        return not ends.poll(0)
    except (OSError, ValueError):  # closed meanwhile by another thread
        return False


def _hang_up(asked: socket.socket, pid: int) -> None:
    """Let the process at the other end end its workers and itself; kill it where it does not."""
    asked.settimeout(GRACE_S)
    try:
        asked.shutdown(socket.SHUT_WR)
        while asked.recv(_ORDER.size):
            pass
    except TimeoutError:
        if pid != _NONE:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
    except OSError:
        pass


class _Root:
    """The process that imports a module and then only forks processes that fork workers.

    A fork of this program has the same one: it gives no answers.
    """

    def __init__(self, module: str, paths: Sequence[str], environ: Mapping[str, str]) -> None:
        self._arguments, self._environ = [module, *paths], environ
        self._orders: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self.fresh()

    def fresh(self) -> None:
        """Be usable in a fork of this program."""
        self._lock = threading.Lock()

    @property
    def descriptor(self) -> int:
        """Return the descriptor that orders go to, -1 without one."""
        return -1 if self._orders is None else self._orders.fileno()

    def nest(self, theirs: socket.socket) -> None:
        """Have a process that forks workers take its orders from this socket. Raise OSError."""
        with self._lock:
            if self._orders is not None:
                with suppress(OSError):  # it has died
                    socket.send_fds(self._orders, [_NEST], [theirs.fileno()])
                    return
                self._close()
            self._launch()
            assert self._orders is not None  # noqa: S101 - launched
            socket.send_fds(self._orders, [_NEST], [theirs.fileno()])

    def close(self) -> None:
        """Let it end, once no fork of this program needs it."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._orders is not None:
            self._orders.close()
        if self._process is not None and self._owner == os.getpid():
            try:
                self._process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._orders = self._process = None

    def _launch(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [
                        sys.executable,
                        "-I",
                        "-c",
                        _BOOTSTRAP,
                        str(theirs.fileno()),
                        *self._arguments,
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env=dict(self._environ),
                    start_new_session=True,
                    pass_fds=[theirs.fileno()],
                )
            except BaseException:
                ours.close()
                raise
        self._orders, self._owner = ours, os.getpid()


_ROOTS: dict[tuple[object, ...], _Root] = {}
_ALL: "weakref.WeakSet[Nursery]" = weakref.WeakSet()


def _root(module: str, paths: Sequence[str], environ: Mapping[str, str]) -> _Root:
    key = (module, *paths, *sorted(environ.items()))
    return _ROOTS.setdefault(key, _Root(module, paths, environ))


def _fresh() -> None:
    for root in list(_ROOTS.values()):
        root.fresh()
    for nursery in list(_ALL):
        nursery.fresh()


def _closed() -> None:
    for nursery in list(_ALL):
        nursery.close()
    for root in list(_ROOTS.values()):
        root.close()


os.register_at_fork(after_in_child=_fresh)
atexit.register(_closed)


def _read(asked: socket.socket) -> int:
    read = b""
    while len(read) < _ORDER.size:
        piece = asked.recv(_ORDER.size - len(read))
        if not piece:
            raise EOFError("the process that starts workers has ended")
        read += piece
    return int(_ORDER.unpack(read)[1])


# In the processes that fork -----------------------------------------------------------------------


def serve(descriptor: int, module: str) -> None:
    """Import the module, then fork what forks workers for each order, until nobody is there."""
    main: Callable[[], None] = importlib.import_module(module).main
    gc.collect()
    gc.freeze()  # what is shared stays so: a collection would write to every page
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    orders = socket.socket(fileno=descriptor)
    while True:
        written, sockets, _, _ = socket.recv_fds(orders, len(_NEST), 1)
        if not written:
            return
        for each in sockets:
            with suppress(OSError):  # there are too many: who asks reads the end
                if os.fork() == 0:
                    orders.close()
                    _nest(each, main)
            os.close(each)


def _nest(descriptor: int, main: Callable[[], None]) -> None:
    """Be what forks a worker for each order, until nobody is there to order."""
    children: set[int] = set()
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        orders = socket.socket(fileno=descriptor)
        orders.sendall(_ORDER.pack(_BORN, os.getpid()))
        while _obeyed(orders, main, children):
            pass
    finally:  # also where nobody takes an answer any more
        for pid in children:
            _reap(pid)
        os._exit(0)


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
