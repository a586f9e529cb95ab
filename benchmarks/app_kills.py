"""SIGKILL of any process of a review, at random moments: what stands on the pull request then?"""

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from app.queue import REDIS_URL
from tests.app.kills import Coding, struck, told
from tests.app.victims import KINDS, PASSING
from tests.app.world import World, wait_until
from tests.redis_server import redis_server

ANSWERS_S = 0.3
"""What the model takes for each answer: a review that waits for nothing is hard to hit."""

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
    for one, kind in zip(range(number), _every_kind(chance), strict=False):
        after_s = chance.uniform(0.0, LASTS_S.get(kind, lasts_s))
        problem = _problem(kind, after_s, whole, with_redis=chance.random() < 0.5)
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
        yield from chance.sample(KINDS, len(KINDS))


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


def _problem(kind: str, after_s: float, whole: str, *, with_redis: bool) -> str:
    """Kill one process in one review; say what is wrong with what stands there, "" if nothing."""
    hit = False
    while not hit:  # what comes and goes may be gone by then: the next one is taken at once
        with ExitStack() as held:
            folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
            environ = {}
            if with_redis:
                redis = held.enter_context(redis_server(folder / "redis"))
                environ[REDIS_URL] = redis.url()
            world = held.enter_context(World(folder))
            server = held.enter_context(world.serve(**environ))
            wait_until(lambda: bool(server.ready()["ready"]), lambda: server.said)  # noqa: B023
            try:
                pull, hit = struck(world, server, kind, after_s, ANSWERS_S, **environ)
                world.assert_said_once(pull)
                assert told(world, pull) == whole, told(world, pull)
            except (AssertionError, ValueError) as error:
                print(server.said, file=sys.stderr)
                return f"{type(error).__name__}: {error}"
        if not hit and kind not in PASSING:
            raise AssertionError(f"there is always a {kind}")
        after_s = 0.0
    return ""
