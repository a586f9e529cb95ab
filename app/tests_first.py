"""Tests of a fix below its patches: how its commits are put, and what checks said of them. Pure.

Where a repository asks for it (`tests_first`), the tests are on the branch alone first, so that its
own checks can be seen failing on them; the patches follow on top. Nothing is remembered of that:
the checks of that commit stay where they are, and the commit is found below the end of the branch.
"""

from collections.abc import Collection, Mapping
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

    `failed` are the checks that failed there and passed where the branch began, with how each
    stands with the patches (None: it is not there); `known` those that failed there, too, and
    `unknown` those of which nobody can tell, for they came to nothing there. `ended` counts all
    that ended, `going_on` whether any did not. `named` has for each file of tests the places in
    `failed` of those whose own words name it.
    """

    head: str
    tests: tuple[str, ...]
    failed: tuple[tuple[str, str | None], ...] = ()
    known: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    ended: int = 0
    going_on: bool = False
    named: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def failing_on(self, test: str) -> tuple[tuple[str, str | None], ...]:
        """Return those of `failed` that tell of a file of tests. One alone can be meant by all."""
        if test not in self.tests:
            return ()
        if len(self.tests) == 1:
            return self.failed
        return tuple(self.failed[place] for place in self.named.get(test, ()))

    def shows(self, tests: Collection[str]) -> bool:
        """Was each of these files seen failing for want of the patches, by a check that passes with
        them? One that fails still may have another reason: how a test is written, to a linter.
        """
        return bool(tests) and all(
            any(after == "passed" for _, after in self.failing_on(test)) for test in tests
        )
