"""The files of two trees held in memory, as the engine's `Objects`, with what can go wrong."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping

from reviewer.ports import Entry, Match, MissingBlob, NoSuchFile, Rev


def sha_of(data: bytes) -> str:
    """Return the name that git gives a blob."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


class MemoryObjects:
    """`gone` are blobs that the store lacks, `large` those beyond the cap; `asked` counts reads."""

    def __init__(
        self, head: Mapping[str, bytes | str], base: Mapping[str, bytes | str] | None = None
    ) -> None:
        self._trees: dict[Rev, dict[str, bytes]] = {
            "head": {path: _bytes(data) for path, data in head.items()},
            "base": {path: _bytes(data) for path, data in (head if base is None else base).items()},
        }
        self.gone: set[str] = set()
        self.large: set[str] = set()
        self.asked: list[str] = []
        self.brought: list[list[str]] = []

    def read(self, path: str, at: Rev = "head") -> bytes:
        data = self._trees[at].get(path)
        if data is None:
            raise NoSuchFile(f"There is no {path} at the {at}.")
        if sha_of(data) in self.gone:
            raise MissingBlob(path)
        return data

    def blobs(self, shas: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        known = {sha_of(data): data for tree in self._trees.values() for data in tree.values()}
        for sha in shas:
            self.asked.append(sha)
            if sha in self.gone:
                raise MissingBlob(sha)
            yield sha, None if sha in self.large else known[sha]

    def prefetch(self, shas: Iterable[str]) -> None:
        wanted = list(shas)
        self.brought.append(wanted)
        if not self.gone.isdisjoint(wanted):
            raise MissingBlob("some")

    def entries(self, under: str = "", at: Rev = "head") -> list[Entry]:
        return [
            Entry(path, "100644", sha_of(data), len(data))
            for path, data in sorted(self._trees[at].items())
            if path.startswith(under)
        ]

    def grep(
        self,
        pattern: str,
        at: Rev = "head",
        under: str = "",
        limit: int = 200,
        *,
        literal: bool = False,
    ) -> list[Match]:
        search = re.escape(pattern) if literal else pattern
        return [
            Match(path, number, line.decode())
            for path, data in self._trees[at].items()
            for number, line in enumerate(data.split(b"\n"), 1)
            if re.search(search.encode(), line) and path.startswith(under)
        ][:limit]


def _bytes(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data
