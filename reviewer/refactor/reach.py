"""What the nodes of a refactoring may call: the tree as it is now, read-only and bounded."""

from collections.abc import Mapping

from reviewer.refactor.tree import Tree
from reviewer.review.functions import functions
from reviewer.rlm.task import Function

LOOKING = (
    "read",
    "grep",
    "ls",
    "definition",
    "references",
    "callers",
    "implementations",
    "importers",
    "tests_for",
    "outline",
)
"""Those of a finder that make sense without a change under review."""


def looking(tree: Tree) -> Mapping[str, Function]:
    """Return the functions that read and search a tree."""
    known = functions(tree.change, tree.objects, (), tree.code)
    return {name: known[name] for name in LOOKING}
