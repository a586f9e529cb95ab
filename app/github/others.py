"""What a person or another bot said on a pull request, and which findings it says.

At lines of the diff the place tells most, and the words have to agree. Elsewhere (conversation,
texts of reviews, comments about whole files and on lines that are gone) the words alone tell, so
that they have to say more, point by point: see `mentioned_by_others`. Whose word it is decides what
it can keep back: see `Weight`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from typing import TypeVar

from app.github.between import Heads, Lines
from app.github.points import Point, points, shown
from app.report import Anchor
from reviewer.finding import Finding, Severity, Side
from reviewer.review.join import (
    COMMON_NAMES,
    TELLING_WORDS,
    alike,
    are_two,
    is_plain_word,
    names_in,
    names_of,
    telling_words,
)

NEAR_LINES = 3
"""A comment belongs to a place from so far: people mark the call or the line above it, and tools
the whole statement."""

SHORT_WORDS = 4
"""A comment with fewer telling words ("typo?", "why not async?") agrees with anything."""

SAME_WORDS = 0.5
"""Of the shorter text: half of what a brief comment says is in our title and reason, or half of
ours in a long one. Two texts about other faults of one line share its names, about a quarter."""

SAME_TITLE = 0.5
"""Of the title's words: the reason alone can be shared by two claims about one function."""

MOST_WORDS = 4
"""So many times ours a comment may have: a list of all words there are would say everything."""

MOST_LINES = 40
"""Of a comment: who marks more speaks of no line."""

SHARED_WORDS = 5
"""What a point elsewhere has in common with a finding: half of a short one is soon said."""

MOST_POINTS = 500
MOST_CHARS = 500_000
"""Of what others said elsewhere the newest is looked at: points and characters in all."""

WORKFLOWS = frozenset({"github-actions", "github-advanced-security", "github-code-scanning"})
"""Apps that say what a workflow has them say, or a file that it uploads."""

RELAYS = frozenset(
    {
        "appveyor",
        "azure-pipelines",
        "buildkite",
        "circleci-checks",
        "cirrus-ci",
        "google-cloud-build",
        "reviewdog",
        "travis-ci",
    }
)
"""Apps of other services that do so: what they say was printed by a job, which runs the change."""

_MEMBERS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})


class Weight(Enum):
    """What somebody's word can keep back."""

    NONE = auto()
    """Nothing: a stranger could say everything of every line beforehand."""
    WORKFLOW = auto()
    """What is low: a workflow is run from the change, and says what its author wants."""
    APP = auto()
    """What is medium or low: an app judges for itself, and reads what the author wrote."""
    MEMBER = auto()
    """All but what is critical, at its lines."""

    @classmethod
    def of_app(cls, slug: str | None) -> "Weight":
        """Return that of an app, by its name in addresses (None: nobody knows which it is)."""
        return cls.WORKFLOW if slug is None or slug.lower() in WORKFLOWS | RELAYS else cls.APP

    @classmethod
    def of(cls, login: str, association: str, kind: str) -> "Weight":
        """Return that of an account, as GitHub tells of it; an app's `kind` is "Bot"."""
        if kind == "Bot":
            return cls.of_app(login.removesuffix("[bot]"))
        return cls.MEMBER if association in _MEMBERS else cls.NONE

    def counts_for(self, finding: Finding) -> bool:
        """Can it keep back the comment about a finding, said at its lines?"""
        match self:
            case Weight.MEMBER:
                return finding.severity is not Severity.CRITICAL
            case Weight.APP:
                return is_for_programs(finding)
            case Weight.WORKFLOW:
                return is_for_programs(finding) and finding.severity.rank > Severity.MEDIUM.rank
        return False


@dataclass(frozen=True, slots=True)
class Saying:
    """A comment by somebody else on lines that the diff still has."""

    login: str
    path: str
    side: Side
    start_line: int
    line: int
    text: str
    url: str
    weight: Weight


