"""Documents and the boxes that they lie in."""

import sqlite3


def add(db: sqlite3.Connection, box_id: int, label: str, year: int) -> int:
    """Store a document and return its id."""
    row = db.execute(
        "INSERT INTO documents (box_id, label, year) VALUES (?, ?, ?) RETURNING id",
        (box_id, label, year),
    ).fetchone()
    return row["id"]


def get(db: sqlite3.Connection, document_id: int) -> sqlite3.Row:
    """Return a document; KeyError if there is none."""
    row = db.execute("SELECT * FROM documents WHERE id = ?", (document_id,)).fetchone()
    if row is None:
        raise KeyError(document_id)
    return row


def in_box(db: sqlite3.Connection, box_id: int) -> list[sqlite3.Row]:
    """Return the documents of a box, the oldest first."""
    return db.execute(
        "SELECT * FROM documents WHERE box_id = ? ORDER BY year, label, id", (box_id,)
    ).fetchall()


def relabel(db: sqlite3.Connection, document_id: int, label: str) -> None:
    """Correct what is written on a document; KeyError if there is none."""
    done = db.execute("UPDATE documents SET label = ? WHERE id = ?", (label, document_id))
    if done.rowcount == 0:
        raise KeyError(document_id)


def set_scan(db: sqlite3.Connection, document_id: int, digest: str) -> None:
    """Say which scan is of a document, in place of an earlier one; KeyError if there is none."""
    done = db.execute("UPDATE documents SET scan = ? WHERE id = ?", (digest, document_id))
    if done.rowcount == 0:
        raise KeyError(document_id)
