"""The answer to a question, as the comment that carries it."""

from app.github.urls import lines_url
from app.render import words
from app.render.escape import markdown_code, markdown_line
from app.render.markdown import fitted, prose
from app.render.outgoing import masked
from reviewer.explain.values import Explanation, Shown

ANSWER_BYTES = 24_000


def render_answer(done: Explanation, repository: str) -> str:
    """Return the Markdown of an answer; `repository` is the address of its code."""
    if not done.answer:
        return f"I cannot answer this: {markdown_line(done.why)}"
    parts = [fitted(done.answer, ANSWER_BYTES, prose)]
    if done.places:
        parts.append("From: " + ", ".join(_link(place, repository) for place in done.places))
    return masked("\n\n".join(parts))


def _link(place: Shown, repository: str) -> str:
    start, line = place.start_line, place.line
    where = None if start is None or line is None else (start, line)
    name = markdown_code(words.place(place))
    return f"[{name}]({lines_url(repository, place.commit, place.path, where)})"
