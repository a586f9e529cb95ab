"""All hostile pull requests there are, in the groups that share a server, with their fields."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.redteam import ci, granted, large, orders, people, trees, words
from tests.redteam.cases import Case
from tests.redteam.field import Field

Group = tuple[Sequence[Case], Callable[[Path], Field]]

CORPUS: Mapping[str, Group] = {
    "ci": (ci.CASES, ci.Branches),
    "granted": (granted.CASES, granted.Granted),
    "large": (large.CASES, Field),
    "names": (trees.NAMES, Field),
    "orders": (orders.CASES, Field),
    "people": (people.CASES, Field),
    "reach": (people.REACHED, Field),
    "trees": (trees.CASES, Field),
    "words": (words.CASES, Field),
}
"""By the name of the test file that plays the group."""
