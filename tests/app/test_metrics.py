"""What Prometheus is told: counts that survive a restart, and the state of the work."""

import re
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from app.measures import (
    CALLS,
    COUNTS,
    DELIVERIES,
    GAUGE_S,
    MEASURES,
    QUEUE_UP,
    RATE_LEFT,
    RUNS,
    SPENT,
    Counts,
)
from app.metrics import ServerCollector, served
from app.store import ENGINE, GITHUB, NewJob, Store
from app.store.tables import MEASURES as MEASURED
from reviewer.errors import RetryLater
from tests.app.test_queue import working
from tests.app.world import World, wait_until
from tests.redis_server import redis_server

Read = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(text: str) -> Read:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def told(store: Store, home: Path) -> Read:
    registry = CollectorRegistry()
    registry.register(ServerCollector(store, home, Counts(), month_usd=100.0))
    return read(generate_latest(registry).decode())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "store.sqlite3")) as store:
        yield store


def test_every_measure_is_there_from_the_start_and_has_few_labels(
    store: Store, tmp_path: Path
) -> None:
    found = told(store, tmp_path)
    for measure in MEASURES:
        if measure.kind == "counter":
            for value in measure.values or ("",):
                labels = ((measure.label, value),) if measure.label else ()
                assert found[f"{measure.name}_total", labels] == 0
    assert found["rlm_store_up", ()] == 1
    assert found["rlm_disk_free_bytes", (("folder", "home"),)] > 0
    assert len(found) < 60


def test_counts_of_several_processes_add_up_and_outlive_them(store: Store, tmp_path: Path) -> None:
    for _ in range(2):
        process = Counts()
        process.add(DELIVERIES, "queued")
        process.add(SPENT, by=0.25)
        process.add(RUNS, "what nobody foresaw: octo/hello#7")
        process.rate(1, 4_000, 5_000)
        process.rate(2, 500, 5_000)
        process.bring(store)
        process.bring(store)  # nothing is counted twice
    found = told(store, tmp_path)
    assert found["rlm_deliveries_total", (("outcome", "queued"),)] == 2
    assert found["rlm_spent_dollars_total", ()] == 0.5
    assert found["rlm_runs_total", (("outcome", "other"),)] == 2
    assert found[RATE_LEFT.name, ()] == 0.1


def test_a_gauge_that_nobody_looks_at_any_more_is_not_told(store: Store, tmp_path: Path) -> None:
    """A server that has no Redis any more has none that is away."""
    process = Counts()
    process.put(QUEUE_UP, "github", 0.0)
    process.put(QUEUE_UP, "what nobody foresaw", 0.0)
    process.bring(store)
    key = QUEUE_UP.name, (("role", "github"),)
    found = told(store, tmp_path)
    assert found[key] == 0 and len([name for name, _ in found if name == QUEUE_UP.name]) == 1
    with store.database.write() as db:
        db.execute(update(MEASURED).values(at=MEASURED.c.at - GAUGE_S - 1))
    assert key not in told(store, tmp_path)


def test_a_redis_that_is_away_shows_in_the_metrics(store: Store, tmp_path: Path) -> None:
    """A real one, that is stopped and started again, as the dispatcher of the github role sees it."""
    up = QUEUE_UP.name, (("role", "github"),)
    errors = "rlm_queue_errors_total", (("role", "github"),)

    def now() -> Read:
        COUNTS.bring(store)
        return told(store, tmp_path)

    with redis_server(tmp_path / "redis") as redis, working(store, redis.url(), store.done, 1):
        wait_until(lambda: now().get(up) == 1, lambda: repr(now()))
        before = now()[errors]
        redis.kill()
        wait_until(lambda: now()[up] == 0, lambda: repr(now()))
        assert now()[errors] > before
        redis.start()
        wait_until(lambda: now()[up] == 1, lambda: repr(now()))


def test_what_could_not_be_brought_is_brought_later(store: Store, tmp_path: Path) -> None:
    class Away:
        def measured(self, _added: object, _put: object) -> None:
            raise RetryLater("busy")

    process = Counts()
    process.add(CALLS, "busy")
    with pytest.raises(RetryLater):
        process.bring(Away())
    process.add(CALLS, "busy")
    process.bring(store)
    assert told(store, tmp_path)["rlm_model_calls_total", (("outcome", "busy"),)] == 2


