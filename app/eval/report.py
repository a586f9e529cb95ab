"""What an evaluation says: its circumstances and its numbers, as text or JSON."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from app.eval.kept import Spent
from app.eval.score import Again, Costs, Known, Row, Said, Score, Twice
from app.render.escape import one_line
from app.render.json import dumps
from app.render.words import count

COLUMNS = (
    "severity",
    "defects",
    "found",
    "claims",
    "true",
    "duplicates",
    "false",
    "not judged",
    "precision",
    "recall",
    "F1",
)
AGAIN_COLUMNS = ("case", "claims", "new", "true", "repeats", "false", "not judged")


class Report(BaseModel):
    """The result of `rlm eval`. `judge` is the model that compared, None where places alone did.

    `unfinished` are the cases without a result. `notes` are sentences for the reader. `again` is
    None where no case was reviewed a second time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = 1
    dataset: str
    program: str
    model: str | None
    effort: str
    budget_usd: float | None
    judge: str | None
    held_back: bool | None
    taken_up: int
    unfinished: list[str]
    notes: list[str]
    score: Score
    again: Again | None = None


def as_json(report: Report) -> str:
    """Return the report as JSON that loads as the same values."""
    return dumps(report.model_dump(mode="json"))


def as_text(report: Report) -> str:
    """Return the report as lines for people."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield from head(report)
    yield ""
    yield from _table([COLUMNS, *map(cells, report.score.rows)])
    yield ""
    yield from numbers(report)
    for note in report.notes:
        yield f"Note: {one_line(note)}"
    for title, each in named(report.score):
        yield ""
        yield f"{title}:"
        yield from (f"  {_said(one)}" for one in each)
    if (again := report.again) is not None:
        yield ""
        yield from second(again, judged=report.judge is not None)
        yield ""
        yield from _table([AGAIN_COLUMNS, *map(again_cells, again.rows)])
        if again.new:
            yield ""
            yield f"{NEW}:"
            yield from (f"  {one.outcome}: {_said(one)}" for one in again.new)


NEW = "Said at the second review and not at the first"


def named(score: Score) -> Iterator[tuple[str, list[Said]]]:
    """Yield what is named one by one under its title, where there is any."""
    for title, each in (
        ("Missed", score.missed),
        ("Found, beside a known line", score.beside),
        ("False", score.false),
        ("Nowhere", score.nowhere),
    ):
        if each:
            yield title, each


def numbers(report: Report) -> Iterator[str]:
    """Yield the numbers below the table, a sentence each."""
    score = report.score
    anchors, noise = score.anchors, score.noise
    yield (
        f"Anchors: {anchors.exact} of {anchors.found} found defects at a known line; "
        f"{count(anchors.nowhere, 'claim')} at a line that is nowhere"
    )
    yield (
        f"Clean changes: {noise.silent} of {noise.controls} silent, "
        f"{count(noise.claims, 'claim')}, {_number(noise.per_change)} for each change"
    )
    known_false = count(score.known_false, "claim")
    yield f"Known false alarms: {known_false} at places that are right for sure"
    yield _cost("Reviews", score.cost)
    if score.cost.replayed_calls:
        more = count(score.cost.replayed_calls, "call")
        yield f"  and {more} that a run had paid which was cut off"
    if report.judge:
        yield _judging("Judging", score.judging)
    if score.partial:
        yield f"Reviews that ended early: {', '.join(score.partial)}"


def second(again: Again, *, judged: bool) -> Iterator[str]:
    """Yield what second reviews of the same said, a sentence each."""
    every = again.rows[-1]
    yield (
        f"Reviewed a second time, unchanged: {again.silent} of {count(again.cases, 'case')} silent "
        f"about anything new; of {count(every.claims, 'claim')} {every.new:,} not said at the "
        f"first: {every.true:,} true (missed at the first), {every.repeats:,} about a defect that "
        f"was said already, {every.false:,} false, {every.not_judged:,} not judged"
    )
    yield _cost("Second reviews", again.cost)
    if judged:
        yield _judging("Judging them", again.judging)
    if again.partial:
        yield f"Second reviews that ended early: {', '.join(again.partial)}"


def head(report: Report) -> Iterator[str]:
    """Yield what was reviewed, and by whom."""
    half = {None: "", True: ", held back", False: ", open"}[report.held_back]
    cases = f"{count(report.score.cases, 'case')}{half}"
    if report.unfinished:
        cases += f"; {len(report.unfinished)} without a result: {', '.join(report.unfinished)}"
    if report.taken_up:
        cases += f" ({report.taken_up} taken up from an earlier run)"
    yield f"{one_line(report.dataset)}: {cases}"
    who = report.model or "the detectors alone"
    yield f"Reviewed by {who}, effort {report.effort}, rlm {report.program}"
    yield (
        f"Claims compared with known defects by {report.judge}"
        if report.judge
        else "Not judged: a claim within 3 lines of a known place counts, whatever it says"
    )


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join([first.strip().ljust(widths[0]), *rest])


def cells(row: Row) -> tuple[str, ...]:
    """Return a row of counts and rates, as `COLUMNS` names them."""
    counts = (
        row.defects,
        row.found,
        row.claims,
        row.true,
        row.duplicates,
        row.false,
        row.not_judged,
    )
    rates = (row.precision, row.recall, row.f1)
    return (row.severity, *map(str, counts), *map(_number, rates))


def again_cells(row: Twice) -> tuple[str, ...]:
    """Return what one case said the second time, as `AGAIN_COLUMNS` names it."""
    counts = (row.claims, row.new, row.true, row.repeats, row.false, row.not_judged)
    return (row.case, *map(str, counts))


def _cost(what: str, cost: Costs) -> str:
    return (
        f"{what}: {count(cost.calls, 'call')}, {cost.input_tokens:,} tokens in, "
        f"{cost.output_tokens:,} out, {cost.cache_read_tokens:,} read from the cache, "
        f"{_usd(cost.usd)}, {cost.seconds:,.0f} s"
    )


def _judging(what: str, spent: Spent) -> str:
    return (
        f"{what}: {count(spent.calls, 'call')}, {spent.input_tokens:,} tokens in, "
        f"{spent.output_tokens:,} out, {_usd(spent.usd)}"
    )


def _said(one: Said) -> str:
    return (
        f"{one.case}  {one_line(one.place)}  {one.severity.value}  "
        f"{one_line(one.title)}  [{one.id}]{distance(one.known)}"
    )


def distance(known: Known | None) -> str:
    """Say, in brackets, how far a claim is off the nearest known place; "" where there is none."""
    if known is None:
        return ""
    apart = (
        "about the file of"
        if known.lines is None
        else f"{count(known.lines, 'line')} from"
        if known.lines
        else "shares a line with"
    )
    return f"  ({apart} {one_line(known.place)})"


def _number(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.2f}"


def _usd(usd: float | None) -> str:
    return "price unknown" if usd is None else f"${usd:.2f}"
