"""What people answer to our findings: dismissed, or mended. Read from the threads that we began.

Only somebody with write permission other than the author can dismiss a finding: an author who could
would review himself. The permission is asked of the API, for each person once.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.github.client import Hub
from app.github.markers import Seal, visible
from app.github.threads import Comment, Thread

ANSWER_CHARS = 400
"""A longer answer argues: it may quote what others say, and is for a person to read."""

_DISMISSES = re.compile(
    r"\bwon'?t[ -]?fix\b|\bfalse (?:positive|alarm)\b|\bby design\b"
    r"|\bworks as (?:designed|intended)\b"
    r"|\b(?:this|that|it)(?: is|'s) (?:intended|intentional|meant)\b"
    r"|\bnot a (?:bug|defect|problem|issue)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"^[ \t]*>.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Dismissal:
    """A finding that somebody who may has dismissed, by its id as a marker holds it."""

    finding: str
    path: str
    title: str
    who: str
    url: str


def finding_of(thread: Thread, actor: str, seal: Seal) -> str:
    """Return the finding that a thread is about; "" for one that is not ours for certain."""
    if thread.first.login.lower() != actor.lower():
        return ""
    found = seal.read(thread.first.body)
    if found is None or not found.signed or found.marker.kind != "finding":
        return ""
    return found.marker.finding


def dismisses(text: str) -> bool:
    """Does an answer say that a finding is none, and ask nothing?"""
    said = _QUOTED.sub("", visible(text)).strip()
    return len(said) <= ANSWER_CHARS and "?" not in said and bool(_DISMISSES.search(said))


def dismissals(
    hub: Hub, repository: str, author: str, threads: Sequence[Thread], seal: Seal
) -> list[Dismissal]:
    """Return what was dismissed in these threads, by a word or by a thumb that points down."""
    may: dict[str, bool] = {}

    def counts(login: str) -> bool:
        key = login.lower()
        if key in {author.lower(), (hub.actor or "").lower()}:
            return False
        if key not in may:
            may[key] = hub.may_write(repository, login)
        return may[key]

    found = []
    for thread in threads:
        finding = finding_of(thread, hub.actor or "", seal)
        if not finding:
            continue
        said = [one for one in thread.replies if not one.is_bot and dismisses(one.body)]
        people = [*(one.login for one in said), *thread.against]
        who = next((login for login in people if counts(login)), "")
        if who:
            url = next((one.url for one in said if one.login == who), thread.first.url)
            title = _title(thread.first)
            found.append(Dismissal(finding, thread.path, title, who, url))
    return found


def _title(first: Comment) -> str:
    """Return the first line of a comment of ours without its marks: sign, severity and title."""
    return visible(first.body).split("\n", 1)[0].strip("* ")[:300]
