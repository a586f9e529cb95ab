"""Hunks that are alike: where many take away and add the same lines, one is shown for all.

Alike are hunks whose changed lines are the same but for where they stand and how far the whole is
indented. What the same lines do may depend on where: the unchanged lines of each are shown. A node
holds all of them: each is covered, and a claim may name any.
"""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import groupby
from weakref import WeakKeyDictionary

from reviewer.change import Change, Span, Status
from reviewer.review.scope import BYTES_A_TOKEN, quoted, section_of, show, shown_line, size_of, what
from reviewer.text import encode

FOLDED_FROM = 4
"""So many are folded: with fewer the places say more by their own lines than is saved."""

MOST_LINES = 60
"""Of a hunk that is folded: a longer one is hardly one of many."""

PLACE_BYTES = 40
"""Of the line that names a place, beside its path, its heading and its unchanged lines."""

CHANGED = "~"
"""In the first column, where no line of code has it: here the changed lines stand."""


def show_folded(change: Change, spans: Sequence[Span]) -> str:
    """Return the spans as `show` does, but of many that are alike the first, and of the others
    their places with the unchanged lines there."""
    alike = folded(spans)
    text = show(change, [span for span in spans if span.id not in alike])
    by_first: dict[str, list[Span]] = {}
    for span in spans:
        if span.id in alike:
            by_first.setdefault(alike[span.id], []).append(span)
    for first, others in by_first.items():
        text += f"\nThe same lines as in hunk {first} go and come in these hunks of yours, "
        text += f"where {CHANGED} stands:\n"
        for span in others:
            text += "\n".join([f"- {_place(change, span)}", *_unchanged(span)]) + "\n"
    return text


def _place(change: Change, span: Span) -> str:
    file = change.by_path[span.path]
    became = "" if file.status is Status.MODIFIED else f" ({what(file)})"
    around = f", in: {section}" if (section := section_of(span)) else ""
    return f"hunk {span.id} in {quoted(span.path)}{became}{around}"


def _unchanged(span: Span) -> list[str]:
    """Return the unchanged lines of a span, with a mark for changed ones, indented as these are."""
    rows: list[str] = []
    for is_same, lines in groupby(span.lines, key=lambda line: line.kind == " "):
        if is_same:
            rows += [shown_line(" ", line.text) for line in lines]
        else:
            texts = [line.text for line in lines]
            first = next((text for text in texts if text.strip()), "")
            rows.append(shown_line(CHANGED, f"{_indentation(first)}…"))
    return rows


def folded_size(spans: Sequence[Span]) -> int:
    """Return about how many tokens the spans take when shown folded."""
    alike = folded(spans)
    places = [span for span in spans if span.id in alike]
    listed = sum(
        PLACE_BYTES
        + len(span.path)
        + len(section_of(span))
        + sum(len(row) + 1 for row in _unchanged(span))
        for span in places
    )
    return size_of([span for span in spans if span.id not in alike]) + int(listed / BYTES_A_TOKEN)


def folded(spans: Sequence[Span]) -> Mapping[str, str]:
    """Return the id of the first span that is alike, by the id of each that need not be shown."""
    groups: dict[bytes, list[Span]] = {}
    for span in spans:
        if span.stop - span.start <= MOST_LINES:
            groups.setdefault(_digest(span), []).append(span)
    return {
        span.id: group[0].id
        for group in groups.values()
        if len(group) >= FOLDED_FROM
        for span in group[1:]
    }


_known: WeakKeyDictionary[Span, bytes] = WeakKeyDictionary()
"""A span is looked at once and not at each level of the tree."""


def _digest(span: Span) -> bytes:
    known = _known.get(span)
    if known is None:
        rows = "\n".join(_rows(span))
        known = _known[span] = hashlib.blake2b(encode(rows), digest_size=16).digest()
    return known


def _rows(span: Span) -> list[str]:
    """Return the changed lines without the indentation that all have, and a " " between two that
    do not follow on each other. That one is indented further than another may be all."""
    rows: list[tuple[str, str]] = []
    for line in span.lines:
        if line.kind != " ":
            rows.append((line.kind if line.newline else f"{line.kind}\\", line.text))
        elif rows and rows[-1][0] != " ":
            rows.append((" ", ""))
    if rows and rows[-1][0] == " ":
        rows.pop()
    texts = [text for _, text in rows if text.strip()]
    common = min((_indentation(text) for text in texts), key=len, default="")
    if not all(text.startswith(common) for text in texts):
        common = ""
    return [kind + text.removeprefix(common) for kind, text in rows]


def _indentation(text: str) -> str:
    return text[: len(text) - len(text.lstrip(" \t"))]
