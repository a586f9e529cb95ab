"""`/action` as the job of a workflow meets it: tokens, bodies, limits, and what is told of a run."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.handover import MAX_BODY_BYTES, MOST_LOOKS, MOST_REQUESTS, REQUESTS_S
from app.jobs import COMMAND_FIRST, Handed
from app.oidc import Keys, Verifier
from app.report import Verdict
from app.store import GITHUB, PUBLISH, NewJob, NewRun, Store
from app.webhook import make_app
from reviewer.finding import Severity
from tests.github.hub import FakeGitHub
from tests.github.oidc import JWKS
from tests.github.state import FakeRepo

OURS = "https://rlm.example.com"


class Desk:
    """The server's pages over a store, and a GitHub with one repository."""

    def __init__(self, hub: FakeGitHub, folder: Path) -> None:
        self.hub = hub
        self.repo: FakeRepo = hub.repository("octo/hello", private=True)
        self.path = folder / "rlm.sqlite3"
        self.store = Store(self.path)
        self.now = hub.state.now()
        keys = Keys(hub.issuer.url)
        app = make_app(self.store, [], verifier=Verifier(keys, OURS), clock=lambda: self.now)
        self.client = app.test_client()

    def token(self, repo: FakeRepo | None = None, **about: Any) -> str:
        issuer = self.hub.issuer
        return issuer.sign(issuer.claims(repo or self.repo, **about), OURS)

    def start(self, token: str, body: object = None, **more: Any) -> TestResponse:
        wanted = {"number": 1} if body is None else body
        given = {"json": wanted, "headers": {"Authorization": f"Bearer {token}"}, **more}
        return self.client.post("/action", **given)

    def look(self, url: str, token: str | None = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {token or self.token()}"}
        return self.client.get(url, headers=headers)

    def jobs(self) -> list[tuple[Handed, NewJob]]:
        """Take what was stored for the github role."""
        found = []
        while (job := self.store.claim(GITHUB, "github", 60)) is not None:
            handed = Handed.model_validate_json(job.payload)
            found.append((handed, handed.job()))
            self.store.done(job)
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with FakeGitHub(tmp_path / "hub") as hub:
        desk = Desk(hub, tmp_path)
        yield desk
        desk.store.close()


def told(answer: TestResponse, code: int) -> dict[str, Any]:
    assert answer.status_code == code, answer.text
    assert answer.json is not None
    return dict(answer.json)


# Asking


def test_a_job_asks_for_a_review_of_its_pull_request(desk: Desk) -> None:
    said = told(desk.start(desk.token()), 202)
    assert said["status"] == "queued"
    ((handed, job),) = desk.jobs()
    assert handed == Handed(
        request=said["url"].rpartition("/")[2],
        repository_id=desk.repo.id,
        repository="octo/hello",
        number=1,
        event="pull_request",
        actor="alice",
        owner_id=int(desk.hub.issuer.claims(desk.repo)["repository_owner_id"]),
    )
    assert job.key == f"pull:{desk.repo.id}:1" and job.priority == 0
    assert told(desk.look(said["url"]), 200) == {"status": "waiting"}


def test_a_crowd_of_strangers_keeps_no_customer_waiting(tmp_path: Path) -> None:
    def handed(owner: int, number: int) -> NewJob:
        return Handed(
            request="0" * 32,
            repository_id=owner,
            repository="o/r",
            number=number,
            event="push",
            actor="a",
            owner_id=owner,
        ).job()

    with closing(Store(tmp_path / "rlm.sqlite3")) as store:
        store.put(*(handed(1, number) for number in range(1, 50)))
        store.put(handed(2, 1))
        order = []
        while (job := store.claim(GITHUB, "w", 60)) is not None:
            order.append(job.key)
            store.done(job)
    assert order.index("pull:2:1") <= 1


@pytest.mark.parametrize(
    ("event", "body", "first"),
    [
        ("pull_request_target", {"number": 7}, 0),
        ("schedule", {"number": 7}, 0),
        ("workflow_run", {"number": 7}, 0),
        ("workflow_dispatch", {"number": 7}, COMMAND_FIRST),
        ("issue_comment", {"number": 7, "comment": 99}, COMMAND_FIRST),
    ],
)
def test_what_a_person_started_goes_first(
    desk: Desk, event: str, body: dict[str, int], first: int
) -> None:
    told(desk.start(desk.token(event=event), body), 202)
    ((handed, job),) = desk.jobs()
    assert (handed.number, handed.comment) == (7, body.get("comment", 0))
    assert job.priority == first


def test_a_token_asks_once_however_often_it_is_shown(desk: Desk) -> None:
    token = desk.token()
    first = told(desk.start(token), 202)
    for _ in range(3):
        assert told(desk.start(token), 200) == {"status": "known", "url": first["url"]}
    assert len(desk.jobs()) == 1


def test_a_token_that_has_asked_asks_for_nothing_else(desk: Desk) -> None:
    token = desk.token(event="workflow_dispatch")
    told(desk.start(token, {"number": 1}), 202)
    said = told(desk.start(token, {"number": 2}), 409)
    assert said["why"].endswith("show a new one.")
    assert len(desk.jobs()) == 1


def test_the_same_name_of_a_token_in_another_repository_is_another_request(desk: Desk) -> None:
    other = desk.hub.repository("octo/other")
    issuer = desk.hub.issuer
    tokens = [
        issuer.sign(issuer.claims(repo), OURS, jti="the same name") for repo in (desk.repo, other)
    ]
    urls = {told(desk.start(token), 202)["url"] for token in tokens}
    assert len(urls) == 2


def test_a_pull_request_has_itself_reviewed_and_no_other(desk: Desk) -> None:
    said = told(desk.start(desk.token(number=1), {"number": 2}), 403)
    assert said["why"] == "The workflow runs for another pull request than it names."
    assert told(desk.start(desk.token(ref="refs/heads/main")), 403)["status"] == "refused"
    assert desk.jobs() == []


@pytest.mark.parametrize("event", ["push", "release", "merge_group", "pull_request_review"])
def test_an_event_without_a_pull_request_asks_for_nothing(desk: Desk, event: str) -> None:
    said = told(desk.start(desk.token(event=event)), 403)
    assert said["why"] == f"A workflow on {event} asks for no review."


@pytest.mark.parametrize(("event", "comment"), [("pull_request", 5), ("issue_comment", 0)])
def test_a_comment_is_named_by_its_own_event_alone(desk: Desk, event: str, comment: int) -> None:
    answer = desk.start(desk.token(event=event), {"number": 1, "comment": comment})
    assert "issue_comment" in told(answer, 403)["why"]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Basic YTpi", "token abc", "Bearer a.b.c", "Bearer é"]
)
def test_without_a_token_nothing_is_taken_and_nothing_shown(desk: Desk, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    for answer in (
        desk.client.post("/action", json={"number": 1}, headers=headers),
        desk.client.get(f"/action/{'0' * 32}", headers=headers),
    ):
        assert told(answer, 401)["status"] == "refused"
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert desk.jobs() == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"number": 0},
        {"number": -1},
        {"number": "1"},
        {"number": 1.5},
        {"number": True},
        {"number": 2**60},
        {"number": 1, "comment": -1},
        {"number": 1, "repository": "octo/other"},
        {"number": 1, "model": "dear"},
        [1],
        1,
    ],
)
def test_a_body_that_says_anything_else_is_refused(desk: Desk, body: object) -> None:
    assert told(desk.start(desk.token(), body), 400)["status"] == "refused"
    assert desk.jobs() == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"number":1,"number":2}', b"\xff", b'{"number":NaN}']
)
def test_a_body_that_is_no_plain_json_is_refused(desk: Desk, body: bytes) -> None:
    answer = desk.start(desk.token(), json=None, data=body, content_type="application/json")
    assert told(answer, 400)["status"] == "refused"


