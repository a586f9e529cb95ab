"""What host code declined of a plan, and nobody else has done: looked up in the result."""

from collections.abc import Iterator, Sequence

from reviewer.context.values import Context
from reviewer.errors import GiveUp
from reviewer.parsing.symbols import Definition
from reviewer.refactor.protect import shown
from reviewer.refactor.steps import title
from reviewer.refactor.tree import Overlay
from reviewer.refactor.values import Left, ModuleMove, Move, Plan, Rename, Step
from reviewer.text import printable


def undone(steps: Sequence[Step], plan: Plan, context: Context, tree: Overlay) -> list[Left]:
    """Return those of the steps after which the result is not as the plan says, and how it is.

    `tree` is the result, and the head of `context`.
    """
    found = []
    for one in steps:
        if isinstance(one, ModuleMove):
            why = _unmoved_file(one, tree)
        elif isinstance(one, Move):
            why = _unmoved(one, plan, context)
        else:
            why = _unnamed(one, plan, context)
        if why:
            what = "the move" if isinstance(one, Move | ModuleMove) else "the rename"
            found.append(Left(module=title(one), what=what, why=why))
    return found


def _unmoved_file(one: ModuleMove, tree: Overlay) -> str:
    if tree.blob(one.to) is None:
        return f"{shown(one.to)} is not there"
    if not one.shim and tree.blob(one.path) is not None:
        return f"{shown(one.path)} is still there"
    return ""


def _unmoved(one: Move, plan: Plan, context: Context) -> str:
    name = _short(one.symbol)
    if any(each.name == name for path in _now(one.to, plan) for each in _there(path, context)):
        return ""
    still = any(
        each.name == name for path in _now(one.path, plan) for each in _there(path, context)
    )
    where = f"is still in {shown(one.path)}" if still else f"is not in {shown(one.to)}"
    return f"{printable(one.symbol)} {where}"


def _unnamed(one: Rename, plan: Plan, context: Context) -> str:
    """Say that a symbol has not the name of the plan, in whatever file the plan has it by now."""
    names = {one.symbol, _beside(one.symbol, one.to)}
    paths = [one.path, *(each.to for each in plan.moves if each.symbol in names)]
    owner, _, name = one.symbol.rpartition(".")
    owners, above = _named_now(owner, plan), _named_now(owner.rpartition(".")[0], plan)
    known = [each for path in paths for now in _now(path, plan) for each in _there(now, context)]
    there = [each.name for each in known if _short(each.scope) in owners]
    there += [
        given.name
        for each in known
        if each.name in owners and _short(each.scope) in above
        for given in each.parameters or ()
    ]
    if one.to in there:
        return ""
    if name in there:
        return f"it is still called {printable(name)}"
    return f"nothing in {shown(one.path)} is called {printable(one.to)}"


def _named_now(symbol: str, plan: Plan) -> set[str]:
    """Return the last part of a symbol, and what the plan calls such a one."""
    name = _short(symbol)
    return {name, *(each.to for each in plan.renames if _short(each.symbol) == name)}


def _now(path: str, plan: Plan) -> Iterator[str]:
    """Give where a file of the plan may be: at its path, or where it moves the whole of it."""
    yield path
    yield from (each.to for each in plan.module_moves if each.path == path)


def _there(path: str, context: Context) -> tuple[Definition, ...]:
    try:
        return tuple(context.extraction(path).what.definitions)
    except GiveUp:  # no such file
        return ()


def _short(symbol: str) -> str:
    return symbol.rpartition(".")[2]


def _beside(symbol: str, name: str) -> str:
    scope = symbol.rpartition(".")[0]
    return f"{scope}.{name}" if scope else name
