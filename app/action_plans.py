"""`/rlm refactor` and `/rlm go` in `rlm action`: a plan is a comment, and another job takes it up.

Nothing is kept from one job to the next, so the comment carries what it takes to carry the plan out
(`app.carried_plan`), and there is no key to sign it with. What counts is what GitHub says: our own
login wrote it, nobody has edited it since, it shows every word of what it carries and nothing else,
it is the first one for its command, and that still stands there with the very instruction, by
somebody who may write. Other workflows have our login, too: one that repeats what strangers say can
be made to show a plan. It comes to nothing beside the plan that was made for its command, and
starts nothing by itself: a person has to want what it shows. Nor does it keep the newest plan that
counts from being started, whatever marker it has: a plan is only shown where there is none for its
command yet (`planned`), so what has its name and came later is no work of ours. Whether it was
started tells a pull request of ours from its branch, which takes somebody who may push, or a
comment with what came of it: that counts from when somebody who may write has said `/rlm go`
(`_result`). From then on a job cannot tell whose it is, and the answer says what to do.
"""

from dataclasses import dataclass
from functools import partial

from app.action_step import EXIT_OK, EXIT_PARTIAL, EXIT_STOPPED, Step
from app.action_work import Asked, answer, sentence
from app.action_write import (
    about,
    attempted,
    brought,
    handed_over,
    made_here,
    name_of,
    opened_before,
    run_name,
)
from app.carried_plan import CarriedPlan, Unreadable, carried, shown
from app.commands import PlainCommand, RefactorCommand, parse_commands
from app.github import own_comment
from app.github.comments import comment_at
from app.github.errors import Forbidden, NotThere
from app.github.markers import Marker, Seal, visible
from app.github.pages import Comment, conversation
from app.jobs import Wish as Writes
from app.jobs import cut_comment
from app.render import words
from app.render.markdown import LIMIT_BYTES
from app.render.outgoing import masked
from app.render.writing import can_start, plan_comment, superseded_comment
from app.write_steps import (
    ALREADY,
    EDITED,
    MOST_SUPERSEDED,
    NO_PLAN,
    NOT_SEEN,
    TOO_OLD,
    WAITS_S,
)
from app.written import Written
from reviewer.refactor.values import Refactoring
from reviewer.text import printable

PLAN, NO_START = "plan", "unplanned"
"""What a comment is about that shows a plan, and one whose plan nobody can start, with its run."""

AGAIN = "The plan is still there: `/rlm go` starts it again."
NOT_WHOLE = (
    "This plan is not carried out: its comment does not show just what it carries, or came after "
    "another one for the same command. Another version of this action may have made it, or "
    "somebody else. Ask again, with `/rlm refactor`."
)
NOT_ASKED = (
    "This plan is not carried out: the comment that asked for it is gone, says something else by "
    "now, or is of somebody who may not write here. Ask again, with `/rlm refactor`."
)
HAS_RESULT = (
    "What came of the newest plan here is said already: {}. If that is no result of it (a job "
    "cannot tell whether another workflow was made to say so), delete that comment and say "
    "`/rlm go` again. `/rlm refactor` makes another plan."
)
MOST_LOOKED = 20
"""Plans of ours, or what looks like one, among which the one is looked for that counts."""

MOST_ASKED = 20
"""People of whom GitHub is asked whether they may write, the last first."""

GONE = "The comment that says so is not there any more."


# The plan ----------------------------------------------------------------------------------------


def planned(asked: Asked) -> int:
    """Make a plan and show it, for somebody to start; return the exit code."""
    name = name_of(asked)
    if _made_for(_ours(asked), name):
        # Written a second time it would be one that was edited.
        asked.step.log.tell("notice", "This was planned before.")
        return asked.step.skipped()
    return attempted(asked, partial(_planned, name=name))


