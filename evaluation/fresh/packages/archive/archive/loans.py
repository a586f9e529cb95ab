"""Who has borrowed which document."""

import sqlite3
from datetime import date


def lend(db: sqlite3.Connection, document_id: int, reader: str, day: date) -> None:
    """Note a loan; sqlite3.IntegrityError where the document is lent already."""
    db.execute(
        "INSERT INTO loans (document_id, reader, lent_on) VALUES (?, ?, ?)",
        (document_id, reader, day.isoformat()),
    )


def take_back(db: sqlite3.Connection, document_id: int, day: date) -> None:
    """Note that a document is back; KeyError where it is not lent."""
    done = db.execute(
        "UPDATE loans SET returned_on = ? WHERE document_id = ? AND returned_on IS NULL",
        (day.isoformat(), document_id),
    )
    if done.rowcount == 0:
        raise KeyError(document_id)


def reminders(db: sqlite3.Connection, upto: date) -> list[str]:
    """Return a line for each document that was lent on a day or before and is not back."""
    rows = db.execute(
        "SELECT reader, label, lent_on FROM lent WHERE lent_on <= ? ORDER BY lent_on, document_id",
        (upto.isoformat(),),
    )
    return [f"{row['reader']}: {row['label']}, since {row['lent_on']}" for row in rows]
