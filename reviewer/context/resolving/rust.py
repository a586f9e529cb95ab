"""Which files a `use` or a `mod` of Rust means: down the tree of modules that the files make."""

from dataclasses import dataclass
from functools import cached_property

from reviewer.context.resolving.tree import (
    Tree,
    folder_of,
    joined,
    longest_word,
    name_of,
    shared,
    stem_of,
    upward,
    within,
)
from reviewer.context.values import Resolved
from reviewer.parsing.symbols import Import

_ROOT_FILES = frozenset({"lib.rs", "main.rs", "build.rs"})
_ROOT_FOLDERS = frozenset({"bin", "tests", "examples", "benches"})
_OUTSIDE = frozenset({"std", "core", "alloc", "proc_macro", "test"})


@dataclass(frozen=True, slots=True)
class Crate:
    """A package of the tree: its folder, the root of its library, and what it takes by a path."""

    folder: str
    name: str
    root: str
    by_path: tuple[tuple[str, str], ...] = ()


class Rust:
    """Resolves the imports of Rust files."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def resolve(self, importer: str, what: Import) -> Resolved:
        """Return the file of a module: the deepest one on the path that has a file.

        `mod x;` reads as `self::x`. `super` in a module within a file is the file itself, which the
        import does not tell, so both are given.
        """
        segments = [each.strip().removeprefix("r#") for each in what.module.split("::")]
        extern = segments[0] == ""
        segments = segments[1:] if extern else segments
        if not segments or not all(segments) or any("/" in each for each in segments):
            return Resolved()
        first, rest = segments[0], segments[1:]
        if not extern:
            if first == "crate":
                return self._below(self._roots(importer), rest, what.name)
            if first == "self":
                return self._own(importer, rest, what.name)
            if first == "super":
                return self._above(importer, rest, what.name)
            if child := self._child(importer, first):
                return self._below((child,), rest, what.name)
        root = "" if first in _OUTSIDE else self._crate_root(importer, first)
        return self._below((root,), rest, what.name) if root else Resolved()

    def beside(self, path: str) -> str:
        """Return the path: a module sees what it uses."""
        return path

    def spellings(self, path: str) -> tuple[str, ...]:
        """Return the module's name; a module that has modules is `super` to them."""
        stem = stem_of(path)
        if stem in ("mod", "lib", "main") or self._children(path) in self._tree.folders:
            return ()
        word = longest_word(stem)
        return (word,) if word else ()

    def _own(self, importer: str, rest: list[str], name: str) -> Resolved:
        """Return what is below the file's module; a module that it declares has to have a file."""
        found = self._below((importer,), rest, name)
        declared = len(rest) == 1 and not name
        return Resolved((), "", True) if declared and found.files == (importer,) else found

    def _above(self, importer: str, rest: list[str], name: str) -> Resolved:
        count = 1
        while rest and rest[0] == "super":
            count, rest = count + 1, rest[1:]
        at: tuple[str, ...] = (importer,)
        for _ in range(count):
            at = (*self._parents(at[0]), *at)[:3]
        own = () if len(at) == 1 else (at[-1],)
        for start in at:
            found = self._below((start,), rest, name)
            if found.files != (start,) or found.submodule:
                return Resolved(found.files, found.submodule, True)
        return Resolved(tuple(dict.fromkeys((at[0], *own))), "", True)

    def _below(self, starts: tuple[str, ...], segments: list[str], name: str) -> Resolved:
        """Walk down from the first of the starts that has the first segment as a module."""
        for start in starts:
            at = start
            for segment in segments:
                child = self._child(at, segment)
                if not child:
                    break  # an item, or a module within the file
                at = child
            submodule = self._child(at, name) if name not in ("", "*", "self") else ""
            if at != start or submodule:
                return Resolved((at,), submodule, True)
        return Resolved(starts, "", True)

    def _child(self, path: str, name: str) -> str:
        """Return the file of a module that another's file declares, "" if there is none."""
        folder = self._children(path)
        for at in (within(folder, name + ".rs"), within(within(folder, name), "mod.rs")):
            if at in self._tree:
                return at
        return ""

    def _children(self, path: str) -> str:
        """Return the folder of the modules that a file declares."""
        folder, _, file = path.rpartition("/")
        if file == "mod.rs" or self._is_root(path):
            return folder
        return within(folder, file.removesuffix(".rs"))

    def _is_root(self, path: str) -> bool:
        """Is a file the root of a crate: of a library, a program, a test, an example?"""
        folder, _, file = path.rpartition("/")
        if file in _ROOT_FILES or path in self._library_roots:
            return True
        if name_of(folder) not in _ROOT_FOLDERS or within(folder, "mod.rs") in self._tree:
            return False
        return folder.endswith("src/bin") or within(folder_of(folder), "Cargo.toml") in self._tree

    def _parents(self, path: str) -> tuple[str, ...]:
        """Return the file of the module around a file's."""
        if self._is_root(path):
            return ()
        folder = folder_of(path)
        if name_of(path) == "mod.rs":
            folder = folder_of(folder)
        for at in (
            folder + ".rs",
            *(within(folder, each) for each in ("mod.rs", "lib.rs", "main.rs")),
        ):
            if at in self._tree and at != path:
                return (at,)
        return tuple(root for root in self._library_roots if folder_of(root) == folder)[:1]

    def _roots(self, importer: str) -> tuple[str, ...]:
        """Return the roots of the crate that a file may be of, the likeliest first."""
        if self._is_root(importer):
            return (importer,)
        for each in upward(folder_of(importer)):
            if (
                name_of(each) in _ROOT_FOLDERS
                and within(folder_of(each), "Cargo.toml") in self._tree
            ):
                break
            roots = [within(each, name) for name in ("lib.rs", "main.rs")]
            crate = self._crates.get(each)
            if crate is not None:
                roots += [crate.root, within(each, "src/main.rs")]
            found = tuple(dict.fromkeys(root for root in roots if root in self._tree))
            if found:
                return found
        return (importer,)

    def _crate_root(self, importer: str, name: str) -> str:
        """Return the root of a library of the tree by its name in a `use`."""
        for each in upward(folder_of(importer)):
            crate = self._crates.get(each)
            if crate is None:
                continue
            for wanted, folder in crate.by_path:
                if wanted == name and folder in self._crates:
                    return self._crates[folder].root
            break
        found = self._named.get(name, ())
        return max(found, key=lambda root: shared(root, importer), default="")

    @cached_property
    def _crates(self) -> dict[str, Crate]:
        crates = {}
        for path in self._tree.named("Cargo.toml"):
            crate = _crate(folder_of(path), self._tree.settings(path))
            if crate is not None:
                crates[crate.folder] = crate
        return crates

    @cached_property
    def _library_roots(self) -> frozenset[str]:
        return frozenset(each.root for each in self._crates.values() if each.root in self._tree)

    @cached_property
    def _named(self) -> dict[str, list[str]]:
        named: dict[str, list[str]] = {}
        for crate in self._crates.values():
            if crate.root in self._tree:
                named.setdefault(crate.name, []).append(crate.root)
        return named


