"""What tsconfig.json and package.json say about the names of modules."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reviewer.context.resolving.relaxed_json import relaxed_json
from reviewer.context.resolving.tree import (
    Tree,
    folder_of,
    joined,
    longest_word,
    shared,
    stem_of,
    upward,
    within,
)
from reviewer.languages import is_fixture, is_template

_CONFIGS = ("tsconfig.json", "jsconfig.json")
_BASES = ("tsconfig.base.json", "tsconfig.app.json", "tsconfig.web.json")
_MAX_EXTENDS = 16
_MAX_PATTERNS = 500
_MAX_TARGETS = 16
# Sources before what they are built into: the tree seldom has the latter.
_CONDITIONS = ("source", "development", "import", "module", "browser", "node", "require", "default")
_WANTED = ("dependencies", "devDependencies", "peerDependencies")
_FIELDS = ("source", "module", "main", "types", "typings")
_KEPT = (
    *("name", "exports", "imports", *_FIELDS, *_WANTED),
    *("compilerOptions", "extends", "references"),
)


@dataclass(frozen=True, slots=True)
class Target:
    """Paths of the tree, with a suffix or without, that a name may mean, best first.

    `certain`: nothing but one of them can be meant.
    """

    places: tuple[str, ...] = ()
    certain: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """`paths` of a tsconfig, each with the folder that its targets start from, and `baseUrl`."""

    paths: tuple[tuple[str, tuple[str, ...]], ...] = ()
    paths_from: str = ""
    base: str | None = None
    references: tuple[str, ...] = ()


class Settings:
    """Reads the settings of a tree when they are first needed, each file once."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._read: dict[str, dict[str, Any]] = {}
        self._configs: dict[str, Config] = {}

    def mapped(self, folder: str, module: str) -> Iterator[Target]:
        """Yield what `paths`, then what `baseUrl` make of a name, by the nearest settings."""
        config = self._config_of(folder)
        if config is None:
            return
        for pattern, targets in _matching(config.paths, module):
            star = _star(pattern, module)
            places = [joined(config.paths_from, each.replace("*", star)) for each in targets]
            found = tuple(each for each in places if each is not None)
            yield Target(found, self._certain(pattern, config.paths_from, targets))
        if config.base is not None:
            at = joined(config.base, module)
            if at is not None:
                first = within(config.base, module.partition("/")[0])
                below = "/" in module and first in self._tree.folders
                yield Target((at,), below and not self._depends(folder, module))

    def own_imports(self, folder: str, module: str) -> Target:
        """Return what `imports` of the nearest package.json make of a name that starts with #."""
        for each in upward(folder):
            if within(each, "package.json") in self._tree:
                imports = self._package(each).get("imports")
                found = _mapping(imports, module) if isinstance(imports, dict) else []
                places = (joined(each, target) for target in found if target.startswith("."))
                return Target(tuple(place for place in places if place is not None))
        return Target()

    def home(self, folder: str, name: str) -> str | None:
        """Return the folder of the package of that name in this tree, the nearest of several."""
        homes = self._homes.get(name)
        if not homes:
            return None
        return min(homes, key=lambda home: (-shared(home + "/", folder + "/"), home))

    def exported(self, home: str, inner: str) -> list[str]:
        """Return what a package's package.json names as a path in it ("": the package itself)."""
        package = self._package(home)
        targets = []
        if not inner and isinstance(package.get("source"), str):
            targets.append(package["source"])
        exports = package.get("exports")
        key = f"./{inner}" if inner else "."
        if isinstance(exports, dict) and any(str(each).startswith(".") for each in exports):
            targets += _mapping(exports, key)
        elif not inner:
            targets += _leaves(exports)
        if not inner:
            targets += [package[field] for field in _FIELDS if isinstance(package.get(field), str)]
        return list(dict.fromkeys(targets))[:_MAX_TARGETS]

    def renamed(self, path: str) -> bool:
        """May a file be imported by a name that does not have the word of its own name?"""
        stem = stem_of(path)
        stems, partial = self._renamed
        return stem in stems or any(
            stem.startswith(start) and stem.endswith(end) for start, end in partial
        )

    def _package(self, folder: str) -> dict[str, Any]:
        return self._json(within(folder, "package.json"))

    def _json(self, path: str) -> dict[str, Any]:
        known = self._read.get(path)
        if known is None:
            content = relaxed_json(self._tree.settings(path))
            known = {key: content[key] for key in _KEPT if key in content}
            self._read[path] = known
        return known

    def _depends(self, folder: str, module: str) -> bool:
        first = module.partition("/")[0]
        for each in upward(folder):
            if within(each, "package.json") in self._tree:
                package = self._package(each)
                for field in _WANTED:
                    wanted = package.get(field)
                    if isinstance(wanted, dict) and first in wanted:
                        return True
        return False

    def _certain(self, pattern: str, start: str, targets: tuple[str, ...]) -> bool:
        """Can a name that fits a pattern of `paths` be no package, and its target no product?"""
        if not pattern.startswith(("@/", "~", "#", "$")):
            return False
        folders = (joined(start, each.partition("*")[0]) for each in targets)
        return any(folder in self._tree.folders for folder in folders if folder is not None)

    @cached_property
    def _homes(self) -> dict[str, list[str]]:
        """For each package's name, the folders of this tree that have it.

        What test data and templates call themselves may be the name of a real package.
        """
        homes: dict[str, list[str]] = {}
        for path in self._tree.named("package.json"):
            if "node_modules/" in path or is_fixture(path) or is_template(path):
                continue
            name = self._json(path).get("name")
            if isinstance(name, str) and name:
                homes.setdefault(name, []).append(folder_of(path))
        return homes

    def _config_of(self, folder: str) -> Config | None:
        """Return the settings that apply in a folder: of the nearest file that says anything."""
        for each in upward(folder):
            for name in _CONFIGS:
                path = within(each, name)
                if path in self._tree:
                    config = self._config(path)
                    if config.paths or config.base is not None:
                        return config
                    for reference in (*config.references, *(within(each, base) for base in _BASES)):
                        if reference in self._tree:
                            config = self._config(reference)
                            if config.paths or config.base is not None:
                                return config
        return None

    def _config(self, path: str) -> Config:
        known = self._configs.get(path)
        if known is None:
            known = self._configs[path] = self._extended(path)
        return known

    def _extended(self, path: str) -> Config:
        """Return what a tsconfig says, with what it extends; a circle is followed once."""
        paths: tuple[tuple[str, tuple[str, ...]], ...] = ()
        paths_from = ""
        base: str | None = None
        references: list[str] = []
        seen: set[str] = set()
        waiting = [path]
        while waiting and len(seen) < _MAX_EXTENDS:
            at = waiting.pop(0)
            if at in seen:
                continue
            seen.add(at)
            content = self._json(at)
            folder = folder_of(at)
            options = content.get("compilerOptions")
            options = options if isinstance(options, dict) else {}
            url = options.get("baseUrl")
            here = joined(folder, url) if isinstance(url, str) else None
            if not paths and isinstance(options.get("paths"), dict):
                paths = _patterns(options["paths"])
                paths_from = here if here is not None else folder
                if here is None and base is not None:
                    paths_from = base
            base = here if base is None else base
            waiting += self._extends(folder, content.get("extends"))
            if at == path:
                references = self._references(folder, content.get("references"))
        return Config(paths, paths_from, base, tuple(references))

    def _extends(self, folder: str, extends: object) -> list[str]:
        named = extends if isinstance(extends, list) else [extends]
        found = []
        for each in reversed(named[:_MAX_EXTENDS]):
            if not isinstance(each, str):
                continue
            if each.startswith("."):
                at = joined(folder, each)
            else:  # of a package of this tree
                name, _, rest = each.rpartition("/")
                home = self.home(folder, name or each)
                at = None if home is None else within(home, rest if name else "tsconfig.json")
            if at is not None:
                found += [one for one in (at, at + ".json") if one in self._tree][:1]
        return found

    def _references(self, folder: str, references: object) -> list[str]:
        found = []
        for each in references[:_MAX_EXTENDS] if isinstance(references, list) else ():
            target = each.get("path") if isinstance(each, dict) else None
            at = joined(folder, target) if isinstance(target, str) else None
            if at is not None:
                found.append(at if at.endswith(".json") else within(at, "tsconfig.json"))
        return found

    @cached_property
    def _renamed(self) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
        """Return the stems that settings give another name, and starts and ends of such stems."""
        stems = {"main"}  # a package's entry by habit
        partial = set()
        for key, target in self._names():
            stem = stem_of(target)
            start, star, end = stem.partition("*")
            if not star and longest_word(stem) not in key:
                stems.add(stem)
            elif start or end:
                partial.add((start, end))
        return frozenset(stems), frozenset(partial)

    def _names(self) -> Iterator[tuple[str, str]]:
        """Yield each name that settings give to modules, and what it means."""
        for path in self._tree.named("package.json"):
            package = self._json(path)
            for field in _FIELDS:
                for target in _leaves(package.get(field)):
                    yield ".", target
            for field in ("exports", "imports"):
                table = package.get(field)
                keyed = table.items() if isinstance(table, dict) else [(".", table)]
                for key, value in list(keyed)[:_MAX_PATTERNS]:
                    for target in _leaves(value):
                        yield (key if key.startswith(("./", "#")) else "."), target
        for name in (*_CONFIGS, *_BASES):
            for path in self._tree.named(name):
                for pattern, targets in self._config(path).paths:
                    for target in targets:
                        yield pattern, target


