"""Which claim speaks of which known defect: by place first, then by what a judge has said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.eval.cases import Case, Defect, Place
from reviewer.finding import Finding

NEAR = 3
"""Lines from a known place within which a claim may be about it."""

WHOLE_FILE = NEAR + 1
"""The distance of a claim about a file: only a judge can say that it means a place in it."""

Verdicts = Mapping[tuple[str, str], bool | None]
"""Does the claim (its id) speak of the defect (its id)? None where the judge did not say."""


class Outcome(StrEnum):
    """What a claim turned out to be."""

    FOUND = "found"  # the claim that counts for a known defect
    DUPLICATE = "duplicate"  # one more about a defect that is found
    FALSE = "false"  # about no known defect
    NOT_JUDGED = "not judged"  # at a known place, and nobody said whether it means it


@dataclass(frozen=True)
class Matched:
    """One claim. `exact`: its line lies within a known place. `known_false`: it stands where a
    claim is a false alarm for sure."""

    finding: Finding
    outcome: Outcome
    defect: str | None = None
    exact: bool = False
    known_false: bool = False


@dataclass(frozen=True)
class _Best:
    """The one defect that a claim counts for, and how far off it stands."""

    finding: Finding
    defect: Defect
    distance: int


def pairs(case: Case, findings: Sequence[Finding]) -> list[tuple[Finding, Defect]]:
    """Return each claim with each defect that it stands close to: what a judge is asked about."""
    return [
        (finding, defect)
        for finding in findings
        for defect in case.defects
        if _distance(finding, defect.places) is not None
    ]


def nearest(case: Case, finding: Finding) -> tuple[Place, int | None] | None:
    """Return the known place that a claim is nearest to, and how many lines lie between them.

    0 where they share a line, None for a claim about the whole file. Only places of its file and
    side count; None for the pair where there is none.
    """
    apart = [
        (place, lines)
        for defect in case.defects
        for place in defect.places
        if (lines := _apart(finding, place)) is not None
    ]
    if not apart:
        return None
    place, lines = min(apart, key=lambda each: each[1])
    return place, None if finding.line is None else lines


def match(case: Case, findings: Sequence[Finding], verdicts: Verdicts | None) -> list[Matched]:
    """Say of each claim, in order, what it is. Without verdicts the place alone decides.

    A claim counts for one defect, the nearest; of several claims about one defect the nearest is
    the one that found it, the first among equals.
    """
    best = [_best(case, finding, verdicts) for finding in findings]
    finder: dict[str, str] = {}
    for one in sorted((one for one in best if isinstance(one, _Best)), key=lambda b: b.distance):
        finder.setdefault(one.defect.id, one.finding.id)
    return [
        _matched(case, finding, one, finder) for finding, one in zip(findings, best, strict=True)
    ]


def _best(case: Case, finding: Finding, verdicts: Verdicts | None) -> _Best | Outcome:
    near = [
        _Best(finding, defect, distance)
        for defect in case.defects
        if (distance := _distance(finding, defect.places)) is not None
    ]
    unsaid = False
    if verdicts is None:
        harmless = _overlaps(finding, case.not_defects)
        near = [b for b in near if b.distance < WHOLE_FILE and not (b.distance and harmless)]
    else:
        said = {one.defect.id: verdicts.get((finding.id, one.defect.id)) for one in near}
        unsaid = None in said.values()
        near = [one for one in near if said[one.defect.id]]
    if not near:
        return Outcome.NOT_JUDGED if unsaid else Outcome.FALSE
    return min(near, key=lambda b: (b.distance, b.defect.category != finding.category))


def _matched(
    case: Case, finding: Finding, best: _Best | Outcome, finder: Mapping[str, str]
) -> Matched:
    if isinstance(best, Outcome):
        known = best is Outcome.FALSE and _overlaps(finding, case.not_defects)
        return Matched(finding, best, known_false=known)
    first = finder[best.defect.id] == finding.id
    return Matched(
        finding,
        Outcome.FOUND if first else Outcome.DUPLICATE,
        best.defect.id,
        exact=_exact(finding, best.defect.places),
    )


def _distance(finding: Finding, places: Sequence[Place]) -> int | None:
    """Return how many lines a claim is away from the nearest place; None if it is too far."""
    each = [found for place in places if (found := _gap(finding, place)) is not None]
    return min(each, default=None)


def _gap(finding: Finding, place: Place) -> int | None:
    lines = _apart(finding, place)
    return lines if lines is None or finding.line is None or lines <= NEAR else None


def _apart(finding: Finding, place: Place) -> int | None:
    if finding.path != place.path:
        return None
    if finding.start_line is None or finding.line is None:
        return WHOLE_FILE
    if finding.side != place.side:
        return None
    return max(0, place.start_line - finding.line, finding.start_line - place.line)


def _overlaps(finding: Finding, places: Sequence[Place]) -> bool:
    return any(_gap(finding, place) == 0 for place in places)


def _exact(finding: Finding, places: Sequence[Place]) -> bool:
    """Does the line on which the comment would hang lie within a known place?"""
    return finding.line is not None and any(
        finding.path == place.path
        and finding.side == place.side
        and place.start_line <= finding.line <= place.line
        for place in places
    )
