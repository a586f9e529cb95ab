"""Parsing hostile files in processes of their own: killed when slow, replaced when dead.

`Parsers` is the side of the caller, `reviewer.parsing.answers` the side of the worker. A message is
a length in four bytes, so much JSON, and the blobs whose lengths the JSON gives. A worker is forked
from a process that knows nothing of ours (`reviewer.nursery`), and limits itself before it reads a
byte.
"""

import contextlib
import dataclasses
import json
import os
import selectors
import struct
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from itertools import islice
from queue import LifoQueue
from types import TracebackType
from typing import Any, Self

from reviewer.errors import GiveUp
from reviewer.nursery import Nursery

WORKERS = 2  # parsing is processor-bound, and the rest of the run needs a core too
TIMEOUT_S = 15.0  # for one file; an honest megabyte takes a second, and several under load
TOTAL_S = 240.0  # of all workers together; 5,000 honest files take about 20
START_TIMEOUT_S = 30.0  # the first question also waits for Python and a grammar to load
MAX_FILE_BYTES = 1_000_000  # longer files are generated or data, and hostile ones cost seconds
MEMORY_BYTES = 1 << 30  # address space; a tree takes about 50 bytes for each byte of its file
MAX_REPLY_BYTES = 4 << 20
_AHEAD = 8  # questions under way or answered before an answer is taken: each is a file's worth
_ENDED = "the run had ended"
_CHUNK = 1 << 16
LENGTH = struct.Struct(">I")
VALUE, BYTES = b"v", b"b"
"""What a reply begins with: JSON or bytes follow."""

_ANSWERS = "reviewer.parsing.answers"


class Unchecked(GiveUp):
    """A file that could not be looked at: too large, too slow, or the parser died over it."""


class _Died(Unchecked):
    """The parser ended over it, or was killed meanwhile."""


class UsedUp(Unchecked):
    """Nothing is wrong with the file: earlier ones had taken the time there was for all."""


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """One call of a function in `_functions`; the blobs go in front of the JSON arguments."""

    function: str
    blobs: tuple[bytes | None, ...]
    arguments: tuple[Any, ...] = ()
    about: str = ""  # the path, for the words of Unchecked


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
        # The last first: one question after another needs one worker, and it has its grammar.
        self._free: LifoQueue[_Worker] = LifoQueue() if among is None else among._free
        # One for each run: what its files do to workers is no affair of another run's.
        self._nursery: Nursery = _nursery() if among is None else among._nursery
        self._all = [_Worker(self._nursery) for _ in range(WORKERS)] if among is None else []
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
        if self._among is None:
            self._nursery.close()

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
            if self._is_over:  # while it waited
                raise UsedUp(_ENDED)
            return self._answer(worker, question)
        except Unchecked as error:
            if self._is_over:  # it did not crash, it was killed
                raise UsedUp(_ENDED) from error
            raise
        finally:
            self._left_s -= time.monotonic() - began
            self._free.put(worker)

    def _answer(self, worker: "_Worker", question: Question) -> Any:
        """Ask a worker, and once more where it died: the file may not be why, and what is kept of
        files that nobody can parse would keep that of a sound one.
        """
        try:
            return worker.ask(question, self._timeout_s)
        except _Died:
            if self._is_over:  # it was killed, and whoever ends the run waits
                raise
        return worker.ask(question, self._timeout_s)

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
    def __init__(self, nursery: Nursery) -> None:
        self._nursery = nursery
        self._process: _Process | None = None

    def ask(self, question: Question, timeout_s: float) -> Any:
        try:
            if self._process is None:
                timeout_s = max(timeout_s, START_TIMEOUT_S)
                self._process = _start(self._nursery)
            raw = _exchange(self._process, _pack(question), time.monotonic() + timeout_s)
        except TimeoutError as error:
            self.stop()
            raise Unchecked(f"parsing took longer than {timeout_s:g} s") from error
        except (OSError, EOFError) as error:
            self.stop()
            raise _Died("the parser crashed") from error
        except BaseException:
            self.stop()  # an interrupted exchange would leave its reply to the next question
            raise
        if raw[:1] == BYTES:
            return raw[1:]
        reply = json.loads(raw[1:])
        if "error" in reply:
            raise Unchecked(f"the parser failed: {reply['error']}")
        return reply["result"]

    def kill(self) -> None:
        """Kill the worker from another thread; whoever waits for its answer clears up."""
        if (process := self._process) is not None:
            self._nursery.kill(process.pid)

    def stop(self) -> None:
        """Kill the worker, whatever it is doing; the next question starts another."""
        process, self._process = self._process, None
        if process is not None:
            self._nursery.end(process.pid)
            os.close(process.into)
            os.close(process.out)


_ready: "deque[Nursery]" = deque()


def make_ready() -> None:
    """Have the process that workers are forked from import meanwhile, for the next Parsers.

    Where it cannot be started, who asks is told.
    """
    if not _ready:
        nursery = Nursery(_ANSWERS)
        with contextlib.suppress(OSError):
            nursery.begin()
        _ready.append(nursery)


def _nursery() -> Nursery:
    with contextlib.suppress(IndexError):
        return _ready.pop()
    return Nursery(_ANSWERS)


@dataclasses.dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    into: int
    out: int


def _start(nursery: Nursery) -> _Process:
    stdin, into = os.pipe()
    out, stdout = os.pipe()
    try:
        os.set_blocking(into, False)
        os.set_blocking(out, False)
        return _Process(nursery.start([stdin, stdout]), into, out)
    except BaseException:
        os.close(into)
        os.close(out)
        raise
    finally:
        os.close(stdin)
        os.close(stdout)


def _pack(question: Question) -> bytes:
    head = json.dumps(
        {
            "function": question.function,
            "blobs": [None if blob is None else len(blob) for blob in question.blobs],
            "arguments": question.arguments,
        }
    ).encode()
    return b"".join((LENGTH.pack(len(head)), head, *(blob or b"" for blob in question.blobs)))


def _exchange(process: _Process, message: bytes, deadline: float) -> bytes:
    """Send a message and return the reply; raise TimeoutError, EOFError or OSError."""
    into, out = process.into, process.out
    left, reply, filled, has_length = memoryview(message), bytearray(LENGTH.size), 0, False
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
                size = LENGTH.unpack(reply)[0]
                if not 0 < size <= MAX_REPLY_BYTES:
                    raise EOFError
                # All at once: grown bit by bit, it would leave holes of its size behind.
                reply, filled, has_length = bytearray(size), 0, True
