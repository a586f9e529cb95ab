"""A class as other files know it: by which names, and what extends it."""

from collections.abc import Callable, Iterable
from functools import cached_property

from reviewer.context.links import Links, Origin, Source
from reviewer.context.target import Target, last_part, last_word
from reviewer.languages import Language
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, DefKind

Look = Callable[[str], Source | None]

MAX_STEPS = 4
"""From a class to what it extends, and on; deeper trees are rare and cost a look at each file."""

NO_IMPORTS = frozenset({Language.RUBY, Language.C, Language.CPP, Language.PHP, Language.CSHARP})
"""Languages in which a name may come from a file that nothing here names."""


class Kinship:
    """Of the class that a target is a member of. Remembers what it has found for each file."""

    def __init__(self, target: Target, links: Links, look: Look) -> None:
        self._target = target
        self._links = links
        self._look = look
        self._names: dict[str, frozenset[str]] = {}
        self._scopes: dict[str, frozenset[str]] = {}
        self._derived: dict[tuple[str, str, str], bool] = {}

    def names(self, source: Source) -> frozenset[str]:
        """Return the local names that the class has in a file."""
        if (known := self._names.get(source.path)) is None:
            known = self._names[source.path] = frozenset(self._find_names(source))
        return known

    def derives(self, source: Source, around: str, unless: str = "") -> bool:
        """Does the class at a dotted path of a file extend it, by whatever steps?

        Not where one on the way has a member `unless` of its own: that one is meant then.
        """
        return self._derives(source, around, MAX_STEPS, unless)

    def type_derives(self, source: Source, name: str, unless: str = "") -> bool:
        """Does the class that a file knows by a name extend it?"""
        return self._base_derives(source, name, MAX_STEPS, unless)

    @cached_property
    def bases(self) -> frozenset[str]:
        """What it extends itself, by the last parts of the names."""
        source = self._look(self._target.path)
        own = source.at(self._target.definition.scope) if source else ()
        return frozenset(last_part(base) for each in own for base in each.bases)

    def scopes(self, source: Source) -> frozenset[str]:
        """Return the scopes of a file in which lines speak of a variable of the class."""
        if (known := self._scopes.get(source.path)) is None:
            rows = source.packed.hints_of(self._target.owner)
            known = self._scopes[source.path] = frozenset(row[3] for row in rows)
        return known

    def instances(self, sources: Iterable[Source]) -> frozenset[str]:
        """Return what variables of the class are called in some files, where these say so."""
        owner = self._target.owner
        names = {last_word(row[0]) for source in sources for row in source.packed.hints_of(owner)}
        return frozenset(name for name in names if len(name) > 1)

    # How ------------------------------------------------------------------------------------------

    def _find_names(self, source: Source) -> set[str]:
        target, owner = self._target, self._target.owner
        if source.path == target.path:
            return {owner}
        found = {
            local
            for local, origin in source.named(owner)
            if (target.path, owner) in self._links.reach(origin, local)
            or target.path in origin.to.files
        }
        outermost = target.definition.scope.partition(".")[0]
        if outermost != owner and any(
            target.path in origin.to.files for _, origin in source.named(outermost)
        ):
            found.add(f"{outermost}.{owner}")
        uses = source.packed.uses(owner)
        if not found and uses and not source.origins(owner) and self._is_visible(source):
            found.add(owner)
        for receiver in {use.receiver for use in uses if use.receiver}:
            if any(target.path in meant(origin) for origin in source.origins(receiver)):
                found.add(f"{receiver}.{owner}")
        return found

    def _is_visible(self, source: Source) -> bool:
        """Can the file mean the class by its bare name, without importing it by name?"""
        target = self._target
        if target.beside and source.beside == target.beside:
            return True
        if any(target.path in source.resolve(what).files for what in source.wholesale):
            return True
        return source.language in NO_IMPORTS and not source.offers(target.owner)

    def _derives(self, source: Source, around: str, steps: int, unless: str) -> bool:
        key = (source.path, around, unless)
        if (known := self._derived.get(key)) is not None:
            return known
        self._derived[key] = False  # of a class that extends itself
        self._derived[key] = found = self._find_base(source, around, steps, unless)
        return found

    def _find_base(self, source: Source, around: str, steps: int, unless: str) -> bool:
        if unless and has(source, around, unless):
            return False
        names, owner = self.names(source), self._target.owner
        for base in (base for each in classes_at(source, around) for base in each.bases):
            alike = last_part(base) == owner and not source.origins(base)
            if base in names or (alike and not source.offers(base)):  # not one of its own
                return True
            if steps and self._base_derives(source, base, steps - 1, unless):
                return True
        return False

    def _base_derives(self, source: Source, base: str, steps: int, unless: str) -> bool:
        simple, receiver = last_part(base), base.rpartition(".")[0]
        for each in source.packed.named(simple):
            if each.kind is DefKind.CLASS:
                return self._derives(source, path_of(each), steps, unless)
        for origin in source.origins(receiver or simple):
            if receiver:
                homes = self._links.homes(meant(origin), simple)
            else:
                homes = self._links.reach(origin, base)
            for path, name in homes:
                other = self._look(path)
                if other is not None and self._derives(other, name, steps, unless):
                    return True
        return False


def meant(origin: Origin) -> tuple[str, ...]:
    """Return the files that are meant where an imported name stands for a module."""
    return (origin.to.submodule,) if origin.to.submodule else origin.to.files


def has(source: Source, around: str, name: str) -> bool:
    """Has the class at a dotted path a member of that name?"""
    return bool(source.at(f"{around}.{name}"))


def classes_at(source: Source, path: str) -> list[Definition]:
    """Return the classes at a dotted path of a file."""
    return [each for each in source.at(path) if each.kind is DefKind.CLASS]


def class_around(source: Source, scope: str) -> str | None:
    """Return the path of the innermost class around a place; a method's, if that is elsewhere."""
    while scope:
        for each in source.at(scope):
            if each.kind is DefKind.CLASS:
                return scope
            if each.kind is DefKind.METHOD:
                return each.scope
        scope = scope.rpartition(".")[0]
    return None
