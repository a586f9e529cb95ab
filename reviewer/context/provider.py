"""Answers questions about the code of a repository at the two ends of a change.

Candidates come from the sketches (`index`), what they say from the extractor, what they mean from
the links between files, the order from the judge. Everything is bounded: by files looked at, by
seconds, by what is shown; and every answer says what was left out.
"""

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from reviewer.context.asked import Asked
from reviewer.context.end import End
from reviewer.context.extractor import Extractor
from reviewer.context.index import Index
from reviewer.context.search import FOLLOWED, MAX_STEPS, Search, key_of, scored
from reviewer.context.store import Store
from reviewer.context.target import last_part, shared
from reviewer.context.values import (
    MAX_LIMIT,
    Answer,
    Certainty,
    Defined,
    Extracted,
    Imported,
    Importing,
    Missing,
    Resolver,
    Tested,
    Used,
)
from reviewer.languages import is_test
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import DefKind, Use, UseKind
from reviewer.parsing.worker import Parsers
from reviewer.ports import Cancelled, NoSuchFile, Objects, Rev
from reviewer.text import printable

LOOKED_AT = 100
"""Files of one question that are parsed and judged; the rest is counted. The nearest come first."""

BUDGET_S = 6.0
"""For one question's parsing; what is not reached is counted too."""

EVERY_LOOKED_AT = 5_000
EVERY_BUDGET_S = 120.0
"""For `uses` and `importing`, whose answers are used by code: a place that is left out is a place
that is broken."""


