"""What the changed lines of some spans call in other files, where it is sure what they mean.

A reader would look up what it returns and raises. A short definition is told whole, of a long one
what it is called with and the first line of what it says of itself.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from reviewer.change import Change, Span
from reviewer.context.values import Certainty, Context, Defined
from reviewer.errors import GiveUp
from reviewer.parsing.symbols import DefKind, UseKind
from reviewer.review.scope import added_lines, quoted, shown_line
from reviewer.text import printable

CALLED = 16
"""Names of one part that are asked for, those in source before those in tests."""

WHOLE_LINES = 12
"""A definition of more is told by its signature."""

LINE_CHARS = 300
_CALLABLE = frozenset({DefKind.FUNCTION, DefKind.METHOD, DefKind.CLASS})
_RECEIVER = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")
_SAYING = re.compile(r"\s*[rRuU]?(?:\"\"\"|''')\s*\S")


def callees(change: Change, spans: Sequence[Span], context: Context) -> list[Defined]:
    """Return the definitions that added lines call, each once, in the order of the lines.

    Those that the change touches are left out: whoever has their hunks is told of them.
    """
    found: dict[tuple[str, int], Defined] = {}
    for path, name in islice(_called(spans, context), CALLED):
        try:
            meant = context.meant(name, path)
        except GiveUp:
            continue
        if len(meant) != 1 or meant[0].certainty is not Certainty.EXACT:
            continue
        (each,) = meant
        if each.path != path and each.definition.kind in _CALLABLE and not _touched(change, each):
            found.setdefault((each.path, each.definition.start), each)
    return list(found.values())


def told_callee(each: Defined, lines: Sequence[str]) -> list[str]:
    """Return what is told of a definition, from the lines of its file; [] if they lack it."""
    of_it = each.definition
    code = lines[of_it.start - 1 : of_it.end]
    if not code:
        return []
    name = _cut(" ".join(of_it.name.split()))
    head = f"--- called: {of_it.kind.value} {name} in {quoted(each.path)}"
    if len(code) <= WHOLE_LINES:
        return [head, *(shown_line(" ", _cut(line)) for line in code)]
    says = next((line for line in code[1:WHOLE_LINES] if _SAYING.match(line)), "")
    signature = " ".join(of_it.signature.split())
    return [head, *(shown_line(" ", _cut(line)) for line in (signature, says) if line), "…"]


def _called(spans: Sequence[Span], context: Context) -> Iterator[tuple[str, str]]:
    """Yield the names that added lines call by an import of their file, and the file, once each."""
    for path, added in added_lines(spans).items():
        try:
            what = context.extraction(path).what
        except GiveUp:
            continue
        imported = {each.alias or each.name or each.module for each in what.imports}
        defined = {each.name for each in what.definitions}
        names: dict[str, None] = {}
        for use in sorted(what.uses, key=lambda use: (use.line, use.column)):
            if use.kind is not UseKind.CALL or use.line not in added:
                continue
            if use.receiver and not _RECEIVER.fullmatch(use.receiver):
                continue
            name = f"{use.receiver}.{use.name}" if use.receiver else use.name
            first = name if name in imported else name.partition(".")[0]
            known = first in imported or (use.receiver and use.receiver in imported)
            if known and first not in defined:
                names[name] = None
        yield from ((path, name) for name in names)


def _touched(change: Change, each: Defined) -> bool:
    """Does the change add or remove a line of a definition?"""
    file = change.by_path.get(each.path)
    if file is None:
        return False
    last = 0
    for hunk in file.hunks:
        for line in hunk.lines:
            last = line.new or last or hunk.new_start
            if line.kind != " " and each.definition.start <= last <= each.definition.end:
                return True
    return False


def _cut(text: str) -> str:
    text = printable(text)
    return text if len(text) <= LINE_CHARS else f"{text[: LINE_CHARS - 1]}…"
