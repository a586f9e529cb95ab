"""Lines of documentation within code: beside a hunk they take the room of what decides about it."""

import re
from collections.abc import Sequence
from functools import lru_cache

from reviewer.languages import Language, language_of

_QUOTES = re.compile(r"""\s*[rRuU]?("{3}|'{3})""")
_HEAD = re.compile(r"\s*(?:(?:async\s+)?def\b|class\b|\)).*:\s*(?:#.*)?")
"""The last line of the head of a function or class."""


def documented(path: str, lines: Sequence[str]) -> frozenset[int]:
    """Return the numbers (from 1) of the lines below a head that are its docstring, of Python.

    A string that anything else is done with is code, as a query is.
    """
    if language_of(path) is not Language.PYTHON:
        return frozenset()
    return _docstrings(tuple(lines))


@lru_cache(maxsize=64)
def _docstrings(lines: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    at, headed = 0, False
    while at < len(lines):
        line = lines[at]
        opened = _QUOTES.match(line) if headed else None
        if opened is not None:
            end = _closed(lines, at, opened.end(), opened[1])
            found.update(range(at + 1, end + 2))
            at, headed = end + 1, False
            continue
        if line.strip():
            headed = _HEAD.fullmatch(line) is not None
        at += 1
    return frozenset(found)


def _closed(lines: Sequence[str], first: int, column: int, quotes: str) -> int:
    """Return the index of the line in which a string ends, of its first one where it never does."""
    if quotes in lines[first][column:]:
        return first
    return next((at for at in range(first + 1, len(lines)) if quotes in lines[at]), first)
