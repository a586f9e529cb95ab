"""The lines that a change brought to a file, and how a finding quotes them."""

from collections.abc import Iterator

from reviewer.detectors.base import Source
from reviewer.text import decode, printable

MAX_QUOTED_LINES = 8
MAX_QUOTED_CHARS = 240  # of one line: minified code would fill the screen


def lines_of(data: bytes) -> list[str]:
    """Return the lines of a file as git counts them, without their ends (CR LF, LF)."""
    return [decode(line.removesuffix(b"\r")) for line in data.split(b"\n")]


def added(source: Source) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that the change added at the head."""
    for hunk in source.file.hunks:
        for line in hunk.lines:
            if line.kind == "+" and line.new is not None:
                yield line.new, line.text.removesuffix("\r")


def quote(lines: list[str], start: int, end: int) -> str:
    """Return lines start..end (from 1) as evidence: valid Unicode, bounded in length and width."""
    chosen = lines[start - 1 : min(end, start - 1 + MAX_QUOTED_LINES)]
    return "\n".join(printable(line[:MAX_QUOTED_CHARS]) for line in chosen)
