"""What the pages read from the store, in a file and in PostgreSQL."""

import time

from sqlalchemy import update

from app.jobs import step
from app.store import OPEN, NewRun, Store, Told
from app.store.tables import FINDINGS, RUNS
from app.web.records import DAY_S, DAYS, Records
from tests.app.test_store import server, store, where

__all__ = ["server", "store", "where"]

WISH = '{"trigger": "opened"}'

NOON = 1_795_780_800.0  # 2026-11-27 12:00 UTC
A, B, C, D = (letter * 12 for letter in "abcd")


def full(name: str) -> str:
    """Return a name as runs have them."""
    return name.ljust(12, "0")


def begun(store: Store, name: str, repository: int, days_ago: float, usd: float | None) -> None:
    name = full(name)
    run = NewRun(name, 1, repository, "octo/hello", 1, name, WISH, "b", "h")
    assert store.begin(run, step(OPEN, run))
    with store.database.write() as db:
        changed = {"created": NOON - days_ago * DAY_S, "usd": usd, "calls": 3}
        db.execute(update(RUNS).where(RUNS.c.id == name).values(**changed))


def test_spend_is_counted_by_day_and_by_repository(store: Store) -> None:
    records = Records(store.database)
    begun(store, "today", 7, 0, 0.5)
    begun(store, "midnight", 7, 0.5, 0.25)
    begun(store, "before", 7, 0.51, 1.0)
    begun(store, "unpriced", 7, 1, None)
    begun(store, "old", 7, DAYS + 1, 9.0)
    begun(store, "other", 8, 0, 4.0)
    days = records.days([7], NOON)
    assert len(days) == DAYS and days[-1].date == "2026-11-27"
    assert [(one.runs, one.usd, one.unpriced) for one in days[-2:]] == [(2, 1.0, 1), (2, 0.75, 0)]
    assert sum(one.runs for one in days) == 4
    sums = records.sums([7, 8, 9], NOON)
    assert (sums[7].runs, sums[7].usd, sums[7].dearest, sums[7].unpriced) == (4, 1.75, 1.0, 1)
    assert sums[8].usd == 4.0 and 9 not in sums
    assert records.days([], NOON)[0].runs == 0


def test_runs_are_listed_newest_first_and_in_pages(store: Store) -> None:
    records = Records(store.database)
    for at in range(5):
        begun(store, f"run{at}", 7, 0, 0.1)
    first, more = records.runs_in([7], limit=3)
    assert ([one.id for one in first], more) == ([*map(full, ("run4", "run3", "run2"))], True)
    rest, more = records.runs_in([7], before=first[-1].seq, limit=3)
    assert ([one.id for one in rest], more) == ([full("run1"), full("run0")], False)
    assert [one.id for one in records.runs_of(7, 1, limit=2)] == [full("run4"), full("run3")]
    assert records.run(full("run1")) is not None and records.run("none") is None
    assert records.step(full("run1")) == ("open", False) and records.step(full("none")) is None


def test_what_becomes_of_a_finding_goes_on_and_never_back_by_itself(store: Store) -> None:
    records = Records(store.database)

    def states() -> dict[tuple[str, str], int]:
        return {(severity, state): n for severity, state, n in records.severities([7])}

    store.told(7, 1, "run1", [Told(A, "high", "tests"), Told(B, "low", "tests")])
    store.told(7, 1, "run1", [Told(A, "high", "tests"), Told(B, "low", "tests")])  # after a kill
    assert states() == {("high", "open"): 1, ("low", "open"): 1}
    store.told(7, 1, "run2", [Told(A, "", "", "accepted"), Told(C, "", "", "fixed")])
    assert states() == {("high", "accepted"): 1, ("low", "open"): 1}  # C was never told
    store.told(7, 1, "run3", [Told(A, "high", "tests")])
    assert states()["high", "accepted"] == 1
    store.told(7, 1, "run4", [Told(A, "", "", "fixed"), Told(B, "", "", "dismissed")])
    store.told(7, 1, "run5", [Told(A, "", "", "accepted"), Told(B, "low", "tests")])
    assert states() == {("high", "fixed"): 1, ("low", "dismissed"): 1}
    store.told(7, 1, "run6", [Told(A, "high", "tests")])
    assert states()["high", "open"] == 1, "it came back"
    assert records.severities([8]) == []


def test_findings_are_counted_by_the_day_they_were_told_on(store: Store) -> None:
    records = Records(store.database)
    store.told(
        7, 1, "r", [Told(A, "high", "x"), Told(B, "high", "x", "fixed"), Told(C, "low", "x")]
    )
    with store.database.write() as db:
        told = update(FINDINGS).values(said=NOON - DAY_S)
        db.execute(told.where(FINDINGS.c.finding.in_([A, B])))
        db.execute(update(FINDINGS).where(FINDINGS.c.finding == C).values(said=NOON - 90 * DAY_S))
    dates, counted = records.findings([7], NOON)
    assert dates[-2] == "2026-11-26"
    assert (counted["open"][-2], counted["fixed"][-2]) == (1, 1)
    assert sum(map(sum, counted.values())) == 2


def test_what_is_forgotten_leaves_no_finding(store: Store) -> None:
    begun(store, "one", 7, 0, 0.1)
    store.told(7, 1, "one", [Told(A, "high", "x")])
    store.told(8, 1, "two", [Told(D, "high", "x")])
    store.forget_installation(1)
    records = Records(store.database)
    assert records.severities([7]) == [] and records.run(full("one")) is None
    assert records.severities([8]) != []


def test_a_review_stays_for_its_page_and_an_answer_does_not(store: Store) -> None:
    review, answer = full("review"), full("answer")
    for name, kind in ((review, "review"), (answer, "ask")):
        run = NewRun(name, 1, 7, "o/h", 1, name, WISH, "b", "h", kind)  # type: ignore[arg-type]
        assert store.begin(run, step(OPEN, run))
        job = store.claim("github", "github", 60)
        assert job is not None
        store.reviewed(job, name, step("publish", run), report=f"what {name} came to", usd=0.1)
        assert Records(store.database).run(name).result == f"what {name} came to"  # type: ignore[union-attr]
        job = store.claim("github", "github", 60)
        assert job is not None
        store.ended(job, name, "posted", findings=2)
    before = time.time()
    kept = Records(store.database).run(review)
    assert kept is not None and kept.result == f"what {review} came to" and kept.findings == 2
    assert kept.ended is not None and kept.ended <= before
    assert Records(store.database).run(answer).result == ""  # type: ignore[union-attr]
    assert store.run(review).report == ""  # type: ignore[union-attr]
