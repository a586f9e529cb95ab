"""The list of a box: on paper, and as the file that the reading room imports."""

import csv
import io
import sqlite3

from archive import boxes, documents

COLUMNS = ["id", "label", "year"]
"""Of the file. The reading room's program finds columns by these names."""


def paper(db: sqlite3.Connection, box_id: int) -> str:
    """Return the list that is glued into the lid of a box; KeyError if there is none."""
    lines = [f"Shelf {boxes.shelf_of(db, box_id)}"]
    lines += [f"{row['year']}  {row['label']}" for row in documents.in_box(db, box_id)]
    return "\n".join(lines)


def exported(db: sqlite3.Connection, box_id: int) -> str:
    """Return the documents of a box as CSV with a head line."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in documents.in_box(db, box_id):
        writer.writerow([row["id"], row["label"], row["year"]])
    return out.getvalue()
