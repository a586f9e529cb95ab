"""`rlm action`: the review as a step of a workflow. action.yml calls it, in its own environment.

One process plays every part in order, with the token of the job: read the event, look at the pull
request, fetch it, review it, post the review. Where the token may only read (a fork's pull
request, Dependabot's), the review goes to the job's summary and to annotations instead. With the
input `server` all of that is a running App's to do (`app/action_server.py`).
"""

import hashlib
import traceback
from collections.abc import Mapping
from dataclasses import replace
from typing import TextIO, cast

from app.action_behind import tell_above
from app.action_event import DEPENDABOT, Comment, Look, Nothing, read_event
from app.action_plans import carried_out, planned
from app.action_server import on_server
from app.action_step import (
    EXIT_OK,
    EXIT_PARTIAL,
    EXIT_STOPPED,
    EXIT_TROUBLE,
    MEANWHILE,
    Step,
    exit_code,
    read_step,
)
from app.action_stop import stopped
from app.action_work import (
    Asked,
    Order,
    Wish,
    answer,
    fetched,
    is_fork,
    patiently,
    reviewed,
    sentence,
)
from app.action_write import undone, written
from app.annotations import Level, StepLog
from app.commands import (
    ONLY_WRITERS,
    AskCommand,
    FixCommand,
    ForgetCommand,
    Misunderstood,
    Parsed,
    PlainCommand,
    RefactorCommand,
    ReviewCommand,
    help_text,
    parse_commands,
)
from app.engine import run_explain
from app.github.answers import render_answer
from app.github.cache import Stopped
from app.github.client import Hub
from app.github.code_scanning import upload
from app.github.errors import Forbidden, NotThere
from app.github.promises import promise_of
from app.github.publish import Publication, publish
from app.github.pulls import Pull, look_at
from app.interrupt import Interrupts
from app.render import render, words
from app.render.escape import markdown_line
from app.render.live import progress
from app.render.markdown import render_markdown
from app.render.outgoing import masked
from app.report import Report
from reviewer.errors import RlmError, TellUser
from reviewer.explain.values import Question

SUMMARY_BYTES = 900_000
"""GitHub drops a step's summary over 1 MiB; a sentence on why it was not posted comes to it."""

STOP_TEXT = (
    "Here all of this runs in GitHub Actions: `/rlm stop` cancels its runs where the job may do "
    "so, and a plan that waits stays."
)
OBEYED = ("review", "ask", "refactor", "go", "fix", "tests", "undo", "stop", "help")
"""The commands that a workflow can obey: it remembers nothing from one job to the next."""

ELSEWHERE = "takes the App: a workflow remembers nothing from one job to the next."
ONLY_OPEN = "Only an open pull request is reviewed."
ONLY_READY = "It is a draft: it is reviewed when it is ready, or on `/rlm review`."


def action(environ: Mapping[str, str], interrupts: Interrupts) -> int:
    """Do what the event of this workflow asks for and return the exit code; see README.md."""
    log = StepLog()
    try:
        step = read_step(environ, log)
        if server := environ.get("RLM_SERVER", "").strip():
            return on_server(server, step, environ, interrupts)
        return _act(step, environ, interrupts)
    except Stopped:
        log.tell("warning", "The job was cancelled before there was a review.")
        return EXIT_STOPPED
    except TellUser as error:
        log.tell("error", f"{sentence(error.problem)} {error.hint}".strip())
    except RlmError as error:
        log.tell("error", sentence(str(error)))
    except OSError as error:
        log.tell("error", f"{error.filename or 'This machine'}: {sentence(str(error.strerror))}")
    except Exception as error:
        # Not for `app.cli` to report: what it prints is not made safe for this log.
        log.write(traceback.format_exc())
        log.tell("error", f"This is a bug; please report the log. {type(error).__name__}: {error}")
    return EXIT_TROUBLE


def _act(step: Step, environ: Mapping[str, str], interrupts: Interrupts) -> int:
    event = read_event(environ, environ.get("RLM_PULL_REQUEST", "").strip(), step.login)
    settings = step.settings
    with Hub(
        settings.github,
        settings.github_token,
        actor=step.login,
        write_pause_s=settings.operations.github_pause_s,
    ) as hub:
        wishes = _wishes(event, environ, hub, step)
        if not wishes:
            return step.skipped()
        return max(_granted(wish, environ, hub, step, interrupts) for wish in wishes)


