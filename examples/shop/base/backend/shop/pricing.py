"""Prices: exact until the end, rounded once."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
VAT = {"DE": Decimal("0.19"), "FR": Decimal("0.20"), "JP": Decimal("0.10")}


def line_total(unit_price: Decimal, quantity: int) -> Decimal:
    """Return what one line of an order costs, without tax."""
    return unit_price * quantity


def with_vat(net: Decimal, country: str) -> Decimal:
    """Add the country's value added tax and round to cents."""
    return (net * (1 + VAT[country])).quantize(CENT, ROUND_HALF_UP)
