"""The Action with the input `server`: its process, a real `rlm serve`, and GitHub between."""

import json
import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.id_token import LINES
from tests import warm
from tests.app.site import Site
from tests.app.test_action import assert_quiet
from tests.app.test_serve import Server
from tests.app.world import World, wait_until
from tests.composite import StepRan, job_environ, read_outputs
from tests.github.hub import FakeGitHub
from tests.github.oidc import ID_TOKEN
from tests.github.state import FakePull, FakeRepo
from tests.model_server import hang


@dataclass
class Job:
    """A job of a workflow that knows a server, and nothing else: no key, no token to write with."""

    hub: FakeGitHub
    folder: Path
    server: str
    started: int = 0

    def start(
        self,
        repo: FakeRepo,
        event: str,
        payload: object,
        *,
        identity: dict[str, str] | None = None,
        **more: str,
    ) -> Any:
        self.started += 1
        self.temp = self.folder / f"temp-{self.started}"
        self.temp.mkdir()
        files = {
            name: self.temp / name
            for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_EVENT_PATH")
        }
        for path in files.values():
            path.touch()
        files["GITHUB_EVENT_PATH"].write_text(json.dumps(payload))
        environ = job_environ(
            self.folder,
            GITHUB_EVENT_NAME=event,
            GITHUB_REPOSITORY=repo.full_name,
            GITHUB_SERVER_URL="https://github.com",
            GITHUB_API_URL="https://api.github.com",
            RUNNER_TEMP=str(self.temp),
            RLM_SERVER=self.server,
            **{name: str(path) for name, path in files.items()},
        )
        return warm.start(
            ["action"], cwd=self.temp, env=environ | (identity or {}) | more, together=True
        )

    def end(self, process: Any) -> StepRan:
        log, _ = process.communicate(timeout=90)
        ran = StepRan(
            process.returncode,
            log.decode(),
            read_outputs((self.temp / "GITHUB_OUTPUT").read_text()),
            (self.temp / "GITHUB_STEP_SUMMARY").read_text(),
        )
        assert "Traceback" not in ran.log, ran.log
        assert_quiet(ran, *self.hub.issuer.jobs)
        return ran

    def run(self, repo: FakeRepo, event: str, payload: object, **about: Any) -> StepRan:
        """Run for an event in a job that may say who it is."""
        more = {name: about.pop(name) for name in list(about) if name.startswith("RLM_")}
        identity = self.hub.issuer.job(repo, event=event, **about)
        return self.end(self.start(repo, event, payload, identity=identity, **more))

    def pushed(self, pull: FakePull, **more: Any) -> StepRan:
        return self.run(pull.repo, "pull_request", self.payload(pull), number=pull.number, **more)

    def payload(self, pull: FakePull) -> dict[str, Any]:
        payload = self.hub.payload_pull(pull, "opened", self.hub.app("unused"))
        payload.pop("installation", None)
        return payload


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Meeting:
    """A place where a server is reached that knows it, and where it meets jobs."""

    def __init__(self) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.options, self.environ = ("--port", str(port)), {"RLM_PUBLIC_URL": self.url}

    def job(self, world: World, folder: Path) -> Job:
        """A job that knows the place too."""
        (folder / "job").mkdir()
        return Job(world.hub, folder / "job", self.url)

    def serve(self, world: World) -> Server:
        return world.serve(*self.options, **self.environ)


class Shared(Meeting):
    """The same for tests that have one server in turn."""

    def __init__(self, folders: Iterator[Path]) -> None:
        super().__init__()
        self.site = Site(folders, *self.options, **self.environ)

    @contextmanager
    def world(self, folder: Path) -> Iterator[tuple[World, Server, Job]]:
        with self.site.world() as (world, server):
            yield world, server, self.job(world, folder)


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    shared = Shared(tmp_path_factory.mktemp("meeting") for _ in iter(int, 1))
    yield shared
    shared.site.close()


# From the job to the review


