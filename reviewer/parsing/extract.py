"""What a file defines, uses and imports, by its syntax tree. Parses: for the worker only.

`rows` is what a worker packs (`reviewer.parsing.packed`); `unpack` makes values of them.
"""

import gc
import json
from typing import Any

from reviewer.languages import Language
from reviewer.parsing.hints import hints
from reviewer.parsing.symbols import (
    Definition,
    DefKind,
    Extraction,
    Hint,
    Import,
    Parameter,
    Use,
    UseKind,
)

LANGUAGES = frozenset(
    {
        Language.C,
        Language.CPP,
        Language.CSHARP,
        Language.GO,
        Language.JAVA,
        Language.JAVASCRIPT,
        Language.KOTLIN,
        Language.PHP,
        Language.PYTHON,
        Language.RUBY,
        Language.RUST,
        Language.TSX,
        Language.TYPESCRIPT,
    }
)
"""The languages that have a strategy; known without loading any grammar."""

MAX_PACKED_BYTES = (
    3 << 20
)  # as JSON; packed it is hardly longer, and a worker may send a megabyte more
_SCOPES = frozenset({"function", "method", "class", "module"})
_USE_FIELDS = 9  # the rest of a use's row is left out where it says nothing


def extract(data: bytes, language: Language) -> Extraction:
    """Return what a file says about names; a language that has no strategy says nothing."""
    return unpack(rows(data, language))


def rows(data: bytes, language: Language) -> list[Any]:
    """Return the same as JSON values, without the values in between."""
    collects = gc.isenabled()
    gc.disable()  # a walk makes rows by the hundred thousand, and no cycles
    try:
        return _rows(data, language)
    finally:
        if collects:
            gc.enable()


def _rows(data: bytes, language: Language) -> list[Any]:
    # A grammar is C code that has no place in the caller's process.
    from reviewer.parsing.grammars import grammar, parse  # noqa: PLC0415
    from reviewer.parsing.languages import STRATEGIES  # noqa: PLC0415
    from reviewer.parsing.languages.walk import Full, Walk  # noqa: PLC0415

    strategy = STRATEGIES.get(language)
    if strategy is None:
        return _packed([], [], [], [], False)
    tree = parse(language, data)
    walk = Walk(data)
    complete = not tree.root_node.has_error
    try:
        walk.run(tree, strategy.compiled(grammar(language)))
    except Full:
        complete = False
    if strategy.finish is not None:
        strategy.finish(walk)
    around = [
        (start, end, f"{scope}.{name}" if scope else name)
        for name, kind, scope, start, end, *_ in walk.definitions
        if kind in _SCOPES
    ]
    found = hints(data, language, around)
    return _packed(walk.definitions, walk.uses, walk.imports, found, complete)


def _packed(
    definitions: list[Any],
    uses: list[Any],
    imports: list[Any],
    found: list[Any],
    complete: bool,
) -> list[Any]:
    """Return [complete, strings, definitions, imports, uses, hints], cut to what may be sent.

    A use's strings are numbers of `strings`, for one name is used again and again.
    """
    while True:
        strings: dict[str, int] = {}
        number = strings.setdefault
        short = []
        for name, kind, line, column, scope, receiver, count, keywords, spread in uses:
            row: list[Any] = [
                number(name, len(strings)),
                number(kind, len(strings)),
                line,
                column,
                number(scope, len(strings)),
                number(receiver, len(strings)),
            ]
            if count or keywords or spread:
                row.append(count)
                if keywords or spread:
                    row.append([number(each, len(strings)) for each in keywords])
                    row.append(spread)
            short.append(row)
        packed = [complete, list(strings), definitions, imports, short, found]
        if _fits(packed):
            return packed
        complete = False
        longest = max((uses, definitions, imports, found), key=len)
        del longest[len(longest) // 2 :]


def _fits(packed: list[Any]) -> bool:
    _, strings, definitions, imports, uses, found = packed
    about = sum(map(len, strings)) * 6 + len(strings) * 4 + len(uses) * 60
    about += (len(definitions) + len(imports)) * 4000 + len(found) * 400
    return about < MAX_PACKED_BYTES or len(json.dumps(packed)) < MAX_PACKED_BYTES


def unpack(packed: list[Any]) -> Extraction:
    """Return the values that `rows` has as lists."""
    complete, strings, definitions, imports, uses, found = packed
    kinds = {kind.value: kind for kind in UseKind}
    return Extraction(
        definitions=tuple(map(definition_of, definitions)),
        uses=tuple(_use(row, strings, kinds) for row in uses),
        imports=tuple(Import(*row) for row in imports),
        hints=tuple(Hint(*row) for row in found),
        complete=complete,
    )


def definition_of(row: list[Any]) -> Definition:
    """Return the definition that one of the rows stands for."""
    name, kind, scope, start, end, signature, parameters, bases, decorators, exported = row
    return Definition(
        name=name,
        kind=DefKind(kind),
        scope=scope,
        start=start,
        end=end,
        signature=signature,
        parameters=None if parameters is None else tuple(Parameter(*each) for each in parameters),
        bases=tuple(bases),
        decorators=tuple(decorators),
        exported=exported,
    )


def _use(row: list[Any], strings: list[str], kinds: dict[str, UseKind]) -> Use:
    name, kind, line, column, scope, receiver, *rest = row
    count, keywords, spread = (*rest, 0, [], False)[:3] if len(rest) != 1 else (rest[0], [], False)
    return Use(
        strings[name],
        kinds[strings[kind]],
        line,
        column,
        strings[scope],
        strings[receiver],
        count,
        tuple(strings[each] for each in keywords),
        spread,
    )
