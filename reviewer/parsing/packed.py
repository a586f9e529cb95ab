"""An extraction as bytes from which one name's uses are read without reading the rest.

A question about one name looks at a hundred files, and to read each of them whole takes a thousand
times as long as what is asked of it. So everything lies in rows, with one or two indexes of sorted
CRC-32 numbers over each kind: uses by name; definitions by their dotted path and by their name;
hints by the variable and by the class that they speak of.
"""

import json
import struct
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate, chain
from typing import Any
from zlib import crc32

from reviewer.parsing.extract import definition_of
from reviewer.parsing.hints import HintRow, made_by
from reviewer.parsing.symbols import Definition, DefKind, Extraction, Hint, Import, Use, UseKind
from reviewer.text import decode, encode

_USE = struct.Struct("<IIIIHBB")  # line, column, scope, receiver, arguments, kind, flags
_HINT = struct.Struct("<IIII")  # name, type, line, scope
_HEAD = struct.Struct("<BxxxIIIIIII")
"""Complete; counts of names, strings, uses, definitions, hints; bytes of strings and of rows."""

_SPREAD, _KEYWORDS = 1, 2
_KINDS = tuple(UseKind)
_NUMBER = {kind.value: number for number, kind in enumerate(_KINDS)}
_MOST_ARGUMENTS = 0xFFFF
_NUMBER_BYTES = 4


def pack(rows: Sequence[Any]) -> bytes:
    """Return the bytes of what `reviewer.parsing.extract.rows` says of a file."""
    complete, given, definitions, imports, uses, hints = rows
    numbered: dict[str, int] = {}
    for each in chain(given, *((name, made, scope) for name, made, _, scope in hints)):
        numbered.setdefault(each, len(numbered))
    strings = list(numbered)
    names = sorted({row[0] for row in uses}, key=lambda old: (crc32(encode(strings[old])), old))
    rest = set(range(len(strings))).difference(names)
    order = {old: new for new, old in enumerate(chain(names, sorted(rest)))}
    ordered = [encode(strings[old]) for old in order]
    packed, starts, keywords = _uses(uses, strings, order, len(names))
    spaces = [_joined(row[2], row[0]) for row in definitions if row[1] == DefKind.MODULE.value]
    written = [_json(row) for row in definitions]
    hinted = b"".join(
        _HINT.pack(order[numbered[name]], order[numbered[made]], line, order[numbered[scope]])
        for name, made, line, scope in hints
    )
    numbers = (
        array("I", (crc32(each) for each in ordered[: len(names)])),
        starts,
        _ends(ordered),
        _ends(written),
        _index(_joined(row[2], row[0]) for row in definitions),
        _index(row[0] for row in definitions),
        _index(row[0] for row in hints),
        _index(made_by(row[1]) for row in hints),
    )
    text, lines = b"".join(ordered), b"".join(written)
    head = _HEAD.pack(
        bool(complete),
        len(names),
        len(ordered),
        len(uses),
        len(definitions),
        len(hints),
        len(text),
        len(lines),
    )
    tail = _json([imports, keywords, spaces])
    return b"".join(
        (head, *(each.tobytes() for each in numbers), packed, hinted, text, lines, tail)
    )


def _uses(
    uses: Sequence[Any], strings: Sequence[str], order: dict[int, int], names: int
) -> tuple[bytes, "array[int]", dict[str, list[str]]]:
    """Return the uses in the order of their names, where each name's begin, and the keywords."""
    starts = array("I", [0] * (names + 1))
    keywords: dict[str, list[str]] = {}
    packed = bytearray()
    for number, row in enumerate(sorted(uses, key=lambda row: order[row[0]])):
        name, kind, line, column, scope, receiver, *more = row
        count = more[0] if more else 0
        named, spread = more[1:] if len(more) > 1 else ((), False)
        if named:
            keywords[str(number)] = [strings[each] for each in named]
        flags = (_SPREAD if spread else 0) | (_KEYWORDS if named else 0)
        packed += _USE.pack(
            line,
            column,
            order[scope],
            order[receiver],
            min(count, _MOST_ARGUMENTS),
            _NUMBER[strings[kind]],
            flags,
        )
        starts[order[name] + 1] += 1
    return bytes(packed), array("I", accumulate(starts)), keywords


def _ends(pieces: Iterable[bytes]) -> "array[int]":
    return array("I", accumulate(map(len, pieces)))


