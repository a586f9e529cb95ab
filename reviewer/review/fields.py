"""Who assigns the fields that changed lines read or set: what a value may be is decided there.

A field is meant by what lines say of its receiver; where they do not say it, nothing is told.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from reviewer.change import Span
from reviewer.context.values import Certainty, Context, Defined, Used
from reviewer.errors import GiveUp
from reviewer.languages import is_test
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import DefKind, Use, UseKind
from reviewer.review.scope import added_lines

FIELDS = 8
"""Of one part that are asked for, those in source alone."""

ASKED = 24
"""Uses of fields that are followed to find so many."""

FETCHED = 60

LITERAL_LINES = 15
"""How far above `name: value` the type stands that it is given to."""

_USES = frozenset({UseKind.ATTRIBUTE, UseKind.WRITE})


def fields(spans: Sequence[Span], context: Context) -> list[Defined]:
    """Return the fields that added lines read or set, each once, in the order of the lines."""
    found: dict[tuple[str, str], Defined] = {}
    for path, use in islice(_used(spans, context), ASKED):
        try:
            meant = context.meant_by(use, path)
        except GiveUp:
            continue
        if len(meant) == 1 and _is_field(meant[0]):
            found.setdefault((meant[0].path, path_of(meant[0].definition)), meant[0])
    return list(found.values())[:FIELDS]


def _is_field(each: Defined) -> bool:
    return each.definition.kind is DefKind.CONSTANT and each.definition.scope != ""


def _used(spans: Sequence[Span], context: Context) -> Iterator[tuple[str, Use]]:
    for path, added in added_lines(spans).items():
        if is_test(path):
            continue
        try:
            what = context.extraction(path).what
        except GiveUp:
            continue
        seen: set[tuple[str, str, str]] = set()
        for use in what.uses:
            key = (use.receiver, use.name, use.scope)
            if use.kind in _USES and use.line in added and use.receiver and key not in seen:
                seen.add(key)
                yield path, use


def writers(field: Defined, context: Context) -> list[Used]:
    """Return the lines of source that assign a field, and of a type's literal that give it one."""
    of_it = field.definition
    try:
        answer = context.references(path_of(of_it), field.path, "head", FETCHED)
        return [
            each
            for each in answer.items
            if not is_test(each.path) and _writes(each, field, context)
        ]
    except GiveUp:
        return []


def _writes(each: Used, field: Defined, context: Context) -> bool:
    if each.use.kind is UseKind.KEYWORD:
        owner = field.definition.scope.rpartition(".")[2]
        made = (UseKind.TYPE, UseKind.CALL)
        return any(
            use.name == owner
            and use.kind in made
            and use.scope == each.use.scope
            and 0 <= each.use.line - use.line <= LITERAL_LINES
            for use in context.extraction(each.path).what.uses
        )
    return each.certainty is not Certainty.NAME and is_assigned(each.use, each.text)


def is_assigned(use: Use, text: str) -> bool:
    """Does a line assign the field that is used in it? By its text, for `x.n++` is a use only."""
    if use.kind is UseKind.WRITE:
        return True
    if use.kind is not UseKind.ATTRIBUTE:
        return False
    name = re.escape(use.name)
    return (
        re.search(rf"\b{name}\s*(?:(?:[-+*/%&|^]|<<|>>|\*\*|//|\?\?|\|\|)?=(?![=>])|\+\+|--)", text)
        is not None
    )