def test_a_job_has_the_server_review_and_ends_as_the_review_did(
    meeting: Shared, tmp_path: Path
) -> None:
    with meeting.world(tmp_path) as (world, _server, job):
        pull = world.pull()
        ran = job.pushed(pull)
        assert ran.code == 0, ran.log
        world.assert_said_once(pull)
        assert "1 finding: 1 high" in ran.log and "has taken it over" in ran.log
        assert ran.outputs == {
            "status": "complete",
            "findings": "1",
            "posted": "true",
            "report": "",
        }
        assert "| high | 1 |" in ran.summary
        assert f"{pull.url}#" in ran.summary

        # The head is reviewed: a second job is told what the first one was, and what fails, fails.
        again = job.pushed(pull, RLM_FAIL_ON="high")
        assert again.code == 1, again.log
        assert [one.message for one in again.said("error")] == [
            "There are findings at or above fail-on."
        ]
        world.assert_said_once(pull)
        assert len(world.runs()) == 1


def test_a_comment_is_obeyed_once_whether_its_event_or_its_job_comes_first(
    meeting: Shared, tmp_path: Path
) -> None:
    with meeting.world(tmp_path) as (world, server, job):
        pull = world.pull()
        comment = world.commented(server, pull, "alice", "/rlm review")
        payload = world.hub.payload_comment(comment, world.app)
        payload.pop("installation")
        ran = job.run(world.repo, "issue_comment", payload)
        assert ran.code == 0, ran.log
        assert len(world.runs()) == 1
        world.assert_said_once(pull)

        stranger = pull.comment("mallory", "/rlm review")
        payload = world.hub.payload_comment(stranger, world.app)
        ran = job.run(world.repo, "issue_comment", payload, actor="mallory")
        assert (ran.code, ran.outputs["status"]) == (0, "skipped")
        assert len(world.runs()) == 1, "who may not write gives no commands this way either"


def test_a_draft_waits_but_not_for_a_person_who_names_it(meeting: Shared, tmp_path: Path) -> None:
    with meeting.world(tmp_path) as (world, _server, job):
        pull = world.pull(draft=True)
        ran = job.pushed(pull)
        assert (ran.code, ran.outputs["status"]) == (0, "skipped")
        assert "it is a draft" in ran.said("notice")[0].message
        by_hand = {"RLM_PULL_REQUEST": str(pull.number)}
        ran = job.run(world.repo, "workflow_dispatch", {}, actor="mallory", **by_hand)
        assert (ran.code, ran.outputs["status"]) == (0, "skipped"), "who may not write asks nobody"
        ran = job.run(world.repo, "workflow_dispatch", {}, actor="alice", **by_hand)
        assert (ran.code, ran.outputs["status"]) == (0, "complete"), ran.log
        world.assert_said_once(pull)


def test_what_cannot_be_done_is_said_and_fails_the_step(meeting: Shared, tmp_path: Path) -> None:
    with meeting.world(tmp_path) as (world, _server, job):
        world.pull()
        other = world.hub.repository("octo/elsewhere")
        base = other.commit({"a.py": b"a = 1\n"})
        for _ in range(3):
            stranger = other.pull(base, other.commit({"a.py": b"a = 2\n"}, base))
        assert stranger.number == 3
        # A number of another repository is no number of this one.
        ran = job.run(world.repo, "workflow_dispatch", {}, RLM_PULL_REQUEST="3")
        assert ran.code == 2
        assert f"{world.repo.full_name} has no pull request 3" in ran.said("error")[0].message
        # The App is not there.
        ran = job.pushed(stranger)
        assert ran.code == 2
        said = ran.said("error")[0].message
        assert "not installed on octo/elsewhere" in said and "/apps/rlm-review" in said
        assert stranger.all_reviews == [] and world.runs() == []


