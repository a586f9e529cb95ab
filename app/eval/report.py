"""What an evaluation says: its circumstances and its numbers, as text or JSON."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from app.eval.score import Known, Row, Said, Score
from app.render.escape import one_line
from app.render.json import dumps
from app.render.words import count

_COLUMNS = (
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


class Report(BaseModel):
    """The result of `rlm eval`. `judge` is the model that compared, None where places alone did.

    `unfinished` are the cases without a result. `notes` are sentences for the reader.
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


def as_json(report: Report) -> str:
    """Return the report as JSON that loads as the same values."""
    return dumps(report.model_dump(mode="json"))


def as_text(report: Report) -> str:
    """Return the report as lines for people."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    score = report.score
    yield from _head(report)
    yield ""
    yield from _table(score.rows)
    yield ""
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
    yield from _costs(report)
    for note in report.notes:
        yield f"Note: {one_line(note)}"
    for title, each in (
        ("Missed", score.missed),
        ("Found, beside a known line", score.beside),
        ("False", score.false),
        ("Nowhere", score.nowhere),
    ):
        if each:
            yield ""
            yield f"{title}:"
            yield from (_said(one) for one in each)


def _head(report: Report) -> Iterator[str]:
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


def _table(rows: list[Row]) -> Iterator[str]:
    cells = [_COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(_COLUMNS))]
    for row in cells:
        first, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join([first.strip().ljust(widths[0]), *rest])


def _cells(row: Row) -> tuple[str, ...]:
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


def _costs(report: Report) -> Iterator[str]:
    cost, judging = report.score.cost, report.score.judging
    yield (
        f"Reviews: {count(cost.calls, 'call')}, {cost.input_tokens:,} tokens in, "
        f"{cost.output_tokens:,} out, {cost.cache_read_tokens:,} read from the cache, "
        f"{_usd(cost.usd)}, {cost.seconds:,.0f} s"
    )
    if cost.replayed_calls:
        more = count(cost.replayed_calls, "call")
        yield f"  and {more} that a run had paid which was cut off"
    if report.judge:
        yield (
            f"Judging: {count(judging.calls, 'call')}, {judging.input_tokens:,} tokens in, "
            f"{judging.output_tokens:,} out, {_usd(judging.usd)}"
        )
    if report.score.partial:
        yield f"Reviews that ended early: {', '.join(report.score.partial)}"


def _said(one: Said) -> str:
    return (
        f"  {one.case}  {one_line(one.place)}  {one.severity.value}  "
        f"{one_line(one.title)}  [{one.id}]{_known(one.known)}"
    )


def _known(known: Known | None) -> str:
    """Say how far a claim is off the nearest known place."""
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