def test_a_form_is_refused(desk: Desk) -> None:
    told(desk.start(desk.token(), json=None, data={"number": "1"}), 415)


def test_a_body_beyond_the_limit_is_refused_with_and_without_its_length(desk: Desk) -> None:
    body = b'{"number":1' + b" " * MAX_BODY_BYTES + b"}"
    kind = {"json": None, "content_type": "application/json"}
    told(desk.start(desk.token(), data=body, **kind), 413)
    environ = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    told(desk.start(desk.token(), data=body, environ_overrides=environ, **kind), 413)
    assert desk.jobs() == []


def test_a_repository_asks_for_no_more_than_its_share(desk: Desk) -> None:
    for _ in range(MOST_REQUESTS):
        told(desk.start(desk.token()), 202)
    answer = desk.start(desk.token())
    assert "too much" in told(answer, 429)["why"]
    assert int(answer.headers["Retry-After"]) > 0
    told(desk.start(desk.token(desk.hub.repository("octo/other"))), 202)
    desk.now += REQUESTS_S + 60
    told(desk.start(desk.token()), 202)


def test_keys_that_are_not_to_be_had_are_told_as_trouble_of_ours(desk: Desk) -> None:
    desk.hub.fault("GET", JWKS, status=503, times=None)
    answer = desk.start(desk.token())
    assert told(answer, 503)["status"] == "failed"
    assert int(answer.headers["Retry-After"]) >= 1
    assert desk.jobs() == []


