"""What is said on a pull request of ours whose branch below has moved on. Pure."""

from collections.abc import Sequence
from typing import Literal

from app.render.escape import cut, markdown_code

Task = Literal["refactor", "fix", "tests"]

SHOWN = 10
PATH_CHARS = 200

_AGAIN = {
    "refactor": "`/rlm refactor` and what to change",
    "fix": "`/rlm fix`",
    "tests": "`/rlm tests`",
}


def behind_exact(number: int, then: str, now: str, others: str) -> str:
    """Say that it still applies; `others` is what was found of files that it does not change."""
    also = f" {others[0].upper()}{others[1:]}" if others else ""
    return (
        f"{_moved(number, then, now)} Each file that this changes is there as it was, to the "
        f"byte, or as it is here: **it still applies exactly**.{also} Merge it as it is, or update "
        "its branch first, so that your tests run on both together."
    )


def behind_unseen(number: int, then: str, now: str) -> str:
    """Say that nobody has looked whether it still applies."""
    return (
        f"{_moved(number, then, now)} This changes more files than I compare: update its branch, "
        "and GitHub says whether it still applies."
    )


def behind_conflict(number: int, task: Task, then: str, now: str, paths: Sequence[str]) -> str:
    """Say that it does not apply exactly any more, where, and what to do."""
    return (
        f"{_moved(number, then, now)} **It does not apply exactly any more**: "
        f"{_listed(paths)} changed there. {_leave(number, task)}"
    )


def behind_used(
    number: int, task: Task, then: str, now: str, uses: Sequence[tuple[str, str]]
) -> str:
    """Say that it applies, and would break what was pushed: (path, name) that is used there."""
    said = [f"{_code(name)} in {_code(path)}" for path, name in uses[:SHOWN]]
    more = f" and {len(uses) - SHOWN} more" if len(uses) > SHOWN else ""
    return (
        f"{_moved(number, then, now)} **What was pushed uses names that are gone by this**: "
        f"{', '.join(said)}{more}. {_leave(number, task)}"
    )


def caught_up(number: int, now: str) -> str:
    """Say that it stands on what the branch below ends at, again."""
    return f"This stands on what #{number} ends at by now ({_code(now[:10])})."


def _moved(number: int, then: str, now: str) -> str:
    return (
        f"#{number} has moved on since this was made ({_code(then[:10])} then, "
        f"{_code(now[:10])} now)."
    )


def _leave(number: int, task: Task) -> str:
    return (
        f"Nothing was changed or rebased here. `/rlm undo` on #{number} takes this back, and "
        f"{_AGAIN[task]} makes it anew; or merge the branch of #{number} into this one by hand."
    )


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(_code(path) for path in paths[:SHOWN]) + more


def _code(text: str) -> str:
    return markdown_code(cut(text, PATH_CHARS))
