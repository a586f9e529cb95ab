"""A store that goes away in the middle of a review and returns: it is posted once, and whole."""

import resource
import sqlite3
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from app.store.tables import JOBS
from tests.app.test_serve import Server
from tests.app.world import World, finds, wait_until
from tests.github.hub import FakePull, Seen
from tests.model_server import Scripted
from tests.postgres import postgres

CALL, POST = "the first call", "the review is posted"


def reviewed(
    world: World, server: Server, at: str, go: Callable[[], object], come_back: Callable[[], object]
) -> FakePull:
    """Have the store go away at a point of a review, and come back; return the pull request."""
    gone = threading.Event()

    def away() -> None:
        if not gone.is_set():
            gone.set()
            go()

    def think(request: dict[str, Any]) -> Scripted:
        if at == CALL:
            away()
        return finds(request)

    def on_request(_index: int, seen: Seen, phase: str) -> None:
        posts = seen.method == "POST" and seen.path.endswith("/reviews")
        if at == POST and posts and phase == "after":
            away()

    world.think = think
    world.hub.on_request(on_request)
    pull = world.pull()
    assert world.opened(server, pull) == 202
    wait_until(gone.is_set, lambda: server.said)
    come_back()
    world.leave()  # our own connections are gone, too
    wait_until(
        lambda: len(world.runs()) == 1 and (world.idle() or hurried(world)), lambda: server.said
    )
    return pull


def hurried(world: World) -> bool:
    """Let what waits for half a minute be done now; False."""
    with world.store.database.write() as db:
        db.execute(update(JOBS).where(JOBS.c.state == "waiting").values(not_before=0))
    return False


def assert_nothing_lost(world: World, server: Server, pull: FakePull) -> None:
    world.assert_said_once(pull)
    (run,) = world.runs()
    assert (run.outcome, run.problem) == ("posted", "")
    assert '"status":"complete"' in run.verdict
    assert "Traceback" not in server.said
    wait_until(lambda: server.get("/readyz")[0] == 200, lambda: server.said)
    assert server.said.count("not looked up") <= 1


@pytest.mark.parametrize("at", [CALL, POST])
def test_a_database_that_goes_away_during_a_review_and_returns(tmp_path: Path, at: str) -> None:
    with (
        postgres() as own,
        World(tmp_path, database=own.database()) as world,
        world.serve() as server,
    ):

        def come_back() -> None:
            wait_until(lambda: server.said.count("does not answer") >= 3, lambda: server.said)
            own.start()

        pull = reviewed(world, server, at, own.stop, come_back)
        assert_nothing_lost(world, server, pull)


@pytest.mark.parametrize("at", [CALL, POST])
def test_a_store_that_somebody_holds_during_a_review(tmp_path: Path, at: str) -> None:
    """A backup, say, or somebody at its prompt; so with the journal."""
    with World(tmp_path) as world, world.serve() as server, ExitStack() as held:

        def hold() -> None:
            for name in ("rlm.sqlite3", "journal.sqlite"):
                path = tmp_path / "rlm" / name
                db = held.enter_context(
                    closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False))
                )
                db.execute("BEGIN IMMEDIATE")

        def come_back() -> None:
            wait_until(lambda: "is busy: database is locked" in server.said, lambda: server.said)
            held.close()

        pull = reviewed(world, server, at, hold, come_back)
        assert_nothing_lost(world, server, pull)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits another process")
@pytest.mark.parametrize("at", [CALL, POST])
def test_a_disk_that_takes_nothing_more_during_a_review(tmp_path: Path, at: str) -> None:
    with World(tmp_path) as world, world.serve() as server:

        def limit(most: int) -> None:
            for pid in server.pids.values():
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

        def come_back() -> None:
            wait_until(lambda: server.said.count("cannot be used") >= 3, lambda: server.said)
            limit(resource.RLIM_INFINITY)

        pull = reviewed(world, server, at, lambda: limit(1), come_back)
        assert_nothing_lost(world, server, pull)


FULL = """
CREATE FUNCTION full_disk() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
END $$ LANGUAGE plpgsql;
"""


def test_a_database_whose_disk_is_full_during_a_review(tmp_path: Path) -> None:
    tables = ("jobs", "runs", "answers")
    with (
        postgres() as database,
        World(tmp_path, database=database.database()) as world,
        world.serve() as server,
    ):
        assert server.url
        full = threading.Event()

        def sql(*statements: str) -> None:
            with world.store.database.write() as db:
                for one in statements:
                    db.execute(text(one))

        def fill() -> None:
            trigger = "CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {} EXECUTE FUNCTION full_disk()"
            sql(FULL, *(trigger.format(one) for one in tables))
            full.set()

        def come_back() -> None:
            assert full.wait(20)
            later = world.hub.payload_pull(world.repo.pulls[1], "reopened", world.app)
            assert world.sent(server, "pull_request", later) == 503
            wait_until(lambda: "is full" in server.said, lambda: server.said)
            sql(*(f"DROP TRIGGER full_disk ON {one}" for one in tables))

        pull = reviewed(world, server, CALL, fill, come_back)
        assert_nothing_lost(world, server, pull)
