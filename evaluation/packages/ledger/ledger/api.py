"""What users can ask for. Each function checks the user first."""

import sqlite3
from datetime import date

from ledger import invoices, payments, reports
from ledger.access import Role, User, require
from ledger.paging import page_count


def list_invoices(db: sqlite3.Connection, user: User, page: int = 1) -> dict[str, object]:
    """Return one page of invoices and how many pages there are."""
    require(user, Role.READER)
    (rows,) = db.execute("SELECT count(*) FROM invoices").fetchone()
    found = [_shown(invoice) for invoice in invoices.page_of(db, page)]
    return {"invoices": found, "page": page, "pages": page_count(rows)}


def issue_invoice(
    db: sqlite3.Connection, user: User, customer_id: int, net_cents: int, on: date
) -> int:
    require(user, Role.CLERK)
    return invoices.issue(db, customer_id, net_cents, on)


def void_invoice(db: sqlite3.Connection, user: User, invoice_id: int) -> None:
    require(user, Role.ADMIN)
    invoices.void(db, invoice_id)


def payment_notice(
    db: sqlite3.Connection, user: User, invoice_id: int, reference: str, cents: int, on: date
) -> bool:
    require(user, Role.CLERK)
    return payments.record(db, invoice_id, reference, cents, on)


def yearly_revenue(db: sqlite3.Connection, user: User, year: int) -> dict[str, int]:
    require(user, Role.CLERK)
    return reports.revenue_by_customer(db, year)


def _shown(invoice: sqlite3.Row) -> dict[str, object]:
    return {
        "id": invoice["id"],
        "number": invoice["number"],
        "gross_cents": invoices.gross_cents(invoice),
        "status": invoice["status"],
    }
