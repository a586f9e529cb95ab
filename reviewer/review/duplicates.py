"""One question at the end of a review: which of its findings are about one and the same defect,
or about one mistake that was made at several places?

Programs join what is said in like words or of the same lines (`join`). Two passes that see one
cause at two places, and tell it in other words, take a reader. What its answer puts together is
one finding with the places of all; each title is told, so that a wrong answer hides no defect.

The same reader is shown what we said of the pull request before and no id tells again: a push may
have changed what a finding says and where. What it pairs is a hint for whoever publishes.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from reviewer.finding import Category, Finding
from reviewer.request import Earlier
from reviewer.review.claims import PROSE_CHARS
from reviewer.review.guidance import set_apart
from reviewer.review.join import as_one
from reviewer.review.leading import shared
from reviewer.review.prompts import prompt
from reviewer.review.scope import quoted
from reviewer.rlm.once import Question, ask_once
from reviewer.rlm.run import Seat

MOST_COMPARED = 40
"""Reports of one question, the worst first."""

MOST_TOGETHER = 6
"""Reports of one group: so many titles fit into a comment."""

MOST_ALIKE = 20
"""Reports of one pattern, whose titles say much the same."""

SHOWN_CHARS = 36_000
"""Of all of them, about 10,000 tokens: reports share it, and the longest are cut."""

CODE_LINES = 12
"""Of the code that a report is about, and of that which proves it."""


class Group(BaseModel):
    """Reports about one defect."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    edit: str = Field(
        min_length=1,
        max_length=PROSE_CHARS,
        description="the one edit that leaves nothing to mend of any of them, in one sentence",
    )
    reports: list[str] = Field(
        min_length=2,
        max_length=MOST_COMPARED,
        description="their names here: r1, r2, …, and of what was said before at most one: t1, …",
    )


class Pattern(BaseModel):
    """Reports about one mistake that was made at several places, each to be mended by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mistake: str = Field(
        min_length=1,
        max_length=PROSE_CHARS,
        description="the wrong construct that stands at each place, and the edit, in one sentence",
    )
    reports: list[str] = Field(
        min_length=2, max_length=MOST_COMPARED, description="their names here: r1, r2, …"
    )


class Duplicates(BaseModel):
    """What the model hands in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    groups: list[Group] = Field(max_length=MOST_COMPARED)
    patterns: list[Pattern] = Field(max_length=MOST_COMPARED)


@dataclass(frozen=True)
class Repeats:
    """What is said twice: ids of findings told as one, and `earlier` ids by those of findings."""

    same: list[frozenset[str]] = field(default_factory=list)
    earlier: dict[str, str] = field(default_factory=dict)

    def earlier_of(self, findings: Iterable[Finding]) -> dict[str, str]:
        """Return what was said before of these findings, by the ids that they and places have."""
        names = {name for one in findings for name in one.ids}
        return {name: said for name, said in self.earlier.items() if name in names}


async def duplicates(
    findings: Sequence[Finding], seat: Seat, earlier: Sequence[Earlier] = ()
) -> Repeats:
    """Ask which findings are about one defect, among them and with what was said `earlier`.

    None where there is nothing to ask, or no answer came: each is told by itself then.
    """
    before = unmet(findings, earlier)
    compared = comparable(findings, before)
    if not compared or seat.run.stopped is not None:
        return Repeats()
    said = await ask_once(question(compared, before), seat)
    if said is None:
        return Repeats()
    return Repeats(groups(said, compared), told_again(said, compared, before))


def unmet(findings: Iterable[Finding], earlier: Sequence[Earlier]) -> list[Earlier]:
    """Return what was said before and may be said again, in other words; nothing grave.

    None of it where an id tells each finding of a model, so that to review the same once more asks
    what it asked. What is grave is said again unless programs know it.
    """
    ones = list(findings)
    ids = {name for one in ones for name in one.ids}
    known = {one.id for one in earlier}
    if not any(_by_model(one) and not one.is_grave and known.isdisjoint(one.ids) for one in ones):
        return []
    return [one for one in earlier if one.id not in ids and not one.is_grave]


