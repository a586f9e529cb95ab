"""Amounts in whole cents."""

from fractions import Fraction

HUNDRED = 100


def percent(cents: int, rate: Fraction) -> int:
    """Return a part of an amount, rounded half up to a cent."""
    exact = cents * rate / HUNDRED
    return int(exact + Fraction(1, 2)) if exact >= 0 else -int(-exact + Fraction(1, 2))


def split(cents: int, parts: int) -> list[int]:
    """Divide an amount so that the parts differ by a cent at the most and add up to it."""
    share, rest = divmod(cents, parts)
    return [share + 1] * rest + [share] * (parts - rest)


def shown(cents: int, currency: str = "EUR") -> str:
    """Return an amount for people."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), HUNDRED)
    return f"{sign}{whole:,}.{rest:02d} {currency}"
