"""Closing threads: resolved where that is permitted, else their first comment is folded away.

To resolve one takes `contents: write` besides `pull_requests: write`. No token that reads or speaks
has both: where the owner of an installation granted them, one more is made for this and nothing
else, when the first thread is to be resolved.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Literal, Self

from app.github.client import Hub
from app.github.errors import Forbidden, NotThere, Refused
from app.github.threads import Thread

log = logging.getLogger(__name__)

Closed = Literal["resolved", "folded", "left"]

ToResolve = Callable[[], AbstractContextManager[Hub]]
"""Opens GitHub with permission to resolve threads of one repository; Refused where nobody has it.
"""

_RESOLVE = """
mutation ($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { isResolved } } }
"""
_FOLD = """
mutation ($id: ID!) {
  minimizeComment(input: {subjectId: $id, classifier: RESOLVED}) {
    minimizedComment { isMinimized }
  }
}
"""


class Closing:
    """Closes threads, one after the other; a context manager.

    What `to_resolve` opens is opened once, for the first thread, and resolves: all else is done
    through `hub`. Without it, `hub` is tried, as who may resolve.
    """

    def __init__(self, hub: Hub, to_resolve: ToResolve | None = None) -> None:
        self._hub = hub
        self._to_resolve = to_resolve
        self._resolver = None if to_resolve else hub
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.__exit__(*error)  # type: ignore[arg-type]

    def close(self, thread: Thread) -> Closed:
        """Resolve a thread, or fold its first comment away where resolving is not permitted."""
        if self._resolved(thread):
            return "resolved"
        if thread.first.folded:
            return "folded"
        try:
            self._hub.query("fold a comment away", _FOLD, {"id": thread.first.id})
        except (Forbidden, NotThere):
            return "left"
        return "folded"

    def _resolved(self, thread: Thread) -> bool:
        """Resolve a thread; False where that is not permitted."""
        if self._to_resolve is not None and self._resolver is None:
            try:
                self._resolver = self._open.enter_context(self._to_resolve())
            except Refused as error:
                log.info("threads are not resolved", extra={"why": error})
                self._to_resolve = None
        if self._resolver is None:
            return False
        try:
            self._resolver.query("resolve a thread", _RESOLVE, {"id": thread.id})
        except Forbidden:
            return False
        return True
