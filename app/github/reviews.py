"""Our reviews of one pull request: what stands there, and posting one more, once.

GitHub takes a review with all its comments or not at all, does not say which comment it minded, and
may have taken it where the answer got lost.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypedDict

from github.PullRequest import PullRequest, ReviewComment
from pydantic import BaseModel, ConfigDict, TypeAdapter

from app.github.client import Hub, checked_name
from app.github.errors import NotThere, Refused, Unsure, calls
from app.github.markers import MENDED, Found, Seal, visible
from app.github.others import Mention, Saying, Weight
from app.github.pages import User, every
from app.github.pulls import GHOST, look_at
from app.github.remarks import Remark
from app.github.sticky import is_ours

# GitHub's words for a comment that it cannot place, through the years; a 422 can also mean spam.
_MISPLACED = re.compile(
    r"part of the (?:diff|same hunk)|precede the end line|diff hunk can't be blank"
    r"|(?:line|path) could not be resolved|thread (?:path|line|start line) (?:is|must)"
    r"|review (?:comments|threads) is invalid|pull_request_review_thread",
    re.IGNORECASE,
)
_PENDING = re.compile(r"one pending review", re.IGNORECASE)

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


MOST_PAGES = 30
"""Three thousand comments at lines; what is behind them is not looked at."""

MOST_REVIEW_PAGES = 100
"""Ten thousand reviews; ours is not looked for behind them."""


class _Comment(BaseModel):
    """What we read of a comment at a line; `line` is None where it is outdated."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    id: int
    user: User | None = None
    body: str | None = None
    path: str
    html_url: str
    line: int | None = None
    original_line: int | None = None
    original_start_line: int | None = None
    original_commit_id: str = ""
    side: str | None = None
    start_line: int | None = None
    start_side: str | None = None
    subject_type: str | None = None
    in_reply_to_id: int | None = None
    author_association: str = ""


