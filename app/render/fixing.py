"""A fix as text or JSON: what is closed, what stays open and why. Pure functions."""

from app.render import PIPE_COLUMNS, words
from app.render.escape import one_line
from app.render.refactoring import commit_text, with_patch, wrapped
from reviewer.detectors.secrets import redacted
from reviewer.fix.values import Closed, Fixing, Open
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
    lines = []
    if done.closed:
        lines += ["", f"Closed: {words.count(len(done.closed), 'finding')}, a commit for each"]
        for index, one in enumerate(done.closed, 1):
            commit = CommitInfo(module=one.id, by="model", message=one.message, files=one.files)
            lines += commit_text(index, commit, width)
            if one.tries > 1:
                lines.append(f"     (the patch that stood was number {one.tries})")
            if one.test:
                lines += wrapped(
                    f"Test, in a commit of its own: {one_line(one.test)}", width, "     "
                )
            elif one.no_test:
                lines += wrapped(f"No test: {one_line(one.no_test)}", width, "     ")
    if done.open:
        lines += ["", f"Open: {words.count(len(done.open), 'finding')}"]
        for left in done.open:
            lines += wrapped(f"{left.id} {_place(left)}: {one_line(left.title)}", width, "  - ")
            lines += wrapped(f"{_STATES[left.state]}: {one_line(left.why)}", width, "    ")
    if done.findings:
        lines += ["", "Tools report of the result"]
        for finding in words.ranked(done.findings):
            lines += wrapped(f"{words.place(finding)}: {one_line(finding.title)}", width, "  - ")
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


def _place(one: Closed | Open) -> str:
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
