"""A name as somebody asked for it."""

from reviewer.context.links import Source
from reviewer.context.target import stem
from reviewer.errors import GiveUp
from reviewer.parsing.symbols import Definition

MAX_NAME_CHARS = 300


class Asked:
    """A name as it was asked for: its last part, and what it says it belongs to."""

    def __init__(self, name: str, near: str) -> None:
        cleaned = name.strip().replace("::", ".").replace("#", ".").replace("->", ".").strip(".")
        if not cleaned or len(cleaned) > MAX_NAME_CHARS or "\n" in cleaned:
            raise GiveUp(f"a name has 1 to {MAX_NAME_CHARS} characters, and is no expression")
        self.name = cleaned
        self.near = near
        self.owner, _, self.short = cleaned.rpartition(".")

    def of(self, source: Source) -> list[Definition]:
        """Return what a file defines by that name; what the owner does not fit is left out."""
        named = source.packed.named(self.short)
        owner = self.owner.rpartition(".")[2]
        if not owner:
            outer = [each for each in named if source.is_outer(each)]
            return outer or named
        fitting = [each for each in named if each.scope.rpartition(".")[2] == owner]
        return fitting or [each for each in named if not each.scope and owner == stem(source.path)]
