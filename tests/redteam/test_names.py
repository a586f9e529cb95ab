"""Hostile names of files: shown as they are, and they mean nothing to git, a shell or Markdown."""

from pathlib import Path

from tests.redteam.corpus import CORPUS
from tests.redteam.field import assert_nothing_happens
from tests.redteam.trees import NAMES


def test_a_name_is_only_shown(tmp_path: Path) -> None:
    assert_nothing_happens(tmp_path, NAMES)


def test_there_are_as_many_hostile_pull_requests_as_the_design_says() -> None:
    assert sum(len(cases) for cases, _ in CORPUS.values()) > 150


def test_each_group_of_them_is_played_by_a_test_of_its_own() -> None:
    here = Path(__file__).parent
    played = {path.stem.removeprefix("test_") for path in here.glob("test_*.py")}
    assert played - {"checks", "shared"} == set(CORPUS)
