"""A review as one self-contained HTML file: no script, no request to anywhere."""

import importlib.resources
from functools import lru_cache
from typing import Any

from jinja2 import BaseLoader, Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from app.render import words
from app.render.escape import code_line, cut, one_line, visible
from app.render.prose import blocks, pieces
from app.render.snippet import Snippets, excerpt, suggested
from reviewer.finding import Finding, Severity
from reviewer.request import Review, Skipped

TEMPLATE = "report.html.j2"
STYLE = "report.css"

LOADER = PackageLoader("app", "render")
"""Finds the templates of this folder."""

LINE_CHARS = 400


def render_html(review: Review, snippets: Snippets) -> str:
    """Return the review as an HTML document; every text in it is escaped."""
    ordered = words.ranked(review.findings)
    return _template().render(
        css=Markup(style()),  # noqa: S704 - our own file
        review=review,
        headline=_headline(review),
        verdict=words.verdict(review),
        early=words.ended_early(review),
        unsettled=words.unsettled(review),
        overview=words.overview(review).strip(),
        modules=[(words.module_name(one), words.module_size(one), one) for one in review.modules],
        looks=[(words.looked_at(one), one.reason) for one in review.look_first],
        coverage=words.coverage(review).rstrip(":"),
        cost=words.cost(review.cost),
        tally=tally(review),
        findings=[shown_finding(at, one, snippets) for at, one in enumerate(ordered, 1)],
        skipped=shown_skipped(review.coverage.skipped),
        percent=percent(review),
    )


@lru_cache
def _template() -> Template:
    return environment(LOADER).get_template(TEMPLATE)


def environment(loader: BaseLoader) -> Environment:
    """Return what renders pages: every text is escaped, and what is not given is an error."""
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "line": one_line,
        "blocks": lambda text: blocks(visible(text)),
        "pieces": pieces,
        "count": words.count,
        "money": words.money,
        "duration": words.duration,
    }
    return made


def style() -> str:
    """Return the style sheet of a review."""
    return importlib.resources.files(__package__).joinpath(STYLE).read_text("utf-8")


def _headline(review: Review) -> str:
    if review.change.files == 0:
        return "Nothing to review"
    return words.count(len(review.findings), "finding") if review.findings else "No findings"


def tally(review: Review) -> list[tuple[str, int]]:
    """Return how many findings there are of each severity, the worst first."""
    return [
        (severity.value, sum(one.severity is severity for one in review.findings))
        for severity in Severity
    ]


def percent(review: Review) -> float:
    """Return how much of the change was reviewed."""
    ledger = review.coverage
    return 100.0 * ledger.reviewed / ledger.hunks if ledger.hunks else 0.0


def shown_finding(
    number: int, finding: Finding, snippets: Snippets, thread: tuple[str, str] | None = None
) -> dict[str, Any]:
    """Return what the template needs of a finding; `thread`: the address of where it is talked
    about, and how that stands.
    """
    code = excerpt(finding, snippets)
    return {
        "anchor": f"finding-{number}",  # an id of the finding's own could be anything
        "it": finding,
        "thread": thread,
        "place": words.place(finding),
        "also_at": words.also_at(finding),
        "circumstances": words.circumstances(finding),
        "fails_when": words.fails_when(finding),
        "seen_at": words.seen_at(finding),
        "sources": words.sources(finding),
        "code": [
            {
                "number": line.number,
                "text": _code(line.text),
                "marked": line.marked,
                "gap": line.gap,
            }
            for line in code
        ],
        "fix": [(line.kind, _code(line.text)) for line in suggested(finding, snippets)],
    }


def _code(text: str) -> str:
    return cut(code_line(text), LINE_CHARS)


def shown_skipped(skipped: list[Skipped]) -> list[dict[str, Any]]:
    """Return what was set aside, by reason."""
    return [
        {"group": reason, "paths": sorted((one_line(s.path), s.hunks) for s in reason.members)}
        for reason in words.reasons(skipped)
    ]
