"""Parsing hostile files in processes of their own: killed when slow, replaced when dead.

`Parsers` is the side of the caller, `serve` the side of the worker. A message is a length in four
bytes, so much JSON, and the blobs whose lengths the JSON gives. A worker inherits no environment,
no arguments of ours but the place of this package, and limits itself before it reads a byte.
"""

import contextlib
import dataclasses
import json
import os
import selectors
import signal
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from queue import LifoQueue
from types import TracebackType
from typing import Any, BinaryIO, Self

from reviewer.errors import GiveUp

WORKERS = 2  # parsing is processor-bound, and the rest of the run needs a core too
TIMEOUT_S = 5.0  # for one file; an honest megabyte takes about a second
TOTAL_S = 240.0  # of all workers together; 5,000 honest files take about 20
START_TIMEOUT_S = 30.0  # the first question also waits for Python and a grammar to load
MAX_FILE_BYTES = 1_000_000  # longer files are generated or data, and hostile ones cost seconds
MEMORY_BYTES = 1 << 30  # address space; a tree takes about 50 bytes for each byte of its file
MAX_REPLY_BYTES = 4 << 20
_AHEAD = 8  # questions under way or answered before an answer is taken: each is a file's worth
_ENDED = "the run had ended"
_CHUNK = 1 << 16
_LENGTH = struct.Struct(">I")
_VALUE, _BYTES = b"v", b"b"  # what a reply begins with: JSON or bytes

# -I: no PYTHON* variables, no user site, nothing of the current folder on the path.
_BOOTSTRAP = (
    "import sys; sys.path.append(sys.argv[1]); from reviewer.parsing.worker import serve; serve()"
)
_PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])


class Unchecked(GiveUp):
    """A file that could not be looked at: too large, too slow, or the parser died over it."""


class UsedUp(Unchecked):
    """Nothing is wrong with the file: earlier ones had taken the time there was for all."""


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """One call of a function in `_functions`; the blobs go in front of the JSON arguments."""

    function: str
    blobs: tuple[bytes | None, ...]
    arguments: tuple[Any, ...] = ()
    about: str = ""  # the path, for the words of Unchecked


# The caller's side -------------------------------------------------------------------------------


class Parsers:
    """At most WORKERS worker processes, started when first needed; a context manager.

    Safe to use from several threads: each question waits for a free worker. `among`: those of
    another one, which ends them, with a time of its own for its questions.
    """

    def __init__(
        self,
        timeout_s: float = TIMEOUT_S,
        total_s: float = TOTAL_S,
        *,
        among: "Parsers | None" = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._left_s = total_s
        self._ended = False
        # Kept, for with each new thread the C library begins a heap that it seldom gives back.
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="parse")
        self._among = among
        # The last first: a worker that has begun need not have another one begin.
        self._free: LifoQueue[_Worker] = LifoQueue() if among is None else among._free
        self._all = [_Worker() for _ in range(WORKERS)] if among is None else []
        for worker in self._all:
            self._free.put(worker)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._ended = True
        for worker in self._all:
            worker.kill()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._all:
            worker.stop()

    def ask(self, question: Question) -> Any:
        """Return the function's result, as JSON values or bytes; raise Unchecked."""
        for blob in question.blobs:
            if blob is not None and len(blob) > MAX_FILE_BYTES:
                raise Unchecked(f"larger than {MAX_FILE_BYTES // 1_000_000} MB")
        if self._left_s <= 0:
            raise UsedUp("the time for parsing was used up by other files")
        if self._is_over:
            raise UsedUp(_ENDED)
        worker = self._free.get()
        began = time.monotonic()
        try:
            return worker.ask(question, self._timeout_s)
        except Unchecked as error:
            if self._is_over:  # it did not crash, it was killed
                raise UsedUp(_ENDED) from error
            raise
        finally:
            self._left_s -= time.monotonic() - began
            self._free.put(worker)

    @property
    def _is_over(self) -> bool:
        return self._ended or (self._among is not None and self._among._is_over)

    def ask_all(self, questions: Iterable[Question]) -> Iterator[tuple[Question, Any]]:
        """Yield each question with its result, or with the Unchecked it raised, in order."""
        coming = iter(questions)
        asked = deque((each, self._submitted(each)) for each in islice(coming, _AHEAD))
        while asked:
            question, answer = asked.popleft()
            try:
                yield question, answer.result()
            except Unchecked as error:
                yield question, error
            except CancelledError:
                yield question, UsedUp(_ENDED)
            asked.extend((each, self._submitted(each)) for each in islice(coming, 1))

    def _submitted(self, question: Question) -> "Future[Any]":
        try:
            return self._threads.submit(self.ask, question)
        except RuntimeError:  # ended a moment ago
            ended: Future[Any] = Future()
            ended.set_exception(UsedUp(_ENDED))
            return ended


