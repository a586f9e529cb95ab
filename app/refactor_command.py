"""`rlm refactor`: from an instruction to commits."""

import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from app.commits import say_it
from app.interrupt import Interrupts
from app.means import Means
from app.output import STANDARD_OUTPUT
from app.render.refactoring import plan_text, refactoring_json, refactoring_text
from app.render.text import look
from app.review_command import Say
from app.trees import GitTrees
from app.write_command import EXIT_OK, EXIT_OPEN, EXIT_PARTIAL, Work, write_command
from reviewer.change import Change
from reviewer.errors import TellUser
from reviewer.model.base import Model
from reviewer.refactor.job import refactor
from reviewer.refactor.patch import Patch
from reviewer.refactor.protect import refused, shown
from reviewer.refactor.request import INSTRUCTION_CHARS, RefactorRequest
from reviewer.refactor.survey import under
from reviewer.refactor.tree import Overlay, Start
from reviewer.refactor.values import Plan, Refactoring
from reviewer.request import ReviewRequest
from reviewer.rlm.trace import Event, TraceSink, silent
from reviewer.text import is_blank, printable


def refactor_command(options: Namespace, environ: Mapping[str, str], interrupts: Interrupts) -> int:
    """Carry out the instruction, deliver the result and return the exit code."""
    return write_command(_Refactor(options, environ), interrupts)


class _Refactor(Work[RefactorRequest, Refactoring]):
    """Its progress on standard error has the plan between planning and work."""

    name = "refactor"
    what = "A refactoring"
    doing = "refactoring"

    def __init__(self, options: Namespace, environ: Mapping[str, str]) -> None:
        super().__init__(options, environ)
        if options.plan and (options.apply or options.branch):
            raise TellUser("--plan changes nothing.", "Leave out --plan, or --apply and --branch.")
        self._instruction = _instruction(options)
        self._holds = bool(options.apply or options.branch) and not options.destructive
        self._showing = ExitStack()
        self._sink: TraceSink = silent
        self._cap_usd: float | None = None
        self._events: list[Event] = []
        self._is_seen = False  # the plan, on a terminal

    def request(
        self, model: str, asked: ReviewRequest, change: Change, say: Say
    ) -> RefactorRequest:
        return RefactorRequest(
            instruction=self._instruction,
            commit=change.head,
            paths=tuple(self.options.paths),
            model=model,
            cheap_model=asked.cheap_model,
            effort=asked.effort,
            caps=asked.caps,
            guidelines=asked.guidelines,
            plan_only=self.options.plan,
            hold_destructive=self._holds,
        )

    def fits(self, request: RefactorRequest, trees: GitTrees) -> None:
        for path in request.paths:
            _fits(path, trees.start)

    @contextmanager
    def display(self, cap_usd: float | None) -> Iterator[TraceSink]:
        self._cap_usd = cap_usd
        self._show()
        try:
            yield self._see
        finally:
            self._showing.close()

    async def run(
        self, request: RefactorRequest, trees: GitTrees, model: Model, means: Means
    ) -> tuple[Refactoring, Patch]:
        outcome = await refactor(
            request, trees.start, trees, model=model, planned=self._planned, **means
        )
        return outcome.refactoring, outcome.patch

    def text(self, done: Refactoring, width: int) -> str:
        to_terminal = (
            self.options.format == "text"
            and self.options.output == STANDARD_OUTPUT
            and sys.stdout.isatty()
        )
        return refactoring_text(done, width, with_plan=not (self._is_seen and to_terminal))

    def json(self, done: Refactoring, mails: bytes | None) -> str:
        return refactoring_json(done, mails)

    def leaves(self, done: Refactoring) -> bool:
        return done.status != "complete"

    def exit_code(self, done: Refactoring) -> int:
        """Return 3 for a partial result, 1 where the plan has questions, a refusal or destroys what
        nobody named, else 0."""
        if done.status == "partial":
            return EXIT_PARTIAL
        return EXIT_OPEN if done.status == "declined" or done.held else EXIT_OK

    def refuse(self, done: Refactoring) -> None:
        """Say why a plan was held; raise TellUser for a result that destroys what nobody named."""
        if done.held:
            say_it(f"stopped at the plan: it destroys what you have not named. {_SAY_SO}")
        elif done.destroys and done.commits and self._holds:
            raise TellUser(
                "Nothing was written: the result destroys what you have not named.", _SAY_SO
            )

    # The progress ---------------------------------------------------------------------------------

    def _show(self) -> None:
        self._sink = self._showing.enter_context(super().display(self._cap_usd))

    def _see(self, event: Event) -> None:
        if not self._is_seen:
            self._events.append(event)
        self._sink(event)

    def _planned(self, plan: Plan) -> None:
        """Put the plan between what is shown of the planning and of the work."""
        if self.options.plan or self.options.quiet or not plan.is_work:
            return
        text = plan_text(plan, look(sys.stderr, self.environ)["width"])
        if not sys.stderr.isatty():
            say_it(text)
            return
        # A terminal's tree is taken away, and drawn again below the plan.
        self._showing.close()
        say_it(text)
        self._is_seen = True
        self._show()
        for event in self._events:
            self._sink(event)
        self._events.clear()


_SAY_SO = (
    "Look at it; if that is what you want, run it again with --destructive. What was answered is "
    "kept and not paid again."
)


def _fits(path: str, start: Start) -> None:
    """Raise TellUser for a path with nothing at or under it that may be changed."""
    name, tree = path.removeprefix("./").rstrip("/"), Overlay(start)
    there = [known for known in start.modes if under(known, [path])]
    if not there:
        if any(under(name, [one]) for one in start.submodules):
            raise TellUser(
                f"{shown(path)} is in another repository (a submodule).", "Run this in that one."
            )
        raise TellUser(
            f"There is no file at or under {shown(path)} in the last commit.",
            "Paths are relative to the root of the repository.",
        )
    if any(refused(known, tree) is None for known in there):
        return
    first = min(there)
    about = "" if first == name else f": of {shown(first)}"
    raise TellUser(
        f"Nothing at or under {shown(path)} may be changed{about}: {refused(first, tree)}.",
        "Name other files or folders, or none for all.",
    )


def _instruction(options: Namespace) -> str:
    text = sys.stdin.read() if options.instruction == "-" else options.instruction
    text = printable(text).strip()
    if is_blank(text):
        raise TellUser(
            "The instruction is empty.", 'Say what to change: rlm refactor "rename f to g".'
        )
    if len(text) > INSTRUCTION_CHARS:
        raise TellUser(
            f"The instruction has more than {INSTRUCTION_CHARS:,} characters.",
            "Say in short what to change; one thing at a time works best.",
        )
    return text
