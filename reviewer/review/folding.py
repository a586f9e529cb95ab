"""Hunks that are alike: where many take away and add the same lines, one is shown for all.

Alike are hunks whose changed lines are the same but for where they stand and how far the whole is
indented. What the same lines do may depend on where: the unchanged lines of each are shown. Alike
are also hunks whose words alone differ, so that one word of the first is one word of the other
wherever it stands, and no two are the same: each is told with those, from which its lines follow to
the last letter. Where a word became two, or two became one, the hunk is shown. A node holds all of
them: each is covered, and a claim may name any.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from weakref import WeakKeyDictionary

from reviewer.change import Change, Span, Status
from reviewer.review.scope import BYTES_A_TOKEN, quoted, section_of, show, shown_line, size_of, what
from reviewer.text import encode, printable

FOLDED_FROM = 4
"""So many are folded: with fewer the places say more by their own lines than is saved."""

MOST_LINES = 60
"""Of a hunk that is folded: a longer one is hardly one of many."""

PLACE_BYTES = 40
"""Of the line that names a place, beside its path, its heading and its unchanged lines."""

RENAMED_SHARE = 0.5
"""What tells a hunk by its words takes less than this part of what shows it, or it is shown."""

CHANGED = "~"
"""In the first column, where no line of code has it: here the changed lines stand."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Fold:
    """What is told of a span instead of its lines: those of the span `first`, with other words in
    place of some (pairs), and, unless these are told by that as well, the `unchanged` lines."""

    first: str
    words: tuple[tuple[str, str], ...] = ()
    unchanged: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """The words, as a node reads them."""
        return printable(", ".join(f"{shown} -> {theirs}" for shown, theirs in self.words))

    @property
    def differs_in(self) -> tuple[str, ...]:
        """The words of the first that are others here."""
        return tuple(shown for shown, _ in self.words)


def show_folded(change: Change, spans: Sequence[Span]) -> str:
    """Return the spans as `show` does, but of many that are alike the first, and of the others
    their places with what is different there: what few differ in before what many do."""
    folds = folded(spans)
    text = show(change, [span for span in spans if span.id not in folds])
    groups: dict[tuple[str, bool, bool], list[Span]] = {}
    for span in spans:
        if fold := folds.get(span.id):
            kind = fold.first, bool(fold.words), bool(fold.unchanged)
            groups.setdefault(kind, []).append(span)
    for kind, others in groups.items():
        text += f"\n{_lead(*kind)}:\n"
        count = Counter(folds[span.id].differs_in for span in others)
        for span in sorted(others, key=lambda span: count[folds[span.id].differs_in]):
            fold = folds[span.id]
            text += "\n".join([f"- {_place(change, span, fold.told)}", *fold.unchanged]) + "\n"
    return text


def _lead(first: str, has_words: bool, has_lines: bool) -> str:
    but = (
        ", but for words (shown -> theirs: whole words, all at once, wherever they stand)"
        if has_words
        else ""
    )
    if has_lines:
        text = f"The same lines as in hunk {first} go and come in these hunks of yours"
        return f"{text}{but}, where {CHANGED} stands"
    return f"All lines of hunk {first}, the unchanged ones, too, are in these hunks of yours{but}"


def _place(change: Change, span: Span, words: str) -> str:
    file = change.by_path[span.path]
    became = "" if file.status is Status.MODIFIED else f" ({what(file)})"
    around = f", in: {section}" if (section := section_of(span)) else ""
    told = f": {words}" if words else ""
    # The heading is code of any kind and comes last: nothing in it is taken for words of ours.
    return f"hunk {span.id} in {quoted(span.path)}{became}{told}{around}"


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
    folds = folded(spans)
    listed = sum(_listed(span, folds[span.id]) for span in spans if span.id in folds)
    return size_of([span for span in spans if span.id not in folds]) + int(listed / BYTES_A_TOKEN)


def _listed(span: Span, fold: Fold) -> int:
    """Return about how many bytes a span takes that is told by its place."""
    place = PLACE_BYTES + len(span.path) + len(section_of(span))
    return place + len(fold.told) + sum(len(row) + 1 for row in fold.unchanged)


def folded(spans: Sequence[Span]) -> Mapping[str, Fold]:
    """Return what is told of each span that need not be shown, by its id."""
    short = [span for span in spans if span.stop - span.start <= MOST_LINES]
    folds: dict[str, Fold] = {}
    for key, told in ((_whole_shape, _renamed), (_digest, _same), (_shape, _renamed_there)):
        firsts = {fold.first for fold in folds.values()}
        for group in _groups((span for span in short if span.id not in folds), key):
            if len(group) >= FOLDED_FROM:
                # What others are told by has to be shown.
                first = next((span for span in group if span.id in firsts), group[0])
                others = [span for span in group if span.id not in firsts and span is not first]
                new = {span.id: fold for span in others if (fold := told(first, span))}
                folds |= new if len(new) >= FOLDED_FROM - 1 else {}
    return folds


def _same(first: Span, span: Span) -> Fold | None:
    return Fold(first.id, unchanged=tuple(_unchanged(span)))


def _renamed(first: Span, span: Span) -> Fold | None:
    return _if_short(span, Fold(first.id, _pairs(_all_rows(first), _all_rows(span))))


def _renamed_there(first: Span, span: Span) -> Fold | None:
    pairs = _pairs(_rows(first), _rows(span))
    return _if_short(span, Fold(first.id, pairs, tuple(_unchanged(span))))


def _if_short(span: Span, fold: Fold) -> Fold | None:
    most = RENAMED_SHARE * BYTES_A_TOKEN * size_of([span])
    return fold if _listed(span, fold) < most else None


def _pairs(first: Sequence[str], rows: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the words of lines of one shape that differ, in the order in which they come."""
    pairs = zip(_words(first), _words(rows), strict=True)
    return tuple((one, other) for one, other in pairs if one != other)


def _words(rows: Iterable[str]) -> list[str]:
    """Return the words of lines, each once, in the order in which they come."""
    return list(dict.fromkeys(word for row in rows for word in _WORD.findall(row)))


def _groups(spans: Iterable[Span], key: Callable[[Span], bytes]) -> list[list[Span]]:
    groups: dict[bytes, list[Span]] = {}
    for span in spans:
        groups.setdefault(key(span), []).append(span)
    return list(groups.values())


_known: WeakKeyDictionary[Span, dict[str, bytes]] = WeakKeyDictionary()
"""A span is looked at once and not at each level of the tree."""


def _digest(span: Span) -> bytes:
    return _once(span, "same", lambda: _rows(span))


def _whole_shape(span: Span) -> bytes:
    return _once(span, "whole", lambda: _numbered(_all_rows(span)))


def _shape(span: Span) -> bytes:
    return _once(span, "changed", lambda: _numbered(_rows(span)))


def _once(span: Span, name: str, rows: Callable[[], list[str]]) -> bytes:
    known = _known.setdefault(span, {})
    if name not in known:
        known[name] = hashlib.blake2b(encode("\n".join(rows())), digest_size=16).digest()
    return known[name]


def _numbered(rows: Sequence[str]) -> list[str]:
    """Return lines with a number for each word: equal where one gives the other by renaming."""
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return f"{numbers.setdefault(found[0], len(numbers))}_"

    return [_WORD.sub(number, row) for row in rows]


def _all_rows(span: Span) -> list[str]:
    """Return all lines as they are."""
    return [(line.kind if line.newline else f"{line.kind}\\") + line.text for line in span.lines]


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
