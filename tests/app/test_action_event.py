"""Events of GitHub Actions: which ask for a review, and which for nothing at all."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.action_event import MAX_EVENT_BYTES, Comment, Look, Nothing, read_event
from app.jobs import MAX_COMMENT_CHARS
from reviewer.errors import TellUser
from tests.github.npm import package_file

BOT = "github-actions[bot]"


@cache
def examples() -> dict[str, list[dict[str, Any]]]:
    """Real payloads, by the name of their event."""
    path = package_file("@octokit/webhooks-examples", "api.github.com/index.json")
    return {event["name"]: event["examples"] for event in json.loads(path.read_bytes())}


def event(tmp_path: Path, name: str, payload: object, number: str = "") -> Look | Comment | Nothing:
    path = tmp_path / "event.json"
    path.write_bytes(payload if isinstance(payload, bytes) else json.dumps(payload).encode())
    environ = {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path)}
    return read_event(environ, number, BOT)


def comment(**changed: Any) -> dict[str, Any]:
    """A comment on a pull request, `/rlm review` by a person, with parts of it changed."""
    user = {"login": "alice", "id": 7, "type": "User"}
    payload: dict[str, Any] = {
        "action": "created",
        "issue": {"number": 12, "pull_request": {"url": "https://api.example/pulls/12"}},
        "comment": {"id": 99, "body": "/rlm review", "user": user},
        "sender": user,
    }
    for place, value in changed.items():
        *parents, last = place.split("__")
        target = payload
        for parent in parents:
            target = target[parent]
        target[last] = value
    return payload


def test_every_real_payload_of_a_pull_request_names_its_number(tmp_path: Path) -> None:
    payloads = examples()["pull_request"]
    assert len(payloads) > 20
    for payload in payloads:
        read = event(tmp_path, "pull_request", payload)
        pushed = payload["action"] == "synchronize"
        assert read == Look(payload["pull_request"]["number"], pushed=pushed)
        assert read == event(tmp_path, "pull_request_target", payload)


def test_every_real_payload_of_a_comment_is_read_or_left_with_a_reason(tmp_path: Path) -> None:
    payloads = examples()["issue_comment"]
    assert len(payloads) > 5
    for payload in payloads:
        match event(tmp_path, "issue_comment", payload):
            case Nothing(why=why):
                assert why.endswith(".")
                assert payload["action"] != "created" or "pull_request" not in payload["issue"]
            case Comment(number=number, comment_id=comment_id):
                assert number == payload["issue"]["number"]
                assert comment_id == payload["comment"]["id"]
            case other:
                raise AssertionError(other)


def test_a_comment_on_a_pull_request_is_taken_with_its_author(tmp_path: Path) -> None:
    assert event(tmp_path, "issue_comment", comment()) == Comment(12, 99, "/rlm review", "alice")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"action": "edited"}, "when it is written"),
        ({"action": "deleted"}, "when it is written"),
        ({"issue__pull_request": None}, "on an issue"),
        ({"comment__user__type": "Bot"}, "bots"),
        ({"comment__user__login": "renovate[bot]"}, "bots"),
        ({"comment__user": None}, "bots"),
        ({"sender": {"login": BOT, "type": "Bot"}}, "bots"),
        ({"sender": {"login": "bob", "type": "User"}}, "did not write it"),
    ],
)
def test_a_comment_that_is_no_command_of_a_person_is_left(
    tmp_path: Path, changed: dict[str, Any], why: str
) -> None:
    read = event(tmp_path, "issue_comment", comment(**changed))
    assert isinstance(read, Nothing) and why in read.why


def test_a_long_comment_is_cut_after_a_whole_line(tmp_path: Path) -> None:
    body = "/rlm review src/\n" + "x" * 60_000 + "\n/rlm review " + "y" * 9_000
    read = event(tmp_path, "issue_comment", comment(comment__body=body))
    assert isinstance(read, Comment) and len(read.body) <= MAX_COMMENT_CHARS
    assert body.startswith(read.body) and read.body.endswith("x\n")


def test_a_comment_without_a_body_is_empty(tmp_path: Path) -> None:
    read = event(tmp_path, "issue_comment", comment(comment__body=None))
    assert isinstance(read, Comment) and read.body == ""


def test_what_we_did_ourselves_starts_nothing(tmp_path: Path) -> None:
    payload = {"pull_request": {"number": 3}, "sender": {"login": BOT, "type": "Bot"}}
    assert isinstance(event(tmp_path, "pull_request", payload), Nothing)


def test_a_number_that_was_given_goes_before_the_event(tmp_path: Path) -> None:
    assert event(tmp_path, "workflow_dispatch", {}, "41") == Look(41, asked=True)


@pytest.mark.parametrize("name", ["issue_comment", "pull_request", "pull_request_target"])
def test_a_number_does_not_stand_in_for_the_person_who_asked(tmp_path: Path, name: str) -> None:
    with pytest.raises(TellUser, match="names its pull request itself"):
        event(tmp_path, name, comment(), "41")


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "１２", "refs/pull/1", "9" * 30, "9" * 9_999])
def test_a_number_that_is_none_is_refused(tmp_path: Path, number: str) -> None:
    with pytest.raises(TellUser, match="pull-request is not a number"):
        event(tmp_path, "workflow_dispatch", {}, number)


@pytest.mark.parametrize("name", ["push", "workflow_dispatch", "", "a::b\n" * 99])
def test_an_event_without_a_pull_request_is_explained(tmp_path: Path, name: str) -> None:
    with pytest.raises(TellUser, match="names no pull request") as caught:
        event(tmp_path, name, {})
    assert "\n" not in caught.value.problem and len(caught.value.problem) < 200


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{",
        b'{"pull_request": {"number": "7"}}',
        b'{"pull_request": {"number": 0}, "sender": {"login": "a"}}',
        b'{"pull_request": {"number": 1}, "sender": {"login": "a/../b"}}',
        b'{"pull_request": {"number": 1}, "pull_request": {"number": 2}, "sender": {"login": "a"}}',
        b"[" * 100_000,
        b'"\xff"',
    ],
)
def test_an_event_of_another_shape_is_explained(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(TellUser, match="GITHUB_EVENT_PATH cannot be read: "):
        event(tmp_path, "pull_request", raw)


def test_an_oversized_event_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "big.json"
    with path.open("wb") as file:
        file.truncate(MAX_EVENT_BYTES + 1)
    environ = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(path)}
    with pytest.raises(TellUser, match="over"):
        read_event(environ, "", BOT)


@pytest.mark.parametrize("path", [None, "/nowhere/event.json", "/"])
def test_a_missing_event_is_explained(path: str | None) -> None:
    environ = {"GITHUB_EVENT_NAME": "issue_comment"}
    if path is not None:
        environ["GITHUB_EVENT_PATH"] = path
    with pytest.raises(TellUser, match="cannot be read"):
        read_event(environ, "", BOT)
