"""Answers to commands: one comment each, however often the answer is tried."""

from app.github import threads
from app.github.client import Hub, checked_name
from app.github.errors import NotThere, Unsure
from app.github.markers import Marker, Seal
from app.github.stands import stands
from app.render.outgoing import sayable


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

    `text` is Markdown of our own, cut where a comment is full; `key` is that of markers; `about`
    names what is answered, in at most 100 characters. `thread` is the first comment of the thread
    to answer in; one that is gone, and 0, is the conversation.
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
    path = f"/repos/{checked_name(repository)}/issues/{number:d}/comments"
    if stands(hub, path, marker, seal):
        return
    try:
        hub.ask("answer a comment", "POST", path, {"body": sayable(text) + seal.write(marker)})
    except Unsure:
        if not stands(hub, path, marker, seal):
            raise
