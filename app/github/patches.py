"""A patch for those who cannot have it as a branch: as text, and as suggestions at lines.

What the files were before is read from GitHub by the names of their blobs. Everything here is
bounded: a patch that is larger than a comment is had where the run is shown.
"""

import base64
import binascii
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from github.PullRequest import ReviewComment
from pydantic import BaseModel, ConfigDict, Field

from app.github.client import Hub, checked_name
from app.github.errors import calls, misfit
from app.github.git_trees import Trees
from app.plumbing import Plumbing
from app.written import Written, WrittenFile, blob_id
from reviewer import linediff
from reviewer.refactor.patch import Blob, Files

MOST_FILES = 60
MOST_BYTES = 1_000_000
"""Of what is read to show a patch. A comment holds a fraction of it."""

MOST_LINES = 60
"""Of one suggestion."""

NEAR_LINES = 2
"""Changes with so few lines between them are one suggestion."""


class _Blob(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    size: Annotated[int, Field(ge=0)]
    encoding: Literal["base64"]
    content: str


@dataclass(frozen=True, slots=True)
class Change:
    """One file that a patch changes, before and after; None where it is absent."""

    path: str
    before: Blob | None
    after: Blob | None


def changes_of(hub: Hub, repository: str, trees: Trees, written: Written) -> list[Change] | None:
    """Return what a patch makes of the files that it touches; None where that is too much to read.

    Raise one of `app.github.errors`, NotThere where the start is gone.
    """
    if len(written.before) > MOST_FILES:
        return None
    found, room = [], MOST_BYTES
    for path, name in sorted(written.before.items()):
        before, after = None, _after(written.files[path])
        if name:
            data = read_blob(hub, repository, name, written.start)
            entry = trees.at(written.start, path)
            mode = "100644" if entry is None or entry == "blocked" else entry.mode
            before = Blob(data, mode)
        room -= sum(len(one.data) for one in (before, after) if one is not None)
        if room < 0:
            return None
        if before != after:
            found.append(Change(path, before, after))
    return found


def _after(one: WrittenFile) -> Blob | None:
    return Blob(one.raw, one.mode) if one.mode else None


def read_blob(hub: Hub, repository: str, name: str, like: str) -> bytes:
    """Return what a blob holds, in a repository whose commits have names `like` this one.

    Raise one of `app.github.errors`.
    """
    doing = "read a file"
    answer = hub.ask(doing, "GET", f"/repos/{checked_name(repository)}/git/blobs/{name}")
    with calls(hub.server, doing):
        blob = _Blob.model_validate(answer)
    try:
        data = base64.b64decode(blob.content)
    except binascii.Error as error:
        raise misfit(hub.server, doing) from error
    if blob_id(data, like) != name:
        raise misfit(hub.server, doing)
    return data


# As text -----------------------------------------------------------------------------------------


def diff_text(changes: list[Change], start: str) -> str | None:
    """Return a patch as `git apply` takes it; None where it is no text.

    Git itself writes it, in a repository that holds these files and nothing else.
    """
    with tempfile.TemporaryDirectory(prefix="rlm-patch-") as name:
        git = Plumbing.alone(Path(name), start)
        before: Files = {one.path: one.before for one in changes if one.before is not None}
        after: Files = {one.path: one.after for one in changes}
        base = git.root(before)
        raw = git.run(
            "diff",
            "--binary",
            "--full-index",
            "--no-renames",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            base,
            git.snapshot(base, after),
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


# At lines ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines of a file, numbered from 1, and the text that takes their place."""

    path: str
    start_line: int
    line: int
    text: str

    def comment(self, body: str) -> ReviewComment:
        """Return the comment at these lines."""
        made: ReviewComment = {
            "path": self.path,
            "body": body,
            "side": "RIGHT",
            "line": self.line,
        }
        if self.start_line < self.line:  # equal ones are refused
            made["start_line"] = self.start_line
            made["start_side"] = "RIGHT"
        return made


def hunks(changes: list[Change]) -> Iterator[Hunk]:
    """Yield the parts of a patch that are a replacement of lines, file by file.

    A new file, a deleted one, another mode, and bytes that are no plain text are none.
    """
    for one in changes:
        if one.before is None or one.after is None or one.before.mode != one.after.mode:
            continue
        old, new = _lines(one.before.data), _lines(one.after.data)
        if old and new:
            yield from _replacements(one.path, old, new)


def _lines(data: bytes) -> list[str] | None:
    """Return the lines of a text with their ends; None for what a comment cannot hold as it is."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if "\r" in text or "\0" in text or not text.endswith("\n"):
        return None
    return [f"{line}\n" for line in text.removesuffix("\n").split("\n")]


def _replacements(path: str, old: list[str], new: list[str]) -> Iterator[Hunk]:
    for span in _spans(old, new):
        start, end, to_start, to_end = _anchored(*span)
        if end - start <= MOST_LINES and to_end - to_start <= MOST_LINES:
            yield Hunk(path, start + 1, end, "".join(new[to_start:to_end]))


_Span = tuple[int, int, int, int]
"""Lines of the old text and those that take their place, each from the first to behind the last."""


def _spans(old: list[str], new: list[str]) -> list[_Span]:
    spans: list[_Span] = []
    for kind, start, end, to_start, to_end in linediff.spans(old, new):
        if kind == "equal":
            continue
        if spans and start - spans[-1][1] <= NEAR_LINES:
            first, _, to_first, _ = spans.pop()
            spans.append((first, end, to_first, to_end))
        else:
            spans.append((start, end, to_start, to_end))
    return spans


def _anchored(start: int, end: int, to_start: int, to_end: int) -> _Span:
    """Return a span that has a line: what comes in anew stands below the line before it."""
    if start < end:
        return start, end, to_start, to_end
    if start > 0:
        return start - 1, end, to_start - 1, to_end
    return start, end + 1, to_start, to_end + 1
