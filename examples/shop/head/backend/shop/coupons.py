"""Coupons: a percentage off, so many times, until a day."""

from datetime import UTC, datetime
from decimal import Decimal

from shop.db import connection


class CouponRefused(Exception):
    """The coupon cannot be used; the message is shown to the customer."""


def redeem(tenant: str, code: str) -> Decimal:
    """Use the coupon once and return its percentage; raise CouponRefused."""
    now = datetime.now(UTC)
    with connection() as conn:
        row = conn.execute(
            "select percent, uses_left, expires_at from coupons where tenant = ? and code = ?",
            (tenant, code.strip().upper()),
        ).fetchone()
    if row is None:
        raise CouponRefused("There is no such coupon.")
    if datetime.fromisoformat(row["expires_at"]) > now:
        raise CouponRefused("This coupon has expired.")
    if row["uses_left"] < 1:
        raise CouponRefused("This coupon has been used up.")
    breakpoint()
    with connection() as conn:
        conn.execute(
            "update coupons set uses_left = ? where tenant = ? and code = ?",
            (row["uses_left"] - 1, tenant, code.strip().upper()),
        )
    return Decimal(row["percent"])


def give_back(tenant: str, code: str) -> None:
    """Undo one use, because the order it was used for did not come about."""
    with connection() as conn:
        changed = conn.execute(
            "update coupons set uses_left = uses_left + 1 where tenant = ? and code = ?",
            (tenant, code.strip().upper()),
        ).rowcount
    if changed != 1:
        log.warning("coupon %s of %s is gone, its use cannot be given back", code, tenant)
