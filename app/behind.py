"""A pull request of ours whose branch below was pushed to: it is told whether it still applies.

One comment there, made once and edited by later pushes; where it stands on what the branch ends at,
none is made. Nothing is rebased and no branch is touched: what applies exactly, git merges, and the
rest is for people to decide.
"""

import logging

from app.github import own_comment
from app.github.branches import grown_from, rebased
from app.github.client import Hub
from app.github.git_trees import Trees
from app.github.markers import Seal
from app.github.meanwhile import meanwhile
from app.github.pulls import Pull
from app.render.behind import behind_conflict, behind_exact, behind_used, caught_up
from app.render.writing import meanwhile_lead
from app.store import Stacked
from app.written import Written
from reviewer.errors import GiveUp

log = logging.getLogger(__name__)


def tell_behind(  # noqa: PLR0917
    hub: Hub,
    reader: Hub,
    pull: Pull,
    there: Pull,
    made: Stacked,
    written: Written,
    key: bytes | None,
) -> None:
    """Say on `there`, which is open on top of `pull`, what a push to that one means for it.

    `reader` may read files. What GitHub refuses is logged: nobody waits for this.
    """
    if there.base_ref != pull.head_ref:
        return  # somebody has sent it elsewhere
    about = f"behind-{made.run}"
    where = pull.repository, made.stacked
    try:
        known = _known(hub, pull.repository, made.stacked, about, key)
        text = _said(reader, pull, there, made, written, known=bool(known))
        if text:
            own_comment.put(hub, *where, text, about, key, known)
    except GiveUp as error:
        log.warning("not told that it is behind", extra={"run": made.run, "why": error})


def _known(hub: Hub, repository: str, number: int, about: str, key: bytes | None) -> int:
    """Return the comment that says it already, 0 for none."""
    ours = own_comment.ours(hub, repository, number, Seal(key, 0, number))
    return next((one.id for one in ours if one.marker.run == about), 0)


def _said(
    reader: Hub, pull: Pull, there: Pull, made: Stacked, written: Written, *, known: bool
) -> str:
    """Return what is to be said, "" for nothing."""
    repository, number = pull.repository, made.number
    on = grown_from(reader, repository, pull.head, there.head)
    if not on:
        return ""  # nobody can say where it stands
    if on == pull.head:
        return caught_up(number, pull.head) if known else ""
    trees = Trees(reader, repository)
    fit, paths = rebased(trees, written, pull.head)
    if fit == "conflict":
        return behind_conflict(number, made.task, on, pull.head, paths)
    pushed = meanwhile(reader, repository, trees, written, pull.head)
    if pushed.uses:
        return behind_used(number, made.task, on, pull.head, pushed.uses)
    others = meanwhile_lead(pushed.files, pushed.unseen) if pushed.files else ""
    return behind_exact(number, on, pull.head, others)
