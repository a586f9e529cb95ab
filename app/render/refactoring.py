"""A refactoring as text or JSON: the plan, the commits, what was left. Pure functions."""

from collections.abc import Iterator, Sequence
from typing import Any

from app.render import PIPE_COLUMNS, words
from app.render.escape import one_line, visible
from app.render.json import dumps
from app.render.text import wrap
from reviewer.detectors.secrets import redacted
from reviewer.finding import Finding
from reviewer.refactor.losses import losses
from reviewer.refactor.values import CommitInfo, Plan, Refactoring

FILES_SHOWN = 12
_SIGNS = {"added": "+", "deleted": "-", "modified": "~"}


def plan_text(plan: Plan, width: int = PIPE_COLUMNS) -> str:
    """Return a plan as a person reads it before the work, ending in a newline."""
    return redacted("\n".join(_plan(plan, width)) + "\n")


def refactoring_text(
    done: Refactoring, width: int = PIPE_COLUMNS, *, with_plan: bool = True
) -> str:
    """Return what a refactoring came to, ending in a newline."""
    lines = list(_plan(done.plan, width)) if done.plan is not None and with_plan else []
    if done.commits:
        lines += ["", _count(done.commits)]
        for index, commit in enumerate(done.commits, 1):
            lines += commit_text(index, commit, width)
    lines += reported("Tools report of the result, and no node has mended it", done.findings, width)
    if done.left:
        lines += ["", "Left undone"]
        for left in done.left:
            said = f"{one_line(left.module)}: {one_line(left.what)}: {one_line(left.why)}"
            lines += wrapped(said, width, "  - ")
    if done.unneeded:
        lines += ["", "Nothing to do"]
        for one in done.unneeded:
            lines += wrapped(f"{one_line(one.module)}: {one_line(one.why)}", width, "  - ")
    for note in done.notes:
        lines += ["", *wrapped(one_line(note), width)]
    lines += ["", *wrapped(_ending(done), width)]
    return redacted("\n".join(lines).lstrip("\n") + "\n")


def refactoring_json(done: Refactoring, mails: bytes | None) -> str:
    """Return the documented contract (docs/refactor.md): the account, and the patch as text.

    The patch is null where it is not handed out, or its bytes are no UTF-8.
    """
    return with_patch(done.model_dump(mode="json"), mails)


def reported(title: str, findings: Sequence[Finding], width: int) -> Iterator[str]:
    """Yield what the detectors find in a result below a title; nothing where they find nothing."""
    if findings:
        yield from ("", title)
    for finding in words.ranked(findings):
        yield from wrapped(f"{words.place(finding)}: {one_line(finding.title)}", width, "  - ")


def with_patch(value: dict[str, Any], mails: bytes | None) -> str:
    """Return an account as JSON, with its patch as text; null where that is none."""
    try:
        value["patch"] = None if mails is None else mails.decode("utf-8")
    except UnicodeDecodeError:
        value["patch"] = None
    return dumps(value)


def _plan(plan: Plan, width: int) -> Iterator[str]:
    if plan.refusal:
        yield "Refused"
        yield from wrapped(one_line(plan.refusal), width, "  ")
        return
    if plan.questions:
        yield "Questions, before anything is done"
        for index, question in enumerate(plan.questions, 1):
            yield from wrapped(one_line(question), width, f"  {index}. ")
        return
    yield "Plan"
    yield from wrapped(one_line(plan.summary), width, "  ")
    yield from _warnings(plan, width)
    for one in plan.renames:
        yield f"  rename {one_line(one.symbol)} to {one_line(one.to)} ({one_line(one.path)})"
    for move in plan.moves:
        yield f"  move {one_line(move.symbol)} from {one_line(move.path)} to {one_line(move.to)}"
    for whole in plan.module_moves:
        shim = " (the old path hands on)" if whole.shim else ""
        yield f"  move {one_line(whole.path)} to {one_line(whole.to)}{shim}"
    for index, module in enumerate(plan.modules, 1):
        yield from wrapped(
            f"{one_line(module.name)}: {one_line(module.what)}", width, f"  {index}. "
        )
        gone = list(dict.fromkeys(module.removed))
        for path in gone:  # each of them: nobody looks for what goes behind "and 3 more"
            yield f"     {one_line(path)} (removed)"
        kept = [path for path in module.files if path not in gone]
        yield from _files([*kept, *(f"{path} (new)" for path in module.new_files)])
    if plan.contract.strip():
        yield "  between them it holds:"
        for line in visible(plan.contract.strip()).splitlines():
            yield from wrapped(line, width, "    ") or [""]


def _warnings(plan: Plan, width: int) -> Iterator[str]:
    """Say what goes for good, before anything else of a plan."""
    gone = losses(plan)
    if gone.tests:
        yield from wrapped(f"Warning: tests go: {_named(gone.tests)}", width, "  ")
    if gone.modules:
        said = f"Warning: of these modules no file stays: {_named(gone.modules)}"
        yield from wrapped(said, width, "  ")


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - FILES_SHOWN} more" if names[FILES_SHOWN:] else ""
    return ", ".join(one_line(name) for name in names[:FILES_SHOWN]) + more


def _files(paths: Sequence[str]) -> Iterator[str]:
    for path in paths[:FILES_SHOWN]:
        yield f"     {one_line(path)}"
    if paths[FILES_SHOWN:]:
        yield f"     and {len(paths) - FILES_SHOWN} more"


def commit_text(index: int, commit: CommitInfo, width: int) -> Iterator[str]:
    """Yield the lines that tell of a commit."""
    subject, _, body = visible(commit.message).partition("\n")
    by = "" if commit.by == "model" else " (by host code)"
    yield from wrapped(f"{subject}{by}", width, f"  {index}. ")
    for paragraph in body.strip().split("\n\n"):
        yield from wrapped(paragraph, width, "     ")
    shown = [f"{_SIGNS[file.status]} {file.path}" for file in commit.files]
    yield from _files(shown)


def _count(commits: Sequence[CommitInfo]) -> str:
    files = {file.path for commit in commits for file in commit.files}
    return f"{words.count(len(commits), 'commit')}, {words.count(len(files), 'file')}"


def _ending(done: Refactoring) -> str:
    said = {
        "complete": "Complete." if done.commits else "Nothing had to be changed.",
        "partial": f"Partial, because {_why(done)}.",
        "planned": "Nothing was done: the plan destroys what you have not named."
        if done.held
        else "Nothing was done yet: --plan stops here.",
        "declined": "Nothing was changed.",
    }[done.status]
    return f"{said} {words.cost(done.cost)}"


def _why(done: Refactoring) -> str:
    if done.stopped is None or (done.stopped == "incomplete" and (done.left or done.findings)):
        return "some of it was left or is not clean"
    return words.stopped(done.stopped)


def wrapped(text: str, width: int, lead: str = "") -> Iterator[str]:
    """Yield a text in lines of a width, the first behind `lead`, the others below it."""
    for at, line in enumerate(wrap(text, max(20, width - len(lead)))):
        yield (lead if at == 0 else " " * len(lead)) + line
