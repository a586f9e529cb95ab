"""Find the lines that a quote names: exactly, or not at all.

Three tries, in order: the same text; the same text but for white space; the most similar place
within NEAR_LINES of a line that does match, if no other place comes close. The hunk that a claim
names has its two tries before the rest of the file has any. Asking the model for
line numbers instead puts one comment in twenty on a wrong line (docs/design.md, "Findings").
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property

from reviewer.change import FileChange, Hunk
from reviewer.finding import Side
from reviewer.text import printable

NEAR_LINES = 8
SIMILAR = 0.8
"""How alike the tokens of two texts must be (difflib's ratio) to be the same code, misquoted."""

MARGIN = 0.1
"""By how much the best place must beat the next best one."""

MAX_QUOTE_LINES = 40
"""A longer quote is cut: what it is about is not forty lines long."""

MAX_SEEDS = 8
"""A line that stands in more places than this does not say where a misquoted neighbour is."""

MAX_STARTS = 200
MAX_TOKENS = 200
"""Places that are compared, and how much of each: comparing takes time by the square of it."""

CARRIAGE_RETURN = "␍"
"""How `scope.show` writes a carriage return; a model copies it with the line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of code that a quote may match. `changed`: added (RIGHT) or deleted (LEFT)."""

    number: int
    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a quote was found.

    `exact` is False where white space or more had to be forgiven, or only its beginning was looked
    for. `signed`: an exact one was copied with a diff's first column.
    """

    side: Side
    start_line: int
    line: int
    text: str
    exact: bool
    signed: bool = False


_TOKEN = re.compile(r"\w+|[^\w\s]")

Place = Sequence[tuple[Side, list[Row]]]
"""Runs of lines that are searched together: in them a quote must name one place."""

SIDES: tuple[Side, Side] = ("RIGHT", "LEFT")


class NotFound(ValueError):
    """The quote names no place, or more than one; the text says which, for the model."""


def find_in_diff(
    quote: str, file: FileChange, named: Hunk | None, within: range | None = None
) -> Anchor:
    """Return the place that has a quote's text in a file's hunks; raise NotFound.

    The hunk that the claim names is searched before the others, only its lines `within` first
    (a span), and the head's side before the base's; a quote with signs has but one side.
    """
    wanted = _lines(quote)
    if named is not None:
        ours: list[Place] = [[(side, _rows(named, side, within))] for side in SIDES]
        with suppress(Absent):
            return _compared(quote, _search(wanted, ours))
    places = [[(side, _rows(hunk, side)) for hunk in file.hunks] for side in SIDES]
    return _compared(quote, _search(wanted, places))


def find_like_in_diff(
    quote: str, file: FileChange, named: Hunk | None, within: range | None = None
) -> Anchor:
    """Return the place in a file's hunks that is most like a quote; raise NotFound.

    For a quote that stands nowhere in the file: what is only alike must not win over the same.
    """
    wanted = _lines(quote)
    if named is not None and (ours := _alike(wanted, [(named, within)])):
        return ours[0]
    found = _alike(wanted, [(hunk, None) for hunk in file.hunks])
    if len(found) != 1:
        raise Absent(
            "the quoted lines are not in that hunk, nor elsewhere in its file's diff: copy them as "
            "they stand, and give the path of their file if they are outside the diff"
        )
    return found[0]


def _alike(wanted: list[str], hunks: Sequence[tuple[Hunk, range | None]]) -> list[Anchor]:
    """Return each hunk's place that is most like a quote, for the first reading that has any."""
    for side, reading in _readings(wanted):
        places = [_rows(hunk, side, within) for hunk, within in hunks]
        found = [
            _anchor(side, rows[at : at + len(reading)], exact=False)
            for rows in places
            if (at := _most_similar(reading, rows)) is not None
        ]
        if found:
            return found
    return []


class Sheet:
    """The lines of a whole file of the head, ready to be searched many times."""

    def __init__(self, text: str) -> None:
        self.rows = [
            Row(number, printable(line), changed=False)
            for number, line in enumerate(text.split("\n"), 1)
        ]

    @cached_property
    def exactly(self) -> "Lines":
        return Lines([_exactly(row.text) for row in self.rows])

    @cached_property
    def loosely(self) -> "Lines":
        return Lines([_loosely(row.text) for row in self.rows])


class Lines:
    """Texts of lines, and where each text stands: a quote is looked for at its first line only."""

    def __init__(self, texts: list[str]) -> None:
        self._texts = texts
        self._places: dict[str, list[int]] = {}
        for at, text in enumerate(texts):
            self._places.setdefault(text, []).append(at)

    def find(self, wanted: list[str]) -> list[int]:
        """Return the first two places of a run of lines: two are as good as many."""
        found = []
        for at in self._places.get(wanted[0], ()):
            if self._texts[at : at + len(wanted)] == wanted:
                found.append(at)
                if len(found) > 1:
                    break
        return found


def find_in_file(quote: str, sheet: Sheet) -> Anchor:
    """Return the place of a quote in a whole file of the head; raise NotFound."""
    wanted = _lines(quote)
    for same, lines, exact in (
        (_exactly, sheet.exactly, True),
        (_loosely, sheet.loosely, False),
    ):
        for side, reading in _readings(wanted):
            if side == "RIGHT" and (places := lines.find([same(line) for line in reading])):
                if len(places) > 1:
                    raise NotFound("the quoted lines stand in several places: quote more lines")
                rows = sheet.rows[places[0] : places[0] + len(reading)]
                return _compared(quote, _anchor(side, rows, exact))
    raise Absent("the quoted lines are not there")


class Absent(NotFound):
    """The quote names no place at all."""


def _rows(hunk: Hunk, side: Side, within: range | None = None) -> list[Row]:
    lines = hunk.lines if within is None else hunk.lines[within.start : within.stop]
    gone, come = ("-", "+") if side == "RIGHT" else ("+", "-")
    rows = []
    for line in lines:
        number = line.new if side == "RIGHT" else line.old
        if line.kind != gone and number is not None:
            text = line.text if line.text.isascii() else printable(line.text)
            rows.append(Row(number, text, line.kind == come))
    return rows


def _readings(wanted: list[str]) -> list[tuple[Side, list[str]]]:
    """Return what a quote may mean: as it stands, on either side, or with a diff's first column.

    With signs in that column it can only be of the side that has such lines.
    """
    plain = [(side, wanted) for side in SIDES]
    signs = {line[0] for line in wanted if line}
    if not signs <= set("+- ") or signs == set("+-"):
        return plain
    bare = [line[1:] for line in wanted]
    return plain + [
        (side, bare) for side, gone in zip(SIDES, "-+", strict=True) if gone not in signs
    ]


def _search(wanted: list[str], places: Sequence[Place]) -> Anchor:
    """Try each way over every place before the next way: an exact quote of a deleted line beats a
    new line that is merely like it. Within a way the first place that has the quote decides."""
    readings = _readings(wanted)
    for same, exact in ((_exactly, True), (_loosely, False)):
        read = [(side, [same(line) for line in reading]) for side, reading in readings]
        for place in places:
            texts = [(side, rows, [same(row.text) for row in rows]) for side, rows in place]
            for meant, reading in read:
                found = [
                    (side, rows[at : at + len(reading)])
                    for side, rows, text in texts
                    if side == meant
                    for at in _matches(reading, text)
                ]
                if found:
                    return _choose(found, exact)
    raise Absent("the quoted lines are not there")


def _choose(found: list[tuple[Side, list[Row]]], exact: bool) -> Anchor:
    """Of several equal places take the only one that the change touches; else none."""
    touched = [(side, rows) for side, rows in found if any(row.changed for row in rows)]
    candidates = touched or found
    if len(candidates) > 1:
        raise NotFound(
            f"the quoted lines stand in {len(candidates)} places: quote more lines around them"
        )
    side, rows = candidates[0]
    return _anchor(side, rows, exact)


def _anchor(side: Side, rows: Sequence[Row], exact: bool) -> Anchor:
    text = "\n".join(row.text for row in rows)
    return Anchor(side, rows[0].number, rows[-1].number, text, exact)


def _matches(wanted: Sequence[str], rows: Sequence[str]) -> Iterable[int]:
    first = wanted[0]
    for at in range(len(rows) - len(wanted) + 1):
        if rows[at] == first and list(rows[at : at + len(wanted)]) == list(wanted):
            yield at


def _most_similar(wanted: Sequence[str], rows: Sequence[Row]) -> int | None:
    """Return where the rows are most like the quote, near a line of it that does match."""
    loose = [_loosely(line) for line in wanted]
    text = [_loosely(row.text) for row in rows]
    places: dict[str, list[int]] = {line: [] for line in loose if len(line) > 3}  # not braces
    for at, line in enumerate(text):
        if line in places:
            places[line].append(at)
    starts = {
        at
        for seeds in places.values()
        if len(seeds) <= MAX_SEEDS
        for seed in seeds
        for at in range(seed - NEAR_LINES, seed + NEAR_LINES + 1)
        if 0 <= at <= len(rows) - len(wanted)
    }
    if len(starts) > MAX_STARTS:
        return None
    likeness = SequenceMatcher(autojunk=False)
    likeness.set_seq2(_tokens(wanted))
    scored = []
    for at in starts:
        likeness.set_seq1(_tokens([row.text for row in rows[at : at + len(wanted)]]))
        scored.append((likeness.ratio(), at))
    (best, found), (second, _) = sorted([*scored, (0.0, -1), (0.0, -1)], reverse=True)[:2]
    return found if best >= SIMILAR and best - second >= MARGIN else None


def _tokens(lines: Sequence[str]) -> list[str]:
    return [token for line in lines for token in _TOKEN.findall(line)][:MAX_TOKENS]


def _compared(quote: str, anchor: Anchor) -> Anchor:
    """Return an anchor that knows whether it has all of a quote, and all as it was quoted."""
    quoted, there = _all_lines(quote), anchor.text.split("\n")
    signed = any(_exactly(one) != _exactly(text) for one, text in zip(quoted, there, strict=False))
    whole = len(quoted) == len(there)
    return replace(anchor, exact=anchor.exact and whole, signed=anchor.exact and signed)


def _lines(quote: str) -> list[str]:
    """Return the lines of a quote that are looked for; raise NotFound for none."""
    return _all_lines(quote)[:MAX_QUOTE_LINES]


def _all_lines(quote: str) -> list[str]:
    """Return the lines of a quote without blank ones around them; raise NotFound for none."""
    lines = [line.rstrip(CARRIAGE_RETURN + "\r") for line in quote.split("\n")]
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise NotFound("the quote is empty")
    return lines


def _exactly(line: str) -> str:
    return line.rstrip()


def _loosely(line: str) -> str:
    return "".join(line.split())
