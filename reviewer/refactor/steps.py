"""The steps of plans: in words, and each once, whoever proposed it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from reviewer.refactor.protect import shown
from reviewer.refactor.values import Module, ModuleMove, Move, Plan, Rename, Step
from reviewer.text import printable


def title(one: Step) -> str:
    """Return an operation in a few words."""
    if isinstance(one, ModuleMove):
        return f"Move {shown(one.path)} to {shown(one.to)}"
    if isinstance(one, Rename):
        return f"Rename {printable(one.symbol)} to {printable(one.to)}"
    return f"Move {printable(one.symbol)} to {shown(one.to)}"


def once(plan: Plan) -> Plan:
    """Return a plan with each rename and move once, moves by the names that renames have made.

    The second of two would find nothing, and renames are done first.
    """
    renames = list(dict.fromkeys(plan.renames))
    moves = list(dict.fromkeys(_as_renamed(one, renames) for one in plan.moves))
    modules_ = list(dict.fromkeys(plan.module_moves))
    return plan.model_copy(update={"renames": renames, "moves": moves, "module_moves": modules_})


def symbols(plans: Sequence[Plan]) -> list[str]:
    """Return the renames and moves of all plans in words, a symbol's once, renames first.

    Where plans differ in what becomes of a symbol, the words say so.
    """
    renames = list(dict.fromkeys(one for plan in plans for one in plan.renames))
    moves = dict.fromkeys(_as_renamed(one, renames) for plan in plans for one in plan.moves)
    whole = dict.fromkeys(one for plan in plans for one in plan.module_moves)
    known: dict[tuple[type, str, str], list[Step]] = {}
    steps: list[Step] = [*renames, *moves, *whole]
    for one in steps:
        symbol = "" if isinstance(one, ModuleMove) else one.symbol
        known.setdefault((type(one), one.path, symbol), []).append(one)
    said = []
    for first, *others in known.values():
        other = "".join(f", or to {shown(each.to)}" for each in others)
        decide = " (the proposals differ: decide)" if others else ""
        said.append(f"{title(first)}{other}, {shown(first.path)}{decide}")
    return said


def modules(plans: Sequence[Plan]) -> list[dict[str, Any]]:
    """Return the modules of all plans, those that have a file in common as one, in their order.

    Each is what `Module` has, as plain values; `what` lists what was proposed for it, each once.
    """
    groups: list[list[Module]] = []
    for one in (module for plan in plans for module in plan.modules):
        mine = _files(one)
        meant = [group for group in groups if any(mine & _files(each) for each in group)]
        rest = [group for group in groups if group not in meant]
        merged = [each for group in meant for each in group]
        groups = [*rest, [*merged, one]] if not meant else _in_place(groups, meant, [*merged, one])
    return [_joined(group) for group in groups]


def _in_place(
    groups: Sequence[list[Module]], meant: Sequence[list[Module]], merged: list[Module]
) -> list[list[Module]]:
    """Put what was merged where the first of its parts was."""
    at = groups.index(meant[0])
    return [*groups[:at], merged, *(each for each in groups[at + 1 :] if each not in meant)]


def _joined(group: Sequence[Module]) -> dict[str, Any]:
    joined: dict[str, Any] = {"name": group[0].name}
    for key in ("files", "new_files", "removed"):
        if paths := list(dict.fromkeys(path for one in group for path in getattr(one, key))):
            joined[key] = paths
    joined["what"] = list(dict.fromkeys(one.what for one in group))
    return joined


def _files(module: Module) -> frozenset[str]:
    return frozenset((*module.files, *module.new_files))


def _as_renamed(one: Move, renames: Sequence[Rename]) -> Move:
    named: Mapping[tuple[str, str], str] = {(each.path, each.symbol): each.to for each in renames}
    to = named.get((one.path, one.symbol))
    return one if to is None else one.model_copy(update={"symbol": to})
