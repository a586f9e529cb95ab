"""Renames of a parameter of Python, with the calls that name it: `area.width`, `Class.method.n`.

The parameter in the signature, its uses in the body by the scopes of the language (a worker finds
them, `parsing/parameter.py`), those of all that the method overrides or is overridden by, and the
keyword of each call that certainly runs it. All or nothing: it is declined where somebody may name
it who is not seen, since he has the function as a value, or passes keywords on.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from reviewer.context.values import Certainty, Context, Used
from reviewer.detectors.contracts.masking import masked
from reviewer.detectors.contracts.python import HARMLESS
from reviewer.detectors.contracts.views import View
from reviewer.errors import GiveUp
from reviewer.languages import Language, language_of
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, DefKind, UseKind
from reviewer.parsing.worker import Question
from reviewer.refactor.constructors import (
    Views,
    is_of_unknown,
    made_by_bases,
    made_by_itself,
)
from reviewer.refactor.family import Class, family
from reviewer.refactor.fixtures import is_called_by_pytest
from reviewer.refactor.keywords import Place, call_of, is_value, passes_keywords
from reviewer.refactor.other_names import uses_by_any_name
from reviewer.refactor.patch import Blob
from reviewer.refactor.protect import refused, shown
from reviewer.refactor.symbols import (
    IN_PROSE,
    Done,
    cut,
    how_likely,
    line_of,
    makes_others,
    members_of,
    rewritten,
    said,
    uses_of,
    view_of,
)
from reviewer.refactor.tree import Overlay
from reviewer.refactor.values import Rename
from reviewer.text import encode, printable

_FUNCTIONS = (DefKind.FUNCTION, DefKind.METHOD)
_MAKES = "__init__"
_VALUES = frozenset({UseKind.ATTRIBUTE, UseKind.READ})


def function_of(one: Rename, context: Context) -> Definition | None:
    """Return the function whose parameter a rename is about; None where it is of something else.

    The first, where the file defines several of that name.
    """
    owner, _, name = one.symbol.rpartition(".")
    if not owner or language_of(one.path) is not Language.PYTHON:
        return None
    try:
        definitions = context.extraction(one.path).what.definitions
    except GiveUp:  # no such file
        return None
    if any(path_of(each) == one.symbol for each in definitions):
        return None
    for each in definitions:
        given = {parameter.name for parameter in each.parameters or ()}
        if path_of(each) == owner and each.kind in _FUNCTIONS and name in given:
            return each
    return None


@dataclass
class _Calls:
    """The calls of a function: `certain` by the place of what is called."""

    certain: dict[Place, Used] = field(default_factory=dict)
    others: list[Used] = field(default_factory=list)


def rename_parameter(one: Rename, context: Context, tree: Overlay) -> Done:
    """Give a parameter another name, with its callers; raise GiveUp, and do nothing."""
    owner, _, name = one.symbol.rpartition(".")
    mine = one.path, owner
    view = cache(lambda path: view_of(path, context, tree))
    about = one.model_copy(update={"symbol": owner, "to": ""})
    members, uses = _asked(about, context, tree)
    places: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    functions: list[tuple[str, Definition]] = []
    for path, symbol in members:
        function = _followed(path, symbol, name, context, tree)
        functions.append((path, function))
        places[path].update(_within(path, function, one, context, tree))
    calls = _sorted(uses, view)
    extended: set[Class] = set()
    for each in calls.certain.values():
        if _unpacks(each, view(each.path)):
            raise GiveUp(f"a call in {_at(each)} passes keywords on (`**`)")
    for path, keywords in _keywords(name, calls, view).items():
        places[path].update(keywords)
    if owner.endswith(f".{_MAKES}"):
        class_ = Class(one.path, owner.removesuffix(f".{_MAKES}"))
        extended = made_by_bases(class_, name, view, context)
        places[one.path].update(made_by_itself(class_, name, view))
    done = Done(
        along=tuple(
            (path, f"{symbol}.{name}") for path, symbol in members if (path, symbol) != mine
        ),
        how=f"{printable(owner)} of {shown(one.path)} takes it. Calls that certainly run it, and "
        "name it, do so by its new name.",
    )
    for path in sorted(places):
        blob = tree.blob(path)
        if blob is None or (problem := refused(path, tree)):
            problem = "it is not there" if blob is None else problem
            raise GiveUp(f"it is used in {shown(path)}, which is not edited: {problem}")
        done.files[path] = Blob(
            rewritten(blob.data, sorted(places[path]), name, one.to, path), blob.mode
        )
    _told(one, functions, calls, done, view=view, tree=tree)
    naming = {each.path for each in calls.others if each.use.kind is UseKind.STRING}
    if owner.endswith(f".{_MAKES}"):
        naming |= {one.path} | {each.path for each in extended}
        naming |= {each.path for each in uses if each.certainty is Certainty.EXACT}
    _perhaps(one, naming, places, view, done)
    return done


def calls_of(one: Rename, context: Context) -> tuple[list[Used], tuple[str, ...]]:
    """Return the calls that may name a parameter that the host leaves, and what was not seen."""
    owner, _, name = one.symbol.rpartition(".")
    asked = owner.removesuffix(f".{_MAKES}")
    try:
        answer = uses_by_any_name(asked, one.path, context)
    except GiveUp:  # other names that are not sure: those that have its own, then
        answer = context.uses(asked, one.path)
    calls = [
        each
        for each in answer.items
        if each.use.kind is UseKind.CALL and (name in each.use.keywords or each.use.spread)
    ]
    return calls, answer.notes


# The functions -----------------------------------------------------------------------------------


def _asked(
    about: Rename, context: Context, tree: Overlay
) -> tuple[list[tuple[str, str]], list[Used]]:
    """Return the functions that go together, and all uses of what they are called by."""
    class_, _, name = about.symbol.rpartition(".")
    owners = [
        each
        for each in context.extraction(about.path).what.definitions
        if class_ and path_of(each) == class_
    ]
    if class_ and [each.kind for each in owners] != [DefKind.CLASS]:
        raise GiveUp(f"{printable(about.symbol)} is within a function")
    if not class_:
        if name.startswith("pytest_"):
            raise GiveUp(f"pytest calls {printable(name)} by the names of its parameters")
        return [(about.path, about.symbol)], uses_of(about, None, context, tree, by_any_name=True)
    if name == _MAKES:
        made = about.model_copy(update={"symbol": class_})
        uses = uses_of(made, None, context, tree, by_any_name=True)
        _makes_itself(owners[0], Class(about.path, class_), uses, context)
        return [(about.path, about.symbol)], uses
    kin = family(Class(about.path, class_), name, "", context)
    return members_of(about, kin), uses_of(about, kin, context, tree)


def _makes_itself(owner: Definition, class_: Class, uses: Sequence[Used], context: Context) -> None:
    """Refuse where a constructor is called by more than by the name of its class."""
    named = printable(class_.name)
    if owner.decorators or makes_others(class_, context):
        raise GiveUp(f"class {named} may be made otherwise than by its {_MAKES}")
    for each in uses:
        if each.use.kind is UseKind.OVERRIDE and each.certainty is not Certainty.NAME:
            raise GiveUp(f"a class in {_at(each)} extends {named}, and may hand its arguments on")


def _followed(path: str, symbol: str, name: str, context: Context, tree: Overlay) -> Definition:
    """Return a function that can follow, with a parameter of that name that callers give."""
    said_ = f"{printable(symbol)} of {shown(path)}"
    found = [each for each in context.extraction(path).what.definitions if path_of(each) == symbol]
    if len(found) != 1 or found[0].kind not in _FUNCTIONS:
        raise GiveUp(f"{said_} is no function, or is defined several times")
    function = found[0]
    given = {each.name: each.how for each in function.parameters or ()}
    if name not in given:
        raise GiveUp(f"{said_} has no parameter {printable(name)}, and has to go with it")
    if name.startswith("__"):
        raise GiveUp("the name of such a parameter depends on its class")
    if "**kwargs" in given.values():
        raise GiveUp(f"{said_} takes any keyword (`**`), and may pass it on")
    strange = [each for each in function.decorators if each not in HARMLESS]
    if strange:
        raise GiveUp(f"{said_} is decorated with {printable(strange[0])}, which may read its names")
    if is_called_by_pytest(function, path):
        raise GiveUp(f"pytest calls {said_} by the names of its parameters")
    if tree.blob(f"{path}i") is not None:
        raise GiveUp(f"{shown(path)}i says of {printable(symbol)}, too, what it takes")
    return function


def _within(
    path: str, function: Definition, one: Rename, context: Context, tree: Overlay
) -> list[tuple[int, int]]:
    """Return where a function names its parameter, as (line, column in bytes)."""
    blob = tree.blob(path)
    if blob is None:
        raise GiveUp(f"{shown(path)} is not there")
    name = one.symbol.rpartition(".")[2]
    arguments = (function.name, function.start, function.end, name, one.to)
    answer = context.parsers.ask(Question("parameter", (blob.data,), arguments, printable(path)))
    if answer["problem"]:
        where = f"{printable(path_of(function))} of {shown(path)}"
        raise GiveUp(f"in {where} {printable(answer['problem'])}")
    return [(line, column) for line, column in answer["places"]]


# The calls ---------------------------------------------------------------------------------------


def _sorted(uses: Sequence[Used], view: Views) -> _Calls:
    """Return the calls; refuse where the function is a value, which may be called by keyword."""
    calls = _Calls()
    for each in uses:
        use = each.use
        if each.certainty is not Certainty.EXACT:
            calls.others.append(each)
        elif use.kind is UseKind.CALL:
            if _may_be_another(view(each.path), each):
                raise GiveUp(f"{printable(use.name)} of {shown(each.path)} may be another one, too")
            calls.certain[each.path, use.line, use.column] = each
        elif use.kind in _VALUES and is_value(view(each.path), each):
            raise GiveUp(
                f"it is handed on as a value in {_at(each)}, to what may name its parameters"
            )
    return calls


def _may_be_another(view: View | None, each: Used) -> bool:
    """Does a file import what it calls, and has it otherwise, too (where the import fails, say)?"""
    if view is None or each.use.receiver:
        return False
    imports = {(one.module, one.name) for one in view.locals.get(each.use.name, ())}
    return len(imports) > 1 or bool(imports and view.members("", each.use.name))


def _keywords(name: str, calls: _Calls, view: Views) -> Mapping[str, set[tuple[int, int]]]:
    """Return where certain calls name the parameter; GiveUp where one does that is not found."""
    named = {place for place, each in calls.certain.items() if name in each.use.keywords}
    places: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    found: set[Place] = set()
    for path in sorted({place[0] for place in named}):
        there = view(path)
        for use in there.uses_by_name.get(name, ()) if there is not None else ():
            if use.kind is not UseKind.KEYWORD or there is None:
                continue
            call = call_of(there, Used(path, use, Certainty.NAME, ""))
            if call is not None and call.place in named:
                found.add(call.place)
                places[path].add((use.line, use.column))
    if missing := sorted(named - found):
        raise GiveUp(f"a call in {_at(calls.certain[missing[0]])} could not be read")
    return places


# What is told ------------------------------------------------------------------------------------


def _told(
    one: Rename,
    functions: Sequence[tuple[str, Definition]],
    calls: _Calls,
    done: Done,
    *,
    view: Views,
    tree: Overlay,
) -> None:
    """Tell calls that may be of it, and comments and strings of its functions with the old name."""
    name = one.symbol.rpartition(".")[2]
    word = re.compile(rb"(?<![\w$])" + re.escape(encode(name)) + rb"(?![\w$])")
    for each in calls.others:
        how, blob = how_likely(each, member=True), tree.blob(each.path)
        if not how or blob is None or not (what := _may_name(each, name, view(each.path))):
            continue
        text = line_of(blob.data, each.use.line)
        done.lead(each.path, f"{said(one)}, {how} {what} here ({each.why}): {text}")
    for path, function in functions:
        blob = done.files[path]
        if blob is None:
            continue
        bare = masked(blob.data, Language.PYTHON).split(b"\n")
        rows = blob.data.split(b"\n")
        for number in range(function.start, min(function.end, len(rows)) + 1):
            if word.search(rows[number - 1]) and not word.search(bare[number - 1]):
                done.lead(path, f"{said(one)}, and {IN_PROSE}: {cut(rows[number - 1])}")


def _may_name(each: Used, name: str, view: View | None) -> str:
    """Return how a use that is not sure may name a parameter, "" if it cannot."""
    use = each.use
    if use.kind is UseKind.CALL:
        if name in use.keywords:
            return "named"
        return "called with keywords unpacked" if _unpacks(each, view) else ""
    if use.kind not in _VALUES or view is None or not is_value(view, each):
        return ""
    around = call_of(view, each)
    named = around is not None and any(
        call is not None and call.place == around.place
        for keyword in view.uses_by_name.get(name, ())
        if keyword.kind is UseKind.KEYWORD
        for call in [call_of(view, Used(each.path, keyword, Certainty.NAME, ""))]
    )
    return "handed on as a value" if named or each.certainty is Certainty.LIKELY else ""


def _unpacks(each: Used, view: View | None) -> bool:
    return each.use.spread and passes_keywords(view, each)


def _perhaps(
    one: Rename,
    paths: Iterable[str],
    places: Mapping[str, set[tuple[int, int]]],
    view: Views,
    done: Done,
) -> None:
    """Tell keywords of its name, in some files, of calls of what nobody knows."""
    name = one.symbol.rpartition(".")[2]
    for path in sorted(paths):
        there = view(path)
        for use in there.uses_by_name.get(name, ()) if there is not None else ():
            if there is None or use.kind is not UseKind.KEYWORD:
                continue
            placed = (use.line, use.column) in places.get(path, ())
            call = call_of(there, Used(path, use, Certainty.NAME, ""))
            if call is not None and not placed and is_of_unknown(call, there):
                text = line_of(there.data, use.line)
                done.lead(
                    path, f"{said(one)}, perhaps named here (who is called is not known): {text}"
                )


def _at(each: Used) -> str:
    return f"{shown(each.path)}, line {each.use.line}"
