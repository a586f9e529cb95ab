"""What the changed lines of some spans call, where their file says what they mean.

By an import, by what a receiver is of (`Context.meant_by`), or within a package. A reader would
look up what it returns and raises. A short definition is told whole, of a long one what it is
called with and the first line of what it says of itself.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from reviewer.change import Change, Span
from reviewer.context.values import Certainty, Context, Defined
from reviewer.errors import GiveUp
from reviewer.languages import is_test
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, DefKind, Use, UseKind
from reviewer.review.scope import added_lines, quoted, shown_line
from reviewer.text import printable

CALLED = 40
"""Calls of one part that are followed, those in source before those in tests."""

COMMENT_LINES = 40
"""Above a definition, of which the first is told."""

TYPE_LINES = 4
"""Below the first line of a class, where what it says of itself may begin."""

WHOLE_LINES = 12
"""A definition of more is told by its signature."""

LINE_CHARS = 300
_CALLABLE = frozenset({DefKind.FUNCTION, DefKind.METHOD, DefKind.CLASS})
_COMMENT = re.compile(r"\s*(?://|/\*|\*|#(?!\[|include|define|if|endif))")
_WORD = re.compile(r"\w")
_RECEIVER = re.compile(r"\$?[A-Za-z_]\w*(?:\.\w+)*")
_SAYING = re.compile(r"\s*[rRuU]?(?:\"\"\"|''')\s*\S")


def callees(change: Change, spans: Sequence[Span], context: Context) -> list[Defined]:
    """Return the definitions that added lines call, each once, in the order of the lines.

    Those that the change touches are left out: whoever has their hunks is told of them. What a
    test calls is told where an import says it alone.
    """
    found: dict[tuple[str, int], Defined] = {}
    for path, use, imported in islice(_called(spans, context), CALLED):
        try:
            each = _imported(use, path, context) if imported else _received(use, path, context)
        except GiveUp:
            continue
        if each is None or each.definition.kind not in _CALLABLE or _touched(change, each):
            continue
        found.setdefault((each.path, each.definition.start), each)
    return list(found.values())


def _imported(use: Use, path: str, context: Context) -> Defined | None:
    meant = context.meant(_name(use), path)
    if len(meant) != 1 or meant[0].certainty is not Certainty.EXACT or meant[0].path == path:
        return _received(use, path, context)
    return meant[0]


def _received(use: Use, path: str, context: Context) -> Defined | None:
    meant = () if is_test(path) else context.meant_by(use, path)
    return meant[0] if len(meant) == 1 else None


def told_callee(each: Defined, lines: Sequence[str]) -> list[str]:
    """Return what is told of a definition, from the lines of its file; [] if they lack it."""
    of_it = each.definition
    code = lines[of_it.start - 1 : of_it.end]
    if not code:
        return []
    name = _cut(" ".join(path_of(of_it).split()))
    likely = "" if each.certainty is Certainty.EXACT else ", likely"
    head = f"--- called: {of_it.kind.value} {name} in {quoted(each.path)}{likely}"
    said = _comment(lines, of_it.start)
    if len(code) <= WHOLE_LINES:
        return [head, *(shown_line(" ", _cut(line)) for line in (*said, *code))]
    says = [line for line in code[1:WHOLE_LINES] if _SAYING.match(line)][:1]
    signature = " ".join(of_it.signature.split())
    told = (*said, signature, *says)
    return [head, *(shown_line(" ", _cut(line)) for line in told if line), "…"]


def type_lines(of: Definition, lines: Sequence[str]) -> list[int]:
    """Return the numbers of the lines that say what a class is: its own, and what is said of it."""
    found = [of.start]
    said = _comment(lines, of.start)
    found += [number for number in range(of.start - 1, 0, -1) if lines[number - 1] in said][:1]
    body = range(of.start + 1, min(of.end, of.start + TYPE_LINES, len(lines)) + 1)
    found += [number for number in body if _SAYING.match(lines[number - 1])][:1]
    return sorted(found)


def _comment(lines: Sequence[str], start: int) -> list[str]:
    """Return the first line of the comment that ends right above a definition."""
    first = start - 1
    while first > max(0, start - COMMENT_LINES) and _COMMENT.match(lines[first - 1]):
        first -= 1
    said = (line for line in lines[first : start - 1] if _WORD.search(line))
    return list(islice(said, 1))


def _called(spans: Sequence[Span], context: Context) -> Iterator[tuple[str, Use, bool]]:
    """Yield the calls of added lines, each name once, and whether an import gives it."""
    for path, added in added_lines(spans).items():
        try:
            what = context.extraction(path).what
        except GiveUp:
            continue
        imported = {each.alias or each.name or each.module for each in what.imports}
        defined = {each.name for each in what.definitions}
        seen: set[tuple[str, str]] = set()
        for use in sorted(what.uses, key=lambda use: (use.line, use.column)):
            if use.kind is not UseKind.CALL or use.line not in added:
                continue
            if use.receiver and not _RECEIVER.fullmatch(use.receiver):
                continue
            # Two variables of one name in two functions may be of two types.
            key = (_name(use), use.scope if use.receiver else "")
            if key in seen:
                continue
            seen.add(key)
            first = key[0] if key[0] in imported else key[0].partition(".")[0]
            known = first in imported or (use.receiver != "" and use.receiver in imported)
            yield path, use, known and first not in defined


def _name(use: Use) -> str:
    return f"{use.receiver}.{use.name}" if use.receiver else use.name


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