def _planned(asked: Asked, name: str) -> int:
    step, wish = asked.step, asked.wish
    there, plan = brought(asked)
    work = Writes(trigger="command", task="refactor", instruction=wish.instruction)
    made = made_here(asked, name, work, there, plan, lambda _: "")
    if asked.interrupts():
        step.log.tell("warning", "The job was cancelled: there is no plan.")
        return EXIT_STOPPED
    account = made.account
    if not isinstance(account, Refactoring):
        raise TypeError("a refactoring has the account of one")
    hidden = _hidden(asked, made)
    starts = can_start(account, hidden=len(hidden) or LIMIT_BYTES)
    text = plan_comment(account, hidden=len(hidden) or LIMIT_BYTES)
    kind = PLAN if starts else NO_START
    stands = _said(asked, f"{kind}-{name}", text, hidden if starts else "")
    if starts and stands:
        _supersede(asked, name, stands)
    return _ended(step, account, posted=bool(stands))


def _hidden(asked: Asked, made: Written) -> str:
    """Return what its comment carries of a plan, "" where that cannot be."""
    pull, comment = asked.pull, asked.wish.comment
    if comment is None:
        raise ValueError("a plan is asked for in a comment")
    try:
        at = pull.repository_id, pull.number
        return carried(made, at, comment.comment_id, asked.wish.at)
    except Unreadable:
        return ""


def _supersede(asked: Asked, name: str, newer: int) -> None:
    """Let the plans before the one in the comment `newer` say that it took their place, unless they
    are carried out or somebody has edited them.
    """
    pull, hub, url = asked.pull, asked.hub, _address(asked, newer)
    every = _ours(asked)
    plans = [one for one in every if _is_plan(one) and one.marker.run != f"{PLAN}-{name}"]
    for one in plans[-MOST_SUPERSEDED:]:
        if one.edited or _result(asked, every, one) or _opened(asked, one):
            continue
        try:
            account = shown(one.body).plan.account("")
        except Unreadable:
            continue
        marker = Marker(kind="reply", run=one.marker.run)
        text = superseded_comment(account, url) + Seal(None, 0, pull.number).write(marker)
        try:
            own_comment.edit(hub, pull.repository, one.id, text)
        except Forbidden as error:
            asked.step.log.tell("warning", sentence(str(error)))


# Carrying it out ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """A plan that is to be carried out: what its run came to, and the names of both runs."""

    run: str
    name: str
    written: Written


def carried_out(asked: Asked) -> int:
    """Carry the newest plan of the pull request out, once, and return the exit code."""
    step, comment = asked.step, asked.wish.comment
    found = waiting(asked)
    if isinstance(found, str):
        if found and comment is not None:
            step.log.tell("notice", found)
            answer(asked.hub, step, comment, found, about=about(asked))
        return step.skipped()
    return attempted(asked, partial(_carried_out, plan=found), AGAIN)


def _carried_out(asked: Asked, plan: Waiting) -> int:
    there, planned = brought(asked)
    work = Writes(trigger="go", task="refactor", plan_of=plan.run)
    kept = plan.written.model_dump_json()
    made = made_here(asked, plan.name, work, there, planned, lambda _: kept)
    account = made.account
    if isinstance(account, Refactoring) and account.status == "declined":
        posted = bool(_said(asked, f"written-{plan.name}", plan_comment(account)))
        return _ended(asked.step, account, posted=posted)
    return handed_over(asked, plan.name, there, planned, made)


def waiting(asked: Asked) -> Waiting | str:
    """Return the plan that a command means, the newest that counts; else why there is none.

    That is "" where it was said. What only looks like a plan keeps none from being started.
    """
    every = _ours(asked)
    plans = [one for one in reversed(every) if _is_plan(one)]
    if not plans:
        return NO_PLAN
    newest = plans[0]
    found = problem = _counts(asked, every, newest)
    for one in plans[1:MOST_LOOKED]:
        if isinstance(found, Waiting):
            break
        if isinstance(found := _counts(asked, every, one), Waiting):
            newest = one
    why = _in_the_way(asked, every, newest)
    if why is not None:
        return why
    return found if isinstance(found, Waiting) else problem


