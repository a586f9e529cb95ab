import sqlite3
from decimal import Decimal

import pytest
from shop import checkout, db, payments, returns, settings


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "DATABASE", str(tmp_path / "shop.db"))
    with sqlite3.connect(settings.DATABASE) as conn:
        conn.executescript(db.SCHEMA)
    monkeypatch.setattr(payments, "charge", lambda *_: None)
    monkeypatch.setattr(payments, "refund", lambda *_: None)
    monkeypatch.setattr(checkout.mail, "confirm", lambda *_: None)
    lines = [checkout.Line("lamp", Decimal("10.00"), 3)]
    return checkout.place("north", 7, "DE", "EUR", lines)


def lamps(quantity):
    return [returns.Article("lamp", quantity)]


def test_a_part_of_an_order_comes_back(shop):
    asked = returns.request_return("north", 7, shop, lamps(2), "too bright")
    assert asked == {"number": 1, "state": "requested", "refund": 2380, "currency": "EUR"}


def test_no_more_comes_back_than_was_bought(shop):
    returns.request_return("north", 7, shop, lamps(2), "")
    with pytest.raises(returns.ReturnRefused):
        returns.request_return("north", 7, shop, lamps(2), "")


def test_what_was_refused_may_be_asked_again(shop):
    first = returns.request_return("north", 7, shop, lamps(3), "")
    returns.refuse("north", first["number"])
    again = returns.request_return("north", 7, shop, lamps(3), "")
    assert again["number"] == 2


def test_a_return_is_paid_once(shop):
    number = returns.request_return("north", 7, shop, lamps(1), "")["number"]
    returns.accept("north", number)
    returns.pay_back("north", number)
    with pytest.raises(returns.ReturnRefused):
        returns.pay_back("north", number)


def test_the_order_of_somebody_else_does_not_come_back(shop):
    with pytest.raises(returns.ReturnRefused):
        returns.request_return("north", 8, shop, lamps(1), "")
