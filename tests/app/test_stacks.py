"""What the store knows of plans and of stacked pull requests, in both databases."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.jobs import Wish, step
from app.store import GITHUB, PUBLISH, NewRun, Plan, Stacked, Store
from tests.postgres import Postgres, postgres

MADE = Stacked("r1", 7, 1, 5, "rlm/refactor-1", "a" * 40, "refactor")
PLAN = Plan("p1", 1, 7, "octo/hello", 1, 99, "d", "waiting", 100.0)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture(params=["file", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    where: Path | str = tmp_path / "rlm.sqlite3"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("server")
        where = server.database()
    with closing(Store(where)) as store:
        yield store


def test_a_stacked_pull_request_is_known_by_both_its_numbers(store: Store) -> None:
    store.note(MADE)
    time.sleep(0.01)
    store.note(replace(MADE, run="r2", stacked=6, task="fix"))
    store.note(replace(MADE, head="b" * 40))
    assert [one.run for one in store.stacked_of(7, 1)] == ["r2", "r1"]
    assert store.stacked_of(7, 2) == store.stacked_of(8, 1) == []
    assert store.by_stacked(7, 5) == replace(MADE, head="b" * 40)
    assert store.by_stacked(7, 1) is None
    store.update("r1", rounds=1, head="c" * 40)
    store.update("r1", state="undone", undone_by=12)
    store.update("r1")
    undone = replace(MADE, head="c" * 40, rounds=1, state="undone", undone_by=12)
    assert store.by_stacked(7, 5) == undone
    store.update("r1", state="merged")
    merged = store.by_stacked(7, 5)
    assert merged is not None and merged.state == "merged"
    store.update("r1", state="undone")
    # A repetition after a kill does not open it again.
    store.note(MADE)
    known = store.by_stacked(7, 5)
    assert known is not None and (known.state, known.rounds) == ("undone", 1)


def test_a_plan_waits_until_it_is_decided_on(store: Store) -> None:
    store.propose(PLAN)
    assert store.plan("p1") == PLAN
    other = replace(PLAN, run="p3", number=2)
    store.propose(other)
    store.propose(replace(PLAN, run="p2", since=200.0))
    assert store.plan("p1") == replace(PLAN, state="over"), "the newer one takes its place"
    store.propose(replace(PLAN, digest="other"))
    assert [one.run for one in store.plans_of(7, 1)] == ["p2", "p1"]
    assert [one.run for one in store.waiting_plans(150.0)] == ["p2"]
    store.decide("p2", "started")
    store.decide("p2", "over")
    known = store.plan("p2")
    assert known is not None and known.state == "started"
    assert store.waiting_plans(0.0) == [other]
    store.forget_plans(150.0)
    assert store.plan("p1") is None and store.plan("p2") is not None


def test_what_was_written_is_kept_with_its_run_and_forgotten_with_its_installation(
    store: Store,
) -> None:
    wish = Wish(trigger="command", task="refactor", instruction="x").model_dump_json()
    run = NewRun("r1" * 8, 1, 7, "octo/hello", 1, "o", wish, "b" * 40, "a" * 40, "refactor")
    store.begin(run, step(PUBLISH, run))
    job = store.claim(GITHUB, "github", 60)
    assert job is not None
    store.reviewed(job, run.id, step(PUBLISH, run), report='{"task": "refactor"}')
    last = store.claim(GITHUB, "github", 60)
    assert last is not None
    store.ended(last, run.id, "planned")
    assert store.result(run.id) == '{"task": "refactor"}'
    assert store.result("nobody") == ""
    store.note(MADE)
    store.propose(PLAN)
    store.forget_installation(1)
    assert store.stacked_of(7, 1) == store.plans_of(7, 1) == []
    assert store.result(run.id) == ""
