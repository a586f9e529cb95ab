"""Prices: exact until the end, rounded once."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
VAT = {"DE": Decimal("0.19"), "FR": Decimal("0.20"), "JP": Decimal("0.10")}
WITHOUT_MINOR_UNIT = frozenset({"JPY"})


def line_total(unit_price: Decimal, quantity: int, percent_off: Decimal) -> Decimal:
    """Return what one line of an order costs, without tax, after the coupon."""
    return unit_price * quantity * (100 - percent_off) / 100


def with_vat(net: Decimal, country: str) -> Decimal:
    """Add the country's value added tax and round to cents."""
    return (net * (1 + VAT[country])).quantize(CENT, ROUND_HALF_UP)


def minor_units(amount: Decimal, currency: str) -> int:
    """Return the amount as the payment provider takes it: cents, or whole yen."""
    if currency in WITHOUT_MINOR_UNIT:
        return int(amount.quantize(Decimal(1), ROUND_HALF_UP))
    return int(float(amount) * 100)
