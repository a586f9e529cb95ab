"""What a finder's code may call: the repository at both ends, read-only and bounded."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reviewer.change import Change, Span
from reviewer.context.values import Context, History
from reviewer.errors import GiveUp
from reviewer.ports import Match, NoSuchFile, NotAllSearched, Objects
from reviewer.review.questions import questions
from reviewer.review.scope import show
from reviewer.rlm.task import Function
from reviewer.text import decode, printable

READ_LINES = 10_000
READ_CHARS = 400_000
"""What one read returns at the most. Generous, because the text stays in the sandbox and only what
is printed costs anything: a class that a cut leaves out looks as if it were not there."""

GREP_LINES = 100
LIST_PATHS = 500

Rev = Literal["head", "base"]


@dataclass(frozen=True)
class Code:
    """What answers questions about the code beyond the hunks, and about what was before them."""

    context: Context
    history: History | None = None


def functions(
    change: Change, objects: Objects, spans: tuple[Span, ...], code: Code | None = None
) -> Mapping[str, Function]:
    """Return the functions for a node that holds `spans`; what asks `code` only where it is."""
    held = {span.id: span for span in spans}

    async def read(path: str, start: int = 1, end: int | None = None, at: Rev = "head") -> str:
        """The text of a file, lines start..end (from 1), at the head or the base of the change.
        Raises ValueError for a path that is not there; its words say where it is."""
        try:
            text = await _text(objects, path, at)
        except NoSuchFile as error:
            raise NoSuchFile(f"{error}{_whereabouts(change, path, at)}") from None
        return _piece(text.split("\n"), start, end)

    async def around(hunk: str, lines: int = 40, at: Rev = "head") -> str:
        """The code around a hunk of yours, by its id, with so many lines before and after it."""
        span = held.get(hunk)
        if span is None:
            raise GiveUp(f"there is no hunk {hunk!r} here; yours are {', '.join(held)}")
        numbers = [n for line in span.lines if (n := line.new if at == "head" else line.old)]
        file = change.by_path[span.path]
        path = file.new_path if at == "head" else file.old_path
        if path is None or not numbers:
            raise GiveUp(f"{printable(span.path)} has no such lines at the {at}")
        text = await _text(objects, path, at)
        piece = _piece(text.split("\n"), max(1, numbers[0] - lines), numbers[-1] + lines)
        return f"== {printable(path)}, around {hunk}, at the {at}\n{piece}"

    async def grep(
        pattern: str, under: str = "", at: Rev = "head", literal: bool = False
    ) -> list[dict[str, Any]]:
        """The first 100 lines that match an extended regular expression, or with literal=True have
        exactly that text, in all files or those under a folder or file, as {"path", "line",
        "text"}; tests and documentation included. A last one whose path is "" is no match: it says
        what is missing. No match at all is []."""
        return await asyncio.to_thread(_found, objects, pattern, at, under, literal=bool(literal))

    async def ls(under: str = "", at: Rev = "head") -> list[str]:
        """The paths of the files below a folder."""
        try:
            entries = await asyncio.to_thread(objects.entries, under, at)
        except NoSuchFile as error:
            return [f"… {error}"]
        paths = [printable(entry.path) for entry in entries[:LIST_PATHS]]
        if len(entries) > LIST_PATHS:
            paths.append(f"… {len(entries) - LIST_PATHS} more: name a folder")
        return paths

    async def changed(under: str = "") -> list[str]:
        """The paths of all the files that the whole change touches, below a folder."""
        prefix = under.rstrip("/") + "/" if under else ""
        paths = [printable(file.path) for file in change.files if file.path.startswith(prefix)]
        more = [f"… {len(paths) - LIST_PATHS} more: name a folder"] if paths[LIST_PATHS:] else []
        return paths[:LIST_PATHS] + more

    async def diff(path: str) -> str:
        """The diff of another file of the change; says so where the change does not touch it."""
        file = change.by_path.get(path)
        if file is None or not file.hunks:
            return f"… the change has no diff of {printable(path)!r}; see changed()"
        whole = tuple(Span(hunk.id, hunk, 0, len(hunk.lines)) for hunk in file.hunks)
        return _piece(show(change, whole).split("\n"), 1, None)

    plain = {call.__name__: call for call in (read, around, grep, ls, changed, diff)}
    if code is None:
        return plain
    paths = list(dict.fromkeys(span.path for span in spans))
    return {**plain, **questions(code.context, code.history, objects, paths)}


def _found(
    objects: Objects, pattern: str, at: Rev, under: str, *, literal: bool
) -> list[dict[str, Any]]:
    notes: list[str] = []
    try:
        matches = objects.grep(pattern, at, under, GREP_LINES, literal=literal)
    except NoSuchFile as error:
        return [_note(str(error))]
    except NotAllSearched as error:
        matches = error.matches
        notes.append(str(error))
    if len(matches) >= GREP_LINES:
        notes.append(f"only the first {GREP_LINES} matches: narrow the pattern or the folder")
    return [*map(_match, matches), *([_note(" ".join(notes))] if notes else [])]


async def _text(objects: Objects, path: str, at: Rev) -> str:
    if at not in {"head", "base"}:
        raise GiveUp(f'at is "head" or "base", not {at!r}')
    return printable(decode(await asyncio.to_thread(objects.read, path, at)))


def _whereabouts(change: Change, path: str, at: Rev) -> str:
    """Say where a file is that one end of the change lacks; "" if it is at neither."""
    for file in change.files:
        if at == "base" and file.new_path == path and file.old_path != path:
            if file.old_path is None:
                return ' It is at the head: the change adds it, and at="head" reads it.'
            return (
                f" At the base it is {printable(file.old_path)!r}: the change moves or copies it."
            )
        if at == "head" and file.old_path == path and file.new_path != path:
            if file.new_path is None:
                return ' It is at the base: the change deletes it, and at="base" reads it.'
            return f" At the head it is {printable(file.new_path)!r}: the change moves it."
    return ""


def _piece(lines: list[str], start: int, end: int | None) -> str:
    """Return lines start..end, bounded, with a word on what was left out."""
    first = max(1, start)
    last = min(len(lines), end if end is not None else len(lines), first + READ_LINES - 1)
    text = "\n".join(lines[first - 1 : last])
    if len(text) > READ_CHARS:
        return f"{text[:READ_CHARS]}\n… cut after {READ_CHARS} characters"
    if end is None and last < len(lines):
        return f"{text}\n… {len(lines) - last} more lines, from {last + 1}"
    return text


def _note(text: str) -> dict[str, Any]:
    """Return a word to the node beside the matches: what is no error should end no turn."""
    return {"path": "", "line": 0, "text": f"… no match but a note: {text}"}


def _match(match: Match) -> dict[str, Any]:
    return {"path": printable(match.path), "line": match.line, "text": printable(match.text)}
