"""The sandbox: the model's Python, in a worker process that can reach nothing but our functions.

pydantic-monty interprets a subset of Python in subprocesses without files, network or
environment. A `Session` keeps its variables as a dump between turns, so that a node which waits
for the model holds no worker, and a turn that breaks the worker costs that turn alone. A turn that
waits for a long call (`waits`) is kept as a dump too: a call may run nodes that need workers.

Only strings that the sandbox made under its own limits come out of it (PRELUDE). Any other value
would be rebuilt by the binding out of the code's choice: a dict with the key `x`, after sixty times
`x = (x, x)`, is a kilobyte in there and a hash that never ends out here, with the lock held.
"""

import asyncio
import inspect
import io
import json
import re
import tokenize
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from types import CodeType, TracebackType
from typing import Any, Literal, Self, TypeVar

from pydantic_monty import (
    FunctionSnapshot,
    FutureSnapshot,
    Monty,
    MontyComplete,
    MontyCrashedError,
    MontyError,
    MontyRuntimeError,
    MontySession,
    MontySyntaxError,
    NameLookupSnapshot,
    OSPolicy,
    ResourceLimits,
)

from reviewer.errors import RlmError
from reviewer.rlm.task import Function, waits
from reviewer.text import printable

WORKERS = 4
"""Processes at the most. A turn holds one only while its code runs: a few milliseconds."""

WORKER_WAIT_S = 60.0
"""How long a turn waits for a worker before it says so, instead of waiting for ever."""

COMPUTE_S = 2.0
"""Of a turn's own computing; time spent waiting for the host is not counted."""

GRACE_S = 0.1
"""What a worker has beyond that to stop by itself: a `repr` or a sort looks at no clock."""

LIMITS: ResourceLimits = {
    "max_feed_duration_secs": COMPUTE_S,
    "max_memory": 128 * 1024 * 1024,
    "max_recursion_depth": 200,
    "max_suspensions": 10_000,  # two for each host call; 1,000 is the default
}

MAX_CALLS = 5_000
"""Host calls of a turn. The pool counts suspensions too, but begins anew after a long call."""

TURN_S = 120.0
"""How long a turn may take with all that it asks of the host: five thousand greps take hours.

What it waits for long calls is not counted: those have bounds of their own.
"""

STATE_BYTES = 16_000_000
"""What a node's variables may take between turns: hundreds of nodes may keep theirs at once."""

ARGUMENT_CHARS = 64_000
"""Of the arguments of a host call, as JSON."""

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

UNFIT = "the host's answer cannot be taken into the sandbox"

BUSY = "The sandbox is busy: no worker came free. Try again."

