"""What was lost without a trace: open pull requests that nobody told us of, and checks without end.

A delivery that GitHub has forgotten, or never made, leaves an open head without a check run of
ours; a store that was lost leaves one "in progress" for ever. Both are found by looking at each
repository in turn: what changed alone costs a request, and those gone through longest ago go
first, so that an installation of 500 repositories is gone through in a few rounds. Two servers may
do it at a time: each takes a repository for itself, and what they do is done once.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from app.github import check_runs
from app.github.auth import AppAuth
from app.github.client import Hub
from app.github.errors import Refused
from app.github.listings import (
    Enough,
    Installation,
    Kept,
    Lister,
    OpenPull,
    OurCheck,
    Repository,
    installations,
)
from app.jobs import Look
from app.measures import COUNTS, RECONCILED, UNRECONCILED
from app.obey import STOPPED
from app.store import Run, Store, Watched
from reviewer.errors import RlmError

log = logging.getLogger(__name__)

LOOKS = {"checks": "read", "pull_requests": "read"}
"""What is needed to look; an installation without it is left out."""

MOST_REQUESTS = 500
"""In one round, for one installation; GitHub gives it 5,000 an hour, and there are six rounds."""

AGAIN_S = 300.0
"""A repository that another server has just gone through is not gone through again."""

YOUNG_S = 300.0
"""GitHub may take minutes to tell us of a pull request: one that just changed is not missed yet."""

BEFORE_S = 86_400.0
"""Of a repository that is new to us, what was opened in the day before is looked at too. What is
older was there before anybody wanted reviews: to review all of it would surprise people, and cost
them."""

ORPHAN_S = 600.0
"""A check run is shown by a run that is in the store before it; nobody else's is younger."""

MOST_ENDED = 20
"""Reviews of one repository that ended last: their check runs are looked at once."""

MOST_AWAY = 3
"""Reviews of one head that an outage ended, of six hours and more: then somebody has to ask."""

MOST_SETTLED = 50_000

LEFT = frozenset({"stale", "closed", "draft", "gone"})
"""How runs ended that said nothing, because there was nothing to say it about."""

Connect = Callable[[int], AbstractContextManager[Hub]]
"""Opens GitHub to look at all of an installation."""

ConnectForChecks = Callable[[int, int], AbstractContextManager[Hub]]
"""Opens GitHub to write check runs of one repository, by the ids of both."""


