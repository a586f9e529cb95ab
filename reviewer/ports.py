"""The seams of the engine: what it needs from outside, as Protocols that the app implements."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from reviewer.errors import GiveUp

Rev = Literal["head", "base"]
"""Which end of the change: its head, or its merge base."""


class NoSuchFile(GiveUp):
    """There is no regular file of that path at that commit (or the path leaves the tree)."""


class FileTooLarge(GiveUp):
    """The file is larger than the reader's cap."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One blob of a tree. `path` is decoded UTF-8 with surrogateescape; `size` is in bytes."""

    path: str
    mode: str
    sha: str
    size: int


@dataclass(frozen=True, slots=True)
class Match:
    """One line that a grep found. `line` counts from 1."""

    path: str
    line: int
    text: str


class Objects(Protocol):
    """The files of one repository at the two ends of a change: read-only, from the object store.

    Implementations are thread-safe, never touch a work tree, never follow a symlink, and confine
    every path to the tree. All text sizes are in bytes.
    """

    def read(self, path: str, at: Rev = "head") -> bytes:
        """Return the bytes of a file; raise NoSuchFile or FileTooLarge."""
        ...

    def blobs(self, shas: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield blobs by their full names, in the order asked; None for one larger than the cap.

        Raise NoSuchFile for one that is not in the store.
        """
        ...

    def entries(self, under: str = "", at: Rev = "head") -> list[Entry]:
        """Return the blobs below a folder ("" is the root), in path order."""
        ...

    def grep(
        self, pattern: str, at: Rev = "head", under: str = "", limit: int = 200
    ) -> list[Match]:
        """Return the lines matching an extended regular expression, at most `limit`.

        Raise GiveUp with git's own words for a pattern that is no regular expression.
        """
        ...


class Cancelled(Protocol):
    """Asked between steps: has somebody told this run to stop?"""

    def __call__(self) -> bool: ...
