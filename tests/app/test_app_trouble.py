"""The App where something is in the way: what comes late, is taken back, or is not permitted."""

import socket
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app.github.errors import Forbidden
from app.jobs import step
from app.steps import Steps
from app.store import OPEN, REVIEW, NewRun, Store
from app.store.tables import JOBS
from tests.app.kills import Point, killed_at
from tests.app.site import Site
from tests.app.test_app import WITH_MORE
from tests.app.world import World, finds, wait_until
from tests.github.state import FakePull

ALL = {"contents": "read", "pull_requests": "write", "checks": "write", "metadata": "read"}
FORBIDDEN = {"message": "Resource not accessible by integration"}


def held(world: World, seconds: float, times: int = 1) -> list[Any]:
    """Let the model think for so long about the first requests; return what it is asked."""
    seen: list[Any] = []

    def slow(request: dict[str, Any]) -> Any:
        seen.append(request)
        if len(seen) <= times:
            world.service.wait(seconds)
        return finds(request)

    world.think = slow
    return seen


def check_of(world: World, pull: FakePull) -> Any:
    (check,) = [run for run in world.repo.check_runs if run.head_sha == pull.head]
    return check


# Heads that come and go --------------------------------------------------------------------------


def test_an_older_delivery_that_comes_later_changes_nothing(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()
        early = world.hub.payload_pull(pull, "opened", world.app)
        pull.push(world.repo.commit(WITH_MORE, world.head))
        assert world.opened(server, pull, "synchronize") == 202
        assert world.sent(server, "pull_request", early) == 202
        world.settle()
        wait_until(lambda: world.idle() and bool(pull.reviews), lambda: server.said)
        assert [run.head for run in world.runs()] == [pull.head]
        world.assert_said_once(pull)


def test_a_head_that_is_pushed_back_is_reviewed_after_all(site: Site) -> None:
    with site.world() as (world, server):
        seen = held(world, 8, times=2)
        pull = world.pull()
        first = pull.head
        world.opened(server, pull)
        wait_until(lambda: bool(seen), lambda: server.said)
        pull.push(world.repo.commit(WITH_MORE, world.head))
        world.opened(server, pull, "synchronize")
        wait_until(lambda: len(world.runs()) == 2, lambda: server.said)
        pull.push(first)
        world.opened(server, pull, "synchronize")
        world.settle(runs=3)
        (review,) = pull.all_reviews
        assert review.commit == first
        assert len(world.ours(pull)) == 1
        assert {run.status for run in world.repo.check_runs} == {"completed"}


def test_a_pull_request_that_was_closed_and_opened_again_is_reviewed(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()

        def closes(request: dict[str, Any]) -> Any:
            pull.close()
            return finds(request)

        world.think = closes
        world.opened(server, pull)
        world.settle()
        assert pull.reviews == []
        (check,) = world.repo.check_runs
        assert "was closed meanwhile" in (check.summary or "")
        world.think = finds
        pull.reopen()
        world.opened(server, pull, "reopened")
        world.settle(runs=2)
        assert len(pull.reviews) == 1


def test_our_own_pull_requests_are_left_alone(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull(author=world.app.actor)
        assert world.opened(server, pull) == 202
        wait_until(world.idle, lambda: server.said)
        assert world.runs() == []


# GitHub in trouble -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [502, 401])
def test_one_refusal_of_git_is_tried_again(site: Site, status: int) -> None:
    with site.world() as (world, server):
        world.hub.fault(path=r"git-upload-pack|info/refs", status=status, times=1, body="x")
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        world.assert_said_once(pull)


def test_a_reaction_that_is_refused_does_not_keep_a_command_from_being_obeyed(
    site: Site,
) -> None:
    with site.world() as (world, server):
        world.hub.fault(method="POST", path=r"/reactions$", status=403, body=FORBIDDEN, times=1)
        pull = world.pull()
        world.commented(server, pull, "alice", "/rlm review")
        world.settle()
        world.assert_said_once(pull)
        assert "no reaction" in server.said


def test_progress_is_shown_on_the_check_run_and_then_its_end(site: Site) -> None:
    with site.world() as (world, server):
        held(world, 40)
        pull = world.pull()
        world.opened(server, pull)
        wait_until(
            lambda: any("read so far" in (run.summary or "") for run in world.repo.check_runs),
            lambda: server.said,
        )
        assert check_of(world, pull).status == "in_progress"
        world.service.release()
        world.settle()
        world.assert_said_once(pull)
        assert "read so far" not in (check_of(world, pull).summary or "")


class _Shown:
    """A GitHub of which one installation is suspended; remembers whose progress it was shown."""

    def __init__(self, tmp_path: Path) -> None:
        self.store = Store(tmp_path / "rlm.sqlite3")
        self.asked: list[int] = []
        self.steps = Steps(
            self.store,
            self.connect,
            self.connect,
            b"k",
            lambda *_: None,
            connect_for_scanning=self.connect,
            installed=lambda _: 1,
            includes=lambda *_: False,
            is_installed=lambda _: True,
        )
        for number in (1, 2):
            run = NewRun(
                id=f"{number}" * 16,
                installation=number,
                repository_id=number,
                repository="octo/hello",
                number=1,
                origin="x",
                request='{"trigger": "opened"}',
                base="a" * 40,
                head="b" * 40,
            )
            self.store.begin(run, step(OPEN, run), "x")
            job = self.store.claim("github", "w", 60)
            assert job is not None
            self.store.shown(job, run.id, number, step(REVIEW, run))
            self.store.progressed(run.id, "so far")

    def connect(self, installation: int, _repository: int) -> Any:
        self.asked.append(installation)
        raise Forbidden("suspended", 403, "suspended")


def test_one_run_that_cannot_be_shown_does_not_keep_the_others_from_it(tmp_path: Path) -> None:
    shown = _Shown(tmp_path)
    shown.steps.show_progress({})
    assert shown.asked == [1, 2]


def test_the_progress_of_a_run_that_has_its_result_is_not_shown(tmp_path: Path) -> None:
    shown = _Shown(tmp_path)
    job = shown.store.claim("engine", "e", 60)
    assert job is not None
    run = shown.store.run("1" * 16)
    assert run is not None
    shown.store.reviewed(job, run.id, step("publish", run), problem="it is over")
    shown.steps.show_progress({})
    assert shown.asked == [2]


# What is not permitted ---------------------------------------------------------------------------


def test_without_permission_to_speak_the_check_run_has_the_review(tmp_path: Path) -> None:
    with World(tmp_path, permissions={**ALL, "pull_requests": "read"}) as world:
        with world.serve() as server:
            pull = world.pull()
            world.opened(server, pull)
            world.settle()
        assert pull.reviews == [] and world.ours(pull) == []
        check = check_of(world, pull)
        assert (check.status, check.conclusion) == ("completed", "neutral")
        assert "The first item is lost" in (check.summary or "")
        assert "pull_requests" in server.said


def test_without_permission_to_read_the_code_the_check_run_says_so(site: Site) -> None:
    granted = {name: level for name, level in ALL.items() if name != "contents"}
    with site.world(permissions=granted) as (world, server):
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        check = check_of(world, pull)
        assert (check.status, check.conclusion) == ("completed", "neutral")
        assert "contents: read" in (check.summary or "")


def test_a_permission_that_is_accepted_later_brings_the_review(site: Site) -> None:
    with site.world(permissions={"metadata": "read"}) as (world, server):
        pull = world.pull()
        world.opened(server, pull)
        wait_until(lambda: "has not granted" in server.said, lambda: server.said)
        assert world.store.waiting("github") == 1
        world.installation.permissions = dict(ALL)
        with world.store.database.write() as db:
            db.execute(update(JOBS).values(not_before=0))
        world.settle()
        world.assert_said_once(pull)


@pytest.mark.parametrize("what", ["checks", "pull_requests", "everything"])
def test_what_is_taken_back_in_the_middle_ends_the_run(site: Site, what: str) -> None:
    with site.world() as (world, server):

        def takes(request: dict[str, Any]) -> Any:
            if what == "everything":
                world.installation.suspended = True
            else:
                left = {name: level for name, level in ALL.items() if name != what}
                world.installation.permissions = left
            world.hub.expire_all()
            return finds(request)

        world.think = takes
        pull = world.pull()
        world.opened(server, pull)
        if what == "pull_requests":
            # It may be granted again; when nobody does that, the check run says what is missing.
            wait_until(lambda: "job put back" in server.said, lambda: server.said)
            with world.store.database.write() as db:
                db.execute(update(JOBS).values(not_before=0, attempts=99))
        world.settle()
        assert "Traceback" not in server.said
        if what == "checks":
            assert len(pull.reviews) == 1 and len(world.ours(pull)) == 1
        if what == "pull_requests":
            check = check_of(world, pull)
            assert (check.status, check.conclusion) == ("completed", "neutral")
            assert r"has not granted pull\_requests: write" in (check.summary or "")


def test_a_stop_of_a_run_whose_check_run_may_not_be_written_any_more(site: Site) -> None:
    with site.world() as (world, server):
        seen = held(world, 4)
        pull = world.pull()
        world.opened(server, pull)
        wait_until(lambda: bool(seen), lambda: server.said)
        world.installation.permissions = {**ALL, "checks": "read"}
        world.hub.expire_all()
        world.commented(server, pull, "alice", "/rlm stop")
        world.settle()
        assert pull.reviews == []
        assert "check run left" in server.said


def test_what_nobody_can_see_is_in_the_log(site: Site) -> None:
    granted = {name: level for name, level in ALL.items() if name != "checks"}
    said = {"message": "Unable to create comment because issue is locked."}
    with site.world(permissions=granted) as (world, server):
        path = r"/(reviews|comments)$"
        world.hub.fault(method="POST", path=path, times=9, status=403, body=said)
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        assert "published with trouble" in server.said
        assert "issue is locked" in server.said


def test_a_locked_conversation_is_answered_by_the_check_run(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()
        pull.locked = True
        world.opened(server, pull)
        world.settle()
        assert pull.reviews == [] and world.ours(pull) == []
        assert "The conversation is locked" in (check_of(world, pull).summary or "")


# What the owner of the machine got wrong ---------------------------------------------------------


def test_what_is_delivered_before_there_is_an_app_is_reviewed_when_there_is_one(
    tmp_path: Path,
) -> None:
    with World(tmp_path) as world:
        with world.serve(RLM_APP_ID="", RLM_APP_PRIVATE_KEY="") as server:
            pull = world.pull()
            assert world.opened(server, pull) == 202
            wait_until(lambda: "No GitHub App" in str(server.ready()), lambda: server.said)
            assert server.get("/readyz")[0] == 503
        with world.serve():
            world.settle()
        world.assert_said_once(pull)


def test_a_malformed_key_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    bad = "-----BEGIN RSA PRIVATE KEY-----\nnope\n-----END RSA PRIVATE KEY-----"
    with World(tmp_path) as world:
        with world.serve(RLM_APP_PRIVATE_KEY=bad) as server:
            pull = world.pull()
            assert world.opened(server, pull) == 202
            wait_until(lambda: "private key" in str(server.ready()), lambda: server.said)
            assert "Private keys, Generate" in server.said
            assert "nope" not in server.said
        with world.serve():
            world.settle()
        world.assert_said_once(pull)


@pytest.mark.parametrize(
    ("name", "value"), [("RLM_EFFORT", "huge"), ("RLM_BUDGET", "abc"), ("RLM_MODEL", "unpriced-1")]
)
def test_a_wrong_setting_of_the_engine_is_named_and_nothing_is_reviewed_without_the_model(
    tmp_path: Path, name: str, value: str
) -> None:
    with World(tmp_path) as world:
        with world.serve(**{name: value}) as server:
            pull = world.pull()
            assert world.opened(server, pull) == 202
            hint = "RLM_BUDGET=none" if name == "RLM_MODEL" else name
            wait_until(lambda: hint in str(server.ready()["missing"]), lambda: str(server.ready()))
            assert server.get("/readyz")[0] == 503
            assert "no model key" not in server.said
            wait_until(lambda: len(world.runs()) == 1, lambda: server.said)
        assert pull.reviews == [] and world.ours(pull) == []
        with world.serve():
            world.settle()
        world.assert_said_once(pull)


def test_a_request_that_is_refused_unread_is_in_the_log(site: Site) -> None:
    with site.world() as (_world, server):
        server.get("/healthz")
        announced = b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 26214402\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
            connection.sendall(announced)
            assert b" 413 " in connection.recv(400)
        wait_until(lambda: "request refused" in server.said, lambda: server.said)


# Kills -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "method", "path", "phase"),
    [
        ("github", "GET", r"/permission$", "after"),
        ("all", "POST", r"/reactions$", "after"),
        ("all", "POST", r"/reviews$", "after"),
    ],
)
def test_a_kill_while_a_command_is_obeyed_says_everything_once(
    tmp_path: Path, role: str, method: str, path: str, phase: str
) -> None:
    world, pull = killed_at(tmp_path, Point(role, method, path, phase), "/rlm review")
    world.assert_said_once(pull)
    (comment,) = [one for one in pull.comments if one.user.login == "alice"]
    assert [one.content for one in comment.reactions] == ["eyes"]
