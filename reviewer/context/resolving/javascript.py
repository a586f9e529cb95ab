"""Which files an import of JavaScript or TypeScript means: relative, by a tsconfig, a workspace."""

from reviewer.context.resolving.javascript_settings import Settings, Target
from reviewer.context.resolving.tree import (
    Tree,
    folder_of,
    joined,
    longest_word,
    stem_of,
    upward,
    within,
)
from reviewer.context.values import Resolved
from reviewer.parsing.symbols import Import

_CODE = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte")
_DECLARED = (".d.ts", ".d.mts", ".d.cts")
_OTHER = (".json", ".astro", ".mdx", ".es6", ".node", ".wasm")
_PLATFORM = tuple(
    f".{platform}{suffix}"
    for platform in ("ios", "android", "native", "web")
    for suffix in (".ts", ".tsx", ".js", ".jsx")
)
# What is written as the file that the compiler makes is found as the file that it makes it from.
_COMPILED = {
    ".js": (".ts", ".tsx", ".jsx", ".vue", ".d.ts"),
    ".jsx": (".tsx", ".d.ts"),
    ".mjs": (".mts", ".ts", ".d.mts"),
    ".cjs": (".cts", ".ts", ".d.cts"),
    ".d.ts": (".ts", ".tsx"),
}
_INDEX = "index"
_BUILT = ("dist", "build", "lib", "out", "es", "esm", "cjs", "types", "umd")
_SOURCES = ("src", "", "source", "lib")


