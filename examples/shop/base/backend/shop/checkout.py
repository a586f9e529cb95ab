"""Placing an order."""

import logging
from dataclasses import dataclass
from decimal import Decimal

from shop import mail, payments
from shop.db import connection
from shop.pricing import line_total, with_vat

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Line:
    """So many of one article."""

    sku: str
    unit_price: Decimal
    quantity: int


def place(tenant: str, customer: int, country: str, currency: str, lines: list[Line]) -> int:
    """Store the order, charge for it, and return its number."""
    net = sum((line_total(line.unit_price, line.quantity) for line in lines), Decimal(0))
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
    mail.confirm(tenant, customer, number)
    return int(number)
