"""The numbers of an evaluation: counts first, rates from them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from app.eval.cases import Case, Defect
from app.eval.kept import Kept, Spent
from app.eval.match import Matched, Outcome, nearest
from reviewer.finding import Finding, Severity

ALL = "all"


@dataclass(frozen=True)
class Scored:
    """One case with what came of it."""

    case: Case
    kept: Kept
    matched: Sequence[Matched]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(_Value):
    """Counts of one severity, or of all. Defects go by theirs, claims by the claim's.

    `true` are the claims that count for a found defect. Rates are None where they would divide by
    nothing; duplicates and what was not judged are in none of them.
    """

    severity: str
    defects: int
    found: int
    claims: int
    true: int
    duplicates: int
    false: int
    not_judged: int
    precision: float | None
    recall: float | None
    f1: float | None


class Anchors(_Value):
    """Of `found` defects so many have the comment's line within a known place; claims `nowhere`
    are in neither the diff nor the file, and are to be 0."""

    found: int
    exact: int
    share: float | None
    nowhere: int


class Noise(_Value):
    """What was said about clean changes."""

    controls: int
    silent: int
    claims: int
    per_change: float | None


class Costs(_Value):
    """What the reviews used; `replayed_calls` were answered from what an earlier run paid."""

    calls: int
    replayed_calls: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    usd: float | None
    seconds: float


class Known(_Value):
    """The known place that a claim is nearest to in its file, and how many lines lie between.

    `lines`: 0 where they share one, None for a claim about the whole file.
    """

    place: str
    lines: int | None


class Said(_Value):
    """One claim or defect by name: the place, how bad, what of it.

    `known` is for claims: None for a defect, and where the file has no known place.
    """

    case: str
    id: str
    place: str
    severity: Severity
    title: str
    known: Known | None = None


News = Literal["true", "repeat", "false", "not judged"]
"""What is new at a second review: a defect that the first missed, one that was said already, a
claim without cause, or what nobody has judged."""


class New(Said):
    """A claim of a second review that the first had not said. `defect`: the one it speaks of."""

    outcome: News
    defect: str | None = None


class Twice(_Value):
    """Counts of one case reviewed twice, or of `all`: of its `claims` the second time so many are
    `new`, which are `true` + `repeats` + `false` + `not_judged`."""

    case: str
    claims: int
    new: int
    true: int
    repeats: int
    false: int
    not_judged: int


class Again(_Value):
    """What a second review of each unchanged case says that its first had not said.

    Of `cases` so many are `silent`: they say nothing new. `rows` has each case, then `all`; `new`
    names what they count. `partial` ended early; `cost` and `judging` are those of second reviews.
    """

    cases: int
    silent: int
    rows: list[Twice]
    new: list[New]
    partial: list[str]
    cost: Costs
    judging: Spent


class Score(_Value):
    """All numbers. `missed`, `beside` (found, and the line is no known one), `false` and `nowhere`
    name what they count."""

    cases: int
    rows: list[Row]
    anchors: Anchors
    noise: Noise
    known_false: int
    partial: list[str]
    cost: Costs
    judging: Spent
    missed: list[Said]
    beside: list[Said]
    false: list[Said]
    nowhere: list[Said]


def score(scored: Sequence[Scored]) -> Score:
    """Count what the cases came to."""
    controls = [one for one in scored if one.case.control]
    on_controls = sum(len(one.matched) for one in controls)
    found = [m for one in scored for m in one.matched if m.outcome is Outcome.FOUND]
    exact = sum(m.exact for m in found)
    nowhere = [
        _claim(one, m.finding)
        for one in scored
        for m in one.matched
        if m.finding.id in one.kept.nowhere
    ]
    return Score(
        cases=len(scored),
        rows=[*(_row(scored, severity) for severity in Severity), _row(scored, None)],
        anchors=Anchors(
            found=len(found), exact=exact, share=_rate(exact, len(found)), nowhere=len(nowhere)
        ),
        noise=Noise(
            controls=len(controls),
            silent=sum(not one.matched for one in controls),
            claims=on_controls,
            per_change=_rate(on_controls, len(controls)),
        ),
        known_false=sum(m.known_false for one in scored for m in one.matched),
        partial=[one.case.id for one in scored if one.kept.review.status == "partial"],
        cost=_costs(scored),
        judging=sum((one.kept.judging for one in scored), Spent()),
        missed=[_missed(one.case, defect) for one in scored for defect in _not_found(one)],
        beside=[
            _claim(one, m.finding)
            for one in scored
            for m in one.matched
            if m.outcome is Outcome.FOUND and not m.exact
        ],
        false=[
            _claim(one, m.finding)
            for one in scored
            for m in one.matched
            if m.outcome is Outcome.FALSE
        ],
        nowhere=nowhere,
    )


def again(firsts: Sequence[Scored], seconds: Sequence[Scored]) -> Again:
    """Count what second reviews say that was not said at the first, case by case, in order."""
    each = [_news(first, second) for first, second in zip(firsts, seconds, strict=True)]
    rows = [
        _twice(second.case.id, len(second.matched), new)
        for second, new in zip(seconds, each, strict=True)
    ]
    every = [one for new in each for one in new]
    return Again(
        cases=len(each),
        silent=sum(not new for new in each),
        rows=[*rows, _twice(ALL, sum(row.claims for row in rows), every)],
        new=every,
        partial=[one.case.id for one in seconds if one.kept.review.status == "partial"],
        cost=_costs(seconds),
        judging=sum((one.kept.judging for one in seconds), Spent()),
    )


def _news(first: Scored, second: Scored) -> list[New]:
    """Say of each claim that is new what it is: of several about one missed defect the one that
    found it is true, and the others repeat it."""
    names = set(second.kept.new or ())
    old = [m for m in second.matched if m.finding.id not in names]
    known = {m.defect for m in (*first.matched, *old) if m.defect is not None}
    new: list[New] = []
    fresh = (m for m in second.matched if m.finding.id in names)
    for m in sorted(fresh, key=lambda m: m.outcome is Outcome.DUPLICATE):
        outcome: News = "false"
        if m.outcome is Outcome.NOT_JUDGED:
            outcome = "not judged"
        elif m.defect is not None:
            outcome = "repeat" if m.defect in known else "true"
            known.add(m.defect)
        said = _claim(second, m.finding)
        new.append(New(**dict(said), outcome=outcome, defect=m.defect))
    return new


def _twice(case: str, claims: int, new: Sequence[New]) -> Twice:
    def counted(outcome: News) -> int:
        return sum(one.outcome == outcome for one in new)

    return Twice(
        case=case,
        claims=claims,
        new=len(new),
        true=counted("true"),
        repeats=counted("repeat"),
        false=counted("false"),
        not_judged=counted("not judged"),
    )


def _row(scored: Sequence[Scored], severity: Severity | None) -> Row:
    def counts(other: Severity) -> bool:
        return severity is None or other is severity

    defects = [d for one in scored for d in one.case.defects if counts(d.severity)]
    missed = [d for one in scored for d in _not_found(one) if counts(d.severity)]
    claims = [m for one in scored for m in one.matched if counts(m.finding.severity)]
    true, duplicates, false, not_judged = (
        sum(m.outcome is outcome for m in claims) for outcome in Outcome
    )
    found = len(defects) - len(missed)
    precision, recall = _rate(true, true + false), _rate(found, len(defects))
    return Row(
        severity=ALL if severity is None else severity.value,
        defects=len(defects),
        found=found,
        claims=len(claims),
        true=true,
        duplicates=duplicates,
        false=false,
        not_judged=not_judged,
        precision=precision,
        recall=recall,
        f1=_f1(precision, recall),
    )


def _not_found(one: Scored) -> Iterable[Defect]:
    found = {m.defect for m in one.matched if m.outcome is Outcome.FOUND}
    return (defect for defect in one.case.defects if defect.id not in found)


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _f1(precision: float | None, recall: float | None) -> float | None:
    if precision is None or recall is None:
        return None
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _costs(scored: Sequence[Scored]) -> Costs:
    each = [one.kept.review.cost for one in scored]
    asked = [cost for cost in each if cost.model is not None]
    priced = [cost.usd for cost in asked if cost.usd is not None]
    return Costs(
        calls=sum(cost.calls for cost in each),
        replayed_calls=sum(cost.replayed_calls for cost in each),
        input_tokens=sum(cost.input_tokens for cost in each),
        output_tokens=sum(cost.output_tokens for cost in each),
        cache_read_tokens=sum(cost.cache_read_tokens for cost in each),
        usd=sum(priced) if len(priced) == len(asked) else None,
        seconds=round(sum(cost.seconds for cost in each), 3),
    )


def _missed(case: Case, defect: Defect) -> Said:
    return Said(
        case=case.id,
        id=defect.id,
        place=f"{defect.path}:{defect.line}",
        severity=defect.severity,
        title=defect.description,
    )


def _claim(one: Scored, finding: Finding) -> Said:
    line = "" if finding.line is None else f":{finding.line}"
    found = nearest(one.case, finding)
    known = None
    if found is not None:
        place, lines = found
        known = Known(place=f"{place.path}:{place.start_line}-{place.line}", lines=lines)
    return Said(
        case=one.case.id,
        id=finding.id,
        place=f"{finding.path}{line}",
        severity=finding.severity,
        title=finding.title,
        known=known,
    )