def _crate(folder: str, manifest: bytes) -> Crate | None:
    """Return what a Cargo.toml says, read by the line: it need not be valid for that."""
    section = name = library = root = ""
    by_path = []
    for line in manifest.decode("utf-8", "replace").splitlines():
        text = line.strip()
        if text.startswith("["):
            section = text.strip("[]").strip()
            continue
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            continue
        if section == "package" and key == "name":
            name = _quoted(value)
        elif section == "lib" and key == "name":
            library = _quoted(value)
        elif section == "lib" and key == "path":
            root = _quoted(value)
        elif "dependencies" in section:
            inner, found, place = value.partition("path")
            if found and "{" in inner:
                at = joined(folder, _quoted(place.partition("=")[2]))
                if at is not None:
                    by_path.append((key.replace("-", "_"), at))
    if not name:
        return None
    path = joined(folder, root or "src/lib.rs")
    crate = (library or name).replace("-", "_")
    return Crate(folder, crate, path or within(folder, "src/lib.rs"), tuple(by_path[:500]))


def _quoted(value: str) -> str:
    for quote in ('"', "'"):
        if value.startswith(quote):
            return value[1:].partition(quote)[0]
    value = value.strip()
    return value[1:].partition(value[0])[0] if value[:1] in ('"', "'") else ""