def _granted(
    wish: Wish, environ: Mapping[str, str], hub: Hub, step: Step, interrupts: Interrupts
) -> int:
    pull = look_at(hub, step.repository, wish.number)
    if wish.order == "undo":
        return undone(Asked(pull, wish, environ, hub, step, interrupts))
    if wish.pushed:
        tell_above(pull, hub, step)
    if why := _not_now(pull, wish):
        step.log.tell("notice", why)
        if wish.comment:
            answer(hub, step, wish.comment, why, about=f"not-now-{wish.comment.comment_id}")
        return step.skipped()
    if wish.question:
        return _explained(pull, wish, environ, hub, step, interrupts)
    if wish.order:
        do = {"refactor": planned, "go": carried_out}.get(wish.order, written)
        return do(Asked(pull, wish, environ, hub, step, interrupts))
    there, plan = fetched(pull, wish, promise_of(hub, pull), step, interrupts)
    report = reviewed(pull, there, plan, environ, step, interrupts)
    _summarize(step, pull, report)
    if interrupts():
        step.log.tell("warning", "The job was cancelled: the review is not posted.")
        return EXIT_STOPPED
    trouble = _post(hub, pull, wish, report, step)
    return _end(step, report, trouble)


def _wishes(
    event: Look | Comment | Nothing, environ: Mapping[str, str], hub: Hub, step: Step
) -> list[Wish]:
    """Return the reviews and answers to make; what needs neither is said and answered here."""
    match event:
        case Nothing(why=why):
            step.log.tell("notice", why)
            return []
        case Look(number=number, asked=True):
            # Started by hand again, it is asked for again; "Re-run jobs" keeps the run's id.
            return [Wish(number, f"run:{environ.get('GITHUB_RUN_ID', '')}", asked=True)]
        case Look(number=number, pushed=pushed):
            return [Wish(number, "head", pushed=pushed)]
        case Comment():
            return _obey(event, environ, hub, step)


def _obey(comment: Comment, environ: Mapping[str, str], hub: Hub, step: Step) -> list[Wish]:
    commands = parse_commands(comment.body)
    if not commands:
        step.log.tell("notice", "The comment holds no command.")
        return []
    if not hub.may_write(step.repository, comment.author):
        step.log.tell("notice", f"{comment.author} may not write here, so gives no commands.")
        answer(hub, step, comment, ONLY_WRITERS, about=f"refused-{comment.author.lower()}")
        return []
    try:
        hub.react(step.repository, comment.comment_id, "eyes")
    except (Forbidden, NotThere) as error:
        step.log.tell("warning", sentence(str(error)))
    wishes, told = [], []
    for index, said in enumerate(commands):
        name = f"comment:{comment.comment_id}" + (f":{index}" if index else "")
        match said:
            case ReviewCommand(paths=paths, full=full):
                wishes.append(Wish(comment.number, name, comment, paths, asked=True, again=full))
            case AskCommand(question=question):
                wishes.append(Wish(comment.number, name, comment, asked=True, question=question))
            case FixCommand(findings=findings):
                wishes.append(_order(comment, name, "fix", findings))
            case RefactorCommand(instruction=instruction):
                wish = _order(comment, name, "refactor")
                wishes.append(replace(wish, instruction=instruction, at=index))
            case PlainCommand(name="tests" | "go" | "undo" as order):
                wishes.append(_order(comment, name, order))
            case PlainCommand(name="stop"):
                told.append(stopped(hub, step, environ, comment.number))
            case _:
                told.append(_told(said))
    if told:
        answer(hub, step, comment, "\n\n".join(told))
    return wishes


def _order(comment: Comment, name: str, order: Order, findings: tuple[str, ...] = ()) -> Wish:
    return Wish(comment.number, name, comment, asked=True, order=order, findings=findings)


def _told(said: Parsed) -> str:
    """Return what is answered at once."""
    match said:
        case PlainCommand(name="help"):
            return f"{help_text(only=OBEYED)}\n\n{STOP_TEXT}"
        case PlainCommand(name=name):
            return f"`/rlm {name}` {ELSEWHERE}"
        case Misunderstood(why=why):
            return help_text(why, only=OBEYED)
        case ForgetCommand():
            return f"`/rlm forget` {ELSEWHERE}"
        case _:
            raise ValueError("a review, an answer and a change take longer")


def _not_now(pull: Pull, wish: Wish) -> str:
    """Say why this pull request is not reviewed as it is; "" if it is."""
    if pull.state != "open":
        return ONLY_OPEN
    return ONLY_READY if pull.draft and not wish.asked else ""


