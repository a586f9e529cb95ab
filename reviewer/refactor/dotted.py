"""Files of Python as modules: their names in parts, and how imports spell them. Pure."""

from itertools import takewhile

from reviewer.errors import GiveUp
from reviewer.refactor.protect import shown


def parts(path: str) -> list[str]:
    """Return the names that lead to a module from the root of the tree; a package is its folder."""
    names = path.removesuffix(".py").split("/")
    return names[:-1] if names[-1] == "__init__" else names


def package(path: str) -> list[str]:
    """Return the folders that a file lies in: what its relative imports start from."""
    return path.split("/")[:-1]


def meant(importer: str, said: str) -> list[str]:
    """Return the parts of what a relative import of a file means."""
    rest = said.lstrip(".")
    base = package(importer)
    base = base[: len(base) - (len(said) - len(rest) - 1)]
    return [*base, *(rest.split(".") if rest else [])]


def relative(target: list[str], base: list[str], root: int) -> str:
    """Return how code of the package `base` imports a module: relatively, within one package.

    `root` counts the folders above the outermost package. Without a package in common it is the
    absolute name.
    """
    pairs = zip(target, base, strict=False)
    common = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
    if common > root:
        return "." * (len(base) - common + 1) + ".".join(target[common:])
    if len(target) <= root:
        raise GiveUp(f"{shown('/'.join(target))} is no package")
    return ".".join(target[root:])


def respelled(importer: str, said: str, old: str, new: str, root: int) -> str:
    """Return what an import that says `said` for the module `old` says for `new`."""
    if said.startswith("."):
        level = len(said) - len(said.lstrip("."))
        base = package(importer)
        base = base[: len(base) - level + 1]
        target = parts(new)
        if target[: len(base)] == base:
            return "." * level + ".".join(target[len(base) :])
        return relative(target, package(importer), root)
    before, names = parts(old), said.split(".")
    if before[-len(names) :] != names:
        raise GiveUp(f"{shown(importer)} imports it by a path that cannot be told")
    base = before[: len(before) - len(names)]
    if parts(new)[: len(base)] != base or len(parts(new)) == len(base):
        raise GiveUp(f"{shown(new)} is in another package than {shown(importer)} imports from")
    return ".".join(parts(new)[len(base) :])