class _Worker:
    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, question: Question, timeout_s: float) -> Any:
        if self._process is None:
            self._process = _start()
            timeout_s = max(timeout_s, START_TIMEOUT_S)
        try:
            raw = _exchange(self._process, _pack(question), time.monotonic() + timeout_s)
        except TimeoutError as error:
            self.stop()
            raise Unchecked(f"parsing took longer than {timeout_s:g} s") from error
        except (OSError, EOFError) as error:
            self.stop()
            raise Unchecked("the parser crashed") from error
        except BaseException:
            self.stop()  # an interrupted exchange would leave its reply to the next question
            raise
        if raw[:1] == _BYTES:
            return raw[1:]
        reply = json.loads(raw[1:])
        if "error" in reply:
            raise Unchecked(f"the parser failed: {reply['error']}")
        return reply["result"]

    def kill(self) -> None:
        """Kill the worker from another thread; whoever waits for its answer clears up."""
        if (process := self._process) is not None and process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Kill the worker, whatever it is doing; the next question starts another."""
        self.kill()
        process, self._process = self._process, None
        if process is None:
            return
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # an unsent rest meets a closed pipe
                    pipe.close()


_ready: "deque[subprocess.Popen[bytes]]" = deque()


def make_ready() -> None:
    """Start a worker that the next question of this process may have, unless there is one.

    It has been asked nothing, and imports meanwhile. It ends with this process, as all do.
    """
    if not _ready:
        _ready.append(_started())


def _start() -> subprocess.Popen[bytes]:
    """Return a process that was asked nothing before."""
    with contextlib.suppress(IndexError):
        process = _ready.pop()
        if process.poll() is None:
            return process
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
    return _started()


def _started() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", _BOOTSTRAP, _PACKAGE_ROOT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
        start_new_session=True,
        bufsize=0,
    )
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - PIPE above
    os.set_blocking(process.stdin.fileno(), False)
    os.set_blocking(process.stdout.fileno(), False)
    return process


def _pack(question: Question) -> bytes:
    head = json.dumps(
        {
            "function": question.function,
            "blobs": [None if blob is None else len(blob) for blob in question.blobs],
            "arguments": question.arguments,
        }
    ).encode()
    return b"".join((_LENGTH.pack(len(head)), head, *(blob or b"" for blob in question.blobs)))


def _exchange(process: subprocess.Popen[bytes], message: bytes, deadline: float) -> bytes:
    """Send a message and return the reply; raise TimeoutError, EOFError or OSError."""
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - PIPE in _start
    into, out = process.stdin.fileno(), process.stdout.fileno()
    left, reply, filled, has_length = memoryview(message), bytearray(_LENGTH.size), 0, False
    with selectors.DefaultSelector() as selector:
        selector.register(into, selectors.EVENT_WRITE)
        selector.register(out, selectors.EVENT_READ)
        while True:
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                if key.fd == into:
                    left = left[os.write(into, left[:_CHUNK]) :]
                    if not left:
                        selector.unregister(into)
                    continue
                count = os.readv(out, [memoryview(reply)[filled:]])
                if not count:
                    raise EOFError
                filled += count
                if filled < len(reply):
                    continue
                if has_length:
                    return bytes(reply)
                size = _LENGTH.unpack(reply)[0]
                if not 0 < size <= MAX_REPLY_BYTES:
                    raise EOFError
                # All at once: grown bit by bit, it would leave holes of its size behind.
                reply, filled, has_length = bytearray(size), 0, True


# The worker's side -------------------------------------------------------------------------------


def serve() -> None:
    """Answer questions from stdin on stdout until stdin ends; runs in the worker process."""
    _limit_self()
    source = sys.stdin.buffer
    # Whatever a library prints must not end up between two replies.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    functions = _functions()
    while (head := _read_head(source)) is not None:
        blobs = [None if size is None else source.read(size) for size in head["blobs"]]
        try:
            result = functions[head["function"]](*blobs, *head["arguments"])
            if isinstance(result, bytes):
                raw = _BYTES + result
            else:
                raw = _VALUE + json.dumps({"result": _plain(result)}).encode()
        except (MemoryError, RecursionError, ValueError) as error:
            raw = _VALUE + json.dumps({"error": type(error).__name__}).encode()
        sink.write(_LENGTH.pack(len(raw)) + raw)
        sink.flush()


def _read_head(source: BinaryIO) -> dict[str, Any] | None:
    length = source.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        return None
    head: dict[str, Any] = json.loads(source.read(_LENGTH.unpack(length)[0]))
    return head


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value


def _limit_self() -> None:
    import resource  # noqa: PLC0415 - Unix only, and only the worker needs it

    wanted = (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, int(TOTAL_S)),  # an orphan in an endless loop ends, too
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
    )
    for which, amount in wanted:
        # macOS refuses some of these; the caller's time limit holds everywhere.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(which, (amount, amount))


def _functions() -> dict[str, Callable[..., Any]]:
    """What a worker can be asked; imported here so that the caller's side loads no grammar."""
    from reviewer.languages import Language  # noqa: PLC0415
    from reviewer.parsing import broken, trees  # noqa: PLC0415
    from reviewer.parsing.extract import rows  # noqa: PLC0415
    from reviewer.parsing.packed import pack  # noqa: PLC0415

    def check(head: bytes, base: bytes | None, language: str, path: str) -> object:
        return broken.check(Language(language), path, head, base)

    def well_formed(data: bytes, language: str, path: str) -> object:
        return broken.well_formed(Language(language), path, data)

    def matches(data: bytes, language: str, query: str) -> object:
        return trees.matches(Language(language), data, query)

    def places(data: bytes, language: str, offsets: Sequence[int]) -> object:
        return trees.places(Language(language), data, list(offsets))

    def extract(data: bytes, language: str) -> object:
        return pack(rows(data, Language(language)))  # here, to spare the caller the values

    return {
        "check": check,
        "extract": extract,
        "matches": matches,
        "places": places,
        "well_formed": well_formed,
    }
