"""The testing of a change as text or JSON: what was written, what is left and why. Pure."""

from collections.abc import Iterator

from app.render import PIPE_COLUMNS, words
from app.render.escape import one_line
from app.render.refactoring import commit_text, reported, with_patch, wrapped
from reviewer.detectors.secrets import redacted
from reviewer.refactor.values import CommitInfo, FileInfo
from reviewer.testing.values import Covered, Left, Tested, Testing, Written

COVERED_SHOWN = 20

_STATES = {
    "untestable": "no test can be written",
    "unplaced": "no file for it",
    "declined": "no test",
    "refused": "refused",
    "missed": "not done",
}


def testing_text(done: Testing, width: int = PIPE_COLUMNS) -> str:
    """Return what the testing of a change came to, ending in a newline."""
    lines = []
    if done.written:
        files = words.count(len(done.written), "file")
        lines += ["", f"Tests: {files}, a commit for each"]
        for index, one in enumerate(done.written, 1):
            lines += _written(index, one, width)
    if done.left:
        lines += ["", f"Without a test: {words.count(len(done.left), 'behaviour')}"]
        for left in done.left:
            lines += wrapped(_told(left), width, "  - ")
            lines += wrapped(f"{_STATES[left.state]}: {one_line(left.why)}", width, "    ")
    if done.covered:
        lines += ["", f"Tested already: {words.count(len(done.covered), 'behaviour')}"]
        for covered in done.covered[:COVERED_SHOWN]:
            place = one_line(covered.tested_in)
            at = place if covered.tested_line is None else f"{place}:{covered.tested_line}"
            lines += wrapped(f"{_told(covered)} ({at})", width, "  - ")
        if more := len(done.covered) - COVERED_SHOWN:
            lines += [f"  - and {more} more"] if more > 0 else []
    lines += reported("Tools report of the result", done.findings, width)
    for note in done.notes:
        lines += ["", *wrapped(one_line(note), width)]
    lines += ["", *wrapped(_ending(done), width)]
    if done.written:
        seen = words.fails_before(done.fails_before, "without the change")
        lines += wrapped(f"The tests were not run: run them. Together: {seen}.", width)
    return redacted("\n".join(lines).lstrip("\n") + "\n")


def testing_json(done: Testing, mails: bytes | None) -> str:
    """Return the documented contract (docs/tests.md): the account, and the patch as text.

    The patch is null where it is not handed out, or its bytes are no UTF-8.
    """
    return with_patch(done.model_dump(mode="json"), mails)


def _written(index: int, one: Written, width: int) -> Iterator[str]:
    files = [FileInfo(path=one.path, status=one.status)]
    commit = CommitInfo(module=one.path, by="model", message=one.message, files=files)
    yield from commit_text(index, commit, width)
    for tested in one.tests:
        names = ", ".join(one_line(name) for name in tested.names)
        yield from wrapped(f"{names}: {_told(tested)}", width, "     - ")
    if one.tries > 1:
        yield f"     (the version that stood was number {one.tries})"


def _told(one: Tested | Left | Covered) -> str:
    path = one_line(one.path)
    at = path if one.line is None or one.side == "LEFT" else f"{path}:{one.line}"
    return f"{at}: {one_line(one.what)}"


def _ending(done: Testing) -> str:
    if done.status == "partial":
        cut_off = done.stopped is not None and (done.stopped != "incomplete" or not done.findings)
        why = words.stopped(done.stopped) if cut_off and done.stopped else "it is not clean"
        said = f"Partial, because {why}."
    elif not done.written and not done.left and not done.covered:
        said = "There is no behaviour to test."
    elif done.left:
        said = "Done; some behaviours have no test."
    else:
        said = "Complete."
    return f"{said} {words.cost(done.cost)}"
