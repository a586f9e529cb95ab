"""What a use is bound to at one end of a change."""

from dataclasses import dataclass

from reviewer.parsing.symbols import Definition


@dataclass(frozen=True, slots=True)
class Item:
    """A definition and the file it is in."""

    path: str
    definition: Definition

    @property
    def qualified(self) -> str:
        """The dotted path of the definition in its file."""
        each = self.definition
        return f"{each.scope}.{each.name}" if each.scope else each.name


@dataclass(frozen=True, slots=True)
class Found:
    """Certainly one of these definitions: several where a name is overloaded or reopened.

    `bare` is False where a call passes the receiver itself as an argument, or may: it is not
    judged by its arguments then.
    """

    items: tuple[Item, ...]
    bare: bool = True


@dataclass(frozen=True, slots=True)
class Module:
    """Certainly one of these files, as a module."""

    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Absent:
    """Certainly nothing: `path` is the file that does not have it, "" where a file is missing."""

    path: str
    name: str
    scope: str = ""


Outcome = Found | Module | Absent | None
"""None: it cannot be told, or it lies outside the repository."""
