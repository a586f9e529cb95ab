"""What a change does to what others rely on: contracts of symbols, settings, routes, tables, keys.

Pure: from what the files say differently and from the changed lines. What is told by lines (errors,
keys) is about those lines alone: an error raised elsewhere in the function as well is not seen; one
that a function called by added lines raises now is.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from reviewer.change import Span
from reviewer.context.differences import Difference, Ends, Fate, dotted
from reviewer.parsing.symbols import Definition, DefKind, UseKind
from reviewer.ports import Rev
from reviewer.review.keys import KINDS, Key, keys_in, raised_in, words_in
from reviewer.review.sides import Side, innermost, outermost, sides
from reviewer.text import printable

MAX_BORDERS = 2_000
"""Of one change, in the order of paths; beyond that it is a change of everything."""

MAX_SPANS = 20
MAX_TEXT_CHARS = 300
SHORTEST_KEY = 3


_Place = tuple[str, str, Key]
"""A path, what is around the line there, and what the line has."""


@dataclass(frozen=True, slots=True)
class Border:
    """One thing that others may rely on and that is different now.

    `symbol` is a dotted name, or the key of a setting, a route, a table or column, a serialised
    field. `kind` is what it is, `what` the aspect that changed; `before` and `after` are texts, ""
    where there is none. `spans` are the ids of the spans that do it.
    """

    path: str
    symbol: str
    kind: str
    what: str
    before: str
    after: str
    spans: tuple[str, ...]

    def describe(self) -> str:
        """Return it in one printable line."""
        change = f"{self.before or '(nothing)'} -> {self.after or '(nothing)'}"
        line = f"{self.path}: {self.kind} {self.symbol}: {self.what}: {change}"
        return " ".join(printable(line).split())


def described(found: Sequence[Border]) -> list[str]:
    """Return a printable line for each, in order; what is done alike in several files is one."""
    alike: dict[tuple[str, ...], list[Border]] = {}
    for each in found:
        alike.setdefault(_order(each)[1:], []).append(each)
    return [
        group[0].describe() + (f" (alike in {more} more files)" if (more := len(group) - 1) else "")
        for group in alike.values()
    ]


def borders(
    spans: Sequence[Span], files: Sequence[Ends], different: Sequence[Difference]
) -> tuple[Border, ...]:
    """Return what the spans change at borders, in the order of paths; at most MAX_BORDERS."""
    by_path: defaultdict[str, list[int]] = defaultdict(list)
    for number, span in enumerate(spans):
        by_path[span.path].append(number)
    ends = list(sides(spans, files, by_path))
    lines = _Lines(spans, ends)
    found = {*_of_symbols(different, lines), *_of_lines(spans, ends)}
    return tuple(sorted(found, key=_order)[:MAX_BORDERS])


def shared_keys(spans: Sequence[Span], found: Sequence[Border]) -> dict[str, list[int]]:
    """Return for each key at a border the numbers of the spans whose changed lines have it."""
    wanted = {
        each.symbol for each in found if each.kind in KINDS and len(each.symbol) >= SHORTEST_KEY
    }
    held: defaultdict[str, list[int]] = defaultdict(list)
    if not wanted:
        return {}
    for number, span in enumerate(spans):
        words: set[str] = set()
        for line in span.lines:
            if line.kind != " ":
                words.update(words_in(line.text))
                words.update(key.name for key in keys_in(line.text))
        for word in words & wanted:
            held[word].append(number)
    return {key: held[key] for key in sorted(held) if len(held[key]) > 1}


def _order(border: Border) -> tuple[str, ...]:
    return (border.path, border.symbol, border.kind, border.what, border.before, border.after)


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_TEXT_CHARS else text[: MAX_TEXT_CHARS - 1] + "…"


# By symbol ---------------------------------------------------------------------------------------


class _Lines:
    """Which span changes which line, by path and end."""

    def __init__(self, spans: Sequence[Span], ends: Sequence[Side]) -> None:
        self._ids = [span.id for span in spans]
        self._changed = {
            (side.at, side.own_path): sorted(
                (line, number) for number, lines in side.changed.items() for line in lines
            )
            for side in ends
        }

    def of(self, each: Difference) -> tuple[str, ...]:
        """Return the ids of the spans that change what is different, in their order."""
        numbers: set[int] = set()
        for definition in each.before:
            numbers |= self._in(("base", each.old_path), definition)
        for definition in each.after:
            numbers |= self._in(("head", each.new_path), definition)
        return tuple(self._ids[number] for number in sorted(numbers)[:MAX_SPANS])

    def _in(self, place: tuple[Rev, str], definition: Definition) -> set[int]:
        lines = self._changed.get(place, [])
        first = bisect_left(lines, (definition.start, -1))
        last = bisect_left(lines, (definition.end + 1, -1))
        return {number for _, number in lines[first:last]}


def _of_symbols(different: Sequence[Difference], lines: _Lines) -> Iterator[Border]:
    for each in different:
        definitions = each.after or each.before
        if each.implied or not any(one.exported for one in (*each.before, *each.after)):
            continue
        path, symbol = each.new_path or each.old_path, each.new_name or each.old_name
        kind = "field" if _is_field(definitions[0]) else str(definitions[0].kind)
        spans = lines.of(each)
        if each.fate is not Fate.CHANGED:
            before = _told(each.old_path, each.old_name, each.before)
            after = _told(each.new_path, each.new_name, each.after)
            yield Border(path, symbol, kind, str(each.fate), _cut(before), _cut(after), spans)
        for detail in each.details:
            what, before, after = str(detail.aspect), _cut(detail.before), _cut(detail.after)
            yield Border(path, symbol, kind, what, before, after, spans)


def _is_field(definition: Definition) -> bool:
    return definition.kind is DefKind.CONSTANT and definition.scope != ""


def _told(path: str, name: str, definitions: Sequence[Definition]) -> str:
    return f"{path}: {name}: {definitions[0].signature}" if definitions else ""


# By line -----------------------------------------------------------------------------------------


def _of_lines(spans: Sequence[Span], ends: Sequence[Side]) -> Iterator[Border]:
    """Yield the keys and errors that changed lines no longer have, or have for the first time."""
    around = _around(ends)
    gone: dict[_Place, set[int]] = {}
    come: dict[_Place, set[int]] = {}
    for number, span in enumerate(spans):
        for line in span.lines:
            if line.kind == " ":
                continue
            to = gone if line.kind == "-" else come
            at = line.old if line.kind == "-" else line.new
            symbol = around.get((line.kind, span.path, at or 0), "")
            for key in keys_in(line.text):
                to.setdefault((span.path, key.name, key), set()).add(number)
            for name in raised_in(line.text):
                to.setdefault((span.path, symbol, Key("raises", name)), set()).add(number)
    moved = _moved(gone, come, ends, around)
    for place, numbers in (*gone.items(), *come.items()):
        if place in gone and place in come:
            continue
        path, symbol, key = place
        before, after = (key.name, "") if place in gone else ("", key.name)
        held = tuple(spans[number].id for number in sorted(numbers)[:MAX_SPANS])
        if key.kind == "raises":
            # Here, for what the code calls may raise it all the same.
            what = "no longer raised here" if place in gone else "raised here"
            if place in gone and (by := moved.get(place)):
                what, after = f"raised by {by} now, which it calls", key.name
            yield Border(path, symbol, "error", what, before, after, held)
        else:
            what = "no longer used here" if place in gone else "used here"
            yield Border(path, symbol, key.kind, what, before, after, held)


def _moved(
    gone: Mapping[_Place, Set[int]],
    come: Mapping[_Place, Set[int]],
    ends: Sequence[Side],
    around: Mapping[tuple[str, str, int], str],
) -> dict[_Place, str]:
    """Return by which function that added lines call an error is raised now, where it was here.

    One step, and by the names of what is called: the lines of a function elsewhere that begin to
    raise it, or code of the same file that makes it.
    """
    lost = [place for place in gone if place[2].kind == "raises" and place not in come]
    if not lost:
        return {}
    raised: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for _, symbol, key in come:
        if key.kind == "raises" and symbol:
            raised["", _last(key.name)].add(symbol)
    paths = {path for path, _, _ in lost}
    wanted = {_last(key.name) for _, _, key in lost}
    called: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for side in ends:
        if side.at != "head" or side.path not in paths:
            continue
        for use in side.what.uses:
            if use.kind is not UseKind.CALL:
                continue
            if caller := around.get(("+", side.path, use.line)):
                called[side.path, caller].add(use.name)
            if use.name in wanted and use.scope:
                raised[side.path, use.name].add(use.scope)
    found: dict[_Place, str] = {}
    for path, symbol, key in lost:
        name = _last(key.name)
        by = sorted(
            each
            for each in raised["", name] | raised[path, name]
            if each != symbol and _last(each) in called[path, symbol]
        )
        if by:
            found[path, symbol, key] = by[0]
    return found


def _last(name: str) -> str:
    return re.split(r"[.:]", name)[-1]


def _around(ends: Sequence[Side]) -> Mapping[tuple[str, str, int], str]:
    """Return the dotted name of what is around each changed line, by its sign, path and number."""
    found: dict[tuple[str, str, int], str] = {}
    for side in ends:
        lines = sorted({line for held in side.changed.values() for line in held})
        sign = "+" if side.at == "head" else "-"
        inner = innermost(outermost(side.what.definitions), lines)
        for line, definition in zip(lines, inner, strict=True):
            if definition is not None:
                found[sign, side.path, line] = dotted(definition)
    return found
