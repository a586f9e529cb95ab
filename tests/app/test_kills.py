"""Any process killed between any two steps: after the restart everything is said exactly once.

A sample; `python -m benchmarks.kills` does it at every request, before it and after.
"""

from pathlib import Path

import pytest

from tests.app.kills import POINTS, Point, killed, killed_at
from tests.app.site import Site
from tests.app.world import World

SAMPLE = ("token", "check run", "fetch", "model", "review before", "review after", "summary after")


def test_the_sample_names_points_that_there_are() -> None:
    assert set(SAMPLE) <= set(POINTS)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_kill_between_two_steps_says_everything_once(
    tmp_path: Path, site: Site, name: str
) -> None:
    point: Point = POINTS[name]
    if point.role == "all":
        world, pull = killed_at(tmp_path, point)
        world.assert_said_once(pull)
        assert world.idle()
        return
    with site.lend(World, killed=point.role) as (world, server):
        before = server.pids[point.role]
        pull = killed(world, server, point)
        world.assert_said_once(pull)
        assert world.idle()
        assert server.pids[point.role] != before
