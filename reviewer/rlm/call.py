"""One call of the model as a node makes it: found, or reserved, tried, tried again, settled."""

import asyncio
import hashlib
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from reviewer.errors import GiveUp, RlmError, TellUser
from reviewer.model.base import Reply, Request, Stop, Unanswered, Usage, blocks_of
from reviewer.request import StopReason
from reviewer.rlm.budget import Account, Amount, Limit, OutOfBudget, Reservation
from reviewer.rlm.journal import Key
from reviewer.rlm.recording import Place
from reviewer.rlm.run import Run, Seat, Stopped
from reviewer.rlm.sealed import key_of
from reviewer.rlm.trace import CallEnded, CallStarted, Note, Replayed

ATTEMPTS = 6
"""Tries of one call that cost nothing; with the waits below they span half a minute."""

BILLED_ATTEMPTS = 3
"""Tries that may each have been charged: a fourth broken answer is not bad luck any more."""

LONGEST_WAIT_S = 60.0
"""Waits double up to this; a wait that the service names is kept up to it too."""

OVERHEAD_TOKENS = 1_000
"""What the service adds to a prompt on its own account (its tool instructions, roles)."""

COUNT_MARGIN = 1.1
"""The service calls its own count an estimate, "may differ by a small amount". It is asked only
where the bound by bytes does not fit any more."""

WARM_CHARS = 4_000
"""A shorter prefix is none that the service keeps (1,024 tokens at the least)."""


NOT_REMEMBERED = frozenset({Stop.REFUSED, Stop.UNKNOWN})
"""How a reply of an earlier run ended that is asked for anew: it may be another one today."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A reply, and whether it is one of an earlier run, which this one did not pay for."""

    reply: Reply
    earlier: bool = False


async def call(seat: Seat, request: Request, place: Place) -> Answered:
    """Return the model's reply, within the account and the run's deadline.

    What was answered before is not asked again: by a recording, by the journal, or by an equal
    request that is under way. Raise OutOfBudget when the account does not cover the worst case,
    Stopped when the run ends, GiveUp when this request will never be answered.
    """
    run = seat.run
    run.check()
    if run.recording is not None and (recorded := run.recording.find(place)) is not None:
        _replayed(seat, Replayed(seat.name, "recording", recorded.stop, Usage(), 0.0))
        return Answered(recorded)
    key = key_of(request, place.task, place.version, sample=place.sample, tenant=run.tenant)
    answered = await _shared(seat, request, key) or await _first(seat, request, key)
    if run.recording is not None:
        run.recording.keep(place, answered.reply)
    return answered


async def _shared(seat: Seat, request: Request, key: Key) -> Answered | None:
    """Return the reply to an equal request that is under way, unless that comes to nothing."""
    run = seat.run
    while (flying := run.flying.get(key.digest)) is not None:
        await run.unless_stopped(asyncio.wait((flying,)))
        if (shared := flying.result()) is not None:
            _replayed(seat, _as_event(seat, request, "run", shared))
            return Answered(shared)
    return None


async def _first(seat: Seat, request: Request, key: Key) -> Answered:
    """Find or pay the reply, for all who ask the same meanwhile."""
    flying = seat.run.flying[key.digest] = asyncio.get_running_loop().create_future()
    try:
        answered = await _kept(seat, request, key) or Answered(await _asked(seat, request, key))
        flying.set_result(answered.reply)
    finally:
        del seat.run.flying[key.digest]
        if not flying.done():
            flying.set_result(None)  # whoever waits for it tries for itself
    return answered


async def _kept(seat: Seat, request: Request, key: Key) -> Answered | None:
    """Return the reply that was paid for before, in this run or in one before it."""
    run = seat.run
    kept = await run.journal.find(key)
    if kept is None or (kept.reply.stop in NOT_REMEMBERED and not kept.own):
        return None
    if kept.own and key.digest not in run.counted:
        # This run paid for it before it was cut off: it has what it had then, and no more.
        seat.account.repeat(kept.cost, kept.reply.usage)
    run.counted.add(key.digest)
    _replayed(seat, _as_event(seat, request, "journal", kept.reply))
    return Answered(kept.reply, earlier=not kept.own)


def _as_event(
    seat: Seat, request: Request, source: Literal["journal", "run"], reply: Reply
) -> Replayed:
    usd = seat.run.prices.cost(request.model, reply.usage)
    return Replayed(seat.name, source, reply.stop, reply.usage, usd, request.model)


def _replayed(seat: Seat, event: Replayed) -> None:
    seat.run.replayed += 1
    seat.run.sink(event)


async def _asked(seat: Seat, request: Request, key: Key) -> Reply:
    ahead = await _goes_ahead(seat.run, request)
    try:
        return await _tries(seat, request, key, ahead)
    finally:
        if ahead is not None:
            ahead.set()


async def _tries(seat: Seat, request: Request, key: Key, ahead: asyncio.Event | None) -> Reply:
    """Try until there is a reply. The place in the gate is kept between tries: otherwise all that
    queue behind it would be sent to a busy service in turn, to be refused."""
    run = seat.run
    free = billed = 0
    first = seen = run.answered
    async with run.gate.passage(behind=seat.behind):
        while True:
            run.check()
            try:
                worst = await _worst(run, seat.account, request)
                return await _attempt(seat, request, key, worst, ahead)
            except TellUser as error:
                raise run.halt(StopReason.MODEL, f"{error.problem} {error.hint}".strip()) from error
            except Unanswered as error:
                if error.busy:
                    run.gate.busy()
                    # Others are served: this is a queue, not a failure.
                    free, seen = 0 if run.answered > seen else free, run.answered
                free, billed = free + (not error.billed), billed + error.billed
                if billed >= BILLED_ATTEMPTS:
                    raise GiveUp(f"the model's service broke off its answer: {error}") from error
                if free >= ATTEMPTS and run.answered > first:
                    raise GiveUp(
                        f"the model's service answers others, not this: {error}"
                    ) from error
                if free >= ATTEMPTS:
                    why = f"The model's service cannot be reached: {error}"
                    raise run.halt(StopReason.MODEL, why) from error
                wait_s = min(LONGEST_WAIT_S, max(error.after_s, run.first_wait_s * 2 ** (free - 1)))
                run.sink(Note(f"{error}; trying again in {wait_s:.0f} s"))
                await run.unless_stopped(asyncio.sleep(wait_s))


