"""Boxes and the shelves that they stand on."""

import sqlite3


def add(db: sqlite3.Connection, shelf: str) -> int:
    """Store a box and return its id; sqlite3.IntegrityError where the shelf has one."""
    return db.execute("INSERT INTO boxes (shelf) VALUES (?) RETURNING id", (shelf,)).fetchone()[0]


def shelf_of(db: sqlite3.Connection, box_id: int) -> str:
    """Return where a box stands; KeyError if there is none."""
    row = db.execute("SELECT shelf FROM boxes WHERE id = ?", (box_id,)).fetchone()
    if row is None:
        raise KeyError(box_id)
    return row["shelf"]
