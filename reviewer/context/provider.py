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

from reviewer.context.end import End
from reviewer.context.extractor import Extractor
from reviewer.context.index import Index
from reviewer.context.judge import Judge
from reviewer.context.kinship import meant as files_meant
from reviewer.context.links import Source
from reviewer.context.packed import path_of
from reviewer.context.store import Store
from reviewer.context.target import Target, shared, stem
from reviewer.context.tree import family_of
from reviewer.context.values import (
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
from reviewer.context.verdicts import Verdict
from reviewer.errors import GiveUp
from reviewer.languages import is_test
from reviewer.parsing.symbols import Definition, DefKind, Use, UseKind
from reviewer.parsing.worker import Parsers
from reviewer.ports import NoSuchFile, Objects, Rev
from reviewer.text import printable

LOOKED_AT = 160
"""Files of one question that are parsed and judged; the rest is counted. The nearest come first."""

BUDGET_S = 6.0
"""For one question's parsing; what is not reached is counted too."""

MAX_TARGETS = 12
MAX_LIMIT = 500
MAX_NAME_CHARS = 300
MAX_DEPTH = 4
MAX_CALLERS_FOLLOWED = 12
"""Of each step up: a function that everybody calls ends the walk, not the run."""

NAMED = 8
"""How many files a note names before it counts."""


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

    def mentioning(self, names: tuple[str, ...], at: Rev = "head") -> dict[str, tuple[str, ...]]:
        """Return, for each name, the paths of the source files that have it as a word, sorted."""
        sources = self._index.tree(at).sources
        return {
            name: tuple(sorted(path for sha in shas for path in sources[sha]))
            for name, shas in self._index.mentioning(names, at).items()
        }

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
        asked = _Asked(name, near)
        end = self._end(at)
        deadline = self._deadline()
        known = self._meant(end, asked, deadline)
        sources, notes = self._candidates(end, asked, [], deadline)
        found = {_key(each): each for each in known}
        for source in sources:
            for definition in asked.of(source):
                each = Defined(source.path, definition, Certainty.NAME, "has that name")
                found.setdefault(_key(each), _scored(each, asked, end))
        ordered = sorted(found.values(), key=lambda each: (-each.score, *_key(each)))
        if len(ordered) == 1 and ordered[0].certainty is Certainty.NAME:
            only = replace(
                ordered[0], certainty=Certainty.LIKELY, why="the only definition of that name"
            )
            ordered = [only]
        return Answer(tuple(ordered[: _bounded(limit)]), len(ordered), notes)

    def references(
        self, name: str, near: str = "", at: Rev = "head", limit: int = 20
    ) -> Answer[Used]:
        """Return where a name is used, the surest first."""
        asked = _Asked(name, near)
        used, notes = self._references(self._end(at), asked, self._deadline())
        return self._shown(used, notes, at, limit)

    def callers(
        self, name: str, near: str = "", depth: int = 1, at: Rev = "head", limit: int = 20
    ) -> Answer[Used]:
        """Return who calls a function, and who calls those, up to `depth` steps."""
        end = self._end(at)
        deadline = self._deadline()
        found: list[Used] = []
        notes: list[str] = []
        seen: set[tuple[str, str]] = set()
        step = [_Asked(name, near)]
        for distance in range(1, max(1, min(depth, MAX_DEPTH)) + 1):
            following: list[_Asked] = []
            for asked in step:
                used, said = self._references(end, asked, deadline)
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
                        following.append(_Asked(each.use.scope, each.path))
            if len(following) > MAX_CALLERS_FOLLOWED and distance < depth:
                more = len(following) - MAX_CALLERS_FOLLOWED
                notes.append(f"{more} more callers {distance} steps up were not followed.")
            step = following[:MAX_CALLERS_FOLLOWED]
        found.sort(key=lambda each: (-each.score, each.path, each.use.line))
        return self._shown(found, tuple(dict.fromkeys(notes)), at, limit)

    def implementations(
        self, name: str, near: str = "", at: Rev = "head", limit: int = 20
    ) -> Answer[Defined]:
        """Return what extends a class or implements an interface, or overrides "Class.method"."""
        end = self._end(at)
        deadline = self._deadline()
        asked = _Asked(name, near)
        meant = self._meant(end, asked, deadline)
        members = [each for each in meant if each.definition.kind is DefKind.METHOD]
        of_class = asked
        if members and len(members) == len(meant):
            of_class = _Asked(members[0].definition.scope, members[0].path)
        classes, notes = self._extending(end, of_class, deadline)
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
            used, notes = self._references(end, _Asked(what, ""), self._deadline())
            for use in used:
                key = (use.path, use.use.scope)
                if is_test(use.path) and use.use.kind is not UseKind.IMPORT:
                    why = f"uses it: {use.why}"
                    found.setdefault(key, Tested(use.path, why, use.use.line, use.use.scope))
        items = tuple(found.values())
        return Answer(items[: _bounded(limit)], len(items), notes)

    def importers(self, path: str, at: Rev = "head", limit: int = 20) -> Answer[Importing]:
        """Return the files that import a file."""
        end = self._end(at)
        tree = self._index.tree(at)
        if path not in tree.shas:
            raise NoSuchFile(f"There is no {printable(path)} at the {at}.")
        words = end.resolver.spellings(path)
        deadline = self._deadline()
        if words:
            mentioning = self.mentioning(words, at)
            paths = {each for some in mentioning.values() for each in some}
        else:  # it can be imported without being named, by what lies near it
            self._index.mentioning((), at)
            paths = {each for some in tree.sources.values() for each in some}
        sources, notes = self._looked(end, sorted(paths - {path}), path, deadline)
        found = [
            Importing(source.path, what)
            for source in sources
            for what in source.packed.imports
            if path in ((to := source.resolve(what)).submodule, *to.files)
        ]
        found = list({each.path: each for each in reversed(found)}.values())
        found.sort(key=lambda each: (-shared(each.path, path), is_test(each.path), each.path))
        return Answer(tuple(found[: _bounded(limit)]), len(found), notes)

    # How ------------------------------------------------------------------------------------------

    def _end(self, at: Rev) -> End:
        with self._lock:
            if at not in self._ends:
                self._ends[at] = End(self._objects, self._index.tree(at), self._extractor, at)
            return self._ends[at]

    def _deadline(self) -> float:
        return time.monotonic() + self._budget_s

    def _references(
        self, end: End, asked: "_Asked", deadline: float
    ) -> tuple[list[Used], tuple[str, ...]]:
        meant = self._meant(end, asked, deadline)
        sources, notes = self._candidates(end, asked, meant, deadline)
        if not meant:
            meant = [
                _scored(Defined(source.path, each, Certainty.NAME, ""), asked, end)
                for source in sources
                for each in asked.of(source)
            ]
            meant.sort(key=lambda each: (-each.score, *_key(each)))
        targets = [_target(each, end) for each in meant[:MAX_TARGETS]]
        others = sum(source.packed.defines(asked.short) for source in sources)
        unique = others <= len({each.path for each in targets})
        judges = [Judge(each, end.links, end.look, unique, sources) for each in targets]
        used = [
            Used(source.path, use, judged.certainty, judged.why, judged.score)
            for source in sources
            for use in _uses(source, asked.short)
            for judged in [_best(judges, source, use, asked)]
        ]
        used.sort(key=lambda each: (-each.score, each.path, each.use.line, each.use.column))
        by_line = {(each.path, each.use.line): each for each in reversed(used)}
        return list(reversed(by_line.values())), notes

    def _meant(self, end: End, asked: "_Asked", deadline: float) -> list[Defined]:
        """Return what the file `near` means by a name: its own definition, or what it imports."""
        source = end.look(asked.near) if asked.near else None
        if source is None:
            return []
        own = asked.of(source)
        if own:
            return [
                Defined(source.path, each, Certainty.EXACT, "in that file", 20.0) for each in own
            ]
        found: list[Defined] = []
        first = asked.owner.partition(".")[0] or asked.short
        receivers = sorted({use.receiver for use in source.packed.uses(asked.short)})
        for local in dict.fromkeys((asked.short, asked.owner, first, *receivers)):
            for origin in source.origins(local) if local else ():
                homes = end.links.reach(origin, local)
                if local != asked.short:  # a module or a class that has it
                    files = files_meant(origin)
                    homes |= end.links.homes(files, asked.short)
                    homes |= {(path, asked.short) for path in files}
                for path, name in sorted(homes):
                    wanted = _Asked(name if local == asked.short else asked.name, path)
                    other = end.look(path)
                    for each in wanted.of(other) if other is not None else ():
                        found.append(Defined(path, each, Certainty.EXACT, "imported there", 15.0))
        return list({_key(each): each for each in found}.values())

    def _candidates(
        self, end: End, asked: "_Asked", meant: Sequence[Defined], deadline: float
    ) -> tuple[list[Source], tuple[str, ...]]:
        """Return the files that have the word, those that can know what is meant first."""
        names = dict.fromkeys([asked.short, *(each.definition.name for each in meant)])
        hints: dict[str, float] = {}
        for each in meant[:MAX_TARGETS]:
            for word in end.resolver.spellings(each.path):
                hints[word] = 2.0
            if owner := each.definition.scope.rpartition(".")[2]:
                hints[owner] = 3.0
        having = self.mentioning((*names, *hints), end.at)
        paths = {path for name in names for path in having[name]}
        if len(paths) <= self._looked_at:
            return self._looked(end, sorted(paths), "", deadline)
        score = dict.fromkeys(paths, 0.0)
        for word, weight in hints.items():
            for path in having[word]:
                if path in score:
                    score[path] += weight
        places = [each.path for each in meant[:MAX_TARGETS]] or [asked.near]
        family = family_of(places[0])
        for path in paths:
            score[path] += 6.0 * (family_of(path) == family)
            score[path] += max(3.0 * shared(path, each) for each in places)
            score[path] += 10.0 * (path in places or path == asked.near)
        ordered = sorted(paths, key=lambda path: (-score[path], path))
        return self._looked(end, ordered, "", deadline)

    def _looked(
        self, end: End, paths: Sequence[str], near: str, deadline: float
    ) -> tuple[list[Source], tuple[str, ...]]:
        """Look at the first files of a list; say what was not looked at."""
        if near and len(paths) > self._looked_at:
            paths = sorted(paths, key=lambda path: (-shared(path, near), path))
        some = paths[: self._looked_at]
        sources, missing = end.sources(some, deadline)
        notes = []
        if more := len(paths) - len(some):
            notes.append(f"{more:,} more files have the word and were not looked at.")
        by_why: dict[str, list[str]] = {}
        for each in (*missing, *self._index.unread(end.at)):
            by_why.setdefault(each.why, []).append(each.path)
        for why, which in by_why.items():
            named = ", ".join(printable(path) for path in sorted(which)[:NAMED])
            rest = f" and {len(which) - NAMED:,} more" if len(which) > NAMED else ""
            notes.append(f"Not looked at: {named}{rest} ({why}).")
        return sources, tuple(notes)

    def _extending(
        self, end: End, asked: "_Asked", deadline: float
    ) -> tuple[list[Defined], tuple[str, ...]]:
        found: dict[tuple[str, int, str], Defined] = {}
        notes: list[str] = []
        step, distance = [asked], 0
        while step and distance < MAX_DEPTH and time.monotonic() < deadline:
            following: list[_Asked] = []
            for each in step[:MAX_CALLERS_FOLLOWED]:
                used, said = self._references(end, each, deadline)
                notes += said
                for use in used:
                    if use.use.kind is not UseKind.OVERRIDE or use.score < 0:
                        continue
                    for definition in end.at_path(use.path, use.use.scope):
                        why = "extends it" if not distance else f"extends it through {each.name}"
                        new = Defined(
                            use.path, definition, use.certainty, why, use.score - 10 * distance
                        )
                        if _key(new) not in found:
                            found[_key(new)] = new
                            following.append(_Asked(path_of(definition), use.path))
            step, distance = following, distance + 1
        ordered = sorted(found.values(), key=lambda each: (-each.score, *_key(each)))
        return ordered, tuple(dict.fromkeys(notes))

    def _shown(
        self, used: Sequence[Used], notes: tuple[str, ...], at: Rev, limit: int
    ) -> Answer[Used]:
        shown = used[: _bounded(limit)]
        lines = self._end(at).lines((each.path, each.use.line) for each in shown)
        items = tuple(
            replace(each, text=lines.get((each.path, each.use.line), "")) for each in shown
        )
        return Answer(items, len(used), notes)


class _Asked:
    """A name as it was asked for: its last part, and what it says it belongs to."""

    def __init__(self, name: str, near: str) -> None:
        cleaned = name.strip().replace("::", ".").replace("#", ".").replace("->", ".").strip(".")
        if not cleaned or len(cleaned) > MAX_NAME_CHARS or "\n" in cleaned:
            raise GiveUp(f"a name has 1 to {MAX_NAME_CHARS} characters, and is no expression")
        self.name = cleaned
        self.near = near
        self.owner, _, self.short = cleaned.rpartition(".")

    def of(self, source: Source) -> list[Definition]:
        """Return what a file defines by that name; what the owner does not fit is left out."""
        named = source.packed.named(self.short)
        owner = self.owner.rpartition(".")[2]
        if not owner:
            outer = [each for each in named if source.is_outer(each)]
            return outer or named
        fitting = [each for each in named if each.scope.rpartition(".")[2] == owner]
        return fitting or [each for each in named if not each.scope and owner == stem(source.path)]


def _uses(source: Source, name: str) -> Iterable[Use]:
    """Return the uses of a name in a file, also under the names that it is imported as."""
    found = list(source.packed.uses(name))
    aliases = {what.alias for what in source.packed.imports if what.name == name and what.alias}
    for alias in sorted(aliases - {name}):
        found += source.packed.uses(alias)
    return found


def _best(judges: Sequence[Judge], source: Source, use: Use, asked: _Asked) -> Verdict:
    if not judges:
        near = shared(source.path, asked.near) if asked.near else 0.0
        return Verdict(near, Certainty.NAME, "the name alone")
    return max((judge.judge(source, use) for judge in judges), key=lambda each: each.score)


def _target(each: Defined, end: End) -> Target:
    return Target(each.path, each.definition, end.resolver.beside(each.path))


def _scored(each: Defined, asked: _Asked, end: End) -> Defined:
    score = 2.0 * shared(each.path, asked.near) if asked.near else 0.0
    certainty, why = each.certainty, each.why
    if asked.near and end.resolver.beside(asked.near) == end.resolver.beside(each.path):
        score, certainty, why = score + 6, Certainty.LIKELY, "in the same package"
    score += 0.5 * each.definition.exported - 1.0 * is_test(each.path)
    score += 0.3 * (each.definition.kind in (DefKind.CLASS, DefKind.FUNCTION))
    return replace(each, score=score, certainty=certainty, why=why)


def _is_call(each: Used) -> bool:
    return each.use.kind in (UseKind.CALL, UseKind.DECORATOR, UseKind.READ, UseKind.ATTRIBUTE) and (
        each.score > 0
    )


def _key(each: Defined) -> tuple[str, int, str]:
    return (each.path, each.definition.start, path_of(each.definition))


def _bounded(limit: int) -> int:
    return max(1, min(limit, MAX_LIMIT))
