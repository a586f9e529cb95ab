"""Plans that people start, and what is written then: the github role's part, step by step."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app import write_steps
from app.github.client import Hub
from app.jobs import step
from app.obey import SET_ASIDE, STOPPED
from app.render.markdown import LIMIT_BYTES
from app.roles.github import WRITES
from app.store import PUBLISH, Run
from app.write_steps import (
    AGAIN,
    AGAIN_LATER,
    ALREADY,
    EDITED,
    MOST_ASKED,
    NO_PLAN,
    NOT_SEEN,
    NOTHING_STACKED,
    OTHER_PLAN,
    STILL_PLANNED,
    TOO_OLD,
)
from app.written import Written
from reviewer.errors import GiveUp
from reviewer.refactor.patch import Blob, Patch, commit_of
from reviewer.refactor.values import Module, Plan
from reviewer.request import StopReason
from tests.app.render.samples import finding
from tests.app.writing_desk import AFTER, HEAD, NAME, PLAN, Desk
from tests.github.hub import FakeGitHub


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "hub") as fake:
        yield fake


@pytest.fixture
def desk(fake: FakeGitHub, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(fake, tmp_path)
    yield desk
    desk.store.close()


def planned(desk: Desk) -> Any:
    """Ask for a plan, and have it; return the comment with it."""
    desk.says("alice", "/rlm refactor rename f to g\nand nothing else")
    desk.plans()
    (comment,) = desk.ours
    return comment


# A plan and its start ----------------------------------------------------------------------------


def test_a_plan_is_a_comment_and_nothing_is_written_before_somebody_starts_it(desk: Desk) -> None:
    desk.says("alice", "/rlm refactor rename f to g\nand nothing else")
    _, run, wish = desk.engine()
    assert (run.kind, wish.instruction, wish.plan_of) == (
        "refactor", "rename f to g\nand nothing else", "",
    )  # fmt: skip
    desk.store.recover("engine-1")
    desk.plans()
    (comment,) = desk.ours
    assert "f is called g" in comment.body and "`/rlm go`" in comment.body
    assert desk.outcomes() == ["planned"]
    assert (desk.stacked, desk.branches) == ([], {})
    assert not [seen for seen in desk.fake.requests if "/git/" in seen.path]


def test_go_has_the_plan_carried_out_in_one_pull_request_on_top(desk: Desk) -> None:
    comment = planned(desk)
    (plan,) = desk.store.plans_of(desk.repo.id, desk.pull.number)
    go = desk.says("alice", "/rlm go")
    _, run, wish = desk.engine()
    assert (wish.plan_of, run.origin, run.head) == (plan.run, f"go:{plan.run}", desk.head)
    desk.store.recover("engine-1")
    desk.carries()
    (stacked,) = desk.stacked
    assert stacked.base_ref == "topic" and stacked.head_ref in desk.branches
    assert desk.text(stacked.head, "a.py") == AFTER["a.py"]
    assert desk.repo.git("rev-list", "--count", f"{desk.head}..{stacked.head}") == "1"
    assert desk.ours[0] is comment
    (_, result) = desk.ours
    assert f"/pull/{stacked.number}" in result.body
    (row,) = desk.store.stacked_of(desk.repo.id, desk.pull.number)
    assert (row.stacked, row.branch, row.head) == (stacked.number, stacked.head_ref, stacked.head)
    assert desk.outcomes() == ["planned", "stacked"]
    # The job of the command is done again, and somebody gives it again.
    desk.obeys(go)
    assert len(desk.ours) == 2
    desk.says("alice", "/rlm go")
    assert ALREADY in desk.ours[-1].body
    assert desk.outcomes() == ["planned", "stacked"] and len(desk.stacked) == 1


def test_nothing_of_a_result_that_would_add_a_secret_reaches_the_pull_request(desk: Desk) -> None:
    planned(desk)
    desk.says("alice", "/rlm go")
    secret = finding(title="s").model_copy(update={"source": "detector:secrets/github-token"})
    account = desk.written().account.model_copy(
        update={"status": "partial", "stopped": StopReason.INCOMPLETE, "findings": [secret]}
    )
    before = {name: Blob(HEAD[name]) for name in ("a.py",)}
    commit = commit_of("all", "model", "Add it", before, {"a.py": Blob(b"LEAKED = 1\n")})
    assert commit is not None
    desk.comes(Written.of("refactor", account, Patch(desk.head, (commit,)), write=True))
    desk.work()
    (_, result) = desk.ours
    assert "Nothing of it is handed over" in result.body and "LEAKED" not in result.body
    assert (desk.stacked, desk.branches) == ([], {}) and desk.pull.reviews == []


def test_a_stranger_starts_nothing(desk: Desk) -> None:
    desk.says("mallory", "/rlm refactor delete it all")
    assert desk.outcomes() == [] and "Only people who may write" in desk.ours[-1].body
    desk.says("alice", "/rlm refactor rename f to g")
    desk.plans()
    plan = desk.ours[-1]
    for who, permission in (("carol", "read"), ("dave", "triage")):
        desk.repo.permit(who, permission)
    desk.says("mallory", "/rlm go")
    assert desk.ours[-1] is plan, "each is told once"
    for who in ("carol", "dave"):
        desk.says(who, "/rlm go")
        assert "Only people who may write" in desk.ours[-1].body
    for who in ("mallory", "bob", "carol", "dave", desk.app.actor):
        desk.reacts(who, "+1", plan)
    desk.reacts("alice", "eyes", plan)
    desk.reacts("alice", "-1", plan)
    assert desk.steps.writing.look_at_reactions(young=True) == 0
    # Who might when asking for the plan may not by now.
    desk.repo.permit("alice", "read")
    desk.reacts("alice", "+1", plan)
    desk.says("alice", "/rlm go")
    assert desk.steps.writing.look_at_reactions(young=True) == 0
    assert desk.outcomes() == ["planned"]


@pytest.mark.parametrize("content", ["+1", "rocket", "hooray"])
def test_a_reaction_of_somebody_who_may_write_starts_it_once(desk: Desk, content: str) -> None:
    comment = planned(desk)
    desk.reacts("mallory", content, comment)
    desk.reacts("alice", content, comment)
    desk.repo.permit("carol", "admin")
    desk.reacts("carol", content, comment)
    assert desk.steps.writing.look_at_reactions(young=True) == 1
    assert desk.started().writing.look_at_reactions(young=True) == 0
    _, _, wish = desk.engine()
    assert (wish.trigger, wish.sender, wish.is_asked) == ("reaction", "alice", True)
    assert desk.outcomes() == ["planned", "open"]


def test_two_that_see_a_reaction_at_once_start_one_run(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.reacts("alice", "+1", planned(desk))
    read, others = desk.store.runs_of, [desk.started()]

    def overtaken(*where: int) -> list[Run]:
        runs = read(*where)
        while others:  # between this look and what comes of it
            assert others.pop().writing.look_at_reactions(young=True) == 1
        return runs

    monkeypatch.setattr(desk.store, "runs_of", overtaken)
    desk.steps.writing.look_at_reactions(young=True)
    assert not others
    assert desk.outcomes() == ["planned", "open"]


def test_a_reaction_from_before_the_plan_starts_nothing(desk: Desk) -> None:
    desk.says("alice", "/rlm refactor rename f to g")
    _, run, _ = desk.engine()
    desk.store.progressed(run.id, "2 of 5 parts read so far.")
    desk.steps.show_progress({})
    desk.work()
    (comment,) = desk.ours
    assert "Planning it" in comment.body
    desk.reacts("alice", "+1", comment, after_s=0.0)
    desk.fake.state.clock_offset += 60
    desk.store.recover("engine-1")
    desk.plans()
    assert desk.ours == [comment] and "f is called g" in comment.body
    assert desk.steps.writing.look_at_reactions(young=True) == 0
    desk.reacts("alice", "rocket", comment)
    assert desk.steps.writing.look_at_reactions(young=True) == 1
    assert desk.outcomes() == ["planned", "open"]


def test_the_time_of_a_plan_is_that_of_its_text_after_a_kill_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub's clock is not ours, and the plan may stand there before it is remembered."""
    desk.fake.state.clock_offset = -40

    def dies(_plan: object) -> None:
        raise _Killed

    desk.says("alice", "/rlm refactor rename f to g")
    with monkeypatch.context() as patched, pytest.raises(_Killed):
        patched.setattr(desk.store, "propose", dies)
        desk.plans()
    desk.store.recover("github")
    desk.fake.state.clock_offset = -20
    desk.steps = desk.started()
    desk.work()
    (comment,) = desk.ours
    (plan,) = desk.store.plans_of(desk.repo.id, desk.pull.number)
    assert plan.stands == int(comment.updated)
    desk.reacts("alice", "+1", comment, after_s=0.0)
    assert desk.steps.writing.look_at_reactions(young=True) == 1


