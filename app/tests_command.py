"""`rlm tests`: from a change to commits with tests for what none covers."""

from argparse import Namespace
from collections.abc import Mapping

from app.github.urls import looks_like_url
from app.interrupt import Interrupts
from app.means import Means
from app.render.testing import testing_json, testing_text
from app.review_command import Say
from app.trees import GitTrees
from app.write_command import (
    EXIT_OK,
    EXIT_OPEN,
    EXIT_PARTIAL,
    Work,
    checked_out,
    write_command,
)
from reviewer.change import Change
from reviewer.diff import Start, build_change, compared_from
from reviewer.errors import TellUser
from reviewer.git import GitRepo
from reviewer.model.base import Model
from reviewer.refactor.patch import Patch
from reviewer.request import ReviewRequest
from reviewer.review.job import unmatched
from reviewer.revisions import Pair, default_range, has_path, is_commit, parse_range
from reviewer.testing.job import write_tests
from reviewer.testing.request import TestingRequest
from reviewer.testing.values import Testing
from reviewer.text import printable


def tests_command(options: Namespace, environ: Mapping[str, str], interrupts: Interrupts) -> int:
    """Write the tests, deliver the result and return the exit code."""
    return write_command(_Tests(options, environ), interrupts)


class _Tests(Work[TestingRequest, Testing]):
    name = "tests"
    what = "Writing tests"
    doing = "testing"

    def __init__(self, options: Namespace, environ: Mapping[str, str]) -> None:
        super().__init__(options, environ)
        self._range, self._paths = _told(options.what)

    def change(self, repo: GitRepo) -> Change:
        pair = parse_range(repo, self._range) if self._range else default_range(repo)
        checked_out(self.options, repo, pair[1])
        start = compared_from(repo, *pair)
        self._look_up(repo, pair, start)
        return Change(pair[0], pair[1], start.commit, (), start.notes)

    def _look_up(self, repo: GitRepo, pair: Pair, start: Start) -> None:
        """Raise TellUser for a path that neither end of the change has: a slip, or a revision."""
        ends = (pair[1], start.commit)
        missing = [p for p in self._paths if not any(has_path(repo, end, p) for end in ends)]
        if not missing:
            return
        # It may still be a name as it is shown, with the bytes in it that are no text escaped.
        change = build_change(repo, *pair, start)
        for path in missing:
            if unmatched(change, [path]):
                raise _no_path(repo, path)

    def request(self, model: str, asked: ReviewRequest, change: Change, say: Say) -> TestingRequest:
        for note in change.notes:
            say(note)
        return TestingRequest(
            commit=change.head,
            base=change.merge_base,
            paths=self._paths,
            model=model,
            cheap_model=asked.cheap_model,
            effort=asked.effort,
            caps=asked.caps,
            guidelines=asked.guidelines,
            policy=asked.policy,
            policy_before=asked.policy_before,
        )

    async def run(
        self, request: TestingRequest, trees: GitTrees, model: Model, means: Means
    ) -> tuple[Testing, Patch]:
        outcome = await write_tests(request, trees.start, trees, model=model, **means)
        return outcome.testing, outcome.patch

    def text(self, done: Testing, width: int) -> str:
        return testing_text(done, width)

    def json(self, done: Testing, mails: bytes | None) -> str:
        return testing_json(done, mails)

    def leaves(self, done: Testing) -> bool:
        return bool(done.left) or done.status == "partial"

    def exit_code(self, done: Testing) -> int:
        """Return 3 for a partial result, 1 where behaviours are left without a test, else 0."""
        if done.status == "partial":
            return EXIT_PARTIAL
        return EXIT_OPEN if done.left else EXIT_OK


def _told(words: list[str]) -> tuple[str, tuple[str, ...]]:
    """Return the range and the paths of what was typed: a range has dots within a word."""
    first = words[0] if words else ""
    if looks_like_url(first):
        raise TellUser(
            f"{printable(first)} is an address; tests are written for commits that are here.",
            "Fetch the pull request and name its commits, or comment `/rlm tests` on it.",
        )
    change, paths = (first, words[1:]) if _is_range(first) else ("", words)
    for word in paths:
        if _is_range(word):
            raise TellUser(
                f"{printable(word)} is a range, and stands where a path does.",
                "One range, and it comes first: rlm tests BASE..HEAD PATH.",
            )
    return change, tuple(paths)


def _is_range(word: str) -> bool:
    return ".." in word and ".." not in word.split("/")


def _no_path(repo: GitRepo, path: str) -> TellUser:
    """Return what is said of a path that neither end of the change has."""
    hint = "Paths are relative to the root of the repository."
    if is_commit(repo, path):
        hint = f"For what was done since that commit, type {printable(path)}..HEAD."
    return TellUser(f"Neither end of the change has anything at {printable(path)}.", hint)