def _matching(
    paths: tuple[tuple[str, tuple[str, ...]], ...], module: str
) -> list[tuple[str, tuple[str, ...]]]:
    """Return the patterns that a name fits: the exact one, else the one of the longest prefix."""
    fitting = [(pattern, targets) for pattern, targets in paths if _fits(pattern, module)]
    fitting.sort(key=lambda each: ("*" in each[0], -len(each[0].partition("*")[0])))
    return fitting[:1]


def _fits(pattern: str, module: str) -> bool:
    start, star, end = pattern.partition("*")
    if not star:
        return pattern == module
    return (
        len(module) >= len(start) + len(end) and module.startswith(start) and module.endswith(end)
    )


def _star(pattern: str, module: str) -> str:
    start, star, end = pattern.partition("*")
    return module[len(start) : len(module) - len(end)] if star else ""


def _patterns(paths: dict[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(
        (pattern, tuple(each for each in targets[:_MAX_TARGETS] if isinstance(each, str)))
        for pattern, targets in list(paths.items())[:_MAX_PATTERNS]
        if isinstance(targets, list)
    )


def _mapping(table: dict[str, Any], key: str) -> list[str]:
    """Return the targets of a key in `exports` or `imports`, its * filled in."""
    patterns = tuple((str(pattern), ()) for pattern in list(table)[:_MAX_PATTERNS])
    for pattern, _ in _matching(patterns, key):
        star = _star(pattern, key)
        return [target.replace("*", star) for target in _leaves(table[pattern])]
    return []


def _leaves(value: object) -> list[str]:
    """Return the targets that conditions lead to, those first that name sources."""
    found: list[str] = []
    waiting = [value]
    for _ in range(_MAX_PATTERNS):
        if not waiting:
            break
        at = waiting.pop()
        if isinstance(at, str):
            found.append(at)
        elif isinstance(at, list):
            waiting += reversed(at[:_MAX_TARGETS])
        elif isinstance(at, dict):
            order = {name: place for place, name in enumerate(_CONDITIONS)}
            keys = sorted(list(at)[:_MAX_PATTERNS], key=lambda key: order.get(key, len(order)))
            waiting += [at[key] for key in reversed(keys)]
    return found
