"""`/metrics`: what Prometheus is told, on an address of its own that nobody outside needs.

What the processes counted comes from the store, and so does the state of the work, looked up when
somebody asks and no more often than every few seconds.
"""

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.measures import COUNTS, GAUGE_S, MEASURES, Counts, Measure
from app.store import Store
from reviewer.errors import RlmError

log = logging.getLogger(__name__)

AGAIN_S = 2.0
"""How long an answer is given again: whoever asks all the time is no burden to the store."""

GONE_S = 86_400.0
"""A process that gave no sign of life for a day is none that anybody waits for: a server was taken
away, or has fewer engines."""

OPEN_STATES = ("waiting", "claimed")
STATES = (*OPEN_STATES, "failed")
JOB_ROLES = ("github", "engine")


@contextmanager
def served(
    store: Store, home: Path, address: tuple[str, int] | None, month_usd: float | None = None
) -> Iterator[None]:
    """Answer at an address (host, port) while the block runs; without one do nothing.

    `month_usd` is the cap of an installation's month, if there is one.

    An address that cannot be had costs the metrics and not the server: the log says it.
    """
    if address is None:
        yield
        return
    registry = CollectorRegistry()
    registry.register(ServerCollector(store, home, month_usd=month_usd))
    host, port = address
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        log.error("no metrics", extra={"address": f"{host}:{port}", "why": error.strerror or error})
        yield
        return
    log.info("metrics answered", extra={"address": f"{host}:{server.server_port}"})
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class ServerCollector(Collector):
    """Reads the metrics of one server from its store and its disk."""

    def __init__(
        self, store: Store, home: Path, counts: Counts = COUNTS, month_usd: float | None = None
    ) -> None:
        self._month_usd = month_usd
        self._store = store
        self._home = home
        self._counts = counts
        self._lock = threading.Lock()
        self._found: list[Metric] = []
        self._until = 0.0

    def collect(self) -> Iterator[Metric]:
        """Yield every metric; if the store cannot be read, those that need none."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._found = list(self._look())
                self._until = time.monotonic() + AGAIN_S
            yield from self._found

    def describe(self) -> list[Metric]:
        """Return nothing: to register is no reason to ask the store."""
        return []

    def _look(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("rlm_store_up", "Can the store be read? 1 or 0.")
        try:
            self._counts.bring(self._store)
            found = [*self._counted(), *self._backlog(), *self._spent(), *self._alive()]
        except RlmError as error:
            log.error("the store cannot be read", extra={"why": error})
            found = []
        up.add_metric([], 1.0 if found else 0.0)
        yield up
        yield from found
        yield self._disk()

    def _counted(self) -> Iterator[Metric]:
        """Yield what is counted. A counter that nothing was added to yet is 0: rates need it."""
        values, since = self._store.measures(), time.time() - GAUGE_S
        for measure in MEASURES:
            labels = measure.values if measure.label else ("",)
            kind = CounterMetricFamily if measure.kind == "counter" else GaugeMetricFamily
            family = kind(measure.name, measure.help, labels=_names(measure))
            for label in labels:
                value, at = values.get((measure.name, label), (0.0, 0.0))
                if at < since and measure.kind == "gauge":
                    continue
                family.add_metric([label] if measure.label else [], value)
            yield family

    def _backlog(self) -> Iterator[Metric]:
        jobs = GaugeMetricFamily("rlm_jobs", "Jobs by role and state.", labels=["role", "state"])
        oldest = GaugeMetricFamily(
            "rlm_oldest_job_age_seconds",
            "For how long the oldest job that waits could have been done.",
            labels=["role"],
        )
        away = GaugeMetricFamily(
            "rlm_longest_outage_seconds",
            "For how long a job has waited for what is away: GitHub, git, the store.",
            labels=["role"],
        )
        backlog = {(one.role, one.state): one for one in self._store.backlog()}
        for role in JOB_ROLES:
            for state in STATES:
                there = backlog.get((role, state))
                jobs.add_metric([role, state], there.jobs if there else 0)
            waiting = backlog.get((role, "waiting"))
            oldest.add_metric([role], waiting.oldest_s if waiting else 0.0)
            open_ = (backlog.get((role, state)) for state in OPEN_STATES)
            away.add_metric([role], max((one.away_s for one in open_ if one), default=0.0))
        yield jobs
        yield oldest
        yield away
        runs = GaugeMetricFamily("rlm_runs_open", "Runs that have not ended.")
        runs.add_metric([], self._store.open_run_count())
        yield runs

    def _spent(self) -> Iterator[Metric]:
        if self._month_usd is None:
            return
        used = GaugeMetricFamily(
            "rlm_month_budget_used_ratio",
            "Share of RLM_MONTH_BUDGET that is spent or reserved, where most is.",
        )
        most = self._store.most_this_month()
        used.add_metric([], most / self._month_usd if self._month_usd else 1.0)  # a cap of nothing
        yield used

    def _alive(self) -> Iterator[Metric]:
        seen = GaugeMetricFamily(
            "rlm_worker_last_seen_timestamp_seconds",
            "When a process gave its last sign of life.",
            labels=["worker"],
        )
        troubled = GaugeMetricFamily(
            "rlm_worker_trouble", "Is a process kept from its work? 1 or 0.", labels=["worker"]
        )
        since = time.time() - GONE_S
        for worker in self._store.workers():
            if worker.seen < since:
                continue
            seen.add_metric([worker.name], worker.seen)
            troubled.add_metric([worker.name], 1.0 if worker.problem else 0.0)
        yield seen
        yield troubled

    def _disk(self) -> Metric:
        free = GaugeMetricFamily("rlm_disk_free_bytes", "Room on the disk.", labels=["folder"])
        for name, folder in (("home", self._home), ("temporary", Path(tempfile.gettempdir()))):
            try:
                free.add_metric([name], shutil.disk_usage(folder).free)
            except OSError as error:
                log.warning("a disk cannot be looked at", extra={"folder": name, "why": error})
        return free


def _names(measure: Measure) -> list[str]:
    return [measure.label] if measure.label else []
