"""What becomes of a job, by the kind of error that its doing meets; over a real store."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.github.errors import Limited
from app.store import GITHUB, Job, NewJob, Store
from app.worker import MAX_ATTEMPTS, Claims, Halted, work
from reviewer.errors import GiveUp, RetryLater, RlmError, TellUser


class Worked:
    """One worker, run until the store has nothing to do at the moment."""

    def __init__(self, path: Path, do: Callable[[Store, Job], None]) -> None:
        self.store = Store(path / "rlm.sqlite3")
        self.seen: list[int] = []
        self.lost: list[str] = []
        self.stopping = threading.Event()
        self._do = do

    def go(self, *jobs: NewJob) -> None:
        self.store.put(*jobs)
        self.stopping.clear()
        work(Claims(self.store, GITHUB, "w"), self.stopping, self.do, self.lose)

    def do(self, job: Job) -> None:
        self.seen.append(job.attempts)
        try:
            self._do(self.store, job)
        finally:
            self.stopping.set()

    def lose(self, job: Job, error: RlmError) -> None:
        self.lost.append(str(error))
        self.store.fail(job, str(error))


JOB = NewJob(GITHUB, "look", "k", "{}")


def raising(error: Exception) -> Callable[[Store, Job], None]:
    def do(_store: Store, _job: Job) -> None:
        raise error

    return do


def test_a_job_that_is_done_is_gone(tmp_path: Path) -> None:
    worked = Worked(tmp_path, lambda store, job: store.done(job))
    worked.go(JOB)
    assert worked.store.waiting(GITHUB) == 0
    assert worked.lost == []


@pytest.mark.parametrize("error", [GiveUp("nobody can"), TellUser("the key is wrong", "mend it")])
def test_a_job_that_cannot_be_done_is_lost_with_its_reason(tmp_path: Path, error: RlmError) -> None:
    worked = Worked(tmp_path, raising(error))
    worked.go(JOB)
    assert worked.lost == [str(error)]
    assert worked.store.waiting(GITHUB) == 0


@pytest.mark.parametrize("error", [RetryLater("busy", 30), ZeroDivisionError("a bug of ours")])
def test_a_job_that_may_work_later_is_put_back_for_later(tmp_path: Path, error: Exception) -> None:
    worked = Worked(tmp_path, raising(error))
    worked.go(JOB)
    assert worked.lost == []
    assert worked.store.waiting(GITHUB) == 1
    assert worked.store.claim(GITHUB, "w", 60) is None  # not now


def test_a_job_is_not_tried_for_ever(tmp_path: Path) -> None:
    def do(store: Store, job: Job) -> None:
        if job.attempts < MAX_ATTEMPTS:
            store.again(job, "made to come back at once", 0.0)
        else:
            raise RetryLater("busy", 0.0)

    worked = Worked(tmp_path, do)
    worked.go(JOB)
    while not worked.lost:
        worked.go()
    assert worked.seen == list(range(1, MAX_ATTEMPTS + 1))
    assert worked.lost == [f"busy (tried {MAX_ATTEMPTS} times)"]


@pytest.mark.parametrize("error", [Limited("too fast", 0.0), Halted("stopped", 0.0)])
def test_what_is_no_fault_of_the_job_does_not_count(tmp_path: Path, error: Exception) -> None:
    worked = Worked(tmp_path, raising(error))
    worked.go(JOB)
    for _ in range(MAX_ATTEMPTS + 2):
        worked.go()
    assert set(worked.seen) == {1}
    assert worked.lost == []


def test_a_loss_that_cannot_be_told_leaves_the_job_for_later(tmp_path: Path) -> None:
    store, stopping = Store(tmp_path / "rlm.sqlite3"), threading.Event()

    def do(_job: Job) -> None:
        raise GiveUp("nobody can")

    def lose(_job: Job, _error: RlmError) -> None:
        threading.Timer(0.3, stopping.set).start()
        raise RetryLater("GitHub does not answer either")

    store.put(JOB)
    work(Claims(store, GITHUB, "w"), stopping, do, lose)
    assert store.waiting(GITHUB) == 1
    assert store.recover("w") == 0  # nobody holds it


def test_a_job_that_cannot_be_read_ends_no_worker(tmp_path: Path) -> None:
    worked = Worked(tmp_path, raising(GiveUp("it cannot be read")))
    worked.go(NewJob(GITHUB, "look", "k", "not JSON"))
    assert worked.lost == ["it cannot be read"]
