"""A server that is cut off from everything while it works: another one goes on, and all is said once.

A sample; `python -m benchmarks.app --rows cuts` has every point, and `partition` namespaces.
"""

from pathlib import Path

import pytest

from tests.app.cuts import CUTS, cut_off
from tests.postgres import postgres
from tests.redis_server import redis_server


@pytest.mark.parametrize(
    "name", ["in the review", "before it is published", "while it is published"]
)
def test_a_server_that_is_cut_off_says_nothing_twice(tmp_path: Path, name: str) -> None:
    with postgres() as database, redis_server(tmp_path / "redis") as redis:
        world, pull = cut_off(tmp_path, database.database(), redis.url(), CUTS[name])
        world.assert_said_once(pull)
