"""A claim that is lost in the middle of the work: whoever had it writes nothing more to GitHub."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from app import fence
from app.github.auth import AppAuth
from app.store import GITHUB, PUBLISH, Job, NewJob, Store
from app.store.jobs import AHEAD_S
from app.store.tables import JOBS
from app.worker import LEASE_S, attempt
from tests.app.github.test_publish import report
from tests.app.render.samples import finding
from tests.app.test_steps import ReviewDesk
from tests.github.hub import FakeGitHub, Seen


class Shared(ReviewDesk):
    """Two servers that share a store: what one cannot do any more the other one does."""

    def does(self, worker: str) -> str:
        """Have one of them do the next job; return its kind, "" where there is none."""
        job = self.store.claim(GITHUB, worker, LEASE_S)
        if job is None:
            return ""
        steps = self.started()
        attempt(self.store, job, steps.do, steps.lost, threading.Event())
        return job.kind

    def loses_it_at(self, method: str, path: str) -> list[str]:
        """Let the claim end while an answer is on its way, and the other one do all there is."""
        done: list[str] = []

        def on_request(_index: int, seen: Seen, phase: str) -> None:
            if done or (seen.method, phase) != (method, "after") or not re.search(path, seen.path):
                return
            with self.store.database.write() as db:
                db.execute(update(JOBS).values(lease=0))
            done.append("begun")
            while kind := self.does("other"):
                done.append(kind)

        self.fake.on_request(on_request)
        return done


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Shared]:
    with FakeGitHub(tmp_path) as fake:
        made = Shared(fake, tmp_path)
        yield made
        made.store.close()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", r"/pulls/1/reviews$"),
        ("POST", r"/pulls/1/reviews$"),
        ("GET", r"/issues/1/comments$"),
        ("POST", r"/issues/1/comments$"),
    ],
)
def test_who_has_lost_its_claim_between_two_requests_writes_no_more(
    desk: Shared, method: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fence, "FRESH_S", 0.0)  # two minutes take no time here
    desk.looks()
    desk.comes(report([finding(path="c.py", start_line=3, line=3)]).model_dump_json())
    done = desk.loses_it_at(method, path)
    assert desk.does("one") == PUBLISH
    assert done == ["begun", PUBLISH], "the other one has published it"
    stands = [one.body for one in desk.ours], [one.summary for one in desk.repo.check_runs]
    assert (len(desk.pull.all_reviews), len(desk.ours)) == (1, 1)
    assert desk.checks == [("completed", "neutral")]
    written = [one for one in desk.fake.requests if one.method != "GET"]
    assert [desk.does("one"), desk.does("other")] == ["", ""]
    assert [one for one in desk.fake.requests if one.method != "GET"] == written
    assert stands == (
        [one.body for one in desk.ours],
        [one.summary for one in desk.repo.check_runs],
    )


def test_progress_that_comes_late_is_not_shown(desk: Shared) -> None:
    """The run has ended on another server while this one waited for its token."""
    desk.looks()
    _, run, _ = desk.engine()
    desk.store.progressed(run.id, "3 of 9 parts are read.")

    def ended(_index: int, seen: Seen, phase: str) -> None:
        if seen.path.endswith("/access_tokens") and phase == "after":
            desk.store.stop(run.repository_id, run.number, "stopped")

    desk.fake.on_request(ended)
    desk.auth = AppAuth(desk.server, str(desk.app.id), SecretStr(desk.app.pem))
    before = desk.repo.check_runs[-1].summary
    desk.started().show_progress({})
    assert desk.repo.check_runs[-1].summary == before


JOB = NewJob(GITHUB, "look", "k", "{}")


def test_a_claim_holds_until_somebody_else_has_it(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "rlm.sqlite3")) as store:
        store.put(JOB)
        job = store.claim(GITHUB, "one", LEASE_S)
        assert job is not None and store.holds(job, LEASE_S)
        for lease in (time.time() - 1, time.time() + 1, time.time() + 2 * AHEAD_S):
            with store.database.write() as db:
                db.execute(update(JOBS).values(lease=lease))
            assert store.holds(job, LEASE_S), "nobody has it"
            assert store.claim(GITHUB, "other", LEASE_S) is None, "nor will anybody have it soon"
        with store.database.write() as db:
            db.execute(update(JOBS).values(lease=0))
        other = store.claim(GITHUB, "other", LEASE_S)
        assert other is not None and store.holds(other, LEASE_S)
        assert not store.holds(job, LEASE_S)
        store.done(other)
        assert not store.holds(other, LEASE_S)


def test_the_store_is_asked_once_a_second_and_after_what_failed() -> None:
    asked: list[None] = []

    def holds() -> bool:
        asked.append(None)
        return len(asked) < 3

    fence.may_write()  # no claim goes with what is done here
    with fence.fenced(holds):
        for _ in range(5):
            fence.may_write()
        assert len(asked) == 1
        fence.failed()
        fence.may_write()
        assert len(asked) == 2
        fence.failed()
        with pytest.raises(fence.ClaimLost):
            fence.may_write()
        with pytest.raises(fence.ClaimLost):
            fence.may_write()
    fence.may_write()


def test_a_claim_that_is_lost_loses_no_job_and_tells_nobody(tmp_path: Path) -> None:
    lost: list[str] = []
    with closing(Store(tmp_path / "rlm.sqlite3")) as store:
        store.put(JOB)
        with store.database.write() as db:
            db.execute(update(JOBS).values(attempts=20))  # one more, and it is given up

        def do(_job: Job) -> None:
            with store.database.write() as db:
                db.execute(update(JOBS).values(lease=0))
            assert store.claim(GITHUB, "other", LEASE_S) is not None
            fence.may_write()

        job = store.claim(GITHUB, "one", LEASE_S)
        assert job is not None
        attempt(store, job, do, lambda *_, **__: lost.append("told"), threading.Event())
        assert lost == [] and store.claimant("k") == "other"


def test_a_claim_that_has_lapsed_does_not_come_back_beside_another_of_its_key(
    tmp_path: Path,
) -> None:
    with closing(Store(tmp_path / "rlm.sqlite3")) as store:
        store.put(JOB)
        first = store.claim(GITHUB, "one", LEASE_S)
        assert first is not None
        store.put(NewJob(GITHUB, "command", JOB.key, "{}", priority=10))
        with store.database.write() as db:
            db.execute(update(JOBS).where(JOBS.c.id == first.id).values(lease=0))
        second = store.claim(GITHUB, "two", LEASE_S)
        assert second is not None and second.id != first.id
        assert (store.holds(first, LEASE_S), store.holds(second, LEASE_S)) == (False, True)
        store.done(second)
        assert store.holds(first, LEASE_S), "nobody else has taken it up"
