"""One call of the model as a node makes it: reserved, tried, tried again, settled."""

import asyncio
import hashlib
import time
from contextlib import suppress

from reviewer.errors import GiveUp, RlmError, TellUser
from reviewer.model.base import Reply, Request, Unanswered, Usage, blocks_of
from reviewer.request import StopReason
from reviewer.rlm.budget import Account, Amount, Limit, OutOfBudget, Reservation
from reviewer.rlm.run import Run, Seat, Stopped
from reviewer.rlm.trace import CallEnded, CallStarted, Note

ATTEMPTS = 6
"""Tries of one call that cost nothing; with the waits below they span half a minute."""

BILLED_ATTEMPTS = 3
"""Tries that may each have been charged: a fourth broken answer is not bad luck any more."""

LONGEST_WAIT_S = 60.0
"""Waits double up to this; a wait that the service names is kept up to it too."""

CALL_TIMEOUT_S = 300.0
"""One attempt. 8,000 tokens at a slow 40 a second take 200 s."""

OVERHEAD_TOKENS = 1_000
"""What the service adds to a prompt on its own account (its tool instructions, roles)."""

COUNT_MARGIN = 1.02
"""The service calls its own count an estimate."""


async def call(seat: Seat, request: Request) -> Reply:
    """Return the model's reply, within the account and the run's deadline.

    Raise OutOfBudget when the account does not cover the worst case, Stopped when the run ends,
    GiveUp when this request will never be answered.
    """
    run = seat.run
    key = _prefix(request)
    ahead = await _goes_ahead(run, key)
    try:
        return await _tries(seat, request)
    finally:
        if ahead:
            run.warming[key].set()


async def _tries(seat: Seat, request: Request) -> Reply:
    """Try until there is a reply. The place in the gate is kept between tries: otherwise all that
    queue behind it would be sent to a busy service in turn, to be refused."""
    run = seat.run
    free = billed = 0
    first = seen = run.answered
    async with run.gate:
        while True:
            run.check()
            try:
                worst = await _worst(run, seat.account, request)
                return await _attempt(seat, request, seat.account.reserve(worst))
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


def worst_case(run: Run, input_tokens: int, max_tokens: int) -> Amount:
    """Return the most that a call can cost that sends and receives so many tokens."""
    usd = run.prices.worst(run.name, input_tokens, max_tokens)
    return Amount(usd or 0.0, input_tokens + max_tokens, 1)


def bound_tokens(request: Request) -> int:
    """Return a number of input tokens that cannot be passed: no token is less than a byte."""
    sent = sum(len(piece.encode("utf-8", "surrogatepass")) for piece in blocks_of(request))
    return sent + OVERHEAD_TOKENS


async def _worst(run: Run, account: Account, request: Request) -> Amount:
    """Return the worst case: by the bound where that fits, by the service's own count where not."""
    bound = worst_case(run, bound_tokens(request), request.max_tokens)
    if account.left.admits(bound):
        return bound
    floor = worst_case(run, 1, request.max_tokens)
    if not account.left.admits(floor):
        raise OutOfBudget(_too_little(floor, account.left))
    try:
        counted = await run.unless_stopped(run.model.count(request))
    except Stopped:
        raise
    except GiveUp as error:
        raise OutOfBudget(f"the budget is nearly spent, and {error}") from error
    return worst_case(run, int(counted * COUNT_MARGIN) + 1, request.max_tokens)


async def _attempt(seat: Seat, request: Request, reservation: Reservation) -> Reply:
    run, account, node = seat.run, seat.account, seat.name
    run.calls += 1
    number = run.calls
    priced = run.prices.cost(run.name, Usage()) is not None
    run.sink(CallStarted(node, number, reservation.amount.usd if priced else None))
    began = time.monotonic()

    def ended(reply: Reply | None, usd: float | None, error: str = "") -> None:
        run.sink(
            CallEnded(
                node,
                number,
                reply.stop if reply else None,
                reply.usage if reply else Usage(),
                usd,
                time.monotonic() - began,
                error,
            )
        )

    try:
        reply = await run.unless_stopped(run.model.complete(request, CALL_TIMEOUT_S))
    except RlmError as error:
        # A call that was cut off in flight may be charged whole; one refused outright is not.
        charged = error.billed if isinstance(error, Unanswered) else isinstance(error, Stopped)
        _close(account, reservation, charged=charged)
        ended(None, reservation.amount.usd if charged and priced else 0.0, str(error))
        raise
    except BaseException:
        account.forfeit(reservation)
        raise
    run.gate.ok()
    run.answered += 1
    usd = run.prices.cost(run.name, reply.usage)
    if reply.usage.total:
        account.settle(reservation, Amount(usd or 0.0, reply.usage.total, 1), reply.usage)
    else:  # some gateways do not say, and nobody works for nothing
        account.forfeit(reservation)
        usd = reservation.amount.usd if priced else None
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


async def _goes_ahead(run: Run, key: str) -> bool:
    """Is this the first request of its prefix? The others wait: they then read it from the cache.

    They wait for the first one's end, whichever it is, and for no longer than an attempt may take.
    """
    if key not in run.warming:
        run.warming[key] = asyncio.Event()
        return True
    if run.warming[key].is_set():
        return False
    with suppress(TimeoutError):
        async with asyncio.timeout(CALL_TIMEOUT_S):
            await run.unless_stopped(run.warming[key].wait())
    return False


def _prefix(request: Request) -> str:
    shared = "\x00".join((request.model, *request.system, *(tool.name for tool in request.tools)))
    return hashlib.sha256(shared.encode("utf-8", "surrogatepass")).hexdigest()
