"""What the checks said of a branch of ours, as a paragraph for the comment of its run. Pure.

Names of checks are whatever somebody's workflow calls them.
"""

from collections.abc import Sequence
from typing import Literal

from app.render import words
from app.render.escape import cut, markdown_code

NAMES_SHOWN = 10
NAME_CHARS = 100

Doing = Literal["mending", "given up", "closed", "off", "nothing"]
"""What is done about checks that fail because of us: nothing where there is none.

closed: nothing is, for the pull request below is closed or merged; off: for nothing can be pushed.
"""


def checks_ended(  # noqa: PLR0917
    head: str,
    ended: int,
    new: Sequence[str],
    known: Sequence[str],
    unknown: Sequence[str],
    doing: Doing,
    rounds: int,
    notes: Sequence[str] = (),
) -> str:
    """Say what the checks of a commit came to, and what is done about it.

    `new` failed and passed before, `known` failed before, too; of the `unknown` nobody knows.
    `rounds` is how often checks were mended, with what begins now.
    """
    said = [f"**Checks** of {_commit(head)}: {words.count(ended, 'check')} ended"]
    if not (new or known or unknown):
        said[0] += ", none failed."
    else:
        said[0] += "."
    if new:
        verb = "fails and passes" if len(new) == 1 else "fail and pass"
        said.append(f"{_listed(new)} {verb} without these commits.")
        if doing == "mending":
            said.append(f"That is being mended (round {rounds}).")
        elif doing == "given up":
            said.append(
                f"It was mended {words.count(rounds, 'time')} already: now a person has to look."
            )
        elif doing == "closed":
            said.append("It is not mended: this pull request is not open any more.")
        elif doing == "off":
            said.append("It is not mended: the server may not write here any more.")
    if known:
        verb = "fails" if len(known) == 1 else "fail"
        said.append(f"{_listed(known)} {verb} on this pull request itself, too: left alone.")
    if unknown:
        verb = "fails" if len(unknown) == 1 else "fail"
        said.append(
            f"{_listed(unknown)} {verb}, and did not end on this pull request itself, so nobody "
            "can tell whose fault it is: left alone."
        )
    return " ".join([*said, *notes])


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


def checks_mended(head: str) -> str:
    """Say that commits against failed checks are on the branch."""
    return f"What the checks said was mended: the branch ends at {_commit(head)} now."


def _commit(head: str) -> str:
    return markdown_code(head[: words.NAME_DIGITS])


def _listed(names: Sequence[str]) -> str:
    shown = [markdown_code(cut(" ".join(one.split()), NAME_CHARS)) for one in names[:NAMES_SHOWN]]
    more = f" and {len(names) - NAMES_SHOWN} more" if names[NAMES_SHOWN:] else ""
    return ", ".join(shown) + more
