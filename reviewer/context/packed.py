"""An extraction as bytes from which one name's uses are read without reading the rest.

The strings of a file come first those that are used as names, by their CRC-32, which is looked for
by halving; uses lie in the order of their names. So a question about one name in 400 files reads
a few hundred bytes of each.
"""

import json
import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Any
from zlib import crc32

from reviewer.parsing.extract import definition_of
from reviewer.parsing.symbols import Definition, DefKind, Extraction, Hint, Import, Use, UseKind
from reviewer.text import decode, encode

_USE = struct.Struct("<IIIIHBB")  # line, column, scope, receiver, arguments, kind, flags
_HEAD = struct.Struct(
    "<BIIIIII"
)  # complete; counts of names, strings, uses; three lengths in bytes
_SPREAD, _KEYWORDS = 1, 2
_KINDS = tuple(UseKind)
_NUMBER = {kind.value: number for number, kind in enumerate(_KINDS)}
_MOST_ARGUMENTS = 0xFFFF


def pack(rows: Sequence[Any]) -> bytes:
    """Return the bytes of what `reviewer.parsing.extract.rows` says of a file."""
    complete, strings, definitions, imports, uses, hints = rows
    names = _in_order({row[0] for row in uses}, strings)
    order = {old: new for new, old in enumerate(names)}
    rest = [old for old in range(len(strings)) if old not in order]
    order |= {old: new for new, old in enumerate(rest, len(names))}
    ordered = [encode(strings[old]) for old in chain(names, rest)]
    text = b"".join(ordered)
    by_name = sorted(uses, key=lambda row: order[row[0]])
    starts = array("I", [0] * (len(names) + 1))
    for row in by_name:
        starts[order[row[0]] + 1] += 1
    for at in range(len(names)):
        starts[at + 1] += starts[at]
    keywords: dict[str, list[str]] = {}
    packed = bytearray()
    for number, row in enumerate(by_name):
        _, kind, line, column, scope, receiver, *more = row
        count, named, spread = (*more, 0, [], False)[:3] if len(more) != 1 else (*more, [], False)
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
    ends = array("I", _sums(map(len, ordered)))
    numbers = array("I", (crc32(each) for each in ordered[: len(names)]))
    defined = json.dumps(definitions, separators=(",", ":")).encode()
    guessed = json.dumps(hints, separators=(",", ":")).encode()
    tail = json.dumps([imports, keywords], separators=(",", ":")).encode()
    head = _HEAD.pack(
        bool(complete),
        len(names),
        len(ordered),
        len(by_name),
        len(text),
        len(defined),
        len(guessed),
    )
    return b"".join(
        (
            head,
            b"\0" * (-len(head) % 4),
            numbers,
            starts,
            ends,
            packed,
            text,
            defined,
            guessed,
            tail,
        )
    )


def _in_order(names: set[int], strings: Sequence[str]) -> list[int]:
    return sorted(names, key=lambda old: (crc32(encode(strings[old])), old))


def _sums(lengths: Iterator[int]) -> Iterator[int]:
    total = 0
    for length in lengths:
        total += length
        yield total


class Packed:
    """Reads what `pack` wrote; raises ValueError or struct.error where that is no such thing."""

    def __init__(self, data: bytes) -> None:
        complete, names, strings, uses, text, defined, guessed = _HEAD.unpack_from(data)
        self.complete = bool(complete)
        self._data = data
        at = _HEAD.size + -_HEAD.size % 4
        view = memoryview(data)

        def numbers(count: int) -> memoryview:
            nonlocal at
            piece = view[at : at + 4 * count].cast("I")
            at += 4 * count
            return piece

        self._names, self._starts = numbers(names), numbers(names + 1)
        self._ends = numbers(strings)
        self._uses = at
        self._text = at + uses * _USE.size
        self._defined = self._text + text
        self._guessed = self._defined + defined
        self._tail = self._guessed + guessed
        if self._tail > len(data):
            raise ValueError("cut short")

    @property
    def size(self) -> int:
        """How many bytes it takes, about."""
        return len(self._data) + 500

    def uses(self, name: str) -> list[Use]:
        """Return the uses of a name, in the order of the file."""
        raw = encode(name)
        number = crc32(raw)
        at = bisect_left(self._names, number)
        while at < len(self._names) and self._names[at] == number:
            if self._raw(at) == raw:
                return [
                    self._use(row, name) for row in range(self._starts[at], self._starts[at + 1])
                ]
            at += 1
        return []

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """What the file defines."""
        return tuple(map(definition_of, json.loads(self._data[self._defined : self._guessed])))

    @cached_property
    def by_path(self) -> dict[str, list[Definition]]:
        """The definitions by their dotted paths in the file; several may share one."""
        found: dict[str, list[Definition]] = {}
        for each in self.definitions:
            found.setdefault(path_of(each), []).append(each)
        return found

    @cached_property
    def namespaces(self) -> frozenset[str]:
        """The scopes that are modules or namespaces: what is in them is at the top."""
        return frozenset(path_of(each) for each in self.definitions if each.kind is DefKind.MODULE)

    def defines(self, name: str) -> bool:
        """May the file define that name? False is certain."""
        return encode(json.dumps(name)) in self._data[self._defined : self._guessed]

    @property
    def imports(self) -> tuple[Import, ...]:
        """What the file imports."""
        return self._rest[0]

    @cached_property
    def hints(self) -> dict[str, list[Hint]]:
        """What its lines seem to say of the types of variables, by their names."""
        found: dict[str, list[Hint]] = {}
        for row in json.loads(self._data[self._guessed : self._tail]):
            found.setdefault(row[0], []).append(Hint(*row))
        return found

    def extraction(self) -> Extraction:
        """Return all of it."""
        uses = [
            self._use(row, decode(self._raw(at)))
            for at in range(len(self._names))
            for row in range(self._starts[at], self._starts[at + 1])
        ]
        uses.sort(key=lambda use: (use.line, use.column))
        hints = sorted(chain(*self.hints.values()), key=lambda hint: hint.line)
        return Extraction(self.definitions, tuple(uses), self.imports, tuple(hints), self.complete)

    @cached_property
    def _rest(self) -> tuple[tuple[Import, ...], dict[str, list[str]]]:
        imports, keywords = json.loads(self._data[self._tail :])
        return tuple(Import(*row) for row in imports), keywords

    def _raw(self, at: int) -> bytes:
        start = self._ends[at - 1] if at else 0
        return self._data[self._text + start : self._text + self._ends[at]]

    def _use(self, row: int, name: str) -> Use:
        at = self._uses + row * _USE.size
        line, column, scope, receiver, count, kind, flags = _USE.unpack_from(self._data, at)
        named = self._rest[1][str(row)] if flags & _KEYWORDS else ()
        return Use(
            name,
            _KINDS[kind],
            line,
            column,
            decode(self._raw(scope)),
            decode(self._raw(receiver)),
            count,
            tuple(named),
            bool(flags & _SPREAD),
        )


def path_of(definition: Definition) -> str:
    """Return the dotted path of a definition in its file."""
    return f"{definition.scope}.{definition.name}" if definition.scope else definition.name
