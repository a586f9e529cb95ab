"""One question at the end of a review: which of its findings are about one and the same defect?

Programs join what is said in like words or of the same lines (`join`). Two passes that see one
cause at two places, and tell it in other words, take a reader. What its answer puts together is
one finding with the places of all; each title is told, so that a wrong answer hides no defect.
"""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from reviewer.finding import Category, Finding
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
        min_length=2, max_length=MOST_COMPARED, description="their names here: r1, r2, …"
    )


class Duplicates(BaseModel):
    """What the model hands in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    groups: list[Group] = Field(max_length=MOST_COMPARED)


async def duplicates(findings: Sequence[Finding], seat: Seat) -> list[frozenset[str]]:
    """Ask which findings are about one defect; return the ids of each such group.

    None where there is nothing to ask, or no answer came: each is told by itself then.
    """
    compared = comparable(findings)
    if not compared or seat.run.stopped is not None:
        return []
    said = await ask_once(question(compared), seat)
    return [] if said is None else groups(said, compared)


def comparable(findings: Iterable[Finding]) -> list[Finding]:
    """Return what may be said twice, the worst first; nothing where no model has said any of it.

    A secret is revoked by itself. What detectors say is shown where a model speaks of its file.
    """
    plain = [one for one in findings if one.category is not Category.SECRET]
    of_models = [one for one in plain if _by_model(one)]
    paths = {path for one in of_models for path in _paths(one)}
    beside = [one for one in plain if not _by_model(one) and not paths.isdisjoint(_paths(one))]
    kept = {one.id for one in [*of_models, *beside][:MOST_COMPARED]}
    compared = [one for one in plain if one.id in kept]
    return compared if len(compared) > 1 else []


def question(compared: Sequence[Finding]) -> Question[Duplicates]:
    """Return what is asked: each report with its place, its reason and its code, as data."""
    told = [_told(name, one) for name, one in _named(compared).items()]
    return Question(
        "duplicates",
        "1",
        "cheap",
        Duplicates,
        tuple(one.id for one in compared),
        "is anything said twice?",
        prompt("duplicates.md"),
        shared(told, SHOWN_CHARS),
    )


def groups(said: Duplicates, compared: Sequence[Finding]) -> list[frozenset[str]]:
    """Return the ids of what belongs together, as far as an answer may say so.

    Each report is in one group at the most, the first that names it. A group without a model's
    report is none, and what was there before the change is not what the change brings.
    """
    named = _named(compared)
    left = set(named)
    found: list[frozenset[str]] = []
    for group in said.groups:
        names = left.intersection(group.reports)
        ones = [named[name] for name in names]
        if len(ones) > 1 and any(map(_by_model, ones)) and _of_one_time(ones):
            left -= names
            found.append(frozenset(one.id for one in ones))
    return found


def joined(findings: Sequence[Finding], same: Iterable[frozenset[str]]) -> list[Finding]:
    """Return the findings, the worst first as they come, with one for each group of ids."""
    group_of: Mapping[str, frozenset[str]] = {each: group for group in same for each in group}
    firsts: dict[frozenset[str], list[Finding]] = {}
    for one in findings:
        firsts.setdefault(group_of.get(one.id, frozenset({one.id})), []).append(one)
    return [each for group in firsts.values() for each in as_one(group)]


def _named(compared: Sequence[Finding]) -> dict[str, Finding]:
    return {f"r{number}": one for number, one in enumerate(compared, 1)}


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


def _lines(finding: Finding) -> str:
    first, last = finding.start_line, finding.line
    if first is None or last is None:
        return "the whole file"
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
