"""A change between two commits as data: files, hunks, spans, and the lines that take a comment.

This module is the vocabulary and does no I/O; `reviewer.diff` builds a `Change` from git.

Paths are str, decoded UTF-8 with surrogateescape (`reviewer.text`). Line numbers count from 1 as
git counts them: a line ends at b"\\n" and nowhere else (not at CR, U+2028 or form feed).
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import accumulate
from typing import Literal, NamedTuple, overload

from reviewer.finding import Side


class Status(StrEnum):
    """What happened to a file, as `git diff --raw` says it."""

    ADDED = "added"
    DELETED = "deleted"
    MODIFIED = "modified"
    RENAMED = "renamed"
    TYPE_CHANGED = "type-changed"  # file <-> symlink <-> submodule


class Kind(StrEnum):
    """What can be read of a file's change. Only TEXT and SYMLINK have hunks."""

    TEXT = "text"
    SYMLINK = "symlink"  # one hunk: the target's path
    BINARY = "binary"
    SUBMODULE = "submodule"
    EMPTY = "empty"  # added or deleted, with no content
    MODE_ONLY = "mode-only"
    RENAME_ONLY = "rename-only"
    BROKEN = "broken"  # git said something about it that could not be parsed; see FileChange.error


Sign = Literal[" ", "+", "-"]
"""How a hunk marks a line: context, added, deleted."""


class Line(NamedTuple):
    """One line of a hunk. `text` has no newline; `old`/`new` are its numbers, None where absent.

    `newline` is False for a last line that its file leaves without a newline. (A tuple, because
    there are millions: a frozen dataclass takes three times as long to make.)
    """

    kind: Sign
    text: str
    old: int | None
    new: int | None
    newline: bool = True


