"""What becomes of a job, by the kind of error that its doing meets; over a real store."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.github.errors import AwayTooLong, Limited, Unreachable
from app.github.transport import Unreached
from app.jobs import Step
from app.measures import COUNTS, JOBS_LOST
from app.store import GITHUB, Job, NewJob, Store
from app.store.jobs import LATE_S
from app.store.tables import JOBS
from app.stored import read_stored
from app.worker import LONGEST_OUTAGE_S, MAX_ATTEMPTS, Claims, Halted, attempt, work
from reviewer.errors import GiveUp, RetryLater, RlmError, TellUser


class Worked:
    """One worker, run until the store has nothing to do at the moment."""

    def __init__(self, path: Path, do: Callable[[Store, Job], None]) -> None:
        self.store = Store(path / "rlm.sqlite3")
        self.seen: list[int] = []
        self.lost: list[str] = []
        self.away: list[bool] = []
        self.stopping = threading.Event()
        self._do = do

    def go(self, *jobs: NewJob) -> None:
        self.store.put(*jobs)
        self.stopping.clear()
        threading.Timer(5.0, self.stopping.set).start()  # where nothing is due
        work(Claims(self.store, GITHUB, "w"), self.stopping, self.do, self.lose)

    def do(self, job: Job) -> None:
        self.seen.append(job.attempts)
        try:
            self._do(self.store, job)
        finally:
            self.stopping.set()

    def due(self, away_s: float | None = None) -> None:
        """Let the time of what was put back come: what it needs was away for so long by then."""
        now = time.time()
        away = {} if away_s is None else {"away_since": now - away_s}
        with self.store.database.write() as db:
            before, since = db.execute(select(JOBS.c.not_before, JOBS.c.away_since)).one()
            if away_s is None and since:
                away = {"away_since": since - (before - now)}  # all the time was waited
            db.execute(update(JOBS).values(not_before=now, **away))

    def pause(self) -> float:
        """For how long the job was put back."""
        with self.store.database.read() as db:
            return float(db.scalars(select(JOBS.c.not_before)).one()) - time.time()

    def lose(self, job: Job, error: RlmError, *, last: bool) -> None:
        self.lost.append(str(error))
        self.away.append(isinstance(error, AwayTooLong))
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


def test_a_job_that_another_process_stores_is_taken_long_before_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.worker.FILE_POLL_S", 60.0)
    worked = Worked(tmp_path, lambda store, job: store.done(job))
    worked.store.put(JOB)
    worked.store.claim(GITHUB, "another", 60)  # nothing is to be done, and there is a log
    other = Store(tmp_path / "rlm.sqlite3")
    threading.Timer(0.3, other.put, [NewJob(GITHUB, "look", "k2", "{}")]).start()
    worked.go()
    assert worked.seen == [1]
    other.close()


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


@pytest.mark.parametrize(
    "error",
    [
        Limited("too fast", 0.0),
        Halted("stopped", 0.0),
        Unreachable("no connection", 0.0),
        Unreached("cut off", 0.0),
    ],
)
def test_what_is_no_fault_of_the_job_does_not_count(tmp_path: Path, error: Exception) -> None:
    worked = Worked(tmp_path, raising(error))
    worked.go(JOB)
    for _ in range(MAX_ATTEMPTS + 2):
        worked.due()
        worked.go()
    assert worked.seen == [1] * (MAX_ATTEMPTS + 3)
    assert worked.lost == []


def test_an_outage_is_waited_for_with_growing_pauses_and_not_for_ever(tmp_path: Path) -> None:
    worked = Worked(tmp_path, raising(Unreachable("no connection", 30.0)))
    worked.go(JOB)
    pauses = [worked.pause()]
    for lasted in (45, 300, 3_600, LONGEST_OUTAGE_S - 60):
        worked.due(lasted)
        worked.go()
        pauses.append(worked.pause())
    assert pauses == pytest.approx([30, 45, 300, 600, 600], abs=5)
    assert worked.lost == []
    worked.due(LONGEST_OUTAGE_S)
    worked.go()
    assert worked.lost == ["no connection (tried for 6 hours)"] and worked.away == [True]


@pytest.mark.parametrize("leap", [86_400.0, 30 * 86_400.0, -86_400.0, -30 * 86_400.0])
def test_an_outage_lasts_as_long_whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leap: float
) -> None:
    began, right, ahead = time.time(), [0.0], [0.0]
    monkeypatch.setattr(time, "time", lambda: began + right[0] + ahead[0])
    worked = Worked(tmp_path, raising(Unreachable("no connection", 30.0)))
    worked.store.put(JOB)

    def tries() -> float:
        """Try it when its time has come, by the clock as it is; return the next pause."""
        job = worked.store.claim(GITHUB, "w", 60)
        assert job is not None
        attempt(worked.store, job, worked.do, worked.lose, threading.Event())
        return 0.0 if worked.lost else worked.pause()

    def leaps() -> None:
        ahead[0] = leap - ahead[0]

    pause, lasted = tries(), 0.0
    while not worked.lost:
        right[0] += pause
        lasted += pause
        if len(worked.seen) in {4, 9, 20}:  # it leaps, and is set right, and leaps again
            leaps()
        pause = tries()
        assert lasted < LONGEST_OUTAGE_S + 3_600, worked.seen
    assert lasted > LONGEST_OUTAGE_S - 3 * LATE_S - 60
    assert worked.lost == ["no connection (tried for 6 hours)"]


def test_a_clock_that_leaps_during_an_attempt_is_no_outage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, ahead = time.time(), [0.0]
    monkeypatch.setattr(time, "time", lambda: began + ahead[0])

    def do(_store: Store, _job: Job) -> None:
        ahead[0] += 86_400.0
        raise Unreachable("no connection", 30.0)

    worked = Worked(tmp_path, do)
    worked.go(JOB)
    for _ in range(3):
        worked.due()
        worked.go()
    assert worked.lost == [] and worked.seen == [1] * 4


def test_another_trouble_ends_an_outage(tmp_path: Path) -> None:
    errors: list[Exception] = [Unreachable("away"), RetryLater("busy"), Unreachable("away", 30)]

    def do(_store: Store, _job: Job) -> None:
        raise errors.pop(0)

    worked = Worked(tmp_path, do)
    worked.go(JOB)
    worked.due(LONGEST_OUTAGE_S)
    worked.go()
    worked.due()
    worked.go()
    assert worked.lost == [] and errors == []


def test_a_loss_that_cannot_be_told_leaves_the_job_for_later(tmp_path: Path) -> None:
    store, stopping = Store(tmp_path / "rlm.sqlite3"), threading.Event()

    def do(_job: Job) -> None:
        raise GiveUp("nobody can")

    def lose(_job: Job, _error: RlmError, *, last: bool) -> None:
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


def test_what_another_version_has_stored_is_waited_for_and_not_for_ever(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def do(_store: Store, job: Job) -> None:
        read_stored(Step, job.payload)

    def unread(_job: Job, _error: RlmError, *, last: bool) -> None:
        lasts.append(last)
        read_stored(Step, _job.payload)

    lasts: list[bool] = []
    worked = Worked(tmp_path, do)
    worked.lose = unread  # type: ignore[method-assign]
    worked.go(NewJob(GITHUB, "look", "k", '{"run": "0123456789ab", "novel": "what alice says"}'))
    for _ in range(MAX_ATTEMPTS + 2):
        worked.due()
        worked.go()
    assert lasts == [] and worked.seen == [1] * (MAX_ATTEMPTS + 3)
    with worked.store.database.read() as db:
        (why,) = db.scalars(select(JOBS.c.why))
    assert why == "Not known to this version: Step (novel)", "names, and nothing that people say"
    back = [one.levelname for one in caplog.records if one.getMessage() == "job put back"]
    assert back == ["WARNING"] * (MAX_ATTEMPTS + 3)
    worked.due(LONGEST_OUTAGE_S + 1)
    worked.go()
    assert lasts == [True] and worked.store.waiting(GITHUB) == 0


class Untold(Worked):
    """A worker that can tell nobody of a loss; `lasts` are its tries to."""

    def __init__(self, path: Path, do: Callable[[Store, Job], None], trouble: Exception) -> None:
        super().__init__(path, do)
        self.lasts: list[bool] = []
        self._trouble = trouble

    def lose(self, job: Job, error: RlmError, *, last: bool) -> None:
        self.lasts.append(last)
        if not last or isinstance(self._trouble, Limited):
            raise self._trouble
        super().lose(job, error, last=last)

    def tries(self, away_s: float | None = None) -> Job:
        """Try what is put back, which has its time; return it as it was."""
        self.due(away_s)
        job = self.store.claim(GITHUB, "w", 60)
        assert job is not None
        attempt(self.store, job, self.do, self.lose, threading.Event())
        return job


@pytest.mark.parametrize("trouble", [Unreachable("nor does GitHub"), ZeroDivisionError("a bug")])
def test_a_loss_that_cannot_be_told_is_waited_for_as_an_outage_and_counted_once(
    tmp_path: Path, trouble: Exception
) -> None:
    worked = Untold(tmp_path, raising(GiveUp("nobody can")), trouble)
    COUNTS.bring(worked.store)  # what other tests have counted
    before, _ = worked.store.measures().get((JOBS_LOST.name, GITHUB), (0.0, 0.0))
    worked.store.put(JOB)
    worked.tries()
    pauses = [worked.pause()]
    assert worked.tries().away_s == pytest.approx(30, abs=5)
    for lasted in (300, LONGEST_OUTAGE_S - 60):
        worked.tries(lasted)
        pauses.append(worked.pause())
    assert pauses == pytest.approx([30, 300, 600], abs=5)
    assert worked.lost == [] and worked.seen == [1] * 4
    worked.tries(LONGEST_OUTAGE_S)
    assert worked.lasts == [False] * 4 + [True]
    assert worked.lost == ["nobody can"] and worked.store.waiting(GITHUB) == 0
    COUNTS.bring(worked.store)
    assert worked.store.measures()[JOBS_LOST.name, GITHUB][0] == before + 1


def test_an_outage_does_not_begin_anew_when_its_end_cannot_be_told(tmp_path: Path) -> None:
    worked = Untold(tmp_path, raising(Unreachable("no connection", 30.0)), Limited("too fast"))
    worked.store.put(JOB)
    worked.tries(LONGEST_OUTAGE_S)
    assert worked.tries().away_s >= LONGEST_OUTAGE_S
    assert worked.lasts == [True, True] and worked.lost == []


def at_work(store: Store, do: Callable[[Job], None], stopping: threading.Event) -> None:
    """Have four threads do the jobs of a store until it is time to stop."""

    def lose(job: Job, error: RlmError, *, last: bool) -> None:
        raise AssertionError(error)

    claims = Claims(store, GITHUB, "w")
    threads = [threading.Thread(target=work, args=(claims, stopping, do, lose)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)


def test_of_threads_that_wait_one_looks_for_all(tmp_path: Path) -> None:
    store, stopping = Store(tmp_path / "rlm.sqlite3"), threading.Event()
    claimed = [0]
    claim = store.claim

    def counted(role: str, worker: str, lease_s: float) -> Job | None:
        claimed[0] += 1
        return claim(role, worker, lease_s)

    store.claim = counted  # type: ignore[method-assign]
    threading.Timer(1.0, stopping.set).start()
    at_work(store, lambda _: None, stopping)
    store.close()
    assert 4 <= claimed[0] <= 10  # once each, and four times a second


def test_all_that_wait_are_woken_by_one_write(tmp_path: Path) -> None:
    store, stopping = Store(tmp_path / "rlm.sqlite3"), threading.Event()
    together = threading.Barrier(4, stopping.set)

    def do(job: Job) -> None:
        together.wait(15)  # broken where fewer than all have one
        store.done(job)

    jobs = [NewJob(GITHUB, "look", f"k{number}", "{}") for number in range(4)]
    threading.Timer(0.4, store.put, jobs).start()
    at_work(store, do, stopping)
    assert not store.waiting(GITHUB)
    store.close()
