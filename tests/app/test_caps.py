"""Caps of a pull request and of a month: what is in use counts, and who can raise them is told."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, select, update

from app.measures import Counts
from app.metrics import ServerCollector
from app.store import ENGINE, GITHUB, PUBLISH, REVIEW, Job, NewJob, NewRun, Store, spending
from app.store.spending import Caps, Reached
from app.store.tables import CARRIED, SPENDING
from tests.app.world import World, wait_until


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "store.sqlite3")) as store:
        yield store


def begun(
    store: Store, name: str, *, number: int = 7, repository: int = 5, installation: int = 1
) -> Job:
    run = NewRun(
        name, installation, repository, "octo/hello", number, name, "{}", "b" * 40, "a" * 40
    )
    assert store.begin(run, NewJob(ENGINE, REVIEW, f"run:{name}", "{}"))
    job = store.claim(ENGINE, "engine-1", 60)
    assert job is not None
    return job


def done(store: Store, job: Job, name: str, usd: float | None) -> None:
    store.reviewed(job, name, NewJob(GITHUB, PUBLISH, "k", "{}"), report="{}", usd=usd, calls=1)


def test_without_caps_a_run_has_its_own_budget(store: Store) -> None:
    begun(store, "one")
    assert store.reserve("one", Caps(2.0)) == 2.0
    assert store.reserve("one", Caps()) is None


def test_runs_at_one_time_cannot_pass_a_cap_together(store: Store) -> None:
    caps = Caps(run=2.0, pull=3.0, month=100.0)
    first = begun(store, "first")
    begun(store, "second")
    begun(store, "third")
    assert store.reserve("first", caps) == 2.0
    assert store.reserve("second", caps) == 1.0
    assert store.reserve("third", caps) == Reached("pull", 3.0, 3.0)
    assert store.reserve("first", caps) == 2.0  # taken up again, it has its own back
    done(store, first, "first", 0.5)
    assert store.reserve("third", caps) == 1.5
    assert store.spent_by_pull(5, 7) == 3.0


def test_a_month_is_counted_over_all_pull_requests_of_one_installation(store: Store) -> None:
    caps = Caps(run=2.0, month=3.0)
    done(store, begun(store, "first", number=1), "first", 2.5)
    begun(store, "second", number=2)
    begun(store, "theirs", number=3, installation=2)
    assert store.reserve("second", caps) == 0.5
    assert store.reserve("theirs", caps) == 2.0
    assert store.spent_this_month(1) == 3.0


def test_how_much_of_a_month_is_used_is_told_where_it_is_most(store: Store, tmp_path: Path) -> None:
    def told(cap: float | None) -> dict[str, float]:
        found = ServerCollector(store, tmp_path, Counts(), cap).collect()
        return {one.name: one.value for family in found for one in family.samples}

    assert told(5.0)["rlm_month_budget_used_ratio"] == 0.0
    caps = Caps(2.0, None, 3.0)
    done(store, begun(store, "first", number=1), "first", 1.5)
    begun(store, "second", number=2)
    begun(store, "theirs", number=3, installation=2)
    assert store.reserve("second", caps) == 1.5
    assert store.reserve("theirs", caps) == 2.0
    assert told(5.0)["rlm_month_budget_used_ratio"] == 0.6
    assert "rlm_month_budget_used_ratio" not in told(None)


def test_a_new_month_begins_with_nothing_and_what_is_taken_out_stays_counted(
    store: Store,
) -> None:
    caps = Caps(run=2.0, month=2.0)
    done(store, begun(store, "first"), "first", 2.0)
    store.forget_installation(1, [5])
    begun(store, "second")
    assert store.reserve("second", caps) == Reached("month", 2.0, 2.0)
    with store.database.write() as db:
        db.execute(update(SPENDING).values(month="2001-01"))
    assert store.reserve("second", caps) == 2.0


def test_to_install_the_app_again_begins_no_new_month(store: Store) -> None:
    """GitHub gives it another number; the repositories keep theirs."""
    caps = Caps(run=2.0, month=3.0)
    done(store, begun(store, "first"), "first", 2.5)
    begun(store, "open")
    assert store.reserve("open", caps) == 0.5
    store.forget_installation(1)
    assert store.installations() == set()
    begun(store, "again", installation=2)
    assert store.spent_this_month(2) == store.most_this_month() == 3.0
    assert store.reserve("again", caps) == Reached("month", 3.0, 3.0)
    store.forget_installation(2)
    begun(store, "third", installation=3)
    assert store.reserve("third", caps) == Reached("month", 3.0, 3.0), "and not twice as much"
    begun(store, "others", repository=6, installation=4)
    assert store.reserve("others", caps) == 2.0
    with store.database.write() as db:
        db.execute(update(CARRIED).values(month="2001-01"))
    assert store.reserve("third", caps) == 2.0
    store.forget_installation(3)
    with store.database.read() as db:
        assert {row.month for row in db.execute(select(CARRIED))} == {
            time.strftime("%Y-%m", time.gmtime())
        }


def test_each_repository_takes_with_it_what_it_cost(store: Store) -> None:
    done(store, begun(store, "dear"), "dear", 3.0)
    done(store, begun(store, "cheap", repository=6), "cheap", 1.0)
    store.forget_installation(1)
    begun(store, "one", installation=2)
    begun(store, "two", repository=6, installation=3)
    assert (store.spent_this_month(2), store.spent_this_month(3)) == (3.0, 1.0)


def test_what_a_run_without_a_result_had_reserved_counts_as_spent(store: Store) -> None:
    job = begun(store, "first")
    store.reserve("first", Caps(run=1.5, month=10.0))
    store.ended(job, "first", "stopped: somebody wanted it")
    assert store.spent_this_month(1) == 1.5
    assert store.spent_by_pull(5, 7) == 1.5


def test_a_pull_request_whose_cap_is_reached_is_told_who_can_raise_it(tmp_path: Path) -> None:
    with World(tmp_path) as world, world.serve(RLM_PULL_BUDGET="0.02") as server:
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        with world.store.database.write() as db:  # a review this small costs less than a cent
            db.exec_driver_sql("UPDATE runs SET usd = 0.02")
        asked = len(world.service.requests)
        world.commented(server, pull, "alice", "/rlm review")
        world.settle(runs=2)
        assert len(world.service.requests) == asked
        text = world.ours(pull)[-1]
        assert "the cap of this pull request is reached: $0.02 of $0.02" in text.replace("\\", "")
        assert "RLM_PULL_BUDGET" in text.replace("\\", "")
        check = world.repo.check_runs[-1]
        assert check.conclusion == "neutral" and "cap of this pull request" in (check.summary or "")


def test_spend_is_shown_against_the_caps(tmp_path: Path) -> None:
    caps = {"RLM_PULL_BUDGET": "3", "RLM_MONTH_BUDGET": "50"}
    with World(tmp_path) as world, world.serve(**caps) as server:
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        world.commented(server, pull, "alice", "/rlm cost")
        wait_until(lambda: world.idle() and len(world.ours(pull)) == 2, lambda: server.said)
        text = world.ours(pull)[-1].replace("\\", "")
        assert "of $3.00 on one pull request" in text
        assert "of $50.00 in this installation this month" in text


def test_what_a_run_that_was_lost_had_reserved_counts_too(store: Store) -> None:
    caps = Caps(run=10.0, pull=20.0)
    for name in ("first", "second"):
        job = begun(store, name)
        assert store.reserve(name, caps) == 10.0
        then = NewJob(GITHUB, PUBLISH, f"k{name}", "{}")
        store.reviewed(job, name, then, problem="out of memory", settled=False)
    begun(store, "third")
    assert store.reserve("third", caps) == Reached("pull", 20.0, 20.0)
    assert store.spent_this_month(1) == 20.0


def test_a_run_that_reserved_nothing_costs_nothing_however_it_ends(store: Store) -> None:
    job = begun(store, "first")
    store.reviewed(job, "first", NewJob(GITHUB, PUBLISH, "k", "{}"), problem="x", settled=False)
    assert store.spent_this_month(1) == 0.0


def test_a_month_is_summed_in_one_look(store: Store) -> None:
    asked: list[str] = []
    with store.database.read() as db:
        event.listen(db, "before_cursor_execute", lambda *a: asked.append(str(a[2])))
        assert spending._of_month(db, 1) == 0.0
    sums = [one for one in asked if "usd" in one]
    assert len(sums) == 1  # what is settled between two looks would be in neither


DAY_S = 86_400.0
NOVEMBER = 1_795_824_000.0  # the 28th, in 2026


class Clock:
    """The clock of this machine, until the test ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
        self.now, self._store = NOVEMBER, store
        monkeypatch.setattr(time, "time", lambda: self.now)

    def says(self, days: float) -> None:
        """Have it say the 28th of November, so many days later; a round of removing goes by it."""
        self.now = NOVEMBER + days * DAY_S
        self._store.sweep()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, store: Store) -> Clock:
    return Clock(monkeypatch, store)


