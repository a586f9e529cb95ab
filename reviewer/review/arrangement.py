"""How a change is laid out for its readers: what is read together, what it does at borders."""

import gc
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from reviewer.change import FileChange, Span
from reviewer.context.differences import Ends, differences
from reviewer.context.resolving import resolver as resolver_of
from reviewer.context.values import Certainty, Context, Resolver
from reviewer.errors import RlmError
from reviewer.ports import Cancelled, FileTooLarge, MissingBlob, NoSuchFile, Objects
from reviewer.review.borders import Border, borders, shared_keys
from reviewer.review.changed import read_ends
from reviewer.review.clusters import Clusters, cluster
from reviewer.review.nearby import Nearby, nearby
from reviewer.review.relations import Relations, relations
from reviewer.rlm.run import WINDOW_TOKENS


@dataclass(frozen=True)
class Arrangement:
    """The clusters of a change's spans, its borders, and what lies around the spans.

    `imports` are pairs of changed files. `users` has, by the id of a span and a name that it
    defines, the changed files whose spans surely or likely use it.
    """

    clusters: Clusters = field(default_factory=Clusters)
    borders: tuple[Border, ...] = ()
    imports: tuple[tuple[str, str], ...] = ()
    users: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    nearby: Nearby = field(default_factory=Nearby)


def arrange(
    files: Sequence[FileChange],
    spans: Sequence[Span],
    objects: Objects,
    cancelled: Cancelled,
    context: Context | None = None,
) -> Arrangement:
    """Return how spans of the files are read. What cannot be read or resolved ties less.

    `context` is asked for what files say, and for who resolves imports, where there is one.
    """
    ends = read_ends(files, objects, cancelled, context)
    return arranged(spans, ends, _resolver(ends, objects, context), WINDOW_TOKENS)


def arranged(
    spans: Sequence[Span], ends: Sequence[Ends], resolver: Resolver | None, window: int
) -> Arrangement:
    """Return the same from what was read. Pure: no order of what is given makes a difference."""
    with _uncollected():
        ordered = sorted(spans, key=_place)
        known = sorted(ends, key=lambda each: each.new_path or each.old_path or "")
        different = differences(known)
        found = borders(ordered, known, different)
        related = relations(ordered, known, different, resolver, shared_keys(ordered, found))
        clusters = cluster(ordered, related, window)
        around = nearby(ordered, known, different)
        return Arrangement(clusters, found, related.imports, _users(ordered, related), around)


def _users(spans: Sequence[Span], related: Relations) -> dict[tuple[str, str], frozenset[str]]:
    users: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for link in related.links:
        if link.certainty is not Certainty.NAME:
            users[spans[link.definer].id, link.name].add(spans[link.user].path)
    return {key: frozenset(paths) for key, paths in users.items()}


@contextmanager
def _uncollected() -> Iterator[None]:
    """Spare the search for cycles: none are made, and it takes half the time among so much."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _place(span: Span) -> tuple[str, int, int, int, str]:
    return span.path, span.hunk.new_start, span.hunk.old_start, span.start, span.id


def _resolver(ends: Sequence[Ends], objects: Objects, context: Context | None) -> Resolver | None:
    """Return what resolves imports at the head, where deleted files count as being there, too."""
    if not ends:
        return None

    def read(path: str) -> bytes | None:
        try:
            return objects.read(path)
        except (NoSuchFile, FileTooLarge, MissingBlob):
            return None

    try:
        if context is not None:
            return context.resolver()
        there = {entry.path for entry in objects.entries()}
    except RlmError:
        return None
    return resolver_of(there | {each.old_path for each in ends if each.old_path}, read)
