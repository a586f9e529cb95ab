"""Work over RQ, with a real Redis: done once, in the store's order, whatever becomes of Redis."""

import json
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import AuthenticationError, ResponseError

import app.store.jobs
from app.queue import (
    NAME,
    PREFIX,
    REDIS_URL,
    Taker,
    connected,
    prefix,
    queue_of,
    release,
    threads_for,
)
from app.store import ENGINE, GITHUB, Job, NewJob, Store
from app.worker import Claims
from reviewer.errors import GiveUp, TellUser
from tests.app.world import wait_until
from tests.redis_server import RedisServer, redis_server

# RQ reads it once, when it is imported.
os.environ.setdefault(PREFIX, prefix(GITHUB))

ACL = (Path(__file__).parents[2] / "deploy/redis.acl").read_text()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "redis") as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "rlm.sqlite3")) as store:
        yield store


def jobs(number: int, keys: int = 1_000) -> list[NewJob]:
    return [NewJob(GITHUB, "look", f"k{n % keys}", str(n)) for n in range(number)]


@contextmanager
def working(
    store: Store, url: str, do: Callable[[Job], None], workers: int = 3, name: str = "a/github"
) -> Iterator[None]:
    """Have threads of one process do the jobs of the github role."""
    stopping = threading.Event()

    def lost(job: Job, error: Exception) -> None:
        raise AssertionError(f"{job} {error}")

    taker = Taker(Claims(store, GITHUB, name), do, lost, stopping)
    threads = threads_for(taker, {REDIS_URL: url, PREFIX: prefix(GITHUB)}, workers)
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in threads)


def test_every_job_is_done_once_by_workers_of_two_processes(
    store: Store, redis: RedisServer
) -> None:
    done: Counter[str] = Counter()

    def do(job: Job) -> None:
        done[job.payload] += 1
        store.done(job)

    store.put(*jobs(100))
    with working(store, redis.url(), do), working(store, redis.url(), do, name="b/github"):
        wait_until(lambda: store.waiting(GITHUB) == 0, lambda: repr(done))
    assert done == Counter(str(n) for n in range(100))


def test_of_one_pull_request_one_thing_is_done_at_a_time(store: Store, redis: RedisServer) -> None:
    at_work: set[str] = set()
    together: list[str] = []

    def do(job: Job) -> None:
        if job.key in at_work:
            together.append(job.key)
        at_work.add(job.key)
        time.sleep(0.005)
        at_work.discard(job.key)
        store.done(job)

    store.put(*jobs(30, keys=2))
    with working(store, redis.url(), do):
        wait_until(lambda: store.waiting(GITHUB) == 0, lambda: "")
    assert together == []


def test_a_redis_that_is_killed_and_emptied_costs_no_job(
    store: Store, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.store.jobs, "RELEASED_S", 0.5)
    done: Counter[str] = Counter()
    killed = threading.Event()

    def do(job: Job) -> None:
        done[job.payload] += 1
        if len(done) == 20:
            redis.kill()
            killed.set()
        store.done(job)

    store.put(*jobs(60))
    with working(store, redis.url(), do):
        assert killed.wait(20)
        wait_until(lambda: len(done) >= 25, lambda: "nothing is done without Redis")
        redis.start()
        wait_until(lambda: store.waiting(GITHUB) == 0, lambda: repr(done))
        store.put(NewJob(GITHUB, "look", "after", "after"))
        wait_until(lambda: done["after"] == 1, lambda: repr(done))
    assert set(done.values()) == {1}
    assert len(done) == 61


def test_workers_that_waited_when_redis_lost_all_are_given_jobs_again(
    store: Store, redis: RedisServer
) -> None:
    done: list[str] = []

    def do(job: Job) -> None:
        done.append(job.payload)
        store.done(job)

    store.put(NewJob(GITHUB, "look", "before", "before"))
    with working(store, redis.url(), do):
        wait_until(lambda: done == ["before"] and store.waiting(GITHUB) == 0, lambda: repr(done))
        time.sleep(0.1)  # now they wait, and nothing but their waiting ends with Redis
        redis.kill()
        redis.start()
        store.put(NewJob(GITHUB, "look", "after", "after"))
        wait_until(lambda: "after" in done, lambda: repr(done), 20)
    assert done == ["before", "after"]


