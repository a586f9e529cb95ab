"""An evaluation as Markdown, for a pull request, a release or a job's summary."""

from collections.abc import Iterator, Sequence

from app.eval.report import (
    AGAIN_COLUMNS,
    COLUMNS,
    NEW,
    Report,
    again_cells,
    cells,
    distance,
    head,
    named,
    numbers,
    second,
)
from app.eval.score import Said
from app.render.escape import markdown_code, markdown_line


def as_markdown(report: Report) -> str:
    """Return the report as Markdown; what a dataset or a model has worded is inert."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    first, *others = head(report)
    yield f"### {markdown_line(first)}"
    yield ""
    yield from _list(others)
    yield ""
    yield from _table([COLUMNS, *map(cells, report.score.rows)])
    yield ""
    yield from _list([*(line.strip() for line in numbers(report)), *report.notes])
    for title, each in named(report.score):
        yield from _named(title, [_said(one) for one in each])
    if (again := report.again) is not None:
        yield ""
        yield "#### The same a second time"
        yield ""
        yield from _list(second(again, judged=report.judge is not None))
        yield ""
        yield from _table([AGAIN_COLUMNS, *map(again_cells, again.rows)])
        if again.new:
            yield from _named(NEW, [f"{one.outcome}: {_said(one)}" for one in again.new])


def _named(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield ""
    yield f"#### {title}"
    yield ""
    yield from (f"- {line}" for line in lines)


def _list(lines: Iterator[str] | Sequence[str]) -> Iterator[str]:
    yield from (f"- {markdown_line(line)}" for line in lines)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    first, *others = rows
    yield f"| {' | '.join(first)} |"
    yield f"|{'---|' * len(first)}"
    yield from (f"| {' | '.join(row)} |" for row in others)


def _said(one: Said) -> str:
    place, name = markdown_code(one.place), markdown_code(one.id)
    told = f"{one.case} {place} {one.severity.value}: {markdown_line(one.title)} {name}"
    return told + markdown_line(distance(one.known).replace("  ", " "))
