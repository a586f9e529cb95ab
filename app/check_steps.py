"""What the github role does about check runs of ours that somebody, or a merge queue, waits for."""

import logging
from contextlib import suppress

from app.github import check_runs
from app.github.client import Hub
from app.github.errors import Forbidden, NotThere
from app.github.pulls import look_at
from app.jobs import Queued, Rerun, Wish
from app.open_heads import LEFT
from app.report import Verdict
from app.run_life import Begin, Connect, its_pull
from app.store import Job, Store
from app.stored import read_stored

log = logging.getLogger(__name__)

QUEUED_TITLES = {
    "complete": "Reviewed on its pull request",
    "partial": "Reviewed in part on its pull request",
    "failure": "Its pull request has findings that block it",
    "": "Not reviewed",
}
QUEUED_TEXTS = {
    "complete": "What was found stands on pull request #{number}.",
    "partial": "What was found, and what was not looked at, stands on pull request #{number}.",
    "failure": "The check of the review of pull request #{number} fails, and says why.",
    "": "Of the newest commit of pull request #{number} there is no finished review.",
}
QUEUED_TEXT = " A merge queue does not wait for more."

LOST_TITLE = "This could not be done"

MAX_RUN_CHARS = 64
"""Of the name in a check run's external id."""


class CheckSteps:
    """Reviews again, and lets no merge queue wait."""

    def __init__(self, store: Store, connect: Connect, begin: Begin) -> None:
        self._store = store
        self._connect = connect
        self._begin = begin

    def rerun(self, job: Job, rerun: Rerun) -> None:
        """Review again what a check run is about, or leave the check with the reason."""
        meant = check_runs.parse_external_id(rerun.external_id)
        if meant is not None and meant.run == check_runs.QUEUE:
            # To run it again has made it wait: nobody else ends that.
            again = Queued(
                installation=rerun.installation,
                repository_id=rerun.repository_id,
                repository=rerun.repository,
                head=rerun.head,
                number=meant.number,
            )
            self._store.done(job, again.job())
            return
        with self._connect(rerun.installation, rerun.repository_id) as hub:
            for number in self._numbers(hub, rerun):
                pull = its_pull(hub, rerun, number)
                if pull is None:
                    continue
                why = check_runs.NOT_OPEN
                if pull.state == "open":
                    origin = f"event:{rerun.event_id}"
                    wish = Wish(trigger="rerun", full=rerun.full)
                    self._begin(hub, rerun.installation, pull, origin, wish)
                    if pull.head == rerun.head:
                        continue  # its new check run takes the old one's place
                    why = check_runs.NOT_NEWEST.format(head=pull.head)
                # To run it again has made it wait, and nothing is begun that would end that.
                with suppress(Forbidden, NotThere):
                    where = hub, pull.repository, rerun.head
                    check_runs.leave(*where, number, meant.run if meant else None, why)
        self._store.done(job)

    def _numbers(self, hub: Hub, rerun: Rerun) -> list[int]:
        """Find out which pull requests are meant: of a fork's the event does not say it.

        Where no run is known any more, our check runs on the commit say it.
        """
        if rerun.numbers:
            return sorted(set(rerun.numbers))
        runs = self._store.runs_on(rerun.repository_id, rerun.head)
        named = [run for run in runs if run.id and rerun.external_id.endswith(f":{run.id}")]
        if named or runs:
            return sorted({run.number for run in named or runs})
        if (meant := check_runs.parse_external_id(rerun.external_id)) is not None:
            return [meant.number]
        shown = check_runs.ours_on(hub, rerun.repository, rerun.head)
        return sorted({one.number for one in shown if one.run != check_runs.QUEUE})

    def queued(self, job: Job, queued: Queued) -> None:
        """Let no merge queue wait for us: what was to be said stands on the pull request."""
        with self._connect(queued.installation, queued.repository_id) as hub:
            try:
                came = self._came(hub, queued)
                text = QUEUED_TEXTS[came].format(number=queued.number) + QUEUED_TEXT
                conclusion: check_runs.Conclusion = "failure" if came == "failure" else "success"
                self._conclude_queued(hub, queued, conclusion, QUEUED_TITLES[came], text)
            except (Forbidden, NotThere) as error:
                log.warning("no check run", extra={"head": queued.head, "why": error})
        self._store.done(job)

    def _conclude_queued(
        self, hub: Hub, queued: Queued, conclusion: check_runs.Conclusion, title: str, text: str
    ) -> None:
        where = hub, queued.repository
        check_run = check_runs.ensure(
            *where, queued.head, check_runs.QUEUE, queued.number, title, text
        )
        check_runs.conclude(*where, check_run, conclusion, title, text, buttons=False)

    def _came(self, hub: Hub, queued: Queued) -> str:
        """Return what the review of a queued pull request came to: "complete", "partial",
        "failure" where its check fails, "" where its newest commit was not reviewed.
        """
        pull = its_pull(hub, queued, queued.number)
        if pull is None:
            return ""
        runs = self._store.runs_of(queued.repository_id, queued.number)
        made = [
            one
            for one in runs
            if one.verdict and not one.stop and one.head == pull.head and one.outcome not in LEFT
        ]
        if not made:
            return ""
        if (check_run := made[0].check_run) is not None:
            # It is asked, for what blocks is decided when a review is published, and stands there.
            shown = check_runs.conclusion_of(hub, queued.repository, check_run)
            if shown == "failure":
                return shown
        whole = (one for one in made if not read_stored(Wish, one.request).paths)
        run = next(whole, None)
        return "partial" if run is None else read_stored(Verdict, run.verdict).status

    def rerun_lost(self, rerun: Rerun, why: str) -> None:
        """Say that checks could not be run again, where somebody waits for it."""
        meant = check_runs.parse_external_id(rerun.external_id)
        if meant is not None:  # it shows as waiting since
            self.conclude_lost(rerun, why, meant.number, meant.run)
            return
        # All checks were to be run again: what ours said before stays to be read.
        with self._connect(rerun.installation, rerun.repository_id) as hub:
            numbers = self._numbers(hub, rerun)
        for number in numbers:
            self.conclude_lost(rerun, why, number, f"again-{rerun.event_id}"[:MAX_RUN_CHARS])

    def conclude_lost(
        self, what: Queued | Rerun, why: str, number: int = 0, run: str = check_runs.QUEUE
    ) -> None:
        """Conclude the check run that somebody waits for. It keeps nobody from merging."""
        number = what.number if isinstance(what, Queued) else number
        with self._connect(what.installation, what.repository_id) as hub:
            name = look_at(hub, what.repository, number).repository
            conclude_new(hub, name, what.head, number, run, why)


def conclude_new(  # noqa: PLR0917
    hub: Hub, name: str, head: str, number: int, run: str, why: str
) -> None:
    """Conclude a check run of ours, made where it is not there, that says what was given up."""
    check_run = check_runs.ensure(hub, name, head, run, number, LOST_TITLE, why)
    check_runs.conclude(hub, name, check_run, "neutral", LOST_TITLE, why)
