"""Patches that stand in comments of ours, where no branch could be made: marked as undone."""

import re

from app.github import own_comment
from app.github.client import Hub
from app.github.markers import Marker, Seal, visible
from app.render.writing import PATCH_OPEN, is_undone, patch_undone

_RUN = re.compile(r"(written-[0-9a-z]{12,40})(?:-[1-9])?")
"""What a comment of a run is about: its result, or a part of its patch."""

_PARTS = re.compile(r"^The patch is in [1-9] comments of their own", re.MULTILINE)


def undo_patch(hub: Hub, repository: str, number: int, by: str, key: bytes | None) -> str:
    """Fold away the newest patch of ours on a pull request that is not undone yet, with its parts.

    `by` is the address of the command that wants it: to do it again finds the same one. Return the
    address of the comment with it, "" where there is none.
    """
    seal = Seal(key, 0, number)
    runs: dict[str, list[own_comment.Ours]] = {}
    for one in own_comment.ours(hub, repository, number, seal):
        named = _RUN.fullmatch(one.marker.run) if one.marker.kind == "reply" else None
        if named is not None and (one.signed or key is None):
            runs.setdefault(named[1], []).append(one)
    patches = [some for some in runs.values() if any(_has_patch(one) for one in some)]
    mine = [some for some in patches if any(is_undone(one.body, by) for one in some)]
    # Whoever was interrupted has marked some of the comments of one.
    standing = [some for some in patches if not all(is_undone(one.body) for one in some)]
    found = next(iter([*mine, *standing[::-1]]), None)
    if found is None:
        return ""
    for one in found:
        if not is_undone(one.body):
            marker = Marker(kind="reply", run=one.marker.run)
            text = patch_undone(visible(one.body), by) + seal.write(marker)
            own_comment.edit(hub, repository, one.id, text)
    return f"{hub.server.web}/{repository}/pull/{number}#issuecomment-{found[0].id}"


def _has_patch(one: own_comment.Ours) -> bool:
    return PATCH_OPEN in one.body or _PARTS.search(one.body) is not None