class Provider:
    """Implements `reviewer.context.values.Context`. A context manager; `start` warms it up.

    `cache` is the file that keeps what was derived from this repository's blobs, None for memory
    alone.
    """

    def __init__(
        self,
        objects: Objects,
        cache: Path | None = None,
        *,
        budget_s: float = BUDGET_S,
        looked_at: int = LOOKED_AT,
    ) -> None:
        self._objects = objects
        self._store = Store(cache)
        self._parsers = Parsers()
        self._index = Index(objects, self._store)
        self._extractor = Extractor(objects, self._store, self._parsers)
        self._budget_s = budget_s
        self._looked_at = looked_at
        self._ends: dict[Rev, End] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what is under way; questions that wait get GiveUp."""
        self._index.close()
        self._parsers.__exit__(None, None, None)
        self._store.close()

    def start(self, at: Rev = "head") -> None:
        """Have everything that a question needs made ready in the background."""
        self._index.start(at)

    # Plain facts of files ------------------------------------------------------------------------

    def extraction(self, path: str, at: Rev = "head") -> Extracted:
        """Return what a file says about names; NoSuchFile if there is none of that path."""
        return self._end(at).extracted(path, self._deadline())

    @property
    def parsers(self) -> Parsers:
        """The workers that parse for it."""
        return self._parsers

    def ahead(self, paths: Iterable[str], cancelled: Cancelled, at: Rev = "head") -> None:
        """Parse files that will be asked about, many at once; what cannot be is left."""
        self._end(at).ahead(paths, cancelled)

    def mentioning(self, names: tuple[str, ...], at: Rev = "head") -> dict[str, tuple[str, ...]]:
        """Return, for each name, the paths of the source files that have it as a word, sorted."""
        return self._index.paths(names, at)

    def unread(self, at: Rev = "head") -> tuple[Missing, ...]:
        """Return the source files of which nothing is known."""
        return self._index.unread(at)

    def resolver(self, at: Rev = "head") -> Resolver:
        """Return what resolves imports in that tree."""
        return self._end(at).resolver

    def imports(self, path: str, at: Rev = "head") -> Answer[Imported]:
        """Return what a file imports."""
        end = self._end(at)
        extracted = end.extracted(path, self._deadline())
        items = tuple(
            Imported(each, end.resolver.resolve(path, each)) for each in extracted.what.imports
        )
        notes = (f"{printable(path)}: {extracted.missing}",) if extracted.missing else ()
        return Answer(items, len(items), notes)

    # Questions about names -----------------------------------------------------------------------

    def definition(
        self, name: str, near: str = "", at: Rev = "head", limit: int = 10
    ) -> Answer[Defined]:
        """Return where a name is defined, what the file `near` means by it first."""
        asked = Asked(name, near)
        end, search = self._end(at), self._search(at)
        known = search.meant(asked)
        sources, notes = search.candidates(asked, [])
        found = {key_of(each): each for each in known}
        for source in sources:
            for definition in asked.of(source):
                each = Defined(source.path, definition, Certainty.NAME, "has that name")
                found.setdefault(key_of(each), scored(each, asked, end))
        ordered = sorted(found.values(), key=lambda each: (-each.score, *key_of(each)))
        if len(ordered) == 1 and ordered[0].certainty is Certainty.NAME:
            only = replace(
                ordered[0], certainty=Certainty.LIKELY, why="the only definition of that name"
            )
            ordered = [only]
        return Answer(tuple(ordered[: _bounded(limit)]), len(ordered), notes)

    def meant(self, name: str, near: str, at: Rev = "head") -> tuple[Defined, ...]:
        """Return what a file means by a name, by its own definitions and imports; () if unknown."""
        found = self._search(at).meant(Asked(name, near))
        return tuple(sorted(found, key=lambda each: (-each.score, *key_of(each)))[:MAX_LIMIT])

    def meant_by(self, use: Use, near: str, at: Rev = "head") -> tuple[Defined, ...]:
        """Return what one use in a file means, by what its receiver is of; () if unknown."""
        source = self._end(at).look(near)
        return () if source is None else self._search(at).receivers.meant(source, use)

    def references(
        self, name: str, near: str = "", at: Rev = "head", limit: int = 20
    ) -> Answer[Used]:
        """Return where a name is used, the surest first."""
        used, notes = self._search(at).references(Asked(name, near))
        return self._shown(used, notes, at, limit)

    def uses(self, name: str, near: str = "", at: Rev = "head") -> Answer[Used]:
        """Return every use of a name, the surest first: see the Protocol."""
        used, notes = self._search_of_all(at).uses(Asked(name, near))
        return Answer(tuple(used), len(used), notes)

    def callers(
        self, name: str, near: str = "", depth: int = 1, at: Rev = "head", limit: int = 20
    ) -> Answer[Used]:
        """Return who calls a function, and who calls those, up to `depth` steps."""
        search = self._search(at)
        found: list[Used] = []
        notes: list[str] = []
        seen: set[tuple[str, str]] = set()
        step = [Asked(name, near)]
        for distance in range(1, max(1, min(depth, MAX_STEPS)) + 1):
            following: list[Asked] = []
            for asked in step:
                used, said = search.references(asked)
                notes += said
                calls = [each for each in used if _is_call(each)]
                if distance > 1:
                    why = f"{distance} steps up: calls {asked.name}"
                    calls = [
                        replace(each, why=why, score=each.score - 20 * (distance - 1))
                        for each in calls
                        if each.certainty is not Certainty.NAME
                    ]
                found += calls
                for each in calls:
                    key = (each.path, each.use.scope)
                    if each.use.scope and key not in seen and each.certainty is not Certainty.NAME:
                        seen.add(key)
                        following.append(Asked(each.use.scope, each.path))
            if len(following) > FOLLOWED and distance < depth:
                more = len(following) - FOLLOWED
                notes.append(f"{more} more callers {distance} steps up were not followed.")
            step = following[:FOLLOWED]
        found.sort(key=lambda each: (-each.score, each.path, each.use.line))
        return self._shown(found, tuple(dict.fromkeys(notes)), at, limit)

    def implementations(
        self, name: str, near: str = "", at: Rev = "head", limit: int = 20
    ) -> Answer[Defined]:
        """Return what extends a class or implements an interface, or overrides "Class.method"."""
        end, search = self._end(at), self._search(at)
        asked = Asked(name, near)
        meant = search.meant(asked)
        members = [each for each in meant if each.definition.kind is DefKind.METHOD]
        of_class = asked
        if members and len(members) == len(meant):
            of_class = Asked(members[0].definition.scope, members[0].path)
        classes, notes = search.extending(of_class)
        if of_class is not asked:
            classes = [
                Defined(each.path, definition, each.certainty, "overrides it", each.score)
                for each in classes
                for definition in end.definitions(each.path, asked.short)
                if definition.scope == path_of(each.definition)
            ]
        return Answer(tuple(classes[: _bounded(limit)]), len(classes), notes)

    def tests_for(self, what: str, at: Rev = "head", limit: int = 20) -> Answer[Tested]:
        """Return the tests of a file (by its path) or of a name."""
        end = self._end(at)
        found: dict[tuple[str, str], Tested] = {}
        notes: tuple[str, ...] = ()
        if what in self._index.tree(at).shas:
            for path in end.resolver.tests_of(what):
                found[path, ""] = Tested(path, "by its name")
            importing = self.importers(what, at, MAX_LIMIT)
            notes = importing.notes
            for each in importing.items:
                if is_test(each.path):
                    found.setdefault(
                        (each.path, ""), Tested(each.path, "imports it", each.what.line)
                    )
        else:
            used, notes = self._search(at).references(Asked(what, ""))
            for use in used:
                key = (use.path, use.use.scope)
                if is_test(use.path) and use.use.kind is not UseKind.IMPORT:
                    why = f"uses it: {use.why}"
                    found.setdefault(key, Tested(use.path, why, use.use.line, use.use.scope))
        items = tuple(found.values())
        return Answer(items[: _bounded(limit)], len(items), notes)

    def importers(self, path: str, at: Rev = "head", limit: int = 20) -> Answer[Importing]:
        """Return the files that import a file."""
        found = self._importing(path, at, self._search(at))
        return Answer(found.items[: _bounded(limit)], found.total, found.notes)

    def importing(self, path: str, at: Rev = "head") -> Answer[Importing]:
        """Return every file that imports a file: see the Protocol."""
        return self._importing(path, at, self._search_of_all(at))

    def _importing(self, path: str, at: Rev, search: Search) -> Answer[Importing]:
        end = self._end(at)
        tree = self._index.tree(at)
        if path not in tree.shas:
            raise NoSuchFile(f"There is no {printable(path)} at the {at}.")
        words = end.resolver.spellings(path)
        if words:
            mentioning = self.mentioning(words, at)
            paths = {each for some in mentioning.values() for each in some}
        else:  # it can be imported without being named, by what lies near it
            self._index.mentioning((), at)
            paths = {each for some in tree.sources.values() for each in some}
            if path.endswith("/__init__.py"):
                paths = self._naming(path.rpartition("/")[0], paths, at)
        sources, notes = search.looked(sorted(paths - {path}), path)
        found = [
            Importing(source.path, what)
            for source in sources
            for what in source.packed.imports
            if path in ((to := source.resolve(what)).submodule, *to.files)
        ]
        found = list({each.path: each for each in reversed(found)}.values())
        found.sort(key=lambda each: (-shared(each.path, path), is_test(each.path), each.path))
        return Answer(tuple(found), len(found), notes)

    def _naming(self, package: str, paths: set[str], at: Rev) -> set[str]:
        """Return the files that can import a package of Python's: all in it, and who names it.

        Whoever is not beside it either names the package around it as well.
        """
        above = package.rpartition("/")[0]
        words = (last_part(package.replace("/", ".")), last_part(above.replace("/", ".")))
        having = self._index.paths(tuple(filter(None, words)), at)
        found = set(having[words[0]])
        if f"{above}/__init__.py" in self._index.tree(at).shas:
            beside = {each for each in found if each.startswith(f"{above}/")}
            found = beside | found.intersection(having[words[1]])
        return found | {each for each in paths if each.startswith(f"{package}/")}

    # How ------------------------------------------------------------------------------------------

    def _end(self, at: Rev) -> End:
        with self._lock:
            if at not in self._ends:
                self._ends[at] = End(self._objects, self._index.tree(at), self._extractor, at)
            return self._ends[at]

    def _search(self, at: Rev) -> Search:
        return Search(self._end(at), self._index, self._looked_at, self._deadline())

    def _search_of_all(self, at: Rev) -> Search:
        deadline = time.monotonic() + EVERY_BUDGET_S
        return Search(self._end(at), self._index, EVERY_LOOKED_AT, deadline)

    def _deadline(self) -> float:
        return time.monotonic() + self._budget_s

    def _shown(
        self, used: Sequence[Used], notes: tuple[str, ...], at: Rev, limit: int
    ) -> Answer[Used]:
        shown = used[: _bounded(limit)]
        lines = self._end(at).lines((each.path, each.use.line) for each in shown)
        items = tuple(
            replace(each, text=lines.get((each.path, each.use.line), "")) for each in shown
        )
        return Answer(items, len(used), notes)


def _is_call(each: Used) -> bool:
    return each.use.kind in (UseKind.CALL, UseKind.DECORATOR, UseKind.READ, UseKind.ATTRIBUTE) and (
        each.score > 0
    )


def _bounded(limit: int) -> int:
    return max(1, min(limit, MAX_LIMIT))
