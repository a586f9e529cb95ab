"""What a run that writes says on a pull request: its plan, what came of it, and what it opened.

Plans and accounts are a model's words. In Markdown they are escaped as all of its words are; in
messages of commits and in titles, where nothing can be escaped, a sign that would do something has
a space behind it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from app.accounts import Account, secrets_of
from app.render import words
from app.render.comment import can_show
from app.render.escape import (
    code_line,
    fence,
    markdown_code,
    markdown_line,
    one_line,
    visible,
)
from app.render.markdown import LIMIT_BYTES, LINE_CHARS, fitted, inline, prose
from app.render.outgoing import masked, size
from app.render.prose import blocks
from reviewer.finding import Finding
from reviewer.fix.values import Closed, ClosedWith, Fixing, Open
from reviewer.refactor.losses import losses
from reviewer.refactor.values import (
    MOST_FILES,
    CommitInfo,
    FailsBefore,
    FileInfo,
    Module,
    Plan,
    Refactoring,
)
from reviewer.testing.values import Covered, Tested, Testing
from reviewer.testing.values import Left as Untested
from reviewer.testing.values import Written as TestsWritten

SUBJECT_CHARS = 100
MESSAGE_CHARS = 4_000
TITLE_CHARS = 120

TEXT_BYTES = 4_000
LINE_BYTES = 600

QUESTION_BYTES = 4_000
"""Of a question that a plan waits for; there are eight at the most."""
PATH_BYTES = 300
FILES_SHOWN = 12
SECTION_BYTES = 12_000
"""Of one list: what was changed, what was left."""

PATHS_SHOWN = 10
NAMES_SHOWN = 6

_TASKS: dict[type[Account], str] = {Refactoring: "Refactoring", Fixing: "Fix", Testing: "Tests"}

GO = "`/rlm go`"
UNDO = "`/rlm undo`"

_T = TypeVar("_T")
PLAN_DAYS = 7


# Messages and titles -----------------------------------------------------------------------------

_SIGN = re.compile(r"([@#])(?=\w)|(GH-)(?=\d)|(:)(?=//)", re.IGNORECASE)
_ORDER = re.compile(r"^(\s*/)(?=\S)", re.MULTILINE)
_SKIP = re.compile(r"\[([^\]\n]*\b(?:skip|no|ci|actions)\b[^\]\n]*)\]|\*{3}(NO_CI)\*{3}", re.I)
_TRAILER = re.compile(r"^(\s*[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+)\s*:", re.MULTILINE)


def plain(text: str) -> str:
    """Return a text for where there is no markup: it shows all of itself, and does nothing.

    No mention, number or address in it is a link or closes anything, no line is a command or a
    trailer (a co-author, a sign-off), and no word stops a build.
    """
    text = masked(visible(text)).replace("\t", " ")
    while _SKIP.search(text):  # one may stand within another
        text = _SKIP.sub(lambda found: f"({found[1] or found[2]})", text)
    text = _TRAILER.sub(r"\1 -", text)
    text = _ORDER.sub(r"\1 ", text)
    return _SIGN.sub(lambda found: f"{found[0]} ", text)


def commit_message(text: str) -> str:
    """Return the message of a commit: a line of what, an empty one, and why."""
    subject, _, body = plain(text).strip().partition("\n")
    subject = _short(one_line(subject), SUBJECT_CHARS) or "Change files"
    body = body.strip()[:MESSAGE_CHARS].rstrip()
    return f"{subject}\n\n{body}" if body else subject


def stacked_title(account: Account) -> str:
    """Return the title of the stacked pull request."""
    if isinstance(account, Refactoring):
        what = account.plan.summary if account.plan else account.instruction
        return _title("Refactor", what)
    if isinstance(account, Testing):
        many = sum(len(one.tests) for one in account.written)
        return _title("Test", words.count(many, "behaviour"))
    return _title("Fix", words.count(len(account.all_closed), "finding"))


def _title(task: str, what: str) -> str:
    first = re.split(r"(?<=[.!?])\s", one_line(what), maxsplit=1)[0]
    return _short(plain(f"{task}: {first.rstrip('.')}"), TITLE_CHARS)


def _short(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[: chars - 1].rstrip()}…"


# The plan ----------------------------------------------------------------------------------------


def plan_comment(done: Refactoring, *, hidden: int | None = None) -> str:
    """Return a plan as the comment that a person starts, or why there is nothing to start.

    `hidden`: it is kept in the comment itself, in so many bytes that nobody sees. Whoever keeps it
    so runs when a comment is written and at no other time, and sees no reaction.
    """
    plan = done.plan
    if plan is None or not plan.is_work:
        return _fit([*_no_work(plan), *_notes(done.notes)], [_foot(done)])
    if _has_secret(plan):
        lead = _NOT_STARTED.format(f"it has a secret in it, or what looks like one, {_ONLY_SEEN}")
    elif done.status == "partial":
        lead = _NOT_STARTED.format(f"it is a part, because {why_partial(done)}")
    elif whole := _whole(done, plan, hidden):
        return whole
    else:
        lead = _NOT_STARTED.format(f"it is too large to be shown, {_ONLY_SEEN}")
    return _fit([lead, *_plan(plan, _BRIEF), *_notes(done.notes)], [_foot(done)])


def superseded_comment(done: Refactoring, url: str) -> str:
    """Return a plan as the comment that says where the newer one is (`url`)."""
    parts = [_SUPERSEDED.format(url), *(_plan(done.plan, _BRIEF) if done.plan else [])]
    return _fit(parts, [_foot(done)])


def can_start(done: Refactoring, *, hidden: int | None = None) -> bool:
    """Is there a plan to start, of which `plan_comment` shows everything?"""
    plan = done.plan
    if plan is None or not plan.is_work or done.status != "planned":
        return False
    return not _has_secret(plan) and bool(_whole(done, plan, hidden))


_START = (
    "Nothing is changed yet. Somebody who may write here starts it with {}, within "
    f"{PLAN_DAYS} days. To have another plan, ask again: `/rlm refactor` and what to do "
    "differently."
)
_REACTIONS = "or with 👍, 🚀 or 🎉 on this comment"
_SUPERSEDED = "**A [newer plan]({}) took the place of this one**, which cannot be started any more."
_NOT_STARTED = "**This plan cannot be started**: {}. Ask for less, in a new `/rlm refactor`."
_ONLY_SEEN = "and only what people see is carried out"


def _whole(done: Refactoring, plan: Plan, hidden: int | None) -> str:
    """Return the comment with every word of a plan, "" where GitHub has no room for it."""
    start = _START.format(f"{GO} {_REACTIONS}" if hidden is None else GO)
    parts = [*_plan(plan, _WHOLE), *_notes(done.notes), start, _foot(done)]
    text = "\n\n".join(part for part in parts if part)
    room = LIMIT_BYTES - (hidden or 0)
    return text if size(text) <= room and masked(text) == text else ""


def _has_secret(plan: Plan) -> bool:
    """Would something in a plan be masked? Whoever starts it would not see what it says."""
    said = [plan.summary, plan.contract]
    said += [text for one in plan.renames for text in (one.path, one.symbol, one.to)]
    said += [text for one in plan.moves for text in (one.path, one.symbol, one.to)]
    said += [text for one in plan.module_moves for text in (one.path, one.to)]
    for one in plan.modules:
        said += [one.name, one.what, *one.files, *one.new_files, *one.removed]
    return any(masked(text) != text for text in said)


def _question(numbered: tuple[int, str]) -> str:
    """Return a question with all of its choices: who is to answer has to read them."""
    number, text = numbered
    return f"{number}. {fitted(masked(text), QUESTION_BYTES, _inline)}"


def _no_work(plan: Plan | None) -> list[str]:
    if plan is None:
        return ["**There is no plan**: the run ended before there was one."]
    if plan.refusal:
        return ["**This is not done**", _text(plan.refusal)]
    if plan.questions:
        asked = _rows([*enumerate(plan.questions, 1)], _question)
        lead = "**Before there is a plan**, answer this, in a new `/rlm refactor` with all of it:"
        return [lead, asked]
    return ["**There is nothing to do**", _text(plan.summary)]


def _plan(plan: Plan, pieces: "_Pieces") -> list[str]:
    code, rows = pieces.code, pieces.rows
    parts = [
        "## Plan",
        _warning(plan, pieces),
        pieces.text(plan.summary),
        rows(
            plan.renames,
            lambda one: f"- rename {code(one.symbol)} to {code(one.to)} ({code(one.path)})",
        ),
        rows(
            plan.moves,
            lambda one: f"- move {code(one.symbol)} from {code(one.path)} to {code(one.to)}",
        ),
        rows(
            plan.module_moves,
            lambda one: (
                f"- move {code(one.path)} to {code(one.to)}"
                + (" (the old path hands on)" if one.shim else "")
            ),
        ),
        rows([*enumerate(plan.modules, 1)], lambda one: _module(*one, pieces)),
    ]
    if plan.contract.strip():
        summary = "<details><summary>Between them it holds</summary>"
        parts.append(f"{summary}\n\n{pieces.text(plan.contract)}\n\n</details>")
    return parts


def _warning(plan: Plan, pieces: "_Pieces") -> str:
    """Say what goes for good, on top of a plan; "" where nothing does."""
    gone = losses(plan)
    said = []
    if gone.tests:
        names = [pieces.code(path) for path in gone.tests[: pieces.files]]
        said.append(f"Tests go: {_listed(names, len(gone.tests))}.")
    if gone.modules:
        names = [pieces.name(name) for name in gone.modules[: pieces.files]]
        said.append(f"Of these modules no file stays: {_listed(names, len(gone.modules))}.")
    return "\n".join(["> [!WARNING]", *(f"> {one}" for one in said)]) if said else ""


def _module(number: int, module: Module, pieces: "_Pieces") -> str:
    said = f"{number}. **{pieces.name(module.name)}**: {pieces.line(module.what)}"
    gone = list(dict.fromkeys(module.removed))
    paths = [(path, " (**removed**)") for path in gone]
    paths += [(path, "") for path in module.files if path not in gone]
    paths += [(path, " (new)") for path in module.new_files]
    if not paths:
        return said
    shown = [pieces.code(path) + sign for path, sign in paths[: pieces.files]]
    return f"{said}\n   {_listed(shown, len(paths))}"


# The result --------------------------------------------------------------------------------------


def result_comment(
    account: Account, lead: Sequence[str], patch: str = "", *, tested: str = ""
) -> str:
    """Return what a run came to, as the comment where it was asked for.

    `lead` says how it is to be had, in Markdown of our own, and `tested` what a command said of it
    that was run; `patch` is `patch_block`'s.
    """
    held = [WITHHELD] if secrets_of(account) else []
    parts = [f"## {_heading(account)}", *held, *lead, tested]
    foot = [patch] if patch else []
    return _fit([*parts, *_account(account, ran=bool(tested))], [*foot, _foot(account)])


def account_markdown(account: Account) -> str:
    """Return what a run came to, or its plan, as a comment has it but for how it is had."""
    plan = account.plan if isinstance(account, Refactoring) else None
    if plan is None or account.status != "planned" or not plan.is_work:
        return result_comment(account, [])
    return _fit([*_plan(plan, _WHOLE), *_notes(account.notes)], [_foot(account)])


WITHHELD = (
    "**Nothing of it is handed over**, neither as commits nor as a patch: it would add what looks "
    "like a secret. What tools report of the result, below, says where. Ask again so that it needs "
    "none."
)


def stacked_body(
    account: Account,
    number: int,
    page: str = "",
    *,
    beside: str = "",
    tested: str = "",
    by_job: bool = False,
) -> str:
    """Return the text of the pull request that is stacked on the one with this number.

    `beside` says what was pushed meanwhile, as `meanwhile_lead` does; `tested` as in
    `result_comment`; `by_job`: a job of GitHub Actions opens it with its own token.
    """
    theirs = (
        "GitHub starts no workflow for what a job's own token opens: close this one and reopen it, "
        "and your tests run on its branch."
        if by_job
        else "Your tests run on its branch."
    )
    here = "" if tested else "No test was run here. "
    lead = (
        f"Stacked on #{number}: it merges into that pull request's branch. {here}{theirs} {UNDO} "
        f"on #{number} closes this one and deletes its branch."
    )
    if tested:
        lead = f"{lead}\n\n{tested}"
    made = f" [How this was made]({page})" if page else ""
    partial = account.status == "partial"
    parts = [f"> [!WARNING]\n> Partial, because {why_partial(account)}."] if partial else []
    told = _account(account, ran=bool(tested))
    return _fit([*parts, lead, beside, *told], [_foot(account) + made])


def _heading(account: Account) -> str:
    """Return in a few words what came of it."""
    task = _TASKS[type(account)]
    if isinstance(account, Fixing) and account.checks:
        task = "Fix of what checks say"
    if account.status == "partial":
        return f"{task}: partial, because {why_partial(account)}"
    nothing = isinstance(account, Fixing) and account.open and not account.closed
    return f"{task}: {'not done' if account.status == 'declined' or nothing else 'done'}"


def why_partial(account: Account) -> str:
    """Return why a result is partial, to go on a sentence with "because"."""
    if account.stopped is None or account.stopped == "incomplete":
        return "some of it was left, or is not clean"
    return words.stopped(account.stopped)


def _account(account: Account, *, ran: bool = False) -> list[str]:
    """Return what was changed, what was left and why, and what tools say of the result."""
    match account:
        case Refactoring():
            told = _refactored(account)
        case Testing():
            told = _tested(account, ran=ran)
        case Fixing():
            told = _fixed(account)
    return [*told, *_reported(account.findings), *_notes(account.notes)]


def _refactored(done: Refactoring) -> Iterator[str]:
    if done.plan is not None and done.plan.is_work:
        yield _text(done.plan.summary)
    elif done.plan is not None or not done.commits:
        yield from _no_work(done.plan)
    if done.commits:
        yield f"**What changed** ({words.count(len(done.commits), 'commit')})"
        yield _rows([*enumerate(done.commits, 1)], lambda one: f"{one[0]}. {_commit(one[1])}")
    if done.left:
        yield "**What was left, and why**"
        yield _rows(
            done.left,
            lambda one: f"- {_line(one.module)}: {_line(one.what)}: {_line(one.why)}",
        )
    if done.unneeded:
        yield "**Nothing to do in**"
        yield _rows(done.unneeded, lambda one: f"- {_line(one.module)}: {_line(one.why)}")


def _commit(one: CommitInfo) -> str:
    subject = plain(one.message).strip().partition("\n")[0]
    by = " (by a program, not by a model)" if one.by == "host" else ""
    return f"{_line(subject)}{by}: {_files(one.files)}"


def _fixed(done: Fixing) -> Iterator[str]:
    if done.checks:
        yield from _against_checks(done)
    elif done.closed:
        yield f"**Closed** ({words.count(len(done.closed), 'finding')}, a commit for each)"
        yield _rows(done.closed, lambda one: f"- {_finding(one)}{_test(one, done.fails_before)}")
    if done.closed_with:
        yield f"**Closed with others** ({words.count(len(done.closed_with), 'finding')})"
        yield _rows(
            done.closed_with,
            lambda one: f"- {_finding(one)}: closed with {_code(one.by)}: {_line(one.why)}",
        )
    if done.open and not done.checks:
        yield f"**Still open** ({words.count(len(done.open), 'finding')})"
        yield _rows(
            done.open,
            lambda one: f"- {_finding(one)}: {_STATES[one.state]}: {_line(one.why)}",
        )


def _against_checks(done: Fixing) -> Iterator[str]:
    """Say what was made of checks that failed: all of them are one piece of work."""
    names = _listed([_code(one) for one in done.checks[:FILES_SHOWN]], len(done.checks))
    if done.closed:
        yield f"**Mended**: what made {names} fail."
        yield _rows(done.closed, lambda one: _text(plain(one.message)))
    for one in done.open:
        yield f"**Not mended**: {names}: {_STATES[one.state]}: {_line(one.why)}"


def no_patch(account: Account) -> str:
    """Return why a run that was to mend what checks say has made no patch, in a few words."""
    left = account.open[0] if isinstance(account, Fixing) and account.open else None
    return "no patch was made" if left is None else f"{_STATES[left.state]}: {_line(left.why)}"


def _test(one: Closed, how: FailsBefore) -> str:
    """Return the test of a closed finding, or why there is none; "" where none was asked for."""
    if one.test:
        seen = words.fails_before(how, "without the patch")
        return f"; test, in a commit of its own: {_code(one.test)} ({seen})"
    return f"; no test: {_line(one.no_test)}" if one.no_test else ""


def _finding(one: Closed | ClosedWith | Open) -> str:
    return f"{_place(one)}: {_line(one.title)} ({_code(one.id)})"


_STATES = {
    "outdated": "outdated",
    "protected": "not ours to write",
    "declined": "no patch",
    "refused": "no patch stood",
    "missed": "not done",
}


def _tested(done: Testing, *, ran: bool) -> Iterator[str]:
    if done.written:
        files = words.count(len(done.written), "file")
        not_run = "" if ran else "; they were not run"
        seen = words.fails_before(done.fails_before, "without the change")
        head = f"**Tests that were written** ({files}, a commit for each{not_run})."
        yield f"{head} Together: {seen}."
        yield _rows(done.written, _test_file)
    if done.left:
        yield f"**Without a test** ({words.count(len(done.left), 'behaviour')})"
        yield _rows(
            done.left,
            lambda one: f"- {_behaviour(one)}: {_NO_TEST[one.state]}: {_line(one.why)}",
        )
    if done.covered:
        yield f"**Tested already** ({words.count(len(done.covered), 'behaviour')})"
        yield _rows(done.covered, lambda one: f"- {_behaviour(one)} ({_covering(one)})")
    if not (done.written or done.left or done.covered):
        yield "There is no behaviour to test."


def _test_file(one: TestsWritten) -> str:
    new = " (new)" if one.status == "added" else ""
    rows = [f"- {_code(one.path)}{new}"]
    for each in one.tests:
        names = [_code(name) for name in each.names[:NAMES_SHOWN]]
        rows.append(f"  - {_listed(names, len(each.names))}: {_behaviour(each)}")
    return "\n".join(rows)


def _behaviour(one: Tested | Untested | Covered) -> str:
    at = one.path if one.line is None or one.side == "LEFT" else f"{one.path}:{one.line}"
    return f"{_code(at)}: {_line(one.what)}"


def _covering(one: Covered) -> str:
    line = "" if one.tested_line is None else f":{one.tested_line}"
    return _code(f"{one.tested_in}{line}")


_NO_TEST = {
    "untestable": "none can be written",
    "unplaced": "no file for it",
    "declined": "none was written",
    "refused": "none stood",
    "missed": "not done",
}


def _place(one: Closed | ClosedWith | Open) -> str:
    return _code(one.path if one.line is None else f"{one.path}:{one.line}")


def _reported(findings: Sequence[Finding]) -> list[str]:
    if not findings:
        return []
    rows = _rows(
        words.ranked(findings), lambda one: f"- {_code(words.place(one))}: {_line(one.title)}"
    )
    return ["**What tools report of the result**", rows]


def _notes(notes: Sequence[str]) -> list[str]:
    return [_rows(notes, lambda note: f"- {_line(note)}")] if notes else []


def _foot(account: Account) -> str:
    return f"<sub>{markdown_line(words.cost(account.cost))}</sub>"


# How it is to be had -----------------------------------------------------------------------------


def opened_lead(
    number: int, url: str, commits: int, state: Literal["open", "closed", "merged"]
) -> str:
    """Say where the stacked pull request is."""
    link = f"[#{number}]({url})"
    if state == "closed":
        return f"It was in {link}, which is closed."
    if state == "merged":
        return f"It is in {link}, which is merged."
    many = words.count(commits, "commit")
    return (
        f"{link} has {many} on top of this pull request: merge it, and they are part of this one. "
        f"{UNDO} closes it and deletes its branch."
    )


def tests_first_lead(tests: int) -> str:
    """Say that so many commits, of tests, are there before the patches."""
    first = "commit has a test" if tests == 1 else f"{tests} commits have tests"
    return (
        f"Its first {first} alone: your checks run on that, and within an hour the patches follow. "
        "Not before then is it to be merged."
    )


Reason = Literal[
    "server",
    "repository",
    "fork",
    "closed",
    "merged",
    "conflict",
    "used",
    "base",
    "refused",
    "actions",
    "job",
    "tests",
    "too_large",
]
"""Why there is no stacked pull request."""

_REASONS: dict[Reason, str] = {
    "server": "this server does not write to repositories (whoever runs it can set `RLM_WRITE=on` "
    "and grant the App `contents: write`)",
    "repository": "this repository does not ask for it (`write: on` in `.github/rlm.yml` of the "
    "default branch does)",
    "fork": "its branch would have to be in the fork, which is not ours to write to",
    "closed": "this pull request was closed meanwhile",
    "merged": "this pull request was merged meanwhile",
    "conflict": "this pull request has moved on, and these files are not what they were",
    "used": "this pull request has moved on, and what was pushed uses names that are gone by this",
    "base": "the branch of this pull request is not there any more",
    "refused": "GitHub does not let us",
    "actions": "this repository does not let GitHub Actions open pull requests (its settings do, "
    "under Actions, General, *Allow GitHub Actions to create and approve pull requests*)",
    "job": "the token of this job may not write here (`permissions:` of the job with `contents: "
    "write` and `pull-requests: write` let it)",
    "tests": "the tests fail with it, and pass without",
    "too_large": "it is larger than what can be handed over",
}


def no_branch_lead(
    reason: Reason,
    detail: str = "",
    paths: Sequence[str] = (),
    uses: Sequence[tuple[str, str]] = (),
) -> str:
    """Say why there is no stacked pull request.

    `detail`: in GitHub's words; `paths`: of which; `uses`: in which path stands which name.
    """
    text = f"No pull request was opened: {_REASONS[reason]}"
    if paths:
        text += f": {_listed([_code(path) for path in paths[:PATHS_SHOWN]], len(paths))}"
    if uses:
        named = [f"{_code(name)} in {_code(path)}" for path, name in uses[:PATHS_SHOWN]]
        text += f": {_listed(named, len(uses))}"
    if detail:
        text += f": {fitted(masked(detail), LINE_BYTES, markdown_line)}"
    text = f"{text.rstrip('.')}."
    if reason in {"conflict", "used"}:
        text += " Nothing was applied. Ask again, and it is made for what is there now."
    return text


def meanwhile_lead(files: int, unseen: int) -> str:
    """Say that other files were changed by a push meanwhile, and how far they were looked at."""
    said = f"{words.count(files, 'other file')} changed meanwhile"
    if not unseen:
        return f"{said}; none uses a name that is gone by this."
    return f"{said}; {words.count(unseen, 'file')} of them {_WAS[unseen == 1]} not looked through."


def rebased_lead(task: Literal["refactor", "fix", "tests"], before: str, now: str) -> str:
    """Say that a pull request begins at another commit (`now`) than when something was made."""
    what = {
        "tests": "the tests are of the change as it was. `/rlm tests` makes it anew",
        "fix": "the findings are of the change as it was. `/rlm fix` makes it anew",
        "refactor": "the refactoring is of the code as it was, and has seen nothing of what came "
        "with the new base. `/rlm refactor` and what to change makes it anew",
    }[task]
    return (
        f"The base of this pull request has changed meanwhile ({_code(before[:10])} then, "
        f"{_code(now[:10])} now): {what}."
    )


_WAS = {True: "was", False: "were"}


def kept_branch_lead(branch: str) -> str:
    """Say that a branch stays which was to go."""
    return f"Our branch {_code(branch)} could not be removed again: delete it."


def suggestions_lead(number: int) -> str:
    """Say that parts of the patch stand at their lines."""
    many = "is 1 part of it" if number == 1 else f"are {number} parts of it"
    return f"At the lines that this pull request shows there {many}, as suggestions."


PATCH_OPEN = "<details><summary>The patch</summary>"


def patch_block(text: str | None, page: str = "", room: int = LIMIT_BYTES // 2) -> str:
    """Return a patch to be folded into a comment, or where else it is (`page`: an address of ours).

    What has a secret or something hidden in it is not shown changed: it would be another patch.
    """
    elsewhere = f"[The patch]({page})" if page else ""
    if text is None or not text:
        return elsewhere
    if size(text) > room:
        return elsewhere or "The patch is too large for a comment."
    if not can_show(text) or masked(text) != text:
        return elsewhere or "The patch has something in it that a comment does not show."
    return "\n\n".join(
        [
            PATCH_OPEN,
            "For `git apply`:",
            fence(text.removesuffix("\n").split("\n"), "diff"),
            "</details>",
        ]
    )


MOST_PARTS = 8
"""Comments that one patch is divided over: more of it nobody pieces together."""

PART_BYTES = LIMIT_BYTES - 1_000
_FILE = re.compile(r"^(?=diff --git )", re.MULTILINE)


def patch_blocks(text: str | None, page: str = "") -> tuple[str, list[str]]:
    """Return a patch as `patch_block` does, and comments of their own with what has no room there.

    Each of them has whole files, for `git apply` by itself; there are none where a file or the
    whole is too large for that, or the patch has an address.
    """
    block = patch_block(text, page)
    if page or not text or size(text) <= LIMIT_BYTES // 2:
        return block, []
    if not can_show(text) or masked(text) != text:
        return patch_block(text, page, size(text)), []
    parts = _packed([one for one in _FILE.split(text) if one])
    if len(parts) > MOST_PARTS or any(size(one) > PART_BYTES for one in parts):
        return block, []
    many = len(parts)
    return f"The patch is in {many} comments of their own, part 1 to {many}.", [
        f"Part {number} of {many} of the patch.\n\n{patch_block(one, room=PART_BYTES)}"
        for number, one in enumerate(parts, 1)
    ]


def _packed(files: Sequence[str]) -> list[str]:
    """Return the diffs of files in order, as many together as a comment has room for."""
    parts: list[str] = []
    for one in files:
        if parts and size(parts[-1]) + size(one) <= PART_BYTES:
            parts[-1] += one
        else:
            parts.append(one)
    return parts


# Undoing -----------------------------------------------------------------------------------------


def undone_comment(  # noqa: PLR0917
    number: int,
    url: str,
    branch: str,
    pull: Literal["closed", "merged", "gone", "forbidden"],
    state: Literal["gone", "kept", "foreign", "forbidden", "off"],
    why: str = "",
) -> str:
    """Say how the stacked pull request and its branch stand after `/rlm undo`."""
    link, name = f"[#{number}]({url})", _code(branch)
    said = f" ({fitted(masked(why), LINE_BYTES, markdown_line)})" if why else ""
    if pull == "merged":
        return f"{link} is merged, so there is nothing of it to undo: revert it on its page."
    if pull == "forbidden":
        return f"Nothing is undone: GitHub does not let us close {link}{said}."
    first = f"{link} is closed" if pull == "closed" else f"#{number} is gone"
    if state == "foreign":
        return f"{first}. Its branch {name} stays: it has commits that are not ours."
    if state == "off":
        return f"{first}. Its branch {name} stays: {_REASONS['server']}. Delete it."
    if state == "forbidden":
        return f"{first}. Its branch {name} stays: GitHub does not let us delete it{said}."
    return f"{first}, and its branch {name} is deleted."


_UNDONE = "**Undone**, as [somebody wanted]({}): this patch counts no more."


def patch_undone(text: str, by: str) -> str:
    """Return a comment with a patch as one that is undone, folded; `by`: the command's address."""
    summary = "<details><summary>What it said</summary>"
    return f"{_UNDONE.format(by)}\n\n{summary}\n\n{text}\n\n</details>"


