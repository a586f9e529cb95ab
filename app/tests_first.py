"""Tests of a fix below its patches: how its commits are put, and what checks said of them. Pure.

Where a repository asks for it (`tests_first`), the tests are on the branch alone first, so that its
own checks can be seen failing on them; the patches follow on top. Nothing is remembered of that:
the checks of that commit stay where they are, and the commit is found below the end of the branch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reviewer.fix.values import Fixing
from reviewer.refactor.patch import Commit, Patch


def put_tests_first(account: Fixing, patch: Patch) -> tuple[Patch, int]:
    """Return a patch with the commits of tests before those of patches, and how many they are.

    It comes to the same files. A test in a file that a patch changes, too, stays behind that, and
    0 says that there is none to go first, or nothing else than tests.
    """
    paths = {one.test for one in account.closed if one.test}
    of_tests = [commit for commit in patch.commits if _paths(commit) <= paths]
    theirs = {path for one in patch.commits if one not in of_tests for path in _paths(one)}
    first = [one for one in of_tests if not _paths(one) & theirs]
    # What shares a file with one that stays behind stays, too: each goes on from the one before.
    stays = {path for one in of_tests if one not in first for path in _paths(one)}
    first = [one for one in first if not _paths(one) & stays]
    behind = [one for one in patch.commits if one not in first]
    if not first or not behind:
        return patch, 0
    return replace(patch, commits=(*first, *behind)), len(first)


def _paths(commit: Commit) -> set[str]:
    return {edit.path for edit in commit.files}


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of tests before their patches, at the commit `head` that has them alone.

    `failed` are the checks that failed there and did not where the branch began, with how each
    stands with the patches (None: it is not there); `known` those that failed there, too. `ended`
    counts all that ended, `going_on` whether any did not. `named` has for each file of tests the
    names of those of `failed` whose own words name it.
    """

    head: str
    tests: tuple[str, ...]
    failed: tuple[tuple[str, str | None], ...] = ()
    known: tuple[str, ...] = ()
    ended: int = 0
    going_on: bool = False
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Was it seen that they fail without the patches, as far as checks can show it?"""
        return bool(self.failed)
