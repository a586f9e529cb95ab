"""How the files of one tree reach each other's names: imports, and what they are offered on by.

An import gives a file a local name. `Links.reach` follows it to the files that define what it
stands for, through packages and barrel files that only pass names on.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from reviewer.context.target import inside
from reviewer.context.tree import source_language
from reviewer.context.values import Resolved, Resolver
from reviewer.languages import Language
from reviewer.parsing.packed import Packed
from reviewer.parsing.symbols import Definition, Import

MAX_STEPS = 5
"""How often a name may be passed on; packages of packages take three."""

MAX_FILES = 200
"""Of one import that are looked into: a package of Go or Java with more is told by its folder."""

MAX_REMEMBERED = 20_000
"""Names that were followed; then it is begun anew."""

MAX_PACKAGES = 20
"""Of one dotted import of Python, that are bound with it."""

_INCLUDES = frozenset({Language.RUBY, Language.C, Language.CPP})
"""Languages in which an import gives no name of its own: everything of the file is there."""

_MEMBERS_IMPORTED = frozenset({Language.JAVA, Language.KOTLIN, Language.CSHARP, Language.PHP})
"""Languages in which a member or an inner class can be imported by itself."""

_SEPARATORS = re.compile(r"[./\\:]+")
_MADE_HERE = re.compile(r"[(&]{0,3}(?:new )?([A-Za-z_][\w.]*)\s?[({].*", re.DOTALL)
_GO_VERSION = re.compile(r"v\d+")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a local name of a file comes from. `name` is what is taken there, "" for a module."""

    what: Import
    to: Resolved
    name: str


class Source:
    """One file: what it says about names, and what its imports mean."""

    def __init__(self, path: str, packed: Packed, resolver: Resolver) -> None:
        self.path = path
        self.packed = packed
        self.language = source_language(path)
        self._resolver = resolver
        self._at: dict[str, list[Definition]] = {}

    @cached_property
    def beside(self) -> str:
        """The key of the files whose names are visible here without an import."""
        return self._resolver.beside(self.path)

    def resolve(self, what: Import) -> Resolved:
        """Return the files that one of its imports means."""
        return self._resolver.resolve(self.path, what)

    def origins(self, local: str) -> list[Origin]:
        """Return the imports that a local name may come from."""
        return [
            Origin(what, self.resolve(what), what.name) for what in self._by_local.get(local, ())
        ]

    def at(self, path: str) -> list[Definition]:
        """Return what the file defines at a dotted path."""
        if (known := self._at.get(path)) is None:
            known = self._at[path] = self.packed.at_path(path)
        return known

    def offers(self, name: str) -> bool:
        """Does the file define that name where an import can take it from?"""
        return any(
            self.is_outer(each) or self.language in _MEMBERS_IMPORTED
            for each in self.packed.named(name)
        )

    def is_outer(self, definition: Definition) -> bool:
        """Is it defined at the top of the file, or of a namespace of the file?"""
        return not definition.scope or definition.scope in self.packed.namespaces

    def named(self, name: str) -> list[tuple[str, Origin]]:
        """Return the local names that are, or are made of, something imported by that name."""
        return [
            (local, Origin(what, self.resolve(what), what.name))
            for local, imports in self._by_local.items()
            for what in imports
            if name in (what.name, local)
        ]

    def types(self, receiver: str, scope: str, line: int) -> list[str]:
        """Return what the lines say of the type of a receiver at that place, the nearest first."""
        if made := _MADE_HERE.fullmatch(receiver):
            return [made[1]]
        name = receiver.replace("->", ".")
        found = self.packed.hints_on(name)
        if not found and "." in name:
            found = self.packed.hints_on(name.rpartition(".")[2])
        if not found:
            return []
        if name.startswith(("self.", "this.", "$this.", "@")):
            around = scope.partition(".")[0]
            found = [row for row in found if row[3].partition(".")[0] == around] or found
            return list(dict.fromkeys(row[1] for row in found))
        seen = [row for row in found if inside(scope, row[3])]
        if not seen:
            return []
        inner = max(len(row[3]) for row in seen)
        seen = [row for row in seen if len(row[3]) == inner]
        last = max((row[2] for row in seen if row[2] <= line), default=seen[0][2])
        return [row[1] for row in seen if row[2] == last]

    @cached_property
    def wholesale(self) -> tuple[Import, ...]:
        """The imports that bring every name of what they mean."""
        return tuple(what for what in self.packed.imports if self._is_wholesale(what))

    @cached_property
    def _by_local(self) -> dict[str, list[Import]]:
        found: dict[str, list[Import]] = {}
        for what in self.packed.imports:
            if not self._is_wholesale(what):
                for local in self._locals(what):
                    found.setdefault(local, []).append(what)
                if self.language is Language.PYTHON and not what.name and not what.alias:
                    for package in _packages(what):
                        _bind(found.setdefault(package.module, []), package)
        return found

    def _is_wholesale(self, what: Import) -> bool:
        return what.name == "*" or (self.language in _INCLUDES and not what.name)

    def _locals(self, what: Import) -> Iterable[str]:
        if what.alias:
            return (what.alias,)
        if what.name:
            return (what.name,)
        if self.language is Language.PYTHON:
            return (what.module,)  # uses say a.b, too; see `_packages` for what it binds
        parts = [part for part in _SEPARATORS.split(what.module) if part]
        if self.language is Language.GO and len(parts) > 1 and _GO_VERSION.fullmatch(parts[-1]):
            parts.pop()
        return (parts[-1],) if parts else ()