class Packed(Sequence[Line]):
    """Lines of a hunk as one text, in a fifth of their space; those asked for are made anew.

    A large change has a million lines, which are looked at some twenty times, and kept all the
    while. `old` and `new` are the numbers at which they start.
    """

    __slots__ = ("_bare", "_ends", "_new", "_old", "_signs", "_text")

    def __init__(self, lines: Sequence[Line], old: int, new: int) -> None:
        self._text = "".join(line.text for line in lines)
        self._ends = array("Q", accumulate((len(line.text) for line in lines), initial=0))
        self._signs = "".join(line.kind for line in lines).encode()
        self._old = old
        self._new = new
        self._bare = frozenset(at for at, line in enumerate(lines) if not line.newline)

    def __len__(self) -> int:
        return len(self._signs)

    @overload
    def __getitem__(self, at: int) -> Line: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Line, ...]: ...
    def __getitem__(self, at: int | slice) -> Line | tuple[Line, ...]:
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            return self._between(start, max(start, stop)) if step == 1 else tuple(self)[at]
        place = range(len(self))[at]
        return self._between(place, place + 1)[0]

    def __iter__(self) -> Iterator[Line]:
        return iter(self._between(0, len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash((self._text, self._signs, self._old, self._new))

    def _between(self, start: int, stop: int) -> tuple[Line, ...]:
        lines: list[Line] = []
        make, append, text, ends = Line._make, lines.append, self._text, self._ends
        context = self._signs.count(b" ", 0, start)
        old = self._old + context + self._signs.count(b"-", 0, start)
        new = self._new + context + self._signs.count(b"+", 0, start)
        for at in range(start, stop):
            row, newline = text[ends[at] : ends[at + 1]], at not in self._bare
            match self._signs[at]:
                case 43:  # +
                    append(make(("+", row, None, new, newline)))
                    new += 1
                case 45:  # -
                    append(make(("-", row, old, None, newline)))
                    old += 1
                case _:
                    append(make((" ", row, old, new, newline)))
                    old += 1
                    new += 1
        return tuple(lines)


@dataclass(frozen=True)
class Hunk:
    """One hunk of one file's diff.

    `id` is a digest of the path and the hunk's own lines (and which of its equals in the file it
    is), so that it stays when code elsewhere moves. A count of 0 follows git: the start is then
    the line before. `section` is the heading that git prints behind the second @@.
    """

    id: str
    path: str
    old_start: int
    old_count: int
    new_start: int
    new_count: int
    section: str
    lines: Sequence[Line] = field(repr=False, compare=False)  # `id` stands for them

    def numbers(self, side: Side) -> range:
        """Return the line numbers that the hunk covers on a side; it leaves out none between."""
        if side == "RIGHT":
            return range(self.new_start, self.new_start + self.new_count)
        return range(self.old_start, self.old_start + self.old_count)


@dataclass(frozen=True)
class Span:
    """The unit of coverage: a hunk, or a syntax-aligned piece of one: `hunk.lines[start:stop]`.

    `id` is the hunk's where the span is all of it, else a digest of the path and the span's own
    lines (and which of its equals in the file it is). The spans of a hunk partition it.
    """

    id: str
    hunk: Hunk
    start: int
    stop: int

    @property
    def lines(self) -> Sequence[Line]:
        return self.hunk.lines[self.start : self.stop]

    @property
    def path(self) -> str:
        return self.hunk.path


@dataclass(frozen=True)
class FileChange:
    """One file of a change.

    `path` is the file's path at the head (at the base for a deleted one). Object names are None
    where the file is absent. `hunk_count`, `added` and `deleted` are known without parsing;
    `hunks` parses on first use, this file alone, and raises nothing: a patch that cannot be
    parsed makes the file BROKEN with `error` set when the change is built.
    """

    path: str
    old_path: str | None
    new_path: str | None
    status: Status
    kind: Kind
    old_mode: str | None
    new_mode: str | None
    old_sha: str | None
    new_sha: str | None
    added: int
    deleted: int
    hunk_count: int
    similarity: int | None = None
    error: str | None = None
    parse: Callable[[], tuple[Hunk, ...]] = field(default=lambda: (), repr=False, compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Its paths at both ends, the new one first; one alone where it is new or gone."""
        return tuple(name for name in (self.new_path, self.old_path) if name is not None)

    @cached_property
    def hunks(self) -> tuple[Hunk, ...]:
        return self.parse()

    @cached_property
    def commentable(self) -> dict[Side, frozenset[int]]:
        """The exact lines on which GitHub takes a comment: every line of a hunk, context included.

        RIGHT has the head's numbers of added and context lines, LEFT the base's of deleted and
        context lines.
        """
        left: set[int] = set()
        right: set[int] = set()
        for hunk in self.hunks:
            left.update(hunk.numbers("LEFT"))
            right.update(hunk.numbers("RIGHT"))
        return {"LEFT": frozenset(left), "RIGHT": frozenset(right)}

    def takes_comment(self, side: Side, start_line: int, line: int) -> bool:
        """Would GitHub take a comment on start_line..line? A range must lie within one hunk."""
        return any(
            start_line in numbers and line in numbers and start_line <= line
            for numbers in (hunk.numbers(side) for hunk in self.hunks)
        )

    @cached_property
    def added_lines(self) -> frozenset[int]:
        """The head's numbers of the lines that the change adds."""
        return frozenset(
            line.new
            for hunk in self.hunks
            for line in hunk.lines
            if line.kind == "+" and line.new is not None
        )


@dataclass(frozen=True)
class Change:
    """The three-dot difference of two commits: merge_base..head. Full object names.

    `notes` are sentences for the reader about how it was made (no common ancestor, say).
    """

    base: str
    head: str
    merge_base: str
    files: tuple[FileChange, ...]
    notes: tuple[str, ...] = ()

    @property
    def hunk_count(self) -> int:
        return sum(file.hunk_count for file in self.files)

    def hunks(self) -> Iterator[Hunk]:
        for file in self.files:
            yield from file.hunks

    @cached_property
    def by_path(self) -> dict[str, FileChange]:
        return {file.path: file for file in self.files}