def test_a_server_that_starts_anew_meanwhile_is_waited_for(tmp_path: Path) -> None:
    meeting = Meeting()
    with World(tmp_path) as world:
        job = meeting.job(world, tmp_path)
        pull = world.pull()
        asked = threading.Event()

        def slowly(request: dict[str, Any]) -> Any:
            asked.set()
            return hang() if len(world.service.requests) < 2 else finds(request)

        finds, world.think = world.think, slowly
        identity = world.hub.issuer.job(world.repo, number=pull.number)
        with meeting.serve(world):
            process = job.start(world.repo, "pull_request", job.payload(pull), identity=identity)
            assert asked.wait(60)
        with meeting.serve(world):
            ran = job.end(process)
        assert ran.code == 0, ran.log
        world.assert_said_once(pull)


# What keeps a job from it


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Job]:
    """A job whose server is not there."""
    with FakeGitHub(tmp_path / "hub") as hub:
        (tmp_path / "job").mkdir()
        yield Job(hub, tmp_path / "job", f"http://127.0.0.1:{free_port()}")


def opened(hub: FakeGitHub, **more: Any) -> FakePull:
    repo = hub.repository("octo/hello")
    base = repo.commit({"a.py": b"a = 1\n"})
    return repo.pull(base, repo.commit({"a.py": b"a = 2\n"}, base), **more)


def test_a_job_without_the_permission_is_told_the_lines_to_add(alone: Job) -> None:
    pull = opened(alone.hub)
    ran = alone.end(alone.start(pull.repo, "pull_request", alone.payload(pull)))
    assert ran.code == 2
    assert ran.said("error")[0].message.endswith(f"in the workflow:\n{LINES}")


def test_a_forks_pull_request_is_left_to_the_app_in_one_sentence(alone: Job) -> None:
    pull = opened(alone.hub, fork="bob/hello")
    ran = alone.end(alone.start(pull.repo, "pull_request", alone.payload(pull)))
    assert (ran.code, ran.outputs["status"]) == (0, "skipped")
    (notice,) = ran.said("notice")
    assert (
        "fork" in notice.message and "token" in notice.message and "/rlm review" in notice.message
    )


def test_dependabots_too(alone: Job) -> None:
    pull = opened(alone.hub, author="dependabot[bot]")
    ran = alone.end(alone.start(pull.repo, "pull_request", alone.payload(pull)))
    assert (ran.code, ran.outputs["status"]) == (0, "skipped")


@pytest.mark.parametrize(
    "address", ["http://rlm.example.com", "rlm.example.com", "https://x@y", "file:///etc/passwd"]
)
def test_an_address_that_is_none_is_refused_before_anybody_is_asked(
    alone: Job, address: str
) -> None:
    alone.server = address
    ran = alone.pushed(opened(alone.hub))
    assert ran.code == 2 and "The input server is not an" in ran.said("error")[0].message
    assert alone.hub.asked(path=ID_TOKEN) == []


def test_a_token_is_asked_for_with_the_servers_own_address(alone: Job) -> None:
    with Counterpart(alone) as server:
        server.answers = [(403, {"status": "refused", "why": "No.\n::add-mask::x"})]
        ran = alone.pushed(opened(alone.hub))
    assert ran.code == 2
    assert ran.said("error")[0].message.endswith("refuses it (403): No. ::add-mask::x.")
    (asked,) = alone.hub.asked(path=ID_TOKEN)
    assert asked.query == {"api-version": "2.0", "audience": alone.server}
    ((verb, path, body, _),) = server.seen
    assert (verb, path, json.loads(body)) == ("POST", "/action", {"number": 1})


def test_a_token_that_has_ended_is_replaced_once(alone: Job) -> None:
    with Counterpart(alone) as server:
        server.answers = [(401, {"why": "It has expired."})] * 2
        ran = alone.pushed(opened(alone.hub))
    assert ran.code == 2 and "It has expired" in ran.said("error")[0].message
    first, second = (one[3] for one in server.seen)
    assert first != second and len(alone.hub.asked(path=ID_TOKEN)) == 2


