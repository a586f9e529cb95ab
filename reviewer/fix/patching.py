"""What the edits of a coder make of the tree as it is: a patch, nothing, or a list of faults."""

from collections.abc import Collection
from dataclasses import dataclass

from reviewer.fix.locate import Target
from reviewer.fix.reviewer import diff_of
from reviewer.parsing.worker import Parsers
from reviewer.refactor.apply import applied
from reviewer.refactor.parse import broken
from reviewer.refactor.patch import Files
from reviewer.refactor.protect import shown
from reviewer.refactor.tree import Overlay
from reviewer.refactor.values import Edits


@dataclass
class Patch:
    """A patch for a finding: its files, on the tree that it was made for, and its coder's edits.

    `own` are the files that its node knows and may edit: what the patch rests on.
    """

    target: Target
    edits: Edits
    own: Collection[str]
    files: Files
    diff: str


def put(
    target: Target, edits: Edits, own: Collection[str], tree: Overlay, parsers: Parsers
) -> Patch | list[str]:
    """Return what edits make of a tree, or why they do not fit; [] where they change nothing."""
    # What was only read is not removed.
    done = applied(edits, tree, own, (), target.paths)
    before = {path: tree.blob(path) for path in done.files}
    faults = broken(done.files, before, parsers)
    problems = [
        *done.problems,
        *(f'"{shown(path)}": {fault}' for path, fault in faults.items()),
    ]
    if problems or all(before[path] == blob for path, blob in done.files.items()):
        return problems
    return Patch(target, edits, own, done.files, diff_of(before, done.files))


def edited(edits: Edits) -> frozenset[str]:
    """Return the files that edits name, whether they fit or not."""
    return frozenset({*(one.path for one in edits.replacements), *edits.removed})
