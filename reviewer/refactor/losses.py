"""What a plan or its result takes away, and people should not overlook. Pure but for the context.

What the planner thinks of an instruction is its word. This is what the host can count: files that
go, who uses them, and how much of the code in scope is there no more.
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from reviewer.context.values import Context
from reviewer.errors import GiveUp
from reviewer.languages import is_test, language_of, reading_order
from reviewer.refactor.named import PATH
from reviewer.refactor.patch import FileEdit
from reviewer.refactor.protect import shown
from reviewer.refactor.survey import under
from reviewer.refactor.tree import Start
from reviewer.refactor.values import Plan

LARGE = 0.3
"""Of the code in scope, or of its tests: to take away more is to destroy, until somebody says so.
"""

LEAST_BYTES = 4_000
"""Of a result: who cleans up less than a hundred lines of a small program destroys nothing."""

SHOWN = 8
IMPORTERS = 20

_CODE = (0, 2)
"""Of `reading_order`."""

_LICENCE = re.compile(
    r"(?:.*/)?(?:licen[cs]es?|copying|notice|unlicense|patents)(?:[-_.][^/]*)?", re.IGNORECASE
)


@dataclass(frozen=True)
class Losses:
    """Test files that go, and modules of whose files none stays and that make none."""

    tests: tuple[str, ...]
    modules: tuple[str, ...]


def losses(plan: Plan) -> Losses:
    """Return what a plan takes away without anything in its place."""
    gone = dict.fromkeys(path for one in plan.modules for path in one.removed)
    return Losses(
        tests=tuple(path for path in gone if is_test(path)),
        modules=tuple(
            one.name
            for one in plan.modules
            if one.removed and not one.new_files and set(one.files) <= set(one.removed)
        ),
    )


def destroyed(
    plan: Plan, instruction: str, paths: Sequence[str], start: Start, context: Context
) -> list[str]:
    """Say what a plan destroys that the instruction does not name, a sentence each.

    Files go that others use; or tests, or the licence; or a large part of the code in scope, which
    is that under `paths`. A file whose path or name the instruction has is named; where a module
    makes files of the same kind, those of it that go are taken to be moved.
    """
    meant = _named(instruction)
    every = dict.fromkeys(path for one in plan.modules for path in one.removed)
    moved = {
        path
        for one in plan.modules
        for path in one.removed
        if any(is_test(new) == is_test(path) for new in one.new_files)
    }
    lost = [path for path in every if path not in moved and not meant(path)]
    said = _sentence("tests", [path for path in lost if is_test(path)])
    said += _sentence("the licence", [path for path in lost if _LICENCE.fullmatch(path)])
    said += _used(lost, {*every, *plan.paths}, context)
    sizes = _code(start, paths)
    return said + _large(sum(sizes.get(path, 0) for path in lost), sum(sizes.values()), "code")


def shrunk(
    changed: Iterable[FileEdit], instruction: str, paths: Sequence[str], start: Start
) -> list[str]:
    """Say of which part of the code in scope, or of its tests, a result leaves nothing, if large.

    Counted in bytes, what is added against what is gone; files that the instruction names and that
    are there no more do not count.
    """
    meant = _named(instruction)
    net = {True: 0, False: 0}
    for each in changed:
        if _is_code(each.path) and not (each.after is None and meant(each.path)):
            net[is_test(each.path)] += len(each.before.data) if each.before is not None else 0
            net[is_test(each.path)] -= len(each.after.data) if each.after is not None else 0
    sizes = _code(start, paths)
    tests = sum(size for path, size in sizes.items() if is_test(path))
    return [
        *_large(_from(net[True]), tests, "tests"),
        *_large(_from(net[True] + net[False]), sum(sizes.values()), "code"),
    ]


def _from(lost: int) -> int:
    return lost if lost >= LEAST_BYTES else 0


def _named(instruction: str) -> Callable[[str], bool]:
    words = {word.strip("./") for word in PATH.findall(instruction)}
    return lambda path: path in words or path.rpartition("/")[2] in words


def _used(lost: Sequence[str], planned: Collection[str], context: Context) -> list[str]:
    said = []
    for path in lost[:SHOWN]:
        try:
            found = context.importers(path, limit=IMPORTERS).items
        except GiveUp:
            continue
        users = dict.fromkeys(one.path for one in found if one.path not in planned)
        if users:
            said.append(f"{shown(path)} goes, which {_listed([*users])} use, and stay as they are.")
    return said


def _is_code(path: str) -> bool:
    """Is it source or a test: neither data nor settings, nor a document?"""
    return language_of(path) is not None and reading_order(path) in _CODE


def _code(start: Start, paths: Sequence[str]) -> dict[str, int]:
    """Return the bytes of each file of code in scope."""
    return {
        one.path: max(0, one.size)
        for one in start.entries
        if _is_code(one.path) and (not paths or under(one.path, paths))
    }


def _large(lost: int, whole: int, what: str) -> list[str]:
    if not whole or lost <= LARGE * whole:
        return []
    return [f"{lost * 100 // whole} % of the {what} in scope goes ({lost:,} of {whole:,} bytes)."]


def _sentence(what: str, paths: Sequence[str]) -> list[str]:
    if not paths:
        return []
    return [f"Of {what} goes what the instruction does not name: {_listed(paths)}."]


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(shown(path) for path in paths[:SHOWN]) + more
