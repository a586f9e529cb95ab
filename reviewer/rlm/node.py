"""One node: a conversation with two tools that ends with a result of the task's type."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from reviewer.errors import GiveUp
from reviewer.model.base import (
    Block,
    Opaque,
    Reply,
    Request,
    Stop,
    Text,
    Tool,
    ToolResult,
    ToolUse,
    Turn,
)
from reviewer.rlm.ask import Asking
from reviewer.rlm.budget import Account, Amount, OutOfBudget
from reviewer.rlm.call import bound_tokens, call, worst_case
from reviewer.rlm.recording import Place, place_of
from reviewer.rlm.run import Run, Seat
from reviewer.rlm.sandbox import COMPUTE_S, PRINT_CHARS, Session, describe
from reviewer.rlm.task import Function, Task
from reviewer.rlm.trace import PREVIEW_CHARS, CodeRun, FunctionCalled, Submitted, preview
from reviewer.rlm.written import written
from reviewer.text import printable

S = TypeVar("S")
R = TypeVar("R", bound=BaseModel)

MAX_TURNS = 12
"""Calls of one node. Real reviews of one cluster took 1 to 6; a node that needs more is lost."""

PROMPT_TOKENS = 2_500
"""What a node is told beside its scope: the kernel's and the task's words, tools, functions."""

CLOSING_TOKENS = 4_000
"""Room for the reply to CLOSING: a result, and no thinking about it."""

MOST_PROMPT_TOKENS = 40_000
"""A conversation that could outgrow this gets its closing turn: what a model is shown beyond it
makes it find less, not more (see WINDOW_TOKENS), and is paid again in every turn."""

GROWTH_MARGIN = 1.5
"""Of the turn that a conversation has grown most by: the next one may bring so much."""

DIVIDING_TURNS = 5
"""After so many turns of a node that leads, the host gives out what it has not."""

USUAL_CALLS = 2
"""Of a node that reads; one that leads makes one or two to divide and as many to look across."""

MAX_REFUSED_SUBMITS = 3
"""How often a result of the wrong type goes back before the node is given up."""

CLOSING = "This is your last turn. Call submit now, with what you are sure of."
NEARLY = (
    "The next turn may be your last, and in the last one only submit counts. Settle now with "
    "python what is still in doubt, or call submit now if nothing is."
)
GO_ON = "Go on."
NO_TOOL = "Nothing was handed in. Call submit with your result; call python first if you must."
TRUNCATED = "Your reply was cut off for its length, and nothing of it was run. Be much shorter."
MORE = "… the rest is not shown: ask for less at once."
REFUSED = (
    "Not taken yet. Mend or leave out what is named here, then hand in the whole result again:"
)
DIVIDED = "it is the end of dividing: the parts' results come first"
UNKNOWN_TOOL = "There is no such tool. There are python(code) and submit(...)."
CODE_MISSING = 'python takes one argument: {"code": "..."}.'


Kind = Literal["read", "lead", "across"]
"""What a node does with its scope: reads it, divides it, or only asks across its parts."""


class Lost(GiveUp):
    """This node will not come to a result; its scope counts as not covered."""

    earlier = False
    """All that led to it was replied to an earlier run: to ask anew may lead elsewhere."""


class Desk(Protocol):
    """What a node that leads has at hand beside its conversation: see `rlm.lead`."""

    def functions(self) -> Mapping[str, Function]:
        """What its code may call in addition."""
        ...

    async def finish(self) -> str | None:
        """Have every part read; return what to ask across them, None where that is nothing."""
        ...


async def converse(
    task: Task[S, R],
    scope: S,
    question: str,
    seat: Seat,
    *,
    kind: Kind = "read",
    desk: Desk | None = None,
) -> R:
    """Talk with the model about `question` until it submits a result that passes.

    With a `desk` the first submit ends the dividing and brings the question across. Raise Lost,
    OutOfBudget or Stopped when there is no result.
    """
    place = place_of(task.name, task.version, kind, task.units(scope), task.lens(scope))
    try:
        return await _converse(task, scope, question, seat, place=place, desk=desk)
    except Lost as error:
        if not error.earlier or desk is not None:
            raise
        again = replace(place, sample=1)
        return await _converse(task, scope, question, seat, place=again, desk=None)


async def _converse(
    task: Task[S, R],
    scope: S,
    question: str,
    seat: Seat,
    *,
    place: Place,
    desk: Desk | None,
) -> R:
    run = seat.run
    asking = Asking(seat)
    own = {**task.functions(scope), **asking.functions()}
    extra = desk.functions() if desk else {}
    watched = {key: _traced(key, call, run, seat.name) for key, call in {**own, **extra}.items()}
    conversation = _Conversation(
        task, scope, seat, session=run.sandbox.session(watched), asking=asking, desk=desk
    )
    request = _opening(task, scope, question, own, run)
    earlier = True
    grown = 0
    for turn in range(MAX_TURNS):
        before = _tokens(request)
        request, closing = _fitted(run, seat.account, request, turn, grown)
        conversation.closing = closing
        try:
            answered = await call(seat, request, replace(place, turn=turn))
        except OutOfBudget:
            if closing:
                raise
            request, closing = _closing(request), True
            conversation.closing = True
            answered = await call(seat, request, replace(place, turn=turn))
        earlier = earlier and answered.earlier
        try:
            answers = await conversation.answer(answered.reply, turn)
            if conversation.result is not None:
                return conversation.result
            if closing:
                raise Lost("it handed nothing in when its turns or its budget ended")
        except Lost as error:
            error.earlier = earlier
            raise
        if desk is not None and conversation.desk is None:
            seat = replace(seat, behind=True)  # it has divided: now it looks across
        request = _continued(request, answered.reply, answers, run)
        grown = max(grown, _tokens(request) - before)
    raise AssertionError("the last turn is a closing one")


def comfort(run: Run, model: str, size: int, calls: int = USUAL_CALLS) -> Amount:
    """Return what a node with a scope of `size` tokens needs so as not to be cut short.

    The worst case of some usual calls and a closing one; most nodes use a tenth of it.
    """
    begun = size + PROMPT_TOKENS
    turn = run.output_tokens + PRINT_CHARS // 3
    needed = worst_case(run, model, begun + calls * turn, CLOSING_TOKENS)
    for call_ in range(calls):
        needed += worst_case(run, model, begun + call_ * turn, run.output_tokens)
    return needed


class _Conversation(Generic[S, R]):
    """What one node has handed in so far, and how it reacts to a reply."""

    def __init__(
        self,
        task: Task[S, R],
        scope: S,
        seat: Seat,
        *,
        session: Session,
        asking: Asking,
        desk: Desk | None,
    ) -> None:
        self.task = task
        self.scope = scope
        self.run = seat.run
        self.name = seat.name
        self.session = session
        self.asking = asking
        self.desk = desk
        self.result: R | None = None
        self.closing = False
        self.answering = False
        self.refused = 0
        self.sent_back = 0
        self.silent = 0

    async def answer(self, reply: Reply, turn: int) -> tuple[Block, ...]:
        """Run the tools that the reply asks for; set `result` when one hands in a good one."""
        self.answering = False
        answers = await self._answers(reply)
        if self.result is None and self.desk and turn + 1 >= DIVIDING_TURNS and not self.closing:
            desk, self.desk = self.desk, None
            question = await desk.finish()
            answers = (*answers, Text(question or NO_TOOL))
        return answers

    async def _answers(self, reply: Reply) -> tuple[Block, ...]:
        if reply.stop is Stop.REFUSED:
            raise Lost("the model refused to answer")
        if reply.stop is Stop.WINDOW:
            raise Lost("the conversation outgrew the model's window")
        if reply.stop is Stop.TRUNCATED:
            # The input of a tool may be half there: running it would be running something else.
            return self._unheard(reply, TRUNCATED)
        if not reply.tool_uses:
            return (Text(GO_ON),) if reply.stop is Stop.PAUSED else self._unheard(reply, NO_TOOL)
        return _bounded([await self._use(use) for use in reply.tool_uses])

    def _unheard(self, reply: Reply, complaint: str) -> tuple[Block, ...]:
        self.silent += 1
        if self.silent >= MAX_REFUSED_SUBMITS:
            raise Lost("the model kept answering without a result")
        results = [ToolResult(use.id, complaint, is_error=True) for use in reply.tool_uses]
        return tuple(results) or (Text(complaint),)

    async def _use(self, use: ToolUse) -> ToolResult:
        if self.result is not None:
            return ToolResult(use.id, "The result was already taken.", is_error=True)
        if use.name == "submit":
            return await self._submit(use)
        if use.name != "python":
            return ToolResult(use.id, UNKNOWN_TOOL, is_error=True)
        code = use.input.get("code")
        if not isinstance(code, str):
            return ToolResult(use.id, CODE_MISSING, is_error=True)
        try:
            printed = await self.run.unless_stopped(self.session.run(code))
        finally:
            self.asking.close()
        self.run.sink(CodeRun(self.name, preview(code), preview(printed.text), printed.failed))
        return ToolResult(use.id, printed.text, is_error=printed.failed)

    async def _submit(self, use: ToolUse) -> ToolResult:
        """Take the result, or say what is wrong with it.

        The first one of a node that leads says that it has divided its scope: what it holds is not
        looked at, for its maker had not seen all the parts.
        """
        if self.desk and not self.closing:
            desk, self.desk = self.desk, None
            if (question := await desk.finish()) is not None:
                self.answering = True
                self._told(use, [DIVIDED])
                return ToolResult(use.id, question)
        if self.answering:
            return ToolResult(use.id, "Look at the parts' results first.", is_error=True)
        try:
            result = self.task.result.model_validate(printable_json(use.input))
        except ValidationError as error:
            problems = [f"{_where(part['loc'])}: {part['msg']}" for part in error.errors()]
            self.refused += 1
        else:
            problems = []
            # Of a last turn nothing can be mended, and the caller can keep what is good in it.
            if self.sent_back < self.task.goes_back and not self.closing:
                # In a thread: a check may search whole files, and a deadline does not wait for it.
                looked = asyncio.to_thread(self.task.check, self.scope, result)
                problems = await self.run.unless_stopped(looked)
            if problems:
                self.sent_back += 1
            else:
                self.result = result
        self._told(use, problems)
        if not problems:
            return ToolResult(use.id, "Taken.")
        if self.refused >= MAX_REFUSED_SUBMITS:
            raise Lost("its results were malformed every time")
        text = f"{REFUSED}\n" + "\n".join(f"- {problem}" for problem in problems)
        return ToolResult(use.id, text, is_error=True)

    def _told(self, use: ToolUse, problems: list[str]) -> None:
        written = json.dumps(printable_json(use.input), ensure_ascii=False)
        self.run.sink(Submitted(self.name, preview(written), tuple(problems)))


def _opening(
    task: Task[S, R], scope: S, question: str, functions: Mapping[str, Function], run: Run
) -> Request:
    kernel = _prompt().format(
        print_chars=PRINT_CHARS,
        compute_s=f"{COMPUTE_S:g}",
        turns=MAX_TURNS,
        prompt_tokens=MOST_PROMPT_TOKENS,
        functions=describe(functions),
    )
    model = run.model_of(task.tier)
    blocks = [Text(printable(question), cache=True)]
    if lens := task.lens(scope):
        blocks.append(Text(lens))
    return Request(
        model=model,
        system=(f"{kernel}\n{task.instructions(scope)}",),
        turns=(Turn("user", tuple(blocks)),),
        tools=_tools(task.result),
        max_tokens=run.output_tokens,
        effort=run.thinking,
    )


def _fitted(
    run: Run, account: Account, request: Request, turn: int, grown: int
) -> tuple[Request, bool]:
    """Return the request as the account affords it, and whether it is the closing one.

    A call is made as usual only if a closing one is still affordable after it, whatever it costs
    and brings: so a node that runs out of money, of turns or of room ends with a result, not in the
    middle. `grown` is the most that one of its turns has added: by that, and not by what a reply
    could be at its longest, a node is told that the end is near.
    """
    tokens = _tokens(request)
    now = worst_case(run, request.model, tokens, request.max_tokens)
    later = tokens + request.max_tokens + PRINT_CHARS // 3
    after = worst_case(run, request.model, later, CLOSING_TOKENS)
    room = turn == 0 or later <= MOST_PROMPT_TOKENS
    if turn < MAX_TURNS - 1 and room and account.left.admits(now + after):
        usual = int(grown * GROWTH_MARGIN)
        then = tokens + usual + request.max_tokens + PRINT_CHARS // 3
        nearly = turn > 0 and (turn + 2 == MAX_TURNS or then > MOST_PROMPT_TOKENS)
        return _saying(request, NEARLY) if nearly else request, False
    return _closing(request), True


def _tokens(request: Request) -> int:
    """Return about how many tokens a request has: an estimate, no cap hangs on it."""
    return bound_tokens(request) // 3


def _saying(request: Request, words: str) -> Request:
    *earlier, latest = request.turns
    final = Turn(latest.role, (*latest.blocks, Text(words)), latest.cache)
    return replace(request, turns=(*earlier, final))


def _closing(request: Request) -> Request:
    # Not every model can be kept from thinking, but each can be told to think little.
    return replace(
        _saying(request, CLOSING),
        max_tokens=CLOSING_TOKENS,
        effort=request.effort and "low",
        require_tool=True,
    )


def _continued(request: Request, reply: Reply, answers: tuple[Block, ...], run: Run) -> Request:
    """Return the next request: the conversation so far, marked for the cache at its end."""
    said: tuple[Block, ...] = reply.blocks
    if reply.stop is Stop.TRUNCATED:
        said = tuple(block for block in said if isinstance(block, Text) and block.text.strip())
        answers = (Text(TRUNCATED),)
    said = tuple(b for b in said if not isinstance(b, Text) or b.text.strip())
    if not any(isinstance(block, Text | ToolUse) for block in said):
        said = (*(b for b in said if isinstance(b, Opaque)), Text("(no answer)"))
    first, *middle = request.turns
    turns = [first, *(Turn(turn.role, turn.blocks) for turn in middle), Turn("assistant", said)]
    turns.append(Turn("user", answers, cache=True))
    return replace(request, turns=tuple(turns), max_tokens=run.output_tokens, require_tool=False)


def _bounded(answers: list[ToolResult]) -> tuple[ToolResult, ...]:
    """Cut what the tools of one reply answered to what one print-out may have, all together.

    `_fitted` counts on it: a reply may ask for any number of tools.
    """
    room = PRINT_CHARS
    cut = []
    for answer in answers:
        text = answer.text if len(answer.text) <= room + len(MORE) else answer.text[:room] + MORE
        room = max(0, room - len(text))
        cut.append(replace(answer, text=text))
    return tuple(cut)


def _tools(result: type[BaseModel]) -> tuple[Tool, ...]:
    code = {
        "type": "object",
        "properties": {"code": {"type": "string"}},
        "required": ["code"],
        "additionalProperties": False,
    }
    return (
        Tool("python", "Run Python in the sandbox; returns what it printed.", code),
        submitting(result),
    )


def submitting(result: type[BaseModel]) -> Tool:
    """Return the tool that hands in a result of a type."""
    return Tool("submit", "Hand in the result and end.", _schema(result))


@cache
def _schema(result: type[BaseModel]) -> dict[str, Any]:
    return result.model_json_schema()


@cache
def _prompt() -> str:
    return Path(__file__).with_name("node.md").read_text(encoding="utf-8")


def _traced(key: str, function: Function, run: Run, node: str) -> Function:
    async def traced(*args: Any, **kwargs: Any) -> Any:
        named = [("", value) for value in args] + [(f"{k}=", v) for k, v in kwargs.items()]
        shown = [name + written(value, PREVIEW_CHARS).text for name, value in named]
        run.sink(FunctionCalled(node, key, preview(", ".join(shown))))
        return await function(*args, **kwargs)

    traced.__name__ = key
    traced.__wrapped__ = function  # type: ignore[attr-defined]  # for inspect.signature
    traced.__dict__.update(function.__dict__)  # is it one that waits?
    return traced


def printable_json(value: Any) -> Any:
    """Return a JSON value with every string in it valid Unicode."""
    match value:
        case str():
            return printable(value)
        case list():
            return [printable_json(item) for item in value]
        case dict():
            return {printable(str(key)): printable_json(item) for key, item in value.items()}
        case _:
            return value


def _where(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "result"
