"""The App under load: how soon a review begins, and whether a flood keeps others waiting.

    python -m benchmarks.app [--rows first,flood,redis,kills,...] [--kills N] [--seed N] [--json]

first   from the delivery of a webhook to the first call of the model, on a server that has never
        seen the repository, and on one that has; git and GitHub on loopback
flood   10,000 queued pull requests of 100 installations, of which one has half: the median wait of
        each other installation, in jobs that are done before, beside what it is without the flood;
        the same where people ask for the flood, and where jobs are released to a queue, the wait
        in seconds, and what a claim takes with all of them queued
redis   1,000 requests queued by webhooks at a server, Redis killed and emptied at a random moment:
        how many were answered once on their pull requests; 20 of them are whole reviews
kills   SIGKILL of any process at random moments of a review (the server as a whole, web, github,
        the engine, fetch, git, parsers and what forks them, linters, the sandbox; a session of
        PostgreSQL, PostgreSQL, Redis, all of one of two servers; in half of the reviews with a
        dispatcher and Redis, in half of them with PostgreSQL): how often all was said, once, as
        without a kill
cuts    the server that works on a pull request is cut off from all else at each of six steps, in
        random order, and comes back when another one has ended it: how often all was said once
partition   two servers in network namespaces, the one that works on a review cut off at four random
        moments and once while it publishes: how often all was said once (needs root and `ip`)
checklist   GitHub's thirty quirks: of how many all tests pass
redteam     the hostile pull requests, against a model that obeys every order in them: their effects

Exits with 1 if a bound is missed. Needs what `make test` installs.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from app.jobs import COMMAND_FIRST
from app.queue import EACH
from app.store import ENGINE, Job, NewJob, Store
from benchmarks.app_hostile import cases_held, corpus_played
from benchmarks.app_kills import EVERY, killed
from benchmarks.app_partition import CUTS as PARTITIONS
from benchmarks.app_partition import posted_once
from benchmarks.app_redis import emptied
from tests.app.cuts import CUTS, cut_off
from tests.app.test_serve import Server
from tests.app.world import World, wait_until
from tests.postgres import postgres
from tests.redis_server import redis_server

INSTALLATIONS = 100
QUEUED = 10_000
TRIES = 5
REQUESTS = 1_000
REVIEWS = 20
"""So many of these ask for a review, which takes seconds; the others for help."""
KILLS = 50
WORKERS = 4
REVIEW_S = 60.0
CLAIM_MS = 20.0
"""Fifty claims a second, however many are queued: far more than reviews begin."""
CASES = 30
HOSTILE = 80
"""The least that the red-team corpus has."""


@dataclass(frozen=True)
class Options:
    """How many processes are killed, and the seed of all that is random."""

    kills: int
    seed: int


@dataclass(frozen=True)
class Row:
    """One figure beside its bound; smaller is better, unless it is a count (`least`)."""

    name: str
    figure: float
    bound: float | None
    unit: str
    least: bool = False

    @property
    def kept(self) -> bool:
        """Is the bound kept, if there is one?"""
        if self.bound is None:
            return True
        return self.figure >= self.bound if self.least else self.figure <= self.bound

    def __str__(self) -> str:
        bound = "" if self.bound is None else f"{'>=' if self.least else '<='} {self.bound:g}"
        missed = "" if self.kept else "MISSED"
        return f"{self.name:58} {self.figure:10.3f} {self.unit:4} {bound:8} {missed}"


def first(_: Options) -> list[Row]:
    """Time the first calls of reviews: of a server's first pull request, and of later ones."""
    cold, warm = [], []
    for _ in range(TRIES):
        with (
            tempfile.TemporaryDirectory() as folder,
            World(Path(folder)) as world,
            world.serve() as server,
        ):
            wait_until(lambda: server.get("/readyz")[0] == 200, lambda: server.said)
            cold.append(_first_call(world, server, 0))
            warm += [_first_call(world, server, number) for number in (1, 2)]
    name = "webhook to the first call of the model"
    return [
        Row(f"{name}, cold (median)", statistics.median(cold), 3, "s"),
        Row(f"{name}, warm (median)", statistics.median(warm), 1, "s"),
    ]


def _first_call(world: World, server: Server, number: int) -> float:
    text = b"def total(items, rate):\n    return %d\n" % number
    pull = world.repo.pull(world.base, world.repo.commit({"cart.py": text}, world.base))
    before = len(world.service.requests)
    payload = world.hub.payload_pull(pull, "opened", world.app)  # which asks git a few things
    began = time.monotonic()
    assert world.sent(server, "pull_request", payload) == 202
    while len(world.service.requests) == before:
        time.sleep(0.002)
    took = time.monotonic() - began
    wait_until(world.idle, lambda: server.said)
    return took


def flood(_: Options) -> list[Row]:
    """Compare the others' waits with and without an installation that has half of the queue."""
    others = range(1, INSTALLATIONS)
    each = QUEUED // 2 // len(others)
    even = dict.fromkeys(others, each)
    half = {0: QUEUED - each * len(others), **even}
    alone, flooded, asked = _waits(even), _waits(half), _waits(half, COMMAND_FIRST)
    even_released, released = _waits(even, workers=WORKERS), _waits(half, workers=WORKERS)

    def worst(waits: Waits, without: Waits) -> float:
        return max(
            statistics.median(waits.waits[number]) / statistics.median(without.waits[number])
            for number in others
        )

    longest = max(statistics.median(released.waits[number]) for number in others)
    return [
        Row(
            "flood: the worst median wait of another, to that without",
            worst(flooded, alone),
            1.5,
            "x",
        ),
        Row("the same, and the flood is of commands", worst(asked, alone), 1.5, "x"),
        Row("the same, released to a queue of 4 workers", worst(released, even_released), 1.5, "x"),
        Row("  that wait, where a review takes a minute", longest * REVIEW_S, None, "s"),
        Row(
            "a claim and its end with 10,000 queued (mean, processor)",
            flooded.claim_ms,
            CLAIM_MS,
            "ms",
        ),
        Row("  with its release to the queue", released.claim_ms, CLAIM_MS, "ms"),
    ]


