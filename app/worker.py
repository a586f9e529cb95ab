"""Takes jobs from the store and does them: the one place where a role's errors are caught."""

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.fence import ClaimLost, fenced
from app.github.errors import AwayTooLong, Limited, Outage
from app.log import bound
from app.measures import COUNTS, JOBS_LOST, LIMITED, STORE_ERRORS
from app.store import ENGINE, GITHUB, REVIEW, Job, Store
from app.stored import OtherVersion
from reviewer.errors import GiveUp, RetryLater, RlmError, TellUser
from reviewer.text import printable

log = logging.getLogger(__name__)

LEASE_S = 120.0
"""How long a claim holds without a sign of life. Whoever starts anew under the same name gets its
jobs back at once; this is for a worker that never comes back."""

BEAT_S = 5.0
POLL_S = 0.1

LOOK_S, FILE_POLL_S = 0.02, 0.25
"""The same for a store that is a file: how often it is looked whether somebody has written to it,
which costs next to nothing, and whether there is a job all the same."""

MAX_ATTEMPTS = 8
LEFT_S = 30.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 600.0

LONGEST_OUTAGE_S = 6 * 3_600.0
"""For so long a job waits for what it needs to come back, with pauses that double. Who still waits
for it then is told that nothing came of it, if anybody can be told by then."""

ABOUT = ("installation", "repository_id", "repository", "number", "run")
"""What payloads name, each by the same word."""

Do = Callable[[Job], None]
"""Does one job and ends it in the store, in the same transaction as what it leads to."""


class Lost(Protocol):
    """Ends a job that cannot be done."""

    def __call__(self, job: Job, error: RlmError, *, last: bool) -> None:
        """Tell whoever waits for it why, and end it in the store. `last`: nobody comes back to it,
        so that it ends whether or not they can be told.
        """


class Halted(RetryLater):
    """Work stops here for a reason that has nothing to do with the job: it does not count."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Whose jobs are taken, and by which process (its name, the same after a restart)."""

    store: Store
    role: str
    worker: str


def work(claims: Claims, stopping: threading.Event, do: Do, lost: Lost) -> None:
    """Do the jobs of a role until `stopping` is set."""
    store = claims.store
    while not stopping.is_set():
        seen = store.database.stamp()
        try:
            job = store.claim(claims.role, claims.worker, LEASE_S)
        except RlmError as error:
            COUNTS.add(STORE_ERRORS, claims.role)
            log.error("no job can be claimed", extra={"why": error})
            stopping.wait(BEAT_S)
            continue
        if job is None:
            _wait(store, seen, stopping)
        else:
            attempt(store, job, do, lost, stopping)


def _wait(store: Store, seen: object, stopping: threading.Event) -> None:
    """Wait until there may be a job: `seen` is the stamp of a store in which there was none."""
    if seen is None:
        stopping.wait(POLL_S)
        return
    with store.database.looking:  # one of the threads for all: the next sees what it saw
        until = time.monotonic() + FILE_POLL_S
        while store.database.stamp() == seen and time.monotonic() < until:
            if stopping.wait(LOOK_S):
                return


def attempt(store: Store, job: Job, do: Do, lost: Lost, stopping: threading.Event) -> None:
    """Do a claimed job. Nothing is raised: it is done, put back, or given up."""
    with bound(**_ids(job)), fenced(lambda: store.holds(job, LEASE_S)):
        _attempt(store, job, do, lost, stopping)


def _attempt(store: Store, job: Job, do: Do, lost: Lost, stopping: threading.Event) -> None:
    try:
        try:
            do(job)
        except ClaimLost as error:
            log.warning("job left to whoever has taken it over", extra=_about(job, error))
        except RetryLater as error:
            _again(store, job, error, lost)
        except (TellUser, GiveUp) as error:
            _lose(store, job, error, lost)
        except Exception as error:
            # A bug. What it was about may still work when the cause was a passing state.
            log.exception("job failed", extra=_about(job))
            name = type(error).__name__
            _again(store, job, RetryLater(f"This is a bug: {name}", FIRST_PAUSE_S), lost)
    except RlmError as error:
        # It could not be ended: GitHub does not answer, or the store is busy.
        log.error("job left", extra=_about(job, error))
        _leave(store, job, stopping)
    except Exception:
        log.exception("job left", extra=_about(job))
        _leave(store, job, stopping)


def _lose(store: Store, job: Job, error: RlmError, lost: Lost) -> None:
    """End a job that cannot be done. It is counted when that is done, which may take a while."""
    log.warning("job lost", extra=_about(job, error))
    last = job.away_for() >= LONGEST_OUTAGE_S
    try:
        lost(job, error, last=last)
    except OtherVersion:  # nobody here knows whom to tell
        if not last:
            raise
        store.fail(job, str(error))
    COUNTS.add(JOBS_LOST, _role(job))


def _leave(store: Store, job: Job, stopping: threading.Event) -> None:
    """Put a job back as soon as the store takes it; a stop leaves that to the next start.

    What keeps it from being ended is waited for as an outage is, and no longer.
    """
    pause = min(max(LEFT_S, job.away_for()), LONGEST_PAUSE_S)
    while not stopping.is_set():
        try:
            store.again(job, "it could not be ended", pause, counts=False, away=True)
        except RlmError as error:
            log.error("job not put back", extra=_about(job, error))
            stopping.wait(BEAT_S)
        else:
            return


def _again(store: Store, job: Job, error: RetryLater, lost: Lost) -> None:
    why = printable(str(error))
    # A rate limit and an outage say nothing about the job either.
    away = isinstance(error, Outage)
    counts = not (away or isinstance(error, Limited | Halted))
    lasted = job.away_for() if away else 0.0
    if counts and job.attempts >= MAX_ATTEMPTS:
        _lose(store, job, GiveUp(f"{why} (tried {job.attempts} times)"), lost)
        return
    if lasted >= LONGEST_OUTAGE_S:
        _lose(store, job, AwayTooLong(f"{why} (tried for {lasted / 3_600:.0f} hours)"), lost)
        return
    if isinstance(error, Limited):
        COUNTS.add(LIMITED)
    pause = error.after_s
    if counts:
        pause = min(max(pause, FIRST_PAUSE_S * 2 ** (job.attempts - 1)), LONGEST_PAUSE_S)
    elif away:
        pause = min(max(pause, FIRST_PAUSE_S, lasted), LONGEST_PAUSE_S)
    store.again(job, why, pause, counts=counts, away=away)
    # Of another version nothing may ever come, and nobody is told for hours.
    level = logging.WARNING if isinstance(error, OtherVersion) else logging.INFO
    log.log(level, "job put back", extra={**_about(job, error), "after_s": round(pause)})


def _role(job: Job) -> str:
    return ENGINE if job.kind == REVIEW else GITHUB


def _ids(job: Job) -> dict[str, object]:
    """Return what a job says it is about, for the log: of one that says nothing, its number."""
    try:
        told = json.loads(job.payload)
    except ValueError:  # the doing of it meets this too, where it is dealt with
        told = None
    about = {name: told[name] for name in ABOUT if name in told} if isinstance(told, dict) else {}
    return {"job": job.id, "kind": job.kind, **about}


def _about(job: Job, why: Exception | None = None) -> dict[str, object]:
    about = {"job": job.id, "kind": job.kind, "key": job.key, "attempt": job.attempts}
    return about if why is None else {**about, "why": why}
