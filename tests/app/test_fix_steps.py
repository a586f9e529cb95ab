"""A fix on a pull request, the github role's part: what begins it, and what its checks lead to."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from app import ci_steps
from app.check_names import FIX
from app.ci_steps import ALONE_NONE_S, ALONE_S, LONGEST_S, MAX_ROUNDS, NONE_S
from app.events import read_event
from app.fix_steps import ONLY_OPEN, RUNNING, FixSteps
from app.github.ci import NO_STATUSES
from app.github.client import Hub
from app.github.markers import visible
from app.github.pulls import Pull
from app.jobs import CI_FIRST_S, CI_GROWS, CI_LONGEST_S, Ci, Pressed, Wish, step
from app.obey import STOPPED, UNWATCHED, UNWATCHED_HERE
from app.report import Anchor, Report
from app.store import CI, GITHUB, OPEN, NewRun, Run
from app.store.tables import JOBS, RUNS
from app.tests_first import put_tests_first
from app.worker import LONGEST_OUTAGE_S, MAX_ATTEMPTS, attempt
from app.written import Written
from reviewer.errors import RetryLater
from reviewer.finding import Category, Finding, Severity
from reviewer.fix.values import Closed, Fixing, closed_with, left_open
from reviewer.refactor.patch import Blob, Commit, Patch, commit_of
from reviewer.request import ChangeInfo, Coverage, Review
from tests.app.writing_desk import HEAD, KEY, NAME, POLICY, Desk
from tests.github import ci
from tests.github.hub import FakeGitHub, Seen
from tests.github.state import FakePull
from tests.reviewer.review.retold_pairs import ONE as RETOLD

FIXED = b"def f():\n    return 2\n"
AGAIN = b"def f():\n    return 3\n"
DELIVERY = "0b989ba4-242f-11e5-81e1-c7b6966d2516"


def finding(title: str, severity: str = "high") -> Finding:
    return Finding(
        path="a.py",
        start_line=2,
        line=2,
        category=Category.CORRECTNESS,
        severity=Severity(severity),
        confidence=1.0,
        title=title,
        body="b",
        evidence="    return 1",
        source="model:x",
    )


ONE, TWO = finding("f is one", "critical"), finding("f is short", "low")


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "hub") as fake:
        fake.apps.actions()
        yield fake


@pytest.fixture
def desk(fake: FakeGitHub, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(fake, tmp_path)
    yield desk
    desk.store.close()


def reviewed(desk: Desk, *findings: Finding, write: bool = True, at_lines: bool = False) -> Run:
    """Let a review of the pull request end with these findings; return its run."""
    head, base = desk.pull.head, desk.pull.base
    info = ChangeInfo(base=base, head=head, merge_base=base, files=1, added=1, deleted=0)
    review = Review(
        change=info,
        findings=list(findings),
        summary="",
        coverage=Coverage(hunks=1, reviewed=1),
    )
    number = len(desk.store.runs_of(desk.repo.id, desk.pull.number))
    wish = Wish(trigger="opened").model_dump_json()
    run = NewRun(
        f"{number:016x}", desk.installation.id, desk.repo.id, NAME, desk.pull.number,
        f"head:{number}", wish, base, head,
    )  # fmt: skip
    assert desk.store.begin(run, step(OPEN, run))
    desk.work()
    anchors = {one.id: Anchor(side="RIGHT", start_line=2, line=2) for one in findings if at_lines}
    report = Report(review=review, anchors=anchors, code={}, write=write)
    desk.comes(report.model_dump_json())
    desk.work()
    found = desk.store.run(run.id)
    assert found is not None and found.state == "ended"
    return found


def test_a_finding_that_is_found_in_other_words_has_its_first_id_from_then_on(desk: Desk) -> None:
    """The comparison of the heads takes a token that reads contents, which publishing has not."""
    desk.repo.private = True
    (title, body), (other, reason) = RETOLD[1]
    first = finding(title).model_copy(update={"body": body, "path": "c.py"})
    reviewed(desk, first, at_lines=True)
    desk.pull.push(
        desk.repo.commit({**HEAD, "c.py": b"from a import f\n\nprint(f() + 2)\n"}, desk.head)
    )
    again = finding(other).model_copy(update={"body": reason, "path": "c.py"})
    run = reviewed(desk, again, at_lines=True)
    assert len(desk.pull.review_comments) == 1
    kept = Report.model_validate_json(desk.store.result(run.id))
    assert first.id != again.id and [one.id for one in kept.review.findings] == [first.id]
    assert list(kept.anchors) == [first.id]
    assert list(desk.store.became(desk.repo.id, desk.pull.number)) == [first.id]


def fixed(
    desk: Desk,
    data: bytes = FIXED,
    before: bytes = HEAD["a.py"],
    along: Sequence[Finding] = (),
) -> Run:
    """Let the fix that waits close a finding by a commit, and others along, and publish it."""
    _, run, wish = desk.engine()
    desk.store.recover("engine-1")
    closed = Closed(
        id=ONE.id, path="a.py", line=2, severity=ONE.severity, title=ONE.title,
        message="Return two", files=[], tries=1,
    )  # fmt: skip
    names = [one.name for one in wish.failed]
    others = [closed_with(one, ONE.id, "Read it.") for one in along]
    account = Fixing(
        commit=run.head, reviewed="", checks=names, closed=[closed], closed_with=others
    )
    commit = commit_of(ONE.id, "model", "Return two", {"a.py": Blob(before)}, {"a.py": Blob(data)})
    assert commit is not None
    desk.comes(Written.of("fix", account, Patch(run.head, (commit,)), write=desk.policy))
    desk.work()
    return run


def left(desk: Desk) -> None:
    """Let the fix that waits come to nothing."""
    _, run, wish = desk.engine()
    desk.store.recover("engine-1")
    names = [one.name for one in wish.failed]
    open_ = left_open(ONE, "declined", "The registry could not be reached.")
    account = Fixing(commit=run.head, reviewed="", checks=names, open=[open_])
    desk.comes(Written.of("fix", account, Patch(run.head), write=desk.policy))
    desk.work()


def begun(desk: Desk) -> FakePull:
    """Have a finding closed in a stacked pull request; return that."""
    reviewed(desk, ONE)
    desk.says("alice", "/rlm fix")
    fixed(desk)
    (stacked,) = desk.stacked
    return stacked


def watched(desk: Desk) -> list[Ci]:
    """The looks at checks that are to come."""
    with desk.store.database.read() as db:
        rows = db.scalars(select(JOBS.c.payload).where(JOBS.c.kind == CI, JOBS.c.state != "failed"))
        return [Ci.model_validate_json(row) for row in rows]


def look(desk: Desk, *, age: float = 0.0) -> list[Ci]:
    """Let the time of the next look come, as if it had begun so long ago; return what follows."""
    hurried(desk, age)
    assert desk.work() == [CI]
    return watched(desk)


def hurried(desk: Desk, age: float = 0.0) -> None:
    """Let the time of the next look come, as if it had begun so long ago."""
    (before,) = watched(desk)
    look = before.look
    while age and before.model_copy(update={"look": look}).watched_s() < age:
        look += 1
    later = before.model_copy(update={"look": look})
    with desk.store.database.write() as db:
        mine = update(JOBS).where(JOBS.c.kind == CI)
        db.execute(mine.values(not_before=0, payload=later.model_dump_json()))


def failing(desk: Desk, sha: str, *names: str, before: str = "success") -> None:
    """Let checks fail on a commit that did otherwise on the pull request's head."""
    for name in names:
        ci.check(desk.repo, desk.head, name, before)
        note = ci.annotation("a.py", 2, f"{name}: 1 != 2")
        ci.check(desk.repo, sha, name, "failure", said=f"{name} failed", annotations=(note,))


