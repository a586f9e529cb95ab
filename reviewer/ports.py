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


class MissingBlob(GiveUp):
    """The tree names a file's content, and it is not here: `prefetch` may bring it."""


class NotAllSearched(MissingBlob):
    """Some files of a search are not here and cannot be had; `matches` are those of the others."""

    def __init__(self, problem: str, matches: "list[Match]") -> None:
        super().__init__(problem)
        self.matches = matches


@dataclass(frozen=True, slots=True)
class Entry:
    """One blob of a tree. `path` is decoded UTF-8 with surrogateescape.

    `size` is in bytes, -1 for a blob that is not here: it comes with the blob.
    """

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
        """Return the bytes of a file, brought if they are not here.

        Raise NoSuchFile, FileTooLarge, or MissingBlob where they cannot be brought.
        """
        ...

    def blobs(self, shas: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield blobs by their full names, in the order asked; None for one larger than the cap.

        Raise MissingBlob for one that is not in the store: bring them all by `prefetch` before.
        """
        ...

    def prefetch(self, shas: Iterable[str]) -> None:
        """Bring the blobs that are not here, many at a time; return when they are.

        Does nothing for a local repository. May be called from several threads: what each wants is
        brought together, and few blobs do not wait for many. Raise MissingBlob if some cannot be
        brought, after the others were; GiveUp when the reader is closed meanwhile.
        """
        ...

    def entries(self, under: str = "", at: Rev = "head") -> list[Entry]:
        """Return the blobs below a folder ("" is the root), in path order.

        Never waits for the network, and needs none of the blobs.
        """
        ...

    def grep(
        self,
        pattern: str,
        at: Rev = "head",
        under: str = "",
        limit: int = 200,
        *,
        literal: bool = False,
    ) -> list[Match]:
        """Return the lines matching an extended regular expression, at most `limit`.

        `literal`: the lines that have it as it stands. Files that are not here are brought first.
        Raise GiveUp with git's own words for a pattern that is no regular expression, and
        MissingBlob where not all files can be searched: NotAllSearched with what the others have.
        """
        ...


class Cancelled(Protocol):
    """Asked between steps: has somebody told this run to stop?"""

    def __call__(self) -> bool: ...