def test_a_store_that_cannot_be_written_is_told_and_nothing_is_remembered(desk: Desk) -> None:
    token = desk.token()
    other = sqlite3.connect(desk.path)
    other.execute("CREATE TRIGGER no BEFORE INSERT ON jobs BEGIN SELECT RAISE(ABORT, 'no'); END")
    answer = desk.start(token)
    assert "not remembered" in told(answer, 503)["why"]
    assert int(answer.headers["Retry-After"]) >= 1
    other.execute("DROP TRIGGER no")
    other.close()
    told(desk.start(token), 202)


def test_a_server_that_does_not_know_its_address_takes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "rlm.sqlite3")
    client = make_app(store, []).test_client()
    for answer in (client.post("/action", json={"number": 1}), client.get("/action/x")):
        assert "set RLM_PUBLIC_URL" in told(answer, 503)["why"]
    store.close()


# Looking


def running(desk: Desk, url: str, name: str = "0123456789abcdef") -> str:
    """Let a run do what was asked for."""
    new = NewRun(name, 5, desk.repo.id, "octo/hello", 1, f"head:{name}", "{}", "b" * 40, "a" * 40)
    assert desk.store.begin(new, NewJob(GITHUB, PUBLISH, "k", "{}"))
    desk.store.answer(url.rpartition("/")[2], run=name)
    return name


def test_a_run_is_followed_to_its_end(desk: Desk) -> None:
    url = told(desk.start(desk.token()), 202)["url"]
    desk.jobs()
    run = running(desk, url)
    assert told(desk.look(url), 200) == {"status": "running", "run": run, "kind": "review"}
    desk.store.progressed(run, "3 of 9 parts read")
    assert told(desk.look(url), 200)["progress"] == "3 of 9 parts read"
    verdict = Verdict(status="complete", findings={Severity.HIGH: 2}, said="2 findings: 2 high")
    job = desk.store.claim(GITHUB, "github", 60)
    assert job is not None
    desk.store.ended(job, run, "posted", verdict=verdict.model_dump_json())
    said = told(desk.look(url), 200)
    assert (said["status"], said["outcome"]) == ("ended", "posted")
    assert Verdict.model_validate(said["verdict"]) == verdict


def test_why_there_is_nothing_to_do_or_nothing_can_be_done_is_told(desk: Desk) -> None:
    urls = [told(desk.start(desk.token()), 202)["url"] for _ in range(2)]
    names = [url.rpartition("/")[2] for url in urls]
    desk.store.answer(names[0], why="It is a draft.")
    desk.store.answer(names[1], why="Not installed.", failed=True)
    desk.store.answer(names[1], why="The first answer stands.")
    assert told(desk.look(urls[0]), 200) == {"status": "ended", "why": "It is a draft."}
    assert told(desk.look(urls[1]), 200) == {"status": "failed", "why": "Not installed."}


def test_another_repository_sees_nothing(desk: Desk) -> None:
    url = told(desk.start(desk.token()), 202)["url"]
    other = desk.token(desk.hub.repository("octo/other"))
    nowhere = told(desk.look(f"/action/{'0' * 32}", other), 404)
    assert told(desk.look(url, other), 404) == nowhere


@pytest.mark.parametrize("name", ["x", "0" * 31, "0" * 33, "%2e%2e", "' OR 1=1"])
def test_what_is_no_request_is_not_there(desk: Desk, name: str) -> None:
    told(desk.look(f"/action/{name}"), 404)


def test_jobs_that_ask_too_often_are_told_to_wait(desk: Desk) -> None:
    url = told(desk.start(desk.token()), 202)["url"]
    token = desk.token()
    for _ in range(MOST_LOOKS):
        told(desk.look(url, token), 200)
    answer = desk.look(url, token)
    told(answer, 429)
    assert int(answer.headers["Retry-After"]) > 0
    other = desk.token(desk.hub.repository("octo/other"))
    told(desk.look(url, other), 404)
    desk.now += 61
    told(desk.look(url, token), 200)
