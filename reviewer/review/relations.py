"""What ties the spans of a change to each other: definition and use, one scope, one file, tests.

Pure: spans, what the changed files define, use and import, and who resolves imports. The work grows
with the spans and their lines; a name that is defined or used all over the change ties nothing.
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from reviewer.change import Span
from reviewer.context.differences import Difference, Ends, dotted
from reviewer.context.values import Certainty, Resolver
from reviewer.parsing.symbols import DefKind, Use, UseKind
from reviewer.ports import Rev
from reviewer.review.sides import CONSTRUCTORS, Meaning, Side, innermost, meanings, outermost, sides

MAX_PLACES = 5
"""A name that is defined in more changed places says too little about which of them is meant."""

MAX_USERS = 50
"""A name used in more spans is known all over the change, and would tie all of it together."""

WEIGHTS: Mapping[Certainty, float] = {
    Certainty.EXACT: 4.0,
    Certainty.LIKELY: 2.5,
    Certainty.NAME: 0.7,
}
"""How much a definition pulls its user, by how sure it is that they are of one name."""

BODY_ONLY = 0.6
"""How much of that remains if nothing changed that a user can see without running it."""

AS_CONTEXT = 0.4
"""How much of that remains if the line that uses it did not change itself."""

SAME_DEFINITION = 4.0
SAME_FILE = 1.5
TEST_OF = 1.5
IMPORTS = 1.0
SAME_KEY = 2.5

_SHORTEST_BARE_NAME = 4
"""A shorter name, or one that every class has, means nothing where only the name is known."""


class Link(NamedTuple):
    """Span `user` uses what span `definer` defines or changes. Numbers are places in the spans."""

    definer: int
    user: int
    weight: float
    certainty: Certainty
    changed: bool
    """Is the line that uses it changed, and not only shown?"""
    name: str = ""


@dataclass(frozen=True)
class Relations:
    """All ties: `links` have a direction, `ties` (weight by numbers, the lower first) have none.

    `imports` are pairs of files, by their paths at the head: the first imports the second there.
    """

    links: tuple[Link, ...] = ()
    ties: Mapping[tuple[int, int], float] = field(default_factory=dict)
    imports: tuple[tuple[str, str], ...] = ()

    def weights(self) -> dict[tuple[int, int], float]:
        """Return how strongly each pair of spans belongs together, all reasons taken together."""
        total = dict(self.ties)
        for link in self.links:
            pair = _pair(link.definer, link.user)
            total[pair] = total.get(pair, 0.0) + link.weight
        return total


def relations(
    spans: Sequence[Span],
    files: Sequence[Ends],
    different: Sequence[Difference],
    resolver: Resolver | None = None,
    keys: Mapping[str, Sequence[int]] | None = None,
) -> Relations:
    """Return the ties between spans, which are in the order of their files and lines.

    `files` are those of the spans of which something is known, `different` what they say
    differently. `keys` are names that exist in no one file (a setting, a route) and the spans that
    have them. Without a resolver only names and places tell.
    """
    by_path: defaultdict[str, list[int]] = defaultdict(list)
    for number, span in enumerate(spans):
        by_path[span.path].append(number)
    ends = list(sides(spans, files, by_path))
    ties: defaultdict[tuple[int, int], float] = defaultdict(float)
    for numbers in by_path.values():
        for one, other in pairwise(numbers):
            ties[one, other] += SAME_FILE
    meant = meanings(ends, resolver)
    for pair, weight in _files_apart(ends, meant, resolver, by_path):
        ties[pair] += weight
    for numbers_of_key in (keys or {}).values():
        numbers = sorted(set(numbers_of_key))
        if len(numbers) <= MAX_USERS:
            for one, other in pairwise(numbers):
                ties[one, other] += SAME_KEY
    contracts = {(each.old_path, each.old_name) for each in different}
    contracts |= {(each.new_path, each.new_name) for each in different}
    places, inside = _defined(ends, meant, contracts)
    for numbers in inside.values():
        for one, other in pairwise(sorted(set(numbers))):
            ties[_pair(one, other)] += SAME_DEFINITION
    links = _links(ends, meant, places)
    return Relations(tuple(links), dict(ties), tuple(sorted(_imports(ends, meant))))


def _pair(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)


# Definitions -------------------------------------------------------------------------------------


class _Place(NamedTuple):
    """A span that changes a definition. `contract`: so that a user can see it."""

    span: int
    path: str
    own_path: str
    beside: str
    symbol: str
    contract: bool


def _defined(
    ends: Sequence[Side], meant: Sequence[Meaning], contracts: set[tuple[str, str]]
) -> tuple[dict[str, list[_Place]], dict[tuple[str, str, Rev], list[int]]]:
    """Return the places where each name is defined by a changed line, and the spans of each scope.

    A name with too many places has none.
    """
    places: defaultdict[str, dict[_Place, None]] = defaultdict(dict)
    inside: defaultdict[tuple[str, str, Rev], list[int]] = defaultdict(list)
    for side, meaning in zip(ends, meant, strict=True):
        outer = outermost(side.what.definitions)
        lines = sorted({line for lines in side.changed.values() for line in lines})
        at = dict(zip(lines, innermost(outer, lines), strict=True))
        for number, changed in side.changed.items():
            for each in {at[line] for line in changed}:
                if each is None or each.kind is DefKind.MODULE:
                    continue
                name = dotted(each)
                inside[side.path, name, side.at].append(number)
                contract = (side.own_path, name) in contracts
                known = each.name
                if known in CONSTRUCTORS and each.scope:
                    known = each.scope.rpartition(".")[2]
                here = (side.path, side.own_path, meaning.beside)
                places[known][_Place(number, *here, name, contract)] = None
    few = {
        name: list(_first_of_each(found))
        for name, found in places.items()
        if len({(place.path, place.symbol) for place in found}) <= MAX_PLACES
    }
    return few, inside


def _first_of_each(places: Iterable[_Place]) -> Iterator[_Place]:
    """Yield the places but those far down a definition that is changed all over."""
    seen: Counter[tuple[str, str]] = Counter()
    for place in sorted(places):
        seen[place.own_path, place.symbol] += 1
        if seen[place.own_path, place.symbol] <= MAX_PLACES:
            yield place


# Files -------------------------------------------------------------------------------------------


def _files_apart(
    ends: Sequence[Side],
    meant: Sequence[Meaning],
    resolver: Resolver | None,
    by_path: Mapping[str, Sequence[int]],
) -> Iterator[tuple[tuple[int, int], float]]:
    """Yield what ties files whatever their names: one imports the other, or tests it."""
    if resolver is None:
        return
    now = {side.own_path: side.path for side in ends}
    for side, meaning in zip(ends, meant, strict=True):
        if side.at == "base" and not any(side.changed.values()):
            continue
        for other, line in meaning.files.items():
            path = now.get(other)
            if path is None or path == side.path or not by_path.get(path):
                continue
            importing = _span_at(side, line)
            if importing is not None:
                yield _pair(importing, by_path[path][0]), IMPORTS
        if side.at == "head":
            for test in resolver.tests_of(side.own_path):
                if by_path.get(test) and by_path.get(side.path) and test != side.path:
                    yield _pair(by_path[test][0], by_path[side.path][0]), TEST_OF


def _imports(ends: Sequence[Side], meant: Sequence[Meaning]) -> set[tuple[str, str]]:
    """Return which changed files import which others at the head."""
    there = {side.own_path for side in ends if side.at == "head"}
    return {
        (side.path, other)
        for side, meaning in zip(ends, meant, strict=True)
        if side.at == "head"
        for other in meaning.files
        if other in there and other != side.path
    }


def _span_at(side: Side, line: int) -> int | None:
    """Return the span that shows a line, else the first of the file."""
    for number, shown in side.shown.items():
        if line in shown:
            return number
    return next(iter(side.changed), None)


# Uses --------------------------------------------------------------------------------------------


def _links(
    ends: Sequence[Side], meant: Sequence[Meaning], places: Mapping[str, Sequence[_Place]]
) -> list[Link]:
    """Return who uses what is defined, each pair of spans once for each name."""
    found: dict[str, dict[tuple[int, int], Link]] = {}
    users: defaultdict[str, set[int]] = defaultdict(set)
    for side, meaning in zip(ends, meant, strict=True):
        for number, use, changed in _uses(side):
            name = meaning.original.get(use.name, use.name)
            if name not in places or len(users[name]) > MAX_USERS:
                continue
            users[name].add(number)
            alone = len({place.path for place in places[name]}) == 1
            for place in places[name]:
                if place.span == number:
                    continue
                certainty = _certainty(side, meaning, use, place, alone=alone)
                if certainty is None:
                    continue
                weight = WEIGHTS[certainty]
                weight *= (1.0 if place.contract else BODY_ONLY) * (1.0 if changed else AS_CONTEXT)
                pair = (place.span, number)
                known = found.setdefault(name, {}).get(pair)
                if known is None or known.weight < weight:
                    found[name][pair] = Link(place.span, number, weight, certainty, changed, name)
    return [
        link._replace(weight=link.weight * _share(len(users[name])))
        for name, pairs in sorted(found.items())
        if len(users[name]) <= MAX_USERS
        for _, link in sorted(pairs.items())
    ]


def _share(users: int) -> float:
    """Return how much a name says by how many spans use it; in steps, so that one more is none."""
    return 1.0 if users <= 4 else 0.7 if users <= 16 else 0.4


def _uses(side: Side) -> Iterator[tuple[int, Use, bool]]:
    """Yield the uses on the lines of each span, and whether the line is changed."""
    uses = sorted(side.what.uses, key=lambda use: use.line)
    lines = [use.line for use in uses]
    for number, changed in side.changed.items():
        of_change = set(changed)
        shown = side.shown.get(number)
        if shown is None:
            if not changed:
                continue
            shown = range(changed[0], changed[-1] + 1)
        for use in uses[bisect_left(lines, shown.start) : bisect_left(lines, shown.stop)]:
            if use.line in of_change:
                yield number, use, True
            elif side.at == "head":
                yield number, use, False


def _certainty(
    side: Side, meaning: Meaning, use: Use, place: _Place, *, alone: bool
) -> Certainty | None:
    """Return how sure it is that a use means a definition, None for not even likely.

    `alone`: no other file of the change defines the name.
    """
    bare = not use.receiver or use.kind is UseKind.IMPORT
    name = meaning.original.get(use.name, use.name)
    if place.path == side.path or place.beside == meaning.beside:
        return Certainty.EXACT if bare else Certainty.LIKELY
    if place.own_path in meaning.named.get(name, ()) or (
        place.own_path in meaning.bound.get(_first(use.receiver), ())
    ):
        return Certainty.EXACT
    if place.own_path in meaning.files or _offered(place.own_path, meaning.near.get(name, ())):
        return Certainty.LIKELY
    by_name = use.kind not in (UseKind.STRING, UseKind.KEYWORD) and not name.startswith("__")
    return Certainty.NAME if alone and by_name and len(name) >= _SHORTEST_BARE_NAME else None


def _offered(path: str, folders: Iterable[str]) -> bool:
    """May a package offer on what one of its files has, seen from who imports it from there?"""
    return any(not folder or path.startswith(f"{folder}/") for folder in folders)


def _first(receiver: str) -> str:
    """Return the name that a receiver begins with."""
    found = re.match(r"\w+", receiver)
    return found[0] if found else ""
