"""Tax rates. They depend on the country, on what is sold, and on the day."""

from datetime import date
from fractions import Fraction

STANDARD, REDUCED = "standard", "reduced"

_TABLE = {
    ("DE", STANDARD): [(date(2007, 1, 1), 19), (date(2020, 7, 1), 16), (date(2021, 1, 1), 19)],
    ("DE", REDUCED): [(date(2007, 1, 1), 7), (date(2020, 7, 1), 5), (date(2021, 1, 1), 7)],
    ("AT", STANDARD): [(date(1984, 1, 1), 20)],
    ("AT", REDUCED): [(date(1984, 1, 1), 10)],
    ("FR", STANDARD): [(date(2014, 1, 1), 20)],
    ("FR", REDUCED): [(date(2014, 1, 1), Fraction(11, 2))],
}


def rate_of(country: str, kind: str, on: date) -> Fraction:
    """Return the rate in percent that holds on a day; KeyError where none is known."""
    found = [rate for since, rate in _TABLE[country, kind] if since <= on]
    if not found:
        raise KeyError((country, kind, on))
    return Fraction(found[-1])