def test_a_crowd_of_strangers_keeps_nobody_from_starting_it(desk: Desk) -> None:
    comment = planned(desk)
    for number in range(MOST_ASKED + 2):
        for content in ("+1", "rocket"):
            desk.reacts(f"stranger-{number}", content, comment)
    assert desk.steps.writing.look_at_reactions(young=True) == 0
    assert desk.steps.writing.look_at_reactions(young=False) == 0
    asked = len(permissions(desk))
    assert asked >= MOST_ASKED + 2
    # Everybody is asked about once, until they react anew.
    assert desk.steps.writing.look_at_reactions(young=True) == 0
    assert len(permissions(desk)) == asked
    desk.repo.permit("stranger-1", "write")
    assert desk.steps.writing.look_at_reactions(young=True) == 0
    desk.reacts("alice", "+1", comment)
    assert desk.steps.writing.look_at_reactions(young=True) == 1


def test_who_is_let_in_may_start_it_by_another_reaction(desk: Desk) -> None:
    comment = planned(desk)
    desk.reacts("carol", "+1", comment)
    assert desk.steps.writing.look_at_reactions(young=True) == 0
    desk.repo.permit("carol", "write")
    desk.reacts("carol", "rocket", comment)
    assert desk.steps.writing.look_at_reactions(young=True) == 1


def test_an_installation_without_requests_left_is_let_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = planned(desk)
    desk.reacts("alice", "+1", comment)
    desk.fake.fault(
        "GET",
        "/reactions",
        status=403,
        headers={"retry-after": "90"},
        body={"message": "You have exceeded a secondary rate limit"},
        times=None,
    )
    assert desk.steps.writing.look_at_reactions(young=True) == 0
    asked = len(desk.fake.requests)
    desk.fake.mend()
    assert desk.steps.writing.look_at_reactions(young=True) == 0
    assert len(desk.fake.requests) == asked
    now = time.monotonic()
    monkeypatch.setattr(write_steps.time, "monotonic", lambda: now + 91)
    assert desk.steps.writing.look_at_reactions(young=True) == 1


def permissions(desk: Desk) -> list[str]:
    return [one.path for one in desk.fake.requests if one.path.endswith("/permission")]


def test_both_ways_at_once_start_it_once(desk: Desk) -> None:
    comment = planned(desk)
    desk.reacts("alice", "+1", comment)
    (plan,) = desk.store.waiting_plans(0.0)
    desk.says("alice", "/rlm go")
    # Another server has read that it waits, before.
    desk.steps.writing._looked_at(plan, time.time())
    assert desk.outcomes() == ["planned", "open"]


