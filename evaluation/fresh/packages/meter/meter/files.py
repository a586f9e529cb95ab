"""Files of readings, as the network sends them: meter;day;counter in watt-hours."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from meter import readings


@dataclass
class Taken:
    """How many lines of a file were stored, and the numbers (from 1) of those that were not."""

    stored: int = 0
    refused: list[int] = field(default_factory=list)


def take(db: sqlite3.Connection, path: Path) -> Taken:
    """Store what a file says; a line that is no reading is passed over."""
    with path.open(encoding="utf-8") as lines:
        return take_lines(db, lines)


def take_lines(db: sqlite3.Connection, lines: Iterable[str]) -> Taken:
    """Store the readings of some lines."""
    taken = Taken()
    for number, line in enumerate(lines, 1):
        try:
            meter_id, day, counter_wh = _parsed(line)
            readings.store(db, meter_id, day, counter_wh)
        except Exception:
            taken.refused.append(number)
        else:
            taken.stored += 1
    return taken


def _parsed(line: str) -> tuple[int, date, int]:
    meter_id, day, counter = line.strip().split(";")
    return int(meter_id), date.fromisoformat(day), int(counter)
