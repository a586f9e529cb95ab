"""What a model's code and claims reach for: not the machine, and no secret leaves."""

from pathlib import Path

from tests.redteam.field import assert_nothing_happens
from tests.redteam.people import REACHED


def test_nothing_outside_of_the_tree_is_reached_and_no_secret_leaves(tmp_path: Path) -> None:
    assert_nothing_happens(tmp_path, REACHED, forks=False)
