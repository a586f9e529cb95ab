"""Each language's file of odd cases says exactly what was written down for it by hand."""

from collections import Counter
from pathlib import Path

import pytest

from reviewer.languages import Language
from reviewer.parsing.extract import extract
from reviewer.parsing.symbols import Definition, Extraction, Import, Parameter, UseKind

GOLD = Path(__file__).parent / "gold"
FILES = {
    "Java.java": (Language.JAVA, "positional"),
    "clang.h": (Language.C, "positional"),
    "cplus.cpp": (Language.CPP, "positional"),
    "csharp.cs": (Language.CSHARP, "both"),
    "golang.go": (Language.GO, "positional"),
    "javascript.js": (Language.JAVASCRIPT, "positional"),
    "kotlin.kt": (Language.KOTLIN, "both"),
    "php.php": (Language.PHP, "both"),
    "python.src": (Language.PYTHON, "both"),
    "ruby.rb": (Language.RUBY, "positional"),
    "rust.rs": (Language.RUST, "positional"),
    "typescript.ts": (Language.TYPESCRIPT, "positional"),
    "widget.tsx": (Language.TSX, "positional"),
}
_KINDS = {kind.value[0]: kind for kind in UseKind}
_HOW = {"/": "positional", ":": "keyword"}


def _lines(name: str) -> list[str]:
    return (GOLD / name).with_suffix(".expected").read_text().splitlines()


def _parameter(text: str, how: str) -> Parameter:
    if text.startswith("**"):
        return Parameter(text[2:], "**kwargs", required=False)
    if text.startswith("*"):
        return Parameter(text[1:], "*args", required=False)
    if text[0] in _HOW:
        how, text = _HOW[text[0]], text[1:]
    return Parameter(text.removesuffix("?"), how, required=not text.endswith("?"))


def _definition(line: str, how: str) -> tuple[object, ...]:
    kind, path, span, *rest = (field.strip() for field in line.split("|"))
    scope, _, name = path.rpartition(".")
    start, _, end = span.partition("-")
    parameters = rest[0] if rest else "-"
    flags = {flag[0]: flag[2:].split("; ") for flag in rest[1:] if flag != "hidden"}
    rows = None
    if parameters == "()":
        rows = ()
    elif parameters != "-":
        rows = tuple(_parameter(text, how) for text in parameters.split("; "))
    return (
        kind,
        scope,
        name,
        int(start),
        int(end),
        rows,
        tuple(flags.get("<", ())),
        tuple(flags.get("@", ())),
        "hidden" not in rest,
    )


def _row(each: Definition) -> tuple[object, ...]:
    return (
        each.kind,
        each.scope,
        each.name,
        each.start,
        each.end,
        each.parameters,
        each.bases,
        each.decorators,
        each.exported,
    )


def _import(line: str) -> Import:
    number, module, *rest = (field.strip() for field in line.split("|"))
    name, alias, flag = (*rest, "", "", "")[:3]
    return Import(module, name, alias, int(number), flag == "guarded", flag == "reexport")


def _uses(lines: list[str]) -> Counter[tuple[object, ...]]:
    uses: Counter[tuple[object, ...]] = Counter()
    scope = ""
    for line in lines:
        if line.startswith("@"):
            scope = line[1:].strip()
            continue
        number, _, rest = line.partition(" ")
        # A comma in a receiver is followed by no letter with a space after it.
        for text in _split(rest):
            kind, _, what = text.partition(" ")
            name, _, receiver = what.partition(" < ")
            uses[(_KINDS[kind], name, int(number), receiver, scope)] += 1
    return uses


def _split(text: str) -> list[str]:
    parts: list[str] = []
    for part in text.split(", "):
        if part[0] in _KINDS and part[1:2] == " ":
            parts.append(part)
        else:
            parts[-1] += f", {part}"
    return parts


def _extracted(name: str) -> Extraction:
    return extract((GOLD / name).read_bytes(), FILES[name][0])


@pytest.mark.parametrize("name", FILES)
def test_definitions(name: str) -> None:
    wanted = [
        _definition(line[4:], FILES[name][1]) for line in _lines(name) if line.startswith("def ")
    ]
    assert [_row(each) for each in _extracted(name).definitions] == wanted


@pytest.mark.parametrize("name", FILES)
def test_imports(name: str) -> None:
    wanted = [_import(line[4:]) for line in _lines(name) if line.startswith("imp ")]
    assert list(_extracted(name).imports) == wanted


@pytest.mark.parametrize("name", FILES)
def test_uses(name: str) -> None:
    lines = [line for line in _lines(name) if not line.startswith(("def ", "imp "))]
    wanted = _uses(lines)
    found = Counter(
        (use.kind, use.name, use.line, use.receiver, use.scope) for use in _extracted(name).uses
    )
    assert (found - wanted, wanted - found) == (Counter(), Counter())


@pytest.mark.parametrize("name", FILES)
def test_places_are_those_of_the_names(name: str) -> None:
    lines = (GOLD / name).read_bytes().split(b"\n")
    for use in _extracted(name).uses:
        assert lines[use.line - 1][use.column :].startswith(use.name.encode())


@pytest.mark.parametrize("name", FILES)
def test_all_of_it_parses(name: str) -> None:
    assert _extracted(name).complete
