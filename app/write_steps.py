"""What the github role does for runs that write: plans are shown and started, results delivered.

A plan is a comment. Somebody who may write starts it, with `/rlm go` or a reaction, once: the run
that carries it out has the plan for its origin. What a run came to is handed to `deliver`, which
makes the branch and the pull request or says why there is none; here it is decided with which
permissions, and remembered what stands where.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from pydantic import ValidationError

from app.behind import Above, tell_behind
from app.commands import FixCommand, Parsed, PlainCommand, RefactorCommand
from app.fix_steps import MOST_STACKED, FixSteps
from app.github import own_comment
from app.github.auth import NotGranted
from app.github.branches import undo
from app.github.client import Hub
from app.github.comments import written_at
from app.github.errors import Limited, NotThere, Refused
from app.github.patch_comments import undo_patch
from app.github.pulls import Pull, pull_at
from app.github.replies import reply
from app.github.stacked import Delivered, Delivery, branch_name, deliver, settled
from app.jobs import Ci, Command, Wish
from app.render.escape import markdown_line
from app.render.writing import (
    can_start,
    kept_branch_lead,
    patch_undone_lead,
    plan_comment,
    superseded_comment,
    undone_comment,
)
from app.run_life import Begin, Connect
from app.store import Kind, Plan, Run, Stacked, Store, Task
from app.stored import read_stored
from app.writes_wanted import wanted
from app.written import Written
from reviewer.errors import GiveUp, RetryLater, RlmError
from reviewer.refactor.values import Refactoring

log = logging.getLogger(__name__)

DAY_S = 86_400.0
WAITS_S = 7 * DAY_S
"""A plan waits so long for somebody to start it; then the code is another."""

YOUNG_S = 3_600.0
"""The reactions to a plan that was shown less long ago are looked at often."""

REACTIONS_S = 30.0

KEEP_PLANS_S = 30 * DAY_S

MOST_ASKED = 10
"""Of those who reacted to a plan, so many are asked about at GitHub in each round: anybody can
react. Who may not is not asked about again, so that a crowd keeps nobody from starting it.
"""

MOST_SUPERSEDED = 3
"""Plans before a new one that are looked at: each of them was one's turn when it was shown."""

ONLY_OPEN = "Only an open pull request is worked on."
NO_PLAN = "There is no plan that waits here. `/rlm refactor` and what to change makes one."
STILL_PLANNED = (
    "The plan is still being made. When it is here, `/rlm go` or a reaction to it starts it."
)
NOT_SEEN = "The newest plan here is newer than this comment: read it, and say `/rlm go` again."
ALREADY = "The newest plan here is started already. `/rlm refactor` makes another one."
NOTHING = frozenset({"problem", "lost", "stopped"})
"""How a run ends that has made nothing: its plan can be started again."""

AGAIN = (
    "The plan is still there: `/rlm go` starts it again. A reaction does not: it may have been "
    "meant for the run before."
)
AGAIN_LATER = "When this pull request is open again, `/rlm go` starts the plan again."
OTHER_PLAN = "A newer plan has taken the place of this one meanwhile: `/rlm go` starts that."

DECIDED = frozenset({NO_PLAN, ALREADY})
EDITED = (
    "This plan was edited after it was made, so it is not carried out. Ask again, with "
    "`/rlm refactor` and what to do differently."
)
NOTHING_STACKED = "There is no pull request of mine on top of this one."
TOO_OLD = "This plan waited for more than a week. Ask again with `/rlm refactor`."

UNFIT = "What came of it is not fit to be written."

PROBLEM_CHARS = 2_000

TASKS: Mapping[Kind, Task] = {"refactor": "refactor", "fix": "fix", "tests": "tests"}


