"""Which files a `require` of Ruby means: beside the file, or in a folder of the load path."""

from functools import cached_property

from reviewer.context.resolving.tree import (
    Endings,
    Tree,
    folder_of,
    joined,
    longest_word,
    nearest_first,
    stem_of,
    upward,
    within,
)
from reviewer.context.values import Resolved
from reviewer.parsing.symbols import Import

# What gems, test runners and Rails put on the load path.
_ROOTS = ("lib", "test", "spec", "tests", "features", "app/models", "app/controllers", "app/jobs")


class Ruby:
    """Resolves the requires of Ruby files."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def resolve(self, importer: str, what: Import) -> Resolved:
        """Return the required file; `inside` where the nearest lib/ has the name's first part."""
        module = what.module
        folder = folder_of(importer)
        if "\0" in module:
            return Resolved()
        if module.startswith(("./", "../")):
            at = joined(folder, module)
            if at is None:
                return Resolved()
            files = self._file(at)
            if not files and module.startswith("./"):  # `require "./x"` is meant from the top
                files = self._file(joined("", module) or "")
            return Resolved(files, "", True)
        if module.startswith("/") or ".." in module:
            return Resolved()
        first = module.partition("/")[0].removesuffix(".rb")
        inside = False
        for each in upward(folder):
            for root in _ROOTS:
                place = within(each, root)
                if place not in self._tree.folders:
                    continue
                if files := self._file(within(place, module)):
                    return Resolved(files, "", True)
                inside = inside or (
                    root == "lib"
                    and "/" in module
                    and (within(place, first) in self._tree.folders)
                    and (within(place, first + ".rb") in self._tree)
                )
        wanted = module if module.endswith(".rb") else module + ".rb"
        found = nearest_first(self._endings.find("lib/" + wanted), importer)
        return Resolved(tuple(found[:1]), "", inside or bool(found))

    def beside(self, path: str) -> str:
        """Return the path: a file sees what something has required, and no folder says what."""
        return path

    def spellings(self, path: str) -> tuple[str, ...]:
        """Return the file's name, and the constant that an autoloader takes from it."""
        word = longest_word(stem_of(path))
        constant = "".join(part[:1].upper() + part[1:] for part in word.split("_"))
        return tuple(dict.fromkeys(each for each in (word, constant) if each))

    def _file(self, at: str) -> tuple[str, ...]:
        return next(((each,) for each in (at, at + ".rb") if each in self._tree), ())

    @cached_property
    def _endings(self) -> Endings:
        return Endings(self._tree.having("rb"))
