"""Where more is granted, hostile pull requests have no more effect: nothing is resolved for them."""

from pathlib import Path

from tests.redteam.field import assert_nothing_happens
from tests.redteam.granted import CASES, Granted


def test_what_else_is_granted_serves_no_order(tmp_path: Path) -> None:
    assert_nothing_happens(tmp_path, CASES, Granted)