def worst_case(run: Run, model: str, input_tokens: int, max_tokens: int) -> Amount:
    """Return the most that a call of a model can cost that sends and receives so many tokens."""
    usd = run.prices.worst(model, input_tokens, max_tokens)
    return Amount(usd or 0.0, input_tokens + max_tokens, 1)


def bound_tokens(request: Request) -> int:
    """Return a number of input tokens that cannot be passed: no token is less than a byte."""
    sent = sum(len(piece.encode("utf-8", "surrogatepass")) for piece in blocks_of(request))
    return sent + OVERHEAD_TOKENS


async def _worst(run: Run, account: Account, request: Request) -> Amount:
    """Return the worst case: by the bound where that fits, by the service's own count where not."""
    bound = worst_case(run, request.model, bound_tokens(request), request.max_tokens)
    if account.left.admits(bound):
        return bound
    floor = worst_case(run, request.model, 1, request.max_tokens)
    if not account.left.admits(floor):
        raise OutOfBudget(_too_little(floor, account.left))
    try:
        counted = await run.unless_stopped(run.model.count(request))
    except Stopped:
        raise
    except GiveUp as error:
        raise OutOfBudget(f"the budget is nearly spent, and {error}") from error
    return worst_case(run, request.model, int(counted * COUNT_MARGIN) + 1, request.max_tokens)


async def _attempt(
    seat: Seat, request: Request, key: Key, worst: Amount, ahead: asyncio.Event | None
) -> Reply:
    """Make one attempt: set aside here and on the disk before, settled in both after."""
    run, account, node = seat.run, seat.account, seat.name
    reservation = account.reserve(worst)
    try:
        entry = await run.journal.reserve(key, worst)
    except BaseException as error:
        account.release(reservation)
        if isinstance(error, TellUser):
            raise run.halt(StopReason.STORAGE, f"{error.problem} {error.hint}") from error
        raise
    run.calls += 1
    number = run.calls
    priced = run.prices.cost(request.model, Usage()) is not None
    run.sink(CallStarted(node, number, worst.usd if priced else None, request.model))
    began = time.monotonic()

    def ended(reply: Reply | None, usd: float | None, error: str = "", busy: bool = False) -> None:
        run.sink(
            CallEnded(
                node,
                number,
                reply.stop if reply else None,
                reply.usage if reply else Usage(),
                usd,
                time.monotonic() - began,
                error,
                busy,
            )
        )

    begun = None if ahead is None else ahead.set
    try:
        asked = run.model.complete(request, run.call_timeout_s, begun)
        reply = await run.unless_stopped(asked)
    except RlmError as error:
        # A call that was cut off in flight may be charged whole; one refused outright is not.
        charged = error.billed if isinstance(error, Unanswered) else isinstance(error, Stopped)
        _close(account, reservation, charged=charged)
        await run.journal.settle(entry, key, worst if charged else Amount(), None)
        busy = isinstance(error, Unanswered) and error.busy
        ended(None, worst.usd if charged and priced else 0.0, str(error), busy)
        raise
    except BaseException:
        account.forfeit(reservation)  # and not settled in the journal: the same, after a crash
        raise
    run.gate.ok(reply.left)
    run.answered += 1
    usd = run.prices.cost(request.model, reply.usage)
    if reply.usage.total:
        cost = Amount(usd or 0.0, reply.usage.total, 1)
        account.settle(reservation, cost, reply.usage)
    else:  # some gateways do not say, and nobody works for nothing
        cost = worst
        account.forfeit(reservation)
        usd = worst.usd if priced else None
    run.counted.add(key.digest)
    await run.journal.settle(entry, key, cost, reply)
    ended(reply, usd)
    return reply


def _close(account: Account, reservation: Reservation, *, charged: bool) -> None:
    if charged:
        account.forfeit(reservation)
    else:
        account.release(reservation)


def _too_little(needed: Amount, left: Limit) -> str:
    if left.usd is None or needed.usd <= left.usd:
        return "the cap on tokens or calls does not cover another call"
    return f"a call may cost ${needed.usd:.2f} or more, and ${left.usd:.2f} of the budget is left"


async def _goes_ahead(run: Run, request: Request) -> asyncio.Event | None:
    """Return an event to set where this is the first request of its prefix; the others wait for it.

    They wait until its answer has begun, for then they read the prefix from the cache, or until it
    has come to nothing, and for no longer than an attempt may take.
    """
    if sum(map(len, request.system)) < WARM_CHARS:
        return None
    key = _prefix(request)
    if key not in run.warming:
        run.warming[key] = asyncio.Event()
        return run.warming[key]
    if not run.warming[key].is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(run.call_timeout_s):
                await run.unless_stopped(run.warming[key].wait())
    return None


def _prefix(request: Request) -> str:
    shared = "\x00".join((request.model, *request.system, *(tool.name for tool in request.tools)))
    return hashlib.sha256(shared.encode("utf-8", "surrogatepass")).hexdigest()