def test_nothing_but_the_registered_job_is_run(
    store: Store, redis: RedisServer, tmp_path: Path
) -> None:
    done: list[str] = []

    def do(job: Job) -> None:
        done.append(job.payload)
        store.done(job)

    queue = queue_of(connected(redis.url()), GITHUB)
    trace = tmp_path / "trace"
    for name, args in (
        ("os.system", [f"touch {trace}"]),
        ("job", [f"touch {trace}"]),
        ("job", [True]),
        ("job", []),
    ):
        queue.enqueue_call(name, tuple(args))
    last = queue.enqueue_call("job", (4_711,))
    last.connection.hset(last.key, "success_callback_name", "os.getcwd")
    store.put(*jobs(1))
    with working(store, redis.url(), do, workers=1):
        wait_until(lambda: done == ["0"] and len(queue) == 0, lambda: repr(done))
    assert not trace.exists()


def test_what_stands_in_redis_is_json_under_the_prefix_of_its_role(
    store: Store, redis: RedisServer
) -> None:
    begun, go = threading.Event(), threading.Event()

    def do(job: Job) -> None:
        begun.set()
        go.wait(20)
        store.done(job)

    client = redis.client
    store.put(*jobs(3))
    with working(store, redis.url(), do, workers=1):
        try:
            assert begun.wait(20)
            wait_until(lambda: len(client.keys("rlm:github:job:*")) >= 2, lambda: "")
            keys = client.keys()
            kept = [client.hgetall(key) for key in client.keys("rlm:github:job:*")]
        finally:
            go.set()
    assert {key.split(b":")[:2] == [b"rlm", b"github"] for key in keys} == {True}
    for fields in kept:
        name, instance, args, kwargs = json.loads(zlib.decompress(fields.pop(b"data")))
        assert (name, instance, kwargs) == (NAME, None, {})
        (number,) = args
        assert type(number) is int
        for value in fields.values():
            value.decode("ascii")  # and no pickle, which begins with a byte beyond
        assert b"octo" not in b"".join(fields.values())


class Touches:
    """Touches a file when somebody unpickles it."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("field", ["data", "meta", "result"])
def test_what_is_pickled_is_not_read(
    store: Store, redis: RedisServer, tmp_path: Path, field: str
) -> None:
    """Whoever may write to Redis may not run code here by it."""
    done: list[str] = []

    def do(job: Job) -> None:
        done.append(job.payload)
        store.done(job)

    trace = tmp_path / "trace"
    pickled = pickle.dumps((NAME, None, (Touches(trace),), {}))
    queue = queue_of(connected(redis.url()), GITHUB)
    theirs = queue.enqueue_call(NAME, (4_711,))
    value = zlib.compress(pickled) if field == "data" else pickled
    redis.client.hset(theirs.key, field, value)
    store.put(*jobs(1))
    with working(store, redis.url(), do, workers=1):
        wait_until(lambda: done == ["0"] and len(queue) == 0, lambda: repr(done))
    assert not trace.exists()
    pickle.loads(pickled)  # had it been read
    assert trace.exists()


def test_an_address_that_a_job_names_is_not_asked(store: Store, redis: RedisServer) -> None:
    done: list[str] = []

    def do(job: Job) -> None:
        done.append(job.payload)
        store.done(job)

    from rq.webhook import Webhook  # after the prefix is set

    queue = queue_of(connected(redis.url()), GITHUB)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        hooks = [Webhook(url, job_status=status) for status in ("finished", "failed")]
        queue.enqueue_call(NAME, (4_711,), webhooks=hooks)
        queue.enqueue_call("os.getcwd", webhooks=hooks)
        store.put(*jobs(1))
        with working(store, redis.url(), do, workers=1):
            wait_until(lambda: done == ["0"] and len(queue) == 0, lambda: repr(done))
        listener.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_no_more_is_released_than_workers_can_do_next(store: Store, redis: RedisServer) -> None:
    begun = threading.Event()
    go = threading.Event()

    def do(job: Job) -> None:
        begun.set()
        go.wait(20)
        store.done(job)

    queue = queue_of(connected(redis.url()), GITHUB)
    store.put(*jobs(20))
    assert release(queue, store, GITHUB) == 0  # there is no worker
    with working(store, redis.url(), do, workers=1):
        assert begun.wait(20)
        time.sleep(0.5)
        assert len(queue) <= 2
        store.put(NewJob(GITHUB, "command", "c", "c", priority=10))
        go.set()
        wait_until(lambda: store.waiting(GITHUB) == 0, lambda: "")


def test_a_worker_that_fell_off_the_list_during_a_long_job_is_on_it_again(
    store: Store, redis: RedisServer
) -> None:
    done: list[str] = []
    listed = f"{prefix(GITHUB)}:workers"

    def do(job: Job) -> None:
        if not done:  # as the others do with whoever has said nothing for a while
            for key in redis.client.keys(f"{listed}*"):
                redis.client.delete(key)
        done.append(job.payload)
        store.done(job)

    with working(store, redis.url(), do, workers=1):
        store.put(*jobs(1))
        wait_until(lambda: len(done) == 1, lambda: repr(done))
        store.put(NewJob(GITHUB, "look", "later", "later"))
        wait_until(lambda: done[-1] == "later", lambda: repr(done))


def test_what_the_queue_was_told_of_is_not_told_again_at_once(store: Store) -> None:
    store.put(*jobs(3, keys=2))
    first = store.release(GITHUB, 10)
    assert [job.payload for job in first] == ["0", "1"]  # the third waits for the first
    assert store.release(GITHUB, 10) == []
    job = store.claim_one(first[0].id, "w", 60)
    assert job is not None and job.attempts == 1
    assert store.claim_one(first[0].id, "v", 60) is None
    store.again(job, "later", 0.0)
    assert [one.id for one in store.release(GITHUB, 1)] == [job.id]
    assert store.claim_one(999, "w", 60) is None


@pytest.mark.parametrize("url", ["http://x", "nonsense", "redis://x:port"])
def test_an_address_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(TellUser, match=REDIS_URL) as told:
        connected(url)
    assert url not in str(told.value)


def test_a_role_works_under_its_own_prefix_alone(store: Store) -> None:
    taker = Taker(Claims(store, ENGINE, "e"), print, print, threading.Event())
    with pytest.raises(GiveUp, match=PREFIX):
        threads_for(taker, {REDIS_URL: "redis://x", PREFIX: prefix(GITHUB)}, 1)


WORKS = """
import sys, threading
from pathlib import Path
from app.queue import *
from app.store import NewJob, Store
from app.worker import Claims
where, url, role = sys.argv[1:]
store, stopping = Store(Path(where)), threading.Event()
store.put(*(NewJob(role, "review", f"k{n}", "{}") for n in range(5)))
taker = Taker(Claims(store, role, f"{role}-1"), store.done, print, stopping)
threads = threads_for(taker, {REDIS_URL: url, PREFIX: prefix(role)}, 1)
[thread.start() for thread in threads]
while store.waiting(role) and all(thread.is_alive() for thread in threads):
    stopping.wait(0.05)