HINTS = (
    (
        "No pending async tasks|scheduler stalled",
        "Await every host call in the same turn that makes it.",
    ),
    ("suspension limit", f"A turn may make {MAX_CALLS} host calls: ask for less."),
    (
        "class inheritance|name 'super'",
        "There is no class inheritance here; use functions and dicts.",
    ),
    ("support yield", "There are no generators here; return a list."),
    ("'del' statement", "There is no del here; use d.pop(key), or set the name to None."),
    ("method decorators", "There are no method decorators here; use plain functions and dicts."),
    ("async for|async comprehensions", "Write `for x in await call(...)`."),
    ("async context", "There is no `async with`: await the calls, in a loop or with gather."),
    (
        r"gather\(\) does not",
        "Await the calls one by one, in try/except; they run in parallel anyway.",
    ),
    ("awaitable is required", "gather takes calls, not a list of them: `asyncio.gather(*calls)`."),
    (
        "module 'asyncio' has no",
        "A call starts when it is made; a loop or gather awaits many: no task is needed.",
    ),
    ("callable replacement", "re.sub takes text here; join the pieces of re.finditer instead."),
    (
        "module 're' has no",
        "There is no re.VERBOSE: write the pattern without blanks and comments.",
    ),
    (
        "type object '",
        "A type's methods are no values here; write a lambda: `lambda s: s.lower()`.",
    ),
    ("'list' object is not an iter", "`(x for x in y)` is a list here; write `next(iter(...))`."),
    ("zero or one string argument", 'An exception takes one string: `raise ValueError("...")`.'),
    ("must derive from", 'Raise an exception that Python has: `raise ValueError("...")`.'),
    ("exception groups", "Write `except`, not `except*`."),
    ("type aliases", "There is no `type` statement; write `X = list[int]`."),
    ("Wildcard imports", "Import the module, or names of it."),
    (
        "cannot import name|: module '",
        "That module has less here than in Python; write it with functions and dicts.",
    ),
    (
        "No module named",
        "These exist: json re math datetime random asyncio typing collections "
        "itertools functools dataclasses decimal bisect copy hashlib unicodedata csv.",
    ),
    ("JSONEncoder", "json.dumps has no default= here; make lists of sets first: sorted(a_set)."),
    (
        "JSON serializable|keys must be str",
        "Host calls and json take None, numbers, strings, lists and dicts: sorted(a_set).",
    ),
    (
        "^PermissionError|not supported in this environment",
        "There are no files here; `await read(path)` reads the repository.",
    ),
    ("can't be awaited", "Only host functions are awaited; everything else is not."),
    (
        "'coroutine'|\"coroutine\"",
        "A host call is a coroutine until you await it: `text = await read(path)`.",
    ),
    ("integer string conversion", "Print such a number's remainder, or math.log10 of it, instead."),
    (
        "name '(dir|vars|globals|callable|issubclass)'",
        "To look at a value there are type, isinstance, hasattr and getattr.",
    ),
    ("has no attribute '__", "Objects show no such names here; `type(x).__name__` works."),
    ("no __dict__ for", "Only objects of your own classes take attributes; use a dict."),
    (
        "(of type|instances of) '(?!None)[A-Z]",
        "A class's own __len__ and __lt__ are not asked here; write a function, or key=.",
    ),
    ("Unexpected indentation", "Begin in the first column."),
    ("Expected a statement|unexpected token", "Send plain Python: no `!`, no `%`, no fences."),
    ("not yet support", "This dialect lacks that; write it with a function or a loop."),
)
"""What the model should do about an error: a pattern of the error's own words, and the advice."""

_UNAWAITED, _A_COROUTINE = "<coroutine external_future", "'coroutine'"
"""How a call looks that was printed and not awaited, which is no error; and what it is called."""


PRELUDE = """\
import json as _json
def _sent(name, args, kwargs):
    return _host(f"{_json.dumps([name, args, kwargs], ensure_ascii=False)}")
def _shown(value):
    if value is not None:
        print(f"{value!r}")
"""
"""What every session begins with. An f-string is a string whatever the code makes of `_json`."""

WRAPPER = "def {name}(*args, **kwargs):\n    return _sent({name!r}, args, kwargs)\n"
"""A host function as code in the sandbox sees it."""

PRELUDE_FILE = "<python-input-0>"
"""Where monty says that the first code of a session stands."""

THE_CALL = (PRELUDE.index("_host("), PRELUDE.index("\ndef _shown"))
"""The one place from which the host is called: from elsewhere arguments are not even looked at."""

SHOWN = "_shown(("

SHOWING_CHARS = 100_000
"""Of code that is searched for its last expression: longer than any reply, a tenth of a second."""

_Step = FunctionSnapshot | NameLookupSnapshot | FutureSnapshot | MontyComplete

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Printed:
    """What a turn gave back: what was printed, bounded, and whether it ended with an error."""

    text: str
    failed: bool


