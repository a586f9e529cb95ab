"""What a review may hold: which lines take a comment, and GitHub's words where they do not.

The wordings were captured from real answers (reference, section 3.3). Which generation is spoken
is the hub's choice: until 2025 the rules were spelled out, since 2026 only one sentence is left.
"""

from collections.abc import Mapping
from typing import Any

from tests.github.errors import Refusal, invalid_request, unprocessable
from tests.github.git import FileDiff, Hunk
from tests.github.quirks import quirk
from tests.github.state import FakePull, Review, ReviewComment, User

MAX_BODY_CHARS = 65_536
TOO_LONG = "Body is too long (maximum is 65536 characters)"

STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}

ONE_PENDING = "User can only have one pending review per pull request"
OWN = {
    "APPROVE": "Can not approve your own pull request",
    "REQUEST_CHANGES": "Review Can not request changes on your own pull request",
}
NEEDS_BODY = "You need to leave a comment indicating the requested changes."
NO_COMMENT = "Body can't be blank"
LOCKED = "lock prevents review"
FOREIGN_COMMIT = "The commitOID is not part of the pull request"
NOT_PENDING = "Can not delete a non-pending pull request review"

# Until 2025.
LINE_OUTSIDE = "Pull request review thread line must be part of the diff"
OTHER_HUNK = "Pull request review thread start line must be part of the same hunk as the line."
START_AFTER = "Pull request review thread start line must precede the end line."
BLANK_HUNK = "Pull request review thread diff hunk can't be blank"
BAD_PATH = "Pull request review thread path is invalid"

# Since 2026.
LINE_UNRESOLVED = "Line could not be resolved"
PATH_UNRESOLVED = "Path could not be resolved"


@quirk("10 a 422 in every wording")
def place(
    files: list[FileDiff], wanted: Mapping[str, Any], wording: int
) -> tuple[Hunk | None, dict[str, Any]]:
    """Find the hunk that a comment is about; raise the 422 that an impossible place earns."""
    file = next((file for file in files if file.path == wanted["path"]), None)
    if file is None:
        raise unprocessable(PATH_UNRESOLVED if wording >= 2026 else f"{BAD_PATH} and {BLANK_HUNK}")
    if wanted.get("subject_type") == "file":
        return None, {"side": "RIGHT", "line": None, "start_line": None, "start_side": None}
    if "position" in wanted and "line" not in wanted:
        return _by_position(file, wanted["position"])
    if "line" not in wanted:
        raise invalid_request(
            'No subschema in "oneOf" matched.\n"position" wasn\'t supplied.\n"line" wasn\'t supplied.'
        )
    side, line = wanted.get("side", "RIGHT"), wanted["line"]
    start, start_side = wanted.get("start_line"), wanted.get("start_side")
    start_side = (start_side or side) if start is not None else None
    last = next((hunk for hunk in file.hunks if line in hunk.lines(side)), None)
    first = last
    if start is not None:
        first = next((hunk for hunk in file.hunks if start in hunk.lines(str(start_side))), None)
    if last is None or first is not last:
        raise unprocessable(LINE_UNRESOLVED if wording >= 2026 else _older(last, start))
    if start is not None and start_side == side and start >= line:
        raise unprocessable(START_AFTER if wording < 2026 else LINE_UNRESOLVED)
    return last, {"side": side, "line": line, "start_line": start, "start_side": start_side}


@quirk("10 a 422 in every wording")
def _older(last: Hunk | None, start: int | None) -> str:
    """Join the rules that a place breaks, as GitHub did until 2025."""
    if last is not None:
        return OTHER_HUNK
    if start is None:
        return f"{LINE_OUTSIDE} and {BLANK_HUNK}"
    return f"{LINE_OUTSIDE}, {OTHER_HUNK}, and {BLANK_HUNK}"


@quirk("10 a 422 in every wording")
def _by_position(file: FileDiff, position: int) -> tuple[Hunk, dict[str, Any]]:
    """Read the old way to name a line: how far down it stands in the file's patch."""
    below = 0
    for hunk in file.hunks:
        left, right = hunk.left.start, hunk.right.start
        for text in hunk.text.split("\n")[1:]:
            below += 1
            if below == position:
                side, line = ("LEFT", left) if text.startswith("-") else ("RIGHT", right)
                return hunk, {"side": side, "line": line, "start_line": None, "start_side": None}
            left += text.startswith((" ", "-"))
            right += text.startswith((" ", "+"))
        below += 1  # the header of the next hunk counts
    raise unprocessable("Position could not be resolved")


