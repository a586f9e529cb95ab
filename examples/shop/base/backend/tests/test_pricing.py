from decimal import Decimal

from shop.pricing import line_total, with_vat


def test_a_line_costs_price_times_quantity() -> None:
    assert line_total(Decimal("4.99"), 3) == Decimal("14.97")


def test_tax_is_rounded_half_up_to_cents() -> None:
    assert with_vat(Decimal("0.50"), "DE") == Decimal("0.60")
