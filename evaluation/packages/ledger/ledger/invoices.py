"""Invoices: written once, then paid, reminded of or voided."""

import sqlite3
from datetime import date, timedelta

from ledger import customers, rates
from ledger.db import transaction
from ledger.money import percent
from ledger.paging import bounds

DAYS_TO_PAY = 14


def issue(
    db: sqlite3.Connection,
    customer_id: int,
    net_cents: int,
    on: date,
    kind: str = rates.STANDARD,
) -> int:
    """Write an invoice and return its id."""
    country = customers.get(db, customer_id)["country"]
    tax = percent(net_cents, rates.rate_of(country, kind, on))
    with transaction(db):
        row = db.execute(
            "INSERT INTO invoices (customer_id, number, net_cents, tax_cents, issued_on, due_on)"
            " VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
            (
                customer_id,
                _next_number(db, on),
                net_cents,
                tax,
                on.isoformat(),
                (on + timedelta(days=DAYS_TO_PAY)).isoformat(),
            ),
        ).fetchone()
    return row["id"]


def get(db: sqlite3.Connection, invoice_id: int) -> sqlite3.Row:
    """Return an invoice; KeyError if there is none."""
    row = db.execute("SELECT * FROM invoices WHERE id = ?", (invoice_id,)).fetchone()
    if row is None:
        raise KeyError(invoice_id)
    return row


def page_of(db: sqlite3.Connection, page: int) -> list[sqlite3.Row]:
    """Return one page of all invoices, the newest first."""
    return db.execute(
        "SELECT * FROM invoices ORDER BY issued_on DESC, id DESC LIMIT ? OFFSET ?", bounds(page)
    ).fetchall()


def overdue(db: sqlite3.Connection, today: date) -> list[sqlite3.Row]:
    """Return the open invoices whose last day to pay has passed."""
    return db.execute(
        "SELECT * FROM invoices WHERE status = 'open' AND due_on < ? ORDER BY due_on, id",
        (today.isoformat(),),
    ).fetchall()


def void(db: sqlite3.Connection, invoice_id: int) -> None:
    """Take back an invoice that nobody has paid; ValueError for another."""
    changed = db.execute(
        "UPDATE invoices SET status = 'void' WHERE id = ? AND status = 'open'", (invoice_id,)
    ).rowcount
    if changed != 1:
        raise ValueError(f"invoice {invoice_id} is not open")


def gross_cents(invoice: sqlite3.Row) -> int:
    return invoice["net_cents"] + invoice["tax_cents"]


def _next_number(db: sqlite3.Connection, on: date) -> str:
    (count,) = db.execute(
        "SELECT count(*) FROM invoices WHERE issued_on LIKE ?", (f"{on.year}-%",)
    ).fetchone()
    return f"{on.year}-{count + 1:05d}"
