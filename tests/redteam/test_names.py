"""Hostile names of files: shown as they are, and they mean nothing to git, a shell or Markdown."""

from pathlib import Path

from tests.redteam import ci, orders, people, trees, words
from tests.redteam.field import assert_nothing_happens
from tests.redteam.trees import NAMES


def test_a_name_is_only_shown(tmp_path: Path) -> None:
    assert_nothing_happens(tmp_path, NAMES)


def test_there_are_as_many_hostile_pull_requests_as_the_design_says() -> None:
    every = (NAMES, ci.CASES, orders.CASES, people.CASES, trees.CASES, words.CASES)
    assert sum(map(len, every)) > 150