def test_an_edited_plan_is_not_started(desk: Desk) -> None:
    comment = planned(desk)
    comment.body = comment.body.replace("f is called g", "everything is deleted")
    go = desk.says("alice", "/rlm go")
    assert EDITED in desk.ours[-1].body
    desk.obeys(go)
    assert len(desk.ours) == 2 and desk.outcomes() == ["planned"]


def test_an_edited_plan_is_not_started_by_a_reaction_and_that_is_said_once(desk: Desk) -> None:
    comment = planned(desk)
    comment.body = comment.body.replace("f is called g", "everything is deleted")
    desk.reacts("alice", "rocket", comment)
    for _ in range(2):
        assert desk.steps.writing.look_at_reactions(young=True) == 0
    assert [EDITED in one.body for one in desk.ours] == [False, True]
    assert desk.outcomes() == ["planned"]


def test_line_endings_and_a_lost_marker_are_no_edit(desk: Desk) -> None:
    comment = planned(desk)
    comment.body = comment.body[: comment.body.index("<!--")].replace("\n", "\r\n")
    desk.says("alice", "/rlm go")
    assert desk.outcomes() == ["planned", "open"]


def test_a_deleted_plan_is_none(desk: Desk) -> None:
    desk.pull.comments.remove(planned(desk))
    assert desk.steps.writing.look_at_reactions(young=True) == 0
    desk.says("alice", "/rlm go")
    assert NO_PLAN in desk.ours[-1].body and desk.outcomes() == ["planned"]


def test_a_newer_plan_takes_the_place_of_an_older_one(desk: Desk) -> None:
    old = planned(desk)
    desk.says("alice", "/rlm refactor rename f to h")
    run = desk.plans()
    desk.reacts("alice", "+1", old)
    assert desk.steps.writing.look_at_reactions(young=False) == 0
    new = desk.ours[-1]
    assert (
        f"[newer plan]({desk.fake.web}/{NAME}/pull/{desk.pull.number}#issuecomment-{new.id})"
        in (old.body)
    )
    assert "f is called g" in old.body and "/rlm go" not in old.body and "👍" not in old.body
    assert "newer plan" not in new.body and len(desk.ours) == 2
    desk.says("alice", "/rlm go")
    _, _, wish = desk.engine()
    assert wish.plan_of == run.id


def test_a_plan_whose_run_came_to_nothing_says_that_a_newer_one_is_there(desk: Desk) -> None:
    old = planned(desk)
    desk.says("alice", "/rlm go")
    desk.comes(problem="the cap of this pull request is reached.")
    desk.work()
    carried = desk.ours[-1].body
    desk.says("alice", "/rlm refactor rename f to h")
    desk.plans()
    assert "newer plan" in old.body and desk.ours[1].body == carried
    # One that was carried out is no plan any more.
    desk.says("alice", "/rlm go")
    desk.carries()
    done = desk.ours[2].body
    desk.says("alice", "/rlm refactor rename f to i")
    desk.plans()
    assert desk.ours[2].body == done and "newer plan" not in done


@pytest.mark.parametrize("how", ["edited", "deleted"])
def test_what_people_made_of_a_plan_is_left_to_them(desk: Desk, how: str) -> None:
    old = planned(desk)
    if how == "edited":
        old.body = before = "We do not want this."
    else:
        desk.pull.comments.remove(old)
        before = old.body
    desk.says("alice", "/rlm refactor rename f to h")
    desk.plans()
    assert old.body == before and len(desk.ours) == (2 if how == "edited" else 1)


def test_a_plan_says_once_that_a_newer_one_is_there_whatever_is_killed(desk: Desk) -> None:
    old = planned(desk)
    desk.says("alice", "/rlm refactor rename f to h")
    with pytest.raises(_Killed):
        _killed_after(desk, "PATCH", desk.plans)
    assert "newer plan" in old.body
    desk.store.recover("github")
    desk.steps = desk.started()
    edits = [one for one in desk.fake.requests if one.method == "PATCH"]
    desk.work()
    assert desk.outcomes() == ["planned", "planned"] and len(desk.ours) == 2
    assert [one for one in desk.fake.requests if one.method == "PATCH"] == edits


def test_a_plan_that_was_not_edited_before_a_kill_is_edited_after_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = planned(desk)
    desk.says("alice", "/rlm refactor rename f to h")
    propose = desk.store.propose

    def dies(plan: Any) -> None:
        propose(plan)
        raise _Killed

    with monkeypatch.context() as patched, pytest.raises(_Killed):
        patched.setattr(desk.store, "propose", dies)
        desk.plans()
    assert "newer plan" not in old.body
    desk.store.recover("github")
    desk.steps = desk.started()
    desk.work()
    assert "newer plan" in old.body and len(desk.ours) == 2


def test_a_plan_that_says_so_is_not_taken_for_an_edited_one(desk: Desk) -> None:
    """Another server has read that it waits, and meanwhile a newer one is shown."""
    old = planned(desk)
    desk.reacts("alice", "+1", old)
    (plan,) = desk.store.waiting_plans(0.0)
    desk.says("alice", "/rlm refactor rename f to h")
    desk.plans()
    said = len(desk.ours)
    desk.reacts("alice", "rocket", old)
    assert not desk.steps.writing._looked_at(plan, time.time())
    assert len(desk.ours) == said and desk.outcomes() == ["planned", "planned"]


@pytest.mark.parametrize("meanwhile", ["newer", "started"])
def test_a_plan_that_was_read_before_it_was_decided_on_is_not_started(
    desk: Desk, meanwhile: str
) -> None:
    """Another server shows a newer plan, or starts this one, while GitHub is asked about it."""
    old = planned(desk)
    desk.reacts("alice", "+1", old)
    (plan,) = desk.store.waiting_plans(0.0)
    if meanwhile == "newer":
        desk.says("alice", "/rlm refactor rename f to h")
        desk.plans()
    else:
        desk.store.decide(plan.run, "started")
    before = desk.outcomes()
    said = len(desk.ours)
    assert not desk.steps.writing._looked_at(plan, time.time())
    assert desk.outcomes() == before and len(desk.ours) == said
    states = {one.run: one.state for one in desk.store.plans_of(desk.repo.id, desk.pull.number)}
    assert states.pop(plan.run) == ("over" if meanwhile == "newer" else "started")
    assert set(states.values()) <= {"waiting"}


