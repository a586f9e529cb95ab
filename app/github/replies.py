"""Answers to commands: one comment each, however often the answer is tried."""

from app.github import threads
from app.github.client import Hub
from app.github.errors import NotThere, Unsure, calls
from app.github.markers import Marker, Seal
from app.render.outgoing import masked


def reply(
    hub: Hub,
    repository: str,
    number: int,
    text: str,
    *,
    about: str,
    key: bytes | None,
    thread: int = 0,
) -> None:
    """Comment on a pull request, unless our comment about the same thing stands there already.

    `text` is Markdown of our own; `key` is that of markers; `about` names what is answered, in at
    most 100 characters. `thread` is the first comment of the thread to answer in; one that is gone,
    and 0, is the conversation.
    """
    if thread:
        try:
            threads.answer(hub, repository, number, thread, text, about, key)
        except NotThere:
            pass
        else:
            return
    # What it is about has a number of its own on this server: the repository's is not needed.
    seal = Seal(key, 0, number)
    marker = Marker(kind="reply", run=about)
    if _stands(hub, repository, number, marker, seal):
        return
    try:
        with calls(hub.server, "answer a comment"):
            hub.repo(repository).get_issue(number).create_comment(masked(text) + seal.write(marker))
    except Unsure:
        if not _stands(hub, repository, number, marker, seal):
            raise


def _stands(hub: Hub, repository: str, number: int, marker: Marker, seal: Seal) -> bool:
    with calls(hub.server, "look for our answer"):
        for comment in hub.repo(repository).get_issue(number).get_comments():
            if comment.user is None or comment.user.login.lower() != (hub.actor or "").lower():
                continue
            found = seal.read(comment.body or "")
            if found is not None and found.marker == marker:
                return True
    return False
