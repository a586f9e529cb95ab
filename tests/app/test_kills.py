"""Any process killed between any two steps: after the restart everything is said exactly once.

A sample; `python -m benchmarks.kills` does it at every request, before it and after.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.kills import POINTS, Coding, Point, killed, killed_at, struck, told
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


STRUCK = {"web": 1.0, "fetch": 0.1, "git": 0.2, "parser": 0.1, "sandbox": 0.1}
"""Kinds of processes, and the seconds in which a kill meets one; at the points above are the
github role, an engine and the whole server. `python -m benchmarks.app --rows kills` has all."""

ANSWERS_S = 0.15
"""For each answer of the model: there is a sandbox as long as there are questions."""


class Alone(World):
    """A server that has all its processes itself; those of the others are forks of what ours share
    (`tests/warm.py`), and so are the helpers.
    """

    forks = False


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An App whose processes can be told and killed one by one."""
    shared = Site((tmp_path_factory.mktemp("alone") for _ in iter(int, 1)), kind=Alone)
    yield shared
    shared.close()


@pytest.fixture(scope="module")
def whole(alone: Site) -> str:
    """What a review says that nobody disturbs."""
    with alone.lend(World) as (world, server):
        world.think = Coding()
        pull = world.pull()
        assert world.opened(server, pull) == 202
        world.settle()
        return told(world, pull)


@pytest.mark.parametrize("kind", STRUCK)
def test_whatever_is_killed_at_any_moment_a_review_says_everything_once(
    alone: Site, whole: str, kind: str
) -> None:
    after_s = random.uniform(0.0, STRUCK[kind])
    print(f"{kind} killed after {after_s:.3f} s")
    with alone.lend(World, killed=kind) as (world, server):
        pull, hit = struck(world, server, kind, after_s, ANSWERS_S)
        assert hit, f"no {kind} was there to kill"
        world.assert_said_once(pull)
        assert told(world, pull) == whole