def is_undone(text: str, by: str = "") -> bool:
    """Is it a patch that is undone, by the command at that address if one is given?"""
    begins = _UNDONE.format(by) if by else _UNDONE.partition("{")[0]
    return text.startswith(begins)


def patch_undone_lead(url: str) -> str:
    """Say that a patch in a comment is undone."""
    return (
        f"[The patch]({url}) is marked as undone. I have applied nothing of it: what you have, "
        "`git apply -R` takes back."
    )


# Pieces ------------------------------------------------------------------------------------------

# Masked before it becomes Markdown, where a backslash may stand in the middle of a token.


def _text(text: str) -> str:
    return fitted(masked(text), TEXT_BYTES, prose)


def _line(text: str) -> str:
    return fitted(masked(text), LINE_BYTES, _inline)


def _inline(text: str) -> str:
    return inline(one_line(text))


def _name(text: str) -> str:
    return fitted(masked(text), LINE_BYTES, markdown_line)


def _code(text: str) -> str:
    return fitted(masked(text), PATH_BYTES, markdown_code)


def _unhidden(text: str) -> str:
    """Return prose as `prose` does where that shows all of it, else as it stands.

    Prose leaves out what stands behind the signs that open a block of code, and the ends of very
    long lines in one.
    """
    found = blocks(text)
    kept = "".join(block.marker + block.text for block in found)
    code = [line for one in found if one.kind == "code" for line in one.text.split("\n")]
    if _SIGNS.sub("", text) == _SIGNS.sub("", kept) and all(
        len(code_line(line)) <= LINE_CHARS for line in code
    ):
        return prose(text)
    return fence([f" {code_line(line)}" for line in text.replace("\r\n", "\n").split("\n")])


