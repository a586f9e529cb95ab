from decimal import Decimal

from shop.pricing import line_total, minor_units, with_vat


def test_a_line_costs_price_times_quantity() -> None:
    assert line_total(Decimal("4.99"), 3, Decimal(0)) == Decimal("14.97")


def test_a_coupon_takes_its_percentage_off() -> None:
    assert line_total(Decimal("10.00"), 2, Decimal(25)) == Decimal("15.00")


def test_tax_is_rounded_half_up_to_cents() -> None:
    assert with_vat(Decimal("0.50"), "DE") == Decimal("0.60")


def test_the_provider_gets_cents_and_whole_yen() -> None:
    assert minor_units(Decimal("12.50"), "EUR") == 1250
    assert minor_units(Decimal("980"), "JPY") == 980
