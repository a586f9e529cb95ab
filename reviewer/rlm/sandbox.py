"""The sandbox: the model's Python, in a worker process that can reach nothing but our functions.

pydantic-monty interprets a subset of Python in subprocesses without files, network or
environment. A `Session` keeps its variables as a dump between turns, so that a node which waits
for the model holds no worker, and a turn that breaks the worker costs that turn alone.
"""

import asyncio
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, Self

from pydantic_monty import (
    AsyncFunctionSnapshot,
    AsyncFutureSnapshot,
    AsyncMonty,
    AsyncMontySession,
    AsyncNameLookupSnapshot,
    AsyncSnapshot,
    MontyComplete,
    MontyCrashedError,
    MontyError,
    MontyRuntimeError,
    MontySyntaxError,
    OSPolicy,
    ResourceLimits,
)

from reviewer.errors import RlmError
from reviewer.rlm.task import Function
from reviewer.rlm.written import written
from reviewer.text import printable

WORKERS = 4
"""Processes at the most. A turn holds one only while its code runs: a few milliseconds."""

WORKER_WAIT_S = 60.0
"""How long a turn waits for a worker before it says so, instead of waiting for ever."""

LIMITS: ResourceLimits = {
    "max_feed_duration_secs": 5.0,  # of computing; time spent waiting for the host is not counted
    "max_memory": 128 * 1024 * 1024,
    "max_recursion_depth": 200,
    "max_suspensions": 10_000,  # two for each host call of a turn; 1,000 is the default
}

TURN_S = 120.0
"""How long a turn may take with all that it asks of the host: five thousand greps take hours."""

STATE_BYTES = 16_000_000
"""What a node's variables may take between turns: hundreds of nodes may keep theirs at once."""

ARGUMENT_CHARS = 20_000
"""Of one argument of a host call, written out. A tuple may take a kilobyte and years to hash."""

SETTLE_S = 0.05
"""The pool's threads let go of the interpreter a moment after it is closed; a process that ends
before they have is aborted (SIGABRT, one run in ten on a busy machine)."""

# The same code must print the same on every run, or a resumed run asks different questions.
POLICY: OSPolicy = {
    "datetime": datetime(2000, 1, 1, tzinfo=UTC),
    "sleep": "zero",
    "random_start": {"seed": 0},
}

PRINT_CHARS = 12_000
"""What a turn may print to the model; about 4,000 tokens."""

ERROR_CHARS = 1_500
"""How much of an error's end the model sees: a traceback of deep recursion is all alike."""

CUT = "\n… and more, not shown: keep it in a variable, or filter"

HINTS = (
    ("No pending async tasks", "Await every host call in the same turn that makes it."),
    ("Class inheritance", "There is no class inheritance here; use functions and dicts."),
    ("yield", "There are no generators here; return a list."),
    ("No module named", "Only json, re, math, datetime, random, asyncio and typing exist here."),
    ("is not awaitable", "Host functions are awaited; everything else is not."),
    ("coroutine", "A host call is a coroutine until you await it: `text = await read(path)`."),
    ("not yet support", "This dialect lacks that statement; write it with a function or a loop."),
)
"""What the model should do about an error, found by a piece of the error's text."""


_Waiting = AsyncFunctionSnapshot | AsyncNameLookupSnapshot | AsyncFutureSnapshot


@dataclass(frozen=True, slots=True)
class Printed:
    """What a turn gave back: what was printed, bounded, and whether it ended with an error."""

    text: str
    failed: bool


class Sandbox:
    """A pool of workers. Used as an async context manager around a run."""

    def __init__(self, workers: int = WORKERS) -> None:
        self._pool = AsyncMonty(
            min_processes=1, max_processes=workers, checkout_timeout=WORKER_WAIT_S
        )

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._pool.__aexit__(kind, error, trace)
        await asyncio.sleep(SETTLE_S)

    def session(self, functions: Mapping[str, Function]) -> "Session":
        """Return a new session in which code may call `functions`."""
        return Session(self._pool, functions)


