"""From a comment that asks something to a `Question`: what was said before it, and about what."""

from app.github.markers import visible
from app.github.pulls import Pull
from app.github.threads import Comment, Thread
from app.jobs import Command, Reply
from reviewer.explain.values import MOST_SAID, SAID_CHARS, Place, Question, Said, Speaker


def question_of(
    text: str, thread: Thread | None, pull: Pull, command: Command | Reply, actor: str
) -> Question:
    """Return the question of a command; the thread that it stands in is what was said before."""
    if thread is None:
        return Question(text=text)
    before = [
        one
        for one in (thread.first, *thread.replies)
        if one.number != command.comment_id and one.number < command.comment_id
    ]
    return Question(
        text=text,
        place=_place(thread),
        thread=tuple(
            Said(who=_who(one, pull, command, actor), text=_cut(visible(one.body)))
            for one in before[-MOST_SAID:]
        ),
    )


def _place(thread: Thread) -> Place | None:
    """Return the file or the lines of a thread; None where they are not in the diff any more."""
    if thread.whole_file:
        return Place(path=thread.path, side=thread.side)
    if thread.line is None:
        return None
    return Place(
        path=thread.path,
        side=thread.side,
        start_line=thread.start_line or thread.line,
        line=thread.line,
    )


def _who(comment: Comment, pull: Pull, command: Command | Reply, actor: str) -> Speaker:
    login = comment.login.lower()
    if login == actor.lower():
        return "reviewer"
    if login == pull.author.lower():
        return "author"
    # Whoever gave the command was asked about: of the others nobody knows what they may.
    return "maintainer" if login == command.sender.lower() else "other"


def _cut(text: str) -> str:
    return text if len(text) <= SAID_CHARS else text[: SAID_CHARS - 1] + "…"