class _Review(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    id: int
    user: User | None = None
    body: str | None = None
    html_url: str
    state: str = ""
    author_association: str = ""


_COMMENTS = TypeAdapter(list[_Comment])
_REVIEWS = TypeAdapter(list[_Review])


class Moved(Exception):
    """The pull request has another head by now."""


@dataclass(frozen=True, slots=True)
class Ours:
    """A review by our actor; only we see a pending one."""

    id: int
    url: str
    pending: bool
    found: Found | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What stands at lines and files of a pull request: `remarks` by our actor, the newest first,
    and by others at lines (`sayings`), and at files or where lines were (`mentions`)."""

    remarks: list[Remark]
    sayings: list[Saying]
    mentions: list[Mention]


@dataclass(frozen=True, slots=True)
class Reviews:
    """The reviews that `run` finds and makes on `head` of a pull request."""

    hub: Hub
    repository: str
    number: int
    head: str
    run: str
    seal: Seal

    def posted(self) -> Ours | None:
        """Return the review of this run; what a crash left pending of ours is removed."""
        return self.read()[0]

    def read(self) -> tuple[Ours | None, list[Mention]]:
        """Return the review of this run, as `posted` does, and the texts of others' reviews."""
        reviews, others = self._all()
        for one in reviews:
            if one.pending and one.found:
                self._remove(one)
        return next((one for one in reviews if self._is_of_this_run(one)), None), others

    def said(self) -> Said:
        """Return what stands at lines and files of this pull request, by our actor and by others.

        An answer in a thread of ours is about our words, not one of others' own. What our actor
        said without a marker may be another program's that shares it: it is in both. What was
        mended since counts as never said: if it comes back, it is news.
        """
        remarks: dict[int, Remark] = {}
        sayings: list[Saying] = []
        mentions: list[Mention] = []
        threads: set[int] = set()
        for one in self._comments():
            body, ours = one.body or "", is_ours(self.hub, one.user)
            found = self.seal.read(body) if ours else None
            if found and found.signed and found.marker.run.startswith(MENDED):
                remarks.pop(one.in_reply_to_id or 0, None)
            elif ours:
                remarks[one.id] = _remark(one, found)
            if found:
                threads.add(one.id)
            elif one.in_reply_to_id in threads:
                continue
            elif saying := _saying(one):
                sayings.append(saying)
            else:
                mentions.append(_mention(one))
        return Said(list(remarks.values())[::-1], sayings, mentions)

    def told_at(self) -> dict[str, tuple[str, int | None]]:
        """Return where our comments about findings stand, path and line, by the findings' ids.

        Also where nobody has signed the id: a hint, for whoever shares our login can write it.
        """
        found: dict[str, tuple[str, int | None]] = {}
        for one in self._comments():
            read = self.seal.read(one.body or "") if is_ours(self.hub, one.user) else None
            if read is not None and read.marker.kind == "finding":
                found[read.marker.finding] = one.path, one.line
        return found

    def _comments(self) -> Iterator[_Comment]:
        """Yield the comments at lines, in the order of their making.

        As values of our own: PyGithub's ask GitHub once more, each for itself, about a field that
        is not there, and a comment that is no answer has no `in_reply_to_id`.
        """
        doing = "read the review comments"
        path = f"/repos/{self.repository}/pulls/{self.number:d}/comments"
        return every(self.hub, doing, path, _COMMENTS, MOST_PAGES)

    def post(
        self, opening: Callable[[int], str], comments: Sequence[ReviewComment]
    ) -> tuple[Ours | None, int]:
        """Post a review; return it (None: no comment had a place) and how many had no place.

        `opening` makes its text from the number of its comments. Raises Moved, Refused, or Unsure
        only where no review was made.
        """
        left = list(comments)
        cleared = checked = False
        while left:
            try:
                made = self._create(opening(len(left)), left)
            except Refused as error:
                if error.status != 422:
                    raise
                # A refused review has been seen to leave something behind.
                if there := self.posted():
                    return there, len(comments) - len(left)
                if look_at(self.hub, self.repository, self.number).head != self.head:
                    raise Moved from error
                if _PENDING.search(error.said) and not cleared:
                    cleared = True
                    self._clear()
                elif _MISPLACED.search(error.said) and not checked:
                    checked = True
                    left = self._placed(left)
                else:
                    raise
            else:
                return made, len(comments) - len(left)
        return None, len(comments)

    def _create(self, body: str, comments: list[ReviewComment]) -> Ours:
        commit = self.hub.repo(self.repository).get_commit(self.head)
        try:
            with calls(self.hub.server, "post the review"):
                made = self._pull().create_review(commit, body, "COMMENT", comments)
                return Ours(int(made.id), str(made.html_url), pending=False)
        except Unsure:
            if there := self.posted():
                return there
            raise

    def _placed(self, comments: Sequence[ReviewComment]) -> list[ReviewComment]:
        """Return the comments on lines that GitHub itself shows, now that it has refused some."""
        with calls(self.hub.server, "read the files of the pull request"):
            patches = {str(one.filename): one.patch for one in self._pull().get_files()}
        return [one for one in comments if shows(patches.get(one["path"]), one)]

    def _all(self) -> tuple[list[Ours], list[Mention]]:
        """Return all reviews of our actor, and what others say in theirs: also another program that
        shares our actor."""
        ours: list[Ours] = []
        others: list[Mention] = []
        for one in self._reviews():
            pending, found = one.state == "PENDING", None
            if is_ours(self.hub, one.user):
                found = self.seal.read(one.body or "")
                ours.append(Ours(one.id, one.html_url, pending, found))
            if found is None and one.body and not pending:
                others.append(Mention(**_by(one)))
        return ours, others

    def _reviews(self) -> Iterator[_Review]:
        doing = "read the reviews"
        path = f"/repos/{checked_name(self.repository)}/pulls/{self.number:d}/reviews"
        return every(self.hub, doing, path, _REVIEWS, MOST_REVIEW_PAGES)

    def _is_of_this_run(self, review: Ours) -> bool:
        found = review.found
        return (
            found is not None
            and not review.pending
            and (found.marker.kind, found.marker.run) == ("review", self.run)
            and (found.signed or self.seal.key is None)
        )

    def _clear(self) -> None:
        """Remove the pending review that bars ours: another of this bot's, never a person's."""
        for one in self._all()[0]:
            if one.pending and (one.found or (self.hub.actor or "").endswith("[bot]")):
                self._remove(one)

    def _remove(self, review: Ours) -> None:
        path = f"/repos/{self.repository}/pulls/{self.number}/reviews/{review.id}"
        with suppress(NotThere):
            self.hub.ask("remove a pending review of ours", "DELETE", path)

    def _pull(self) -> PullRequest:
        return self.hub.repo(self.repository).get_pull(self.number)


def _remark(comment: _Comment, found: Found | None) -> Remark:
    across = comment.start_side not in {None, comment.side}
    return Remark(
        comment.path,
        comment.line,
        visible(comment.body or ""),
        comment.html_url,
        found.marker.finding if found and found.signed else "",
        comment.id,
        side="LEFT" if comment.side == "LEFT" else "RIGHT",
        start_line=None if across else comment.start_line,
        commit=comment.original_commit_id,
        said_at=_said_at(comment),
    )


def _said_at(comment: _Comment) -> tuple[int, int] | None:
    """Return the lines that a comment was made on, first and last; None if there are none."""
    start, end = comment.original_start_line, comment.original_line
    if end is None:
        return None
    across = comment.start_side not in {None, comment.side}
    return (end if across or start is None else start), end


class _By(TypedDict):
    login: str
    text: str
    url: str
    weight: Weight


def _by(one: _Comment | _Review) -> _By:
    login, kind = (one.user.login, one.user.type) if one.user else (GHOST, "")
    return {
        "login": login,
        "text": one.body or "",
        "url": one.html_url,
        "weight": Weight.of(login, one.author_association, kind),
    }


def _saying(comment: _Comment) -> Saying | None:
    """Return what a comment says at lines; None for one about a whole file, or outdated."""
    line, side = comment.line, comment.side
    if line is None or comment.subject_type == "file" or side not in {"LEFT", "RIGHT"}:
        return None
    start = comment.start_line if comment.start_side in {None, side} else None
    return Saying(
        **_by(comment),
        path=comment.path,
        side="LEFT" if side == "LEFT" else "RIGHT",
        start_line=min(start or line, line),
        line=line,
    )


def _mention(comment: _Comment) -> Mention:
    """Return what a comment says about a whole file, or about lines that the diff has no more."""
    whole = comment.subject_type == "file"
    return Mention(
        **_by(comment),
        path=comment.path,
        side="LEFT" if comment.side == "LEFT" else "RIGHT",
        commit=comment.original_commit_id,
        said_at=None if whole else _said_at(comment),
    )


def shows(patch: str | None, comment: ReviewComment) -> bool:
    """Do all lines of a comment stand in one hunk of a patch, as the API has it?"""
    start, count = (1, 2) if comment.get("side") == "LEFT" else (3, 4)
    line = comment["line"]
    for hunk in _HUNK.finditer(patch or ""):
        first = int(hunk[start])
        last = first + int(hunk[count] or 1) - 1
        if first <= comment.get("start_line", line) <= line <= last:
            return True
    return False