def test_go_starts_no_older_plan_while_another_is_made(desk: Desk) -> None:
    planned(desk)
    both = desk.says("alice", "/rlm refactor rename f to h\n/rlm go")
    assert STILL_PLANNED in desk.ours[-1].body
    assert desk.outcomes() == ["planned", "open"]
    # What is stopped makes no plan: the one that stands is meant again.
    desk.says("alice", "/rlm stop")
    desk.says("alice", "/rlm go")
    _, _, wish = desk.engine()
    assert wish.plan_of == desk.store.plans_of(desk.repo.id, desk.pull.number)[0].run
    assert both.comment_id != wish.comment


@pytest.mark.parametrize("place", ["conversation", "lines", "review"])
def test_go_starts_no_plan_that_was_shown_after_it_was_written(desk: Desk, place: str) -> None:
    """The job of a command may be done late, or again."""
    command = desk.says("alice", "/rlm refactor rename f to g\n/rlm go")
    with desk._with(WRITES)(desk.installation.id, desk.repo.id) as hub:
        if place == "review":
            path = f"/repos/{NAME}/pulls/{desk.pull.number}/reviews"
            made = hub.ask("review", "POST", path, {"body": command.body, "event": "COMMENT"})
            command = command.model_copy(update={"comment_id": made["id"], "in_review": True})
        if place == "lines":
            where = {"path": "c.py", "line": 1, "side": "RIGHT", "commit_id": desk.head}
            path = f"/repos/{NAME}/pulls/{desk.pull.number}/comments"
            made = hub.ask("comment", "POST", path, {"body": command.body, **where})
            thread = {"comment_id": made["id"], "thread": made["id"]}
            command = command.model_copy(update=thread)
        desk.fake.state.clock_offset += 20
        desk.plans()
        assert desk.steps.writing.go(hub, command) == NOT_SEEN
    assert desk.outcomes() == ["planned"]
    desk.says("alice", "/rlm go")
    assert desk.outcomes() == ["planned", "open"]