class Session:
    """The variables of one node, between turns as bytes."""

    def __init__(self, pool: AsyncMonty, functions: Mapping[str, Function]) -> None:
        self._pool = pool
        self._functions = {name: _guarded(call) for name, call in functions.items()}
        self._state: bytes | None = None

    async def run(self, code: str) -> Printed:
        """Run one turn of code; the error of bad code is text for the model, never an exception.

        The variables of a turn that failed stay as it left them; where its worker is lost (a
        limit, a crash, a call that nobody awaited), they are those of the turn before.
        """
        output = _Output(PRINT_CHARS)
        try:
            async with self._pool.checkout(limits=LIMITS, os_policy=POLICY) as worker:
                if self._state is not None:
                    await worker.load_session(self._state)
                value: Any = None
                problem: MontyRuntimeError | MontySyntaxError | None = None
                try:
                    value = await self._fed(worker, printable(code), output)
                except (MontyRuntimeError, MontySyntaxError) as error:
                    problem = error
                lost = problem is not None and _stopped(problem)
                if not lost:
                    state = await worker.dump()
                    if len(state) > STATE_BYTES:
                        large = f"MemoryError: the variables take more than {STATE_BYTES} bytes."
                        return Printed(_said(output, large, lost=True), failed=True)
                    self._state = state
        except TimeoutError:
            return Printed("The sandbox is busy: no worker came free. Try again.", failed=True)
        except (MontyError, RuntimeError) as error:
            return Printed(_complaint(output, error, lost=True), failed=True)
        if problem is not None:
            return Printed(_complaint(output, problem, lost), failed=True)
        if value is not None:
            shown = written(value, PRINT_CHARS)
            output.write("stdout", shown.text + ("\n" if shown.whole else CUT))
        return Printed(output.text() or "(nothing printed)", failed=False)

    async def _fed(self, worker: AsyncMontySession, code: str, output: "_Output") -> Any:
        """Run code to its end; the host calls that it leaves behind are cancelled.

        Calls run at the same time, and their results are handed over one by one in the order in
        which the calls were made: what concurrent code prints must not depend on who was faster.
        """
        calls: dict[int, asyncio.Future[Any]] = {}
        try:
            async with asyncio.timeout(TURN_S):
                step = await worker.feed_start(
                    code, external_lookup=self._functions, print_callback=output.write
                )
                while not isinstance(step, MontyComplete):
                    step = await self._answered(step, calls)
                return step.output
        except TimeoutError:
            raise RuntimeError(f"The turn took more than {TURN_S:g} s: ask for less.") from None
        finally:
            for call in calls.values():
                call.cancel()
            await asyncio.gather(*calls.values(), return_exceptions=True)

    async def _answered(
        self, step: _Waiting, calls: dict[int, "asyncio.Future[Any]"]
    ) -> AsyncSnapshot:
        """Take the code one step on: start the call that it makes, or hand it the next result."""
        match step:
            case AsyncFunctionSnapshot(is_os_function=False, function_name=name) if (
                name in self._functions
            ):
                call = self._functions[name](*step.args, **step.kwargs)
                calls[step.call_id] = asyncio.ensure_future(call)
                return await step.resume({"future": ...})
            case AsyncFutureSnapshot(pending_call_ids=ids) if ids and min(ids) in calls:
                call = calls[min(ids)]
                await asyncio.wait((call,))
                if call.cancelled():  # by the host function itself
                    return await step.resume({min(ids): {"exception": RuntimeError("cancelled")}})
                if (error := call.exception()) is not None:
                    return await step.resume({min(ids): {"exception": error}})
                return await step.resume({min(ids): {"return_value": call.result()}})
        return await step.resume_auto()


class _Output:
    """Collects print-out up to a number of characters, and counts the rest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[str] = []
        self._kept = 0
        self._dropped = 0

    def write(self, _stream: Literal["stdout", "stderr"], text: str) -> None:
        piece = text[: self._limit - self._kept]
        self._pieces.append(piece)
        self._kept += len(piece)
        self._dropped += len(text) - len(piece)

    def text(self) -> str:
        more = ""
        if self._dropped:
            more = (
                f"\n… {self._dropped} more characters not shown: keep them in a variable, or filter"
            )
        return printable("".join(self._pieces)) + more


def _stopped(error: MontyRuntimeError | MontySyntaxError) -> bool:
    """Did a limit end the turn? Then the worker vouches for nothing that it still holds."""
    return isinstance(error.exception(), TimeoutError | MemoryError)


def _complaint(output: _Output, error: Exception, lost: bool) -> str:
    said = (
        error.display() if isinstance(error, MontyRuntimeError | MontySyntaxError) else str(error)
    )
    if isinstance(error, MontyCrashedError):
        said = "The code used more memory or time than a turn may."
    said = said if len(said) <= ERROR_CHARS else "…" + said[-ERROR_CHARS:]
    return _said(output, said, lost)


def _said(output: _Output, said: str, lost: bool) -> str:
    hints = [hint for piece, hint in HINTS if piece.lower() in said.lower()]
    parts = [output.text(), printable(said), *hints[:1]]
    if lost:
        parts.append("Variables are as they were before this turn.")
    return "\n".join(part for part in parts if part)


def _guarded(call: Function) -> Function:
    """Let a host function's expected errors reach the model as ValueError, with their words."""

    async def guarded(*args: Any, **kwargs: Any) -> Any:
        if not all(written(one, ARGUMENT_CHARS).whole for one in (*args, *kwargs.values())):
            raise ValueError(f"{call.__name__}: an argument is longer than {ARGUMENT_CHARS}")
        try:
            inspect.signature(call).bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{call.__name__}: {error}") from None
        try:
            return await call(*args, **kwargs)
        except RlmError as error:
            raise ValueError(printable(str(error))) from None

    guarded.__name__ = call.__name__
    return guarded


_LITERAL = re.compile(r"Literal\[(.*?)\]")


def describe(functions: Mapping[str, Function]) -> str:
    """Return signatures and docstrings for the prompt, one function after the other."""
    lines = []
    for name, call in functions.items():
        signature = _LITERAL.sub(
            lambda found: found[1].replace(",", " |"),
            str(inspect.signature(call)).replace("typing.", ""),
        )
        purpose = " ".join((call.__doc__ or "").split())
        lines.append(f"- `{name}{signature}`: {purpose}")
    return "\n".join(lines)
