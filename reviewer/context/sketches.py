"""All sketches of a repository in memory: which of its blobs have these words?

They lie in segments of some thousand blobs, as the store keeps them, one array of numbers each. A
question goes through all the numbers: 40 MB for 30,000 files, a few milliseconds. An index by word
would answer in microseconds and take four times the memory.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reviewer.context.words import Numbers

SEGMENT_BLOBS = 4000
"""What is sketched before it is kept: what a run that is killed loses, some two seconds of work."""

_FEW = 8
"""Up to so many words, comparing with each is quicker than looking up what could be any."""


@dataclass(frozen=True)
class Segment:
    """The sketches of some blobs: those of `sha(i)` are `numbers[starts[i]:starts[i + 1]]`.

    `names` are the blobs' names in one string, `width` bytes each: as objects they would take four
    times that.
    """

    names: bytes
    width: int
    starts: NDArray[np.int64]
    numbers: Numbers

    @classmethod
    def of(cls, shas: Sequence[bytes], sketches: Sequence[Numbers]) -> "Segment":
        """Join the sketches of these blobs."""
        starts = np.zeros(len(shas) + 1, dtype=np.int64)
        np.cumsum([len(each) for each in sketches], out=starts[1:])
        numbers = np.concatenate(sketches) if sketches else np.empty(0, dtype=np.uint32)
        return cls(b"".join(shas), len(shas[0]) if shas else 1, starts, numbers)

    @property
    def shas(self) -> Iterator[bytes]:
        """The blobs' names, in order."""
        return (self.sha(number) for number in range(len(self.starts) - 1))

    def sha(self, number: int) -> bytes:
        """Return the name of one blob."""
        return self.names[number * self.width : (number + 1) * self.width]

    def having(self, wanted: Numbers) -> Iterator[tuple[int, bytes]]:
        """Yield each (number, blob) where the blob has that word; `wanted` is sorted."""
        at = self._places(wanted)
        blobs = np.searchsorted(self.starts, at, side="right") - 1
        for number, blob in zip(self.numbers[at].tolist(), blobs.tolist(), strict=True):
            yield number, self.sha(blob)

    def _places(self, wanted: Numbers) -> NDArray[np.intp]:
        if len(wanted) <= _FEW:
            places = [np.flatnonzero(self.numbers == number) for number in wanted]
            return np.concatenate(places) if places else np.empty(0, dtype=np.intp)
        # By their upper halves first: of 100 words that leaves one number in 600 to look at.
        upper = np.zeros(1 << 16, dtype=np.bool_)
        upper[wanted >> 16] = True
        maybe = np.flatnonzero(upper[self.numbers >> 16])
        return maybe[np.isin(self.numbers[maybe], wanted)]


class Sketches:
    """A growing list of segments. Reading is safe while another thread adds."""

    def __init__(self, segments: Iterable[Segment] = ()) -> None:
        self._segments = tuple(segments)

    def absent(self, shas: Iterable[bytes]) -> list[bytes]:
        """Return those of some blobs that have no sketch here, in their order."""
        known = {sha for segment in self._segments for sha in segment.shas}
        return [sha for sha in shas if sha not in known]

    def add(self, segment: Segment) -> None:
        """Add the sketches of more blobs."""
        self._segments = (*self._segments, segment)

    def having(self, words: Iterable[int]) -> dict[int, set[bytes]]:
        """Return, for each word, the blobs that have it."""
        found: dict[int, set[bytes]] = {number: set() for number in words}
        wanted = np.array(sorted(found), dtype=np.uint32)
        for segment in self._segments:
            for number, sha in segment.having(wanted):
                found[number].add(sha)
        return found
