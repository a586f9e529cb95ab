"""The github role's steps about reviews, without its process: what ends them, and what is given up.

The engine's part is played by the test.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.github.check_runs import NOT_NEWEST, NOT_OPEN
from app.github.errors import AwayTooLong, Outage, Unsure
from app.jobs import Command, Look, Pressed, Queued, Rerun, Untold, Wish, step
from app.report import Report
from app.run_life import CLOSED, DRAFTED, SUPERSEDED
from app.store import ENGINE, GITHUB, PUBLISH, Job, NewJob, Run
from app.store.tables import JOBS, RUNS
from app.worker import MAX_ATTEMPTS, attempt
from reviewer.errors import GiveUp
from reviewer.explain.values import Explanation
from reviewer.finding import Severity
from tests.app.github.test_publish import report
from tests.app.writing_desk import NAME, Desk
from tests.github.hub import FakeGitHub
from tests.github.state import FakeCheckRun, FakePull


class ReviewDesk(Desk):
    """Where pull requests are looked at and their reviews published."""

    def asks_to_look(self, trigger: str = "opened", *, by_bot: bool = False) -> NewJob:
        """The job that looks at the pull request."""
        look = Look.model_validate(
            {
                "installation": self.installation.id,
                "repository_id": self.repo.id,
                "repository": NAME,
                "number": self.pull.number,
                "trigger": trigger,
                "by_bot": by_bot,
            }
        )
        return look.job()

    def looks(self, trigger: str = "opened", *, by_bot: bool = False) -> None:
        """Have the pull request looked at."""
        self.store.put(self.asks_to_look(trigger, by_bot=by_bot))
        self.work()

    def reviewed(self, made: Report | None = None) -> Run:
        """Let the review that waits come to its report, and publish it."""
        run = self.comes((made or report(findings=[])).model_dump_json())
        self.work()
        return run

    def loses(self, why: str) -> None:
        """Give up the one job that there is."""
        job = self.store.claim(GITHUB, "github", 60)
        assert job is not None
        self.steps.lost(job, GiveUp(why))

    def gives_up(self, *kinds: str) -> None:
        """Give up every job that there is, of these kinds, while GitHub is away."""
        self.fake.fault(status=502, times=None)
        found = []
        while (job := self.store.claim(GITHUB, "github", 60)) is not None:
            found.append(job.kind)
            with pytest.raises(Outage):
                self.steps.lost(job, AwayTooLong("GitHub was away"))
            self.steps.lost(job, AwayTooLong("GitHub was away"), last=True)
        assert sorted(found) == sorted(kinds)

    def tries(self) -> str:
        """Try the next job as a worker does, whether or not its time has come; return its kind."""
        with self.store.database.write() as db:
            db.execute(update(JOBS).values(not_before=0))
        job = self.store.claim(GITHUB, "github", 60)
        assert job is not None
        attempt(self.store, job, self.steps.do, self.steps.lost, threading.Event())
        return job.kind

    def later(self, **changes: object) -> list[str]:
        """Let ten minutes pass: do what waits for its time; return the kinds of jobs done."""
        with self.store.database.write() as db:
            waits = JOBS.c.state == "waiting"
            db.execute(update(JOBS).where(waits).values(**{"not_before": 0, **changes}))
        return self.work()

    def presses(self) -> Pressed:
        """Have somebody press the button for a fix below the newest check run."""
        check = self.repo.check_runs[-1]
        return Pressed(
            installation=self.installation.id,
            repository_id=self.repo.id,
            repository=NAME,
            head=self.head,
            external_id=check.external_id or "",
            event_id="e-1",
            sender="alice",
        )

    def reruns(self, external_id: str = "") -> Rerun:
        """Have somebody run all checks of the head again, or one."""
        return Rerun(
            installation=self.installation.id,
            repository_id=self.repo.id,
            repository=NAME,
            head=self.head,
            external_id=external_id,
            event_id="e-1",
        )

    def asks(self, group: str) -> Queued:
        """What a merge queue asks about the commit that it made."""
        return Queued(
            installation=self.installation.id,
            repository_id=self.repo.id,
            repository=NAME,
            head=group,
            number=self.pull.number,
        )

    def queued(self, group: str) -> FakeCheckRun:
        """Have a merge queue ask; return its check run."""
        self.store.put(self.asks(group).job())
        self.work()
        (check,) = [one for one in self.repo.check_runs if one.head_sha == group]
        return check

    @property
    def checks(self) -> list[tuple[str, str | None]]:
        """How the check runs stand, the oldest first."""
        return [(one.status, one.conclusion) for one in self.repo.check_runs]

    def run(self) -> Run:
        """The newest run."""
        run = self.store.run(self.store.runs_of(self.repo.id, self.pull.number)[0].id)
        assert run is not None
        return run


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ReviewDesk]:
    with FakeGitHub(tmp_path) as fake:
        made = ReviewDesk(fake, tmp_path)
        yield made
        made.store.close()


# Pull requests that end, or become drafts --------------------------------------------------------


@pytest.mark.parametrize("merged", [False, True])
def test_a_review_that_waits_ends_with_its_pull_request(desk: ReviewDesk, merged: bool) -> None:
    desk.looks()
    desk.pull.close(merged=merged)
    desk.looks("closed")
    assert desk.store.claim(ENGINE, "engine-1", 60) is None
    assert desk.checks == [("completed", "cancelled")]
    assert desk.outcomes() == [f"stopped: {CLOSED}"]
    if not merged:
        desk.pull.reopen()
        desk.looks("reopened")
        desk.reviewed()
        assert desk.outcomes()[1:] == ["posted"]


def _takes(desk: ReviewDesk, kind: str) -> Job:
    """Claim the next job of the role, which is of this kind."""
    job = desk.store.claim(GITHUB, "github", 60)
    assert job is not None
    assert job.kind == kind
    return job


def _looked_at(desk: ReviewDesk) -> None:
    """Have the pull request looked at, and nothing else done."""
    desk.store.put(_look(desk, "opened").job())
    desk.steps.do(_takes(desk, "look"))


def test_a_review_does_not_wait_for_its_check_run(desk: ReviewDesk) -> None:
    _looked_at(desk)
    job, run, _ = desk.engine()
    assert desk.checks == []
    assert desk.work() == ["open"]
    assert desk.checks == [("in_progress", None)]
    assert desk.store.waiting(ENGINE) == 1, "it is reviewed once"
    made = report(findings=[]).model_dump_json()
    desk.store.reviewed(job, run.id, step(PUBLISH, run), report=made)
    desk.work()
    assert desk.checks == [("completed", "success")]


@pytest.mark.parametrize("made", [True, False], ids=["report", "problem"])
def test_a_review_that_is_done_before_it_could_be_shown_has_a_check_run_that_ends(
    desk: ReviewDesk, made: bool
) -> None:
    _looked_at(desk)
    desk.store.again(_takes(desk, "open"), "GitHub was away", 60)
    run = desk.comes(report(findings=[]).model_dump_json() if made else "", "It was too large.")
    assert desk.work() == ["publish"]
    ended = [("completed", "success" if made else "neutral")]
    assert desk.checks == ended
    assert desk.run().check_run is not None
    assert desk.later() == ["open"]
    assert desk.checks == ended, "there is no other one"
    assert desk.run().id == run.id


def test_a_review_that_waits_and_could_not_be_shown_ends_without_a_check_run(
    desk: ReviewDesk,
) -> None:
    _looked_at(desk)
    desk.store.again(_takes(desk, "open"), "GitHub was away", 60)
    desk.pull.close()
    desk.looks("closed")
    assert desk.outcomes() == [f"stopped: {CLOSED}"]
    assert desk.later() == ["open"]
    assert desk.checks == []
    assert desk.store.waiting(ENGINE) == 0


@pytest.mark.parametrize("lost", ["kill", "answer"])
@pytest.mark.parametrize("reviewing", [False, True])
def test_a_check_run_made_just_before_a_kill_ends_when_a_newer_review_takes_its_place(
    desk: ReviewDesk, reviewing: bool, lost: str
) -> None:
    _looked_at(desk)
    shows = _takes(desk, "open")
    away = partial(desk.fake.fault, status=502, times=None)
    desk.fake.fault("POST", "/check-runs$", when="after", status=502, action=away)
    with pytest.raises(Unsure):  # it is made, and nobody hears of it
        desk.steps.do(shows)
    desk.fake.mend()
    assert desk.checks == [("in_progress", None)] and desk.run().check_run is None
    review = desk.engine() if reviewing else None
    if lost == "kill":
        desk.store.recover("github")
        desk.says("alice", "/rlm review")  # goes before what a push has begun
    else:
        desk.store.again(shows, "GitHub is away", 60, counts=False, away=True)
        desk.pull.push(desk.repo.commit({"a.py": b"newer\n"}, desk.head))
        desk.looks("missed")
    if review is not None:  # its engine sees that it shall stop
        job, run, _ = review
        desk.store.reviewed(job, run.id, step(PUBLISH, run))
        desk.work()
    before, after = sorted(desk.repo.check_runs, key=lambda one: one.id)
    assert (before.status, before.conclusion) == ("completed", "cancelled")
    assert before.summary == f"This review stopped: {SUPERSEDED}."
    assert (after.status, after.head_sha) == ("in_progress", desk.pull.head)
    assert desk.outcomes() == [f"stopped: {SUPERSEDED}", "open"]
    assert {*desk.later()} <= {"open"} and len(desk.repo.check_runs) == 2


def test_a_review_that_nobody_began_to_show_is_not_looked_for(desk: ReviewDesk) -> None:
    _looked_at(desk)
    desk.store.stop(desk.repo.id, desk.pull.number, CLOSED)
    desk.later()
    assert desk.outcomes() == [f"stopped: {CLOSED}"]
    assert desk.fake.asked(path="check-runs") == []


def test_what_ends_a_review_waits_for_the_check_run_that_is_being_made(desk: ReviewDesk) -> None:
    _looked_at(desk)
    shows = _takes(desk, "open")
    run = desk.run()
    desk.store.stop(desk.repo.id, desk.pull.number, CLOSED)
    assert desk.work() == []
    desk.steps.do(shows)
    assert desk.work() == ["publish"]
    assert desk.run().id == run.id
    assert desk.outcomes() == [f"stopped: {CLOSED}"]


def test_a_review_that_cannot_be_shown_is_told_to_stop(desk: ReviewDesk) -> None:
    _looked_at(desk)
    job, run, _ = desk.engine()
    assert not desk.store.is_over(run.id)
    desk.steps.lost(_takes(desk, "open"), GiveUp("there is no such repository"))
    assert desk.store.is_over(run.id)
    desk.store.reviewed(job, run.id, step(PUBLISH, run), report="{}", usd=1.0, calls=1)
    assert desk.work() == ["publish"]
    assert (desk.run().report, desk.outcomes()) == ("", ["lost: there is no such repository"])


def test_a_review_that_is_done_is_posted_though_it_could_never_be_shown(desk: ReviewDesk) -> None:
    _looked_at(desk)
    shows = _takes(desk, "open")
    job, run, _ = desk.engine()
    made = report(findings=[]).model_dump_json()
    desk.store.reviewed(job, run.id, step(PUBLISH, run), report=made)
    desk.steps.lost(shows, GiveUp("it fails each time"), last=True)
    assert desk.work() == ["publish"]
    assert desk.outcomes() == ["posted"]
    assert desk.checks == []


def test_progress_is_shown_once_the_check_run_is_there(desk: ReviewDesk) -> None:
    _looked_at(desk)
    _, run, _ = desk.engine()
    desk.store.progressed(run.id, "3 of 9 parts are read.")
    shown: dict[str, str] = {}
    desk.steps.show_progress(shown)
    assert shown == {}
    desk.work()
    desk.steps.show_progress(shown)
    assert shown == {run.id: "3 of 9 parts are read."}


def test_a_review_that_runs_is_told_to_stop_when_its_pull_request_is_closed(
    desk: ReviewDesk,
) -> None:
    desk.looks()
    job, run, _ = desk.engine()
    desk.pull.close()
    desk.looks("closed")
    assert desk.store.stopped(run.id) == CLOSED
    desk.store.reviewed(job, run.id, step(PUBLISH, run), report="")
    desk.work()
    assert desk.checks == [("completed", "cancelled")]


def test_an_answer_and_the_receipt_of_another_command_both_stand(desk: ReviewDesk) -> None:
    desk.says("alice", "/rlm ask Why?\n/rlm pause")
    desk.comes(Explanation(answer="For speed.").model_dump_json())
    desk.work()
    receipt, answer = (one.body for one in desk.ours)
    assert receipt.startswith("Paused") and answer.startswith("For speed.")


def test_an_answer_and_a_result_are_not_taken_from_anybody_by_the_end(desk: ReviewDesk) -> None:
    desk.says("alice", "/rlm ask why?")
    _, asked, _ = desk.engine()
    desk.looks()
    job, run, _ = desk.engine()
    # It waits for its publication.
    desk.store.reviewed(job, run.id, step(PUBLISH, run), report=report().model_dump_json())
    desk.pull.close()
    desk.looks("closed")
    assert desk.store.stopped(asked.id) == ""
    assert desk.outcomes()[1:] == ["closed"]
    assert "closed meanwhile" in (desk.repo.check_runs[0].summary or "")


def test_a_draft_drops_the_review_that_waits_and_is_told_nothing_by_the_one_that_runs(
    desk: ReviewDesk,
) -> None:
    desk.looks()
    desk.pull.draft = True
    desk.looks("drafted")
    assert desk.store.claim(ENGINE, "engine-1", 60) is None
    assert desk.outcomes() == [f"stopped: {DRAFTED}"]
    desk.pull.draft = False
    desk.looks("ready")
    job, run, _ = desk.engine()
    desk.pull.draft = True
    desk.looks("drafted")
    assert desk.store.stopped(run.id) == ""
    desk.store.reviewed(job, run.id, step(PUBLISH, run), report=report().model_dump_json())
    desk.work()
    assert desk.outcomes()[1:] == ["draft"]
    assert desk.pull.reviews == [] and desk.ours == []
    desk.pull.draft = False
    desk.looks("ready")  # what was told in the check run alone settles nothing
    desk.reviewed()
    assert desk.outcomes()[2:] == ["posted"]


def test_a_review_of_a_draft_that_somebody_asked_for_is_made_and_posted(desk: ReviewDesk) -> None:
    desk.says("alice", "/rlm review")
    desk.pull.draft = True
    desk.looks("drafted")
    run = desk.reviewed()
    assert Wish.model_validate_json(run.request).is_asked
    assert desk.outcomes() == ["posted"]


def test_a_review_of_a_draft_that_a_bot_asked_for_by_name_is_made_and_posted(
    desk: ReviewDesk,
) -> None:
    desk.pull.draft = True
    desk.looks("labelled", by_bot=True)
    desk.looks("drafted")  # it is not taken from the bot, either
    run = desk.reviewed()
    assert not Wish.model_validate_json(run.request).is_asked  # yet nobody waits for it
    assert desk.outcomes() == ["posted"]


@pytest.mark.parametrize("ended", ["draft", "closed"])
def test_what_comes_back_while_its_review_ends_is_reviewed(desk: ReviewDesk, ended: str) -> None:
    desk.looks()
    job, run, _ = desk.engine()
    _go(desk.pull, ended)
    desk.store.reviewed(job, run.id, step(PUBLISH, run), report=report().model_dump_json())
    publication = desk.store.claim(GITHUB, "github", 60)
    assert publication is not None
    # The event finds the run open, and begins nothing; the publication has read before.
    conclusion = desk.fake.fault("PATCH", "/check-runs/", when="after", action=desk_back(desk))
    desk.steps.do(publication)
    assert conclusion.met == 1
    desk.work()
    assert desk.outcomes() == [ended, "open"]
    desk.reviewed()
    assert desk.outcomes() == [ended, "posted"]


@pytest.mark.parametrize("ended", ["draft", "closed"])
def test_what_does_not_come_back_is_not_reviewed(desk: ReviewDesk, ended: str) -> None:
    desk.looks()
    job, run, _ = desk.engine()
    _go(desk.pull, ended)
    desk.store.reviewed(job, run.id, step(PUBLISH, run), report=report().model_dump_json())
    assert desk.work() == [PUBLISH, Look.kind]
    assert desk.outcomes() == [ended]


def _go(pull: FakePull, how: str) -> None:
    if how == "draft":
        pull.draft = True
    else:
        pull.close()


def desk_back(desk: ReviewDesk) -> Callable[[], None]:
    """Return what makes the pull request ready, and open, again."""

    def back() -> None:
        desk.pull.draft = False
        if desk.pull.state == "closed":
            desk.pull.reopen()

    return back


# What is given up --------------------------------------------------------------------------------


def test_a_command_that_is_given_up_is_answered_below_it(desk: ReviewDesk) -> None:
    comment = desk.pull.comment("alice", "/rlm review")
    command = Command(
        installation=desk.installation.id,
        repository_id=desk.repo.id,
        repository=NAME,
        number=desk.pull.number,
        comment_id=comment.id,
        body="/rlm review",
        sender="alice",
    )
    desk.store.put(command.job())
    desk.loses("GitHub was away (tried for 6 hours)")
    (said,) = desk.ours
    assert "given up on this: GitHub was away" in said.body
    desk.pull.locked = True  # nobody can be told
    desk.store.put(command.model_copy(update={"comment_id": comment.id + 1}).job())
    desk.loses("GitHub was away")
    assert len(desk.ours) == 1 and desk.store.waiting("github") == 0


def test_a_check_of_a_merge_queue_that_is_given_up_is_concluded(desk: ReviewDesk) -> None:
    group = desk.repo.commit({"queue": b"x"}, desk.head)
    desk.store.put(desk.asks(group).job())
    desk.loses("GitHub was away")
    (check,) = desk.repo.check_runs
    assert (check.head_sha, check.status, check.conclusion) == (group, "completed", "neutral")
    assert "GitHub was away" in (check.summary or "")


def test_a_check_that_was_to_be_run_again_and_is_given_up_is_concluded(desk: ReviewDesk) -> None:
    desk.looks()
    desk.reviewed()
    (check,) = desk.repo.check_runs
    check.status, check.conclusion = "queued", None  # as GitHub shows it when it is run again
    desk.store.put(desk.reruns(check.external_id or "").job())
    desk.loses("GitHub was away")
    assert desk.checks == [("completed", "neutral")]


def test_all_checks_that_were_to_be_run_again_and_are_given_up_leave_what_was_said(
    desk: ReviewDesk,
) -> None:
    desk.looks()
    desk.reviewed()
    desk.store.put(desk.reruns().job())
    desk.loses("GitHub was away")
    first, second = desk.repo.check_runs
    assert (first.conclusion, second.conclusion) == ("success", "neutral")
    assert first.external_id != second.external_id
    assert "GitHub was away" in (second.summary or "")
    assert "GitHub was away" not in (first.summary or "")


def test_a_button_that_was_pressed_and_is_given_up_is_answered_to_who_may_write(
    desk: ReviewDesk,
) -> None:
    desk.looks()
    desk.reviewed()
    before = len(desk.ours)
    desk.store.put(desk.presses().model_copy(update={"sender": "mallory"}).job())
    desk.loses("GitHub was away")
    assert len(desk.ours) == before
    desk.store.put(desk.presses().job())
    desk.loses("GitHub was away")
    assert "given up on closing findings" in desk.ours[-1].body
    assert "GitHub was away" in desk.ours[-1].body


def test_a_question_and_a_review_that_are_given_up_are_answered_below_their_commands(
    desk: ReviewDesk,
) -> None:
    desk.says("alice", "/rlm ask why?")
    desk.comes(problem="It came to nothing.")
    desk.loses("GitHub was away")
    desk.store.put(_said(desk, "/rlm review").job())
    command = desk.store.claim(GITHUB, "github", 60)
    assert command is not None
    desk.steps.do(command)
    desk.loses("GitHub was away")  # before its check run was there
    assert [one.body.count("given up on this: GitHub was away") for one in desk.ours] == [1, 1]
    assert desk.repo.check_runs == []


def test_a_review_that_a_label_asked_for_and_is_given_up_has_a_check_run_that_says_so(
    desk: ReviewDesk,
) -> None:
    for trigger in ("labelled", "pushed"):  # nobody waits for the other
        desk.store.put(_look(desk, trigger).job())
        with desk.store.database.write() as db:
            db.execute(update(JOBS).values(not_before=0))
        look = desk.store.claim(GITHUB, "github", 60)
        assert look is not None
        desk.steps.do(look)
        if trigger == "labelled":
            desk.loses("GitHub was away")
            assert desk.checks == [("completed", "neutral")]
        else:
            desk.loses("GitHub was away")
    assert len(desk.repo.check_runs) == 1


def _look(desk: ReviewDesk, trigger: str) -> Look:
    return Look.model_validate(
        {
            "installation": desk.installation.id,
            "repository_id": desk.repo.id,
            "repository": NAME,
            "number": desk.pull.number,
            "trigger": trigger,
        }
    )


def _said(desk: ReviewDesk, text: str) -> Command:
    comment = desk.pull.comment("alice", text)
    return Command(
        installation=desk.installation.id,
        repository_id=desk.repo.id,
        repository=NAME,
        number=desk.pull.number,
        comment_id=comment.id,
        body=text,
        sender="alice",
    )


def test_what_is_given_up_while_nobody_can_be_told_ends_all_the_same(desk: ReviewDesk) -> None:
    """A command, a review, and what was to be written: the last try ends each."""
    desk.says("alice", "/rlm refactor rename f to g")
    desk.looks()
    desk.comes(problem="It came to nothing.")
    desk.comes(problem="It came to nothing.")
    desk.store.put(desk.asks(desk.head).job())
    desk.fake.fault(status=502, times=None)
    kinds = []
    while (job := desk.store.claim(GITHUB, "github", 60)) is not None:
        kinds.append(job.kind)
        with pytest.raises(Outage):
            desk.steps.lost(job, GiveUp("GitHub was away"))
        desk.steps.lost(job, GiveUp("GitHub was away"), last=True)
    assert sorted(kinds) == [PUBLISH, PUBLISH, Queued.kind]
    assert desk.outcomes() == ["lost: GitHub was away"] * 2
    assert desk.store.waiting(GITHUB) == 0


def test_what_was_given_up_in_an_outage_is_said_when_it_is_over(desk: ReviewDesk) -> None:
    """Where somebody waits: below the command and its question, in check runs, at the button."""
    desk.looks()
    desk.reviewed()
    desk.says("alice", "/rlm ask why?")
    desk.comes(problem="It came to nothing.")
    group = desk.repo.commit({"queue": b"x"}, desk.head)
    before = len(desk.ours)
    desk.store.put(
        _said(desk, "/rlm review").job(),
        desk.asks(group).job(),
        desk.presses().job(),
        desk.reruns().job(),
    )
    desk.gives_up(Command.kind, PUBLISH, Queued.kind, Pressed.kind, Rerun.kind)
    assert desk.work() == []  # it is not tried at once
    for _ in range(3):
        asked = len(desk.fake.asked())
        assert desk.later() == [Untold.kind] * 5
        assert len(desk.fake.asked()) - asked <= 3 * 5  # a request each, tried as any read is
    desk.fake.mend()
    assert desk.later() == [Untold.kind] * 5
    said = desk.ours[before:]
    assert len(said) == 3 and all("GitHub was away" in one.body for one in said)
    assert desk.checks == [("completed", "success"), *[("completed", "neutral")] * 2]
    assert {one.head_sha for one in desk.repo.check_runs} == {desk.head, group}
    assert desk.later() == [] and desk.store.waiting(GITHUB) == 0


@pytest.mark.parametrize("settled", [False, True])
def test_a_review_that_was_given_up_is_not_told_of_where_a_later_one_has_its_head(
    desk: ReviewDesk, settled: bool
) -> None:
    desk.says("alice", "/rlm review")
    assert desk.run().check_run is not None
    with desk.store.database.write() as db:  # checks were refused, say
        db.execute(update(RUNS).values(check_run=None))
    desk.comes(problem="It came to nothing.")
    desk.gives_up(PUBLISH)
    desk.fake.mend()
    desk.says("alice", "/rlm review")
    assert desk.run().state == "open"
    if settled:
        desk.reviewed()
    before, checks = len(desk.ours), desk.checks
    assert desk.later() == [Untold.kind]
    assert len(desk.ours) == before and desk.checks == checks
    assert not any("GitHub was away" in one.body for one in desk.ours)


def test_what_was_given_up_keeps_nothing_else_from_its_turn(desk: ReviewDesk) -> None:
    desk.store.put(_said(desk, "/rlm review").job())
    desk.gives_up(Command.kind)
    with desk.store.database.write() as db:  # what failed a while ago keeps nothing, either
        db.execute(update(JOBS).where(JOBS.c.state == "failed").values(created=0))
    assert desk.store.put_if_idle(_look(desk, "missed").job())


def test_what_cannot_be_said_for_longer_than_runs_are_kept_is_left(
    desk: ReviewDesk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.store.put(_said(desk, "/rlm review").job())
    desk.gives_up(Command.kind)
    assert desk.later() == [Untold.kind]
    desk.store.kept_s = 0.0
    assert desk.later() == [Untold.kind]
    assert "never said" in caplog.text
    assert desk.later() == []
    desk.fake.mend()
    assert desk.ours == []


def test_what_was_given_up_goes_with_its_installation(desk: ReviewDesk) -> None:
    desk.looks()
    desk.comes(problem="It came to nothing.")
    desk.store.put(_said(desk, "/rlm review").job())
    desk.gives_up(PUBLISH, Command.kind)
    desk.store.forget_installation(desk.installation.id)
    desk.fake.mend()
    assert desk.later() == [] and desk.ours == []


def test_a_limit_is_kept_to_while_something_has_to_be_said(desk: ReviewDesk) -> None:
    desk.store.put(_said(desk, "/rlm review").job())
    desk.gives_up(Command.kind)
    desk.fake.mend()
    desk.fake.fault(status=429, times=None, headers={"Retry-After": "1800"})
    assert desk.later() == [Untold.kind]
    with desk.store.database.read() as db:
        (due,) = db.scalars(select(JOBS.c.not_before).where(JOBS.c.state == "waiting"))
    assert due - time.time() == pytest.approx(1_800, abs=10)


@pytest.mark.parametrize(
    ("gone_s", "pause_s"), [(0, 600), (-9_000, 600), (600, 600), (1_200, 1_200), (90_000, 3_600)]
)
def test_what_cannot_be_said_is_tried_less_often_the_longer_it_lasts(
    desk: ReviewDesk, monkeypatch: pytest.MonkeyPatch, gone_s: int, pause_s: int
) -> None:
    desk.store.put(_said(desk, "/rlm review").job())
    desk.gives_up(Command.kind)
    began = time.time()
    monkeypatch.setattr(time, "time", lambda: began + gone_s)
    assert desk.later() == [Untold.kind]
    with desk.store.database.read() as db:
        (due,) = db.scalars(select(JOBS.c.not_before).where(JOBS.c.state == "waiting"))
    assert due - time.time() == pytest.approx(pause_s, abs=10)


def test_what_was_written_and_pushed_by_then_is_said_and_counts(desk: ReviewDesk) -> None:
    """The outage begins when the pull request on top is there, and nobody was told of it."""
    desk.says("alice", "/rlm refactor rename f to g")
    desk.plans()
    desk.says("alice", "/rlm go")
    run = desk.comes(desk.written())
    job = desk.store.claim(GITHUB, "github", 60)
    assert job is not None
    away = partial(desk.fake.fault, status=502, times=None)
    fault = desk.fake.fault("POST", r"/pulls$", when="after", status=502, action=away)
    with pytest.raises(Outage):
        desk.steps.do(job)
    assert fault.met == 1 and len(desk.stacked) == 1
    desk.steps.lost(job, AwayTooLong("GitHub was away"), last=True)
    assert desk.outcomes()[-1] == "lost: GitHub was away"
    desk.fake.mend()
    assert desk.later()[:1] == [Untold.kind]
    assert desk.outcomes()[-1] == "stacked"
    made = desk.store.stacked(run.id)
    assert made is not None and made.stacked == desk.stacked[0].number
    assert f"#{made.stacked}" in desk.ours[-1].body
    assert desk.store.result(run.id)


# What is merged of ours --------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["below", "itself"])
def test_what_is_merged_is_known_from_the_end_of_a_pull_request_too(
    desk: ReviewDesk, where: str
) -> None:
    """The push that a merge is may be lost, or go to another branch than the one below."""
    desk.says("alice", "/rlm refactor rename f to g")
    desk.plans()
    desk.says("alice", "/rlm go")
    run = desk.carries()
    (stacked,) = desk.stacked
    stacked.close(merged=True)
    if where == "below":
        desk.pull.close(merged=True)
        desk.looks("closed")
    else:
        look = _look(desk, "closed").model_copy(update={"number": stacked.number})
        desk.store.put(look.job())
        desk.work()
    made = desk.store.stacked(run.id)
    assert made is not None and made.state == "merged"


# Checks that are run again -----------------------------------------------------------------------


@pytest.mark.parametrize("what", ["one", "all"])
def test_checks_of_a_fork_are_run_again_though_its_runs_are_forgotten(
    desk: ReviewDesk, what: str
) -> None:
    desk.looks()
    desk.reviewed()
    desk.store.forget_installation(desk.installation.id, [desk.repo.id])
    (check,) = desk.repo.check_runs
    desk.store.put(desk.reruns(check.external_id or "" if what == "one" else "").job())
    desk.work()
    assert desk.outcomes() == ["open"]
    assert desk.engine()[2].trigger == "rerun"


@pytest.mark.parametrize("what", ["one", "all"])
@pytest.mark.parametrize("shown", ["queued", "completed"])
def test_a_check_of_a_closed_pull_request_that_is_run_again_ends(
    desk: ReviewDesk, what: str, shown: str
) -> None:
    desk.looks()
    desk.reviewed()
    (check,) = desk.repo.check_runs
    before = check.summary or ""
    desk.pull.close()
    if shown == "queued":  # as GitHub may show it when it is run again
        check.status, check.conclusion = "queued", None
    for _ in range(2):
        desk.store.put(desk.reruns(check.external_id or "" if what == "one" else "").job())
        desk.work()
    assert desk.checks == [("completed", "neutral" if shown == "queued" else "success")]
    assert check.summary == f"{NOT_OPEN}\n\n{before.strip()}"
    assert desk.outcomes() == ["posted"]


@pytest.mark.parametrize("what", ["one", "all"])
def test_a_check_of_an_old_commit_that_is_run_again_ends_and_the_head_is_reviewed(
    desk: ReviewDesk, what: str
) -> None:
    desk.looks()
    desk.reviewed()
    (old,) = desk.repo.check_runs
    before = (old.summary or "").strip()
    rerun = desk.reruns(old.external_id or "" if what == "one" else "")
    for number in range(2):
        old.status, old.conclusion = "queued", None
        desk.pull.push(desk.repo.commit({"a.py": b"x = %d\n" % number}, desk.pull.head))
        desk.store.put(rerun.model_copy(update={"event_id": f"e-{number}"}).job())
        desk.work()
        assert (old.status, old.conclusion) == ("completed", "neutral")
        assert old.summary == f"{NOT_NEWEST.format(head=desk.pull.head)}\n\n{before}"
        _, run, wish = desk.engine()
        assert (run.head, wish.trigger) == (desk.pull.head, "rerun")
    desk.pull.close()
    desk.store.put(rerun.job())
    desk.work()
    assert old.summary == f"{NOT_OPEN}\n\n{before}"


def test_a_check_run_again_that_may_not_be_written_is_left(desk: ReviewDesk) -> None:
    desk.looks()
    desk.reviewed()
    desk.pull.close()
    desk.fake.fault("GET", r"/check-runs", status=403, times=None)
    desk.store.put(desk.reruns(desk.repo.check_runs[0].external_id or "").job())
    desk.work()
    assert desk.store.waiting(GITHUB) == 0 and desk.checks == [("completed", "success")]


# Merge queues ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "conclusion", "title"),
    [
        (None, "success", "Not reviewed"),
        (report(), "success", "Reviewed on its pull request"),
        (report(status="partial"), "success", "Reviewed in part on its pull request"),
        (
            report().model_copy(update={"blocks": Severity.HIGH}),
            "failure",
            "Its pull request has findings that block it",
        ),
    ],
)
def test_a_merge_queue_is_told_at_once_what_the_review_came_to(
    desk: ReviewDesk, made: Report | None, conclusion: str, title: str
) -> None:
    if made is not None:
        desk.looks()
        desk.reviewed(made)
    check = desk.queued(desk.repo.commit({"queue": b"x"}, desk.head))
    assert (check.status, check.conclusion, check.title) == ("completed", conclusion, title)
    assert f"#{desk.pull.number}" in (check.summary or "") and check.actions == []


def test_a_review_of_an_older_commit_or_of_a_part_is_not_taken_for_one_of_all(
    desk: ReviewDesk,
) -> None:
    desk.says("alice", "/rlm review a.py")
    desk.reviewed()
    group = desk.repo.commit({"queue": b"x"}, desk.head)
    assert desk.queued(group).title == "Reviewed in part on its pull request"
    desk.pull.push(desk.repo.commit({"a.py": b"x = 1\n"}, desk.head))
    newer = desk.repo.commit({"queue": b"y"}, desk.pull.head)
    assert desk.queued(newer).title == "Not reviewed"


def test_a_review_that_said_nothing_is_none_that_a_merge_queue_is_told_of(
    desk: ReviewDesk,
) -> None:
    desk.looks()
    desk.pull.draft = True
    desk.reviewed()
    assert desk.outcomes() == ["draft"]
    desk.pull.draft = False
    check = desk.queued(desk.repo.commit({"queue": b"x"}, desk.head))
    assert check.title == "Not reviewed"


# Servers that are replaced one after the other ---------------------------------------------------


@pytest.mark.parametrize("later", [{"novel": 1}, {"trigger": "novel"}])
def test_a_job_of_a_newer_server_is_left_to_it(desk: ReviewDesk, later: dict[str, object]) -> None:
    job = desk.asks_to_look()
    newer = json.dumps(json.loads(job.payload) | later)
    desk.store.put(replace(job, payload=newer))
    for _ in range(MAX_ATTEMPTS + 2):
        desk.tries()
    assert desk.ours == [] and desk.checks == []
    with desk.store.database.write() as db:  # a new server knows it
        db.execute(update(JOBS).values(payload=job.payload, not_before=0))
    assert desk.tries() == "look"
    assert len(desk.store.runs_of(desk.repo.id, desk.pull.number)) == 1


def test_a_wish_and_a_report_of_a_newer_server_are_left_to_it(desk: ReviewDesk) -> None:
    desk.looks()
    run = desk.comes(report(findings=[]).model_dump_json())
    for column in (RUNS.c.request, RUNS.c.report):
        with desk.store.database.write() as db:
            (known,) = db.scalars(select(column))
            newer = json.dumps(json.loads(known) | {"novel": 1})
            db.execute(update(RUNS).values({column.name: newer}))
        for _ in range(MAX_ATTEMPTS + 2):
            desk.tries()
        assert desk.ours == [] and desk.checks == [("in_progress", None)]
        with desk.store.database.write() as db:
            db.execute(update(RUNS).values({column.name: known}))
            db.execute(update(JOBS).values(not_before=0))
    assert desk.tries() == PUBLISH
    assert desk.checks == [("completed", "success")] and desk.run().id == run.id


def test_a_step_that_is_not_known_is_no_publication(desk: ReviewDesk) -> None:
    desk.looks()
    run = desk.comes(report(findings=[]).model_dump_json())
    with desk.store.database.write() as db:
        db.execute(update(JOBS).values(kind="novel"))
    for _ in range(MAX_ATTEMPTS + 2):
        assert desk.tries() == "novel"
    assert desk.checks == [("in_progress", None)]
    assert desk.store.waiting(GITHUB) == 1 and desk.run().id == run.id


@pytest.mark.parametrize("which", ["look", "publication"])
def test_a_value_of_our_own_that_does_not_fit_is_a_bug_and_waits_for_nobody(
    desk: ReviewDesk,
    which: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slips(*_: object, **__: object) -> None:
        Wish.model_validate({"number": "one"})

    if which == "look":
        desk.store.put(desk.asks_to_look())
        monkeypatch.setattr(desk.steps._looks, "look", slips)
    else:
        desk.looks()
        desk.comes(report(findings=[]).model_dump_json())
        monkeypatch.setattr("app.steps.publish", slips)
    for _ in range(MAX_ATTEMPTS):
        desk.tries()
    bugs = [one for one in caplog.records if one.getMessage() == "job failed"]
    assert len(bugs) == MAX_ATTEMPTS and all(one.exc_info for one in bugs)
    assert desk.store.waiting(GITHUB) == 0, "it is given up after some tries"
    if which == "publication":
        assert desk.checks == [("completed", "neutral")]