def test_a_server_in_trouble_is_asked_again_after_the_time_it_names(alone: Job) -> None:
    url = f"/action/{'a' * 32}"
    with Counterpart(alone) as server:
        server.answers = [
            (503, {"why": "keys"}),
            (202, {"url": url}),
            (429, {"why": "often"}),
            (200, {"status": "running", "progress": "1 of 2\n::error::x"}),
            (200, {"status": "ended", "outcome": "stopped: a newer review took its place"}),
        ]
        ran = alone.pushed(opened(alone.hub))
    assert (ran.code, ran.outputs["status"]) == (0, "skipped"), ran.log
    assert "trying again in 1 s" in ran.log and "rlm: 1 of 2" in ran.log
    assert ran.said("error") == []
    assert "a newer review took its place" in ran.said("notice")[0].message
    assert [one[:2] for one in server.seen] == [("POST", "/action")] * 2 + [("GET", url)] * 3


def test_an_answer_may_come_in_pieces(alone: Job) -> None:
    with Counterpart(alone) as server:
        server.in_pieces = True
        server.answers = [
            (202, {"url": f"/action/{'a' * 32}"}),
            (200, {"status": "ended", "outcome": "stopped: a newer review took its place"}),
        ]
        ran = alone.pushed(opened(alone.hub))
    assert (ran.code, ran.outputs["status"]) == (0, "skipped"), ran.log


@pytest.mark.parametrize(
    "answer",
    [
        {"url": "https://evil.example/action/x"},
        {"url": "/../admin"},
        {"url": f"/action/{'a' * 32}\n"},
        {},
        [],
        "no",
    ],
)
def test_an_answer_of_something_else_leads_nowhere(alone: Job, answer: object) -> None:
    with Counterpart(alone) as server:
        server.answers = [(202, answer)]
        ran = alone.pushed(opened(alone.hub))
    assert ran.code == 2 and "not as a server of this program" in ran.said("error")[0].message
    assert len(server.seen) == 1


def test_a_redirect_takes_the_token_nowhere(alone: Job) -> None:
    with Counterpart(alone) as server:
        server.answers = [(307, {"why": "elsewhere"})]
        ran = alone.pushed(opened(alone.hub))
    assert ran.code == 2 and len(server.seen) == 1


def test_a_cancelled_job_ends_by_itself(alone: Job) -> None:
    pull = opened(alone.hub)
    with Counterpart(alone) as server:
        server.answers = [(202, {"url": f"/action/{'a' * 32}"})]
        server.rest = (200, {"status": "waiting"})
        identity = alone.hub.issuer.job(pull.repo, number=1)
        process = alone.start(pull.repo, "pull_request", alone.payload(pull), identity=identity)
        wait_until(lambda: len(server.seen) > 1, lambda: repr(server.seen))
        os.kill(process.pid, signal.SIGINT)
        ran = alone.end(process)
    assert ran.code == 130 and "goes on by itself" in ran.said("warning")[0].message


def test_a_runner_that_gives_no_token_is_told(alone: Job) -> None:
    pull = opened(alone.hub)
    identity = alone.hub.issuer.job(pull.repo) | {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "another"}
    ran = alone.end(alone.start(pull.repo, "pull_request", alone.payload(pull), identity=identity))
    assert ran.code == 2 and "gives this job no token (status 401)" in ran.said("error")[0].message


class Counterpart:
    """A server at the job's address that answers as it is told, one answer after the other."""

    def __init__(self, job: Job) -> None:
        self.answers: list[tuple[int, object]] = []
        self.rest: tuple[int, object] = (500, {"why": "no answer is left"})
        self.seen: list[tuple[str, str, bytes, str]] = []
        self.in_pieces = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                size = int(self.headers.get("Content-Length", "0"))
                token = self.headers["Authorization"]
                outer.seen.append((self.command, self.path, self.rfile.read(size), token))
                status, body = outer.answers.pop(0) if outer.answers else outer.rest
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Retry-After", "1")
                self.send_header("Location", "/elsewhere")
                if not outer.in_pieces:
                    self.send_header("Content-Length", str(len(raw)))
                    self.end_headers()
                    self.wfile.write(raw)
                    return
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for piece in (raw[:9], raw[9:], b""):
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                    self.wfile.flush()

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        job.server = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))

    def __enter__(self) -> "Counterpart":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        assert all(re.fullmatch(r"Bearer \S+", one[3]) for one in self.seen)