def comments(desk: Desk, words: str) -> list[str]:
    return [one.body for one in desk.ours if words in one.body]


# What begins a fix -------------------------------------------------------------------------------


def test_the_findings_that_stand_are_closed_in_a_pull_request_on_top(desk: Desk) -> None:
    review = reviewed(desk, TWO, ONE)
    desk.says("alice", "/rlm fix")
    _, run, wish = desk.engine()
    assert (run.kind, run.head, wish.review_of) == ("fix", desk.head, review.id)
    assert wish.findings == (ONE.id, TWO.id)
    desk.store.recover("engine-1")
    fixed(desk)
    (stacked,) = desk.stacked
    assert stacked.base_ref == "topic" and desk.text(stacked.head, "a.py") == FIXED
    (said,) = comments(desk, f"/pull/{stacked.number}")
    assert "f is one" in said
    (row,) = desk.store.stacked_of(desk.repo.id, desk.pull.number)
    assert (row.task, row.rounds, row.head) == ("fix", 0, stacked.head)


def test_one_that_is_named_and_one_that_is_not_known(desk: Desk) -> None:
    reviewed(desk, ONE, TWO)
    desk.says("alice", f"/rlm fix {'0' * 12}")
    assert f"`{ONE.id}`" in desk.ours[-1].body and "There is no finding" in desk.ours[-1].body
    desk.says("alice", f"/rlm fix {TWO.id}")
    _, _, wish = desk.engine()
    assert wish.findings == (TWO.id,)


def test_a_fix_at_a_time(desk: Desk) -> None:
    reviewed(desk, ONE)
    first = desk.says("alice", "/rlm fix")
    desk.obeys(first)
    desk.says("alice", "/rlm fix")
    assert RUNNING in desk.ours[-1].body
    assert len([run for run in desk.outcomes() if run == "open"]) == 1


def test_what_is_closed_on_top_already_is_said_and_not_closed_again(desk: Desk) -> None:
    stacked = begun(desk)
    desk.says("alice", "/rlm fix")
    assert f"closed in #{stacked.number} already" in desk.ours[-1].body
    stacked.close()
    desk.says("alice", "/rlm fix")
    assert desk.engine()[2].findings == (ONE.id,)


def test_what_another_patch_has_closed_on_top_is_not_closed_again_either(desk: Desk) -> None:
    reviewed(desk, ONE, TWO)
    desk.says("alice", "/rlm fix")
    fixed(desk, along=(TWO,))
    desk.says("alice", "/rlm fix")
    assert f"closed in #{desk.stacked[0].number} already" in desk.ours[-1].body


def test_strangers_and_closed_pull_requests_get_no_fix(desk: Desk) -> None:
    reviewed(desk, ONE)
    desk.says("mallory", "/rlm fix")
    assert "Only people who may write" in desk.ours[-1].body
    desk.pull.close()
    desk.says("alice", "/rlm fix")
    assert ONLY_OPEN in desk.ours[-1].body
    assert desk.outcomes()[1:] == []


# The button --------------------------------------------------------------------------------------


def pressed(desk: Desk, sender: str = "alice", delivery: str = DELIVERY) -> None:
    check = desk.repo.check_runs[0]
    payload = desk.fake.payload_check_run(
        check, "requested_action", desk.app, sender=sender, button=FIX
    )
    read = read_event("check_run", payload, delivery)
    assert isinstance(read, Pressed)
    desk.store.put(read.job())
    desk.work()


def test_the_button_closes_what_stands_for_whoever_may_write(desk: Desk) -> None:
    reviewed(desk, ONE)
    (check,) = desk.repo.check_runs
    assert [one["identifier"] for one in check.actions] == ["again", "full", "fix"]
    for number in "23":  # a crowd that presses gets one answer
        pressed(desk, "mallory", delivery=DELIVERY.replace("0b", f"{number}b"))
    assert desk.outcomes()[1:] == []
    assert sum("can have findings fixed by the button" in one.body for one in desk.ours) == 1
    pressed(desk)
    pressed(desk)  # delivered twice
    _, run, wish = desk.engine()
    assert (wish.trigger, wish.sender, wish.findings) == ("button", "alice", (ONE.id,))
    assert wish.is_asked and run.number == desk.pull.number
    pressed(desk, delivery=DELIVERY.replace("0b", "1b"))
    assert RUNNING in desk.ours[-1].body


def test_the_button_of_a_closed_pull_request_says_so(desk: Desk) -> None:
    reviewed(desk, ONE)
    desk.pull.close()
    pressed(desk)
    assert ONLY_OPEN in desk.ours[-1].body and desk.outcomes()[1:] == []


@pytest.mark.parametrize(
    ("writes", "write", "findings"), [(False, True, [ONE]), (True, False, [ONE]), (True, True, [])]
)
def test_without_writing_or_findings_there_is_no_button(
    fake: FakeGitHub, tmp_path: Path, writes: bool, write: bool, findings: Sequence[Finding]
) -> None:
    desk = Desk(fake, tmp_path, writes=writes)
    reviewed(desk, *findings, write=write)
    (check,) = desk.repo.check_runs
    assert [one["identifier"] for one in check.actions] == ["again", "full"]
    desk.store.close()


