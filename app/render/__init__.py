"""A `Review` as text, Markdown, JSON, SARIF or HTML: pure functions from value to string."""

from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:  # `rlm --help` reads FORMATS and pays for nothing else
    from app.render.snippet import Snippets
    from reviewer.request import Review

Format = Literal["text", "json", "markdown", "sarif", "html"]
FORMATS: tuple[Format, ...] = get_args(Format)

PIPE_COLUMNS = 100
"""The width of text that no terminal has measured."""


def render(
    review: "Review",
    fmt: str,
    context: "Snippets",
    *,
    width: int = PIPE_COLUMNS,
    color: bool = False,
    category: str = "rlm-review",
) -> str:
    """Return the review in one of FORMATS, ending in a newline; ValueError for another.

    `width` and `color` are for text: take them from `app.render.text.look`. `category` tells
    apart the SARIF uploads of one commit.
    """
    match fmt:
        case "text":
            from app.render.text import render_text  # noqa: PLC0415

            return render_text(review, context, width=width, color=color)
        case "json":
            from app.render.json import render_json  # noqa: PLC0415

            return render_json(review)
        case "markdown":
            from app.render.markdown import render_markdown  # noqa: PLC0415

            return render_markdown(review, context)
        case "sarif":
            from app.render.sarif import render_sarif  # noqa: PLC0415

            return render_sarif(review, context, category=category)
        case "html":
            from app.render.html import render_html  # noqa: PLC0415

            return render_html(review, context)
    raise ValueError(f"no such format: {fmt}")
