"""What two extractions of changed files say differently: names that went, came, moved or changed.

Pure, and by names and signatures alone. A name with several definitions in one scope (overloads, a
property and its setter) is one thing that is compared as a whole. What is local to a function is
nobody else's business and is left out.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum

from reviewer.parsing.symbols import (
    MAX_SIGNATURE_CHARS,
    Definition,
    DefKind,
    Extraction,
    Parameter,
    Use,
)

_PATTERNS = ("{", "[")
"""What the text of a parameter begins with that is taken apart (JavaScript)."""

MIN_BODY_USES = 3
"""A body of fewer uses is too common to say that two names are one thing renamed."""


class Fate(StrEnum):
    """What became of a name."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"  # the same name, in another file or scope
    RENAMED = "renamed"  # the same body under another name
    CHANGED = "changed"


class Aspect(StrEnum):
    """What of a definition is different."""

    PARAMETER_ADDED = "parameter added"
    PARAMETER_REMOVED = "parameter removed"
    PARAMETER_RENAMED = "parameter renamed"
    PARAMETER_REQUIRED = "parameter became required"
    PARAMETER_OPTIONAL = "parameter became optional"
    PARAMETER_HOW = "parameter is passed differently"
    PARAMETER_ORDER = "parameters reordered"
    RETURNS = "returns"
    SIGNATURE = "signature"  # a type, a modifier: what the other aspects do not name
    DECLARATION = "declaration"  # of a constant: its type or its value
    KIND = "kind"
    EXPORTED = "exported"
    BASES = "bases"
    DECORATORS = "decorators"
    OVERLOAD_ADDED = "overload added"
    OVERLOAD_REMOVED = "overload removed"


@dataclass(frozen=True, slots=True)
class Detail:
    """One aspect, before and after as texts; "" where there is none."""

    aspect: Aspect
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Ends:
    """A changed file at both ends. A path is None where the file is absent at that end.

    An extraction is None where the file is absent, or where nothing is known of it.
    """

    old_path: str | None
    new_path: str | None
    base: Extraction | None
    head: Extraction | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of one name. Paths and dotted names are "" at an end where there is none.

    `implied`: something around it met the same fate, so that it says nothing of its own.
    """

    fate: Fate
    old_path: str
    old_name: str
    new_path: str
    new_name: str
    before: tuple[Definition, ...]
    after: tuple[Definition, ...]
    details: tuple[Detail, ...] = ()
    implied: bool = False


def differences(files: Sequence[Ends]) -> tuple[Difference, ...]:
    """Return what became of every name that files of a change define, in order of path and name.

    A file that was not read at an end where it exists says nothing; one that was read in part
    says nothing about names that only the other end has.
    """
    changed: list[Difference] = []
    gone: list[_Thing] = []
    come: list[_Thing] = []
    for file in files:
        if (file.base is None) != (file.old_path is None):
            continue
        if (file.head is None) != (file.new_path is None):
            continue
        before, after = _things(file.old_path, file.base), _things(file.new_path, file.head)
        for name in before.keys() & after.keys():
            details = compare(before[name].definitions, after[name].definitions)
            if details:
                changed.append(_difference(Fate.CHANGED, before[name], after[name], details))
        if file.head is None or file.head.complete:
            gone += _with_bodies(before, before.keys() - after.keys(), file.base)
        if file.base is None or file.base.complete:
            come += _with_bodies(after, after.keys() - before.keys(), file.head)
    found = [*changed, *_paired(gone, come)]
    return tuple(sorted(_marked(found), key=_place))


def compare(before: Sequence[Definition], after: Sequence[Definition]) -> tuple[Detail, ...]:
    """Return what is different between the definitions that a name has and those that it had."""
    if len(before) == len(after) == 1:
        return tuple(_compared(before[0], after[0]))
    same = {each.signature for each in before} & {each.signature for each in after}
    old = [each for each in before if each.signature not in same]
    new = [each for each in after if each.signature not in same]
    if len(old) == len(new):
        pairs = zip(old, new, strict=True)
        return tuple(detail for one, other in pairs for detail in _compared(one, other))
    return (
        *(Detail(Aspect.OVERLOAD_REMOVED, each.signature, "") for each in old),
        *(Detail(Aspect.OVERLOAD_ADDED, "", each.signature) for each in new),
    )


def dotted(definition: Definition) -> str:
    """Return a definition's name with the scopes around it."""
    return f"{definition.scope}.{definition.name}" if definition.scope else definition.name