def test_a_plan_waits_for_a_week(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    comment = planned(desk)
    desk.reacts("alice", "+1", comment)
    now = time.time()
    monkeypatch.setattr(write_steps.time, "time", lambda: now + 8 * 86_400)
    desk.says("alice", "/rlm go")
    assert TOO_OLD in desk.ours[-1].body
    assert desk.steps.writing.look_at_reactions(young=False) == 0
    assert desk.outcomes() == ["planned"]


@pytest.mark.parametrize("days", [40, -40])
def test_a_plan_waits_for_a_week_whatever_the_clock_says(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, days: float
) -> None:
    planned(desk)
    desk.store.sweep()
    now = time.time()
    monkeypatch.setattr(write_steps.time, "time", lambda: now + days * 86_400)
    desk.store.sweep()
    assert desk.steps.writing.look_at_reactions(young=False) == 0
    monkeypatch.undo()  # it is set right
    desk.store.sweep()
    desk.says("alice", "/rlm go")
    assert desk.outcomes() == ["planned", "open"]


def test_a_plan_is_remembered_for_a_month(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    planned(desk)
    now = time.time()
    for days, there in ((29, 1), (31, 0)):
        monkeypatch.setattr(write_steps.time, "time", lambda days=days: now + days * 86_400)
        desk.steps.writing.look_at_reactions(young=False)
        assert len(desk.store.plans_of(desk.repo.id, desk.pull.number)) == there


def test_reactions_to_older_plans_are_looked_at_less_often(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.reacts("alice", "+1", planned(desk))
    now = time.time()
    monkeypatch.setattr(write_steps.time, "time", lambda: now + 2 * 3_600)
    assert desk.steps.writing.look_at_reactions(young=True) == 0
    assert desk.steps.writing.look_at_reactions(young=False) == 1


DOES = [Module(name="m", files=["a.py"], what="rename it")]


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (Plan(summary="?", questions=["Which f?"], modules=DOES), "Which f?"),
        (Plan(summary="No.", refusal="There is no h.", modules=DOES), "There is no h."),
        (Plan(summary="No.", refusal="It would delete the tests."), "It would delete the tests."),
        (Plan(summary="No.", refusal="It also asks for the environment."), "It also asks for the"),
        (Plan(summary="f is called g already."), "f is called g already."),
    ],
    ids=["ambiguous", "impossible", "destructive", "hidden", "done"],
)
def test_a_plan_that_asks_or_refuses_is_said_and_cannot_be_started(
    desk: Desk, plan: Plan, said: str
) -> None:
    desk.says("alice", "/rlm refactor rename it")
    desk.plans(plan)
    (comment,) = desk.ours
    assert said in comment.body and "/rlm go" not in comment.body
    desk.reacts("alice", "+1", comment)
    assert desk.steps.writing.look_at_reactions(young=True) == 0
    desk.says("alice", "/rlm go")
    assert NO_PLAN in desk.ours[-1].body
    assert desk.outcomes() == ["declined"]


def test_a_plan_of_which_people_see_a_part_cannot_be_started(desk: Desk) -> None:
    desk.says("alice", "/rlm refactor tidy everything")
    desk.plans(
        Plan(
            summary="All is tidy.",
            modules=[Module(name=f"m{n}", what="tidy the module " * 200) for n in range(60)],
        )
    )
    (comment,) = desk.ours
    assert "too large to be shown" in comment.body and "/rlm go" not in comment.body
    desk.reacts("alice", "+1", comment)
    assert desk.steps.writing.look_at_reactions(young=True) == 0
    desk.says("alice", "/rlm go")
    assert NO_PLAN in desk.ours[-1].body and desk.outcomes() == ["no plan"]


def test_a_part_of_a_plan_cannot_be_started_and_says_so(desk: Desk) -> None:
    desk.says("alice", "/rlm refactor rename it")
    desk.plans(status="partial", stopped=StopReason.BUDGET)
    (comment,) = desk.ours
    assert "cannot be started**: it is a part, because the budget" in comment.body
    assert "/rlm go" not in comment.body
    desk.says("alice", "/rlm go")
    assert NO_PLAN in desk.ours[-1].body and desk.outcomes() == ["no plan"]


def test_only_an_open_pull_request_is_worked_on(desk: Desk) -> None:
    comment = planned(desk)
    desk.pull.close()
    desk.says("alice", "/rlm go")
    desk.says("alice", "/rlm refactor rename it")
    assert [write_steps.ONLY_OPEN in one.body for one in desk.ours] == [False, True, True]
    desk.reacts("alice", "+1", comment)
    desk.steps.writing.look_at_reactions(young=True)
    assert desk.outcomes() == ["planned"]


# What comes of it --------------------------------------------------------------------------------


def begun(desk: Desk) -> None:
    planned(desk)
    desk.says("alice", "/rlm go")


def test_progress_and_result_are_one_comment(desk: Desk) -> None:
    begun(desk)
    job, run, _ = desk.engine()
    desk.store.progressed(run.id, "2 of 5 parts read so far.")
    shown: dict[str, str] = {}
    desk.steps.show_progress(shown)
    desk.work()
    assert "Working on it. 2 of 5 parts" in desk.ours[1].body
    desk.steps.show_progress(shown)
    desk.started().show_progress({})
    desk.work()
    assert len(desk.ours) == 2
    desk.store.recover("engine-1")
    desk.steps = desk.started()
    desk.carries()
    assert len(desk.ours) == 2 and f"/pull/{desk.stacked[0].number}" in desk.ours[1].body
    desk.steps.show_progress({})
    desk.work()
    assert "Working" not in desk.ours[1].body
    assert job.kind == "review"


def test_a_stop_writes_nothing_and_says_so(desk: Desk) -> None:
    begun(desk)
    job, run, _ = desk.engine()
    desk.says("alice", "/rlm stop")
    assert desk.store.stopped(run.id) == STOPPED
    desk.store.recover("engine-1")
    desk.carries()
    assert "Stopped: somebody gave the command" in desk.ours[-1].body
    assert (desk.stacked, desk.branches) == ([], {}) and job.id
    assert desk.outcomes()[-1].startswith("stopped")


def test_a_stop_sets_a_plan_that_waits_aside(desk: Desk) -> None:
    comment = planned(desk)
    desk.says("alice", "/rlm stop")
    assert SET_ASIDE in desk.ours[-1].body
    desk.reacts("alice", "+1", comment)
    assert desk.steps.writing.look_at_reactions(young=True) == 0
    desk.says("alice", "/rlm go")
    assert NO_PLAN in desk.ours[-1].body and desk.outcomes() == ["planned"]
    desk.says("alice", "/rlm stop")
    assert "Nothing is running here." in desk.ours[-1].body


def test_a_stop_sets_a_plan_aside_that_waits_again(desk: Desk) -> None:
    planned(desk)
    desk.says("alice", "/rlm go")
    desk.says("alice", "/rlm stop")  # what carries it out: it comes to nothing
    desk.says("alice", "/rlm stop")
    assert SET_ASIDE in desk.ours[-1].body
    desk.says("alice", "/rlm go")
    assert NO_PLAN in desk.ours[-1].body


@pytest.mark.parametrize("begun_by", ["/rlm refactor rename f to g", "/rlm tests"])
@pytest.mark.parametrize("works", [False, True])
def test_a_stop_before_there_is_anything_leaves_nothing_to_start(
    desk: Desk, begun_by: str, works: bool
) -> None:
    desk.says("alice", begun_by)
    if works:  # an engine has it, and hands over what it came to all the same
        desk.engine()
    desk.says("alice", "/rlm stop")
    if works:
        desk.store.recover("engine-1")
        desk.plans()
    assert desk.outcomes()[0].startswith("stopped")
    (said,) = desk.ours
    assert said.body.startswith("Stopped: somebody gave the command")
    assert "Nothing was changed" in said.body and "Rename f" not in said.body
    desk.says("alice", "/rlm stop")
    assert "Nothing is running here." in desk.ours[-1].body
    desk.reacts("alice", "+1", said)
    assert desk.steps.writing.look_at_reactions(young=True) == 0
    desk.says("alice", "/rlm go")
    assert NO_PLAN in desk.ours[-1].body
    desk.says("alice", "/rlm undo")
    assert NOTHING_STACKED in desk.ours[-1].body
    assert (desk.stacked, desk.branches) == ([], {}) and "open" not in desk.outcomes()


@pytest.mark.parametrize(
    "words", ["", " \u200b\u2060", " <!-- rename f -->", " " + "\U0001f600" * 65_500]
)
def test_an_instruction_of_nothing_or_of_too_much_begins_nothing(desk: Desk, words: str) -> None:
    desk.says("alice", f"/rlm refactor{words}")
    (said,) = desk.ours
    assert "needs an instruction" in said.body or "this one has 65,500" in said.body
    assert desk.outcomes() == []


def test_a_plan_can_be_started_again_after_a_run_that_came_to_nothing(desk: Desk) -> None:
    comment = planned(desk)
    desk.reacts("alice", "+1", comment)
    assert desk.steps.writing.look_at_reactions(young=True) == 1
    desk.says("alice", "/rlm go")
    assert ALREADY in desk.ours[-1].body
    # A cap is reached.
    desk.comes(problem="the cap of this pull request is reached.")
    desk.work()
    assert AGAIN in desk.ours[-1].body
    assert desk.steps.writing.look_at_reactions(young=True) == 0, "nobody has asked again"
    # A stop.
    go = desk.says("alice", "/rlm go")
    assert desk.outcomes()[-1] == "open"
    desk.says("alice", "/rlm stop")
    assert AGAIN in desk.ours[-1].body and "Nothing was changed" in desk.ours[-1].body
    desk.obeys(go)
    # Nobody knows what came of it.
    desk.says("alice", "/rlm go")
    desk.comes("{}")
    job = desk.store.claim("github", "github", 60)
    assert job is not None
    with pytest.raises(GiveUp) as told:
        desk.steps.do(job)
    desk.steps.lost(job, told.value)
    # In the end it is carried out, once.
    desk.says("alice", "/rlm go")
    desk.carries()
    desk.says("alice", "/rlm go")
    assert ALREADY in desk.ours[-1].body
    assert [one.partition(":")[0] for one in desk.outcomes()] == [
        "planned", "problem", "stopped", "lost", "stacked",
    ]  # fmt: skip
    runs = desk.store.runs_of(desk.repo.id, desk.pull.number)
    plan = runs[-1].id
    assert [run.origin for run in reversed(runs[:-1])] == [
        f"go:{plan}", f"go:{plan}:1", f"go:{plan}:2", f"go:{plan}:3",
    ]  # fmt: skip
    assert len(desk.stacked) == 1


def test_a_plan_whose_run_was_begun_before_a_kill_is_not_started_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = planned(desk)

    def dies(*_: object) -> None:
        raise _Killed

    with monkeypatch.context() as patched, pytest.raises(_Killed):
        patched.setattr(desk.store, "decide", dies)
        desk.says("alice", "/rlm go")
    desk.store.recover("github")
    desk.work()
    assert desk.outcomes() == ["planned", "open"]
    desk.reacts("alice", "+1", comment)
    assert desk.steps.writing.look_at_reactions(young=True) == 0
    desk.says("alice", "/rlm go")
    assert ALREADY in desk.ours[-1].body and desk.outcomes() == ["planned", "open"]


def test_what_is_to_be_done_after_a_run_that_came_to_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = planned(desk)
    desk.says("alice", "/rlm go")
    job, run, _ = desk.engine()
    desk.says("alice", "/rlm refactor rename f to h")
    newer = desk.plans()
    desk.store.reviewed(job, run.id, step(PUBLISH, run), problem="the cap is reached.")
    desk.work()
    assert OTHER_PLAN in desk.ours[-1].body and AGAIN not in desk.ours[-1].body
    # A reaction is no second start: that takes a command.
    desk.says("alice", "/rlm go")
    desk.comes(problem="the cap is reached.")
    desk.work()
    assert AGAIN in desk.ours[-1].body
    for plan in (comment, next(one for one in desk.ours if newer.id in one.body)):
        desk.reacts("alice", "rocket", plan)
    assert desk.steps.writing.look_at_reactions(young=False) == 0
    desk.says("alice", "/rlm go")
    desk.pull.close()
    desk.comes(problem="the cap is reached.")
    desk.work()
    assert AGAIN_LATER in desk.ours[-1].body and AGAIN not in desk.ours[-1].body
    desk.pull.reopen()
    desk.says("alice", "/rlm go")
    now = time.time()
    monkeypatch.setattr(write_steps.time, "time", lambda: now + 8 * 86_400)
    desk.comes(problem="the cap is reached.")
    desk.work()
    assert TOO_OLD in desk.ours[-1].body and AGAIN not in desk.ours[-1].body


def test_what_the_engine_cannot_do_is_said(desk: Desk) -> None:
    begun(desk)
    desk.comes(problem="the cap of this pull request is reached.")
    desk.work()
    assert "I cannot do this: the cap of this pull request is reached" in desk.ours[-1].body


def test_a_newer_push_elsewhere_carries_it_along(desk: Desk) -> None:
    begun(desk)
    newer = desk.repo.commit(HEAD | {"d.py": b"print(4)\n"}, desk.head)
    desk.pull.push(newer)
    desk.carries()
    (stacked,) = desk.stacked
    assert desk.repo.git("rev-parse", f"{stacked.head}^") == newer
    assert desk.text(stacked.head, "d.py") == b"print(4)\n"
    assert desk.text(stacked.head, "c.py") == AFTER["c.py"]
    said = "1 other file changed meanwhile; none uses a name that is gone by this."
    assert said in stacked.body and said in desk.ours[-1].body


def test_a_newer_push_that_uses_a_name_that_is_gone_stops_it_whole(desk: Desk) -> None:
    begun(desk)
    newer = HEAD | {"new/d.py": b"import a\n\na.f(1)\n", "e.py": b"half = 1\n", "f.md": b"f\n"}
    desk.pull.push(desk.repo.commit(newer, desk.head))
    desk.comes(desk.written().model_copy(update={"names": ("f",)}))
    desk.work()
    assert (desk.stacked, desk.branches) == ([], {})
    said = desk.ours[-1].body
    assert "uses names that are gone by this: `f` in `new/d.py`. Nothing was applied." in said
    assert desk.outcomes()[-1] == "patch"


def test_a_newer_push_to_what_had_the_name_before_carries_it_along(desk: Desk) -> None:
    newer = desk.repo.commit(HEAD | {"d.py": b"f = 1\n"}, desk.head)
    desk.pull.push(newer)
    desk.head = newer
    begun(desk)
    desk.pull.push(desk.repo.commit(HEAD | {"d.py": b"f = 2\n"}, newer))
    desk.comes(desk.written().model_copy(update={"names": ("f",)}))
    desk.work()
    assert len(desk.stacked) == 1


def test_a_newer_push_to_its_files_stops_it_whole(desk: Desk) -> None:
    begun(desk)
    desk.pull.push(desk.repo.commit(HEAD | {"c.py": b"print(4)\n"}, desk.head))
    desk.carries()
    assert (desk.stacked, desk.branches) == ([], {})
    assert "c.py" in desk.ours[-1].body and "Nothing was applied" in desk.ours[-1].body
    assert desk.outcomes()[-1] == "patch"


def test_without_the_servers_switch_there_is_a_patch(fake: FakeGitHub, tmp_path: Path) -> None:
    desk = Desk(fake, tmp_path, writes=False)
    begun(desk)
    desk.carries()
    assert (desk.stacked, desk.branches) == ([], {})
    assert "RLM_WRITE" in desk.ours[-1].body and "```diff" in desk.ours[-1].body
    assert not [seen for seen in fake.requests if seen.method == "POST" and "/git/" in seen.path]


def test_a_patch_that_one_comment_has_no_room_for_is_in_several(
    fake: FakeGitHub, tmp_path: Path
) -> None:
    desk = Desk(fake, tmp_path, writes=False)
    begun(desk)
    lines = "".join(f"x{n} = {n}\n" for n in range(2_500)).encode()
    after = {f"new{n}.py": lines for n in range(3)} | {"a.py": AFTER["a.py"]}
    run = desk.comes(desk.written(after))
    desk.work()
    first, *parts = desk.ours[1:]
    assert f"The patch is in {len(parts)} comments of their own" in first.body
    assert len(parts) == 3 and all(len(one.body) < LIMIT_BYTES for one in parts)
    fences = [re.search(r"```diff\n(.*?)\n```", one.body, re.DOTALL) for one in parts]
    patch = "\n".join(one[1] for one in fences if one) + "\n"
    where = Path(desk.repo.git("rev-parse", "--absolute-git-dir").strip())
    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "-q", "-b", "topic", str(where), str(copy)], check=True)
    subprocess.run(["git", "apply", "-"], cwd=copy, input=patch.encode(), check=True)
    assert {name: (copy / name).read_bytes() for name in after} == after
    desk.store.put(step(PUBLISH, run))
    desk.work()
    assert len(desk.ours) == 2 + len(parts)