stopping.set()
[thread.join() for thread in threads]
print("left", store.waiting(role))
"""
"""A worker and a dispatcher, as they are in the process of each role."""

USERS = {GITHUB: "rlm-github:CHANGE-ME-1", ENGINE: "rlm-engine:CHANGE-ME-2"}


@pytest.mark.parametrize(("role", "other"), [(GITHUB, ENGINE), (ENGINE, GITHUB)])
def test_the_acl_that_is_shipped_keeps_a_role_to_its_keys(
    tmp_path: Path, role: str, other: str
) -> None:
    with redis_server(tmp_path / "redis", ACL) as redis:
        url = redis.url(USERS[role])
        done = subprocess.run(
            [sys.executable, "-c", WORKS, str(tmp_path / "rlm.sqlite3"), url, role],
            env={**os.environ, PREFIX: prefix(role)},
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        assert done.stdout == "left 0\n"
        assert "does not answer" not in done.stderr and "perm" not in done.stderr.lower()
        with pytest.raises(AuthenticationError):  # nobody without a password
            redis.client.ping()
        with connected(url) as client:
            assert client.ping()
            for command in (
                ("LRANGE", f"rlm:{other}:queue:{other}", "0", "-1"),
                ("RPUSH", f"rlm:{other}:queue:{other}", "x"),
                ("HGETALL", f"rlm:{other}:job:1"),
                ("DEL", f"rlm:{other}:workers"),
                ("RENAME", f"rlm:{role}:x", f"rlm:{other}:x"),
                ("EVAL", "return redis.call('GET', KEYS[1])", "1", f"rlm:{other}:x"),
                ("EVAL", f"return redis.call('GET', 'rlm:{other}:x')", "0"),
                ("GET", "something else"),
                ("PUBLISH", f"rlm:{other}:pubsub:x", "stop"),
                ("SUBSCRIBE", f"rlm:{other}:pubsub:x"),
                ("FLUSHALL",),
                ("CONFIG", "GET", "*"),
                ("ACL", "LIST"),
                ("KEYS", "*"),
                ("SCAN", "0"),
            ):
                with pytest.raises(ResponseError, match=r"permission|can't access"):
                    client.execute_command(*command)