# One pair of definitions -------------------------------------------------------------------------


def _compared(before: Definition, after: Definition) -> Iterator[Detail]:
    if before.kind is not after.kind:
        yield Detail(Aspect.KIND, before.kind, after.kind)
        return
    if before.exported != after.exported:
        yield Detail(Aspect.EXPORTED, _yes(before.exported), _yes(after.exported))
    if before.bases != after.bases:
        yield Detail(Aspect.BASES, ", ".join(before.bases), ", ".join(after.bases))
    if before.decorators != after.decorators:
        yield Detail(Aspect.DECORATORS, ", ".join(before.decorators), ", ".join(after.decorators))
    parameters = list(_parameters(before.parameters or (), after.parameters or ()))
    yield from parameters
    yield from _text(before, after, explained=bool(parameters))


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _parameters(before: Sequence[Parameter], after: Sequence[Parameter]) -> Iterator[Detail]:
    after = _as_before(before, after)
    old, new = {each.name: each for each in before}, {each.name: each for each in after}
    renamed = dict(_renamed(before, after))
    for name, each in old.items():
        if name in renamed:
            yield Detail(Aspect.PARAMETER_RENAMED, name, renamed[name])
        elif name not in new:
            yield Detail(Aspect.PARAMETER_REMOVED, _shown(each), "")
        else:
            yield from _passing(each, new[name])
    arrived = set(renamed.values())
    # What took any keyword took this one, too: callers may pass it already.
    rest = next((f"taken by **{each.name}" for each in before if each.how == "**kwargs"), "")
    for name, each in new.items():
        if name not in old and name not in arrived:
            taken = rest if each.how in ("both", "keyword") else ""
            yield Detail(Aspect.PARAMETER_ADDED, taken, _shown(each))
    order_before = [name for name in old if name in new and _by_place(old[name], new[name])]
    order_after = [name for name in new if name in old and _by_place(old[name], new[name])]
    if order_before != order_after:
        yield Detail(Aspect.PARAMETER_ORDER, ", ".join(order_before), ", ".join(order_after))


def _as_before(before: Sequence[Parameter], after: Sequence[Parameter]) -> list[Parameter]:
    """Return parameters with what is taken apart named as it was: a pattern is what a function does
    with an argument, and its caller's no more than the name that is not there.
    """
    named = list(after)
    for at, (one, other) in enumerate(zip(before, after, strict=False)):
        if one.name[:1] in _PATTERNS and other.name[:1] in _PATTERNS:
            named[at] = replace(other, name=one.name)
    return named


def _renamed(before: Sequence[Parameter], after: Sequence[Parameter]) -> Iterator[tuple[str, str]]:
    """Yield parameters that only changed their names: as many as before, and at the same place."""
    if len(before) != len(after):
        return
    old, new = {each.name for each in before}, {each.name for each in after}
    for one, other in zip(before, after, strict=True):
        alike = (one.how, one.required) == (other.how, other.required)
        if alike and one.name not in new and other.name not in old:
            yield one.name, other.name


def _passing(before: Parameter, after: Parameter) -> Iterator[Detail]:
    if before.how != after.how:
        yield Detail(Aspect.PARAMETER_HOW, _shown(before), _shown(after))
    if before.required and not after.required:
        yield Detail(Aspect.PARAMETER_OPTIONAL, before.name, after.name)
    elif after.required and not before.required:
        yield Detail(Aspect.PARAMETER_REQUIRED, before.name, after.name)


def _by_place(before: Parameter, after: Parameter) -> bool:
    return before.how in ("both", "positional") and after.how in ("both", "positional")


