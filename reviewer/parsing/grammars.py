"""Languages that tree-sitter parses here. Used inside the worker process only.

A grammar is C code that reads hostile input: `reviewer.parsing.worker` runs it behind limits.
"""

import importlib
from functools import cache

import tree_sitter

from reviewer.languages import Language

_GRAMMARS: dict[Language, tuple[str, str]] = {
    Language.BASH: ("tree_sitter_bash", "language"),
    Language.C: ("tree_sitter_c", "language"),
    Language.CPP: ("tree_sitter_cpp", "language"),
    Language.CSHARP: ("tree_sitter_c_sharp", "language"),
    Language.GO: ("tree_sitter_go", "language"),
    Language.JAVA: ("tree_sitter_java", "language"),
    Language.JAVASCRIPT: ("tree_sitter_javascript", "language"),
    Language.KOTLIN: ("tree_sitter_kotlin", "language"),
    Language.PHP: ("tree_sitter_php", "language_php"),
    Language.PYTHON: ("tree_sitter_python", "language"),
    Language.RUBY: ("tree_sitter_ruby", "language"),
    Language.RUST: ("tree_sitter_rust", "language"),
    Language.SCALA: ("tree_sitter_scala", "language"),
    Language.SWIFT: ("tree_sitter_swift", "language"),
    Language.TSX: ("tree_sitter_typescript", "language_tsx"),
    Language.TYPESCRIPT: ("tree_sitter_typescript", "language_typescript"),
}

PARSED = frozenset(_GRAMMARS)
"""The languages that have a grammar."""


@cache
def grammar(language: Language) -> tree_sitter.Language:
    """Return the grammar of a language in PARSED."""
    module, function = _GRAMMARS[language]
    return tree_sitter.Language(getattr(importlib.import_module(module), function)())


@cache
def _parser(language: Language) -> tree_sitter.Parser:
    return tree_sitter.Parser(grammar(language))


def parse(language: Language, data: bytes) -> tree_sitter.Tree:
    """Return the syntax tree of a file; there always is one, with ERROR nodes where it fails."""
    return _parser(language).parse(data)