def test_the_button_and_a_command_at_once_begin_one_fix(desk: Desk) -> None:
    reviewed(desk, ONE)
    begin = desk.steps._begin
    (check,) = desk.repo.check_runs
    payload = desk.fake.payload_check_run(
        check, "requested_action", desk.app, sender="alice", button=FIX
    )
    press = read_event("check_run", payload, DELIVERY)
    assert isinstance(press, Pressed)

    def meanwhile(hub: Hub, installation: int, pull: Pull, origin: str, wish: Wish) -> None:
        """Another server does the other job, after both have looked for what goes on."""
        desk.steps.writing.fixes = FixSteps(desk.store, begin, KEY)
        desk.steps.writing.fixes.press(hub, press)
        begin(hub, installation, pull, origin, wish)

    desk.steps.writing.fixes = FixSteps(desk.store, meanwhile, KEY)
    desk.says("alice", "/rlm fix")
    assert RUNNING in desk.ours[-1].body
    assert desk.outcomes().count("open") == 1
    assert desk.engine()[2].trigger == "button"


# What its checks say -----------------------------------------------------------------------------


def test_checks_are_looked_at_after_a_minute_and_then_less_often(desk: Desk) -> None:
    stacked = begun(desk)
    (first,) = watched(desk)
    assert (first.head, first.round, first.look) == (stacked.head, 0, 0)
    pauses = []
    for number in range(8):
        job = first.model_copy(update={"look": number}).job()
        pauses.append(round(job.not_before - time.time()))
    assert pauses[0] == pytest.approx(CI_FIRST_S, abs=1)
    assert pauses == sorted(pauses) and pauses[-1] == pytest.approx(CI_LONGEST_S, abs=1)
    ci.check(desk.repo, stacked.head, "unit", None)
    (second,) = look(desk)
    assert (second.look, second.since) == (1, first.since)


def test_checks_that_pass_are_said_in_the_comment_of_the_fix(desk: Desk) -> None:
    stacked = begun(desk)
    ci.check(desk.repo, stacked.head, "unit")
    assert look(desk) == []
    (said,) = comments(desk, "**Checks**")
    assert "1 check ended, none failed." in said and f"/pull/{stacked.number}" in said
    assert NO_STATUSES in said and "f is one" in said


def test_what_fails_because_of_us_is_mended_on_top_of_the_branch(desk: Desk) -> None:
    stacked = begun(desk)
    first = stacked.head
    failing(desk, first, "unit")
    assert look(desk) == []
    (said,) = comments(desk, "**Checks**")
    assert "`unit` fails and passes without these commits. That is being mended" in said
    _, run, wish = desk.engine()
    row = desk.store.by_stacked(desk.repo.id, stacked.number)
    assert row is not None and row.rounds == 1
    assert (run.kind, run.head, run.number) == ("fix", first, desk.pull.number)
    assert (run.base, wish.stacked, wish.mends) == (desk.base, stacked.number, (row.run,))
    (told,) = wish.failed
    assert told.name == "unit" and told.annotations == ("a.py:2: unit: 1 != 2",)
    desk.store.recover("engine-1")
    fixed(desk, AGAIN, FIXED)
    assert stacked.head != first and desk.text(stacked.head, "a.py") == AGAIN
    assert desk.repo.git("rev-list", "--count", f"{desk.head}..{stacked.head}") == "2"
    assert len(desk.stacked) == 1 and desk.outcomes()[-1] == "pushed"
    assert comments(desk, f"ends at `{stacked.head[:12]}`") or comments(desk, "ends at `")
    (then,) = watched(desk)
    assert (then.head, then.round, then.run) == (stacked.head, 1, row.run)


def test_a_push_below_is_held_against_what_was_mended_too(desk: Desk) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "unit")
    look(desk)
    _, run, _ = desk.engine()
    desk.store.recover("engine-1")
    files = {"c.py": Blob(b"from a import g\n\nprint(g() + 1)\n")}
    commit = commit_of("unit", "model", "Call g", {"c.py": Blob(HEAD["c.py"])}, files)
    assert commit is not None
    made = Written.of("fix", Fixing(commit=run.head, reviewed="", checks=["unit"]),
                      Patch(run.head, (commit,)), write=True)  # fmt: skip
    desk.comes(made.model_copy(update={"names": ("f",)}))
    desk.work()
    assert desk.outcomes()[-1] == "pushed"
    for changes, said in (
        ({"e.py": b"from a import f\n"}, "`f` in `e.py`"),
        ({"c.py": b"print(1)\n"}, "**It does not apply exactly any more**: `c.py` changed"),
    ):
        desk.pull.push(desk.repo.commit(HEAD | changes, desk.pull.head))
        desk.looked_at("pushed")
        (told,) = [visible(one.body) for one in stacked.comments]
        assert said in told


def test_after_two_rounds_a_person_has_to_look(desk: Desk) -> None:
    stacked = begun(desk)
    before = FIXED
    for number in range(MAX_ROUNDS):
        failing(desk, stacked.head, "unit")
        assert look(desk) == []
        _, _, wish = desk.engine()
        assert len(wish.mends) == number + 1
        desk.store.recover("engine-1")
        data = f"def f():\n    return {number + 3}\n".encode()
        fixed(desk, data, before)
        before = data
    failing(desk, stacked.head, "unit")
    assert look(desk) == []
    (said,) = comments(desk, "**Checks**")
    assert "It was mended 2 times already: now a person has to look." in said
    assert desk.outcomes().count("open") == 0


def test_what_failed_before_and_what_nobody_can_tell_is_left_alone(desk: Desk) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "flaky", before="failure")
    failing(desk, stacked.head, "odd", before="cancelled")
    assert look(desk) == []
    (said,) = comments(desk, "**Checks**")
    assert "`flaky` fails on this pull request itself, too: left alone." in said
    assert "`odd` fails, and did not end on this pull request itself" in said
    assert desk.outcomes().count("open") == 0


def test_below_a_pull_request_that_is_closed_nothing_is_mended(desk: Desk) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "unit")
    desk.pull.close()
    assert look(desk) == []
    (said,) = comments(desk, "**Checks**")
    assert "It is not mended: this pull request is not open any more." in said
    assert "0 times" not in said and desk.outcomes().count("open") == 0


def test_where_nothing_can_be_pushed_nothing_is_mended(desk: Desk) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "unit")
    desk.writes = False
    desk.steps = desk.started()
    assert look(desk) == []
    (said,) = comments(desk, "**Checks**")
    assert "It is not mended: the server may not write here any more." in said
    assert desk.outcomes().count("open") == 0


def unwanted(desk: Desk) -> None:
    """Let the default branch want no branches of us any more."""
    tip = desk.repo.commit({"a.py": HEAD["a.py"], POLICY: b"write: off\n"}, desk.base)
    desk.repo.git("update-ref", "refs/heads/main", tip)


def test_where_the_repository_wants_none_by_now_nothing_is_mended(desk: Desk) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "unit")
    unwanted(desk)
    assert look(desk) == []
    (said,) = comments(desk, "**Checks**")
    assert "It is not mended: this repository does not ask for it any more (`write: on`" in said
    assert desk.outcomes().count("open") == 0


