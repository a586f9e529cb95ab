"""What was dismissed on other pull requests of a repository, known in other words. Pure."""

from collections.abc import Iterator, Sequence, Set

from app.github.markers import short_id
from app.github.remarks import ids_of, is_graver
from app.store.values import Dismissed
from reviewer.finding import Category, Finding, Severity
from reviewer.review.join import names_in, names_of, retold


def dismissed_as(
    findings: Sequence[Finding], dismissed: Sequence[Dismissed], known: Set[str]
) -> dict[str, str]:
    """Return for ids of findings the id under which the same was dismissed in the repository.

    The same file and the same kind of harm, by the words of title and reason (`retold`), where both
    titles agree and neither has a name that the other claim has not: no line and no code tells that
    two are one. Nothing grave, and nothing by a detector, whose ids stay. Each dismissal is of one
    finding, and none of those that are `known`: what was said on this pull request is known better.
    """
    left = [one for one in findings if not one.is_grave and one.source.startswith("model:")]
    claims = [(one.finding, claim) for one in dismissed for claim in _claims(one)]
    pairs = sorted(
        (-share, number, at)
        for number, finding in enumerate(left)
        if known.isdisjoint(map(short_id, ids_of(finding)))
        for at, (name, claim) in enumerate(claims)
        if name not in known and (share := _share(finding, claim))
    )
    found: dict[str, str] = {}
    used: set[str] = set()
    for _, number, at in pairs:
        finding, name = left[number].id, claims[at][0]
        if finding not in found and name not in used:
            found[finding] = name
            used.add(name)
    return found


def _claims(one: Dismissed) -> Iterator[Finding]:
    """Yield what was dismissed, as far as it is noted down; nothing that is grave."""
    if one.category not in set(Category) or one.severity not in set(Severity):
        return
    claim = Finding(
        path=one.path,
        category=Category(one.category),
        severity=Severity(one.severity),
        confidence=0.0,
        title=one.title,
        body=one.reason,
        source="model:dismissed",
    )
    if not claim.is_grave:
        yield claim


def _share(finding: Finding, claim: Finding) -> float:
    """Return how much of the words both have, 0 where they are not surely one."""
    if (finding.path, finding.category) != (claim.path, claim.category):
        return 0.0
    if is_graver(finding, claim) or _has_a_name(finding, claim) or _has_a_name(claim, finding):
        return 0.0
    return retold(finding, claim, there=False)


def _has_a_name(one: Finding, other: Finding) -> bool:
    """Does the title quote code that the other claim speaks of nowhere?"""
    return not names_in(one.title) <= names_of(f"{other.title} {other.body}")
