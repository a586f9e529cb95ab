"""What the repository's own tests say of what was written, in `rlm action` alone.

They are run on files laid out in folders of their own: the head as it is, and with what was
written. What fails because of us goes back to be mended, twice at the most. Where the branch of the
pull request lies in a fork nothing is run, and nothing where Dependabot wrote it.
"""

import re
import shlex
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from app.accounts import Account
from app.action_event import DEPENDABOT
from app.action_work import Asked, is_fork, sentence
from app.engine import Plan
from app.github.fetch import Checkout
from app.github.origin import Origin
from app.jobs import Wish as Writes
from app.plumbing import Plumbing
from app.render import words
from app.render.comment import can_offer
from app.render.escape import cut, fence, markdown_code, markdown_line, visible
from app.render.outgoing import masked
from app.settings import Settings
from app.shares import with_budget
from app.trial import Ran, ran, removed
from app.writing_runs import bring
from app.written import Written, WrittenFile
from reviewer.errors import RlmError
from reviewer.fix.failed import NAME_CHARS, SUMMARY_CHARS, FailedCheck
from reviewer.fix.values import Fixing
from reviewer.git import open_repo
from reviewer.languages import language_of
from reviewer.refactor.apply import readable
from reviewer.refactor.patch import Blob, Files
from reviewer.refactor.values import CommitInfo, FailsBefore, FileInfo, Refactoring
from reviewer.request import Cost
from reviewer.testing.insertions import not_added
from reviewer.testing.values import Testing
from reviewer.text import printable

MOST_MENDS = 2
"""How often what was written is mended: what two patches do not mend, a person looks at."""

SHOWN_LINES = 60
SHOWN_CHARS = 6_000
"""Of what a run has printed, the end, in a comment."""

COMMAND_CHARS = 200

Mend = Callable[[str, Writes, Checkout, Plan, Callable[[str], str]], Written]
"""Does a run that writes: its name, its wish, where, how, and what earlier runs came to."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What was written, mended perhaps, and what the tests say of it, as Markdown of ours ("" where
    none is configured). `failing`: they fail with it, and pass without.
    """

    written: Written
    said: str = ""
    failing: bool = False


def tried(asked: Asked, there: Checkout, planned: Plan, written: Written, mend: Mend) -> Tried:
    """Run the tests that the repository has named on what was written, as planned."""
    command = planned.request.policy.tests_by
    if not command or not written.commits:
        return Tried(written)
    shown = markdown_code(cut(printable(masked(_line(command))), COMMAND_CHARS))
    if is_fork(asked.pull):
        why = "the branch lies in a fork, and code of a fork is never run here"
        return Tried(written, f"{shown} was not run: {why}.")
    if asked.pull.author == DEPENDABOT:
        why = "Dependabot wrote the pull request, and code that it brings in is never run here"
        return Tried(written, f"{shown} was not run: {why}.")
    bench = _Bench(asked, there, planned)
    try:
        bench.prepare()
        return _Trials(bench, shown, mend).of(written)
    except _TROUBLE as error:  # what is written was paid for, and stands
        why = _told(error)
        asked.step.log.tell("warning", sentence(f"The test_command could not be run: {why}"))
        why = markdown_line(masked(why)).rstrip(".")
        return Tried(written, f"{shown} could not be run: {why}.")


_TROUBLE = RlmError, OSError


def _told(error: RlmError | OSError) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error)


def _line(command: tuple[str, ...]) -> str:
    """Return a command as somebody would type it."""
    return command[2] if command[:2] == ("bash", "-c") else shlex.join(command)


# Running -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Bench:
    """Where commits are laid out, and the command is run on them."""

    asked: Asked
    there: Checkout
    planned: Plan

    def prepare(self) -> None:
        """Have all files here."""
        interrupts = self.asked.interrupts
        with interrupts.gently(), open_repo(str(self.there.repo)) as repo:
            bring(repo, self.there, interrupts, links=True)

    def commit(self, start: str, files: Files) -> str:
        """Return a commit that is `start` with these files in it."""
        if not files:
            return start
        with tempfile.TemporaryDirectory(prefix="rlm-git-") as folder:
            return self._git(Path(folder), start).snapshot(start, files)

    def blob(self, name: str) -> bytes:
        """Return what a blob of the head holds."""
        with tempfile.TemporaryDirectory(prefix="rlm-git-") as folder:
            return self._git(Path(folder), name).run("cat-file", "blob", name)

    def _git(self, folder: Path, like: str) -> Plumbing:
        """Return a git with the fetched objects and nothing else of theirs: what was run before may
        have written a filter or a hook into the configuration that lies with them.
        """
        return Plumbing.apart(folder, self.there.repo / "objects", like, writes_there=True)

    def run(self, commit: str, what: str) -> Ran:
        """Run the command on a commit; `what` that is, for the log."""
        step, policy = self.asked.step, self.planned.request.policy
        step.log.say(f"running {_line(policy.tests_by)} on {what}")
        place = Path(tempfile.mkdtemp(prefix="rlm-trial-", dir=step.temp))
        try:
            tree = place / "tree"
            tree.mkdir()
            self._lay_out(commit, tree)
            with self.asked.interrupts.gently():
                done = ran(
                    policy.tests_by,
                    tree,
                    self.asked.environ,
                    limit_s=60.0 * policy.test_timeout,
                    cancelled=self.asked.interrupts,
                )
        finally:
            removed(place)
        done = replace(done, tail=_safe(done.tail, step.settings))
        step.log.write(_end(done.tail))
        step.log.say(f"{_ended(done)} after {done.seconds:.0f} s")
        return done

    def _lay_out(self, commit: str, folder: Path) -> None:
        """Write the files of a commit, without hooks, filters, submodules and a `.git`."""
        with tempfile.TemporaryDirectory(prefix="rlm-git-") as own:
            git = self._git(Path(own), commit)
            git.run("read-tree", commit)
            git.run("checkout-index", "--all", "--quiet", GIT_WORK_TREE=str(folder))


