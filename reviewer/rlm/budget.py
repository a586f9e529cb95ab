"""The budget: one ledger for the tree of a run, exact under any fan-out.

The worst case of a call is reserved before the call and settled after it, so what was spent plus
what may still be charged never passes a cap. Children get fixed shares of what is left, before
they start; what they leave returns when they are closed. All of it runs on one thread, between
awaits: there is no moment at which two nodes see the same money.

"Strict budget" for recursive language models: ABS-RLM (AIAI 2026); the measured failure of the
others is in checking after the call, or not across the tree.
"""

from dataclasses import dataclass

from reviewer.errors import GiveUp
from reviewer.model.base import Usage


class OutOfBudget(GiveUp):
    """The account has not enough left for this call's worst case."""


@dataclass(frozen=True, slots=True)
class Amount:
    """So much of everything that is capped. `usd` is 0 for a model without a price."""

    usd: float = 0.0
    tokens: int = 0
    calls: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.usd + other.usd, self.tokens + other.tokens, self.calls + other.calls)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.usd - other.usd, self.tokens - other.tokens, self.calls - other.calls)


ROUNDING_USD = 1e-9
"""Sums of floats differ in the last digits; a billionth of a dollar is not a passed cap."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The most of everything. None is no limit."""

    usd: float | None = None
    tokens: int | None = None
    calls: int | None = None

    def admits(self, amount: Amount) -> bool:
        return (
            (self.usd is None or amount.usd <= self.usd + ROUNDING_USD)
            and (self.tokens is None or amount.tokens <= self.tokens)
            and (self.calls is None or amount.calls <= self.calls)
        )

    def exceeds(self, other: "Limit") -> bool:
        """Is this as much as another limit with the same caps, and more of something?"""
        return self.admits(other.as_amount) and not other.admits(self.as_amount)

    def left(self, used: Amount) -> "Limit":
        """Return what remains of this limit, never below zero."""
        return Limit(
            None if self.usd is None else max(0.0, self.usd - used.usd),
            None if self.tokens is None else max(0, self.tokens - used.tokens),
            None if self.calls is None else max(0, self.calls - used.calls),
        )

    def share(self, fraction: float) -> "Limit":
        """Return a fraction (0..1) of this limit, whole numbers rounded down."""
        return Limit(
            None if self.usd is None else self.usd * fraction,
            None if self.tokens is None else int(self.tokens * fraction),
            None if self.calls is None else int(self.calls * fraction),
        )

    def plus(self, other: "Limit") -> "Limit":
        """Return the sum of two limits with the same caps."""
        return Limit(
            None if self.usd is None else self.usd + (other.usd or 0.0),
            None if self.tokens is None else self.tokens + (other.tokens or 0),
            None if self.calls is None else self.calls + (other.calls or 0),
        )

    def just(self, amount: Amount) -> "Limit":
        """Return a limit with the same caps, each as high as the amount."""
        return Limit(
            None if self.usd is None else amount.usd,
            None if self.tokens is None else amount.tokens,
            None if self.calls is None else amount.calls,
        )

    @property
    def as_amount(self) -> Amount:
        """What a parent sets aside for a child with this limit: an absent cap costs nothing."""
        return Amount(self.usd or 0.0, self.tokens or 0, self.calls or 0)


@dataclass(slots=True)
class Reservation:
    """The worst case of one call, held until it is settled once."""

    amount: Amount
    open: bool = True


class Account:
    """What one node and everything below it may use."""

    def __init__(self, limit: Limit, parent: "Account | None" = None) -> None:
        self.limit = limit
        self.spent = Amount()
        self.usage = Usage()
        self.forfeits = 0
        """Calls whose whole worst case counts as spent, because nobody knows what they cost."""
        self._reserved = Amount()
        self._parent = parent
        self._closed = False

    @property
    def left(self) -> Limit:
        """What can still be reserved or shared out."""
        return self.limit.left(self.spent + self._reserved)

    def reserve(self, worst: Amount) -> Reservation:
        """Set aside the worst case of a call, or raise OutOfBudget and change nothing."""
        if not self.left.admits(worst):
            raise OutOfBudget("the budget does not cover the worst case of another call")
        self._reserved += worst
        return Reservation(worst)

    def settle(self, reservation: Reservation, actual: Amount, usage: Usage) -> None:
        """Replace a reservation by what the call really used."""
        if not reservation.open:
            raise ValueError("a reservation is settled once")
        reservation.open = False
        self._reserved -= reservation.amount
        self._spend(actual, usage)

    def forfeit(self, reservation: Reservation) -> None:
        """Count a whole reservation as spent: nobody knows what the service charged."""
        self.settle(reservation, reservation.amount, Usage())
        self.forfeits += 1

    def release(self, reservation: Reservation) -> None:
        """Give a reservation back whole: the service answered that it did nothing."""
        self.settle(reservation, Amount(), Usage())

    def child(self, limit: Limit) -> "Account":
        """Open an account with a share of what is left here; `close` it at the join."""
        if not self.left.admits(limit.as_amount):
            raise OutOfBudget("there is not enough left for that share")
        self._reserved += limit.as_amount
        return Account(limit, self)

    def close(self) -> None:
        """Return to the parent what was not used. Closing twice does nothing."""
        if self._closed or self._parent is None:
            return
        self._closed = True
        # What is still reserved here (a call that was cut off) counts as spent: see `forfeit`.
        used = self.spent + self._reserved
        self._parent._reserved -= self.limit.as_amount
        self._parent._spend(used, self.usage)
        self._parent.forfeits += self.forfeits

    def repeat(self, amount: Amount, usage: Usage) -> None:
        """Count what this run paid before it was cut off, as it counted then: see the journal."""
        self._spend(amount, usage)

    def _spend(self, amount: Amount, usage: Usage) -> None:
        self.spent += amount
        self.usage += usage