class Writing:
    """Obeys what is to be written, and delivers what came of it."""

    def __init__(
        self,
        store: Store,
        connect: Connect,
        begin: Begin,
        key: bytes,
        *,
        connect_to_read: Connect | None = None,
        connect_to_write: Connect | None = None,
        page: Callable[[Run], str] = lambda _run: "",
    ) -> None:
        """Take what it needs; without `connect_to_write` the server does not write.

        `connect_to_read`: where files can be read, to show a patch of them.
        """
        self._store = store
        self._connect = connect
        self._connect_to_read = connect_to_read
        self._connect_to_write = connect_to_write
        self._begin = begin
        self._key = key
        self._page = page
        self.fixes = FixSteps(store, begin, key)
        self._comments: dict[str, int] = {}
        """Where the comments of runs are: each is looked for once."""
        self._refused: dict[str, set[int]] = {}
        """By plans: the reactions of people who may not start them."""
        self._limited: dict[int, float] = {}
        """Until when (on the monotonic clock) an installation has no requests left."""

    # Commands

    def obey(self, hub: Hub, command: Command, said: Parsed, origin: str) -> str:
        """Do what a command about writing says; return the answer, "" where the deed is one."""
        match said:
            case RefactorCommand(instruction=instruction):
                return self.ask(hub, command, "refactor", origin, instruction=instruction)
            case PlainCommand(name="tests"):
                return self.ask(hub, command, "tests", origin)
            case PlainCommand(name="go"):
                return self.go(hub, command)
            case PlainCommand(name="undo"):
                return self.undo(hub, command)
            case FixCommand():
                return self.fixes.obey(hub, command, said, origin)
            case _:
                raise ValueError(f"nothing to be written: {said}")

    def ask(
        self,
        hub: Hub,
        command: Command,
        task: Task,
        origin: str,
        *,
        instruction: str = "",
        findings: tuple[str, ...] = (),
    ) -> str:
        """Begin a run that writes, for a command; return why not, "" where it begins."""
        pull = pull_at(hub, command.repository, command.number)
        if pull is None or pull.state != "open":
            return ONLY_OPEN
        wish = Wish(
            trigger="command",
            comment=command.place,
            thread=command.thread,
            sender=command.sender,
            task=task,
            instruction=instruction,
            findings=findings,
        )
        self._begin(hub, command.installation, pull, origin, wish)
        return ""

    def go(self, hub: Hub, command: Command) -> str:
        """Start the newest plan on a pull request; return why not, "" if it began."""
        where = command.repository_id, command.number
        runs = self._store.runs_of(*where)
        if any(_began_by(run, command.place) for run in runs):
            return ""  # this command did so, before its job was interrupted
        if any(_is_planning(run) for run in runs):
            return STILL_PLANNED
        newest = next(iter(self._store.plans_of(*where)), None)
        if newest is None:
            return NO_PLAN
        if newest.state == "started" and (why := self._decided(newest, self._tries(newest))):
            return why
        said = written_at(hub, command)
        if said < newest.stands:
            return NOT_SEEN
        wish = Wish(
            trigger="go",
            comment=command.place,
            thread=command.thread,
            sender=command.sender,
            task="refactor",
        )
        return self._start(hub, newest, wish)

    def undo(self, hub: Hub, command: Command) -> str:
        """Close the newest pull request of ours on top of this one, and delete its branch; where
        none is left, mark the newest patch in a comment as undone."""
        found = self._to_undo(command)
        if found is None or not _is_to_undo(found, command.place):
            by = f"{hub.server.web}/{command.repository}/pull/{command.number}#{command.anchor}"
            where = command.repository, command.number
            if patch := undo_patch(hub, *where, by, self._key):
                return patch_undone_lead(patch)
        if found is None:
            return NOTHING_STACKED
        self._store.update(found.run, undone_by=command.place)
        name = command.repository
        url = f"{hub.server.web}/{name}/pull/{found.stacked}"
        with self.opened(command, hub, write=True) as (writer, writes):
            try:
                done = undo(writer, name, found.stacked, found.branch, found.head)
            except GiveUp as error:
                return markdown_line(str(error))
        if done.branch == "forbidden" and not writes:
            done = replace(done, branch="off")
        if done.pull != "forbidden":  # of what is merged, too, there is nothing more to undo
            merged = done.pull == "merged"
            self._store.update(found.run, state="merged" if merged else "undone")
        return undone_comment(found.stacked, url, found.branch, done.pull, done.branch, done.why)

    def _to_undo(self, command: Command) -> Stacked | None:
        """Return what a command means: what it had undone before, else the newest that is open, or
        merged and not said to be so yet, else the newest; on a stacked pull request itself, that.
        """
        here = self._store.by_stacked(command.repository_id, command.number)
        if here is not None:
            return here
        every = self._store.stacked_of(command.repository_id, command.number)
        mine = [one for one in every if one.undone_by == command.place]
        meant = [one for one in every if _is_to_undo(one, command.place)]
        return next(iter([*mine, *meant, *every]), None)

    def note_push(self, hub: Hub, pull: Pull) -> None:
        """Note which of ours on top of a pull request are merged, that is a push to it, and whether
        it is one of ours that is merged itself: perhaps elsewhere, when the one below was closed.

        Those that are open on an open one are told what the push means for them; so is one of ours
        that somebody has pushed to itself, for what it was told may be over by that.
        """
        here = self._store.by_stacked(pull.repository_id, pull.url.number)
        if here is not None and here.state == "open" and pull.state == "merged":
            self._store.update(here.run, state="merged")
        elif here is not None and here.state == pull.state == "open":
            below = pull_at(hub, pull.repository, here.number)
            if below is not None and below.state == "open":
                self._tell_behind(hub, below, pull, here)
        every = self._store.stacked_of(pull.repository_id, pull.url.number)
        for made in [one for one in every if one.state == "open"][:MOST_STACKED]:
            there = pull_at(hub, pull.repository, made.stacked)
            if there is not None and there.state == "merged":
                self._store.update(made.run, state="merged")
            elif there is not None and there.state == pull.state == "open":
                self._tell_behind(hub, pull, there, made)

    def _tell_behind(self, hub: Hub, pull: Pull, there: Pull, made: Stacked) -> None:
        run = self._store.run(made.run)
        kept = [self._store.result(one) for one in made_by(self._store, made)]
        if run is None or not all(kept):
            return  # it is forgotten what it was made of
        try:
            every = [Written.model_validate_json(one).names for one in kept]
        except ValidationError:
            return
        names = tuple(sorted({name for some in every for name in some}))
        about = f"behind-{made.run}"
        above = Above(made.stacked, made.task, there.base_ref, there.head, about)
        with self.opened(run, hub, write=False) as (reader, _):
            tell_behind(hub, reader, pull, above, lambda *_: names, self._key)

    # Plans

    def look_at_reactions(self, *, young: bool) -> int:
        """Start the plans that somebody who may has reacted to; return how many were.

        `young`: look at those alone that were shown just now.
        """
        now = self._store.now()
        started = 0
        waiting = self._store.waiting_plans(now - (YOUNG_S if young else 2 * WAITS_S))
        for plan in waiting:
            if time.monotonic() < self._limited.get(plan.installation, 0.0):
                continue
            try:
                started += self._looked_at(plan, now)
            except Limited as error:
                self._limited[plan.installation] = time.monotonic() + error.after_s
                log.info("no more requests", extra={"run": plan.run, "after_s": error.after_s})
            except RlmError as error:  # the others can still be looked at
                log.info("reactions not read", extra={"run": plan.run, "why": error})
        if not young:
            self._store.forget_plans(now - KEEP_PLANS_S)
            for gone in self._refused.keys() - {plan.run for plan in waiting}:
                self._refused.pop(gone, None)
        return started

    def _looked_at(self, plan: Plan, now: float) -> bool:
        if now - plan.since > WAITS_S:
            self._store.decide(plan.run, "over")
            return False
        with self._connect(plan.installation, plan.repository_id) as hub:
            try:
                people = own_comment.starters(hub, plan.repository, plan.comment, plan.stands)
            except NotThere:  # it was deleted, and with it the plan
                self._store.decide(plan.run, "over")
                return False
            refused = self._refused.setdefault(plan.run, set())
            unasked = [who for who, reaction in people.items() if reaction not in refused]
            for who in unasked[:MOST_ASKED]:
                if not hub.may_write(plan.repository, who):
                    refused.add(people[who])
                else:
                    wish = Wish(trigger="reaction", sender=who, task="refactor")
                    if why := self._start(hub, plan, wish):
                        if why in DECIDED:
                            return False  # and whoever did so has been told
                        about = f"not-started-{plan.run}"
                        reply(hub, plan.repository, plan.number, why, about=about, key=self._key)
                        self._store.decide(plan.run, "over")
                    return not why
        return False

    def _start(self, hub: Hub, plan: Plan, wish: Wish) -> str:
        """Begin the run that carries a plan out, once; return why not, "" if it has begun."""
        if self._store.now() - plan.since > WAITS_S:
            self._store.decide(plan.run, "over")
            return TOO_OLD
        stands = own_comment.standing(hub, plan.repository, plan.comment)
        if stands is None or stands.digest != plan.digest:
            if why := self._decided(plan, self._tries(plan)):
                return why  # we have edited it ourselves: a newer one is there
            self._store.decide(plan.run, "over")
            return NO_PLAN if stands is None else EDITED
        pull = pull_at(hub, plan.repository, plan.number)
        if pull is None or pull.state != "open":
            return ONLY_OPEN
        # What is decided and the origin come of one look: who begins it at the same time begins the
        # same run, and who comes later sees it.
        tries = self._tries(plan)
        if why := self._decided(plan, tries):
            return why
        wish = wish.model_copy(update={"plan_of": plan.run})
        origin = f"go:{plan.run}" + (f":{len(tries)}" if tries else "")
        self._begin(hub, plan.installation, pull, origin, wish)
        self._store.decide(plan.run, "started")
        return ""

    def set_aside(self, repository_id: int, number: int) -> bool:
        """Let the plan that waits on a pull request wait no more; was there one?"""
        since = self._store.now() - WAITS_S
        plans = [one for one in self._store.plans_of(repository_id, number) if one.since >= since]
        # One that was started waits again after a run that came to nothing.
        waiting = [one for one in plans if not self._decided(one, self._tries(one))]
        for plan in waiting:
            self._store.decide(plan.run, "over", started_too=True)
        return bool(waiting)

    def _decided(self, plan: Plan, tries: Sequence[Run]) -> str:
        """Return why a plan waits no more, as it is known by now: another server may have started
        it, or shown a newer one, since it was read.

        It waits again after a run that came to nothing.
        """
        known = self._store.plan(plan.run)
        if known is None or known.state == "over":
            return NO_PLAN
        if tries and not self._came_to_nothing(tries[0]):
            self._store.decide(known.run, "started")  # whoever began it was killed before this
            return ALREADY
        return ALREADY if known.state == "started" and not tries else ""

    def _tries(self, plan: Plan) -> list[Run]:
        """Return the runs that were to carry a plan out, the newest first."""
        runs = self._store.runs_of(plan.repository_id, plan.number)
        first = f"go:{plan.run}"
        return [run for run in runs if f"{run.origin}:".startswith(f"{first}:")]

    def _came_to_nothing(self, run: Run) -> bool:
        """Has a run ended without anything of what it was to make, not even a patch?"""
        how = run.outcome.partition(":")[0]
        return run.state == "ended" and how in NOTHING and self._store.stacked(run.id) is None

    # What came of a run

    def publish(self, hub: Hub, run: Run, wish: Wish) -> str:
        """Say what a run came to, and bring it where it belongs; return how it ended."""
        written = read_written(run)
        account = written.account
        if isinstance(account, Refactoring) and not wish.plan_of:
            return self._show_plan(hub, run, wish, account)
        if account.status == "declined" and isinstance(account, Refactoring):
            self.say(hub, run, wish, plan_comment(account))
            return "declined"
        write = written.policy_write and bool(written.commits)
        with self.opened(run, hub, write=write) as (writer, writes):
            if write and writes:
                written = wanted(writer, run.repository, written)
            done = deliver(writer, self._delivery(run, written, writes), key=self._key)
        self._note(run, done)
        if done.text:
            self._say_done(hub, run, wish, done, done.text)
        for part, text in enumerate(done.more, 1):
            own_comment.put(
                hub, run.repository, run.number, text, f"written-{run.id}-{part}", self._key
            )
        return done.outcome

    def _delivery(self, run: Run, written: Written, writes: bool) -> Delivery:
        page = self._page(run)
        return Delivery(
            run=run.id,
            repository=run.repository,
            number=run.number,
            written=written,
            server_writes=writes,
            repository_id=run.repository_id,
            base=run.base,
            tests_first=True,
            page=page,
            patch_page=f"{page}/patch" if page and written.mails else "",
        )

    def _note(self, run: Run, done: Delivered) -> None:
        """Remember the pull request that a run has opened, if it has."""
        if not done.number or run.kind not in TASKS:
            return
        self._store.note(
            Stacked(
                run=run.id,
                repository_id=run.repository_id,
                number=run.number,
                stacked=done.number,
                branch=done.branch,
                head=done.head,
                task=TASKS[run.kind],
            )
        )
        log.info("stacked", extra={"run": run.id, "pull": done.number, "branch": done.branch})

    def _say_done(self, hub: Hub, run: Run, wish: Wish, done: Delivered, text: str) -> None:
        """Say what stands. Where that is a pull request it counts, whether or not we may speak."""
        try:
            self.say(hub, run, wish, text)
        except Refused as error:
            if not done.number:
                raise
            log.warning("not said", extra={"run": run.id, "why": error})

    def _show_plan(self, hub: Hub, run: Run, wish: Wish, account: Refactoring) -> str:
        stands = self.say(hub, run, wish, plan_comment(account))
        if not can_start(account):
            return "declined" if account.status == "declined" else "no plan"
        self._store.propose(
            Plan(
                run=run.id,
                installation=run.installation,
                repository_id=run.repository_id,
                repository=run.repository,
                number=run.number,
                comment=stands.id,
                digest=stands.digest,
                state="waiting",
                since=time.time(),
                stands=stands.since,
            )
        )
        self._supersede(hub, run, stands.id)
        return "planned"

    def _supersede(self, hub: Hub, run: Run, newer: int) -> None:
        """Let the plans before the one in the comment `newer` say that it took their place.

        Each says so once: it is edited only while it stands there as it was shown. What a person
        has made of it is left to them.
        """
        url = f"{hub.server.web}/{run.repository}/pull/{run.number}#issuecomment-{newer}"
        plans = self._store.plans_of(run.repository_id, run.number)
        for plan in [one for one in plans if one.run != run.id][:MOST_SUPERSEDED]:
            tries = self._tries(plan)
            if tries and not self._came_to_nothing(tries[0]):
                continue
            stands = own_comment.standing(hub, run.repository, plan.comment)
            kept = self._store.result(plan.run)
            if stands is None or stands.digest != plan.digest or not kept:
                continue
            account = read_stored(Written, kept).account
            if isinstance(account, Refactoring):
                text, about = superseded_comment(account, url), _about_plan(plan.run)
                where = run.repository, run.number
                try:
                    own_comment.put(hub, *where, text, about, self._key, plan.comment)
                except Refused as error:
                    log.warning("not said", extra={"run": plan.run, "why": error})

    def end_without(self, hub: Hub, run: Run, wish: Wish, *, last: bool = False) -> str:
        """Say that a run was stopped, or why it came to nothing; return how it ended.

        An attempt to deliver it may have been interrupted: a pull request that it opened is said
        and remembered, a branch without one is taken away. `last`: nobody comes back to it.
        """
        left = self._left(hub, run, wish, last=last)
        self._note(run, left)
        why, outcome = ended_without(run)
        if left.number:
            text = f"{why} It was done by then, and this stands:\n\n{left.text}"
            self._say_done(hub, run, wish, left, text)
            return left.outcome
        if left.branch:
            why = f"{why} {kept_branch_lead(left.branch)}"
        elif run.stop:
            why = f"{why} Nothing was changed."
        then = self._then(hub, run, wish) if wish.plan_of and not left.branch else ""
        self.say(hub, run, wish, "\n\n".join(filter(None, (why, then))))
        return outcome

    def _then(self, hub: Hub, run: Run, wish: Wish) -> str:
        """Say what is to be done now, after a run that was to carry a plan out and came to nothing.

        A reaction starts nothing by then: one that stands there may have been meant for before.
        """
        plans = self._store.plans_of(run.repository_id, run.number)
        plan = next((one for one in plans if one.run == wish.plan_of), None)
        if plan is None or self._store.now() - plan.since > WAITS_S:
            return TOO_OLD
        if plan.run != plans[0].run:
            return OTHER_PLAN
        pull = pull_at(hub, run.repository, run.number)
        return AGAIN if pull is not None and pull.state == "open" else AGAIN_LATER

    def _left(self, hub: Hub, run: Run, wish: Wish, *, last: bool) -> Delivered:
        """See to what an attempt to deliver a run has left behind."""
        nothing = Delivered("nothing")
        if not run.report or (wish.task == "refactor" and not wish.plan_of):
            return nothing
        try:
            written = read_written(run)
        except GiveUp:  # what is not fit to be written was never begun
            return nothing
        write = written.policy_write and bool(written.commits)
        if not write:
            return nothing
        try:
            with self.opened(run, hub, write=write) as (writer, writes):
                return settled(writer, self._delivery(run, written, writes))
        except Limited:
            raise
        except (RetryLater, GiveUp) as error:
            if not last:
                raise
            log.warning("perhaps left", extra={"run": run.id, "why": error})
            return replace(nothing, branch=branch_name(written.task, run.number, run.id))

    def finishing(self, made: Stacked) -> list[Ci]:
        """Return what has the patches follow at once on tests that may be on a branch alone."""
        run, written = self._store.run(made.run), self.tests_first(made)
        if run is None or written is None or made.state != "open" or made.rounds:
            return []
        return [watching(run, made)]

    def tests_first(self, made: Stacked) -> Written | None:
        """Return what a run has written if its tests were to be on the branch alone first."""
        kept = self._store.result(made.run)
        written = read_stored(Written, kept) if kept else None
        return written if written is not None and written.tests_first else None

    def progress(self, hub: Hub, run: Run) -> None:
        """Say how far a run is, where its result will stand."""
        wish = read_stored(Wish, run.request)
        doing = "Working on it" if wish.plan_of or wish.task != "refactor" else "Planning it"
        self.say(hub, run, wish, f"{doing}. {markdown_line(run.progress)}")

    def say(self, hub: Hub, run: Run, wish: Wish, text: str) -> own_comment.Standing:
        """Let the one comment of a run say this."""
        plans = wish.task == "refactor" and not wish.plan_of
        about = _about_plan(run.id) if plans else f"written-{run.id}"
        known = self._comments.get(run.id, 0)
        stands = own_comment.put(hub, run.repository, run.number, text, about, self._key, known)
        if run.state == "open" and len(self._comments) < 1_000:
            self._comments[run.id] = stands.id
        return stands

    def forget(self, run: Run) -> None:
        """Forget where the comment of a run is: it has ended."""
        self._comments.pop(run.id, None)

    @contextmanager
    def opened(self, place: Run | Command, hub: Hub, *, write: bool) -> Iterator[tuple[Hub, bool]]:
        """Yield GitHub with the permission to write contents, if the server has it and it is of
        use (`write`), or to read them, and whether the server writes.
        """
        writes = self._connect_to_write is not None
        wanted = [self._connect_to_write] if write and writes else []
        with ExitStack() as opened:
            for connect in (*wanted, self._connect_to_read):
                if connect is None:
                    continue
                try:
                    found = opened.enter_context(connect(place.installation, place.repository_id))
                except NotGranted as error:
                    log.warning("not granted", extra={"repo": place.repository, "why": error})
                    writes = False
                else:
                    hub = found
                    break
            yield hub, writes