def test_without_the_repositorys_switch_there_is_a_patch(desk: Desk) -> None:
    desk.policy = False
    begun(desk)
    desk.carries()
    assert (desk.stacked, desk.branches) == ([], {})
    assert "write: on" in desk.ours[-1].body and "```diff" in desk.ours[-1].body


def test_a_fork_gets_the_patch_which_undo_marks(desk: Desk) -> None:
    fork = {"author": "bob", "head_ref": "theirs", "fork": "bob/hello"}
    desk.pull = desk.repo.pull(desk.base, desk.head, **fork)
    begun(desk)
    desk.carries()
    assert (desk.stacked, set(desk.branches) - {"theirs"}) == ([], set())
    assert "in the fork" in desk.ours[-1].body and "```diff" in desk.ours[-1].body
    assert desk.outcomes()[-1] == "patch"
    for said in ("marked as undone", NOTHING_STACKED):
        desk.says("alice", "/rlm undo")
        assert said in desk.ours[-1].body
    assert not [seen for seen in desk.fake.requests if seen.path.endswith("/git/refs")]


def test_a_permission_that_nobody_granted_costs_the_branch_alone(
    fake: FakeGitHub, tmp_path: Path
) -> None:
    desk = Desk(fake, tmp_path, granted={"pull_requests": "write", "checks": "write",
                                         "issues": "read", "contents": "read"})  # fmt: skip
    begun(desk)
    desk.carries()
    assert (desk.stacked, desk.branches) == ([], {})
    assert "```diff" in desk.ours[-1].body
    assert desk.outcomes()[-1] == "patch"