def test_an_outage_of_what_the_repository_wants_is_no_answer(desk: Desk) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "unit")
    desk.fake.fault("GET", f"/contents/{POLICY}", status=502, times=None)
    assert len(look(desk)) == 1
    assert comments(desk, "**Checks**") == []
    desk.fake.mend()
    assert look(desk) == []
    assert desk.engine()[2].trigger == "ci"


def attempted(desk: Desk) -> bool:
    """Do the look that waits as a worker does; is there one?"""
    job = desk.store.claim(GITHUB, "github", 60)
    if job is None:
        return False
    attempt(desk.store, job, desk.steps.do, desk.steps.lost, threading.Event())
    with desk.store.database.write() as db:
        db.execute(update(JOBS).where(JOBS.c.state == "waiting").values(not_before=0))
    return True


def test_an_outage_of_six_hours_ends_the_looking_and_that_is_said(desk: Desk) -> None:
    stacked = begun(desk)
    desk.fake.fault("GET", f"/commits/{stacked.head}/check-runs", status=502, times=None)
    hurried(desk, age=LONGEST_S)
    assert attempted(desk)
    assert comments(desk, "**Checks**") == []
    with desk.store.database.write() as db:
        now = time.time()
        db.execute(update(JOBS).values(away_since=now - LONGEST_OUTAGE_S, not_before=now))
    assert attempted(desk)
    (said,) = comments(desk, "**Checks**")
    assert "I could not look at them, and do not try any more: Could not read the checks" in said
    assert f"/pull/{stacked.number}" in said and "f is one" in said
    assert not attempted(desk)


def test_an_end_of_the_looking_that_cannot_be_said_waits_until_it_can(desk: Desk) -> None:
    stacked = begun(desk)
    ci.check(desk.repo, stacked.head, "unit")
    desk.fake.fault("GET", "/pulls/", status=502, times=None)
    hurried(desk, age=LONGEST_S)
    for _ in range(MAX_ATTEMPTS + 3):
        assert attempted(desk)
    assert comments(desk, "**Checks**") == []
    desk.fake.mend()
    assert attempted(desk)
    assert "1 check ended, none failed." in comments(desk, "**Checks**")[0]
    assert not attempted(desk)


def test_checks_that_may_not_be_read_are_said_to_be_so(desk: Desk) -> None:
    stacked = begun(desk)
    body = {"message": "Resource not accessible by integration"}
    desk.fake.fault("GET", f"/commits/{stacked.head}/check-runs", status=403, body=body, times=None)
    assert look(desk) == []
    (said,) = comments(desk, "**Checks**")
    assert "I could not look at them" in said and "not accessible by integration" in said


def test_an_outage_ends_no_looking(desk: Desk) -> None:
    stacked = begun(desk)
    ci.check(desk.repo, stacked.head, "unit")
    (first,) = watched(desk)
    for number in range(1, 10):
        desk.fake.fault("GET", f"/commits/{stacked.head}/check-runs", status=502, times=None)
        (then,) = look(desk)
        assert (then.look, then.since) == (number, first.since)
        desk.fake.mend()
    assert look(desk) == []
    assert "1 check ended, none failed." in comments(desk, "**Checks**")[0]


def test_what_checks_came_to_is_said_under_the_new_name_of_a_repository(desk: Desk) -> None:
    stacked = begun(desk)
    ci.check(desk.repo, stacked.head, "unit")
    desk.repo.rename("octo/renamed")
    assert look(desk) == []
    (said,) = comments(desk, "**Checks**")
    assert f"octo/renamed/pull/{stacked.number}" in said


def test_checks_are_compared_with_what_our_branch_grew_from(desk: Desk) -> None:
    stacked = begun(desk)
    ci.check(desk.repo, stacked.head, "unit", None)
    # Its author pushes meanwhile what fails in the same way.
    moved = desk.repo.commit(HEAD | {"d.py": b""}, desk.head)
    ci.check(desk.repo, moved, "unit", "failure")
    desk.pull.push(moved)
    stacked.base = moved
    assert len(look(desk)) == 1
    for one in desk.repo.check_runs:
        if one.head_sha == stacked.head and one.name == "unit":
            one.status, one.conclusion = "completed", "failure"
    ci.check(desk.repo, desk.head, "unit")
    assert look(desk) == []
    assert desk.engine()[2].failed[0].name == "unit"
    (row,) = desk.store.stacked_of(desk.repo.id, desk.pull.number)
    assert row.onto == desk.head


def test_a_check_that_goes_on_where_it_began_is_waited_for(desk: Desk) -> None:
    stacked = begun(desk)
    going = ci.check(desk.repo, desk.head, "unit", None)
    ci.check(desk.repo, stacked.head, "unit", "failure")
    assert len(look(desk)) == 1
    going.status, going.conclusion = "completed", "success"
    assert look(desk) == []
    assert desk.engine()[2].failed[0].name == "unit"


def test_a_failure_that_is_not_of_our_making_is_said_and_that_is_all(desk: Desk) -> None:
    stacked = begun(desk)
    head = stacked.head
    failing(desk, head, "unit")
    look(desk)
    left(desk)
    assert stacked.head == head and watched(desk) == []
    assert comments(desk, "The registry could not be reached")
    assert desk.outcomes()[-1] == "declined"


@pytest.mark.parametrize("how", ["declined", "problem", "stopped", "lost", "pushed over", "large"])
def test_the_comment_of_the_fix_says_what_came_of_mending(desk: Desk, how: str) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "unit")
    ci.check(desk.repo, desk.head, "flaky", "failure")
    ci.check(desk.repo, stacked.head, "flaky", "failure")
    look(desk)
    assert "That is being mended (round 1)." in comments(desk, "**Checks**")[0]
    why = "no patch: The registry could not be reached"
    match how:
        case "declined":
            left(desk)
        case "problem":
            desk.comes(problem="the cap of this pull request is reached.")
            desk.work()
            why = "I cannot do this: the cap of this pull request is reached"
        case "stopped":
            desk.says("alice", "/rlm stop")
            why = f"Stopped: {STOPPED.replace('`', chr(92) + '`')}. Nothing was changed"
        case "lost":
            desk.comes("{}")
            assert attempted(desk)
            why = "I cannot do this: What came of it is not fit to be written"
        case "pushed over":
            stacked.push(desk.repo.commit(HEAD, stacked.head))
            fixed(desk, AGAIN, FIXED)
            why = "Somebody else has pushed to the branch meanwhile"
        case _:
            _, run, _ = desk.engine()
            desk.store.recover("engine-1")
            account = Fixing(commit=run.head, reviewed="", checks=["unit"])
            written = Written.of("fix", account, Patch(run.head), write=True)
            desk.comes(written.model_copy(update={"too_large": True}))
            desk.work()
            why = "It is larger than what can be handed over"
    first, mend = (one for one in desk.ours if "/pull/" in one.body or why in one.body)
    assert f"Mending that (round 1) came to nothing: {why}" in first.body, first.body
    assert f"#issuecomment-{mend.id})" in first.body and "being mended" not in first.body
    assert "`unit` fails and passes without" in first.body and "`flaky` fails on" in first.body
    assert "f is one" in first.body and desk.outcomes().count("open") == 0


