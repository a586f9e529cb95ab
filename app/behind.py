"""A pull request of ours whose branch below was pushed to: it is told whether it still applies.

One comment there, made once and edited by later pushes; where it stands on what the branch ends at,
none is made. Nothing is rebased and no branch is touched: what applies exactly, git merges, and the
rest is for people to decide.

What it changes is read from its branch, whoever has put the commits there: we put more of them on
it where its checks fail, and so do people.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.github import own_comment
from app.github.branches import grown_from
from app.github.client import Hub
from app.github.git_trees import Entry, Trees
from app.github.markers import Seal
from app.github.meanwhile import Patched, meanwhile
from app.github.pulls import Pull
from app.render.behind import (
    behind_conflict,
    behind_exact,
    behind_unseen,
    behind_used,
    caught_up,
)
from app.render.writing import meanwhile_lead
from app.store import Task
from reviewer.errors import GiveUp

log = logging.getLogger(__name__)

MOST_FOLDERS = 300
"""In which a branch of ours differs from what it stands on, that are compared."""

Changes = Sequence[tuple[str, Entry | None, Entry | None]]
"""The path of each file that a branch changes, with what it was and is; None where it is absent."""

Names = Callable[[str, Changes], tuple[str, ...] | None]
"""Gives the names that a branch takes away, by the commit that it stands on and what it changes;
None where nobody can tell.
"""


@dataclass(frozen=True, slots=True)
class Above:
    """A pull request of ours, open on top of another one: what made it, where it merges into and
    the commit that it ends at. `about` is what the comment there is about.
    """

    number: int
    task: Task
    onto: str
    head: str
    about: str


def tell_behind(  # noqa: PLR0917
    hub: Hub, reader: Hub, pull: Pull, above: Above, names: Names, key: bytes | None
) -> str:
    """Say on a pull request `above`, which is open on top of `pull`, what a push to that one means
    for it; return why it could not be said, "" where it stands there or there is nothing to say.

    `reader` may read files. Raise RetryLater where GitHub cannot answer now.
    """
    if above.onto != pull.head_ref:
        return ""  # somebody has sent it elsewhere
    where = pull.repository, above.number
    try:
        known = _known(hub, pull.repository, above, key)
        text = _said(reader, pull, above, names, known=bool(known))
        if text:
            own_comment.put(hub, *where, text, above.about, key, known)
    except GiveUp as error:
        log.warning("not told that it is behind", extra={"pull": above.number, "why": error})
        return str(error)
    return ""


def _known(hub: Hub, repository: str, above: Above, key: bytes | None) -> int:
    """Return the comment that says it already, 0 for none."""
    ours = own_comment.ours(hub, repository, above.number, Seal(key, 0, above.number))
    return next((one.id for one in ours if one.marker.run == above.about), 0)


def _said(reader: Hub, pull: Pull, above: Above, names: Names, *, known: bool) -> str:
    """Return what is to be said, "" for nothing."""
    repository, number, head = pull.repository, pull.number, pull.head
    on = grown_from(reader, repository, head, above.head)
    if not on:
        return ""  # nobody can say where it stands
    if on == head:
        return caught_up(number, head) if known else ""
    trees = Trees(reader, repository)
    changes = [*trees.changes(on, above.head, MOST_FOLDERS)]
    paths = {path for path, _, _ in changes}
    if any(now is not None and now.type == "tree" for _, _, now in changes):
        return behind_unseen(number, on, head)
    if moved := [path for path in sorted(paths) if _is_else(trees, path, head, on, above.head)]:
        return behind_conflict(number, above.task, on, head, moved)
    patch = Patched(on, paths, names(on, changes))
    pushed = meanwhile(reader, repository, trees, patch, head)
    if pushed.uses:
        return behind_used(number, above.task, on, head, pushed.uses)
    others = meanwhile_lead(pushed.files, pushed.unseen) if pushed.files else ""
    return behind_exact(number, on, head, others)


def _is_else(trees: Trees, path: str, commit: str, *others: str) -> bool:
    """Is what lies at a path of a commit, to the byte and the mode, what lies there in none of the
    others?
    """
    return trees.at(commit, path) not in [trees.at(one, path) for one in others]
