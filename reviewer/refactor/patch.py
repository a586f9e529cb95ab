"""A patch: commits in order, each with its files before and after. Pure values, no git."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FILE_MODE = "100644"


@dataclass(frozen=True, slots=True)
class Blob:
    """A regular file: its bytes, and its mode as git writes it."""

    data: bytes
    mode: str = FILE_MODE


Files = Mapping[str, Blob | None]
"""What differs from some tree, by path; None for a file that is gone."""


@dataclass(frozen=True, slots=True)
class FileEdit:
    """One file of a commit; None where it is absent. Before and after are never equal."""

    path: str
    before: Blob | None
    after: Blob | None

    @property
    def status(self) -> Literal["added", "deleted", "modified"]:
        if self.before is None:
            return "added"
        return "deleted" if self.after is None else "modified"


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit: of which module, by whom, why, and its files in path order."""

    module: str
    by: Literal["host", "model"]
    message: str
    files: tuple[FileEdit, ...]


class DoesNotFit(ValueError):
    """A commit's files are not what it says they were before."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Commits on top of one another, the first on top of the tree of `start`."""

    start: str
    commits: tuple[Commit, ...] = ()

    @property
    def files(self) -> dict[str, Blob | None]:
        """What all commits together make of the files that they touch."""
        return {edit.path: edit.after for commit in self.commits for edit in commit.files}

    @property
    def before(self) -> dict[str, Blob | None]:
        """The files that the commits touch, as they are at the start."""
        found: dict[str, Blob | None] = {}
        for commit in self.commits:
            for edit in commit.files:
                found.setdefault(edit.path, edit.before)
        return found

    @property
    def changed(self) -> tuple[FileEdit, ...]:
        """The files that are different in the end, in path order."""
        before, after = self.before, self.files
        return tuple(
            FileEdit(path, before[path], after[path])
            for path in sorted(after)
            if before[path] != after[path]
        )


def apply(patch: Patch, tree: Mapping[str, Blob]) -> dict[str, Blob]:
    """Return the tree with every commit applied; raise DoesNotFit, and change nothing."""
    result = dict(tree)
    for commit in patch.commits:
        for edit in commit.files:
            if result.get(edit.path) != edit.before:
                raise DoesNotFit(edit.path)
            if edit.after is None:
                del result[edit.path]
            else:
                result[edit.path] = edit.after
    return result


def commit_of(
    module: str, by: Literal["host", "model"], message: str, before: Files, after: Files
) -> Commit | None:
    """Return the commit that leads from some files to others; None where nothing differs.

    `before` names every path of `after`.
    """
    edits = tuple(
        FileEdit(path, before[path], after[path])
        for path in sorted(after)
        if before[path] != after[path]
    )
    return Commit(module, by, message, edits) if edits else None
