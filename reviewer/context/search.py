"""One question about a name at one end of a change: what is meant, who may know it, who uses it."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from reviewer.context.asked import Asked
from reviewer.context.end import End
from reviewer.context.index import Index
from reviewer.context.judge import Judge
from reviewer.context.kinship import meant as files_meant
from reviewer.context.links import Source
from reviewer.context.receivers import Receivers
from reviewer.context.target import Target, shared
from reviewer.context.tree import family_of
from reviewer.context.values import Certainty, Defined, Used
from reviewer.context.verdicts import Verdict
from reviewer.languages import is_test
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import DefKind, Use, UseKind
from reviewer.text import printable

MAX_TARGETS = 12
MAX_STEPS = 4
"""From a class to what extends it, and on."""

FOLLOWED = 12
"""Of each step: a name that everybody uses ends the walk, not the run."""

NAMED = 8
"""How many files a note names before it counts."""


class Search:
    """Looks until `deadline` (of time.monotonic), at no more than `looked_at` files for a name."""

    def __init__(self, end: End, index: Index, looked_at: int, deadline: float) -> None:
        self._end = end
        self._index = index
        self._looked_at = looked_at
        self._deadline = deadline

    @property
    def receivers(self) -> Receivers:
        """What follows the receivers of uses."""
        return Receivers(self._end.look, self._end.links, self._beside)

    def _beside(self, source: Source, name: str) -> Sequence[Source]:
        """Return the other files of a file's package that have a word; none without packages."""
        if source.beside == source.path:
            return ()
        having = self._index.paths((name,), self._end.at)[name]
        beside = [
            path
            for path in having
            if path != source.path and self._end.resolver.beside(path) == source.beside
        ]
        return self._end.sources(beside[: self._looked_at], self._deadline)[0]

    def references(self, asked: Asked) -> tuple[list[Used], tuple[str, ...]]:
        """Return all uses that were found, the surest first, one of each line, and notes."""
        used, notes = self.uses(asked)
        by_line = {(each.path, each.use.line): each for each in reversed(used)}
        return list(reversed(by_line.values())), notes

    def uses(self, asked: Asked) -> tuple[list[Used], tuple[str, ...]]:
        """Return all uses that were found, the surest first, and notes."""
        meant = self.meant(asked)
        sources, notes = self.candidates(asked, meant)
        if not meant:
            meant = [
                scored(Defined(source.path, each, Certainty.NAME, ""), asked, self._end)
                for source in sources
                for each in asked.of(source)
            ]
            meant.sort(key=lambda each: (-each.score, *key_of(each)))
        targets = [_target(each, self._end) for each in meant[:MAX_TARGETS]]
        others = sum(source.packed.defines(asked.short) for source in sources)
        unique = others <= len({each.path for each in targets})
        judges = [Judge(each, self._end.links, self._end.look, unique, sources) for each in targets]
        used = [
            Used(source.path, use, judged.certainty, judged.why, judged.score)
            for source in sources
            for use in _uses(source, asked.short)
            for judged in [_best(judges, source, use, asked)]
        ]
        used.sort(key=lambda each: (-each.score, each.path, each.use.line, each.use.column))
        return used, notes

    def meant(self, asked: Asked) -> list[Defined]:
        """Return what the file `near` means by a name: its own definition, or what it imports."""
        source = self._end.look(asked.near) if asked.near else None
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
                homes = self._end.links.reach(origin, local)
                if local != asked.short:  # a module or a class that has it
                    files = files_meant(origin)
                    homes |= self._end.links.homes(files, asked.short)
                    homes |= {(path, asked.short) for path in files}
                for path, name in sorted(homes):
                    wanted = Asked(name if local == asked.short else asked.name, path)
                    other = self._end.look(path)
                    for each in wanted.of(other) if other is not None else ():
                        found.append(Defined(path, each, Certainty.EXACT, "imported there", 15.0))
        return list({key_of(each): each for each in found}.values())

    def candidates(
        self, asked: Asked, meant: Sequence[Defined]
    ) -> tuple[list[Source], tuple[str, ...]]:
        """Return the files that have the word, those that can know what is meant first."""
        names = dict.fromkeys([asked.short, *(each.definition.name for each in meant)])
        named = self._index.paths(names, self._end.at)
        paths = {path for some in named.values() for path in some}
        if len(paths) <= self._looked_at:
            return self.looked(sorted(paths))
        hints: dict[str, float] = {}
        for each in meant[:MAX_TARGETS]:
            for word in self._end.resolver.spellings(each.path):
                hints[word] = 2.0
            if owner := each.definition.scope.rpartition(".")[2]:
                hints[owner] = 3.0
        having = self._index.paths(hints, self._end.at)
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
        return self.looked(ordered)

    def looked(self, paths: Sequence[str], near: str = "") -> tuple[list[Source], tuple[str, ...]]:
        """Look at the first files of a list, the nearest to `near`; say what was not looked at."""
        if near and len(paths) > self._looked_at:
            paths = sorted(paths, key=lambda path: (-shared(path, near), path))
        some = paths[: self._looked_at]
        sources, missing = self._end.sources(some, self._deadline)
        notes = []
        if more := len(paths) - len(some):
            notes.append(f"{more:,} more files may have it and were not looked at.")
        by_why: dict[str, list[str]] = {}
        for each in (*missing, *self._index.unread(self._end.at)):
            by_why.setdefault(each.why, []).append(each.path)
        for why, which in by_why.items():
            named = ", ".join(printable(path) for path in sorted(which)[:NAMED])
            rest = f" and {len(which) - NAMED:,} more" if len(which) > NAMED else ""
            notes.append(f"Not looked at: {named}{rest} ({why}).")
        return sources, tuple(notes)

    def extending(self, asked: Asked) -> tuple[list[Defined], tuple[str, ...]]:
        """Return the classes that extend one, by whatever steps, and notes."""
        found: dict[tuple[str, int, str], Defined] = {}
        notes: list[str] = []
        step, distance = [asked], 0
        while step and distance < MAX_STEPS and time.monotonic() < self._deadline:
            following: list[Asked] = []
            for each in step[:FOLLOWED]:
                used, said = self.references(each)
                notes += said
                for use in used:
                    if use.use.kind is not UseKind.OVERRIDE or use.score < 0:
                        continue
                    for definition in self._end.at_path(use.path, use.use.scope):
                        why = "extends it" if not distance else f"extends it through {each.name}"
                        new = Defined(
                            use.path, definition, use.certainty, why, use.score - 10 * distance
                        )
                        if key_of(new) not in found:
                            found[key_of(new)] = new
                            following.append(Asked(path_of(definition), use.path))
            step, distance = following, distance + 1
        ordered = sorted(found.values(), key=lambda each: (-each.score, *key_of(each)))
        return ordered, tuple(dict.fromkeys(notes))