def test_what_was_mended_is_said_in_the_comment_of_the_fix(desk: Desk) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "unit")
    look(desk)
    fixed(desk, AGAIN, FIXED)
    (said,) = comments(desk, "**Checks**")
    assert f"That was mended (round 1): the branch ends at `{stacked.head[:7]}" in said
    ci.check(desk.repo, stacked.head, "unit")
    look(desk)
    assert "1 check ended, none failed." in comments(desk, "**Checks**")[0]


def test_a_look_that_is_done_again_after_mending_came_to_nothing_denies_nothing(
    desk: Desk,
) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "unit")
    (ahead,) = watched(desk)
    look(desk)
    left(desk)
    desk.store.put(ahead.job())
    look(desk)
    (said,) = comments(desk, "**Checks**")
    assert "came to nothing" in said and "being mended" not in said


def test_a_conversation_that_is_locked_keeps_nothing_from_being_mended(desk: Desk) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "unit")
    said = {"message": "Unable to create comment because issue is locked."}
    for method in ("POST", "PATCH"):
        desk.fake.fault(method, "/issues/.*comments", status=403, body=said, times=None)
    assert look(desk) == []
    assert desk.engine()[2].trigger == "ci"


def test_where_no_check_runs_and_where_none_ends_the_looking_does(desk: Desk) -> None:
    stacked = begun(desk)
    assert len(look(desk)) == 1
    assert look(desk, age=NONE_S) == []
    assert "none has run" in comments(desk, "**Checks**")[0]
    row = desk.store.by_stacked(desk.repo.id, stacked.number)
    assert row is not None
    ci.check(desk.repo, stacked.head, "unit", None)
    again = Ci(
        installation=desk.installation.id,
        repository_id=desk.repo.id,
        repository=NAME,
        number=desk.pull.number,
        run=row.run,
        head=row.head,
        since=time.time(),
    )
    desk.store.put(again.job())
    assert len(look(desk, age=NONE_S)) == 1
    assert look(desk, age=LONGEST_S) == []
    assert "within 6 hours" in comments(desk, "**Checks**")[0]


@pytest.mark.parametrize("days", [1, 31, -1, -31])
def test_checks_are_looked_at_for_six_hours_whatever_the_clock_says(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, days: float
) -> None:
    stacked = begun(desk)
    ci.check(desk.repo, stacked.head, "unit", None)
    now = time.time()
    monkeypatch.setattr(ci_steps.time, "time", lambda: now + days * 86_400)
    (first,) = look(desk)
    assert comments(desk, "**Checks**") == []
    monkeypatch.undo()
    (last,) = look(desk, age=LONGEST_S - 1_200)
    assert (last.look - first.look) > 10 and look(desk, age=LONGEST_S) == []
    assert "within 6 hours" in comments(desk, "**Checks**")[0]


def test_as_long_as_looks_are_waited_for_they_have_lasted() -> None:
    at = [Ci.model_construct(look=n).watched_s() for n in (0, 1, 40, 10_000)]
    assert at[:2] == [CI_FIRST_S, CI_FIRST_S * (1 + CI_GROWS)]
    assert LONGEST_S < at[2] < LONGEST_S + 2 * CI_LONGEST_S
    assert at[3] > 9_900 * CI_LONGEST_S


@pytest.mark.parametrize("how", ["pushed", "closed", "undone", "merged"])
def test_what_ends_the_looking(desk: Desk, how: str) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "unit")
    if how == "pushed":
        stacked.push(desk.repo.commit(HEAD, stacked.head))
    elif how == "undone":
        desk.says("alice", "/rlm undo")
    else:
        stacked.close(merged=how == "merged")
    assert look(desk) == []
    assert comments(desk, "**Checks**") == [] and desk.outcomes().count("open") == 0
    (row,) = desk.store.stacked_of(desk.repo.id, desk.pull.number)
    assert row.state == (how if how in {"merged", "undone"} else "open")


def test_stop_ends_the_looking(desk: Desk) -> None:
    begun(desk)
    desk.says("alice", "/rlm stop")
    assert watched(desk) == [] and UNWATCHED in desk.ours[-1].body
    desk.says("alice", "/rlm stop")
    assert "Nothing is running here." in desk.ours[-1].body


def test_stop_on_the_pull_request_of_ours_ends_the_looking_too(desk: Desk) -> None:
    stacked = begun(desk)
    desk.says("alice", "/rlm stop", stacked)
    assert watched(desk) == [] and UNWATCHED_HERE in stacked.comments[-1].body
    desk.says("alice", "/rlm stop", stacked)
    assert "Nothing is running here." in stacked.comments[-1].body


def test_stop_on_the_pull_request_of_ours_ends_its_mending_and_nothing_else(desk: Desk) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "unit")
    look(desk)
    desk.says("alice", "/rlm ask why?")
    desk.says("alice", "/rlm stop", stacked)
    desk.work()
    asked, mend, *_ = desk.store.runs_of(desk.repo.id, desk.pull.number)
    assert (mend.kind, mend.state, mend.stop) == ("fix", "ended", STOPPED)
    assert (asked.kind, asked.state, asked.stop) == ("ask", "open", "")


def test_stop_while_a_look_goes_on_lets_no_other_follow(desk: Desk) -> None:
    stacked = begun(desk)
    ci.check(desk.repo, stacked.head, "unit", None)
    hurried(desk)
    job = desk.store.claim(GITHUB, "another", 60)
    assert job is not None and job.kind == CI
    desk.says("alice", "/rlm stop")
    assert UNWATCHED in desk.ours[-1].body
    desk.steps.do(job)
    assert watched(desk) == []


@pytest.mark.parametrize("state", ["failure", None])
def test_stop_while_github_is_asked_begins_nothing(desk: Desk, state: str | None) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "unit")
    if state is None:
        ci.check(desk.repo, stacked.head, "slow", None)
    (row,) = desk.store.stacked_of(desk.repo.id, desk.pull.number)
    last = "/annotations" if state else f"/commits/{stacked.head}/status"

    def stop(_index: int, seen: Seen, when: str) -> None:
        if when == "before" and last in seen.path:
            desk.store.unwatch([row.run])

    desk.fake.on_request(stop)
    assert look(desk) == []
    there = desk.store.stacked(row.run)
    assert there is not None and (there.unwatched, there.rounds) == (1, 0)
    assert desk.outcomes().count("open") == 0 and comments(desk, "**Checks**") == []