class Sandbox:
    """A pool of workers. Used as an async context manager around a run.

    A worker is held only while code runs, or waits for what is there in a moment.
    """

    def __init__(
        self, workers: int = WORKERS, limits: ResourceLimits = LIMITS, turn_s: float = TURN_S
    ) -> None:
        self.limits = limits
        self.turn_s = turn_s
        self.pool = Monty(
            min_processes=1,
            max_processes=workers,
            checkout_timeout=WORKER_WAIT_S,
            feed_duration_limit_grace=GRACE_S,
        )
        self._free = asyncio.Semaphore(workers)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="sandbox")

    async def __aenter__(self) -> Self:
        await self.do(self.pool.__enter__)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.do(partial(self.pool.__exit__, kind, error, trace))
        self._threads.shutdown()

    def session(self, functions: Mapping[str, Function]) -> "Session":
        """Return a new session in which code may call `functions`."""
        return Session(self, functions)

    @asynccontextmanager
    async def worker(self, patience: float | None) -> AsyncIterator[None]:
        """Hold the right to one worker; RuntimeError where none came free within `patience` s."""
        try:
            async with asyncio.timeout(patience):
                await self._free.acquire()
        except TimeoutError:
            raise RuntimeError(BUSY) from None
        try:
            yield
        finally:
            self._free.release()

    async def do(self, work: Callable[[], T], stop: Callable[[], None] = lambda: None) -> T:
        """Do blocking work in a thread. Who is cancelled calls `stop`, and waits for its end.

        One thread does all of a stretch: five awaits of the pool's own took 1.5 ms a turn.
        """
        working = asyncio.get_running_loop().run_in_executor(self._threads, work)
        cancelled: asyncio.CancelledError | None = None
        while not working.done():
            try:
                await asyncio.wait((working,))
            except asyncio.CancelledError as error:
                cancelled = error
                stop()
        if cancelled is not None:
            working.exception()  # looked at, so that nobody is told that nobody did
            raise cancelled
        return working.result()


class Session:
    """The variables of one node, between turns as bytes."""

    def __init__(self, sandbox: Sandbox, functions: Mapping[str, Function]) -> None:
        self._sandbox = sandbox
        self._functions = {name: _guarded(call) for name, call in functions.items()}
        self._state: bytes | None = None

    async def run(self, code: str) -> Printed:
        """Run one turn of code; the error of bad code is text for the model, never an exception.

        The variables of a turn that failed stay as it left them; where its worker is lost (a
        limit, a crash, a call that nobody awaited), they are those of the turn before.
        """
        output = _Output(PRINT_CHARS)
        turn = _Turn(self._sandbox, self._functions, output)
        try:
            end = await turn.run(printable(code), self._state)
        except (MontyError, RuntimeError) as error:
            return Printed(_complaint(output, error, lost=True), failed=True)
        if end.state is not None:
            self._state = end.state
        if end.problem is not None:
            return Printed(_complaint(output, end.problem, lost=end.state is None), failed=True)
        text = output.text() or "(nothing printed)"
        if _UNAWAITED in text:
            text += f"\n({_hint(_A_COROUTINE)})"
        return Printed(text, failed=False)


@dataclass(frozen=True, slots=True)
class _End:
    """How a turn ended; no state where what the code left behind is lost."""

    problem: MontyRuntimeError | MontySyntaxError | None
    state: bytes | None


@dataclass(frozen=True, slots=True)
class _Paused:
    """Code that has nothing left to do but to await a long call, as bytes."""

    state: bytes
    call: int


