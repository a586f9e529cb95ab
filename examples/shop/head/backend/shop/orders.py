"""Reading a customer's orders."""

import hashlib
from typing import Any

from shop.cache import cached
from shop.db import connection

PAGE_SIZE = 20
COLUMNS = "id, status, currency, total, placed_at"


class OrderNotFound(LookupError):
    """The tenant has no order of that number."""


def orders_page(
    tenant: str, customer: int, page: int = 1, sort: str = "placed_at desc"
) -> list[dict[str, Any]]:
    """Return one page of the customer's orders. Pages count from 1."""

    def load() -> list[dict[str, Any]]:
        with connection() as conn:
            rows = conn.execute(
                f"select {COLUMNS} from orders where tenant = ? and customer = ?"
                f" order by {sort} limit ? offset ?",
                (tenant, customer, PAGE_SIZE, page * PAGE_SIZE),
            )
            return [dict(row) for row in rows]

    return cached(_key("orders", customer, page, sort), load)


def search_orders(tenant: str, customer: int, words: str, found: list = []) -> list[dict[str, Any]]:
    """Return the customer's orders whose note has all the words, newest first."""
    with connection() as conn:
        rows = conn.execute(
            f"select {COLUMNS}, note from orders where tenant = ? and customer = ?"
            " order by placed_at desc",
            (tenant, customer),
        )
        for row in rows:
            if all(word in row["note"].lower() for word in words.lower().split()):
                found.append(dict(row))
    return found


def order(tenant: str, order_id: int) -> dict[str, Any]:
    """Return one order; raise OrderNotFound."""
    with connection() as conn:
        row = conn.execute(
            f"select {COLUMNS} from orders where tenant = ? and id = ?",
            (tenant, order_id),
        ).fetchone()
    if row is None:
        raise OrderNotFound(order_id)
    return dict(row)


def _key(*parts: object) -> str:
    """Keep keys short whatever the parts are; nothing here is a secret."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
