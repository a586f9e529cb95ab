"""What the github role does about a pull request that an event, or a workflow, tells of."""

import logging
from collections.abc import Callable

from app.github.client import Hub
from app.github.comments import comment_at
from app.github.pulls import Pull
from app.jobs import Command, Handed, Look, Wish, run_key
from app.obey import STOPPED
from app.open_heads import LEFT
from app.run_life import CLOSED, DRAFTED, SUPERSEDED, Begin, Connect, goes_on, its_pull
from app.store import Job, Run, Store
from app.stored import read_stored
from app.write_steps import Writing
from reviewer.errors import GiveUp

log = logging.getLogger(__name__)

ANSWERS = frozenset({"ask", "config"})
"""Kinds of runs that answer somebody: on a closed pull request, too."""

PUSHES = frozenset({"pushed", "closed", "missed"})
"""Triggers of looks before which the branch may have been pushed to, or a pull request of ours have
been merged: into this one, or this one itself."""

MAX_SUPERSEDED = 3
"""So many runs in a row may give way to a newer push; then one is let finish, so that a busy pull
request gets a review at all."""

LET_FINISH_S = 30.0

ONLY_OPEN = "Only an open pull request is reviewed."
NOT_WANTED = (
    "It is reviewed on demand alone: it is a draft, its reviews are paused (`/rlm resume`), or the "
    "App opened it."
)
NO_COMMENT = "The comment is not on this pull request, or a bot wrote it: it is no command."
ANSWERED = "What the comment says takes no review: it was obeyed or answered where it stands."

Obey = Callable[[Hub, Command], None]

Installed = Callable[[str], int]
"""Finds out the installation of the App that has a repository, by its name; or raises NotThere."""