@dataclass(slots=True)
class OpenHeads:
    """Goes through what the App can see; `settled` are heads that need no second look."""

    auth: AppAuth
    store: Store
    connect: Connect
    connect_for_checks: ConnectForChecks
    actor: str
    stopping: threading.Event = field(default_factory=threading.Event)
    kept: Kept = field(default_factory=Kept)
    settled: dict[tuple[int, int, str], None] = field(default_factory=dict)

    def __call__(self) -> int:
        """Make one round; return how many reviews were asked for and check runs were ended."""
        done = 0
        for installation in installations(self.auth):
            try:
                done += self._installation(installation)
            except RlmError as error:  # the others' can still be looked at
                # What its owner has not granted, or has taken back, is no trouble of ours.
                level = logging.INFO if isinstance(error, Refused) else logging.WARNING
                about = {"installation": installation.id, "why": error}
                log.log(level, "an installation is not looked at", extra=about)
                if level == logging.WARNING:
                    COUNTS.add(UNRECONCILED)
        COUNTS.add(RECONCILED, "head", done)
        return done

    def _installation(self, installation: Installation) -> int:
        done = 0
        with self.connect(installation.id) as hub:
            lister = Lister(hub, installation.id, self.kept, MOST_REQUESTS)
            repositories = {one.id: one for one in lister.repositories()}
            for seen in self.store.watch(installation.id, list(repositories)):
                if self.stopping.is_set():
                    break
                if abs(time.time() - seen.looked) < AGAIN_S or not self.store.look(seen):
                    continue
                try:
                    done += self._repository(lister, installation, repositories, seen)
                except Enough:
                    self.store.look_later(seen)
                    log.info("the rest is for the next round", extra={"installation": lister.who})
                    break
                except Refused as error:
                    about = {"repository": seen.repository_id, "why": error}
                    log.info("a repository is not looked at", extra=about)
        return done

    def _repository(
        self,
        lister: Lister,
        installation: Installation,
        repositories: dict[int, Repository],
        seen: Watched,
    ) -> int:
        repository = repositories[seen.repository_id]
        since = max(installation.created_at.timestamp(), seen.since - BEFORE_S)
        done = 0
        for pull in lister.open_pulls(repository.full_name):
            head = (repository.id, pull.number, pull.head.sha)
            if head in self.settled:
                continue
            runs = self.store.runs_of(repository.id, pull.number)
            if _said(runs, pull.head.sha):
                self._settle(head)
                continue
            checks = [
                one
                for one in lister.our_checks(repository.full_name, pull.head.sha)
                if one.of.number == pull.number and one.of.run != check_runs.QUEUE
            ]
            again = _ended_by_outage(runs, pull.head.sha)
            if any(one.completed for one in checks) and not again:
                self._settle(head)
            orphans = [one for one in checks if self._is_orphan(one)]
            for orphan in orphans:
                done += self._end(installation, repository, orphan)
            if (again or not checks) and self._is_missed(pull, repository, runs, since):
                done += self._ask(installation, repository, pull)
        return done + self._left(lister, installation, repository)

    def _left(self, lister: Lister, installation: Installation, repository: Repository) -> int:
        """End the check runs of reviews that ended and could not end them: on heads that no open
        pull request has any more, too.
        """
        done = 0
        for run in self.store.ended_in(repository.id, MOST_ENDED):
            key = (repository.id, run.number, run.id)
            if key in self.settled or _said([run], run.head):
                continue
            checks = [
                one
                for one in lister.our_checks(repository.full_name, run.head)
                if one.of.run == run.id and not one.completed
            ]
            ends = [
                self._is_orphan(one) and self._end(installation, repository, one) for one in checks
            ]
            done += sum(ends)
            if all(ends):
                self._settle(key)
        return done

    def _settle(self, head: tuple[int, int, str]) -> None:
        self.settled[head] = None
        while len(self.settled) > MOST_SETTLED:
            del self.settled[next(iter(self.settled))]

    # Check runs that nobody will end

    def _is_orphan(self, check: OurCheck) -> bool:
        if check.completed or time.time() - check.started < ORPHAN_S:
            return False
        run = self.store.run(check.of.run)
        return run is None or run.state == "ended"

    def _end(self, installation: Installation, repository: Repository, check: OurCheck) -> bool:
        """Conclude it; to do so twice changes nothing."""
        about = {"repository": repository.full_name, "number": check.of.number, "check": check.id}
        try:
            with self.connect_for_checks(installation.id, repository.id) as hub:
                check_runs.conclude(
                    hub,
                    repository.full_name,
                    check.id,
                    "cancelled",
                    check_runs.LOST_TITLE,
                    check_runs.LOST_TEXT,
                )
        except Refused as error:
            log.warning("check run left", extra={**about, "why": error})
            return False
        log.info("an orphaned check run ended", extra=about)
        return True

    # Heads that nobody told us of

    def _is_missed(
        self, pull: OpenPull, repository: Repository, runs: Sequence[Run], since: float
    ) -> bool:
        """Would this pull request have been reviewed, had we been told of it?"""
        author = pull.user.login.lower() if pull.user else ""
        if pull.draft or author == self.actor.lower():
            return False
        if time.time() - pull.updated_at.timestamp() < YOUNG_S:
            return False
        reviews = [run for run in runs if run.kind == "review"]
        if any(settles(run) for run in reviews if run.head == pull.head.sha):
            return False
        if not reviews and pull.created_at.timestamp() < since:
            return False
        return not self.store.paused_by(repository.id, pull.number)

    def _ask(self, installation: Installation, repository: Repository, pull: OpenPull) -> bool:
        """Have it looked at, as if somebody had told us."""
        look = Look(
            installation=installation.id,
            repository_id=repository.id,
            repository=repository.full_name,
            number=pull.number,
            trigger="missed",
        )
        if not self.store.put_if_idle(look.job()):
            return False
        about = {"pull": f"{repository.full_name}#{pull.number}", "head": pull.head.sha}
        log.info("an open head was missed", extra=about)
        return True


def _ended_by_outage(runs: Sequence[Run], head: str) -> bool:
    """Did the reviews of a head come to nothing by an outage alone? That says nothing about it."""
    here = [run for run in runs if run.kind == "review" and run.head == head]
    return 0 < sum(map(_is_outage, here)) < MOST_AWAY and not any(map(settles, here))


def _is_outage(run: Run) -> bool:
    return bool(run.away) and run.state == "ended" and not run.stop


def _said(runs: Sequence[Run], head: str) -> bool:
    """Does the store know that this head has its review, and that its check run is ended?

    Of a run that came to no result it does not: to end the check run may have been refused.
    """
    return any(
        run.kind == "review"
        and run.head == head
        and run.state == "ended"
        and not run.stop
        and run.outcome.partition(":")[0] not in {*LEFT, "problem", "lost"}
        for run in runs
    )


def settles(run: Run) -> bool:
    """Does a run settle what its head needs? What came to nothing has told why, and is not tried
    again by itself, but where an outage is why; what was left before anything could be said settles
    nothing.
    """
    if run.state == "open":
        return not run.stop
    if run.stop:
        return run.stop == STOPPED
    return run.outcome.partition(":")[0] not in LEFT and not _is_outage(run)
