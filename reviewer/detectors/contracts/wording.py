"""Says what a change breaks, and puts it on a line of the change."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

from reviewer.change import FileChange
from reviewer.detectors.added import MAX_QUOTED_CHARS
from reviewer.detectors.base import Source
from reviewer.detectors.contracts.breaks import Cause, Place
from reviewer.detectors.contracts.differences import FileDifference, moved_to, renamed_to
from reviewer.detectors.contracts.outcomes import Item
from reviewer.finding import MOST_PLACES, Category, Finding, Severity, Side
from reviewer.finding import Place as Other
from reviewer.parsing.symbols import Definition, DefKind, UseKind
from reviewer.text import printable

SHOWN = 3  # places that the text names; it counts the others
_CONFIDENCE = 0.95

_Spot = tuple[str, Side, int | None, str]
"""Path, side, line (None for the whole file) and its text."""


def finding(
    cause: Cause,
    places: Sequence[Place],
    differences: Sequence[FileDifference],
    sources: Mapping[str, Source],
) -> Finding | None:
    """Return what to say about a cause and all its places; None if its file is no changed one.

    It stands at the first caller that the change adds, else where the cause is; as its `places` it
    has the cause, too, and the other callers, as many as there may be. `sources` are the changed
    files by their paths at the head.
    """
    file = next(each for each in differences if each.old and each.old.path == cause.path)
    source = sources.get(file.path)
    if source is None:
        return None
    by_line = {(each.path, each.line): each for each in places}
    places = [by_line[key] for key in sorted(by_line)]
    spots = [_definition(cause, source, file), *(_at(each, sources) for each in places)]
    first = next((each for each in places if _is_added(each, sources)), None)
    spot = spots[0] if first is None else _at(first, sources)
    title, body = _words(cause, places, file, differences)
    severe = any(each.kind is not UseKind.TYPE for each in places)
    path, side, line, evidence = spot
    said = Finding(
        path=printable(path),
        side=side,
        start_line=line,
        line=line,
        category=Category.CONTRACT,
        # What only annotates may be missing until types are checked; the rest fails when it runs.
        severity=Severity.HIGH if severe else Severity.MEDIUM,
        confidence=_CONFIDENCE,
        title=title,
        body=body,
        evidence=evidence,
        source=f"detector:contracts/{_rule(cause)}",
    )
    others = _others(said, [each for each in spots if each != spot])
    return said.model_copy(update={"places": others})


def _others(said: Finding, spots: Sequence[_Spot]) -> tuple[Other, ...]:
    """Return other places of a finding, each with the id that it had if it stood there."""
    seen = Counter([said.id])
    found = []
    for path, side, line, evidence in islice(spots, MOST_PLACES):
        shown = printable(path)
        name = Finding(
            path=shown,
            side=side,
            evidence=evidence,
            category=said.category,
            severity=said.severity,
            confidence=said.confidence,
            title=said.title,
            source=said.source,
            body="",
        ).id
        seen[name] += 1
        told = name if seen[name] == 1 else f"{name}-{seen[name]}"
        found.append(Other(id=told, path=shown, side=side, start_line=line, line=line))
    return tuple(found)


def _rule(cause: Cause) -> str:
    if cause.now is not None:
        return "call"
    return "file" if cause.item is None and not cause.dropped else "name"


# Where -------------------------------------------------------------------------------------------


def _is_added(place: Place, sources: Mapping[str, Source]) -> bool:
    """Does the change itself add this line?"""
    source = sources.get(place.path)
    return source is not None and place.line in source.file.added_lines


def _at(place: Place, sources: Mapping[str, Source]) -> _Spot:
    source = sources.get(place.path)
    shown = "" if source is None else _line(source.file, "RIGHT", place.line)
    return place.path, "RIGHT", place.line, shown or printable(place.text[:MAX_QUOTED_CHARS])


def _definition(cause: Cause, source: Source, file: FileDifference) -> _Spot:
    """Return the changed line that caused it: of the new definition, else of the old one."""
    change = source.file
    if cause.now is not None and file.new is not None and cause.now.path == file.new.path:
        line = _first(cause.now.definition, change.added_lines, change, "RIGHT")
        if line is not None:
            return file.path, "RIGHT", line, _line(change, "RIGHT", line)
    deleted = frozenset(
        each.old for hunk in change.hunks for each in hunk.lines if each.kind == "-" and each.old
    )
    if cause.item is not None:
        line = _first(cause.item.definition, deleted, change, "LEFT")
    else:
        line = file.dropped.get(cause.dropped)
        line = line if line in deleted else None
    if line is None:
        return file.path, "RIGHT", None, ""
    return file.path, "LEFT", line, _line(change, "LEFT", line)


def _first(
    definition: Definition, lines: frozenset[int], change: FileChange, side: Side
) -> int | None:
    """Return the first of some lines in a definition that can be quoted: it is not empty."""
    inside = (line for line in range(definition.start, definition.end + 1) if line in lines)
    return next((line for line in inside if _line(change, side, line).strip()), None)


def _line(change: FileChange, side: Side, number: int) -> str:
    for hunk in change.hunks:
        for line in hunk.lines:
            if (line.new if side == "RIGHT" else line.old) == number:
                return printable(line.text[:MAX_QUOTED_CHARS])
    return ""


# What --------------------------------------------------------------------------------------------


def _words(
    cause: Cause,
    places: Sequence[Place],
    file: FileDifference,
    differences: Sequence[FileDifference],
) -> tuple[str, str]:
    """Return title and text. The title names no caller, and not how many there are: it tells the
    finding from others after a push that moves the callers, or mends some of them."""
    path = printable(cause.path)
    if cause.now is not None and cause.item is not None:
        name = _called(cause.item)
        head = f"`{name}{_list(cause.now.definition)}`"
        was = f"`{name}{_list(cause.item.definition)}`"
        title = f"`{name}` changed in {path}, and not every call fits it"
        return title, f"{was} became {head}. {_each(places)}"
    what, fate = _fate(cause, file, differences)
    return f"{what} {fate}", _each(places)


def _fate(
    cause: Cause, file: FileDifference, differences: Sequence[FileDifference]
) -> tuple[str, str]:
    path = printable(cause.path)
    if cause.dropped:
        name = f"`{printable(cause.dropped)}`"
        return name, f"is no longer offered by {path}, but still taken from there"
    if cause.item is None:
        if file.new is not None:
            return f"`{path}`", f"was moved to {printable(file.new.path)}, but not all uses were"
        return f"`{path}`", "was removed, but is still used"
    name = f"`{_called(cause.item)}`"
    if moved := moved_to(differences, cause.item):
        return name, f"was moved to {printable(moved)} from {path}, but not all uses were"
    if new := renamed_to(file, cause.item.definition):
        return name, f"was renamed to `{printable(new)}` in {path}, but not in all uses"
    return name, f"was removed from {path}, but is still used"


def _called(item: Item) -> str:
    """Return the name of what is called or used, with the class it is in."""
    each = item.definition
    owner = each.scope.rpartition(".")[2]
    if each.kind is DefKind.METHOD and owner:
        return printable(f"{owner}.{each.name}")
    return printable(each.name)


def _list(definition: Definition) -> str:
    marks = {"*args": "*", "**kwargs": "**"}
    shown = [
        f"{marks.get(each.how, '')}{each.name}{'' if each.required or each.how in marks else '='}"
        for each in (definition.parameters or ())[:12]
    ]
    return printable(f"({', '.join(shown)})")


def _each(places: Sequence[Place]) -> str:
    lines = [f"{_place(each)}{f' {each.why}' if each.why else ''}" for each in places[:SHOWN]]
    more = len(places) - SHOWN
    ending = f", and {more} more" if more > 0 else ""
    return f"Not adapted: {'; '.join(lines)}{ending}."


def _place(place: Place) -> str:
    return f"`{printable(place.path)}:{place.line}`"
