"""Sums for the accountant."""

import sqlite3

from ledger import customers


def revenue_by_customer(db: sqlite3.Connection, year: int) -> dict[str, int]:
    """Return the net revenue of a year in cents by the customer's name."""
    rows = db.execute(
        "SELECT customer_id, sum(net_cents) AS cents FROM invoices"
        " WHERE status != 'void' AND issued_on LIKE ? GROUP BY customer_id",
        (f"{year}-%",),
    ).fetchall()
    names = customers.named(db, [row["customer_id"] for row in rows])
    return {names[row["customer_id"]]: row["cents"] for row in rows}


def tax_of_quarter(db: sqlite3.Connection, year: int, quarter: int) -> int:
    """Return the tax of a quarter (1 to 4) in cents."""
    first = 3 * (quarter - 1) + 1
    months = [f"{year}-{month:02d}" for month in range(first, first + 3)]
    (cents,) = db.execute(
        "SELECT coalesce(sum(tax_cents), 0) FROM invoices"
        " WHERE status != 'void' AND substr(issued_on, 1, 7) IN (?, ?, ?)",
        months,
    ).fetchone()
    return cents
