"""Search in what is written on documents."""

import sqlite3

_ESCAPED = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def labelled(db: sqlite3.Connection, words: str, limit: int = 50) -> list[sqlite3.Row]:
    """Return the documents whose label has some words in a row, the oldest first."""
    return db.execute(
        "SELECT * FROM documents WHERE label LIKE ? ESCAPE '\\' ORDER BY year, id LIMIT ?",
        (f"%{words.translate(_ESCAPED)}%", limit),
    ).fetchall()
