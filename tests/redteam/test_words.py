"""Hostile words of a model: they are shown as they are, and nothing in them does anything."""

from pathlib import Path

from tests.redteam.field import assert_nothing_happens
from tests.redteam.words import CASES


def test_words_are_only_shown(tmp_path: Path) -> None:
    assert_nothing_happens(tmp_path, CASES)
