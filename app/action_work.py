"""What each thing that somebody asks `rlm action` for takes: to fetch, review, answer, and wait."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TextIO, TypeVar, cast

from app.action_event import DEPENDABOT, Comment
from app.action_step import Step
from app.engine import Plan, plan, run_review, with_notes
from app.github.client import Hub
from app.github.errors import BadToken, Forbidden, NotThere
from app.github.fetch import Checkout, checkout
from app.github.pulls import Pull
from app.github.replies import reply
from app.github.wanted import Wanted
from app.interrupt import Interrupts
from app.render.live import progress
from app.render.outgoing import without_secrets
from app.report import Report
from reviewer.errors import RetryLater
from reviewer.request import Promise

TRIES = 4
LONGEST_WAIT_S = 120.0
"""A job costs money while it waits; after an outage that lasts, somebody runs it again."""

FORK_SECRETS = "GitHub hands no secrets to a workflow that a fork's pull request starts."
BOT_SECRETS = "Of the secrets, GitHub hands only Dependabot's to a workflow that it starts."

Order = Literal["", "fix", "tests", "refactor", "go", "undo"]
"""What changes code, plans to or takes such a change back; "" for what does none of it."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that somebody or something asked for; `name` tells it from others of one head.

    `asked` by a person, so also of a draft; `pushed`: for a push to its branch. `again`: say what
    was said before, too. With a `question` it is an answer that is wanted, with an `order` a change
    of code, of these `findings` where it is a fix (none: all that stand), else a review. What to
    refactor is the `instruction`, and `at` tells which of the comment's commands it is, from 0 on.
    """

    number: int
    name: str
    comment: Comment | None = None
    paths: tuple[str, ...] = ()
    asked: bool = False
    pushed: bool = False
    again: bool = False
    question: str = ""
    order: Order = ""
    findings: tuple[str, ...] = ()
    instruction: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish with its pull request, and what it is done with."""

    pull: Pull
    wish: Wish
    environ: Mapping[str, str]
    hub: Hub
    step: Step
    interrupts: Interrupts


def fetched(
    pull: Pull, wish: Wish, promise: Promise | None, step: Step, interrupts: Interrupts
) -> tuple[Checkout, Plan]:
    """Fetch a pull request and decide how it is worked on."""
    settings = step.settings
    wanted = Wanted.of(pull, settings.github)
    with interrupts.gently():
        there = checkout(
            wanted, lambda: settings.github_token, settings.home, step.log.say, interrupts
        )
        return there, plan(there, settings, cancelled=interrupts, paths=wish.paths, promise=promise)


def reviewed(  # noqa: PLR0917
    pull: Pull,
    there: Checkout,
    planned: Plan,
    environ: Mapping[str, str],
    step: Step,
    interrupts: Interrupts,
) -> Report:
    """Review what was fetched, as planned; no secret is in what comes out."""
    settings = step.settings
    with interrupts.gently():
        log = cast(TextIO, step.log)
        with progress(log, environ, cap_usd=planned.request.caps.usd) as sink:
            report = run_review(there, settings, planned, sink=sink, cancelled=interrupts)
    note = "" if settings.has_key else _why_no_key(pull, step)
    noted = report.model_copy(update={"review": with_notes(report.review, note)})
    # Now: a summary and an annotation are read by more people than the repository, too.
    return without_secrets(noted)


def _why_no_key(pull: Pull, step: Step) -> str:
    if step.event != "pull_request":
        return ""
    if pull.author == DEPENDABOT:
        return BOT_SECRETS
    return FORK_SECRETS if is_fork(pull) else ""


def is_fork(pull: Pull) -> bool:
    """Does the head of a pull request lie in another repository?"""
    return (pull.head_repository or "").lower() != pull.repository.lower()


def answer(hub: Hub, step: Step, comment: Comment, text: str, *, about: str = "") -> None:
    """Answer a comment, once however often the job runs."""
    about = about or f"comment-{comment.comment_id}"
    try:
        reply(hub, step.repository, comment.number, text, about=about, key=None)
    except (Forbidden, NotThere) as error:
        step.log.tell("warning", sentence(str(error)))


def patiently(step: Step, call: Callable[[], _T]) -> _T:
    """Ask a server in trouble again, for a while; what is asked must not double by that."""
    for _ in range(TRIES - 1):
        try:
            return call()
        except BadToken:
            raise
        except RetryLater as error:
            if error.after_s > LONGEST_WAIT_S:
                raise
            step.log.say(f"{error}; trying again in {error.after_s:.0f} s")
            time.sleep(error.after_s)
    return call()


def sentence(text: str) -> str:
    """Return a text with a full stop."""
    return text if text.endswith((".", "!", "?")) else f"{text}."