FULL = Reached("month", 3.0, 3.0)
CAPS = Caps(run=2.0, month=3.0)


def spend(store: Store, name: str, usd: float) -> float | Reached | None:
    """Spend it in a run, if that is permitted; return what is reserved for it."""
    job = begun(store, name)
    reserved = store.reserve(name, CAPS)
    done(store, job, name, usd if isinstance(reserved, float) else 0.0)
    published = store.claim(GITHUB, "github", 60)
    assert published is not None
    store.ended(published, name, "posted")
    return reserved


def test_a_clock_that_leaps_ahead_begins_no_month_before_it_has_lasted(
    store: Store, clock: Clock
) -> None:
    clock.says(0)
    assert (spend(store, "one", 2.0), spend(store, "two", 1.0)) == (2.0, 1.0)
    for days in (31, 31.5, 400, 0.1, 30, 30.9):
        clock.says(days)
        assert spend(store, f"at-{days}", 1.0) == FULL, days
        assert store.spent_this_month(1) == store.most_this_month() == 3.0
    clock.says(31.1)  # it has lasted for a day
    assert spend(store, "december", 2.0) == 2.0
    assert store.spent_this_month(1) == store.most_this_month() == 2.0


def test_a_clock_that_goes_back_brings_no_month_again(store: Store, clock: Clock) -> None:
    clock.says(-30)
    assert (spend(store, "one", 2.0), spend(store, "two", 1.0)) == (2.0, 1.0)  # in October
    for day in range(-29, 1):
        clock.says(day)  # and so it becomes November
    assert spend(store, "three", 2.0) == 2.0
    for days in (-30, -31, -400):
        clock.says(days)
        assert store.spent_this_month(1) == store.most_this_month() == 2.0
    assert spend(store, "back", 1.0) == 1.0
    assert spend(store, "more", 1.0) == FULL
    clock.says(0)
    assert spend(store, "right", 1.0) == FULL
    with store.database.read() as db:
        spent = {row.month: row.usd for row in db.execute(select(SPENDING))}
    assert spent == {"2026-10": 3.0, "2026-11": 3.0}


