"""Tariffs: what energy costs."""

from dataclasses import dataclass

WH_IN_KWH = 1_000
TENTHS_IN_CENT = 10


@dataclass(frozen=True)
class Tariff:
    """`tenths` of a cent for a kilowatt-hour, and `base_cents` for a month."""

    name: str
    tenths: int
    base_cents: int


_ALL = {
    one.name: one
    for one in (Tariff("basic", 312, 990), Tariff("green", 334, 990), Tariff("plant", 248, 4_900))
}


def named(name: str) -> Tariff:
    """Return a tariff; KeyError if there is none of that name."""
    return _ALL[name]


def cents(tariff: Tariff, used_wh: int) -> int:
    """Return what energy costs in a month, with the base price, rounded half up to a cent."""
    exact, unit = used_wh * tariff.tenths, WH_IN_KWH * TENTHS_IN_CENT
    return tariff.base_cents + (2 * exact + unit) // (2 * unit)
