"""How a server is run: what it logs, shows, keeps, may spend, and how long it takes to stop.

Set in the environment by whoever runs the server, and by nobody else: no repository has a say.
"""

import math
import re
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from reviewer.errors import TellUser

DAY_S = 86_400.0

GRACE_S = 10.0
MAX_GRACE_S = 3_600.0

KEEP_RUNS, KEEP_TRACES, KEEP_ANSWERS = 30, 30, 30
MAX_DAYS = 3_650

GITHUB_PAUSE_S = 1.0
""" "If you are making a large number of POST, PATCH, PUT, or DELETE requests, wait at least one
second between each request"."""
MAX_GITHUB_PAUSE_S = 60.0

METRICS_HOST = "127.0.0.1"

OPERATION_VARIABLES = {
    "RLM_LOG": "rlm serve: json for one object a line, else text (the default)",
    "RLM_METRICS": "rlm serve: address of /metrics for Prometheus, PORT or HOST:PORT "
    f"(a port alone is one of {METRICS_HOST}; default none)",
    "RLM_PULL_BUDGET": "rlm serve: cap of all runs on one pull request in dollars, or none "
    "(the default)",
    "RLM_MONTH_BUDGET": "rlm serve: cap of one installation in a calendar month (UTC) in dollars, "
    "or none (the default)",
    "RLM_KEEP_RUNS": f"rlm serve: days that ended runs are remembered (default {KEEP_RUNS})",
    "RLM_KEEP_TRACES": f"days that traces are kept (default {KEEP_TRACES})",
    "RLM_KEEP_ANSWERS": "days that answers of the model are kept after their last use "
    f"(default {KEEP_ANSWERS})",
    "RLM_GRACE": "rlm serve: seconds that its processes have to finish when it is stopped "
    f"(default {GRACE_S:.0f})",
    "RLM_GITHUB_PAUSE": "seconds between two writes to GitHub, over all jobs of an installation "
    f"(default {GITHUB_PAUSE_S:.0f}, which GitHub asks for)",
}

_ADDRESS = re.compile(r"(?:(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):)?(?P<port>[0-9]{1,5})")


class Operations(BaseModel):
    """What `OPERATION_VARIABLES` say. A cap is in dollars, None for none; times are in seconds.

    `metrics` is the host and port of /metrics, None where nobody asks for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    log: Literal["text", "json"] = "text"
    metrics: tuple[str, int] | None = None
    pull_budget_usd: float | None = None
    month_budget_usd: float | None = None
    keep_runs_s: float = KEEP_RUNS * DAY_S
    keep_traces_s: float = KEEP_TRACES * DAY_S
    keep_answers_s: float = KEEP_ANSWERS * DAY_S
    grace_s: float = GRACE_S
    github_pause_s: float = GITHUB_PAUSE_S


DEFAULTS = Operations()
"""Where nobody has said anything."""


def read_operations(given: Mapping[str, str]) -> Operations:
    """Read them from variables that are set, or raise TellUser about the first bad one."""
    return Operations(
        log="json" if _log_is_json(given.get("RLM_LOG", "text")) else "text",
        metrics=_metrics(given.get("RLM_METRICS", "none")),
        pull_budget_usd=_dollars(given, "RLM_PULL_BUDGET"),
        month_budget_usd=_dollars(given, "RLM_MONTH_BUDGET"),
        keep_runs_s=_days(given, "RLM_KEEP_RUNS", KEEP_RUNS),
        keep_traces_s=_days(given, "RLM_KEEP_TRACES", KEEP_TRACES),
        keep_answers_s=_days(given, "RLM_KEEP_ANSWERS", KEEP_ANSWERS),
        grace_s=_seconds(given, "RLM_GRACE", GRACE_S, MAX_GRACE_S),
        github_pause_s=_seconds(given, "RLM_GITHUB_PAUSE", GITHUB_PAUSE_S, MAX_GITHUB_PAUSE_S),
    )


def _log_is_json(text: str) -> bool:
    if text.lower() not in {"text", "json"}:
        raise TellUser(f"RLM_LOG is no form of a log: {text[:100]!a}", "Give text or json.")
    return text.lower() == "json"


def _metrics(text: str) -> tuple[str, int] | None:
    if text.lower() == "none":
        return None
    found = _ADDRESS.fullmatch(text)
    if found is None or not 1 <= int(found["port"]) <= 65_535:
        raise TellUser(
            f"RLM_METRICS is no address: {text[:100]!a}",
            f"Give a port like 9464, or {METRICS_HOST}:9464.",
        )
    return (found["host"] or METRICS_HOST).strip("[]"), int(found["port"])


def _dollars(given: Mapping[str, str], name: str) -> float | None:
    text = given.get(name, "none")
    if text.lower() == "none":
        return None
    usd = _number(text)
    if not usd >= 0:
        raise TellUser(
            f"{name} is not an amount of dollars: {text[:100]!a}", "Give a number, or none."
        )
    return usd


def _days(given: Mapping[str, str], name: str, default: int) -> float:
    text = given.get(name, str(default))
    days = _number(text)
    if not 1 <= days <= MAX_DAYS:
        raise TellUser(
            f"{name} is not a number of days from 1 to {MAX_DAYS:,}: {text[:100]!a}",
            f"Leave it unset for {default}.",
        )
    return days * DAY_S


def _seconds(given: Mapping[str, str], name: str, default: float, most: float) -> float:
    text = given.get(name, str(default))
    seconds = _number(text)
    if not 0 <= seconds <= most:
        raise TellUser(
            f"{name} is not a number of seconds from 0 to {most:.0f}: {text[:100]!a}",
            f"Leave it unset for {default:.0f}.",
        )
    return seconds


def _number(text: str) -> float:
    """Return a finite number, NaN for anything else."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
