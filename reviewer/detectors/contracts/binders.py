"""The binder of each language: what a use in a file is certainly bound to."""

from typing import Protocol

from reviewer.detectors.contracts.golang import Go
from reviewer.detectors.contracts.java import Java
from reviewer.detectors.contracts.javascript import JavaScript
from reviewer.detectors.contracts.outcomes import Found, Item, Outcome
from reviewer.detectors.contracts.python import Python
from reviewer.detectors.contracts.ruby import Ruby
from reviewer.detectors.contracts.trees import Tree
from reviewer.detectors.contracts.views import View
from reviewer.parsing.symbols import Import, Use


class Binder(Protocol):
    """Binds the uses of one file at the head, in the tree of either end.

    Asked with the tree of the base, it says what the same use would have been bound to before the
    change. Pure but for what it asks of the tree; never guesses: None where it is not certain.
    """

    @property
    def name(self) -> str: ...

    def outcome(self, tree: Tree, view: View, use: Use) -> Outcome:
        """Return what a use in a file of the head is bound to at the tree's end."""
        ...

    def imported(self, tree: Tree, view: View, what: Import) -> Outcome:
        """Return what an import of a file of the head takes at the tree's end."""
        ...

    def callables(self, tree: Tree, found: Found) -> tuple[Item, ...]:
        """Return the functions one of which a call runs; () where that cannot be told."""
        ...

    def judged(self, view: View, use: Use) -> bool:
        """Is a call one whose arguments can be counted?"""
        ...


BINDERS: dict[str, Binder] = {
    each.name: each for each in (Python(), JavaScript(), Go(), Java(), Ruby())
}
