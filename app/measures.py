"""What can go wrong, counted: every process adds up here and brings it to the store now and then.

Through the store, because what is counted is counted by several processes, and has to outlive
each of them: an engine that is killed every hour would have its failures start from nothing. (Files
of prometheus_client's multiprocess mode are of one machine, and are to be deleted at every start.)
A kill loses the last seconds. A label has one of a few values that are written here: never the name
of a repository, of a person, or a number.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["counter", "gauge"]

OTHER = "other"
"""In place of a label's value that is not foreseen."""

RATES_S = 3_600.0
"""GitHub gives an installation anew what it may ask, each hour."""

MAX_RATES = 5_000

GAUGE_S = 3_600.0
"""For how long a gauge is told: what nobody has looked at since is not known any more."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric, as Prometheus is told it; a counter's name gets "_total" there."""

    name: str
    kind: Kind
    help: str
    label: str = ""
    values: tuple[str, ...] = ()


ROLES = ("web", "github", "engine")

DELIVERIES = Measure(
    "rlm_deliveries",
    "counter",
    "Webhook deliveries by what they were answered.",
    "outcome",
    ("queued", "known", "ignored", "pong", "refused", "failed"),
)
RUNS = Measure(
    "rlm_runs",
    "counter",
    "Runs that ended, by how.",
    "outcome",
    ("posted", "answered", "refused", "stale", "closed", "draft", "merged", "locked", "gone",
     "stopped", "problem", "lost", OTHER),
)  # fmt: skip
JOBS_LOST = Measure(
    "rlm_jobs_lost", "counter", "Jobs that could not be done, by role.", "role", ROLES
)
LIMITED = Measure(
    "rlm_github_limited", "counter", "Jobs put back because GitHub wants fewer requests."
)
RATE_LEFT = Measure(
    "rlm_github_rate_remaining_ratio",
    "gauge",
    "Of the requests an hour, the share that is left where least is: 1 to 0.",
)
UNPUBLISHED = Measure(
    "rlm_publish_refusals", "counter", "Reviews that GitHub did not take as they were."
)
CALLS = Measure(
    "rlm_model_calls",
    "counter",
    "Attempts to ask the model; busy: the service asked for less (429, 529).",
    "outcome",
    ("answered", "failed", "busy"),
)
SPENT = Measure("rlm_spent_dollars", "counter", "What the model's service was paid.")
CAPPED = Measure(
    "rlm_runs_capped", "counter", "Runs refused because a cap is reached.", "cap", ("pull", "month")
)
STORE_ERRORS = Measure(
    "rlm_store_errors", "counter", "Times that the store could not be used, by role.", "role", ROLES
)
QUEUE_UP = Measure(
    "rlm_queue_up",
    "gauge",
    "Does Redis answer the dispatcher of a role? 1 or 0.",
    "role",
    ROLES[1:],
)
QUEUE_ERRORS = Measure(
    "rlm_queue_errors", "counter", "Times that Redis did not answer a dispatcher, by role.", "role",
    ROLES[1:],
)  # fmt: skip
RECONCILED = Measure(
    "rlm_reconciled",
    "counter",
    "What was lost and found: deliveries, open heads or check runs, installations that are gone.",
    "what",
    ("delivery", "head", "installation"),
)
UNRECONCILED = Measure(
    "rlm_reconcile_failures", "counter", "Looks for what was lost that came to nothing."
)
CLOCK = Measure(
    "rlm_clock_timestamp_seconds",
    "gauge",
    "The time that removals by age go by, the last one seen, since when a leap is doubted (or 0).",
    "of",
    ("believed", "doubted", "last"),
)
"""Kept by the store itself: see `app/store/clock.py`."""

AHEAD = Measure(
    "rlm_spending_ahead_timestamp_seconds",
    "gauge",
    "Since when an installation has spent in a month that has not begun by the clock (0: none).",
)
"""Kept by the store itself: see `app/store/spending.py`."""

MEASURES = (
    DELIVERIES, RUNS, JOBS_LOST, LIMITED, RATE_LEFT, UNPUBLISHED, CALLS, SPENT, CAPPED,
    STORE_ERRORS, QUEUE_UP, QUEUE_ERRORS, RECONCILED, UNRECONCILED, CLOCK, AHEAD,
)  # fmt: skip
"""All that is counted; what the store knows by itself is in `app/metrics.py`."""

Key = tuple[str, str]
"""The name of a measure and the value of its label, "" without one."""


class Keeps(Protocol):
    """Where counts are brought: the store."""

    def measured(self, added: Mapping[Key, float], put: Mapping[Key, float]) -> None:
        """Add to counters, and put gauges in the place of what they were."""


class Counts:
    """What one process has counted and not brought yet. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._added: dict[Key, float] = {}
        self._put: dict[Key, float] = {}
        self._rates: dict[int, tuple[float, float]] = {}

    def add(self, measure: Measure, value: str = "", by: float = 1.0) -> None:
        """Count something; a label's value that is not foreseen counts as "other"."""
        if measure.label and value not in measure.values:
            value = OTHER
        key = measure.name, value if measure.label else ""
        with self._lock:
            self._added[key] = self._added.get(key, 0.0) + by

    def put(self, measure: Measure, value: str, number: float) -> None:
        """Put a gauge in the place of what it was, unless its label's value is not foreseen."""
        if value in measure.values:
            with self._lock:
                self._put[measure.name, value] = number

    def rate(self, installation: int, remaining: int, limit: int) -> None:
        """Note how many requests an installation has left; the lowest of the last hour counts."""
        if limit <= 0 or remaining < 0:
            return
        now = time.monotonic()
        with self._lock:
            self._rates.pop(installation, None)
            self._rates[installation] = remaining / limit, now
            for old in list(self._rates):
                if now - self._rates[old][1] < RATES_S and len(self._rates) <= MAX_RATES:
                    break
                del self._rates[old]
            self._put[RATE_LEFT.name, ""] = min(share for share, _ in self._rates.values())

    def bring(self, store: Keeps) -> None:
        """Bring all of it to the store; if that fails it is brought the next time."""
        with self._lock:
            added, self._added = self._added, {}
            put, self._put = self._put, {}
        if not added and not put:
            return
        try:
            store.measured(added, put)
        except BaseException:
            with self._lock:
                for key, value in added.items():
                    self._added[key] = self._added.get(key, 0.0) + value
                self._put = put | self._put
            raise


COUNTS = Counts()
"""Of this process."""
