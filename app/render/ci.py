"""What the checks said of a branch of ours, as a paragraph for the comment of its run. Pure.

Names of checks are whatever somebody's workflow calls them.
"""

from collections.abc import Sequence
from typing import Literal

from app.jobs import Checked
from app.render import words
from app.render.escape import cut, markdown_code, markdown_line
from app.tests_first import Seen
from reviewer.text import printable

NAMES_SHOWN = 10
NAME_CHARS = 100
WHY_CHARS = 500

Doing = Literal["mending", "given up", "closed", "off", "unwanted", "nothing"]
"""What is done about checks that fail because of us: nothing where there is none.

closed: nothing is, for the pull request below is closed or merged; off, unwanted: for the server
does not write, or the repository does not want it to.
"""

_DOING: dict[Doing, str] = {
    "mending": "That is being mended (round {}).",
    "given up": "It was mended {} already: now a person has to look.",
    "closed": "It is not mended: this pull request is not open any more.",
    "off": "It is not mended: the server may not write here any more.",
    "unwanted": "It is not mended: this repository does not ask for it any more (`write: on` in "
    "`.github/rlm.yml` of the default branch does).",
    "nothing": "",
}


def checks_ended(seen: Checked, doing: Doing) -> str:
    """Say what the checks of a commit came to, and what is done about it."""
    rounds = words.count(seen.round, "time") if doing == "given up" else seen.round
    return _ended(seen, _DOING[doing].format(rounds))


def checks_not_mended(seen: Checked, why: str, url: str) -> str:
    """Say that mending came to nothing. `why`: Markdown of our own; `url`: where more is said."""
    came = f"Mending that (round {seen.round}) came to nothing: {why.rstrip('.')}"
    return _ended(seen, f"{came} ([more]({url})).")


def checks_were_mended(seen: Checked, head: str) -> str:
    """Say that the branch has been mended, and ends at `head`; its checks have their own words."""
    done = f"That was mended (round {seen.round}): the branch ends at {_commit(head)} now."
    return _ended(seen, done)


def _ended(seen: Checked, then: str) -> str:
    """Say what checks came to; `then`, in Markdown, is about those that fail because of us."""
    said = [f"**Checks** of {_commit(seen.head)}: {words.count(seen.ended, 'check')} ended"]
    if not (seen.new or seen.known or seen.unknown):
        said[0] += ", none failed."
    else:
        said[0] += "."
    if seen.new:
        verb = "fails and passes" if len(seen.new) == 1 else "fail and pass"
        said.append(f"{_listed(seen.new)} {verb} without these commits.")
        said += [then] if then else []
    if seen.known:
        verb = "fails" if len(seen.known) == 1 else "fail"
        said.append(f"{_listed(seen.known)} {verb} on this pull request itself, too: left alone.")
    if seen.unknown:
        verb = "fails" if len(seen.unknown) == 1 else "fail"
        said.append(
            f"{_listed(seen.unknown)} {verb}, and did not end on this pull request itself, so "
            "nobody can tell whose fault it is: left alone."
        )
    return " ".join([*said, *seen.notes])


def no_checks(head: str) -> str:
    """Say that nothing has run."""
    return (
        f"**Checks** of {_commit(head)}: none has run. A workflow that runs for pull requests into "
        "certain branches alone does not run for one that is stacked on another."
    )


def checks_too_long(head: str, hours: int) -> str:
    """Say that nobody looks any more."""
    return (
        f"**Checks** of {_commit(head)}: they have not ended within {hours} hours, and I do not "
        "look any more."
    )


def checks_unread(head: str, why: str) -> str:
    """Say that nobody could look, and nobody does any more. `why`: in GitHub's words, and ours."""
    return (
        f"**Checks** of {_commit(head)}: I could not look at them, and do not try any more: "
        f"{markdown_line(cut(why, WHY_CHARS)).rstrip('.')}."
    )


def checks_mended(head: str) -> str:
    """Say that commits against failed checks are on the branch."""
    return f"What the checks said was mended: the branch ends at {_commit(head)} now."


TESTS_SHOWN = 20


def tests_seen(seen: Seen) -> str:
    """Say what was seen of tests before their patches, and after: for each, where a check tells."""
    said = [f"**Before the patches** ({_commit(seen.head)}, the tests alone):"]
    if not seen.failed:
        return f"{said[0]} {_not_seen(seen)} Nobody has seen the tests fail."
    names = [shown_name(name) for name, _ in seen.failed]
    verb = "fails" if len(names) == 1 else "fail"
    said.append(f"{_listed(names)} {verb}, and not without the tests.")
    if seen.known:
        said.append(f"{_listed(list(map(shown_name, seen.known)))} failed without them, too.")
    rows = [_row(seen, path) for path in seen.tests[:TESTS_SHOWN]]
    if (more := len(seen.tests) - TESTS_SHOWN) > 0:
        rows.append(f"- and {words.count(more, 'file')} more")
    return "\n".join([" ".join(said), "", *rows])


def _not_seen(seen: Seen) -> str:
    if not seen.ended and not seen.going_on:
        return "no check has run on them."
    if seen.going_on:
        return "the checks had not ended, and none of those that had failed for the tests."
    ended = words.count(seen.ended, "check")
    if seen.known:
        known = _listed(list(map(shown_name, seen.known)))
        return f"{ended} ended; {known} failed, and without the tests, too."
    return f"{ended} ended, none failed: none runs the tests, or they pass without the patches."


def _row(seen: Seen, path: str) -> str:
    """Say of a file of tests which check was seen failing on it. One alone can be meant by all."""
    names = seen.named.get(path, ())
    by = [(name, after) for name, after in seen.failed if name in names or len(seen.tests) == 1]
    if not by:
        return f"- {markdown_code(path)}: what fails does not say by which test"
    after = {then for _, then in by}
    passes = "passes" if after == {"passed"} else "fails still" if "failed" in after else ""
    shown = _listed([shown_name(name) for name, _ in by])
    then = f"with the patches it {passes}" if passes else "with the patches it has not ended"
    return f"- {markdown_code(path)}: seen failing before ({shown}); {then}"


def _commit(head: str) -> str:
    return markdown_code(head[: words.NAME_DIGITS])


def shown_name(name: str) -> str:
    """Return the name of a check as far as it is shown, in a line: it is anybody's words."""
    return cut(" ".join(printable(name).split()), NAME_CHARS)


def _listed(names: Sequence[str]) -> str:
    shown = [markdown_code(one) for one in names[:NAMES_SHOWN]]
    more = f" and {len(names) - NAMES_SHOWN} more" if names[NAMES_SHOWN:] else ""
    return ", ".join(shown) + more
