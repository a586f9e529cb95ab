"""Which files of one tree an import means, by the rules of each language, from paths alone.

A few small files of settings are read besides, the first time that a language needs them.
"""

import re
from collections.abc import Callable, Iterable
from typing import Protocol

from reviewer.context.resolving.clike import CLike
from reviewer.context.resolving.csharp import CSharp
from reviewer.context.resolving.golang import Go
from reviewer.context.resolving.javascript import JavaScript
from reviewer.context.resolving.jvm import Jvm
from reviewer.context.resolving.naming import Naming
from reviewer.context.resolving.php import Php
from reviewer.context.resolving.python import Python
from reviewer.context.resolving.ruby import Ruby
from reviewer.context.resolving.rust import Rust
from reviewer.context.resolving.tree import Tree, folder_of
from reviewer.context.values import Resolved
from reviewer.languages import Language, language_of
from reviewer.parsing.symbols import Import

__all__ = ["TreeResolver", "is_settings", "resolver"]

MAX_MODULE_CHARS = 1_000  # of a module's name; a longer one means nothing
MAX_REMEMBERED = 30_000  # answers that are kept, about 200 bytes each

_NOTHING = Resolved()


_SETTINGS = re.compile(
    r"(?:^|/)(?:go\.mod|package\.json|composer\.json|Cargo\.toml|[jt]sconfig[\w.-]*\.json)$"
)


class Family(Protocol):
    """The rules of one language, or of several that import each other."""

    def resolve(self, importer: str, what: Import) -> Resolved: ...

    def beside(self, path: str) -> str: ...

    def spellings(self, path: str) -> tuple[str, ...]: ...


_FAMILIES: dict[Language, Callable[[Tree], Family]] = {
    Language.C: CLike,
    Language.CPP: CLike,
    Language.CSHARP: CSharp,
    Language.GO: Go,
    Language.JAVA: Jvm,
    Language.JAVASCRIPT: JavaScript,
    Language.KOTLIN: Jvm,
    Language.PHP: Php,
    Language.PYTHON: Python,
    Language.RUBY: Ruby,
    Language.RUST: Rust,
    Language.SVELTE: JavaScript,
    Language.TSX: JavaScript,
    Language.TYPESCRIPT: JavaScript,
    Language.VUE: JavaScript,
}


def is_settings(path: str) -> bool:
    """May a resolver read the file? To be fetched with the sources, not one by one."""
    return _SETTINGS.search(path) is not None


def resolver(paths: Iterable[str], read: Callable[[str], bytes | None]) -> "TreeResolver":
    """Return what resolves imports in the tree of these files.

    `read` gives a file's bytes, None where there are none; it is asked for small files of settings
    only, at most a few thousand. What it raises comes out of the question that asked.
    """
    return TreeResolver(Tree(paths, read))


class TreeResolver:
    """Answers as `Resolver` says. Safe to ask from several threads."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._naming = Naming(tree)
        self._families: dict[Callable[[Tree], Family], Family] = {}
        self._remembered: dict[tuple[Family, str, str, str], Resolved] = {}

    def resolve(self, importer: str, what: Import) -> Resolved:
        """Return the files that an import in the file `importer` means."""
        family = self._family(importer)
        if family is None or len(what.module) + len(what.name) > MAX_MODULE_CHARS:
            return _NOTHING
        # A module of Rust is a folder of its own; elsewhere all files of a folder mean the same.
        place = importer if isinstance(family, Rust) else folder_of(importer)
        key = (family, place, what.module, what.name)
        known = self._remembered.get(key)
        if known is None:
            known = family.resolve(importer, what)
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = known
        return known

    def beside(self, path: str) -> str:
        """Return a key that is equal for files that see each other's names without an import."""
        family = self._family(path)
        return path if family is None else family.beside(path)

    def spellings(self, path: str) -> tuple[str, ...]:
        """Return the words one of which an import of this file has to have in its source."""
        family = self._family(path)
        return () if family is None else family.spellings(path)

    def tests_of(self, path: str) -> tuple[str, ...]:
        """Return the files of the tree that by their names test this one, best first."""
        return self._naming.tests_of(path)

    def _family(self, path: str) -> Family | None:
        language = language_of(path)
        make = None if language is None else _FAMILIES.get(language)
        if make is None:
            return None
        return self._families.get(make) or self._families.setdefault(make, make(self._tree))
