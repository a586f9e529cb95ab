"""Points for loyal customers: one for each whole unit of money, good for a year."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from shop.db import connection

GOOD_FOR_DAYS = 365
LEVELS = ((5_000, "gold"), (1_000, "silver"), (0, "bronze"))
"""From how many points on a customer has which level, the highest first."""


def earn(tenant: str, customer: int, cause: str, amount: Decimal) -> int:
    """Give points for an amount of money and return how many; the same cause gives them once."""
    points = _points(amount)
    expires = datetime.now(UTC) + timedelta(days=GOOD_FOR_DAYS)
    return points if _book(tenant, customer, cause, points, expires) else 0


def take_back(tenant: str, customer: int, cause: str, amount: Decimal) -> None:
    """Take back the points that an amount had brought, though not below nothing."""
    taken = min(_points(amount), balance(tenant, customer))
    if taken:
        # What is taken never comes back by getting old, so it expires when no point is left.
        expires = datetime.now(UTC) + timedelta(days=GOOD_FOR_DAYS)
        _book(tenant, customer, cause, -taken, expires)


def balance(tenant: str, customer: int) -> int:
    """Return how many points the customer can use today."""
    with connection() as conn:
        (points,) = conn.execute(
            "select coalesce(sum(points), 0) from loyalty"
            " where tenant = ? and customer = ? and expires_at > ?",
            (tenant, customer, datetime.now(UTC).isoformat()),
        ).fetchone()
    return max(0, int(points))


def level(points: int) -> str:
    """Return the name of the level that so many points give."""
    return next(name for least, name in LEVELS if points >= least)


def account(tenant: str, customer: int) -> dict[str, Any]:
    """Return what the page about points shows: the balance, the level, and what expires next."""
    points = balance(tenant, customer)
    with connection() as conn:
        row = conn.execute(
            "select points, expires_at from loyalty"
            " where tenant = ? and customer = ? and expires_at > ? and points > 0"
            " order by expires_at limit 1",
            (tenant, customer, datetime.now(UTC).isoformat()),
        ).fetchone()
    following = None
    if row is not None:
        following = {"points": min(points, row["points"]), "expires_at": row["expires_at"]}
    return {"points": points, "level": level(points), "next": following}


def _points(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_DOWN))


def _book(tenant: str, customer: int, cause: str, points: int, expires: datetime) -> bool:
    """Write points down; False if this cause has been booked before."""
    with connection() as conn:
        return (
            conn.execute(
                "insert into loyalty (tenant, customer, cause, points, expires_at)"
                " values (?, ?, ?, ?, ?) on conflict do nothing",
                (tenant, customer, cause, points, expires.isoformat()),
            ).rowcount
            == 1
        )
