"""`solve`: route a scope by its size, divide what does not fit, join by program.

    solve(scope) =  node(scope)                               if it fits a small window
                    merge([solve(part) for part in parts])    if it does not, in parallel
                    ... and `across` the parts, where the task has a question for the parent

Host code makes the parts. Where the task wants it and the money reaches, a node leads: it is shown
the parts in brief, groups them and gives them out (`rlm.lead`); else each is given to a node.

Coverage is the kernel's, not the task's: every unit of a scope is covered by a node that was given
it whole and came to a result, or it is missed with the reason. `solve` asserts that.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from pydantic import BaseModel

from reviewer.errors import GiveUp
from reviewer.request import StopReason
from reviewer.rlm.budget import Account, Limit
from reviewer.rlm.lead import MOST_PARTS, Lead
from reviewer.rlm.node import Lost, comfort, converse
from reviewer.rlm.run import Run, Seat
from reviewer.rlm.shares import wave
from reviewer.rlm.solved import Solved, joined, reason_of
from reviewer.rlm.task import Task
from reviewer.rlm.trace import NodeEnded, NodeSplit, NodeStarted, Outcome, Result, result_text

S = TypeVar("S")
R = TypeVar("R", bound=BaseModel)

OVERSIZE = 3
"""A scope that cannot be divided is read whole up to this many windows; beyond it, it is missed."""

BRIEF_TOKENS = 6_000
"""What a node that leads is told, with the words about leading."""

LEADING_CALLS = 4
"""Usual calls of a node that leads: to divide once or twice, and to look across as often."""


async def solve(task: Task[S, R], scope: S, run: Run, name: str = "1") -> Solved[R]:
    """Answer the task for the scope, whatever its size; never raises for what a run can meet.

    The root's account is the run's. `name` is the root's name in the trace.
    """
    return await _solve(task, scope, Seat(run, run.account, name))


async def _solve(task: Task[S, R], scope: S, seat: Seat) -> Solved[R]:
    run, name = seat.run, seat.name
    units = task.units(scope)
    size = task.size(scope)
    run.sink(NodeStarted(name, seat.parent, task.name, task.label(scope), size, len(units)))
    parts = _parts(task, scope, seat) if size > run.window else [scope]
    if len(parts) > 1:
        run.sink(NodeSplit(name, len(parts)))
        solved = await _divide(task, scope, parts, seat)
    else:
        solved = await _leaf(task, scope, seat)
    if solved.covered | solved.missed.keys() != units or solved.covered & solved.missed.keys():
        raise AssertionError(f"node {name} does not account for every unit once")
    why = "; ".join(sorted(set(solved.missed.values())))
    outcome: Outcome = "done" if not why else "partial" if solved.covered else "failed"
    run.sink(Result(name, result_text(solved.result)))
    run.sink(NodeEnded(name, outcome, why))
    return solved


def _parts(task: Task[S, R], scope: S, seat: Seat) -> list[S]:
    """Split once; on the last level that the cap allows, as often as it takes to fit."""
    if seat.depth >= seat.run.caps.depth:
        return [scope]
    parts = task.split(scope)
    if len(parts) == 1 or seat.depth + 1 < seat.run.caps.depth:
        return parts
    flat: list[S] = []
    todo = parts[::-1]  # a stack, not recursion: a hostile path has two thousand levels
    while todo:
        part = todo.pop()
        pieces = [part] if task.size(part) <= seat.run.window else task.split(part)
        if len(pieces) == 1:
            flat.append(part)
        else:
            todo += reversed(pieces)
    return flat


async def _leaf(task: Task[S, R], scope: S, seat: Seat) -> Solved[R]:
    units = task.units(scope)
    if not units:
        return Solved(task.merge(scope, [], None), units)
    try:
        seat.run.check()
        if task.size(scope) > OVERSIZE * seat.run.window:
            raise Lost("it cannot be divided further, and is too large to be read whole")
        async with seat.run.reading:
            seat.run.check()
            # In a thread: a task may look things up, and a deadline does not wait for that.
            told = await seat.run.unless_stopped(asyncio.to_thread(task.content, scope))
            result = await converse(task, scope, told, seat)
    except GiveUp as error:
        reason = reason_of(error)
        nothing = task.partial(scope, reason)
        missed = dict.fromkeys(units, str(error))
        return Solved(nothing, frozenset(), missed, frozenset({reason}))
    return Solved(task.merge(scope, [], result), units)


async def _divide(task: Task[S, R], scope: S, parts: Sequence[S], seat: Seat) -> Solved[R]:
    """Solve the parts in parallel, ask across them, and join them in scope order."""
    shares = _shares_to_lead(task, scope, parts, seat)
    if shares is None:
        solved = await _children(task, parts, seat)
        own, stops = await _across(task, scope, [child.result for child in solved], seat)
    else:
        solved, own, stops = await _led(task, scope, parts, shares, seat)
    return joined(task.merge(scope, [child.result for child in solved], own), solved, stops)


# Led by a node -----------------------------------------------------------------------------------


def _shares_to_lead(
    task: Task[S, R], scope: S, parts: Sequence[S], seat: Seat
) -> list[Limit] | None:
    """Return the shares of a leading node and of each part; None where nobody leads.

    Nobody does where most parts are divided again themselves: there is nothing to group that one
    node could read, and what lies between them is asked across all the same. Nor where the money
    does not reach to read every part in comfort after that.
    """
    run = seat.run
    if len(parts) > MOST_PARTS or run.stopped or not task.leads(scope):
        return None
    model = run.model_of(task.tier)
    sizes = [task.size(part) for part in parts]
    if 2 * sum(size > run.window for size in sizes) > len(parts):
        return None
    needs = [comfort(run, model, min(size, run.window)) for size in sizes]
    leading = comfort(run, model, BRIEF_TOKENS, LEADING_CALLS)
    weights = [BRIEF_TOKENS, *(size + 1 for size in sizes)]
    shares = wave(seat.account.left, [leading, *needs], weights)
    return shares if len(shares) == len(weights) else None


async def _led(
    task: Task[S, R], scope: S, parts: Sequence[S], shares: Sequence[Limit], seat: Seat
) -> tuple[list[Solved[R]], R | None, frozenset[StopReason]]:
    """Have a node divide the scope and look across it; what it does not do, the host does."""
    own = seat.account.child(shares[0])

    async def below(part: S, at: Seat) -> Solved[R]:
        return await _solve(task, part, at)

    result, stops = None, frozenset[StopReason]()
    async with asyncio.TaskGroup() as group:
        lead = Lead(
            task, scope, parts, shares=shares[1:], seat=seat, own=own, solve=below, group=group
        )
        try:
            at = Seat(seat.run, own, seat.name, seat.parent, seat.depth)
            result = await converse(task, scope, lead.opening(), at, kind="lead", desk=lead)
        except GiveUp as error:
            stops = frozenset({reason_of(error)})
        await lead.finish()
        solved = await lead.solved()
    lead.close()
    own.close()
    return solved, result, stops


# Divided by the host -----------------------------------------------------------------------------


async def _children(task: Task[S, R], parts: Sequence[S], seat: Seat) -> list[Solved[R]]:
    """Solve the parts in parallel, in as few waves as the account allows; see `rlm.shares`.

    A child that ran out of its share before it covered anything is tried once more, alone, if the
    others left more than that share.
    """
    account, run = seat.account, seat.run
    model = run.model_of(task.tier)
    sizes = [task.size(part) for part in parts]
    needs = [comfort(run, model, min(size, run.window)) for size in sizes]

    async def child(index: int, own: Account) -> Solved[R]:
        try:
            return await _solve(task, parts[index], seat.below(index, own))
        finally:
            own.close()

    solved: list[Solved[R]] = []
    given: list[Limit] = []
    while len(solved) < len(parts):
        first = len(solved)
        shares = wave(account.left, needs[first:], [size + 1 for size in sizes[first:]])
        accounts = [account.child(share) for share in shares]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(child(first + i, own)) for i, own in enumerate(accounts)]
        solved += [done.result() for done in tasks]
        given += shares
    for index, result in enumerate(solved):
        starved = StopReason.BUDGET in result.stops and not result.covered
        if starved and run.stopped is None and account.left.exceeds(given[index]):
            solved[index] = await child(index, account.child(account.left))
    return solved


async def _across(
    task: Task[S, R], scope: S, results: Sequence[R], seat: Seat
) -> tuple[R | None, frozenset[StopReason]]:
    """Ask what only the parent can see; without an answer the children's results still stand."""
    question = task.across(scope, results)
    if question is None:
        return None, frozenset()
    try:
        seat.run.check()
        own = replace(seat, behind=True)
        return await converse(task, scope, question, own, kind="across"), frozenset()
    except GiveUp as error:
        return None, frozenset({reason_of(error)})
