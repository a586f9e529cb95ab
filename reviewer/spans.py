"""Cut a file's hunks into spans: pieces that fit a window, end where code ends, and stay put.

A hunk within the bound is one span. A larger one is cut in two at the best place of its middle
half, and each part again while it is too large. How good a place is depends on the three lines
around it alone, so an edit moves the cuts near it and leaves the others where they were.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, pairwise
from zlib import crc32

from reviewer.change import FileChange, Hunk, Line, Span
from reviewer.text import encode

SIGN_AND_NEWLINE = 2
"""Bytes that a line takes in a diff, besides its text."""

TAB_COLUMNS = 4

_ID_DIGITS = 16

_BRACKETS = "}])>;,"
_CLOSERS = frozenset({"end", "fi", "done", "esac", "```", "---"})
"""Lines that end a block, besides those of closing brackets alone."""

Rank = tuple[int, int, int]


def spans(file: FileChange, max_bytes: int) -> tuple[Span, ...]:
    """Return spans of at most `max_bytes` that partition the file's hunks, in order.

    A single line longer than that is a span of its own. Sizes count the line's text in UTF-8, its
    sign and its newline.
    """
    if max_bytes < 1:
        raise ValueError(f"max_bytes must be at least 1: {max_bytes}")
    found: list[Span] = []
    equals: Counter[bytes] = Counter()
    for hunk in file.hunks:
        lines = tuple(hunk.lines)
        offsets = _offsets(lines)
        if offsets[-1] <= max_bytes:
            found.append(Span(hunk.id, hunk, 0, len(lines)))
            continue
        start = 0
        for stop in [*_cuts(lines, offsets, max_bytes), len(lines)]:
            found.append(Span(_name(hunk, start, stop, equals), hunk, start, stop))
            start = stop
    return tuple(found)


def size(line: Line) -> int:
    """Return how many bytes a line takes in a diff."""
    text = line.text
    return (len(text) if text.isascii() else len(encode(text))) + SIGN_AND_NEWLINE


def _offsets(lines: Sequence[Line]) -> list[int]:
    """Return where each line begins, in bytes from the first, and where the last one ends."""
    return list(accumulate(map(size, lines), initial=0))


def _cuts(lines: Sequence[Line], offsets: Sequence[int], max_bytes: int) -> list[int]:
    """Return the numbers of the lines before which to cut."""
    cuts: set[int] = set()
    for i in range(len(lines)):
        if offsets[i + 1] - offsets[i] > max_bytes:
            cuts |= {i, i + 1}
    cuts -= {0, len(lines)}
    ends = sorted({0, *cuts, len(lines)})
    ranks = _ranks(lines)
    todo = list(pairwise(ends))
    while todo:
        start, stop = todo.pop()
        if stop - start > 1 and offsets[stop] - offsets[start] > max_bytes:
            cut = _best(start, stop, offsets, ranks)
            cuts.add(cut)
            todo += [(start, cut), (cut, stop)]
    return sorted(cuts)


def _best(start: int, stop: int, offsets: Sequence[int], ranks: Sequence[Rank]) -> int:
    """Return the best place between two cuts. The middle half bounds how uneven the parts get."""
    whole = offsets[stop] - offsets[start]
    low, high = offsets[start] + whole // 4, offsets[stop] - whole // 4
    middle = offsets[start] + whole // 2
    first = bisect_left(offsets, low, start + 1, stop)
    last = bisect_right(offsets, high, first, stop)
    # One line may take up the whole middle; then any place is good enough.
    places = range(first, last) or range(start + 1, stop)
    return max(places, key=lambda i: (ranks[i], -abs(offsets[i] - middle)))


def _ranks(lines: Sequence[Line]) -> list[Rank]:
    """Return how good it is to cut before each line: larger is better, equal is rare.

    Best is a line of little indentation behind a blank line or the end of a block. The hash picks
    one of many that are as good; it is what keeps a cut where it is when lines are added elsewhere.
    """
    texts = [line.text.strip() for line in lines]
    ranks = [(0, 0, 0)]
    for i in range(1, len(lines)):
        before, here = texts[i - 1], texts[i]
        after = texts[i + 1] if i + 1 < len(lines) else ""
        if not here or _closes(here) or (lines[i - 1].kind, lines[i].kind) == ("-", "+"):
            quality = 0  # a blank line or a brace ends what is above; new lines explain the old
        elif not before:
            quality = 3
        elif _closes(before):
            quality = 2
        else:
            quality = 1
        mixed = crc32(encode(f"{before}\n{here}\n{after}"))
        ranks.append((quality, -_indentation(lines[i].text), mixed))
    return ranks


def _closes(text: str) -> bool:
    return not text.strip(_BRACKETS) or text in _CLOSERS


def _indentation(text: str) -> int:
    blank = text[: len(text) - len(text.lstrip(" \t"))]
    return len(blank) + (TAB_COLUMNS - 1) * blank.count("\t")


def _name(hunk: Hunk, start: int, stop: int, equals: "Counter[bytes]") -> str:
    """Return a piece's id; `equals` counts the pieces of this file that have the same lines."""
    digest = hashlib.sha256(encode(hunk.path) + b"\0span\0")
    for line in hunk.lines[start:stop]:
        digest.update(encode(f"{line.kind}{line.text}\n"))
        if not line.newline:
            digest.update(b"\\\n")
    key = digest.digest()
    digest.update(b"\0%d" % equals[key])
    equals[key] += 1
    return digest.hexdigest()[:_ID_DIGITS]
