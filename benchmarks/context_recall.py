"""The arithmetic of recall: what a list of places is worth beside the truth about one function."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Place = tuple[str, int]

DEPTHS = (5, 10, 20)
"""The k of recall@k = |top-k and truth| / min(k, |truth|)."""

GROUPS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "all": lambda one: bool(one["random"]),
    "1 definition": lambda one: bool(one["random"]) and one["definitions"] == 1,
    "2-5": lambda one: bool(one["random"]) and 2 <= one["definitions"] <= 5,
    ">5": lambda one: bool(one["definitions"] > 5),
    "functions": lambda one: bool(one["random"]) and one["kind"] == "function",
    "methods": lambda one: bool(one["random"]) and one["kind"] == "method",
}
"""All but ">5" are of functions drawn at random; that one has more of its kind than such a draw."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one lookup found of the truth about one function with at least one use."""

    function: dict[str, Any]
    found: int
    uses: int
    candidates: int
    at: dict[int, float]
    seconds: float = 0.0


@dataclass(slots=True)
class Score:
    """Of one group: recall of all candidates (over uses), and at each depth (mean over functions).

    `found` is of all uses together, `at` a mean over functions; both None where there are none.
    """

    functions: int = 0
    uses: int = 0
    found: float | None = None
    candidates: int = 0
    at: dict[int, float] = field(default_factory=dict)


def outcome(
    function: dict[str, Any],
    places: Sequence[Place],
    candidates: Sequence[Place] | None = None,
    seconds: float = 0.0,
) -> Outcome:
    """Compare `places`, best first, and what they were chosen from, with the truth of a function.

    Imports of the function, its definition and other declarations do not count.
    """
    truth = set(map(tuple, function["uses"]))
    neither = {tuple(place) for place in function["imports"] + function["declarations"]}
    neither.add((function["path"], function["line"]))
    order = [place for place in dict.fromkeys(places) if place not in neither]
    every = set(places if candidates is None else candidates) - neither
    at = {k: len(truth & set(order[:k])) / min(k, len(truth)) for k in DEPTHS}
    return Outcome(function, len(truth & every), len(truth), len(every), at, seconds)


def scores(outcomes: Iterable[Outcome]) -> dict[str, Score]:
    """Return the score of each group."""
    every = list(outcomes)
    return {
        name: _score([one for one in every if fits(one.function)]) for name, fits in GROUPS.items()
    }


def _score(outcomes: Sequence[Outcome]) -> Score:
    if not outcomes:
        return Score()
    uses = sum(one.uses for one in outcomes)
    return Score(
        functions=len(outcomes),
        uses=uses,
        found=sum(one.found for one in outcomes) / uses,
        candidates=sum(one.candidates for one in outcomes),
        at={k: sum(one.at[k] for one in outcomes) / len(outcomes) for k in DEPTHS},
    )


def quantile(values: Iterable[float], share: float) -> float:
    """Return the value below which that share of them lies; 0 for none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
