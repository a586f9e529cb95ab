"""Which spans of a change share a scope: those that belong together, as far as a window has room.

Spans are joined pair by pair, the strongest pair first, while what comes of it fits the window; the
pairs' weights do not change on the way, so that an edit moves what it touches and leaves the rest.
What remains small is packed by path. The clusters are joined in the same way to clusters of
clusters, a few windows each, and so on: a tree, in which what belongs together is near.
"""

import hashlib
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import groupby
from typing import NamedTuple

from reviewer.change import Span
from reviewer.languages import is_prose, is_test
from reviewer.review.relations import Link, Relations
from reviewer.review.scope import divide as by_folder
from reviewer.review.scope import size_of
from reviewer.text import encode

FAN = 8
"""How many windows a cluster of clusters holds, how many of those the next one, and so on."""

PACK = 4
"""At one path in so many a new part begins although the last one has room."""


@dataclass(frozen=True)
class Clusters:
    """All spans in the order to read them in, and for each the numbers of its clusters by its id.

    The numbers go from the widest cluster to the narrowest, and mean something here alone.
    """

    order: tuple[Span, ...] = ()
    places: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def divide(self, spans: tuple[Span, ...], window: int) -> list[tuple[Span, ...]]:
        """Return some of the spans, in their order, as the parts that the tree has them in.

        Spans of one narrowest cluster, or of none, are divided by folder, file and span.
        """
        places = [self.places.get(span.id, ()) for span in spans]
        for level in range(len(places[0]) if places and all(places) else 0):
            if len({place[level] for place in places}) > 1:
                pairs = zip(places, spans, strict=True)
                groups = groupby(pairs, key=lambda pair: pair[0][level])
                return [tuple(span for _, span in group) for _, group in groups]
        return by_folder(spans, window)


class _Name(NamedTuple):
    """What an item is packed by. Of a cluster it is the first of its spans' names."""

    prose: bool
    test: bool
    path: str
    number: int
    id: str


def cluster(spans: Sequence[Span], relations: Relations, window: int) -> Clusters:
    """Return the tree of clusters: the narrowest of at most `window` tokens, or one span.

    The spans are in the order of their paths and lines, the relations' numbers are places in them.
    """
    sizes = [size_of([span]) for span in spans]
    names = [
        _Name(is_prose(span.path), is_test(span.path), span.path, number, span.id)
        for number, span in enumerate(spans)
    ]
    weights = relations.weights()
    items = [[number] for number in range(len(spans))]
    places: list[tuple[int, ...]] = [()] * len(spans)
    limit, total = window, sum(sizes)
    while True:
        groups = _packed(_joined(sizes, names, weights, limit), sizes, names, limit)
        items = [[number for one in group for number in items[one]] for group in groups]
        for place, numbers in enumerate(items):
            for number in numbers:
                places[number] = (place, *places[number])
        limit *= FAN
        if limit >= total:
            break
        weights = _contracted(weights, groups)
        sizes = [sum(sizes[one] for one in group) for group in groups]
        names = [min(names[one] for one in group) for group in groups]
    order = _ordered(spans, places, relations.links)
    named = {span.id: place for span, place in zip(spans, places, strict=True)}
    return Clusters(tuple(spans[number] for number in order), named)


def _joined(
    sizes: Sequence[int],
    names: Sequence[_Name],
    weights: Mapping[tuple[int, int], float],
    limit: int,
) -> list[list[int]]:
    """Join the two groups of most weight for their size, again and again, while they fit."""
    held = list(sizes)
    members = [[item] for item in range(len(sizes))]
    ids = [name.id for name in names]
    near: list[dict[int, float]] = [{} for _ in sizes]
    for (one, other), weight in weights.items():
        near[one][other] = near[other][one] = weight

    def entry(one: int, other: int) -> tuple[float, str, str, int, int]:
        # Among equals the digests decide: the order of lines would pass each edit down the file.
        first, second = (one, other) if ids[one] <= ids[other] else (other, one)
        rank = near[one][other] / (held[one] + held[other])
        return -rank, ids[first], ids[second], first, second

    heap = [entry(one, other) for one, other in weights]
    heapify(heap)
    while heap:
        known = heappop(heap)
        one, other = known[-2:]
        if other not in near[one]:
            continue  # one of them is part of another group by now
        if held[one] + held[other] > limit:
            del near[one][other], near[other][one]
            continue
        now = entry(one, other)
        if now[0] > known[0]:
            heappush(heap, now)  # they have grown since
            continue
        if len(near[one]) < len(near[other]):
            one, other = other, one
        del near[one][other], near[other][one]
        held[one] += held[other]
        members[one] += members[other]
        ids[one] = min(ids[one], ids[other])
        for third, weight in near[other].items():
            del near[third][other]
            near[one][third] = near[third][one] = near[one].get(third, 0.0) + weight
            heappush(heap, entry(one, third))
        near[other] = {}
        members[other] = []
    return [group for group in members if group]


