from datetime import date, timedelta

from ledger import customers, invoices, payments, reminders
from ledger.db import connect
from ledger.money import split

DAY = date(2026, 3, 2)


def made():
    db = connect()
    customer = customers.add(db, "Ann", "ann@example.org")
    return db, invoices.issue(db, customer, 10_000, DAY)


def test_a_notice_that_comes_twice_counts_once():
    db, invoice = made()
    assert payments.record(db, invoice, "r1", 5_000, DAY)
    assert not payments.record(db, invoice, "r1", 5_000, DAY)
    assert payments.paid_cents(db, invoice) == 5_000


def test_a_paid_invoice_is_not_reminded_of():
    db, invoice = made()
    payments.record(db, invoice, "r1", 11_900, DAY)
    assert reminders.run(db, DAY + timedelta(days=60), lambda to, text: None) == 0


def test_parts_add_up():
    assert split(100, 3) == [34, 33, 33]