def comparable(findings: Iterable[Finding], before: Sequence[Earlier] = ()) -> list[Finding]:
    """Return what may be said twice, the worst first; nothing where no model has said any of it.

    A secret is revoked by itself. What detectors say is shown where a model speaks of its file.
    One finding is enough where something was said `before`.
    """
    plain = [one for one in findings if one.category is not Category.SECRET]
    of_models = [one for one in plain if _by_model(one)]
    paths = {path for one in of_models for path in _paths(one)}
    beside = [one for one in plain if not _by_model(one) and not paths.isdisjoint(_paths(one))]
    kept = {one.id for one in [*of_models, *beside][:MOST_COMPARED]}
    compared = [one for one in plain if one.id in kept]
    return compared if len(compared) > 1 or before else []


def question(compared: Sequence[Finding], before: Sequence[Earlier] = ()) -> Question[Duplicates]:
    """Return what is asked: each report with its place, its reason and its code, as data.

    What was said before comes last, and is no unit: what of it is shown differs from run to run.
    """
    told = [_told(name, one) for name, one in _named(compared).items()]
    told += [_told_before(name, one) for name, one in _named_before(before).items()]
    return Question(
        "duplicates",
        "3",
        "cheap",
        Duplicates,
        tuple(one.id for one in compared),
        "is anything said twice?",
        prompt("duplicates.md"),
        shared(told, SHOWN_CHARS),
    )


def groups(said: Duplicates, compared: Sequence[Finding]) -> list[frozenset[str]]:
    """Return the ids of what belongs together, as far as an answer may say so.

    Each report is in one group at the most, the first that names it; patterns come last, and have
    all of a group of which they name a report, or none of it. A group without a model's report is
    none, and has nothing that was there before the change beside what the change brings. Of what
    is grave a group has one, the worst, and it has no more than one comment can tell: what is left
    out is told by itself.
    """
    named = _named(compared)
    found: list[set[str]] = []
    for group in said.groups:
        left = set(named).difference(*found)
        if together := _together(left.intersection(group.reports), named):
            found.append(together)
    for pattern in said.patterns:
        parts = [group for group in found if not group.isdisjoint(pattern.reports)]
        wanted = set(named).intersection(pattern.reports).union(*parts)
        if not all(map(_together(wanted, named, MOST_ALIKE).issuperset, parts)):
            wanted, parts = wanted.difference(*parts), []
        found = [group for group in found if group not in parts]
        while together := _together(wanted.difference(*found), named, MOST_ALIKE):
            found.append(together)
    return [frozenset(named[name].id for name in group) for group in found]


def _together(
    wanted: Container[str], named: Mapping[str, Finding], most: int = MOST_TOGETHER
) -> set[str]:
    """Return those of the wanted reports that one comment may tell; none where that is no group.

    They are as new, or as old, as the worst of them.
    """
    names = [name for name in named if name in wanted]
    names = [name for name in names if named[name].preexisting == named[names[0]].preexisting]
    grave = [name for name in names if named[name].is_grave]
    names = [name for name in names if name not in grave[1:]][:most]
    is_group = len(names) > 1 and any(_by_model(named[name]) for name in names)
    return set(names) if is_group else set()


