"""A `Context` over two trees held in memory: everything is read, and nothing is ranked.

Only what a detector decides by: extractions, words, imports. What ranks is not answered here.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from reviewer.context.resolving import TreeResolver, resolver
from reviewer.context.values import (
    Answer,
    Defined,
    Extracted,
    Imported,
    Importing,
    Missing,
    Used,
)
from reviewer.languages import Language, language_of
from reviewer.parsing.extract import extract
from reviewer.parsing.languages import STRATEGIES
from reviewer.parsing.symbols import Extraction, Use
from reviewer.parsing.worker import MAX_FILE_BYTES, Parsers
from reviewer.ports import Cancelled, NoSuchFile, Rev

_WORD = re.compile(rb"[^\W\d][\w$]*[?!]?")


@lru_cache(maxsize=50_000)
def _extraction(data: bytes, language: Language) -> Extraction:
    return extract(data, language)


@lru_cache(maxsize=50_000)
def _words(data: bytes) -> frozenset[bytes]:
    found = set(_WORD.findall(data))
    return frozenset(found | {word.rstrip(b"?!") for word in found})


class Trees:
    """The files of two trees, each a mapping from paths to bytes; `refused` are never read."""

    def __init__(
        self,
        head: Mapping[str, bytes],
        base: Mapping[str, bytes],
        refused: frozenset[str] = frozenset(),
    ) -> None:
        self._files: dict[Rev, Mapping[str, bytes]] = {"head": head, "base": base}
        self._refused = refused
        self._resolvers: dict[Rev, TreeResolver] = {}

    def extraction(self, path: str, at: Rev = "head") -> Extracted:
        data = self._files[at].get(path)
        language = language_of(path)
        if data is None or language not in STRATEGIES:
            raise NoSuchFile(path)
        if path in self._refused or len(data) > MAX_FILE_BYTES:
            return Extracted(path, missing="not read")
        return Extracted(path, _extraction(data, language))

    @property
    def parsers(self) -> Parsers:
        raise AssertionError("nothing is parsed in processes here")

    def ahead(self, paths: Iterable[str], cancelled: Cancelled, at: Rev = "head") -> None:
        pass

    def mentioning(self, names: tuple[str, ...], at: Rev = "head") -> dict[str, tuple[str, ...]]:
        words = {
            path: _words(data) for path, data in self._sources(at) if path not in self._refused
        }
        return {
            name: tuple(sorted(path for path in words if name.encode() in words[path]))
            for name in names
        }

    def unread(self, at: Rev = "head") -> tuple[Missing, ...]:
        return tuple(
            Missing(path, "not read")
            for path, data in self._sources(at)
            if path in self._refused or len(data) > MAX_FILE_BYTES
        )

    def resolver(self, at: Rev = "head") -> TreeResolver:
        if at not in self._resolvers:
            self._resolvers[at] = resolver(self._files[at], self._files[at].get)
        return self._resolvers[at]

    def imports(self, path: str, at: Rev = "head") -> Answer[Imported]:
        found = tuple(
            Imported(each, self.resolver(at).resolve(path, each))
            for each in self.extraction(path, at).what.imports
        )
        return Answer(found, len(found))

    def _sources(self, at: Rev) -> list[tuple[str, bytes]]:
        return [
            (path, data)
            for path, data in self._files[at].items()
            if language_of(path) in STRATEGIES
        ]

    # Answers that are ranked ---------------------------------------------------------------------

    def definition(
        self, name: str, near: str = "", at: Rev = "head", limit: int = 10
    ) -> Answer[Defined]:
        raise NotImplementedError

    def meant(self, name: str, near: str, at: Rev = "head") -> tuple[Defined, ...]:
        raise NotImplementedError

    def meant_by(self, use: Use, near: str, at: Rev = "head") -> tuple[Defined, ...]:
        raise NotImplementedError

    def references(
        self, name: str, near: str = "", at: Rev = "head", limit: int = 20
    ) -> Answer[Used]:
        raise NotImplementedError

    def importers(self, path: str, at: Rev = "head", limit: int = 20) -> Answer[Importing]:
        raise NotImplementedError

    def importing(self, path: str, at: Rev = "head") -> Answer[Importing]:
        raise NotImplementedError

    def implementations(
        self, name: str, near: str = "", at: Rev = "head", limit: int = 20
    ) -> Answer[Defined]:
        raise NotImplementedError

    def tests_for(self, what: str, at: Rev = "head", limit: int = 20) -> Answer[Used]:
        raise NotImplementedError

    def callers(
        self, name: str, near: str = "", depth: int = 1, at: Rev = "head", limit: int = 20
    ) -> Answer[Used]:
        raise NotImplementedError
