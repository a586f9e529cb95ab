"""Bills: the use of a month, at the price of the tariff."""

import sqlite3
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from meter import meters, readings, tariffs


@dataclass(frozen=True)
class Bill:
    meter_id: int
    used_wh: int
    cents: int


def of_month(db: sqlite3.Connection, meter_id: int, year: int, month: int) -> Bill:
    """Return the bill of a month; KeyError without such a meter."""
    tariff = tariffs.named(meters.get(db, meter_id)["tariff"])
    last = date(year, month, monthrange(year, month)[1])
    used_wh = readings.used(db, meter_id, last.replace(day=1), last)
    return Bill(meter_id, used_wh, tariffs.cents(tariff, used_wh))
