"""Which files a Python import means.

A folder that is no package (it has no __init__.py) may be on the path: the importer's own, those
around it, a project's `src`. As in Python a package or module on any of them comes before a folder
without __init__.py on all of them.
"""

import sys
from collections import Counter
from functools import cached_property

from reviewer.context.resolving.tree import (
    MAX_SEGMENTS,
    Tree,
    folder_of,
    longest_word,
    name_of,
    nearest_first,
    shared,
    stem_of,
    upward,
    within,
)
from reviewer.context.values import Resolved
from reviewer.parsing.symbols import Import

_SOURCE = (".py", ".pyi", ".pyx", ".pyw")
_COMPILED = (".c", ".cpp", ".cc", "module.c", ".rs")  # an extension module beside its users
_PROJECT = frozenset({"pyproject.toml", "setup.py", "setup.cfg"})
_MAX_ROOTS = 16  # that are looked into for one import
_MAX_ALIKE = 1_000  # roots that have the same name at their top
_ROOTS = ("src", "lib", "python", "Lib")


class Python:
    """Resolves the imports of Python files."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._roots: dict[str, list[str]] = {}

    def resolve(self, importer: str, what: Import) -> Resolved:
        """Return what an import means.

        A name of the standard library means a file only where a root around the importer really
        has it at its top, as a backport's has; `inside` stays False, for if that file goes the
        library answers. Names compiled into Python are never files.
        """
        module = what.module.strip()
        rest = module.lstrip(".")
        level = len(module) - len(rest)
        segments = rest.split(".") if rest else []
        if level > MAX_SEGMENTS or len(segments) > MAX_SEGMENTS or not _plain(segments):
            return Resolved()
        if level:
            return self._relative(importer, level, segments, what.name)
        return self._absolute(importer, segments, what.name) if segments else Resolved()

    def beside(self, path: str) -> str:
        """Return the path: a module sees nothing that it does not import."""
        return path

    def spellings(self, path: str) -> tuple[str, ...]:
        """Return the module's name; a package can be imported from below it as `.` alone."""
        stem = stem_of(path)
        if stem == "__init__" or not stem.isascii():  # Python folds identifiers that are not ASCII
            return ()
        word = longest_word(stem)
        return (word,) if word else ()

    def _relative(self, importer: str, level: int, segments: list[str], name: str) -> Resolved:
        base = folder_of(importer)
        for _ in range(level - 1):
            if not base:
                return Resolved()  # above the top: the tree may lie inside a package
            base = folder_of(base)
        files, folder, _ = self._walk(base, segments)
        return self._found(files, folder, name, True)

    def _absolute(self, importer: str, segments: list[str], name: str) -> Resolved:
        first = segments[0]
        if first in sys.builtin_module_names:
            return Resolved()
        library = first in sys.stdlib_module_names
        having = self._tops.get(first)
        if having is None:
            return Resolved() if library else self._namespace(importer, segments, name)
        roots = [root for root in self._around(folder_of(importer)) if root in having]
        if library:  # a folder of scripts inside a package is more likely a part of it
            roots = [root for root in roots if not self._in_package(root)]
        elif not roots:
            roots = [root for root in having if root in self._projects]
            roots.sort(key=lambda root: -shared(root + "/", importer))
        for root in roots[:_MAX_ROOTS]:
            files, folder, regular = self._walk(root, segments)
            if files or folder is not None:
                return self._found(files, folder, name, regular and not library)
        if roots:
            return Resolved((), "", not library and not self._shared(roots[0], first, having))
        found = Resolved() if library else self._namespace(importer, segments, name)
        if (
            not library
            and not found.files
            and len(having) == 1
            and shared(having[0] + "/", importer)
        ):
            # A folder that something nearby puts on the path: a guess.
            files, folder, _ = self._walk(having[0], segments)
            return self._found(files, folder, name, False)
        return found

    def _namespace(self, importer: str, segments: list[str], name: str) -> Resolved:
        """Return what is meant by a first segment that is a folder without __init__.py."""
        having = self._spaces.get(segments[0], ())
        around = [root for root in self._around(folder_of(importer)) if root in having]
        projects = [root for root in having if root in self._projects]
        for root in dict.fromkeys([*around, *nearest_first(projects, importer)[:_MAX_ROOTS]]):
            files, folder, regular = self._walk(root, segments)
            found = self._found(files, folder, name, regular)
            if found.files or found.inside:
                return found
        return Resolved()

    def _found(
        self, files: tuple[str, ...], folder: str | None, name: str, inside: bool
    ) -> Resolved:
        """Add the submodule that a name may be.

        A folder without __init__.py has no file of its own: its submodule is what is found.
        """
        submodule = ""
        if folder is not None and name not in ("", "*") and _plain([name]):
            inner, _ = self._module(within(folder, name))
            submodule = inner[0] if inner else ""
        return Resolved(files or ((submodule,) if submodule else ()), submodule, inside)

    def _walk(self, root: str, segments: list[str]) -> tuple[tuple[str, ...], str | None, bool]:
        """Return a module's files, its folder if it is a package, and was any part of it regular.

        No files and no folder say that there is no such module.
        """
        at = root
        regular = False
        files, package = (self._init(at), True) if at in self._tree.folders else ((), False)
        for segment in segments:
            at = within(at, segment)
            files, package = self._module(at)
            regular = regular or bool(files)
            if not package:
                # Whoever imports from below a module puts it there itself, as six.moves does.
                return files, None, regular
        return files, at if package else None, regular

    def _module(self, at: str) -> tuple[tuple[str, ...], bool]:
        """Return the files of the module at a path without suffix, and whether it is a package."""
        folder = at in self._tree.folders
        if folder and (files := self._init(at)):
            return files, True
        files = tuple(at + suffix for suffix in _SOURCE if at + suffix in self._tree)
        if not files and not folder:
            files = tuple(at + suffix for suffix in _COMPILED if at + suffix in self._tree)[:1]
        return files, folder and not files

    def _init(self, folder: str) -> tuple[str, ...]:
        start = within(folder, "__init__")
        return tuple(start + suffix for suffix in _SOURCE if start + suffix in self._tree)

    def _package(self, folder: str) -> bool:
        """Is it a package that can be imported? `report-tests` is called like none."""
        if not name_of(folder).isidentifier():
            return False
        start = within(folder, "__init__.py")
        return start in self._tree or start + "i" in self._tree

    def _in_package(self, folder: str) -> bool:
        return any(self._package(each) for each in upward(folder))

    def _around(self, folder: str) -> list[str]:
        """Return the roots that the importer's place suggests, nearest first."""
        known = self._roots.get(folder)
        if known is not None:
            return known
        folders = self._tree.folders
        roots = []
        for each in upward(folder):
            if not self._package(each):
                roots.append(each)
                for name in _ROOTS:
                    root = within(each, name)
                    if root in folders and not self._package(root):
                        roots.append(root)
        self._roots[folder] = list(dict.fromkeys(roots))
        return self._roots[folder]

    def _shared(self, root: str, first: str, having: list[str]) -> bool:
        """May other distributions have parts of a package: is it but a folder of packages?"""
        folder = within(root, first)
        if folder not in self._tree.folders:
            return False
        if any(stem_of(path) != "__init__" for path in self._tree.folders[folder]):
            return False
        return len(having) > 1 or self._inner_packages.get(folder, 0) == 1

    @cached_property
    def _inner_packages(self) -> dict[str, int]:
        """For each folder, how many packages lie directly in it."""
        return dict(
            Counter(
                folder_of(folder_of(path))
                for path in self._tree.having("py")
                if path.endswith("/__init__.py")
            )
        )

    @cached_property
    def _tops(self) -> dict[str, list[str]]:
        """For each name, the folders outside packages that have it as a module or a package."""
        tops: dict[str, list[str]] = {}
        for folder in self._folders:
            if folder and self._package(folder):
                root, _, first = folder.rpartition("/")
                if not self._package(root):
                    _add(tops, first, root)
            else:
                for path in self._tree.folders[folder]:
                    if path.endswith(_SOURCE):
                        _add(tops, stem_of(path), folder)
        return tops

    @cached_property
    def _spaces(self) -> dict[str, list[str]]:
        """For each name, the folders outside packages that have a folder of it with sources."""
        spaces: dict[str, list[str]] = {}
        seen: set[str] = set()
        for folder in self._folders:
            for each in upward(folder):
                if each in seen or not each:
                    break
                seen.add(each)
                root, _, first = each.rpartition("/")
                if not self._package(root):
                    _add(spaces, first, root)
        return spaces

    @property
    def _folders(self) -> list[str]:
        """Return the folders that have sources."""
        return sorted({folder_of(path) for path in self._tree.having("py", "pyi", "pyx", "pyw")})

    @cached_property
    def _projects(self) -> frozenset[str]:
        """Return the folders that a project's own settings make roots."""
        projects = [folder_of(path) for name in _PROJECT for path in self._tree.named(name)]
        roots = [within(each, root) for each in projects for root in _ROOTS]
        return frozenset(
            root
            for root in (*projects, *roots)
            if root in self._tree.folders and not self._package(root)
        )


def _add(roots: dict[str, list[str]], first: str, root: str) -> None:
    held = roots.setdefault(first, [])
    if len(held) < _MAX_ALIKE and root not in held[-1:]:
        held.append(root)


def _plain(segments: list[str]) -> bool:
    return all(each and "/" not in each and "\0" not in each for each in segments)
