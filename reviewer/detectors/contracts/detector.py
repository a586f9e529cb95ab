"""Reports what a change breaks in files beyond its own lines, and only what is certain.

Each use of a name whose definition changed is bound twice, in the tree of the base and in that of
the head: it is broken if it meant something of ours before and means nothing now, or if its call
fitted before and does not fit now.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from reviewer.change import FileChange, Status
from reviewer.context.values import Context
from reviewer.detectors.base import Note, Source
from reviewer.detectors.contracts.breaks import Cause, Ends, Place, find
from reviewer.detectors.contracts.differences import FileDifference, difference
from reviewer.detectors.contracts.trees import Clock, OutOfTime, Tree, family
from reviewer.detectors.contracts.wording import finding
from reviewer.finding import Finding
from reviewer.ports import Objects

Also = Callable[[Ends, Sequence[FileDifference], list[str]], Iterator[tuple[Cause, Place]]]
"""Finds more of what a change breaks: the two ends, what changed, and where to put notes."""

SECONDS = 20.0  # over all batches; beyond it what is left is said in a note


@dataclass(frozen=True, slots=True)
class Contracts:
    """The detector; see the module. `also` finds more, which is said with the rest."""

    context: Context
    clock: Clock = field(default_factory=lambda: Clock(SECONDS))
    name: str = "contracts"
    also: Also | None = None

    def wants(self, file: FileChange) -> bool:
        """Is it source of a language that is checked, that others could depend on?"""
        return bool(family(file.path)) and file.status is not Status.TYPE_CHANGED

    def run(self, sources: Sequence[Source], objects: Objects) -> Iterator[Finding | Note]:
        moved = {
            each.file.new_path: each.file.old_path
            for each in sources
            if each.file.new_path and each.file.old_path
        }
        ends = Ends(
            Tree(self.context, objects, "head", self.clock),
            Tree(self.context, objects, "base", self.clock, moved),
            {},
        )
        found: defaultdict[tuple[str, str, bool], list[tuple[Cause, Place]]] = defaultdict(list)
        notes: list[str] = []
        differences: list[FileDifference] = []
        self.clock.start()
        try:
            differences = [_difference(ends, each) for each in sources]
            files = {each.old.path: each for each in differences if each.old is not None}
            ends = Ends(ends.head, ends.base, files)
            for cause, place in find(ends, differences, notes):
                found[cause.key].append((cause, place))
            for cause, place in self.also(ends, differences, notes) if self.also else ():
                found[cause.key].append((cause, place))
        except OutOfTime:
            notes.append(
                "Contracts: not every use of what changed was looked at, for lack of time."
            )
        finally:
            self.clock.stop()
        by_path = {each.file.path: each for each in sources}
        for some in found.values():
            places = [place for _, place in some]
            said = finding(some[0][0], places, differences, by_path)
            if said is not None:
                yield said
        yield from map(Note, dict.fromkeys(notes))


def _difference(ends: Ends, source: Source) -> FileDifference:
    """Compare the ends of one file; an end that was not read whole counts as no difference."""
    file = source.file
    old = ends.base.view(file.old_path) if file.old_path else None
    new = ends.head.view(file.new_path) if file.new_path else None
    if old is None or not old.what.complete:
        return FileDifference(file.path, None, new)
    if file.new_path and (new is None or not new.what.complete):
        return FileDifference(file.path, None, None)
    return difference(file.path, old, new)