def test_the_backlog_is_counted_and_only_what_could_be_done_is_old(
    store: Store, tmp_path: Path
) -> None:
    import time

    store.put(
        NewJob(GITHUB, "look", "a", "{}"),
        NewJob(GITHUB, "look", "b", "{}"),
        NewJob(ENGINE, "review", "c", "{}", not_before=time.time() + 600),
    )
    job = store.claim(GITHUB, "w", 60)
    assert job is not None
    store.fail(job, "nobody can")
    store.beat("github", "no key")
    found = told(store, tmp_path)
    assert found["rlm_jobs", (("role", "github"), ("state", "failed"))] == 1
    assert found["rlm_jobs", (("role", "github"), ("state", "waiting"))] == 1
    assert 0 < found["rlm_oldest_job_age_seconds", (("role", "github"),)] < 60
    assert found["rlm_oldest_job_age_seconds", (("role", "engine"),)] == 0
    assert found["rlm_worker_trouble", (("worker", "github"),)] == 1


def test_what_waits_for_something_that_is_away_is_told_for_how_long(
    store: Store, tmp_path: Path
) -> None:
    store.put(NewJob(GITHUB, "look", "a", "{}"), NewJob(ENGINE, "review", "c", "{}"))
    longest = "rlm_longest_outage_seconds"
    assert told(store, tmp_path)[longest, (("role", "github"),)] == 0
    job = store.claim(GITHUB, "w", 60)
    assert job is not None
    store.again(job, "502", 300, counts=False, away=True)
    with store.database.write() as db:
        db.exec_driver_sql("UPDATE jobs SET away_since = away_since - 900 WHERE away_since > 0")
    found = told(store, tmp_path)
    assert 899 < found[longest, (("role", "github"),)] < 960
    assert found[longest, (("role", "engine"),)] == 0
    assert found["rlm_oldest_job_age_seconds", (("role", "github"),)] == 0, "it waits for its time"


def test_a_store_that_is_gone_is_told_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite3")
    with store.database.write() as db:
        db.exec_driver_sql("DROP TABLE measures")
    found = told(store, tmp_path)
    store.close()
    assert found["rlm_store_up", ()] == 0
    assert found["rlm_disk_free_bytes", (("folder", "home"),)] > 0


def test_a_port_that_is_taken_costs_the_metrics_alone(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        served(store, tmp_path, ("127.0.0.1", taken.getsockname()[1])).__enter__()
    assert "no metrics" in caplog.text


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def test_a_review_shows_in_the_metrics_of_the_server_and_not_on_its_public_port(
    tmp_path: Path,
) -> None:
    port = free_port()
    with World(tmp_path) as world, world.serve(RLM_METRICS=str(port)) as server:

        def now() -> Read:
            address = f"http://127.0.0.1:{port}/metrics"
            with urllib.request.urlopen(address, timeout=10) as answer:
                text = answer.read().decode()
            assert "octo" not in text and "hello" not in text
            return read(text)

        world.opened(server, world.pull())
        world.settle()
        # Each process brings what it counted in its own time.
        posted = ("rlm_runs_total", (("outcome", "posted"),))
        answered = ("rlm_model_calls_total", (("outcome", "answered"),))

        def brought() -> bool:
            found = now()
            return found.get(posted) == 1 and found.get(answered, 0) >= 1

        wait_until(brought, lambda: repr(now()))
        found = now()
        assert found["rlm_deliveries_total", (("outcome", "queued"),)] == 1
        assert found["rlm_spent_dollars_total", ()] > 0
        assert 0 < found[RATE_LEFT.name, ()] <= 1
        assert found["rlm_worker_last_seen_timestamp_seconds", (("worker", "engine-1"),)] > 0
        assert server.get("/metrics")[0] == 404


def test_every_metric_has_its_line_and_its_rule_in_the_documentation(
    store: Store, tmp_path: Path
) -> None:
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    table, _, rules = text.partition("```yaml\n")
    groups = yaml.safe_load(rules.partition("```")[0])["groups"]
    said = " ".join(rule["expr"] for rule in groups[0]["rules"])
    assert all(rule["annotations"]["summary"] for rule in groups[0]["rules"])
    store.beat("web")
    store.sweep()
    names = {name for name, _ in told(store, tmp_path) if not name.endswith("_created")}
    names |= {RATE_LEFT.name, QUEUE_UP.name}
    assert {name for name in names if f"`{name}" not in table} == set()
    # What is not counted here is nothing that could be told.
    known = set(re.findall(r"\brlm_[a-z_]+", said))
    assert known - names == set()
    assert names - known == set()
