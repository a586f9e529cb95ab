"""What differs between two texts, line by line, at a cost that no text can drive up. Pure.

`difflib` compares each line with all that are equal to it, again for each part that it divides:
a few thousand lines of one kind keep it busy for minutes, and whoever writes the file chooses them.
"""

import difflib
from collections import Counter
from collections.abc import Sequence
from typing import Literal

Kind = Literal["equal", "replace", "delete", "insert"]

Span = tuple[Kind, int, int, int, int]
"""What became of old[i:j], which is new[k:l] now."""

MOST_PAIRS = 200_000
"""Of equal lines, one old and one new: a file of 5,000 lines of code has about so many."""


def spans(old: Sequence[str], new: Sequence[str]) -> list[Span]:
    """Return what leads from some lines to others, in order and without a gap.

    Between the first and the last difference it is one replacement where more than `MOST_PAIRS`
    would have to be looked at.
    """
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    same = 0
    while same < min(len(old), len(new)) - start and old[-1 - same] == new[-1 - same]:
        same += 1
    had, now = old[start : len(old) - same], new[start : len(new) - same]
    found: list[Span] = [("equal", 0, start, 0, start)] if start else []
    found += [
        (kind, i + start, j + start, k + start, end + start)
        for kind, i, j, k, end in _between(had, now)
    ]
    if same:
        found.append(("equal", len(old) - same, len(old), len(new) - same, len(new)))
    return found


def _between(old: Sequence[str], new: Sequence[str]) -> Sequence[Span]:
    if not old and not new:
        return ()
    times = Counter(new)
    if sum(times[line] for line in old) > MOST_PAIRS:
        return [("replace", 0, len(old), 0, len(new))]
    return difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