def _safe(tail: str, settings: Settings) -> str:
    """Return what was printed without secrets: those of a known form, and our own."""
    for secret in settings.secrets:
        tail = tail.replace(secret.get_secret_value(), "***")
    return masked(tail)


def _end(tail: str) -> str:
    """Return the end of what was printed, visible, without colours."""
    lines = visible(_COLOUR.sub("", printable(tail))).rstrip().split("\n")[-SHOWN_LINES:]
    return "\n".join(lines)[-SHOWN_CHARS:]


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def _ended(done: Ran) -> str:
    match done.state:
        case "passed":
            return "passed"
        case "failed" if done.code < 0:
            return f"ended by signal {-done.code}"
        case "failed":
            return f"exit code {done.code}"
        case "late":
            return "not ended in time"
        case "stopped":
            return "stopped"


# Judging -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Trials:
    """What is tried of one run's work; `shown` is the command, as Markdown."""

    bench: _Bench
    shown: str
    mend: Mend

    def of(self, written: Written) -> Tried:
        """Run the tests before and after, and mend between."""
        head = self.bench.there.head
        before = self.bench.run(head, "the head of the pull request")
        if before.state != "passed":
            return Tried(
                written,
                f"{self.shown} does not pass on this pull request itself, either "
                f"({_ended(before)}), so it says nothing of these commits.",
            )
        joined, after = written, self._after(written)
        mends: list[Written] = []
        why = ""
        while after.state in {"failed", "late"} and len(mends) < MOST_MENDS:
            mended = self._mended(written, mends, after)
            if mended is None or not mended.commits:
                why = _why_not(mended)
                break
            try:
                both = _joined(written, [*mends, mended])
                if self._alters_tests(both):
                    why = "; not mended: what would mend it changes more than the new tests"
                    break
                again = self._after(both)
            except ValidationError:  # it does not follow on the rest, or is too large with it
                why = "; not mended: what would mend it cannot be joined with the rest"
                break
            except _TROUBLE as error:  # that it fails was seen all the same
                self._warn(error)
                break
            mends.append(mended)
            joined, after = both, again
        rounds = f", after being mended {words.count(len(mends), 'time')}" if mends else ""
        if after.state == "passed":
            said = f"{self.shown} passes on this pull request, and with these commits{rounds}."
            seen, how = self._of_tests(joined)
            account = joined.account
            if how is not None and not isinstance(account, Refactoring):
                told = account.model_copy(update={"fails_before": how})
                joined = joined.model_copy(update={"account": told})
            return Tried(joined, f"{said}{seen}")
        said = (
            f"**{self.shown} passes on this pull request, and not with these commits** "
            f"({_ended(after)}{rounds}){why}."
        )
        return Tried(joined, "\n\n".join(filter(None, [said, _printed(after)])), failing=True)

    def _after(self, written: Written) -> Ran:
        return self.bench.run(self._result(written), "what was written")

    def _result(self, written: Written) -> str:
        return self.bench.commit(self.bench.there.head, _files(written))

    def _mended(self, written: Written, mends: list[Written], after: Ran) -> Written | None:
        """Have what the tests say mended, as what the checks of a branch say is; None where that
        cannot be.
        """
        if self.bench.asked.interrupts():
            return None
        kept = {_name(at): one for at, one in enumerate([written, *mends])}
        spent = sum(one.account.cost.usd or 0.0 for one in [written, *mends])
        check = FailedCheck(
            name=(_line(self.bench.planned.request.policy.tests_by)[:NAME_CHARS]).strip()
            or "tests",
            summary=f"{_ended(after)}\n{_end(after.tail)}"[-SUMMARY_CHARS:],
        )
        wish = Writes(trigger="ci", task="fix", stacked=1, mends=tuple(kept), failed=(check,))
        there = self.bench.there
        home = self.bench.asked.step.settings.home
        try:
            at = replace(there.origin.wanted, head=self._result(_joined(written, mends)))
            return self.mend(
                _name(len(kept)),
                wish,
                replace(there, origin=Origin(at, home, there.origin.token)),
                with_budget(self.bench.planned, spent),
                lambda run: kept[run].model_dump_json() if run in kept else "",
            )
        except _TROUBLE as error:  # what is written stands, whatever became of mending it
            self._warn(error)
            return None

    def _alters_tests(self, written: Written) -> bool:
        """Do commits that are to add tests do more than that, now that they are mended?"""
        if not isinstance(written.account, Testing):
            return False
        ours = _tests(written)
        for path, one in written.files.items():
            before = written.before[path]
            if path not in ours or not one.mode:
                return True
            old = readable(self.bench.blob(before)) if before else ""
            if before and not_added(old, readable(one.raw), language_of(path)) is not None:
                return True
        return False

    def _warn(self, error: RlmError | OSError) -> None:
        self.bench.asked.step.log.tell("warning", sentence(_told(error)))

    def _of_tests(self, written: Written) -> tuple[str, FailsBefore | None]:
        """Say whether the tests that were written fail without what they test; None: unseen."""
        paths = _tests(written)
        files = {path: blob for path, blob in _files(written).items() if path in paths}
        if not files or self.bench.asked.interrupts():
            return "", None
        there = self.bench.there
        fixes = isinstance(written.account, Fixing)
        start = there.head if fixes else there.start.commit
        where = "without the patches" if fixes else "where this pull request began"
        unseen = f" Whether the tests that were written fail {where} was not seen."
        try:
            done = self.bench.run(self.bench.commit(start, files), f"the tests alone, {where}")
            # What fails there without them says nothing of them; the head was seen passing.
            alone = done.state == "failed" and not fixes
            if alone and self.bench.run(start, where).state != "passed":
                return unseen, None
        except _TROUBLE as error:
            self._warn(error)
            return unseen, None
        match done.state:
            case "failed":
                said = " The tests that were written were seen failing before "
                return f"{said}({where}) and passing after by {self.shown}.", "run"
            case "passed":
                said = f" The tests that were written pass {where}, too: they show nothing."
                return said, "no"
            case _:
                return unseen, None


