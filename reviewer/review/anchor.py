"""Find the lines that a quote names: exactly, or not at all.

Three tries, in order: the same text; the same text but for white space; the most similar place
within NEAR_LINES of a line that does match, if no other place comes close. Asking the model for
line numbers instead puts one comment in twenty on a wrong line (docs/design.md, "Findings").
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from reviewer.change import FileChange, Hunk
from reviewer.finding import Side

NEAR_LINES = 8
SIMILAR = 0.8
"""How alike two texts must be (difflib's ratio) to be taken for the same code, misquoted."""

MARGIN = 0.1
"""By how much the best place must beat the next best one."""

MAX_QUOTE_LINES = 40
"""A longer quote is cut: what it is about is not forty lines long."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of code that a quote may match. `changed`: added (RIGHT) or deleted (LEFT)."""

    number: int
    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a quote was found. `exact` is False where white space or more had to be forgiven."""

    side: Side
    start_line: int
    line: int
    text: str
    exact: bool
    in_diff: bool = True


Place = Sequence[tuple[Side, list[Row]]]
"""Runs of lines that are searched together: in them a quote must name one place."""

SIDES: tuple[Side, Side] = ("RIGHT", "LEFT")


class NotFound(ValueError):
    """The quote names no place, or more than one; the text says which, for the model."""


def find_in_diff(
    quote: str, file: FileChange, named: Hunk | None, within: range | None = None
) -> Anchor:
    """Return the place of a quote in a file's hunks; raise NotFound.

    The hunk that the claim names is searched before the others, only its lines `within` first
    (a span), and the head's side before the base's.
    """
    wanted = _lines(quote)
    if not wanted:
        raise NotFound("the quote is empty")
    places: list[Place] = []
    if named is not None:
        places += [[(side, _rows(named, side, within))] for side in SIDES]
    places += [[(side, _rows(hunk, side)) for hunk in file.hunks] for side in SIDES]
    try:
        return _search(wanted, places)
    except _Absent:
        where = "in that hunk, nor elsewhere in its file's diff"
        raise NotFound(f"the quoted lines are not {where}") from None


def find_in_file(quote: str, text: str) -> Anchor:
    """Return the place of a quote in a whole file of the head; raise NotFound."""
    wanted = _lines(quote)
    if not wanted:
        raise NotFound("the quote is empty")
    rows = [Row(n, line, changed=False) for n, line in enumerate(text.split("\n"), 1)]
    found = _search(wanted, [[("RIGHT", rows)]])
    return Anchor(found.side, found.start_line, found.line, found.text, found.exact, in_diff=False)


class _Absent(NotFound):
    pass


def _rows(hunk: Hunk, side: Side, within: range | None = None) -> list[Row]:
    lines = hunk.lines if within is None else hunk.lines[within.start : within.stop]
    gone, come = ("-", "+") if side == "RIGHT" else ("+", "-")
    rows = []
    for line in lines:
        number = line.new if side == "RIGHT" else line.old
        if line.kind != gone and number is not None:
            rows.append(Row(number, line.text, line.kind == come))
    return rows


def _search(wanted: Sequence[str], places: Sequence[Place]) -> Anchor:
    """Try each way over every place before the next way: an exact quote of a deleted line beats a
    new line that is merely like it. Within a way the first place that has the quote decides."""
    readings = [wanted]
    if all(line[:1] in "+- " for line in wanted if line):
        readings.append([line[1:] for line in wanted])
    for same, exact in ((_exactly, True), (_loosely, False)):
        for place in places:
            for reading in readings:
                found = [
                    (side, rows[at : at + len(reading)])
                    for side, rows in place
                    for at in _matches(
                        [same(line) for line in reading], [same(r.text) for r in rows]
                    )
                ]
                if found:
                    return _choose(found, exact)
    for place in places:
        for reading in readings:
            for side, rows in place:
                at = _most_similar(reading, rows)
                if at is not None:
                    return _anchor(side, rows[at : at + len(reading)], exact=False)
    raise _Absent("the quoted lines are not there")


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
    known = {line for line in loose if len(line) > 3}  # braces and the like match everywhere
    seeds = {at for at, line in enumerate(text) if line in known}
    starts = {
        at
        for seed in seeds
        for at in range(seed - NEAR_LINES, seed + NEAR_LINES + 1)
        if 0 <= at <= len(rows) - len(wanted)
    }
    scored = sorted(
        (
            (SequenceMatcher(None, "\n".join(loose), "\n".join(text[at : at + len(wanted)])), at)
            for at in starts
        ),
        key=lambda pair: (-pair[0].ratio(), pair[1]),
    )
    if not scored or scored[0][0].ratio() < SIMILAR:
        return None
    best, at = scored[0][0].ratio(), scored[0][1]
    if any(best - other.ratio() < MARGIN for other, place in scored[1:] if place != at):
        return None
    return at


def _lines(quote: str) -> list[str]:
    lines = [line.rstrip("\r") for line in quote.split("\n")]
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return lines[:MAX_QUOTE_LINES]


def _exactly(line: str) -> str:
    return line.rstrip()


def _loosely(line: str) -> str:
    return "".join(line.split())
