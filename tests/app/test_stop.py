"""A server that is stopped while it works: what was begun is put back, and the next start has it."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from app.store import ENGINE
from app.store.tables import JOBS
from tests.app.test_app_trouble import held
from tests.app.test_serve import LINUX
from tests.app.world import World, wait_until


def states(world: World) -> list[tuple[str, int]]:
    """The engine's jobs: their state, and how many attempts count."""
    with world.store.database.read() as db:
        rows = db.execute(JOBS.select().where(JOBS.c.role == ENGINE))
        return [(row.state, row.attempts) for row in rows]


def test_a_review_under_way_is_put_back_and_taken_at_once_by_the_next_start(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        asked: list[Any] = held(world, 30)
        pull = world.pull()
        with world.serve() as server:
            world.opened(server, pull)
            wait_until(lambda: bool(asked), lambda: server.said)
            began = time.monotonic()
            assert server.end() == 0
            assert time.monotonic() - began < 9  # within the grace, and nobody had to be ended
            assert "does not end by itself" not in server.said
            assert states(world) == [("waiting", 0)]
        with world.serve() as server:
            world.settle()
            world.assert_said_once(pull)
            assert len(world.runs()) == 1


@LINUX
def test_who_does_not_stop_is_ended_after_the_grace_and_its_job_is_not_lost(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        asked: list[Any] = held(world, 30)
        pull = world.pull()
        with world.serve(RLM_GRACE="1.5") as server:
            world.opened(server, pull)
            wait_until(lambda: bool(asked), lambda: server.said)
            os.kill(server.pids["engine-1"], signal.SIGSTOP)
            began = time.monotonic()
            assert server.end() == 0
            assert 1 < time.monotonic() - began < 6
            assert "does not end by itself role=engine-1" in server.said
            assert [state for state, _ in states(world)] == ["claimed"]
        with world.serve() as server:
            began = time.monotonic()
            world.settle()
            assert time.monotonic() - began < 60  # not when its lease is over
            world.assert_said_once(pull)