def _name(at: int) -> str:
    """Name a run on this disk: the first one has made what is tried, the others mend it."""
    return f"mended{at:06d}"


def _files(written: Written) -> dict[str, Blob | None]:
    return {
        path: Blob(one.raw, one.mode) if one.mode else None for path, one in written.files.items()
    }


def _tests(written: Written) -> set[str]:
    """Return the test files that a run has written."""
    match written.account:
        case Fixing(closed=closed):
            return {one.test for one in closed if one.test}
        case Testing(written=made):
            return {one.path for one in made}
        case _:
            return set()


def _joined(written: Written, mends: list[Written]) -> Written:
    """Return what was written with what mends it, as one piece of work."""
    if not mends:
        return written
    cost = written.account.cost
    for one in mends:
        cost = _sum(cost, one.account.cost)
    every = [written, *mends]
    return Written.model_validate(
        {
            **{name: getattr(written, name) for name in Written.model_fields},
            "account": written.account.model_copy(
                update={
                    "cost": cost,
                    "findings": mends[-1].account.findings,
                    **_told_commits(written.account, mends),
                }
            ),
            "commits": tuple(commit for one in every for commit in one.commits),
            # One mail a commit, as `git am` takes them.
            "mails": "".join(one.mails for one in every) if all(o.mails for o in every) else "",
        }
    )


def _told_commits(account: Account, mends: list[Written]) -> dict[str, object]:
    """Return the commits of a refactoring with those that mend it, as its account lists them."""
    if not isinstance(account, Refactoring):
        return {}
    more = [
        CommitInfo(
            module="tests",
            by="model",
            message=commit.message,
            files=[FileInfo(path=one.path, status=_status(one)) for one in commit.files],
        )
        for written in mends
        for commit in written.commits
    ]
    return {"commits": [*account.commits, *more]}


def _status(one: WrittenFile) -> Literal["added", "deleted", "modified"]:
    if not one.mode:
        return "deleted"
    return "modified" if one.before else "added"


def _sum(one: Cost, other: Cost) -> Cost:
    update = {
        name: getattr(one, name) + getattr(other, name)
        for name in Cost.model_fields
        if name not in {"model", "usd"}
    }
    known = None if one.usd is None or other.usd is None else one.usd + other.usd
    return one.model_copy(update={**update, "usd": known})


def _why_not(mended: Written | None) -> str:
    """Say why nothing was mended, as the end of a sentence."""
    if mended is None or not isinstance(mended.account, Fixing):
        return ""
    whys = [one.why for one in mended.account.open]
    return f"; not mended: {markdown_code(cut(masked(whys[0]), COMMAND_CHARS))}" if whys else ""


def _printed(done: Ran) -> str:
    """Return the end of what a run has printed, folded; "" where a comment does not show it."""
    text = _end(done.tail)
    if not text.strip() or not can_offer(text):
        return ""
    block = fence(text.split("\n"), "text")
    return f"<details><summary>The end of what it printed</summary>\n\n{block}\n\n</details>"
