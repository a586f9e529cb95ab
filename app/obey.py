"""Doing what comments say: the commands of people who may write, each done once.

A command is obeyed by a job that may be killed and called again: what it starts has the comment for
its origin, and what it says has it in the marker.
"""

import logging
from collections.abc import Callable
from typing import Literal

from app.caps import spent_against
from app.commands import (
    MAX_QUESTION_CHARS,
    AskCommand,
    ForgetCommand,
    Misunderstood,
    PlainCommand,
    ReviewCommand,
    help_text,
    parse_commands,
)
from app.config_rows import Configured, Row
from app.github import threads
from app.github.client import Hub
from app.github.dismissals import dismissals, dismisses, finding_of
from app.github.errors import Forbidden
from app.github.markers import Seal
from app.github.pulls import Pull, pull_at
from app.github.replies import reply
from app.jobs import Command, Reply, Wish
from app.operations import DEFAULTS, Operations
from app.questions import question_of
from app.render import words
from app.render.escape import cut, markdown_code, markdown_line
from app.store import Dismissed, Store

log = logging.getLogger(__name__)

STOPPED = "somebody gave the command `/rlm stop`"

MOST_ANSWERS = 30
"""On one pull request: two that answer each other must come to an end."""

MOST_OF_AUTHOR = 5
"""The same, where the author may not write to the repository: anybody can open a pull request."""

ARGUMENT_WORDS = 8

MEMORY_SHOWN = 100
TITLE_CHARS = 120
VALUE_CHARS = 300

Begin = Callable[[Hub, int, Pull, str, Wish], None]
"""Begins a run of an installation over a pull request, once for its origin, as wished."""


