"""The last look at what leaves for GitHub: no secret in it, and no more bytes than GitHub takes."""

import re
from typing import Any

from app.render.markdown import LIMIT_BYTES
from app.report import Report
from reviewer.detectors.secrets import mask, redacted

# A token is cut short, so that nothing of its form leaves: also one with a Markdown escape before
# the underscore, and one that is too short or too long to be real. Tokens of Apps hold a JWT since
# 2026, with dots and dashes.
_TOKEN = re.compile(
    r"(?:gh[opusr]\\?_|github\\?_pat\\?_|sk-ant-)(?:[A-Za-z0-9.-]|\\?_){16,}", re.IGNORECASE
)

_CUT = "\n\n… (cut: there is a limit of size)"
_FENCE = "\n```"


def masked(text: str) -> str:
    """Return a text of any length with every secret of a known form in it masked."""
    return _TOKEN.sub(lambda token: mask(token[0]), redacted(text))


def without_secrets(report: Report) -> Report:
    """Return the report with every text in it masked, and no suggestion offered that held one.

    Before it becomes Markdown, where a backslash may stand in the middle of a token.
    """
    safe: Report = Report.model_validate(_walk(report.model_dump()))
    pairs = zip(report.review.findings, safe.review.findings, strict=True)
    spoilt = {new.id for old, new in pairs if old.suggestion != new.suggestion}
    anchors = {
        name: anchor.model_copy(update={"suggest": anchor.suggest and name not in spoilt})
        for name, anchor in safe.anchors.items()
    }
    return safe.model_copy(update={"anchors": anchors})


def _walk(value: Any) -> Any:
    match value:
        case str():
            return masked(value)
        case dict():
            return {name: _walk(one) for name, one in value.items()}
        case list() | tuple():
            return [_walk(one) for one in value]
        case _:
            return value


def size(text: str) -> int:
    """Return the bytes that a text has in UTF-8."""
    return len(text.encode("utf-8", "backslashreplace"))


def cut_bytes(text: str, limit: int, mark: str = _CUT) -> str:
    """Return at most `limit` bytes of a text, cut between two characters and marked as cut."""
    raw = text.encode("utf-8", "backslashreplace")
    if len(raw) <= limit:
        return raw.decode("utf-8")
    return raw[: limit - size(mark)].decode("utf-8", "ignore") + mark


def sayable(text: str) -> str:
    """Return Markdown of our own masked, and cut after a whole line where a comment is full.

    What is escaped or in backquotes stays so: half of such a line might mention somebody.
    """
    text = masked(text)
    if size(text) <= LIMIT_BYTES:
        return text
    kept = cut_bytes(text, LIMIT_BYTES - size(_CUT) - size(_FENCE), "")
    whole = kept[: kept.rfind("\n") + 1].rstrip("\n") or kept  # of one long line, its beginning
    fences = sum(line.startswith("```") for line in whole.split("\n"))
    return whole + _FENCE * (fences % 2) + _CUT