def _counts(asked: Asked, every: list[own_comment.Ours], one: own_comment.Ours) -> Waiting | str:
    """Return the plan of a comment, or why it is none that counts."""
    if one.edited:
        return EDITED
    run = one.marker.run.removeprefix(f"{PLAN}-")
    plan = _whole(asked, one)
    if plan is None or _made_for(every, run)[0].id != one.id:
        return NOT_WHOLE
    instruction = _instruction(asked, plan)
    if instruction is None:
        return NOT_ASKED
    return Waiting(run, _carrier(asked, one), plan.written(instruction))


def _in_the_way(asked: Asked, every: list[own_comment.Ours], found: own_comment.Ours) -> str | None:
    """Return why a plan is not started now, None if it is; "" where that was said."""
    comment, pull, step = asked.wish.comment, asked.pull, asked.step
    number = comment.comment_id if comment is not None else 0
    said = comment_at(asked.hub, pull.repository, pull.number, number)
    if said is None:
        step.log.tell("notice", GONE)
        return ""
    if said.at < found.since:
        return NOT_SEEN
    result = _result(asked, every, found)
    if result is not None and _is_again(asked) and _came_after(result, number, said.at):
        step.log.tell("notice", "This was done before.")
        return ""
    if opened := _opened(asked, found):
        return f"{ALREADY} {opened}"
    if result is not None:
        return HAS_RESULT.format(_address(asked, result.id))
    return TOO_OLD if said.at - found.since > WAITS_S else None


def _whole(asked: Asked, found: own_comment.Ours) -> CarriedPlan | None:
    """Return the plan that a comment shows, None if that is not the one that it carries, to its
    last word, or not one for this pull request.
    """
    try:
        seen = shown(found.body)
    except Unreadable:
        return None
    plan, pull = seen.plan, asked.pull
    account = plan.account("")
    if (plan.repository, plan.number) != (pull.repository_id, pull.number):
        return None
    if found.marker.run != planned_name(plan.repository, plan.number, plan.comment, plan.at):
        return None
    is_shown = visible(plan_comment(account, hidden=0)) == seen.text
    return plan if is_shown and can_start(account, hidden=0) else None


def _instruction(asked: Asked, plan: CarriedPlan) -> str | None:
    """Return the instruction that a plan was made for, as it stands in the comment that asked; None
    where it stands there no more, or nobody has the say who wrote it.
    """
    repository = asked.pull.repository
    said = comment_at(asked.hub, repository, asked.pull.number, plan.comment)
    commands = parse_commands(said.body) if said is not None else ()
    command = commands[plan.at] if plan.at < len(commands) else None
    if said is None or not isinstance(command, RefactorCommand):
        return None
    instruction = printable(command.instruction)
    is_for = plan.is_for(instruction) and asked.hub.may_write(repository, said.author)
    return instruction if is_for else None


def planned_name(repository_id: int, number: int, comment: int, at: int) -> str:
    """Return what the comment with a plan is about that the command `at` of another asked for."""
    said = f"comment:{comment}" + (f":{at}" if at else "")
    return f"{PLAN}-{run_name(repository_id, number, said, 'refactor')}"


# What stands there -------------------------------------------------------------------------------


def _ours(asked: Asked) -> list[own_comment.Ours]:
    """Return our comments in the conversation, the oldest first."""
    pull = asked.pull
    seal = Seal(None, 0, pull.number)
    return [*own_comment.ours(asked.hub, pull.repository, pull.number, seal)]


def _made_for(every: list[own_comment.Ours], name: str) -> list[own_comment.Ours]:
    """Return the comments with what the planning run of that name came to, the oldest first: one,
    if all is well.
    """
    return [one for one in every if one.marker.run in {f"{PLAN}-{name}", f"{NO_START}-{name}"}]


