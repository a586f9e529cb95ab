"""How runs that write end when something gets between: a stop, a loss, a kill, a switch, a lock."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.behind import MOST_FOLDERS
from app.github.client import Hub
from app.github.markers import visible
from app.plumbing import Plumbing
from app.run_life import CLOSED
from app.steps import Steps
from app.store import GITHUB, PROGRESS
from app.worker import MAX_ATTEMPTS, attempt
from reviewer.errors import GiveUp, RetryLater
from tests.app.writing_desk import AFTER, BASE, HEAD, POLICY, Desk
from tests.github.hub import FakeGitHub, FakeRepo


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "hub") as fake:
        yield fake


@pytest.fixture
def desk(fake: FakeGitHub, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(fake, tmp_path)
    yield desk
    desk.store.close()


def begun(desk: Desk) -> None:
    """Have a plan, and have it started."""
    desk.says("alice", "/rlm refactor rename f to g")
    desk.plans()
    desk.says("alice", "/rlm go")


def attempted(desk: Desk) -> None:
    """Do the next job as a worker does, whatever comes of it."""
    job = desk.store.claim(GITHUB, "github", 60)
    assert job is not None
    attempt(desk.store, job, desk.steps.do, desk.steps.lost, threading.Event())


class _Killed(BaseException):
    """The process is gone, after the request was done."""


def killed_at(desk: Desk, verb: str, end: str) -> None:
    """Do the next job, with the answer to a request lost and the process with it; start anew."""

    def ask(self: Any, doing: str, method: str, path: str, body: object = None) -> Any:
        answer = original(self, doing, method, path, body)
        if method == verb and path.endswith(end):
            raise _Killed
        return answer

    job = desk.store.claim(GITHUB, "github", 60)
    assert job is not None
    original = Hub.ask
    Hub.ask = ask  # type: ignore[method-assign]
    try:
        with pytest.raises(_Killed):
            desk.steps.do(job)
    finally:
        Hub.ask = original  # type: ignore[method-assign]
    desk.store.recover("github")
    desk.steps = desk.started()


def branch_made(desk: Desk) -> None:
    """A run whose delivery was cut off between its branch and its pull request."""
    begun(desk)
    desk.comes(desk.written())
    killed_at(desk, "POST", "/git/refs")
    assert len(desk.branches) == 1 and desk.stacked == []


def pull_opened(desk: Desk) -> None:
    """A run whose delivery was cut off when its pull request was open, before that was noted."""
    begun(desk)
    desk.comes(desk.written())
    killed_at(desk, "POST", "/pulls")
    assert len(desk.branches) == len(desk.stacked) == 1


def stopped(desk: Desk) -> None:
    desk.store.stop(desk.repo.id, desk.pull.number, "somebody gave the command `/rlm stop`")


# Lost --------------------------------------------------------------------------------------------


def test_a_run_that_is_lost_says_why_where_people_wait(desk: Desk) -> None:
    begun(desk)
    _, run, _ = desk.engine()
    desk.store.progressed(run.id, "2 of 5 parts read so far.")
    desk.steps.show_progress({})
    desk.work()
    assert "Working on it" in desk.ours[-1].body
    desk.store.recover("engine-1")
    report = json.loads(desk.written().model_dump_json())
    report["commits"][0]["files"][0]["path"] = ".github/workflows/a.yml"
    desk.comes(json.dumps(report))
    attempted(desk)
    assert len(desk.ours) == 2
    assert "I cannot do this: What came of it is not fit to be written" in desk.ours[-1].body
    assert desk.outcomes()[-1].startswith("lost: ")


@pytest.mark.parametrize("changed", [{"task": "tests"}, {"start": "0" * 40}])
def test_an_engine_answers_for_its_own_run_alone(desk: Desk, changed: dict[str, str]) -> None:
    begun(desk)
    report = json.loads(desk.written().model_dump_json()) | changed
    desk.comes(json.dumps(report))
    attempted(desk)
    assert desk.outcomes()[-1].startswith("lost: ")
    assert (desk.stacked, desk.branches) == ([], {})


def test_a_run_that_is_lost_leaves_no_branch_behind(desk: Desk) -> None:
    begun(desk)
    desk.comes(desk.written())
    desk.fake.fault("POST", "/pulls$", status=502, body={"message": "Bad"}, times=None)
    for _ in range(MAX_ATTEMPTS):
        job = desk.store.claim(GITHUB, "github", 60)
        assert job is not None
        try:
            desk.steps.do(job)
        except RetryLater as error:
            last = error
        desk.store.again(job, "x", 0.0)
    assert len(desk.branches) == 1
    job = desk.store.claim(GITHUB, "github", 60)
    assert job is not None
    desk.steps.lost(job, GiveUp(f"{last} (tried {MAX_ATTEMPTS} times)"))
    assert (desk.branches, desk.stacked) == ({}, [])
    assert "I cannot do this: Could not open the stacked pull request" in desk.ours[-1].body
    assert desk.outcomes()[-1].startswith("lost: ")


def test_a_lost_run_that_cannot_be_looked_after_names_what_may_stand(desk: Desk) -> None:
    branch_made(desk)
    (branch,) = desk.branches
    desk.fake.fault("POST", "/git/trees$", status=502, body={"message": "Bad"}, times=None)
    job = desk.store.claim(GITHUB, "github", 60)
    assert job is not None
    desk.steps.lost(job, GiveUp("It is too much."))
    assert f"`{branch}` could not be removed" in desk.ours[-1].body
    assert desk.outcomes()[-1] == "lost: It is too much."


def test_a_conversation_that_is_locked_does_not_lose_the_pull_request(desk: Desk) -> None:
    begun(desk)
    said = {"message": "Unable to create comment because issue is locked."}
    desk.fake.fault("POST", "/issues/.*/comments", status=403, body=said, times=None)
    desk.comes(desk.written())
    attempted(desk)
    assert desk.outcomes()[-1] == "stacked" and len(desk.stacked) == 1
    assert desk.store.stacked_of(desk.repo.id, desk.pull.number)


def test_a_patch_that_git_does_not_show_is_no_loss(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.policy = False
    begun(desk)

    def slow(*_: object) -> None:
        raise GiveUp("git diff took longer than 120 s.")

    monkeypatch.setattr(Plumbing, "run", slow)
    desk.comes(desk.written())
    attempted(desk)
    assert desk.outcomes()[-1] == "patch"
    assert "write: on" in desk.ours[-1].body and "```diff" not in desk.ours[-1].body


# Interrupted, and then something else happens ----------------------------------------------------


def test_a_stop_after_the_branch_takes_it_away(desk: Desk) -> None:
    branch_made(desk)
    stopped(desk)
    desk.work()
    assert (desk.branches, desk.stacked) == ({}, [])
    assert "Stopped: somebody gave" in desk.ours[-1].body
    assert "Nothing was changed" in desk.ours[-1].body
    assert desk.outcomes()[-1].startswith("stopped")


def test_a_stop_after_the_pull_request_says_that_it_stands_and_undo_finds_it(desk: Desk) -> None:
    pull_opened(desk)
    (stacked,) = desk.stacked
    stopped(desk)
    desk.work()
    assert f"/pull/{stacked.number}" in desk.ours[-1].body
    assert "Stopped" in desk.ours[-1].body and "Nothing was changed" not in desk.ours[-1].body
    assert desk.outcomes()[-1] == "stacked"
    desk.says("alice", "/rlm undo")
    assert (stacked.state, desk.branches) == ("closed", {})


def test_a_run_that_is_lost_after_the_pull_request_says_that_it_stands(desk: Desk) -> None:
    pull_opened(desk)
    job = desk.store.claim(GITHUB, "github", 60)
    assert job is not None
    desk.steps.lost(job, GiveUp("Enough."))
    assert f"/pull/{desk.stacked[0].number}" in desk.ours[-1].body
    assert desk.outcomes()[-1] == "stacked"
    assert len(desk.store.stacked_of(desk.repo.id, desk.pull.number)) == 1


def moved(desk: Desk) -> None:
    desk.pull.push(desk.repo.commit(HEAD | {"a.py": b"other\n"}, desk.head))


def closed(desk: Desk) -> None:
    desk.pull.close()
    desk.looked_at()


@pytest.mark.parametrize(
    ("happens", "said"),
    [(moved, "Nothing was applied"), (closed, "was closed meanwhile")],
    ids=["push", "close"],
)
def test_what_happens_after_the_branch_leaves_nothing(
    desk: Desk, happens: Callable[[Desk], None], said: str
) -> None:
    branch_made(desk)
    happens(desk)
    desk.work()
    assert (desk.branches, desk.stacked) == ({}, [])
    assert said in desk.ours[-1].body and desk.outcomes()[-1] == "patch"


def test_a_switch_that_goes_off_after_the_branch_names_what_stays(desk: Desk) -> None:
    branch_made(desk)
    desk.writes = False
    desk.steps = desk.started()
    desk.work()
    (branch,) = desk.branches
    assert "RLM_WRITE" in desk.ours[-1].body
    assert f"Our branch `{branch}` could not be removed" in desk.ours[-1].body


def test_a_switch_that_goes_off_after_the_pull_request_does_not_deny_it(desk: Desk) -> None:
    pull_opened(desk)
    desk.writes = False
    desk.steps = desk.started()
    desk.work()
    assert f"/pull/{desk.stacked[0].number}" in desk.ours[-1].body
    assert "RLM_WRITE" not in desk.ours[-1].body
    assert desk.outcomes()[-1] == "stacked"


def test_undo_knows_its_own_after_a_switch_went_off(desk: Desk) -> None:
    pull_opened(desk)
    (stacked,) = desk.stacked
    desk.writes = False
    desk.steps = desk.started()
    desk.work()
    (row,) = desk.store.stacked_of(desk.repo.id, desk.pull.number)
    assert row.head == stacked.head
    desk.says("alice", "/rlm undo")
    assert stacked.state == "closed" and "not ours" not in desk.ours[-1].body
    assert "is closed. Its branch" in desk.ours[-1].body
    assert "stays: this server does not write to repositories" in desk.ours[-1].body
    desk.writes = True
    desk.steps = desk.started()
    desk.says("alice", "/rlm undo")
    assert desk.branches == {} and "is deleted" in desk.ours[-1].body


def test_a_branch_of_that_name_with_others_commits_is_not_taken_away(desk: Desk) -> None:
    branch_made(desk)
    (branch,) = desk.branches
    theirs = desk.repo.commit(HEAD, desk.head)
    desk.repo.git("update-ref", f"refs/heads/{branch}", theirs)
    stopped(desk)
    desk.work()
    assert desk.branches == {branch: theirs}
    assert "Nothing was changed" in desk.ours[-1].body


# Two servers on one store ------------------------------------------------------------------------


def test_two_servers_make_one_comment_about_how_far_it_is(desk: Desk) -> None:
    begun(desk)
    _, run, _ = desk.engine()
    desk.store.progressed(run.id, "2 of 5 parts read so far.")
    servers = [desk.started() for _ in range(2)]
    at_once = threading.Barrier(2)

    def serve(name: str, steps: Steps) -> None:
        at_once.wait()
        steps.show_progress({})
        while (job := desk.store.claim(GITHUB, name, 60)) is not None:
            steps.do(job)

    threads = [
        threading.Thread(target=serve, args=(f"github-{n}", steps))
        for n, steps in enumerate(servers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.work()
    assert ["Working on it. 2 of 5" in one.body for one in desk.ours] == [False, True]


def test_no_plan_is_written_over_by_progress_that_is_late(desk: Desk) -> None:
    desk.says("alice", "/rlm refactor rename f to g")
    _, run, _ = desk.engine()
    desk.store.progressed(run.id, "2 of 5 parts read so far.")
    desk.started().show_progress({})
    late = desk.store.claim(GITHUB, "github-2", 60)
    assert late is not None and late.kind == PROGRESS
    desk.store.recover("engine-1")
    desk.plans()
    # The other server is at it: the plan waits, however long that takes.
    assert desk.outcomes() == ["open"]
    desk.started().do(late)
    desk.work()
    (comment,) = desk.ours
    assert "f is called g" in comment.body and desk.outcomes() == ["planned"]


# Wanted ------------------------------------------------------------------------------------------


def says(desk: Desk, policy: bytes | None, repo: FakeRepo | None = None) -> None:
    """Let the default branch say this from now on."""
    there = repo or desk.repo
    files = {"a.py": BASE["a.py"]} | ({} if policy is None else {POLICY: policy})
    tip = there.commit(files, *([] if repo else [desk.base]))
    there.git("update-ref", "refs/heads/main", tip)


@pytest.mark.parametrize(
    "policy", [b"write: off\n", None, b"write: [\n"], ids=["off", "none", "broken"]
)
def test_what_the_repository_says_by_now_counts(desk: Desk, policy: bytes | None) -> None:
    begun(desk)
    desk.comes(desk.written())
    says(desk, policy)
    desk.work()
    assert (desk.stacked, desk.branches) == ([], {})
    assert "write: on" in desk.ours[-1].body and desk.outcomes()[-1] == "patch"


def test_a_no_that_comes_after_the_branch_takes_it_away(desk: Desk) -> None:
    branch_made(desk)
    says(desk, b"write: off\n")
    desk.work()
    assert (desk.stacked, desk.branches) == ([], {})
    assert "write: on" in desk.ours[-1].body


def test_an_outage_is_no_answer(desk: Desk) -> None:
    begun(desk)
    desk.comes(desk.written())
    fault = {"message": "Bad"}
    desk.fake.fault("GET", "/contents/.github/rlm.yml", status=502, body=fault, times=None)
    with pytest.raises(RetryLater):
        desk.work()
    assert (desk.stacked, desk.branches) == ([], {})


def test_the_owner_may_say_it_for_all(desk: Desk) -> None:
    everywhere = desk.fake.repository("octo/.github")
    says(desk, None)
    says(desk, b"write: on\n", everywhere)
    begun(desk)
    desk.carries()
    assert len(desk.stacked) == 1


# Closed ------------------------------------------------------------------------------------------


def test_a_pull_request_that_is_closed_when_the_work_is_done_gets_the_patch(desk: Desk) -> None:
    begun(desk)
    _, run, _ = desk.engine()
    closed(desk)
    assert desk.store.stopped(run.id) == CLOSED
    desk.store.recover("engine-1")
    desk.comes(desk.written())
    desk.work()
    assert "was closed meanwhile" in desk.ours[-1].body and "```diff" in desk.ours[-1].body
    assert (desk.stacked, desk.branches) == ([], {})
    assert desk.outcomes()[-1] == "patch"


def test_a_pull_request_that_is_closed_before_there_is_anything_is_told_so(desk: Desk) -> None:
    begun(desk)
    closed(desk)
    desk.work()
    assert f"Stopped: {CLOSED}. Nothing was changed" in desk.ours[-1].body
    assert desk.outcomes()[-1] == f"stopped: {CLOSED}"


def test_a_plan_for_a_pull_request_that_was_closed_is_not_shown(desk: Desk) -> None:
    desk.says("alice", "/rlm refactor rename f to g")
    desk.engine()
    closed(desk)
    desk.store.recover("engine-1")
    desk.plans()
    assert "/rlm go" not in desk.ours[-1].body and "Stopped" in desk.ours[-1].body


# Undone ------------------------------------------------------------------------------------------


def test_one_that_is_merged_does_not_stand_before_those_below_it(desk: Desk) -> None:
    for _ in range(2):
        begun(desk)
        desk.carries()
    first, second = desk.stacked
    second.close(merged=True)
    undo = desk.says("alice", "/rlm undo")
    assert "is merged" in desk.ours[-1].body and first.state == "open"
    desk.obeys(undo)
    assert first.state == "open", "the same command means the same one"
    assert states(desk) == ["merged", "open"]
    desk.says("alice", "/rlm undo")
    assert first.state == "closed" and states(desk) == ["merged", "undone"]


def states(desk: Desk) -> list[str]:
    """How our pull requests on top are, for all that is known, the newest first."""
    return [one.state for one in desk.store.stacked_of(desk.repo.id, desk.pull.number)]


def test_one_that_is_merged_is_known_to_be_so_by_the_push_that_it_is(desk: Desk) -> None:
    for _ in range(2):
        begun(desk)
        desk.carries()
    first, second = desk.stacked
    second.close(merged=True)
    first.close()
    desk.looked_at()
    assert states(desk) == ["open", "open"]
    desk.looked_at("pushed")  # as a merge is, for what it merges into
    assert states(desk) == ["merged", "open"], "one that is closed may be opened again"
    first.reopen()
    # Who wants it undone is told once that it cannot be.
    desk.says("alice", "/rlm undo")
    assert f"[#{second.number}]" in desk.ours[-1].body and "is merged" in desk.ours[-1].body
    assert first.state == "open"
    desk.says("alice", "/rlm undo")
    assert first.state == "closed" and states(desk) == ["merged", "undone"]


# A push below one that is open -------------------------------------------------------------------


def pushed(desk: Desk, changes: dict[str, bytes]) -> str:
    """Have somebody push to the pull request, and let the event come; return the new head."""
    head = desk.repo.commit(HEAD | changes, desk.pull.head)
    desk.pull.push(head)
    desk.looked_at("pushed")
    return head


def told(desk: Desk) -> list[str]:
    """Our comments on the pull request on top."""
    (there,) = desk.stacked
    return [visible(one.body) for one in there.comments if one.user.login == desk.app.actor]


def test_one_whose_files_a_push_left_alone_is_told_that_it_still_applies(desk: Desk) -> None:
    begun(desk)
    desk.carries()
    desk.looked_at("pushed")
    assert told(desk) == [], "it stands on what the branch ends at"
    tips = desk.branches
    head = pushed(desk, {"d.py": b"x = 1\n"})
    (said,) = told(desk)
    moved = f"#{desk.pull.number} has moved on since this was made (`{desk.head[:10]}` then, "
    assert said.startswith(f"{moved}`{head[:10]}` now).") and "**it still applies exactly**" in said
    assert "1 other file changed meanwhile; none uses a name that is gone by this." in said.lower()
    assert desk.branches == tips, "no branch is touched"
    (comment,) = [one for there in desk.stacked for one in there.comments]
    edited = comment.updated
    desk.looked_at("pushed")
    assert told(desk) == [said] and comment.updated == edited, "the same is not said again"


def test_one_whose_files_a_push_changed_is_told_where_and_what_to_do(desk: Desk) -> None:
    begun(desk)
    desk.carries()
    tips = desk.branches
    pushed(desk, {"d.py": b"x = 1\n"})
    head = pushed(desk, {"a.py": b"def f():\n    return 2\n"})
    (said,) = told(desk)  # one comment, edited
    assert f"`{head[:10]}` now). **It does not apply exactly any more**: `a.py` changed" in said
    assert "Nothing was changed or rebased here." in said and "still applies" not in said
    assert f"`/rlm undo` on #{desk.pull.number} takes this back, and `/rlm refactor`" in said
    assert desk.branches == tips
    assert len(desk.ours) == 2, "nothing is said on the one below"
    desk.says("alice", "/rlm undo")
    assert desk.branches == {} and states(desk) == ["undone"]
    pushed(desk, {"b.py": b"x = 2\n"})
    assert told(desk) == [said], "who is undone is told nothing more"


def test_one_that_was_brought_up_to_date_is_told_so_and_one_sent_elsewhere_nothing(
    desk: Desk,
) -> None:
    begun(desk)
    desk.carries()
    (there,) = desk.stacked
    head = pushed(desk, {"d.py": b"x = 1\n"})
    assert "still applies" in told(desk)[0]
    there.push(desk.repo.commit(AFTER | {"d.py": b"x = 1\n"}, head, there.head))
    desk.looked_at("pushed", there)
    assert told(desk) == [
        f"This stands on what #{desk.pull.number} ends at by now (`{head[:10]}`)."
    ]
    there.retarget("main", desk.base)
    pushed(desk, {"a.py": b"y = 1\n"})
    assert len(told(desk)) == 1 and "ends at by now" in told(desk)[0]


def test_all_that_stands_on_the_branch_counts_whoever_has_put_it_there(desk: Desk) -> None:
    begun(desk)
    desk.carries()
    (there,) = desk.stacked
    there.push(desk.repo.commit(AFTER | {"d.py": b"x = 1\n"}, there.head))
    pushed(desk, {"d.py": b"x = 2\n"})
    (said,) = told(desk)
    assert "**It does not apply exactly any more**: `d.py` changed there." in said
    pushed(desk, {"d.py": b"x = 1\n", "e.py": b"x = 2\n"})
    (said,) = told(desk)
    assert "or as it is here: **it still applies exactly**. 1 other file changed" in said


def test_a_branch_that_differs_in_more_folders_than_are_read_is_not_judged(desk: Desk) -> None:
    begun(desk)
    desk.carries()
    (there,) = desk.stacked
    many = {f"d{number}/x.py": b"x = 1\n" for number in range(MOST_FOLDERS)}
    there.push(desk.repo.commit(AFTER | many, there.head))
    pushed(desk, {"a.py": b"x = 2\n"})
    (said,) = told(desk)
    assert "This changes more files than I compare" in said and "applies exactly" not in said


def test_names_that_a_push_begins_to_use_are_told(desk: Desk) -> None:
    begun(desk)
    written = desk.written().model_copy(update={"names": ("f",)})
    desk.comes(written)
    desk.work()
    pushed(desk, {"d.py": b"from a import f\n"})
    (said,) = told(desk)
    assert "**What was pushed uses names that are gone by this**: `f` in `d.py`." in said


def test_who_may_not_speak_there_does_everything_else(desk: Desk) -> None:
    begun(desk)
    desk.carries()
    (there,) = desk.stacked
    there.locked = True
    head = pushed(desk, {"d.py": b"x = 1\n"})
    assert told(desk) == []
    assert any(run.head == head for run in desk.store.runs_of(desk.repo.id, desk.pull.number))