@dataclass(frozen=True, slots=True)
class Mention:
    """A comment by somebody else that stands at no line of the diff.

    `path` is of one about a file, whole or where its lines were: the lines `said_at`, the first and
    the last, of `commit` (on the LEFT of what that was compared with).
    """

    login: str
    text: str
    url: str
    weight: Weight
    path: str = ""
    side: Side = "RIGHT"
    commit: str = ""
    said_at: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Annotated(Saying):
    """What a check says at lines of the head; `login` is its name."""


_Told = TypeVar("_Told", Saying, Mention)


def by_others(told: Sequence[_Told], author: str) -> list[_Told]:
    """Return what is not by the author of the change, who would keep back what is said of it."""
    return [one for one in told if one.login.lower() != author.lower()]


def said_by_others(
    findings: Sequence[Finding], anchors: Mapping[str, Anchor], sayings: Sequence[Saying]
) -> dict[str, Saying]:
    """Return the first saying for each finding that has one: at its place, and of its claim."""
    by_place: dict[tuple[str, Side], list[Saying]] = {}
    for saying in sayings:
        by_place.setdefault((saying.path, saying.side), []).append(saying)
    found = {}
    for finding in findings:
        anchor = anchors.get(finding.id)
        if anchor is None:
            continue
        for saying in by_place.get((finding.path, anchor.side), ()):
            if _is_said(finding, anchor, saying):
                found[finding.id] = saying
                break
    return found


def is_for_programs(finding: Finding) -> bool:
    """May a program keep back a finding's comment? Nothing grave or high."""
    return not finding.is_grave and finding.severity.rank > Severity.HIGH.rank


def said_by_checks(
    findings: Sequence[Finding], anchors: Mapping[str, Anchor], told: Sequence[Annotated]
) -> dict[str, Annotated]:
    """Return the first annotation for each finding that has one: at its place, and of its claim."""
    by_path: dict[str, list[Annotated]] = {}
    for one in told:
        by_path.setdefault(one.path, []).append(one)
    found = {}
    for finding in findings:
        anchor = anchors.get(finding.id)
        if anchor is None or anchor.side != "RIGHT":
            continue
        for one in by_path.get(finding.path, ()):
            if _is_said(finding, anchor, one):
                found[finding.id] = one
                break
    return found


def mentioned_by_others(
    findings: Sequence[Finding], mentions: Sequence[Mention], heads: Heads
) -> dict[str, Mention]:
    """Return the first mention for each finding that has one, by a point of it that says the claim.

    Such a point names the finding's file, or stands below a heading that does, or in a comment
    about that file; or it has a name of code that the finding's title quotes, and no other file.
    Nothing grave or high is said by one, nor anything by a row of a table or with a word that turns
    it round and is not in the title. `heads` tells where outdated lines are now, and is asked last.
    """
    told = _told(mentions)
    found: dict[str, Mention] = {}
    for finding in findings:
        if not is_for_programs(finding):
            continue
        if len(telling_words(finding.title)) < TELLING_WORDS:
            continue
        turns, ours = _turns(finding.title), telling_words(f"{finding.title} {finding.body}")
        for one in told:
            if (
                one.mention.weight.counts_for(finding)
                and one.turns <= turns
                and len(one.words & ours) >= SHARED_WORDS
                and _is_meant(finding, one.mention, one.point)
                and _says_all(one.point, finding)
                and _may_stand(finding, one.mention, heads)
            ):
                found[finding.id] = one.mention
                break
    return found


@dataclass(frozen=True, slots=True)
class _Said:
    """A point of a mention, with its words: they are compared with those of each finding."""

    mention: Mention
    point: Point
    words: frozenset[str]
    turns: frozenset[str]

    @classmethod
    def of(cls, mention: Mention, point: Point) -> "_Said":
        words, turns = telling_words(point.text), _turns(point.text)
        return cls(mention, point, frozenset(words), frozenset(turns))


