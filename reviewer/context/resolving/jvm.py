"""Which files an import of Java or Kotlin means: the path of a class under any source root."""

import re
from functools import cached_property

from reviewer.context.resolving.tree import (
    Endings,
    Tree,
    folder_of,
    longest_word,
    nearest_first,
    stem_of,
)
from reviewer.context.values import Resolved
from reviewer.parsing.symbols import Import

_SUFFIXES = ("java", "kt", "kts", "groovy", "scala")
_MAX_FILES = 5_000  # of one package
# The last part of a source root: what follows is the package.
_ROOT = re.compile(r"(?:^|/)(?:java|kotlin|scala|groovy|jvm|src|source|sources|test|tests|main)$")
_DOTTED = re.compile(r"(?<![^/])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?=/)")
"""A folder that is called like the whole package, which the compiler does not mind."""
_START = frozenset({"com", "org", "net", "io", "dev", "edu", "gov", "me", "de", "fr", "cn", "uk"})


class Jvm:
    """Resolves the imports of Java and Kotlin files, each of the other's too."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._packages: dict[str, tuple[str, ...]] = {}

    def resolve(self, importer: str, what: Import) -> Resolved:
        """Return the file of a class, or all files of a package.

        A Kotlin file need not be named as what is in it: then all of the package's may be meant.
        A package of this tree may have classes elsewhere too (another artifact, a generator), yet
        what is imported from one is taken to be `inside`.
        """
        segments = what.module.replace("`", "").split(".")
        if not all(segments) or any("/" in each for each in segments):
            return Resolved()
        if what.name == "*":
            files = self._class(importer, segments) or self._package(segments)
            return Resolved(files, "", bool(files))
        for count in range(len(segments), 0, -1):  # a nested class is in its outer one's file
            if count < len(segments) and not segments[count - 1][:1].isupper():
                break
            if files := self._class(importer, segments[:count]):
                return Resolved(files, "", True)
        package = [each for each in segments[:-1] if not each[:1].isupper()]
        beside = self._package(package) if package else ()
        kotlin = tuple(path for path in beside if path.endswith(".kt"))
        return Resolved(kotlin, "", bool(beside))

    def beside(self, path: str) -> str:
        """Return the package: the folder below its source root, whichever root that is."""
        folder = folder_of(path)
        segments = folder.split("/")
        for count in range(len(segments), 0, -1):
            if _ROOT.search("/".join(segments[:count][-2:])) and not set(segments[:count]) & _START:
                return _key(".".join(segments[count:]) or folder)
        for count, segment in enumerate(segments):
            if segment in _START:
                return _key(".".join(segments[count:]))
        return _key(".".join(segments))

    def spellings(self, path: str) -> tuple[str, ...]:
        """Return the class that a Java file is named for; who imports all has it where it is used.

        A Kotlin file is named for nothing that an importer writes.
        """
        stem = stem_of(path)
        if not path.endswith(".java") or stem in ("package-info", "module-info"):
            return ()
        word = longest_word(stem)
        return (word,) if word else ()

    def _class(self, importer: str, segments: list[str]) -> tuple[str, ...]:
        """Return the class's file nearest to the importer, and those of its other source sets."""
        ending = "/".join(segments)
        found = [
            self._dotted.get(path, path)
            for suffix in _SUFFIXES
            for path in self._files.find(f"{ending}.{suffix}")
        ]
        if len(found) < 2:
            return tuple(found)
        nearest, *rest = nearest_first(found, importer)
        module = nearest.rpartition("/src/")[0]
        same = [path for path in rest if "/src/" in path and path.rpartition("/src/")[0] == module]
        return (nearest, *same)

    def _package(self, segments: list[str]) -> tuple[str, ...]:
        name = ".".join(segments)
        known = self._packages.get(name)
        if known is None:
            found = [path[:-2] for path in self._folders.find("/".join(segments) + "/.")]
            folders = [self._dotted.get(folder, folder) for folder in found]
            if len(segments) == 1:  # many a folder is called so that is no package
                folders = [each for each in folders if self.beside(each + "/-") == _key(name)]
            known = tuple(
                path
                for folder in sorted(folders)
                for path in sorted(self._tree.folders[folder])
                if path.rpartition(".")[2] in _SUFFIXES
            )[:_MAX_FILES]
            if known:
                self._packages[name] = known
        return known

    @cached_property
    def _files(self) -> Endings:
        return Endings(map(_with_slashes, self._tree.having(*_SUFFIXES)))

    @cached_property
    def _folders(self) -> Endings:
        """The folders that have sources, each with "/." so that it ends as a file would."""
        folders = {folder_of(path) for path in self._tree.having(*_SUFFIXES)}
        return Endings(f"{_with_slashes(folder + '/')}." for folder in folders)

    @cached_property
    def _dotted(self) -> dict[str, str]:
        """Files and folders whose package is one folder, by the paths they are looked up by."""
        paths = [path for path in self._tree.having(*_SUFFIXES) if _DOTTED.search(path)]
        folders = {folder_of(path) for path in paths}
        return {
            **{_with_slashes(path): path for path in paths},
            **{_with_slashes(folder + "/")[:-1]: folder for folder in folders},
        }


def _with_slashes(path: str) -> str:
    return _DOTTED.sub(lambda match: match[0].replace(".", "/"), path)


def _key(package: str) -> str:
    return f"package {package}"