_SIGNS = re.compile(r"[\s#*+.)`~-]+")
"""What makes Markdown, in `prose`."""


def _every(things: Sequence[_T], row: Callable[[_T], str]) -> str:
    return "\n".join(map(row, things))


def _files(files: Sequence[FileInfo]) -> str:
    signs = {"added": " (new)", "deleted": " (deleted)", "modified": ""}
    shown = [_code(one.path) + signs[one.status] for one in files[:FILES_SHOWN]]
    return _listed(shown, len(files))


def _listed(shown: Sequence[str], every: int) -> str:
    """Return names in a line, and how many of `every` there are more."""
    more = [f"{every - len(shown):,} more"] if every > len(shown) else []
    return ", ".join([*shown, *more])


def _rows(things: Sequence[_T], row: Callable[[_T], str], limit: int = SECTION_BYTES) -> str:
    """Return a row for each, as many as there is room for, and how many more there are."""
    kept: list[str] = []
    for one in things:
        kept.append(row(one))
        limit -= size(kept[-1]) + 1
        if limit < 0:
            kept[-1] = f"- … {len(things) - len(kept) + 1:,} more"
            break
    return "\n".join(kept)


class _Rows(Protocol):
    def __call__(self, things: Sequence[_T], row: Callable[[_T], str], /) -> str: ...


@dataclass(frozen=True, slots=True)
class _Pieces:
    """How the parts of a plan become Markdown; of each module so many `files` are named."""

    text: Callable[[str], str]
    line: Callable[[str], str]
    name: Callable[[str], str]
    code: Callable[[str], str]
    rows: _Rows
    files: int


_BRIEF = _Pieces(_text, _line, _name, _code, _rows, FILES_SHOWN)
_WHOLE = _Pieces(_unhidden, _inline, markdown_line, markdown_code, _every, 2 * MOST_FILES)


def _fit(parts: Sequence[str], foot: Sequence[str]) -> str:
    """Return parts in order, as many as GitHub has room for above what goes last."""
    foot = [one for one in foot if one]
    room = LIMIT_BYTES - sum(size(one) + 2 for one in foot)
    kept: list[str] = []
    for part in (one for one in parts if one):
        room -= size(part) + 2
        if room < 0:
            foot = ["… (cut: there is a limit of size)", *foot]
            break
        kept.append(part)
    return masked("\n\n".join([*kept, *foot]))