def _is_plan(one: own_comment.Ours) -> bool:
    return one.marker.kind == "reply" and one.marker.run.startswith(f"{PLAN}-")


def _carrier(asked: Asked, plan: own_comment.Ours) -> str:
    """Name the run that carries a plan out: one, whoever starts it and however often."""
    return run_name(asked.pull.repository_id, asked.pull.number, plan.marker.run, "go")


def _result(
    asked: Asked, every: list[own_comment.Ours], plan: own_comment.Ours
) -> own_comment.Ours | None:
    """Return the comment with what came of a plan, None where there is none that counts.

    Its name follows from the plan's, which everybody reads, and another workflow can be made to say
    it. So it counts only if it says so since somebody who may write has started the plan.
    """
    named = f"written-{_carrier(asked, plan)}"
    found = [one for one in every if one.marker.run == named]
    starts = _starts(asked, plan) if found else []
    return next(
        (
            one
            for one in found
            if any(_came_after(one, start.id, start.created_at.timestamp()) for start in starts)
        ),
        None,
    )


def _starts(asked: Asked, plan: own_comment.Ours) -> list[Comment]:
    """Return the comments in which somebody who may write has started a plan, the newest first.

    The one that this job is about has come to nothing before its first attempt.
    """
    hub, repository = asked.hub, asked.pull.repository
    comment = asked.wish.comment
    here = comment.comment_id if comment is not None and not _is_again(asked) else 0
    may: dict[str, bool] = {}
    found: list[Comment] = []
    every = [*conversation(hub, "look for who started the plan", repository, asked.pull.number)]
    for one in reversed(every):
        if one.id in {plan.id, here} or one.created_at.timestamp() < plan.since:
            continue
        if one.user is None or one.user.type == "Bot" or not _says_go(one.body or ""):
            continue
        who = one.user.login
        if who not in may and len(may) < MOST_ASKED:
            may[who] = hub.may_write(repository, who)
        if may.get(who):
            found.append(one)
    return found


def _says_go(body: str) -> bool:
    return PlainCommand("go") in parse_commands(cut_comment(body))


def _is_again(asked: Asked) -> bool:
    """May this job have been run before? GitHub counts its attempts."""
    return asked.environ.get("GITHUB_RUN_ATTEMPT") != "1"


def _came_after(one: own_comment.Ours, comment: int, at: float) -> bool:
    """Does a comment of ours say what it says since another one of that time was written?"""
    return one.changed >= at if one.edited else one.id > comment


def _address(asked: Asked, comment: int) -> str:
    pull = asked.pull
    page = f"{asked.hub.server.web}/{pull.repository}/pull/{pull.number}"
    return f"{page}#issuecomment-{comment}"


def _opened(asked: Asked, plan: own_comment.Ours) -> str:
    """Return the address of the pull request that has a plan's commits, "" where there is none."""
    there = opened_before(asked, "refactor", _carrier(asked, plan))
    return there.url if there is not None else ""


def _said(asked: Asked, named: str, text: str, hidden: str = "") -> int:
    """Comment on the pull request; return the number of the comment, 0 where we may not."""
    pull, step = asked.pull, asked.step
    where = pull.repository, pull.number
    step.summarize(masked(f"{text}\n"))
    try:
        return own_comment.put(asked.hub, *where, text, named, None, hidden=hidden).id
    except (Forbidden, NotThere) as error:
        step.log.tell("warning", sentence(str(error)))
        return 0


def _ended(step: Step, account: Refactoring, *, posted: bool) -> int:
    """Say what came of it in the job, and return the exit code."""
    partly = account.status == "partial"
    step.log.say(words.cost(account.cost))
    step.set_outputs(
        status="partial" if partly else "complete",
        findings="0",
        posted=str(posted).lower(),
        report="",
        patch="",
    )
    return EXIT_PARTIAL if partly else EXIT_OK
