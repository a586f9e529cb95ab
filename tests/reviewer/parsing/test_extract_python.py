"""What is extracted of Python is what Python's own parser finds, on files of its library."""

import ast
import os
from collections import Counter
from pathlib import Path

import pytest

from reviewer.languages import Language
from reviewer.parsing.extract import extract
from reviewer.parsing.symbols import DefKind, UseKind

LIBRARY = sorted(Path(os.__file__).parent.glob("*.py"))
SAMPLE = LIBRARY[:: max(1, len(LIBRARY) // 30)][:30]
_DEFINED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: path.name)
def test_definitions_and_calls(path: Path) -> None:
    source = path.read_bytes()
    tree = ast.parse(source)
    found = extract(source, Language.PYTHON)
    definitions = Counter(
        (each.name, each.start, each.end)
        for each in found.definitions
        if each.kind in (DefKind.FUNCTION, DefKind.METHOD, DefKind.CLASS)
    )
    calls = Counter(
        (use.name, use.line) for use in found.uses if use.kind in (UseKind.CALL, UseKind.DECORATOR)
    )
    assert definitions == _definitions(tree)
    assert _calls(tree) - calls == Counter()


def _definitions(tree: ast.AST) -> Counter[tuple[str, int, int]]:
    return Counter(
        (
            node.name,
            min([node.lineno, *(each.lineno for each in node.decorator_list)]),
            node.end_lineno or 0,
        )
        for node in ast.walk(tree)
        if isinstance(node, _DEFINED)
    )


def _calls(tree: ast.AST) -> Counter[tuple[str, int]]:
    calls: Counter[tuple[str, int]] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                calls[node.func.id, node.func.lineno] += 1
            elif isinstance(node.func, ast.Attribute):
                calls[node.func.attr, node.func.end_lineno or 0] += 1
    return calls
