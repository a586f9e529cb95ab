"""Several servers at one work: a PostgreSQL database, a Redis server, and `rlm serve` twice."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.forget import DONE
from app.server_settings import MARKER_FILE
from app.store.tables import ANSWERS, JOBS, PAYMENTS, PURSES, TRACES
from tests.app.kills import kill_who_works
from tests.app.test_serve import Server
from tests.app.world import World, finds, wait_until
from tests.github.hub import Seen
from tests.model_server import Scripted
from tests.postgres import Postgres, postgres
from tests.redis_server import redis_server


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


def homes(folder: Path) -> tuple[str, str]:
    return str(folder / "rlm"), str(folder / "second")


@contextmanager
def listening(server: Server) -> Iterator[None]:
    """Wait until a server is there, and has made its key."""
    assert server.url
    yield


def key_of(home: str) -> str:
    return (Path(home) / MARKER_FILE).read_text().strip()


def test_two_servers_with_one_database_and_queue_say_everything_once(
    tmp_path: Path, server: Postgres
) -> None:
    first, second = homes(tmp_path)
    with (
        redis_server(tmp_path / "redis") as redis,
        World(tmp_path, database=server.database()) as world,
        world.serve(REDIS_URL=redis.url()) as one,
        listening(one),
        world.serve(REDIS_URL=redis.url(), RLM_HOME=second, RLM_MARKER_KEY=key_of(first)) as other,
    ):
        pull = world.pull()
        world.opened(one, pull)
        world.opened(other, pull)  # the same news twice, to both
        world.settle()
        world.assert_said_once(pull)
        assert one.end() == 0
        world.commented(other, pull, "alice", "/rlm review")
        world.settle(runs=2)
        assert len(pull.reviews) == 1
        assert len(world.ours(pull)) == 1
        names = {worker.name for worker in world.store.workers()}
        nodes = {name.partition("/")[0] for name in names}
        assert len(nodes) == 2
        with world.store.database.read() as db:  # for the pages of the one that did not review
            traced = set(db.execute(select(TRACES.c.run, TRACES.c.server)).all())
        assert {run for run, _ in traced} == {run.id for run in world.runs()}
        assert {server.rstrip("/") for _, server in traced} <= nodes
        said = one.said + other.said
        assert "Traceback" not in said
        assert "does not answer" not in said


def test_when_one_of_two_servers_dies_while_it_publishes_the_other_one_goes_on(
    tmp_path: Path, server: Postgres
) -> None:
    first, second = homes(tmp_path)
    killed: list[bool] = []
    with (
        World(tmp_path, database=server.database()) as world,
        world.serve() as one,
        listening(one),
        world.serve(RLM_HOME=second, RLM_MARKER_KEY=key_of(first)) as other,
    ):
        assert other.url

        def on_request(_index: int, seen: Seen, phase: str) -> None:
            posted = (seen.method, phase) == ("POST", "after")
            if posted and not killed and seen.path.endswith("/pulls/1/reviews"):
                killed.append(kill_who_works(world, (one, other)))

        world.hub.on_request(on_request)
        pull = world.pull()
        assert world.opened(one, pull) == 202
        world.settle()
        world.assert_said_once(pull)
        assert killed == [True]
        (left,) = [each for each in (one, other) if each.process.poll() is None]
        dead = other if left is one else one
        assert not dead.alive and len(left.alive) == 3
        world.commented(left, pull, "alice", "/rlm help")
        wait_until(lambda: len(world.ours(pull)) == 2, lambda: left.said)


def test_a_server_that_signs_otherwise_is_refused(tmp_path: Path, server: Postgres) -> None:
    with World(tmp_path, database=server.database()) as world, world.serve() as first:
        assert first.url
        with world.serve(RLM_HOME=homes(tmp_path)[1]) as other:
            assert other.process.wait(30) == 2
        wait_until(lambda: "RLM_MARKER_KEY" in other.said, lambda: other.said)
        assert "sign with another key" in other.said


def test_a_database_that_goes_away_and_returns_costs_nothing(tmp_path: Path) -> None:
    with (
        postgres() as own,
        World(tmp_path, database=own.database()) as world,
        world.serve() as running,
    ):
        pull = world.pull()
        wait_until(lambda: running.get("/readyz")[0] == 200, lambda: running.said)
        own.stop()
        assert world.opened(running, pull) == 503  # GitHub's delivery fails, and is asked for again
        own.start()
        assert world.opened(running, pull) == 202
        world.settle()
        world.assert_said_once(pull)
        wait_until(lambda: running.get("/readyz")[0] == 200, lambda: running.said)
        assert "Traceback" not in running.said


def test_another_server_goes_on_with_a_run_for_free_and_counts_what_was_in_flight(
    tmp_path: Path, server: Postgres
) -> None:
    first, second = homes(tmp_path)
    asked: list[str] = []
    killed = threading.Event()

    with World(tmp_path, database=server.database()) as world:

        def think(request: dict[str, Any]) -> Scripted:
            asked.append(json.dumps([request["system"], request["messages"]], sort_keys=True))
            if len(asked) == 2 and not killed.is_set():
                world.service.wait(60)
            return finds(request)

        world.think = think
        with world.serve(RLM_CONCURRENCY="1") as one:
            pull = world.pull()
            world.opened(one, pull)
            wait_until(lambda: len(asked) == 2, lambda: one.said)
            key = key_of(first)
            one.process.kill()  # with one answer, and another on its way
            one.process.wait()
        killed.set()
        world.service.release()
        with world.store.database.write() as db:  # two minutes later
            assert db.execute(update(JOBS).where(JOBS.c.state == "claimed").values(lease=0))
        with world.store.database.read() as db:
            (in_flight,) = db.scalars(select(PAYMENTS.c.worst_usd).where(PAYMENTS.c.usd.is_(None)))
        with world.serve(RLM_CONCURRENCY="1", RLM_HOME=second, RLM_MARKER_KEY=key) as other:
            world.settle()
            world.assert_said_once(pull)
            assert [asked.count(one) for one in asked[:2]] == [1, 2]
            with world.store.database.read() as db:
                settled = db.scalar(select(func.sum(PAYMENTS.c.usd))) or 0.0
            spent = world.store.spent(world.repo.id, pull.number)
            assert spent.usd == pytest.approx(settled + in_flight)
            # What one server has paid for, another one forgets.
            gone = world.hub.payload_installation(world.installation, "deleted")
            world.installation.delete()
            assert world.sent(other, "installation", gone) == 202
            wait_until((Path(second) / DONE).exists, lambda: other.said)
            assert world.runs() == []
            with world.store.database.read() as db:
                for table in (ANSWERS, PAYMENTS, PURSES):
                    assert db.scalar(select(func.count()).select_from(table)) == 0
        for home in homes(tmp_path):
            assert not (Path(home) / "journal.sqlite").exists()