def _shown(parameter: Parameter) -> str:
    return f"{parameter.name} ({parameter.how}, {'required' if parameter.required else 'optional'})"


def _text(before: Definition, after: Definition, *, explained: bool) -> Iterator[Detail]:
    """Compare what stands around and in the parameters, where it was not cut."""
    one, other = _normal(before.signature), _normal(after.signature)
    if before.kind is DefKind.CONSTANT and after.kind is DefKind.CONSTANT:
        if one != other:
            yield Detail(Aspect.DECLARATION, before.signature, after.signature)
        return
    if one == other or max(len(before.signature), len(after.signature)) >= MAX_SIGNATURE_CHARS:
        return
    if before.parameters is None or after.parameters is None:
        told = before.bases != after.bases or before.exported != after.exported
        if not told and before.name == after.name:
            yield Detail(Aspect.SIGNATURE, before.signature, after.signature)
        return
    front, inner, back = _around(before)
    front_after, inner_after, back_after = _around(after)
    if back != back_after:
        yield Detail(Aspect.RETURNS, back, back_after)
    elif (front != front_after and before.exported == after.exported) or (
        inner != inner_after and not explained
    ):
        yield Detail(Aspect.SIGNATURE, before.signature, after.signature)


def _normal(signature: str) -> str:
    """Return a signature without the blanks and last comma that a formatter moves."""
    text = re.sub(r" (?!\w)|(?<!\w) ", "", re.sub(r"\s+", " ", signature))
    return re.sub(r",(?=[)\]}])", "", text)


def _around(definition: Definition) -> tuple[str, str, str]:
    """Return what a signature has before its parameters (without the name), in them and behind."""
    text, name = _normal(definition.signature), definition.name
    at = _word(text, name)
    opening = text.find("(", at + len(name)) if at >= 0 else -1
    if opening < 0:
        return text.replace(name, "", 1), "", ""
    depth = 1
    for end in range(opening + 1, len(text)):
        depth += (text[end] in "([{") - (text[end] in ")]}")
        if depth == 0:
            return text[:at], text[opening + 1 : end], text[end + 1 :]
    return text[:at], text[opening + 1 :], ""


def _word(text: str, word: str) -> int:
    """Return where a word stands in a text by itself, -1 if nowhere."""
    at = text.find(word)
    while at >= 0:
        around = text[at - 1 : at] + text[at + len(word) : at + len(word) + 1]
        if not any(each == "_" or each.isalnum() for each in around):
            return at
        at = text.find(word, at + 1)
    return -1


# Names that went and names that came -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Thing:
    """A dotted name of one file at one end, and all its definitions there."""

    path: str
    name: str
    definitions: tuple[Definition, ...]
    member: bool  # of a class
    body: int | None = None  # a digest of what is used in it, None for too little

    @property
    def last(self) -> str:
        return self.definitions[0].name

    @property
    def kind(self) -> DefKind:
        return self.definitions[0].kind


def _things(path: str | None, extraction: Extraction | None) -> dict[str, _Thing]:
    if path is None or extraction is None:
        return {}
    groups: defaultdict[str, list[Definition]] = defaultdict(list)
    functions: set[str] = set()
    classes: set[str] = set()
    for each in extraction.definitions:
        if each.kind in (DefKind.FUNCTION, DefKind.METHOD):
            functions.add(dotted(each))
        elif each.kind is DefKind.CLASS:
            classes.add(dotted(each))
        groups[dotted(each)].append(each)
    return {
        name: _Thing(path, name, tuple(group), group[0].scope in classes)
        for name, group in groups.items()
        if not _within(name, functions)
    }


def _with_bodies(
    things: Mapping[str, _Thing], names: Set[str], extraction: Extraction | None
) -> list[_Thing]:
    """Return the things of those names, in their order, with digests of their bodies."""
    if not names or extraction is None:
        return []
    uses = sorted(extraction.uses, key=lambda use: (use.line, use.column))
    lines = [use.line for use in uses]
    return [
        replace(things[name], body=_body(things[name].definitions, uses, lines))
        for name in sorted(names)
    ]


