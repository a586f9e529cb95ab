"""The JSON of a review as it comes back to us: from a file that anybody may have written."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from app.strict_json import loads
from reviewer.errors import TellUser
from reviewer.finding import Finding
from reviewer.request import Review
from reviewer.text import printable

MAX_BYTES = 32_000_000

_ID = re.compile(r"[0-9a-f]{12}(?:-[1-9][0-9]{0,3})?")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_HOW = "Make it with: rlm review BASE..HEAD --format json --output review.json"


def read_review(name: str) -> Review:
    """Read a review from a file, or for `-` from standard input; TellUser where it is none."""
    raw = _bytes(name)
    shown = "standard input" if name == "-" else printable(name)
    if len(raw) > MAX_BYTES:
        raise TellUser(f"{shown} has more than {MAX_BYTES // 1_000_000} MB.", _HOW)
    try:
        review = Review.model_validate(loads(raw))
    except ValidationError as error:
        first = error.errors()[0]
        where = printable(".".join(str(part) for part in first["loc"]))
        raise TellUser(
            f"{shown} is no review of this version: {where}: {first['msg']}.", _HOW
        ) from error
    except ValueError as error:
        raise TellUser(f"{shown} is no review: {error}.", _HOW) from error
    if not _COMMIT.fullmatch(review.change.head):
        raise TellUser(f"{shown} is no review: change.head is no name of a commit.", _HOW)
    seen: set[str] = set()
    for each in review.findings:
        if not _ID.fullmatch(each.id) or each.id in seen:
            raise TellUser(
                f"{shown} is no review: {printable(each.id)[:40]!r} is no id, or there twice.", _HOW
            )
        seen.add(each.id)
    return review


def is_range(name: str | None) -> str | None:
    """Return the range that is to be reviewed, "" for the current branch; None for a file's name.

    A range has dots within a word. What is there by that name is a file all the same.
    """
    if name is None:
        return ""
    looks_so = name != "-" and ".." in name and ".." not in name.split("/")
    return name if looks_so and not Path(name).exists() else None


def selected(review: Review, ids: Sequence[str]) -> tuple[Finding, ...]:
    """Return the findings with these ids, all for none, the gravest first; TellUser if one is
    missing."""
    known = {each.id: each for each in review.findings}
    unknown = [one for one in ids if one not in known]
    if unknown:
        raise TellUser(
            f"The review has no finding {printable(unknown[0])}.",
            "Ids stand in the JSON of the review, as `id` of each finding.",
        )
    chosen = {one: known[one] for one in (ids or known)}
    return tuple(sorted(chosen.values(), key=lambda each: each.severity.rank))


def _bytes(name: str) -> bytes:
    try:
        if name == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with Path(name).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise TellUser(
            f"The review cannot be read from {printable(name)}: {error.strerror}.", _HOW
        ) from error
