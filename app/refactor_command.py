"""`rlm refactor`: from an instruction to commits, in the order in which it happens."""

import asyncio
import logging
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from app.commits import asked_model, be_silent, checked, head_of, say_it, where, write
from app.engine import service_of
from app.interrupt import Interrupts
from app.output import STANDARD_OUTPUT, check_output, deliver_bytes
from app.paid import journal_here
from app.plumbing import NOBODY
from app.render.live import progress
from app.render.refactoring import plan_text, refactoring_json, refactoring_text
from app.render.text import look
from app.review_command import PLAIN, both, tenant_of, typed
from app.settings import Settings, read_settings
from app.trace_file import about, recording
from app.trees import GitTrees
from reviewer.change import Change
from reviewer.errors import TellUser
from reviewer.git import GitRepo, open_repo
from reviewer.model.prices import Prices, load
from reviewer.ports import Cancelled
from reviewer.refactor.job import Outcome, refactor
from reviewer.refactor.request import INSTRUCTION_CHARS, RefactorRequest
from reviewer.refactor.survey import under
from reviewer.refactor.values import Plan, Refactoring
from reviewer.rlm.journal import Journal
from reviewer.rlm.trace import Event, TraceSink, silent
from reviewer.text import printable

EXIT_OK = 0
EXIT_DECLINED = 1
EXIT_PARTIAL = 3


def refactor_command(options: Namespace, environ: Mapping[str, str], interrupts: Interrupts) -> int:
    """Carry out the instruction, deliver the result and return the exit code."""
    settings = typed(options, read_settings(environ))
    if not settings.debug:
        logging.getLogger().addHandler(logging.NullHandler())
    say = be_silent if options.quiet else say_it
    for warning in settings.warnings:
        say_it(f"warning: {warning}")
    check_output(options.output)
    instruction = _instruction(options)
    prices = load(settings.prices)
    with open_repo(options.repo) as repo:
        commit = head_of(repo)
        if options.plan and (options.apply or options.branch):
            raise TellUser("--plan changes nothing.", "Leave out --plan, or --apply and --branch.")
        author = checked(options, environ, repo)
        change = Change(commit, commit, commit, ())
        request = _request(options, settings, prices, instruction, repo, change)
        with interrupts.gently():
            with GitTrees(repo, commit, settings.home) as trees:
                _check_paths(request.paths, trees)
                tenant = tenant_of(options)
                with (
                    recording(
                        about(f"refactor {where(options)}", commit, commit, request),
                        settings.home,
                        say_it,
                        target=options.trace,
                    ) as trace,
                    _Display(options.quiet, environ, request.caps.usd) as display,
                    journal_here(settings.home, request, change, tenant, say) as journal,
                ):
                    work = refactor_with(
                        settings,
                        request,
                        trees,
                        prices=prices,
                        sink=both(trace.see, display.see),
                        cancelled=interrupts,
                        planned=display.planned if not options.plan else _unseen,
                        journal=journal,
                        tenant=tenant,
                    )
                    outcome = asyncio.run(work)
                    trace.refactored(outcome.refactoring)
                mails = trees.mails(outcome.patch, author or NOBODY)
            done = outcome.refactoring
            raw = _rendered(options, environ, outcome, mails, seen=display.is_seen)
            deliver_bytes(raw, options.output)
            if trace.run:
                say(f"rlm trace {trace.run} shows how this was made")
        done = outcome.refactoring
        if options.format == "patch" and done.status != "complete":
            say_it(refactoring_text(done).rstrip("\n"))
        write(options, repo, outcome.patch, author, say, partial=done.status == "partial")
    return exit_code(done)


def exit_code(done: Refactoring) -> int:
    """Return 3 for a partial result, 1 where the plan has questions or a refusal, else 0."""
    if done.status == "partial":
        return EXIT_PARTIAL
    return EXIT_DECLINED if done.status == "declined" else EXIT_OK


