"""What a run has written, as people get it: a pull request stacked on theirs, or a patch.

A branch and a pull request from it, where the server, the repository and GitHub let us; otherwise
the patch in the comment, with what fits there as suggestions at lines. Whatever interrupts this,
to call it again makes neither a second time; what cannot be finished is taken away again.
"""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, cast

from github.PullRequest import ReviewComment

from app.github.branches import (
    Made,
    Opened,
    delete_ours,
    ends_with,
    grown_from,
    make_branch,
    names_of,
    open_stacked,
    opened,
    ours_below,
    rebased,
    tip_of,
)
from app.github.cache import Stopped
from app.github.client import Hub
from app.github.errors import Forbidden, NotThere, Refused, calls
from app.github.git_trees import Trees
from app.github.markers import Marker, Seal
from app.github.meanwhile import Patched, meanwhile
from app.github.patches import Hunk, changes_of, diff_text, hunks
from app.github.pulls import Pull, look_at
from app.github.reviews import Moved, Reviews, shows
from app.render import writing
from app.render.comment import can_offer, suggestion
from app.render.outgoing import masked
from app.store import Task
from app.written import Written, WrittenCommit
from reviewer.errors import GiveUp
from reviewer.testing.values import Testing

log = logging.getLogger(__name__)

MOST_SUGGESTIONS = 10
"""Of one review, as many as a review of ours has comments."""

RUN_DIGITS = 10
"""Of a run's name, in that of its branch: nobody can say beforehand what it will be."""

NO_PULLS = "not permitted to create or approve pull requests"
NO_PERMISSION = "resource not accessible by integration"
"""GitHub's words for a job: by its repository's settings, and by its own permissions."""

BRANCH_GONE = ("base invalid",)
"""GitHub's words where the branch to merge into is not there (any more)."""

Outcome = Literal["stacked", "patch", "nothing", "gone"]
"""stacked: there is a pull request. patch: there is none, and the patch is in the text. nothing:
there was nothing to hand over. gone: the pull request is not there any more, or not for us."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One run's work and where it belongs.

    `server_writes`: the server may write (its switch is on, and `hub` has a token that may).
    `repository_id`: what has the name by now and another number is another one; 0: nobody knows.
    `page`: the address of the run's page; `patch_page`: that of its patch; "" where there is none.
    `tested` says what a command has said of it that was run here, as Markdown of ours, "" for none;
    `failing`: it fails with what was written and passes without, so that no branch is made.
    `by_job`: it is delivered with the own token of a job of GitHub Actions.
    `tests_first`: of what says how many of its commits are tests, those alone are put there, and
    whoever delivers it has the others follow.
    `base`: where the branch stood that the pull request merges into when the run began, "" for
    nobody knows.
    """

    run: str
    repository: str
    number: int
    written: Written
    server_writes: bool
    repository_id: int = 0
    page: str = ""
    patch_page: str = ""
    tested: str = ""
    failing: bool = False
    by_job: bool = False
    base: str = ""
    tests_first: bool = False

    @property
    def first(self) -> int:
        """How many commits are tests that are put there alone; 0: all are put there at once."""
        return self.written.tests_first if self.tests_first else 0


@dataclass(frozen=True, slots=True)
class Delivered:
    """What stands there now. `text` is the comment for where it was asked for, "" for none; `more`
    are comments below it, with what it had no room for.

    The rest is of a stacked pull request: 0 and "" where there is none. `head` is the last commit
    of ours on its branch ("": it is not there any more), and `suggestions` counts those at lines,
    where there is no branch.
    """

    outcome: Outcome
    text: str = ""
    number: int = 0
    url: str = ""
    branch: str = ""
    head: str = ""
    suggestions: int = 0
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Why:
    """Why there is no branch; `offers`: a patch for what is there, so that parts of it fit."""

    reason: writing.Reason
    detail: str = ""
    paths: tuple[str, ...] = ()
    uses: tuple[tuple[str, str], ...] = ()
    offers: bool = True
    kept: str = ""


