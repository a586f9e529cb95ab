"""What every detector is: a named function from changed files to findings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from reviewer.change import FileChange
from reviewer.finding import Finding
from reviewer.ports import Objects


@dataclass(frozen=True)
class Source:
    """One changed file as a detector sees it: its bytes at both ends, None where absent."""

    file: FileChange
    head: bytes | None
    base: bytes | None


@dataclass(frozen=True)
class Note:
    """A sentence for the reader about something that a detector could not look at."""

    text: str


class Detector(Protocol):
    """Reports only what the change introduced. Never raises for bad input: a file is data."""

    @property
    def name(self) -> str: ...

    def wants(self, file: FileChange) -> bool:
        """Is this a file that the detector can say something about? Cheap: path, mode, kind."""
        ...

    def run(self, sources: Sequence[Source], objects: Objects) -> Iterable[Finding | Note]:
        """Return findings on lines that the change added (or, for a deletion, on LEFT lines)."""
        ...
