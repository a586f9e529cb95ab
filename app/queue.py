"""Several servers at one work: RQ and Redis say who does which job, and the store who may.

The store is the truth and the queue a wake-up call. A dispatcher in each process releases jobs of
its role in the store's order, at most two for each worker, as RQ jobs of one registered name and
one number. Whoever gets one claims the row; a claim that fails costs nothing. What Redis forgets is
released again after a while, and while Redis is away workers take from the store themselves.

Keys have a prefix for each role (RQ_KEY_PREFIX, which the supervisor sets): an ACL of Redis keeps
the engines from the github role's (`deploy/redis.acl`).
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.measures import COUNTS, QUEUE_ERRORS, QUEUE_UP
from app.store import Job, Store
from app.worker import BEAT_S, LEASE_S, POLL_S, Claims, Do, Lost, attempt, work
from reviewer.errors import GiveUp, RlmError, TellUser

if TYPE_CHECKING:
    from redis import Redis
    from rq import Queue

log = logging.getLogger(__name__)

REDIS_URL = "REDIS_URL"

PREFIX = "RQ_KEY_PREFIX"
"""RQ reads it from the environment when it is imported."""

NAME = "job"
"""The one thing that an RQ job can ask for."""

EACH = 2
"""Jobs released for each worker: the one that it does, and the next."""

CONNECT_S = 5.0
WAIT_S = 1
"""How long a worker waits for Redis at a time; in between it looks whether it shall stop."""

TOLD_S = 60.0
"""How often a dispatcher says, for the metrics, that Redis answers."""

LOST_AFTER_S = 60
"""For RQ: how long the remains of a job whose worker died are kept."""


def prefix(role: str) -> str:
    """Return what all keys of a role begin with."""
    return f"rlm:{role}"


def connected(url: str) -> "Redis":
    """Open Redis; TellUser where the address is none. It need not be there yet."""
    from redis import Redis  # noqa: PLC0415 takes a tenth of a second

    try:
        return Redis.from_url(
            url, socket_connect_timeout=CONNECT_S, socket_timeout=CONNECT_S, client_name="rlm"
        )
    except (ValueError, AttributeError) as error:
        raise TellUser(
            f"{REDIS_URL} is no address of a Redis server",
            "It has the form redis://user:password@host:6379/0, or rediss:// with TLS.",
        ) from error


@dataclass(frozen=True, slots=True)
class Taker:
    """Claims jobs and does them, until `stopping`. Nothing is raised."""

    claims: Claims
    do: Do
    lost: Lost
    stopping: threading.Event

    def one(self, number: int) -> None:
        """Do this job, if it is free."""
        self._take(lambda store: store.claim_one(number, self.claims.worker, LEASE_S))

    def any(self) -> None:
        """Do the next job, if there is one."""
        self._take(lambda store: store.claim(self.claims.role, self.claims.worker, LEASE_S))

    def _take(self, claim: Callable[[Store], Job | None]) -> None:
        try:
            job = claim(self.claims.store)
        except RlmError as error:
            log.error("no job can be claimed", extra={"why": error})
            return
        if job is not None:
            attempt(self.claims.store, job, self.do, self.lost, self.stopping)


def threads_for(taker: Taker, environ: Mapping[str, str], number: int) -> list[threading.Thread]:
    """Return the threads, not started, that do the jobs of a role until `stopping`.

    Without REDIS_URL they ask the store, and with it RQ.
    """
    url = environ.get(REDIS_URL, "").strip()
    if not url:
        return [
            threading.Thread(
                target=work,
                args=(taker.claims, taker.stopping, taker.do, taker.lost),
                name=f"work-{n}",
            )
            for n in range(number)
        ]
    if environ.get(PREFIX) != prefix(taker.claims.role):
        raise GiveUp(f"{PREFIX} is not what `rlm serve` sets")
    # A line for each step of each job, and a traceback from each worker for a Redis that is away:
    # what is worth knowing of both our own lines say.
    for name in ("rq", "rq.worker", "rq.job", "rq.queue"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    redis = connected(url)
    workers = [
        threading.Thread(target=_work_for, args=(redis, n, taker), name=f"work-{n}")
        for n in range(number)
    ]
    return [
        *workers,
        threading.Thread(
            target=_dispatch, args=(redis, taker.claims, taker.stopping), name="dispatch"
        ),
    ]


def _dispatch(redis: "Redis", claims: Claims, stopping: threading.Event) -> None:
    """Release jobs for as many workers as there are."""
    from redis import RedisError  # noqa: PLC0415

    queue = queue_of(redis, claims.role)
    away, tell_at = False, 0.0
    while not stopping.is_set():
        try:
            released = release(queue, claims.store, claims.role)
            if away:
                log.info("Redis answers again")
                away, tell_at = False, 0.0
            if time.monotonic() >= tell_at:
                COUNTS.put(QUEUE_UP, claims.role, 1.0)
                tell_at = time.monotonic() + TOLD_S
        except RedisError as error:
            if not away:
                log.error("Redis does not answer: jobs are taken from the store", extra=_why(error))
            COUNTS.add(QUEUE_ERRORS, claims.role)
            COUNTS.put(QUEUE_UP, claims.role, 0.0)
            away, released = True, 0
        except RlmError as error:
            log.error("no job can be released", extra={"why": error})
            stopping.wait(BEAT_S)
            continue
        if not released:
            stopping.wait(WAIT_S if away else POLL_S)


def release(queue: "Queue", store: Store, role: str) -> int:
    """Hand jobs to RQ, as many as its workers can do next; return how many."""
    from rq import Worker  # noqa: PLC0415

    room = EACH * Worker.count(queue=queue) - len(queue)
    if room <= 0:
        return 0
    jobs = store.release(role, room)
    for job in jobs:
        name = f"{job.id}-{job.claim}"
        if queue.get_job_position(name) is None:  # else it still waits there
            queue.enqueue_call(
                NAME, (job.id,), job_id=name, timeout=-1, result_ttl=0,
                failure_ttl=LOST_AFTER_S, description=NAME,
            )  # fmt: skip
    return len(jobs)


def queue_of(redis: "Redis", role: str) -> "Queue":
    """Return the RQ queue of a role: JSON only."""
    from rq import Queue  # noqa: PLC0415
    from rq.serializers import JSONSerializer  # noqa: PLC0415

    return Queue(role, connection=redis, serializer=JSONSerializer)


def _work_for(redis: "Redis", number: int, taker: Taker) -> None:
    """Be a worker of RQ until it is time to stop; one that RQ ended begins anew."""
    from redis import RedisError  # noqa: PLC0415

    claims = taker.claims
    name = f"{claims.worker.replace('/', '-')}-{number}"
    while not taker.stopping.is_set():
        try:
            _worker(queue_of(redis, claims.role), name, taker).work()
        except RedisError:
            taker.any()
        except ValueError as error:
            # A worker of this name died a moment ago, and RQ still believes in it.
            log.info("not a worker yet", extra=_why(error))
            with suppress(RedisError):
                redis.delete(f"{prefix(claims.role)}:worker:{name}")
        taker.stopping.wait(WAIT_S)


def _worker(queue: "Queue", name: str, taker: Taker) -> Any:
    """Make a worker of RQ that can do one thing, in the thread that it is started in."""
    from redis import RedisError  # noqa: PLC0415
    from rq import SimpleWorker, worker_registration  # noqa: PLC0415
    from rq.exceptions import StopRequested  # noqa: PLC0415
    from rq.job import Job as RqJob  # noqa: PLC0415
    from rq.serializers import JSONSerializer  # noqa: PLC0415
    from rq.timeouts import BaseDeathPenalty  # noqa: PLC0415
    from rq.worker.base import WorkerStatus  # noqa: PLC0415

    class Registered(RqJob):
        """RQ imports and calls what a job in Redis names: this one calls what it was given."""

        @property
        def func(self) -> Callable[..., None]:
            return self._only

        def _only(self, *args: object, **kwargs: object) -> None:
            number = args[0] if len(args) == 1 else None
            if self.func_name != NAME or kwargs or type(number) is not int:
                log.warning("the queue holds what is no job of ours", extra={"job": self.id[:40]})
                raise ValueError("not a job of ours")
            taker.one(number)

        @property
        def success_callback(self) -> None:
            return None

        @property
        def failure_callback(self) -> None:
            return None

        @property
        def stopped_callback(self) -> None:
            return None

        def send_webhooks(self, *_: object, **__: object) -> None:
            """Ask nothing of the addresses that a job in Redis names."""

    class Patient(BaseDeathPenalty):
        """RQ ends a job by a signal, which only the main thread gets; a lease does that here."""

        def setup_death_penalty(self) -> None:
            pass

        def cancel_death_penalty(self) -> None:
            pass

    class InThread(SimpleWorker):
        death_penalty_class = Patient
        exponential_backoff_factor = 1
        max_connection_wait_time = WAIT_S

        @property
        def dequeue_timeout(self) -> int:
            return WAIT_S

        def bootstrap(self, *_: object, **__: object) -> None:
            self.register_birth()  # type: ignore[no-untyped-call]
            self.set_state(WorkerStatus.STARTED)

        def heartbeat(self, *args: Any, **kwargs: Any) -> None:
            # The one place that RQ comes to between two waits, however they end.
            if taker.stopping.is_set():
                raise StopRequested
            try:
                super().heartbeat(*args, **kwargs)
                # Jobs are released for those on the list alone. Others strike it off during a long
                # job, and a Redis that lost everything has no list.
                worker_registration.register(self)
            except RedisError:
                taker.any()
                raise

        def _install_signal_handlers(self) -> None:
            """Signals are the process's."""

        def subscribe(self) -> None:
            """Nobody sends orders to a worker over Redis."""

        def unsubscribe(self) -> None:
            """Nor is there anything to end."""

        def procline(self, message: str) -> None:
            """The process has a name already."""

    return InThread(
        [queue], name=name, connection=queue.connection, job_class=Registered,
        serializer=JSONSerializer, log_job_description=False,
    )  # fmt: skip


def _why(error: Exception) -> dict[str, object]:
    return {"why": " ".join(str(error).split()) or type(error).__name__}