class _Turn:
    """One turn of code and the host calls that it makes.

    Calls run at the same time, and their results are handed over one by one in the order in which
    the calls were made, those of long ones last: what concurrent code prints must not depend on
    who was faster. Where only long ones are left the worker is given back until the next is there.

    Methods under "in a thread" run in one of the sandbox's threads, the rest in the event loop.
    """

    def __init__(
        self, sandbox: Sandbox, functions: Mapping[str, Function], output: "_Output"
    ) -> None:
        self._sandbox = sandbox
        self._functions = functions
        self._output = output
        self._loop = asyncio.get_running_loop()
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._made: dict[int, bool] = {}  # is it a long one? Known before the loop has begun it
        self._worker: MontySession
        self._held = False
        self._stopped = False

    async def run(self, code: str, state: bytes | None) -> _End:
        """Run code to its end; the host calls that it leaves behind are cancelled."""
        begin: Callable[[], _Step] = partial(self._begun, code, state)
        patience: float | None = WORKER_WAIT_S
        left = self._sandbox.turn_s
        try:
            async with asyncio.timeout(None) as clock:
                while True:
                    async with self._sandbox.worker(patience):
                        clock.reschedule(self._loop.time() + left)
                        got = await self._stretch(begin)
                    if isinstance(got, _End):
                        return got
                    left = (clock.when() or 0.0) - self._loop.time()
                    clock.reschedule(None)
                    await asyncio.wait((self._calls[got.call],))
                    begin, patience = partial(self._resumed, got), None
        except TimeoutError:
            raise RuntimeError(
                f"The turn took more than {self._sandbox.turn_s:g} s: ask for less."
            ) from None
        finally:
            for call in self._calls.values():
                call.cancel()
            await asyncio.gather(*self._calls.values(), return_exceptions=True)

    async def _stretch(self, begin: Callable[[], "_Step"]) -> "_Paused | _End":
        """Run code on one worker, as far as it comes without a long call."""
        try:
            step = await self._do(begin)
            while isinstance(step, FutureSnapshot):
                await asyncio.wait((self._calls[self._next(step)],))
                step = await self._do(partial(self._handed, step))
            return step
        finally:
            if self._held:
                await self._sandbox.do(self._give_back)

    async def _do(self, work: Callable[[], "_Step"]) -> "FutureSnapshot | _Paused | _End":
        return await self._sandbox.do(partial(self._advanced, work), self._stop)

    def _stop(self) -> None:
        self._stopped = True

    def _call(self, call_id: int, request: "_Request | str") -> None:
        call = _refuse(request) if isinstance(request, str) else request.call()
        self._calls[call_id] = asyncio.ensure_future(call)

    # In a thread.

    def _advanced(self, work: Callable[[], "_Step"]) -> "FutureSnapshot | _Paused | _End":
        """Take code on until it needs the result of a call, waits for a long one, or ends."""
        problem: MontyRuntimeError | MontySyntaxError | None = None
        try:
            step = work()
            while not isinstance(step, MontyComplete):
                if self._stopped:
                    raise RuntimeError("The turn was stopped.")
                if isinstance(step, FutureSnapshot):
                    call_id = self._next(step)
                    if call_id not in self._calls or not self._calls[call_id].done():
                        return self._paused(call_id) if self._made[call_id] else step
                    step = self._handed(step)
                else:
                    step = self._answered(step)
        except (MontyRuntimeError, MontySyntaxError) as error:
            problem = error
        lost = problem is not None and _limited(problem)
        state = None if lost else self._dumped()
        self._give_back()
        return _End(problem, state)

    def _begun(self, code: str, state: bytes | None) -> "_Step":
        worker = self._checked_out()
        if state is None:
            wrappers = [WRAPPER.format(name=name) for name in self._functions]
            worker.feed_run(PRELUDE + "".join(wrappers))
        else:
            worker.load_session(state)
        try:
            return worker.feed_start(_showing(code), print_callback=self._output.write)
        except MontySyntaxError:  # raised before anything has run
            return worker.feed_start(code, print_callback=self._output.write)

    def _resumed(self, paused: _Paused) -> "_Step":
        return self._checked_out().load_snapshot(paused.state, print_callback=self._output.write)

    def _checked_out(self) -> MontySession:
        session = self._sandbox.pool.checkout(limits=self._sandbox.limits, os_policy=POLICY)
        try:
            self._worker = session.__enter__()
        except TimeoutError:
            raise RuntimeError(BUSY) from None
        self._held = True
        return self._worker

    def _give_back(self) -> None:
        self._held = False
        self._worker.__exit__(None, None, None)

    def _dumped(self) -> bytes:
        state = self._worker.dump()
        if len(state) > STATE_BYTES:
            raise RuntimeError(f"MemoryError: the variables take more than {STATE_BYTES} bytes.")
        return state

    def _paused(self, call_id: int) -> _Paused:
        state = self._dumped()
        self._give_back()
        return _Paused(state, call_id)

    def _answered(self, step: FunctionSnapshot | NameLookupSnapshot) -> "_Step":
        """Start the call that the code makes, or give it what it looks up."""
        match step:
            case NameLookupSnapshot(variable_name="_host"):
                return step.resume(value=_host)
            case NameLookupSnapshot():
                return step.resume()
            case FunctionSnapshot(is_os_function=True):
                return step.resume_not_handled()
            case FunctionSnapshot(position=at) if (
                at.filename == PRELUDE_FILE and (at.start, at.end) == THE_CALL
            ):
                if len(self._made) >= MAX_CALLS:
                    raise RuntimeError(f"A turn may make {MAX_CALLS} host calls: ask for less.")
                request = _request(step.args, self._functions)
                long = isinstance(request, _Request) and getattr(request.function, "waits", False)
                self._made[step.call_id] = long
                self._loop.call_soon_threadsafe(self._call, step.call_id, request)
                return step.resume({"future": ...})
        name = step.function_name
        return step.resume({"exception": NameError(f"name '{name}' is not defined")})

    def _next(self, step: FutureSnapshot) -> int:
        """Return whose result is handed over next."""
        waiting = [one for one in step.pending_call_ids if one in self._made]
        if not waiting:
            raise RuntimeError("No pending async tasks")
        return min(waiting, key=lambda one: (self._made[one], one))

    def _handed(self, step: FutureSnapshot) -> "_Step":
        """Hand over the next result, which is there."""
        call_id = self._next(step)
        call = self._calls[call_id]
        if call.cancelled():  # by the host function itself
            return step.resume({call_id: {"exception": RuntimeError("cancelled")}})
        if (error := call.exception()) is not None:
            return step.resume({call_id: {"exception": error}})
        try:
            return step.resume({call_id: {"return_value": call.result()}})
        except MontyRuntimeError as met:
            try:  # a value that monty cannot take leaves the code where it was
                return step.resume({call_id: {"exception": ValueError(UNFIT)}})
            except RuntimeError:  # "snapshot has already been resumed": the error is the code's
                raise met from None


