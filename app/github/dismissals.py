"""What people answer to our findings: dismissed, or mended. Read from the threads that we began.

Only somebody with write permission other than the author can dismiss a finding: an author who could
would review himself. The permission is asked of the API, for each person once.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.github.client import Hub
from app.github.markers import Marker, Seal, visible
from app.github.threads import Comment, Thread

ANSWER_CHARS = 400
"""A longer answer argues: it may quote what others say, and is for a person to read."""

_DISMISSES = re.compile(
    r"""
    (?: (?:no|nope|yes|sorry|well|hm+|ok) [,.!:;]? \s+ )?
    (?:
        (?:this|that|it) (?: \s+(?:is|was|works) | ['’]s )? \s+ (?:an?\s+)?
      | an?\s+ | we\s+ | i\s+
    )?
    (?:
        won['’]?t [ -]? fix (?: \s+(?:this|that|it) )?
      | false [ -] (?:positive|alarm)
      | by\ design
      | (?:works\s+)? as\ (?:designed|intended)
      | intended | intentional | meant
      | not\ an?\ (?:bug|defect|problem|issue)
    )
    (?: \s+here )?
    (?: [*_]* (?: \s* (?: [.,:;!()\n–—] | \Z ) | \s+-\s ) | \s+because\b )
    (?P<reason>.*)
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
"""A whole sentence, at the very beginning; whoever defends a finding uses the same words within
another one ("This is not a false positive, it has to be fixed")."""

_TAKES_BACK = re.compile(
    r"\b(?:but|however|although|unless|until|please|fix\w*|will do|i['’]ll)\b", re.IGNORECASE
)
"""In the reason: it is dismissed in part, for now, or not at all."""

_QUOTED = re.compile(r"^[ \t]*>.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Dismissal:
    """A finding that somebody who may has dismissed, by its id as a marker holds it.

    `comment` is the number of the comment that says it, 0 for a thumb, and `url` the address of
    what was said, or of what the thumb is at.
    """

    finding: str
    path: str
    title: str
    who: str
    url: str
    comment: int = 0

    @property
    def words(self) -> "Words":
        """What tells it from every other one."""
        return self.finding, self.who, self.url


Words = tuple[str, str, str]
"""One dismissal: which finding, by whom, where."""


def finding_of(thread: Thread, actor: str, seal: Seal) -> Marker | None:
    """Return the marker of the finding that a thread is about; None if it may not be ours."""
    if thread.first.login.lower() != actor.lower():
        return None
    found = seal.read(thread.first.body)
    if found is None or not found.signed or found.marker.kind != "finding":
        return None
    return found.marker


def dismisses(text: str) -> bool:
    """Does an answer say that a finding is none, and ask nothing?"""
    said = _QUOTED.sub("", visible(text)).strip().lstrip("*_ ")
    if len(said) > ANSWER_CHARS or "?" in said:
        return False
    found = _DISMISSES.match(said)
    return found is not None and not _TAKES_BACK.search(found["reason"])


def dismissals(
    hub: Hub, repository: str, author: str, threads: Sequence[Thread], seal: Seal
) -> list[Dismissal]:
    """Return all that dismisses in these threads: words, and thumbs that point down."""
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
        marker = finding_of(thread, hub.actor or "", seal)
        if marker is None or not (finding := marker.finding):
            continue
        title = _title(thread.first)
        said = [one for one in thread.replies if not one.is_bot and dismisses(one.body)]
        found += [
            Dismissal(finding, thread.path, title, one.login, one.url, one.number)
            for one in said
            if counts(one.login)
        ]
        found += [
            Dismissal(finding, thread.path, title, login, thread.first.url)
            for login in thread.against
            if counts(login)
        ]
    return found


def _title(first: Comment) -> str:
    """Return the first line of a comment of ours without its marks: sign, severity and title."""
    return visible(first.body).split("\n", 1)[0].strip("* ")[:300]
