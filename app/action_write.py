"""What changes code in `rlm action`: findings are closed, tests written, and that taken back.

One process plays every part, with the token of the job. Nothing is remembered from one job to the
next: findings come from a review that is made again, and what we have opened is found on GitHub.
What is handed over, and how, is the same for a refactoring (`app.action_plans`).
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import TextIO, cast

from app.accounts import Account
from app.action_step import (
    ACTIONS_LOGIN,
    EXIT_OK,
    EXIT_PARTIAL,
    EXIT_STOPPED,
    EXIT_TROUBLE,
    Step,
)
from app.action_trials import Tried, tried
from app.action_work import Asked, answer, fetched, patiently, reviewed, sentence
from app.engine import HERE, Plan
from app.fix_wishes import Chosen, picked
from app.github import own_comment
from app.github.branches import Opened, grown_from, names_of, opened, opened_into, undo
from app.github.cache import Stopped
from app.github.client import Hub
from app.github.errors import Forbidden, NotThere
from app.github.fetch import Checkout
from app.github.markers import Marker, Seal
from app.github.patch_comments import undo_patch
from app.github.promises import promise_of
from app.github.pulls import Pull
from app.github.reviews import Reviews
from app.github.stacked import Delivered, Delivery, branch_name, deliver, is_on_top, made_for
from app.github.stands import stands
from app.jobs import Wish as Writes
from app.render import render, words
from app.render.escape import markdown_line
from app.render.live import progress
from app.render.outgoing import masked
from app.render.writing import patch_undone_lead, undone_comment
from app.report import Report
from app.shares import for_review, with_budget
from app.store import Task
from app.trial import keep_to_ourselves
from app.writes_wanted import wanted
from app.writing_runs import NO_MODEL, run_writing
from app.written import Written
from reviewer.errors import GiveUp
from reviewer.finding import Finding
from reviewer.fix.values import Fixing
from reviewer.refactor.values import Refactoring
from reviewer.request import Promise
from reviewer.testing.values import Testing

AGAIN = (
    "A workflow keeps no review from one job to the next, so this pull request was reviewed again "
    "first: these are the findings of that review."
)
NOTHING_STACKED = "There is no pull request of mine on top of this one."

DOING = {"fix": "fixing", "tests": "testing", "refactor": "planning", "go": "refactoring"}


def written(asked: Asked) -> int:
    """Do what changes code, bring it to the pull request, and return the exit code."""
    task: Task = "fix" if asked.wish.order == "fix" else "tests"
    if there := opened_before(asked, task, name_of(asked)):
        asked.step.log.tell("notice", f"This was done before: {there.url}")
        return asked.step.skipped()
    return attempted(asked, _written)


def attempted(asked: Asked, work: Callable[[Asked], int], then: str = "") -> int:
    """Do what was asked for and return the exit code; say why, and what to do `then`, where it
    cannot be done."""
    step, comment = asked.step, asked.wish.comment
    try:
        return work(asked)
    except GiveUp as error:
        if comment is not None:
            why = f"I cannot do this: {markdown_line(masked(str(error)))}"
            text = "\n\n".join(filter(None, [why, then]))
            answer(asked.hub, step, comment, text, about=about(asked))
        step.log.tell("error", sentence(str(error)))
        step.set_outputs(status="skipped", findings="0", posted="false", report="", patch="")
        return EXIT_TROUBLE


def _written(asked: Asked) -> int:
    pull, step = asked.pull, asked.step
    promise = promise_of(asked.hub, pull) if asked.wish.order == "fix" else None
    there, planned = brought(asked, promise)
    report, notes = None, ("", "")
    work = Writes(trigger="command", task="tests")
    if asked.wish.order == "fix":
        report = reviewed(pull, there, for_review(planned), asked.environ, step, asked.interrupts)
        step.log.say(words.verdict(report.review))
        chosen = _chosen(asked, report)
        if isinstance(chosen, str):
            return _nothing(asked, chosen, report)
        notes = (AGAIN, chosen.said)
        work = Writes(
            trigger="command", task="fix", findings=chosen.findings, review_of=chosen.review
        )
        planned = with_budget(planned, report.review.cost.usd or 0.0)
    kept = report.model_dump_json() if report is not None else ""
    name = name_of(asked)
    made = made_here(asked, name, work, there, planned, lambda _: kept)
    return handed_over(asked, name, there, planned, made, report, notes)


def brought(asked: Asked, promise: Promise | None = None) -> tuple[Checkout, Plan]:
    """Fetch the pull request for a run that writes; raise GiveUp where there is no model to ask."""
    there, planned = fetched(asked.pull, asked.wish, promise, asked.step, asked.interrupts)
    if planned.request.model is None:
        raise GiveUp(NO_MODEL.format(" ".join(planned.notes[:1])).strip())
    if planned.request.policy.tests_by:
        keep_to_ourselves()  # now: threads that were there before would have what is given up
    return there, planned


def handed_over(  # noqa: PLR0917
    asked: Asked,
    name: str,
    there: Checkout,
    planned: Plan,
    made: Written,
    report: Report | None = None,
    notes: Sequence[str] = (),
) -> int:
    """Try what the run `name` has made, bring it to the pull request, and return the exit code."""
    pull, hub, step = asked.pull, asked.hub, asked.step
    test = (
        Tried(made)
        if asked.interrupts()
        else tried(asked, there, planned, made, partial(made_here, asked))
    )
    if asked.interrupts():
        return _nothing_written(step)
    what = Delivery(
        run=name,
        repository=pull.repository,
        number=pull.number,
        written=wanted(hub, pull.repository, _with_notes(test.written, *notes)),
        server_writes=True,
        repository_id=pull.repository_id,
        tested=test.said,
        failing=test.failing,
        by_job=step.login == ACTIONS_LOGIN,
        base=pull.base,
    )
    # Cut off between two writes it would leave a branch that nobody knows of, or a pull request of
    # which nothing is said. A runner sends two signals, and kills seconds after the second.
    with asked.interrupts.to_the_end():
        try:
            done = patiently(step, lambda: deliver(hub, what, key=None, cancelled=asked.interrupts))
        except Stopped:
            return _nothing_written(step)
        code = _end(asked, what, done, report)
        if asked.interrupts():
            step.log.tell("warning", "The job was cancelled too late: what was handed over stands.")
        return code


def _nothing_written(step: Step) -> int:
    step.log.tell("warning", "The job was cancelled: nothing is written.")
    return EXIT_STOPPED


def name_of(asked: Asked) -> str:
    """Name the work so that running the job again finds what it opened before."""
    pull, wish = asked.pull, asked.wish
    return run_name(pull.repository_id, pull.number, wish.name, wish.order)


def run_name(repository_id: int, number: int, said: str, order: str) -> str:
    """Name what was asked for on a pull request, by what was `said` and which `order` that is."""
    named = (repository_id, number, said, order)
    return hashlib.sha256("\n".join(map(str, named)).encode()).hexdigest()[:24]


def opened_before(asked: Asked, task: Task, name: str) -> Opened | None:
    """Return the pull request that an earlier attempt at the run `name` has opened."""
    for branch in names_of(branch_name(task, asked.pull.number, name)):
        found = opened(asked.hub, asked.pull.repository, branch)
        if ours := next((one for one in found if is_on_top(asked.pull, one)), None):
            return ours
        if not found:
            break
    return None


def about(asked: Asked) -> str:
    """Say what an answer is about: a comment may give several commands."""
    comment, at = asked.wish.comment, asked.wish.at
    name = f"{asked.wish.order}-{comment.comment_id if comment is not None else 0}"
    return f"{name}-{at}" if at else name


# The work ----------------------------------------------------------------------------------------


def _chosen(asked: Asked, report: Report) -> Chosen | str:
    """Return the findings that are meant, or why none is.

    A model says the same in other words each time, and the name of a finding has its words in it: a
    comment of ours with the name that somebody gives says at which lines to look.
    """
    every = words.ranked(report.review.findings)
    names = asked.wish.findings
    if names:
        pull, known = asked.pull, {one.id for one in every}
        seal = Seal(None, pull.repository_id, pull.number)
        there = Reviews(asked.hub, pull.repository, pull.number, pull.head, "", seal).told_at()
        names = tuple(
            name if name in known else _at(every, there.get(name)) or name for name in names
        )
    return picked(name_of(asked), every, names)


def _at(every: list[Finding], place: tuple[str, int | None] | None) -> str:
    """Return the name of the finding at a line, "" where there is none."""
    if place is None:
        return ""
    path, line = place
    return next(
        (
            one.id
            for one in every
            if one.path == path
            and line is not None
            and one.start_line is not None
            and one.start_line <= line <= (one.line or one.start_line)
        ),
        "",
    )


def made_here(  # noqa: PLR0917
    asked: Asked,
    name: str,
    work: Writes,
    there: Checkout,
    planned: Plan,
    stored: Callable[[str], str],
) -> Written:
    """Do a run that writes; `stored` gives what earlier ones came to, by their names."""
    step, interrupts = asked.step, asked.interrupts
    cap, doing = planned.request.caps.usd, DOING[asked.wish.order]
    log = cast(TextIO, step.log)
    with interrupts.gently(), progress(log, asked.environ, cap_usd=cap, doing=doing) as sink:
        return run_writing(
            name,
            work,
            there,
            step.settings,
            planned,
            stored,
            sink=sink,
            cancelled=interrupts,
            tenant=HERE,
        )


def _with_notes(made: Written, *notes: str) -> Written:
    """Return what was written with notes for its readers, before its own."""
    noted = [*filter(None, notes), *made.account.notes]
    return made.model_copy(update={"account": made.account.model_copy(update={"notes": noted})})


# What came of it ---------------------------------------------------------------------------------


def _nothing(asked: Asked, why: str, report: Report) -> int:
    """Say why no finding is worked on."""
    step, comment = asked.step, asked.wish.comment
    if comment is not None:
        answer(asked.hub, step, comment, f"{why}\n\n{AGAIN}", about=about(asked))
    step.log.tell("notice", why)
    step.set_outputs(
        status=report.review.status,
        findings=str(len(report.review.findings)),
        posted="true",
        report=_report(step, report),
        patch="",
    )
    return EXIT_OK


def _end(asked: Asked, what: Delivery, done: Delivered, report: Report | None) -> int:
    """Say what came of it on the pull request and in the job, and return the exit code."""
    step, made = asked.step, what.written
    posted = bool(done.number)
    partly = what.failing or made.account.status == "partial"
    if done.text:
        named = f"written-{what.run}"
        try:
            own_comment.put(asked.hub, what.repository, what.number, done.text, named, None)
            for part, text in enumerate(done.more, 1):
                named = f"written-{what.run}-{part}"
                own_comment.put(asked.hub, what.repository, what.number, text, named, None)
            posted = True
        except (Forbidden, NotThere) as error:
            step.log.tell("warning", sentence(str(error)))
        step.summarize(masked(f"{done.text}\n"))
    step.log.say(done.url or _SAID[done.outcome])
    step.log.say(words.cost(made.account.cost))
    step.set_outputs(
        status="partial" if partly else made.account.status,
        findings=str(_open(made.account)),
        posted=str(posted).lower(),
        report=_report(step, report),
        patch=str(step.keep(f"{made.task}.patch", made.mails)) if made.mails else "",
    )
    return EXIT_PARTIAL if partly else EXIT_OK


_SAID = {
    "stacked": "a pull request on top",
    "patch": "no pull request was opened: the patch is in the output patch",
    "nothing": "nothing came of it that could be handed over",
    "gone": "the pull request is not there any more",
}


def _open(account: Account) -> int:
    """Return how much of what was asked for is not done."""
    match account:
        case Fixing():
            return len(account.open)
        case Testing() | Refactoring():
            return len(account.left)


def _report(step: Step, report: Report | None) -> str:
    if report is None:
        return ""
    return str(step.keep("review.json", render(report.review, "json", report.snippets())))


# Taking it back ----------------------------------------------------------------------------------


def undone(asked: Asked) -> int:
    """Close the newest pull request of ours on top of this one, delete its branch, and say so."""
    pull, hub, step, comment = asked.pull, asked.hub, asked.step, asked.wish.comment
    if comment is None or _answered(asked):
        return step.skipped()
    found = _stacked(pull, hub)
    if found is None or found.state != "open":
        at = pull.repository, pull.number
        page = f"{hub.server.web}/{pull.repository}/pull/{pull.number}"
        by = f"{page}#issuecomment-{comment.comment_id}"
        if patch := patiently(step, lambda: undo_patch(hub, *at, by, None)):
            answer(hub, step, comment, patch_undone_lead(patch), about=about(asked))
            step.set_outputs(status="complete", findings="0", posted="true", report="", patch="")
            return EXIT_OK
    if found is None:
        answer(hub, step, comment, NOTHING_STACKED, about=about(asked))
        return step.skipped()
    # What is above the commit that it began at counts as ours only if GitHub signs that it is.
    head = grown_from(hub, pull.repository, found.onto, found.head) or pull.head
    where = pull.repository, found.number, found.branch
    try:
        done = patiently(step, lambda: undo(hub, *where, head))
    except GiveUp as error:
        answer(hub, step, comment, markdown_line(masked(str(error))), about=about(asked))
        step.log.tell("error", sentence(str(error)))
        return EXIT_TROUBLE
    text = undone_comment(found.number, found.url, found.branch, done.pull, done.branch, done.why)
    answer(hub, step, comment, text, about=about(asked))
    step.set_outputs(status="complete", findings="0", posted="true", report="", patch="")
    return EXIT_OK


def _answered(asked: Asked) -> bool:
    """Was this done before, by an earlier run of the same job?"""
    repository, number = asked.pull.repository, asked.pull.number
    marker = Marker(kind="reply", run=about(asked))
    path = f"/repos/{repository}/issues/{number:d}/comments"
    return stands(asked.hub, path, marker, Seal(None, 0, number))


def _stacked(pull: Pull, hub: Hub) -> Opened | None:
    """Return the newest pull request of ours on top that is open, else the newest; on a stacked
    pull request itself, that one.

    Ours by who opened it and by the name of its branch: the login of a job's token is shared.
    """
    if made_for(pull.head_ref):
        here = opened(hub, pull.repository, pull.head_ref)
        return next((one for one in here if one.ours and one.number == pull.number), None)
    every = opened_into(hub, pull.repository, pull.head_ref)
    found = [one for one in every if _is_for(one.branch, pull.number)]
    return next(iter([*(one for one in found if one.state == "open"), *found]), None)


def _is_for(branch: str, number: int) -> bool:
    """Is this the name of a branch of ours for the pull request with this number?"""
    made = made_for(branch)
    return made is not None and made[1] == number
