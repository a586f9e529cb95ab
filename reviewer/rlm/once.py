"""A question that one call answers: typed, without code, functions or a second try.

For what is nice to have and must cost little: a node may take a dozen turns, this takes one.
"""

import json
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from reviewer.errors import GiveUp
from reviewer.model.base import Reply, Request, Stop, Text, Turn
from reviewer.rlm.call import bound_tokens, call
from reviewer.rlm.node import CLOSING_TOKENS, Lost, printable_json, submitting
from reviewer.rlm.recording import place_of
from reviewer.rlm.run import Seat
from reviewer.rlm.task import Tier
from reviewer.rlm.trace import NodeEnded, NodeStarted, Result, Submitted, preview, result_text
from reviewer.text import printable

R = TypeVar("R", bound=BaseModel)


@dataclass(frozen=True)
class Question(Generic[R]):
    """What is asked: `instructions` come first, then `content`; `task` and `version` name it.

    Its answer is handed in by the one tool `submit`, as a `result`. `units` say what it is about,
    by which a recorded answer is found; `label` is for people.
    """

    task: str
    version: str
    tier: Tier
    result: type[R]
    units: tuple[str, ...]
    label: str
    instructions: str
    content: str


async def ask_once(question: Question[R], seat: Seat) -> R | None:
    """Return the answer to a question, None where there is none for whatever a run can meet."""
    run, name = seat.run, seat.name
    request = _request(question, seat)
    size = bound_tokens(request) // 3
    run.sink(NodeStarted(name, seat.parent, question.task, question.label, size, 1))
    try:
        answer = await _answered(question, request, seat)
    except GiveUp as error:
        run.sink(NodeEnded(name, "failed", str(error)))
        return None
    run.sink(Result(name, result_text(answer)))
    run.sink(NodeEnded(name, "done"))
    return answer


def _request(question: Question[R], seat: Seat) -> Request:
    run = seat.run
    return Request(
        model=run.model_of(question.tier),
        system=(question.instructions,),
        turns=(Turn("user", (Text(printable(question.content)),)),),
        tools=(submitting(question.result),),
        max_tokens=CLOSING_TOKENS,
        effort=run.thinking and "low",
        require_tool=True,
    )


async def _answered(question: Question[R], request: Request, seat: Seat) -> R:
    """Ask; what came to nothing in an earlier run is asked anew, for today it may not do so."""
    place = place_of(question.task, question.version, "once", question.units, "")
    answered = await call(seat, request, place)
    answer = _handed_in(question, answered.reply, seat)
    if answer is None and answered.earlier:
        answered = await call(seat, request, replace(place, sample=1))
        answer = _handed_in(question, answered.reply, seat)
    if answer is None:
        raise Lost("it handed in nothing of the right form")
    return answer


def _handed_in(question: Question[R], reply: Reply, seat: Seat) -> R | None:
    """Return what a reply hands in; None where that is nothing, half of it, or of another form."""
    use = next((use for use in reply.tool_uses if use.name == "submit"), None)
    if use is None or reply.stop is Stop.TRUNCATED:
        return None
    value = printable_json(use.input)
    problems: tuple[str, ...] = ()
    try:
        return question.result.model_validate(value)
    except ValidationError as error:
        problems = tuple(part["msg"] for part in error.errors())
        return None
    finally:
        written = json.dumps(value, ensure_ascii=False)
        seat.run.sink(Submitted(seat.name, preview(written), problems))