def _explained(  # noqa: PLR0917
    pull: Pull,
    wish: Wish,
    environ: Mapping[str, str],
    hub: Hub,
    step: Step,
    interrupts: Interrupts,
) -> int:
    """Answer a question, below the comment that asked it."""
    there, planned = fetched(pull, wish, None, step, interrupts)
    with interrupts.gently():
        log = cast(TextIO, step.log)
        with progress(log, environ, cap_usd=planned.request.caps.usd) as sink:
            done = run_explain(
                there,
                step.settings,
                planned,
                Question(text=wish.question),
                sink=sink,
                cancelled=interrupts,
            )
    if interrupts():
        step.log.tell("warning", "The job was cancelled: the question is not answered.")
        return EXIT_STOPPED
    repository = f"{step.settings.github.web}/{pull.repository}"
    text = render_answer(done, repository)
    if wish.comment is not None:
        # Not by the comment alone: other commands in it are answered, too, by one of its name.
        about = f"answer-{wish.name.replace(':', '-')}"
        answer(hub, step, wish.comment, text, about=about)
    step.log.say(words.cost(done.cost))
    step.set_outputs(status="complete" if done.answer else "partial", findings="0", report="")
    return EXIT_OK if done.answer else EXIT_PARTIAL


def _summarize(step: Step, pull: Pull, report: Report) -> None:
    """Write the review into the summary of the job, wherever else it will stand."""
    name = f"{pull.repository}#{pull.number}"
    top = f"[{name}]({pull.url}) at `{pull.head[: words.NAME_DIGITS]}`\n\n"
    text = render_markdown(report.review, report.snippets(), limit_bytes=SUMMARY_BYTES)
    step.summarize(masked(top + text))


def _post(hub: Hub, pull: Pull, wish: Wish, report: Report, step: Step) -> bool:
    """Post the review and say where it stands; return whether trouble kept it from being posted."""
    what = Publication(
        run=run_id(pull, wish, report.review.status),
        repository=pull.repository,
        number=pull.number,
        head=pull.head,
        report=report,
        check_run=None,
        repeat=wish.again,
        unasked=not wish.asked,
    )
    try:
        # Our markers keep it from doubling.
        done = patiently(step, lambda: publish(hub, what, key=None))
    except RlmError as error:
        _instead(step, report, str(error), "error")
        return True
    match done.outcome:
        case "posted" | "merged":
            step.log.say(f"posted: {done.review or done.summary or pull.url}")
            if done.problem:
                step.log.tell("warning", done.problem)
            # A part of the change would take the place of what is known of all of it.
            if report.sarif and done.outcome == "posted" and not wish.paths:
                _scan(hub, pull, report, step)
        case "refused":
            expected = pull.author == DEPENDABOT or is_fork(pull)
            _instead(step, report, done.problem, "notice" if expected else "warning")
        case "locked":
            _instead(step, report, "The conversation is locked.", "notice")
        case "stale" | "closed" | "draft" | "gone":
            step.log.tell("notice", f"The review is not posted: {MEANWHILE[done.outcome]}")
    step.set_outputs(posted=str(bool(done.review or done.summary)).lower())
    return False


def _scan(hub: Hub, pull: Pull, report: Report, step: Step) -> None:
    """Hand the findings to code scanning, too; a refusal costs itself."""
    try:
        upload(hub, pull.repository, pull.number, pull.head, report)
    except RlmError as error:
        step.log.tell("notice", f"Not in code scanning: {sentence(str(error))}")
    else:
        step.log.say("in code scanning, too")


def run_id(pull: Pull, wish: Wish, status: str) -> str:
    """Name a review so that running the job again finds what it posted before.

    A whole review after a partial one is another, and is posted; so is one for another base branch.
    """
    named = (pull.repository_id, pull.number, pull.base_ref, pull.head, wish.name, status)
    return hashlib.sha256("\n".join(map(str, named)).encode()).hexdigest()[:24]


def _instead(step: Step, report: Report, why: str, level: Level) -> None:
    """Show the review in the job, and say why it is not on the pull request."""
    why = sentence(why)
    step.log.tell(
        level, f"The review is in the summary of this job, and not on the pull request: {why}"
    )
    step.summarize(f"\n> [!NOTE]\n> Not posted on the pull request: {markdown_line(why)}\n")
    step.log.annotate(report.review.findings)
    step.set_outputs(posted="false")


def _end(step: Step, report: Report, trouble: bool) -> int:
    """Say what came of it, and return the exit code."""
    review = report.review
    step.log.say(words.verdict(review))
    step.log.say(words.cost(review.cost))
    if early := words.ended_early(review):
        step.log.tell("warning", early)
    step.set_outputs(
        status=review.status,
        findings=str(len(review.findings)),
        report=str(step.keep("review.json", render(review, "json", report.snippets()))),
    )
    code = EXIT_TROUBLE if trouble else exit_code(review.status, review.severities, step.fail_on)
    step.tell_failure(code)
    return code