def branch_name(task: Task, number: int, run: str) -> str:
    """Return the name of a run's branch; nothing in it is anybody else's words.

    Without a slash: a branch `rlm` would leave no room for `rlm/fix`.
    """
    return f"rlm-{task}-{number}-{run[:RUN_DIGITS]}"


def made_for(branch: str) -> tuple[Task, int] | None:
    """Return which task a branch of ours is of and the number of the pull request that it is for;
    None for a name that `branch_name` does not make.
    """
    found = _BRANCH.fullmatch(branch)
    return None if found is None else (cast(Task, found[1]), int(found[2]))


def is_on_top(pull: Pull, one: Opened) -> bool:
    """Did our own actor open it on top of a pull request?

    A job shares its actor, and the name of its branch follows from what everybody reads: a workflow
    that makes branches of what strangers say opens pull requests of that name into its own branch.
    What stood on top is led elsewhere by GitHub where the branch below was merged and deleted.
    """
    return one.ours and (one.onto == pull.head_ref or pull.state != "open")


_BRANCH = re.compile(r"rlm-(fix|tests|refactor)-([1-9][0-9]{0,15})-[0-9a-z]{10}(?:-[2-9])?")


def deliver(
    hub: Hub,
    what: Delivery,
    *,
    key: bytes | None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Delivered:
    """Hand over what a run has written; raise RetryLater if it has to be called again.

    What GitHub refuses is no error here, but said in the text. `key` signs our markers. Raise
    Stopped where `cancelled` says so while nothing stands yet; what is begun after that goes on.
    """
    pull = _its_pull(hub, what)
    if pull is None:
        return Delivered("gone")
    written = what.written
    if not written.commits and not written.too_large:
        return Delivered("nothing", writing.result_comment(written.account, []))
    done = _Delivering(hub, what, pull, key, cancelled)
    try:
        made = done.stacked()
    except Stopped:
        raise
    except Refused as error:
        made = done.refused(error.said)
    except GiveUp as error:
        made = _Why("refused", str(error))
    if isinstance(made, Delivered):
        return made
    return done.as_patch(replace(made, kept=done.cleared()))


def settled(hub: Hub, what: Delivery) -> Delivered:
    """Say what an earlier attempt has opened of what is not to be delivered any more; where that is
    nothing, take its branch away. `branch` is one that stays all the same.
    """
    pull = _its_pull(hub, what)
    if pull is None or not what.written.commits:
        return Delivered("gone" if pull is None else "nothing")
    done = _Delivering(hub, what, pull, None)
    return done.delivered() or Delivered("nothing", branch=done.cleared())


def _its_pull(hub: Hub, what: Delivery) -> Pull | None:
    if hub.actor is None:
        raise ValueError("who does not know its own login cannot know its own work")
    try:
        pull = look_at(hub, what.repository, what.number)
    except NotThere:
        return None
    return pull if what.repository_id in {0, pull.repository_id} else None


@dataclass
class _Delivering:
    """One attempt."""

    hub: Hub
    what: Delivery
    pull: Pull
    key: bytes | None
    cancelled: Callable[[], bool] = lambda: False
    trees: Trees = field(init=False)
    commits: list[WrittenCommit] = field(init=False)
    beside: str = ""
    """What was pushed meanwhile in other files, to be said."""

    def __post_init__(self) -> None:
        self.trees = Trees(self.hub, self.pull.repository)
        self.commits = [
            one.model_copy(update={"message": writing.commit_message(one.message)})
            for one in self.what.written.commits[: self.what.first or None]
        ]

    def stacked(self) -> Delivered | _Why:
        """Make the branch and open the pull request, or say why that is not to be."""
        pull = self.pull
        if (there := self.delivered()) is not None:
            return there
        if (why := self._switched_off()) is not None:
            return why
        if pull.state != "open":
            return _Why("merged" if pull.state == "merged" else "closed", offers=False)
        if (why := self._misfit()) is not None:
            return why
        made = make_branch(
            self.hub,
            pull.repository,
            self.commits,
            onto=pull.head,
            name=self._name(),
            cancelled=self.cancelled,
        )
        try:
            found = self._open(made)
        except Refused as error:
            gone = any(words in error.said.lower() for words in BRANCH_GONE)
            return _Why("base", offers=False) if gone else self.refused(error.said)
        return self._said(found, made.branch, made.head)

    def _misfit(self) -> _Why | None:
        """Say why the patch is not for what the pull request has by now, if it is not."""
        written, head = self.what.written, self.pull.head
        fit, paths = rebased(self.trees, written, head)
        if fit == "conflict":
            return _Why("conflict", paths=paths, offers=False)
        if fit == "same":
            return None
        patch = Patched(written.start, written.before.keys(), written.names)
        pushed = meanwhile(self.hub, self.pull.repository, self.trees, patch, head)
        if pushed.uses:
            return _Why("used", uses=pushed.uses, offers=False)
        if pushed.files:
            self.beside = writing.meanwhile_lead(pushed.files, pushed.unseen)
        return None

    @cached_property
    def base_moved(self) -> str:
        """Say that the pull request begins at another commit by now; "" where it does not, or where
        nobody can tell."""
        written, pull = self.what.written, self.pull
        account = written.account
        if pull.state != "open":
            return ""
        try:
            before = account.base if isinstance(account, Testing) else ""
            if not before and self.what.base:
                before = grown_from(self.hub, pull.repository, self.what.base, written.start)
            now = grown_from(self.hub, pull.repository, pull.base_ref, pull.head) if before else ""
        except Refused:
            return ""
        moved = now and before != now
        return writing.rebased_lead(written.task, before, now) if moved else ""

    def refused(self, said: str) -> _Why:
        """Return why GitHub does not let us, by what it says."""
        if NO_PULLS in said.lower():
            return _Why("actions")
        if self.what.by_job and NO_PERMISSION in said.lower():
            return _Why("job")
        return _Why("refused", said)

    def _name(self) -> str:
        return branch_name(self.what.written.task, self.pull.number, self.what.run)

    def _switched_off(self) -> _Why | None:
        written = self.what.written
        if written.too_large:
            return _Why("too_large")
        if (self.pull.head_repository or "").lower() != self.pull.repository.lower():
            return _Why("fork")
        if not self.what.server_writes:
            return _Why("server")
        if not written.policy_write:
            return _Why("repository")
        return _Why("tests", offers=False) if self.what.failing else None

    def delivered(self) -> Delivered | None:
        """Return what an earlier attempt has opened, whatever people have made of it since."""
        if not self.commits:
            return None
        repository = self.pull.repository
        try:
            for branch in names_of(self._name()):
                for one in opened(self.hub, repository, branch):
                    if is_on_top(self.pull, one) if self.what.by_job else one.ours:
                        return self._said(one, branch, self._head(one.head))
                if tip_of(self.hub, repository, branch) is None:
                    break
        except Forbidden:
            pass  # who may not read that has made nothing
        return None

    def _head(self, tip: str) -> str:
        """Return the last commit of ours below the end of a branch; "" where nobody can say."""
        try:
            return ours_below(self.hub, self.pull.repository, self.commits, tip)
        except Forbidden:
            return ""

    def cleared(self) -> str:
        """Remove the branch of ours that there is no pull request for; return its name if it stays.

        This attempt may have made it or one before: the pull request may have moved since, or a
        permission may have gone.
        """
        repository, kept = self.pull.repository, ""
        try:
            for branch in names_of(self._name()) if self.commits else ():
                tip = tip_of(self.hub, repository, branch)
                if tip is None:
                    break
                kept = branch
                if ends_with(self.hub, repository, self.commits, tip):
                    return "" if delete_ours(self.hub, repository, branch, tip) == "gone" else kept
                kept = ""
        except Refused:
            return kept
        return ""

    def _open(self, made: Made) -> Opened:
        account = self.what.written.account
        return open_stacked(
            self.hub,
            self.pull.repository,
            made.branch,
            self.pull.head_ref,
            writing.stacked_title(account),
            writing.stacked_body(
                account,
                self.pull.number,
                self.what.page,
                beside=self._meanwhile,
                tested=self.what.tested,
                by_job=self.what.by_job,
            ),
        )

    @property
    def _meanwhile(self) -> str:
        first = writing.tests_first_lead(self.what.first) if self.what.first else ""
        return " ".join(filter(None, [self.beside, self.base_moved, first]))

    def _said(self, found: Opened, branch: str, head: str) -> Delivered:
        written = self.what.written
        lead = writing.opened_lead(found.number, found.url, len(written.commits), found.state)
        lead = f"{lead} {self._meanwhile}".rstrip()
        text = writing.result_comment(written.account, [lead], tested=self.what.tested)
        return Delivered("stacked", text, found.number, found.url, branch, head)

    # A patch in place of a branch

    def as_patch(self, why: _Why) -> Delivered:
        """Say why there is no branch, and hand over the patch."""
        written = self.what.written
        lead = [writing.no_branch_lead(why.reason, why.detail, why.paths, why.uses)]
        if self.base_moved:
            lead.append(self.base_moved)
        if why.kept:
            lead.append(writing.kept_branch_lead(why.kept))
        text, offered = None, 0
        if written.commits:
            try:
                changes = changes_of(self.hub, self.pull.repository, self.trees, written)
                text = None if changes is None else diff_text(changes, written.start)
            except GiveUp as error:
                # What it was made for is gone, or not to be read any more; or git does not do it.
                log.warning("no patch shown", extra={"run": self.what.run, "why": error})
                changes = None
            if changes is not None and why.offers:
                offered = self._suggest(list(hunks(changes)))
        if offered:
            lead.append(writing.suggestions_lead(offered))
        patch, more = writing.patch_blocks(text, self.what.patch_page)
        said = writing.result_comment(written.account, lead, patch, tested=self.what.tested)
        return Delivered("patch", said, suggestions=offered, more=tuple(more))

    def _suggest(self, wanted: Sequence[Hunk]) -> int:
        """Offer what the pull request itself shows as suggestions; return how many there are."""
        pull = self.pull
        if pull.state != "open" or pull.locked or not wanted:
            return 0
        seal = Seal(self.key, pull.repository_id, pull.number)
        run = f"written-{self.what.run}"
        reviews = Reviews(self.hub, pull.repository, pull.number, pull.head, run, seal)
        marker = seal.write(Marker(kind="reply", run=run))
        try:
            if rebased(self.trees, self.what.written, pull.head)[0] == "conflict":
                return 0
            patches = self._shown()
            comments = [
                one
                for hunk in wanted
                if can_offer(hunk.text) and masked(hunk.text) == hunk.text
                if shows(patches.get(hunk.path), one := _offer(hunk, marker))
            ][:MOST_SUGGESTIONS]
            if not comments:
                return 0
            if reviews.posted() is None:
                opening = Marker(kind="review", run=run, head=pull.head)
                _, lost = reviews.post(lambda _: _OPENING + seal.write(opening), comments)
                return len(comments) - lost
            return len(comments)
        except (Moved, Refused):
            return 0

    def _shown(self) -> Mapping[str, str | None]:
        repo = self.hub.repo(self.pull.repository)
        with calls(self.hub.server, "read the files of the pull request"):
            files = repo.get_pull(self.pull.number).get_files()
            return {str(one.filename): one.patch for one in files}


_OPENING = "Parts of what was asked for. All of it is in the comment below this pull request."


def _offer(hunk: Hunk, marker: str) -> ReviewComment:
    return hunk.comment(suggestion(hunk.text) + marker)
