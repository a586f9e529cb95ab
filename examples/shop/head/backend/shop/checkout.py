"""Placing an order."""

import logging
from dataclasses import dataclass
from decimal import Decimal

from shop import coupons, loyalty, mail, payments
from shop.db import connection
from shop.pricing import line_total, with_vat

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Line:
    """So many of one article."""

    sku: str
    unit_price: Decimal
    quantity: int


def place(
    tenant: str,
    customer: int,
    country: str,
    currency: str,
    lines: list[Line],
    coupon: str | None = None,
) -> int:
    """Store the order, charge for it, and return its number."""
    percent_off = coupons.redeem(tenant, coupon) if coupon else Decimal(0)
    try:
        number = _store_and_charge(tenant, customer, country, currency, lines, percent_off)
    except BaseException:
        if coupon:
            coupons.give_back(tenant, coupon)
        raise
    try:
        mail.confirm(tenant, customer, number)
    except Exception:
        # The order stands and the card is charged: a mail server that is down must not turn
        # that into an error page, on which the customer orders again.
        log.exception("order %s of %s: no confirmation was sent", number, tenant)
    return number


def _store_and_charge(
    tenant: str,
    customer: int,
    country: str,
    currency: str,
    lines: list[Line],
    percent_off: Decimal,
) -> int:
    net = sum(
        (line_total(line.unit_price, line.quantity, percent_off) for line in lines), Decimal(0)
    )
    total = with_vat(net, country)
    with connection() as conn:
        (number,) = conn.execute(
            "insert into orders (tenant, id, customer, status, currency, total, placed_at)"
            " select ?, coalesce(max(id), 0) + 1, ?, 'placed', ?, ?, datetime('now')"
            " from orders where tenant = ? returning id",
            (tenant, customer, currency, str(total), tenant),
        ).fetchone()
        conn.executemany(
            "insert into order_lines (tenant, order_id, sku, unit_price, quantity)"
            " values (?, ?, ?, ?, ?)",
            [(tenant, number, x.sku, str(x.unit_price), x.quantity) for x in lines],
        )
        payments.charge(tenant, number, total, currency)
    loyalty.earn(tenant, customer, f"order {number}", total)
    return int(number)
