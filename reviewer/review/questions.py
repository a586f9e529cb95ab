"""What a finder's code may ask about the rest of the code: `reviewer.context`, as plain values.

Every answer is a list of dicts of the same keys. What it leaves out stands in a last one, whose
path is "": code that prints the answer prints that, too, and how to see the rest.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from reviewer.context.values import MAX_LIMIT, Answer, Context, Defined, History, Used
from reviewer.errors import GiveUp
from reviewer.parsing.packed import path_of
from reviewer.ports import NoSuchFile, Objects, Rev
from reviewer.rlm.task import Function
from reviewer.text import decode, printable

SHOWN = 20
DEFINITIONS = 8
CODE_LINES = 150
"""Of a definition's own code. It costs nothing unless it is printed."""

OUTLINE = 400
NEAR_FILES = 20
"""Of the node's own files that are asked what they mean by a name."""

T = TypeVar("T")
Row = dict[str, Any]


def questions(
    context: Context, history: History | None, objects: Objects, paths: Sequence[str]
) -> Mapping[str, Function]:
    """Return the functions for a node whose hunks are in `paths`."""

    async def definition(name: str, near: str = "", at: Rev = "head") -> list[Row]:
        """Where a name ("f", "Class.method") is defined: {"path", "start", "end", "kind", "code",
        "certainty"}; `code` ends with a word on how to read on where it was cut. `near`: a file
        that uses it, to get what it means by it alone; by default all that have the name, what
        yours mean first."""

        def ask() -> list[Row]:
            if near and (meant := context.meant(name, near, at)):
                rows = [_defined(each, objects, at) for each in meant[:DEFINITIONS]]
                return _with_rest(rows, Answer(meant, len(meant)), _NO_DEFINITION)
            answer = context.definition(
                name, _near(context, name, near, paths, at), at, DEFINITIONS
            )
            rows = [_defined(each, objects, at) for each in answer.items]
            return _with_rest(rows, answer, _NO_DEFINITION)

        return await _asked(ask, at)

    async def references(
        name: str, near: str = "", at: Rev = "head", limit: int = SHOWN
    ) -> list[Row]:
        """Where a name is used in all code, the surest first: {"path", "line", "text", "scope",
        "kind", "certainty"}. `near`: a file that defines or imports the one that is meant."""

        def ask() -> list[Row]:
            meant = _near(context, name, near, paths, at)
            answer = context.references(name, meant, at, limit)
            return _with_rest([used(each) for each in answer.items], answer, _NO_USE, most=limit)

        return await _asked(ask, at)

    async def callers(
        name: str, near: str = "", depth: int = 1, at: Rev = "head", limit: int = SHOWN
    ) -> list[Row]:
        """Who calls a function, and who calls those, `depth` steps up; as from references()."""

        def ask() -> list[Row]:
            meant = _near(context, name, near, paths, at)
            answer = context.callers(name, meant, depth, at, limit)
            return _with_rest([used(each) for each in answer.items], answer, _NO_USE, most=limit)

        return await _asked(ask, at)

    async def implementations(
        name: str, near: str = "", at: Rev = "head", limit: int = SHOWN
    ) -> list[Row]:
        """What extends a class or implements an interface, or overrides "Class.method"; as from
        definition()."""

        def ask() -> list[Row]:
            meant = _near(context, name, near, paths, at)
            answer = context.implementations(name, meant, at, limit)
            rows = [_defined(each, objects, at) for each in answer.items]
            return _with_rest(rows, answer, _NO_DEFINITION, most=limit)

        return await _asked(ask, at)

    async def importers(path: str, at: Rev = "head", limit: int = SHOWN) -> list[Row]:
        """The files that import a file: {"path", "line", "name"}."""

        def ask() -> list[Row]:
            answer = context.importers(path, at, limit)
            rows = [
                {
                    "path": printable(each.path),
                    "line": each.what.line,
                    "name": printable(each.what.name),
                }
                for each in answer.items
            ]
            nothing = {"path": "", "line": 0, "name": ""}
            return _with_rest(rows, answer, nothing, said="name", most=limit, by_text=False)

        return await _asked(ask, at)

    async def tests_for(what: str, at: Rev = "head", limit: int = SHOWN) -> list[Row]:
        """The tests of a file (by its path) or of a name: {"path", "line", "scope", "why"}."""

        def ask() -> list[Row]:
            answer = context.tests_for(what, at, limit)
            rows = [
                {
                    "path": printable(each.path),
                    "line": each.line,
                    "scope": printable(each.scope),
                    "why": each.why,
                }
                for each in answer.items
            ]
            nothing = {"path": "", "line": 0, "scope": "", "why": ""}
            return _with_rest(rows, answer, nothing, said="why", most=limit, by_text=False)

        return await _asked(ask, at)

    async def outline(path: str, at: Rev = "head") -> list[Row]:
        """What a file defines, without the code: {"name", "kind", "start", "end", "signature"}."""

        def ask() -> list[Row]:
            found = context.extraction(path, at)
            if found.missing:
                raise GiveUp(f"{printable(path)}: {found.missing}; use read()")
            rows = [
                {
                    "name": printable(path_of(each)),
                    "kind": each.kind.value,
                    "start": each.start,
                    "end": each.end,
                    "signature": printable(each.signature),
                }
                for each in found.what.definitions
            ]
            if len(rows) > OUTLINE:
                more = f"… {len(rows) - OUTLINE} more"
                rows = [*rows[:OUTLINE], {"name": more, "kind": "", "start": 0, "end": 0}]
                rows[-1]["signature"] = ""
            return rows

        return await _asked(ask, at)

    found: list[Function] = [
        definition,
        references,
        callers,
        implementations,
        importers,
        tests_for,
        outline,
    ]
    asked: dict[str, Function] = {call.__name__: call for call in found}
    return asked if history is None else {**asked, **_past(history)}


