"""What checks said of tests that were on a branch alone, before the patches came on top. Pure."""

import re
from collections.abc import Sequence

from app.github.ci import Checks, Compared
from app.tests_first import Seen
from reviewer.fix.failed import FailedCheck


def seen(  # noqa: PLR0917
    head: str,
    tests: Sequence[str],
    alone: Checks,
    found: Compared,
    with_patches: Checks,
    said: Sequence[FailedCheck],
) -> Seen:
    """Return what was seen of `tests` at `head`, whose checks `alone` are `found` against those
    where the branch began; `said` is what the new ones say of themselves, the first of them.
    """
    words = ["\n".join((one.summary, *one.annotations)) for one in said]
    return Seen(
        head,
        tuple(tests),
        tuple((each.name, with_patches.state_of(each.key)) for each in found.new),
        tuple(each.name for each in found.known),
        tuple(each.name for each in found.unknown),
        sum(each.state != "running" for each in alone.checks),
        alone.going_on,
        {
            path: tuple(place for place, text in enumerate(words) if _names(text, path))
            for path in tests
        },
    )


def _names(text: str, path: str) -> bool:
    """Is a path named, and not the end or the beginning of another one?"""
    whole = rf"(?<![\w./\\@+~-])(?:\./)?{re.escape(path)}(?![\w/\\@+~-]|\.\w)"
    return re.search(whole, text) is not None
