"""A fix as text or JSON: what is closed, what stays open and why. Pure functions."""

from collections.abc import Iterator

from app.render import PIPE_COLUMNS, words
from app.render.escape import one_line
from app.render.refactoring import commit_text, reported, with_patch, wrapped
from reviewer.detectors.secrets import redacted
from reviewer.fix.values import Closed, ClosedWith, Fixing, Open
from reviewer.refactor.values import CommitInfo

_STATES = {
    "outdated": "outdated",
    "protected": "not ours to write",
    "declined": "no patch",
    "refused": "refused",
    "missed": "not done",
}


def fixing_text(done: Fixing, width: int = PIPE_COLUMNS) -> str:
    """Return what a fix came to, ending in a newline."""
    lines = list[str]()
    lines += _commits(done, width)
    if done.closed_with:
        lines += ["", f"Closed with others: {words.count(len(done.closed_with), 'finding')}"]
        for along in done.closed_with:
            lines += wrapped(f"{along.id} {_place(along)}: {one_line(along.title)}", width, "  - ")
            lines += wrapped(f"closed with {along.by}: {one_line(along.why)}", width, "    ")
    if done.open:
        lines += ["", f"Open: {words.count(len(done.open), 'finding')}"]
        for left in done.open:
            lines += wrapped(f"{left.id} {_place(left)}: {one_line(left.title)}", width, "  - ")
            lines += wrapped(f"{_STATES[left.state]}: {one_line(left.why)}", width, "    ")
    lines += reported("Tools report of the result", done.findings, width)
    for note in done.notes:
        lines += ["", *wrapped(one_line(note), width)]
    lines += ["", *wrapped(_ending(done), width)]
    if done.closed:
        lines += wrapped("No test was run: run yours on the result.", width)
    return redacted("\n".join(lines).lstrip("\n") + "\n")


def fixing_json(done: Fixing, mails: bytes | None) -> str:
    """Return the documented contract (docs/fix.md): the account, and the patch as text.

    The patch is null where it is not handed out, or its bytes are no UTF-8.
    """
    return with_patch(done.model_dump(mode="json"), mails)


def _commits(done: Fixing, width: int) -> Iterator[str]:
    if done.closed:
        yield from ("", f"Closed: {words.count(len(done.closed), 'finding')}, a commit for each")
    for index, one in enumerate(done.closed, 1):
        commit = CommitInfo(module=one.id, by="model", message=one.message, files=one.files)
        yield from commit_text(index, commit, width)
        if one.tries > 1:
            yield f"     (the patch that stood was number {one.tries})"
        if one.test:
            seen = words.fails_before(done.fails_before, "without the patch")
            said = f"Test, in a commit of its own: {one_line(one.test)} ({seen})"
            yield from wrapped(said, width, "     ")
        elif one.no_test:
            yield from wrapped(f"No test: {one_line(one.no_test)}", width, "     ")


def _place(one: Closed | ClosedWith | Open) -> str:
    path = one_line(one.path)
    return path if one.line is None else f"{path}:{one.line}"


def _ending(done: Fixing) -> str:
    if done.status == "partial":
        cut_off = done.stopped is not None and (done.stopped != "incomplete" or not done.findings)
        why = words.stopped(done.stopped) if cut_off and done.stopped else "it is not clean"
        said = f"Partial, because {why}."
    elif not done.closed and not done.open:
        said = "There is no finding to close."
    elif any(one.state != "outdated" for one in done.open):
        said = "Done; some findings stay open."
    else:
        said = "Complete."
    return f"{said} {words.cost(done.cost)}"
