"""What each span shows of its file at one end of the change, and what the names there mean."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from reviewer.change import Span
from reviewer.context.differences import Ends, dotted
from reviewer.context.values import Resolver
from reviewer.parsing.symbols import Definition, DefKind, Extraction
from reviewer.ports import Rev

MAX_IMPORTS = 500
"""Of one file that are resolved; only generated files have more."""


CONSTRUCTORS = frozenset({"__init__", "__new__", "__post_init__", "constructor", "initialize"})
"""Nobody writes their names to call them: they write whose they are."""


@dataclass(frozen=True, slots=True)
class Side:
    """One end of one file, and the lines there that each of its spans shows or changes."""

    path: str  # at the head, if it is there: what spans are known by
    own_path: str  # at this end
    at: Rev
    what: Extraction
    changed: Mapping[int, Sequence[int]]  # by span, sorted
    shown: Mapping[int, range]


def sides(
    spans: Sequence[Span], files: Sequence[Ends], by_path: Mapping[str, Sequence[int]]
) -> Iterator[Side]:
    for file in files:
        path = file.new_path or file.old_path or ""
        numbers = by_path.get(path, ())
        if file.head is not None and file.new_path is not None:
            changed, shown = {}, {}
            for number in numbers:
                lines = spans[number].lines
                changed[number] = [x.new for x in lines if x.kind == "+" and x.new is not None]
                have = [x.new for x in lines if x.new is not None]
                shown[number] = range(have[0], have[-1] + 1) if have else range(0)
            yield Side(path, file.new_path, "head", file.head, changed, shown)
        if file.base is not None and file.old_path is not None:
            changed = {
                number: [x.old for x in spans[number].lines if x.kind == "-" and x.old is not None]
                for number in numbers
            }
            # What is context stands at the head, too.
            yield Side(path, file.old_path, "base", file.base, changed, {})


def outermost(definitions: Sequence[Definition]) -> list[Definition]:
    """Return what is not local to a function: nobody else can use that."""
    functions = {
        dotted(each) for each in definitions if each.kind in (DefKind.FUNCTION, DefKind.METHOD)
    }
    known: dict[str, bool] = {"": False}

    def local(scope: str) -> bool:
        if scope not in known:
            known[scope] = scope in functions or local_above(scope)
        return known[scope]

    def local_above(scope: str) -> bool:
        # By the nearest scope that is known, not by recursion: names may be deep.
        parts = scope.split(".")
        return any(".".join(parts[:end]) in functions for end in range(1, len(parts)))

    return [each for each in definitions if not local(each.scope)]


def innermost(
    definitions: Sequence[Definition], lines: Iterable[int]
) -> Iterator[Definition | None]:
    """Yield for each of the ascending lines the innermost definition around it."""
    coming = sorted(definitions, key=lambda each: (each.start, -each.end))
    stack: list[Definition] = []
    at = 0
    for line in lines:
        while at < len(coming) and coming[at].start <= line:
            while stack and stack[-1].end < coming[at].start:
                stack.pop()
            stack.append(coming[at])
            at += 1
        while stack and stack[-1].end < line:
            stack.pop()
        yield stack[-1] if stack else None


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the names of one side mean. Paths are those of the side's own end, changed files alone.

    `original`: a name's own name by the one that it has here. `named`: by a name as it is where it
    comes from, the files it may be taken from, `near` the folders of those. `bound`: by a name as
    it is here, the files that it stands for or comes from. `files`: all files that are imported,
    and the line that does it.
    """

    original: Mapping[str, str]
    named: Mapping[str, frozenset[str]]
    near: Mapping[str, frozenset[str]]
    bound: Mapping[str, frozenset[str]]
    files: Mapping[str, int]
    beside: str


def meanings(sides: Sequence[Side], resolver: Resolver | None) -> list[Meaning]:
    paths = {side.own_path for side in sides}
    return [_meaning(side, resolver, paths) for side in sides]


def _meaning(side: Side, resolver: Resolver | None, paths: Set[str]) -> Meaning:
    original: dict[str, str] = {}
    named: defaultdict[str, set[str]] = defaultdict(set)
    near: defaultdict[str, set[str]] = defaultdict(set)
    bound: defaultdict[str, set[str]] = defaultdict(set)
    files: dict[str, int] = {}
    for each in side.what.imports[:MAX_IMPORTS]:
        if each.alias and each.name and each.name != "*":
            original[each.alias] = each.name
        if resolver is None:
            continue
        meant = resolver.resolve(side.own_path, each)
        local = each.alias or each.name or re.split(r"[./:\\]", each.module)[-1]
        for path in (meant.submodule, *meant.files):
            if path and each.name:
                near[each.name].add(path.rpartition("/")[0])
            if path in paths:
                files.setdefault(path, each.line)
                bound[local].add(path)
                if each.name:
                    named[each.name].add(path)
    return Meaning(
        original,
        _frozen(named),
        _frozen(near),
        _frozen(bound),
        files,
        side.own_path if resolver is None else resolver.beside(side.own_path),
    )


def _frozen(sets: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {name: frozenset(held) for name, held in sets.items()}
