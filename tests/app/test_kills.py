"""Any process killed between any two steps: after the restart everything is said exactly once.

A sample; `python -m benchmarks.kills` does it at every request, before it and after.
"""

from pathlib import Path

import pytest

from tests.app.kills import POINTS, Point, killed_at

SAMPLE = ("token", "check run", "fetch", "model", "review before", "review after", "summary after")


def test_the_sample_names_points_that_there_are() -> None:
    assert set(SAMPLE) <= set(POINTS)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_kill_between_two_steps_says_everything_once(tmp_path: Path, name: str) -> None:
    point: Point = POINTS[name]
    world, pull = killed_at(tmp_path, point)
    world.assert_said_once(pull)
    assert world.idle()
