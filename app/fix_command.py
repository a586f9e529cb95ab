"""`rlm fix`: from a review's findings to commits."""

from argparse import Namespace
from collections.abc import Mapping

from app.interrupt import Interrupts
from app.render.fixing import fixing_json, fixing_text
from app.review_command import Say
from app.review_file import read_review, selected
from app.trees import GitTrees
from app.write_command import EXIT_OK, EXIT_OPEN, EXIT_PARTIAL, Means, Work, write_command
from reviewer.change import Change
from reviewer.fix.job import fix
from reviewer.fix.request import FixRequest
from reviewer.fix.values import Fixing
from reviewer.model.base import Model
from reviewer.refactor.patch import Patch
from reviewer.request import ReviewRequest, StopReason


def fix_command(options: Namespace, environ: Mapping[str, str], interrupts: Interrupts) -> int:
    """Close the findings, deliver the result and return the exit code."""
    return write_command(_Fix(options, environ), interrupts)


class _Fix(Work[FixRequest, Fixing]):
    name = "fix"
    what = "A fix"
    doing = "fixing"

    def __init__(self, options: Namespace, environ: Mapping[str, str]) -> None:
        super().__init__(options, environ)
        self._review = read_review(options.review)
        self._findings = selected(self._review, options.findings)

    def request(self, model: str, asked: ReviewRequest, change: Change, say: Say) -> FixRequest:
        if change.head != self._review.change.head:
            say("the review is of another commit: its findings are looked up in this one")
        return FixRequest(
            commit=change.head,
            reviewed=self._review.change.head,
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
        """Return 3 for a partial result, 1 where findings stay open that are not outdated."""
        if done.status == "partial":
            return EXIT_PARTIAL
        return EXIT_OPEN if any(one.state != "outdated" for one in done.open) else EXIT_OK
