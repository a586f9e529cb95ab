"""One end of a change, as questions see it: its files, what they say, what they import."""

import contextlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from reviewer.context.extractor import Extractor
from reviewer.context.links import Links, Source
from reviewer.context.resolving import is_settings, resolver
from reviewer.context.store import Key
from reviewer.context.tree import Tree, source_language
from reviewer.context.values import Extracted, Missing
from reviewer.errors import GiveUp
from reviewer.parsing.symbols import Definition
from reviewer.ports import Cancelled, MissingBlob, NoSuchFile, Objects, Rev
from reviewer.text import decode, printable

SOURCES_BYTES = 4_000_000
"""Of what is kept of files in memory, packed; unpacked as far as it was asked for, it is some four
times that."""

AHEAD = 128
"""Files between two looks whether the run is to stop."""

LOOK_S = 3.0
"""For a file that an import leads to."""

LINE_CHARS = 200


class End:
    """Thread-safe. Paths are those of the tree; a path that is not there is NoSuchFile."""

    def __init__(self, objects: Objects, tree: Tree, extractor: Extractor, at: Rev) -> None:
        self.at = at
        self._objects = objects
        self._tree = tree
        self._extractor = extractor
        self._sources: OrderedDict[str, Source] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        with contextlib.suppress(MissingBlob):  # read as absent below
            objects.prefetch(sha.hex() for path, sha in tree.shas.items() if is_settings(path))
        self.resolver = resolver(tree.shas, self._read)
        self.links = Links(self.look)

    def look(self, path: str) -> Source | None:
        """Return one file, None where it says nothing about names."""
        found, _ = self.sources((path,), time.monotonic() + LOOK_S)
        return found[0] if found else None

    def ahead(self, paths: Iterable[str], cancelled: Cancelled) -> None:
        """Have files parsed and kept in the store. What is no source, or not there, is left."""
        keys = [key for path in paths if (key := self._key(path))]
        for at in range(0, len(keys), AHEAD):
            if cancelled():
                return
            self._extractor.extract(keys[at : at + AHEAD], math.inf)

    def sources(self, paths: Sequence[str], deadline: float) -> tuple[list[Source], list[Missing]]:
        """Return files in the order asked, and those of which nothing is known."""
        with self._lock:
            found = {path: known for path in paths if (known := self._sources.get(path))}
        keys = {path: key for path in paths if path not in found and (key := self._key(path))}
        missing: list[Missing] = []
        extracted = self._extractor.extract(keys.values(), deadline) if keys else {}
        for path, key in keys.items():
            packed = extracted[key]
            if isinstance(packed, str):
                missing.append(Missing(path, packed))
            else:
                found[path] = Source(path, packed, self.resolver)
        self._keep(found)
        return [found[path] for path in paths if path in found], missing

    def _keep(self, found: Mapping[str, Source]) -> None:
        with self._lock:
            for path, source in found.items():
                if self._sources.setdefault(path, source) is source:
                    self._bytes += source.packed.size
                self._sources.move_to_end(path)
            while self._bytes > SOURCES_BYTES and len(self._sources) > 1:
                _, oldest = self._sources.popitem(last=False)
                self._bytes -= oldest.packed.size

    def extracted(self, path: str, deadline: float) -> Extracted:
        """Return what a file says about names, or why nothing is known."""
        if path not in self._tree.shas:
            raise NoSuchFile(f"There is no {printable(path)} at the {self.at}.")
        if source_language(path) is None:
            return Extracted(path, missing="its language is not one whose names are read")
        found, missing = self.sources((path,), deadline)
        if missing:
            return Extracted(path, missing=missing[0].why)
        return Extracted(path, found[0].packed.extraction())

    def definitions(self, path: str, name: str) -> list[Definition]:
        """Return what a file defines by a name."""
        source = self.look(path)
        if source is None:
            return []
        return source.packed.named(name)

    def at_path(self, path: str, dotted: str) -> list[Definition]:
        """Return what a file defines at a dotted path."""
        source = self.look(path)
        return source.at(dotted) if source is not None else []

    def lines(self, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
        """Return the text of some lines (path, number from 1), without their indentation, cut."""
        by_path: dict[str, set[int]] = {}
        for path, number in wanted:
            by_path.setdefault(path, set()).add(number)
        found: dict[tuple[str, int], str] = {}
        for path, numbers in by_path.items():
            lines = (self._read(path) or b"").split(b"\n")
            for number in numbers:
                if 0 < number <= len(lines):
                    raw = lines[number - 1].strip()[: 4 * LINE_CHARS]
                    found[path, number] = printable(decode(raw))[:LINE_CHARS]
        return found

    def _key(self, path: str) -> Key | None:
        sha, language = self._tree.shas.get(path), source_language(path)
        return None if sha is None or language is None else (sha, language)

    def _read(self, path: str) -> bytes | None:
        try:
            return self._objects.read(path, self.at)
        except GiveUp:
            return None
