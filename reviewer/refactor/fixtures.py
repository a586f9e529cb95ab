"""Fixtures of pytest: who takes one names it by a parameter, and no import leads there.

A fixture of a `conftest.py` is for the files in its folder and below, one of another file for that
file, where no nearer one has its name. Taken are functions that pytest calls: tests, and fixtures.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from reviewer.context.values import Context
from reviewer.detectors.contracts.views import View
from reviewer.languages import Language, language_of
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, DefKind, UseKind
from reviewer.refactor.tree import Overlay
from reviewer.text import encode

CONFTEST = "conftest.py"
_FUNCTIONS = (DefKind.FUNCTION, DefKind.METHOD)


@dataclass
class Taken:
    """Where a fixture is named: (line, column in bytes) by path, and (path, line) of the unsure."""

    places: dict[str, set[tuple[int, int]]] = field(default_factory=dict)
    unsure: list[tuple[str, int]] = field(default_factory=list)


def is_fixture(definition: Definition) -> bool:
    """Is a function one that pytest makes a fixture of?"""
    return definition.kind in _FUNCTIONS and any(
        each.rpartition(".")[2] == "fixture" for each in definition.decorators
    )


def taken(path: str, name: str, context: Context, tree: Overlay) -> Taken:
    """Return where the fixture that a file defines at its top is taken; nothing for another.

    One that is called otherwise than its function (`name=`) is taken by no name of this kind.
    """
    found = Taken()
    own = _view(path, context, tree)
    fixtures = [each for each in own.members("", name) if is_fixture(each)] if own else []
    if own is None or len(fixtures) != 1 or _is_called_otherwise(fixtures[0], own):
        return found
    named = context.mentioning((name,)).get(name, ())
    nearer = _nearer(path, name, named, context)
    for other in named:
        view = _view(other, context, tree) if _sees(other, path) else None
        if view is None or any(_sees(other, conftest) for conftest in nearer):
            continue
        if other != path and any(is_fixture(each) for each in view.by_name.get(name, ())):
            found.unsure += [(other, each.start) for each in view.by_name[name]]
            continue
        _in_file(view, name, found)
    for conftest in nearer:  # it may take the one that it stands before
        view = _view(conftest, context, tree)
        found.unsure += [
            (conftest, each.start)
            for each in (view.by_name.get(name, ()) if view is not None else ())
            if any(one.name == name for one in each.parameters or ())
        ]
    return found


def _in_file(view: View, name: str, found: Taken) -> None:
    places: set[tuple[int, int]] = set()
    for each in view.what.definitions:
        if each.kind not in _FUNCTIONS or not is_called_by_pytest(each, view.path):
            continue
        if not any(one.name == name for one in each.parameters or ()) or each.name == name:
            continue  # one that takes its own name takes that of a farther conftest
        near = any(is_fixture(one) and one.scope for one in view.by_name.get(name, ()))
        if near or _is_given(each, name, view) or _is_bound_within(each, name, view):
            found.unsure.append((view.path, each.start))
        else:
            places |= set(_words(each, name, view))
    for number, line in enumerate(view.data.split(b"\n"), 1):
        if re.search(rb"\b(?:usefixtures|getfixturevalue)\s*\(", line):
            quoted = re.finditer(rb"([\"'])(" + re.escape(encode(name)) + rb")\1", line)
            places |= {(number, one.start(2)) for one in quoted}
    if places:
        found.places[view.path] = places


def _words(function: Definition, name: str, view: View) -> Iterator[tuple[int, int]]:
    """Give where a function names its parameter: bare words, and what f-strings read."""
    word = re.compile(rb"(?<![\w.])" + re.escape(encode(name)) + rb"(?!\w)")
    mine = [use for use in view.uses_by_name.get(name, ()) if not use.receiver]
    keys = {(use.line, use.column) for use in mine if use.kind is UseKind.KEYWORD}
    lines = view.masked.split(b"\n")
    for number in range(function.start, min(function.end, len(lines)) + 1):
        for one in word.finditer(lines[number - 1]):
            if (number, one.start()) not in keys:
                yield number, one.start()
    for use in mine:
        if function.start <= use.line <= function.end and use.kind in (UseKind.READ, UseKind.CALL):
            yield use.line, use.column


def is_called_by_pytest(each: Definition, path: str) -> bool:
    """Is it a fixture, or a test in a file where pytest looks for tests?"""
    name = PurePosixPath(path).name
    is_looked_at = name == CONFTEST or name.startswith("test_") or name.endswith("_test.py")
    return is_fixture(each) or (is_looked_at and each.name.startswith("test"))


def _is_given(each: Definition, name: str, view: View) -> bool:
    """Is a parameter given by a decorator (`parametrize`), or one with a default?"""
    if any(one.name == name and not one.required for one in each.parameters or ()):
        return True
    head = view.data[view.offset(each.start, 0) : view.offset(each.end, 0)].partition(b"def ")[0]
    return re.search(rb"(?<!\w)" + re.escape(encode(name)) + rb"(?!\w)", head) is not None


def _is_bound_within(each: Definition, name: str, view: View) -> bool:
    """Has something else in a function that name: a function of its own, or a parameter of one."""
    path = path_of(each)
    return any(
        one.name == name or any(given.name == name for given in one.parameters or ())
        for one in view.what.definitions
        if one.scope == path or one.scope.startswith(f"{path}.")
    )


def _is_called_otherwise(each: Definition, view: View) -> bool:
    head = view.data[view.offset(each.start, 0) : view.offset(each.end, 0)].partition(b"def ")[0]
    return re.search(rb"\bname\s*=", head) is not None


def _nearer(path: str, name: str, named: tuple[str, ...], context: Context) -> list[str]:
    """Return the other conftests that have a fixture of that name, or import one, and see this."""
    return [
        other
        for other in named
        if other != path
        and PurePosixPath(other).name == CONFTEST
        and _sees(other, path)
        and _has(name, other, context)
    ]


def _has(name: str, path: str, context: Context) -> bool:
    """Has a file a fixture of that name, of its own or from elsewhere?"""
    what = context.extraction(path).what
    own = any(each.name == name and is_fixture(each) for each in what.definitions)
    return own or any((one.alias or one.name) in {name, "*"} for one in what.imports)


def _sees(path: str, owner: str) -> bool:
    """Are the fixtures of one file there for another?"""
    if PurePosixPath(owner).name != CONFTEST:
        return path == owner
    return PurePosixPath(owner).parent in PurePosixPath(path).parents


def _view(path: str, context: Context, tree: Overlay) -> View | None:
    blob = tree.blob(path)
    if language_of(path) is not Language.PYTHON or blob is None:
        return None
    return View(path, Language.PYTHON, context.extraction(path).what, blob.data)