def _host() -> None:
    """Stand for what the prelude calls; `_Turn` answers its calls."""


@dataclass(frozen=True, slots=True)
class _Request:
    """A call of a host function, as the sandbox asked for it."""

    function: Function
    args: list[Any]
    kwargs: dict[str, Any]

    def call(self) -> Awaitable[Any]:
        return self.function(*self.args, **self.kwargs)


def _request(sent: tuple[Any, ...], functions: Mapping[str, Function]) -> _Request | str:
    """Read what the sandbox sent, which may be anything; a string says why it is refused."""
    (text,) = sent
    if len(text) > ARGUMENT_CHARS:
        return f"the arguments of a host call are longer than {ARGUMENT_CHARS} characters"
    try:
        match json.loads(text):
            case [str(name), list(args), dict(kwargs)] if name in functions:
                return _Request(functions[name], args, kwargs)
    except (ValueError, RecursionError):
        pass
    return "this is not how a host function is called"


async def _refuse(why: str) -> None:
    raise ValueError(why)


_STATEMENTS = re.compile(
    "import|from|def|class|if|for|while|try|with|return|del|pass|raise|assert|global|nonlocal"
    "|break|continue|async|@"
)

_ASSIGNS = re.compile(r"(?![=!<>]=).*=")

_SILENT = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER})


