"""Which findings a `fix` means: of the newest complete review, by ids, of a thread, or all."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.commands import MAX_FINDINGS
from app.fix_wishes import NO_REVIEW, NOTHING, Chosen, chosen
from app.jobs import Wish, step
from app.report import Report
from app.store import GITHUB, PUBLISH, Dismissed, NewRun, Store
from app.store.values import Told
from reviewer.finding import Category, Finding, Place, Severity
from reviewer.request import ChangeInfo, Coverage, Review

SHA = "a" * 40
HERE = 7, 1


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "rlm.sqlite3")) as store:
        yield store


def finding(title: str, severity: str = "high", **more: Any) -> Finding:
    given = {
        "path": "a.py",
        "start_line": 1,
        "line": 1,
        "category": Category.CORRECTNESS,
        "severity": Severity(severity),
        "confidence": 1.0,
        "title": title,
        "body": "b",
        "source": "model:x",
    }
    return Finding.model_validate({**given, **more})


WORST, BAD, NIT = finding("one", "critical"), finding("two"), finding("three", "nit")


def reviewed(store: Store, run: str, *findings: Finding, **more: Any) -> None:
    """Let a review of the pull request have ended with these findings."""
    paths = more.pop("paths", ())
    info = ChangeInfo(base=SHA, head=SHA, merge_base=SHA, files=1, added=1, deleted=0)
    review = Review(
        change=info,
        findings=list(findings),
        summary="",
        coverage=Coverage(hunks=1, reviewed=1),
        **more,
    )
    wish = Wish(trigger="opened", paths=paths)
    new = NewRun(run, 1, 7, "octo/hello", 1, run, wish.model_dump_json(), SHA, SHA)
    assert store.begin(new, step(PUBLISH, new))
    job = store.claim(GITHUB, "w", 60.0)
    assert job is not None
    report = Report(review=review, anchors={}, code={}).model_dump_json()
    store.reviewed(job, run, step(PUBLISH, new), report=report)
    job = store.claim(GITHUB, "w", 60.0)
    assert job is not None
    store.ended(job, run, "posted")


def test_without_a_complete_review_there_is_nothing_to_close(store: Store) -> None:
    assert chosen(store, *HERE) == NO_REVIEW
    reviewed(store, "r" * 12, BAD, status="partial", stopped="budget")
    reviewed(store, "s" * 12, BAD, paths=("docs/",))
    assert chosen(store, *HERE) == NO_REVIEW


def test_the_newest_complete_review_counts_the_gravest_first(store: Store) -> None:
    reviewed(store, "r" * 12, NIT)
    reviewed(store, "s" * 12, NIT, BAD, WORST)
    reviewed(store, "t" * 12, NIT, status="partial", stopped="budget")
    assert chosen(store, *HERE) == Chosen("s" * 12, (WORST.id, BAD.id, NIT.id))


def test_what_was_dismissed_or_is_gone_does_not_stand(store: Store) -> None:
    secret = finding("key", category="secret")
    reviewed(store, "r" * 12, WORST, BAD, NIT, secret)
    store.dismiss(7, Dismissed(WORST.id, "a.py", "one", "alice", "https://x/1"))
    store.told(7, 1, "r" * 12, [Told(BAD.id, "high", "correctness", "fixed")])
    assert chosen(store, *HERE) == Chosen("r" * 12, (NIT.id,))
    # Whoever names one wants it, whatever was said of it.
    assert chosen(store, *HERE, [WORST.id, BAD.id]) == Chosen("r" * 12, (WORST.id, BAD.id))
    store.dismiss(7, Dismissed(NIT.id, "a.py", "three", "alice", "https://x/2"))
    assert chosen(store, *HERE) == NOTHING


def test_what_is_closed_on_top_already_is_not_closed_again(store: Store) -> None:
    reviewed(store, "r" * 12, WORST, BAD)
    found = chosen(store, *HERE, closed={WORST.id: 5, "0" * 12: 6})
    assert found == Chosen("r" * 12, (BAD.id,))
    why = chosen(store, *HERE, closed={WORST.id: 5, BAD.id: 6})
    assert isinstance(why, str) and "#5, #6" in why
    assert chosen(store, *HERE, [BAD.id], closed={BAD.id: 6}) == Chosen("r" * 12, (BAD.id,))


def test_one_that_is_named_has_to_be_known(store: Store) -> None:
    reviewed(store, "r" * 12, WORST, BAD)
    assert chosen(store, *HERE, [BAD.id]) == Chosen("r" * 12, (BAD.id,))
    why = chosen(store, *HERE, [BAD.id, "0" * 12])
    assert isinstance(why, str)
    assert f"`{'0' * 12}`" in why and f"`{WORST.id}`, `{BAD.id}`" in why


def test_in_a_thread_it_is_that_of_the_thread(store: Store) -> None:
    place = Place(id="f" * 12, path="b.py", start_line=3, line=3)
    many = finding("everywhere", places=(place,))
    reviewed(store, "r" * 12, BAD, many)
    assert chosen(store, *HERE, thread="f" * 12) == Chosen("r" * 12, (many.id,))
    assert chosen(store, *HERE, [BAD.id], thread="f" * 12) == Chosen("r" * 12, (BAD.id,))
    why = chosen(store, *HERE, thread="0" * 12)
    assert isinstance(why, str) and "this thread" in why


def test_of_very_many_the_gravest_are_taken_and_the_others_counted(store: Store) -> None:
    every = [finding(f"n{n}", "low") for n in range(MAX_FINDINGS + 4)]
    reviewed(store, "r" * 12, *every, WORST)
    found = chosen(store, *HERE)
    assert isinstance(found, Chosen) and len(found.findings) == MAX_FINDINGS
    assert found.findings[0] == WORST.id and "25 findings" in found.said
