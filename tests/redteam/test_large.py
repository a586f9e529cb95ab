"""An order that is handed on from node to node of a large review comes to nothing but text."""

from pathlib import Path

from tests.redteam.field import assert_nothing_happens
from tests.redteam.large import CASES


def test_an_order_for_who_retells_what_others_wrote_comes_to_nothing(tmp_path: Path) -> None:
    assert_nothing_happens(tmp_path, CASES)
