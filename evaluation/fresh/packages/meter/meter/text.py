"""Bills and amounts for people."""

from meter.bills import Bill
from meter.tariffs import WH_IN_KWH


def energy(wh: int) -> str:
    """Return energy in kilowatt-hours, with one decimal."""
    return f"{wh / WH_IN_KWH:.1f} kWh"


def bill(one: Bill) -> str:
    """Return a bill as a line."""
    return f"Meter {one.meter_id}: {energy(one.used_wh)}, {one.cents / 100:.2f} EUR"
