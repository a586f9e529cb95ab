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
        said.append(f"{_named(seen.known)} failed without them, too.")
    if seen.unknown:
        said.append(f"{_untold(seen)}.")
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
    failed = []
    if seen.known:
        failed.append(f"{_named(seen.known)} failed, and without the tests, too")
    if seen.unknown:
        failed.append(_untold(seen))
    if failed:
        return f"{'; '.join([f'{ended} ended', *failed])}."
    return f"{ended} ended, none failed: none runs the tests, or they pass without the patches."


def _untold(seen: Seen) -> str:
    """Say of which checks nobody can tell whether the tests made them fail; no full stop."""
    has = "has" if len(seen.unknown) == 1 else "have"
    return f"{_named(seen.unknown)} failed and {has} no result without the tests: nobody can tell"


def _row(seen: Seen, path: str) -> str:
    """Say of a file of tests which check was seen failing on it, and how that stands now."""
    file = markdown_code(path)
    by = seen.failing_on(path)
    if not by:
        return f"- {file}: what fails does not say by which test"
    passed = [name for name, after in by if after == "passed"]
    still = [name for name, after in by if after == "failed"]
    others = [name for name, after in by if after not in {"passed", "failed"}]
    said = []
    if passed:
        verb = "it passes" if len(passed) == 1 else "they pass"
        said.append(f"seen failing before ({_named(passed)}); with the patches {verb}")
    if still:
        verb = "fails" if len(still) == 1 else "fail"
        said.append(f"{_named(still)} {verb} on it, and with the patches, too")
    if others:
        verb, ends = ("fails", "has") if len(others) == 1 else ("fail", "have")
        said.append(f"{_named(others)} {verb} on it, and {ends} not ended with the patches")
    return f"- {file}: {'; '.join(said)}"


def _named(names: Sequence[str]) -> str:
    return _listed(list(map(shown_name, names)))


def _commit(head: str) -> str:
    return markdown_code(head[: words.NAME_DIGITS])


def shown_name(name: str) -> str:
    """Return the name of a check as far as it is shown, in a line: it is anybody's words."""
    return cut(" ".join(printable(name).split()), NAME_CHARS)


def _listed(names: Sequence[str]) -> str:
    shown = [markdown_code(one) for one in names[:NAMES_SHOWN]]
    more = f" and {len(names) - NAMES_SHOWN} more" if names[NAMES_SHOWN:] else ""
    return ", ".join(shown) + more
