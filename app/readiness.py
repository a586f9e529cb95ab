"""Can this server do its work, and if not, what is missing? In sentences for whoever set it up."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.defaults import NO_BUDGET, NO_KEY
from app.roles import role_of
from app.store import Worker

ALIVE_S = 15.0
"""A process gives a sign of life every few seconds; one that was silent for so long is gone."""

_ON_PURPOSE = (NO_KEY, NO_BUDGET)

NO_SECRET = "No webhook secret is configured: run `rlm setup`, or set RLM_WEBHOOK_SECRET."


@dataclass(frozen=True, slots=True)
class Readiness:
    """`missing` keeps the server from its work; `notes` are worth knowing and do not."""

    missing: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Is nothing missing?"""
        return not self.missing


def readiness(
    *, has_secret: bool, store_problem: str, workers: Iterable[Worker], now: float
) -> Readiness:
    """Judge by the signs of life in the store; `now` is in seconds since 1970."""
    alive = [worker for worker in workers if now - worker.seen <= ALIVE_S]
    githubs = [worker for worker in alive if role_of(worker.name) == "github"]
    engines = [worker for worker in alive if role_of(worker.name) == "engine"]
    missing = [] if has_secret else [NO_SECRET]
    if store_problem:
        # Who is alive stands in the store: without it nothing can be said about the others.
        return Readiness((*missing, store_problem))
    if not githubs:
        missing.append("The github process is not running: nothing is fetched or published.")
    missing += dict.fromkeys(github.problem for github in githubs if github.problem)
    if not engines:
        missing.append("No engine process is running: nothing is reviewed.")
    problems = dict.fromkeys(engine.problem for engine in engines if engine.problem)
    # Without a model on purpose is no trouble; a wrong setting keeps an engine from its work.
    missing += [problem for problem in problems if problem not in _ON_PURPOSE]
    return Readiness(tuple(missing), tuple(one for one in problems if one in _ON_PURPOSE))
