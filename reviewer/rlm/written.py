"""A value from the sandbox as text, without writing more of it than is wanted.

A value may be small and its `repr` without end: a list that holds another one twice, forty times
over, takes a kilobyte of memory and more paper than there is.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_monty import MontyClassProxy

MAX_DEPTH = 100
"""Levels of nesting that are written; Python's own stack ends at about a thousand."""

MAX_BITS = 10_000
"""Of a number that is written out; Python refuses beyond 4,300 digits, about 14,000 bits."""

_DEEP = "..."
"""What stands for a value below MAX_DEPTH; only there is a piece of no other value like it."""

_PLAIN = (bool, float, complex, type(None), type(...))


@dataclass(frozen=True, slots=True)
class Written:
    """The beginning of a value as Python writes it; `whole` if nothing is missing."""

    text: str
    whole: bool


def written(value: object, limit: int) -> Written:
    """Return at most `limit` characters of a value, in time and memory that follow the limit."""
    pieces: list[str] = []
    left, whole = limit, True
    for piece in _pieces(value, limit, 0):
        whole = whole and piece != _DEEP
        if len(piece) > left:
            return Written("".join(pieces) + piece[:left], whole=False)
        pieces.append(piece)
        left -= len(piece)
    return Written("".join(pieces), whole)


def _pieces(value: object, limit: int, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        yield _DEEP
        return
    match value:
        case str() | bytes():
            # The mark that is longer than the limit tells the reader of pieces that it is not all.
            yield repr(value[:limit]) + ("…" if len(value) > limit else "")
        case _ if isinstance(value, _PLAIN):
            yield repr(value)
        case int():
            bits = value.bit_length()
            yield repr(value) if bits <= MAX_BITS else f"<an integer of {bits} bits>"
        case dict():
            yield from _items(value, "{|: |}", limit, depth)
        case list():
            yield from _between("[", value, "]", limit, depth)
        case tuple():
            yield from _between("(", value, ",)" if len(value) == 1 else ")", limit, depth)
        case set() | frozenset():
            yield from _between("{", value, "}", limit, depth) if value else ("set()",)
        case MontyClassProxy():
            attributes = {_Bare(name): one for name, one in value.attributes.items()}
            yield from _items(attributes, f"{value.name}(|=|)", limit, depth)
        case BaseException():
            yield type(value).__name__
            yield from _between("(", value.args, ")", limit, depth)
        case _:  # a name, a date: nothing that holds values of the code's choice
            yield repr(value)


def _between(
    opens: str, values: Iterable[object], closes: str, limit: int, depth: int
) -> Iterator[str]:
    yield opens
    for at, one in enumerate(values):
        if at:
            yield ", "
        yield from _pieces(one, limit, depth + 1)
    yield closes


def _items(values: Mapping[Any, object], marks: str, limit: int, depth: int) -> Iterator[str]:
    """Yield names and values; `marks`: what opens, what stands between the two, what closes."""
    opens, sign, closes = marks.split("|")
    yield opens
    for at, (key, one) in enumerate(values.items()):
        if at:
            yield ", "
        yield from _pieces(key, limit, depth + 1)
        yield sign
        yield from _pieces(one, limit, depth + 1)
    yield closes


class _Bare:
    """A name that is written without quotes."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name