@pytest.mark.parametrize(
    "path",
    [".github/workflows/ci.yml", ".git/hooks/pre-commit", "../x", "a/../../x", ".gitattributes"],
)
def test_what_is_not_ours_is_refused_whatever_the_engine_says(desk: Desk, path: str) -> None:
    begun(desk)
    report = desk.written().model_dump_json().replace('"path":"c.py"', f'"path":"{path}"', 1)
    # The account names it, too: only what is to be written counts.
    assert path in report
    raw = report.replace('"path":"a.py"', f'"path":"{path}"')
    desk.comes(raw)
    job = desk.store.claim("github", "github", 60)
    assert job is not None
    with pytest.raises(GiveUp, match="not fit to be written") as given_up:
        desk.steps.do(job)
    desk.steps.lost(job, given_up.value)
    assert (desk.stacked, desk.branches) == ([], {})
    assert "I cannot do this: What came of it is not fit" in desk.ours[-1].body
    assert desk.outcomes()[-1].startswith("lost")


# Undoing -----------------------------------------------------------------------------------------


def test_undo_closes_the_pull_request_and_deletes_its_branch(desk: Desk) -> None:
    begun(desk)
    desk.carries()
    (stacked,) = desk.stacked
    undo = desk.says("alice", "/rlm undo")
    assert stacked.state == "closed" and desk.branches == {}
    said = desk.ours[-1].body
    assert f"{stacked.number}" in said and "deleted" in said
    (row,) = desk.store.stacked_of(desk.repo.id, desk.pull.number)
    assert row.state == "undone"
    count = len(desk.ours)
    desk.obeys(undo)
    assert len(desk.ours) == count
    desk.says("alice", "/rlm undo")
    assert len(desk.ours) == count + 1 and "deleted" in desk.ours[-1].body
    desk.says("mallory", "/rlm undo")


