"""What the github role does about the checks of a branch that a fix has made.

A job looks at them now and then until they have ended. What fails there and passed on the pull
request itself begins a fix of its own, whose commits go on top of the branch, twice at most.
Nothing is run here: what the checks say comes from where the repository runs them.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from app.accounts import Account
from app.github.branches import below, ends_with, push_commits, tip_of
from app.github.ci import Check, Checks, Compared, checks_of, compared, described
from app.github.ci_before import seen
from app.github.client import Hub
from app.github.errors import Forbidden, Limited, NotThere, Refused
from app.github.pulls import Pull, pull_at
from app.jobs import Checked, Ci, Wish
from app.render.ci import (
    Doing,
    checks_ended,
    checks_mended,
    checks_not_mended,
    checks_too_long,
    checks_unread,
    checks_were_mended,
    no_checks,
    shown_name,
    tests_seen,
)
from app.render.escape import markdown_line
from app.render.writing import commit_message, no_patch, opened_lead, result_comment
from app.run_life import Begin, Connect
from app.store import Job, Run, Stacked, Store
from app.stored import OtherVersion, read_stored
from app.tests_first import Seen
from app.write_steps import Writing, ended_without, made_by, read_written, watching
from app.writes_wanted import wanted, wants_writing
from app.written import Written, WrittenCommit
from reviewer.errors import GiveUp, RetryLater, RlmError
from reviewer.fix.values import Fixing

log = logging.getLogger(__name__)

MAX_ROUNDS = 2
"""How often checks are mended on one branch: what two patches do not mend, a person looks at."""

LONGEST_S = 6 * 3_600.0
"""Checks that have not ended by then are looked at no more."""

NONE_S = 1_800.0
"""Where no check has begun by then, none will."""

ALONE_S = 3_600.0
"""Tests that are on a branch alone are waited for so long; then their patches follow anyway."""

ALONE_NONE_S = 900.0
"""And so long where no check has begun on them."""

NO_PATCHES = (
    "The branch has the tests alone: `/rlm undo` takes it away, and `/rlm fix` begins anew."
)

NOT_PUSHED = {
    "moved": "Somebody else has pushed to the branch meanwhile, so this was not put on top of it.",
    "gone": "The branch is not there any more, so this was not put on top of it.",
    "undone": "The stacked pull request is not open any more: nothing was pushed.",
    "off": "Nothing was pushed: the server or the repository has writing switched off by now.",
    "large": "It is larger than what can be handed over: nothing was pushed.",
}


@dataclass(frozen=True, slots=True)
class _There:
    """The stacked pull request whose checks are looked at."""

    made: Stacked
    run: Run
    pull: Pull


@dataclass(frozen=True, slots=True)
class _Alone:
    """A branch that was made with tests alone, and what belongs on top of them."""

    made: Stacked
    run: Run
    written: Written
    patches: list[WrittenCommit]


class CiSteps:
    """Looks at checks, begins what mends them, and puts that where it belongs."""

    def __init__(self, store: Store, connect: Connect, begin: Begin, writing: Writing) -> None:
        self._store = store
        self._connect = connect
        self._begin = begin
        self._writing = writing

    # Looking

    def look(self, job: Job, ci: Ci) -> None:
        """Look at the checks of a branch, and do what follows; end the job."""
        again = None
        try:
            with self._connect(ci.installation, ci.repository_id) as hub:
                again = self._looked(hub, ci)
        except (Forbidden, NotThere) as error:
            self.lost(ci, error)
        except RetryLater as error:
            # An outage may take hours, as the checks themselves do: no attempt at it is the last.
            if isinstance(error, Limited | OtherVersion) or ci.watched_s() >= LONGEST_S:
                raise
            log.info("checks looked at later", extra={"run": ci.run, "why": error})
            again = _later(ci)
        if again is not None and self._unwatched(ci):
            again = None
        self._store.done(job, *([again.job()] if again else []))

    def lost(self, ci: Ci, error: RlmError) -> None:
        """Say that checks could not be looked at, and are not any more, where people wait for it.

        Raise RetryLater where nothing can be said now, either.
        """
        log.warning("checks not looked at", extra={"run": ci.run, "why": error})
        commits = None
        try:
            with self._connect(ci.installation, ci.repository_id) as hub:
                if (alone := self._alone(hub, ci)) is not None:
                    head = self._followed(hub, ci, alone)
                    commits = None if head else alone.written.tests_first
                    ci = ci.model_copy(update={"head": head or ci.head})
                there = self._there(hub, ci)
                if there is not None:
                    self._said(hub, there, checks_unread(ci.head, str(error)), commits=commits)
        except GiveUp as refusal:
            log.warning("not said", extra={"run": ci.run, "why": refusal})

    def _looked(self, hub: Hub, ci: Ci) -> Ci | None:
        """Return the next look, None where that was the last one."""
        if (alone := self._alone(hub, ci)) is not None:
            return self._looked_at_tests(hub, ci, alone)
        there = self._there(hub, ci)
        if there is None:
            return None
        later = _later(ci)
        age = ci.watched_s()
        checks = checks_of(hub, ci.repository, ci.head)
        if not checks.ended:
            if age < (LONGEST_S if checks.checks else NONE_S):
                return later
            hours = round(LONGEST_S / 3_600)
            text = checks_too_long(ci.head, hours) if checks.checks else no_checks(ci.head)
            self._said(hub, there, text)
            return None
        before = checks_of(hub, ci.repository, self._onto(hub, ci, there))
        found = compared(checks, before)
        if _may_still_pass(found, before) and age < LONGEST_S:
            return later
        self._ended(hub, ci, there, checks, found)
        return None

    # Tests that are there alone

    def _alone(self, hub: Hub, ci: Ci) -> _Alone | None:
        """Return the branch whose tests are looked at; None where all of it is."""
        made, run = self._store.stacked(ci.run), self._store.run(ci.run)
        written = None if made is None or ci.round else self._writing.tests_first(made)
        if made is None or run is None or written is None or made.state != "open":
            return None
        tests, patches = map(_as_committed, written.parts)
        with self._writing.opened(run, hub, write=False) as (reader, _):
            if not ends_with(reader, ci.repository, tests, ci.head):
                return None
        return _Alone(made, run, written, patches)

    def _looked_at_tests(self, hub: Hub, ci: Ci, alone: _Alone) -> Ci | None:
        """Have the patches follow if the checks of the tests have ended, or were waited for long
        enough; return the next look.
        """
        pull = pull_at(hub, ci.repository, alone.made.stacked)
        is_there = pull is not None and pull.state == "open" and pull.head == ci.head
        if is_there and not self._hurries(alone) and self._tests_go_on(hub, ci):
            return _later(ci)
        is_closed = pull is not None and pull.state == "closed"
        if is_closed and not self._hurries(alone) and ci.watched_s() < LONGEST_S:
            return _later(ci)  # opened again, it has to be made whole
        head = self._followed(hub, ci, alone)
        return (
            ci.model_copy(update={"head": head, "look": 0, "since": time.time()}) if head else None
        )

    def _hurries(self, alone: _Alone) -> bool:
        """Has somebody said that nobody is to look? What is open is made whole all the same."""
        made = self._store.stacked(alone.made.run)
        return made is None or bool(made.unwatched) or bool(self._store.stopped(alone.made.run))

    def _tests_go_on(self, hub: Hub, ci: Ci) -> bool:
        """Are the checks of tests still to be waited for? Not where they cannot be read."""
        age = ci.watched_s()
        try:
            checks = checks_of(hub, ci.repository, ci.head)
        except (Forbidden, NotThere):
            return False
        except RetryLater as error:
            if isinstance(error, Limited):
                raise
            return age < ALONE_S
        return not checks.ended and age < (ALONE_S if checks.checks else ALONE_NONE_S)

    def _followed(self, hub: Hub, ci: Ci, alone: _Alone) -> str:
        """Put the patches on top of their tests, and say where they are not to be; return the new
        end of the branch, "" for none. To do it again changes nothing.
        """
        run, made = alone.run, alone.made
        try:
            outcome, head = self._pushed(hub, run, made, alone.written, alone.patches, onto=ci.head)
        except Refused as error:
            outcome, head = f"Nothing was pushed: {markdown_line(str(error))}.", ""
        if outcome == "pushed":
            return head
        pull = pull_at(hub, ci.repository, made.stacked)
        if pull is not None and pull.state == "merged":
            self._store.update(made.run, state="merged")
        if pull is not None and not (pull.state == "closed" and self._is_gone(hub, ci, alone)):
            text = f"{NOT_PUSHED.get(outcome, outcome)} {NO_PATCHES}"
            self._said(hub, _There(made, run, pull), text, commits=alone.written.tests_first)
        return ""

    def _is_gone(self, hub: Hub, ci: Ci, alone: _Alone) -> bool:
        """Is there no branch any more that has the tests alone? Who closed it may have taken it."""
        with self._writing.opened(alone.run, hub, write=False) as (reader, _):
            return tip_of(reader, ci.repository, alone.made.branch) is None

    def _seen(self, hub: Hub, there: _There, written: Written) -> Seen | None:
        """Return what was seen of tests before their patches; None where nobody can say, or they
        are still to follow.
        """
        try:
            return self._looked_back(hub, there, written)
        except Refused as error:
            log.info("not seen before", extra={"run": there.run.id, "why": error})
            return None

    def _looked_back(self, hub: Hub, there: _There, written: Written) -> Seen | None:
        made, repository = there.made, there.pull.repository
        if not written.tests_first or not isinstance(written.account, Fixing):
            return None
        kept = [self._store.result(run) for run in made_by(self._store, made)]
        every = [read_stored(Written, one) for one in kept if one]
        above = sum(len(one.commits) for one in every) - written.tests_first
        with self._writing.opened(there.run, hub, write=False) as (reader, _):
            tip = below(reader, repository, made.head, above)
            if not tip or not ends_with(reader, repository, _as_committed(written.parts[0]), tip):
                return None
            began = below(reader, repository, tip, written.tests_first)
        alone, before = (checks_of(hub, repository, one) for one in (tip, began))
        found = compared(alone, before)
        tests = _tests_of(written.account)
        paths = {each.path for commit in written.parts[0] for each in commit.files}
        return seen(
            tip,
            [path for path in tests if path in paths],
            alone,
            found,
            checks_of(hub, repository, made.head),
            described(hub, repository, found.new),
        )

    # All of it

    def _there(self, hub: Hub, ci: Ci) -> _There | None:
        """Return what is looked at; None where it is over: stopped, undone, closed, pushed to by
        others.
        """
        made, run = self._store.stacked(ci.run), self._store.run(ci.run)
        if made is None or run is None or made.state != "open" or made.unwatched:
            return None
        if made.head != ci.head:
            return None
        pull = pull_at(hub, ci.repository, made.stacked)
        if pull is not None and pull.state == "merged":
            self._store.update(ci.run, state="merged")
        if pull is None or pull.state != "open" or pull.head != ci.head:
            return None
        return _There(made, replace(run, repository=pull.repository), pull)

    def _onto(self, hub: Hub, ci: Ci, there: _There) -> str:
        """Return the commit that our branch grew from: the one below it may be pushed to since.

        Where that cannot be told any more, the end of that branch.
        """
        if there.made.onto:
            return there.made.onto
        kept = [self._store.result(run) for run in made_by(self._store, there.made)]
        if not all(kept):
            return there.pull.base
        ours = sum(len(read_stored(Written, one).commits) for one in kept)
        with self._writing.opened(there.run, hub, write=False) as (reader, _):
            onto = below(reader, ci.repository, ci.head, ours)
        self._store.update(ci.run, onto=onto)
        return onto or there.pull.base

    def _unwatched(self, ci: Ci) -> bool:
        """Has somebody said meanwhile that nobody is to look any more?"""
        made = self._store.stacked(ci.run)
        return made is None or bool(made.unwatched)

    def _ended(self, hub: Hub, ci: Ci, there: _There, checks: Checks, found: Compared) -> None:
        """Say what the checks came to, and begin to mend what fails because of us."""
        checked = Checked(
            head=ci.head,
            ended=len(checks.checks),
            new=_names(found.new),
            known=_names(found.known),
            unknown=_names(found.unknown),
            notes=checks.notes,
            round=ci.round,
        )
        doing: Doing = "nothing"
        if found.new:
            doing = "given up" if ci.round >= MAX_ROUNDS else self._may_mend(hub, ci, there)
        if doing == "mending":
            self._mends(hub, ci, there, found, checked)
        elif not self._unwatched(ci):
            self._said(hub, there, checks_ended(checked, doing))

    def _may_mend(self, hub: Hub, ci: Ci, there: _There) -> Doing:
        """Return "mending" where that is of use, for its commits could be pushed; else why not."""
        pull = pull_at(hub, ci.repository, ci.number)
        if pull is None or pull.state != "open":
            return "closed"
        with self._writing.opened(there.run, hub, write=True) as (writer, writes):
            if not writes:
                return "off"
            return "mending" if wants_writing(writer, there.run.repository) else "unwanted"

    def _mends(self, hub: Hub, ci: Ci, there: _There, found: Compared, checked: Checked) -> None:
        """Begin the run that mends what failed, once a round, and say so before: it may end at any
        time, and what it came to is then said in the same place.
        """
        pull = pull_at(hub, ci.repository, ci.number)
        checked = checked.model_copy(update={"round": ci.round + 1})
        wish = Wish(
            trigger="ci",
            task="fix",
            stacked=there.made.stacked,
            mends=made_by(self._store, there.made),
            failed=described(hub, ci.repository, found.new),
            checked=checked,
        )
        if pull is None or self._unwatched(ci):
            return
        origin = f"ci:{ci.run}:{ci.round}"
        runs = self._store.runs_of(there.made.repository_id, ci.number)
        if not any(run.origin == origin for run in runs):
            self._said(hub, there, checks_ended(checked, "mending"))
            if self._unwatched(ci):
                self._said(hub, there, checks_ended(checked, "nothing"))
                return
        self._store.update(ci.run, rounds=ci.round + 1)
        # What is below our branch is its author's: settings come from the base, as in a review.
        self._begin(hub, ci.installation, replace(pull, head=ci.head), origin, wish)

    def _said(self, hub: Hub, there: _There, text: str, *, commits: int | None = None) -> None:
        """Let the comment of the run that made the branch say what its checks came to. `commits`
        are on it, where that is not all that the run has written.

        Where that is refused (a locked conversation), it is left unsaid: what is done is done.
        """
        made, run, pull = there.made, there.run, there.pull
        kept = self._store.result(run.id)
        url = f"{hub.server.web}/{pull.repository}/pull/{made.stacked}"
        if kept:
            written = read_stored(Written, kept)
            account, told = written.account, [text]
            made = self._store.stacked(run.id) or made
            if (before := self._seen(hub, replace(there, made=made), written)) is not None:
                told.insert(0, tests_seen(before))
                tests = _tests_of(account)
                if before.shows(tests):
                    account = account.model_copy(update={"fails_before": "run"})
            ended: Literal["merged", "closed"] = "merged" if pull.state == "merged" else "closed"
            state = "open" if pull.state == "open" else ended
            lead = opened_lead(made.stacked, url, commits or len(written.commits), state)
            text = result_comment(account, [lead, *told])
        else:
            text = f"[#{made.stacked}]({url})\n\n{text}"
        try:
            self._writing.say(hub, run, read_stored(Wish, run.request), text)
        except Refused as error:
            log.warning("not said", extra={"run": run.id, "why": error})

    # What came of mending

    def publish(self, hub: Hub, run: Run, wish: Wish) -> str:
        """Put the commits of a run on top of the branch, say how it went, return how it ended."""
        written = read_written(run)
        made = self._store.by_stacked(run.repository_id, wish.stacked)
        outcome, head, lead = "declined", "", ""
        if written.too_large:
            outcome, lead = "large", NOT_PUSHED["large"]
        elif written.commits:
            try:
                outcome, head = self._pushed(hub, run, made, written, _made_of(written), run.head)
            except Refused as error:  # a permission that was withdrawn, a rule
                outcome, lead = "not pushed", f"Nothing was pushed: {markdown_line(str(error))}."
            else:
                lead = checks_mended(head) if outcome == "pushed" else NOT_PUSHED[outcome]
        text = result_comment(written.account, [lead] if lead else [])
        why = lead or no_patch(written.account)
        self._told(hub, run, wish, text, why, head if outcome == "pushed" else "")
        return outcome

    def end_without(self, hub: Hub, run: Run, wish: Wish, *, last: bool = False) -> str:
        """Say that a run was stopped, or why it came to nothing; return how it ended.

        What an interrupted attempt has pushed stands, and is said.
        """
        head = self._there_already(hub, run, wish, last=last)
        why, outcome = ended_without(run)
        if head:
            why, outcome = f"{why} It was done by then. {checks_mended(head)}", "pushed"
        elif run.stop:
            why = f"{why} Nothing was changed."
        self._told(hub, run, wish, why, why, head)
        return outcome

    def _told(self, hub: Hub, run: Run, wish: Wish, text: str, why: str, head: str) -> None:  # noqa: PLR0917
        """Let the comment of a run that mends say `text`, and that of the fix that it mends what
        came of it: the branch ends at `head` now, or with "" `why` it does not.
        """
        url = f"{hub.server.web}/{run.repository}/pull/{run.number}"
        refused: Refused | None = None
        try:
            url += f"#issuecomment-{self._writing.say(hub, run, wish, text).id}"
        except Refused as error:
            refused = error
        there = self._mended(hub, run, wish)
        if there is not None and wish.checked is not None:
            done = checks_were_mended(wish.checked, head)
            self._said(hub, there, done if head else checks_not_mended(wish.checked, why, url))
        if refused is not None:
            if not head:
                raise refused
            log.warning("not said", extra={"run": run.id, "why": refused})

    def _mended(self, hub: Hub, run: Run, wish: Wish) -> _There | None:
        """Return the stacked pull request that a run was to mend, whatever has become of it; None
        where nobody knows it any more.
        """
        made = self._store.by_stacked(run.repository_id, wish.stacked)
        first = None if made is None else self._store.run(made.run)
        pull = pull_at(hub, run.repository, wish.stacked)
        if made is None or first is None or pull is None:
            return None
        return _There(made, replace(first, repository=pull.repository), pull)

    def _there_already(self, hub: Hub, run: Run, wish: Wish, *, last: bool) -> str:
        """Return the end of our branch if the commits of a run are what it ends with, else ""."""
        made = self._store.by_stacked(run.repository_id, wish.stacked)
        if made is None or not run.report:
            return ""
        try:
            written = read_written(run)
            if not written.commits or not written.policy_write:
                return ""
            with self._writing.opened(run, hub, write=True) as (writer, _):
                tip = tip_of(writer, run.repository, made.branch)
                commits = _made_of(written)
                there = tip is not None and tip != run.head
                if not there or not ends_with(writer, run.repository, commits, tip or ""):
                    return ""
        except Limited:
            raise
        except (RetryLater, GiveUp) as error:
            if not last and isinstance(error, RetryLater):
                raise
            log.warning("perhaps pushed", extra={"run": run.id, "why": error})
            return ""
        self._store.update(made.run, head=tip)
        return tip or ""

    def _pushed(  # noqa: PLR0917
        self,
        hub: Hub,
        run: Run,
        made: Stacked | None,
        written: Written,
        commits: list[WrittenCommit],
        onto: str,
    ) -> tuple[str, str]:
        """Push commits of what a run has written on top of `onto`, where our branch has to end."""
        pull = None if made is None else pull_at(hub, run.repository, made.stacked)
        if made is None or made.state != "open" or pull is None or pull.state != "open":
            return "undone", ""
        write = written.policy_write
        with self._writing.opened(run, hub, write=write) as (writer, writes):
            if not (write and writes and wanted(writer, run.repository, written).policy_write):
                return "off", ""
            done = push_commits(writer, run.repository, made.branch, commits, onto=onto)
        if done.state == "pushed":
            self._store.update(made.run, head=done.head)
        return done.state, done.head

    def follows(self, run: Run, outcome: str) -> list[Ci]:
        """Return what follows on a fix: its checks are looked at when they have begun."""
        wish = read_stored(Wish, run.request)
        if run.kind != "fix" or outcome not in {"stacked", "pushed"}:
            return []
        made = (
            self._store.by_stacked(run.repository_id, wish.stacked)
            if wish.stacked
            else self._store.stacked(run.id)
        )
        if made is None or made.state != "open" or not made.head:
            return []
        if made.unwatched or self._store.stopped(run.id):  # too late for its commits, not for this
            return [] if wish.stacked else self._writing.finishing(made)
        return [watching(run, made)]


def _tests_of(account: Account) -> list[str]:
    """Return the files of tests that belong to closed findings, each once."""
    closed = account.closed if isinstance(account, Fixing) else []
    return list(dict.fromkeys(one.test for one in closed if one.test))


def _names(checks: Sequence[Check]) -> tuple[str, ...]:
    """Return the names of checks as far as they are shown: they are anybody's words."""
    return tuple(shown_name(each.name) for each in checks)


def _later(ci: Ci) -> Ci:
    return ci.model_copy(update={"look": ci.look + 1})


def _made_of(written: Written) -> list[WrittenCommit]:
    return _as_committed(written.commits)


def _as_committed(commits: Sequence[WrittenCommit]) -> list[WrittenCommit]:
    """Return commits with the messages that they have on GitHub."""
    return [one.model_copy(update={"message": commit_message(one.message)}) for one in commits]


def _may_still_pass(found: Compared, before: Checks) -> bool:
    """Does a check that failed on our branch go on where it began? What it comes to decides."""
    return any(before.state_of(one.key) == "running" for one in found.unknown)
