"""The tree that a refactoring has come to: the files of a commit, and what was made of some.

`Overlay` is pure; `Trees` makes of it a change of which context and detectors can be asked.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from reviewer.change import Change
from reviewer.errors import GiveUp
from reviewer.ports import Entry, Objects
from reviewer.refactor.attributes import NAME, Attributes
from reviewer.refactor.patch import Blob, Files

if TYPE_CHECKING:  # whoever only checks paths needs no sandbox
    from reviewer.review.functions import Code

REGULAR = frozenset({"100644", "100755", "100664"})


@dataclass(frozen=True)
class Tree:
    """A tree that can be asked about: as the head of a change; see `Trees` for its base."""

    change: Change
    objects: Objects
    code: "Code"


class Trees(Protocol):
    """Makes trees out of files; the app implements it with git, outside the user's repository."""

    def tree(self, files: Files, since: str = "") -> AbstractContextManager[Tree]:
        """Open the start with these files in it; an empty mapping is the start itself.

        Its base is the start, or the commit `since`.
        """
        ...


@dataclass(frozen=True)
class Start:
    """The commit that is changed. `submodules` are the paths of other repositories in it."""

    objects: Objects
    entries: tuple[Entry, ...]
    submodules: frozenset[str] = frozenset()
    modes: dict[str, str] = field(init=False)
    blobs: dict[str, str] = field(init=False)
    folders: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        modes = {entry.path: entry.mode for entry in self.entries}
        folders = {folder for path in modes for folder in above(path)}
        object.__setattr__(self, "modes", modes)
        object.__setattr__(self, "blobs", {entry.path: entry.sha for entry in self.entries})
        object.__setattr__(self, "folders", frozenset(folders))

    @cached_property
    def folded(self) -> dict[str, str]:
        """The paths by what is left of them where upper and lower case are one."""
        return {path.casefold(): path for path in self.modes}

    @cached_property
    def attributes(self) -> Attributes:
        """What this commit's .gitattributes say; git reads none that is a link."""
        first = Overlay(self)
        found = [path for path in self.modes if path.rpartition("/")[2] == NAME]
        blobs = ((path, first.blob(path)) for path in found)
        return Attributes((path, blob.data) for path, blob in blobs if blob is not None)


class Overlay:
    """The start with some files changed. A value: `over` returns another one."""

    def __init__(self, start: Start, files: Files | None = None) -> None:
        self.start = start
        self.files = dict(files or {})

    def over(self, files: Files) -> "Overlay":
        """Return this tree with more files changed; one that is as at the start is no change."""
        merged = {**self.files, **files}
        return Overlay(self.start, {p: b for p, b in merged.items() if b != self._first(p)})

    def blob(self, path: str) -> Blob | None:
        """Return a regular file as it is now, None where there is none of that path."""
        return self.files[path] if path in self.files else self._first(path)

    def has(self, path: str) -> bool:
        """Is there anything of that path: a file, a link, a folder, another repository?"""
        if path in self.files:
            return self.files[path] is not None
        known = self.start
        if path in known.modes or path in known.submodules:
            return True
        return path in known.folders or any(
            blob is not None and other.startswith(f"{path}/") for other, blob in self.files.items()
        )

    def twin(self, path: str) -> str | None:
        """Return a path that is there and is the same but for upper and lower case.

        Where a file system tells them not apart, one of the two would be lost at the checkout.
        """
        folded = path.casefold()
        first = self.start.folded.get(folded)
        others = (one for one, blob in self.files.items() if blob and one.casefold() == folded)
        known = [one for one in (first, *others) if one is not None and self.has(one)]
        return next((one for one in known if one != path), None)

    def mode(self, path: str) -> str | None:
        """Return the mode of what has that path now; None for nothing, folder or submodule."""
        if path in self.files:
            blob = self.files[path]
            return None if blob is None else blob.mode
        return self.start.modes.get(path)

    def blocked(self, path: str) -> str | None:
        """Return what stands in the way of a file of that path: a file, a link or a submodule."""
        for folder in (path, *above(path)):
            if folder in self.start.submodules:
                return f"{folder} is another repository (a submodule)"
            mode = self.mode(folder)
            if mode is not None and mode not in REGULAR:
                return f"{folder} is a symbolic link"
            if mode is not None and folder != path:
                return f"{folder} is a file, not a folder"
        return None

    def _first(self, path: str) -> Blob | None:
        mode = self.start.modes.get(path)
        if mode not in REGULAR:
            return None
        try:
            return Blob(self.start.objects.read(path, "base"), mode)
        except GiveUp:
            return None


def above(path: str) -> Sequence[str]:
    """Return the folders that a path lies in, the outermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: index + 1]) for index in range(len(parts))]