class LookSteps:
    """Looks at pull requests, and begins and stops their reviews."""

    def __init__(
        self,
        store: Store,
        connect: Connect,
        begin: Begin,
        writing: Writing,
        *,
        installed: Installed,
        obey: Obey,
    ) -> None:
        self._store = store
        self._connect = connect
        self._begin = begin
        self._writing = writing
        self._installed = installed
        self._obey = obey

    def look(self, job: Job, look: Look) -> None:
        """Look at a pull request: stop what it wants no more, begin a review if one is wanted."""
        with self._connect(look.installation, look.repository_id) as hub:
            pull = its_pull(hub, look, look.number)
            if pull is not None and look.trigger in PUSHES:
                self._writing.note_push(hub, pull)
            if pull is None:
                self._store.stop(look.repository_id, look.number, CLOSED)
            elif pull.state != "open":
                self._stop(pull, CLOSED, lambda run: run.kind not in ANSWERS)
            else:
                if pull.draft:
                    self._stop(pull, DRAFTED, self._is_queued_unasked)
                if self._settled(hub, look, pull) is None:
                    # Not a failure: the newest head is looked at when the run before is through.
                    self._store.again(
                        job, "the run before is let finish", LET_FINISH_S, counts=False
                    )
                    return
        self._store.done(job)

    def _stop(self, pull: Pull, why: str, which: Callable[[Run], bool]) -> None:
        """Stop some of what is under way on a pull request: what has its result is let end."""
        here = pull.repository_id, pull.url.number
        listed = (self._store.run(one.id) for one in self._store.runs_of(*here) if _open([one]))
        only = [run.id for run in listed if run is not None and goes_on(run) and which(run)]
        if only:
            self._store.stop(*here, why, only)

    def _is_queued_unasked(self, run: Run) -> bool:
        """Is it a review that nobody has asked for, and that no engine has begun? One that has been
        begun is paid for: it may finish, and is told in the check run alone.
        """
        asked = read_stored(Wish, run.request).is_by_name
        return run.kind == "review" and not asked and not self._store.claimant(run_key(run.id))

    def _settled(self, hub: Hub, look: Look, pull: Pull) -> str | None:
        """Begin a review if one is wanted. Return the run that settles what this head needs ("":
        none is to), None where it has to wait for the run before.
        """
        runs = [
            run
            for run in self._store.runs_of(look.repository_id, look.number)
            if run.kind == "review"
        ]
        same = [run for run in runs if run.head == pull.head and run.base == pull.base]
        if not self._wanted(look, pull, (hub.actor or "").lower()):
            return ""
        if (counts := next(filter(_counts, same), None)) is not None:
            return counts.id
        if _superseded_in_a_row(runs) >= MAX_SUPERSEDED and _open(runs):
            return None
        # A head that was left before anything was said, and came back, is a new one.
        again = f":{len(same)}" if same else ""
        origin = f"head:{pull.base}:{pull.head}{again}"
        self._begin(
            hub, look.installation, pull, origin, Wish(trigger=look.trigger, by_bot=look.by_bot)
        )
        return self._run_of(pull, origin)

    def _run_of(self, pull: Pull, origin: str) -> str:
        """Return the run that an origin (or one below it) began, "" if there is none."""
        runs = self._store.runs_of(pull.repository_id, pull.number)
        return next((run.id for run in runs if f"{run.origin}:".startswith(f"{origin}:")), "")

    def _wanted(self, look: Look, pull: Pull, actor: str) -> bool:
        """May this pull request have a review that nobody has asked for by name?"""
        if pull.author.lower() == actor:
            return False
        if look.trigger == "requested":
            return (look.reviewer or "").lower() == actor
        if look.is_asked:
            return True
        if who := self._store.paused_by(look.repository_id, look.number):
            log.info("paused", extra={"pull": f"{look.repository}#{look.number}", "by": who})
            return False
        return not pull.draft

    def handed(self, job: Job, handed: Handed) -> None:
        """Do for the job of a workflow what an event of the same kind would lead to."""
        installation = self._installed(handed.repository)
        with self._connect(installation, handed.repository_id) as hub:
            pull = its_pull(hub, handed, handed.number)
            if pull is None:
                why = f"{handed.repository} has no pull request {handed.number}"
                raise GiveUp(f"{why}, or the App may not see it")
            if handed.comment:
                run, why = self._comment_handed(hub, installation, handed, pull)
            elif pull.state != "open":
                run, why = "", ONLY_OPEN
            else:
                found = self._pull_handed(hub, installation, handed, pull)
                if found is None:
                    self._store.again(
                        job, "the run before is let finish", LET_FINISH_S, counts=False
                    )
                    return
                run, why = found, "" if found else NOT_WANTED
        self._store.answer(handed.request, run=run, why=why)
        self._store.done(job)

    def _pull_handed(self, hub: Hub, installation: int, handed: Handed, pull: Pull) -> str | None:
        """Begin what a workflow wants of an open pull request; return as `_settled` does."""
        look = Look(
            installation=installation,
            repository_id=handed.repository_id,
            repository=pull.repository,
            number=handed.number,
            trigger="handed",
        )
        # Who may not write can start a workflow by what they do, and ask for nothing by it.
        if not handed.is_asked or not hub.may_write(pull.repository, handed.actor):
            return self._settled(hub, look, pull)
        origin = f"request:{handed.request}"
        self._begin(hub, installation, pull, origin, Wish(trigger="dispatched"))
        return self._run_of(pull, origin)

    def _comment_handed(
        self, hub: Hub, installation: int, handed: Handed, pull: Pull
    ) -> tuple[str, str]:
        """Obey a comment as if its event had come, once however it comes; return its run, or why
        there is none.
        """
        said = comment_at(hub, pull.repository, handed.number, handed.comment)
        if said is None:
            return "", NO_COMMENT
        command = Command(
            installation=installation,
            repository_id=handed.repository_id,
            repository=pull.repository,
            number=handed.number,
            comment_id=handed.comment,
            body=said.body,
            sender=said.author,
        )
        self._obey(hub, command)
        run = self._run_of(pull, f"comment:{handed.comment}")
        return run, "" if run else ANSWERED


def _counts(run: Run) -> bool:
    """Does a run settle what its head needs? Not if it ended before anything could be said."""
    if run.stop:
        return run.stop == STOPPED
    return run.outcome.partition(":")[0] not in {*LEFT, "problem", "lost"}


def _open(runs: list[Run]) -> bool:
    return any(run.state == "open" and not run.stop for run in runs)


def _superseded_in_a_row(runs: list[Run]) -> int:
    number = 0
    for run in runs:
        if run.state == "open" and not run.stop:
            continue
        if run.stop != SUPERSEDED:
            break
        number += 1
    return number
