"""Doing what comments say: the commands of people who may write, each done once.

A command is obeyed by a job that may be killed and called again: what it starts has the comment for
its origin, and what it says has it in the marker.
"""

import logging
from collections.abc import Callable
from typing import Literal

from app.commands import (
    AskCommand,
    Misunderstood,
    PlainCommand,
    ReviewCommand,
    help_text,
    parse_commands,
)
from app.github import threads
from app.github.client import Hub
from app.github.errors import Forbidden
from app.github.pulls import Pull, pull_at
from app.github.replies import reply
from app.jobs import Command, Wish
from app.questions import question_of
from app.render import words
from app.render.escape import markdown_line
from app.store import Store

log = logging.getLogger(__name__)

STOPPED = "somebody gave the command `/rlm stop`"

Begin = Callable[[Hub, int, Pull, str, Wish], None]
"""Begins a run of an installation over a pull request, once for its origin, as wished."""


class Commands:
    """Obeys commands."""

    def __init__(self, store: Store, begin: Begin, marker_key: bytes) -> None:
        self._store = store
        self._begin = begin
        self._key = marker_key

    def obey(self, hub: Hub, command: Command) -> None:
        commands = parse_commands(command.body)
        if not commands or command.sender.lower() == (hub.actor or "").lower():
            return
        if not hub.may_write(command.repository, command.sender):
            who = {"comment": command.comment_id, "sender": command.sender}
            log.info("command refused", extra=who)
            self._refuse(hub, command)
            return
        self._seen(hub, command)
        answers = []
        for index, said in enumerate(commands):
            origin = f"comment:{command.comment_id}" + (f":{index}" if index else "")
            match said:
                case ReviewCommand():
                    answers.append(self._review(hub, command, said, origin))
                case AskCommand(question=question):
                    answers.append(self._ask(hub, command, question, origin))
                case PlainCommand():
                    answers.append(self._plainly(hub, command, said))
                case Misunderstood():
                    answers.append(help_text(said.why))
        if text := "\n\n".join(filter(None, answers)):
            self._reply(hub, command, text)

    def _seen(self, hub: Hub, command: Command) -> None:
        """Show at once that the command has come."""
        react = threads.react if command.thread else Hub.react
        try:
            react(hub, command.repository, command.comment_id, "eyes")
        except Forbidden as error:
            log.warning("no reaction", extra={"comment": command.comment_id, "why": error})

    def _plainly(self, hub: Hub, command: Command, said: PlainCommand) -> str:
        """Obey a command without arguments; return the answer, "" where the deed is one."""
        match said.name:
            case "help":
                return help_text()
            case "cost":
                return self._cost(command)
            case "resolve":
                return self._resolve(hub, command)
            case _:
                return self._switched(command, said.name)

    def _switched(self, command: Command, name: Literal["stop", "pause", "resume"]) -> str:
        where = command.repository_id, command.number
        if name == "stop":
            return "" if self._store.stop(*where, STOPPED) else "Nothing is running here."
        if name == "pause":
            self._store.pause(*where, command.sender)
            return "Paused: pushes are reviewed again after `/rlm resume`."
        if self._store.resume(*where):
            return "Pushes are reviewed again, from the next one on."
        return "It was not paused: each push is reviewed."

    def _cost(self, command: Command) -> str:
        spent = self._store.spent(command.repository_id, command.number)
        if not spent.runs:
            return "Nothing has run here, as far as I remember."
        text = f"{words.money(spent.usd)} for {words.count(spent.calls, 'call')} to the model, in "
        text += f"{words.count(spent.runs, 'run')} on this pull request."
        if spent.unpriced:
            text += (
                f" Not counted: {words.count(spent.unpriced, 'run')} of a model without a price."
            )
        return markdown_line(text)

    def _resolve(self, hub: Hub, command: Command) -> str:
        """Resolve the thread that the command stands in, or all of ours."""
        ours = (hub.actor or "").lower()
        every = [
            one
            for one in threads.threads(hub, command.repository, command.number)
            if one.first.login.lower() == ours
            and (not command.thread or one.first.number == command.thread)
        ]
        if not every:
            return "This thread is not mine." if command.thread else "No thread here is mine."
        closed = [threads.close(hub, one) for one in every if not one.resolved]
        if "left" in closed:
            return "I may not resolve threads here: the App has not the permission."
        if not closed:
            return "All of it is resolved already."
        done = words.count(len(closed), "thread")
        if "folded" in closed:
            return f"{done} folded away. To resolve them takes the permission to write contents."
        return "" if command.thread else f"{done} resolved."

    def _review(self, hub: Hub, command: Command, said: ReviewCommand, origin: str) -> str:
        pull = pull_at(hub, command.repository, command.number)
        if pull is None or pull.state != "open":
            return "Only an open pull request is reviewed."
        wish = Wish(
            trigger="command",
            full=said.full,
            paths=said.paths,
            comment=command.comment_id,
            thread=command.thread,
        )
        self._begin(hub, command.installation, pull, origin, wish)
        return ""

    def _ask(self, hub: Hub, command: Command, text: str, origin: str) -> str:
        pull = pull_at(hub, command.repository, command.number)
        if pull is None:
            return "The pull request is not there any more."
        thread = None
        if command.thread:
            thread = threads.thread_of(hub, pull.repository, command.number, command.thread)
        question = question_of(text, thread, pull, command, hub.actor or "")
        wish = Wish(
            trigger="command", comment=command.comment_id, thread=command.thread, question=question
        )
        self._begin(hub, command.installation, pull, origin, wish)
        return ""

    def _refuse(self, hub: Hub, command: Command) -> None:
        """Say once to each person on a pull request that the command is not theirs to give."""
        text = "Only people who may write to this repository can give commands."
        about = f"refused-{command.sender.lower()}"
        reply(hub, command.repository, command.number, text, about=about, key=self._key)

    def _reply(self, hub: Hub, command: Command, text: str) -> None:
        about = f"comment-{command.comment_id}"
        where = command.repository, command.number
        reply(hub, *where, text, about=about, key=self._key, thread=command.thread)
