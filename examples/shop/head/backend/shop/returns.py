"""Returns: a customer sends articles of an order back and is paid for them."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from shop import loyalty, payments
from shop.db import connection
from shop.pricing import CENT, minor_units

log = logging.getLogger(__name__)

DAYS_TO_RETURN = 30
"""From the day on which the order was placed."""

REQUESTED, ACCEPTED, REFUNDED, REFUSED = "requested", "accepted", "refunded", "refused"


class ReturnRefused(Exception):
    """These articles cannot be sent back; the message is shown to the customer."""


@dataclass(frozen=True)
class Article:
    """So many of one article of the order that come back."""

    sku: str
    quantity: int


def request_return(
    tenant: str, customer: int, order_id: int, articles: list[Article], reason: str
) -> dict[str, Any]:
    """Take note of a return and say what will be paid back; raise ReturnRefused."""
    if not articles:
        raise ReturnRefused("Nothing was chosen to be sent back.")
    with connection() as conn:
        # What is left is read and taken in one step: nobody sends the same lamp back twice.
        conn.execute("begin immediate")
        order = conn.execute(
            "select currency, total, placed_at from orders"
            " where tenant = ? and id = ? and customer = ?",
            (tenant, order_id, customer),
        ).fetchone()
        if order is None:
            raise ReturnRefused("There is no such order.")
        placed = datetime.fromisoformat(order["placed_at"]).replace(tzinfo=UTC)
        if datetime.now(UTC) - placed > timedelta(days=DAYS_TO_RETURN):
            raise ReturnRefused(f"An order can be sent back for {DAYS_TO_RETURN} days.")
        bought = _bought(conn, tenant, order_id)
        coming = Decimal(0)
        for article in articles:
            unit_price, left = bought.get(article.sku, (Decimal(0), 0))
            if not 0 < article.quantity <= left:
                raise ReturnRefused(f"Of {article.sku} there are {left} to send back.")
            coming += unit_price * article.quantity
            bought[article.sku] = (unit_price, left - article.quantity)
        # Coupon and tax belong to each article by its price. Down: thirds never exceed the whole.
        everything = _price_of_all(conn, tenant, order_id) or Decimal(1)
        refund = (Decimal(order["total"]) * coming / everything).quantize(CENT, ROUND_DOWN)
        (number,) = conn.execute(
            "insert into returns (tenant, id, order_id, customer, state, refund, reason, asked_at)"
            " select ?, coalesce(max(id), 0) + 1, ?, ?, ?, ?, ?, datetime('now')"
            " from returns where tenant = ? returning id",
            (tenant, order_id, customer, REQUESTED, str(refund), reason[:500], tenant),
        ).fetchone()
        conn.executemany(
            "insert into return_lines (tenant, return_id, sku, quantity) values (?, ?, ?, ?)"
            " on conflict do update set quantity = quantity + excluded.quantity",
            [(tenant, number, article.sku, article.quantity) for article in articles],
        )
    return {
        "number": int(number),
        "state": REQUESTED,
        "refund": minor_units(refund, order["currency"]),
        "currency": order["currency"],
    }


def _bought(conn: Any, tenant: str, order_id: int) -> dict[str, tuple[Decimal, int]]:
    """Return of each article what one cost and how many can still come back."""
    rows = conn.execute(
        "select sku, unit_price, quantity from order_lines where tenant = ? and order_id = ?",
        (tenant, order_id),
    ).fetchall()
    back = dict(
        conn.execute(
            "select line.sku, sum(line.quantity) from return_lines line"
            " join returns on returns.tenant = line.tenant and returns.id = line.return_id"
            " where returns.tenant = ? and returns.order_id = ? and returns.state != ?"
            " group by line.sku",
            (tenant, order_id, REFUSED),
        ).fetchall()
    )
    return {
        row["sku"]: (Decimal(row["unit_price"]), row["quantity"] - back.get(row["sku"], 0))
        for row in rows
    }


def _price_of_all(conn: Any, tenant: str, order_id: int) -> Decimal:
    rows = conn.execute(
        "select unit_price, quantity from order_lines where tenant = ? and order_id = ?",
        (tenant, order_id),
    )
    return sum((Decimal(row["unit_price"]) * row["quantity"] for row in rows), Decimal(0))


def returns_of(tenant: str, customer: int) -> list[dict[str, Any]]:
    """Return what the customer has sent back, the latest first."""
    with connection() as conn:
        rows = conn.execute(
            "select returns.id as number, state, refund, currency from returns"
            " join orders on orders.tenant = returns.tenant and orders.id = returns.order_id"
            " where returns.tenant = ? and returns.customer = ? order by returns.id desc",
            (tenant, customer),
        ).fetchall()
    return [
        {**dict(row), "refund": minor_units(Decimal(row["refund"]), row["currency"])}
        for row in rows
    ]


def accept(tenant: str, number: int) -> None:
    """The articles have arrived and are as they should be."""
    _move(tenant, number, REQUESTED, ACCEPTED)


def refuse(tenant: str, number: int) -> None:
    """The articles have arrived, and cannot be taken back."""
    _move(tenant, number, REQUESTED, REFUSED)


def pay_back(tenant: str, number: int) -> None:
    """Pay for an accepted return, once, and take back the points that it had brought."""
    _move(tenant, number, ACCEPTED, REFUNDED)
    with connection() as conn:
        row = conn.execute(
            "select order_id, returns.customer, refund, currency from returns"
            " join orders on orders.tenant = returns.tenant and orders.id = returns.order_id"
            " where returns.tenant = ? and returns.id = ?",
            (tenant, number),
        ).fetchone()
    try:
        payments.refund(tenant, row["order_id"], number, Decimal(row["refund"]), row["currency"])
    except Exception:
        _move(tenant, number, REFUNDED, ACCEPTED)
        raise
    loyalty.take_back(tenant, row["customer"], f"return {number}", Decimal(row["refund"]))
    log.info("return %s of %s is paid", number, tenant)


def _move(tenant: str, number: int, old: str, new: str) -> None:
    """Change the state in one step, so that of two who try only one succeeds."""
    with connection() as conn:
        changed = conn.execute(
            "update returns set state = ? where tenant = ? and id = ? and state = ?",
            (new, tenant, number, old),
        ).rowcount
    if changed != 1:
        raise ReturnRefused(f"Return {number} is not {old}.")