def test_nobody_looks_at_the_checks_of_a_fix_that_was_stopped_while_it_was_published(
    desk: Desk,
) -> None:
    reviewed(desk, ONE)
    desk.says("alice", "/rlm fix")

    def stop(_index: int, seen: Seen, when: str) -> None:
        if (when, seen.method) == ("before", "POST") and seen.path.endswith("/pulls"):
            desk.store.stop(desk.repo.id, desk.pull.number, STOPPED)

    desk.fake.on_request(stop)
    fixed(desk)
    assert len(desk.stacked) == 1 and watched(desk) == []


@pytest.mark.parametrize("how", ["pushed", "closed", "switched off"])
def test_what_cannot_be_put_on_top_any_more_is_said(desk: Desk, how: str) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "unit")
    look(desk)
    if how == "pushed":
        stacked.push(desk.repo.commit(HEAD, stacked.head))
    elif how == "closed":
        stacked.close()
    else:
        desk.policy = False
    head = stacked.head
    fixed(desk, AGAIN, FIXED)
    assert stacked.head == head and watched(desk) == []
    assert comments(desk, "not put on top") or comments(desk, "othing was pushed")


@pytest.mark.parametrize("where", ["/git/trees$", "/git/commits$", "/git/refs/"])
@pytest.mark.parametrize(
    ("status", "words"),
    [
        (403, "Resource not accessible by integration"),
        (422, "Repository rule violations found"),
        (404, "Not Found"),
    ],
)
def test_a_push_that_github_refuses_half_way_is_said_with_what_was_made(
    desk: Desk, where: str, status: int, words: str
) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "unit")
    look(desk)
    verb, head, said = "PATCH" if where.endswith("/") else "POST", stacked.head, {"message": words}
    desk.fake.fault(verb, where, status=status, body=said, times=None)
    fixed(desk, AGAIN, FIXED)
    assert (stacked.head, stacked.state) == (head, "open") and watched(desk) == []
    assert desk.outcomes()[-1] == "not pushed"
    (text,) = comments(desk, "**Mended**")
    assert "Nothing was pushed: Could not" in text and words in text and "Return two" in text
    (checks,) = comments(desk, "**Checks**")
    assert "came to nothing: Nothing was pushed" in checks
    desk.fake.mend()
    desk.says("alice", "/rlm undo")
    assert stacked.state == "closed" and desk.branches == {}


def test_a_branch_of_ours_that_somebody_has_deleted_gets_nothing_on_top(desk: Desk) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "unit")
    look(desk)
    desk.repo.git("update-ref", "-d", f"refs/heads/{stacked.head_ref}")
    fixed(desk, AGAIN, FIXED)
    assert desk.branches == {} and desk.outcomes()[-1] == "gone" and watched(desk) == []
    assert comments(desk, "The branch is not there any more, so this was not put on top of it.")
    for _ in range(2):
        desk.says("alice", "/rlm undo")
        assert f"[#{stacked.number}]" in desk.ours[-1].body and "is closed" in desk.ours[-1].body
    assert stacked.state == "closed"


def test_a_look_that_is_done_again_begins_one_run(desk: Desk) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "unit")
    (ahead,) = watched(desk)
    look(desk)
    desk.store.put(ahead.job())
    look(desk)
    assert desk.outcomes().count("open") == 1
    row = desk.store.by_stacked(desk.repo.id, stacked.number)
    assert row is not None and row.rounds == 1
    assert len(comments(desk, "**Checks**")) == 1


def test_commits_are_put_on_top_once_whatever_is_lost(desk: Desk) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "unit")
    look(desk)
    desk.fake.fault("PATCH", r"/git/refs/", status=502, when="after")
    fixed(desk, AGAIN, FIXED)
    assert desk.repo.git("rev-list", "--count", f"{desk.head}..{stacked.head}") == "2"


def test_a_stop_that_comes_after_the_push_says_that_it_stands(desk: Desk) -> None:
    stacked = begun(desk)
    first = stacked.head
    failing(desk, first, "unit")
    look(desk)
    said = {"message": "You have exceeded a secondary rate limit."}
    desk.fake.fault("PATCH", r"/git/refs/", status=403, body=said, when="after")
    with pytest.raises(RetryLater):
        fixed(desk, AGAIN, FIXED)
    desk.store.recover("github")
    desk.says("alice", "/rlm stop")
    desk.work()
    assert stacked.head != first and desk.outcomes()[-1] == "pushed"
    assert comments(desk, "It was done by then") and not comments(desk, "Nothing was changed")
    (row,) = desk.store.stacked_of(desk.repo.id, desk.pull.number)
    assert row.head == stacked.head


def test_what_checks_say_names_nobody_and_starts_nothing(desk: Desk) -> None:
    stacked = begun(desk)
    failing(desk, stacked.head, "@alice `x` #1\n/rlm go <!-- -->")
    look(desk)
    (said,) = comments(desk, "**Checks**")
    assert (
        "``@alice `x` #1 /rlm go <!-- -->`` fails" in said
    )  # a code span: it shows, and does nothing


# Tests that are there before their patches --------------------------------------------------------


A_TEST = "tests/test_a.py"
TESTED = b"from a import f\n\n\ndef test_f():\n    assert f() == 2\n"


def with_tests(desk: Desk, *more: str) -> Run:
    """Have a finding closed by a commit with tests, as an engine hands it over: those first."""
    reviewed(desk, ONE)
    desk.says("alice", "/rlm fix")
    _, run, _ = desk.engine()
    desk.store.recover("engine-1")
    tests = (A_TEST, *more)
    closed = Closed(
        id=ONE.id, path="a.py", line=2, severity=ONE.severity, title=ONE.title,
        message="Return two", files=[], tries=1, test=A_TEST,
    )  # fmt: skip
    every = [closed, *(closed.model_copy(update={"id": f"{n:012x}", "test": path})
                       for n, path in enumerate(more))]  # fmt: skip
    account = Fixing(commit=run.head, reviewed="", closed=every)
    patch = commit_of(ONE.id, "model", "Return two", {"a.py": Blob(HEAD["a.py"])},
                      {"a.py": Blob(FIXED)})  # fmt: skip
    made = [commit_of(ONE.id, "model", f"Test f in {path}", {path: None}, {path: Blob(TESTED)})
            for path in tests]  # fmt: skip
    commits = tuple(one for one in (patch, *made) if one is not None)
    ordered, first = put_tests_first(account, Patch(run.head, commits))
    assert first == len(tests) and ordered.commits[-1] == patch
    written = Written.of("fix", account, ordered, write=desk.policy)
    desk.comes(written.model_copy(update={"tests_first": first}))
    desk.work()
    return run


