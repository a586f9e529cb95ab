"""People and programs that may not, and settings that do not count: nothing is done for them."""

from pathlib import Path

from tests.redteam.field import assert_nothing_happens
from tests.redteam.people import CASES


def test_who_may_not_gets_nothing_done(tmp_path: Path) -> None:
    assert_nothing_happens(tmp_path, CASES)
