"""Reminders of invoices that nobody has paid."""

import sqlite3
from collections.abc import Callable
from datetime import date, timedelta

from ledger import customers, invoices
from ledger.money import shown

STEPS = (3, 14, 30)
"""Days after the due day at which a reminder of each level goes out."""

Send = Callable[[str, str], None]
"""Takes an address and a text."""


def run(db: sqlite3.Connection, today: date, send: Send) -> int:
    """Send what is due today and return how many were sent."""
    sent = 0
    for invoice in invoices.overdue(db, today):
        late = today - date.fromisoformat(invoice["due_on"])
        level = _level(db, invoice["id"])
        if level >= len(STEPS) or late < timedelta(days=STEPS[level]):
            continue
        customer = customers.get(db, invoice["customer_id"])
        send(customer["email"], _text(invoice, level))
        db.execute(
            "INSERT INTO reminders (invoice_id, level, sent_on) VALUES (?, ?, ?)",
            (invoice["id"], level, today.isoformat()),
        )
        sent += 1
    return sent


def _level(db: sqlite3.Connection, invoice_id: int) -> int:
    """Return the level that comes next: 0, 1, 2, and 3 where all were sent."""
    (sent,) = db.execute(
        "SELECT count(*) FROM reminders WHERE invoice_id = ?", (invoice_id,)
    ).fetchone()
    return sent


def _text(invoice: sqlite3.Row, level: int) -> str:
    amount = shown(invoices.gross_cents(invoice))
    if level == len(STEPS) - 1:
        return f"Last reminder: {invoice['number']} over {amount} is still open."
    return f"Reminder: {invoice['number']} over {amount} is still open."