def _packed(
    groups: Sequence[list[int]], sizes: Sequence[int], names: Sequence[_Name], limit: int
) -> list[list[int]]:
    """Put neighbours by path together while they fit; some paths begin a new group all the same."""
    parts: list[list[int]] = []
    room = 0
    for name, group in sorted((min(names[item] for item in group), group) for group in groups):
        size = sum(sizes[item] for item in group)
        starts = int(hashlib.sha256(encode(name.path)).hexdigest(), 16) % PACK == 0
        if parts and size <= room and not (starts and room < limit // 2):
            parts[-1] += group
            room -= size
        else:
            parts.append(list(group))
            room = limit - size
    return parts


def _contracted(
    weights: Mapping[tuple[int, int], float], groups: Sequence[Sequence[int]]
) -> dict[tuple[int, int], float]:
    """Return how strongly the groups belong together: the sum over their items."""
    of = {item: number for number, group in enumerate(groups) for item in group}
    total: defaultdict[tuple[int, int], float] = defaultdict(float)
    for (one, other), weight in weights.items():
        low, high = sorted((of[one], of[other]))
        if low != high:
            total[low, high] += weight
    return dict(total)


# Order -------------------------------------------------------------------------------------------


def _ordered(
    spans: Sequence[Span], places: Sequence[tuple[int, ...]], links: Sequence[Link]
) -> list[int]:
    """Return the numbers of the spans: by cluster; in it files after those that they use; lines."""
    inner: defaultdict[tuple[int, ...], list[Link]] = defaultdict(list)
    for link in links:
        if places[link.definer] == places[link.user]:
            inner[places[link.definer]].append(link)
    held: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for number, place in enumerate(places):
        held[place].append(number)
    order: list[int] = []
    for place in sorted(held):
        by_path: defaultdict[str, list[int]] = defaultdict(list)
        for number in held[place]:
            by_path[spans[number].path].append(number)
        pulls: defaultdict[tuple[str, str], float] = defaultdict(float)
        for link in inner[place]:
            one, other = spans[link.definer].path, spans[link.user].path
            if one < other:
                pulls[one, other] += link.weight
            elif other < one:
                pulls[other, one] -= link.weight
        for path in _before(by_path, pulls):
            order += by_path[path]
    return order


def _before(paths: Collection[str], pulls: Mapping[tuple[str, str], float]) -> Iterator[str]:
    """Yield the paths, each after those that it uses where that is possible, else by name.

    `pulls` is how much more the second of a pair uses the first than the other way round.
    """
    users: defaultdict[str, set[str]] = defaultdict(set)
    waits: dict[str, int] = dict.fromkeys(paths, 0)
    for (one, other), pull in pulls.items():
        if pull:
            first, then = (one, other) if pull > 0 else (other, one)
            users[first].add(then)
            waits[then] += 1
    ready = [(is_test(path), path) for path, count in waits.items() if count == 0]
    heapify(ready)
    circle = deque(sorted(waits, key=lambda path: (waits[path], is_test(path), path)))
    while waits:
        # In a circle the one that waited for the fewest goes first.
        path = heappop(ready)[1] if ready else circle.popleft()
        if waits.pop(path, None) is None:
            continue
        yield path
        for user in users[path]:
            if user in waits:
                waits[user] -= 1
                if waits[user] == 0:
                    heappush(ready, (is_test(user), user))
