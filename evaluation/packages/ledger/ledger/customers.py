"""Customers."""

import sqlite3


def add(db: sqlite3.Connection, name: str, email: str, country: str = "DE") -> int:
    """Store a customer and return the id."""
    row = db.execute(
        "INSERT INTO customers (name, email, country) VALUES (?, ?, ?) RETURNING id",
        (name, email, country),
    ).fetchone()
    return row["id"]


def get(db: sqlite3.Connection, customer_id: int) -> sqlite3.Row:
    """Return a customer; KeyError if there is none."""
    row = db.execute("SELECT * FROM customers WHERE id = ?", (customer_id,)).fetchone()
    if row is None:
        raise KeyError(customer_id)
    return row


def named(db: sqlite3.Connection, ids: list[int]) -> dict[int, str]:
    """Return the names of some customers by their ids."""
    marks = ", ".join("?" * len(ids))
    rows = db.execute(f"SELECT id, name FROM customers WHERE id IN ({marks})", ids)
    return {row["id"]: row["name"] for row in rows}
