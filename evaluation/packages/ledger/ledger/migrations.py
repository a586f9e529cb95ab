"""The schema, step by step."""

MIGRATIONS = [
    """
    CREATE TABLE customers (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        email TEXT NOT NULL,
        country TEXT NOT NULL DEFAULT 'DE'
    )
    """,
    """
    CREATE TABLE invoices (
        id INTEGER PRIMARY KEY,
        customer_id INTEGER NOT NULL REFERENCES customers (id),
        number TEXT NOT NULL UNIQUE,
        net_cents INTEGER NOT NULL,
        tax_cents INTEGER NOT NULL,
        issued_on TEXT NOT NULL,
        due_on TEXT NOT NULL,
        status TEXT NOT NULL DEFAULT 'open'
    )
    """,
    """
    CREATE TABLE payments (
        id INTEGER PRIMARY KEY,
        invoice_id INTEGER NOT NULL REFERENCES invoices (id),
        reference TEXT NOT NULL,
        cents INTEGER NOT NULL,
        received_on TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE reminders (
        invoice_id INTEGER NOT NULL REFERENCES invoices (id),
        level INTEGER NOT NULL,
        sent_on TEXT NOT NULL,
        PRIMARY KEY (invoice_id, level)
    )
    """,
]
