"""Code that lists members of an enum to which added lines give a new one, and not that one.

What matches, switches or maps over the others may have to know the new one. An enum is what its
language calls one, or extends one; in Go it is a run of constants, one a line.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from reviewer.change import Span
from reviewer.context.values import Certainty, Context, Used
from reviewer.errors import GiveUp
from reviewer.languages import Language, is_test, language_of
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, DefKind
from reviewer.review.scope import added_lines

MEMBERS = 3
"""Enums of one part that are asked for, each for its first new member."""

SIBLINGS = 3
"""Members before and after the new one that are asked for; code that has two lists them."""

FETCHED = 60
_BASES = re.compile(r"(?:Enum|Flag|Choices)\Z")
_ENUM = re.compile(r"\benum\b")

Listing = tuple[str, Definition, list[Used]]
"""The file and the definition of a new member, and the first line of each place."""


def listings(spans: Sequence[Span], context: Context) -> list[Listing]:
    """Return the new members that have siblings, and the places that list these without them."""
    found = []
    for path, new, siblings in islice(_new(spans, context), MEMBERS):
        try:
            if places := _places(path, new, siblings, context):
                found.append((path, new, places))
        except GiveUp:
            continue
    return found


def _new(
    spans: Sequence[Span], context: Context
) -> Iterator[tuple[str, Definition, list[Definition]]]:
    for path, added in added_lines(spans).items():
        if is_test(path):
            continue
        try:
            definitions = context.extraction(path).what.definitions
        except GiveUp:
            continue
        seen: set[tuple[str, int]] = set()
        for members in _enums(path, definitions):
            old = [each for each in members if each.start not in added]
            new = [each for each in members if each.start in added]
            key = (members[0].scope, members[0].start)
            if len(old) > 1 and new and key not in seen:
                seen.add(key)
                near = sorted(old, key=lambda each: abs(each.start - new[0].start))
                yield path, new[0], near[:SIBLINGS]


def _enums(path: str, definitions: Sequence[Definition]) -> Iterator[list[Definition]]:
    constants = [each for each in definitions if each.kind is DefKind.CONSTANT]
    for each in definitions:
        bases = any(_BASES.search(base) for base in each.bases)
        if each.kind is DefKind.CLASS and (bases or _ENUM.search(each.signature)):
            members = [one for one in constants if one.scope == path_of(each)]
            if members:
                yield members
    if language_of(path) is Language.GO:
        run: list[Definition] = []
        for one in constants:
            if one.scope:
                continue
            if run and one.start != run[-1].start + 1:
                yield run
                run = []
            run.append(one)
        if run:
            yield run


def _places(
    path: str, new: Definition, siblings: Sequence[Definition], context: Context
) -> list[Used]:
    known = {(use.path, use.use.scope) for use in _uses(path, new, context)}
    held: dict[tuple[str, str], dict[str, Used]] = {}
    for each in siblings:
        for use in _uses(path, each, context):
            place = (use.path, use.use.scope)
            if place not in known and not is_test(use.path):
                held.setdefault(place, {}).setdefault(each.name, use)
    return [
        min(of_it.values(), key=lambda use: use.use.line)
        for of_it in held.values()
        if len(of_it) > 1
    ]


def _uses(path: str, member: Definition, context: Context) -> list[Used]:
    """Return the uses of a member: a `case` may name it alone, and is no surer than its name."""
    case = re.compile(rf"\bcase\b.*\b{re.escape(member.name)}\b")
    answer = context.references(path_of(member), path, "head", FETCHED)
    return [
        use for use in answer.items if use.certainty is not Certainty.NAME or case.search(use.text)
    ]