async def refactor_with(
    settings: Settings,
    request: RefactorRequest,
    trees: GitTrees,
    *,
    prices: Prices,
    sink: TraceSink,
    cancelled: Cancelled,
    planned: Callable[[Plan], None],
    journal: Journal,
    tenant: str,
) -> Outcome:
    """Refactor with the model's service that the settings name."""
    async with service_of(settings) as model:
        return await refactor(
            request,
            trees.start,
            trees,
            model=model,
            prices=prices,
            sink=sink,
            cancelled=cancelled,
            concurrency=settings.concurrency,
            planned=planned,
            journal=journal,
            tenant=tenant,
        )


class _Display:
    """The progress on standard error, with the plan between planning and work."""

    def __init__(self, quiet: bool, environ: Mapping[str, str], cap_usd: float | None) -> None:
        self._quiet = quiet
        self._environ = environ
        self._cap_usd = cap_usd
        self._showing = ExitStack()
        self._sink: TraceSink = silent
        self._events: list[Event] = []
        self.is_seen = False
        """Has the plan been shown on a terminal?"""

    def __enter__(self) -> "_Display":
        self._sink = self._showing.enter_context(
            progress(
                sys.stderr,
                self._environ,
                quiet=self._quiet,
                cap_usd=self._cap_usd,
                doing="refactoring",
            )
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._showing.close()

    def see(self, event: Event) -> None:
        """Show an event."""
        if not self.is_seen:
            self._events.append(event)
        self._sink(event)

    def planned(self, plan: Plan) -> None:
        """Put the plan between what is shown of the planning and of the work."""
        if self._quiet or not plan.is_work:
            return
        text = plan_text(plan, look(sys.stderr, self._environ)["width"])
        if not sys.stderr.isatty():
            say_it(text)
            return
        # A terminal's tree is taken away, and drawn again below the plan.
        self._showing.close()
        say_it(text)
        self.is_seen = True
        self.__enter__()
        for event in self._events:
            self._sink(event)
        self._events.clear()


def _unseen(_plan: Plan) -> None:
    pass


# What is asked -----------------------------------------------------------------------------------


def _instruction(options: Namespace) -> str:
    text = sys.stdin.read() if options.instruction == "-" else options.instruction
    text = printable(text).strip()
    if not text:
        raise TellUser(
            "The instruction is empty.", 'Say what to change: rlm refactor "rename f to g".'
        )
    if len(text) > INSTRUCTION_CHARS:
        raise TellUser(
            f"The instruction has more than {INSTRUCTION_CHARS:,} characters.",
            "Say in short what to change; one thing at a time works best.",
        )
    return text


def _request(  # noqa: PLR0917
    options: Namespace,
    settings: Settings,
    prices: Prices,
    instruction: str,
    repo: GitRepo,
    change: Change,
) -> RefactorRequest:
    model, asked = asked_model(options, settings, prices, repo, change, "A refactoring")
    return RefactorRequest(
        instruction=instruction,
        commit=change.head,
        paths=tuple(options.paths),
        model=model,
        cheap_model=asked.cheap_model,
        effort=asked.effort,
        caps=asked.caps,
        guidelines=asked.guidelines,
        plan_only=options.plan,
    )


def _check_paths(paths: tuple[str, ...], trees: GitTrees) -> None:
    for path in paths:
        if not any(under(known, [path]) for known in trees.start.modes):
            raise TellUser(
                f"There is no file at or under {printable(path)} in the last commit.",
                "Paths are relative to the root of the repository.",
            )


# What comes of it --------------------------------------------------------------------------------


def _rendered(
    options: Namespace, environ: Mapping[str, str], outcome: Outcome, mails: bytes, *, seen: bool
) -> bytes:
    done = outcome.refactoring
    if options.format == "json":
        return refactoring_json(done, mails).encode()
    if options.format == "patch":
        return mails
    to_terminal = options.output == STANDARD_OUTPUT and sys.stdout.isatty()
    shown = look(sys.stdout, environ) if options.output == STANDARD_OUTPUT else PLAIN
    text = refactoring_text(done, shown["width"], with_plan=not (seen and to_terminal))
    return text.encode("utf-8", "backslashreplace")