def on_branch(desk: Desk, head: str) -> list[str]:
    shown = desk.repo.git("log", "--reverse", "--format=%s", f"{desk.head}..{head}")
    return shown.splitlines()


def test_tests_are_there_alone_until_their_checks_have_ended(desk: Desk) -> None:
    with_tests(desk)
    (stacked,) = desk.stacked
    alone = stacked.head
    assert on_branch(desk, alone) == ["Test f in tests/test_a.py"]
    assert "Its first commit has a test alone" in stacked.body
    ci.check(desk.repo, desk.head, "unit")
    going = ci.check(desk.repo, alone, "unit", None)
    (then,) = look(desk)
    assert (then.head, then.look, stacked.head) == (alone, 1, alone)
    note = ci.annotation(A_TEST, 5, "1 != 2")
    going.status, going.conclusion, going.annotations = "completed", "failure", [note]

    # What fails on tests alone is what was wanted: the patches follow, and nothing is mended.
    (then,) = look(desk)
    assert (then.head, then.look, then.round) == (stacked.head, 0, 0)
    assert on_branch(desk, stacked.head) == ["Test f in tests/test_a.py", "Return two"]
    assert desk.text(stacked.head, "a.py") == FIXED and desk.outcomes().count("open") == 0
    row = desk.store.by_stacked(desk.repo.id, stacked.number)
    assert row is not None and row.head == stacked.head

    ci.check(desk.repo, stacked.head, "unit")
    assert look(desk) == []
    (said,) = comments(desk, "**Checks**")
    assert (
        f"**Before the patches** (`{alone[:10]}`, the tests alone): `unit` fails, and not" in said
    )
    assert "- `tests/test_a.py`: seen failing before (`unit`); with the patches it passes" in said
    assert "(seen failing without the patch)" in said and "1 check ended, none failed." in said


def test_a_check_that_names_no_test_tells_of_none_of_several(desk: Desk) -> None:
    with_tests(desk, "tests/test_b.py")
    (stacked,) = desk.stacked
    alone = stacked.head
    failing(desk, alone, "unit")
    for one in desk.repo.check_runs:
        if one.head_sha == alone:
            one.summary = "FAILED tests/test_b.py::test_f"
    look(desk)
    failing(desk, stacked.head, "unit")
    look(desk)
    (said,) = comments(desk, "**Checks**")
    assert "- `tests/test_a.py`: what fails does not say by which test" in said
    assert "- `tests/test_b.py`: `unit` fails on it, and with the patches, too" in said
    assert "(seen failing" not in said
    assert "That is being mended" in said and desk.engine()[2].failed[0].name == "unit"


def test_only_what_was_seen_of_every_test_is_called_seen(desk: Desk) -> None:
    """A linter fails on how a test is written, and what came to nothing before tells nothing."""
    with_tests(desk, "tests/test_b.py")
    (stacked,) = desk.stacked
    alone = stacked.head
    ci.check(desk.repo, desk.head, "slow", None)
    for name in ("unit", "lint", "new", "slow"):
        says = "xtests/test_a.py tests/test_a.pyc " if name == "unit" else "./tests/test_a.py:1: "
        if name in {"unit", "lint"}:
            ci.check(desk.repo, desk.head, name)
        ci.check(desk.repo, alone, name, "failure", said=f"{says}tests/test_b.py::test_f")
    look(desk)
    for name in ("unit", "lint", "new", "slow"):
        ci.check(desk.repo, stacked.head, name, "failure" if name == "lint" else "success")
    look(desk)
    (said,) = comments(desk, "**Checks**")
    assert "`lint`, `unit` fail, and not without the tests. `slow`, `new` failed and have" in said
    assert "- `tests/test_a.py`: `lint` fails on it, and with the patches, too" in said
    assert (
        "- `tests/test_b.py`: seen failing before (`unit`); with the patches it passes; `lint`"
        in said
    )
    assert "(seen failing" not in said and "is what a reader says, and nobody has seen" in said


def test_each_test_that_a_check_names_is_called_seen(desk: Desk) -> None:
    with_tests(desk, "tests/test_b.py")
    (stacked,) = desk.stacked
    ci.check(desk.repo, desk.head, "unit")
    named = "FAILED tests/test_a.py::test_f\nFAILED tests/test_b.py::test_f"
    ci.check(desk.repo, stacked.head, "unit", "failure", said=named)
    look(desk)
    ci.check(desk.repo, stacked.head, "unit")
    look(desk)
    (said,) = comments(desk, "**Checks**")
    assert said.count("(seen failing without the patch)") == 2


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("unknown", "1 check ended; `unit` failed and has no result without the tests:"),
        ("passes", "1 check ended, none failed: none runs the tests, or they pass without"),
        ("known", "1 check ended; `unit` failed, and without the tests, too."),
        ("none", "no check has run on them."),
        ("long", "the checks had not ended"),
    ],
)
def test_what_was_not_seen_is_said_and_why(desk: Desk, how: str, why: str) -> None:
    with_tests(desk)
    (stacked,) = desk.stacked
    if how != "unknown":
        ci.check(desk.repo, desk.head, "unit", "failure" if how == "known" else "success")
    match how:
        case "passes":
            ci.check(desk.repo, stacked.head, "unit")
        case "known" | "unknown":
            ci.check(desk.repo, stacked.head, "unit", "failure")
        case "long":
            ci.check(desk.repo, stacked.head, "unit", None)
    age = {"none": ALONE_NONE_S, "long": ALONE_S}.get(how, 0.0)
    if age:
        alone = stacked.head
        assert len(look(desk)) == 1 and stacked.head == alone
    assert look(desk, age=age)[0].head == stacked.head
    ci.check(desk.repo, stacked.head, "unit")
    look(desk)
    (said,) = comments(desk, "**Checks**")
    assert f"the tests alone): {why}" in said and "Nobody has seen the tests fail." in said
    assert "is what a reader says, and nobody has seen" in said


