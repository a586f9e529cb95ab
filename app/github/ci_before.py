"""What checks said of tests that were on a branch alone, before the patches came on top. Pure."""

from collections.abc import Sequence

from app.github.ci import Check, Checks, compared
from app.tests_first import Seen
from reviewer.fix.failed import FailedCheck


def failing_before(alone: Checks, began: Checks) -> tuple[Check, ...]:
    """Return the checks that fail on the tests alone and did not where the branch began."""
    found = compared(alone, began)
    return (*found.new, *found.unknown)


def seen(  # noqa: PLR0917
    head: str,
    tests: Sequence[str],
    alone: Checks,
    began: Checks,
    with_patches: Checks,
    said: Sequence[FailedCheck],
) -> Seen:
    """Return what was seen of `tests` at `head`; `said` is what the checks say that fail there."""
    failing = failing_before(alone, began)
    return Seen(
        head,
        tuple(tests),
        tuple((each.name, with_patches.state_of(each.key)) for each in failing),
        tuple(each.name for each in compared(alone, began).known),
        sum(each.state != "running" for each in alone.checks),
        alone.going_on,
        {
            path: tuple(
                one.name for one in said if path in "\n".join((one.summary, *one.annotations))
            )
            for path in tests
        },
    )