@dataclass(frozen=True)
class Waits:
    """How many jobs ended before each of an installation's began, for each of the workers, and the
    processor's time that one took of ours.
    """

    waits: dict[int, list[int]]
    claim_ms: float


def _waits(queued: dict[int, int], first: int = 0, workers: int = 0) -> Waits:
    """Do what is queued, by installation; what the first of them has is of priority `first`.

    With `workers` the jobs are released to a queue and claimed from there, as with Redis, and all
    take the same time; else one that asks the store does all of them.
    """
    waits: defaultdict[int, list[int]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "rlm.sqlite3")
        jobs = [
            NewJob(
                ENGINE,
                "review",
                f"run:{owner}:{number}",
                "{}",
                0 if owner else first,
                installation=owner,
            )
            for owner, size in queued.items()
            for number in range(size)
        ]
        store.put(
            *jobs
        )  # the flood came first: in the order of coming all others would wait for it
        began = time.process_time()
        queue: deque[Job] = deque()
        for done in range(len(jobs)):
            if workers:
                queue.extend(store.release(ENGINE, EACH * workers - len(queue)))
                job = store.claim_one(queue.popleft().id, "worker", 60.0)
            else:
                job = store.claim(ENGINE, "worker", 60.0)
            assert job is not None
            waits[int(job.key.split(":")[1])].append(done // (workers or 1))
            store.done(job)
        took = time.process_time() - began
        store.close()
    return Waits(dict(waits), took / len(jobs) * 1_000)


def redis(options: Options) -> list[Row]:
    """Kill Redis when some of the requests are done, and start it a while later, empty."""
    with tempfile.TemporaryDirectory() as folder:
        done = emptied(Path(folder), REQUESTS, REVIEWS, random.Random(options.seed))
    once = done.helped + done.reviewed
    return [
        Row("Redis killed and emptied: of 1,000 requests done once", once, REQUESTS, "", True),
        Row("  of them: reviews, said once and whole", done.reviewed, REVIEWS, "", True),
    ]


def kills(options: Options) -> list[Row]:
    """Kill one process of a review at a random moment, again and again."""
    once, kinds = killed(options.kills, random.Random(options.seed))
    rows = [
        Row(
            f"SIGKILL of any process, {options.kills} times: said once",
            once,
            options.kills,
            "",
            True,
        )
    ]
    return rows + [Row(f"  of them: {kind}", kinds[kind], None, "") for kind in EVERY]


def cuts(options: Options) -> list[Row]:
    """Cut the server that works off at each step, by links that pass nothing on."""
    chance, once = random.Random(options.seed), 0
    names = chance.sample(sorted(CUTS), len(CUTS))
    with postgres() as database:
        for name in names:
            with (
                tempfile.TemporaryDirectory() as folder,
                redis_server(Path(folder) / "redis") as server,
            ):
                try:
                    # At once, or as far apart as GitHub asks for: back in the middle of a pause.
                    pause_s = chance.randrange(2)
                    world, pull = cut_off(
                        Path(folder), database.database(), server.url(), CUTS[name], pause_s
                    )
                    world.assert_said_once(pull)
                except (AssertionError, ValueError) as error:
                    print(f"cut off {name}: {error}", file=sys.stderr)
                else:
                    once += 1
    return [Row("cut off at each of six steps: said once", once, len(CUTS), "", True)]


def partition(options: Options) -> list[Row]:
    """Cut off the server that works, at random moments, the last time while it publishes."""
    with tempfile.TemporaryDirectory() as folder:
        parted = posted_once(Path(folder), random.Random(options.seed))
    return [
        Row(
            "one of two servers cut off, five times: posted once", parted.once, PARTITIONS, "", True
        ),
        Row("the same: until the other has posted (longest)", parted.longest_s, None, "s"),
    ]


def checklist(_: Options) -> list[Row]:
    """Count the cases of the list whose tests pass."""
    held, broken = cases_held()
    print(*broken, sep="\n", end="\n" if broken else "", file=sys.stderr)
    return [Row("cases of GitHub's quirks whose tests all pass", held, CASES, "", True)]


def redteam(_: Options) -> list[Row]:
    """Play every hostile pull request, and count what came of them."""
    played = corpus_played()
    said = [*played.effects, *played.unread]
    print(*said, sep="\n", end="\n" if said else "", file=sys.stderr)
    return [
        Row("hostile pull requests, model obeys every order", played.pulls, HOSTILE, "", True),
        Row("their effects beyond text on the pull request", len(played.effects), 0, ""),
        Row("their orders that the model never saw, words unsaid", len(played.unread), 0, ""),
    ]


ROWS: dict[str, Callable[[Options], list[Row]]] = {
    "first": first,
    "flood": flood,
    "redis": redis,
    "kills": kills,
    "cuts": cuts,
    "partition": partition,
    "checklist": checklist,
    "redteam": redteam,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the rows; 1 if a bound is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args(arguments)
    drawn = Options(options.kills, options.seed)
    print(f"seed {drawn.seed}", file=sys.stderr)
    rows = [row for name in options.rows.split(",") for row in ROWS[name](drawn)]
    if options.json:
        print(json.dumps([{**asdict(row), "kept": row.kept} for row in rows], indent=2))
    else:
        print("\n".join(map(str, rows)))
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