class JavaScript:
    """Resolves the imports of JavaScript, TypeScript, Vue and Svelte files."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._settings = Settings(tree)

    def resolve(self, importer: str, what: Import) -> Resolved:
        """Return what an import means; a bundler's prefix and query are left out of it."""
        folder = folder_of(importer)
        module = what.module.rpartition("!")[2]
        if "\0" in module or not module:
            return Resolved()
        bare, query, _ = module.partition("?")
        if module in (".", "..") or module.startswith(("./", "../")):
            return self._relative(folder, module, bare if query else "")
        if query:
            module = bare
        if module.startswith("#"):
            return self._targets(self._settings.own_imports(folder, module), True)
        return self._by_paths(folder, module) or self._package(folder, module)

    def beside(self, path: str) -> str:
        """Return the path: a module sees nothing that it does not import."""
        return path

    def spellings(self, path: str) -> tuple[str, ...]:
        """Return a word of the file's name, unless it has another name or needs none.

        An index file is `.` from beside it, a package's entry its package's name, or `..`.
        """
        stem = stem_of(path)
        if stem == _INDEX or self._settings.renamed(path):
            return ()
        word = longest_word(stem)
        return (word,) if word else ()

    def _relative(self, folder: str, module: str, without_query: str) -> Resolved:
        at = joined(folder, module)
        if at is None:
            return Resolved()
        directory = module.endswith("/") or module.rpartition("/")[2] in (".", "..")
        files = self._directory(at) if directory else self._files(at)
        if not files and without_query:
            inner = joined(folder, without_query)
            files = self._files(inner) if inner is not None else ()
        return Resolved(files, "", True)

    def _by_paths(self, folder: str, module: str) -> Resolved | None:
        """Return what `paths` and `baseUrl` of the nearest tsconfig or jsconfig make of a name."""
        for targets in self._settings.mapped(folder, module):
            found = self._targets(targets, False)
            if found.files:
                return Resolved(found.files, "", True)
            if targets.certain:
                return Resolved((), "", True)
        if module.startswith(("@/", "~/")):  # no package can have such a name
            return self._by_habit(folder, module[2:])
        return None

    def _by_habit(self, folder: str, rest: str) -> Resolved:
        """Return what `@/` and `~/` mean to most bundlers: the sources of the package."""
        for each in upward(folder):
            if within(each, "package.json") in self._tree:
                for root in ("src", "app", "", "resources/js"):
                    at = joined(within(each, root) if root else each, rest)
                    files = self._files(at) if at is not None else ()
                    if files:
                        return Resolved(files, "", True)
        return Resolved()

    def _package(self, folder: str, module: str) -> Resolved:
        """Return what the name of a package of this tree means, with or without a path in it."""
        name, inner = split_package(module)
        home = self._settings.home(folder, name)
        if home is None:
            return Resolved()
        for target in self._settings.exported(home, inner):
            if files := self._written_as(home, target):
                return Resolved(files, "", True)
        for root in _SOURCES:
            at = within(home, root) if root else home
            at = within(at, inner) if inner else at
            files = self._files(at) if inner else self._entry(at)
            if files:
                return Resolved(files, "", True)
        return Resolved((), "", True)

    def _written_as(self, home: str, target: str) -> tuple[str, ...]:
        """Return the files of a package's target, or those that it is built from."""
        at = joined(home, target)
        if at is None:
            return ()
        if files := self._files(at):
            return files
        inner = at[len(home) :].lstrip("/") if home else at
        first, _, rest = inner.partition("/")
        while first in _BUILT and rest:
            source = within(within(home, "src"), rest)
            if files := self._files(source) or self._files(_without_suffix(source)):
                return files
            first, _, rest = rest.partition("/")
        return ()

    def _targets(self, targets: Target, inside: bool) -> Resolved:
        for at in targets.places:
            if files := self._files(at):
                return Resolved(files, "", True)
        return Resolved((), "", inside and bool(targets.places))

    def _files(self, at: str) -> tuple[str, ...]:
        """Return the files that a path without or with its suffix means, the code first."""
        tree = self._tree
        files = _first(tree, at, _CODE) if at not in tree else at
        if not files:
            for suffix, sources in _COMPILED.items():
                if at.endswith(suffix):
                    files = _first(tree, at[: -len(suffix)], sources)
                    if files:
                        break
        declared = _first(tree, _without_suffix(at) if at in tree else at, _DECLARED)
        if files:
            return (files, declared) if declared and declared != files else (files,)
        if declared:
            return (declared,)
        files = _first(tree, at, _OTHER)
        if files:
            return (files,)
        if at in tree.folders:
            return self._directory(at)
        return tuple(at + suffix for suffix in _PLATFORM if at + suffix in tree)

    def _directory(self, at: str) -> tuple[str, ...]:
        """Return the files that a folder means: what its package.json names, or its index."""
        package = within(at, "package.json")
        if package in self._tree:
            for target in self._settings.exported(at, ""):
                place = joined(at, target)
                if place is None or place == at:
                    continue
                # Not the package.json of that folder again: they may name each other.
                found = self._index(place) if place in self._tree.folders else self._files(place)
                if found:
                    return found
        return self._index(at)

    def _index(self, folder: str) -> tuple[str, ...]:
        start = within(folder, _INDEX)
        code = _first(self._tree, start, _CODE)
        declared = _first(self._tree, start, _DECLARED)
        found = tuple(each for each in (code, declared) if each)
        return found or tuple(filter(None, (_first(self._tree, start, _OTHER),)))

    def _entry(self, folder: str) -> tuple[str, ...]:
        if files := self._index(folder):
            return files
        start = within(folder, "main")
        return tuple(filter(None, (_first(self._tree, start, _CODE),)))


def split_package(module: str) -> tuple[str, str]:
    """Return the name of the package that a bare import starts with, and the path in it."""
    segments = module.split("/")
    count = 2 if module.startswith("@") else 1
    return "/".join(segments[:count]), "/".join(segments[count:])


def _first(tree: Tree, start: str, suffixes: tuple[str, ...]) -> str:
    for suffix in suffixes:
        if start + suffix in tree:
            return start + suffix
    return ""


def _without_suffix(path: str) -> str:
    for suffix in _DECLARED:
        if path.endswith(suffix):
            return path[: -len(suffix)]
    start, dot, suffix = path.rpartition(".")
    return start if dot and "/" not in suffix else path