def test_undo_that_is_done_twice_takes_back_one(desk: Desk) -> None:
    for _ in range(2):
        desk.says("alice", "/rlm refactor rename f to g")
        desk.plans()
        desk.says("alice", "/rlm go")
        desk.carries()
    first, second = desk.stacked
    undo = desk.says("alice", "/rlm undo")
    desk.obeys(undo)
    assert (first.state, second.state) == ("open", "closed")
    desk.says("alice", "/rlm undo")
    assert first.state == "closed" and desk.branches == {}


def test_undo_on_the_stacked_pull_request_itself(desk: Desk) -> None:
    begun(desk)
    desk.carries()
    (stacked,) = desk.stacked
    desk.says("alice", "/rlm undo", stacked)
    assert stacked.state == "closed" and desk.branches == {}


def test_undo_leaves_others_commits_alone(desk: Desk) -> None:
    begun(desk)
    desk.carries()
    (stacked,) = desk.stacked
    theirs = desk.repo.commit(HEAD, stacked.head)
    desk.repo.git("update-ref", f"refs/heads/{stacked.head_ref}", theirs)
    desk.says("alice", "/rlm undo")
    assert desk.branches == {stacked.head_ref: theirs}
    assert "commits that are not ours" in desk.ours[-1].body


def test_undo_marks_a_patch_in_comments_where_there_is_no_branch(
    fake: FakeGitHub, tmp_path: Path
) -> None:
    desk = Desk(fake, tmp_path, writes=False)
    lines = "".join(f"x{n} = {n}\n" for n in range(2_500)).encode()
    for after in ({f"new{n}.py": lines for n in range(2)}, AFTER):
        desk.says("alice", "/rlm refactor rename f to g")
        desk.plans()
        desk.says("alice", "/rlm go")
        desk.comes(desk.written(after))
        desk.work()
    patches = [one for one in desk.ours if "```diff" in one.body or "own, part" in one.body]
    *large, small = patches
    before = small.body
    undo = desk.says("alice", "/rlm undo")
    desk.obeys(undo)
    assert [one.body.startswith("**Undone**") for one in patches] == [False] * len(large) + [True]
    assert f"#issuecomment-{undo.comment_id})" in small.body
    assert before.partition("\n\n<!--")[0] in small.body and small.body.count("<!--") == 1
    assert f"#issuecomment-{small.id})" in desk.ours[-1].body
    was = [one.body for one in large]
    desk.says("alice", "/rlm undo")
    assert all(one.body.startswith("**Undone**") for one in large) and len(large) == 3
    for one, body in zip(large[1:], was[1:], strict=True):
        one.body = body  # as when the first of it was marked, and then no more
    desk.says("alice", "/rlm undo")
    assert all(one.body.startswith("**Undone**") for one in large)
    desk.says("alice", "/rlm undo")
    assert NOTHING_STACKED in desk.ours[-1].body
    desk.store.close()


def test_undo_where_there_is_nothing(desk: Desk) -> None:
    desk.says("alice", "/rlm undo")
    assert NOTHING_STACKED in desk.ours[-1].body


def test_a_stranger_undoes_nothing(desk: Desk) -> None:
    begun(desk)
    desk.carries()
    desk.says("mallory", "/rlm undo")
    assert desk.stacked[0].state == "open" and len(desk.branches) == 1


# Interrupted at every request --------------------------------------------------------------------


class _Killed(BaseException):
    """The process is gone, after the request was done."""


def test_whatever_interrupts_a_delivery_everything_is_there_once(
    fake: FakeGitHub, tmp_path: Path
) -> None:
    desk = Desk(fake, tmp_path)
    begun(desk)
    desk.comes(desk.written())
    first = len(fake.requests)
    writes = 0
    for number in range(60):
        job = desk.store.claim("github", "github", 60)
        if job is None:
            break
        died = _dies_at(desk, job, number)
        desk.store.recover("github")
        desk.steps = desk.started()
        writes += died
        if not died:
            break
    assert writes > 5, "it was interrupted at each request in turn"
    assert len(desk.stacked) == 1 and len(desk.branches) == 1
    assert len(desk.ours) == 2 and desk.outcomes()[-1] == "stacked"
    assert len(fake.requests) > first


def _killed_after(desk: Desk, verb: str, do: Callable[[], object]) -> None:
    """Do something, with the answer to its last request of this kind lost and the process with it."""

    def ask(self: Any, doing: str, method: str, path: str, body: object = None) -> Any:
        answer = original(self, doing, method, path, body)
        if method == verb:
            raise _Killed
        return answer

    original = Hub.ask
    Hub.ask = ask  # type: ignore[method-assign]
    try:
        do()
    finally:
        Hub.ask = original  # type: ignore[method-assign]


def _dies_at(desk: Desk, job: Any, number: int) -> bool:
    """Do a job, with the answer to its request of this number lost and the process with it."""
    count = 0

    def ask(self: Any, doing: str, verb: str, path: str, body: object = None) -> Any:
        nonlocal count
        answer = original(self, doing, verb, path, body)
        count += 1
        if count > number:
            raise _Killed
        return answer

    original = Hub.ask
    Hub.ask = ask  # type: ignore[method-assign]
    try:
        desk.steps.do(job)
    except _Killed:
        return True
    finally:
        Hub.ask = original  # type: ignore[method-assign]
    return False


def test_the_name_of_a_branch_is_ours_alone(desk: Desk) -> None:
    desk.pull.title = "refs/heads/main --force"
    desk.says("alice", "/rlm refactor on branch main: push to refs/heads/main")
    desk.plans(PLAN.model_copy(update={"summary": "refs/heads/main"}))
    desk.says("alice", "/rlm go")
    desk.carries()
    (branch,) = desk.branches
    assert branch.startswith(f"rlm-refactor-{desk.pull.number}-")
