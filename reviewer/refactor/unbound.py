"""Where an old name still stands in languages whose names the context does not bind for sure.

In C, C++, C#, Kotlin and PHP a file sees a name by an include, a namespace or a package, of which
the context knows too little. There each place with the word is one to look at, but for those that
surely are something else.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reviewer.context import verdicts
from reviewer.context.values import Certainty, Context, Used
from reviewer.languages import Language, language_of
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, UseKind
from reviewer.refactor.tree import Overlay
from reviewer.text import encode

_UNBOUND = frozenset({Language.C, Language.CPP, Language.CSHARP, Language.KOTLIN, Language.PHP})
_FAMILIES = (
    frozenset({Language.C, Language.CPP}),
    frozenset({Language.CSHARP}),
    frozenset({Language.KOTLIN, Language.JAVA}),
    frozenset({Language.PHP}),
)
"""Languages that can use each other's names as they are."""

_NATIVE = _FAMILIES[0]
_OTHERS = frozenset(
    each.why
    for each in (
        verdicts.PARAMETER,
        verdicts.ARGUMENT,
        verdicts.OWN_FILE,
        verdicts.OTHER_FILE,
        verdicts.HAS_ITS_OWN,
        verdicts.OF_OTHER,
    )
)
"""What the context says of a use that surely means something else."""

_OF_OBJECT = re.compile(rb"(?:\.|->)\s*$")
_PROSE = re.compile(
    rb"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|(?<!\d)'(?:\\.|[^'\\\n])*'", re.DOTALL
)
"""Comments and strings, roughly: what the context knows as a use is one, wherever it stands."""

_HEADER = re.compile(r"\.(?:h|hh|hpp|hxx|h\+\+|ipp|tpp|inl)$")
_DECLARED = "perhaps declared or defined here, too"


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file that may have the symbol, and what is known of it, in words."""

    path: str
    line: int
    how: str


def may_be_unbound(path: str, other: str) -> bool:
    """May another file use a name of the first one without the context knowing for sure?"""
    here, there = language_of(path), language_of(other)
    if here not in _UNBOUND and there not in _UNBOUND:
        return False
    return any(here in family and there in family for family in _FAMILIES)


def unbound(
    definition: Definition, path: str, uses: Sequence[Used], context: Context, tree: Overlay
) -> Iterator[Place]:
    """Yield the lines of other files that have the name, and may mean the definition by it."""
    if _is_of_its_file(definition, path):
        return
    of_file: dict[str, list[Used]] = {}
    for each in uses:
        of_file.setdefault(each.path, []).append(each)
    word = re.compile(rb"(?<![\w$])" + re.escape(encode(definition.name)) + rb"(?![\w$])")
    having = {*context.mentioning((definition.name,)).get(definition.name, ()), *of_file}
    for other in sorted(having - {path}):
        blob = tree.blob(other)
        if blob is not None and may_be_unbound(path, other):
            known = {(x.use.line, x.use.column): x for x in of_file.get(other, ())}
            yield from _of_file(definition, path, other, blob.data, word, known, context)


def _of_file(  # noqa: PLR0917
    definition: Definition,
    path: str,
    other: str,
    data: bytes,
    word: re.Pattern[bytes],
    known: Mapping[tuple[int, int], Used],
    context: Context,
) -> Iterator[Place]:
    language = language_of(other)
    code = _PROSE.sub(lambda found: re.sub(rb"[^\n]", b" ", found[0]), data)
    rows = zip(data.split(b"\n"), code.split(b"\n"), strict=True)
    own = [x for x in context.extraction(other).what.definitions if x.name == definition.name]
    same = [x for x in own if _is_same(x, definition, path, other)]
    starts = {each.start for each in own} - {each.start for each in same}
    free = language in _NATIVE | {Language.PHP} and "." not in path_of(definition)
    for number, (row, bare) in enumerate(rows, 1):
        for found in word.finditer(row):
            used = known.get((number, found.start()))
            if used is not None and used.certainty is Certainty.EXACT:
                continue
            if used is None and (
                number in starts or not bare[found.start() :].startswith(found[0])
            ):
                continue  # the name of something of its own, or a word
            if free and _OF_OBJECT.search(row[: found.start()]):
                continue
            if (
                used is not None
                and used.why in _OTHERS
                and not (same and used.why == verdicts.OWN_FILE.why)
            ):
                continue
            declares = used is None and any(x.start <= number <= x.end for x in same)
            yield Place(other, number, _DECLARED if declares else _how(used))
            break
    for (line, _), used in known.items():
        if used.use.kind is UseKind.STRING:
            yield Place(other, line, _how(used))


def _how(used: Used | None) -> str:
    if used is None:
        return "perhaps here"
    how = "likely" if used.certainty is Certainty.LIKELY else "perhaps"
    return f"{how} here ({used.why})"


def _is_same(one: Definition, definition: Definition, path: str, other: str) -> bool:
    """May what another file defines be the same thing: a prototype, a body, a part of a class?"""
    if language_of(other) in _NATIVE:
        alike = one.scope.rpartition(".")[2] == definition.scope.rpartition(".")[2]
        return alike and not _is_of_its_file(one, other)
    return language_of(path) is Language.CSHARP and path_of(one) == path_of(definition)


def _is_of_its_file(one: Definition, path: str) -> bool:
    """Is it seen in its own file alone, by the language's rules?"""
    words = one.signature.split()
    if language_of(path) in _NATIVE:
        return not one.scope and "static" in words and not _HEADER.search(path)
    return language_of(path) is Language.KOTLIN and not one.scope and "private" in words
