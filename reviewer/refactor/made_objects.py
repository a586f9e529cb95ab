"""Of which class the object before a dot certainly is, where one file of Python says so by itself.

It is made there (`Class(...).member`), or in the one binding that its variable has in the scope, or
it is a parameter or a variable that is annotated with the class and bound nowhere else. Pure.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from itertools import islice

from reviewer.detectors.contracts.views import View
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, DefKind, Use, UseKind

MAX_CALL_BYTES = 5_000
"""Of the arguments of a call, whose other bracket is looked for."""

MAX_CLOSES = 100
"""Of its brackets: each is followed back."""

_OTHERWISE = (
    rb"\b(?:global|nonlocal)\b[^\n]*\b%b\b",
    rb"(?<![\w.])%b\s*[^\s\w=!<>(){}\[\],.:;]{1,2}=",
    rb"\b(?:isinstance|issubclass|type|setattr|cast)\s*\(\s*%b\b",
    rb"\bcase\b[^\n]*\bas[ \t]+%b\b",
    rb"\bmatch[ \t]+%b\b",
)
"""Bindings that are no assignment of one object, and tests of its class, of a name."""

_FUNCTIONS = (DefKind.FUNCTION, DefKind.METHOD)
_END = re.compile(rb"[ \t]*(?:[;\r\n]|\Z)")
_PAIRS = {b")": b"(", b"]": b"[", b"}": b"{"}


class MadeObjects:
    """Answers for one file."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._otherwise: dict[str, bool] = {}

    def made_by(self, use: Use) -> tuple[Use, ...]:
        """Return the uses of names one of which says of which class a member is asked of.

        That is what is called to make it, then what it is annotated with; whether these are classes
        is not looked at. () where anything else may be the object.
        """
        found: tuple[Use | None, ...]
        if not use.receiver.isidentifier():
            found = (self._called_before(self._view.offset(use.line, use.column)),)
        elif (
            use.receiver in ("self", "cls")
            or use.receiver in self._view.locals
            or self._is_bound_otherwise(use.receiver)
        ):
            found = ()
        else:
            found = self._bound(use, use.receiver)
        return tuple(each for each in found if each is not None)

    def _bound(self, use: Use, name: str) -> tuple[Use | None, ...]:
        view, lines = self._view, self._view.bound_lines(name)
        for function in self._around(use):
            path = path_of(function)
            mine = [line for line in lines if function.start <= line <= function.end]
            given = any(each.name == name for each in function.parameters or ())
            if view.members(path, name) or (given and len(mine) != 1):
                return ()
            if not mine:
                continue
            if len(mine) > 1 or self._in_another(mine[0], path):
                return ()
            made = None if given else self._assigned(name, mine[0])
            return made, self._annotated(name, mine[0])
        tops = view.members("", name)
        if len(tops) != 1 or tops[0].kind is not DefKind.CONSTANT:
            return ()
        scopes = _scopes(use.scope)
        inner = any(each.scope in scopes for each in view.by_name[name])
        if inner or any(not view.inside(line) for line in lines):
            return ()
        return self._assigned(name, tops[0].start), self._annotated(name, tops[0].start)

    def _is_bound_otherwise(self, name: str) -> bool:
        """May a name be another object's, or one of a narrower class, anywhere in the file?"""
        if name not in self._otherwise:
            word = re.escape(name.encode())
            self._otherwise[name] = any(
                re.search(each % word, self._view.masked) for each in _OTHERWISE
            )
        return self._otherwise[name]

    def _around(self, use: Use) -> Iterator[Definition]:
        """Give the functions that a use is inside of, the innermost first."""
        for scope in _scopes(use.scope):
            for each in self._view.by_path.get(scope, ()):
                if each.kind in _FUNCTIONS and each.start <= use.line <= each.end:
                    yield each

    def _in_another(self, line: int, path: str) -> bool:
        """Is a line in a function, or a class, within the one of that path?"""
        return any(
            each.scope == path or each.scope.startswith(f"{path}.")
            for each in self._view.what.definitions
            if each.kind in (*_FUNCTIONS, DefKind.CLASS) and each.start <= line <= each.end
        )

    def _annotated(self, name: str, line: int) -> Use | None:
        start, end = self._view.offset(line, 0), self._view.offset(line + 1, 0)
        typed = re.compile(
            rb"(?<![\w.*])%b[ \t]*:[ \t]*(?:\w+\.)*(\w+)[ \t]*(?=[,)=;\r\n]|\Z)"
            % re.escape(name.encode())
        )
        text = self._view.masked
        found = typed.search(text, start, end if end > start else len(text))
        return self._types.get(found.start(1)) if found else None

    def _assigned(self, name: str, line: int) -> Use | None:
        text = self._view.masked
        made = re.compile(
            rb"[ \t]*%b[ \t]*(?::[^=\n]*)?=[ \t]*(?:\w+\.)*(\w+)\(" % re.escape(name.encode())
        )
        found = made.match(text, self._view.offset(line, 0))
        if found is None:
            return None
        use = self._calls.get(found.end(1))
        # Backwards from each bracket that ends a line: the one that closes this call.
        closes = re.finditer(rb"\)", text[found.end() : found.end() + MAX_CALL_BYTES])
        for close in islice(closes, MAX_CLOSES):
            at = found.end() + close.start()
            if self._opened(at) == found.end() - 1:
                return use if _END.match(text, at + 1) else None
        return None

    def _called_before(self, at: int) -> Use | None:
        """Return the call that stands before the dot before a place."""
        text = self._view.masked
        if text[max(0, at - 2) : at] != b").":
            return None
        start = self._opened(at - 2)
        return self._calls.get(start) if start is not None else None

    def _opened(self, at: int) -> int | None:
        """Return where the bracket was opened that is closed at a place."""
        text, waiting = self._view.masked, []
        for place in range(at, max(-1, at - MAX_CALL_BYTES), -1):
            sign = text[place : place + 1]
            if sign in _PAIRS:
                waiting.append(_PAIRS[sign])
            elif sign in b"([{" and (not waiting or waiting.pop() != sign):
                return None
            if not waiting:
                return place
        return None

    @cached_property
    def _calls(self) -> dict[int, Use]:
        """The calls of names, by the byte behind the name."""
        return {
            self._view.offset(each.line, each.column) + len(each.name.encode()): each
            for each in self._view.what.uses
            if each.kind is UseKind.CALL
        }

    @cached_property
    def _types(self) -> dict[int, Use]:
        """The names in annotations, by their first byte."""
        return {
            self._view.offset(each.line, each.column): each
            for each in self._view.what.uses
            if each.kind is UseKind.TYPE
        }


def _scopes(scope: str) -> list[str]:
    """Return a dotted path and all that it lies in, the innermost first; without the top."""
    found = []
    while scope:
        found.append(scope)
        scope = scope.rpartition(".")[0]
    return found