def _showing(code: str) -> str:
    """Return code that prints the value of its last expression too, where it ends with one.

    A guess, by tokens: monty's own parser refuses the wrong ones. Python's would be a guess too
    (of another version), and one that hostile code may keep busy.
    """
    if len(code) > SHOWING_CHARS:
        return code
    last: list[tokenize.TokenInfo] = []
    level = depth = 0
    fresh = plain = True
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type in (tokenize.INDENT, tokenize.DEDENT):
                level += 1 if token.type == tokenize.INDENT else -1
            elif token.type == tokenize.NEWLINE or (token.string == ";" and not depth):
                fresh = True
            elif token.type not in _SILENT:
                if fresh:
                    last, fresh = [], False
                    plain = not level and not _STATEMENTS.fullmatch(token.string)
                if token.type == tokenize.OP:
                    depth += (token.string in "([{") - (token.string in ")]}")
                    plain = plain and (depth > 0 or not _ASSIGNS.fullmatch(token.string))
                last.append(token)
    except (tokenize.TokenError, SyntaxError):
        return code
    if not last or not plain:
        return code
    lines = code.split("\n")
    start, end = (
        sum(len(line) + 1 for line in lines[: row - 1]) + column
        for row, column in (last[0].start, last[-1].end)
    )
    return f"{code[:start]}{SHOWN}{code[start:end]}\n)){code[end:]}"


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


def _limited(error: MontyRuntimeError | MontySyntaxError) -> bool:
    """Did a limit end the turn? Then the worker vouches for nothing that it still holds."""
    return isinstance(error.exception(), TimeoutError | MemoryError)


def _complaint(output: _Output, error: Exception, lost: bool) -> str:
    said = message = str(error)
    if isinstance(error, MontyRuntimeError | MontySyntaxError):
        said, message = _trimmed(error.display()), error.display("type-msg")
    elif isinstance(error, MontyCrashedError):
        said = "The code used more memory or time than a turn may."
    said = said if len(said) <= ERROR_CHARS else "…" + said[-ERROR_CHARS:]
    parts = [output.text(), printable(said), _hint(message)]
    if lost:
        parts.append("Variables are as they were before this turn.")
    return "\n".join(part for part in parts if part)


def _hint(message: str) -> str:
    """Return the first advice there is; the code that is quoted beside an error says nothing."""
    for pattern, hint in HINTS:
        if re.search(pattern, message[:ERROR_CHARS]):
            return hint
    return ""


def _trimmed(trace: str) -> str:
    """Return a traceback without what is ours: the prelude, and what prints the last value."""
    trace = _PRELUDE_FRAME.sub("", trace).replace("\n    ))\n", "\n")
    return _SHOWN_LINE.sub(
        lambda line: line[1] + line[2] + (line[1] + line[3] if line[3] else ""), trace
    )


_PRELUDE_FRAME = re.compile(rf'^  File "{PRELUDE_FILE}".*\n(?:    .*\n)*', re.MULTILINE)

_SHOWN_LINE = re.compile(
    rf"^(    ){re.escape(SHOWN)}(.*\n)(?:    {' ' * len(SHOWN)}( *~+\n))?", re.MULTILINE
)


def _guarded(call: Function) -> Function:
    """Let a host function's expected errors reach the model as ValueError, with their words."""

    async def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            inspect.signature(call).bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{call.__name__}: {error}") from None
        try:
            return await call(*args, **kwargs)
        except RlmError as error:
            raise ValueError(printable(str(error))) from None

    guarded.__name__ = call.__name__
    return waits(guarded) if getattr(call, "waits", False) else guarded


_LITERAL = re.compile(r"Literal\[(.*?)\]")


def describe(functions: Mapping[str, Function]) -> str:
    """Return signatures and docstrings for the prompt, one function after the other."""
    return "\n".join(_described(name, call) for name, call in functions.items())


_described_lines: dict[tuple[str, CodeType, Any], str] = {}
"""Each node has closures of its own over the same code, and a signature takes 20 us to be read."""


def _described(name: str, call: Function) -> str:
    key = (name, call.__code__, call.__defaults__)
    if key not in _described_lines:
        signature = _LITERAL.sub(
            lambda found: found[1].replace(",", " |"),
            str(inspect.signature(call)).replace("typing.", ""),
        )
        purpose = " ".join((call.__doc__ or "").split())
        _described_lines[key] = f"- `{name}{signature}`: {purpose}"
    return _described_lines[key]
