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
from reviewer.diff import compared_from
from reviewer.errors import TellUser
from reviewer.git import GitRepo
from reviewer.model.base import Model
from reviewer.refactor.patch import Patch
from reviewer.request import ReviewRequest
from reviewer.revisions import default_range, parse_range
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
        return Change(pair[0], pair[1], start.commit, (), start.notes)

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
    if ".." in first and ".." not in first.split("/"):
        return first, tuple(words[1:])
    return "", tuple(words)