def _packages(what: Import) -> Iterable[Import]:
    """Return the packages that Python's `import a.b.c` imports on its way, and binds: `a`, `a.b`.

    A relative import has no such form.
    """
    parts = what.module.split(".")
    for count in range(1, min(len(parts), MAX_PACKAGES)):
        yield replace(what, module=".".join(parts[:count]))


def _bind(known: list[Import], package: Import) -> None:
    """Add a package to what its name stands for: once, however many of its modules are imported."""
    meant = (package.module, "", "")
    if all((each.module, each.name, each.alias) != meant for each in known):
        known.append(package)


class Links:
    """Follows names from file to file. `look` gives a file of the tree, None where it cannot."""

    def __init__(self, look: Callable[[str], Source | None]) -> None:
        self._look = look
        self._known: dict[tuple[tuple[str, ...], str], frozenset[tuple[str, str]]] = {}

    def reach(self, origin: Origin, local: str) -> frozenset[tuple[str, str]]:
        """Return (file, name there) of all the definitions that a local name may stand for."""
        name = origin.name
        if name == "default":
            # Which definition is the default one is not known: by its name, or whatever it is.
            named = self.homes(origin.to.files, local)
            return named or frozenset((path, local) for path in origin.to.files)
        if not name:  # the module itself, or a class that is named like its file
            return self.homes(origin.to.files, local)
        return self.homes(origin.to.files, name)

    def homes(self, files: tuple[str, ...], name: str) -> frozenset[tuple[str, str]]:
        """Return (file, name there) of what `files` offer by that name."""
        key = (files, name)
        if (known := self._known.get(key)) is None:
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            known = self._known[key] = frozenset(self._follow(files, name, MAX_STEPS, set()))
        return known

    def _follow(
        self, files: tuple[str, ...], name: str, steps: int, seen: set[tuple[str, str]]
    ) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for path in files[:MAX_FILES]:
            if (path, name) in seen or len(seen) > MAX_FILES:
                continue
            seen.add((path, name))
            source = self._look(path)
            if source is None:
                continue
            if source.offers(name):
                found.add((path, name))
                continue
            if not steps:
                continue
            for origin in source.origins(name):
                if origin.to.submodule:
                    continue  # a module, not a definition
                found |= self._follow(origin.to.files, origin.name or name, steps - 1, seen)
            if not found:
                for what in source.wholesale:
                    found |= self._follow(source.resolve(what).files, name, steps - 1, seen)
        return found
