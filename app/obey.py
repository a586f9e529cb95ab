"""Doing what comments say: the commands of people who may write, each done once.

A command is obeyed by a job that may be killed and called again: what it starts has the comment for
its origin, and what it says has it in the marker.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal

from app.arguing import argues
from app.caps import spent_against
from app.commands import (
    MAX_QUESTION_CHARS,
    ONLY_WRITERS,
    AskCommand,
    FixCommand,
    ForgetCommand,
    Misunderstood,
    PlainCommand,
    RefactorCommand,
    ReviewCommand,
    help_text,
    parse_commands,
)
from app.config_rows import Configured, Row
from app.github import threads
from app.github.client import Hub, Reaction
from app.github.closing import Closed, Closing, ToResolve
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
from app.render.markdown import LIMIT_BYTES, fitted
from app.render.outgoing import size
from app.run_life import Begin, Connect
from app.store import Dismissed, Run, Store
from app.stored import read_stored
from app.write_steps import Writing, mends

log = logging.getLogger(__name__)

UNWATCHED = "The checks of my pull request on top are not looked at any more."
UNWATCHED_HERE = "The checks of this pull request are not looked at any more."
SET_ASIDE = "The plan waits no more, and nothing starts it: `/rlm refactor` makes another."
STOPPED = "somebody gave the command `/rlm stop`"

MOST_ANSWERS = 30
"""On one pull request: two that answer each other must come to an end."""

MOST_OF_AUTHOR = 5
"""Of them to an author who may not write to the repository: anybody can open a pull request."""

MEMORY_SHOWN = 100
MEMORY_BYTES = LIMIT_BYTES - 1_000
"""Of the rows of what was dismissed: what is around them takes the rest of the comment."""

NOTES_SHOWN = 10
VALUE_BYTES = 2_000
TITLE_CHARS = 120
VALUE_CHARS = 300


class Commands:
    """Obeys commands."""

    def __init__(
        self,
        store: Store,
        begin: Begin,
        marker_key: bytes,
        writing: Writing,
        operations: Operations = DEFAULTS,
        *,
        connect_to_resolve: Connect | None = None,
    ) -> None:
        self._store = store
        self._begin = begin
        self._key = marker_key
        self._writing = writing
        self._operations = operations
        self._connect_to_resolve = connect_to_resolve

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
            origin = command.name + (f":{index}" if index else "")
            match said:
                case ReviewCommand():
                    answers.append(self._review(hub, command, said, origin))
                case AskCommand(question=question):
                    answers.append(self._ask(hub, command, question, origin))
                case ForgetCommand(finding=finding):
                    answers.append(self._forget(command, finding))
                case RefactorCommand() | FixCommand() | PlainCommand(name="go" | "tests" | "undo"):
                    answers.append(self._writing.obey(hub, command, said, origin))
                case PlainCommand():
                    answers.append(self._plainly(hub, command, said, origin))
                case Misunderstood():
                    answers.append(help_text(said.why))
        if text := "\n\n".join(filter(None, answers)):
            self._reply(hub, command, text)

    def may_matter(self, said: Reply) -> bool:
        """May an answer be one to hear, as far as that is known without asking GitHub?"""
        return self._is_ours(said) is not False

    def _is_ours(self, said: Reply) -> bool | None:
        """Does an answer in a thread of ours want something? None: GitHub knows whose it is."""
        if not (dismisses(said.body) or argues(said.body)):
            return False
        return self._store.is_ours(said.repository_id, said.number, said.thread)

    def hear(self, hub: Hub, said: Reply) -> None:
        """Hear an answer in a thread that we began: remember a dismissal, answer an objection.

        Whoever neither may write nor is the author is not heard: it costs money, and anybody can
        answer anything anywhere.
        """
        ours = self._is_ours(said)
        if ours is False:
            return
        if ours is None and not threads.is_begun_by_us(hub, said.repository, said.thread):
            return
        writes = hub.may_write(said.repository, said.sender)
        pull = pull_at(hub, said.repository, said.number)
        if pull is None or not (writes or said.sender.lower() == pull.author.lower()):
            return
        thread = threads.thread_of(hub, said.repository, said.number, said.thread)
        seal = Seal(self._key, said.repository_id, said.number)
        if thread is None or finding_of(thread, hub.actor or "", seal) is None:
            return
        if dismisses(said.body) and self._dismissed(hub, said, pull, thread, seal):
            return
        origin = f"comment:{said.comment_id}"
        if not argues(said.body) or not self._has_answers_left(said, origin, writes=writes):
            return
        text = said.body[:MAX_QUESTION_CHARS]
        wish = Wish(
            trigger="reply",
            comment=said.comment_id,
            thread=said.thread,
            question=question_of(text, thread, pull, said, hub.actor or ""),
            sender=said.sender,
        )
        self._begin(hub, said.installation, pull, origin, wish)

    def _dismissed(
        self, hub: Hub, said: Reply, pull: Pull, thread: threads.Thread, seal: Seal
    ) -> bool:
        """Remember what was dismissed in a thread; was it by this answer?"""
        found = dismissals(hub, pull.repository, pull.author, [thread], seal)
        self._store.dismiss(
            said.repository_id,
            *(one.noted() for one in found),
        )
        mine = next((one for one in found if one.comment == said.comment_id), None)
        if mine is None:
            return False
        log.info("dismissed", extra={"finding": mine.finding, "by": mine.who})
        self._store.thread_became(said.repository_id, said.thread, "dismissed")
        _react(threads.react, hub, said, "+1")
        return True

    def _has_answers_left(self, said: Reply | Command, origin: str, *, writes: bool) -> bool:
        """May one more answer be given? One that has begun is not counted against itself."""
        runs = self._store.runs_of(said.repository_id, said.number)
        if any(run.origin == origin for run in runs):
            return True
        answers = [run for run in runs if run.kind == "ask"]
        most = MOST_ANSWERS
        if not writes:
            most = MOST_OF_AUTHOR
            answers = [run for run in answers if _is_reply_of(said.sender, run)]
        if len(answers) < most:
            return True
        log.info("not answered", extra={"comment": said.comment_id, "why": "too many"})
        return False

    def _seen(self, hub: Hub, command: Command) -> None:
        """Show at once that the command has come; GitHub takes no reaction to a review."""
        if command.in_review:
            return
        _react(threads.react if command.thread else Hub.react, hub, command, "eyes")

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
            case _:
                raise ValueError(f"not answered like this: {said.name}")

    def _switched(self, command: Command, name: Literal["stop", "pause", "resume"]) -> str:
        """Do it, and say how it is now: a job that is done twice finds its own deed."""
        where = command.repository_id, command.number
        if name == "stop":
            return self._stopped(*where)
        if name == "pause":
            self._store.pause(*where, command.sender)
            return "Paused: pushes are reviewed again after `/rlm resume`."
        self._store.resume(*where)
        return "Not paused: each push is reviewed, from the next one on."

    def _stopped(self, repository_id: int, number: int) -> str:
        """Stop what runs on a pull request; else the looking at checks on top of it, and a plan
        that waits. On one of ours, stop also what is done about its own. Return the answer, ""
        where those runs say it themselves.
        """
        on_top = self._store.stacked_of(repository_id, number)
        here = self._store.by_stacked(repository_id, number)
        # First of all this: what looks at checks begins runs.
        looked_at = [one for one in (*on_top, here) if one is not None]
        watched = self._store.unwatch([one.run for one in looked_at])
        for one in looked_at if watched else ():  # what is open is made whole, at once
            self._store.put(
                *(replace(ci.job(), not_before=0.0) for ci in self._writing.finishing(one))
            )
        stopped = self._store.stop(repository_id, number, STOPPED)
        if here is not None:
            runs = self._store.runs_of(repository_id, here.number)
            mend = [run.id for run in runs if run.state == "open" and mends(run, here)]
            stopped += self._store.stop(repository_id, here.number, STOPPED, mend)
        if stopped:
            return ""
        said = []
        if watched:
            said.append(UNWATCHED if here is None else UNWATCHED_HERE)
        if self._writing.set_aside(repository_id, number):
            said.append(SET_ASIDE)
        return " ".join(said) or "Nothing is running here."

    def _config(self, hub: Hub, command: Command, origin: str) -> str:
        """Have an engine look: what holds is read from the repository, as for a review."""
        pull = pull_at(hub, command.repository, command.number)
        if pull is None:
            return "The pull request is not there any more."
        wish = Wish(trigger="command", comment=command.place, thread=command.thread, config=True)
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
        rows: list[str] = []
        room = MEMORY_BYTES
        for one in reversed(every[-MEMORY_SHOWN:]):
            row = _remembered(one)
            room -= size(row) + 1
            if room < 0:
                break
            rows.insert(0, row)
        if (more := len(every) - len(rows)) > 0:
            rows.append(f"| | | {more:,} more, older | | |")
        head = "| Name | File | Finding | Kind | Dismissed by |\n|---|---|---|---|---|\n"
        return head + "\n".join(rows) + f"\n\n{_OTHERWISE} `/rlm forget NAME` has one said again."

    def _forget(self, command: Command, finding: str) -> str:
        if self._store.forget(command.repository_id, finding):
            return f"{markdown_code(finding)} is said again when it is found again."
        return f"{markdown_code(finding)} was never dismissed here: `/rlm memory` lists what is."

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
        # Said of how it is now: a job that is done twice finds its own deed.
        closed: list[Closed] = []
        with Closing(hub, self._to_resolve(command)) as closing:
            for one in every:
                closed.append("resolved" if one.resolved else closing.close(one))
                if (state := closed[-1]) != "left":
                    self._store.thread_became(command.repository_id, one.first.number, state)
        if "left" in closed:
            return "I may not resolve threads here: the App has not the permission."
        if folded := closed.count("folded"):
            done = words.count(folded, "thread")
            return f"{done} folded away. To resolve them takes the permission to write contents."
        done = words.count(len(every), "thread")
        return "" if command.thread else f"Resolved: {done} of mine, and no other is open."

    def _to_resolve(self, command: Command) -> ToResolve | None:
        connect = self._connect_to_resolve
        where = command.installation, command.repository_id
        return None if connect is None else partial(connect, *where)

    def _review(self, hub: Hub, command: Command, said: ReviewCommand, origin: str) -> str:
        pull = pull_at(hub, command.repository, command.number)
        if pull is None or pull.state != "open":
            return "Only an open pull request is reviewed."
        wish = Wish(
            trigger="command",
            full=said.full,
            paths=said.paths,
            comment=command.place,
            thread=command.thread,
        )
        self._begin(hub, command.installation, pull, origin, wish)
        return ""

    def _ask(self, hub: Hub, command: Command, text: str, origin: str) -> str:
        pull = pull_at(hub, command.repository, command.number)
        if pull is None:
            return "The pull request is not there any more."
        if not self._has_answers_left(command, origin, writes=True):
            return (
                f"I have answered {MOST_ANSWERS} times on this pull request, and give no more "
                "answers here."
            )
        thread = None
        if command.thread:
            thread = threads.thread_of(hub, pull.repository, command.number, command.thread)
        question = question_of(text, thread, pull, command, hub.actor or "")
        wish = Wish(
            trigger="command",
            comment=command.place,
            thread=command.thread,
            question=question,
            sender=command.sender,
        )
        self._begin(hub, command.installation, pull, origin, wish)
        return ""

    def _refuse(self, hub: Hub, command: Command) -> None:
        """Say once to each person on a pull request that the command is not theirs to give."""
        about = f"refused-{command.sender.lower()}"
        reply(hub, command.repository, command.number, ONLY_WRITERS, about=about, key=self._key)

    def _reply(self, hub: Hub, command: Command, text: str) -> None:
        about = command.name.replace(":", "-")
        where = command.repository, command.number
        reply(hub, *where, text, about=about, key=self._key, thread=command.thread)


def _is_reply_of(sender: str, run: Run) -> bool:
    """Was an answer given because this person replied to us?"""
    wish = read_stored(Wish, run.request)
    return wish.trigger == "reply" and wish.sender.lower() == sender.lower()


def _react(
    react: Callable[[Hub, str, int, Reaction], None],
    hub: Hub,
    said: Command | Reply,
    content: Reaction,
) -> None:
    try:
        react(hub, said.repository, said.comment_id, content)
    except Forbidden as error:
        log.warning("no reaction", extra={"comment": said.comment_id, "why": error})


def configured(what: Configured) -> str:
    """Return what holds in a repository, as Markdown."""
    head = "| Key | Value | From |\n|---|---|---|"
    table = [head, *(f"| {' | '.join(_cells(row))} |" for row in what.rows)]
    notes = [f"- {fitted(note, VALUE_BYTES, markdown_line)}" for note in what.notes[:NOTES_SHOWN]]
    if (more := len(what.notes) - len(notes)) > 0:
        notes.append(f"- {words.count(more, 'more note')}")
    return "\n\n".join("\n".join(part) for part in (table, notes) if part)


def _cells(row: Row) -> tuple[str, str, str]:
    value = fitted(cut(row.value, VALUE_CHARS), VALUE_BYTES, _code_cell)
    return _code_cell(row.key), value, fitted(row.source, VALUE_BYTES, _code_cell)


def _code_cell(text: str) -> str:
    return markdown_code(text, cell=True)


_OTHERWISE = (
    "What has a kind is known in other words, too, in the same file: but for what is critical, a "
    "hole or a secret."
)


def _remembered(one: Dismissed) -> str:
    path = fitted(one.path, VALUE_BYTES, _code_cell)
    return (
        f"| {_code_cell(one.finding)} | {path} | {_cell(one.title)} | {_kind(one)} | "
        f"{_code_cell(one.who)} |"
    )


def _kind(one: Dismissed) -> str:
    return f"{one.severity} · {one.category}" if one.category else ""


def _cell(text: str) -> str:
    """Return the title of a finding for a cell of a table."""
    return markdown_line(cut(text, TITLE_CHARS))