def _past(history: History) -> Mapping[str, Function]:
    async def changed_before(path: str, start: int = 0, end: int = 0) -> list[Row]:
        """The commits that last changed a file, or its lines start..end, as they are at the base:
        {"sha", "date", "author", "subject"}. Says what was, never whether it is right."""

        def ask() -> list[Row]:
            answer = history.history(path, start or None, end or start or None, SHOWN)
            rows = [
                {
                    "sha": each.sha[:12],
                    "date": each.date,
                    "author": printable(each.author),
                    "subject": printable(each.subject),
                }
                for each in answer.items
            ]
            nothing = {"sha": "", "date": "", "author": "", "subject": ""}
            return _with_rest(rows, answer, nothing, said="subject")

        return await asyncio.to_thread(ask)

    async def changed_together(path: str) -> list[Row]:
        """The files that changed in the same recent commits as a file: {"path", "times", "of"}."""

        def ask() -> list[Row]:
            answer = history.changed_together(path, SHOWN)
            rows = [
                {"path": printable(each.path), "times": each.times, "of": each.of}
                for each in answer.items
            ]
            return _with_rest(rows, answer, {"path": "", "times": 0, "of": 0}, said="path")

        return await asyncio.to_thread(ask)

    return {call.__name__: call for call in (changed_before, changed_together)}


_NO_USE: Row = {"path": "", "line": 0, "text": "", "scope": "", "kind": "", "certainty": ""}
_NO_DEFINITION: Row = {"path": "", "start": 0, "end": 0, "kind": "", "code": "", "certainty": ""}


async def _asked(ask: Callable[[], list[Row]], at: Rev) -> list[Row]:
    if at not in {"head", "base"}:
        raise GiveUp(f'at is "head" or "base", not {at!r}')
    return await asyncio.to_thread(ask)


def _near(context: Context, name: str, near: str, paths: Sequence[str], at: Rev) -> str:
    """Return the file whose meaning of a name is asked for: the node's own that has it."""
    if near:
        return near
    first = name.partition(".")[0]
    short = name.rpartition(".")[2]
    imported = ""
    for path in paths[:NEAR_FILES]:
        try:
            found = context.extraction(path, at).what
        except NoSuchFile:  # at that end
            continue
        if any(each.name == short for each in found.definitions):
            return path
        names = {each.alias or each.name for each in found.imports}
        if not imported and (first in names or short in names):
            imported = path
    return imported or (paths[0] if paths else "")


def _defined(each: Defined, objects: Objects, at: Rev) -> Row:
    start, end = each.definition.start, each.definition.end
    try:
        lines = decode(objects.read(each.path, at)).split("\n")[start - 1 : end]
    except GiveUp as error:
        lines = [f"({error})"]
    if len(lines) > CODE_LINES:
        on = f"read({printable(each.path)!r}, {start + CODE_LINES}, {end}, {at!r})"
        lines = [*lines[:CODE_LINES], f"… cut: {len(lines) - CODE_LINES} more lines, by {on}"]
    return {
        "path": printable(each.path),
        "start": start,
        "end": end,
        "kind": each.definition.kind.value,
        "code": printable("\n".join(lines)),
        "certainty": f"{each.certainty.value}: {each.why}",
    }


def used(each: Used) -> Row:
    """Return a use as every answer has it; all of its texts are printable."""
    return {
        "path": printable(each.path),
        "line": each.use.line,
        "text": each.text,
        "scope": printable(each.use.scope),
        "kind": each.use.kind.value,
        "certainty": f"{each.certainty.value}: {each.why}",
    }


def _more(total: int, most: int) -> str:
    """Say how to get the rest of an answer that had a limit of `most`, as far as that goes."""
    if not most or most >= MAX_LIMIT:
        return " More than that no answer has." if most else ""
    return f" For the rest ask with limit={min(total, MAX_LIMIT)}, and filter in code."


def _with_rest(
    rows: list[Row],
    answer: Answer[T],
    empty: Row,
    said: str = "certainty",
    *,
    most: int = 0,
    by_text: bool = True,
) -> list[Row]:
    """Add a row about what is not shown; with `most`, a limit that was asked for, how to get it.

    `by_text`: what a name's answer lacks, a search for that name finds.
    """
    notes = list(answer.notes)
    if notes and most and by_text:
        notes.append("grep(name, under=folder) finds it there by its text.")
    if answer.total > len(rows):
        notes.insert(0, f"… {len(rows)} of {answer.total} shown.{_more(answer.total, most)}")
    if notes:
        rows.append({**empty, said: " ".join(notes)})
    return rows
