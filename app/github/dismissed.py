"""What was dismissed on other pull requests of a repository, known in other words. Pure."""

from collections.abc import Iterator, Sequence, Set

from app.github.markers import short_id
from app.github.remarks import ids_of
from app.store.values import Dismissed
from reviewer.finding import Category, Finding, Severity
from reviewer.review.join import COMMON_NAMES, is_plain_word, names_in, names_of, retold


def dismissed_as(
    findings: Sequence[Finding], dismissed: Sequence[Dismissed], known: Set[str]
) -> dict[str, str]:
    """Return for ids of findings the id under which the same was dismissed in the repository.

    The same file and the same kind of harm, by the words of title and reason (`retold`), where both
    titles agree and neither has a name that the other claim has not, and where both quote a name
    (`_of_one_name`): no line and no code tells that two are one. Nothing grave, nothing that is
    graver than what was dismissed, and nothing by a detector, whose ids stay. Each dismissal is of
    one finding, and none of those that are `known`: what was said on this pull request is known
    better.
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
    if finding.severity.rank < claim.severity.rank or not _of_one_name(finding, claim):
        return 0.0
    if _has_a_name(finding, claim) or _has_a_name(claim, finding):
        return 0.0
    return retold(finding, claim, there=False)


def _of_one_name(one: Finding, other: Finding) -> bool:
    """Do both titles, or both reasons, quote a telling name of code, and not each another as well?

    "The await is missing" is said of each call that lacks one, in the same words.
    """
    if not _telling(one.title) & _telling(other.title) | _telling(one.body) & _telling(other.body):
        return False
    return not (_has_own(one, other) and _has_own(other, one))


def _has_own(one: Finding, other: Finding) -> bool:
    names = _telling(f"{one.title} {one.body}")
    return not names <= names_of(f"{other.title} {other.body}")


def _telling(text: str) -> set[str]:
    """Return what a text quotes as code, but for what every file has: `open`, `None`."""
    return {name for name in names_in(text) - COMMON_NAMES if not is_plain_word(name)}


def _has_a_name(one: Finding, other: Finding) -> bool:
    """Does the title quote code that the other claim speaks of nowhere?"""
    return not names_in(one.title) <= names_of(f"{other.title} {other.body}")
