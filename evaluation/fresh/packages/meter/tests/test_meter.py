from datetime import date, timedelta

from meter import bills, files, meters, readings, text, warnings
from meter.schema import connect

EVE = date(2026, 2, 28)


def made():
    db = connect()
    one = meters.add(db, "Mill Lane 3")
    readings.store(db, one, EVE, 1_000_000)
    return db, one


def test_both_days_are_included():
    db, one = made()
    readings.store(db, one, EVE + timedelta(days=1), 1_004_000)
    readings.store(db, one, EVE + timedelta(days=2), 1_009_000)
    first = EVE + timedelta(days=1)
    assert readings.used(db, one, first, first) == 4_000
    assert readings.used(db, one, first, first + timedelta(days=1)) == 9_000


def test_a_bill_has_the_base_price_and_the_use():
    db, one = made()
    readings.store(db, one, date(2026, 3, 31), 1_250_000)
    bill = bills.of_month(db, one, 2026, 3)
    assert (bill.used_wh, bill.cents) == (250_000, 990 + 7_800)
    assert text.bill(bill) == f"Meter {one}: 250.0 kWh, 87.90 EUR"


def test_who_uses_twice_as_much_is_warned():
    db, one = made()
    for week, counter in enumerate((1_010_000, 1_040_000), 1):
        readings.store(db, one, EVE + week * warnings.WEEK, counter)
    assert warnings.unusual(db, EVE + warnings.WEEK) == []
    assert warnings.unusual(db, EVE + 2 * warnings.WEEK) == [one]


def test_a_line_that_is_no_reading_is_passed_over():
    db, one = made()
    taken = files.take_lines(db, [f"{one};2026-03-01;1004000\n", "total;;\n"])
    assert (taken.stored, taken.refused) == (1, [2])
    assert readings.counter_at(db, one, date(2026, 3, 1)) == 1_004_000
