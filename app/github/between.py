"""What became of files and lines from an earlier head of a pull request to this one, by the API.

A comparison of GitHub's begins at the merge base of its two commits. Where that is the earlier head
(a push), one comparison says all; after a rebase or a force push two do, back to where both heads
grew from and forward again. It knows renames as git does, by what is alike.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from app.github.client import Hub, checked_name
from app.github.errors import Refused, Unsure, calls
from reviewer.finding import Side
from reviewer.languages import is_prose

MOST_HEADS = 10
"""Earlier heads that one publication asks about; of others nothing is known."""

MOST_COMMITS = 10
"""Commits between two heads that are looked at one by one."""

MOST_FILES = 300
"""GitHub compares no more, and does not say that there are."""

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")

Open = Callable[[], AbstractContextManager[Hub]]
"""Opens GitHub with permission to read the repository's contents."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class _Named(_Part):
    sha: str


class _File(_Part):
    """`sha` is the name of the blob, None or "" where the file is gone."""

    filename: str
    previous_filename: str | None = None
    status: str
    sha: str | None = None
    changes: int = 0
    patch: str | None = None


class _Commit(_Part):
    sha: str
    parents: list[_Named] = []
    files: list[_File] = []


class _Comparison(_Part):
    merge_base_commit: _Named
    total_commits: int = Field(ge=0)
    commits: list[_Commit] = []
    files: list[_File] = []


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a file, from 1; an empty stretch (`end` before `start`) is where they were."""

    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines old[i:j], counted from 0, that are new[k:l] now; either may be none."""

    i: int
    j: int
    k: int
    l: int  # noqa: E741


@dataclass(frozen=True, slots=True)
class Became:
    """What became of lines: `lines` where they are now, None where only the `path` is known.

    `path` is None where the file is gone; `changed` if an edit touches the lines.
    """

    path: str | None
    lines: Lines | None = None
    changed: bool = True


@dataclass(frozen=True, slots=True)
class Since:
    """What lies between an earlier head and this one. `commits` are None where they are not known:
    the heads have parted, or have too many between them."""

    forward: Sequence[_File]
    back: Sequence[_File]
    straight: bool
    commits: Sequence[str] | None

    def of(self, lines: Lines) -> Became | None:
        """Return what became of lines of the earlier head; None if it cannot be told."""
        if max(len(self.forward), len(self.back)) >= MOST_FILES:
            return None
        before = next((one for one in self.back if one.filename == lines.path), None)
        return _moved(self.forward, lines) if before is None else self._over(before, lines)

    def _over(self, before: _File, lines: Lines) -> Became | None:
        """Return what became of lines of a file that this and the earlier head do not share."""
        if same := _same_content(before, self.forward):
            return Became(same, Lines(same, lines.start, lines.end), changed=False)
        if before.status == "added":  # on this branch alone: nothing ties the lines of both
            there = any(one.filename == lines.path for one in self.forward)
            return Became(lines.path if there else None)
        path, edits = before.previous_filename or lines.path, edits_of(before)
        turned = [Edit(one.k, one.l, one.i, one.j) for one in edits or ()]
        moved, changed = shifted(turned, lines.start, lines.end)
        found = _moved(self.forward, Lines(path, *moved))
        if found is None or found.lines is None:
            return found
        if edits is None:
            return Became(found.path)
        return Became(found.path, found.lines, changed or found.changed)


