"""What one use means by what stands before its dot: a member of the class that this is of.

By what lines say of the receiver (`self`, an annotation, a constructor), through what the class
extends; of a bare name, by the file, its imports and its package. () wherever that says nothing or
more than one thing.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from reviewer.context.kinship import Look, class_around, classes_at
from reviewer.context.kinship import meant as files_meant
from reviewer.context.links import Links, Source
from reviewer.context.target import last_part
from reviewer.context.values import Certainty, Defined
from reviewer.parsing.hints import made_by
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, Use

MAX_STEPS = 4
"""From a class to what it extends."""

MAX_FIELDS = 3
"""Fields of fields before the last dot."""

_GIVEN = re.compile(r"=\s?(\w+)$")
_BEYOND = frozenset({"super", "super()", "parent"})
_SELF = frozenset({"self", "cls", "this", "$this", "Self"})

Beside = Callable[[Source, str], Sequence[Source]]
"""Gives the other files of a file's package that have a name."""

_Class = tuple[Source, Definition]


class Receivers:
    """Follows receivers to definitions in one tree."""

    def __init__(self, look: Look, links: Links, beside: Beside) -> None:
        self._look = look
        self._links = links
        self._beside = beside

    def meant(self, source: Source, use: Use) -> tuple[Defined, ...]:
        """Return what a use in a file means."""
        receiver = use.receiver.rstrip("?!")
        if receiver in ("", "new"):
            found, sure, why = self._bare(source, use), Certainty.EXACT, "in the same package"
        elif receiver in _SELF or receiver in _BEYOND:
            around = class_around(source, use.scope)
            own = [] if around is None else [(source, each) for each in classes_at(source, around)]
            # Go, Rust and C++ define methods of a class that is in another file.
            found = self._members(own or self._named(source, around or ""), use.name, receiver)
            sure, why = Certainty.EXACT, "in the same class"
        else:
            classes = self._received(source, receiver, use.scope, use.line)
            found = self._members(_once(classes), use.name, receiver)
            sure, why = Certainty.LIKELY, "the receiver is of that class"
        return tuple(Defined(where.path, each, sure, why) for where, each in _once(found))

    def _received(
        self, source: Source, receiver: str, scope: str, line: int, steps: int = MAX_FIELDS
    ) -> list[_Class]:
        """Return the classes that a receiver is of, at that place of a file."""
        types = source.types(receiver, scope, line)
        if found := [each for name in types for each in self._classes(source, name)]:
            return found
        first, _, field = receiver.rpartition(".")
        if not first or not steps:
            return []
        if first in _SELF:
            around = class_around(source, scope)
            owners = self._named(source, around) if around else []
        else:
            owners = self._received(source, first, scope, line, steps - 1)
        return [
            each
            for where, member in self._members(_once(owners), field, first)
            for type_ in _types(where, member)
            for each in self._classes(where, type_)
        ]

    def _bare(self, source: Source, use: Use) -> list[_Class]:
        own = [each for each in source.packed.named(use.name) if source.is_outer(each)]
        if own:
            return [(source, each) for each in own]
        return [
            (other, each)
            for other in self._beside(source, use.name)
            for each in other.packed.named(use.name)
            if other.is_outer(each)
        ]

    def _members(self, classes: Sequence[_Class], name: str, receiver: str) -> list[_Class]:
        """Return the members of that name of the first classes, on the way up, that have any."""
        step = list(classes)
        seen: set[tuple[str, str]] = set()
        for distance in range(MAX_STEPS + 1):
            found = [
                (where, member)
                for source, each in step
                for where in (source, *self._beside(source, name))
                for member in where.at(f"{path_of(each)}.{name}")
            ]
            if found and (distance or receiver not in _BEYOND):
                return found
            seen |= {(source.path, path_of(each)) for source, each in step}
            above = (
                one
                for source, each in step
                for base in each.bases
                for one in self._named(source, base)
            )
            step = [one for one in above if (one[0].path, path_of(one[1])) not in seen]
        return []

    def _classes(self, source: Source, type_: str) -> list[_Class]:
        """Return the classes that a type, or what makes one, speaks of in a file."""
        return self._named(source, type_) or self._named(source, made_by(type_))

    def _named(self, source: Source, name: str) -> list[_Class]:
        simple, receiver = last_part(name), name.rpartition(".")[0]
        if own := classes_at(source, name) or classes_at(source, simple):
            return [(source, each) for each in own]
        homes: set[tuple[str, str]] = set()
        for origin in source.origins(receiver or simple):
            if receiver:
                homes |= self._links.homes(files_meant(origin), simple)
            else:
                homes |= self._links.reach(origin, simple)
        if homes:
            return list(self._at(sorted(homes)))
        beside = () if receiver else self._beside(source, simple)
        return [(other, each) for other in beside for each in classes_at(other, simple)]

    def _at(self, homes: Sequence[tuple[str, str]]) -> Iterator[_Class]:
        for path, name in homes:
            if (other := self._look(path)) is not None:
                for each in classes_at(other, name):
                    yield other, each


def _types(source: Source, field: Definition) -> list[str]:
    """Return what lines say that a field is of, or the parameter that it is set to."""
    own = [row for row in source.packed.hints_on(field.name) if row[2] == field.start]
    if not own and (given := _GIVEN.search(field.signature)):
        rows = source.packed.hints_on(given[1])
        own = [row for row in rows if row[3].rpartition(".")[0] == field.scope]
    return list(dict.fromkeys(row[1] for row in own))


def _once(found: Sequence[_Class]) -> list[_Class]:
    return list(
        {(where.path, each.start, path_of(each)): (where, each) for where, each in found}.values()
    )