def _told(mentions: Sequence[Mention]) -> list[_Said]:
    """Return the points of those who have a word here: of the newest, in the order of telling."""
    told: list[list[_Said]] = []
    room, chars = MOST_POINTS, MOST_CHARS
    for mention in reversed([one for one in mentions if one.weight is not Weight.NONE]):
        chars -= len(mention.text)
        if room <= 0 or chars < 0:
            break
        said = [_Said.of(mention, point) for point in islice(_prose(mention.text), room)]
        room -= len(said)
        told.append(said)
    return [one for said in reversed(told) for one in said]


def _prose(text: str) -> Iterator[Point]:
    """Yield the points but for the rows of tables, whose cells are no sentence together."""
    return (one for one in points(text) if _ROW.search(one.text) is None)


_ROW = re.compile(r"^\s*\||\s\|\s")


def _turns(text: str) -> set[str]:
    """Return the words of a text by which it says the contrary, or that all is well."""
    return set(_TURNS.findall(text.lower().replace("’", "'")))


_TURNS = re.compile(
    r"\b(?:cannot|never|not?|nothing|without|correct|correctly|addressed|done|fine|fixed|good|handled"
    r"|lgtm|resolved)\b|n't\b"
)


def _is_meant(finding: Finding, mention: Mention, point: Point) -> bool:
    """Is a point about the finding's file, as far as names tell?"""
    if mention.path or point.is_about(finding.path):
        return True
    if point.is_about_another(finding.path):
        return False
    quoted = names_in(finding.title) - COMMON_NAMES
    return any(not is_plain_word(name) for name in quoted & names_of(point.text))


def _says_all(point: Point, finding: Finding) -> bool:
    """Does a point make the claim of a finding, by its words without the name of the file?"""
    text = point.without(finding.path)
    theirs = telling_words(text)
    ours = telling_words(f"{finding.title} {finding.body}")
    if len(theirs & ours) < SHARED_WORDS or not _agree(theirs, finding):
        return False
    return not are_two(finding, finding.model_copy(update={"title": text, "body": ""}))


def _may_stand(finding: Finding, mention: Mention, heads: Heads) -> bool:
    """May the finding stand where a mention was made, as far as anybody knows where that is now?"""
    if not mention.path:
        return True
    was = Lines(mention.path, *mention.said_at) if mention.said_at else None
    became = heads.became(mention.commit, was, mention.side) if was else None
    if became is None:
        return finding.path == mention.path
    if became.path != finding.path or became.lines is None or finding.line is None:
        return became.path == finding.path
    start = finding.start_line or finding.line
    return (
        became.lines.start <= finding.line + NEAR_LINES and start <= became.lines.end + NEAR_LINES
    )


def _is_said(finding: Finding, anchor: Anchor, saying: Saying) -> bool:
    """Does somebody whose word counts for a finding make its claim at its place?

    On few enough lines to speak of them.
    """
    return (
        saying.weight.counts_for(finding)
        and saying.line - saying.start_line < MOST_LINES
        and _near(anchor, saying)
        and _says(saying.text, finding)
    )


def _near(anchor: Anchor, saying: Saying) -> bool:
    return (
        saying.start_line <= anchor.line + NEAR_LINES
        and anchor.start_line <= saying.line + NEAR_LINES
    )


def _says(text: str, finding: Finding) -> bool:
    """Does a comment make the claim of a finding, as far as words tell?"""
    return _agree(telling_words(shown(text)), finding)


def _agree(theirs: set[str], finding: Finding) -> bool:
    title = telling_words(finding.title)
    if len(theirs) < SHORT_WORDS or not title:
        return False
    ours = title | telling_words(finding.body)
    if len(theirs) > MOST_WORDS * len(ours):
        return False
    return alike(ours, theirs) >= SAME_WORDS and len(title & theirs) >= SAME_TITLE * len(title)