@dataclass(slots=True)
class Heads:
    """The earlier heads that are asked about, each once, when somebody wants to know."""

    open: Open
    repository: str
    head: str
    _known: dict[str, Since | None] = field(default_factory=dict)
    _commits: dict[str, _Commit] = field(default_factory=dict)

    def since(self, commit: str) -> Since | None:
        """Return what lies between an earlier head and this one; None where that is not told."""
        if commit not in self._known:
            if len(self._known) >= MOST_HEADS or _SHA.fullmatch(commit) is None:
                return None
            self._known[commit] = self._asked(commit)
        return self._known[commit]

    def became(self, commit: str, lines: Lines, side: Side) -> Became | None:
        """Return what became of lines of an earlier head, or (LEFT) of what it was compared with;
        None if nobody can tell."""
        since = self.since(commit)
        became = since.of(lines) if since else None
        if became is None or side == "RIGHT":
            return became
        return Became(became.path)  # the lines are those of the merge base

    def changed_by(self, commit: str, lines: Lines) -> str:
        """Return the last commit since an earlier head that touched its lines, "" if unknown."""
        touched = ""
        for one in self._one_by_one(commit):
            became = _moved(one.files, lines)
            if became is None or len(one.files) >= MOST_FILES:
                return ""
            if became.changed:
                touched = one.sha
            if became.lines is None:
                return touched if one.sha == self.head else ""
            lines = became.lines
        return touched

    def mentioned_by(self, commit: str, names: Sequence[str]) -> str:
        """Return the one commit since an earlier head that changed lines with one of the names;
        "" if there are several, or it is not known."""
        found = [one.sha for one in self._one_by_one(commit) if mentions(one.files, names)]
        return found[0] if len(found) == 1 else ""

    def _one_by_one(self, commit: str) -> list[_Commit]:
        """Return the commits since an earlier head with their files; none where nobody tells."""
        since = self.since(commit)
        if since is None or since.commits is None:
            return []
        doing = "read a commit"
        try:
            with self.open() as hub:
                for name in since.commits:
                    if name not in self._commits:
                        path = f"/repos/{checked_name(self.repository)}/commits/{name}"
                        answer = hub.ask(doing, "GET", path)
                        with calls(hub.server, doing):
                            self._commits[name] = _Commit.model_validate(answer)
        except (Refused, Unsure):
            return []
        return [self._commits[name] for name in since.commits]

    def _asked(self, commit: str) -> Since | None:
        if commit == self.head:
            return Since((), (), straight=True, commits=())
        try:
            with self.open() as hub:
                forward = self._compared(hub, commit, self.head)
                straight = forward.merge_base_commit.sha == commit
                back = None if straight else self._compared(hub, self.head, commit)
        except (Refused, Unsure):  # an outage of comparisons keeps nobody from speaking
            return None
        commits = None
        in_line = all(len(one.parents) == 1 for one in forward.commits)
        if straight and in_line and forward.total_commits == len(forward.commits) <= MOST_COMMITS:
            commits = [one.sha for one in forward.commits if _SHA.fullmatch(one.sha)]
        return Since(forward.files, back.files if back else (), straight, commits)

    def _compared(self, hub: Hub, base: str, head: str) -> _Comparison:
        doing = "compare two heads"
        path = f"/repos/{checked_name(self.repository)}/compare/{base}...{head}"
        answer = hub.ask(doing, "GET", path)
        with calls(hub.server, doing):
            return _Comparison.model_validate(answer)


def mentions(files: Sequence[_File], names: Sequence[str]) -> bool:
    """Do changed lines of code have one of these names as a word of theirs? Prose mends nothing."""
    if not names:
        return False
    wanted = re.compile(rf"^[+-].*\b(?:{'|'.join(map(re.escape, names))})\b", re.MULTILINE)
    return any(wanted.search(one.patch or "") for one in files if not is_prose(one.filename))


def edits_of(file: _File) -> list[Edit] | None:
    """Return what a patch changes, without its context; None where the API shows no patch."""
    if file.patch is None:
        return [] if file.status == "renamed" and not file.changes else None
    edits: list[Edit] = []
    old = new = i = k = 0
    for line in [*file.patch.split("\n"), " "]:
        if line.startswith("-"):
            old += 1
        elif line.startswith("+"):
            new += 1
        elif (hunk := _HUNK.match(line)) or line.startswith(" "):
            if (i, k) != (old, new):
                edits.append(Edit(i, old, k, new))
            if hunk:  # a side without lines names the line before it
                old = int(hunk[1]) - (hunk[2] != "0")
                new = int(hunk[3]) - (hunk[4] != "0")
            else:
                old, new = old + 1, new + 1
            i, k = old, new
    return edits


def shifted(edits: Sequence[Edit], start: int, end: int) -> tuple[tuple[int, int], bool]:
    """Return where lines start..end are after some edits, and whether one touches them.

    Lines that an edit replaces are all that it puts in their place.
    """
    a, b = start - 1, end
    touching = [one for one in edits if _touches(one, a, b)]
    first, last = _shift(edits, a), b + _grown(one for one in edits if one.j <= b and one.i < b)
    if touching:
        if touching[0].i <= a:
            first = touching[0].k
        if touching[-1].j >= b:
            last = touching[-1].l
    return (first + 1, max(first, last)), bool(touching)


def _touches(edit: Edit, a: int, b: int) -> bool:
    if a == b:
        return edit.i <= a <= edit.j
    return (edit.i < b and a < edit.j) or a < edit.i == edit.j < b


def _shift(edits: Sequence[Edit], at: int) -> int:
    return at + _grown(one for one in edits if one.j <= at)


def _grown(edits: Iterable[Edit]) -> int:
    return sum((one.l - one.k) - (one.j - one.i) for one in edits)


def _moved(files: Sequence[_File], lines: Lines) -> Became | None:
    """Return what became of lines in one comparison."""
    old = [one for one in files if (one.previous_filename or one.filename) == lines.path]
    file = next((one for one in old if one.status not in {"added", "copied"}), None)
    if file is None:
        return Became(lines.path, lines, changed=False)
    if file.status == "removed":
        return Became(None)
    edits = edits_of(file)
    if edits is None:
        return Became(file.filename)
    (start, end), changed = shifted(edits, lines.start, lines.end)
    return Became(file.filename, Lines(file.filename, start, end), changed)


def _same_content(before: _File, files: Sequence[_File]) -> str | None:
    """Return the path at which the file has the very same content now."""
    if not before.sha or before.status == "removed":
        return None
    same = [one.filename for one in files if one.sha == before.sha and one.status != "removed"]
    return before.filename if before.filename in same else next(iter(same), None)
