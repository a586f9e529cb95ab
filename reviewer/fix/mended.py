"""What was mended before, as those who come later are told of it. Pure.

The titles are a reviewer's and the lines are code: data, bounded, to be shown set apart.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from reviewer import linediff
from reviewer.fix.values import Closed
from reviewer.refactor.apply import readable
from reviewer.refactor.patch import Blob, Commit, FileEdit
from reviewer.refactor.tree import Overlay
from reviewer.review.scope import quoted

MOST_TOLD = 20
"""Findings, those of the files that matter first, and among them the latest."""

MOST_LINES = 12
"""Of what one patch has made of the files that matter."""

LINE_CHARS = 200
TITLE_CHARS = 300
TOLD_CHARS = 6_000
"""Of all lines together: titles are told beyond it, code is not."""


@dataclass(frozen=True)
class Mended:
    """A finding that a patch of this run has closed: its id and title, and that patch."""

    id: str
    title: str
    files: tuple[FileEdit, ...]

    def touches(self, paths: Collection[str]) -> bool:
        """Does its patch change any of these files?"""
        return any(edit.path in paths for edit in self.files)


def mended(closed: Sequence[Closed], commits: Sequence[Commit]) -> tuple[Mended, ...]:
    """Return what patches have closed, in their order; `commits` are those of `closed`."""
    return tuple(
        Mended(one.id, one.title, commit.files) for one, commit in zip(closed, commits, strict=True)
    )


def told_mended(some: Sequence[Mended], paths: Collection[str], tree: Overlay) -> str:
    """Return what was mended, with its lines in the files of `paths` as they are in the tree now.

    "" for nothing.
    """
    latest = list(reversed(some))
    latest.sort(key=lambda one: not one.touches(paths))  # stable
    said, room = list[str](), TOLD_CHARS
    for one in latest[:MOST_TOLD]:
        title = " ".join(one.title.split())[:TITLE_CHARS]
        code = _code(one, paths, tree)
        code = code if len(code) <= room else ""
        room -= len(code)
        said.append(f"- {one.id}, {_names(one)}: {title}{code}")
    if latest[MOST_TOLD:]:
        said.append(f"- and {len(latest) - MOST_TOLD} more")
    return "\n".join(said)


def _names(one: Mended) -> str:
    first, *more = (quoted(edit.path) for edit in one.files)
    return f"{first} and {len(more)} more" if more else first


def _code(one: Mended, paths: Collection[str], tree: Overlay) -> str:
    said, left = "", MOST_LINES
    for edit in one.files:
        if edit.path not in paths:
            continue
        now = _rows(tree.blob(edit.path))
        numbers = _numbers(edit, now)
        for number in numbers[:left]:
            said += f"\n    {quoted(edit.path)}, line {number}: |{now[number - 1][:LINE_CHARS]}"
        if numbers[left:]:
            said += f"\n    {quoted(edit.path)}: and {len(numbers) - left} more lines"
        left -= len(numbers[:left])
    return said


def _numbers(edit: FileEdit, now: Sequence[str]) -> list[int]:
    """Return the numbers that lines of a patch have now, from 1, without those changed since."""
    before, after = _rows(edit.before), _rows(edit.after)
    new = {
        line
        for kind, _, _, start, end in linediff.spans(before, after)
        if kind != "equal"
        for line in range(start, end)
        if after[line].strip()
    }
    return [
        start + line - first + 1
        for kind, first, last, start, _ in linediff.spans(after, now)
        if kind == "equal"
        for line in range(first, last)
        if line in new
    ]


def _rows(blob: Blob | None) -> list[str]:
    return readable(blob.data).split("\n") if blob is not None else []
