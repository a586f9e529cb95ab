"""A definition as the uses of its name are compared with it, and what paths and names share."""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from reviewer.parsing.symbols import Definition, DefKind

_LAST_WORD = re.compile(r"([A-Za-z_]\w*)\W*$")
_INDEXES = frozenset({"__init__", "index", "mod", "lib"})
_MIN_ALIKE = 3
"""Shorter names are in too many others."""


@dataclass(frozen=True)
class Target:
    """`beside` is the key of the files that see it without an import (`Resolver.beside`)."""

    path: str
    definition: Definition
    beside: str

    @cached_property
    def stem(self) -> str:
        """What the file's module is called."""
        return stem(self.path)

    @cached_property
    def owner(self) -> str:
        """The class or function that it is a member of, by its own name; "" at the top."""
        return last_part(self.definition.scope)


def stem(path: str) -> str:
    """Return what the module of a file is called: its folder's name, for a package's own file."""
    folder, _, name = path.rpartition("/")
    found = name.partition(".")[0]
    return last_part(folder.replace("/", ".")) if found in _INDEXES else found


def last_part(name: str) -> str:
    """Return what stands after the last dot."""
    return name.rpartition(".")[2]


def last_word(receiver: str) -> str:
    """Return the last name in the text of a receiver: "store" for `self.store`, `store()`."""
    found = _LAST_WORD.search(receiver)
    return found[1] if found else ""


def inside(scope: str, outer: str) -> bool:
    """Is a dotted scope the other, or in it?"""
    return not outer or scope == outer or scope.startswith(f"{outer}.")


def resembles(receiver: str, owner: str) -> bool:
    """Is a receiver named like a class: `db_session` like Session, `self.store` like FileStore?"""
    a = last_word(receiver).replace("_", "").lower()
    b = owner.replace("_", "").lower()
    if len(a) < _MIN_ALIKE or len(b) < _MIN_ALIKE:
        return bool(a) and a == b
    return a in b or b in a


@lru_cache(maxsize=2_000)
def shared(one: str, other: str) -> float:
    """Return how much of their folders two paths share, from 0 to 1."""
    a, b = one.split("/")[:-1], other.split("/")[:-1]
    same = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        same += 1
    longest = max(len(a), len(b))
    return same / longest if longest else 1.0


def is_member(definition: Definition) -> bool:
    """Is it reached through a class, rather than through a module?"""
    return definition.kind is DefKind.METHOD or bool(definition.scope)
