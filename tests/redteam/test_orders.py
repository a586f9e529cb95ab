"""Orders to a model that obeys them all: nothing comes of them but text."""

from pathlib import Path

from tests.redteam.field import assert_nothing_happens
from tests.redteam.orders import CASES


def test_orders_come_to_nothing_but_text(tmp_path: Path) -> None:
    assert_nothing_happens(tmp_path, CASES)