class Commands:
    """Obeys commands."""

    def __init__(
        self,
        store: Store,
        begin: Begin,
        marker_key: bytes,
        operations: Operations = DEFAULTS,
    ) -> None:
        self._store = store
        self._begin = begin
        self._key = marker_key
        self._operations = operations

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
                case ForgetCommand(finding=finding):
                    answers.append(self._forget(command, finding))
                case PlainCommand():
                    answers.append(self._plainly(hub, command, said, origin))
                case Misunderstood():
                    answers.append(help_text(said.why))
        if text := "\n\n".join(filter(None, answers)):
            self._reply(hub, command, text)

    def hear(self, hub: Hub, said: Reply) -> None:
        """Hear an answer in a thread that we began: remember a dismissal, answer an objection.

        Whoever neither may write nor is the author is not answered: it costs money.
        """
        if not threads.is_begun_by_us(hub, said.repository, said.thread):
            return
        thread = threads.thread_of(hub, said.repository, said.number, said.thread)
        seal = Seal(self._key, said.repository_id, said.number)
        if thread is None or not (finding := finding_of(thread, hub.actor or "", seal)):
            return
        pull = pull_at(hub, said.repository, said.number)
        if pull is None:
            return
        if dismisses(said.body):
            for one in dismissals(hub, pull.repository, pull.author, [thread], seal):
                self._store.dismiss(
                    said.repository_id,
                    Dismissed(one.finding, one.path, one.title, one.who, one.url),
                )
                log.info("dismissed", extra={"finding": finding, "by": one.who})
                threads.react(hub, pull.repository, said.comment_id, "+1")
            return
        if not argues(said.body) or not self._has_answers_left(hub, said, pull):
            return
        text = said.body[:MAX_QUESTION_CHARS]
        question = question_of(text, thread, pull, said, hub.actor or "")
        wish = Wish(trigger="reply", comment=said.comment_id, thread=said.thread, question=question)
        self._begin(hub, said.installation, pull, f"comment:{said.comment_id}", wish)

    def _has_answers_left(self, hub: Hub, said: Reply, pull: Pull) -> bool:
        """May whoever said this be answered, and was not answered too often?"""
        if hub.may_write(said.repository, said.sender):
            most = MOST_ANSWERS
        elif said.sender.lower() == pull.author.lower():
            most = MOST_OF_AUTHOR
        else:
            return False
        runs = self._store.runs_of(said.repository_id, said.number)
        if sum(run.kind == "ask" for run in runs) < most:
            return True
        log.info("not answered", extra={"comment": said.comment_id, "why": "too many"})
        return False

    def _seen(self, hub: Hub, command: Command) -> None:
        """Show at once that the command has come."""
        react = threads.react if command.thread else Hub.react
        try:
            react(hub, command.repository, command.comment_id, "eyes")
        except Forbidden as error:
            log.warning("no reaction", extra={"comment": command.comment_id, "why": error})

    def _plainly(self, hub: Hub, command: Command, said: PlainCommand, origin: str) -> str:
        """Obey a command without arguments; return the answer, "" where the deed is one."""
        match said.name:
            case "help":
                return help_text()
            case "cost":
                return self._cost(command)
            case "memory":
                return self._memory(command)
            case "resolve":
                return self._resolve(hub, command)
            case "stop" | "pause" | "resume":
                return self._switched(command, said.name)
            case "config":
                return self._config(hub, command, origin)

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

    def _config(self, hub: Hub, command: Command, origin: str) -> str:
        """Have an engine look: what holds is read from the repository, as for a review."""
        pull = pull_at(hub, command.repository, command.number)
        if pull is None:
            return "The pull request is not there any more."
        wish = Wish(
            trigger="command", comment=command.comment_id, thread=command.thread, config=True
        )
        self._begin(hub, command.installation, pull, origin, wish)
        return ""

    def _memory(self, command: Command) -> str:
        every = self._store.dismissed(command.repository_id)
        if not every:
            return (
                "Nothing was dismissed here. Whoever may write and is not the author dismisses a "
                'finding by answering "won\'t fix" or "false positive", or with a thumb that '
                "points down."
            )
        rows = [
            f"| {markdown_code(one.finding, cell=True)} | {markdown_code(one.path, cell=True)} | "
            f"{_cell(one.title)} | {markdown_code(one.who, cell=True)} |"
            for one in every[-MEMORY_SHOWN:]
        ]
        if (more := len(every) - MEMORY_SHOWN) > 0:
            rows.append(f"| | | {more:,} more, older | |")
        head = "| Name | File | Finding | Dismissed by |\n|---|---|---|---|\n"
        return head + "\n".join(rows) + "\n\n`/rlm forget NAME` has one said again."

    def _forget(self, command: Command, finding: str) -> str:
        if self._store.forget(command.repository_id, finding):
            return f"{markdown_code(finding)} is said again when it is found again."
        return f"{markdown_code(finding)} was not dismissed here; `/rlm memory` lists what was."

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
        against = spent_against(
            self._operations,
            self._store.spent_by_pull(command.repository_id, command.number),
            self._store.spent_this_month(command.installation),
        )
        return markdown_line(" ".join(filter(None, (text, against))))

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


def argues(text: str) -> bool:
    """Does an answer want one? A question does, and an argument; "Done, thanks" does not."""
    said = [line for line in text.splitlines() if not line.lstrip().startswith(">")]
    words_ = " ".join(said).split()
    return "?" in " ".join(said) or len(words_) >= ARGUMENT_WORDS


def configured(what: Configured) -> str:
    """Return what holds in a repository, as Markdown."""
    head = "| Key | Value | From |\n|---|---|---|"
    table = [head, *(f"| {' | '.join(map(_code_cell, _cells(row)))} |" for row in what.rows)]
    notes = [f"- {markdown_line(note)}" for note in what.notes]
    return "\n\n".join("\n".join(part) for part in (table, notes) if part)


def _cells(row: Row) -> tuple[str, str, str]:
    return row.key, cut(row.value, VALUE_CHARS), row.source


def _code_cell(text: str) -> str:
    return markdown_code(text, cell=True)


def _cell(text: str) -> str:
    """Return the title of a finding for a cell of a table."""
    return markdown_line(cut(text, TITLE_CHARS)).replace("|", "\\|")
