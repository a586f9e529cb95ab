"""Hostile repositories: nothing in them is run, followed or fetched, and every hunk is reviewed."""

from pathlib import Path

from tests.redteam.field import assert_nothing_happens
from tests.redteam.trees import CASES


def test_a_repository_is_read_and_nothing_more(tmp_path: Path) -> None:
    assert_nothing_happens(tmp_path, CASES, forks=False)