def _within(name: str, outer: set[str]) -> bool:
    """Is one of the scopes around a dotted name among those?"""
    at = name.rfind(".")
    while at > 0:
        if name[:at] in outer:
            return True
        at = name.rfind(".", 0, at)
    return False


def _body(group: Sequence[Definition], uses: Sequence[Use], lines: Sequence[int]) -> int | None:
    if group[0].kind in (DefKind.CONSTANT, DefKind.TYPE, DefKind.MODULE):
        return None
    own = group[0].name
    held = []
    for each in group:
        for use in uses[bisect_left(lines, each.start) : bisect_left(lines, each.end + 1)]:
            if use.name != own:
                held.append((use.kind, use.name, use.receiver, use.arguments, use.keywords))
    return hash(tuple(held)) if len(held) >= MIN_BODY_USES else None


def _paired(gone: Sequence[_Thing], come: Sequence[_Thing]) -> Iterator[Difference]:
    """Tell what moved and what was renamed from what really went and came."""
    left, right = dict.fromkeys(gone), dict.fromkeys(come)
    for fate, key in (
        (Fate.MOVED, _same_name_and_body),
        (Fate.MOVED, _same_name_and_signature),
        (Fate.RENAMED, _same_place_and_body),
        (Fate.RENAMED, _same_body),
    ):
        olds, news = _by(key, left), _by(key, right)
        for value, old in olds.items():
            new = news.get(value)
            if value is None or old is None or new is None:
                continue
            del left[old], right[new]
            yield _difference(fate, old, new, compare(old.definitions, new.definitions))
    for old in left:
        yield Difference(Fate.REMOVED, old.path, old.name, "", "", old.definitions, ())
    for new in right:
        yield Difference(Fate.ADDED, "", "", new.path, new.name, (), new.definitions)


def _same_name_and_body(thing: _Thing) -> object:
    return None if thing.body is None else (thing.last, thing.kind, thing.body)


def _same_name_and_signature(thing: _Thing) -> object:
    signatures = tuple(each.signature for each in thing.definitions)
    # `__init__(self)` of one class is not that of another.
    return thing.name if thing.member else thing.last, thing.kind, signatures


def _same_place_and_body(thing: _Thing) -> object:
    scope = thing.definitions[0].scope
    return None if thing.body is None else (thing.path, scope, thing.kind, thing.body)


def _same_body(thing: _Thing) -> object:
    return None if thing.body is None else (thing.kind, thing.body)


def _by(key: Callable[[_Thing], object], things: Iterable[_Thing]) -> dict[object, _Thing | None]:
    """Return the things by their key; None where several share one, so that nobody can tell."""
    found: dict[object, _Thing | None] = {}
    for thing in things:
        value = key(thing)
        found[value] = None if value in found else thing
    return found


def _difference(
    fate: Fate, before: _Thing, after: _Thing, details: tuple[Detail, ...]
) -> Difference:
    return Difference(
        fate,
        before.path,
        before.name,
        after.path,
        after.name,
        before.definitions,
        after.definitions,
        details,
    )


def _marked(found: Sequence[Difference]) -> Iterator[Difference]:
    """Mark what only shares the fate of the class or module around it."""
    fates = {
        (each.fate, each.old_path, each.old_name, each.new_path, each.new_name) for each in found
    }
    for each in found:
        yield replace(each, implied=True) if _shares(each, fates) else each


def _shares(each: Difference, fates: set[tuple[Fate, str, str, str, str]]) -> bool:
    if each.fate is Fate.CHANGED:
        return False
    old, new = each.old_name, each.new_name
    while "." in old or "." in new:
        old, new = old.rpartition(".")[0], new.rpartition(".")[0]
        place = (each.old_path, old, each.new_path, new)
        if any((fate, *place) in fates for fate in (each.fate, Fate.MOVED, Fate.RENAMED)):
            return True
    return False


def _place(each: Difference) -> tuple[str, str, str, str]:
    return each.new_path or each.old_path, each.new_name or each.old_name, each.fate, each.old_name
