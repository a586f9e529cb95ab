"""SIGKILL of any process of a review, at random moments: what stands on the pull request then?"""

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from app.queue import REDIS_URL
from app.server_settings import MARKER_FILE
from tests.app.kills import Coding, kill_who_works, struck, told
from tests.app.test_serve import Server
from tests.app.victims import KINDS, PASSING
from tests.app.world import World, wait_until
from tests.github.hub import FakePull
from tests.postgres import Postgres, postgres
from tests.redis_server import RedisServer, redis_server

ANSWERS_S = 0.3
"""What the model takes for each answer: a review that waits for nothing is hard to hit."""

BESIDE = ("session", "postgres", "redis")
"""What the server works with: the process of one session at PostgreSQL, which has to recover then,
PostgreSQL as a whole, and Redis with all that it held. The last two are started again at once."""

TWO = "one of two"
"""All processes of one of two servers that share a database: of the one that works just then."""

EVERY = (*KINDS, *BESIDE, TWO)

SETTLED_S = 300.0
"""A claim that was lost runs out after two minutes."""

LASTS_S = {"detector": 0.1, "fetch": 0.8, "git": 1.2}
"""How long there is a process of a kind in a review; of the others, as long as it lasts."""


def killed(number: int, chance: random.Random) -> tuple[int, Counter[str]]:
    """Kill so many processes of all kinds; return how often all was said once and whole, and how
    many kills there were of each kind.
    """
    once, kinds = 0, Counter[str]()
    began = time.monotonic()
    whole = _undisturbed()
    lasts_s = time.monotonic() - began
    with postgres() as database:
        for one, kind in zip(range(number), _every_kind(chance), strict=False):
            after_s = chance.uniform(0.0, LASTS_S.get(kind, lasts_s))
            with_redis, with_database = chance.random() < 0.5, chance.random() < 0.5
            problem = _problem(
                kind,
                after_s,
                whole,
                database if with_database or kind in {*BESIDE[:2], TWO} else None,
                with_redis=with_redis or kind == "redis",
            )
            kinds[kind] += 1
            once += not problem
            print(
                f"kill {one + 1}: {kind} after {after_s:.2f} s: {problem or 'said once'}",
                file=sys.stderr,
                flush=True,
            )
    return once, kinds


def _every_kind(chance: random.Random) -> Iterator[str]:
    """Yield kinds at random, none much more often than the others."""
    while True:
        yield from chance.sample(EVERY, len(EVERY))


def _undisturbed() -> str:
    """Return what a review says that nobody disturbs, from its opening to its end."""
    with (
        tempfile.TemporaryDirectory() as folder,
        World(Path(folder)) as world,
        world.serve() as server,
    ):
        world.think = Coding(ANSWERS_S)
        wait_until(lambda: bool(server.ready()["ready"]), lambda: server.said)
        pull = world.pull()
        assert world.opened(server, pull) == 202
        world.settle()
        world.assert_said_once(pull)
        return told(world, pull)


def _problem(
    kind: str, after_s: float, whole: str, database: Postgres | None, *, with_redis: bool
) -> str:
    """Kill one process in one review; say what is wrong with what stands there, "" if nothing."""
    hit = False
    while not hit:  # what comes and goes may be gone by then: the next one is taken at once
        with ExitStack() as held:
            folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
            environ, redis = {}, None
            if with_redis:
                redis = held.enter_context(redis_server(folder / "redis"))
                environ[REDIS_URL] = redis.url()
            name = "" if database is None else database.database()
            world = held.enter_context(World(folder, database=name))
            server = held.enter_context(world.serve(**environ))
            wait_until(lambda: bool(server.ready()["ready"]), lambda: server.said)  # noqa: B023
            try:
                if kind == TWO:
                    pull, hit = _one_of_two(world, server, folder, after_s, environ)
                elif kind in BESIDE:
                    kill = _killer(kind, database, redis, world.database)
                    pull, hit = _struck(world, server, after_s, kill), True
                else:
                    pull, hit = struck(world, server, kind, after_s, ANSWERS_S, **environ)
                world.assert_said_once(pull)
                assert told(world, pull) == whole, told(world, pull)
            except (AssertionError, ValueError) as error:
                print(server.said, file=sys.stderr)
                return f"{type(error).__name__}: {error}"
        if not hit and kind not in {*PASSING, TWO}:
            raise AssertionError(f"there is always a {kind}")
        after_s = 0.0
    return ""


def _one_of_two(
    world: World, server: Server, folder: Path, after_s: float, environ: dict[str, str]
) -> tuple[FakePull, bool]:
    """Review a pull request with another server beside the first, and kill the one that works
    `after_s` after it was opened; False where nobody did.
    """
    key = (folder / "rlm" / MARKER_FILE).read_text().strip()
    apart = {"RLM_HOME": str(folder / "second"), "RLM_MARKER_KEY": key}
    with world.serve(**environ, **apart) as other:
        wait_until(lambda: bool(other.ready()["ready"]), lambda: other.said)
        world.think = Coding(ANSWERS_S)
        pull = world.pull()
        assert world.opened(server, pull) == 202
        time.sleep(after_s)
        hit = over = False
        while not (hit or over):
            hit = kill_who_works(world, (server, other))
            over = bool(world.runs()) and world.idle()
        wait_until(lambda: bool(world.runs()) and world.idle(), lambda: other.said, SETTLED_S)
    return pull, hit


def _killer(
    kind: str, database: Postgres | None, redis: RedisServer | None, name: str
) -> Callable[[], None]:
    """Return what kills one of the things that a server works with, and brings it back."""
    if kind == "session" and database is not None:
        return lambda: database.kill_session(name)
    service = redis if kind == "redis" else database
    assert service is not None

    def kill() -> None:
        service.kill()
        service.start()

    return kill


def _struck(world: World, server: Server, after_s: float, kill: Callable[[], None]) -> FakePull:
    """Review a pull request, and kill what the server works with `after_s` after it was opened."""
    world.think = Coding(ANSWERS_S)
    pull = world.pull()
    assert world.opened(server, pull) == 202
    time.sleep(after_s)
    kill()
    world.leave()  # our own session at the database may have ended, too
    wait_until(lambda: bool(world.runs()) and world.idle(), lambda: server.said, SETTLED_S)
    wait_until(lambda: bool(server.ready()["ready"]), lambda: server.said)
    return pull