def add_comment(
    review: Review, wanted: Mapping[str, Any], files: list[FileDiff], wording: int
) -> ReviewComment:
    """Put a comment into a review, if its place takes one. Nothing is added where it does not."""
    hunk, spot = place(files, wanted, wording)
    state = review.pull.repo.state
    now = state.now()
    comment = ReviewComment(
        state.next_id(),
        review,
        review.user,
        check_body(wanted["body"]),
        wanted["path"],
        review.commit,
        review.commit,
        **spot,
        original_line=spot["line"],
        original_start_line=spot["start_line"],
        hunk=hunk,
        created=now,
        updated=now,
        subject=wanted.get("subject_type", "line"),
    )
    review.comments.append(comment)
    return comment


@quirk("17 bytes, not characters")
def check_body(body: str) -> str:
    """Refuse a text that is too long or blank."""
    if len(body) > MAX_BODY_CHARS:
        raise unprocessable(TOO_LONG)
    return body


@quirk("26 a locked conversation")
def check_locked(pull: FakePull, user: User, *, review: bool) -> None:
    """Refuse what is said on a locked pull request by whoever may not write to the repository."""
    if pull.locked and pull.repo.role(user) not in {"write", "maintain", "admin"}:
        if review:
            raise unprocessable(LOCKED)
        raise Refusal(403, "Unable to create comment because issue is locked.")


@quirk("11 a stray pending review", "a review is of a commit of its pull request")
def create(pull: FakePull, user: User, body: Mapping[str, Any], wording: int) -> Review:
    """Create a review with all its comments, or raise and create nothing.

    Without an event it stays pending: only its author sees it.
    """
    event = body.get("event") or None
    text = check_body(body.get("body") or "")
    comments = body.get("comments") or []
    check_locked(pull, user, review=True)
    if any(review.user is user for review in pull.pending):
        raise unprocessable(ONE_PENDING)
    check_event(pull, user, event, text, bool(comments))
    head = body.get("commit_id") or pull.head
    if head != pull.head and head not in pull.commits():
        raise unprocessable(FOREIGN_COMMIT)
    state = pull.repo.state
    review = Review(state.next_id(), pull, user, text, "PENDING", head, None)
    files = pull.files(head)
    for wanted in comments:
        add_comment(review, wanted, files, wording)
    if event is not None:
        submit(review, event, text)
    pull.all_reviews.append(review)
    return review


@quirk("12 our own pull request", "a review says something")
def check_event(
    pull: FakePull, user: User, event: str | None, text: str, has_comments: bool
) -> None:
    """Refuse a verdict on one's own work, and one without a word."""
    if event in OWN and pull.author is user:
        raise unprocessable(OWN[event])
    if event == "REQUEST_CHANGES" and not text.strip() and not has_comments:
        raise unprocessable(NEEDS_BODY)
    if event == "COMMENT" and not text.strip() and not has_comments:
        raise unprocessable(NO_COMMENT)


def submit(review: Review, event: str, text: str) -> None:
    """Submit a review: from now on everybody sees it, and nobody can delete it."""
    review.state = STATES[event]
    review.body = text or review.body
    review.submitted = review.pull.updated = review.pull.repo.state.now()


def answer(above: ReviewComment, user: User, body: str) -> ReviewComment:
    """Add an answer below the first comment of a thread: a review of its own, with one comment."""
    pull = above.review.pull
    state, now = pull.repo.state, pull.repo.state.now()
    review = Review(state.next_id(), pull, user, "", "COMMENTED", pull.head, now)
    made = ReviewComment(
        **{
            **vars(above),
            "id": state.next_id(),
            "review": review,
            "user": user,
            "body": check_body(body),
            "created": now,
            "updated": now,
            "in_reply_to": above.id,
            "reactions": [],
            "resolved": False,
            "folded": "",
        }
    )
    review.comments.append(made)
    pull.all_reviews.append(review)
    return made
