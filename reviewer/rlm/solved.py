"""What a node comes to: its result, what that covers, and what is missed and why."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import BaseModel

from reviewer.errors import GiveUp
from reviewer.request import StopReason
from reviewer.rlm.budget import OutOfBudget
from reviewer.rlm.run import Stopped
from reviewer.rlm.task import Unit

R = TypeVar("R", bound=BaseModel)


@dataclass(frozen=True)
class Solved(Generic[R]):
    """A result, what it covers, and what it misses and why. `stops` names the kinds of why."""

    result: R
    covered: frozenset[Unit]
    missed: dict[Unit, str] = field(default_factory=dict)
    stops: frozenset[StopReason] = frozenset()


def joined(result: R, children: Iterable[Solved[R]], stops: frozenset[StopReason]) -> Solved[R]:
    """Return a parent's result with what its children cover; `stops` are the parent's own.

    A unit is covered if one of those that were given it covers it.
    """
    known = list(children)
    covered = frozenset[Unit]().union(*(child.covered for child in known))
    missed = {
        unit: why for child in known for unit, why in child.missed.items() if unit not in covered
    }
    mattering = (child.stops for child in known if child.missed.keys() & missed.keys())
    return Solved(result, covered, missed, stops.union(*mattering))


def reason_of(error: GiveUp) -> StopReason:
    """Return what kind of end an error is to a node."""
    match error:
        case Stopped():
            return error.reason
        case OutOfBudget():
            return StopReason.BUDGET
        case _:
            return StopReason.INCOMPLETE