def told_again(
    said: Duplicates, compared: Sequence[Finding], before: Sequence[Earlier]
) -> dict[str, str]:
    """Return for ids of findings the id of what said the same before, as far as an answer may.

    Each meets one at the most, and is one that a model reported: the one of its file goes first,
    then the worst. Where anything grave is in its group, or in what it is told with, it was not
    said before.
    """
    named, named_before = _named(compared), _named_before(before)
    together = {name: ids for ids in groups(said, compared) for name in ids}
    grave = {one.id for one in compared if one.is_grave}
    known = {one.id for one in before}
    found: dict[str, str] = {}
    for group in said.groups:
        ones = [one for name, one in named.items() if name in group.reports]
        told = [one for name, one in named_before.items() if name in group.reports]
        whole = {name for one in ones for name in together.get(one.id, {one.id})}
        if not _of_one_time(ones) or not grave.isdisjoint(whole):
            continue
        free = [one for one in ones if one.id not in found and _by_model(one)]
        left = [one for one in told if one.id in known]
        if free and left:
            meant = min(free, key=lambda one: left[0].path not in _paths(one))
            found[meant.id] = left[0].id
            known.remove(left[0].id)
    return found


def joined(findings: Sequence[Finding], same: Iterable[frozenset[str]]) -> list[Finding]:
    """Return the findings, the worst first as they come, with one for each group of ids.

    Of a group what is grave stands for all, and is as severe as the worst of it.
    """
    group_of: Mapping[str, frozenset[str]] = {each: group for group in same for each in group}
    firsts: dict[frozenset[str], list[Finding]] = {}
    for one in findings:
        firsts.setdefault(group_of.get(one.id, frozenset({one.id})), []).append(one)
    return [each for group in firsts.values() for each in _as_one(group)]


def _as_one(group: Sequence[Finding]) -> list[Finding]:
    if len(group) == 1:
        return list(group)
    worst = min((one.severity for one in group), key=lambda severity: severity.rank)
    first, *others = sorted(group, key=lambda one: not one.is_grave)
    return as_one([first.model_copy(update={"severity": worst}), *others])


def _named(compared: Sequence[Finding]) -> dict[str, Finding]:
    return {f"r{number}": one for number, one in enumerate(compared, 1)}


def _named_before(before: Sequence[Earlier]) -> dict[str, Earlier]:
    return {f"t{number}": one for number, one in enumerate(before, 1)}


def _told_before(name: str, one: Earlier) -> list[str]:
    return [
        f"{name}, {one.category}, {_lines(one)} {quoted(one.path)}, said before:",
        set_apart(f"{one.title}\n{one.body}"),
    ]


def _told(name: str, finding: Finding) -> list[str]:
    who = "a reader" if _by_model(finding) else "a program"
    told = [
        f"{name}, {finding.category}, {_lines(finding)} {quoted(finding.path)}, said by {who}:",
        set_apart(f"{finding.title}\n{finding.body}"),
    ]
    if finding.trigger.strip():
        told.append(set_apart(f"Fails when: {' '.join(finding.trigger.split())}"))
    if finding.evidence.strip():
        told += ["Its code:", _code(finding.evidence)]
    proof = finding.proof
    if proof is not None and proof.quote.strip() not in finding.evidence:
        told += [f"Proved by this code of {quoted(proof.path)}:", _code(proof.quote)]
    if finding.places:
        paths = dict.fromkeys(quoted(place.path) for place in finding.places[:CODE_LINES])
        told.append(
            f"The same is told of {len(finding.places)} more place(s), in {', '.join(paths)}."
        )
    return told


def _lines(finding: Finding | Earlier) -> str:
    first, last = finding.start_line, finding.line
    if last is None:
        return "the whole file" if isinstance(finding, Finding) else "some lines of"
    first = first or last
    lines = f"line {first}" if first == last else f"lines {first} to {last}"
    return f"{lines}, which the change removes, of" if finding.side == "LEFT" else f"{lines} of"


def _code(text: str) -> str:
    lines = text.split("\n")
    cut = [f"… {len(lines) - CODE_LINES} more lines"] if len(lines) > CODE_LINES else []
    return set_apart("\n".join([*lines[:CODE_LINES], *cut]))


def _by_model(finding: Finding) -> bool:
    return finding.source.startswith("model:")


def _paths(finding: Finding) -> set[str]:
    return {finding.path, *(place.path for place in finding.places)}


def _of_one_time(findings: Sequence[Finding]) -> bool:
    return len({one.preexisting for one in findings}) == 1
