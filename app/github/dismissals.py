"""What people answer to our findings: dismissed, or mended. Read from the threads that we began.

Only somebody with write permission other than the author can dismiss a finding: an author who could
would review himself. The permission is asked of the API, for each person once.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Required, TypedDict

from app.github.client import Hub
from app.github.markers import Marker, Seal, visible
from app.github.threads import Thread
from app.render.comment import claim_of
from app.store.values import Dismissed
from reviewer.review.join import names_in
from reviewer.review.promised import without_promise

ANSWER_CHARS = 400
"""A longer answer argues: it may quote what others say, and is for a person to read."""

TITLE_CHARS = 300
REASON_CHARS = 2_000
"""Of a finding, beside its dismissal: its title, and the words of its reason, each once."""

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
    what was said, or of what the thumb is at. `title`, `category`, `severity` and the words of the
    `reason` are the finding's; the last three are "" if its comment cannot be read as one.
    """

    finding: str
    path: str
    title: str
    who: str
    url: str
    comment: int = 0
    category: str = ""
    severity: str = ""
    reason: str = ""

    def noted(self) -> Dismissed:
        """Return it as the store remembers it."""
        return Dismissed(**{name: getattr(self, name) for name in Dismissed.__slots__})

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
        about = _about(thread)
        said = [one for one in thread.replies if not one.is_bot and dismisses(one.body)]
        found += [
            Dismissal(finding, thread.path, who=one.login, url=one.url, comment=one.number, **about)
            for one in said
            if counts(one.login)
        ]
        found += [
            Dismissal(finding, thread.path, who=login, url=thread.first.url, **about)
            for login in thread.against
            if counts(login)
        ]
    return found


class _About(TypedDict, total=False):
    title: Required[str]
    category: str
    severity: str
    reason: str


def _about(thread: Thread) -> _About:
    """Return what the finding is that a thread is about, from the comment that it begins with."""
    text = visible(thread.first.body)
    claim = claim_of(text, thread.path)
    if claim is None:
        return {"title": text.split("\n", 1)[0].strip("* ")[:TITLE_CHARS]}
    return {
        "title": claim.title[:TITLE_CHARS],
        "category": claim.category.value,
        "severity": claim.severity.value,
        "reason": _words(without_promise(claim.body)),
    }


def _words(text: str) -> str:
    """Return the words of a text, each once, in so many characters; what it quotes as code has its
    backquotes: by such names one claim is told from another."""
    quoted = names_in(text)
    kept, room = [], REASON_CHARS
    for found in dict.fromkeys(re.findall(r"\w+", text)):
        word = f"`{found}`" if found in quoted else found
        room -= len(word) + 1
        if room < 0:
            break
        kept.append(word)
    return " ".join(kept)