def _about_plan(run: str) -> str:
    """Name the comment with the plan that a run has made."""
    return f"plan-{run}"


def _is_to_undo(made: Stacked, place: int) -> bool:
    """Is there something to undo or to be said of a pull request, by the command at that place?

    That one is merged is said once.
    """
    unsaid = made.state == "merged" and not made.undone_by
    return made.state == "open" or unsaid or made.undone_by == place


def _is_planning(run: Run) -> bool:
    """Is a run at a plan that nobody has seen yet?"""
    if run.kind != "refactor" or run.state != "open" or run.stop:
        return False
    return not read_stored(Wish, run.request).plan_of


def read_written(run: Run) -> Written:
    """Return what a run has written; raise GiveUp where that is not fit to be written.

    Whoever handed it over has read what strangers wrote: it answers for its own run alone.
    """
    try:
        written = Written.model_validate_json(run.report)
    except ValidationError as error:
        log.error("refused", extra={"run": run.id, "why": str(error)[:500]})
        raise GiveUp(UNFIT) from error
    if written.task != run.kind or written.start != run.head:
        log.error("refused", extra={"run": run.id, "why": "it is of another task or start"})
        raise GiveUp(UNFIT)
    return written


def ended_without(run: Run) -> tuple[str, str]:
    """Return why a run that writes came to nothing, to be said, and how it ended."""
    if run.stop:
        return f"Stopped: {markdown_line(run.stop)}.", f"stopped: {run.stop}"
    problem = markdown_line((run.problem or "It came to no result.")[:PROBLEM_CHARS])
    return f"I cannot do this: {problem}", f"problem: {problem}"


def made_by(store: Store, made: Stacked) -> tuple[str, ...]:
    """Return the runs whose commits are on a branch of ours, the first one first."""
    runs = store.runs_of(made.repository_id, made.number)
    pushed = [run.id for run in runs if run.outcome == "pushed" and mends(run, made)]
    return (made.run, *reversed(pushed))


def watching(run: Run, made: Stacked) -> Ci:
    """Return the first look at what a branch ends at."""
    return Ci(
        installation=run.installation,
        repository_id=run.repository_id,
        repository=run.repository,
        number=run.number,
        run=made.run,
        head=made.head,
        since=time.time(),
        round=made.rounds,
    )


def mends(run: Run, made: Stacked) -> bool:
    """Is a run there to mend what checks say of this branch?"""
    if run.kind != "fix":
        return False
    return read_stored(Wish, run.request).stacked == made.stacked


def _began_by(run: Run, comment: int) -> bool:
    """Did this comment start a plan, in this run?"""
    if not run.origin.startswith("go:"):
        return False
    return read_stored(Wish, run.request).comment == comment
