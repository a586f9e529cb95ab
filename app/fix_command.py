"""`rlm fix`: from a review's findings to commits; without a review, that is made first."""

from argparse import Namespace
from collections.abc import Mapping

from app.interrupt import Interrupts
from app.means import Means
from app.render import words
from app.render.fixing import fixing_json, fixing_text
from app.review_command import Say, review_before
from app.review_file import is_range, read_review, selected
from app.shares import less
from app.trees import GitTrees
from app.write_command import (
    EXIT_OK,
    EXIT_OPEN,
    EXIT_PARTIAL,
    First,
    Work,
    checked_out,
    write_command,
)
from reviewer.change import Change
from reviewer.errors import TellUser
from reviewer.fix.job import fix
from reviewer.fix.request import FixRequest
from reviewer.fix.values import Fixing
from reviewer.git import GitRepo
from reviewer.model.base import Model
from reviewer.refactor.patch import Patch
from reviewer.request import ReviewRequest, StopReason
from reviewer.revisions import default_range, parse_range


def fix_command(options: Namespace, environ: Mapping[str, str], interrupts: Interrupts) -> int:
    """Close the findings, deliver the result and return the exit code."""
    return write_command(_Fix(options, environ), interrupts)


class _Fix(Work[FixRequest, Fixing]):
    name = "fix"
    what = "A fix"
    doing = "fixing"

    def __init__(self, options: Namespace, environ: Mapping[str, str]) -> None:
        super().__init__(options, environ)
        self._range = is_range(options.review)
        if self._range is not None and options.findings:
            raise TellUser(
                "Ids of findings come with the review that has them, not with a range.",
                "Review first (rlm review BASE..HEAD --format json --output review.json), "
                "then: rlm fix review.json ID …",
            )
        self._pair: tuple[str, str] | None = None
        self._review = None if self._range is not None else read_review(options.review)
        self._findings = selected(self._review, options.findings) if self._review else ()

    def change(self, repo: GitRepo) -> Change:
        if self._range is None:
            return super().change(repo)
        self._pair = parse_range(repo, self._range) if self._range else default_range(repo)
        head = self._pair[1]
        checked_out(self.options, repo, head)
        return Change(head, head, head, ())

    def before(self, first: First, asked: ReviewRequest) -> ReviewRequest:
        """Review what is to be mended, where no review of it was given."""
        if self._pair is None:
            return asked
        options, pair = self.options, self._pair
        made = review_before(
            options,
            first.settings,
            first.prices,
            first.repo,
            pair,
            self.environ,
            first.interrupts,
        )
        first.say(f"the review: {words.verdict(made)}; {words.cost(made.cost)}")
        if made.stopped is not None:
            first.say(f"the review is partial, because {words.stopped(made.stopped)}")
        self._review, self._findings = made, selected(made, ())
        return less(asked, made.cost.usd or 0.0)

    def request(self, model: str, asked: ReviewRequest, change: Change, say: Say) -> FixRequest:
        reviewed = self._review.change.head if self._review is not None else change.head
        if change.head != reviewed:
            say("the review is of another commit: its findings are looked up in this one")
        return FixRequest(
            commit=change.head,
            reviewed=reviewed,
            findings=self._findings,
            tests=not self.options.no_tests,
            model=model,
            cheap_model=asked.cheap_model,
            effort=asked.effort,
            caps=asked.caps,
            guidelines=asked.guidelines,
        )

    async def run(
        self, request: FixRequest, trees: GitTrees, model: Model, means: Means
    ) -> tuple[Fixing, Patch]:
        outcome = await fix(request, trees.start, trees, model=model, **means)
        return outcome.fixing, outcome.patch

    def text(self, done: Fixing, width: int) -> str:
        return fixing_text(done, width)

    def json(self, done: Fixing, mails: bytes | None) -> str:
        return fixing_json(done, mails)

    def leaves(self, done: Fixing) -> bool:
        return bool(done.open) or done.status == "partial"

    def withheld(self, done: Fixing) -> bool:
        """Each commit stands by itself: what is closed is written, unless it is not clean.

        Nor is it where somebody has stopped the run, who may not want it any more.
        """
        return bool(done.findings) or done.stopped == StopReason.CANCELLED

    def exit_code(self, done: Fixing) -> int:
        """Return 3 for a partial result, or if the review was, 1 where findings stay open that are
        not outdated."""
        review = self._review if self._pair is not None else None
        if "partial" in {done.status, review and review.status}:
            return EXIT_PARTIAL
        return EXIT_OPEN if any(one.state != "outdated" for one in done.open) else EXIT_OK
