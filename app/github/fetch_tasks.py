"""What the process that fetches is asked for: a pull request, blobs, or history.

A pull request is the trees of two commits without their blobs, and then, in one batch, the blobs
of the files that differ. Where the two parted is known from the API, or found in their commits,
which come in growing steps. A server that leaves no blobs out sends everything it has of both
commits, history in growing steps with it.
"""

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.github.bare import NO_BLOBS, NO_TREES, WHOLE, Bare, Failed, Say
from app.github.cache import aside
from app.github.names import listed
from app.github.wanted import Wanted

FIRST_DEPTH = 50
DEEPER = (150, 600, 2_400)
"""Each step makes the history four times as long; after the last one it is fetched whole."""

HISTORY_DEPTHS = (50, 250, 1_000)
HISTORY_ENOUGH = 500
"""Commits, after which history is not made longer. Where branches were merged, a depth of 50 holds
50 commits or 2,000, and one of 1,000 ten thousand."""

BATCH_BLOBS = 20_000
"""Of a pull request, in one connection: their names take a megabyte."""

REFUSALS = 5
"""Of blobs that the server has not, each found out by a connection of its own."""

_MALFORMED = re.compile(r"fsck error|error in object|error: object [0-9a-f]{40,64}: ")
_NOT_OURS = re.compile(r"not our ref ([0-9a-f]{40,64})")


@dataclass(frozen=True, slots=True)
class Parting:
    """Where a pull request left its base. `is_unrelated`: nowhere, and `start` is the base."""

    start: str
    is_unrelated: bool = False


def bring_pull(wanted: Wanted, path: Path, say: Say) -> tuple[Parting, bool]:
    """Have both ends of a pull request here, and what its diff needs.

    Return where the two parted, and whether the pull request still ends where `wanted` does.
    """
    bare = Bare.made(path, wanted.url)
    parting, current = _known(bare, wanted), True
    if parting is None:
        say(f"fetching {_name(wanted)} from {wanted.server.host}")
        try:
            parting, current = _ends(bare, wanted, path, say)
        except Failed as error:
            if not _MALFORMED.search(str(error)):
                raise
            # Git 2.39 forgives the slips of old gits (`LEGACY_FAULTS`) only where nothing is left
            # out: `fetch-pack` hands its index-pack the list of them, or the filter.
            say("fetching it whole: objects in it were written by an old git")
            parting, current = _all_of_it(bare, wanted, say)
    names = bare.missing(bare.differing_blobs(parting.start, wanted.head))
    for at in range(0, len(names), BATCH_BLOBS):
        bare.fetch_listed(listed(names[at : at + BATCH_BLOBS]))
    return parting, current


def bring_blobs(names: Sequence[str], wanted: Wanted, path: Path) -> list[str]:
    """Have the blobs here that are not; return those that the server refuses to give."""
    bare = Bare(path, wanted.url)
    refused: list[str] = []
    left = bare.missing(names)
    while left:
        try:
            bare.fetch_listed(listed(left))
        except Failed as error:
            named = _NOT_OURS.search(str(error))
            if named is None or named[1] not in left or len(refused) == REFUSALS:
                raise
            refused.append(named[1])
            left.remove(named[1])
        else:
            break
    return refused


def bring_history(wanted: Wanted, path: Path) -> None:
    """Have the commits before the start of a pull request here, with their trees."""
    bare = Bare.made(path, wanted.url)
    ref = f"refs/rlm/history/{wanted.start}"
    if bare.commit(ref):
        return
    for depth in HISTORY_DEPTHS:
        filtered = bare.fetch([f"+{wanted.start}:{ref}"], NO_BLOBS, f"--depth={depth}")
        if not filtered or not bare.cut() or bare.count(wanted.start) >= HISTORY_ENOUGH:
            return


