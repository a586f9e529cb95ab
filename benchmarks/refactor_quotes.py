"""JSON values without the words of the files that they quote: these are named by their place.

A string that has none of a tree's text stays as it is. One that is all of it becomes
`{"copy": [path, first, last]}`, whole lines from 1 on without the last line's end, or
`{"copy": [path, line, column, line, column]}`, columns from 0 on, the last one excluded. One that
has some of it becomes `{"pieces": [...]}`, strings and copies in turn.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

LEAST = 24
"""Characters that make a quotation; what is shorter are names, and words that anybody uses."""

MOST = 40
"""Characters that never stand in a value as they stand in the tree."""

Tree = Mapping[str, str]
"""Text by path."""


def pointed(value: Any, tree: Tree) -> Any:
    """Return a JSON value with places for all that its strings quote; raise ValueError.

    A value that looks like a place itself has no such form.
    """
    places = _places(_strings(value), tree, LEAST)

    def of(one: Any) -> Any:
        match one:
            case str():
                return _pieces(one, tree, places)
            case list():
                return [of(each) for each in one]
            case dict():
                if set(one) in ({"copy"}, {"pieces"}):
                    raise ValueError(f"{sorted(one)} alone is how a place is written")
                return {key: of(each) for key, each in one.items()}
        return one

    return of(value)


def resolved(value: Any, tree: Tree) -> Any:
    """Return a value of `pointed` with the tree's text in it; raise LookupError for no place."""
    return _filled(value, lambda copy: _text(copy, tree))


def quotations(value: Any, tree: Tree) -> list[str]:
    """Return what of MOST characters stands in a value of `pointed` and in the tree."""
    # What a place gives is no text of the value, and divides what stands around it.
    strings = list(_strings(_filled(value, lambda _: "\0")))
    return list(_places(strings, tree, MOST))


# There -------------------------------------------------------------------------------------------


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for one in value:
                yield from _strings(one)
        case dict():
            for one in value.values():
                yield from _strings(one)


def _places(strings: Any, tree: Tree, width: int) -> dict[str, list[tuple[str, int]]]:
    """Return where in the tree all that the strings have of so many characters stands."""
    wanted = {one[at : at + width] for one in strings for at in range(len(one) - width + 1)}
    found: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for path, text in tree.items():
        for at in range(len(text) - width + 1):
            if (gram := text[at : at + width]) in wanted:
                found[gram].append((path, at))
    return dict(found)


def _pieces(text: str, tree: Tree, places: Mapping[str, list[tuple[str, int]]]) -> Any:
    """Return a string with a place for each longest quotation in it, from the left."""
    pieces: list[Any] = []
    own = at = 0
    while at < len(text):
        if (known := places.get(text[at : at + LEAST])) is None:
            at += 1
            continue
        path, start, size = _longest(text, at, tree, known)
        pieces += [text[own:at]] if own < at else []
        pieces.append({"copy": _copy(path, tree[path], start, start + size)})
        own = at = at + size
    pieces += [text[own:]] if own < len(text) else []
    if len(pieces) == 1:
        return pieces[0]
    return {"pieces": pieces} if pieces else ""


def _longest(text: str, at: int, tree: Tree, known: list[tuple[str, int]]) -> tuple[str, int, int]:
    """Return the path, the offset and the size of the longest text that stands there, too."""
    best = ("", 0, 0)
    for path, start in known:
        other = tree[path]
        size = best[2]
        if not other.startswith(text[at : at + size + 1], start):
            continue
        while at + size < len(text) and other[start + size : start + size + 1] == text[at + size]:
            size += 1
        if size > best[2]:
            best = (path, start, size)
    return best


def _copy(path: str, text: str, start: int, end: int) -> list[Any]:
    starts = [0, *(at + 1 for at, char in enumerate(text) if char == "\n")]
    first, last = bisect_right(starts, start), bisect_right(starts, end)
    columns = start - starts[first - 1], end - starts[last - 1]
    if columns[0] == 0 and (end == len(text) or text[end] == "\n"):
        return [path, first, last]
    return [path, first, columns[0], last, columns[1]]


# And back ----------------------------------------------------------------------------------------


def _filled(value: Any, text: Any) -> Any:
    """Return a value of `pointed` with what `text` returns for each copy."""
    match value:
        case {"copy": list(copy), **rest} if not rest:
            return text(copy)
        case {"pieces": list(pieces), **rest} if not rest:
            return "".join(_filled(one, text) for one in pieces)
        case list():
            return [_filled(one, text) for one in value]
        case dict():
            return {key: _filled(one, text) for key, one in value.items()}
    return value


def _text(copy: list[Any], tree: Tree) -> str:
    path, numbers = copy[0], copy[1:]
    if path not in tree:
        raise LookupError(f"there is no text {path}")
    lines = tree[path].split("\n")
    first, last = numbers[0], numbers[len(numbers) // 2]
    if not 1 <= first <= last <= len(lines):
        raise LookupError(f"{path} has no lines {first} to {last}")
    taken = lines[first - 1 : last]
    if len(numbers) == 4:
        taken[-1] = taken[-1][: numbers[3]]
        taken[0] = taken[0][numbers[1] :]
    return "\n".join(taken)
