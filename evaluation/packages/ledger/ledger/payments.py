"""Payments, as the provider reports them."""

import sqlite3
from datetime import date

from ledger import invoices
from ledger.db import transaction


def record(db: sqlite3.Connection, invoice_id: int, reference: str, cents: int, on: date) -> bool:
    """Note a payment; False for a notice that was seen before."""
    with transaction(db):
        seen = db.execute(
            "SELECT 1 FROM payments WHERE invoice_id = ? AND reference = ?",
            (invoice_id, reference),
        ).fetchone()
        if seen is not None:
            return False
        db.execute(
            "INSERT INTO payments (invoice_id, reference, cents, received_on) VALUES (?, ?, ?, ?)",
            (invoice_id, reference, cents, on.isoformat()),
        )
        _settle(db, invoice_id)
    return True


def paid_cents(db: sqlite3.Connection, invoice_id: int) -> int:
    """Return what was paid for an invoice so far."""
    (total,) = db.execute(
        "SELECT coalesce(sum(cents), 0) FROM payments WHERE invoice_id = ?", (invoice_id,)
    ).fetchone()
    return total


def _settle(db: sqlite3.Connection, invoice_id: int) -> None:
    invoice = invoices.get(db, invoice_id)
    if paid_cents(db, invoice_id) >= invoices.gross_cents(invoice):
        db.execute("UPDATE invoices SET status = 'paid' WHERE id = ?", (invoice_id,))
