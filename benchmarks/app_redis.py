"""Redis killed and emptied with a thousand requests queued, at a server that really does them.

A request is a person's comment on a pull request of its own, which a webhook brings: most of them
ask for help, which is a job of the github role with the questions and the answer at GitHub; the
others for a review, with all that it has. What was done is what stands on the pull requests.
"""

import os
import random
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from app.queue import REDIS_URL
from tests.app.world import FLAWED, World, wait_until
from tests.github.hub import FakePull
from tests.redis_server import redis_server

SETTLED_S = 3_600.0
AT_ONCE = 8
"""Webhooks on their way at one time."""


@dataclass(frozen=True)
class Done:
    """How many requests were answered once, and how many of the reviews among them said once."""

    helped: int
    reviewed: int


def emptied(folder: Path, requests: int, reviews: int, chance: random.Random) -> Done:
    """Queue so many requests, kill Redis when some of them are done, start it a while later, empty,
    and count what stands there once in the end.
    """
    first, away_s = chance.randrange(requests), chance.uniform(0.0, 5.0)
    print(f"redis: killed after {first} requests, away for {away_s:.1f} s", file=sys.stderr)
    with (
        redis_server(folder / "redis") as redis,
        World(folder) as world,
        world.serve(**{REDIS_URL: redis.url()}) as server,
    ):
        wait_until(lambda: bool(server.ready()["ready"]), lambda: server.said)
        every = [_pull(world, number, asks=number < reviews) for number in range(requests)]
        chance.shuffle(every)
        asked = [(pull, pull.comment("alice", _words(pull))) for pull in every]
        # The role that does them waits until all are queued.
        os.kill(server.pids["github"], signal.SIGSTOP)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            payloads = [world.hub.payload_comment(comment, world.app) for _, comment in asked]
            statuses = Counter(
                threads.map(lambda one: world.sent(server, "issue_comment", one), payloads)
            )
        assert statuses == {202: requests}, statuses
        os.kill(server.pids["github"], signal.SIGCONT)
        wait_until(lambda: _answered(world, every) >= first, lambda: server.said, SETTLED_S)
        redis.kill()
        print(f"redis: gone with {_answered(world, every)} answered", file=sys.stderr)
        time.sleep(away_s)
        redis.start()
        wait_until(
            lambda: world.idle() and _answered(world, every) >= requests,
            lambda: f"{_answered(world, every)} answered\n{server.said}",
            SETTLED_S,
        )
        assert server.end() == 0  # it has said whatever it had to say
        return Done(
            sum(len(world.ours(pull)) == 1 for pull in every if not _is_review(pull)),
            sum(_said_once(world, pull) for pull in every if _is_review(pull)),
        )


def _pull(world: World, number: int, *, asks: bool) -> FakePull:
    """Open a pull request with the flaw, at a head of its own where a review is asked for."""
    head = world.head
    if asks:
        head = world.repo.commit({**FLAWED, "notes.md": b"%d\n" % number}, world.base)
    return world.repo.pull(world.base, head, title="A review" if asks else "A question")


def _is_review(pull: FakePull) -> bool:
    return pull.title == "A review"


def _words(pull: FakePull) -> str:
    return "/rlm review" if _is_review(pull) else "/rlm help"


def _answered(world: World, every: list[FakePull]) -> int:
    return sum(bool(world.ours(pull)) for pull in every)


def _said_once(world: World, pull: FakePull) -> bool:
    try:
        world.assert_said_once(pull)
    except (AssertionError, ValueError) as error:
        print(f"review of {pull.number}: {type(error).__name__}: {error}", file=sys.stderr)
        return False
    return True
