"""Reading a customer's orders."""

from typing import Any

from shop.cache import cached
from shop.db import connection


class OrderNotFound(LookupError):
    """The tenant has no order of that number."""


def recent_orders(tenant: str, customer: int) -> list[dict[str, Any]]:
    """Return the customer's last twenty orders, newest first."""

    def load() -> list[dict[str, Any]]:
        with connection() as conn:
            rows = conn.execute(
                "select id, status, currency, total, placed_at from orders"
                " where tenant = ? and customer = ? order by placed_at desc limit 20",
                (tenant, customer),
            )
            return [dict(row) for row in rows]

    return cached(f"{tenant}:orders:{customer}", load)


def order(tenant: str, order_id: int) -> dict[str, Any]:
    """Return one order; raise OrderNotFound."""
    with connection() as conn:
        row = conn.execute(
            "select id, status, currency, total, placed_at from orders"
            " where tenant = ? and id = ?",
            (tenant, order_id),
        ).fetchone()
    if row is None:
        raise OrderNotFound(order_id)
    return dict(row)
