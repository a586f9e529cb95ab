"""What begins a fix on a pull request: a command, or the button below a check run."""

import logging
from collections.abc import Mapping

from app.commands import FixCommand
from app.fix_wishes import Chosen, chosen
from app.github import threads
from app.github.check_runs import parse_external_id
from app.github.client import Hub
from app.github.dismissals import finding_of
from app.github.markers import Seal
from app.github.pulls import Pull, pull_at
from app.github.replies import reply
from app.jobs import Command, Pressed, Wish
from app.run_life import Begin
from app.store import Store
from app.stored import read_stored
from app.written import Written
from reviewer.fix.values import Fixing

log = logging.getLogger(__name__)

ONLY_OPEN = "Only an open pull request is worked on."
ONLY_WRITERS = "Only people who may write to this repository can have findings fixed by the button."
NO_THREAD = "This thread is about no finding of mine. `/rlm fix` takes ids of findings."
RUNNING = "Findings of this pull request are being closed already: `/rlm stop` ends that."

MOST_STACKED = 5
"""Pull requests on top, the newest, that are asked about: what they close is not closed again."""


class FixSteps:
    """Begins fixes, each once for its origin."""

    def __init__(self, store: Store, begin: Begin, key: bytes) -> None:
        self._store = store
        self._begin = begin
        self._key = key

    def obey(self, hub: Hub, command: Command, said: FixCommand, origin: str) -> str:
        """Begin what a command asks for; return the answer, "" where the deed is one."""
        pull = pull_at(hub, command.repository, command.number)
        if pull is None or pull.state != "open":
            return ONLY_OPEN
        thread = ""
        if command.thread and not said.findings:
            thread = self._finding_at(hub, command)
            if not thread:
                return NO_THREAD
        found = self._chosen(hub, pull, origin, said.findings, thread)
        if isinstance(found, str):
            return found
        wish = Wish(
            trigger="command",
            comment=command.place,
            thread=command.thread,
            sender=command.sender,
            task="fix",
            findings=found.findings,
            review_of=found.review,
        )
        return self._begun(hub, command.installation, pull, origin, wish) or found.said

    def press(self, hub: Hub, pressed: Pressed) -> None:
        """Begin what the button asks for, if whoever pressed it may write."""
        meant = parse_external_id(pressed.external_id)
        run = self._store.run(meant.run) if meant is not None else None
        if run is None or run.repository_id != pressed.repository_id:
            log.info("not known", extra={"check_run": pressed.external_id})
            return
        pull = pull_at(hub, pressed.repository, run.number)
        if pull is None or pull.repository_id != pressed.repository_id:
            return
        about = f"pressed-{pressed.event_id}"[:100]
        if not hub.may_write(pressed.repository, pressed.sender):
            log.info("press refused", extra={"run": run.id, "sender": pressed.sender})
            said, about = ONLY_WRITERS, "pressed-refused"  # once, however many press it
        elif pull.state != "open":
            said = ONLY_OPEN
        else:
            said = self._pressed(hub, pull, pressed)
        if said:
            reply(hub, pull.repository, run.number, said, about=about, key=self._key)

    def _pressed(self, hub: Hub, pull: Pull, pressed: Pressed) -> str:
        """Begin what the button asks for; return the answer, "" where the deed is one."""
        origin = f"event:{pressed.event_id}"
        found = self._chosen(hub, pull, origin)
        if isinstance(found, str):
            return found
        wish = Wish(
            trigger="button",
            sender=pressed.sender,
            task="fix",
            findings=found.findings,
            review_of=found.review,
        )
        return self._begun(hub, pressed.installation, pull, origin, wish) or found.said

    def _begun(self, hub: Hub, installation: int, pull: Pull, origin: str, wish: Wish) -> str:
        """Begin a fix; return why not, "" if it has begun.

        The button is another job than a command: both may have found nothing that goes on.
        """
        self._begin(hub, installation, pull, origin, wish)
        runs = self._store.runs_of(pull.repository_id, pull.url.number)
        return "" if any(run.origin == origin for run in runs) else RUNNING

    def _chosen(
        self,
        hub: Hub,
        pull: Pull,
        origin: str,
        names: tuple[str, ...] = (),
        thread: str = "",
    ) -> Chosen | str:
        where = pull.repository_id, pull.url.number
        runs = [run for run in self._store.runs_of(*where) if run.kind == "fix"]
        for run in runs:
            if run.origin == origin:  # this very wish, before its job was interrupted
                wish = read_stored(Wish, run.request)
                return Chosen(wish.review_of, wish.findings)
        if any(run.state == "open" and not run.stop for run in runs):
            return RUNNING
        closed = {} if names or thread else self._closed_on_top(hub, pull)
        return chosen(self._store, *where, names, thread, closed)

    def _closed_on_top(self, hub: Hub, pull: Pull) -> Mapping[str, int]:
        """Return which findings open pull requests on top of this one close already, and which."""
        closed: dict[str, int] = {}
        for made in self._store.stacked_of(pull.repository_id, pull.url.number)[:MOST_STACKED]:
            if made.task != "fix" or made.state != "open":
                continue
            if not (kept := self._store.result(made.run)):
                continue
            there = pull_at(hub, pull.repository, made.stacked)
            account = read_stored(Written, kept).account
            if there is None or there.state != "open" or not isinstance(account, Fixing):
                continue
            for one in account.all_closed:
                closed.setdefault(one.id, made.stacked)
        return closed

    def _finding_at(self, hub: Hub, command: Command) -> str:
        """Return the id of the finding that a thread is about, "" if it is none of ours."""
        found = threads.thread_of(hub, command.repository, command.number, command.thread)
        seal = Seal(self._key, command.repository_id, command.number)
        marker = None if found is None else finding_of(found, hub.actor or "", seal)
        return marker.finding if marker is not None else ""