def _index(keys: Iterable[str]) -> "array[int]":
    """Return the sorted numbers of the keys, and after them the row of each."""
    pairs = sorted((crc32(encode(key)), row) for row, key in enumerate(keys))
    return array("I", chain((number for number, _ in pairs), (row for _, row in pairs)))


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class Packed:
    """Reads what `pack` wrote; raises ValueError where that is cut short or no such thing."""

    def __init__(self, data: bytes) -> None:
        if len(data) < _HEAD.size:
            raise ValueError("cut short")
        complete, names, strings, uses, definitions, hints, text, lines = _HEAD.unpack_from(data)
        self.complete = bool(complete)
        self._data = data
        self._texts: dict[int, str] = {}
        self._defined, self._hinted = definitions, hints
        view, at = memoryview(data), _HEAD.size

        def numbers(count: int) -> memoryview:
            nonlocal at
            if at + _NUMBER_BYTES * count > len(data):
                raise ValueError("cut short")
            piece = view[at : at + _NUMBER_BYTES * count].cast("I")
            at += _NUMBER_BYTES * count
            return piece

        self._names, self._starts, self._ends = numbers(names), numbers(names + 1), numbers(strings)
        self._row_ends = numbers(definitions)
        self._by_path, self._by_name = numbers(2 * definitions), numbers(2 * definitions)
        self._by_variable, self._by_class = numbers(2 * hints), numbers(2 * hints)
        self._uses = at
        self._hints = self._uses + uses * _USE.size
        self._text = self._hints + hints * _HINT.size
        self._lines = self._text + text
        self._tail = self._lines + lines
        if self._tail > len(data):
            raise ValueError("cut short")

    @property
    def size(self) -> int:
        """How many bytes it takes, about."""
        return len(self._data) + 1000

    def uses(self, name: str) -> list[Use]:
        """Return the uses of a name."""
        raw = encode(name)
        for at in _found(self._names, len(self._names), crc32(raw)):
            if self._string(at) == raw:
                return [self._use(row, name) for row in range(*self._starts[at : at + 2])]
        return []

    def at_path(self, path: str) -> list[Definition]:
        """Return what the file defines at a dotted path; several may share one."""
        return self._definitions(self._by_path, path, path_of)

    def named(self, name: str) -> list[Definition]:
        """Return what the file defines by that name, wherever in it."""
        return self._definitions(self._by_name, name, lambda each: each.name)

    def defines(self, name: str) -> bool:
        """Does the file define that name, wherever in it?"""
        return bool(self.named(name))

    def hints_on(self, variable: str) -> list[HintRow]:
        """Return what its lines seem to say of a variable's type, in their order."""
        rows = map(self._hint, self._rows(self._by_variable, self._hinted, variable))
        return [row for row in rows if row[0] == variable]

    def hints_of(self, owner: str) -> list[HintRow]:
        """Return the lines that seem to say of a variable that it is of that class."""
        rows = map(self._hint, self._rows(self._by_class, self._hinted, owner))
        return [row for row in rows if row[1].endswith(owner)]

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """All that the file defines, in its order."""
        return tuple(definition_of(self._row(row)) for row in range(self._defined))

    @property
    def imports(self) -> tuple[Import, ...]:
        """What the file imports."""
        return self._rest[0]

    @property
    def namespaces(self) -> frozenset[str]:
        """The scopes that are modules or namespaces: what is in them is at the top."""
        return self._rest[2]

    def extraction(self) -> Extraction:
        """Return all of it."""
        uses = [
            self._use(row, self._text_of(at))
            for at in range(len(self._names))
            for row in range(*self._starts[at : at + 2])
        ]
        uses.sort(key=lambda use: (use.line, use.column))
        return Extraction(
            self.definitions,
            tuple(uses),
            self.imports,
            tuple(Hint(*self._hint(row)) for row in range(self._hinted)),
            self.complete,
        )

    # Rows -----------------------------------------------------------------------------------------

    def _definitions(
        self, index: memoryview, key: str, of: Callable[[Definition], str]
    ) -> list[Definition]:
        found = (definition_of(self._row(row)) for row in self._rows(index, self._defined, key))
        return [each for each in found if of(each) == key]

    def _hint(self, row: int) -> HintRow:
        at = self._hints + row * _HINT.size
        name, made, line, scope = _HINT.unpack_from(self._data, at)
        return self._text_of(name), self._text_of(made), line, self._text_of(scope)

    @staticmethod
    def _rows(index: memoryview, count: int, key: str) -> list[int]:
        return [index[count + at] for at in _found(index, count, crc32(encode(key)))]

    def _row(self, number: int) -> Any:
        start = self._row_ends[number - 1] if number else 0
        raw = self._data[self._lines + start : self._lines + self._row_ends[number]]
        return json.loads(raw.decode("ascii"))

    @cached_property
    def _rest(self) -> tuple[tuple[Import, ...], dict[str, list[str]], frozenset[str]]:
        imports, keywords, spaces = json.loads(self._data[self._tail :])
        return tuple(Import(*row) for row in imports), keywords, frozenset(spaces)

    def _string(self, at: int) -> bytes:
        start = self._ends[at - 1] if at else 0
        return self._data[self._text + start : self._text + self._ends[at]]

    def _text_of(self, at: int) -> str:
        """Return one of the strings, always the same object: thousands of uses share a scope."""
        text = self._texts.get(at)
        if text is None:
            text = self._texts[at] = decode(self._string(at))
        return text

    def _use(self, row: int, name: str) -> Use:
        at = self._uses + row * _USE.size
        line, column, scope, receiver, count, kind, flags = _USE.unpack_from(self._data, at)
        return Use(
            name,
            _KINDS[kind],
            line,
            column,
            self._text_of(scope),
            self._text_of(receiver),
            count,
            tuple(self._rest[1][str(row)]) if flags & _KEYWORDS else (),
            bool(flags & _SPREAD),
        )


def _found(index: memoryview, count: int, number: int) -> Iterator[int]:
    """Yield where a number stands among the first `count`, which are sorted."""
    at = bisect_left(index, number, 0, count)
    while at < count and index[at] == number:
        yield at
        at += 1


def path_of(definition: Definition) -> str:
    """Return the dotted path of a definition in its file."""
    return _joined(definition.scope, definition.name)


def _joined(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name
