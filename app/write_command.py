"""What the commands that make commits do alike, in the order in which it happens.

A command is a `Work`: what it asks the engine, and how the answer reads. Everything around that is
here: settings, the trees, trace, progress and journal, and what is delivered and written.
"""

import asyncio
import logging
import sys
from abc import ABC, abstractmethod
from argparse import Namespace
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.accounts import Account, WritingRequest, secrets_of
from app.commits import asked_model, be_silent, checked, head_of, say_it, where, write
from app.engine import service_of
from app.interrupt import Interrupts
from app.means import Means
from app.output import STANDARD_OUTPUT, check_output, deliver_bytes
from app.paid import journal_here
from app.plumbing import NOBODY
from app.render import PIPE_COLUMNS
from app.render.live import progress
from app.render.text import look
from app.render.writing import account_markdown
from app.review_command import PLAIN, Say, both, tenant_of, typed
from app.settings import Settings, read_settings
from app.trace_file import about, recording
from app.trees import GitTrees
from reviewer.change import Change
from reviewer.errors import TellUser
from reviewer.git import GitRepo, open_repo
from reviewer.model.base import Model
from reviewer.model.prices import Prices, load
from reviewer.refactor.patch import Patch
from reviewer.request import ReviewRequest
from reviewer.revisions import resolve
from reviewer.rlm.trace import TraceSink

EXIT_OK = 0
EXIT_OPEN = 1
"""Something stays open, or was declined: the account says what and why."""

EXIT_PARTIAL = 3

PAGE_COLUMNS = 110
"""Of the account in a page, which folds lines that its window has no room for."""

Q = TypeVar("Q", bound=WritingRequest)
A = TypeVar("A", bound=Account)


@dataclass(frozen=True, slots=True)
class First:
    """What there is before the work begins."""

    settings: Settings
    prices: Prices
    repo: GitRepo
    interrupts: Interrupts
    say: Say


class Work(ABC, Generic[Q, A]):
    """One command: its request to the engine, and its account of what came of it.

    `name` is the command's, `what` it ("A fix") needs a model, `doing` so ("fixing").
    """

    name: str
    what: str
    doing: str

    def __init__(self, options: Namespace, environ: Mapping[str, str]) -> None:
        self.options = options
        self.environ = environ

    def change(self, repo: GitRepo) -> Change:
        """Return what is worked on: a commit that is to be changed, as the head of a change."""
        commit = head_of(repo)
        return Change(commit, commit, commit, ())

    def before(self, first: "First", asked: ReviewRequest) -> ReviewRequest:
        """Do what comes before the work and costs something, too; return what is left for it."""
        return asked

    @abstractmethod
    def request(self, model: str, asked: ReviewRequest, change: Change, say: Say) -> Q:
        """Return what the engine is asked."""

    def fits(self, request: Q, trees: GitTrees) -> None:
        """Raise TellUser for a request that does not fit the commit."""

    def display(self, cap_usd: float | None) -> AbstractContextManager[TraceSink]:
        """Return what shows the progress on standard error."""
        return progress(
            sys.stderr, self.environ, quiet=self.options.quiet, cap_usd=cap_usd, doing=self.doing
        )

    @abstractmethod
    async def run(self, request: Q, trees: GitTrees, model: Model, means: Means) -> tuple[A, Patch]:
        """Do the work."""

    @abstractmethod
    def text(self, done: A, width: int) -> str:
        """Return the account for people."""

    @abstractmethod
    def json(self, done: A, mails: bytes | None) -> str:
        """Return the account and the patch for programs; None for one that is not handed out."""

    @abstractmethod
    def leaves(self, done: A) -> bool:
        """Is there something that a reader of the patch alone would miss?"""

    def withheld(self, done: A) -> bool:
        """Is the result written to a branch or the work tree only if the user insists?"""
        return done.status == "partial"

    def refuse(self, done: A) -> None:
        """Raise TellUser for a result that is written nowhere, once it has been shown."""

    @abstractmethod
    def exit_code(self, done: A) -> int:
        """Return the exit code, once all that was asked for is written."""


def checked_out(options: Namespace, repo: GitRepo, commit: str) -> None:
    """Refuse to apply to the work tree what is made for another commit."""
    if options.apply and resolve(repo, "HEAD") != commit:
        raise TellUser(
            "--apply changes the work tree, and that is at another commit than the change.",
            "Check the change out first, or use --branch NAME.",
        )


def write_command(work: Work[Q, A], interrupts: Interrupts) -> int:
    """Have the work done, deliver the result and return the exit code."""
    options = work.options
    settings = typed(options, read_settings(work.environ))
    if not settings.debug:
        logging.getLogger().addHandler(logging.NullHandler())
    say = be_silent if options.quiet else say_it
    for warning in settings.warnings:
        say_it(f"warning: {warning}")
    check_output(options.output)
    prices = load(settings.prices)
    with open_repo(options.repo) as repo:
        change = work.change(repo)
        author = checked(options, work.environ, repo)
        model, asked = asked_model(options, settings, prices, repo, change, work.what)
        asked = work.before(First(settings, prices, repo, interrupts, say), asked)
        request = work.request(model, asked, change, say)
        with interrupts.gently():
            with GitTrees(repo, change.head, settings.home) as trees:
                work.fits(request, trees)
                tenant = tenant_of(options)
                with (
                    recording(
                        about(f"{work.name} {where(options)}", change.base, change.head, request),
                        settings.home,
                        say_it,
                        target=options.trace,
                    ) as trace,
                    work.display(request.caps.usd) as display,
                    journal_here(settings.home, request, change, tenant, say) as journal,
                ):
                    means = Means(
                        prices=prices,
                        sink=both(trace.see, display),
                        cancelled=interrupts,
                        concurrency=settings.concurrency,
                        journal=journal,
                        tenant=tenant,
                    )
                    done, patch = asyncio.run(_run(work, settings, request, trees, means))
                    trace.wrote(done)
                held = bool(secrets_of(done))
                mails = None if held else trees.mails(patch, author or NOBODY)
            if options.format != "patch" or mails is not None:
                deliver_bytes(_rendered(work, done, mails), options.output)
            if trace.run:
                say(f"rlm trace {trace.run} shows how this was made")
        if options.format == "patch" and work.leaves(done):
            say_it(work.text(done, PIPE_COLUMNS).rstrip("\n"))
        work.refuse(done)
        write(options, repo, patch, author, say, done, withheld=work.withheld(done))
    return work.exit_code(done)


async def _run(
    work: Work[Q, A], settings: Settings, request: Q, trees: GitTrees, means: Means
) -> tuple[A, Patch]:
    async with service_of(settings) as model:
        return await work.run(request, trees, model, means)


def _rendered(work: Work[Q, A], done: A, mails: bytes | None) -> bytes:
    options = work.options
    if options.format == "json":
        return work.json(done, mails).encode()
    if options.format == "patch":
        return mails or b""
    if options.format == "markdown":
        return f"{account_markdown(done)}\n".encode("utf-8", "backslashreplace")
    if options.format == "html":
        from app.render.account_page import account_page  # noqa: PLC0415 - takes its time

        page = account_page(done, work.text(done, PAGE_COLUMNS), mails)
        return page.encode("utf-8", "backslashreplace")
    shown = look(sys.stdout, work.environ) if options.output == STANDARD_OUTPUT else PLAIN
    return work.text(done, shown["width"]).encode("utf-8", "backslashreplace")
