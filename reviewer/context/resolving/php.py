"""Which files a `use` or a `require` of PHP means: by composer.json, else by the path's end."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from reviewer.context.resolving.relaxed_json import relaxed_json
from reviewer.context.resolving.tree import (
    Endings,
    Tree,
    folder_of,
    joined,
    longest_word,
    nearest_first,
    shared,
    stem_of,
    within,
)
from reviewer.context.values import Resolved
from reviewer.parsing.symbols import Import

_MAX_FILES = 1_000  # that may define a function of a namespace
_MAX_PREFIXES = 500  # of one composer.json


class Php:
    """Resolves the imports of PHP files."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def resolve(self, importer: str, what: Import) -> Resolved:
        """Return the file of a class, those that may define a function, or the required file."""
        module = what.module
        if "\\" not in module and (module.endswith(".php") or "/" in module):
            return self._required(importer, module)
        name = module.strip("\\").replace("\\", "/")
        if what.name:
            return Resolved(self._functions(importer, name))
        inside = False
        for place, below in self._places(importer, name):
            if place + ".php" in self._tree:
                return Resolved((place + ".php",), "", True)
            # Other packages may share a prefix, but hardly a folder below it.
            inside = inside or (below and folder_of(place) in self._tree.folders)
        return Resolved(() if inside else self._by_ending(importer, name), "", inside)

    def beside(self, path: str) -> str:
        """Return the namespace that composer.json gives the folder, else the folder."""
        folder = folder_of(path)
        best = ""
        for prefix, places in self._prefixes.items():
            for place in places:
                if (folder == place or folder.startswith(place + "/")) and len(place) >= len(best):
                    rest = folder[len(place) :].strip("/")
                    best = place
                    namespace = "/".join(filter(None, (prefix.rstrip("/"), rest)))
        return "namespace " + namespace.replace("/", "\\") if best else folder

    def spellings(self, path: str) -> tuple[str, ...]:
        """Return the class's name; a file of functions is used by theirs."""
        stem = stem_of(path)
        word = longest_word(stem)
        return (word,) if stem[:1].isupper() and word else ()

    def _required(self, importer: str, module: str) -> Resolved:
        folder = folder_of(importer)
        below = module.startswith(("./", "../", "/"))
        inside = module.startswith(("./", "../"))
        for start in (folder,) if below else (folder, ""):
            at = joined(start, module)
            if at is None:
                return Resolved()
            if at in self._tree:
                return Resolved((at,), "", True)
        if below:
            return Resolved((), "", inside)
        found = self._endings.find(module)
        return Resolved(tuple(found) if len(found) == 1 else ())

    def _places(self, importer: str, name: str) -> Iterator[tuple[str, bool]]:
        """Yield where a class may be, by its longest prefix first, and is that a folder below."""
        prefix = name
        while prefix:
            prefix = prefix.rpartition("/")[0]
            key = prefix + "/" if prefix else ""
            places = self._prefixes.get(key, ())
            for place in sorted(places, key=lambda each: -shared(each + "/", importer)):
                rest = name[len(key) :]
                yield within(place, rest), bool(key) and "/" in rest

    def _by_ending(self, importer: str, name: str) -> tuple[str, ...]:
        """Return the file whose path ends as a class's name does, in two segments at least."""
        while "/" in name:
            if found := self._endings.find(name + ".php"):
                return tuple(nearest_first(found, importer)[:1])
            name = name.partition("/")[2]
        return ()

    def _functions(self, importer: str, namespace: str) -> tuple[str, ...]:
        folders = [place for place, _ in self._places(importer, namespace + "/-")]
        files = []
        for folder in dict.fromkeys(folder_of(each) for each in folders):
            files += [
                path
                for path in sorted(self._tree.folders.get(folder, ()))
                if path.endswith(".php") and not stem_of(path)[:1].isupper()
            ]
        return tuple(files)[:_MAX_FILES]

    @cached_property
    def _prefixes(self) -> dict[str, list[str]]:
        """For each prefix of class names ("App/"), the folders that stand for it."""
        prefixes: dict[str, list[str]] = {}
        for path in self._tree.named("composer.json"):
            content = relaxed_json(self._tree.settings(path))
            for prefix, folder in _autoloaded(content):
                place = joined(folder_of(path), folder)
                if place is not None:
                    places = prefixes.setdefault(prefix, [])
                    if place not in places[:_MAX_PREFIXES]:
                        places.append(place)
        return prefixes

    @cached_property
    def _endings(self) -> Endings:
        return Endings(self._tree.having("php"))


def _autoloaded(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the prefixes of a composer.json, "/" for "\\", each with a folder."""
    for field in ("autoload", "autoload-dev"):
        autoload = content.get(field)
        for standard in ("psr-4", "psr-0"):
            table = autoload.get(standard) if isinstance(autoload, dict) else None
            for prefix, folders in list(table.items() if isinstance(table, dict) else ())[
                :_MAX_PREFIXES
            ]:
                key = prefix.strip("\\").replace("\\", "/")
                for folder in (folders if isinstance(folders, list) else [folders])[:16]:
                    if isinstance(folder, str):
                        # By PSR-0 the prefix is part of the path.
                        inner = f"{folder}/{key}" if standard == "psr-0" else folder
                        yield (key + "/" if key else ""), inner
