"""Where does a finding stand in a tree today, and may its file be written? Pure.

A finding comes from a file that anybody may have written: its paths and lines are looked up in the
tree, and what it quotes has to stand there.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from reviewer.detectors.secrets import redacted
from reviewer.finding import Category, Finding
from reviewer.fix.values import Open, left_open
from reviewer.refactor.apply import readable
from reviewer.refactor.protect import no_path, not_ours, refused, shown
from reviewer.refactor.tree import Overlay
from reviewer.text import printable

MOST_SPOTS = 20
"""Of one finding: its place and others. More of the same are found by whoever mends these."""

LONG_CHARS = 150
"""A quoted line of so many characters may be the beginning of a longer one."""

_SPELLED = "detector:hidden"
"""A source whose evidence spells out what is hidden, and so is no copy of the code."""


@dataclass(frozen=True)
class Spot:
    """Lines of a file of the tree, from 1; None for the whole file."""

    path: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class Target:
    """A finding that can be worked on, and where it stands: its own place is the first.

    `is_checks`: it is checks that fail, see `reviewer.fix.checks`. `alone`: no file but those where
    it stands may be edited.
    """

    finding: Finding
    spots: tuple[Spot, ...]
    is_checks: bool = False
    alone: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(spot.path for spot in self.spots))


def spellings(tree: Overlay) -> dict[str, str]:
    """Return the paths of the start by how a review spells them: not every path is Unicode."""
    return {printable(path): path for path in tree.start.modes}


def located(finding: Finding, tree: Overlay, spelled: Mapping[str, str]) -> Target | Open:
    """Return where a finding stands in the tree, or why nobody works on it."""
    path = spelled.get(finding.path, finding.path)
    if finding.category is Category.SECRET:
        why = "a secret that was committed has to be revoked: that is done by hand"
        return left_open(finding, "protected", why)
    if problem := no_path(path) or not_ours(path):
        return left_open(finding, "protected", f"{shown(path)}: {problem}")
    if tree.has(path) and (problem := refused(path, tree)):
        return left_open(finding, "protected", f"{shown(path)}: {problem}")
    blob = tree.blob(path)
    if blob is None:
        return left_open(finding, "outdated", f"there is no file {shown(path)} in the last commit")
    own = _own(finding, path, _lines(readable(blob.data)))
    if isinstance(own, str):
        return left_open(finding, "outdated", own)
    return Target(finding, (own, *_others(finding, tree, spelled)))


def _own(finding: Finding, path: str, lines: list[str]) -> Spot | str:
    """Return the place of a finding in a file of these lines, or why it is outdated."""
    quote = [line for line in _lines(finding.evidence) if line]
    verbatim = bool(quote) and not finding.source.startswith(_SPELLED)
    found = _nearest(quote, lines, finding.start_line or 1) if verbatim else None
    if finding.side == "LEFT":
        if found is not None:
            return "the lines that it says are gone stand there again"
        return Spot(path)
    if found is not None:
        return Spot(path, *found) if finding.start_line is not None else Spot(path)
    if verbatim:
        return f"what it quotes does not stand in {shown(path)} any more"
    if finding.line is not None and finding.line > len(lines):
        return f"{shown(path)} has no line {finding.line} any more"
    return Spot(path, finding.start_line, finding.line)


def _others(finding: Finding, tree: Overlay, spelled: Mapping[str, str]) -> list[Spot]:
    """Return the other places of a finding that are there, and whose files may be written."""
    spots = []
    for place in finding.places:
        path = spelled.get(place.path)
        if path is None or place.side == "LEFT" or refused(path, tree):
            continue
        blob = tree.blob(path)
        if blob is not None and (place.line or 1) <= blob.data.count(b"\n") + 1:
            spots.append(Spot(path, place.start_line, place.line))
    return spots[: MOST_SPOTS - 1]


def _lines(text: str) -> list[str]:
    """Return lines as they are compared: as a review shows them, without what surrounds them."""
    return [line.strip() for line in redacted(printable(text)).split("\n")]


def _nearest(quote: list[str], lines: list[str], wanted: int) -> tuple[int, int] | None:
    """Return the first and last line of the quote, where it stands nearest to a line.

    Empty lines count for nothing: a quote may have lost them.
    """
    kept = [(number, line) for number, line in enumerate(lines, 1) if line]
    found = [
        (kept[at][0], kept[at + len(quote) - 1][0])
        for at in range(len(kept) - len(quote) + 1)
        if all(_is_quoted(kept[at + step][1], line) for step, line in enumerate(quote))
    ]
    return min(found, key=lambda one: abs(one[0] - wanted), default=None)


def _is_quoted(line: str, quote: str) -> bool:
    """Is that the line? Detectors cut what they quote of a long one."""
    return line == quote or (len(quote) >= LONG_CHARS and line.startswith(quote))
