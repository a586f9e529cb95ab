"""Which definitions of a repository its uses are asked for: found by a parser, drawn by a seed.

Written apart from the extractors of `reviewer`: a mistake of theirs must not be one of the truth's.
"""

import ast
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tree_sitter_go
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser, Query, QueryCursor

SEED = 20261126
RANDOM = 120
AMBIGUOUS = 60
"""On top, names with more than MANY definitions: there are too few of them in a random sample."""

MANY = 5
MAX_BYTES = 1_000_000
"""Of a source file. A larger one is data or is generated."""

SUFFIXES = {
    "python": (".py",),
    "typescript": (".ts", ".tsx", ".mts", ".cts"),
    "go": (".go",),
}

_TEST = re.compile(
    r"(^|/)(tests?|testing|testdata|testutils?|test-utils|__tests__|__mocks__|fixtures|vendor|docs?|"
    r"examples?|bench(marks)?|node_modules|legacy)/|(^|/)(test_|conftest)[^/]*$|"
    r"[._-](test|spec|bench)\.[a-z]+$|\.d\.[cm]?ts$|\.pb\.go$|(^|/)(zz_)?generated"
)
_SKIPPED = re.compile(r"__\w+__|constructor|init|main|_")

_QUERIES = {
    "go": """
        (function_declaration name: (identifier) @function)
        (method_declaration name: (field_identifier) @method)
        (method_elem name: (field_identifier) @other)
        (type_spec name: (type_identifier) @other)
    """,
    "typescript": """
        (function_declaration name: (identifier) @function)
        (generator_function_declaration name: (identifier) @function)
        (variable_declarator name: (identifier) @function
            value: [(arrow_function) (function_expression)])
        (method_definition name: (property_identifier) @method)
        (function_signature name: (identifier) @other)
        (method_signature name: (property_identifier) @other)
        (abstract_method_signature name: (property_identifier) @other)
        (class_declaration name: (type_identifier) @other)
        (abstract_class_declaration name: (type_identifier) @other)
        (interface_declaration name: (type_identifier) @other)
        (type_alias_declaration name: (type_identifier) @other)
        (enum_declaration name: (identifier) @other)
        (import_statement) @import
        (export_statement source: (string)) @import
        (export_clause) @import
    """,
}
_LANGUAGES = {
    "go": {".go": Language(tree_sitter_go.language())},
    "typescript": {
        ".ts": Language(tree_sitter_typescript.language_typescript()),
        ".tsx": Language(tree_sitter_typescript.language_tsx()),
    },
}


@dataclass(frozen=True, slots=True)
class Named:
    """A definition. `line` counts from 1, `column` in characters from 0: those of the name."""

    name: str
    path: str
    line: int
    column: int
    kind: str
    scope: str
    nested: bool


@dataclass(frozen=True, slots=True)
class Source:
    """What is defined in one file, and the lines of its imports and re-exports."""

    definitions: tuple[Named, ...]
    import_lines: frozenset[int]


def sources(root: Path, language: str) -> dict[str, Source]:
    """Parse all files of a language below a folder; those that do not parse are left out."""
    found = {}
    for file in sorted(root.rglob("*")):
        if file.suffix not in SUFFIXES[language] or not file.is_file() or file.is_symlink():
            continue
        raw = file.read_bytes()
        if len(raw) > MAX_BYTES:
            continue
        path = file.relative_to(root).as_posix()
        text = raw.decode("utf-8", "replace")
        try:
            found[path] = _python(path, text) if language == "python" else _other(path, text)
        except (SyntaxError, ValueError, RecursionError):
            continue
    return found


def draw(found: dict[str, Source]) -> list[tuple[Named, int, bool]]:
    """Return definitions, how many there are of their name, and whether drawn at random from all.

    Functions and methods outside of tests, not nested, no constructors and dunder methods.
    """
    counts = Counter(one.name for source in found.values() for one in source.definitions)
    fit = [
        one
        for path, source in found.items()
        if not _TEST.search(path)
        for one in source.definitions
        if one.kind != "other" and not one.nested and not _SKIPPED.fullmatch(one.name)
    ]
    dice = random.Random(SEED)
    dice.shuffle(fit)
    chosen, rest = fit[:RANDOM], fit[RANDOM:]
    more = [one for one in rest if counts[one.name] > MANY][:AMBIGUOUS]
    return [(one, counts[one.name], True) for one in chosen] + [
        (one, counts[one.name], False) for one in more
    ]


def _python(path: str, text: str) -> Source:
    tree = ast.parse(text)
    lines = text.split("\n")
    imports = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    return Source(tuple(_python_below(tree, path, lines, "", False)), frozenset(imports))


def _python_below(
    node: ast.AST, path: str, lines: list[str], scope: str, inside: bool
) -> Iterator[Named]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            is_class = isinstance(child, ast.ClassDef)
            kind = (
                "other" if is_class else "method" if isinstance(node, ast.ClassDef) else "function"
            )
            start = re.compile(r"\b(?:def|class)\s+").search(
                lines[child.lineno - 1], child.col_offset
            )
            if start:
                yield Named(child.name, path, child.lineno, start.end(), kind, scope, inside)
            below = f"{scope}.{child.name}" if scope else child.name
            yield from _python_below(child, path, lines, below, inside or not is_class)
        else:
            yield from _python_below(child, path, lines, scope, inside)


def _other(path: str, text: str) -> Source:
    language = "go" if path.endswith(".go") else "typescript"
    grammars = _LANGUAGES[language]
    grammar = grammars.get(Path(path).suffix) or next(iter(grammars.values()))
    tree = Parser(grammar).parse(text.encode())
    captures = QueryCursor(Query(grammar, _QUERIES[language])).captures(tree.root_node)
    lines = text.split("\n")
    definitions = [
        _named(node, kind, path, lines)
        for kind in ("function", "method", "other")
        for node in captures.get(kind, [])
    ]
    imports = {
        row + 1
        for node in captures.get("import", [])
        for row in range(node.start_point.row, node.end_point.row + 1)
    }
    definitions.sort(key=lambda one: (one.line, one.column))  # captures come in any order
    return Source(tuple(definitions), frozenset(imports))


def _named(node: Node, kind: str, path: str, lines: list[str]) -> Named:
    name = (node.text or b"").decode()
    line = lines[node.start_point.row].encode()
    column = len(line[: node.start_point.column].decode("utf-8", "replace"))
    scope, nested = "", False
    above = node.parent.parent if node.parent else None
    receiver = node.parent.child_by_field_name("receiver") if node.parent else None
    if receiver and receiver.text:
        words = re.findall(r"\w+", receiver.text.decode().partition("[")[0])
        scope = words[-1] if words else ""
    while above:
        named = above.child_by_field_name("name")
        if above.type.startswith(("class_declaration", "abstract_class_declaration", "interface_")):
            scope = (named.text or b"").decode() if named else ""
        nested = nested or above.type in _BODIES
        above = above.parent
    return Named(name, path, node.start_point.row + 1, column, kind, scope, nested)


_BODIES = frozenset(
    {
        "statement_block",
        "function_body",
        "block",
        "arrow_function",
        "object",
        "internal_module",
        "class",
    }
)
"""Where a definition below is nested: not at the top of the file, nor of a class that is there."""
