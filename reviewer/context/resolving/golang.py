"""Which files a Go import means: the folder of a package, by the go.mod files of the tree."""

import re
from functools import cached_property

from reviewer.context.resolving.tree import (
    Tree,
    folder_of,
    joined,
    longest_word,
    name_of,
    shared,
    upward,
    within,
)
from reviewer.context.values import Resolved
from reviewer.parsing.symbols import Import

_MODULE = re.compile(r"""^[ \t]*module[ \t]+["`]?([^\s"`]+)""", re.M)
_REPLACE = re.compile(
    r"""^[ \t]*(?:replace[ \t]+)?["`]?([^\s"`]+)["`]?(?:[ \t]+v\S+)?[ \t]+=>[ \t]+"""
    r"""["`]?(\.\.?/[^\s"`]*|\.\.?(?=\s))""",
    re.M,
)


class Go:
    """Resolves the imports of Go files."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._packages: dict[str, tuple[str, ...]] = {}

    def resolve(self, importer: str, what: Import) -> Resolved:
        """Return the files of the imported package.

        It is `inside` where the importer's own module has to have it, or one that go.work or a
        `replace` puts in the tree; another module of the tree may be wanted in a released version.
        """
        module = what.module
        if module.startswith(("./", "../")):
            folder = joined(folder_of(importer), module)
            return Resolved() if folder is None else Resolved(self._package(folder), "", True)
        if "." not in module.partition("/")[0] and not self._local(module):
            return Resolved()  # the standard library
        around = list(upward(folder_of(importer)))
        own = next((folder for folder in around if folder in self._modules), None)
        found = self._replacing(own, module) or self._of_module(importer, module, own)
        if found is not None and found.files:
            return found
        for each in around:
            if files := self._package(within(each, f"vendor/{module}")):
                return Resolved(files)
        if not self._modules:
            return Resolved(self._of_path(module))
        return found or Resolved()

    def beside(self, path: str) -> str:
        """Return the folder: it is one package, its tests included."""
        return folder_of(path)

    def spellings(self, path: str) -> tuple[str, ...]:
        """Return the last word of the import paths that can mean the folder."""
        folder = folder_of(path)
        names = [name_of(folder)]
        if folder in self._modules:
            names = [self._modules[folder]]
            names += [
                name
                for replaced in self._replaced.values()
                for name, target in replaced
                if target == folder
            ]
        words = [longest_word(name_of(name)) for name in names]
        return tuple(dict.fromkeys(words)) if all(words) else ()

    def _replacing(self, own: str | None, module: str) -> Resolved | None:
        """Return what the importer's go.mod takes from another folder; None if it does not."""
        for name, home in self._replaced.get(own or "", ()):
            if _below(module, name):
                folder = joined(home, module[len(name) :])
                return None if folder is None else Resolved(self._package(folder), "", True)
        return None

    def _local(self, module: str) -> bool:
        """May a path without a dot in its first segment mean this tree?"""
        first = module.partition("/")[0]
        return first in self._first_segments or (not self._modules and "/" in module)

    def _of_module(self, importer: str, module: str, own: str | None) -> Resolved | None:
        """Return what the module with the longest path around the import has; None without one."""
        name = module
        while name:
            homes = self._homes.get(name)
            if homes:
                home = (
                    own if own in homes else max(homes, key=lambda at: shared(at + "/", importer))
                )
                folder = joined(home, module[len(name) :])
                sure = home == own or any(
                    within(each, "go.work") in self._tree for each in upward(folder_of(importer))
                )
                return None if folder is None else Resolved(self._package(folder), "", sure)
            name = name.rpartition("/")[0]
        return None

    def _of_path(self, module: str) -> tuple[str, ...]:
        """Return the package of a tree without go.mod, whose own path is not known."""
        rest = module
        while rest:
            for root in ("", "src"):
                files = self._package(within(root, rest))
                if files:
                    return files
            rest = rest.partition("/")[2]
        return ()

    def _package(self, folder: str) -> tuple[str, ...]:
        files = self._packages.get(folder)
        if files is None:
            files = tuple(
                sorted(
                    path
                    for path in self._tree.folders.get(folder, ())
                    if path.endswith(".go") and not path.endswith("_test.go")
                )
            )
            if files:
                self._packages[folder] = files
        return files

    @cached_property
    def _texts(self) -> dict[str, str]:
        """The go.mod of each folder that has one."""
        return {
            folder_of(path): self._tree.settings(path).decode("utf-8", "replace")
            for path in self._tree.named("go.mod")
        }

    @cached_property
    def _modules(self) -> dict[str, str]:
        """For each folder with a go.mod, the path of its module."""
        found = {folder: _MODULE.search(text) for folder, text in self._texts.items()}
        return {folder: match[1] for folder, match in found.items() if match is not None}

    @cached_property
    def _homes(self) -> dict[str, list[str]]:
        """For each module's path, the folders that say they are it; test data only if alone."""
        homes: dict[str, list[str]] = {}
        for folder, name in self._modules.items():
            homes.setdefault(name, []).append(folder)
        return {
            name: [each for each in folders if "testdata" not in each.split("/")] or folders
            for name, folders in homes.items()
        }

    @cached_property
    def _first_segments(self) -> frozenset[str]:
        return frozenset(name.partition("/")[0] for name in self._homes)

    @cached_property
    def _replaced(self) -> dict[str, list[tuple[str, str]]]:
        """For each folder with a go.mod, the modules that it takes from other folders."""
        replaced: dict[str, list[tuple[str, str]]] = {}
        for folder, text in self._texts.items():
            for name, target in _REPLACE.findall(text):
                home = joined(folder, target)
                if home is not None:
                    replaced.setdefault(folder, []).append((name, home))
            replaced.get(folder, []).sort(key=lambda each: -len(each[0]))
        return replaced


def _below(module: str, name: str) -> bool:
    return module == name or module.startswith(name + "/")