@pytest.mark.parametrize("cut", ["push", "row", "delivery"])
def test_a_look_that_was_cut_off_is_done_again_and_pushes_once(desk: Desk, cut: str) -> None:
    run = with_tests(desk)
    (stacked,) = desk.stacked
    failing(desk, alone := stacked.head, "unit")
    (ahead,) = watched(desk)
    if cut == "delivery":  # it was there, and nobody had noted it
        kept = desk.store.run(run.id)
        assert kept is not None
        with desk.steps._connect(desk.installation.id, desk.repo.id) as hub:
            again = replace(kept, report=desk.store.result(run.id))
            desk.steps.writing.publish(hub, again, Wish.model_validate_json(kept.request))
        assert stacked.head == alone and len(desk.stacked) == 1
    look(desk)
    tip = stacked.head
    if cut == "push":
        desk.store.update(run.id, head=alone)
    with desk.store.database.write() as db:
        db.execute(delete(JOBS).where(JOBS.c.kind == CI))
    desk.store.put(ahead.job())
    (then,) = look(desk)
    assert (then.head, stacked.head) == (tip, tip) and len(on_branch(desk, tip)) == 2
    row = desk.store.by_stacked(desk.repo.id, stacked.number)
    assert row is not None and row.head == tip and len(desk.stacked) == 1


@pytest.mark.parametrize("where", ["pull request", "stacked"])
def test_a_stop_has_the_patches_follow_at_once_and_looks_no_more(desk: Desk, where: str) -> None:
    with_tests(desk)
    (stacked,) = desk.stacked
    ci.check(desk.repo, stacked.head, "unit", None)
    desk.says("alice", "/rlm stop", stacked if where == "stacked" else None)
    assert on_branch(desk, stacked.head) == ["Test f in tests/test_a.py", "Return two"]
    assert watched(desk) == [] and desk.outcomes().count("open") == 0


def test_a_stop_that_came_too_late_leaves_no_half(desk: Desk) -> None:
    """It is delivered by then: what is open is made whole."""
    run = with_tests(desk)
    (stacked,) = desk.stacked
    with desk.store.database.write() as db:
        db.execute(update(RUNS).where(RUNS.c.id == run.id).values(stop="x"))
    kept = desk.store.run(run.id)
    assert kept is not None
    ci_steps_ = desk.steps._ci
    assert [one.head for one in ci_steps_.follows(kept, "stacked")] == [stacked.head]
    ci.check(desk.repo, stacked.head, "unit", None)
    assert look(desk)[0].head == stacked.head and len(on_branch(desk, stacked.head)) == 2


@pytest.mark.parametrize("how", ["pushed", "closed", "undone", "merged", "off", "refused"])
def test_patches_that_cannot_follow_are_said_to_be_missing(desk: Desk, how: str) -> None:
    with_tests(desk)
    (stacked,) = desk.stacked
    failing(desk, alone := stacked.head, "unit")
    match how:
        case "pushed":
            stacked.push(desk.repo.commit(HEAD, stacked.head))
        case "undone":
            desk.says("alice", "/rlm undo")
        case "off":
            unwanted(desk)
        case "refused":
            no = {"message": "Resource not accessible by integration"}
            desk.fake.fault("PATCH", "/git/refs/", status=403, body=no, times=None)
        case _:
            stacked.close(merged=how == "merged")
    tip = stacked.head
    if how == "closed":
        assert look(desk) and comments(desk, "The branch has the tests alone") == []
    assert look(desk, age=LONGEST_S if how == "closed" else 0.0) == [] and stacked.head == tip
    assert how == "pushed" or tip == alone
    missing = comments(desk, "The branch has the tests alone")
    assert len(missing) == (how != "undone")
    assert how not in {"pushed", "off", "refused"} or "has 1 commit on top" in missing[0]
    (row,) = desk.store.stacked_of(desk.repo.id, desk.pull.number)
    assert row.state == (how if how in {"merged", "undone"} else "open")


def test_what_is_closed_with_tests_alone_is_made_whole_when_it_is_opened_again(desk: Desk) -> None:
    with_tests(desk)
    (stacked,) = desk.stacked
    failing(desk, alone := stacked.head, "unit")
    stacked.close()
    (then,) = look(desk)
    assert (then.head, stacked.head) == (alone, alone)
    stacked.reopen()
    assert look(desk)[0].head == stacked.head and len(on_branch(desk, stacked.head)) == 2


@pytest.mark.parametrize("how", ["stopped", "gone"])
def test_of_what_is_closed_with_tests_alone_is_said_what_is_so(desk: Desk, how: str) -> None:
    with_tests(desk)
    (stacked,) = desk.stacked
    failing(desk, stacked.head, "unit")
    stacked.close()
    if how == "stopped":
        desk.says("alice", "/rlm stop")
    else:
        desk.repo.git("update-ref", "-d", f"refs/heads/{stacked.head_ref}")
        assert look(desk, age=LONGEST_S) == []
    assert watched(desk) == []
    assert len(comments(desk, "The branch has the tests alone")) == (how == "stopped")


def test_checks_of_tests_that_may_not_be_read_keep_no_patch_back(desk: Desk) -> None:
    with_tests(desk)
    (stacked,) = desk.stacked
    body = {"message": "Resource not accessible by integration"}
    desk.fake.fault("GET", f"/commits/{stacked.head}/check-runs", status=403, body=body, times=None)
    assert look(desk)[0].head == stacked.head and len(on_branch(desk, stacked.head)) == 2


def test_an_outage_on_the_way_keeps_the_patches_for_later(desk: Desk) -> None:
    with_tests(desk)
    (stacked,) = desk.stacked
    failing(desk, alone := stacked.head, "unit")
    desk.fake.fault("PATCH", "/git/refs/", status=502, times=None)
    (then,) = look(desk)
    assert then.head == alone == stacked.head
    desk.fake.mend()
    assert look(desk)[0].head == stacked.head != alone


def test_only_what_shares_no_file_with_a_patch_goes_below() -> None:
    def made(path: str, before: bytes | None, after: bytes) -> Commit:
        old = None if before is None else Blob(before)
        commit = commit_of(path, "model", path, {path: old}, {path: Blob(after)})
        assert commit is not None
        return commit

    def account(*tests: str) -> Fixing:
        every = [
            Closed(id=f"{n:012x}", path="a.py", line=2, severity=Severity.LOW, title="t",
                   message="m", files=[], tries=1, test=path)
            for n, path in enumerate(tests)
        ]  # fmt: skip
        return Fixing(commit="c", reviewed="", closed=every)

    both = commit_of("x", "model", "x", {"a.py": None, "t.py": None},
                     {"a.py": Blob(b"1"), "t.py": Blob(b"1")})  # fmt: skip
    assert both is not None
    code, one, two = made("a.py", None, b"x"), made("t.py", b"1", b"2"), made("u.py", None, b"3")
    patch = Patch("s", (both, one, two, code))
    ordered, first = put_tests_first(account("t.py", "u.py"), patch)
    assert (ordered.commits, first) == ((two, both, one, code), 1) and ordered.files == patch.files
    assert put_tests_first(account("t.py"), patch) == (patch, 0)
    assert put_tests_first(account(), patch) == (patch, 0)
    assert put_tests_first(account("u.py"), Patch("s", (two,))) == (Patch("s", (two,)), 0)