def _uses(source: Source, name: str) -> Iterable[Use]:
    """Return the uses of a name in a file, also under the names that it is imported as."""
    found = list(source.packed.uses(name))
    aliases = {what.alias for what in source.packed.imports if what.name == name and what.alias}
    for alias in sorted(aliases - {name}):
        found += source.packed.uses(alias)
    return found


def _best(judges: Sequence[Judge], source: Source, use: Use, asked: Asked) -> Verdict:
    if not judges:
        near = shared(source.path, asked.near) if asked.near else 0.0
        return Verdict(near, Certainty.NAME, "the name alone")
    return max((judge.judge(source, use) for judge in judges), key=lambda each: each.score)


def _target(each: Defined, end: End) -> Target:
    return Target(each.path, each.definition, end.resolver.beside(each.path))


def scored(each: Defined, asked: Asked, end: End) -> Defined:
    """Return a definition with what speaks for its being meant."""
    score = 2.0 * shared(each.path, asked.near) if asked.near else 0.0
    certainty, why = each.certainty, each.why
    if asked.near and end.resolver.beside(asked.near) == end.resolver.beside(each.path):
        score, certainty, why = score + 6, Certainty.LIKELY, "in the same package"
    score += 0.5 * each.definition.exported - 1.0 * is_test(each.path)
    score += 0.3 * (each.definition.kind in (DefKind.CLASS, DefKind.FUNCTION))
    return replace(each, score=score, certainty=certainty, why=why)


def key_of(each: Defined) -> tuple[str, int, str]:
    """Return what tells one definition from all others."""
    return (each.path, each.definition.start, path_of(each.definition))
