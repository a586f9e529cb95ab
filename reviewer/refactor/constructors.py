"""Who makes objects of a class of Python without naming it: the class itself, and what it extends.

By what a class method has as its first parameter, by `type(self)` and `self.__class__`. A method of
a class above runs with the class below, so it makes objects of that one.
"""

import builtins
import re
from collections.abc import Callable, Iterator

from reviewer.context.values import Certainty, Context, Used
from reviewer.detectors.contracts.views import View
from reviewer.errors import GiveUp
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import UseKind
from reviewer.refactor.family import Class, above, class_around
from reviewer.refactor.keywords import OF_ITSELF, Call, call_of, is_value, passes_keywords
from reviewer.refactor.protect import shown
from reviewer.refactor.symbols import makes_others
from reviewer.text import printable

Views = Callable[[str], View | None]
"""A file of Python as it is now, by its path."""

_TOLD = "__init_subclass__"
_FIRST = re.compile(r"\bdef\s+\w+\s*\(\s*(\w+)")
_TYPE_OF = re.compile(rb"(?:\btype\(\s*[\w.]+\s*\)|\b__class__)$")
_SPREAD = re.compile(rb"\btype\(\s*[\w.]+\s*\)\s*\([^()]*\*\*")
_KEPT = re.compile(
    rb"(?<![=!<>])=\s*(?:type\(\s*(?:self|cls)\s*\)|(?:self|cls)\.__class__)\s*(?:[\n;#,)]|$)"
)
_KNOWN = frozenset(vars(builtins)) - {"type"}


def made_by_bases(class_: Class, name: str, view: Views, context: Context) -> set[Class]:
    """Return what a class extends; GiveUp where it may make objects of it by a parameter's name."""
    extended = above(class_, context)
    for each in sorted(extended):
        said = (
            f"{printable(each.name)} of {shown(each.path)}, which {printable(class_.name)} extends,"
        )
        there = view(each.path)
        told = there is None or f"{each.name}.{_TOLD}" in there.by_path
        if told or there is None or makes_others(each, context):
            raise GiveUp(f"{said} has a say in how its objects are made")
        _not_passed_on(each, there)
        for use in there.uses_by_name.get(name, ()):
            if use.kind is UseKind.KEYWORD and _around(each, use.scope, there):
                call = call_of(there, Used(each.path, use, Certainty.NAME, ""))
                if call is None or _is_own(call, each, there) or _TYPE_OF.search(call.text):
                    raise GiveUp(f"{said} may make objects of it in line {use.line}")
    return extended


def made_by_itself(class_: Class, name: str, view: Views) -> Iterator[tuple[int, int]]:
    """Give the keywords, as (line, column in bytes), by which a class makes objects of its own.

    GiveUp where it passes keywords on to them, or hands itself on as a value.
    """
    there = view(class_.path)
    if there is None:
        return
    _not_passed_on(class_, there)
    for use in there.uses_by_name.get(name, ()):
        if use.kind is UseKind.KEYWORD and _around(class_, use.scope, there):
            call = call_of(there, Used(class_.path, use, Certainty.NAME, ""))
            if call is not None and _is_own(call, class_, there):
                yield use.line, use.column


def is_of_unknown(call: Call, view: View) -> bool:
    """May a call be of a function or class that a variable has, as far as its file says?

    Not where the file imports or defines what is called, nor of a method of another object; what
    a mock was called with is asked by one.
    """
    if call.name in {"", "__class__", "call"} or call.name.startswith("assert_"):
        return True
    if call.receiver:
        return call.receiver in {"self", "cls"} and call.name not in view.by_name
    return not (call.name in view.by_name or call.name in view.locals or call.name in _KNOWN)


def _not_passed_on(class_: Class, view: View) -> None:
    """Refuse where the methods of a class hand it on, or call it with keywords unpacked."""
    for name in sorted(_own_names(class_, view) | {"__class__"}):
        for use in view.uses_by_name.get(name, ()):
            if not _around(class_, use.scope, view):
                continue
            each = Used(class_.path, use, Certainty.EXACT, "")
            where = f"{shown(class_.path)}, line {use.line}"
            if use.kind is UseKind.CALL and use.spread and passes_keywords(view, each):
                raise GiveUp(f"a call in {where} passes keywords on (`**`)")
            if use.kind is UseKind.READ and is_value(view, each):
                raise GiveUp(f"a class is handed on as a value in {where}, and may be called there")
    for found in (*_SPREAD.finditer(view.masked), *_KEPT.finditer(view.masked)):
        if _in_lines(class_, view.line_of(found.start()), view):
            what = (
                "passes keywords on (`**`)" if found[0].endswith(b"**") else "keeps it as a value"
            )
            raise GiveUp(f"what asks for a type in {shown(class_.path)} {what}")


def _is_own(call: Call, class_: Class, view: View) -> bool:
    """Is what is called the class of the method that calls it?"""
    named = not call.receiver and call.name in _own_names(class_, view)
    return named or OF_ITSELF.search(call.text) is not None


def _own_names(class_: Class, view: View) -> set[str]:
    """Return what class methods of a class call it."""
    names = {"cls"}
    for each in view.what.definitions:
        if each.scope == class_.name and any("classmethod" in one for one in each.decorators):
            found = _FIRST.search(each.signature)
            names |= {found[1]} if found else set()
    return names


def _around(class_: Class, scope: str, view: View) -> bool:
    return class_around(view.what.definitions, scope) == class_.name


def _in_lines(class_: Class, line: int, view: View) -> bool:
    return any(
        each.start <= line <= each.end
        for each in view.what.definitions
        if path_of(each) == class_.name
    )