def _known(bare: Bare, wanted: Wanted) -> Parting | None:
    """Return what an earlier run has found out about these commits, if it has left both here."""
    if bare.commit(wanted.head) != wanted.head:
        return None
    for unrelated in (False, True):
        if start := bare.commit(_pair(wanted, unrelated)):
            return Parting(start, unrelated)
    if bare.commit(_whole(wanted, "head")) != wanted.head:
        return None
    if bare.commit(_whole(wanted, "base")) != wanted.base:
        return None
    base = bare.certain_base(wanted.base, wanted.head)
    return None if base is None else _noted(bare, wanted, base)


def _ends(bare: Bare, wanted: Wanted, path: Path, say: Say) -> tuple[Parting, bool]:
    start = wanted.start
    if not start:
        say("looking for the branch point in the history")
        found = _searched(wanted, path, say)
        if found is None:
            return _all_of_it(bare, wanted, say)
        start = found
    parting = Parting(start or wanted.base, not start)
    what = f"+{parting.start}:{_pair(wanted, parting.is_unrelated)}"
    return parting, _with_head(bare, wanted, [what], NO_BLOBS, "--depth=1")


def _searched(wanted: Wanted, path: Path, say: Say) -> str | None:
    """Find the merge base, "" if there is none; None where the server sends more than commits.

    In a repository for this alone: commits without trees are of no use for anything else.
    """
    alone = aside(path)
    shutil.rmtree(alone, ignore_errors=True)
    what = [f"+{wanted.base}:refs/rlm/base", f"+{wanted.head}:refs/rlm/head"]
    try:
        bare = Bare.made(alone, wanted.url)
        if not bare.fetch(what, NO_TREES, f"--depth={FIRST_DEPTH}"):
            return None
        return _deepened(bare, wanted, lambda deeper: bare.fetch(what, NO_TREES, deeper), say)
    finally:
        shutil.rmtree(alone, ignore_errors=True)


def _all_of_it(bare: Bare, wanted: Wanted, say: Say) -> tuple[Parting, bool]:
    """Fetch both commits with every file, and history until their merge base is certain."""
    base = f"+{wanted.base}:{_whole(wanted, 'base')}"
    # A depth would cut what an earlier run made deeper.
    depth = [] if bare.has_refs() else [f"--depth={FIRST_DEPTH}"]
    current = _with_head(bare, wanted, [base], WHOLE, *depth)
    ends = [f"+{wanted.head}:{_whole(wanted, 'head')}", base]
    found = _deepened(bare, wanted, lambda deeper: bare.fetch(ends, WHOLE, deeper), say)
    return _noted(bare, wanted, found), current


def _with_head(bare: Bare, wanted: Wanted, others: list[str], *options: str) -> bool:
    """Fetch the head by its reference; if that means another commit by now, by its name, too."""
    head = _whole(wanted, "head")
    bare.fetch([f"+refs/pull/{wanted.number}/head:{head}", *others], *options)
    if bare.commit(head) == wanted.head:
        return True
    bare.fetch([f"+{wanted.head}:{head}", *others], *options)
    return False


def _deepened(bare: Bare, wanted: Wanted, fetch: Callable[[str], object], say: Say) -> str:
    """Return the merge base, with as much more history as that takes; "" if there is none."""
    for more in DEEPER:
        found = bare.certain_base(wanted.base, wanted.head)
        if found is not None:
            return found
        say(f"fetching {more} more commits: the branch point lies further back")
        fetch(f"--deepen={more}")
    found = bare.certain_base(wanted.base, wanted.head)
    if found is None:
        say("fetching the whole history: the branch point lies very far back")
        fetch("--unshallow")
        found = bare.certain_base(wanted.base, wanted.head)
    return found or ""


def _noted(bare: Bare, wanted: Wanted, base: str) -> Parting:
    """Note down what was found out, for the next run."""
    parting = Parting(base or wanted.base, not base)
    bare.point(_pair(wanted, parting.is_unrelated), parting.start)
    return parting


def _pair(wanted: Wanted, unrelated: bool) -> str:
    return wanted.unrelated_ref if unrelated else wanted.start_ref


def _whole(wanted: Wanted, end: str) -> str:
    return f"{wanted.refs}/{end}"


def _name(wanted: Wanted) -> str:
    return f"{wanted.repository}#{wanted.number}"
