"""Hostile words of checks: what mends them writes the branch that was asked for, and nothing else."""

from pathlib import Path

from tests.redteam.ci import CASES, Branches
from tests.redteam.field import assert_nothing_happens


def test_what_checks_say_is_data(tmp_path: Path) -> None:
    assert_nothing_happens(tmp_path, CASES, Branches)
