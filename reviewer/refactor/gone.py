"""Names that a patch takes away: who uses one elsewhere by then has what the patch broke."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from reviewer.context.values import Context
from reviewer.errors import GiveUp
from reviewer.ports import Rev
from reviewer.refactor.patch import Patch
from reviewer.refactor.tree import Overlay, Trees
from reviewer.refactor.values import MOST_GONE, NAME_CHARS, Plan

_NO_MODULES = frozenset({"index", "main", "mod", "lib"})
"""Names of files by which nobody imports them."""


def names_gone(patch: Patch, plan: Plan | None, trees: Trees) -> tuple[str, ...]:
    """Return names that changed files define or are imported by before a patch and not after it,
    and those that the plan moves, sorted.

    Without dunder names, which every class has.
    """
    if not patch.commits:
        return ()
    changed = patch.changed
    with trees.tree(patch.files) as tree:
        context = tree.code.context
        was, now = _was_and_is(
            [one.path for one in changed if one.before is not None],
            [one.path for one in changed if one.after is not None],
            context,
        )
    was |= {PurePosixPath(one.path).stem for one in changed if one.after is None} - _NO_MODULES
    found = was - now | ({one.symbol for one in plan.moves} if plan is not None else set())
    kept = (name for name in found if not name.startswith("__") and len(name) <= NAME_CHARS)
    return tuple(sorted(kept)[:MOST_GONE])


def defined_no_more(tree: Overlay, context: Context) -> set[str]:
    """Return names that files define at the start and none of those that were changed any more.

    `tree` is the head of `context`. Without dunder names.
    """
    before = [path for path in tree.files if path in tree.start.modes]
    after = [path for path, blob in tree.files.items() if blob is not None]
    was, now = _was_and_is(before, after, context)
    return {name for name in was - now if not name.startswith("__")}


def _was_and_is(
    before: Sequence[str], after: Sequence[str], context: Context
) -> tuple[set[str], set[str]]:
    return _defined(context, before, "base"), _defined(context, after, "head")


def _defined(context: Context, paths: Sequence[str], at: Rev) -> set[str]:
    names = set()
    for path in paths:
        try:
            found = context.extraction(path, at).what.definitions
        except GiveUp:  # no code, or none that can be read
            continue
        names |= {one.name for one in found if "." not in one.scope}
    return names