def test_a_leap_that_was_believed_brings_one_months_money_once(store: Store, clock: Clock) -> None:
    clock.says(0)
    assert spend(store, "one", 2.0) == 2.0
    clock.says(10)
    clock.says(10.9)
    clock.says(11.1)  # believed: it is December
    assert (spend(store, "two", 2.0), spend(store, "three", 1.0)) == (2.0, 1.0)
    clock.says(0.2)  # set right
    assert spend(store, "four", 1.0) == FULL
    over = Reached("month", 3.0, 5.0)
    for days, reached in ((1, FULL), (1.5, over), (2.2, over), (2.9, over)):
        clock.says(days)
        assert spend(store, f"at-{days}", 1.0) == reached, days
    with store.database.read() as db:
        spent = {row.month: row.usd for row in db.execute(select(SPENDING))}
    assert spent == {"2026-11": 5.0}, "all of it counts in the month in which it was spent"
    clock.says(3)
    assert spend(store, "december", 2.0) == 2.0


def test_a_year_ahead_blocks_nobody_for_a_year(store: Store, clock: Clock) -> None:
    clock.says(0)
    for days in (365, 365.5, 366.1):  # a wrong clock that goes on is believed
        clock.says(days)
    assert (spend(store, "ahead", 2.0), spend(store, "too", 1.0)) == (2.0, 1.0)
    clock.says(2.5)  # set right
    assert spend(store, "right", 1.0) == FULL
    store.forget_installation(1)
    begun(store, "again", installation=2)
    assert store.reserve("again", CAPS) == FULL, "nor is it had by installing the App again"
    for days in (3, 3.4):  # December has begun; not before a day is the clock taken for right
        clock.says(days)
        assert store.reserve("again", CAPS) == FULL
    clock.says(3.6)
    assert store.reserve("again", CAPS) == 2.0
    with store.database.read() as db:
        assert db.execute(select(CARRIED)).all() == [], "that of November is over"


def test_a_clock_that_is_behind_for_days_gives_no_money_again(store: Store, clock: Clock) -> None:
    clock.says(3)
    assert (spend(store, "one", 2.0), spend(store, "two", 1.0)) == (2.0, 1.0)
    for days in (-40, -39.5, -38.9, -38.8, 3.5, 4, 4.6, 5.2):  # October, and set right
        clock.says(days)
        assert spend(store, f"at {days}", 1.0) == FULL
    with store.database.read() as db:
        assert {row.month: row.usd for row in db.execute(select(SPENDING))} == {"2026-12": 3.0}


def test_a_clock_behind_another_for_an_hour_moves_no_money(store: Store, clock: Clock) -> None:
    clock.says(3)
    assert (spend(store, "one", 2.0), spend(store, "two", 1.0)) == (2.0, 1.0)
    for _ in range(30):  # two servers, of which one still has November
        clock.says(3)
        clock.says(2.99)
        clock.now += 7_200.0
        assert store.spent_this_month(1) == 3.0
    with store.database.read() as db:
        assert {row.month: row.usd for row in db.execute(select(SPENDING))} == {"2026-12": 3.0}


def test_a_month_begins_when_it_does_where_somebody_is_at_work(store: Store, clock: Clock) -> None:
    clock.says(2)
    assert (spend(store, "one", 2.0), spend(store, "two", 1.0)) == (2.0, 1.0)
    clock.now += DAY_S - 1  # the last second of November
    assert spend(store, "three", 1.0) == FULL
    clock.now += 1
    assert spend(store, "four", 1.0) == 2.0


def test_a_repository_taken_out_during_its_review_stays_counted(store: Store) -> None:
    begun(store, "first")
    assert store.reserve("first", Caps(run=2.0, month=3.0)) == 2.0
    store.forget_installation(1, [5])
    assert store.spent_this_month(1) == 2.0
